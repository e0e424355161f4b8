"""How likely each class of cause is, from what moved and what did not.

Each class moves some things and leaves others alone; Bayes' rule, with a Bayes factor per thing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from analysis import odds

ALWAYS = ("model", "traffic", "infrastructure")
PRIOR = {"model": 0.55, "traffic": 0.15, "infrastructure": 0.15, "world": 0.15, "labels": 0.1}
"""How often each class is the cause, before anything is seen, beside the others; uninformative on
purpose. Labels are not always among them."""
MOVES: Mapping[str, Mapping[str, float]] = {
    # A broken model is wrong; the world does not move for it, nor do requests stay away. Its labels
    # may be missing. One arm alone may be hit: nothing that happens outside singles one out.
    "model": {
        "quality": 0.85,
        "labels": 0.05,
        "predictions": 0.6,
        "mix": 0.04,
        "infra": 0.02,
        "arms": 0.3,
        "volume": 0.01,
        "arrivals": 0.02,
        "delivery": 0.3,
        "skill": 0.35,
    },
    # A storm moves labels and predictions together; an extreme one strains the model a little, but
    # leaves it most of its skill. What is delayed or called off gets its label later, or none.
    "world": {
        "quality": 0.25,
        "labels": 0.9,
        "predictions": 0.9,
        "mix": 0.08,
        "infra": 0.02,
        "arms": 0.02,
        "volume": 0.5,
        "arrivals": 0.15,
        "delivery": 0.1,
        "skill": 0.02,
    },
    # More requests are more load: infrastructure follows.
    "traffic": {
        "quality": 0.15,
        "labels": 0.4,
        "predictions": 0.3,
        "mix": 0.96,
        "infra": 0.15,
        "arms": 0.03,
        "volume": 0.8,
        "arrivals": 0.04,
        "delivery": 0.1,
        "skill": 0.02,
    },
    # Missing features or timeouts usually leave predictions off, labels as they were. Requests
    # that fail are missing from the log.
    "infrastructure": {
        "quality": 0.6,
        "labels": 0.05,
        "predictions": 0.6,
        "mix": 0.1,
        "infra": 0.98,
        "arms": 0.1,
        "volume": 0.5,
        "arrivals": 0.1,
        "delivery": 0.4,
        "skill": 0.3,
    },
    # Labels that come late or not at all: those that are here may not be like the others, so that
    # figures move. What delivers them is infrastructure too.
    "labels": {
        "quality": 0.4,
        "labels": 0.4,
        "predictions": 0.03,
        "mix": 0.04,
        "infra": 0.4,
        "arms": 0.02,
        "volume": 0.02,
        "arrivals": 0.97,
        "delivery": 0.6,
        "skill": 0.1,
    },
}
"""How likely each thing moves visibly, by class of cause: plain reasoning, not fitted."""
DEMAND: Mapping[str, float] = {
    "quality": 0.1,
    "labels": 0.1,
    "predictions": 0.1,
    "mix": 0.08,
    "infra": 0.02,
    "arms": 0.02,
    "volume": 0.95,
    "arrivals": 0.03,
    "delivery": 0.1,
    "skill": 0.02,
}
"""Another world that changes: on a holiday fewer requests come, each of them as ever. One story of
the world is as likely as the other, where the volume is looked at."""
DRIFT: Mapping[str, float] = {
    "quality": 0.95,
    "labels": 0.95,
    "predictions": 0.1,
    "mix": 0.08,
    "infra": 0.02,
    "arms": 0.02,
    "volume": 0.05,
    "arrivals": 0.03,
    "delivery": 0.1,
    "skill": 0.35,
}
"""A third one: what happens to the same requests is no longer the same (concept drift: Widmer and
Kubat 1996), and no model knows. How labels are made may have changed just as well …"""
SUDDEN = 0.06
"""… and within hours that is the likelier, so that this story is as rare beside the others."""
LOST: Mapping[str, float] = {
    "quality": 0.95,
    "labels": 0.95,
    "predictions": 0.04,
    "mix": 0.04,
    "infra": 0.3,
    "arms": 0.02,
    "volume": 0.02,
    "arrivals": 0.1,
    "delivery": 0.95,
    "skill": 0.35,
}
"""Another story of labels: what delivers them broke, and those that are written are wrong. It is
told where something is seen to have broken: without that it looks like a world that changed."""
STRONGEST = 6.0
"""No single thing counts for more than this many units of log odds."""
ALONG = 0.9, 0.3
"""Where the world moves labels, predictions move by this part of it, give or take so much …"""
ASTRAY = 2.0
"""… and where something else does, by any part within a range of this width."""


def weigh(moved: Mapping[str, float], along: float | None = None) -> dict[str, float]:
    """Probability of each class, from log odds that each thing moved; unseen things are left out.

    A thing that a class moves with probability π counts (1 − π) + π · BF for that class. Labels
    that moved without the predictions (``along``) are hardly a sign of a world that changed. Labels
    are no class where the log does not say when they came and nothing broke that delivers them.
    """
    weights = {name: math.log(PRIOR[name]) + _explains(MOVES[name], moved) for name in ALWAYS}
    stories = [(1.0, _explains(MOVES["world"], moved) + _went_along(along))]
    if "volume" in moved:
        stories.append((1.0, _explains(DEMAND, moved)))
    if "labels" in moved:
        stories.append((SUDDEN, _explains(DRIFT, moved)))
    weights["world"] = math.log(PRIOR["world"]) + odds.mixed(stories)
    told = [(1.0, _explains(MOVES["labels"], moved))] if "arrivals" in moved else []
    if "delivery" in moved:
        told.append((1.0, _explains(LOST, moved)))
    if told:
        weights["labels"] = math.log(PRIOR["labels"]) + odds.mixed(told)
    return odds.share_out(weights)


def _explains(moves: Mapping[str, float], moved: Mapping[str, float]) -> float:
    """Log Bayes factor of a cause that moves these things so often."""
    total = 0.0
    for thing, log_odds in moved.items():
        factor = math.exp(min(max(log_odds, -STRONGEST), STRONGEST))
        total += math.log(1 - moves[thing] + moves[thing] * factor)
    return total


def _went_along(part: float | None) -> float:
    """Log Bayes factor for a world that moved labels and predictions: normal against uniform."""
    if part is None:
        return 0.0
    z = (part - ALONG[0]) / ALONG[1]
    density = math.exp(-z * z / 2) / (ALONG[1] * math.sqrt(2 * math.pi))
    return max(math.log(density * ASTRAY + 1e-9), -STRONGEST)
