"""Labels of a training against those of earlier ones.

They are judged three ways: in partitions that an earlier snapshot was trained on as well, by how
they go with the features according to a model of the earlier snapshots' labels (as a whole and by
day), and the newest ones beside the others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from analysis import odds
from analysis.inputs import surrogate
from analysis.training.rows import Sign, Trainings, against, day_of
from analysis.words import number

Floats = np.ndarray[Any, np.dtype[np.float64]]

NEWEST = 0.3
"""So large a part of the days counts as the newest."""
ALIKE = 0.05
"""Mean labels of days differ by this part of themselves at least, weekends included."""


def label_signs(t: Trainings) -> list[Sign]:
    """What is off about the labels that a snapshot was trained on; none without labels."""
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
    days = mine["part"].astype(str).map(lambda p: day_of(p)[0])
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
    days_old = [day_of(str(p))[0] or str(p) for p in old["_part"]]
    days_new = [day_of(str(p))[0] or str(p) for p in frame.loc[mine, "_part"]]
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
