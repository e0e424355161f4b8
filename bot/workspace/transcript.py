"""The whole workspace as JSON: what a person would scroll through, with every edit."""

from __future__ import annotations

from bot.workspace.message_shapes import file_json, message_json
from bot.workspace.model import Channel, Json, Message
from bot.workspace.shapes import channel_json
from bot.workspace.state import State


def transcript(state: State, channel: str | None = None) -> Json:
    """All channels (or one), their messages with threads and versions, and the files.

    Deleted messages are there, marked ``deleted``; ephemeral ones carry ``ephemeral_to``.
    """
    with state.lock:
        chosen = [state.channel(channel)] if channel else list(state.channels.values())
        return {
            "team": {"id": state.team_id, "name": state.team_name, "domain": state.team_domain},
            "users": [
                {"id": user.id, "name": user.name, "real_name": user.real_name, "bot": user.is_bot}
                for user in state.users.values()
            ],
            "channels": [_channel(state, one) for one in chosen],
            "files": [file_json(state, file) for file in state.files.values() if file.completed],
        }


def _channel(state: State, channel: Channel) -> Json:
    everything = [
        *channel.messages.values(),
        *channel.ephemerals.values(),
        *channel.messages_deleted,
    ]
    everything.sort(key=lambda message: message.ts)
    top = [message for message in everything if not message.is_reply]
    return {
        **channel_json(state, channel, ""),
        "name": channel.name,
        "members": channel.members,
        "messages": [
            _message(state, message)
            | {
                "replies": [
                    _message(state, reply)
                    for reply in everything
                    if reply.is_reply and reply.thread_ts == message.ts
                ]
            }
            for message in top
        ],
    }


def _message(state: State, message: Message) -> Json:
    body = message_json(state, message, metadata=True, composed=False)
    body["versions"] = message.versions
    if message.ephemeral_to:
        body["ephemeral_to"] = message.ephemeral_to
    if message.deleted:
        body["deleted"] = True
    return body
