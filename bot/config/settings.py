"""The settings as values: what may stand in ``hawkeye.toml``, and what the environment holds.

The text below each key becomes its line in ``docs/settings.md``.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field

from analysis.tables import (
    Contract,
    Experiments,
    Infra,
    Lineage,
    Metric,
    Model,
    Predictions,
    Runs,
    Scorer,
    Snapshots,
    Training,
)
from bot.config.people import Alerts, OnCall, Route, Slack
from bot.config.secrets import Secrets
from bot.config.section import Section
from bot.config.walk import Budget, Mitigation, Monitors, Walk

if TYPE_CHECKING:
    from datetime import datetime

    from analysis.evidence import Filter
    from analysis.warehouse import Warehouse


class Data(Section):
    """The engine that reads the tables."""

    url: str = "duckdb://"
    """Any address that Ibis speaks (`duckdb://`, `postgres://…`, `bigquery://…`), or a Spark
    cluster's (`spark://…`). DuckDB in memory by default, which reads Parquet and CSV files;
    `duckdb://warehouse.duckdb` opens a database file beside the settings.
    [Engines](engines.md) says what each one needs."""


class Tables(Section):
    """Your tables. Only `predictions` is needed; a step says which table it had to do without."""

    predictions: Predictions
    """The serving log."""
    infra: Infra | None = None
    """Infrastructure series."""
    snapshots: Snapshots | None = None
    """Published snapshots."""
    experiments: Experiments | None = None
    """A/B experiments."""
    lineage: Lineage | None = None
    """What feeds what."""
    runs: Runs | None = None
    """Runs of the nodes of the lineage."""
    training: Training | None = None
    """Rows that snapshots were trained on."""


class State(Section):
    """Where incidents are kept."""

    path: Path = Path(".hawkeye/state.db")
    """An SQLite file, made when it is not there; relative to the settings file."""


class Settings(Section):
    """All settings. ``path`` is the file they were read from; ``secrets`` the environment's."""

    path: Path = Field(exclude=True)
    secrets: Secrets = Field(exclude=True)
    data: Data = Data()
    tables: Tables
    """`[tables.predictions]` with `source`, `time` and `prediction`."""
    models: tuple[Model, ...] = ()
    metrics: tuple[Metric, ...] = Field(min_length=1)
    """One or more `[[metrics]]`, each with `name` and `kind` or `source`."""
    slack: Slack = Slack()
    alerts: Alerts = Alerts()
    oncall: OnCall = OnCall()
    monitors: Monitors = Monitors()
    walk: Walk = Walk()
    budget: Budget = Budget()
    scorer: Scorer | None = None
    mitigations: tuple[Mitigation, ...] = ()
    state: State = State()

    @property
    def root(self) -> Path:
        """The folder of the settings file, to which paths are relative."""
        return self.path.parent

    @property
    def state_path(self) -> Path:
        """The SQLite file."""
        return self.root / self.state.path

    def state_of(self, installation: str) -> Path:
        """The file of an installation: one of its own beside that file, so that no workspace ever
        reads what is another's. With the one bot token ("") it is the file itself."""
        path = self.state_path
        return path.with_stem(f"{path.stem}-{installation}") if installation else path

    @cached_property
    def contract(self) -> Contract:
        """The tables as the analysis takes them."""
        return Contract(
            url=beside(self.data.url, self.root),
            models=self.models,
            metrics=self.metrics,
            scorer=self.scorer,
            **{name: getattr(self.tables, name) for name in Tables.model_fields},
        )

    def warehouse(
        self, now: datetime, filters: tuple[Filter, ...] = (), most_bytes: int | None = None
    ) -> Warehouse:
        """The tables as of ``now``, only the traffic that passes the filters; profiles of the log
        are kept beside the incidents. Queries may read ``most_bytes``; None is any."""
        from analysis.warehouse import Warehouse

        folder = self.state_path.parent / "profiles"
        return Warehouse(self.contract, self.root, now, folder, filters, most_bytes)

    def route_for(
        self, metric: str | None, model: str | None, owners: Iterable[str], severity: int
    ) -> Route | None:
        """The first route whose every given key matches.

        ``owners`` are added to the owners that the settings give the metric and the model.
        """
        known = {o for o in owners if o}
        known |= {m.owner for m in self.metrics if m.name == metric and m.owner}
        known |= {m.owner for m in self.models if m.name == model and m.owner}
        for route in self.alerts.routes:
            wanted = ((route.metric, {metric}), (route.model, {model}), (route.owner, known))
            bad_enough = route.severity is None or severity <= route.severity
            if bad_enough and all(name in have for name, have in wanted if name is not None):
                return route
        return None


def beside(url: str, root: Path) -> str:
    """A database file named relatively lies beside the settings, wherever the bot is started."""
    scheme, _, rest = url.partition("://")
    name, mark, query = rest.partition("?")
    if scheme not in ("duckdb", "sqlite") or not name or name[0] in "/:" or name[:3] == "md:":
        return url
    return f"{scheme}://{(root / name).absolute()}{mark}{query}"
