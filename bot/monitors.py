"""Hawkeye's own watch: looks at metrics, models and features, and opens a thread by itself.

Each monitor asks the tree's first question about the last day. Two looks in a row must find the
same excursion still going on; then a thread opens, once per excursion. What a monitor saw is
kept in the store, so that a restart forgets nothing and two processes don't look twice.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import structlog

from analysis.evidence import CannotExamine, Evidence, Scope, Window
from bot.config import Settings
from handlers.desk import Desk, Subject, Subjects, every, open_about
from handlers.standing import MONITORS
from state.as_text import stamp, unstamp
from state.incident import Alert, Entry, Incident
from state.store import Store

RunCheck = Callable[[str, Scope], Evidence]
"""Runs the check of a node over a scope; raises what the check raises."""

MOST_LOOKS = 3
"""A tick makes at most so many looks, so that the bot can be stopped between them."""
LOOKS_IN_A_ROW = 2
"""So many looks in a row must find the excursion before a thread opens."""
SURE = math.log(0.95 / 0.05)
"""Log odds that an excursion must have after all, prior included."""
RARE = 30
"""Before any data are seen, one look in so many meets a real excursion: a monitor looks at what
nobody complained about, and a metric breaks for a day about once a month."""
AT_ITS_WORD = 0.99
BACK = 0.8
"""How sure the recovery check must be that an excursion is over already."""
LAST_DAY = timedelta(days=1)
RECENT = timedelta(hours=2)
OLDEST = timedelta(days=2)
"""An excursion that began earlier was there when the monitor looked before, or is how it is now."""
COOL_DOWN = timedelta(hours=24)
"""An excursion that goes on after its incident was closed is left alone for so long."""

log = structlog.get_logger()


@dataclass(frozen=True)
class Seen:
    """What a monitor remembers. Times are ISO texts, "" for never.

    ``out`` counts the looks in a row that found an excursion; ``calm_at`` is the last look that
    found none; ``error`` says why the last look failed.
    """

    looked_at: str = ""
    out: int = 0
    calm_at: str = ""
    error: str = ""
    headline: str = ""

    @classmethod
    def of(cls, kept: Mapping[str, Any] | None) -> Seen:
        """From the store's JSON; keys of another version are left out."""
        known = {k: v for k, v in (kept or {}).items() if k in cls.__dataclass_fields__}
        return cls(**known)


@dataclass(frozen=True)
class Tick:
    """What a tick did: the monitors that looked, and the incidents that were opened."""

    looked: tuple[str, ...] = ()
    opened: tuple[str, ...] = ()


def subjects_to_check(settings: Settings, known: Subjects) -> tuple[Subject, ...]:
    """What the settings want watched, metrics first; nothing when monitors are off."""
    monitors = settings.monitors
    if not monitors.on:
        return ()
    wanted: dict[Entry, tuple[str, ...] | str] = {
        "metric": monitors.metrics,
        "model": monitors.models,
        "feature": monitors.features,
    }
    found: list[Subject] = []
    for entry, names in wanted.items():
        found += every(known, entry) if names == "all" else [Subject(entry, n) for n in names]
    return tuple(dict.fromkeys(found))


def tick(
    desk: Desk,
    run_check: RunCheck,
    settings: Settings,
    now: datetime,
    mine: Callable[[Subject], bool] = lambda _: True,
) -> Tick:
    """Look where a look is due, those first that waited longest; only at what is ``mine``.

    A monitor that fails is logged and shown by ``status``; the others go on.
    """
    watched = tuple(filter(mine, subjects_to_check(settings, desk.subjects())))
    pause = timedelta(minutes=settings.monitors.every)
    looked: list[str] = []
    opened: list[str] = []
    for subject in _claim(desk.store, watched, pause, now):
        incident = _look(subject, desk, run_check, settings, now)
        looked.append(str(subject))
        opened += [incident.id] if incident else []
    return Tick(tuple(looked), tuple(opened))


def _claim(
    store: Store, watched: tuple[Subject, ...], pause: timedelta, now: datetime
) -> list[Subject]:
    """The monitors whose time has come, marked as looked at in one transaction.

    A crash in between costs one look, which the next one makes up for. Monitors that are no
    longer wanted are forgotten. A clock that was set back makes a look due as well.
    """
    with store.transaction():
        kept: dict[str, Any] = store.settings(MONITORS) or {}
        seen = {str(s): Seen.of(kept.get(str(s))) for s in watched}

        def due(subject: Subject) -> bool:
            last = seen[str(subject)].looked_at
            return not last or not timedelta(0) <= now - unstamp(last) < pause

        waiting = sorted(filter(due, watched), key=lambda s: seen[str(s)].looked_at)[:MOST_LOOKS]
        for subject in waiting:
            seen[str(subject)] = replace(seen[str(subject)], looked_at=stamp(now))
        if waiting or set(kept) != set(seen):
            store.set_settings(MONITORS, {name: one.__dict__ for name, one in seen.items()})
    return waiting


def _remember(store: Store, subject: Subject, **changes: Any) -> Seen:
    with store.transaction():
        kept: dict[str, Any] = store.settings(MONITORS) or {}
        seen = replace(Seen.of(kept.get(str(subject))), **changes)
        store.set_settings(MONITORS, {**kept, str(subject): seen.__dict__})
    return seen


# -- one look -------------------------------------------------------------------------------------


def _look(
    subject: Subject, desk: Desk, run_check: RunCheck, settings: Settings, now: datetime
) -> Incident | None:
    """One monitor's look; the incident when it opened one."""
    if open_about(desk, subject) is not None:
        # People are on it: what matters next is what comes after they close it.
        _remember(desk.store, subject, out=0, error="")
        return None
    try:
        evidence = _excursion(subject, desk, run_check, settings, now)
        if evidence is None:
            _remember(desk.store, subject, out=0, calm_at=stamp(now), error="", headline="")
            return None
        seen = _remember_out(desk.store, subject, evidence)
        if seen.out < LOOKS_IN_A_ROW or not _is_new(desk.store, subject, seen, evidence, now):
            return None
        return desk.open(_alert(subject, evidence, now))
    except Exception as error:
        # One monitor's failure is told by `status` and in the log, and stops no other monitor.
        _failed(desk.store, subject, error)
        return None


def _excursion(
    subject: Subject, desk: Desk, run_check: RunCheck, settings: Settings, now: datetime
) -> Evidence | None:
    """The evidence when the subject is out of its band, surely enough, and still is."""
    window = Window(now - LAST_DAY, now)
    baseline = window.start - timedelta(days=settings.walk.baseline_days)
    scope = Scope(now, window, Window(baseline, window.start), subject.entry, subject.name)
    evidence = run_check(desk.tree.start(subject.entry), scope)
    watched = subjects_to_check(settings, desk.subjects())
    alike = sum(s.entry == subject.entry for s in watched)
    if evidence.verdict != "real" or not is_sure(evidence, alike):
        return None
    if evidence.onset is not None and evidence.onset.high < now - OLDEST:
        return None
    return None if _is_over(subject, evidence, scope, desk, run_check) else evidence


def is_sure(evidence: Evidence, watched: int) -> bool:
    """Whether evidence is strong enough when ``watched`` monitors look for the same.

    A check reports odds as of an even prior, fit for an alert that somebody raised. Here the
    prior is one in :data:`RARE`, or one in ``watched`` where more could be out by chance. A
    check that tells no odds is taken at its word when it is surer than :data:`AT_ITS_WORD`.
    """
    if "log_odds" not in evidence.figures:
        return evidence.confidence >= AT_ITS_WORD
    return evidence.figures["log_odds"] >= SURE + math.log(max(watched, RARE))


def _is_over(
    subject: Subject, evidence: Evidence, scope: Scope, desk: Desk, run_check: RunCheck
) -> bool:
    """Whether a metric has been back in its band for the last hours.

    The check of recovery reads a model or a feature by the mean prediction, which says nothing
    of their other figures: for them only the next look tells.
    """
    onset = evidence.onset
    if subject.entry != "metric" or onset is None or scope.now - RECENT <= onset.high:
        return False
    recent = replace(scope, window=Window(scope.now - RECENT, scope.now), onset=onset)
    try:
        found = run_check(desk.tree.recovery, recent)
    except CannotExamine:
        return False
    return found.verdict == "recovered" and found.confidence >= BACK


def _remember_out(store: Store, subject: Subject, evidence: Evidence) -> Seen:
    with store.transaction():
        kept: dict[str, Any] = store.settings(MONITORS) or {}
        out = Seen.of(kept.get(str(subject))).out + 1
        return _remember(store, subject, out=out, error="", headline=evidence.headline)


def _is_new(store: Store, subject: Subject, seen: Seen, evidence: Evidence, now: datetime) -> bool:
    """Whether this excursion began after the last incident about the subject was closed, or
    that was long enough ago."""
    closed = _last_closed(store, subject)
    if closed is None or closed.closed_at is None or now - closed.closed_at >= COOL_DOWN:
        return True
    if seen.calm_at and unstamp(seen.calm_at) > closed.closed_at:
        return True
    return evidence.onset is not None and evidence.onset.low > closed.closed_at


def _last_closed(store: Store, subject: Subject) -> Incident | None:
    rows = store.rows(
        "SELECT id FROM incidents WHERE open = 0 AND subject = ? ORDER BY changed_at DESC LIMIT 9",
        subject.name,
    )
    found = (store.load(str(row["id"])) for row in rows)
    return next((i for i in found if i is not None and i.alert.entry == subject.entry), None)


def _alert(subject: Subject, evidence: Evidence, now: datetime) -> Alert:
    onset = evidence.onset
    return Alert(
        source="monitor",
        key=f"monitor:{subject}",
        entry=subject.entry,
        subject=subject.name,
        title=evidence.headline.partition(";")[0].rstrip("."),
        since=min(onset.at, now) if onset else now,
        onset=onset,
        detail=f"Found by Hawkeye's own monitor in {LOOKS_IN_A_ROW} looks in a row.",
    )


def _failed(store: Store, subject: Subject, error: Exception) -> None:
    text = str(error) if isinstance(error, CannotExamine) else f"{type(error).__name__}: {error}"
    kept: dict[str, Any] = store.settings(MONITORS) or {}
    if Seen.of(kept.get(str(subject))).error != text[:500]:
        log.warning("monitor failed", monitor=str(subject), error=text[:500])
    _remember(store, subject, error=text[:500] or type(error).__name__)
