"""What people write in an incident's thread: kept for the record, answered when it is for us."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from threading import Event
from typing import Any

import structlog
from slack_bolt import App
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from handlers.conversation import Conversation
from handlers.one_by_one import OneByOne
from handlers.pins import pinned
from handlers.reading import written
from handlers.registry import Request
from handlers.replies import Ask, answer
from handlers.typed import addressed
from state.said import Said

log = structlog.get_logger()
MOST_PAGES = 20


@dataclass(frozen=True)
class Threads:
    """Reads threads. ``ask`` answers a request made by mention; messages go through ``heard``."""

    conversation: Conversation
    ask: Ask
    heard: OneByOne
    stopping: Event = field(default_factory=Event)

    def register(self, app: App) -> None:
        """Listen to messages and mentions."""
        app.event("message")(self.on_message)
        app.event("app_mention")(self.on_mention)
        app.event("member_joined_channel")(self.on_joined)

    def on_message(self, event: dict[str, Any]) -> None:
        """Keep what a person wrote in a thread of ours; follow edits and deletions."""
        self.heard.put(lambda: self._take_in(event))

    def _take_in(self, event: dict[str, Any]) -> None:
        channel, subtype = event["channel"], event.get("subtype")
        message = event.get("message") or {} if subtype == "message_changed" else event
        if subtype == "message_deleted":
            self._forget(channel, str(event.get("deleted_ts", "")))
        elif message.get("subtype") == "tombstone":
            # A deleted message that has a thread stays as an empty stone.
            self._forget(channel, str(message.get("ts", "")))
        elif subtype == "message_changed":
            self._edited(channel, message)
        else:
            self._keep(channel, message)

    def _forget(self, channel: str, ts: str) -> None:
        kept = self.conversation.sayings.at(channel, ts)
        if kept is not None:
            self.conversation.sayings.forget(channel, ts)
            self.conversation.refresh(kept[0])

    def _edited(self, channel: str, message: dict[str, Any]) -> None:
        """What is in a record says what the message says now; 📌 stays where it was."""
        kept = self.conversation.sayings.at(channel, str(message.get("ts", "")))
        if kept is None:
            self._keep(channel, message)
            return
        incident, said = kept
        text = written(message)
        if text != said.text:
            self.conversation.sayings.remember(incident, replace(said, text=text))
            self.conversation.refresh(incident)

    def on_mention(self, event: dict[str, Any], client: WebClient) -> None:
        """Do what a person asks; the answer goes where it was asked."""
        if event.get("bot_id") or not event.get("user"):
            return
        channel, ts = event["channel"], event["ts"]
        if not self.conversation.store.first_time(f"mention:{channel}:{ts}"):
            return
        thread = event.get("thread_ts", "")
        me = self.conversation.directory.me()["user_id"]
        request = Request(
            text=addressed(event.get("text", ""), me),
            user=event["user"],
            channel=channel,
            thread_ts=thread or ts,
            incident=self.conversation.store.incident_in(channel, thread) if thread else None,
            via="mention",
        )
        answer(client, request, self.ask(request))

    def on_joined(self, event: dict[str, Any]) -> None:
        """The bot was invited: what waited for this channel can be sent now."""
        if event.get("user") == self.conversation.directory.me()["user_id"]:
            self.conversation.directory.forget("channels", f"info:{event['channel']}")
            self.conversation.outbox.hurry(event["channel"])

    def catch_up(self, client: WebClient) -> int:
        """Read back what was written in open incidents' threads while the bot was away.

        Returns how many messages were read; it ends early when ``stopping`` is set.
        """
        count = 0
        for incident in self.conversation.store.open_incidents():
            for place in self.conversation.store.places(incident.id):
                if self.stopping.is_set():
                    return count
                root = place.thread or self.conversation.outbox.message(
                    incident.id, place.channel, "root"
                )
                if root:
                    count += self._read_back(client, place.channel, root)
        return count

    def _read_back(self, client: WebClient, channel: str, root: str) -> int:
        count, cursor = 0, ""
        for _ in range(MOST_PAGES):
            try:
                page = client.conversations_replies(
                    channel=channel, ts=root, limit=200, cursor=cursor
                )
            except (SlackApiError, OSError) as error:
                log.warning("a thread could not be read back", error=str(error)[:200])
                break
            for message in page.get("messages") or []:
                if self.stopping.is_set():
                    return count
                count += self._keep(channel, {**message, "thread_ts": root})
            cursor = (page.get("response_metadata") or {}).get("next_cursor", "")
            if not cursor:
                break
        return count

    def _keep(self, channel: str, message: dict[str, Any]) -> bool:
        thread, ts = message.get("thread_ts", ""), message.get("ts", "")
        person = message.get("user") and not message.get("bot_id")
        if not person or not thread or ts == thread or message.get("subtype") == "message_deleted":
            return False
        incident = self.conversation.store.incident_in(channel, thread)
        if incident is None:
            return False
        link = self.conversation.directory.permalink(channel, ts)
        kept = self.conversation.sayings.at(channel, ts)
        held = pinned(message) if "reactions" in message else bool(kept and kept[1].pinned)
        text = str(message.get("text", ""))
        said = Said(channel, ts, message["user"], text, link, held, in_thread=True)
        self.conversation.sayings.remember(incident, said)
        return True
