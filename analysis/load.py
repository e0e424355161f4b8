"""The load that infrastructure carries: a busy machine is not a broken one."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from analysis.evidence import Window
from analysis.metrics import bucket_of
from analysis.quality import Floats
from analysis.series import seasonal
from analysis.series.seasonal import Band
from analysis.tables import Role
from analysis.warehouse import Warehouse


def requests(warehouse: Warehouse, span: Window, width: int) -> dict[int, float]:
    """Predictions served per bucket of ``width`` seconds (its number since 1970)."""
    table = warehouse.predictions(span)
    table = table.mutate(bucket=bucket_of(table[Role.TIME], width))
    frame = warehouse.fetch(table.group_by("bucket").aggregate(n=table.count()))
    counts = zip(frame["bucket"].to_numpy(int), frame["n"].to_numpy(float), strict=True)
    return {int(bucket): float(n) for bucket, n in counts}


@dataclass(frozen=True)
class Load:
    """Requests per bucket (times ÷ width), and how far they are from what is usual."""

    requests: dict[int, float]
    width: int
    _found: dict[tuple[int, int, int], Floats | None] = field(default_factory=dict)

    def beyond_usual(self, stamps: NDArray[np.int64], train: NDArray[np.bool_]) -> Floats | None:
        """Requests minus usual ones at each of ``stamps``, learnt from the first, those in
        ``train``; None where they are too few. Most series share one grid: learnt once for each.
        """
        grid = (int(stamps[0]), len(stamps), int(train.sum()))
        if grid not in self._found:
            self._found[grid] = self._learnt(stamps, train)
        return self._found[grid]

    def _learnt(self, stamps: NDArray[np.int64], train: NDArray[np.bool_]) -> Floats | None:
        requests = [self.requests.get(int(bucket), 0.0) for bucket in stamps // self.width]
        smooth = np.convolve(requests, np.ones(3) / 3, mode="same")
        try:
            return smooth - seasonal.fit(stamps, smooth, train=train).expected
        except ValueError:
            return None


def at_this_load(work: Floats, band: Band, extra: Floats | None, train: NDArray[np.bool_]) -> Band:
    """The band moved by what ``extra`` load explains, learnt from the points in ``train``: CPU and
    latency rise when traffic does."""
    if extra is None:
        return band
    known = train & np.isfinite(work)
    rest = work - band.expected
    x, y = extra[known] - extra[known].mean(), rest[known] - rest[known].mean()
    power, size = float((x**2).sum()), len(x)
    if power <= 0 or size < 50:
        return band
    slope = float((x * y).sum()) / power
    error = math.sqrt(max(float(((y - slope * x) ** 2).sum()), 1e-30) / (size - 2) / power)
    if abs(slope) < 4 * error:
        return band
    return replace(band, expected=band.expected + slope * extra)
