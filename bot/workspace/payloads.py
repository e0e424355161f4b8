"""Interaction payloads in the shapes that Slack documents."""

from __future__ import annotations

from bot.workspace.apps import App, Execution, ResponseUrl, View
from bot.workspace.elements import initial_values, merged
from bot.workspace.message_shapes import message_json
from bot.workspace.model import Channel, Json, Message, User
from bot.workspace.shapes import actor_json, team_json, view_json
from bot.workspace.state import State
from bot.workspace.views import make_trigger


def response_url(
    state: State, app: App, user: str, channel: str, message: Message | None = None
) -> str:
    """A fresh response_url; for an interaction it remembers the message."""
    with state.lock:
        id = f"{state.random.randrange(10**12)}/{state.random.randrange(16**24):024x}"
        state.response_urls[id] = ResponseUrl(
            id=id,
            app_id=app.id,
            user=user,
            channel=channel,
            made=state.clock(),
            message_ts=message.ts if message else None,
            ephemeral=bool(message and message.ephemeral_to),
        )
    return f"{state.base_url}/actions/{state.team_id}/{id}"


def values_of(message: Message, user: str) -> Json:
    """What this person sees chosen in the message's menus."""
    return merged(initial_values(message.all_blocks()), message.entered.get(user))


def _common(state: State, app: App, user: User) -> Json:
    return {
        "user": actor_json(state, user),
        "api_app_id": app.id,
        "token": app.verification_token,
        "team": team_json(state),
        "enterprise": None,
        "is_enterprise_install": False,
    }


def _channel(channel: Channel) -> Json:
    return {"id": channel.id, "name": channel.payload_name}


def _message_container(message: Message) -> Json:
    body: Json = {
        "type": "message",
        "message_ts": message.ts,
        "channel_id": message.channel,
        "is_ephemeral": message.ephemeral_to is not None,
    }
    if message.is_reply:
        body["thread_ts"] = message.thread_ts
    return body


def block_actions(state: State, app: App, user: User, place: Message | View, action: Json) -> Json:
    """A click or a choice in a message, a modal or a Home tab."""
    body: Json = {"type": "block_actions", **_common(state, app, user)}
    if isinstance(place, View):
        body |= {
            "container": {"type": "view", "view_id": place.id},
            "trigger_id": make_trigger(state, app, user.id, place.id),
            "view": view_json(state, place),
        }
    else:
        body |= {
            "container": _message_container(place),
            "trigger_id": make_trigger(state, app, user.id, channel=place.channel),
            "channel": _channel(state.channels[place.channel]),
            "message": message_json(state, place, metadata=True),
            "state": {"values": values_of(place, user.id)},
            "response_url": response_url(state, app, user.id, place.channel, place),
        }
        if place.ephemeral_to:
            body["message"] = {"type": "message", "ts": place.ts, "app_id": app.id}
        execution = state.executions.get(place.execution or "")
        if execution:
            body |= _step(execution, user, str(body["trigger_id"]))
    return body | {"actions": [action]}


def _step(execution: Execution, user: User, pointer: str) -> Json:
    """What an interaction with a custom step's message says of the step."""
    return {
        "bot_access_token": execution.token,
        "function_data": {
            "execution_id": execution.id,
            "function": {"callback_id": execution.callback_id},
            "inputs": execution.inputs,
        },
        "interactivity": {
            "interactor": {"id": user.id, "secret": ""},
            "interactivity_pointer": pointer,
        },
    }


def view_submission(state: State, app: App, user: User, view: View) -> Json:
    """A submitted modal."""
    return (
        {"type": "view_submission"}
        | _common(state, app, user)
        | {
            "trigger_id": make_trigger(state, app, user.id, view.id),
            "view": view_json(state, view),
            "response_urls": _response_urls(state, app, user, view),
        }
    )


def _response_urls(state: State, app: App, user: User, view: View) -> list[Json]:
    """One for each conversation select that asks for it with response_url_enabled."""
    urls = []
    for block in view.body["blocks"]:
        element = block.get("element") or {}
        if not element.get("response_url_enabled"):
            continue
        entry = view.values[block["block_id"]][element["action_id"]]
        chosen = entry.get("selected_conversation") or entry.get("selected_channel")
        if chosen:
            urls.append(
                {
                    "block_id": block["block_id"],
                    "action_id": element["action_id"],
                    "channel_id": chosen,
                    "response_url": response_url(state, app, user.id, chosen),
                }
            )
    return urls


def view_closed(state: State, app: App, user: User, view: View, *, cleared: bool) -> Json:
    """A modal that was closed without submitting."""
    return (
        {"type": "view_closed"}
        | _common(state, app, user)
        | {"view": view_json(state, view), "is_cleared": cleared}
    )


def global_shortcut(state: State, app: App, user: User, callback_id: str) -> Json:
    """A shortcut from the search bar or the + menu."""
    return (
        {"type": "shortcut", "action_ts": state.new_ts(), "callback_id": callback_id}
        | _common(state, app, user)
        | {"trigger_id": make_trigger(state, app, user.id)}
    )


def message_shortcut(
    state: State, app: App, user: User, callback_id: str, message: Message
) -> Json:
    """A shortcut from a message's menu."""
    return (
        {"type": "message_action", "action_ts": state.new_ts(), "callback_id": callback_id}
        | _common(state, app, user)
        | {
            "trigger_id": make_trigger(state, app, user.id, channel=message.channel),
            "response_url": response_url(state, app, user.id, message.channel),
            "channel": _channel(state.channels[message.channel]),
            "message_ts": message.ts,
            "message": message_json(state, message, metadata=True),
        }
    )


def block_suggestion(
    state: State, app: App, user: User, place: Message | View, ids: tuple[str, str], value: str
) -> Json:
    """What a person has typed into an external select; ``ids`` are block_id and action_id."""
    body = {"type": "block_suggestion"} | _common(state, app, user)
    body |= {"block_id": ids[0], "action_id": ids[1], "value": value}
    if isinstance(place, View):
        return body | {
            "container": {"type": "view", "view_id": place.id},
            "view": view_json(state, place),
        }
    return body | {
        "container": _message_container(place),
        "channel": _channel(state.channels[place.channel]),
        "message": message_json(state, place),
    }


def slash_command(
    state: State, app: App, user: User, channel: Channel, command: str, text: str
) -> Json:
    """A slash command; Slack sends these as flat form fields."""
    return {
        "token": app.verification_token,
        "team_id": state.team_id,
        "team_domain": state.team_domain,
        "channel_id": channel.id,
        "channel_name": channel.payload_name,
        "user_id": user.id,
        "user_name": user.name,
        "command": command,
        "text": text,
        "api_app_id": app.id,
        "is_enterprise_install": "false",
        "response_url": response_url(state, app, user.id, channel.id),
        "trigger_id": make_trigger(state, app, user.id, channel=channel.id),
    }


def dialog(state: State, app: App, user: User, view: View, kind: str, **more: object) -> Json:
    """dialog_submission, dialog_cancellation or dialog_suggestion."""
    opened = view.dialog or {}
    body = {"type": kind, **_common(state, app, user), "action_ts": state.new_ts(), **more}
    body |= {"callback_id": opened["callback_id"], "state": opened.get("state", "")}
    if view.channel:
        body["channel"] = _channel(state.channels[view.channel])
        if kind != "dialog_suggestion":
            body["response_url"] = response_url(state, app, user.id, view.channel)
    return body


def attachment_action(
    state: State, app: App, user: User, message: Message, attachment: Json, action: Json
) -> Json:
    """interactive_message: a button or a menu of a legacy attachment."""
    return (
        {"type": "interactive_message", "actions": [action]}
        | _common(state, app, user)
        | {
            "callback_id": attachment.get("callback_id", ""),
            "channel": _channel(state.channels[message.channel]),
            "action_ts": state.new_ts(),
            "message_ts": message.ts,
            "attachment_id": str(attachment["id"]),
            "is_app_unfurl": bool(attachment.get("is_app_unfurl")),
            "original_message": message_json(state, message),
            "response_url": response_url(state, app, user.id, message.channel, message),
            "trigger_id": make_trigger(state, app, user.id, channel=message.channel),
        }
    )
