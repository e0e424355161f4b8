"""What apps are told of channels, files, people and their own surfaces: a function an event."""

from __future__ import annotations

from bot.workspace.apps import App, Execution
from bot.workspace.model import Channel, Json, Message, StoredFile, Usergroup
from bot.workspace.publishing import apps_in, apps_seeing, publish
from bot.workspace.shapes import function_json, usergroup_json
from bot.workspace.state import State


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
    publish(state, event, apps_seeing(state, channel))


def archived(state: State, channel: Channel, user: str, *, on: bool) -> None:
    """channel_archive, channel_unarchive, and the same for groups."""
    event = {
        "type": f"{channel.kind}_{'archive' if on else 'unarchive'}",
        "channel": channel.id,
        "user": user,
        "is_moved": 0,
        "event_ts": state.new_ts(),
    }
    publish(state, event, apps_seeing(state, channel))


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
