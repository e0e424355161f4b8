"""What is different inside the model, or in how it is served?

A snapshot is judged by its training curve and by its weights per module, against earlier
snapshots of its model. Without a suspect snapshot, the same inputs' answers before and since
the onset tell whether the serving changed; the change is described as a line on the old answers.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from analysis import odds
from analysis.charts import training as charts
from analysis.evidence import CannotExamine, Chart, Evidence, How, Scope, Suspect, Table
from analysis.inputs import views
from analysis.inputs.familiar import answers_shift, familiar
from analysis.training_rows import against
from analysis.warehouse import Warehouse

Floats = np.ndarray[Any, np.dtype[np.float64]]

METHOD = (
    "Training curve (final loss, loss above its best, jumps, swings, gap to training, shape) and "
    "weight statistics per module, and of all together, against earlier snapshots; for serving, a "
    "surrogate of the answers before the onset on familiar inputs since then."
)


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


def look_inside(warehouse: Warehouse, scope: Scope) -> Evidence:
    """Looks into the suspect snapshot, or at serving when none is suspected.

    Verdicts snapshot, model, fine. Raises CannotExamine when neither registry nor log can tell.
    """
    begun = time.perf_counter()
    named = scope.named("snapshot")
    if named:
        return _snapshot(warehouse, named[0], begun)
    return _serving(warehouse, scope, begun)


# -- a snapshot -------------------------------------------------------------------------------


def _snapshot(warehouse: Warehouse, suspect: str, begun: float) -> Evidence:
    if not warehouse.has("snapshots"):
        raise CannotExamine("There is no table `snapshots` in the settings to look into.")
    frame = warehouse.fetch(warehouse.table("snapshots")).sort_values("published", kind="stable")
    frame["snapshot"] = frame["snapshot"].astype(str)
    mine = frame[frame["snapshot"] == suspect]
    if mine.empty:
        raise CannotExamine(f"The table `snapshots` has no row for {suspect}.")
    row = mine.iloc[-1]
    same = frame[frame["model"].astype(str) == str(row["model"])]
    past = same[same["published"] < row["published"]].tail(6)
    curves = {str(r.snapshot): _points(r.curve) for r in past.itertuples()}
    curve = _points(row["curve"])
    weights = [_modules(r.weights) for r in past.itertuples()]
    signs = [*_curve(curve, list(curves.values())), *_weights(_modules(row["weights"]), weights)]
    signs.sort(key=lambda s: (-_cause_of_others(s), -s.log_odds))
    missing = []
    if not curve:
        missing.append("the training curve: the registry has none")
    if not _modules(row["weights"]):
        missing.append("weights per module: the registry has none")
    # Whoever comes here has a snapshot whose answers are worse and whose data are fine.
    logs = {"fine": float(np.log(0.35))}
    share = float(np.log(0.65 / max(len(signs), 1)))
    logs["snapshot"] = float(
        np.logaddexp.reduce([share + s.log_odds for s in signs]) if signs else np.log(0.3)
    )
    shares = odds.share_out(logs)
    verdict = max(shares, key=lambda k: shares[k])
    title = _title(suspect, verdict, signs)
    pictures = _curves_chart(curves, suspect, curve, title)
    plain: dict[str, Sign] = {}
    for sign in signs:
        if sign.log_odds > POSITIVE:
            plain.setdefault(sign.name, sign)
    modules = list(plain.values())[:3]
    return Evidence(
        verdict=verdict,
        confidence=min(max(shares[verdict], 0.01), 0.99),
        headline=title + ".",
        suspects=(
            Suspect("snapshot", suspect, shares["snapshot"], signs[0].words if signs else ""),
            *(Suspect("module", s.name, odds.probability(s.log_odds), s.words) for s in modules),
        ),
        proposed=1 if verdict == "snapshot" else 0,
        charts=pictures,
        table=Table(("where", "finding"), tuple((s.name, s.words) for s in signs[:6]))
        if signs
        else None,
        not_examined=tuple(missing),
        figures={"p_snapshot": shares["snapshot"], "earlier_snapshots": float(len(past))},
        how=How(METHOD, None, None, 0, 0, time.perf_counter() - begun),
    )


def _title(suspect: str, verdict: str, signs: Sequence[Sign]) -> str:
    if verdict == "snapshot" and signs:
        return f"The training of {suspect} went wrong: {signs[0].words}"
    return f"{suspect} looks inside like the snapshots before it"


def _curves_chart(
    curves: Mapping[str, Sequence[tuple[float, float, float]]],
    suspect: str,
    curve: Sequence[tuple[float, float, float]],
    title: str,
) -> tuple[Chart, ...]:
    if not curve:
        return ()
    shown = {n: [(s, v) for s, _, v in p] for n, p in curves.items() if p}
    shown[suspect] = [(s, v) for s, _, v in curve]
    return (charts.curves(shown, suspect, title),)


def _points(text: object) -> list[tuple[float, float, float]]:
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


def _modules(text: object) -> dict[str, dict[str, float]]:
    found = _json(text)
    if not isinstance(found, dict):
        return {}
    return {
        str(m): {str(k): _number(v) for k, v in stats.items()}
        for m, stats in found.items()
        if isinstance(stats, dict)
    }


def _json(text: object) -> Any:
    if not isinstance(text, str):
        return text
    try:
        return json.loads(text)
    except ValueError:
        return None


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else math.nan


def _cause_of_others(sign: Sign) -> int:
    """A training that ran away spoils all weights, and all weights hold each module's."""
    if sign.log_odds < POSITIVE:
        return 0
    return {CURVE: 3, ALL: 2}.get(sign.name, 1)


def _curve(
    curve: Sequence[tuple[float, float, float]],
    past: Sequence[Sequence[tuple[float, float, float]]],
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


def _weights(
    mine: Mapping[str, Mapping[str, float]], past: Sequence[Mapping[str, Mapping[str, float]]]
) -> list[Sign]:
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


def _known(modules: Mapping[str, Mapping[str, float]], name: str) -> dict[str, float]:
    """A figure of each module that has one above 0, and sound weights."""
    found = {m: s.get(name, math.nan) for m, s in modules.items() if not s.get("nan", 0) > 0}
    return {m: v for m, v in found.items() if math.isfinite(v) and v > 0}


# -- serving ----------------------------------------------------------------------------------


def _serving(warehouse: Warehouse, scope: Scope, begun: float) -> Evidence:
    r = views.read(warehouse, scope)
    output = r.output(r.days)
    evidence, size = answers_shift(r, output)
    shares = odds.share_out({"fine": float(np.log(0.4)), "model": float(np.log(0.6)) + evidence})
    verdict = max(shares, key=lambda k: shares[k])
    rows = familiar(r, r.days) & np.isfinite(r.target(r.days))
    now, then = rows & (r.days.block == 0), rows & (r.days.block > 0)
    words = _line(r.target(r.days), output, now, then, r.probability)
    who = _who(scope)
    title = (
        f"{who} gives the same inputs other answers since the onset: {words}"
        if verdict == "model"
        else f"{who} answers familiar inputs as before"
    )
    chart = _answers_chart(r, output, now, then, title)
    names = [Suspect("arm", a, shares["model"], words) for a in scope.named("arm")]
    names += [Suspect("model", m, shares["model"], words) for m in scope.named("model")]
    return Evidence(
        verdict=verdict,
        confidence=min(max(shares[verdict], 0.01), 0.99),
        headline=title + ".",
        suspects=tuple(names) if verdict == "model" else (),
        proposed=len(names) if verdict == "model" else 0,
        charts=(chart,) if chart else (),
        not_examined=("artifacts were not scored: answers were compared in the log",),
        figures={"answers_moved": size, "surrogate_r2": r.quality(output)},
        how=How(
            METHOD,
            r.comparison.window,
            r.comparison.baseline,
            int(now.sum()),
            int(then.sum()),
            time.perf_counter() - begun,
        ),
    )


def _who(scope: Scope) -> str:
    models, arms = scope.named("model"), scope.named("arm")
    who = " and ".join(models[:2]) or "The model"
    return f"{who} in {arms[0]}" if arms else who


def _line(target: Floats, output: Floats, now: Any, then: Any, probability: bool) -> str:
    """The new answers as a line on the expected ones, relative to the same line before."""
    if now.sum() < 20 or then.sum() < 20:
        return "too few familiar rows to say how"
    slope, shift = np.polyfit(output[now], target[now], 1)
    slope0, shift0 = np.polyfit(output[then], target[then], 1)
    ratio = slope / slope0 if abs(slope0) > 1e-6 else slope
    step = shift - shift0 * ratio
    scale = "logit" if probability else "prediction"
    if abs(ratio - 1) < 0.12:
        return f"{scale}s moved by {step:+.2f}"
    return f"{scale}s are {ratio:.2f} × old {step:+.2f}"


def _answers_chart(
    r: views.Reading, output: Floats, now: Any, then: Any, title: str
) -> Chart | None:
    rng = np.random.default_rng(0)
    picked = []
    for rows in (then, now):
        index = np.flatnonzero(rows)
        picked.append(
            rng.choice(index, min(len(index), 500), replace=False) if len(index) else index
        )
    if not len(picked[0]) or not len(picked[1]):
        return None
    target = r.target(r.days)
    guess = np.concatenate([output[picked[0]], output[picked[1]]])
    split = np.repeat([False, True], [len(picked[0]), len(picked[1])])
    return charts.answers(guess, target[picked[0]], target[picked[1]], split, title)


__all__ = ["look_inside"]
