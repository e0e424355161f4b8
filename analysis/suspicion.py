"""How strongly each view speaks against each feature, and by how much it moved predictions.

Views: *marginal* (its distribution, with null and unseen cells), *joint* (its agreement with
the other features and with its peers), *freshness* (standing still, repeating its past), and
*labels* (its contribution no longer pays off). Each gives a log Bayes factor against natural
drift, and a shift in units of the prediction.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis import freshness, joint, odds
from analysis.profile import Profile, distance
from analysis.tables import Role
from analysis.views import Reading, Sample
from analysis.warehouse import naive

if TYPE_CHECKING:
    import pandas as pd

Floats = np.ndarray[Any, np.dtype[np.float64]]

MOST_JOINT = 40
"""Features, the most used first, that the joint view looks at."""
MOST_BY_LABELS = 4.0
"""Labels alone can't tell a feature's fault from a change of what they mean: a cap."""
SHARED = 0.5
"""Rows of an hour share a feature when groups explain this part of its variance."""


@dataclass(frozen=True)
class View:
    """One view of one feature: log Bayes factor for a fault, and its ``impact`` on predictions
    (typical move of the output). ``figure`` and ``usual`` are what was measured."""

    log_odds: float
    impact: float
    figure: float = float("nan")
    usual: float = float("nan")

    @property
    def expected(self) -> float:
        """Impact times the probability of a fault at odds of one to twenty beforehand."""
        return (self.impact + 1e-6) * odds.probability(self.log_odds - 3.0)


@dataclass(frozen=True)
class Finding:
    """All views of one feature. ``usage`` is how much the model leans on it."""

    name: str
    usage: float
    views: Mapping[str, View] = field(default_factory=dict)
    lag: float = 0.0

    @property
    def best(self) -> tuple[str, View]:
        """The view with the most to say: the impact that it sees, times how sure it is."""
        return max(self.views.items(), key=lambda kv: kv[1].expected)

    @property
    def log_odds(self) -> float:
        """The strongest view's log Bayes factor, less the number of views tried."""
        return max(v.log_odds for v in self.views.values()) - float(np.log(len(self.views)))


def both(days: odds.Shift, edge: odds.Shift, expected: float) -> float:
    """Evidence of a fault must stand out from earlier days *and* jump at the onset.

    ``expected`` is how far the edge's figure would rise if the whole change were a jump. Where
    that is within its scatter, the edge can't tell and earlier days alone speak, a bit less
    loudly; where it would be plain to see, its absence is a veto.
    """
    if not edge.seen:
        return days.log_odds
    if not days.seen:
        return edge.log_odds
    power = float(np.clip((abs(expected) / max(edge.spread, 1e-12) - 1) / 2, 0.0, 1.0))
    alone = days.log_odds - 1.0
    return power * min(days.log_odds, edge.log_odds) + (1 - power) * alone


def rise(figures: Floats, floor: float = 0.0) -> odds.Shift:
    """The first figure against the others, when it is higher; ``floor`` is its least spread."""
    found = odds.shift(float(figures[0]), figures[1:], error=floor)
    if found.seen and found.z < 0:
        return odds.Shift(found.now, found.usual, found.spread, 0.0, found.df)
    return found


# -- marginal ---------------------------------------------------------------------------------


def marginal(r: Reading, name: str) -> View:
    """Distribution against earlier days and across the onset; impact by the main effect."""
    days, edge = _day_counts(r, name), _edge_counts(r, name)
    far = rise(_from_others(days), 0.02)
    new, fresh_jump = _novelty(r, name)
    jump = rise(_jumps(edge), 0.02)
    gone = rise(_missing(days), 0.01)
    gone_jump = rise(_missing(edge[1]) - _missing(edge[0]), 0.01)
    evidence = max(
        both(far, jump, far.now - jump.usual if jump.seen else 0.0),
        both(rise(new, 0.02), rise(fresh_jump, 0.02), float(new[0])),
        both(gone, gone_jump, gone.change if gone.seen else 0.0),
        _outside(r, name),
    )
    moved = np.minimum(_moved(r, name, r.days, False), 9)
    across = np.minimum(_moved(r, name, r.edge, True), 9)
    excess = max(0.0, min(moved[0] - np.median(moved[1:]), across[0] - np.median(across[1:])))
    return View(evidence, float(excess), float(far.now), float(far.usual))


def _day_counts(r: Reading, name: str) -> Floats:
    return _pick(r.counts, name, list(r.days.numbers))


def _edge_counts(r: Reading, name: str) -> tuple[Floats, Floats]:
    before = _pick(r.edge_counts, name, [2 * b for b in r.edge.numbers])
    return before, _pick(r.edge_counts, name, [2 * b + 1 for b in r.edge.numbers])


def _pick(counts: Profile, name: str, wanted: list[int]) -> Floats:
    place = {int(b): i for i, b in enumerate(counts.buckets)}
    table = counts.counts[name]
    empty = np.zeros(table.shape[1])
    return np.array([table[place[b]] if b in place else empty for b in wanted])


def _from_others(counts: Floats) -> Floats:
    """Jensen–Shannon distance of each block from all earlier ones but itself."""
    earlier = counts[1:].sum(axis=0)
    others = np.vstack([earlier[None], earlier[None] - counts[1:]])
    return distance(counts, others)


def _outside(r: Reading, name: str) -> float:
    """Evidence that numbers lie further outside the range of all other days than any day's did.

    Distances from a feature's cells saturate; how far values lie beyond the range, in widths of
    that range, does not: a turned sign or another unit is far out, a cold day is just outside.
    """
    if r.bins[name].kind == "level":
        return -1.0
    column = list(r.bins).index(name)
    x, block = r.days.x[:, column], r.days.block
    ends = {b: _ends(x[block == b]) for b in r.days.numbers}
    days, beyond = [], np.full(len(r.edge.x), np.nan)
    for b in r.days.numbers:
        rest = [e for other, e in ends.items() if other not in (0, b) and e is not None]
        if not rest:
            return -1.0
        low, high = min(e[0] for e in rest), max(e[1] for e in rest)
        width = max(high - low, 1e-9 * max(abs(high), 1.0))
        days.append(float(np.nanmean(_out(x[block == b], low, high) / width, dtype=float)))
        here = (r.edge.block == 2 * b) | (r.edge.block == 2 * b + 1)
        beyond[here] = _out(r.edge.x[here, column], low, high) / width
    found = rise(np.array(days), 0.02)
    jump = rise(r.edge.means(beyond, minus_before=True), 0.02)
    return both(found, jump, found.change if found.seen else 0.0)


def _ends(values: Floats) -> tuple[float, float] | None:
    known = values[np.isfinite(values)]
    return (float(known.min()), float(known.max())) if len(known) else None


def _out(values: Floats, low: float, high: float) -> Floats:
    """How far values lie outside a range; 0 inside and for missing ones."""
    out: Floats = np.nan_to_num(np.maximum(np.maximum(low - values, values - high), 0.0))
    return np.append(out, 0.0) if not len(out) else out


def _missing(counts: Floats) -> Floats:
    share: Floats = counts[:, -1] / np.maximum(counts.sum(axis=1), 1)
    return share


def _shares(counts: Floats) -> Floats:
    out: Floats = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    return out


def _novelty(r: Reading, name: str) -> tuple[Floats, Floats]:
    """Share of a block's rows in cells beyond what any other earlier block held there, and how
    much the share of these very cells rose across the edge."""
    share = _shares(_day_counts(r, name))
    top = np.sort(share[1:], axis=0)
    first, second = top[-1], top[-2] if len(top) > 1 else top[-1]
    limit = np.vstack([first[None], np.where(share[1:] == first, second, first)])
    beyond = np.clip(share - limit, 0, None)
    before, after = (_shares(c) for c in _edge_counts(r, name))
    place = {b: i for i, b in enumerate(r.days.numbers)}
    rises = [
        float(((after[i] - before[i]) * (beyond[place[b]] > 0)).sum())
        for i, b in enumerate(r.edge.numbers)
        if b in place
    ]
    return beyond.sum(axis=1), np.array(rises)


def _jumps(edge: tuple[Floats, Floats]) -> Floats:
    out: Floats = distance(edge[0], edge[1])
    return out


def _moved(r: Reading, name: str, s: Sample, edge: bool) -> Floats:
    """Wasserstein distance of main effects: each block from the others, or after from before.

    By quantiles: the mean distance between the two quantile functions.
    """
    if r.usage(name) == 0:
        return np.zeros(len(s.numbers))
    effect, out = r.effect(name, s), []
    every = None if edge else _quantiles(effect[s.block > 0])
    for b in s.numbers:
        mine = _quantiles(effect[s.block == (2 * b + 1 if edge else b)])
        rest = _quantiles(effect[s.block == 2 * b]) if every is None else every
        out.append(float(np.abs(mine - rest).mean()))
    return np.array(out)


def _quantiles(values: Floats) -> Floats:
    if not len(values):
        return np.zeros(50)
    at = np.linspace(0.01, 0.99, 50) * (len(values) - 1)
    out: Floats = np.sort(values)[np.round(at).astype(int)]
    return out


# -- joint ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Joint:
    """Scores of the day and edge samples, and each shared feature's peers in both."""

    days: joint.Scores
    edge: joint.Scores
    peers: Mapping[str, tuple[Floats, Floats]]
    group: Mapping[str, str | None]
    timely: Mapping[str, float]


def joint_material(r: Reading, dims: tuple[str, ...]) -> Joint:
    """Rank scores of the most used features; peers where rows of an hour share a value."""
    import pandas as pd

    names = sorted(r.features, key=lambda n: -r.usage(n))[:MOST_JOINT]
    bins = {n: r.bins[n] for n in names}
    n = len(r.days.frame)
    both = pd.concat([r.days.frame, r.edge.frame], ignore_index=True)
    learned = np.concatenate([r.days.block != 0, np.zeros(len(r.edge.frame), dtype=bool)])
    hour = both[Role.TIME].dt.hour.to_numpy(float) + both[Role.TIME].dt.minute.to_numpy(float) / 60
    context = np.column_stack([joint.clock(hour), *_dims(both, dims)])
    every = joint.scores(both, bins, context, learned)
    days = joint.Scores(every.z[:n], every.own, every.context, learned[:n])
    edge = joint.Scores(every.z[n:], every.own, every.context, learned[n:])
    peers, group, timely = _peers(r, every, both, (*dims, *_few(r, names)))
    return Joint(days, edge, peers, group, timely)


def _few(r: Reading, names: list[str]) -> tuple[str, ...]:
    return tuple(n for n in names if 1 < len(r.bins[n].levels) <= joint.ONE_HOT)


def _peers(
    r: Reading, s: joint.Scores, frame: pd.DataFrame, dims: tuple[str, ...]
) -> tuple[dict[str, tuple[Floats, Floats]], dict[str, str | None], dict[str, float]]:
    n = len(r.days.frame)
    slot = frame[Role.TIME].dt.floor("h").astype("int64").to_numpy()
    # The two samples overlap in time: a row must not be its own peer.
    slot = _codes(slot) * 2 + (np.arange(len(frame)) >= n)
    codes: dict[str | None, Any] = {None: _codes(slot)}
    alone: dict[str | None, Any] = {None: np.zeros(len(frame), dtype=np.int64)}
    for d in dims:
        levels = frame[d].astype("string").fillna("?").to_numpy(object)
        alone[d] = np.minimum(_codes(levels), 999)
        codes[d] = _codes(_codes(slot) * 1000 + alone[d])
    peers: dict[str, tuple[Floats, Floats]] = {}
    group: dict[str, str | None] = {}
    timely: dict[str, float] = {}
    learned = s.fitted & (np.arange(len(frame)) < n)
    for name, own in s.own.items():
        if r.bins[name].kind == "level" or not len(own):
            continue
        z = s.z[:, own[0]]
        found = {g: joint.sharing(z[learned], _codes(c[learned])) for g, c in codes.items()}
        found[None] += 0.05  # a group must add something over the hour alone
        best = max(found, key=lambda g: found[g])
        if found[best] > SHARED + 0.05 * (best is None):
            mean = joint.peer_mean(z, codes[best])
            peers[name], group[name] = (mean[:n], mean[n:]), best
            still = joint.sharing(z[learned], _codes(alone[best][learned]))
            timely[name] = found[best] - still
    return peers, group, timely


def moves(j: Joint, name: str) -> bool:
    """Whether the value that rows of an hour share changes from hour to hour."""
    return j.timely.get(name, 0.0) > 0.2


def _codes(values: Any) -> np.ndarray[Any, np.dtype[np.int64]]:
    codes: np.ndarray[Any, np.dtype[np.int64]] = np.unique(values, return_inverse=True)[1]
    return codes.astype(np.int64)


def _dims(frame: pd.DataFrame, dims: tuple[str, ...]) -> list[Floats]:
    out: list[Floats] = []
    for name in dims:
        levels = frame[name].value_counts().index[: joint.ONE_HOT][:-1]
        out += [((frame[name] == level) * 1.0).to_numpy()[:, None] for level in levels]
    return out


def agreement(r: Reading, j: Joint, name: str, without: tuple[str, ...], peers: bool) -> View:
    """Does the feature still agree with the others (or with its peers)?"""
    if name not in j.days.own or (peers and name not in j.peers):
        return View(0.0, 0.0)
    extra = j.peers[name] if peers else (None, None)
    model = joint.fit(j.days, name, without, extra[0])
    left = joint.residuals(j.days, name, model, extra[0])
    left_edge = joint.residuals(j.edge, name, model, extra[1])
    days, edge = r.days.means(left), r.edge.means(left_edge, minus_before=True)
    shift = rise(np.log(days + 0.01))
    jump = rise(edge, 0.02)
    expected = float(days[0] - np.nanmedian(days[1:]))
    excess = max(0.0, min(days[0] - np.nanmedian(days[1:]), edge[0] - np.nanmedian(edge[1:])))
    size = r.usage(name) * float(np.sqrt(min(excess, 2.0) / 2)) if np.isfinite(excess) else 0.0
    return View(both(shift, jump, expected), size, float(days[0]), float(np.nanmedian(days[1:])))


# -- freshness --------------------------------------------------------------------------------


def fresh(
    r: Reading, series: pd.DataFrame, name: str, group: str | None
) -> tuple[View, View, float]:
    """Standing still and repeating the past, for a feature that rows of an hour share."""
    import pandas as pd

    means, first = freshness.hourly(series, name, Role.TIME, group)
    start = pd.Timestamp(naive(r.comparison.window.start))
    hour = pd.Timedelta(hours=1)
    zero = int(np.ceil((start - first) / hour))
    period = int(r.comparison.period / hour) or 1
    length = max(3, int(r.comparison.window.length / hour))
    starts = [zero, *(zero - period * b for b in r.days.numbers if b and zero >= period * b)]
    size = r.usage(name)
    still = freshness.standing_still(means, starts, length)
    stop = odds.shift(-still[0], -still[1:], error=0.3)
    old, lags = freshness.repeating_the_past(means, starts, length)
    repeat = odds.shift(-old[0], -old[1:], error=0.3)
    views = []
    for found in (stop, repeat):
        sign = found.seen and found.z > 0
        views.append(View(found.log_odds if sign else 0.0, size * 0.5, found.now, found.usual))
    return views[0], views[1], float(lags[0])


# -- labels -----------------------------------------------------------------------------------


def pays_off(r: Reading, name: str, gap: Floats) -> View:
    """Does the feature's contribution still go with the labels?

    ``gap`` is label minus prediction per row of the day sample, NaN without a label. Its slope
    on the main effect is near zero while the model is calibrated in that feature, and negative
    once its values are no longer the row's own.
    """
    effect = r.effect(name, r.days)
    if r.usage(name) == 0 or not np.isfinite(gap).any():
        return View(0.0, 0.0)
    slopes, errors = [], []
    for b in r.days.numbers:
        rows = (r.days.block == b) & np.isfinite(gap)
        x, y = effect[rows] - effect[rows].mean() if rows.any() else effect[rows], gap[rows]
        power = float(np.sum(x**2))
        enough = rows.sum() >= 30 and power > 1e-9
        slopes.append(float(x @ (y - y.mean())) / power if enough else np.nan)
        errors.append(float(np.std(y) / np.sqrt(power)) if enough else np.nan)
    found = odds.shift(-slopes[0], -np.array(slopes[1:]), errors[0], np.array(errors[1:]))
    # Values of other rows leave the level of labels against predictions alone: where that moved
    # as well, it is the labels that have changed, not this feature.
    level = odds.shift(*_first(r.days.means(gap)), error=0.01)
    against = max(level.log_odds, 0.0) if level.seen else 0.0
    spread = float(np.std(effect[r.days.block == 0]))
    evidence = min(found.log_odds, MOST_BY_LABELS) - against
    evidence = evidence if found.seen and found.z > 0 else 0.0
    return View(evidence, spread * 0.5, slopes[0], float(np.nanmedian(slopes[1:])))


def _first(figures: Floats) -> tuple[float, Floats]:
    return float(figures[0]), figures[1:]
