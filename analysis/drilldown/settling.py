"""From the segment with the largest gain to the one that people would name.

The largest gain is too wide where several children of a segment moved, and too narrow where one
child carries most of the traffic. A segment is narrowed to the part that plainly moved, widened
while its siblings moved too, and siblings found one by one become their parent.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from analysis.drilldown.leaves import ROUNDING, Leaves, Noise, Segment, bases, sizes
from analysis.quality import Floats

STILL = 0.4
"""A segment of whose expectation this part plainly did not move is narrowed."""
ALIKE = 0.3
"""A part moved along when it moved by this share of the others' change."""


def settled(
    leaves: Leaves,
    cuboid: tuple[int, ...],
    members: NDArray[np.bool_],
    difference: Floats,
    base: Floats,
    noise: Noise,
    free: NDArray[np.bool_],
    deepest: int,
) -> tuple[tuple[int, ...], NDArray[np.bool_]]:
    """The candidate narrowed to the part that moved, then widened while its siblings moved too.

    The largest gain alone is too wide where several children of a segment moved (their sum beats
    each of them), and too narrow where one child carries most of the traffic.
    """
    for _ in range(deepest):
        for dim in range(len(leaves.dims)):
            if dim in cuboid or len(cuboid) == deepest:
                continue
            parts = Parts.of(leaves.codes[dim], members & free, difference, base, noise)
            if parts.quiet > STILL:
                cuboid = tuple(sorted((*cuboid, dim)))
                members = members & (leaves.codes[dim] == parts.loudest)
                break
        else:
            break
    for _ in range(len(cuboid) - 1):
        for dim in reversed(cuboid):
            wider = tuple(d for d in cuboid if d != dim)
            first = int(np.flatnonzero(members)[0])
            around = np.ones(len(base), dtype=bool)
            for d in wider:
                around &= leaves.codes[d] == leaves.codes[d][first]
            siblings = around & free & ~members
            mine = float(difference[members & free].sum() / max(base[members & free].sum(), 1e-9))
            parts = Parts.of(leaves.codes[dim], siblings, difference, base, noise, mine)
            if parts.moved >= parts.quiet:
                cuboid, members = wider, around
                break
        else:
            break
    return cuboid, members


@dataclass(frozen=True)
class Parts:
    """A segment cut along one dimension: shares of its expectation that plainly moved along
    (``moved``) and plainly did not (``quiet``); the rest is too small to tell."""

    moved: float
    quiet: float
    loudest: int

    @classmethod
    def of(
        cls,
        codes: NDArray[np.int64],
        chosen: NDArray[np.bool_],
        difference: Floats,
        base: Floats,
        noise: Noise,
        like: float | None = None,
    ) -> Parts:
        """Cut by ``codes``; ``like`` is the change to compare with, that of the whole when None:
        the loudest of many small parts is loud by luck."""
        if not chosen.any():
            return cls(0.0, 0.0, -1)
        key, count = codes[chosen], int(codes.max()) + 1
        weight = noise.weight(base[chosen])
        below = np.bincount(key, weight * base[chosen], count)
        above = np.bincount(key, weight * difference[chosen], count)
        expected = np.bincount(key, base[chosen], count)
        with np.errstate(all="ignore"):
            change = np.where(below > 0, above / below, 0.0)
            error = np.where(below > 0, 1 / np.sqrt(below), np.inf)
            gain = np.where(below > 0, above**2 / below, 0.0)
        loudest = int(np.argmax(gain))
        if like is None:
            like = float(above.sum() / max(float(below.sum()), 1e-12))
        along = change * np.sign(like)
        clear = error < 0.25 * abs(like)
        total = max(float(expected.sum()), 1e-12)
        went = along >= ALIKE * abs(like)
        return cls(
            float(expected[clear & went].sum()) / total,
            float(expected[clear & ~went].sum()) / total,
            loudest,
        )


def merged(
    leaves: Leaves, found: list[Segment], now: Floats, was: Floats, noise: Noise
) -> list[Segment]:
    """Siblings that were found one by one become their parent where most of it moved."""
    difference, base = now - was, bases(now, was)
    for _ in range(len(found)):
        pair = next(_siblings(found), None)
        if pair is None:
            return found
        shared, dim, alike = pair
        around = np.ones(len(was), dtype=bool)
        for name, value in shared.items():
            place = leaves.dims.index(name)
            around &= leaves.levels[place][leaves.codes[place]] == value
        like = max(alike, key=lambda s: s.score)
        change = float(difference[like.leaves].sum() / max(base[like.leaves].sum(), 1e-9))
        parts = Parts.of(
            leaves.codes[leaves.dims.index(dim)], around, difference, base, noise, change
        )
        if parts.moved < 2 * parts.quiet:
            kept = [s for s in found if s not in alike]
            return [*merged(leaves, kept, now, was, noise), *alike] if kept else found
        moved, whole = float(difference[around].sum()), float(difference.sum())
        parent = Segment(
            shared,
            like.effect,
            moved / whole if abs(whole) > ROUNDING * float(base.sum()) else 0.0,
            math.sqrt(noise.gain(difference[around], sizes(now, was)[around])),
            float(now[around].sum()),
            float(was[around].sum()),
            np.flatnonzero(around),
        )
        found = [parent, *(s for s in found if s not in alike)]
        found.sort(key=lambda s: -s.score)
    return found


def _siblings(found: list[Segment]) -> Iterator[tuple[dict[str, str], str, list[Segment]]]:
    """Segments that differ in one dimension's value alone, with what they share."""
    for one in found:
        for dim in one.where:
            shared = {k: v for k, v in one.where.items() if k != dim}
            alike = [
                s
                for s in found
                if dim in s.where and {k: v for k, v in s.where.items() if k != dim} == shared
            ]
            if len(alike) > 1 and shared:
                yield shared, dim, alike


def absorbed(found: list[Segment], now: Floats, was: Floats) -> list[Segment]:
    """Without segments inside of another that moved alike: the wider one says it all.

    A part is found beside the whole where it moved by more than the rest; it stays where it moved
    the other way, or so much more that the rest is hardly worth a word (ALIKE).
    """
    difference, base = now - was, bases(now, was)

    def change(one: Segment) -> float:
        return float(difference[one.leaves].sum() / max(float(base[one.leaves].sum()), 1e-9))

    kept = list(found)
    for part in found:
        for whole in found:
            if part is whole or not whole.where.items() < part.where.items():
                continue
            if part in kept and change(whole) / (change(part) or 1e-9) >= ALIKE:
                kept.remove(part)
                at = next((i for i, s in enumerate(kept) if s.where == whole.where), None)
                if at is not None:
                    kept[at] = _joined(kept[at], part, now, was)
    return kept


def _joined(whole: Segment, part: Segment, now: Floats, was: Floats) -> Segment:
    """The whole with the part's leaves, share and amounts, where it did not have them yet."""
    together = np.union1d(whole.leaves, part.leaves)
    if len(together) == len(whole.leaves):
        return whole
    return replace(
        whole,
        share=whole.share + part.share,
        score=math.hypot(whole.score, part.score),
        actual=float(now[together].sum()),
        expected=float(was[together].sum()),
        leaves=together,
    )
