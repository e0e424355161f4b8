"""Joining, leaving, inviting, opening and creating conversations."""

from __future__ import annotations

import re

from bot.workspace import events, messages
from bot.workspace.model import Channel, SlackError
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
        notice = "channel_join" if channel.kind == "channel" else "group_join"
        text = f"<@{user}> has joined the channel"
        messages.notice(state, channel.id, user, notice, text, inviter=inviter)
        events.membership(state, channel, user, joined=True, inviter=inviter)
    state.changes.add("channel", channel=channel.id, user=user)
    return True


def leave(state: State, channel: Channel, user: str) -> bool:
    """Let a user out; returns False when they were not in."""
    with state.lock:
        if user not in channel.members:
            return False
        events.membership(state, channel, user, joined=False)
        channel.members.remove(user)
        notice = "channel_leave" if channel.kind == "channel" else "group_leave"
        messages.notice(state, channel.id, user, notice, f"<@{user}> has left the channel")
    state.changes.add("channel", channel=channel.id, user=user)
    return True


def create(state: State, name: str, creator: str, *, private: bool) -> Channel:
    """Create a channel with its first member.

    Raises:
        SlackError: name_taken, invalid_name_required, invalid_name_maxlength (80),
            invalid_name_punctuation, invalid_name_specials.
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
    with state.lock:
        if any(channel.name == name and not channel.is_im for channel in state.channels.values()):
            raise SlackError("name_taken")
        channel = state.add_channel(name, [creator], private=private)
        events.channel_created(state, channel)
    return channel


def direct(state: State, users: list[str]) -> tuple[Channel, bool]:
    """The direct message between these users, and whether it was there already."""
    wanted = sorted(set(users))
    with state.lock:
        for channel in state.channels.values():
            if (channel.is_im or channel.is_mpim) and sorted(channel.members) == wanted:
                return channel, True
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


def archive(state: State, channel: Channel, *, on: bool = True) -> None:
    """Archive or bring back."""
    with state.lock:
        channel.is_archived = on
    state.changes.add("channel", channel=channel.id)


def mark_read(state: State, channel: Channel, user: str) -> None:
    """Everything in the channel counts as read by this user."""
    with state.lock:
        channel.last_read[user] = max(channel.messages, default="0")
    state.changes.add("read", frozenset([user]), channel=channel.id, user=user)
