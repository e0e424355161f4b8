"""Slack's mrkdwn as plain text, for documents that are read outside Slack."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape

Names = Callable[[str], str]
"""Gives the name of a person by their id."""

_TOKEN = re.compile(r"<([@#!][^<>]+|(?:https?://|mailto:)[^<>]+)>")
_CODE = re.compile(r"`([^`]*)`")
_EMPHASIS = re.compile(r"(?<![\w*_~])([*_~])(?=\S)(.+?)(?<=\S)\1(?![\w*_~])")


def plain(text: str, names: Names = lambda user: user) -> str:
    """mrkdwn without its marks: people by name, times in UTC, links behind their words."""
    bare = _TOKEN.sub(lambda m: _token(m[1], names), text)
    bare = _CODE.sub(r"\1", bare)
    for _ in range(2):
        bare = _EMPHASIS.sub(r"\2", bare)
    return unescape(bare).strip()


def _token(inner: str, names: Names) -> str:
    address, _, label = inner.partition("|")
    if address.startswith("@"):
        return names(address[1:])
    if address.startswith("!date^"):
        return label or address.split("^")[1]
    if address.startswith(("#", "!")):
        return label or address
    return f"{label} ({address})" if label and label != address else address
