"""What people put into an incident's record: a message with 📌, or with "Add to timeline".

A pinned message is kept with its link, wherever it stands; its edits and its deletion are
followed. Taking the last 📌 away takes it out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from slack_bolt import App
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from handlers.conversation import Conversation
from handlers.one_by_one import OneByOne
from handlers.reading import written
from handlers.whispers import Asker, whisper
from state.said import Said

log = structlog.get_logger()
PIN = "pushpin"
Message = Mapping[str, Any]


@dataclass(frozen=True)
class Pins:
    """Keeps messages in the record of incidents; reactions go through ``heard``."""

    conversation: Conversation
    heard: OneByOne

    def register(self, app: App) -> None:
        """Listen to reactions."""
        app.event("reaction_added")(self.on_reaction)
        app.event("reaction_removed")(self.on_reaction)

    def on_reaction(self, event: dict[str, Any], client: WebClient) -> None:
        """📌 came or went: the record agrees with what the message shows now."""
        item = event.get("item") or {}
        if event.get("reaction") != PIN or item.get("type") != "message":
            return
        channel, ts = str(item.get("channel", "")), str(item.get("ts", ""))
        user = str(event.get("user", ""))
        self.heard.put(lambda: self._agree(channel, ts, user, client))

    def _agree(self, channel: str, ts: str, user: str, client: WebClient) -> None:
        message = message_at(client, channel, ts)
        if message is not None and pinned(message):
            self._pin(channel, message, user, client)
        elif message is not None:
            self.take_out(channel, ts)

    def _pin(self, channel: str, message: Message, user: str, client: WebClient) -> None:
        incident = self.meant(channel, message)
        if len(incident) == 1:
            self.put_in(incident[0], channel, message)
        elif incident:
            text = (
                f"📌 Which incident? {', '.join(incident)} are open here. Put it in with the "
                "message's shortcut “Add to timeline”."
            )
            whisper(client, Asker(user, channel), text)

    def meant(self, channel: str, message: Message) -> list[str]:
        """The incident of the message's thread, else the open ones of its channel."""
        store = self.conversation.store
        thread = str(message.get("thread_ts") or message.get("ts") or "")
        found = store.incident_in(channel, thread)
        if found:
            return [found]
        return [
            i.id
            for i in store.open_incidents()
            if any(place.channel == channel for place in store.places(i.id))
        ]

    def put_in(self, incident: str, channel: str, message: Message) -> None:
        """Into the record, with its link; once in, it stays with the incident it went to first."""
        ts = str(message.get("ts", ""))
        link = self.conversation.directory.permalink(channel, ts)
        said = Said(channel, ts, author(message), written(message), link, pinned=True)
        self.conversation.sayings.remember(incident, said)
        self.conversation.refresh(incident)

    def take_out(self, channel: str, ts: str) -> None:
        """Out of the record; what was written in the incident's own thread stays as said."""
        kept = self.conversation.sayings.at(channel, ts)
        if kept is None:
            return
        incident, said = kept
        if said.in_thread:
            self.conversation.sayings.remember(incident, said.unpinned())
        else:
            self.conversation.sayings.forget(channel, ts)
        self.conversation.refresh(incident)


def pinned(message: Message) -> bool:
    """Whether somebody's 📌 is on it."""
    reactions: Sequence[Message] = message.get("reactions") or ()
    return any(r.get("name") == PIN and r.get("count", 1) for r in reactions)


def author(message: Message) -> str:
    """Who wrote it: a person, else the app's name."""
    profile = message.get("bot_profile") or {}
    named = message.get("user") or message.get("username") or profile.get("name")
    return str(named or message.get("bot_id") or "")


def message_at(client: WebClient, channel: str, ts: str) -> Message | None:
    """A message as Slack has it now, in a thread or not; None when it can't be read."""
    try:
        # Asked for a reply's ts, the method answers with that reply alone.
        found = client.conversations_replies(channel=channel, ts=ts, limit=1, inclusive=True)
    except (SlackApiError, OSError) as error:
        log.warning("a message could not be read", error=str(error)[:200])
        return None
    return next((m for m in found.get("messages") or [] if m.get("ts") == ts), None)
