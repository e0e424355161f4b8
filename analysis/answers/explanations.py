"""Is a difference between two snapshots' answers one that a good retraining makes?

The null is empirical: how far the answers moved at earlier publishes of the same chain, in the
same directions and over the same span of hours, is taken as normally distributed with a
covariance learned from them (empirical Bayes; Efron & Morris 1973, by the expectation-maximisation
of Dempster, Laird & Rubin 1977). Four explanations are weighed by their marginal likelihoods:

- a publish as usual;
- something shook all answers (inputs that no stand-in knows): snapshots that served on show it;
- the snapshot moved its answers by several times the usual (in any direction, or all alike), and
  they are worse;
- it moved them, but they are no worse: somebody meant to.

The Bayes factor of the third against the others is what is returned. Whatever the constants, a
true null exceeds a Bayes factor of B in at most 1 / B of the cases (Ville 1939, Markov's bound),
as far as earlier publishes are like the next good one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Floats = np.ndarray[Any, np.dtype[Any]]

USUAL = 0.15
"""Before any publish was seen: a retraining moves answers by so many standard deviations."""
WORTH = 2
"""That counts as much as so many publishes."""
LARGER = np.array([2.0, 3.0, 5.0, 8.0, 13.0, 20.0, 32.0])
"""A bad snapshot moves answers by so many times the usual, each as likely; less is not noticed."""
ALIKE, TILTED = 0.1, LARGER[2:]
"""So often it moves them all alike alone, and by so much: less is hardly told from a good one."""
SHAKEN = np.array([0.0, 1.0, 2.0, 4.0, 8.0, 16.0])
"""By so many times the usual something else may have shaken them; 0: it did not."""
SHAKES = 0.1
"""So often an incident that is no snapshot's shakes the answers to familiar inputs."""
MEANT = 0.05
"""And so often a publish beside it moved them on purpose."""


@dataclass(frozen=True)
class Difference:
    """Least-squares sums of new rows about what the old snapshot would answer.

    ``precision`` and ``weighted`` are of the coefficients in standard deviations of the answers;
    ``old`` is the covariance of the old snapshot's own coefficients; ``rows`` how many new ones.
    """

    precision: Floats
    weighted: Floats
    old: Floats
    rows: int

    def log_likelihood(self, covariance: Floats) -> float:
        """Log marginal likelihood, less a constant, of differences with this covariance."""
        root: Floats = np.linalg.cholesky(covariance + self.old)
        inner = np.eye(len(root)) + root.T @ self.precision @ root
        score = root.T @ self.weighted
        size = float(score @ np.linalg.solve(inner, score))
        return 0.5 * size - 0.5 * float(np.linalg.slogdet(inner)[1])

    def mean(self, covariance: Floats) -> Floats:
        """The expected difference, were its covariance this one."""
        prior = np.linalg.inv(covariance)
        precision, at = self._seen()
        out: Floats = np.linalg.solve(prior + precision, precision @ at)
        return out

    def square(self, covariance: Floats) -> Floats:
        """The expected square in each direction, were its covariance this one."""
        seen = self._seen()[0]
        left = np.linalg.inv(np.linalg.inv(covariance) + seen)
        out: Floats = self.mean(covariance) ** 2 + np.diag(left)
        return out

    def _seen(self) -> tuple[Floats, Floats]:
        """Precision and value of the difference alone, the old snapshot's error included."""
        some = self.precision + 1e-6 * np.eye(len(self.weighted))
        precision: Floats = np.linalg.inv(np.linalg.inv(some) + self.old)
        at: Floats = np.linalg.solve(some, self.weighted)
        return precision, at


@dataclass(frozen=True)
class Usual:
    """What retrainings do: ``covariance`` of their differences, known from ``seen`` publishes."""

    covariance: Floats
    seen: int

    @property
    def size(self) -> float:
        """Typical size of a difference, in standard deviations of the answers."""
        return float(np.sqrt(np.trace(self.covariance)))

    def larger(self, times: float) -> Floats:
        """The covariance of differences so many times as large, in any direction."""
        d = len(self.covariance)
        return self.covariance + np.eye(d) * (times * self.size) ** 2 / d

    def tilted(self, times: float) -> Floats:
        """The covariance of differences so many times as large in the mean answer alone."""
        out = self.covariance.copy()
        out[0, 0] *= 1 + times**2
        return out

    def scales(self) -> Floats:
        """Factors, equally likely, by which the true variance may differ from the one learned."""
        from scipy.stats import chi2

        freedom = self.seen + WORTH
        out: Floats = freedom / chi2.ppf((np.arange(7) + 0.5) / 7, freedom)
        return out


def usual_before(directions: int) -> Usual:
    """What is usual before any publish was seen."""
    return Usual(np.eye(directions) * USUAL**2 / directions, 0)


def usual(past: Sequence[Difference], directions: int) -> Usual:
    """What was usual at ``past`` publishes.

    Variances of directions are held halfway to their mean: few publishes tell them apart badly,
    and a change in one that is always still is no larger for that.
    """
    prior = usual_before(directions).covariance
    now = prior
    for _ in range(8):
        squares = [d.square(now) for d in past]
        total = WORTH * np.diag(prior) + np.sum(squares, axis=0) if past else np.diag(prior) * WORTH
        each = total / (WORTH + len(past))
        now = np.diag(0.5 * each + 0.5 * each.mean())
    return Usual(now, len(past))


@dataclass(frozen=True)
class Loss:
    """Mean loss of new answers minus that of the old snapshot's, beyond what is usual.

    ``error`` is its standard error, the usual spread between publishes included. ``due`` is what
    it would be if the old answers were right: the mean divergence of the new from the old
    (Kullback & Leibler 1951). ``whole`` is the loss of knowing no input, as a part of its most: of
    rare outcomes any loss is small.
    """

    gap: float
    error: float
    due: float
    whole: float = 1.0

    def log_likelihoods(self) -> dict[str, float]:
        """Of the gap: as usual, shaken, moved for the worse, moved on purpose."""
        shares = np.linspace(0.25, 1.25, 5)
        better = np.linspace(-1.0, 0.0, 5)
        # Better than usual is no sign against a good snapshot.
        return {
            "usual": _density(max(self.gap, 0.0), 0.0, self.error),
            "shaken": _density(self.gap, 0.0, float(np.hypot(self.error, self.due))),
            "worse": _mean([_density(self.gap, s * self.due, self.error) for s in shares]),
            "meant": _mean([_density(self.gap, s * self.due, self.error) for s in better]),
        }


STILL: Floats = np.array([1.0, *[0.0] * (len(SHAKEN) - 1)])
"""Chances of each of SHAKEN where nothing can have shaken the answers."""
UNSEEN = dict.fromkeys(("usual", "shaken", "worse", "meant"), 0.0)


def _density(value: float, middle: float, scale: float) -> float:
    """Log density of Student's t with 8 degrees of freedom: losses have heavy tails."""
    from scipy.stats import t

    return float(t.logpdf((value - middle) / scale, 8) - np.log(scale))


def _mean(logs: Sequence[float]) -> float:
    return float(np.logaddexp.reduce(logs)) - float(np.log(len(logs)))


def shaken(witnesses: Sequence[tuple[Difference, Usual]]) -> Floats:
    """Chances of each of SHAKEN, from snapshots that served before and since without a publish."""
    logs = np.log(np.array([1 - SHAKES, *[SHAKES / (len(SHAKEN) - 1)] * (len(SHAKEN) - 1)]))
    for difference, known in witnesses:
        logs = logs + [difference.log_likelihood(known.larger(s)) for s in SHAKEN]
    out: Floats = np.exp(logs - np.logaddexp.reduce(logs))
    return out


def log_bayes_factor(
    seen: Difference, known: Usual, chances: Floats, losses: dict[str, float] = UNSEEN
) -> float:
    """Evidence that the snapshot moved its answers for the worse; ``chances`` as from shaken()."""
    as_usual = _mean([seen.log_likelihood(s * known.covariance) for s in known.scales()])
    others = [seen.log_likelihood(known.larger(s)) for s in SHAKEN[1:]]
    moved = [
        np.log(chance)
        + _mean([seen.log_likelihood(known.larger(float(np.hypot(s, r)))) for r in LARGER])
        for s, chance in zip(SHAKEN, chances, strict=True)
        if chance > 0
    ]
    # A wrong base rate moves all answers alike, and nothing else about them.
    tilted = _mean([seen.log_likelihood(known.tilted(float(r))) for r in TILTED])
    tilted += float(np.log(ALIKE) + np.log(chances[0]))
    own = float(np.logaddexp.reduce([*(m + np.log(1 - ALIKE) for m in moved), tilted]))
    with np.errstate(divide="ignore"):
        weights = np.log(chances) + np.log(1 - MEANT)
    innocent = [weights[0] + as_usual + losses["usual"]]
    innocent += [w + o + losses["shaken"] for w, o in zip(weights[1:], others, strict=True)]
    innocent.append(np.log(MEANT) + own + losses["meant"])
    return own + losses["worse"] - float(np.logaddexp.reduce(innocent))
