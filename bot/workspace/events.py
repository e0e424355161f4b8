"""From a change to the Events API: who is told, and in which envelope."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from bot.workspace.delivery import Envelope
from bot.workspace.model import App, Channel, Execution, Json, Message, StoredFile, Usergroup
from bot.workspace.shapes import function_json, message_json, usergroup_json
from bot.workspace.state import State

MENTION = re.compile(r"<@([A-Z0-9]+)(?:\|[^>]*)?>")
LINK = re.compile(r"<(https?://[^<>|]+)(?:\|[^<>]*)?>")
MESSAGE_EVENTS = {
    "channel": "message.channels",
    "group": "message.groups",
    "im": "message.im",
    "mpim": "message.mpim",
}


def publish(state: State, event: Json, apps: Iterable[App], *, subscription: str = "") -> None:
    """Send an event to those of ``apps`` that subscribe to it.

    ``subscription`` is the name in the app's list where it differs from the event's type.
    """
    wanted = subscription or event["type"]
    for app in apps:
        if app.events is None or wanted in app.events:
            state.deliveries.send(
                Envelope(app.id, "events_api", event["type"], wrapper(state, app, event))
            )


def wrapper(state: State, app: App, event: Json) -> Json:
    """The event_callback around an event."""
    return {
        "token": app.verification_token,
        "team_id": state.team_id,
        "context_team_id": state.team_id,
        "context_enterprise_id": None,
        "api_app_id": app.id,
        "event": event,
        "type": "event_callback",
        "event_id": state.new_id("Ev"),
        "event_time": int(state.now()),
        "authorizations": authorizations(state, app),
        "is_ext_shared_channel": False,
        "event_context": f"4-{app.id}-{state.last_ts}",
    }


def authorizations(state: State, app: App) -> list[Json]:
    """On whose behalf an app sees events: its own bot's."""
    return [
        {
            "enterprise_id": None,
            "team_id": state.team_id,
            "user_id": app.user_id,
            "is_bot": True,
            "is_enterprise_install": False,
        }
    ]


def apps_in(state: State, channel: Channel) -> list[App]:
    """The apps whose bot is in the channel: only they hear of it."""
    return [app for app in state.apps.values() if app.user_id in channel.members]


def message_posted(state: State, message: Message) -> None:
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


def message_changed(state: State, message: Message, before: Json) -> None:
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


def message_deleted(state: State, message: Message, before: Json) -> None:
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


def membership(
    state: State, channel: Channel, user: str, *, joined: bool, inviter: str | None = None
) -> None:
    """member_joined_channel or member_left_channel; the bot that joins hears of itself too."""
    event: Json = {
        "type": "member_joined_channel" if joined else "member_left_channel",
        "user": user,
        "channel": channel.id,
        "channel_type": "G" if channel.is_private else "C",
        "team": state.team_id,
        "event_ts": state.new_ts(),
    }
    if inviter:
        event["inviter"] = inviter
    publish(state, event, apps_in(state, channel))


def left(state: State, channel: Channel, user: str, actor: str) -> None:
    """channel_left or group_left, to the app whose own bot is gone."""
    app = next((app for app in apps_in(state, channel) if app.user_id == user), None)
    if app is None or channel.kind not in ("channel", "group"):
        return
    event = {
        "type": f"{channel.kind}_left",
        "channel": channel.id,
        "actor_id": actor,
        "event_ts": state.new_ts(),
    }
    publish(state, event, [app])


def channel_renamed(state: State, channel: Channel) -> None:
    """channel_rename or group_rename."""
    body = {
        "id": channel.id,
        "is_channel": not channel.is_private,
        "is_mpim": channel.is_mpim,
        "name": channel.name,
        "name_normalized": channel.name,
        "created": channel.created,
    }
    event = {"type": f"{channel.kind}_rename", "channel": body, "event_ts": state.new_ts()}
    publish(state, event, _apps_seeing(state, channel))


def archived(state: State, channel: Channel, user: str, *, on: bool) -> None:
    """channel_archive, channel_unarchive, and the same for groups."""
    event = {
        "type": f"{channel.kind}_{'archive' if on else 'unarchive'}",
        "channel": channel.id,
        "user": user,
        "is_moved": 0,
        "event_ts": state.new_ts(),
    }
    publish(state, event, _apps_seeing(state, channel))


def _apps_seeing(state: State, channel: Channel) -> Iterable[App]:
    """A public channel is no secret; of a private one only its members hear."""
    return state.apps.values() if channel.kind == "channel" else apps_in(state, channel)


def channel_created(state: State, channel: Channel) -> None:
    """channel_created, to every app: a public channel is no secret."""
    if channel.kind != "channel":
        return
    body = {
        "id": channel.id,
        "name": channel.name,
        "created": channel.created,
        "creator": channel.creator,
    }
    event = {"type": "channel_created", "channel": body, "event_ts": state.new_ts()}
    publish(state, event, state.apps.values())


def file_shared(state: State, file_id: str, channel: Channel, user: str) -> None:
    """file_shared, once for each channel that a file appears in."""
    event = {
        "type": "file_shared",
        "file_id": file_id,
        "user_id": user,
        "file": {"id": file_id},
        "channel_id": channel.id,
        "event_ts": state.new_ts(),
    }
    publish(state, event, apps_in(state, channel))


def file_created(state: State, file: StoredFile) -> None:
    """file_created, to the app that uploaded it."""
    event = {
        "type": "file_created",
        "file_id": file.id,
        "user_id": file.user,
        "file": {"id": file.id},
        "event_ts": state.new_ts(),
    }
    publish(state, event, [state.apps[file.app_id]] if file.app_id else [])


def file_deleted(state: State, file: StoredFile) -> None:
    """file_deleted, where the file was shown."""
    places = [state.channels[id] for id in file.channels]
    apps = {app.id: app for place in places for app in apps_in(state, place)}
    event = {
        "type": "file_deleted",
        "file_id": file.id,
        "channel_ids": file.channels,
        "event_ts": state.new_ts(),
    }
    publish(state, event, apps.values())


def usergroup(state: State, group: Usergroup, kind: str) -> None:
    """subteam_created or subteam_updated."""
    event = {
        "type": kind,
        "subteam": usergroup_json(state, group),
        "event_ts": state.new_ts(),
    }
    publish(state, event, state.apps.values())


def usergroup_members(state: State, group: Usergroup, before: list[str]) -> None:
    """subteam_members_changed: who came and who went."""
    added = [user for user in group.users if user not in before]
    removed = [user for user in before if user not in group.users]
    event = {
        "type": "subteam_members_changed",
        "subteam_id": group.id,
        "team_id": state.team_id,
        "date_previous_update": group.date_update,
        "date_update": int(state.now()),
        "added_users": added,
        "added_users_count": str(len(added)),
        "removed_users": removed,
        "removed_users_count": str(len(removed)),
        "event_ts": state.new_ts(),
    }
    publish(state, event, state.apps.values())


def assistant_started(state: State, app: App, user: str, opened: Message) -> None:
    """assistant_thread_started: a person has turned to the app's assistant."""
    event = {
        "type": "assistant_thread_started",
        "assistant_thread": {
            "user_id": user,
            "context": {},
            "channel_id": opened.channel,
            "thread_ts": opened.ts,
        },
        "event_ts": state.new_ts(),
    }
    publish(state, event, [app])


def function_executed(state: State, app: App, execution: Execution) -> None:
    """function_executed: a workflow has come to this app's step."""
    event = {
        "type": "function_executed",
        "function": function_json(app, execution.callback_id),
        "inputs": execution.inputs,
        "function_execution_id": execution.id,
        "workflow_execution_id": state.new_id("Wx"),
        "bot_access_token": execution.token,
        "event_ts": state.new_ts(),
    }
    publish(state, event, [app])


def home_opened(
    state: State, app: App, user: str, channel: str, view: Json | None, tab: str = "home"
) -> None:
    """app_home_opened for a tab, "home" or "messages"; ``view`` is what is published already."""
    event: Json = {
        "type": "app_home_opened",
        "user": user,
        "channel": channel,
        "tab": tab,
        "event_ts": state.new_ts(),
    }
    if view:
        event["view"] = view
    publish(state, event, [app])
