"""Publishes of a model's snapshots, and what each changed on the same inputs.

A chain is the order in which snapshots served one arm. At each link a surrogate of the old
snapshot, learned from its own served predictions, answers the new snapshot's requests: the
difference is the new snapshot's doing, whatever happened to the inputs. With labels the same
rows tell which of the two was closer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.classes import one_against_rest
from analysis.evidence import CannotExamine, Scope
from analysis.inputs import surrogate
from analysis.inputs.familiar import in_filled_cells
from analysis.portable import HASHED, LOT, LOTS, lots
from analysis.profile import Bins, bins_of, kinds, plain
from analysis.tables import Role
from analysis.warehouse import Warehouse, aware, naive

if TYPE_CHECKING:
    import pandas as pd

Floats = np.ndarray[Any, np.dtype[np.float64]]

ROWS_EACH = 3_000
MOST_LINKS = 5
FEWEST = 40


@dataclass(frozen=True)
class Publish:
    """A snapshot's first request in an arm; ``before`` is the snapshot that served until then.

    ``published`` is the registry's time, when it has one.
    """

    model: str
    arm: str
    snapshot: str
    before: str
    at: datetime
    published: datetime | None


@dataclass(frozen=True)
class Link:
    """What changed at one publish, on rows of the new snapshot with familiar inputs.

    ``mean`` and ``size``: new answer minus the old snapshot's, its average and its typical size
    beyond the surrogate's own error, in standard deviations of the old answers. ``worse``: mean
    loss of the new answers minus that of the old snapshot's (positive: the new one does worse),
    with its standard error; NaN without labels. ``r2``: of the old snapshot's surrogate on rows
    that it never saw.
    """

    publish: Publish
    mean: float
    size: float
    worse: float
    worse_error: float
    rows: int
    r2: float


def publishes(warehouse: Warehouse, scope: Scope, arms: tuple[str, ...]) -> list[Publish]:
    """All changes of snapshot between the baseline's start and the window's end, oldest first."""
    log = warehouse.predictions(models=scope.named("model"), arms=arms)
    log = log.filter(
        log[Role.TIME] >= naive(scope.baseline.start), log[Role.TIME] < naive(scope.window.end)
    )
    keys = [Role.MODEL, Role.ARM, Role.SNAPSHOT]
    frame = warehouse.fetch(log.group_by(keys).aggregate(first=log[Role.TIME].min(), n=log.count()))
    registry = _registry(warehouse)
    out: list[Publish] = []
    for (model, arm), part in frame.sort_values("first").groupby([Role.MODEL, Role.ARM]):
        names = part[Role.SNAPSHOT].tolist()
        for i in range(1, len(part)):
            at = aware(part["first"].iloc[i])
            key = (str(model), str(names[i]))
            out.append(Publish(key[0], str(arm), key[1], str(names[i - 1]), at, registry.get(key)))
    return sorted(out, key=lambda p: p.at)


def _registry(warehouse: Warehouse) -> dict[tuple[str, str], datetime]:
    if not warehouse.has("snapshots"):
        return {}
    table = warehouse.table("snapshots")
    frame = warehouse.fetch(table.select("model", "snapshot", "published"))
    known = frame.dropna(subset=["published"])
    return {
        (str(m), str(s)): aware(t)
        for m, s, t in zip(known["model"], known["snapshot"], known["published"], strict=True)
    }


def links(warehouse: Warehouse, scope: Scope, found: list[Publish], begun: datetime) -> list[Link]:
    """Measures the publishes of ``found``, the latest MOST_LINKS of each model.

    Publishes of one snapshot in several arms are measured once, on the arm that is first. Rows
    that a new snapshot served before ``begun``, the earliest onset, speak for or against it alone
    where there are enough: what it did not do then, it did not do.
    """
    out: list[Link] = []
    for model in dict.fromkeys(p.model for p in found):
        mine: dict[str, Publish] = {}
        for p in found:
            if p.model == model:
                mine.setdefault(p.snapshot, p)
        chosen = sorted(mine.values(), key=lambda p: p.at)[-MOST_LINKS:]
        if chosen:
            out += _measure(warehouse, scope, model, chosen, begun)
    return out


def _measure(
    warehouse: Warehouse, scope: Scope, model: str, chosen: list[Publish], begun: datetime
) -> list[Link]:
    names = {p.snapshot for p in chosen} | {p.before for p in chosen}
    log = warehouse.predictions(models=(model,), snapshots=sorted(names))
    log = log.filter(
        log[Role.TIME] >= naive(scope.baseline.start), log[Role.TIME] < naive(scope.window.end)
    )
    log, _ = one_against_rest(warehouse, log, scope)
    kind = kinds(log, warehouse.features)
    if not kind:
        raise CannotExamine("The log has no features: old and new snapshots can't be compared.")
    roles = (Role.TIME, Role.PREDICTION, Role.SNAPSHOT, Role.ARM, Role.LABEL)
    log = plain(log, kind, roles)
    frame = _stratified(log, scope.seed)
    bins = bins_of(frame, kind)
    probability = surrogate.is_probability(frame[Role.PREDICTION].to_numpy(float))
    out = []
    for p in chosen:
        early = frame[~_late(frame, p, begun)]
        link = _link(early, bins, p, probability, scope.seed)
        link = link or _link(frame, bins, p, probability, scope.seed)
        if link is not None:
            out.append(link)
    return out


def _late(frame: pd.DataFrame, p: Publish, begun: datetime) -> Any:
    """Rows of the new snapshot from ``begun`` on."""
    return (frame[Role.SNAPSHOT] == p.snapshot) & (frame[Role.TIME] >= naive(begun))


def _stratified(log: Any, seed: int) -> pd.DataFrame:
    """About ROWS_EACH rows of each snapshot, the ones nearest to its ends thinned evenly."""
    sizes = log.group_by(Role.SNAPSHOT).aggregate(n=log.count()).to_pandas()
    log = lots(log, log.columns[:HASHED], seed)
    cases = [
        (str(s), max(1, round(LOTS * min(1.0, ROWS_EACH / n))))
        for s, n in zip(sizes[Role.SNAPSHOT], sizes["n"], strict=True)
    ]
    limit = log[Role.SNAPSHOT].cases(*cases, else_=0)
    frame: pd.DataFrame = (
        log.filter(log[LOT] < limit).drop(LOT).limit(2 * ROWS_EACH * len(sizes)).to_pandas()
    )
    return frame.sort_values([Role.TIME, Role.PREDICTION], kind="stable", ignore_index=True)


def _link(
    frame: pd.DataFrame, bins: Mapping[str, Bins], p: Publish, probability: bool, seed: int
) -> Link | None:
    arm = frame[Role.ARM] == p.arm
    if arm.sum() < FEWEST:
        arm = arm | True
    old = frame[arm & (frame[Role.SNAPSHOT] == p.before)]
    new = frame[arm & (frame[Role.SNAPSHOT] == p.snapshot)]
    if len(old) < 2 * FEWEST or len(new) < FEWEST:
        return None
    target = surrogate.served(old[Role.PREDICTION].to_numpy(float), probability)
    day = old[Role.TIME].dt.floor("D").astype("int64").to_numpy()
    held = np.unique(day, return_inverse=True)[1] % 4 == 0
    if held.sum() < FEWEST or (~held).sum() < FEWEST:
        held = np.random.default_rng(seed).random(len(old)) < 0.25
    model = surrogate.fit(old[~held], target[~held], bins, seed)
    familiar = in_filled_cells(bins, old, new, model.usage)
    if familiar.sum() < FEWEST // 2:
        return None
    here = new[familiar]
    answer = surrogate.served(here[Role.PREDICTION].to_numpy(float), probability)
    guess = model(surrogate.encode(here, bins))
    guess_old = model(surrogate.encode(old[held], bins))
    left, left_old = answer - guess, target[held] - guess_old
    noise = float(np.mean(left_old**2))
    size = float(np.sqrt(max(float(np.mean(left**2)) - noise, 0.0)))
    worse, error = _worse(here, answer, guess, probability)
    handicap, _ = _worse(old[held], target[held], guess_old, probability)
    handicap = handicap if np.isfinite(handicap) else 0.0
    spread = float(np.var(target[held])) or 1.0
    return Link(
        p,
        float(left.mean() - left_old.mean()) / float(np.sqrt(spread)),
        size / float(np.sqrt(spread)),
        worse - handicap,
        error,
        int(familiar.sum()),
        max(0.0, 1 - noise / spread),
    )


def _worse(
    rows: pd.DataFrame, answer: Floats, guess: Floats, probability: bool
) -> tuple[float, float]:
    """Mean loss of the served answers minus that of the surrogate's, on labelled rows."""
    label = rows[Role.LABEL].to_numpy(float, na_value=np.nan)
    known = np.isfinite(label)
    if known.sum() < FEWEST // 2:
        return float("nan"), float("nan")
    y, a, g = label[known], answer[known], guess[known]
    if probability:
        y = np.clip(y, 0, 1)
        gap = np.logaddexp(0, a) - y * a - (np.logaddexp(0, g) - y * g)
    else:
        gap = (y - a) ** 2 - (y - g) ** 2
        gap = gap / max(float(np.var(y)), 1e-12)
    hour = rows[Role.TIME].dt.floor("h").astype("int64").to_numpy()[known]
    code = np.unique(hour, return_inverse=True)[1]
    # Rows of an hour share their weather: the hour, not the row, is independent.
    total = np.bincount(code, weights=gap - gap.mean())
    error = float(np.sqrt(np.sum(total**2))) / len(gap)
    return float(gap.mean()), max(error, float(np.std(gap)) / float(np.sqrt(len(gap))))
