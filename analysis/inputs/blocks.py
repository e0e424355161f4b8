"""Same clock hours of earlier days: what a window is compared with.

A *block* is the window moved back by whole days. Block 0 is the window itself, block ``k`` the
same hours ``k`` days earlier. The spread of a figure over earlier blocks is its natural drift.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from analysis.evidence import CannotExamine, Scope, Window
from analysis.portable import whole_seconds
from analysis.tables import Role
from analysis.warehouse import naive

DAY = timedelta(days=1)
FEWEST_BLOCKS = 3
REACH = timedelta(hours=4)
"""How far the edge comparison looks on either side of the onset."""
BLOCK = "_block"
"""Column with the number of a row's block."""
SINCE = "_since"
"""Column with the seconds since the start of a row's block."""


@dataclass(frozen=True)
class Comparison:
    """The examined window, and ``count`` earlier blocks, each ``period`` before the next.

    ``same_hours`` is False where the history is too short for three earlier days and stretches
    of the same length right before the window stand in for them. It may have begun up to ``doubt``
    before the window does.
    """

    window: Window
    period: timedelta
    count: int
    gap: int
    same_hours: bool
    doubt: timedelta = timedelta(0)

    @property
    def low(self) -> Any:
        """Start of the earliest block, aware."""
        return self.window.start - self.period * (self.gap + self.count - 1)

    @property
    def baseline(self) -> Window:
        """From the earliest block's start to the latest earlier block's end."""
        return Window(self.low, self.low + self.period * (self.count - 1) + self.window.length)

    def tagged(self, table: Any) -> Any:
        """Rows of the window and of the blocks, with their number in the column BLOCK.

        ``table`` is an Ibis table with Role.TIME.
        """
        seconds = whole_seconds(table[Role.TIME]) - int(naive_seconds(self.window.start))
        period = int(self.period.total_seconds())
        # Integer arithmetic on positive numbers: engines disagree on the floor of negatives.
        shift = (self.gap + self.count + 1) * period
        back = (shift + seconds) // period
        table = table.mutate(**{BLOCK: (self.gap + self.count + 1 - back).cast("int64")})
        within = (shift + seconds) % period < int(self.window.length.total_seconds())
        block = table[BLOCK]
        wanted = (block == 0) | ((block >= self.gap) & (block < self.gap + self.count))
        return table.filter(within, wanted)


def edges(c: Comparison, table: Any) -> Any:
    """Rows up to REACH before it began, for certain, and after the window's start; and the
    same hours earlier.

    The column BLOCK holds twice the block's number, plus 1 for the rows after.
    """
    tagged = _around(c).tagged(table)
    start, period = int(naive_seconds(c.window.start)), int(c.period.total_seconds())
    since = whole_seconds(tagged[Role.TIME]) - start + tagged[BLOCK] * period
    tagged = tagged.mutate(**{SINCE: since})
    since = tagged[SINCE]
    certain = tagged.filter((since >= 0) | (since < -int(c.doubt.total_seconds())))
    after = (certain[SINCE] >= 0).ifelse(1, 0)
    return certain.mutate(**{BLOCK: certain[BLOCK] * 2 + after}).drop(SINCE)


def _around(c: Comparison) -> Comparison:
    start = c.window.start
    return replace(c, window=Window(start - c.doubt - REACH, start + min(REACH, c.window.length)))


def blocks_of(c: Comparison, times: Any) -> Any:
    """What :meth:`Comparison.tagged` gives, for times in memory (datetime64[us], naive UTC).

    Shape (rows,), -1 for rows of no block.
    """
    import numpy as np

    second = np.timedelta64(1, "s")
    seconds = (times - np.datetime64(naive(c.window.start))) // second
    period = int(c.period.total_seconds())
    back = -(seconds // period)
    within = seconds % period < int(c.window.length.total_seconds())
    wanted = (back == 0) | ((back >= c.gap) & (back < c.gap + c.count))
    return np.where(within & wanted, back, -1).astype(np.int64)


def edges_of(c: Comparison, times: Any) -> Any:
    """What :func:`edges` gives, for times in memory; -1 for rows of no edge."""
    import numpy as np

    block = blocks_of(_around(c), times)
    seconds = (times - np.datetime64(naive(c.window.start))) // np.timedelta64(1, "s")
    seconds = seconds + block * int(c.period.total_seconds())
    certain = (seconds >= 0) | (seconds < -int(c.doubt.total_seconds()))
    return np.where((block >= 0) & certain, 2 * block + (seconds >= 0), -1).astype(np.int64)


def compare(scope: Scope, longest: timedelta = DAY) -> Comparison:
    """The blocks for ``scope``: its first day at most, against earlier days of its baseline.

    Raises CannotExamine when the baseline holds fewer than three blocks of any kind.
    """
    window = scope.window
    if window.length > longest:
        window = Window(window.start, window.start + longest)
    for period, same in ((DAY, True), (window.length, False)):
        if period < window.length:
            continue
        gap = max(1, _ceil((window.end - scope.baseline.end) / period))
        # A block that reaches past the baseline's end by a little would hold the onset.
        room = window.start - period * gap - scope.baseline.start
        count = int(room / period) + 1 if room >= timedelta(0) else 0
        if count >= FEWEST_BLOCKS:
            return Comparison(window, period, min(count, 28), gap, same, _doubt(scope, period))
    hours = scope.baseline.length.total_seconds() / 3600
    raise CannotExamine(
        f"The history before the onset has {hours:.1f} hours, the window "
        f"{window.length.total_seconds() / 3600:.1f}: at least three times as much is needed. "
        "Choose a shorter window or a later onset."
    )


def _doubt(scope: Scope, period: timedelta) -> timedelta:
    """How long before the window it may have begun, where the hours before it may all be of the
    incident; at most half of what blocks are apart."""
    doubt = scope.window.start - scope.onset.low if scope.onset else timedelta(0)
    return min(doubt, period / 2) if doubt > REACH else timedelta(0)


def naive_seconds(moment: Any) -> float:
    """Seconds since 1970 of an aware moment, as the engine counts them."""
    from datetime import datetime

    return (naive(moment) - datetime(1970, 1, 1)).total_seconds()


def _ceil(value: float) -> int:
    return int(-(-value // 1))
