"""What moved and what did not, each held against earlier days: what a class of cause is told by."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from analysis import cells as cut
from analysis import infra, label_sources, odds, outcomes, quality, words
from analysis.evidence import CannotExamine, Scope
from analysis.infra_series import Broken, breaks
from analysis.metrics import BLOCK, Blocks
from analysis.odds import Shift
from analysis.performance.judging import worst
from analysis.performance.parting import partings
from analysis.performance.readings import FEWEST_LABELS, Reading, describe, read, too_short
from analysis.performance.skill import skills
from analysis.performance.sums import Sums, add_up, add_up_evenly, at_usual_arms
from analysis.renames import as_before
from analysis.shift_share import Split, shift_share
from analysis.tables import Metric, Role
from analysis.warehouse import Warehouse
from analysis.weekdays import rows_said, totals, usual_volumes, volume_shift

if TYPE_CHECKING:
    import pandas as pd

AT_USUAL_MIX = " at the usual mix"
SMALL = 0.02
"""A share of traffic that moved by less is no change of the mix."""


@dataclass
class Seen:
    """What was looked at: log odds that each thing moved, the figures, and what was missing.

    ``mixed``: the dimension whose mix moved most. ``along``: by which part of the labels' move
    the predictions moved, where labels did. ``parted``: the segment whose labels left all others'.
    ``renamed``: by dimension a value that is gone, and the one that came for it.
    """

    moved: dict[str, float] = field(default_factory=dict)
    along: float | None = None
    mixed: str = ""
    shifts: dict[str, Shift] = field(default_factory=dict)
    said: dict[str, str] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    split: Split | None = None
    infra: list[Broken] = field(default_factory=list)
    parted: str = ""
    renamed: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    rows: int = 0
    baseline_rows: int = 0


def look(warehouse: Warehouse, scope: Scope) -> Seen:
    """Hold each of these things against earlier days."""
    seen = Seen()
    metric = cut.metric_of(warehouse, scope)
    try:
        blocks = Blocks.of(scope)
        if metric.kind == "volume" and metric.source is None:
            _look_at_volume(totals(warehouse, metric, blocks), blocks, seen)
        cells, dims, missing = cut.load_cells(warehouse, metric, blocks)
        seen.missing += missing
        cells, seen.renamed = as_before(cells, [d for d in dims if d in warehouse.features])
        if metric.kind == "volume" and metric.source is not None:
            _look_at_volume(cells, blocks, seen)
        _look_at_mix(cells, dims, seen)
        seen.parted = outcomes.parted(cells, dims)
        seen.rows = int(cells.loc[cells[BLOCK] == 0, "volume"].sum())
        seen.baseline_rows = int(cells.loc[cells[BLOCK] > 0, "volume"].sum())
    except CannotExamine as error:
        seen.missing.append(str(error))
    _look_at_models(warehouse, scope, metric, seen)
    thing = cut.CONFIRMED.get(metric.kind or "")
    # What was seen to move need not have done so at the usual mix.
    even = seen.said.get(thing or "", "").endswith(AT_USUAL_MIX)
    if scope.entry == "metric" and thing in seen.moved and not even:
        seen.moved[thing] = max(seen.moved[thing], cut.SURE)
    _look_at_delivery(warehouse, scope, seen)
    try:
        seen.infra = breaks(warehouse, scope)
        broke = infra.probability_of_break(seen.infra)
        broke = min(max(broke, 0.003), 0.997)
        seen.moved["infra"] = math.log(broke / (1 - broke))
    except CannotExamine as error:
        seen.missing.append(f"infrastructure: {error}")
    return seen


def _look_at_models(warehouse: Warehouse, scope: Scope, metric: Metric, seen: Seen) -> None:
    """Quality, labels, predictions, and one arm beside the others."""
    models = (metric.model,) if metric.model else ()
    try:
        sums = add_up(warehouse, scope, models, brief=True)
    except CannotExamine as error:
        seen.missing.append(str(error))
        return
    seen.missing += too_short(scope)
    even = _at_usual_mix(warehouse, scope, models, seen)
    if scope.entry == "model" or metric.kind in quality.OF_LABELS:
        _look_at_arrivals(warehouse, even or sums, seen)
    plain = read(warehouse, sums)
    _look_at_readings(warehouse, *_with_the_rest(read(warehouse, even), plain), seen)
    _look_at_skill(warehouse, even, sums, seen)
    _look_at_ramps(warehouse, sums, plain, seen)
    apart = max(partings(warehouse, sums).values(), key=lambda p: p.log_odds, default=None)
    if apart is not None:
        seen.moved["arms"], seen.said["arms"] = apart.log_odds, apart.said


def _look_at_skill(
    warehouse: Warehouse, even: Sequence[Sums], sums: Sequence[Sums], seen: Seen
) -> None:
    """Whether a model tells much less than usual of what no constant would, at the usual mix where
    it has one."""
    each = {one.model: one for some in (sums, even) for one in skills(warehouse, some)}
    if not each:
        return
    least = max(each.values(), key=lambda one: (one.log_odds, one.now))
    looks = math.log(len(each)) if least.log_odds > 0 else 0.0
    seen.moved["skill"] = least.log_odds - looks
    seen.said["skill"] = (
        f"its loss is {least.now:.2g} × that of always predicting the usual mean, "
        f"usually {least.usual:.2g} ×"
    )


def _look_at_arrivals(warehouse: Warehouse, sums: Sequence[Sums], seen: Seen) -> None:
    """The share of rows with a label, of the model of which it fell most: a new one has none, and
    makes no other's late. More labels than usual are no fault."""
    if warehouse.contract.predictions.label_time is None:
        return
    each = [
        cut.ratio_shift(part.rename(columns={"n": "volume"}), "ln", "volume")
        for s in sums
        if "ln" in s.by_model
        for _, part in s.by_model.groupby(Role.MODEL)
    ]
    shift = min((one for one in each if one.seen), key=lambda one: one.z, default=None)
    if shift is None:
        return
    looks = math.log(sum(one.seen for one in each)) if shift.log_odds > 0 else 0.0
    gone = odds.log_bayes_factor(0.0, shift.df)
    seen.moved["arrivals"] = shift.log_odds - looks if shift.z < 0 else gone
    seen.shifts["arrivals"] = shift
    now, usual = words.percent(shift.now), words.percent(shift.usual)
    seen.said["arrivals"] = f"{now} of rows have a label, {usual} is usual at this hour"


def _look_at_delivery(warehouse: Warehouse, scope: Scope, seen: Seen) -> None:
    """What delivers labels, where they moved by themselves: that it runs as ever says little,
    since not all of it need be recorded."""
    if not seen.moved.get("labels", 0.0) > 0 >= seen.moved.get("predictions", 0.0):
        return
    ranked = label_sources.rank(warehouse, scope, late=False)
    if ranked.log_odds > 0:
        best = ranked.suspects[0]
        seen.moved["delivery"] = ranked.log_odds
        seen.said["delivery"] = f"`{best.name}` broke ({best.changed})"


def _at_usual_mix(
    warehouse: Warehouse, scope: Scope, models: Sequence[str], seen: Seen
) -> list[Sums]:
    """Sums at the usual mix, of the models that have one, where the mix moved.

    Other traffic brings other figures: what is left of a change without it is the change.
    """
    if seen.moved.get("mix", 0) <= 0 or seen.mixed not in warehouse.dimensions:
        return []
    try:
        return add_up_evenly(warehouse, scope, models, seen.mixed)
    except CannotExamine as error:
        seen.missing.append(f"figures at the usual mix of {seen.mixed}: {error}")
        return []


def _with_the_rest(
    even: Sequence[Reading], plain: Sequence[Reading]
) -> tuple[list[Reading], set[tuple[str, str]]]:
    """Readings at some usual mix, all others as they are, and which (model, kind) are evened."""
    evened = {(r.model, r.kind) for r in even}
    return [*even, *(r for r in plain if (r.model, r.kind) not in evened)], evened


def _look_at_ramps(
    warehouse: Warehouse, sums: Sequence[Sums], plain: Sequence[Reading], seen: Seen
) -> None:
    """An arm that got more of the traffic, where nothing is left of a change without that: it
    answers as it always did, and more requests get its answers."""
    arms = [s.by_arm for s in sums if s.by_arm is not None]
    if not arms or seen.moved.get("mix", 0) > 0:
        return
    shares = _arm_shares(arms)
    arm, shift = max(shares, key=lambda one: _gain(one[1]), default=("", odds.NOT_SEEN))
    ramped = shift.log_odds - math.log(max(len(shares), 1))
    if ramped <= 0 or _gain(shift) < SMALL or not _as_ever(plain, arm):
        return
    left, even = Seen(), at_usual_arms(sums)
    _look_at_readings(warehouse, *_with_the_rest(read(warehouse, even), plain), left)
    _look_at_skill(warehouse, even, sums, left)
    if not _stirred(seen) > 0 >= _stirred(left):
        return
    seen.moved |= left.moved
    seen.shifts |= left.shifts
    seen.said |= left.said
    seen.along = left.along
    seen.mixed, seen.moved["mix"], seen.shifts["mix"] = "arm", ramped, shift
    usual, now = (words.percent(_percent(x)) for x in (shift.usual, shift.now))
    seen.said["mix"] = f"{_shown(warehouse, arm)}: {usual} → {now}"


def _as_ever(plain: Sequence[Reading], arm: str) -> bool:
    """Whether an arm was there before, and answers, and as well, as it did then."""
    mine = [r for r in plain if r.arm == arm and r.kind not in ("volume", "mean_label")]
    known = [r.worse for r in mine if r.shift.seen]
    return bool(known) and max(known) <= 0


def _shown(warehouse: Warehouse, arm: str) -> str:
    """What an arm ("experiment/arm") may be called in public."""
    source = warehouse.contract.predictions
    names = zip((source.experiment, source.arm), arm.split("/", 1), strict=True)
    told = [n for column, n in names if n != "none" and column not in source.hidden]
    return f"arm={'/'.join(told)}" if source.arm not in source.hidden else "one arm"


def _stirred(seen: Seen) -> float:
    """Log odds that anything of what models answer, or of how well, moved."""
    return max((seen.moved.get(x, 0.0) for x in ("quality", "predictions")), default=0.0)


def _arm_shares(arms: Sequence[pd.DataFrame]) -> list[tuple[str, Shift]]:
    """Each arm's share of all traffic, now against earlier blocks."""
    import pandas as pd

    rows = pd.concat([a[[BLOCK, Role.EXPERIMENT, Role.ARM, "n"]] for a in arms])
    cells = rows.rename(columns={"n": "volume"})
    name = (cells[Role.EXPERIMENT] + "/" + cells[Role.ARM]).to_numpy(str)
    size = cells["volume"].groupby(name).sum().sort_values(ascending=False)
    found = [(str(a), cut.share_shift(cells, (name == a).astype(float))) for a in size.index[:12]]
    return [one for one in found if one[1].seen]


def _look_at_readings(
    warehouse: Warehouse,
    readings: Sequence[Reading],
    evened: Collection[tuple[str, str]],
    seen: Seen,
) -> None:
    def told(one: Reading) -> str:
        return describe(one) + (AT_USUAL_MIX if (one.model, one.kind) in evened else "")

    names = dict.fromkeys(r.model for r in readings)
    judged = [one for one in (worst(readings, m) for m in names) if one is not None]
    judged = [one for one in judged if one.kind in quality.NEEDS_LABEL and one.shift.seen]
    if judged:
        one = max(judged, key=lambda r: r.worse)
        looks = math.log(2 * len(judged))  # several figures of each model were looked at
        seen.moved["quality"] = one.worse - looks if one.worse > 0 else one.worse
        seen.shifts["quality"] = one.shift
        seen.said["quality"] = told(one)
    elif not warehouse.has_labels:
        seen.missing.append("quality: the serving log has no labels")
    elif any(r.kind in quality.NEEDS_LABEL and r.rows >= FEWEST_LABELS for r in readings):
        seen.missing.append("quality: less than three earlier days have labels to compare with")
    else:
        seen.missing.append("quality: labels of too few rows of the window have come")
    for kind, thing in (("mean_prediction", "predictions"), ("mean_label", "labels")):
        mine = [r for r in readings if r.kind == kind and not r.arm and r.shift.seen]
        if mine:
            moved = max(mine, key=lambda r: r.shift.log_odds)
            looks = math.log(len(mine)) if moved.shift.log_odds > 0 else 0.0
            seen.moved[thing] = moved.shift.log_odds - looks
            seen.shifts[thing] = moved.shift
            seen.said[thing] = told(moved)
    seen.along = _along(readings)


def _along(readings: Sequence[Reading]) -> float | None:
    """Of the model whose labels moved most: the predictions' move as a part of the labels'.

    Not of a ranking's scores, which need not be on the scale of labels.
    """
    rankings = {r.model for r in readings if r.kind == "ndcg"}
    readings = [r for r in readings if r.model not in rankings]
    means = {(r.model, r.kind): r for r in readings if not r.arm and math.isfinite(r.now)}
    labels = [r for r in means.values() if r.kind == "mean_label" and r.shift.log_odds > 0]
    for label in sorted(labels, key=lambda r: -r.shift.log_odds):
        prediction = means.get((label.model, "mean_prediction"))
        if prediction is not None and label.now != label.usual:
            return (prediction.now - prediction.usual) / (label.now - label.usual)
    return None


def _look_at_mix(cells: pd.DataFrame, dims: list[str], seen: Seen) -> None:
    """Shares of traffic by value, and how much of the metric's change the mix carries."""
    each: list[tuple[str, str, Shift]] = []
    for d in dims:
        text = cells[d].to_numpy(str)
        each += [
            (d, level, cut.share_shift(cells, (text == level).astype(float)))
            for level in _large_levels(cells, d)
        ]
    known = [one for one in each if one[2].seen]
    if not known:
        return
    clearest = max(known, key=lambda one: one[2].log_odds)
    seen.mixed, _, shift = clearest
    seen.split = shift_share(cells, seen.mixed)
    looks = math.log(max(len(each), 1)) if shift.log_odds > 0 else 0.0
    small = _grew(shift) < SMALL
    seen.moved["mix"] = min(shift.log_odds - looks, 0.0 if small else math.inf)
    seen.shifts["mix"] = shift
    # Where one value grows many times over, the others shrink more clearly than it grew.
    moved = [one for one in known if one[0] == seen.mixed and one[2].log_odds > 0]
    _, level, told = max(moved or [clearest], key=lambda one: _grew(one[2]))
    usual, now = (words.percent(_percent(x)) for x in (told.usual, told.now))
    seen.said["mix"] = f"{seen.mixed}={level}: {usual} → {now}"


def _grew(shift: Shift) -> float:
    return abs(_gain(shift))


def _gain(shift: Shift) -> float:
    return _percent(shift.now) - _percent(shift.usual)


def _look_at_volume(cells: pd.DataFrame, blocks: Blocks, seen: Seen) -> None:
    """How much traffic came at all; where nobody asked for that, its mix says more."""
    shift = volume_shift(cells, usual_volumes(cells, blocks))
    if shift.seen:
        seen.moved["volume"], seen.shifts["volume"] = shift.log_odds, shift
        seen.said["volume"] = rows_said(shift)


def _percent(logit: float) -> float:
    return 1 / (1 + math.exp(-logit))


def _large_levels(cells: pd.DataFrame, dim: str, most: int = 12) -> list[str]:
    """The values with the most traffic, now and before together."""
    volume = cells.groupby(dim)["volume"].sum().sort_values(ascending=False)
    return [str(level) for level in volume.index[:most]]
