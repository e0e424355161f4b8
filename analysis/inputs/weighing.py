"""Inputs, model or none: all views of all features, weighed into one verdict.

Views: :mod:`analysis.inputs.looking`. A view counts with its log Bayes factor and with the impact
that it sees itself; the part of the shift that the surrogate can't explain on familiar inputs is
the model's (:mod:`analysis.inputs.familiar`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from analysis import odds
from analysis.inputs import familiar, feeds, population
from analysis.inputs.deployed import Deployed
from analysis.inputs.labels import Followed
from analysis.inputs.looking import CHANGED, SURE, Looked
from analysis.inputs.size import heard, large, least_that_counts
from analysis.inputs.suspicion import Finding, View
from analysis.inputs.views import Reading

Floats = np.ndarray[Any, np.dtype[np.float64]]

ERRS = 0.3
"""How often broken inputs take a surrogate where it is plainly wrong."""
NOT_LOOKED = View(0.0, 0.0)
WORTH_A_LOOK = 0.25
"""From this probability on the walk follows the inputs, though they are not sure."""
CERTAIN = 8.0
"""Above this log Bayes factor they broke, whatever else did."""
WORLD = 0.3
"""So often it is the world that changed, and not how labels are made, where outcomes alone did."""
BROKEN_AT_ONCE = 0.1
"""So often it is features that broke and not other rows, where most changed at once: a job that no
lineage tells of may feed them all."""


@dataclass(frozen=True)
class Verdict:
    """Everything that :func:`weigh` decides, before words and pictures.

    ``broken`` are features in use whose values certainly broke, and those that changed together
    with others of their feed, however small their part beside another's: where one fault is that
    large, the surrogate is no judge of a second. ``at_once`` features changed as where other rows
    are asked, which breaks none of them; 0 else. ``outcomes`` is what the predictions would need
    to be shifted by to meet their labels, where that is plainly not as usual; ``lost`` the part of
    how they went with labels that is plainly gone; ``parted`` is a segment whose labels left all
    others', in a few words.
    """

    verdict: str
    confidence: float
    ranked: tuple[tuple[Finding, float], ...]
    shares: dict[str, float]
    model_odds: float
    model_size: float
    explained: float
    broken: frozenset[str] = frozenset()
    at_once: int = 0
    outcomes: odds.Shift = odds.NOT_SEEN
    lost: float = 0.0
    parted: str = ""

    @property
    def unmoved(self) -> float:
        """How likely neither inputs nor answers changed, whatever outcomes did."""
        return self.shares["none"] + self.shares.get("world", 0.0)

    def parted_in(self, segment: str) -> Verdict:
        """The same, with the segment whose labels left all others' ("" for none)."""
        if not segment or self.shares.get("world"):
            return replace(self, parted=segment)
        shares = self.shares | _split(self.shares["none"])
        sure = shares["none"] if self.verdict == "none" else self.confidence
        return replace(self, parted=segment, shares=shares, confidence=max(sure, 0.01))


def weigh(
    r: Reading,
    looked: Looked,
    output: Floats,
    fed: Mapping[str, tuple[str, ...]],
    deployed: Deployed | None = None,
) -> Verdict:
    """Inputs, model or none, with shares of what moved the predictions.

    Odd rows do not count as familiar inputs; ``fed`` are the features that each node of the lineage
    feeds. What the ``deployed`` artifacts answer tells the model's part; a surrogate only guesses
    it.
    """
    found = looked.found
    least = least_that_counts(r)
    logs = {"none": float(np.log(0.35)), "model": 0.0}
    broken = [f.name for f in found if f.views["marginal"].log_odds > SURE]
    beyond = familiar.beyond(r, output, broken)
    found = _credited(found, {n: size for n, size in beyond.items() if n not in r.measured})
    # True values may be as unfamiliar as broken ones: they are told apart here, not before.
    found = [
        _with_outcomes(f, looked.followed.speak_for(looked.moved.get(f.name, 0.0))) for f in found
    ]
    answers, arm = _answers(r, looked, output, broken, deployed)
    against, erred = (-np.inf, 0.0) if deployed else (heard(View(*answers), least), answers[1])
    model_odds, model_size = max(answers, arm)
    own = (heard(View(*a), least) for a in (answers, arm))
    logs["model"] = float(np.log(0.25)) + max(own)
    prior = float(np.log(0.4 / (len(found) + len(fed))))
    each = {f.name: prior + _alone(f, least, against, erred) for f in found}
    by_feed, along = _by_feed(found, fed, looked.paid, lambda view: prior + heard(view, least))
    logs["inputs"] = float(np.logaddexp.reduce([*each.values(), *by_feed]))
    at_once = population.changed_at_once(r, looked.found, fed, CHANGED)
    if at_once:
        others = logs["inputs"] + np.log(1 - BROKEN_AT_ONCE)
        logs["none"] = float(np.logaddexp(logs["none"], others))
        logs["inputs"] += float(np.log(BROKEN_AT_ONCE))
    shares = odds.share_out(logs)
    each = {name: float(np.logaddexp(each[name], along[name]) - logs["none"]) for name in each}
    ranked = _ranked(found, each, model_size * shares["model"])
    verdict = _worth_following(shares)
    followed = looked.followed
    shares |= _by_outcomes(shares["none"], followed)
    return Verdict(
        verdict,
        min(max(shares[verdict], 0.01), 0.99),
        ranked,
        shares,
        model_odds,
        model_size,
        sum(part for _, part in ranked),
        _certainly_broken(found, r.measured) | _taken_along(found, along, logs["none"]),
        at_once,
        followed.needed if followed.needed.log_odds > SURE else odds.NOT_SEEN,
        _lost(followed),
    )


def _ranked(
    found: list[Finding], log_odds: Mapping[str, float], by_model: float
) -> tuple[tuple[Finding, float], ...]:
    """Features with their part of what moved the predictions, the largest first; ``by_model`` is
    the size of the model's own."""
    sizes = [f.best[1].expected * odds.probability(log_odds[f.name]) for f in found]
    total = sum(sizes) + by_model
    parts = [size / total if total > 1e-9 else 0.0 for size in sizes]
    pairs = zip(found, parts, strict=True)
    return tuple(sorted(pairs, key=lambda pair: (-pair[1], -pair[0].log_odds)))


def _by_outcomes(none: float, followed: Followed) -> dict[str, float]:
    """What is left for the tree's other causes and for the world, where neither inputs nor answers
    changed; of the world nothing is said where no outcomes tell."""
    if not followed.needed.seen:
        return {}
    moved = followed.needed.log_odds > SURE or _lost(followed) > 0
    return _split(none) if moved else {"none": none, "world": 0.0}


def _lost(followed: Followed) -> float:
    """The part of how predictions went with labels that is plainly gone; else 0."""
    fall = followed.fall
    return fall.part if fall.seen and fall.lost > SURE else 0.0


def _split(none: float) -> dict[str, float]:
    return {"none": (1 - WORLD) * none, "world": WORLD * none}


def _answers(
    r: Reading,
    looked: Looked,
    output: Floats,
    broken: Sequence[str],
    deployed: Deployed | None,
) -> tuple[tuple[float, float], tuple[float, float]]:
    """What speaks for the model, as log odds and a size: its answers to familiar inputs, and those
    of the suspect arm beside the others'."""
    if deployed:
        return deployed.shift, familiar.NOT_SEEN
    evidence, moved = familiar.answers_shift(r, output, broken, looked.odd)
    by = familiar.answers_moved(r, output, broken, looked.odd)
    followed = looked.followed.speak_for(by) * (evidence > 0)
    return (evidence + followed, moved), familiar.beside_others(r, output, broken)


def _alone(f: Finding, least: float, against: float, erred: float) -> float:
    """A feature's log weight by its own views, the number of views tried taken off.

    ``against`` is what speaks for the model instead: a surrogate that errs, by ``erred``.
    """
    # A view counts with the impact that it sees itself: odds of one and impact of another would
    # blame a feature for what neither says.
    each = [(heard(v, least), v.impact) for v in f.views.values() if v != NOT_LOOKED]
    best, impact = max(each, default=(-np.inf, 0.0))
    weight = best - float(np.log(max(len(each), 1)))
    if best > SURE:
        # A surrogate errs on what broken inputs show it: that speaks for them as well, unless it
        # errs by more than they can do.
        weight += max(0.0, against + float(np.log(ERRS)) + large(impact, erred))
    return weight


def _certainly_broken(found: list[Finding], measured: Collection[str]) -> frozenset[str]:
    """Features whose values broke and that the model uses half as much as the middle one.

    Of ``measured`` ones their effect counts too: a surrogate's is a guess where it never was.
    """
    in_use = 0.5 * float(np.median([f.usage for f in found]))

    def used(f: Finding) -> float:
        return max(f.usage, f.views["marginal"].impact if f.name in measured else 0.0)

    certain = [f for f in found if f.views["marginal"].log_odds > CERTAIN]
    return frozenset(f.name for f in certain if used(f) > in_use)


def _by_feed(
    found: list[Finding],
    fed: Mapping[str, tuple[str, ...]],
    paid: Mapping[str, View],
    weight: Callable[[View], float],
) -> tuple[list[float], dict[str, float]]:
    """Log weights of the feeds; and the one that each feature has by its likeliest feed, less where
    it shows no change.

    What is plainly broken by itself speaks for itself: the others are credited with what they show
    without it. Where nothing is, labels may still tell of the feed as a whole (``paid``): rows that
    get all of another row's features agree with each other.
    """
    whole, rest = {}, {}
    for node, names in fed.items():
        mine = [f for f in found if f.name in names]
        view = feeds.together(mine)
        without = feeds.together([f for f in mine if f.log_odds <= SURE])
        whole[node] = weight(view)
        rest[node] = weight(replace(without, impact=view.impact))
        if paid[node] != NOT_LOOKED and all(f.log_odds <= SURE for f in mine):
            # The mean of two views' Bayes factors: either may be the one that sees it.
            by_labels = weight(paid[node]) - float(np.log(2))
            whole[node] = float(np.logaddexp(whole[node] - np.log(2), by_labels))
            rest[node] = float(np.logaddexp(rest[node] - np.log(2), by_labels))
    along = {}
    for f in found:
        weights = whole if f.log_odds > SURE else rest
        own = [weights[n] for n, names in fed.items() if f.name in names]
        along[f.name] = max(own, default=-np.inf) + min(f.log_odds, 0.0)
    return list(whole.values()), along


def _taken_along(found: list[Finding], along: Mapping[str, float], none: float) -> frozenset[str]:
    """Features that changed with others of a feed that may well have broken."""
    return frozenset(
        f.name
        for f in found
        if f.log_odds > CHANGED and odds.probability(along[f.name] - none) > WORTH_A_LOOK
    )


def _worth_following(shares: dict[str, float]) -> str:
    """The likeliest answer; but "none" ends the walk, and the lineage can still tell."""
    likely = max(shares, key=lambda k: shares[k])
    doubtful = shares["inputs"] >= max(WORTH_A_LOOK, shares["model"])
    return "inputs" if likely == "none" and doubtful else likely


def _credited(found: list[Finding], size: dict[str, float]) -> list[Finding]:
    """Broken features with the impact that shows only where the surrogate never was."""
    out = []
    for f in found:
        view = f.views["marginal"]
        seen = replace(view, impact=max(view.impact, size.get(f.name, 0.0)))
        out.append(replace(f, views={**f.views, "marginal": seen}))
    return out


def _with_outcomes(f: Finding, speaks: float) -> Finding:
    """A feature with what outcomes say for its values, in each view that had not asked them."""
    views = {
        name: v if name == "labels" else replace(v, log_odds=v.log_odds + speaks * (v.log_odds > 0))
        for name, v in f.views.items()
    }
    return replace(f, views=views)
