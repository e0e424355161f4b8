"""Reading a rendered thread in tests."""

from __future__ import annotations

from typing import Any

from handlers.blockkit import problems
from handlers.messages import Remedy, View, render
from state.incident import Incident
from state.outbox import Post
from tests.handlers.toy import TREE, at

REMEDIES = (
    Remedy("rollback", "Roll back", ("snapshot",)),
    Remedy("arm_to_zero", "Take to zero", ("arm",)),
    Remedy("rerun", "Run again", ("upstream",)),
)


def view(**changes: Any) -> View:
    """The primary channel's view, an hour in."""
    usual: dict[str, Any] = {"now": at(60), "channel": "C1", "mitigations": REMEDIES}
    return View(**(usual | changes))


def thread(incident: Incident, **changes: Any) -> dict[str, Post]:
    """The rendered posts by name."""
    return {p.name: p for p in render(incident, TREE, view(**changes))}


def uploaded(payload: dict[str, Any]) -> list[dict[str, Any]]:
    """The blocks with files in the place of charts, as the sender sends them."""
    found = []
    for block in payload["blocks"]:
        if "chart" in block:
            block = {k: v for k, v in block.items() if k != "chart"}
            block["slack_file"] = {"id": "F1"}
        found.append(block)
    return found


def refused(posts: list[Post]) -> list[str]:
    """What Slack would refuse in these posts."""
    return [f"{p.name}: {text}" for p in posts for text in problems(uploaded(p.payload))]


def words(post: Post) -> str:
    """All mrkdwn of a post."""
    texts = []
    for block in post.payload["blocks"]:
        if block["type"] == "section":
            texts.append(block["text"]["text"])
        elif block["type"] == "context":
            texts += [e["text"] for e in block["elements"]]
    return "\n".join(texts)


def elements(post: Post) -> list[dict[str, Any]]:
    """Every button and menu of a post."""
    found: list[dict[str, Any]] = []
    for block in post.payload["blocks"]:
        found += block["elements"] if block["type"] == "actions" else []
        found += [block["accessory"]] if "accessory" in block else []
    return found


def buttons(post: Post) -> dict[str, dict[str, Any]]:
    """The buttons of a post by their text."""
    return {e["text"]["text"]: e for e in elements(post) if e["type"] == "button"}


def charts(post: Post) -> list[str]:
    """The charts of a post."""
    return [block["chart"] for block in post.payload["blocks"] if block["type"] == "image"]
