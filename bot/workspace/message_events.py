"""What apps are told of messages: posted, edited, deleted, reacted to, pinned."""

from __future__ import annotations

import html
import re
from urllib.parse import urlsplit

from bot.workspace.message_shapes import message_json
from bot.workspace.model import Channel, Json, Message
from bot.workspace.publishing import apps_in, publish
from bot.workspace.state import State

MENTION = re.compile(r"<@([A-Z0-9]+)(?:\|[^>]*)?>")
LINK = re.compile(r"<(https?://[^<>|]+)(?:\|[^<>]*)?>")
MESSAGE_EVENTS = {
    "channel": "message.channels",
    "group": "message.groups",
    "im": "message.im",
    "mpim": "message.mpim",
}


def posted(state: State, message: Message) -> None:
    """A new message: ``message`` to all apps in the channel, ``app_mention`` to those named."""
    channel = state.channels[message.channel]
    event = message_json(state, message, metadata=True) | {
        "channel": channel.id,
        "event_ts": message.ts,
        "channel_type": channel.kind,
    }
    if message.files and not message.subtype:
        event["subtype"] = "file_share"
    apps = apps_in(state, channel)
    publish(state, event, apps, subscription=MESSAGE_EVENTS[channel.kind])
    if not message.bot_id:
        links_shared(state, message, channel)
    if message.subtype or channel.is_im:
        return
    named = set(MENTION.findall(message.text))
    mention = {k: v for k, v in event.items() if k not in ("channel_type", "subtype")}
    publish(
        state,
        mention | {"type": "app_mention"},
        [app for app in apps if app.user_id in named and app.user_id != message.user],
    )


def links_shared(state: State, message: Message, channel: Channel) -> None:
    """link_shared, to the apps that unfurl links of these domains."""
    urls = [html.unescape(url) for url in LINK.findall(message.text)]
    for app in state.apps.values():
        links = [
            {"domain": host, "url": url}
            for url in urls
            if (host := urlsplit(url).hostname)
            and any(host == one or host.endswith(f".{one}") for one in app.unfurl_domains)
        ]
        if not links:
            continue
        event: Json = {
            "type": "link_shared",
            "channel": channel.id,
            "is_bot_user_member": app.user_id in channel.members,
            "user": message.user,
            "message_ts": message.ts,
            "unfurl_id": f"{channel.id}.{message.ts}",
            "source": "conversations_history",
            "links": links,
            "event_ts": message.ts,
        }
        if message.thread_ts:
            event["thread_ts"] = message.thread_ts
        publish(state, event, [app])


def changed(state: State, message: Message, before: Json) -> None:
    """An edit: the message as it is and as it was."""
    channel = state.channels[message.channel]
    ts = state.new_ts()
    event = {
        "type": "message",
        "subtype": "message_changed",
        "message": message_json(state, message, metadata=True),
        "previous_message": before,
        "channel": channel.id,
        "hidden": True,
        "ts": ts,
        "event_ts": ts,
        "channel_type": channel.kind,
    }
    publish(state, event, apps_in(state, channel), subscription=MESSAGE_EVENTS[channel.kind])


def deleted(state: State, message: Message, before: Json) -> None:
    """A deletion: the message as it was."""
    channel = state.channels[message.channel]
    ts = state.new_ts()
    event = {
        "type": "message",
        "subtype": "message_deleted",
        "previous_message": before,
        "channel": channel.id,
        "hidden": True,
        "deleted_ts": message.ts,
        "ts": ts,
        "event_ts": ts,
        "channel_type": channel.kind,
    }
    publish(state, event, apps_in(state, channel), subscription=MESSAGE_EVENTS[channel.kind])


def reaction(state: State, message: Message, user: str, name: str, *, added: bool) -> None:
    """reaction_added or reaction_removed."""
    event = {
        "type": "reaction_added" if added else "reaction_removed",
        "user": user,
        "reaction": name,
        "item": {"type": "message", "channel": message.channel, "ts": message.ts},
        "item_user": message.user,
        "event_ts": state.new_ts(),
    }
    publish(state, event, apps_in(state, state.channels[message.channel]))


def pin(state: State, message: Message, user: str, *, added: bool) -> None:
    """pin_added or pin_removed."""
    event = {
        "type": "pin_added" if added else "pin_removed",
        "user": user,
        "channel_id": message.channel,
        "item": {
            "type": "message",
            "channel": message.channel,
            "message": message_json(state, message),
            "created_by": user,
            "created": int(state.now()),
        },
        "event_ts": state.new_ts(),
    }
    publish(state, event, apps_in(state, state.channels[message.channel]))
