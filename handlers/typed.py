"""What somebody typed: its words, and the people, channels and incidents that they name."""

from __future__ import annotations

import re
from html import unescape

Words = tuple[str, ...]

_QUOTES = {"“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "‘": "'", "’": "'", "‚": "'"}
_TOKEN = re.compile(
    r"""<[@#!][^<>]*>|<https?://[^<>]*>|"[^"]*"|(?<!\S)'[^']*'(?!\S)|`[^`]+`|[^\s"`]+|["`]"""
)
_INCIDENT = re.compile(r"#?he-?0*([1-9]\d{0,8})", re.IGNORECASE)
_USER = re.compile(r"<@([UW][A-Z0-9]+)(?:\|([^>]*))?>")
_CHANNEL = re.compile(r"<#([CG][A-Z0-9]+)(?:\|([^>]*))?>")


def words(text: str) -> Words:
    """The words of what somebody typed; quoted ones and Slack's ``<…>`` tokens stay whole.

    Tolerant: curly quotes count as quotes, an unclosed quote as nothing, punctuation at the
    end of a word is dropped, Slack's ``&amp; &lt; &gt;`` are read back.
    """
    for curly, straight in _QUOTES.items():
        text = text.replace(curly, straight)
    found = (_word(token) for token in _TOKEN.findall(text.replace("\u00a0", " ")))
    return tuple(word for word in found if word)


def _word(token: str) -> str:
    if token.startswith("<") and token.endswith(">"):
        return token
    if len(token) > 1 and token[0] == token[-1] and token[0] in "\"'`":
        return unescape(token[1:-1]).strip()
    return unescape(token.strip('"`*').rstrip(".,;!?"))


def addressed(text: str, bot: str) -> str:
    """What is said to the bot in a message that mentions it: what follows the first mention,
    or what stands before it when nothing follows."""
    before, _, after = re.sub(rf"<@{re.escape(bot)}(?:\|[^>]*)?>", "\0", text).partition("\0")
    said = after.replace("\0", " ").strip(" ,:\n")
    return said or before.strip(" ,:\n")


def user_in(word: str) -> str | None:
    """The user's id in ``<@U123>`` or ``<@U123|name>``."""
    match = _USER.fullmatch(word)
    return match[1] if match else None


def channel_in(word: str) -> str | None:
    """The channel's id in ``<#C123>`` or ``<#C123|name>``."""
    match = _CHANNEL.fullmatch(word)
    return match[1] if match else None


def named_incident(said: Words) -> str | None:
    """The first incident that is named, as the store has it: "he3" is "HE-3"."""
    found = next((m for word in said if (m := _INCIDENT.fullmatch(word))), None)
    return f"HE-{found[1]}" if found else None


def quoted(word: str) -> str:
    """A word as it must be typed: in quotes when it has a space."""
    return f'"{word}"' if re.search(r"\s", word) and not word.startswith("<") else word
