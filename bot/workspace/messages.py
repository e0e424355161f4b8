"""What happens to messages: posted, edited, deleted, shown to one person, reacted to, pinned."""

from __future__ import annotations

import copy
from typing import Any

from bot.workspace import events, message_events
from bot.workspace.elements import with_ids
from bot.workspace.message_shapes import message_json
from bot.workspace.model import Message, SlackError
from bot.workspace.state import State

TOMBSTONE = "This message was deleted."
MOST_REACTIONS = 23  # distinct emoji on one message


def post(state: State, message: Message, *, quiet: bool = False) -> Message:
    """Put a message where it belongs and tell everyone; ``quiet`` tells no app."""
    with state.lock:
        channel = state.channels[message.channel]
        _identify(state, message)
        if message.ephemeral_to:
            channel.ephemerals[message.ts] = message
        else:
            channel.add(message)
            channel.closed_by.clear()
            if message.app_id and message.thread_ts in channel.assistants:
                channel.assistants[message.thread_ts]["status"] = ""  # it has answered
            channel.last_read[message.user] = message.ts
            for id in message.files:
                _share_file(state, id, message)
            if not quiet:
                message_events.posted(state, message)
    _changed(state, message, "ephemeral" if message.ephemeral_to else "message")
    return message


def _identify(state: State, message: Message) -> None:
    """Give every block and element an id that the app has not named."""
    message.blocks = with_ids(message.blocks, state.random)
    message.attachments = [
        {**part, "blocks": with_ids(part["blocks"], state.random)} if part.get("blocks") else part
        for part in message.attachments
    ]


def _share_file(state: State, id: str, message: Message) -> None:
    file = state.files[id]
    file.shared_in.append((message.channel, message.ts))
    if message.channel not in file.channels:
        file.channels.append(message.channel)
    events.file_shared(state, id, state.channels[message.channel], message.user)


def _changed(state: State, message: Message, kind: str) -> None:
    only = state.audience(state.channels[message.channel])
    if message.ephemeral_to:
        only = frozenset([message.ephemeral_to])
    state.changes.add(
        kind,
        only,
        channel=message.channel,
        ts=message.ts,
        thread_ts=message.thread_ts,
        user=message.user,
    )


def edit(state: State, message: Message, *, mark: bool, quiet: bool = False, **new: Any) -> Message:
    """Replace the given fields (text, blocks, attachments, files, metadata) of a message.

    The old version is kept. ``mark`` shows "(edited)", which Slack does for a change of text;
    ``quiet`` tells no app.
    """
    with state.lock:
        before = message_json(state, message, metadata=True)
        kept = message_json(state, message, metadata=True, composed=False)
        message.versions.append(copy.deepcopy(kept) | {"replaced": state.new_ts()})
        for name, value in new.items():
            setattr(message, name, value)
        _identify(state, message)
        if mark:
            message.edited = {"user": message.user, "ts": state.new_ts()}
        if not message.ephemeral_to and not quiet:
            message_events.changed(state, message, before)
    _changed(state, message, "message_changed")
    return message


def delete(state: State, message: Message) -> None:
    """Take a message away; a parent with replies leaves a tombstone, as in Slack."""
    with state.lock:
        before = message_json(state, message, metadata=True)
        kept = message_json(state, message, metadata=True, composed=False)
        channel = state.channels[message.channel]
        message.versions.append(copy.deepcopy(kept) | {"replaced": state.new_ts()})
        if message.ephemeral_to:
            channel.ephemerals.pop(message.ts, None)
        elif not message.is_reply and channel.replies(message.ts):
            message.subtype, message.text, message.user = "tombstone", TOMBSTONE, "USLACKBOT"
            message.blocks, message.attachments, message.files = [], [], []
            message.bot_id = message.metadata = None
            message.reactions = {}
        else:
            message.deleted = True
            channel.remove(message)
        if not message.ephemeral_to:
            message_events.deleted(state, message, before)
    _changed(state, message, "message_deleted")


def react(state: State, message: Message, user: str, name: str) -> None:
    """Add a reaction.

    Raises:
        SlackError: already_reacted, or too_many_emoji above 23 distinct names.
    """
    with state.lock:
        users = message.reactions.get(name, [])
        if user in users:
            raise SlackError("already_reacted")
        if not users and len(message.reactions) >= MOST_REACTIONS:
            raise SlackError("too_many_emoji")
        message.reactions[name] = [*users, user]
        message_events.reaction(state, message, user, name, added=True)
    _changed(state, message, "reaction")


def unreact(state: State, message: Message, user: str, name: str) -> None:
    """Take a reaction back.

    Raises:
        SlackError: no_reaction.
    """
    with state.lock:
        users = message.reactions.get(name, [])
        if user not in users:
            raise SlackError("no_reaction")
        message.reactions[name] = [other for other in users if other != user]
        if not message.reactions[name]:
            del message.reactions[name]
        message_events.reaction(state, message, user, name, added=False)
    _changed(state, message, "reaction")


def pin(state: State, message: Message, user: str, *, on: bool) -> None:
    """Pin or unpin.

    Raises:
        SlackError: already_pinned, or no_pin.
    """
    with state.lock:
        if on and message.pinned_by:
            raise SlackError("already_pinned")
        if not on and not message.pinned_by:
            raise SlackError("no_pin")
        message.pinned_by = user if on else None
        message_events.pin(state, message, user, added=on)
    _changed(state, message, "pin")


def as_app(state: State, app_id: str, channel: str, **fields: Any) -> Message:
    """A message written by an app's bot, not yet posted."""
    app = state.apps[app_id]
    return Message(
        channel=channel,
        ts=state.new_ts(),
        user=app.user_id,
        bot_id=app.bot_id,
        app_id=app.id,
        **fields,
    )


def notice(state: State, channel: str, user: str, subtype: str, text: str, **more: Any) -> None:
    """A line of the channel itself, such as "has joined the channel"."""
    post(
        state,
        Message(channel=channel, ts=state.new_ts(), user=user, text=text, subtype=subtype, **more),
    )
