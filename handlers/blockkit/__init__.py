"""Does Slack take these blocks? Pure checks, written from Slack's Block Kit documentation.

Both the bot's own outgoing gate and the local workspace ask here, so that what passes on a laptop
passes in Slack. A problem reads as in Slack's ``response_metadata.messages``:
``[ERROR] must be less than 3001 characters [json-pointer:/blocks/0/text/text]``.

Sources: docs.slack.dev, reference/block-kit (blocks, block elements, composition objects) and
surfaces; the type definitions and models of Slack's own SDKs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from handlers.blockkit.blocks import BLOCKS, ON_SURFACE
from handlers.blockkit.elements import plain
from handlers.blockkit.rules import anything, fields, flag, one_of, report, string, typed

MOST_BLOCKS = {"message": 50, "modal": 100, "home": 100}
MARKDOWN_CHARACTERS = 12_000
TABLE_CHARACTERS = 10_000
MOST_CHARTS = 2


def problems(blocks: Any, surface: str = "message", at: str = "/blocks") -> list[str]:
    """What Slack would refuse in these blocks; empty when it takes them.

    Args:
        blocks: the value of ``blocks``, as decoded from JSON.
        surface: "message", "modal" or "home".
        at: the JSON pointer of ``blocks``.

    Raises:
        KeyError: there is no such surface.
    """
    found: list[str] = []
    most, rule = MOST_BLOCKS[surface], typed(BLOCKS, ON_SURFACE[surface])
    if not isinstance(blocks, list):
        report(found, "must be an array", at)
        return found
    if len(blocks) > most:
        report(found, f"no more than {most} items allowed", at)
    for index, block in enumerate(blocks):
        rule(block, f"{at}/{index}", found)
    _check_ids(blocks, at, found)
    _check_totals(blocks, at, found)
    _check_modal_elements(blocks, surface, at, found)
    return found


def _elements(block: Any) -> Iterator[tuple[str, Any]]:
    """The elements of a block with their place in it."""
    if not isinstance(block, dict):
        return
    for name in ("accessory", "element"):
        if isinstance(block.get(name), dict):
            yield name, block[name]
    for name in ("elements", "actions"):
        found = block.get(name)
        for index, item in enumerate(found if isinstance(found, list) else []):
            if isinstance(item, dict):
                yield f"{name}/{index}", item


def _check_ids(blocks: list[Any], at: str, found: list[str]) -> None:
    """block_id is unique among the blocks, action_id within its block."""
    named = Counter(
        block["block_id"]
        for block in blocks
        if isinstance(block, dict) and isinstance(block.get("block_id"), str) and block["block_id"]
    )
    for index, block in enumerate(blocks):
        if not isinstance(block, dict):
            continue
        own = block.get("block_id")
        if isinstance(own, str) and named[own] > 1:
            report(found, f"block_id `{own}` must be unique", f"{at}/{index}/block_id")
        seen: set[str] = set()
        for place, item in _elements(block):
            action = item.get("action_id")
            if isinstance(action, str) and action in seen:
                where = f"{at}/{index}/{place}/action_id"
                report(found, f"action_id `{action}` must be unique within the block", where)
            elif isinstance(action, str):
                seen.add(action)


def _characters(value: Any) -> int:
    """How many characters of text a table's rows show, however deep they stand."""
    if isinstance(value, list):
        return sum(_characters(item) for item in value)
    if isinstance(value, dict):
        own = value.get("text")
        inner = _characters(value.get("elements"))
        return inner + (len(own) if isinstance(own, str) else 0)
    return 0


def _check_totals(blocks: list[Any], at: str, found: list[str]) -> None:
    """What is limited over all blocks together: markdown text, tables, charts."""
    kinds = Counter(str(block.get("type")) for block in blocks if isinstance(block, dict))
    length = sum(
        len(str(block.get("text", "")))
        for block in blocks
        if isinstance(block, dict) and block.get("type") == "markdown"
    )
    if kinds["markdown"] > 1 and length > MARKDOWN_CHARACTERS:
        text = (
            f"all markdown blocks together must be less than {MARKDOWN_CHARACTERS + 1} characters"
        )
        report(found, text, at)
    if kinds["table"] > 1:
        report(found, "only_one_table_allowed", at)
    cells = sum(
        _characters(block.get("rows"))
        for block in blocks
        if isinstance(block, dict) and block.get("type") in ("table", "data_table")
    )
    if cells > TABLE_CHARACTERS:
        text = f"all table cells together must be less than {TABLE_CHARACTERS + 1} characters"
        report(found, text, at)
    if kinds["data_visualization"] > MOST_CHARTS:
        report(found, f"no more than {MOST_CHARTS} data_visualization blocks allowed", at)


def _check_modal_elements(blocks: list[Any], surface: str, at: str, found: list[str]) -> None:
    """file_input and response_url_enabled need a modal; one element at most takes the focus."""
    focused = 0
    for index, block in enumerate(blocks):
        for place, item in _elements(block):
            where = f"{at}/{index}/{place}"
            focused += item.get("focus_on_load") is True
            if item.get("type") == "file_input" and surface != "modal":
                report(found, "unsupported type: file_input", f"{where}/type")
            if item.get("response_url_enabled") and (surface != "modal" or place != "element"):
                text = "response_url_enabled is only available in input blocks of modals"
                report(found, text, where)
    if focused > 1:
        report(found, "only one element can have focus_on_load set to true", at)


_VIEW_OPTIONS = {
    "private_metadata": string(3000),
    "callback_id": string(255),
    "external_id": string(255),
}
_MODAL = fields(
    {"type": anything, "title": plain(24), "blocks": anything},
    {
        **_VIEW_OPTIONS,
        "submit": plain(24),
        "close": plain(24),
        "clear_on_close": flag,
        "notify_on_close": flag,
        "submit_disabled": flag,
    },
)
_HOME = fields({"type": anything, "blocks": anything}, _VIEW_OPTIONS)


def problems_of_view(view: Any, at: str = "/view") -> list[str]:
    """What Slack would refuse in a modal or a Home tab; empty when it takes it."""
    found: list[str] = []
    if not isinstance(view, dict):
        report(found, "must be an object", at)
        return found
    kind = view.get("type")
    if kind is None:
        report(found, "missing required field: type", at)
    else:
        one_of("modal", "home")(kind, f"{at}/type", found)
    (_HOME if kind == "home" else _MODAL)(view, at, found)
    found = list(dict.fromkeys(found))
    blocks = view.get("blocks")
    if blocks is not None:
        surface = "home" if kind == "home" else "modal"
        found += problems(blocks, surface, f"{at}/blocks")
    has_input = isinstance(blocks, list) and any(
        isinstance(block, dict) and block.get("type") == "input" for block in blocks
    )
    if kind == "modal" and has_input and not view.get("submit"):
        report(found, "submit is required when an input block is within the blocks array", at)
    return found
