"""From what a person types to what Slack sends: mentions, channels, links, escapes."""

from __future__ import annotations

import re

from bot.workspace.state import State

BROADCASTS = ("here", "channel", "everyone")
LINK = re.compile(r"(?<![<|])\bhttps?://[^\s<>]+")


def escaped(text: str) -> str:
    """Text in which ``& < >`` mean themselves."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def linked(state: State, text: str, *, labels: bool = False) -> str:
    """``@Name``, ``@group``, ``#channel`` and links as Slack writes them.

    With ``labels`` as in escaped slash commands: ``<@U1|ana>``, ``<#C1|general>``.
    """
    for name, target in _names(state, labels):
        pattern = rf"(?<![\w<|@#]){re.escape(name)}(?![\w-]|\.\w)"
        text = re.sub(pattern, target.replace("\\", r"\\"), text, flags=re.IGNORECASE)
    return LINK.sub(lambda found: f"<{found.group()}>", text)


def _names(state: State, labels: bool) -> list[tuple[str, str]]:
    """What can be named and what stands for it, longest names first."""
    names: dict[str, str] = {}
    for user in state.users.values():
        target = f"<@{user.id}|{user.name}>" if labels else f"<@{user.id}>"
        names.setdefault(f"@{user.name}", target)
        names.setdefault(f"@{user.real_name}", target)
    for group in state.usergroups.values():
        names.setdefault(f"@{group.handle}", f"<!subteam^{group.id}|@{group.handle}>")
    for word in BROADCASTS:
        names.setdefault(f"@{word}", f"<!{word}>")
    for channel in state.channels.values():
        if channel.name:
            names.setdefault(f"#{channel.name}", f"<#{channel.id}|{channel.name}>")
    return sorted(names.items(), key=lambda item: -len(item[0]))
