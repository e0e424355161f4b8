"""Joining, leaving, inviting, opening and creating conversations."""

from __future__ import annotations

import re

from bot.workspace import events, messages
from bot.workspace.model import Channel, Note, SlackError
from bot.workspace.state import State


def join(state: State, channel: Channel, user: str, inviter: str | None = None) -> bool:
    """Let a user in; returns False when they are in already.

    Raises:
        SlackError: is_archived, or method_not_supported_for_channel_type for direct messages.
    """
    with state.lock:
        if user in channel.members:
            return False
        if channel.is_archived:
            raise SlackError("is_archived")
        if channel.is_im:
            raise SlackError("method_not_supported_for_channel_type")
        channel.members.append(user)
        channel.last_read[user] = f"{state.last_ts // 1_000_000}.{state.last_ts % 1_000_000:06d}"
        kind = "channel_join" if channel.kind == "channel" else "group_join"
        text = f"<@{user}> has joined the channel"
        messages.notice(state, channel.id, user, kind, text, inviter=inviter)
        events.membership(state, channel, user, joined=True, inviter=inviter)
    state.changes.add("channel", channel=channel.id, user=user)
    return True


def leave(state: State, channel: Channel, user: str, *, kicked_by: str = "") -> bool:
    """Let a user out, or put them out; returns False when they were not in."""
    with state.lock:
        if user not in channel.members:
            return False
        events.membership(state, channel, user, joined=False)
        events.left(state, channel, user, kicked_by or user)
        channel.members.remove(user)
        text = f"<@{user}> has left the channel"
        if kicked_by:
            text = f"<@{user}> was removed from the channel by <@{kicked_by}>"
        _notice(state, channel, user, "leave", text)
    state.changes.add("channel", channel=channel.id, user=user)
    return True


def create(state: State, name: str, creator: str, *, private: bool) -> Channel:
    """Create a channel with its first member.

    Raises:
        SlackError: name_taken, invalid_name_required, invalid_name_maxlength (80),
            invalid_name_punctuation, invalid_name_specials.
    """
    name = checked_name(state, name)
    with state.lock:
        channel = state.add_channel(name, [creator], private=private)
        events.channel_created(state, channel)
    return channel


def checked_name(state: State, name: str) -> str:
    """A name that a new or renamed channel may have, without "#".

    Raises:
        SlackError: as ``create``.
    """
    name = name.removeprefix("#")
    if not name:
        raise SlackError("invalid_name_required")
    if len(name) > 80:
        raise SlackError("invalid_name_maxlength")
    if re.fullmatch(r"[-_.]+", name):
        raise SlackError("invalid_name_punctuation")
    if re.search(r"[\s.,;:!?/'\"()&<>@#]", name) or name != name.lower():
        raise SlackError("invalid_name_specials")
    if any(channel.name == name and not channel.is_im for channel in state.channels.values()):
        raise SlackError("name_taken")
    return name


def rename(state: State, channel: Channel, user: str, name: str) -> None:
    """Give a channel another name; the old one is remembered.

    Raises:
        SlackError: as ``create``.
    """
    with state.lock:
        old, new = channel.name, checked_name(state, name)
        channel.name = new
        channel.previous_names.append(old)
        text = f'has renamed the channel from "{old}" to "{new}"'
        _notice(state, channel, user, "name", text, name=new, old_name=old)
        events.channel_renamed(state, channel)
    state.changes.add("channel", channel=channel.id)


def describe(state: State, channel: Channel, user: str, what: str, value: str) -> None:
    """Set ``what``, "topic" or "purpose"."""
    with state.lock:
        setattr(channel, what, Note(value, user, int(state.now())))
        text = f"set the channel {what}: {value}" if value else f"cleared channel {what}"
        _notice(state, channel, user, what, text, **{what: value})
    state.changes.add("channel", channel=channel.id)


def _notice(state: State, channel: Channel, user: str, what: str, text: str, **extra: str) -> None:
    """The line that the channel shows, of subtype channel_… or group_…."""
    kind = "channel" if channel.kind == "channel" else "group"
    messages.notice(state, channel.id, user, f"{kind}_{what}", text, extra=extra)


def existing(state: State, users: list[str]) -> Channel | None:
    """The direct message between exactly these users, if there is one."""
    wanted = sorted(set(users))
    for channel in state.channels.values():
        if (channel.is_im or channel.is_mpim) and sorted(channel.members) == wanted:
            return channel
    return None


def direct(state: State, users: list[str]) -> tuple[Channel, bool]:
    """The direct message between these users, and whether it was there already."""
    wanted = sorted(set(users))
    with state.lock:
        found = existing(state, wanted)
        if found:
            found.closed_by.discard(users[0])
            return found, True
        single = len(wanted) <= 2
        channel = Channel(
            id=state.new_id("D" if single else "C"),
            name="" if single else "mpdm-" + "--".join(state.user(u).name for u in wanted) + "-1",
            creator=users[0],
            created=int(state.now()),
            members=wanted,
            is_im=single,
            is_mpim=not single,
            is_private=True,
        )
        state.channels[channel.id] = channel
    state.changes.add("channel", frozenset(wanted), channel=channel.id)
    return channel, False


def archive(state: State, channel: Channel, *, on: bool = True, user: str = "") -> None:
    """Archive or bring back; ``user`` is who does it, empty for an administrator."""
    with state.lock:
        text = "archived the channel" if on else "un-archived the channel"
        _notice(state, channel, user or "USLACKBOT", "archive" if on else "unarchive", text)
        channel.is_archived = on
        events.archived(state, channel, user or "USLACKBOT", on=on)
    state.changes.add("channel", channel=channel.id)


def mark_read(state: State, channel: Channel, user: str) -> None:
    """Everything in the channel counts as read by this user."""
    with state.lock:
        channel.last_read[user] = max(channel.messages, default="0")
    state.changes.add("read", frozenset([user]), channel=channel.id, user=user)
