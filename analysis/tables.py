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
    "label_coverage",
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
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class TableSource(_Strict):
    """Where a table is: ``source`` is a Parquet or CSV path (globs allowed, relative to the
    settings file) or the name of a table in the database of ``[data] url``."""

    source: str
    """A Parquet, CSV or JSON file, maybe packed (`.csv.gz`), a folder of such files or an address
    (`s3://…`); relative to the settings file, `*` allowed. Or the name of a table in the database
    of `[data] url`, with its schema where it is not the usual one: `ml.predictions`."""


class Predictions(TableSource):
    """The serving log: a row a prediction. ``time`` and ``prediction`` are needed.

    ``label`` is null while it has not arrived; ``label_time`` says when it did. ``group`` is
    the query of a ranking model. ``features`` may be ``"*"``: every column without a role.
    """

    time: str
    """When the prediction was served: a timestamp, a date, or whole seconds since 1970."""
    prediction: str
    """What was predicted: a probability, a value, a score, or a class."""
    model: str | None = None
    """Which model served it; without it there is one model, called `model`."""
    snapshot: str | None = None
    """Which snapshot (version) of the model served it."""
    experiment: str | None = None
    """Which experiment the request was in."""
    arm: str | None = None
    """Which arm of the experiment."""
    label: str | None = None
    """What really happened; empty while it is not known yet."""
    label_time: str | None = None
    """When the label arrived. Each earlier day is read as of the same time of day: of labels that
    take a day, those of the last day have not come. From 30 of them on a window is judged by them.
    """
    weight: str | None = None
    """How much the row counts; 1 without it."""
    group: str | None = None
    """The query or session that a ranking model ordered rows for."""
    dimensions: tuple[str, ...] = ()
    """Columns to cut traffic by, such as country or device."""
    features: tuple[str, ...] | Literal["*"] = "*"
    """The model's inputs; `"*"` means every column without a role."""
    hidden: tuple[str, ...] = ()
    """Columns whose values are never shown or stored."""


class Infra(TableSource):
    """Infrastructure series in long form: a row is (time, service, metric, value)."""

    time: str = "time"
    """When it was measured."""
    service: str = "service"
    """What was measured, such as `feature_store`."""
    metric: str = "metric"
    """Which of its figures, such as `latency_p99`."""
    value: str = "value"
    """The figure."""


class Snapshots(TableSource):
    """The registry of published snapshots, a row each.

    ``curve`` is JSON: a list of ``{"step", "train_loss", "valid_loss"}``. ``weights`` is JSON:
    ``{module: {"mean", "std", "norm", "max", "nan"}}``. ``metrics`` is JSON: name to value.
    ``artifact`` is a path (relative to the settings file) or an address that ``[scorer]`` can load.
    """

    model: str = "model"
    """Which model it is a snapshot of."""
    snapshot: str = "snapshot"
    """Its name, as in the serving log."""
    published: str = "published"
    """When it began to serve."""
    trained: str | None = None
    """When its training ended."""
    train_start: str | None = None
    """The first moment of the data that it was trained on."""
    train_end: str | None = None
    """The last moment of that data."""
    parent: str | None = None
    """The snapshot that it was trained from."""
    metrics: str | None = None
    """Its offline metrics, as JSON: name to value."""
    curve: str | None = None
    """Its training curve, as JSON: a list of `{"step", "train_loss", "valid_loss"}`."""
    weights: str | None = None
    """Its weights' statistics, as JSON: module to `{"mean", "std", "norm", "max", "nan"}`."""
    artifact: str | None = None
    """Where its artifact lies, relative to the settings file."""


class Experiments(TableSource):
    """A/B experiments: a row per arm and period; ``share`` is the arm's part of traffic, 0..1."""

    experiment: str = "experiment"
    """Its name, as in the serving log."""
    arm: str = "arm"
    """One of its arms."""
    model: str | None = None
    """The model that it is about."""
    start: str | None = None
    """When the arm began to get traffic."""
    end: str | None = None
    """When it ended."""
    share: str | None = None
    """The arm's part of traffic, 0 to 1."""


class Lineage(TableSource):
    """Edges, data flowing from ``upstream`` to ``downstream``.

    Where the edge ends in a feature, ``downstream_column`` names it; otherwise a node that is
    named like the feature is taken. The label's column is reached in the same way: what lies above
    it delivers the labels. ``owner`` is the team of the upstream node. Services of the table
    ``infra`` may be nodes too: what one waits for is upstream of it.
    """

    upstream: str = "upstream"
    """The node that data comes from."""
    downstream: str = "downstream"
    """The node, or feature, that it goes to."""
    upstream_column: str | None = None
    """The column that is read."""
    downstream_column: str | None = None
    """The column, or feature, that is made."""
    owner: str | None = None
    """The team that owns the upstream node."""


class Runs(TableSource):
    """Runs of the nodes of the lineage.

    ``time`` is when the run finished; ``data_time`` the newest event in what it wrote;
    ``schema`` any text that changes when the columns do; ``version`` the code's version.
    """

    node: str = "node"
    """Which node of the lineage ran."""
    time: str = "time"
    """When the run finished."""
    status: str | None = None
    """How it ended."""
    rows: str | None = None
    """How many rows it wrote."""
    data_time: str | None = None
    """The newest event in what it wrote."""
    schema_: str | None = Field(default=None, alias="schema")
    """Any text that changes when the columns do."""
    version: str | None = None
    """The version of its code."""


class Training(TableSource):
    """Rows that snapshots were trained on: ``partition`` is the day or file they came from.

    A sample does, taken at one rate of all of them; columns called like features are read as such.
    """

    snapshot: str = "snapshot"
    """The snapshot that was trained on this row."""
    model: str | None = None
    """Its model."""
    time: str | None = None
    """When the row's event was."""
    partition: str | None = None
    """The day or file that the row came from. With a date in its name (2026-03-26) its age is what
    trainings are compared by; without one, nothing is missed of a window that moves."""
    label: str | None = None
    """The label that it was trained on."""
    weight: str | None = None
    """How much the row counted."""


class Model(_Strict):
    """A served model. ``threshold`` turns a binary prediction into a decision."""

    name: str
    """Its name, as in the serving log."""
    task: Task = "binary"
    """What it predicts."""
    threshold: float = 0.5
    """Where a binary prediction becomes a yes."""
    owner: str | None = None
    """The team that owns it."""


class Metric(_Strict):
    """A top-line metric: an aggregate over predictions (``kind``, maybe of one ``model``), or a
    table of its own (``source`` with ``time`` and ``value``, maybe ``denominator``).

    ``bad`` says which direction hurts. ``every`` is the width of a bucket, in minutes.
    """

    name: str
    """What it is called in commands and alerts."""
    kind: MetricKind | None = None
    """An aggregate over the serving log: of classes `accuracy`; of values `mae`, `rmse`, `bias`; of
    rankings `ndcg`; `volume` and `label_coverage` of all; the means of all but classes; the others
    of probabilities."""
    model: str | None = None
    """Only rows of this model."""
    arm: str | None = None
    """Only rows of this arm."""
    source: str | None = None
    """A table of its own instead: a file, or the name of a table."""
    time: str = "time"
    """Its column of times (with `source`)."""
    value: str = "value"
    """Its column of values (with `source`)."""
    denominator: str | None = None
    """A column to divide by: Σ value ÷ Σ denominator (with `source`)."""
    dimensions: tuple[str, ...] = ()
    """Columns to cut it by (with `source`)."""
    bad: Literal["up", "down", "both"] = "both"
    """The direction that hurts."""
    every: int = Field(default=60, ge=1, le=1440)
    """The width of a bucket, in minutes."""
    owner: str | None = None
    """The team that owns it."""
    title: str | None = None
    """What people call it."""

    @model_validator(mode="after")
    def _one_origin(self) -> Metric:
        if (self.kind is None) == (self.source is None):
            raise ValueError(
                f"metric {self.name!r} needs either `kind` (an aggregate over predictions) "
                "or `source` (a table of its own), and not both"
            )
        return self


class Scorer(_Strict):
    """A program of yours that says what the artifact of a snapshot answers to given rows. With it,
    snapshots are held against each other on the same rows, and the log against what was deployed.
    [Scorer](scorer.md) has one in ten lines.
    """

    command: tuple[str, ...] = Field(min_length=2)
    """Program and arguments, started in the folder of the settings file. `"{rows}"` stands for a
    Parquet file to read, `"{answers}"` for the one to write."""
    seconds: float = Field(default=20, gt=0, le=3600)
    """Seconds that one call may take. A step goes on without it then, and says so. Fewer than a
    step may take itself, or it is stopped before it can."""

    @model_validator(mode="after")
    def _is_told_both_files(self) -> Scorer:
        for name in ("{rows}", "{answers}"):
            if name not in self.command:
                raise ValueError(f'`"{name}"` among its arguments: the file that it stands for')
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
    scorer: Scorer | None = None
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
