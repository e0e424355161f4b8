"""What may be behind what, from a lineage."""

from __future__ import annotations

from analysis.graph.lineage import Edge, Graph
from analysis.tables import Contract, Metric, Model, Predictions
from bot.kinship import kin_of
from handlers.desk import Subjects


def contract(*models: str) -> Contract:
    """Two metrics of the first model, one of a table of its own."""
    return Contract(
        predictions=Predictions(source="log", time="t", prediction="p"),
        models=tuple(Model(name=m) for m in models),
        metrics=(
            Metric(name="precision", kind="precision", model=models[0]),
            Metric(name="volume", kind="volume"),
            Metric(name="revenue", source="revenue.csv"),
        ),
    )


def test_features_are_traced_to_their_nodes_and_on_to_the_models_they_feed():
    """Through the store that hands them on, which makes none of them."""
    graph = Graph.of(
        [
            Edge("noaa", "weather"),
            Edge("weather", "store", "temp", "temp"),
            Edge("tails", "store", "age", "age"),
            Edge("store", "delay"),
            Edge("elsewhere", "other"),
        ]
    )
    subjects = Subjects(("precision", "volume", "revenue"), ("delay", "other"), ("temp", "age"))
    kin = kin_of(contract("delay", "other"), subjects, graph)
    assert kin.of("feature:temp") == {"feature:temp", "upstream:weather", "upstream:noaa"}
    assert kin.direct["feature:temp"] == {"upstream:weather"}
    assert {"feature:temp", "feature:age", "upstream:store"} <= kin.of("model:delay")
    assert kin.of("model:other") == {"model:other", "upstream:elsewhere"}
    assert kin.of("metric:precision") == kin.of("model:delay") | {"metric:precision"}
    assert kin.of("metric:volume") == {"metric:volume"}
    assert kin.of("upstream:weather") == {"upstream:weather", "upstream:noaa"}


def test_without_a_lineage_the_only_model_has_every_feature_and_the_metrics_of_the_log():
    """A table of its own is not known to be the model's."""
    subjects = Subjects(("precision", "volume", "revenue"), ("delay",), ("temp", "age"))
    kin = kin_of(contract("delay"), subjects, Graph.of(()))
    assert kin.of("model:delay") == {"model:delay", "feature:temp", "feature:age"}
    assert "model:delay" in kin.of("metric:volume")
    assert kin.of("metric:revenue") == {"metric:revenue"}
