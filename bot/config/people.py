"""Whom HawkEye meets and calls: Slack, its workspaces, the routes of alerts, who is on call."""

from __future__ import annotations

import re
from datetime import time
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, model_validator

from bot.config.section import Names, Section, Url


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
