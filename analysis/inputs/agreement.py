"""Views of a feature beside others: agreement and freshness.

The views of its own values, and what a view is, are in :mod:`analysis.inputs.suspicion`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis import odds
from analysis.inputs import freshness, joint
from analysis.inputs.suspicion import View, both, middle, rise, trace
from analysis.inputs.views import Reading
from analysis.tables import Role
from analysis.warehouse import naive

if TYPE_CHECKING:
    import pandas as pd

Floats = np.ndarray[Any, np.dtype[np.float64]]

MOST_JOINT = 40
"""Features, the most used first, that the joint view looks at."""
LEAST_EXPLAINED = 0.1
"""Below this part of a feature's variance what the others explain of it is taken for noise."""
SHARED = 0.5
"""Rows of an hour share a feature when groups explain this part of its variance."""


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
    half = r.half(both)
    hour = both[Role.TIME].dt.hour.to_numpy(float) + both[Role.TIME].dt.minute.to_numpy(float) / 60
    context = np.column_stack([joint.clock(hour), *_dims(both, dims)])
    taught = np.where(np.arange(len(both)) < n, half, 2)
    every = joint.scores(both, bins, context, taught)
    days = replace(every, z=every.z[:n], half=half[:n])
    edge = replace(every, z=every.z[n:], half=half[n:])
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
    import pandas as pd

    return np.asarray(pd.factorize(values, sort=True)[0], dtype=np.int64)


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
    usual, usual_edge = middle(days[1:]), middle(edge[1:])
    expected = float(days[0] - usual)
    excess = max(0.0, min(days[0] - usual, edge[0] - usual_edge))
    # A row with another's value disagrees by the part that the others explain, and their guess by
    # as much again: the excess over twice that part is the share of rows that are hit.
    part = 2 * max(1 - usual, LEAST_EXPLAINED)
    hit = min(excess / part, 1.0) if np.isfinite(excess) else 0.0
    size = r.usage(name) * float(np.sqrt(hit))
    strayed = trace(np.log(days + 0.01), edge, expected)
    return View(both(shift, jump, expected), size, float(days[0]), usual, strayed)


# -- freshness --------------------------------------------------------------------------------


def evenly(r: Reading) -> pd.DataFrame:
    """The rows of the days, those of the window thinned to as many as an earlier block has.

    The mean of more rows moves less by itself: that is no standing still.
    """
    now = np.flatnonzero(r.days.block == 0)
    usual = int(np.median([(r.days.block == b).sum() for b in r.days.numbers[1:]] or [len(now)]))
    if not 0 < usual < len(now):
        return r.days.frame
    kept = now[np.linspace(0, len(now) - 1, usual).round().astype(int)]
    rows = np.sort(np.concatenate([np.flatnonzero(r.days.block != 0), kept]))
    return r.days.frame.iloc[rows]


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
    stop = rise(-still, 0.3)
    old, lags = freshness.repeating_the_past(means, starts, length)
    repeat = rise(-old, 0.3)
    # What stood still before it began did not stop then: a calm day is no frozen feed.
    ahead = freshness.standing_still(means, [s - length for s in starts], length)
    halt = rise(ahead - still, 0.3)
    views = []
    missing = np.full(len(r.days.numbers) - len(starts), np.nan)
    for found, jump, figures in ((stop, halt, still), (repeat, odds.NOT_SEEN, old)):
        sign = found.seen and found.z > 0
        strayed = trace(np.append(-figures, missing))
        evidence = both(found, jump, found.change) if sign else 0.0
        views.append(View(evidence, size * 0.5, found.now, found.usual, strayed))
    return views[0], views[1], float(lags[0])
