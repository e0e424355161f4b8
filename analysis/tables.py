"""The data contract: which tables a team has, and which of their columns mean what.

Only ``predictions`` and one metric are needed. Column names are the team's own; the warehouse
renames the ones with a role to the names in :class:`Role`, so that a check reads the same
columns whatever the team calls them. Features and dimensions keep their names.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Task = Literal["binary", "regression", "multiclass", "ranking"]
MetricKind = Literal[
    "volume",
    "mean_prediction",
    "mean_label",
    "positive_rate",
    "precision",
    "recall",
    "accuracy",
    "calibration",
    "log_loss",
    "normalised_entropy",
    "auc",
    "mae",
    "rmse",
    "bias",
    "ndcg",
]


class Role:
    """Names of the columns with a role, as checks see them (a leading ``_`` avoids clashes)."""

    TIME = "_time"
    MODEL = "_model"
    SNAPSHOT = "_snapshot"
    EXPERIMENT = "_experiment"
    ARM = "_arm"
    PREDICTION = "_prediction"
    LABEL = "_label"
    LABEL_TIME = "_label_time"
    WEIGHT = "_weight"
    GROUP = "_group"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TableSource(_Strict):
    """Where a table is: ``source`` is a Parquet or CSV path (globs allowed, relative to the
    settings file) or the name of a table in the database of ``[data] url``."""

    source: str


class Predictions(TableSource):
    """The serving log: a row a prediction. ``time`` and ``prediction`` are needed.

    ``label`` is null while it has not arrived; ``label_time`` says when it did. ``group`` is
    the query of a ranking model. ``features`` may be ``"*"``: every column without a role.
    """

    time: str
    prediction: str
    model: str | None = None
    snapshot: str | None = None
    experiment: str | None = None
    arm: str | None = None
    label: str | None = None
    label_time: str | None = None
    weight: str | None = None
    group: str | None = None
    dimensions: tuple[str, ...] = ()
    features: tuple[str, ...] | Literal["*"] = "*"
    hidden: tuple[str, ...] = ()


class Infra(TableSource):
    """Infrastructure series in long form: a row is (time, service, metric, value)."""

    time: str = "time"
    service: str = "service"
    metric: str = "metric"
    value: str = "value"


class Snapshots(TableSource):
    """The registry of published snapshots, a row each.

    ``curve`` is JSON: a list of ``{"step", "train_loss", "valid_loss"}``. ``weights`` is JSON:
    ``{module: {"mean", "std", "norm", "max", "nan"}}``. ``metrics`` is JSON: name to value.
    ``artifact`` is a path (relative to the settings file) that the team's scorer can load.
    """

    model: str = "model"
    snapshot: str = "snapshot"
    published: str = "published"
    trained: str | None = None
    train_start: str | None = None
    train_end: str | None = None
    parent: str | None = None
    metrics: str | None = None
    curve: str | None = None
    weights: str | None = None
    artifact: str | None = None


class Experiments(TableSource):
    """A/B experiments: a row per arm and period; ``share`` is the arm's part of traffic, 0..1."""

    experiment: str = "experiment"
    arm: str = "arm"
    model: str | None = None
    start: str | None = None
    end: str | None = None
    share: str | None = None


class Lineage(TableSource):
    """Edges, data flowing from ``upstream`` to ``downstream``.

    Where the edge ends in a feature, ``downstream_column`` names it; otherwise a node that is
    named like the feature is taken. ``owner`` is the team of the upstream node.
    """

    upstream: str = "upstream"
    downstream: str = "downstream"
    upstream_column: str | None = None
    downstream_column: str | None = None
    owner: str | None = None


class Runs(TableSource):
    """Runs of the nodes of the lineage.

    ``time`` is when the run finished; ``data_time`` the newest event in what it wrote;
    ``schema`` any text that changes when the columns do; ``version`` the code's version.
    """

    node: str = "node"
    time: str = "time"
    status: str | None = None
    rows: str | None = None
    data_time: str | None = None
    schema_: str | None = Field(default=None, alias="schema")
    version: str | None = None


class Training(TableSource):
    """Rows that snapshots were trained on: ``partition`` is the day or file they came from."""

    snapshot: str = "snapshot"
    model: str | None = None
    time: str | None = None
    partition: str | None = None
    label: str | None = None
    weight: str | None = None


class Model(_Strict):
    """A served model. ``threshold`` turns a binary prediction into a decision."""

    name: str
    task: Task = "binary"
    threshold: float = 0.5
    owner: str | None = None


class Metric(_Strict):
    """A top-line metric: an aggregate over predictions (``kind``, maybe of one ``model``), or a
    table of its own (``source`` with ``time`` and ``value``, maybe ``denominator``).

    ``bad`` says which direction hurts. ``every`` is the width of a bucket, in minutes.
    """

    name: str
    kind: MetricKind | None = None
    model: str | None = None
    arm: str | None = None
    source: str | None = None
    time: str = "time"
    value: str = "value"
    denominator: str | None = None
    dimensions: tuple[str, ...] = ()
    bad: Literal["up", "down", "both"] = "both"
    every: int = Field(default=60, ge=1, le=1440)
    owner: str | None = None
    title: str | None = None

    @model_validator(mode="after")
    def _one_origin(self) -> Metric:
        if (self.kind is None) == (self.source is None):
            raise ValueError(
                f"metric {self.name!r} needs either `kind` (an aggregate over predictions) "
                "or `source` (a table of its own), and not both"
            )
        return self


class Contract(_Strict):
    """All tables of a team. ``url`` is any that Ibis speaks; DuckDB in memory by default."""

    url: str = "duckdb://"
    predictions: Predictions
    infra: Infra | None = None
    snapshots: Snapshots | None = None
    experiments: Experiments | None = None
    lineage: Lineage | None = None
    runs: Runs | None = None
    training: Training | None = None
    models: tuple[Model, ...] = ()
    metrics: tuple[Metric, ...] = Field(min_length=1)

    def metric(self, name: str) -> Metric:
        """The metric of that name; KeyError when there is none."""
        for metric in self.metrics:
            if metric.name == name:
                return metric
        raise KeyError(name)

    @property
    def metric_names(self) -> tuple[str, ...]:
        """Names of all metrics, in the order of the settings."""
        return tuple(m.name for m in self.metrics)

    def model(self, name: str) -> Model:
        """The model of that name; an unlisted model is taken to be binary at 0.5."""
        return next((m for m in self.models if m.name == name), Model(name=name))
