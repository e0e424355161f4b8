"""Bounded samples of a large log, drawn where it lies; the same rows for the same seed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from analysis.inputs.blocks import BLOCK
from analysis.portable import HASHED, LOT, LOTS, lots
from analysis.tables import Role

if TYPE_CHECKING:
    import pandas as pd

STANDS_FOR = "_stands_for"
"""Column with the number of rows that a drawn one stands for."""

Part = tuple[Callable[[Any], Any], float]
"""Which rows of a table belong to a part, and the share of them that is drawn."""


def uniform(table: Any, rows: int, seed: int, window: tuple[int, ...] = ()) -> pd.DataFrame:
    """About ``rows`` rows of a table with BLOCK, a third of them from the ``window``'s blocks."""
    sizes = table.group_by(BLOCK).aggregate(n=table.count()).to_pandas()
    mine = sizes[BLOCK].isin(window)
    late, early = int(sizes.loc[mine, "n"].sum()), int(sizes.loc[~mine, "n"].sum())
    some = min(late, rows // 3)
    drawn = [
        (_in(window, True), _share(late, some)),
        (_in(window, False), _share(early, rows - some)),
    ]
    return _fetched(table, drawn if late + early > rows else (), rows, seed)


def case_control(table: Any, rows: int, seed: int, window: tuple[int, ...] = ()) -> pd.DataFrame:
    """The same of labelled rows; of a rare outcome, 1 or 0, as many as are half of them.

    Only the intercept of a logistic model of the outcome is another in such a sample (Prentice and
    Pyke 1979; King and Zeng 2001, "Logistic regression in rare events data"); the column STANDS_FOR
    says by how much. Labels that are no outcomes are drawn as by :func:`uniform`.
    """
    label = table[Role.LABEL]
    sizes = table.group_by(BLOCK).aggregate(
        n=table.count(), yes=(label == 1).sum(), no=(label == 0).sum()
    )
    frame = sizes.to_pandas().astype({"n": int, "yes": int, "no": int})
    if (frame["yes"] + frame["no"] < frame["n"]).any():
        return uniform(table, rows, seed, window)
    mine = frame[BLOCK].isin(window)
    some = min(int(frame.loc[mine, "n"].sum()), rows // 3)
    drawn = []
    for inside, most in ((True, some), (False, rows - some)):
        yes, no = (int(frame.loc[mine == inside, side].sum()) for side in ("yes", "no"))
        rare = min(yes, no, most // 2)
        wanted = (rare, most - rare) if yes <= no else (most - rare, rare)
        for outcome, total, much in ((1, yes, wanted[0]), (0, no, wanted[1])):
            drawn.append((_in(window, inside, outcome), _share(total, much)))
    if frame["n"].sum() <= rows:
        return _fetched(table, (), rows, seed)
    found = _fetched(table, drawn, rows, seed)
    for of, share in drawn:
        found.loc[of(found), STANDS_FOR] = 1 / share
    return found


def _in(window: tuple[int, ...], inside: bool, outcome: int | None = None) -> Callable[[Any], Any]:
    """Rows of the ``window``'s blocks, or of the others; those with an ``outcome`` alone."""

    def rows(table: Any) -> Any:
        recent = table[BLOCK].isin(window or (-2,))
        mine = recent if inside else ~recent
        return mine if outcome is None else mine & (table[Role.LABEL] == outcome)

    return rows


def _share(total: int, wanted: int) -> float:
    """Of all rows the share to draw, in whole lots."""
    return max(1, round(LOTS * min(1.0, wanted / max(total, 1)))) / LOTS


def _fetched(table: Any, parts: Sequence[Part], rows: int, seed: int) -> pd.DataFrame:
    """The drawn rows of each part; all rows without ``parts``."""
    if parts:
        columns = table.columns
        ready = lots(table, columns[:HASHED], seed)
        drawn = [of(ready) & (ready[LOT] < round(LOTS * share)) for of, share in parts]
        kept = drawn[0]
        for more in drawn[1:]:
            kept |= more
        table = ready.filter(kept).select(columns)
    frame: pd.DataFrame = table.limit(2 * rows).to_pandas()
    return frame
