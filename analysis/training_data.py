"""Was the suspect snapshot trained on bad data? Partitions, volume, labels, features.

A feature is judged by how it is distributed, and by how it goes with the label: one that leaks it,
or was joined to the wrong rows, may be distributed as ever.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from analysis import odds
from analysis.charts import training as charts
from analysis.evidence import CannotExamine, Evidence, How, Scope, Suspect, Table
from analysis.training.bonds import bonds
from analysis.training.labels import label_signs
from analysis.training.rows import (
    Sign,
    Trainings,
    against,
    day_of,
    expected,
    feature_distance,
    read,
)
from analysis.warehouse import Warehouse

Floats = np.ndarray[Any, np.dtype[np.float64]]

METHOD = (
    "The suspect's training rows against those of earlier snapshots: partitions by age, volume, "
    "label rate per partition, labels against a gradient-boosted model of the earlier labels, "
    "missing values, Jensen–Shannon distance and correlation ratio with the label per feature."
)
FINE = 0.5
LOUD = 1.0
"""From this log Bayes factor on a sign is told."""


def what_was_it_trained_on(warehouse: Warehouse, scope: Scope) -> Evidence:
    """Holds the suspect snapshot's training data against earlier ones'; training_data or fine.

    Raises CannotExamine without a training table, a suspect snapshot or one to compare with.
    """
    begun = time.perf_counter()
    named = scope.named("snapshot")
    if not named:
        raise CannotExamine("No snapshot was confirmed as a suspect: choose one first.")
    if not warehouse.has("training"):
        raise CannotExamine("There is no table `training` in the settings to look into.")
    models = scope.named("model")
    model = models[0] if len(models) == 1 else None
    t = read(warehouse, model, named[0])
    signs = sorted(_signs(t), key=lambda s: -s.log_odds)
    return _say(t, signs, begun)


def _signs(t: Trainings) -> list[Sign]:
    labels = label_signs(t)
    spoilt = any(sign.log_odds > LOUD for sign in labels)
    return [*_partitions(t), _volume(t), *labels, *_features(t), *bonds(t, looser=not spoilt)]


# -- partitions and volume --------------------------------------------------------------------


def missing_partitions(t: Trainings) -> tuple[list[str], float]:
    """Partitions that earlier snapshots lead one to expect but are absent or nearly empty, and
    the share of the expected rows that they held."""
    wanted = expected(t, t.ended)
    mine = t.parts[t.parts["snapshot"] == t.suspect]
    have = dict(zip(mine["part"].astype(str), mine["n"], strict=True))
    # A file that lost most of its rows counts as missing; a quiet day does not, nor do the days on
    # which the window begins and ends, at whatever hour.
    days = {p: day for p in have if (day := day_of(p)[0]) is not None}
    ends = (min(days.values()), max(days.values())) if days else ()
    edges = {p for p, day in days.items() if day in ends}
    scale = float(mine["n"].sum()) / max(sum(wanted.get(p, 0.0) for p in have), 1.0)
    scale = min(max(scale, 0.3), 3.0)
    gone = [
        p
        for p, n in wanted.items()
        if have.get(p, 0) < 0.15 * n * scale and n >= 5 and p not in edges
    ]
    total = sum(wanted.values())
    return sorted(gone), sum(wanted[p] for p in gone) / total if total else 0.0


def _partitions(t: Trainings) -> list[Sign]:
    gone, share = missing_partitions(t)
    if not gone:
        return [Sign("partitions", -1.5, "all partitions are there")]
    # How many an earlier snapshot lacks of what its own predecessors lead one to expect.
    usual = []
    for i, name in enumerate(t.earlier[:-1]):
        past = Trainings(name, t.earlier[i + 1 :], t.parts, t.frame, t.bins, t.ended, t.has_label)
        usual.append(missing_partitions(past)[1])
    found = against(share, np.array(usual or [0.0]), 0.02)
    evidence = found.log_odds if found.z > 0 else -1.0
    if max(usual, default=0.0) == 0.0:
        # Files that were always there do not go by chance: the more rows, the surer.
        wanted = expected(t, t.ended)
        evidence = max(evidence, min(2 * float(np.log1p(sum(wanted[p] for p in gone) / 10)), 8.0))
    words = f"{len(gone)} partition{'s' if len(gone) > 1 else ''} missing ({share:.0%} of the rows)"
    words += f": {gone[0]}" + (f" … {gone[-1]}" if len(gone) > 1 else "")
    return [Sign(gone[0], evidence, words)]


def _volume(t: Trainings) -> Sign:
    rows = t.parts.groupby("snapshot")["n"].sum()
    parts = t.parts.groupby("snapshot")["part"].nunique()
    now = float(np.log(rows[t.suspect]))
    past = np.log(np.array([float(rows[s]) for s in t.earlier]))
    found = against(now, past, 0.08)
    change = float(np.expm1(now - np.median(past)))
    few = int(parts[t.suspect]) - int(np.median([parts[s] for s in t.earlier]))
    words = f"{change:+.0%} rows against earlier snapshots ({few:+d} partitions)"
    if abs(change) < 0.005 and not few:
        words = "as many rows as earlier snapshots"
    log_odds = found.log_odds if change < 0 else min(found.log_odds, 0.0)
    return Sign("volume", log_odds, words)


# -- features ---------------------------------------------------------------------------------


def _features(t: Trainings) -> list[Sign]:
    out = []
    for name in t.bins:
        mine = t.frame["snapshot"] == t.suspect
        gone = float(t.frame.loc[mine, name].isna().mean())
        past = np.array(
            [float(t.frame.loc[t.frame["snapshot"] == s, name].isna().mean()) for s in t.earlier]
        )
        nulls = against(gone, past, 0.02)
        now, before = feature_distance(t, name)
        drift = against(now, before, 0.1)
        words = f"{name}: {gone:.0%} missing, was {np.median(past):.0%}"
        if nulls.log_odds < drift.log_odds:
            words = f"{name}: another distribution (distance {now:.2f}, usually {drift.usual:.2f})"
            if drift.log_odds <= 0 or drift.z <= 0:
                words = f"{name}: distributed as before"
        found = max(
            nulls.log_odds if nulls.z > 0 else -1.0, drift.log_odds - 1 if drift.z > 0 else -1.0
        )
        out.append(Sign(name, found - float(np.log(len(t.bins))), words))
    return out


# -- saying -----------------------------------------------------------------------------------


def _say(t: Trainings, signs: list[Sign], begun: float) -> Evidence:
    logs = {"": float(np.log(FINE))}
    for i, sign in enumerate(signs):
        logs[str(i)] = float(np.log((1 - FINE) / 4)) + sign.log_odds
    shares = odds.share_out(logs)
    bad = 1 - shares[""]
    verdict = "training_data" if bad > 0.5 else "fine"
    loud = [s for s in signs if s.log_odds > LOUD][:4] if verdict == "training_data" else []
    loud = loud or (signs[:1] if verdict == "training_data" else [])
    suspects = _suspects(t, loud, signs, shares)
    chart = charts.partitions(t, missing_partitions(t)[0], verdict, signs[0].words)
    others = f"{len(t.earlier)} earlier snapshot{'s' if len(t.earlier) > 1 else ''}"
    rows = t.parts.groupby("snapshot")["n"].sum()
    return Evidence(
        verdict=verdict,
        confidence=float(min(max(bad if verdict == "training_data" else shares[""], 0.01), 0.99)),
        headline=(
            f"{t.suspect} was trained on bad data: {signs[0].words}."
            if verdict == "training_data"
            else f"{t.suspect} was trained on data like that of {others}."
        ),
        suspects=suspects,
        proposed=len({s.name for s in loud}),
        charts=(chart,),
        table=Table(("what", "finding"), tuple((s.name, s.words) for s in signs[:6])),
        not_examined=() if t.has_label else ("labels: the training table has no label column",),
        figures={"p_bad": bad, "earlier_snapshots": float(len(t.earlier))},
        how=How(
            METHOD,
            None,
            None,
            int(rows[t.suspect]),
            int(sum(rows[s] for s in t.earlier)),
            time.perf_counter() - begun,
        ),
    )


def _suspects(
    t: Trainings, loud: list[Sign], signs: list[Sign], shares: dict[str, float]
) -> tuple[Suspect, ...]:
    out: dict[str, Suspect] = {}
    for sign in loud:
        share = shares[str(signs.index(sign))]
        name = "partitions" if sign.name == "volume" else sign.name
        if name in out:
            continue
        out[name] = Suspect("training_data", name, share, f"{t.suspect}: {sign.words}")
    return tuple(out.values())
