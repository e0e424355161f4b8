"""Was the suspect snapshot trained on bad data? Partitions, volume, labels, features.

Labels are judged three ways: their rate, their rate in partitions that an earlier snapshot was
trained on as well, and how they go with the features according to a model of the earlier
snapshots' labels. A feature is judged by how it is distributed, and by how it goes with the label:
one that leaks it, or was joined to the wrong rows, may be distributed as ever.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from analysis import odds, training_rows
from analysis.charts import training as charts
from analysis.evidence import CannotExamine, Evidence, How, Scope, Suspect, Table
from analysis.inputs import surrogate
from analysis.training_bonds import bonds
from analysis.training_rows import Sign, Trainings, against
from analysis.warehouse import Warehouse
from analysis.words import number

Floats = np.ndarray[Any, np.dtype[np.float64]]

METHOD = (
    "The suspect's training rows against those of earlier snapshots: partitions by age, volume, "
    "label rate per partition, labels against a gradient-boosted model of the earlier labels, "
    "missing values, Jensen–Shannon distance and correlation ratio with the label per feature."
)
FINE = 0.5
LOUD = 1.0
"""From this log Bayes factor on a sign is told."""
NEWEST = 0.3
"""So large a part of the days counts as the newest."""
ALIKE = 0.05
"""Mean labels of days differ by this part of themselves at least, weekends included."""


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
    t = training_rows.read(warehouse, model, named[0])
    signs = sorted(_signs(t), key=lambda s: -s.log_odds)
    return _say(t, signs, begun)


def _signs(t: Trainings) -> list[Sign]:
    labels = _labels(t)
    spoilt = any(sign.log_odds > LOUD for sign in labels)
    return [*_partitions(t), _volume(t), *labels, *_features(t), *bonds(t, looser=not spoilt)]


# -- partitions and volume --------------------------------------------------------------------


def missing_partitions(t: Trainings) -> tuple[list[str], float]:
    """Partitions that earlier snapshots lead one to expect but are absent or nearly empty, and
    the share of the expected rows that they held."""
    wanted = training_rows.expected(t, t.ended)
    mine = t.parts[t.parts["snapshot"] == t.suspect]
    have = dict(zip(mine["part"].astype(str), mine["n"], strict=True))
    # A file that lost most of its rows counts as missing; a quiet day does not, nor do the days on
    # which the window begins and ends, at whatever hour.
    days = {p: day for p in have if (day := training_rows.day_of(p)[0]) is not None}
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
        wanted = training_rows.expected(t, t.ended)
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


# -- labels -----------------------------------------------------------------------------------


def _labels(t: Trainings) -> list[Sign]:
    if not t.has_label:
        return []
    signs = [_same_partition(t), _label_given_features(t), _newest_labels(t)]
    return [s for s in signs if s is not None]


def _same_partition(t: Trainings) -> Sign | None:
    """Labels of partitions that both the suspect and an earlier snapshot were trained on."""
    table = t.parts.pivot_table(index="part", columns="snapshot", values="label")
    counts = t.parts.pivot_table(index="part", columns="snapshot", values="n").fillna(0)
    z, told = [], []
    values = t.frame["_label"].to_numpy(float, na_value=np.nan)
    spread = float(np.nanstd(values[(t.frame["snapshot"] != t.suspect).to_numpy()])) + 1e-9
    for name in t.earlier[:2]:
        both = table[[t.suspect, name]].dropna()
        for part, row in both.iterrows():
            n = float(counts.loc[[part], [t.suspect, name]].to_numpy(float).min())
            if n < 8:
                continue
            error = spread * float(np.sqrt(2 / n)) + 0.01 * spread
            z.append(float(row[t.suspect] - row[name]) / error)
            told.append(
                f"its labels of {part} average {number(float(row[t.suspect]))}; in what {name} was "
                f"trained on, {number(float(row[name]))}"
            )
    if len(z) < 2:
        return None
    power = float(np.sqrt(np.mean(np.square(z))))
    found = odds.log_bayes_factor(max(power - 1, 0) * float(np.sqrt(len(z))), 12)
    return Sign("label", found, told[int(np.argmax(np.abs(z)))])


def _newest_labels(t: Trainings) -> Sign | None:
    """Labels of the newest days beside those of the others: what has not matured is low there.
    Against the same of earlier trainings, which may have waited long enough."""
    gaps = {name: gap for name in (t.suspect, *t.earlier) if (gap := _newest_gap(t, name))}
    mine = gaps.pop(t.suspect, None)
    if mine is None or not gaps:
        return None
    found = against(mine.z, np.array([gap.z for gap in gaps.values()]), 1.0)
    words = (
        f"its newest labels average {number(mine.newest)}, older ones {number(mine.rest)}; in "
        "earlier trainings the two were more alike"
    )
    return Sign("label", found.log_odds if found.z < 0 else min(found.log_odds, 0.0), words)


@dataclass(frozen=True)
class _Gap:
    """Mean labels of the newest days and of the others, and standard errors between them."""

    newest: float
    rest: float
    z: float


def _newest_gap(t: Trainings, name: str) -> _Gap | None:
    """Of one snapshot, where its partitions tell their days; None where they do not.

    Days differ by more than their rows alone would: the day is the unit.
    """
    mine = t.parts[(t.parts["snapshot"] == name) & t.parts["label"].notna()]
    days = mine["part"].astype(str).map(lambda p: training_rows.day_of(p)[0])
    if days.isna().any() or days.nunique() < 4:
        return None
    sums = mine.assign(total=mine["n"] * mine["label"]).groupby(days)[["n", "total"]].sum()
    means = (sums["total"] / sums["n"]).to_numpy(float)
    count = max(2, round(NEWEST * len(means)))
    new, old = means[-count:], means[:-count]
    spread = max(float(np.std(old, ddof=1)) if len(old) > 2 else 0.0, ALIKE * float(old.mean()))
    error = spread * float(np.sqrt(1 / len(new) + 1 / len(old))) + 1e-9
    return _Gap(float(new.mean()), float(old.mean()), float(new.mean() - old.mean()) / error)


def _label_given_features(t: Trainings) -> Sign | None:
    """Do the suspect's labels go with its features as earlier labels did? By partition day."""
    if not t.bins:
        return None
    frame = t.frame[t.frame["_label"].notna()]
    mine = frame["snapshot"] == t.suspect
    old = frame[~mine]
    if mine.sum() < 60 or len(old) < 120:
        return None
    label = frame["_label"].to_numpy(float)
    halves = np.unique(old["_part"].astype(str), return_inverse=True)[1] % 2
    y = label[(~mine).to_numpy()]
    guess = np.empty(len(old))
    models = []
    for half in (0, 1):
        model = surrogate.fit(old[halves != half], y[halves != half], t.bins, half)
        guess[halves == half] = model(surrogate.encode(old[halves == half], t.bins))
        models.append(model)
    x = surrogate.encode(frame[mine], t.bins)
    now_guess = (models[0](x) + models[1](x)) / 2
    days_old = [training_rows.day_of(str(p))[0] or str(p) for p in old["_part"]]
    days_new = [training_rows.day_of(str(p))[0] or str(p) for p in frame.loc[mine, "_part"]]
    now = _fit_of(label[mine.to_numpy()], now_guess, days_new)
    past = [
        _fit_of(y[rows], guess[rows], [d for d, keep in zip(days_old, rows, strict=True) if keep])
        for rows in ((old["snapshot"] == s).to_numpy() for s in t.earlier)
        if rows.sum() >= 60
    ]
    return _judge_fit(now, past)


def _fit_of(label: Floats, guess: Floats, days: list[Any]) -> tuple[float, float, float]:
    """Mean gap, slope of label on guess, and the largest typical gap of a day."""
    code = np.unique(np.array([str(d) for d in days]), return_inverse=True)[1]
    centred = guess - guess.mean()
    power = float(np.sum(centred**2))
    slope = float(centred @ (label - label.mean())) / power if power > 1e-9 else 1.0
    spread = float(np.std(label)) + 1e-9
    count = np.bincount(code)
    gap = np.bincount(code, weights=label - guess) / np.maximum(count, 1) / spread
    kept = gap[count >= 10]
    worst = float(np.sqrt(np.mean(kept**2))) if len(kept) else 0.0
    return float((label - guess).mean() / spread), slope, worst


def _judge_fit(
    now: tuple[float, float, float], past: list[tuple[float, float, float]]
) -> Sign | None:
    if not past:
        return None
    history = np.array(past)
    mean = against(now[0], history[:, 0], 0.05)
    slope = against(now[1], history[:, 1], 0.08)
    days = against(float(np.log(now[2] + 0.03)), np.log(history[:, 2] + 0.03), 0.15)
    log_slope = slope.log_odds if slope.z < 0 else min(slope.log_odds, 0.0)
    log_days = days.log_odds if days.z > 0 else min(days.log_odds, 0.0)
    best = max(mean.log_odds, log_slope, log_days)
    if best == log_slope:
        words = (
            f"what the features say moves labels by {now[1]:.0%} of it, usually {slope.usual:.0%}"
        )
    elif best == mean.log_odds:
        off = now[0] - mean.usual
        way = "lower" if off < 0 else "higher"
        words = f"labels are {abs(off):.1f} standard deviations {way} than usual for such features"
    else:
        words = f"labels of single days lie {now[2]:.1f} standard deviations off the features"
    return Sign("label", best, words)


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
        now, before = training_rows.feature_distance(t, name)
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
