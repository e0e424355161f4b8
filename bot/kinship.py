"""What may be behind what, from the settings and the lineage: for grouping, and for names."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import structlog

from analysis.evidence import CannotExamine
from analysis.explore.lines import series_names
from analysis.graph.lineage import Graph, read
from analysis.tables import Contract
from analysis.warehouse import ROLES, Warehouse
from handlers.desk import Subject, Subjects
from state.grouping import Kin, Names

if TYPE_CHECKING:
    from bot.config import Settings

log = structlog.get_logger()


def known_subjects(settings: Settings) -> tuple[Subjects, Kin, Graph]:
    """What can be triaged, names from the settings and features from the table; what may be
    behind each, and the lineage."""
    contract = settings.contract
    warehouse = settings.warehouse(datetime.now(UTC))
    features, infra = tuple[str, ...](), tuple[str, ...]()
    try:
        features = warehouse.features
        infra = series_names(warehouse)
    except CannotExamine as error:
        # The bot starts all the same: the first step says it in the thread.
        log.error("a table can't be read", reason=str(error))
    dimensions = warehouse.shown((*warehouse.dimensions, *ROLES))
    models = tuple(m.name for m in contract.models)
    titles = {m.name: m.title for m in contract.metrics if m.title}
    known = Subjects(contract.metric_names, models, features, infra, dimensions, titles=titles)
    return read_kin(warehouse, known)


def read_kin(warehouse: Warehouse, subjects: Subjects) -> tuple[Subjects, Kin, Graph]:
    """The subjects with the nodes of the lineage, what may be behind each, and the lineage.

    A lineage that is not there, or can't be read, leaves what the settings say.
    """
    graph = Graph.of(())
    if warehouse.contract.lineage is not None:
        try:
            graph = read(warehouse)
        except CannotExamine as error:
            log.error("the lineage can't be read", reason=str(error))
    kin = kin_of(warehouse.contract, subjects, graph)
    return replace(subjects, nodes=_begins(kin, subjects, graph)), kin, graph


def kin_of(contract: Contract, subjects: Subjects, graph: Graph) -> Kin:
    """What may be behind each metric, model, feature and node."""
    made = _Made.of(graph, subjects.features)
    behind: dict[str, Names] = {
        f"upstream:{node}": frozenset({f"upstream:{node}", *_nodes(graph.above(node))})
        for node in graph.nodes
    }
    direct: dict[str, Names] = {}
    for feature in subjects.features:
        above = made.above.get(feature, {})
        name = f"feature:{feature}"
        behind[name] = frozenset({name, *_nodes(n for n in above if n != feature)})
        direct[name] = frozenset(_nodes(n for n, steps in above.items() if steps == 1))
    alone = subjects.models[0] if len(subjects.models) == 1 else None
    for model in subjects.models:
        above = graph.above(model)
        fed = [f for f, ends in made.ends.items() if ends & {model, *above}]
        if model == alone and not above:
            fed = list(subjects.features)
        found = {f"model:{model}", *_nodes(above)}
        for feature in fed:
            found |= behind[f"feature:{feature}"]
        behind[f"model:{model}"] = frozenset(found)
    for metric in contract.metrics:
        model_of = metric.model or (alone if metric.source is None else None)
        causes = behind.get(f"model:{model_of}", frozenset())
        behind[f"metric:{metric.name}"] = causes | {f"metric:{metric.name}"}
    return Kin(behind, direct)


def _nodes(names: Iterable[str]) -> list[str]:
    return [f"upstream:{name}" for name in names]


@dataclass
class _Made:
    """How features are made: the nodes above each with the steps to them, and where it goes."""

    above: dict[str, dict[str, int]] = field(default_factory=dict)
    ends: dict[str, set[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, graph: Graph, features: Iterable[str]) -> _Made:
        ends: dict[str, set[str]] = {}
        for edge in (e for edges in graph.into.values() for e in edges):
            if edge.downstream_column:
                ends.setdefault(edge.downstream_column, set()).add(edge.downstream)
        nodes = graph.nodes
        found = cls()
        for feature in features:
            if feature in ends or feature in nodes:
                found.above[feature] = graph.of_feature(feature)
                found.ends[feature] = ends.get(feature, set()) | ({feature} & nodes)
        return found


def _begins(kin: Kin, subjects: Subjects, graph: Graph) -> dict[str, Subject]:
    """Where a walk about a node begins: at a feature made by it directly, else at what is below."""
    found: dict[str, Subject] = {}
    models = [Subject("model", m) for m in subjects.models]
    features = [Subject("feature", f) for f in subjects.features]
    for node in sorted(graph.nodes):
        name = f"upstream:{node}"
        made = [f for f in features if name in kin.direct.get(str(f), frozenset())]
        below = [s for s in (*made, *features, *models) if name in kin.of(str(s))]
        if below:
            found[node] = below[0]
    return found
