"""The settings as values: what may stand in ``hawkeye.toml``, and what the environment holds.

The text below each key becomes its line in ``docs/settings.md``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import time
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from analysis.evidence import SuspectKind
from analysis.tables import (
    Contract,
    Experiments,
    Infra,
    Lineage,
    Metric,
    Model,
    Predictions,
    Runs,
    Snapshots,
    Training,
)
from handlers.alerts.authentication import Keys

if TYPE_CHECKING:
    from datetime import datetime

    from analysis.evidence import Filter
    from analysis.warehouse import Warehouse

All = Literal["all"]
Names = tuple[str, ...]
Url = Annotated[str, Field(pattern=r"^https?://[^\s/]+", examples=["https://deploy.example/undo"])]


class Section(BaseModel):
    """A table of the settings: frozen, and a key that it does not know is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


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


class Workspace(Section):
    """A workspace whose people may install HawkEye through `/slack/install`, with OAuth: see
    [Slack](slack.md). Without any, the one bot token of the environment is used. The first one
    gets what no route matches."""

    name: str = Field(min_length=1)
    """What routes call it."""
    id: str
    """Its id, `T…`: it stands in the address of Slack in a browser, `app.slack.com/client/T…`."""
    org: str | None = None
    """The id of its org, `E…`, where HawkEye is installed for the whole org."""
    channel: str | None = None
    """Where a thread opens there when no route says otherwise; `[slack] channel` by default."""
    call: Names = ()
    """Who is called there when no route says otherwise, instead of `[oncall] call`."""

    @model_validator(mode="after")
    def _has_ids_of_slack(self) -> Workspace:
        if not re.fullmatch(r"T[A-Z0-9]+", self.id):
            raise ValueError(f'id = "{self.id}": expected a workspace\'s id, such as "T0123ABCD"')
        if self.org is not None and not re.fullmatch(r"E[A-Z0-9]+", self.org):
            raise ValueError(f'org = "{self.org}": expected an org\'s id, such as "E0123ABCD"')
        return self

    @property
    def installation(self) -> str:
        """What serves it: the installation in its org, or its own."""
        return self.org or self.id


class Slack(Section):
    """How HawkEye meets Slack. Tokens are never read from the file: see Environment."""

    mode: Literal["socket", "http"] = "socket"
    """`socket` needs no address that Slack can reach; `http` listens on `host` and `port`."""
    channel: str = "#ml-oncall"
    """Where a thread opens when no route says otherwise."""
    host: str = "127.0.0.1"
    """The address to listen on: alerts, health, and Slack's requests when `mode` is `http`."""
    port: int = Field(default=3000, ge=1, le=65535)
    """The port to listen on."""
    url: Url | None = None
    """The public address under which people reach this bot to install it: Slack sends them back to
    `/slack/oauth_redirect` there. Only needed where the app has several redirect URLs."""
    workspaces: tuple[Workspace, ...] = ()
    """Where HawkEye may be installed with OAuth, each a table `[[slack.workspaces]]`."""

    @property
    def installations(self) -> tuple[str, ...]:
        """What serves the workspaces: ids of workspaces and orgs; ("",) with the one bot token."""
        return tuple(dict.fromkeys(w.installation for w in self.workspaces)) or ("",)


class Route(Section):
    """Sends what it matches to a channel. The first route whose every given key matches counts."""

    channel: str
    """The channel in which the thread opens."""
    metric: str | None = None
    """The name of a metric of these settings."""
    model: str | None = None
    """The name of a model."""
    owner: str | None = None
    """The `owner` of the metric, model or upstream node, or the team that the alert names."""
    severity: int | None = Field(default=None, ge=1, le=4)
    """Only alerts as bad as this or worse (1 is the worst)."""
    on_call: Names = ()
    """Who is called for what this route matches, instead of `[oncall] call`."""
    workspace: str | None = None
    """The name of the workspace whose channel it is; needed where there are several."""

    @model_validator(mode="after")
    def _matches_something(self) -> Route:
        if not (self.metric or self.model or self.owner or self.severity):
            raise ValueError(
                f"`metric`, `model`, `owner` or `severity` beside channel = {self.channel!r}: "
                "what no route matches goes to `[slack] channel`"
            )
        return self


class Alerts(Section):
    """Alerts that come in over HTTP. Their token is `HAWKEYE_ALERTS_TOKEN`: see Environment."""

    routes: tuple[Route, ...] = ()
    """Which alert goes to which channel, in order."""


class OnCall(Section):
    """Who is called. Without `call`, and without `on_call` in a route, nobody is mentioned."""

    call: Names = ()
    """Whom to mention, one level after the other: a Slack user group (`S…`), a person (`U…`),
    `pagerduty:POLICY` (level 1 of an escalation policy; `pagerduty:POLICY/2` is its level 2) or
    `pagerduty-schedule:SCHEDULE`."""
    wait_minutes: int = Field(default=15, ge=1, le=1440)
    """Minutes without anybody taking an incident after which the next level is mentioned."""
    quiet_start: str = ""
    """When quiet hours begin, such as `"22:00"`; in them nobody is mentioned, and is told at
    their end."""
    quiet_end: str = ""
    """When quiet hours end, such as `"07:00"`."""
    quiet_zone: str = "UTC"
    """The time zone of quiet hours, such as `"Europe/Berlin"`."""
    quiet_severity: int = Field(default=1, ge=0, le=4)
    """What is as bad as this or worse mentions people in quiet hours all the same; 0 is nothing."""
    pagerduty_url: Url = "https://api.pagerduty.com"
    """PagerDuty's REST API, asked with `HAWKEYE_PAGERDUTY_TOKEN`."""

    @model_validator(mode="after")
    def _makes_sense(self) -> OnCall:
        if bool(self.quiet_start) != bool(self.quiet_end):
            raise ValueError("`quiet_start` and `quiet_end`: one without the other")
        for name, text in (("quiet_start", self.quiet_start), ("quiet_end", self.quiet_end)):
            if text and not _clock(text):
                raise ValueError(f'{name} = "{text}": expected a time such as "22:00"')
        if not _zone_is_known(self.quiet_zone):
            raise ValueError(
                f'quiet_zone = "{self.quiet_zone}": expected a zone such as "Europe/Berlin"'
            )
        return self

    @property
    def quiet(self) -> tuple[time, time] | None:
        """When quiet hours begin and end."""
        begin, end = _clock(self.quiet_start), _clock(self.quiet_end)
        return (begin, end) if begin is not None and end is not None else None


def _clock(text: str) -> time | None:
    try:
        return time.fromisoformat(text) if text else None
    except ValueError:
        return None


def _zone_is_known(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, ZoneInfoNotFoundError):
        return False
    return True


class Monitors(Section):
    """HawkEye's own watch over the tables: opens a thread by itself."""

    on: bool = True
    """Whether to watch at all."""
    every: int = Field(default=10, ge=1, le=1440)
    """Minutes between two looks."""
    metrics: Names | All = "all"
    """Names of metrics, or `"all"`."""
    models: Names | All = ()
    """Names of models, or `"all"`."""
    features: Names | All = ()
    """Names of features, or `"all"` (noisy with many features)."""


class Walk(Section):
    """How a step looks, and the limits of the worker processes that run it."""

    baseline_days: int = Field(default=28, ge=1, le=365)
    """Days before the onset to compare with."""
    recheck_minutes: int = Field(default=10, ge=1, le=1440)
    """Minutes between two looks at the recovery after a mitigation."""
    give_up_minutes: int = Field(default=120, ge=1, le=10080)
    """Minutes after a mitigation from which "too early to tell" is no answer any more: what is
    likelier is told, "recovered" or "not recovering", once there is anything to judge by."""
    workers: int = Field(default=2, ge=1, le=64)
    """Worker processes that run checks. With more than one, one is kept free for people."""
    seconds: float = Field(default=60, gt=0, le=3600)
    """Seconds that a check may take before it is stopped."""
    memory_mb: int = Field(default=4000, ge=500)
    """Megabytes that a worker may hold before it is stopped; about 200 are the libraries'."""

    @model_validator(mode="after")
    def _gives_up_after_a_look(self) -> Walk:
        if self.give_up_minutes < self.recheck_minutes:
            raise ValueError(
                f"give_up_minutes = {self.give_up_minutes} comes before the first look at "
                f"recheck_minutes = {self.recheck_minutes}: raise the first or lower the second"
            )
        return self


class Mitigation(Section):
    """Something that a person can have done from the thread: see [Mitigations](mitigations.md)."""

    name: str = Field(min_length=1, max_length=60)
    """What the button says; with kind `plugin`, the name that the plugin gives its mitigation."""
    kind: Literal["webhook", "pagerduty", "plugin"] = "webhook"
    """`webhook` sends JSON to `url` by POST; `pagerduty` pages the suspect's owner by PagerDuty's
    Events API v2, with a key of `HAWKEYE_PAGERDUTY_ROUTING_KEYS`; `plugin` only says who may use
    a mitigation of that name that a plugin brings."""
    url: Url | None = None
    """Called when a person has confirmed. Needed with `webhook`; with `pagerduty` it is
    `https://events.pagerduty.com/v2/enqueue` by default (in the EU `events.eu.pagerduty.com`)."""
    dry_run_url: Url | None = None
    """Called first; its answer is shown as what would happen."""
    suspects: tuple[SuspectKind, ...] = ()
    """Kinds of suspect that it is offered for; empty is any."""
    users: Names = ()
    """Slack user ids who may; with no users and no groups, anyone in the channel may."""
    groups: Names = ()
    """Slack user group ids whose members may."""
    second_person: bool = False
    """Whether somebody else than the one who asked for it has to confirm it."""

    @model_validator(mode="after")
    def _can_be_carried_out(self) -> Mitigation:
        if self.kind == "webhook" and self.url is None:
            raise ValueError(
                f"`url` for {self.name!r}: the address that is called when it is confirmed"
            )
        if self.kind == "plugin" and not (self.users or self.groups or self.second_person):
            raise ValueError(
                f"`users`, `groups` or `second_person` of {self.name!r}: with kind `plugin` there "
                "is nothing else to say"
            )
        return self


class State(Section):
    """Where incidents are kept."""

    path: Path = Path(".hawkeye/state.db")
    """An SQLite file, made when it is not there; relative to the settings file."""


class Secrets(Section):
    """What comes from the environment alone, so that no token lies in a file."""

    slack_bot_token: SecretStr | None = Field(default=None, alias="SLACK_BOT_TOKEN")
    """The bot's token, `xoxb-…`; with `[[slack.workspaces]]` each has its own instead."""
    slack_app_token: SecretStr | None = Field(default=None, alias="SLACK_APP_TOKEN")
    """The app-level token for Socket Mode, `xapp-…`; needed when `mode` is `socket`."""
    slack_client_id: str | None = Field(default=None, alias="SLACK_CLIENT_ID")
    """The app's client id, under "Basic Information"; needed with `[[slack.workspaces]]`."""
    slack_client_secret: SecretStr | None = Field(default=None, alias="SLACK_CLIENT_SECRET")
    """The app's client secret; needed with `[[slack.workspaces]]`."""
    slack_signing_secret: SecretStr | None = Field(default=None, alias="SLACK_SIGNING_SECRET")
    """Proves that a request is Slack's; needed when `mode` is `http`."""
    slack_api_url: str = Field(default="https://slack.com/api/", alias="SLACK_API_URL")
    """The base address of Slack's Web API; another one for a local workspace."""
    alerts_token: SecretStr | None = Field(default=None, alias="HAWKEYE_ALERTS_TOKEN")
    """What `POST /alerts/…` must carry as a bearer token; without it, alerts are refused."""
    pagerduty_secret: SecretStr | None = Field(default=None, alias="HAWKEYE_PAGERDUTY_SECRET")
    """The secret of PagerDuty's webhook subscription, which signs what it sends; several are
    parted by commas."""
    pagerduty_token: SecretStr | None = Field(default=None, alias="HAWKEYE_PAGERDUTY_TOKEN")
    """A read-only REST API key of PagerDuty: who is on call."""
    pagerduty_routing_keys: SecretStr | None = Field(
        default=None, alias="HAWKEYE_PAGERDUTY_ROUTING_KEYS"
    )
    """Integration keys of PagerDuty's Events API v2 by owner, `ranking=R0…,weather=R1…`; `*=R2…` is
    for every other owner."""
    grafana_secret: SecretStr | None = Field(default=None, alias="HAWKEYE_GRAFANA_SECRET")
    """The HMAC secret of Grafana's webhook contact point; several are parted by commas."""

    @property
    def routing_keys(self) -> dict[str, str]:
        """PagerDuty's integration keys by owner; "*" stands for every other owner."""
        pairs = (part.partition("=") for part in _several(self.pagerduty_routing_keys))
        return {owner.strip(): key.strip() for owner, mark, key in pairs if mark and key.strip()}

    @property
    def keys(self) -> Keys:
        """What senders of alerts have to know."""
        secrets = {"pagerduty": self.pagerduty_secret, "grafana": self.grafana_secret}
        return Keys(
            _plain(self.alerts_token), {name: _several(given) for name, given in secrets.items()}
        )


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
            url=_beside(self.data.url, self.root),
            models=self.models,
            metrics=self.metrics,
            **{name: getattr(self.tables, name) for name in Tables.model_fields},
        )

    def warehouse(self, now: datetime, filters: tuple[Filter, ...] = ()) -> Warehouse:
        """The tables as of ``now``, only the traffic that passes the filters; profiles of the log
        are kept beside the incidents."""
        from analysis.warehouse import Warehouse

        folder = self.state_path.parent / "profiles"
        return Warehouse(self.contract, self.root, now, folder, filters)

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


def _plain(secret: SecretStr | None) -> str:
    return secret.get_secret_value() if secret else ""


def _several(secret: SecretStr | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in _plain(secret).split(",") if part.strip())


def _beside(url: str, root: Path) -> str:
    """A database file named relatively lies beside the settings, wherever the bot is started."""
    scheme, _, rest = url.partition("://")
    name, mark, query = rest.partition("?")
    if scheme not in ("duckdb", "sqlite") or not name or name[0] in "/:" or name[:3] == "md:":
        return url
    return f"{scheme}://{(root / name).absolute()}{mark}{query}"
