"""The command `triage`: from a name that somebody typed to an open incident."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import get_args

from handlers import times
from handlers.blocks import button, clock, code, escape, listed
from handlers.desk import Desk, Subject, close_to, entrance, every, find
from handlers.registry import Reply, Request, Unclear, bare, reply
from handlers.standing import name, where
from handlers.typed import Words, quoted
from state.incident import Alert, Entry, Incident
from state.preferences import preferences, window_words

FORM = "triage"
"""Verb of the buttons that open the form; its name as well."""

_ENTRIES: tuple[Entry, ...] = get_args(Entry)
_SINCE = ("since", "from")
_ANEW = ("anew", "--new")


def triage(request: Request, words: Words, desk: Desk) -> Reply:
    """Open a thread about a metric, a model or a feature; under the message, in its thread.

    A subject that has an open incident is answered with the way there, and a button that
    opens another one all the same.
    """
    anew = any(w in _ANEW for w in words)
    words = tuple(w for w in words if w not in _ANEW)
    if not words:
        raise _what_then(request, desk)
    subject, when = _subject(words, request, desk)
    usual = timedelta(hours=preferences(desk.store, request.user).window_hours)
    since = _moment(when, subject, request, desk) if when else desk.now() - usual
    wanted = Wanted(
        subject,
        request.user,
        since,
        channel=request.channel,
        thread=_thread(request),
        anew=anew,
    )
    found = on_it(wanted, desk)
    if found is not None:
        again = f"triage {typed(subject, desk)} {when}".strip() + " anew"
        return reply(already(found, subject, desk), ("Open another one", again))
    return begin(wanted, desk, told=bool(when))


@dataclass(frozen=True)
class Wanted:
    """A triage that somebody wants, however they said it.

    ``until`` None looks until now. ``anew`` opens another one beside an open incident.
    """

    subject: Subject
    user: str
    since: datetime
    until: datetime | None = None
    severity: int = 2
    why: str = ""
    channel: str = ""
    thread: str = ""
    anew: bool = False


def on_it(wanted: Wanted, desk: Desk) -> Incident | None:
    """The open incident that is about this already, if this person may know of it."""
    if wanted.anew:
        return None
    return next((i for i in _about(wanted, desk) if desk.may_see(i.id, wanted.user)), None)


def _about(wanted: Wanted, desk: Desk) -> list[Incident]:
    return [
        i
        for i in reversed(desk.store.open_incidents())
        if (i.alert.entry, i.alert.subject) == (wanted.subject.entry, wanted.subject.name)
    ]


def already(found: Incident, subject: Subject, desk: Desk) -> str:
    """Who is on it, in a sentence."""
    return f"{name(desk, found)} is already on {code(subject.name)} ({where(found, desk)})."


def begin(wanted: Wanted, desk: Desk, *, told: bool = True) -> Reply:
    """Open it; ``told``: somebody said since when."""
    subject, now = wanted.subject, desk.now()
    # Beside an incident that this person may not see, theirs is another one.
    beside = wanted.anew or bool(_about(wanted, desk))
    channel = "" if wanted.channel.startswith("D") else wanted.channel
    alert = Alert(
        source="person",
        key=f"person:{subject}" + (f":{now.timestamp():.0f}:{wanted.user}" if beside else ""),
        entry=subject.entry,
        subject=subject.name,
        title=f"{subject.name}: looked at by request",
        since=wanted.since,
        until=wanted.until,
        severity=wanted.severity,
        detail=wanted.why,
        channel=channel,
        thread=wanted.thread if channel else "",
        by=wanted.user,
    )
    return _opened(desk.open(alert), wanted, told, desk)


def _thread(request: Request) -> str:
    """A thread that shows an incident already is not shared by a second one."""
    return request.thread_ts if request.incident is None else ""


def _opened(incident: Incident, wanted: Wanted, told: bool, desk: Desk) -> Reply:
    looked = f"since {clock(wanted.since, desk.now())}"
    if wanted.until:
        looked = f"from {clock(wanted.since, desk.now())} until {clock(wanted.until, desk.now())}"
    if not told:
        length = window_words(round((desk.now() - wanted.since) / timedelta(hours=1)))
        looked = f"over the last {length} (say `since 14:05` to look from another time)"
    text = f"{name(desk, incident)}: I am looking at {code(wanted.subject.name)} {looked}."
    if wanted.channel.startswith("D"):
        text += "\nThe thread opens where alerts about it go; a direct message has no team in it."
    elif not wanted.channel:
        text += "\nThe thread opens where alerts about it go."
    else:
        text += entrance(wanted.channel, desk)
    return reply(text)


def _subject(words: Words, request: Request, desk: Desk) -> tuple[Subject, str]:
    """The subject that is named first, and the words for a time after it."""
    known = desk.subjects()
    entry = next((e for e in _ENTRIES if e == words[0].lower().rstrip(":")), None)
    if entry and (len(words) == 1 or words[1].lower() in _SINCE):
        entry = None
    if entry:
        words = words[1:]
    said, when = _split(words, request, desk)
    subject = find(known, said, entry) or (find(known, said) if entry else None)
    if subject is not None:
        return subject, when
    close = close_to(known, said, entry) or close_to(known, said)
    if not close:
        raise _what_then(request, desk, f"I know no metric, model or feature {bare(said)}. ")
    told = listed([f"{code(s.name)} ({s.entry})" for s in close])
    wanted = [f"triage {typed(s, desk)} {when}".strip() for s in close]
    raise Unclear(
        f"I know no {bare(said)}. {told}? For example `{request.called} {escape(wanted[0])}`.",
        *((label(s, when), text) for s, text in zip(close, wanted, strict=True)),
    )


def _split(words: Words, request: Request, desk: Desk) -> tuple[str, str]:
    """(name, time): cut at "since", or where the longest time at the end begins."""
    lower = [w.lower() for w in words]
    for index in range(len(words) - 1, 0, -1):
        if lower[index] in _SINCE:
            return " ".join(words[:index]), " ".join(words[index:])
    if find(desk.subjects(), " ".join(words)):
        return " ".join(words), ""
    now, zone = desk.now(), desk.zone(request.user)
    for index in range(1, len(words)):
        rest = " ".join(words[index:])
        if times.is_moment(rest, now, zone):
            return " ".join(words[:index]), rest
    for index in range(len(words) - 1, 0, -1):
        if find(desk.subjects(), " ".join(words[:index])):
            return " ".join(words[:index]), " ".join(words[index:])
    return " ".join(words), ""


def _moment(when: str, subject: Subject, request: Request, desk: Desk) -> datetime:
    try:
        return times.moment(when, desk.now(), desk.zone(request.user))
    except times.UnclearTime as error:
        length = window_words(preferences(desk.store, request.user).window_hours)
        usual = (f"{label(subject)}, last {length}", f"triage {typed(subject, desk)}")
        raise Unclear(escape(str(error)), usual) from None


def _what_then(request: Request, desk: Desk, sentence: str = "") -> Unclear:
    known = every(desk.subjects())
    if not known:
        return Unclear("No metric is configured, so there is nothing to triage: see hawkeye.toml.")
    first = f"{request.called} triage {typed(known[0], desk)} since 14:05"
    shown = listed([code(s.name) for s in known], 5)
    return Unclear(
        f"{sentence}What shall I look at? I know {shown}. For example `{escape(first)}`.",
        *((label(s), f"triage {typed(s, desk)}") for s in known[:3]),
        button("Pick from a form…", FORM, "{}"),
    )


def typed(subject: Subject, desk: Desk) -> str:
    """The subject as it is typed; with its entry where the name alone would mean another."""
    text = quoted(subject.name)
    return text if find(desk.subjects(), subject.name) == subject else f"{subject.entry} {text}"


def label(subject: Subject, when: str = "") -> str:
    """What a button says that triages a subject."""
    return f"Triage {subject.name} {when}".strip()
