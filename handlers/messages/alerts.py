"""The alerts of an incident: one message that is updated in place, and the root's count."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any

from handlers import blocks as b
from handlers.actions import value
from handlers.messages.view import View
from state.incident import Departure, Incident, Signal
from state.signals import ended, flapping

MOST_LINES, MOST_GONE = 8, 3
_SOURCES = {
    "alertmanager": "Alertmanager",
    "grafana": "Grafana",
    "pagerduty": "PagerDuty",
    "datadog": "Datadog",
    "opsgenie": "Opsgenie",
    "generic": "a webhook",
    "monitor": "my monitors",
    "person": "a person",
}


def worth_telling(incident: Incident) -> bool:
    """Whether there is more to say than that one alert fired once."""
    news = any(not s.firing or s.update for s in incident.signals)
    return incident.joined > 1 or news or bool(incident.departures)


def told_at(incident: Incident) -> datetime:
    """When the message has its place: at the first news after the alert that opened it."""
    after = sorted(s.first for s in incident.signals)[1:2]
    return min([*after, *(d.at for d in incident.departures)], default=incident.opened_at)


def counted(incident: Incident) -> str:
    """ "12 alerts joined from Alertmanager and Grafana, 3 of 5 resolved"."""
    told = f"{b.count(incident.joined)} alert{'' if incident.joined == 1 else 's'} joined"
    sources = [_source(s) for s, _ in _by_source(incident)]
    if incident.signals and incident.joined > 1:
        told += f" from {b.listed(sources)}"
    over = sum(not s.firing for s in incident.signals)
    if over:
        whole = len(incident.signals)
        told += ", all resolved" if over == whole else f", {over} of {whole} resolved"
    return told


def alerts_message(incident: Incident, view: View) -> dict[str, Any]:
    """Every alert in a line: what it is, how often it fired, why it is here."""
    kinds = len(incident.signals)
    fired = f"{b.count(incident.joined)} alert{'' if incident.joined == 1 else 's'}"
    head = f"*{fired}*" + (f" of {kinds} kinds" if kinds > 1 else "")
    head += f" from {b.listed([_source(s) for s, _ in _by_source(incident)])}"
    shown = sorted(incident.signals, key=_rank)[:MOST_LINES]
    lines = [_line(s, incident) for s in shown]
    if kinds > MOST_LINES:
        lines.append(f"and {kinds - MOST_LINES} more")
    blocks = [b.section("\n".join([head, *lines]))]
    blocks += [b.context(_gone(d, incident, view)) for d in incident.departures[-MOST_GONE:]]
    text = head.replace("*", "")
    if ended(incident) and incident.is_open:
        last = max(s.last for s in incident.signals)
        over = f"All of them are resolved since {b.clock(last, incident.opened_at)}."
        blocks.append(b.context(f"{over} Whether the incident is over is for you to say."))
        blocks += b.actions(b.button("Resolve…", "resolve", value(i=incident.id)))
        text += ", all resolved"
    elif not incident.is_open and any(
        s.firing and incident.closed_at and s.last > incident.closed_at for s in incident.signals
    ):
        blocks.append(
            b.context(
                f"Fired again after it was closed as {b.line(incident.outcome, 40)}: counted here, "
                "and nobody is disturbed."
            )
        )
    return b.message(text, blocks)


def _by_source(incident: Incident) -> list[tuple[str, int]]:
    found = Counter[str]()
    for signal in incident.signals:
        found[signal.source] += signal.count
    return found.most_common()


def _source(name: str) -> str:
    return _SOURCES.get(name) or b.line(name, 30)


def _rank(signal: Signal) -> tuple[bool, int, int]:
    """What still fires, the worst and the loudest first."""
    return (not signal.firing, signal.severity, -signal.count)


def _line(signal: Signal, incident: Incident) -> str:
    near = incident.opened_at
    mark = "↕️" if flapping(signal) else "🔴" if signal.firing else "✅"
    parts = [f"{mark} {b.line(signal.title, 120)}"]
    if signal.subject and signal.subject not in signal.title:
        parts.append(b.code(signal.subject))
    if signal.count > 1:
        parts.append(f"{b.count(signal.count)}×")
    if flapping(signal):
        parts.append(f"comes and goes, {len(signal.ups) + 1} times; I say so here only")
    elif not signal.firing:
        parts.append(f"resolved {b.clock(signal.last, near)}")
    if signal.update:
        parts.append(b.line(signal.update, 60))
    if signal.why:
        parts.append(f"joined by {_shared(signal.why)}")
    return " · ".join(parts)


def _gone(departure: Departure, incident: Incident, view: View) -> str:
    """ "“wind drifts” is due to the cause of HE-3 and goes on there, 14:20"."""
    titles = [f"“{b.line(title, 80)}”" for title in departure.titles]
    several = len(titles) != 1
    at = b.clock(departure.at, incident.opened_at)
    return (
        f"→ {b.listed(titles, 2) or 'An alert'} {'are' if several else 'is'} due to the cause of "
        f"{view.incident(departure.into)} and {'go' if several else 'goes'} on there, {at}"
    )


def _shared(name: str) -> str:
    """ "upstream:weather_hourly" as "the node `weather_hourly`"."""
    kind, _, what = name.partition(":")
    kinds = {"upstream": "the node", "model": "the model", "feature": "the feature"}
    return f"{kinds.get(kind, 'the ' + kind)} {b.code(what)}"
