"""A model's log in chains: arms that share snapshots, each held against one stand-in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.answers import explanations
from analysis.answers.explanations import Difference, Usual
from analysis.answers.replayed import Replayed, replayed
from analysis.answers.stand import FEWEST, Mask, StandIn, learn
from analysis.classes import one_against_rest
from analysis.evidence import CannotExamine, Scope
from analysis.inputs import surrogate
from analysis.portable import HASHED, LOT, LOTS, lots
from analysis.profile import Bins, bins_of, kinds, plain
from analysis.publishes import Publish, chains, once
from analysis.replay import CannotReplay, as_logged, can_replay
from analysis.tables import Role
from analysis.warehouse import Warehouse, naive

if TYPE_CHECKING:
    import pandas as pd

ROWS_EACH = 3_000
"""Rows of a snapshot in question and of the one before, and of any since it began."""
ROWS_BESIDE = 12_000
"""Rows of all others together."""
MOST_SNAPSHOTS = 300
MOST_PAST = 20
WITNESSES = 2
"""So many chains without a publish in question are looked at beside those with one."""
SPAN = timedelta(hours=2), timedelta(hours=48)
"""Earlier publishes are judged on as many hours as the ones in question, within these bounds."""


@dataclass(frozen=True)
class Chain:
    """Rows of arms that share snapshots; ``late`` are those since it began.

    ``usual`` is what its earlier publishes changed; ``past`` their rows: new and old ones.
    ``replayed`` are the answers of the artifacts themselves, where there is a scorer; ``unscored``
    says why there are none though there is one.
    """

    arms: tuple[str, ...]
    frame: pd.DataFrame
    late: Mask
    stand: StandIn
    usual: Usual
    past: tuple[tuple[Mask, Mask], ...]
    replayed: Replayed | None = None
    unscored: str = ""

    def served_by(self, snapshot: str) -> Mask:
        """Which rows a snapshot answered."""
        out: Mask = (self.frame[Role.SNAPSHOT] == snapshot).to_numpy()
        return out

    def difference(self, new: Mask, old: Mask) -> Difference | None:
        """What the rows ``new`` get otherwise than the rows ``old``, where there are enough."""
        return self.stand.difference(new, old, self.usual.covariance)

    def witness(self, but: set[str]) -> Difference | None:
        """What the busiest snapshot that served on, none of ``but``, does otherwise since then."""
        names = self.frame[Role.SNAPSHOT].to_numpy()
        since = self.frame[self.late & ~np.isin(names, sorted(but))]
        for name in since[Role.SNAPSHOT].value_counts().index[:3]:
            mine = names == name
            found = self.difference(mine & self.late, mine & ~self.late)
            if found is not None and found.rows >= FEWEST:
                return found
        return None


def read(
    warehouse: Warehouse,
    scope: Scope,
    chosen: Sequence[Publish],
    every: Sequence[Publish],
    begun: datetime,
) -> tuple[list[Chain], bool]:
    """Chains of the one model of ``chosen``, and whether its answers are probabilities.

    ``every`` are its known publishes. Raises CannotExamine when the log has no features.
    """
    log = warehouse.predictions(models=(chosen[0].model,))
    log = log.filter(
        log[Role.TIME] >= naive(scope.baseline.start), log[Role.TIME] < naive(scope.window.end)
    )
    log, _ = one_against_rest(warehouse, log, scope)
    kind = kinds(log, warehouse.features)
    if not kind:
        raise CannotExamine("The log has no features: old and new snapshots can't be compared.")
    also: tuple[str, ...] = (Role.TIME, Role.PREDICTION, Role.SNAPSHOT, Role.ARM, Role.LABEL)
    scores = can_replay(warehouse, (chosen[0].model,))
    if scores:
        log, copies = as_logged(log, warehouse.features)
        also += copies
    names = {p.snapshot for p in chosen} | {p.before for p in chosen}
    frame = _some(plain(log, kind, also), names, begun, scope.seed)
    # An onset that is found late would let what broke with the new snapshot count as familiar.
    before = frame[frame[Role.TIME] < naive(begun)]
    settled = before[~before[Role.SNAPSHOT].isin([p.snapshot for p in chosen])]
    bins = bins_of(settled if len(settled) >= 2 * FEWEST else before, kind)
    probability = surrogate.is_probability(frame[Role.PREDICTION].to_numpy(float))
    span = min(max(scope.window.end - begun, SPAN[0]), SPAN[1])
    out, beside = [], 0
    for arms in _in_question_first(frame, chosen):
        asked = [p for p in chosen if p.arm in arms]
        beside += not asked
        if beside > WITNESSES:
            break
        part = frame[frame[Role.ARM].isin(arms)].reset_index(drop=True)
        others = [p for p in once(every) if p.arm in arms and p not in chosen]
        chain = _chain(arms, part, asked, others, (begun, span), bins, probability, scope.seed)
        if chain and asked and scores:
            chain = _scored(warehouse, chain, asked, others, probability, scope.seed)
        out += [chain] if chain else []
    return out, probability


def _some(log: Any, names: set[str], begun: datetime, seed: int) -> pd.DataFrame:
    """Rows of ``names`` and all since ``begun``, ROWS_EACH a snapshot; of others ROWS_BESIDE."""
    late = log[Role.TIME] >= naive(begun)
    sizes = log.group_by(Role.SNAPSHOT).aggregate(
        since=late.sum(), before=(~late).sum(), last=log[Role.TIME].max()
    )
    frame = sizes.to_pandas().sort_values("last").tail(MOST_SNAPSHOTS)
    others = float(frame.loc[~frame[Role.SNAPSHOT].isin(names), "before"].sum())
    known, new = [], []
    for name, since, before in zip(
        frame[Role.SNAPSHOT], frame["since"], frame["before"], strict=True
    ):
        share = ROWS_EACH / max(before, 1) if name in names else ROWS_BESIDE / max(others, 1.0)
        known.append((str(name), max(1, round(LOTS * min(1.0, share)))))
        new.append((str(name), max(1, round(LOTS * min(1.0, ROWS_EACH / max(since, 1))))))
    log = lots(log, log.columns[:HASHED], seed)
    by = log[Role.SNAPSHOT]
    since = log[Role.TIME] >= naive(begun)
    limit = since.ifelse(by.cases(*new, else_=0), by.cases(*known, else_=0))
    most = 2 * (ROWS_EACH * (len(names) + 4) + ROWS_BESIDE)
    out: pd.DataFrame = log.filter(log[LOT] < limit).drop(LOT).limit(most).to_pandas()
    return out.sort_values([Role.TIME, Role.PREDICTION], kind="stable", ignore_index=True)


def _in_question_first(frame: pd.DataFrame, chosen: Sequence[Publish]) -> list[tuple[str, ...]]:
    """Groups of arms, those with a publish in question first, then those with most rows."""
    sizes = frame[Role.ARM].value_counts()
    served = frame[[Role.ARM, Role.SNAPSHOT]].drop_duplicates()
    pairs = list(served.itertuples(index=False, name=None))
    groups = chains([*pairs, *((p.arm, p.before) for p in chosen)])
    asked = {p.arm for p in chosen}
    return sorted(groups, key=lambda g: (not asked & set(g), -sum(sizes.get(a, 0) for a in g)))


def _chain(
    arms: tuple[str, ...],
    frame: pd.DataFrame,
    asked: Sequence[Publish],
    others: Sequence[Publish],
    when: tuple[datetime, timedelta],
    bins: Mapping[str, Bins],
    probability: bool,
    seed: int,
) -> Chain | None:
    begun, span = when
    late: Mask = (frame[Role.TIME] >= naive(begun)).to_numpy()
    doubtful = frame[Role.SNAPSHOT].isin([p.snapshot for p in asked]).to_numpy()
    stand = learn(frame, bins, ~late & ~doubtful, probability, seed)
    if stand is None:
        return None
    past = []
    for p in sorted(others, key=lambda p: p.at)[-MOST_PAST:]:
        soon = (frame[Role.TIME] < naive(p.at + span)).to_numpy() & ~late
        new, old = (frame[Role.SNAPSHOT] == n for n in (p.snapshot, p.before))
        past.append((new.to_numpy() & soon, old.to_numpy() & ~late))
    size = stand.basis.shape[1]
    known = explanations.usual_before(size)
    for _ in range(2):
        # The second time, what the old ones do otherwise is held to what is usual here.
        each = [stand.difference(new, old, known.covariance) for new, old in past]
        known = explanations.usual([d for d in each if d is not None], size)
    return Chain(arms, frame, late, stand, known, tuple(past))


def _scored(
    warehouse: Warehouse,
    chain: Chain,
    asked: Sequence[Publish],
    others: Sequence[Publish],
    probability: bool,
    seed: int,
) -> Chain:
    """The chain with the answers of its snapshots' artifacts, or why there are none."""
    model = asked[0].model
    try:
        found = replayed(
            warehouse,
            model,
            chain.frame,
            chain.late,
            chain.stand,
            (asked, others),
            probability,
            seed,
        )
    except CannotReplay as error:
        return replace(chain, unscored=str(error))
    missing = "" if found else "the registry names no artifacts that are there"
    return replace(chain, replayed=found, unscored=missing)
