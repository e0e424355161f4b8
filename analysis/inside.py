"""What is different inside the model, or in how it is served?

A snapshot is judged by its training curve and by its weights per module, against earlier
snapshots of its model. Without a suspect snapshot, the same inputs' answers before and since
the onset tell whether the serving changed; the change is described as a line on the old answers.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from analysis import odds
from analysis.charts import training as charts
from analysis.evidence import CannotExamine, Chart, Evidence, How, Scope, Suspect, Table
from analysis.inputs import views
from analysis.inputs.familiar import answers_shift, beside_others, familiar
from analysis.training_signs import (
    POSITIVE,
    Curve,
    Sign,
    cause_of_others,
    curve_signs,
    modules,
    points,
    weight_signs,
)
from analysis.warehouse import Warehouse

Floats = np.ndarray[Any, np.dtype[np.float64]]

METHOD = (
    "Training curve (final loss, loss above its best, jumps, swings, gap to training, shape) and "
    "weight statistics per module, and of all together, against earlier snapshots; for serving, a "
    "surrogate of the answers before the onset on familiar inputs since then."
)


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
    curves = {str(r.snapshot): points(r.curve) for r in past.itertuples()}
    curve = points(row["curve"])
    weights = [modules(r.weights) for r in past.itertuples()]
    signs = [
        *curve_signs(curve, list(curves.values())),
        *weight_signs(modules(row["weights"]), weights),
    ]
    signs.sort(key=lambda s: (-cause_of_others(s), -s.log_odds))
    missing = []
    if not curve:
        missing.append("the training curve: the registry has none")
    if not modules(row["weights"]):
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
    told = list(plain.values())[:3]
    return Evidence(
        verdict=verdict,
        confidence=min(max(shares[verdict], 0.01), 0.99),
        headline=title + ".",
        suspects=(
            Suspect("snapshot", suspect, shares["snapshot"], signs[0].words if signs else ""),
            *(Suspect("module", s.name, odds.probability(s.log_odds), s.words) for s in told),
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
    curves: Mapping[str, Curve],
    suspect: str,
    curve: Curve,
    title: str,
) -> tuple[Chart, ...]:
    if not curve:
        return ()
    shown = {n: [(s, v) for s, _, v in p] for n, p in curves.items() if p}
    shown[suspect] = [(s, v) for s, _, v in curve]
    return (charts.curves(shown, suspect, title),)


# -- serving ----------------------------------------------------------------------------------


def _serving(warehouse: Warehouse, scope: Scope, begun: float) -> Evidence:
    r = views.read(warehouse, scope)
    output = r.output(r.days)
    evidence, size = max(answers_shift(r, output), beside_others(r, output))
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
