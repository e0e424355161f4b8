"""All views of all features, before they are weighed: what changed about each, and who else did.

Views: :mod:`analysis.inputs.suspicion` and :mod:`analysis.inputs.agreement`. A feature that
disagrees only with broken ones is fine, and is looked at once more without those.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from analysis.inputs import agreement, familiar, labels, suspicion
from analysis.inputs.familiar import Odd
from analysis.inputs.suspicion import Finding, View
from analysis.inputs.views import Reading

SURE = 4.0
"""Above this log Bayes factor a feature's values count as broken."""
CHANGED = 1.5
"""Above this log Bayes factor a feature changed, by itself or with others."""
OTHERS = 1.0
"""From this log Bayes factor on all others go with outcomes as ever: those are what they were."""
LOUD = 4
"""Features that disagree the most, of which it is asked who broke."""
MOST_BROKEN = 8
"""Features with plainly wrong values that the joint view is looked at without."""


@dataclass(frozen=True)
class Looked:
    """What was seen: all views of each feature; the rows in which a broken one does not go with the
    others; what labels say of all that a node of the lineage feeds; what outcomes did as the
    predictions moved, and by how much each feature ``moved`` them."""

    found: list[Finding]
    odd: Odd
    paid: Mapping[str, View]
    followed: labels.Followed = field(default_factory=labels.Followed)
    moved: Mapping[str, float] = field(default_factory=dict)


def examine(r: Reading, dims: tuple[str, ...], fed: Mapping[str, tuple[str, ...]]) -> Looked:
    """All views of all features; the joint views again without features that are broken.

    ``fed`` are the features that each node of the lineage feeds.
    """
    material = agreement.joint_material(r, dims)
    pays_off, series = labels.Payoff(r), agreement.evenly(r)
    found: list[Finding] = []
    for name in r.features:
        views = {"marginal": suspicion.marginal(r, name)}
        views["joint"] = agreement.agreement(r, material, name, (), False)
        views["peers"] = agreement.agreement(r, material, name, (), True)
        views["labels"] = pays_off((name,))
        lag = 0.0
        if name in material.peers and agreement.moves(material, name):
            still, past, lag = agreement.fresh(r, series, name, material.group[name])
            views |= {"still": still, "past": past}
        found.append(Finding(name, r.usage(name), views, lag))
    found = _without_the_broken(r, material, _fell_together(found, pays_off), fed)
    broken = [f.name for f in found if f.log_odds > SURE]
    paid = {node: pays_off(names) for node, names in fed.items()}
    odd = familiar.odd_rows(material.days, material.edge, broken)
    moved = {name: pays_off.moved(name) for name in r.features}
    return Looked(found, odd, paid, pays_off.followed, moved)


def _fell_together(found: list[Finding], pays_off: labels.Payoff) -> list[Finding]:
    """Features with what labels say of all together whose contributions fell.

    Rows that get several of another row's values at once agree in these, and each is told by labels
    only beside the others: one alone leaves the rest of the loss unexplained. No lineage need know
    that they come together.
    """
    fell = {f.name for f in found if pays_off.lost(f.name) > CHANGED}
    alone = max((f.views["labels"].log_odds for f in found), default=0.0)
    told = pays_off(sorted(fell)).log_odds if len(fell) > 1 else 0.0
    if told <= max(labels.MOST + OTHERS, alone + CHANGED):
        return found
    return [
        replace(f, views={**f.views, "labels": replace(f.views["labels"], log_odds=told)})
        if f.name in fell
        else f
        for f in found
    ]


def _without_the_broken(
    r: Reading,
    material: agreement.Joint,
    found: list[Finding],
    fed: Mapping[str, tuple[str, ...]],
) -> list[Finding]:
    """A feature that disagrees only with broken ones is fine: look again without those."""
    # Values that are plainly wrong come first: their neighbours only suffer from them.
    broken = [f.name for f in found if f.views["marginal"].log_odds > SURE][:MOST_BROKEN]
    for turn in range(4):
        rest = [f for f in found if f.name not in broken and f.log_odds > CHANGED]
        if turn or not broken:
            if not rest:
                break
            broken += _culprits(r, material, found, rest, tuple(broken), fed)
        out = tuple(broken)
        for i, f in enumerate(found):
            if f.name in broken or max(f.views["joint"].log_odds, f.views["peers"].log_odds) < 0:
                continue
            again = {
                "joint": agreement.agreement(r, material, f.name, out, False),
                "peers": agreement.agreement(r, material, f.name, out, True),
            }
            if material.group.get(f.name) in broken:
                again["peers"] = View(0.0, 0.0)  # peers by a broken feature are none
            kept = {k: v for k, v in again.items() if v.log_odds < f.views[k].log_odds}
            found[i] = replace(f, views={**f.views, **kept})
    return found


def _culprits(
    r: Reading,
    material: agreement.Joint,
    found: list[Finding],
    rest: list[Finding],
    out: tuple[str, ...],
    fed: Mapping[str, tuple[str, ...]],
) -> tuple[str, ...]:
    """Of features that disagree with each other, those without which the others agree, and go with
    the outcomes: one of them, or those of a feed that broke as a whole."""
    loud = sorted(rest, key=lambda f: -f.log_odds)[:LOUD]
    if len(loud) == 1 or loud[0].views["joint"].log_odds < loud[0].log_odds - 1:
        return (max(rest, key=lambda f: f.log_odds * (1 + f.best[1].impact)).name,)
    names = {f.name for f in loud}
    several = [
        mine
        for mine in fed.values()
        if names & set(mine) and len((names | set(out)) & set(mine)) > 1
    ]
    left = {}
    for mine in [*((f.name,) for f in loud), *several]:
        others = [o for o in loud if o.name not in mine]
        again = [agreement.agreement(r, material, o.name, (*out, *mine), False) for o in others]
        # A feed that breaks takes all of its features along: those that agree speak against it.
        kept = [_loudest(f) for f in found if f.name in mine and f.name not in out]
        lost = [o.views["labels"] for o in others]
        odd = sum(max(v.log_odds, w.log_odds, 0.0) for v, w in zip(again, lost, strict=True))
        left[mine] = odd + sum(max(-k, 0.0) for k in kept)
    best = min(left, key=lambda mine: (left[mine], len(mine)))
    return tuple(f.name for f in rest if f.name in best)


def _loudest(f: Finding) -> float:
    """The strongest view's log Bayes factor, of the views that could look."""
    return max((v.log_odds for v in f.views.values() if v.log_odds), default=0.0)
