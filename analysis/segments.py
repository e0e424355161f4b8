"""The minimal set of dimension=value combinations that explains a change.

``explain`` is least squares with one parameter per segment. Each leaf cell (a value of every
dimension) has a deviation from what was expected of it; a root cause moves all of its leaves by
the same factor (Squeeze, Li et al. 2019: "generalised ripple effect"). Fitting one deviation on
a candidate segment lowers the weighted squared error by (Σ w d)² / Σ w: more than any of its
parents (whose other leaves did not move) and more than any of its children (which miss leaves).
So the best candidate over all cuboids is taken, its leaves are set aside, and so on, until the
gain is no more than the best of that many candidates would have by chance.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from analysis import odds, words
from analysis.cells import (
    CONFIRMED,
    SURE,
    against_usual,
    label_shift,
    load_cells,
    metric_of,
    share_shift,
)
from analysis.charts.bars import Bar, segment_bars
from analysis.evidence import Chart, Evidence, How, Scope, Suspect, Table
from analysis.metrics import BLOCK, Blocks
from analysis.odds import Shift
from analysis.quality import Floats
from analysis.warehouse import Warehouse

if TYPE_CHECKING:
    import pandas as pd

METHOD = (
    "Cells of all dimensions now against the same hours of earlier days; the fewest segments of up "
    "to three dimensions whose cells moved together, by least squares with one parameter each "
    "(after Squeeze, Li et al. 2019). Each is then held against its own spread over earlier days."
)
MOST_CAUSES = 5
DEEPEST = 3


@dataclass(frozen=True)
class Segment:
    """One segment: ``where`` it is, what kind of change, its share of the whole change.

    ``score`` is the mean relative deviation of its leaves in units of the leaves' noise.
    """

    where: dict[str, str]
    effect: str
    share: float
    score: float
    actual: float = 0.0
    expected: float = 0.0
    leaves: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64), repr=False)

    @property
    def name(self) -> str:
        """``a=a1, c=c7``."""
        return ", ".join(f"{k}={v}" for k, v in self.where.items())


def explain(
    frame: pd.DataFrame,
    dims: Sequence[str],
    actual: str = "actual",
    expected: str = "expected",
    *,
    denominator: tuple[str, str] | None = None,
    deepest: int = DEEPEST,
    most: int = MOST_CAUSES,
) -> list[Segment]:
    """Minimal segments that explain why ``actual`` differs from ``expected``, clearest first.

    ``frame`` has a row per leaf cell with the columns ``dims``, ``actual``, ``expected``. With
    ``denominator`` (its actual and expected columns) the change of the ratio's rate is explained
    (effect "rate") beside the change of the denominator (effect "mix"). Rows of equal cells are
    added up. Returns an empty list when nothing stands out. Raises ValueError without rows or
    with a missing column.
    """
    names = [actual, expected, *(denominator or ())]
    missing = [c for c in (*dims, *names) if c not in frame.columns]
    if missing or not len(frame) or not dims:
        raise ValueError(
            f"needs rows and the columns {', '.join((*dims, *names))}; "
            f"{len(frame)} rows, missing: {', '.join(missing) or 'none'}"
        )
    leaves = _Leaves.of(frame, dims, names)
    if denominator is None:
        return _search(leaves, leaves.sums[0], leaves.sums[1], "mix", deepest, most)
    below_now, below_was = leaves.sums[2], leaves.sums[3]
    mix = _search(leaves, below_now, below_was, "mix", deepest, most)
    with np.errstate(all="ignore"):
        rate = np.where(below_was > 0, leaves.sums[1] / below_was, np.nan)
    overall = leaves.sums[1].sum() / max(below_was.sum(), 1e-12)
    implied = below_now * np.where(np.isfinite(rate), rate, overall)
    return mix + _search(leaves, leaves.sums[0], implied, "rate", deepest, most)


@dataclass(frozen=True)
class _Leaves:
    """Cells as integer codes per dimension, with the sums of each column."""

    dims: tuple[str, ...]
    codes: tuple[NDArray[np.int64], ...]
    levels: tuple[NDArray[Any], ...]
    sums: tuple[Floats, ...]

    @classmethod
    def of(cls, frame: pd.DataFrame, dims: Sequence[str], names: Sequence[str]) -> _Leaves:
        import pandas as pd

        parts, levels = [], []
        for dim in dims:
            text = frame[dim].astype("string").fillna("(null)")
            codes, uniques = pd.factorize(text, sort=True)
            parts.append(codes.astype(np.int64))
            levels.append(np.asarray(uniques, dtype=object))
        key = _key(parts, [len(x) for x in levels])
        cells, first, at = np.unique(key, return_index=True, return_inverse=True)
        columns = (frame[name].to_numpy(float, na_value=0.0) for name in names)
        sums = tuple(np.bincount(at, np.nan_to_num(c), len(cells)).astype(float) for c in columns)
        return cls(tuple(dims), tuple(p[first] for p in parts), tuple(levels), sums)

    def cuboids(self, deepest: int) -> Iterator[tuple[int, ...]]:
        for depth in range(1, min(deepest, len(self.dims)) + 1):
            yield from combinations(range(len(self.dims)), depth)


def _key(parts: Sequence[NDArray[np.int64]], sizes: Sequence[int]) -> NDArray[np.int64]:
    """One integer per combination of codes."""
    key = np.zeros(len(parts[0]), dtype=np.int64)
    for codes, size in zip(parts, sizes, strict=True):
        key = key * max(size, 1) + codes
    return key


def _search(
    leaves: _Leaves, now: Floats, was: Floats, effect: str, deepest: int, most: int
) -> list[Segment]:
    deviation, weight, noise = _deviations(now, was)
    free = np.ones(len(now), dtype=bool)
    grouped = [_group(leaves, cuboid) for cuboid in leaves.cuboids(deepest)]
    candidates = sum(int(size) for _, _, size in grouped)
    bar = noise**2 * 2 * math.log(max(candidates, 2)) * 2
    total = float(now.sum() - was.sum())
    found: list[Segment] = []
    for _ in range(most):
        best = _best(grouped, deviation, weight, free)
        if best is None or best[0] < bar:
            break
        _, cuboid, members = best
        hit = members & free
        first = int(np.flatnonzero(members)[0])
        where = {leaves.dims[d]: str(leaves.levels[d][leaves.codes[d][first]]) for d in cuboid}
        change = float(now[hit].sum() - was[hit].sum())
        centre = float((weight * deviation)[hit].sum() / weight[hit].sum())
        found.append(
            Segment(
                where,
                effect,
                change / total if total else 0.0,
                abs(centre) / max(noise / math.sqrt(weight[hit].sum()), 1e-12),
                float(now[hit].sum()),
                float(was[hit].sum()),
                np.flatnonzero(hit),
            )
        )
        free &= ~members
    return found


def _deviations(now: Floats, was: Floats) -> tuple[Floats, Floats, float]:
    """Relative deviation of each leaf, −2 to 2, its weight, and the noise of a unit of weight."""
    size = now + was
    with np.errstate(all="ignore"):
        deviation = np.where(size > 0, 2 * (now - was) / size, 0.0)
    weight = _precision(deviation, size)
    usual = np.abs(deviation - _median(deviation, weight)) * np.sqrt(weight)
    noise = 1.4826 * float(np.median(usual[weight > 0])) if (weight > 0).any() else 0.0
    return deviation, weight, max(noise, 1e-6)


def _median(x: Floats, weight: Floats) -> float:
    order = np.argsort(x)
    half = np.searchsorted(np.cumsum(weight[order]), weight.sum() / 2)
    return float(x[order][min(int(half), len(x) - 1)]) if len(x) else 0.0


def _precision(deviation: Floats, size: Floats) -> Floats:
    """Weights by how noisy leaves of that size are: robust spread per tenth of the sizes."""
    weight = np.zeros(len(size))
    live = size > 0
    if not live.any():
        return weight
    order = np.flatnonzero(live)[np.argsort(size[live], kind="stable")]
    spreads, middles = [], []
    for part in np.array_split(order, min(10, max(1, len(order) // 20))):
        centre = np.median(deviation[part])
        spreads.append(max(1.4826 * float(np.median(np.abs(deviation[part] - centre))), 1e-3))
        middles.append(float(np.median(size[part])))
    smooth = np.minimum.accumulate(np.array(spreads))  # larger leaves are never noisier
    scale = np.interp(size[live], middles, smooth)
    weight[live] = (smooth[-1] / scale) ** 2
    return weight


def _group(leaves: _Leaves, cuboid: tuple[int, ...]) -> tuple[tuple[int, ...], Any, int]:
    key = _key([leaves.codes[d] for d in cuboid], [len(leaves.levels[d]) for d in cuboid])
    size = math.prod(len(leaves.levels[d]) for d in cuboid)
    if size > 4 * len(key) + 1000:
        _, key = np.unique(key, return_inverse=True)
        size = int(key.max()) + 1
    return cuboid, key, size


def _best(
    grouped: Sequence[tuple[tuple[int, ...], Any, int]],
    deviation: Floats,
    weight: Floats,
    free: NDArray[np.bool_],
) -> tuple[float, tuple[int, ...], NDArray[np.bool_]] | None:
    """The candidate with the largest gain; of equal ones, the one with the fewest dimensions."""
    w = np.where(free, weight, 0.0)
    wd = w * deviation
    best: tuple[float, tuple[int, ...], Any, int] | None = None
    for cuboid, key, size in grouped:
        below = np.bincount(key, w, size)
        above = np.bincount(key, wd, size)
        gain = np.where(below > 0, above**2 / np.maximum(below, 1e-12), 0.0)
        at = int(np.argmax(gain))
        if best is None or gain[at] > best[0] * 1.0001:
            best = (float(gain[at]), cuboid, key, at)
    if best is None or best[0] <= 0:
        return None
    return best[0], best[1], np.asarray(best[2] == best[3])


# -- the node ------------------------------------------------------------------------------------


def which_traffic(warehouse: Warehouse, scope: Scope) -> Evidence:
    """Which segment of traffic moved, or did the world move everywhere?

    Verdicts: ``segment`` (suspects of kind "segment" named ``dimension=value, …``), ``world``
    (labels or rates moved broadly), ``none``. Raises CannotExamine without dimensions or rows.
    """
    began = time.perf_counter()
    metric = metric_of(warehouse, scope)
    blocks = Blocks.of(scope)
    cells, dims, missing = load_cells(warehouse, metric, blocks)
    frame = against_usual(cells, dims)
    found = explain(frame, dims, "volume", "usual_volume")
    judged = [(one, _against_history(cells, one)) for one in found]
    judged = [(one, s) for one, s in judged if s.seen or blocks.count < 3]
    judged.sort(key=lambda pair: -pair[1].log_odds)
    labels = label_shift(cells)
    weights = {"none": 0.0}
    candidates = math.log(max(len(frame), 2))
    if judged:
        weights["segment"] = min(judged[0][1].log_odds - 0.25 * candidates, 12.0)
    if labels.seen:
        moved = labels.log_odds
        if scope.entry == "metric" and CONFIRMED.get(metric.kind or "") == "labels":
            moved = max(moved, SURE)
        weights["world"] = min(moved, 12.0)
    shares = odds.share_out(weights)
    verdict = max(shares, key=lambda v: shares[v])
    strong = _strong(judged, candidates * 0.25)
    suspects = tuple(
        Suspect("segment", one.name, max(min(one.share, 1.0), -1.0), changed=_moved(s))
        for one, s in strong
    )
    headline = _headline(verdict, strong, labels, blocks)
    return Evidence(
        verdict=verdict,
        confidence=min(max(shares[verdict], 0.005), 0.995),
        headline=headline,
        suspects=suspects if verdict == "segment" else (),
        charts=(_bars(frame, dims, strong, verdict, headline),),
        table=_table(strong) if strong else None,
        not_examined=tuple(missing),
        onset=scope.onset,
        figures={f"probability of {v}": p for v, p in shares.items()},
        how=How(
            METHOD,
            blocks.window,
            scope.baseline,
            int(cells.loc[cells[BLOCK] == 0, "volume"].sum()),
            int(cells.loc[cells[BLOCK] > 0, "volume"].sum()),
            time.perf_counter() - began,
            (f"dimensions: {', '.join(dims)}", f"{len(frame):,} cells"),
        ),
    )


def _strong(judged: list[tuple[Segment, Shift]], bar: float) -> list[tuple[Segment, Shift]]:
    """Segments that are unusual and not small beside the largest; at least the clearest one."""
    largest = max((abs(one.actual - one.expected) for one, _ in judged), default=0.0)
    return [
        (one, s)
        for one, s in judged
        if s.log_odds > bar and abs(one.actual - one.expected) >= 0.25 * largest
    ] or judged[:1]


def _against_history(cells: pd.DataFrame, one: Segment) -> Shift:
    """The segment's share of traffic now against that of earlier blocks."""
    inside = np.ones(len(cells))
    for d, v in one.where.items():
        inside *= (cells[d].astype(str) == v).to_numpy(float)
    return share_shift(cells, inside)


def _moved(s: Shift) -> str:
    if not s.seen:
        return "moved; too few earlier days to say how unusual that is"
    return f"{words.percent(_share(s.usual))} → {words.percent(_share(s.now))} of traffic"


def _share(logit: float) -> float:
    return 1 / (1 + math.exp(-logit))


def _headline(
    verdict: str, strong: list[tuple[Segment, Shift]], labels: Shift, blocks: Blocks
) -> str:
    if verdict == "segment":
        names = words.listed([one.name for one, _ in strong], 2)
        return f"Traffic moved in {names}: {_moved(strong[0][1])}."
    if verdict == "world":
        return (
            f"No segment of traffic moved; what happens did: the rate of positives is "
            f"{words.percent(labels.now)}, usually {words.percent(labels.usual)}."
        )
    days = words.plural(blocks.count, "earlier day")
    return f"No segment of traffic moved beyond what it does in {days}."


def _table(strong: list[tuple[Segment, Shift]]) -> Table:
    rows = tuple(
        (one.name, words.percent(one.share), f"{one.expected:,.0f} → {one.actual:,.0f}", _moved(s))
        for one, s in strong[:6]
    )
    return Table(("segment", "share of the change", "rows", "changed"), rows)


def _bars(
    frame: pd.DataFrame,
    dims: Sequence[str],
    strong: list[tuple[Segment, Shift]],
    verdict: str,
    headline: str,
) -> Chart:
    bars = [Bar(one.name, one.expected, one.actual, verdict == "segment") for one, _ in strong[:3]]
    for d in dims:
        part = frame.groupby(d)[["volume", "usual_volume"]].sum()
        part = part.sort_values("volume", ascending=False).head(3)
        bars += [
            Bar(f"{d}={level}", float(row["usual_volume"]), float(row["volume"]), False)
            for level, row in part.iterrows()
            if f"{d}={level}" not in {b.name for b in bars}
        ]
    bars = bars[:9]
    alt = "Rows by segment, usual and now: " + "; ".join(
        f"{b.name} {b.usual:,.0f} → {b.now:,.0f}" for b in bars
    )
    return segment_bars(bars, headline.rstrip("."), alt, "rows in the window")
