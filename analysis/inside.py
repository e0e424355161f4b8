"""What is different inside the model, or in how it is served?

A snapshot is judged by its training curve and by its weights per module, against earlier
snapshots of its model. Without a suspect snapshot, the same inputs' answers before and since
the onset tell whether the serving changed; the change is described as a line on the old answers.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis import odds, words
from analysis.charts import training as charts
from analysis.evidence import CannotExamine, Chart, Evidence, How, Scope, Suspect, Table, Window
from analysis.inputs import deployed, views
from analysis.inputs.deployed import Deployed
from analysis.inputs.familiar import answers_shift, beside_others, familiar
from analysis.leaning import MOST_FEATURES, lean_signs
from analysis.replay import CannotReplay, called, can_replay
from analysis.training.signs import (
    POSITIVE,
    Curve,
    Sign,
    cause_of_others,
    curve_signs,
    modules,
    points,
    weight_signs,
)
from analysis.warehouse import Warehouse, aware

if TYPE_CHECKING:
    import pandas as pd

Floats = np.ndarray[Any, np.dtype[np.float64]]
Mask = np.ndarray[Any, np.dtype[np.bool_]]

METHOD = (
    "Training curve (final loss, loss above its best, jumps, swings, gap to training, shape) and "
    "weight statistics per module, and of all together, against earlier snapshots; with a scorer "
    "also how far shuffling each feature moves the answers of each artifact. For serving, a "
    "surrogate of the answers before the onset on familiar inputs since then, or, with a scorer, "
    "what the deployed artifacts answer."
)


def look_inside(warehouse: Warehouse, scope: Scope) -> Evidence:
    """Looks into the suspect snapshot, or at serving when none is suspected.

    Verdicts snapshot, model, fine. Raises CannotExamine when neither registry nor log can tell:
    a snapshot of which nothing is recorded is not fine for that.
    """
    begun = time.perf_counter()
    named = scope.named("snapshot")
    if named:
        return _snapshot(warehouse, scope, named[0], begun)
    return _serving(warehouse, scope, begun)


# -- a snapshot -------------------------------------------------------------------------------


def _snapshot(warehouse: Warehouse, scope: Scope, suspect: str, begun: float) -> Evidence:
    if not warehouse.has("snapshots"):
        raise CannotExamine("There is no table `snapshots` in the settings to look into.")
    frame = warehouse.fetch(warehouse.table("snapshots")).sort_values("published", kind="stable")
    frame["snapshot"] = frame["snapshot"].astype(str)
    row = _registered(frame, suspect, scope.named("model"))
    same = frame[frame["model"].astype(str) == str(row["model"])]
    past = same[same["published"] < row["published"]].tail(6)
    curves = {str(r.snapshot): points(r.curve) for r in past.itertuples()}
    curve = points(row["curve"])
    weights = [modules(r.weights) for r in past.itertuples()]
    signs = [
        *curve_signs(curve, list(curves.values())),
        *weight_signs(modules(row["weights"]), weights),
    ]
    leans, unscored = _leans(warehouse, scope, row, past["snapshot"].tolist())
    signs += leans or []
    signs.sort(key=lambda s: (-cause_of_others(s), -s.log_odds))
    missing = [unscored] if unscored else []
    if not curve:
        missing.append("the training curve: the registry has none")
    if not modules(row["weights"]):
        missing.append("weights per module: the registry has none")
    if not signs and leans is None:
        raise CannotExamine(f"Nothing tells what {suspect} is like inside: {'; '.join(missing)}.")
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
            *(Suspect(s.kind, s.name, odds.probability(s.log_odds), s.words) for s in told),
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


def _registered(frame: pd.DataFrame, suspect: str, models: Sequence[str]) -> Any:
    """The registry's row of a snapshot, of one of ``models`` where others share its name."""
    mine = frame[frame["snapshot"] == suspect]
    if mine.empty:
        raise CannotExamine(f"The table `snapshots` has no row for {suspect}.")
    asked = mine[mine["model"].astype(str).isin(models)]
    return (mine if asked.empty else asked).iloc[-1]


def _leans(
    warehouse: Warehouse, scope: Scope, row: Any, earlier: Sequence[str]
) -> tuple[list[Sign] | None, str]:
    """Features that it leans on otherwise (None: it was not asked), and what it was not asked."""
    model, name = called(warehouse, str(row["model"])), str(row["snapshot"])
    if not can_replay(warehouse, (model,)):
        return None, "what it leans on: its artifact was not scored"
    published = aware(row["published"])
    before = Window(min(scope.baseline.start, published - timedelta(days=7)), published)
    try:
        signs = lean_signs(warehouse, model, name, earlier, before, scope.seed)
    except CannotReplay as error:
        return None, f"what it leans on: {error}"
    rest = len(warehouse.features) - MOST_FEATURES
    many = f"how much it leans on {rest} of the features: too many to shuffle each"
    return signs, many if rest > 0 else ""


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


@dataclass(frozen=True)
class _Answers:
    """Answers in the log beside those expected for the same inputs, on the scale that effects add
    up on; ``now`` and ``then`` say which rows to compare. ``deployed``: expected of the artifacts,
    not of a stand-in, whose R² about the earlier rows is ``r2``."""

    logged: Floats
    expected: Floats
    now: Mask
    then: Mask
    evidence: float
    size: float
    r2: float
    deployed: bool


def _serving(warehouse: Warehouse, scope: Scope, begun: float) -> Evidence:
    r = views.read(warehouse, scope)
    unscored = "artifacts were not scored: answers were compared in the log"
    try:
        exact = deployed.read(warehouse, scope, r, ask_effects=False)
    except CannotReplay as error:
        exact, unscored = None, f"the deployed artifacts on these rows: {error}"
    a = _of_artifacts(exact) if exact else _of_stand_in(r)
    shares = odds.share_out({"fine": float(np.log(0.4)), "model": float(np.log(0.6)) + a.evidence})
    verdict = max(shares, key=lambda k: shares[k])
    how = _how(a, r)
    title = _served_title(_who(scope), verdict, a.deployed, how)
    chart = _answers_chart(a, title)
    names = [Suspect("arm", n, shares["model"], how) for n in scope.named("arm")]
    names += [Suspect("model", m, shares["model"], how) for m in scope.named("model")]
    return Evidence(
        verdict=verdict,
        confidence=min(max(shares[verdict], 0.01), 0.99),
        headline=title + ".",
        suspects=tuple(names) if verdict == "model" else (),
        proposed=len(names) if verdict == "model" else 0,
        charts=(chart,) if chart else (),
        not_examined=() if exact else (unscored,),
        figures={"answers_moved": a.size, "expected_r2": a.r2},
        how=How(
            METHOD,
            r.comparison.window,
            r.comparison.baseline,
            int(a.now.sum()),
            int(a.then.sum()),
            time.perf_counter() - begun,
        ),
    )


def _of_artifacts(d: Deployed) -> _Answers:
    both = np.isfinite(d.logged) & np.isfinite(d.answered)
    now, then = both & (d.block == 0), both & (d.block > 0)
    return _Answers(d.logged, d.answered, now, then, *d.shift, d.r2, True)


def _of_stand_in(r: views.Reading) -> _Answers:
    output = r.output(r.days)
    rows = familiar(r, r.days) & np.isfinite(r.target(r.days))
    evidence, size = max(answers_shift(r, output), beside_others(r, output))
    now, then = rows & (r.days.block == 0), rows & (r.days.block > 0)
    quality = r.quality(output)
    return _Answers(r.target(r.days), output, now, then, evidence, size, quality, False)


def _served_title(who: str, verdict: str, exact: bool, how: str) -> str:
    if exact:
        return (
            f"{who} has not been served as deployed since the onset: {how}"
            if verdict == "model"
            else f"{who} is served as deployed: its artifacts give the answers of the log"
        )
    if verdict == "model":
        return f"{who} gives the same inputs other answers since the onset: {how}"
    return f"{who} answers familiar inputs as before"


def _who(scope: Scope) -> str:
    models, arms = scope.named("model"), scope.named("arm")
    who = " and ".join(models[:2]) or "The model"
    return f"{who} in {arms[0]}" if arms else who


def _how(a: _Answers, r: views.Reading) -> str:
    """What the answers are now, beside what they were or should be."""
    if a.now.sum() < 20 or a.then.sum() < 20:
        return f"too few {'' if a.deployed else 'familiar '}rows to say how"
    return _share(a, r.of_class) if r.of_class else _line(a, r.probability)


def _line(a: _Answers, probability: bool) -> str:
    """The new answers as a line on the expected ones, relative to the same line before."""
    slope, shift = np.polyfit(a.expected[a.now], a.logged[a.now], 1)
    slope0, shift0 = np.polyfit(a.expected[a.then], a.logged[a.then], 1)
    ratio = slope / slope0 if abs(slope0) > 1e-6 else slope
    step = shift - shift0 * ratio
    scale = "logit" if probability else "prediction"
    if abs(ratio - 1) < (0.02 if a.deployed else 0.12):
        return f"{scale}s moved by {step:+.2f}"
    return f"{scale}s are {ratio:.2f} × {'deployed' if a.deployed else 'old'} {step:+.2f}"


def _share(a: _Answers, of_class: str) -> str:
    """How often rows get a class, and how often the same rows would have got it before."""
    now, expected = float(a.logged[a.now].mean()), float(a.expected[a.now].mean())
    usual = expected + float((a.logged - a.expected)[a.then].mean())
    told = words.percent(min(max(usual, 0.0), 1.0))
    return f"{of_class} is the answer for {words.percent(now)} of rows instead of {told}"


def _answers_chart(a: _Answers, title: str) -> Chart | None:
    rng = np.random.default_rng(0)
    picked = []
    for rows in (a.then, a.now):
        index = np.flatnonzero(rows)
        picked.append(
            rng.choice(index, min(len(index), 500), replace=False) if len(index) else index
        )
    if not len(picked[0]) or not len(picked[1]):
        return None
    guess = np.concatenate([a.expected[picked[0]], a.expected[picked[1]]])
    split = np.repeat([False, True], [len(picked[0]), len(picked[1])])
    return charts.answers(guess, a.logged[picked[0]], a.logged[picked[1]], split, title)


__all__ = ["look_inside"]
