"""What each publish changed in the answers to the same inputs, and whether for the worse.

Earlier publishes of the same chain say what is usual; chains whose snapshot served on say whether
something else shook the answers; labelled rows say which of two answers was right.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.answers import explanations, reading
from analysis.answers.explanations import UNSEEN, WORTH, Difference, Loss, Usual
from analysis.answers.reading import Chain
from analysis.answers.replayed import Replayed
from analysis.answers.stand import FEWEST, Mask
from analysis.evidence import Scope
from analysis.publishes import Publish, once
from analysis.tables import Role
from analysis.warehouse import Warehouse

if TYPE_CHECKING:
    import pandas as pd

Floats = np.ndarray[Any, np.dtype[np.float64]]

MOST_LINKS = 5
"""The latest publishes of a model that are measured."""
_UNANSWERED = "one of them is not known, or gives too few answers"
LOSS_WOBBLE = 0.015
"""Before any publish was seen: a retraining moves the mean loss by about this much, or as much
less as the outcome is rare."""


@dataclass(frozen=True)
class Link:
    """What changed at one publish, on rows of the new snapshot with familiar inputs.

    ``mean`` and ``size``: new answer minus the old snapshot's, its average and its typical size,
    in standard deviations of the answers; ``usual`` is the typical size at ``seen`` earlier
    publishes, and ``where`` says in words what most of the difference is. ``worse``: mean loss of
    the new answers minus that of the old snapshot's (positive: the new one does worse), with its
    standard error; NaN without labels. ``r2``: of the stand-in, 1 where both artifacts answered
    (``scored``); ``unscored`` says why they did not though there is a scorer. ``evidence`` is the
    log Bayes factor that the snapshot moved the answers, and for the worse.
    """

    publish: Publish
    mean: float
    size: float
    usual: float
    seen: int
    where: str
    worse: float
    worse_error: float
    rows: int
    r2: float
    evidence: float
    scored: bool = False
    unscored: str = ""


def links(
    warehouse: Warehouse,
    scope: Scope,
    asked: Sequence[Publish],
    every: Sequence[Publish],
    begun: datetime,
) -> list[Link]:
    """Measures the publishes ``asked``, the latest MOST_LINKS of each model.

    ``every`` are all publishes that are known. A snapshot in several arms is measured once. Rows
    that a new snapshot served before ``begun``, the earliest onset, speak for or against it alone
    where there are enough: what it did not do then, it did not do.
    """
    out: list[Link] = []
    for model in dict.fromkeys(p.model for p in asked):
        chosen = sorted(once(p for p in asked if p.model == model), key=lambda p: p.at)
        chosen = chosen[-MOST_LINKS:]
        mine = [p for p in every if p.model == model]
        chains, probability = reading.read(warehouse, scope, chosen, mine, begun)
        doubtful = {p.snapshot for p in chosen}
        seen = [(c.witness(doubtful), c.usual) for c in chains]
        chances = explanations.shaken([(d, usual) for d, usual in seen if d is not None])
        for p in chosen:
            chain = next((c for c in chains if p.arm in c.arms), None)
            link = None
            if chain:
                link = _scored(chain, p, probability) or _link(chain, p, chances, probability)
            out += [link] if link else []
    return out


def _link(chain: Chain, p: Publish, chances: Floats, probability: bool) -> Link | None:
    new, old = chain.served_by(p.snapshot), chain.served_by(p.before) & ~chain.late
    early = new & ~chain.late & chain.stand.familiar
    if early.sum() >= FEWEST:
        new = early
    seen = chain.difference(new, old)
    if seen is None:
        return None
    losses = _losses(chain, new, old, probability)
    link = _measured(p, chain, seen, chain.usual, chances, losses)
    return replace(link, unscored=chain.unscored or (_UNANSWERED if chain.replayed else ""))


def _scored(chain: Chain, p: Publish, probability: bool) -> Link | None:
    """The same from the answers of both artifacts to the same rows; None where there are none."""
    both = chain.replayed
    seen = both.difference(p.snapshot, p.before) if both else None
    if both is None or seen is None:
        return None
    losses = _beyond_usual(_scored_loss(chain, both, p, probability), [])
    # The same rows through both: nothing else can have shaken the answers.
    link = _measured(p, chain, seen, both.usual, explanations.STILL, losses)
    return replace(link, r2=1.0, scored=True)


def _measured(
    p: Publish,
    chain: Chain,
    seen: Difference,
    usual: Usual,
    chances: Floats,
    found: tuple[tuple[float, float], dict[str, float]],
) -> Link:
    loss, losses = found
    ways = seen.mean(usual.larger(explanations.LARGER[0]))
    return Link(
        p,
        float(ways[0]),
        float(np.sqrt(ways @ ways)),
        usual.size,
        usual.seen,
        # What no direction of the stand-in holds has no words.
        chain.stand.where(ways[: chain.stand.basis.shape[1]]),
        loss[0],
        loss[1],
        seen.rows,
        chain.stand.r2,
        explanations.log_bayes_factor(seen, usual, chances, losses),
    )


def _scored_loss(chain: Chain, both: Replayed, p: Publish, probability: bool) -> Loss | None:
    """On labelled rows that the new snapshot served, by what both artifacts answer."""
    mine = chain.served_by(p.snapshot)[both.rows]
    label = chain.frame[Role.LABEL].to_numpy(float, na_value=np.nan)[both.rows]
    new, old = both.answers[p.snapshot], both.answers[p.before]
    rows = mine & np.isfinite(label) & np.isfinite(new) & np.isfinite(old)
    if rows.sum() < FEWEST // 2:
        return None
    times = chain.frame[Role.TIME].iloc[both.rows[rows]]
    return _between(label[rows], new[rows], old[rows], times, probability)


def _losses(
    chain: Chain, new: Mask, old: Mask, probability: bool
) -> tuple[tuple[float, float], dict[str, float]]:
    """Loss of the new answers beyond what is usual, its error; and what that is evidence for."""
    each = [_loss(chain, *rows, probability) for rows in chain.past]
    now = _loss(chain, new, old, probability)
    return _beyond_usual(now, [loss for loss in each if loss is not None])


def _beyond_usual(
    now: Loss | None, past: Sequence[Loss]
) -> tuple[tuple[float, float], dict[str, float]]:
    if now is None:
        return (float("nan"), float("nan")), UNSEEN
    # A stand-in is smoother than any snapshot, and loses less for that.
    handicap = float(np.mean([p.gap for p in past])) if past else 0.0
    noise = float(np.mean([p.due for p in past])) if past else 0.0
    off = sum(max((p.gap - handicap) ** 2 - p.error**2, 0.0) for p in past)
    wobble = LOSS_WOBBLE * now.whole
    spread = np.sqrt((WORTH * wobble**2 + off) / (WORTH + len(past)))
    gap, error = now.gap - handicap, float(np.hypot(now.error, spread))
    loss = Loss(gap, error, max(now.due - noise, 0.0))
    return (gap, now.error), loss.log_likelihoods()


def _loss(chain: Chain, new: Mask, old: Mask, probability: bool) -> Loss | None:
    """On labelled rows of ``new``: against what the snapshot of the rows ``old`` would answer."""
    label = chain.frame[Role.LABEL].to_numpy(float, na_value=np.nan)
    rows = new & chain.stand.familiar & np.isfinite(label)
    if rows.sum() < FEWEST // 2 or (old & chain.stand.familiar).sum() < FEWEST:
        return None
    guess = chain.stand.as_before(old, chain.usual.covariance)[rows]
    times = chain.frame[Role.TIME][rows]
    return _between(label[rows], chain.stand.answer[rows], guess, times, probability)


def _between(
    y: Floats, answer: Floats, guess: Floats, times: pd.Series[Any], probability: bool
) -> Loss:
    """Of ``answer`` against ``guess``, both on the scale that effects add up on."""
    whole = 1.0
    if probability:
        y = np.clip(y, 0, 1)
        whole = _entropy(float((y.sum() + 0.5) / (len(y) + 1)))
        right = 1 / (1 + np.exp(-guess))
        cost = np.logaddexp(0, answer) - np.logaddexp(0, guess)
        gap, due = cost - y * (answer - guess), cost - right * (answer - guess)
    else:
        spread = max(float(np.var(y)), 1e-12)
        gap = ((y - answer) ** 2 - (y - guess) ** 2) / spread
        due = (answer - guess) ** 2 / spread
    hour = times.dt.floor("h").astype("int64").to_numpy()
    code = np.unique(hour, return_inverse=True)[1]
    # Rows of an hour share their weather: the hour, not the row, is independent.
    total = np.bincount(code, weights=gap - gap.mean())
    error = float(np.sqrt(np.sum(total**2))) / len(gap)
    least = float(np.std(gap)) / float(np.sqrt(len(gap)))
    return Loss(float(gap.mean()), max(error, least, 1e-6), float(due.mean()), whole)


def _entropy(rate: float) -> float:
    """Of an outcome of that rate, in bits."""
    return float(-rate * np.log2(rate) - (1 - rate) * np.log2(1 - rate))


__all__ = ["Link", "links"]
