"""Direct messages to those who want one when the bot calls, asks or assigns them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import structlog
from slack_sdk.errors import SlackApiError

from handlers import blocks as b
from handlers.access import Access, lost
from handlers.directory import Directory
from handlers.once import asked_to_wait, uncertain
from state import events as ev
from state.due import Due, DueWork
from state.events import Event
from state.incident import Incident
from state.preferences import preferences
from state.store import Store

log = structlog.get_logger()


def told(event: Event) -> tuple[tuple[str, ...], str]:
    """(people, what happened to them) where an event concerns somebody who may be elsewhere."""
    match event:
        case ev.HandoffOffered():
            return (event.to,), f"{b.person(event.by)} asks you to take over"
        case ev.Taken() if event.by != event.owner:
            return (event.owner,), f"{b.person(event.by)} gave you"
        case ev.Called():
            return event.call.people, "you are called to"
    return (), ""


def owe(store: Store, due: DueWork, directory: Directory, incident: Incident, event: Event) -> None:
    """Owe a direct message to each who wants one: now, or when their quiet hours end."""
    people, what = told(event)
    for user in people:
        chosen = preferences(store, user)
        if chosen.dm:
            payload = {"user": user, "what": what}
            name = f"dm:{incident.id}:{user}:{incident.version}"
            at = awake(store, directory, user, event.at)
            due.add(Due(name, "dm", incident.id, payload), at)


def awake(store: Store, directory: Directory, user: str, at: datetime) -> datetime:
    """The moment itself, or the end of this person's quiet hours that it lies in."""
    chosen = preferences(store, user)
    if not chosen.has_quiet:
        return at
    return chosen.quiet_end(at, directory.zone(user)) or at


def send(access: Access, incident: Incident, user: str, what: str, link: str) -> None:
    """Write it, unless the incident is over by now."""
    if not incident.is_open:
        return
    title = b.line(incident.alert.title or incident.alert.subject, 200)
    text = f"{what[:1].upper()}{what[1:]} {b.link(link, incident.id)}: {title}"
    write(access, user, {"text": text})


def write(access: Access, user: str, payload: Mapping[str, Any]) -> None:
    """Send one person a direct message; what Slack refuses is logged.

    Raises SlackApiError when it does not take the token, asks to wait or broke, OSError when it
    does not answer: then the message is still owed. One that may have arrived is sent again all
    the same: to look it up would take the right to read people's direct messages.
    """
    quiet = {"unfurl_links": False, "unfurl_media": False}
    try:
        access.client.chat_postMessage(**{**quiet, **payload, "channel": user})
    except SlackApiError as error:
        if code := lost(error):
            access.lose(code)
            raise
        if uncertain(error) or asked_to_wait(error):
            raise
        log.warning("a direct message was refused", error=error.response.get("error"))
