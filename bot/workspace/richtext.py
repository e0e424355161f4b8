"""From mrkdwn to the rich_text block that Slack's own composer makes of what people type."""

from __future__ import annotations

import re

from bot.workspace.compose import BROADCASTS
from bot.workspace.model import Json

# Preformatted text first, then what stands in angle brackets, emoji, and the styles of a line.
FENCE = re.compile(r"```\n?(.+?)\n?```", re.S)
PIECE = re.compile(
    r"<(?P<mark>[@#!]?)(?P<target>[^<>|]+)(?:\|(?P<label>[^<>]*))?>"
    r"|:(?P<emoji>[a-z0-9_+'-]+):"
    r"|(?<![\w`])`(?P<code>[^`\n]+)`(?![\w`])"
    r"|(?<![\w*])\*(?P<bold>\S(?:[^*\n]*\S)?)\*(?![\w*])"
    r"|(?<![\w_])_(?P<italic>\S(?:[^_\n]*\S)?)_(?![\w_])"
    r"|(?<![\w~])~(?P<strike>\S(?:[^~\n]*\S)?)~(?![\w~])"
)
QUOTE = "&gt;"


def rich_text(text: str, block_id: str) -> Json:
    """The block for a message's text."""
    parts: list[Json] = []
    end = 0
    for fence in FENCE.finditer(text):
        parts += _paragraphs(text[end : fence.start()].removesuffix("\n"))
        inner = [{"type": "text", "text": _plain(fence.group(1))}]
        parts.append({"type": "rich_text_preformatted", "elements": inner})
        end = fence.end() + (text[fence.end() : fence.end() + 1] == "\n")
    parts += _paragraphs(text[end:])
    return {"type": "rich_text", "block_id": block_id, "elements": parts}


def _paragraphs(text: str) -> list[Json]:
    """Sections and quotes; consecutive lines of one kind stand together."""
    parts: list[Json] = []
    for line in text.split("\n") if text else []:
        quoted = line.startswith((QUOTE, ">"))
        kind = "rich_text_quote" if quoted else "rich_text_section"
        bare = re.sub(r"^(?:&gt;|>) ?", "", line) if quoted else line
        if parts and parts[-1]["type"] == kind:
            _append(parts[-1]["elements"], {"type": "text", "text": "\n"})
        else:
            parts.append({"type": kind, "elements": []})
        for piece in pieces(bare):
            _append(parts[-1]["elements"], piece)
    return parts


def _append(elements: list[Json], piece: Json) -> None:
    """Add a piece; texts of one style that follow each other are one text."""
    last = elements[-1] if elements else {}
    if piece["type"] == last.get("type") == "text" and piece.get("style") == last.get("style"):
        elements[-1] = {**last, "text": last["text"] + piece["text"]}
    else:
        elements.append(piece)


def pieces(line: str) -> list[Json]:
    """The elements of one line."""
    found: list[Json] = []
    end = 0
    for match in PIECE.finditer(line):
        if match.start() > end:
            found.append({"type": "text", "text": _plain(line[end : match.start()])})
        found += _piece(match)
        end = match.end()
    if end < len(line):
        found.append({"type": "text", "text": _plain(line[end:])})
    return found


def _piece(match: re.Match[str]) -> list[Json]:
    groups = match.groupdict()
    if groups["emoji"]:
        return [{"type": "emoji", "name": groups["emoji"]}]
    if groups["code"]:
        return [{"type": "text", "text": _plain(groups["code"]), "style": {"code": True}}]
    for style in ("bold", "italic", "strike"):
        if groups[style]:
            return [
                {**inner, "style": {**inner.get("style", {}), style: True}}
                for inner in pieces(groups[style])
            ]
    marked = _marked(groups["mark"], groups["target"], groups["label"])
    return [marked or {"type": "text", "text": _plain(match.group())}]


def _marked(mark: str, target: str, label: str | None) -> Json | None:
    """A mention, a date or a link; None when what stands in the brackets is none of them."""
    if mark == "@":
        return {"type": "user", "user_id": target}
    if mark == "#":
        return {"type": "channel", "channel_id": target}
    if mark == "!":
        word, _, rest = target.partition("^")
        if word == "subteam":
            return {"type": "usergroup", "usergroup_id": rest}
        if word == "date":
            return _date(rest, label)
        return {"type": "broadcast", "range": word} if word in BROADCASTS else None
    if not re.match(r"[a-z][a-z0-9+.-]*:", target):
        return None
    link = {"type": "link", "url": _plain(target)}
    return {**link, "text": _plain(label)} if label else link


def _date(given: str, label: str | None) -> Json | None:
    seconds, _, rest = given.partition("^")
    form, _, url = rest.partition("^")
    if not seconds.isascii() or not seconds.isdigit():
        return None
    date: Json = {"type": "date", "timestamp": int(seconds), "format": form}
    if url:
        date["url"] = url
    return date | ({"fallback": _plain(label)} if label else {})


def _plain(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
