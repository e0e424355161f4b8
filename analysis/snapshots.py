"""Did a new snapshot do it? Publish times against the onset, and the same rows through both.

Two pieces of evidence per publish: how near it is to the onset (against how often snapshots are
published), and whether the answers to the same inputs changed more than at earlier publishes, and
for the worse where labels tell (analysis/answers).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from analysis import odds, publishes, words
from analysis.answers.links import Link, links
from analysis.charts import snapshots as charts
from analysis.evidence import CannotExamine, Evidence, How, Onset, Scope, Suspect, Table
from analysis.inputs.views import arms_of
from analysis.publishes import Publish, once
from analysis.warehouse import Warehouse

METHOD = (
    "Publishes around the onset; gradient-boosted stand-ins for the earlier snapshots answer the "
    "new one's requests, so that inputs are held equal; how far answers and losses moved is held "
    "against what earlier publishes did, and against snapshots that served on."
)
PRIOR = 0.3
MISPLACED = 0.1
"""How often the onset that was found is not where it began."""
BY_ITSELF = 0.15
"""So often another model gets worse at the same time for a reason of its own."""
FARTHEST = -3.0
"""Publishes with less evidence from their time are not looked at."""
SURE = 0.8
"""A snapshot is named from this probability on: a false accusation costs the walk more than one
more question does."""


@dataclass(frozen=True)
class Candidate:
    """A publish near the onset with its log Bayes factors."""

    publish: Publish
    timing: float
    link: Link | None
    left: float = 0.0

    @property
    def answers(self) -> float:
        """What its answers say; nothing where they could not be compared."""
        return self.link.evidence if self.link else 0.0

    @property
    def log_odds(self) -> float:
        """All evidence together, before the prior."""
        return self.timing + self.answers + self.left


def which_snapshot(warehouse: Warehouse, scope: Scope) -> Evidence:
    """Names the snapshot whose publish caused the change; snapshot, not_snapshot or unsure.

    Reads predictions and, when there is one, the registry. Raises CannotExamine when the log
    has no rows in the scope.
    """
    begun = time.perf_counter()
    onset = scope.onset or Onset(
        scope.window.start, scope.window.start - timedelta(hours=2), scope.window.start
    )
    found = publishes.publishes(warehouse, scope, arms_of(scope))
    near = once(p for p in found if _timing(p, onset, found, scope) > FARTHEST)
    measured = links(warehouse, scope, near, found, onset.low) if near else []
    by_name = {(link.publish.model, link.publish.snapshot): link for link in measured}
    left = _left(scope, near)
    candidates = [
        Candidate(p, _timing(p, onset, found, scope), by_name.get((p.model, p.snapshot)), left)
        for p in near
    ]
    return _say(warehouse, scope, onset, found, candidates, begun)


def _left(scope: Scope, near: Sequence[Publish]) -> float:
    """Log odds for what no snapshot explains: a model that got worse as well, and published
    nothing, seldom did so by itself."""
    published = {p.model for p in near}
    worse = [s for s in scope.suspects if s.kind == "model" and s.name not in published]
    return float(sum(np.log1p(-min(s.score, 1.0) * (1 - BY_ITSELF)) for s in worse))


def _timing(p: Publish, onset: Onset, found: list[Publish], scope: Scope) -> float:
    """Log odds that a publish at this distance from the onset is no coincidence.

    The onset's error has Student's t with 2 degrees of freedom and the bounds' width as scale;
    now and then the onset is wrong altogether, and it began anywhere in the window; a coincidence
    is uniform at the rate of publishes of this model.
    """
    from scipy.stats import t

    hours = (scope.window.end - scope.baseline.start).total_seconds() / 3600
    mine = len({q.snapshot for q in found if q.model == p.model})
    rate = max(mine, 1) / max(hours, 24.0)
    width = max((onset.high - onset.low).total_seconds() / 3600 / 2, 0.75)
    gap = (p.at - onset.at).total_seconds() / 3600
    density = float(t.pdf(gap / width, 2)) / width
    length = max(scope.window.length.total_seconds() / 3600, 1.0)
    anywhere = 1 / length if scope.window.start <= p.at < scope.window.end else 0.0
    return float(np.log((1 - MISPLACED) * density + MISPLACED * anywhere + 1e-9) - np.log(rate))


# -- saying -----------------------------------------------------------------------------------


def _say(
    warehouse: Warehouse,
    scope: Scope,
    onset: Onset,
    found: list[Publish],
    candidates: list[Candidate],
    begun: float,
) -> Evidence:
    logs = {"": float(np.log(1 - PRIOR))}
    for i, c in enumerate(candidates):
        logs[str(i)] = float(np.log(PRIOR / len(candidates))) + c.log_odds
    shares = odds.share_out(logs)
    ranked = sorted(((shares[str(i)], c) for i, c in enumerate(candidates)), key=lambda sc: -sc[0])
    some = 1 - shares[""]
    best = ranked[0][0] if ranked else 0.0
    blamed = [sc for sc in ranked if sc[0] > 0.5 * best]
    if sum(share for share, _ in blamed) > SURE and all(c.link for _, c in blamed):
        verdict, sure = "snapshot", sum(share for share, _ in blamed)
    elif some < 0.4 and not any(c.link is None and c.timing > 0 for c in candidates):
        verdict, sure = "not_snapshot", shares[""]
    else:
        verdict, sure = "unsure", max(0.5, 1 - abs(2 * some - 1))
    if not found and warehouse.contract.predictions.snapshot is None:
        # What nothing tells of is not ruled out, however rare it is.
        verdict, sure = "unsure", 1 - PRIOR
    sure = min(sure, 0.99)
    suspects = tuple(_suspect(share, c) for share, c in ranked[:6])
    missing = _missing(warehouse, candidates)
    chart = charts.timeline(found, onset, scope, [c.publish for _, c in ranked[:1]], verdict)
    return Evidence(
        verdict=verdict,
        confidence=min(max(sure, 0.01), 0.99),
        headline=_headline(verdict, ranked, found, scope, onset),
        suspects=suspects,
        proposed=0 if verdict == "not_snapshot" else len(blamed),
        charts=(chart,),
        table=_table(ranked) if ranked else None,
        not_examined=missing,
        figures={"p_snapshot": some, "publishes": float(len(once(found)))},
        how=How(
            METHOD,
            scope.window,
            scope.baseline,
            sum(c.link.rows for c in candidates if c.link),
            0,
            time.perf_counter() - begun,
        ),
    )


def _suspect(share: float, c: Candidate) -> Suspect:
    changed = "published near the onset; its answers could not be compared"
    if c.link is not None:
        same = "same rows" if c.link.scored else "same inputs"
        changed = (
            f"{same}: answers differ by {c.link.size:.2f} sd from {c.publish.before}, "
            f"usually {c.link.usual:.2f}"
        )
        if c.link.size > 2 * c.link.usual:
            changed += f" ({c.link.where})"
        if np.isfinite(c.link.worse):
            way = "worse" if c.link.worse > 0 else "better"
            changed += f", loss {abs(c.link.worse):.3f} {way}"
    return Suspect("snapshot", c.publish.snapshot, share, changed, since=c.publish.at)


def _from_onset(p: Publish, onset: Onset) -> str:
    gap = abs(p.at - onset.at)
    if gap < timedelta(hours=1):
        return "when it began"
    return f"{words.span(gap)} {'before' if p.at < onset.at else 'after'} it began"


def _headline(
    verdict: str,
    ranked: list[tuple[float, Candidate]],
    found: list[Publish],
    scope: Scope,
    onset: Onset,
) -> str:
    if verdict == "snapshot":
        c = ranked[0][1]
        better = c.link is not None and np.isfinite(c.link.worse) and c.link.worse > 0
        tail = f": {c.publish.before} would have done better on the same rows" if better else ""
        when = "when it began" if scope.onset else "near the alert's start"
        return f"{c.publish.snapshot} went live at {words.clock(c.publish.at)}, {when}{tail}."
    if verdict == "unsure" and not ranked:
        return (
            "I can't tell whether a snapshot was published: neither the log nor a registry names "
            "one."
        )
    if verdict == "unsure":
        count = words.plural(len(ranked), "publish", "publishes")
        scored = all(c.link and c.link.scored for _, c in ranked)
        scoring = "" if scored else ", or scoring the same rows with both snapshots,"
        return f"I can't tell: {count} near the onset. More labelled rows{scoring} would decide it."
    if ranked:
        p = ranked[0][1].publish
        if p.at > onset.high:
            late = words.span(p.at - onset.at)
            return f"No snapshot: {p.snapshot} went live only {late} after it began."
        return (
            f"{p.snapshot} went live {_from_onset(p, onset)}, but gives the same inputs about the "
            "same answers as the one before."
        )
    last = [p for p in found if p.at <= onset.high]
    ago, began = "none is known to be published", "no step found when it began"
    if last:
        ago = f"the latest went live at {words.clock(last[-1].at)}"
    if scope.onset:
        began = f"it began at {words.clock(onset.at)}"
    return f"No snapshot: {ago}, and {began}."


def _table(ranked: list[tuple[float, Candidate]]) -> Table:
    rows = []
    for share, c in ranked[:6]:
        link = c.link
        moved = f"{link.size:.2f} sd, usually {link.usual:.2f}" if link else "–"
        worse = f"{link.worse:+.3f}" if link and np.isfinite(link.worse) else "no labels"
        rows.append(
            (c.publish.snapshot, words.clock(c.publish.at), f"{moved} / {worse}", f"{share:.0%}")
        )
    return Table(("snapshot", "live since", "answers moved / loss", "likely"), tuple(rows))


def _missing(warehouse: Warehouse, candidates: list[Candidate]) -> tuple[str, ...]:
    out = []
    if warehouse.contract.predictions.snapshot is None:
        out.append("which snapshot served a row: the log has no such column")
    if not warehouse.has("snapshots"):
        out.append("the registry of snapshots: there is no table `snapshots` in the settings")
    out += [
        f"{c.publish.snapshot}: too few rows to compare with {c.publish.before}"
        for c in candidates
        if c.link is None
    ]
    unscored = {c.link.unscored: c.publish for c in candidates if c.link and c.link.unscored}
    out += [
        f"artifacts of {p.snapshot} and {p.before} on the same rows: {why}"
        for why, p in unscored.items()
    ]
    if not warehouse.has_labels:
        out.append("whether the old snapshot would have done better: the log has no labels")
    return tuple(out)


__all__ = ["Candidate", "CannotExamine", "which_snapshot"]
