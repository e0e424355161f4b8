"""An alert that its series leaves in doubt: did infrastructure break as it began?"""

from __future__ import annotations

import math
from dataclasses import dataclass

from analysis import infra, words
from analysis.evidence import CannotExamine, Scope
from analysis.infra_series import Broken, breaks
from analysis.warehouse import Warehouse

DOUBTFUL = 0.1, 0.6
"""Between these probabilities that an alert is real infrastructure is asked."""
BREAKS, BREAKS_ANYWAY = 0.16, 0.03
"""How often infrastructure breaks as a real alert begins, and within hours of any moment."""


@dataclass(frozen=True)
class Breakage:
    """The series that broke most clearly as the alert began, and the log odds that one did."""

    what: Broken
    log_odds: float

    def weighed(self, probability: float) -> float:
        """The probability that the alert is real, 0 to 1, with this known too (Bayes' rule)."""
        factor = math.exp(self.log_odds)
        real, alarm = (1 - often + often * factor for often in (BREAKS, BREAKS_ANYWAY))
        return probability * real / (probability * real + (1 - probability) * alarm)

    @property
    def said(self) -> str:
        """A sentence for an alert that is followed because of it."""
        return (
            f" That alone would hardly be an alert, but `{self.what.service}` broke at "
            f"{words.clock(self.what.at)}: {infra.change(self.what)}."
        )


def look(warehouse: Warehouse, scope: Scope, probability: float) -> Breakage | None:
    """What infrastructure did as an alert began that is real with this ``probability``; None where
    it is in no doubt, or no infrastructure is recorded."""
    if not DOUBTFUL[0] < probability < DOUBTFUL[1]:
        return None
    try:
        ranked = breaks(warehouse, scope)
    except CannotExamine:
        return None
    chance = min(max(infra.probability_of_break(ranked), 0.003), 0.997)
    return Breakage(ranked[0], math.log(chance / (1 - chance))) if ranked else None
