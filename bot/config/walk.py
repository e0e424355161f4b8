"""How HawkEye watches, walks and mends: monitors, steps and their budgets, mitigations."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from analysis.evidence import SuspectKind
from bot.config.section import All, Names, Section, Url


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
    """Seconds that a look may take before it is stopped; a step of a walk, unless `[budget]` says
    otherwise, which then asks for more."""
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


class Budget(Section):
    """What a step may use before it asks a person in the thread: see [Engines](engines.md)."""

    gigabytes: float | None = Field(default=100, gt=0)
    """Gigabytes (10⁹ bytes) of your tables that a step may read. Counted where the engine says
    beforehand what a query reads; elsewhere there is no such bound. 0.1 are 100 megabytes."""
    seconds: float | None = Field(default=None, gt=0, le=36000)
    """Seconds that a step may take before it is stopped, and asks; those of `[walk]` by default."""

    @property
    def bytes(self) -> int | None:
        """Bytes that a step may read; None where there is no bound."""
        return None if self.gigabytes is None else round(self.gigabytes * 1e9)


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
