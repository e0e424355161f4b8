"""What a step may use before it asks: bytes that its queries read, and seconds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Resource = Literal["bytes", "seconds"]

_UNITS = ((1e15, "PB"), (1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB"))


@dataclass(frozen=True)
class Excess:
    """A step needs ``needs`` of a resource and may have ``may``, in bytes or in seconds.

    Bytes are those that its next query would read, and all that its queries before it did: what
    the step needs at least. Seconds are those after which it was stopped.
    """

    of: Resource
    needs: float
    may: float

    @property
    def sentence(self) -> str:
        """What a person reads."""
        needs, may = amount(self.of, self.needs), amount(self.of, self.may)
        if self.of == "bytes":
            said = f"about {needs}, more" if needs != may else "a little more"
            return f"This would read {said} than the {may} that you allow a step."
        return f"This was stopped after {needs}, which is what you allow a step."


class OverBudget(Exception):
    """A step needs more than it may have; what would have gone over was not done."""

    for_people = True

    def __init__(self, excess: Excess, message: str = "") -> None:
        super().__init__(excess, message)
        self.excess = excess
        key = "gigabytes" if excess.of == "bytes" else "seconds"
        hint = f"Choose a shorter window, or raise `{key}` under [budget] in the settings."
        self.message = message or f"{excess.sentence} {hint}"

    def __str__(self) -> str:
        return self.message


def amount(of: Resource, number: float) -> str:
    """48e9 bytes as "48 GB" (units of 1,000), 600 seconds as "10 min"."""
    if of == "seconds":
        if number < 120:
            return f"{number:.3g} s"
        return f"{number / 60:.3g} min" if number < 7200 else f"{number / 3600:.3g} h"
    size, unit = next(((s, u) for s, u in _UNITS if number >= s), (1.0, "bytes"))
    value = number / size
    return f"{value:.2g} {unit}" if value < 10 else f"{value:,.0f} {unit}"
