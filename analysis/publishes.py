"""Publishes of a model's snapshots: which snapshot served which arm from when on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from analysis.evidence import Scope
from analysis.tables import Role
from analysis.warehouse import Warehouse, aware, naive


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


def once(found: Iterable[Publish]) -> list[Publish]:
    """The first publish of each snapshot, whatever the arm."""
    seen: dict[tuple[str, str], Publish] = {}
    for p in found:
        seen.setdefault((p.model, p.snapshot), p)
    return list(seen.values())


def chains(served: Iterable[tuple[str, str]]) -> list[tuple[str, ...]]:
    """Arms that share snapshots, each group together, from pairs of arm and snapshot."""
    groups: list[tuple[set[str], set[str]]] = []
    for arm, snapshot in served:
        arms, names = {arm}, {snapshot}
        for group in [g for g in groups if arm in g[0] or snapshot in g[1]]:
            arms |= group[0]
            names |= group[1]
            groups.remove(group)
        groups.append((arms, names))
    return [tuple(sorted(arms)) for arms, _ in groups]
