"""What in a training went wrong: its curve and its weights against those of earlier snapshots.

The registry keeps a curve as JSON ``[{"step", "train_loss", "valid_loss"}, …]`` and weights as
``{module: {"norm", "max", "nan"}, …}``; what is not of that form reads as not there.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from analysis.training.rows import against

Floats = np.ndarray[Any, np.dtype[np.float64]]
Curve = Sequence[tuple[float, float, float]]
"""Step, training and validation loss, a point each."""
Modules = Mapping[str, Mapping[str, float]]
"""Statistics of the weights by module."""

WEIGHTS_MOVE = 0.3
"""A retraining moves the logarithm of a module's norm or largest weight by about this much."""
MODULES = 4
"""Of so many modules on there is a telling what they have in common."""
FLOORS = {
    "rise": 0.02,
    "end": 0.05,
    "jump": 0.03,
    "climb": 0.03,
    "wild": 0.02,
    "gap": 0.05,
    "shape": 0.05,
}
"""A retraining moves the logarithm of each figure of a curve by about this much."""
POSITIVE = 1.0
"""From these log odds on a sign is told as one: near Kass & Raftery's (1995) factor of 3."""
CURVE, ALL = "training curve", "all modules"


@dataclass(frozen=True)
class Sign:
    """One thing inside a snapshot: where, how sure, in words."""

    name: str
    log_odds: float
    words: str
    kind: Literal["module", "feature"] = "module"


def cause_of_others(sign: Sign) -> int:
    """A training that ran away spoils all weights, and all weights hold each module's."""
    if sign.log_odds < POSITIVE:
        return 0
    return {CURVE: 3, ALL: 2}.get(sign.name, 1)


# -- a curve ----------------------------------------------------------------------------------


def points(text: object) -> list[tuple[float, float, float]]:
    """Step, training and validation loss; a missing validation loss reads as the training's."""
    found = _json(text)
    out = []
    for point in found if isinstance(found, list) else []:
        if not isinstance(point, dict):
            continue
        train = _number(point.get("train_loss"))
        valid = _number(point.get("valid_loss"))
        out.append((_number(point.get("step")), train, train if math.isnan(valid) else valid))
    return out


def curve_signs(
    curve: Curve,
    past: Sequence[Curve],
) -> list[Sign]:
    """Divergence: not finite, above its own best, above earlier ends, jumps, swings, another shape.

    Each is held against the same figure of earlier curves.
    """
    if len(curve) < 2:
        return []
    losses = np.array(curve)[:, 1:]
    if not np.isfinite(losses[:, 1]).all():
        step = curve[int(np.flatnonzero(~np.isfinite(losses[:, 1]))[0])][0]
        return [Sign(CURVE, 8.0, f"the loss is not a number from step {step:g} on")]
    others = [np.array(c)[:, 1:] for c in past if len(c) >= 2]
    others = [o for o in others if np.isfinite(o).all()]
    if not np.isfinite(losses).all():
        losses[:, 0] = losses[:, 1]
    mine, theirs = _figures(losses, others), []
    for i, other in enumerate(others):
        theirs.append(_figures(other, [*others[:i], *others[i + 1 :]]))
    usual = math.exp(float(np.median([np.log(o[-1, 1] + 1e-9) for o in others]))) if others else 0
    words = {
        "rise": f"the loss rose {np.expm1(mine['rise']):.0%} above its best",
        "end": f"the loss ends at {losses[-1, 1]:.3g}, usually {usual:.3g}",
        "jump": f"the loss jumped by {np.expm1(max(mine['jump'], 0)):.0%} between two steps",
        "climb": f"the training loss climbed by {np.expm1(max(mine['climb'], 0)):.0%} in a step",
        "wild": "the loss swings from step to step",
        "gap": f"the loss ends at {np.exp(mine['gap']):.2f} × the training loss",
        "shape": f"the loss ran otherwise than in earlier trainings, by {mine['shape']:.0%} a step",
    }
    out = []
    for name, now in mine.items():
        history = np.array([t.get(name, math.nan) for t in theirs])
        if not len(others):
            if name in ("end", "gap", "shape"):
                continue
            history = np.zeros(1)
        shift = against(now, history, FLOORS[name])
        log_odds = shift.log_odds if shift.seen and shift.z > 0 else -1.5
        out.append(Sign(CURVE, log_odds, words[name]))
    return out


def _figures(losses: Floats, others: Sequence[Floats]) -> dict[str, float]:
    """What may be odd about a curve, on logarithms; ``losses``: training and validation, a row a
    step. ``shape`` is how far it runs, on average, from the mean of ``others``, ends aside."""
    logs = np.log(losses + 1e-9)
    train, valid = logs[:, 0], logs[:, 1]
    found = {
        "rise": float(valid[-1] - valid.min()),
        "end": float(valid[-1]),
        "jump": float(np.diff(valid).max()),
        "climb": float(np.diff(train).max()),
        "wild": float(np.std(np.diff(valid, n=2))) if len(valid) > 3 else math.nan,
        "gap": float(valid[-1] - train[-1]),
    }
    grid = np.linspace(0, 1, 9)
    shapes = [_shape(np.log(o[:, 0] + 1e-9), grid) for o in (losses, *others)]
    if others:
        off = shapes[0] - np.mean(shapes[1:], axis=0)
        found["shape"] = float(np.sqrt(np.mean(off**2)))
    return found


def _shape(logs: Floats, grid: Floats) -> Floats:
    """A curve at even parts of its way, less its mean: data of another week shift it whole."""
    at = np.interp(grid, np.linspace(0, 1, len(logs)), logs)
    out: Floats = at - at.mean()
    return out


# -- weights ------------------------------------------------------------------------------------


def modules(text: object) -> dict[str, dict[str, float]]:
    """Statistics of the weights by module, from the registry's JSON; {} where there are none."""
    found = _json(text)
    if not isinstance(found, dict):
        return {}
    return {
        str(m): {str(k): _number(v) for k, v in stats.items()}
        for m, stats in found.items()
        if isinstance(stats, dict)
    }


def weight_signs(mine: Modules, past: Sequence[Modules]) -> list[Sign]:
    """Each module's norm and largest weight against earlier snapshots', on logs.

    What most modules have in common is a sign of its own, and no module's.
    """
    out = []
    for module, stats in mine.items():
        if stats.get("nan", 0) > 0 or not math.isfinite(stats.get("norm", 0.0)):
            out.append(
                Sign(module, 8.0, f"{module}: {stats.get('nan', 0):g} weights are no number")
            )
    for name in ("norm", "max"):
        now = {m: float(np.log(v)) for m, v in _known(mine, name).items()}
        histories = {m: np.log([v[m] for p in past if m in (v := _known(p, name))]) for m in now}
        moved = {m: now[m] - float(np.median(h)) for m, h in histories.items() if len(h)}
        common = float(np.median(list(moved.values()))) if len(moved) >= MODULES else 0.0
        if len(moved) >= MODULES:
            each = [
                float(np.median([h[i] - np.median(h) for m, h in histories.items() if len(h) > i]))
                for i in range(max(len(h) for h in histories.values()))
            ]
            shift = against(common, np.array(each), WEIGHTS_MOVE)
            words = f"{ALL}: {name} of the weights is {math.exp(common):.2g} × what it was"
            out.append(Sign(ALL, shift.log_odds, words))
            if shift.log_odds < POSITIVE:
                common = 0.0
        for module in moved:
            shift = against(now[module] - common, histories[module], WEIGHTS_MOVE)
            words = (
                f"{module}: {name} of the weights is {math.exp(moved[module]):.2g} × what it was"
            )
            out.append(Sign(module, shift.log_odds - 0.5 * float(np.log(2 * len(mine))), words))
    return out


def _known(modules: Modules, name: str) -> dict[str, float]:
    """A figure of each module that has one above 0, and sound weights."""
    found = {m: s.get(name, math.nan) for m, s in modules.items() if not s.get("nan", 0) > 0}
    return {m: v for m, v in found.items() if math.isfinite(v) and v > 0}


def _json(text: object) -> Any:
    if not isinstance(text, str):
        return text
    try:
        return json.loads(text)
    except ValueError:
        return None


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else math.nan
