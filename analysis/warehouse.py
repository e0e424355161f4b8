"""The team's tables, read through Ibis where they are, as of a given moment.

Every table comes with the columns of the contract under one set of names, times as naive UTC
timestamps, and without what had not happened yet at ``now``. Only aggregates and bounded
samples come into pandas.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis import engine, words
from analysis.columns import need_numbers, need_times
from analysis.cost import Meter
from analysis.evidence import CannotExamine, Filter, Window
from analysis.portable import as_level, as_number, as_text, timestamp
from analysis.tables import Contract, Metric, Role, TableSource

if TYPE_CHECKING:
    import pandas as pd

ONE_MODEL = "model"
"""The name of the model of a log that has no column for it."""
MOST_ROWS = 200_000
"""No result with more rows than this comes into pandas."""

_PREDICTION_ROLES = {
    Role.TIME: "time",
    Role.PREDICTION: "prediction",
    Role.MODEL: "model",
    Role.SNAPSHOT: "snapshot",
    Role.EXPERIMENT: "experiment",
    Role.ARM: "arm",
    Role.LABEL: "label",
    Role.LABEL_TIME: "label_time",
    Role.WEIGHT: "weight",
    Role.GROUP: "group",
}
ROLES = {
    "model": Role.MODEL,
    "arm": Role.ARM,
    "snapshot": Role.SNAPSHOT,
    "experiment": Role.EXPERIMENT,
}
"""Dimensions that every serving log has, by the names that people say."""

_TIME_FIELDS = {
    "infra": ("time",),
    "snapshots": ("published", "trained", "train_start", "train_end"),
    "experiments": ("start", "end"),
    "lineage": (),
    "runs": ("time", "data_time"),
    "training": ("time",),
}
_AS_OF = {"infra": "time", "snapshots": "published", "runs": "time"}


class Warehouse:
    """Reads the tables of ``contract``; paths are relative to ``root``; nothing after ``now``.

    With ``filters`` the serving log, and every metric's own table, hold only the traffic that
    passes all of them. ``profiles`` is a folder in which profiles of the whole serving log are
    kept between checks. ``most_bytes`` are what all queries together may read, where the engine
    says beforehand what that is; None is any.

    Raises CannotExamine when a table or a column that the contract names is not there, and
    OverBudget in place of a query that would go over ``most_bytes``.
    """

    def __init__(
        self,
        contract: Contract,
        root: Path,
        now: datetime,
        profiles: Path | None = None,
        filters: tuple[Filter, ...] = (),
        most_bytes: int | None = None,
    ) -> None:
        self.contract = contract
        self.root = root
        self.now = now
        self.filters = filters
        self.profiles = profiles
        self._meter = Meter(most_bytes) if most_bytes is not None else None

    @cached_property
    def _connection(self) -> Any:
        connection = engine.connect(self.contract.url)
        if self._meter is not None:
            self._meter.watch(connection)
        return connection

    @property
    def bytes_read(self) -> int:
        """What its queries have read so far, as far as that was counted."""
        return self._meter.read if self._meter is not None else 0

    def connected(self) -> None:
        """Raises CannotExamine when the engine can't be reached."""
        _ = self._connection

    def has(self, table: str) -> bool:
        """Whether the settings name this table (a field of the contract)."""
        return getattr(self.contract, table) is not None

    def rows(self, source: str) -> Any:
        """A source as it stands, an Ibis table; CannotExamine when it can't be read."""
        return self._read(source, source)

    # -- predictions -------------------------------------------------------------------------

    @cached_property
    def features(self) -> tuple[str, ...]:
        """The features' columns: the listed ones, or every column without a role."""
        wanted = self.contract.predictions.features
        if wanted != "*":
            return tuple(wanted)
        table = self.contract.predictions
        taken = {getattr(table, name) for name in _PREDICTION_ROLES.values()}
        columns = self._raw("predictions").columns
        return tuple(c for c in columns if c not in taken)

    @property
    def dimensions(self) -> tuple[str, ...]:
        """The columns that traffic is cut by; a segment's name tells a value, so none is hidden."""
        return self.shown(self.contract.predictions.dimensions)

    def shown(self, columns: Iterable[str]) -> tuple[str, ...]:
        """Those whose values may be shown."""
        return tuple(c for c in columns if c not in self.hidden)

    @property
    def hidden(self) -> frozenset[str]:
        """Columns whose values are never shown or stored."""
        return frozenset(self.contract.predictions.hidden)

    @cached_property
    def has_labels(self) -> bool:
        """Whether the serving log has a label column."""
        return self.contract.predictions.label is not None

    @cached_property
    def predicts_classes(self) -> bool:
        """Whether predictions are classes, by name or by number, which have no size."""
        text = self._prediction_table[Role.PREDICTION].type().is_string()
        return bool(text) or {m.task for m in self.contract.models} == {"multiclass"}

    def predictions(
        self,
        window: Window | None = None,
        models: Iterable[str] = (),
        arms: Iterable[str] = (),
        snapshots: Iterable[str] = (),
    ) -> Any:
        """The serving log as an Ibis table with all of :class:`Role`, features and dimensions.

        A role that the team's log lacks reads as a constant: model "model", snapshot "current",
        experiment "none", arm "all", weight 1, label null. Labels that arrive after ``now``
        are null.
        """
        table = self._prediction_table
        if window is not None:
            table = table.filter(
                table[Role.TIME] >= naive(window.start), table[Role.TIME] < naive(window.end)
            )
        for role, names in ((Role.MODEL, models), (Role.ARM, arms), (Role.SNAPSHOT, snapshots)):
            chosen = list(names)
            if chosen:
                table = table.filter(table[role].isin(chosen))
        return table

    @cached_property
    def _prediction_table(self) -> Any:
        import ibis

        source = self.contract.predictions
        raw = self._raw("predictions")
        need_numbers(raw, self.contract)
        constants: dict[str, Any] = {
            Role.MODEL: ibis.literal(ONE_MODEL),
            Role.SNAPSHOT: ibis.literal("current"),
            Role.EXPERIMENT: ibis.literal("none"),
            Role.ARM: ibis.literal("all"),
            Role.LABEL: ibis.null("float64"),
            Role.LABEL_TIME: ibis.null("timestamp"),
            Role.WEIGHT: ibis.literal(1.0),
            Role.GROUP: ibis.null("string"),
        }
        columns: dict[str, Any] = {}
        if ours := sorted({*self.features, *self.dimensions} & set(_PREDICTION_ROLES)):
            raise CannotExamine(
                f"The predictions table has a column `{ours[0]}`, a name that HawkEye uses itself: "
                "rename it, or list `features` and `dimensions` without it."
            )
        for role, field in _PREDICTION_ROLES.items():
            name = getattr(source, field)
            if name is None:
                columns[role] = constants[role]
            else:
                columns[role] = self._column(raw, "predictions", field, name)
        columns[Role.TIME] = self._time(raw, "tables.predictions", "time", source.time)
        if source.label_time is not None:
            columns[Role.LABEL_TIME] = self._time(
                raw, "tables.predictions", "label_time", source.label_time
            )
        for role in (Role.MODEL, Role.SNAPSHOT, Role.EXPERIMENT, Role.ARM):
            columns[role] = as_text(columns[role]).fill_null("none")
        for role in (Role.PREDICTION, Role.LABEL):
            kind = columns[role].type()
            if kind.is_boolean() or kind.is_decimal():
                columns[role] = as_number(columns[role])
        if source.label_time is not None:
            arrived = columns[Role.LABEL_TIME] < naive(self.now)
            columns[Role.LABEL] = arrived.ifelse(columns[Role.LABEL], ibis.null())
        for name in (*self.features, *self.dimensions):
            columns[name] = self._column(raw, "predictions", "features", name)
        table = raw.select(**columns)
        return self._filtered(table.filter(table[Role.TIME] < naive(self.now)), self.dimensions)

    def _filtered(self, table: Any, dimensions: Iterable[str], where: str = "") -> Any:
        """The rows that pass every filter; CannotExamine where the table can't be cut that way."""
        known = {name: name for name in self.shown(dimensions)}
        if not where:
            known |= ROLES
        for wanted in self.filters:
            if wanted.dimension not in known:
                raise CannotExamine(
                    f"{where or 'The serving log'} has no dimension `{wanted.dimension}` to "
                    f"filter by; there {engine.are(sorted(known))}. Run it again without "
                    "that filter."
                )
            value = as_level(table[known[wanted.dimension]])
            table = table.filter(value.isin(wanted.values))
        return table

    def span(self) -> Window:
        """From the first to the last prediction seen by ``now``; CannotExamine when none."""
        table = self.predictions()
        row = self.fetch(table.aggregate(low=table[Role.TIME].min(), high=table[Role.TIME].max()))
        if row["low"].isna().all():
            ever = self.now.year == datetime.max.year
            before = "" if ever else f" before {words.clock(self.now)}"
            raise CannotExamine(
                f"The predictions table ({self.contract.predictions.source}) has no rows with a "
                f"time{before}: check `source` and `time` in the settings."
            )
        import pandas as pd

        one = pd.Timedelta(microseconds=1)
        return Window(aware(row["low"].iloc[0]), aware(row["high"].iloc[0] + one))

    # -- the other tables --------------------------------------------------------------------

    def table(self, name: str) -> Any:
        """One of infra, snapshots, experiments, lineage, runs, training, as an Ibis table.

        Columns are named by the contract's fields (``time``, ``service``, …); a column that the
        team does not have is null. ``training`` also keeps features under their own names.
        Raises CannotExamine when the settings do not name the table.
        """
        import ibis

        source = getattr(self.contract, name)
        if source is None:
            raise CannotExamine(f"There is no table `{name}` in the settings.")
        raw = self._raw(name)
        columns: dict[str, Any] = {}
        for field in type(source).model_fields:
            if field == "source":
                continue
            theirs = getattr(source, field)
            label = field.rstrip("_")
            columns[label] = (
                ibis.null("string") if theirs is None else self._column(raw, name, field, theirs)
            )
            if field in _TIME_FIELDS[name] and theirs is not None:
                columns[label] = self._time(raw, f"tables.{name}", field, theirs)
        if name == "training":
            columns |= {c: raw[c] for c in self.features if c in raw.columns and c not in columns}
        table = raw.select(**columns)
        if name in _AS_OF:
            table = table.filter(table[_AS_OF[name]] < naive(self.now))
        return table

    def metric_table(self, metric: Metric) -> Any:
        """A metric that has a table of its own: ``time``, ``value``, maybe ``denominator``,
        and its dimensions, before ``now``."""
        raw = self._read(str(metric.source), f"metrics.{metric.name}")
        where = f"metrics.{metric.name}"
        columns = {
            "time": self._time(raw, where, "time", metric.time),
            "value": as_number(self._column(raw, where, "value", metric.value)),
        }
        if metric.denominator:
            column = self._column(raw, where, "denominator", metric.denominator)
            columns["denominator"] = as_number(column)
        columns |= {d: self._column(raw, where, "dimensions", d) for d in metric.dimensions}
        table = raw.select(**columns)
        table = table.filter(table["time"] < naive(self.now))
        return self._filtered(table, metric.dimensions, f"The table of `{metric.name}`")

    # -- into pandas -------------------------------------------------------------------------

    def fetch(self, expression: Any, most: int = MOST_ROWS) -> pd.DataFrame:
        """The result of ``expression``; CannotExamine when it has more than ``most`` rows."""
        frame: pd.DataFrame = expression.limit(most + 1).to_pandas()
        if len(frame) > most:
            raise CannotExamine(
                f"A result has more than {most:,} rows; choose a shorter window or fewer segments."
            )
        return frame

    # -- the engine --------------------------------------------------------------------------

    def _raw(self, name: str) -> Any:
        source: TableSource = getattr(self.contract, name)
        return self._read(source.source, name)

    def _read(self, source: str, where: str) -> Any:
        connection = self._connection
        try:
            table = engine.table(connection, source, self.root)
            if self._meter is not None and (path := engine.files(source, self.root)):
                self._meter.files[table.get_name()] = path
            return table
        except CannotExamine as error:
            raise CannotExamine(
                f"The table `{where}` can't be read from {source!r}: {error}"
            ) from error

    def _time(self, raw: Any, table: str, field: str, name: str) -> Any:
        """A column of times as naive UTC timestamps; CannotExamine when it is text that is none."""
        column = self._column(raw, table, field, name)
        need_times(raw, table, field, name, shown=name not in self.hidden)
        return timestamp(column)

    def _column(self, raw: Any, table: str, field: str, name: str) -> Any:
        if name not in raw.columns:
            raise CannotExamine(
                f"[{table}] {field} = {name!r}: there is no such column; "
                f"there are {', '.join(map(repr, raw.columns[:12]))}"
                + (" …" if len(raw.columns) > 12 else "")
            )
        return raw[name]


def naive(moment: datetime) -> datetime:
    """An aware moment as the naive UTC time that the engine's timestamps are in."""
    return moment.astimezone(UTC).replace(tzinfo=None)


def aware(moment: Any) -> datetime:
    """A naive UTC timestamp of a result as an aware datetime."""
    import pandas as pd

    stamp: datetime = pd.Timestamp(moment).to_pydatetime(warn=False)
    return stamp.replace(tzinfo=UTC) if stamp.tzinfo is None else stamp.astimezone(UTC)
