"""What a message may hold, checked: text, markdown, blocks, attachments, metadata."""

from __future__ import annotations

from typing import Any

from bot.workspace.call import Call
from bot.workspace.compose import linked
from bot.workspace.model import Json, SlackError
from handlers.blockkit import problems

LONGEST_MARKDOWN = 12_000
MOST_ATTACHMENTS = 100
LARGEST_METADATA = 16_000  # characters of JSON


def checked(call: Call, *, longest: int = 0) -> Json:
    """The checked text, blocks, attachments and metadata; only those that were given.

    A text above ``longest`` characters is refused; 0: it will be cut.
    """
    given: Json = {}
    markdown = call.text("markdown_text")
    if markdown and (call.text("text") or call.arguments.get("blocks")):
        raise SlackError("markdown_text_conflict")
    if len(markdown) > LONGEST_MARKDOWN:
        raise SlackError("msg_too_long")
    if "text" in call.arguments:
        given["text"] = call.text("text")
        if call.flag("link_names") or call.text("parse") == "full":
            given["text"] = linked(call.workspace, given["text"])
        if longest and len(given["text"]) > longest:
            raise SlackError("msg_too_long")
    if markdown:
        given["text"] = markdown
        given["blocks"] = [{"type": "markdown", "text": markdown}]
    if call.arguments.get("blocks") is not None:
        given["blocks"] = call.blocks()
    if call.arguments.get("attachments") is not None:
        given["attachments"] = _attachments(call)
    if call.arguments.get("metadata") is not None:
        given["metadata"] = _metadata(call)
    return given


def _attachments(call: Call) -> list[Json]:
    attachments = call.json("attachments", "invalid_attachments")
    if attachments in (None, ""):
        return []
    if not isinstance(attachments, list) or not all(isinstance(a, dict) for a in attachments):
        raise SlackError("invalid_attachments")
    if len(attachments) > MOST_ATTACHMENTS:
        raise SlackError("too_many_attachments")
    for index, attachment in enumerate(attachments):
        inner = attachment.get("blocks")
        if inner:
            found = problems(inner, at=f"/attachments/{index}/blocks")
            if found:
                raise SlackError("invalid_attachments", messages=found)
    return numbered(attachments)


def _metadata(call: Call) -> Json | None:
    """Message metadata: an event_type with a flat event_payload, or entities (Work Objects)."""
    metadata = call.json("metadata", "invalid_metadata_format")
    if metadata in ({}, ""):
        return None
    if not isinstance(metadata, dict):
        raise SlackError("invalid_metadata_format")
    entities = metadata.get("entities")
    wrong = not isinstance(entities, list) or not all(map(_is_entity, entities))
    if entities is not None and wrong:
        raise SlackError("invalid_metadata_schema")
    if entities is None or "event_type" in metadata:
        _check_event(metadata)
    if len(str(metadata)) > LARGEST_METADATA:
        raise SlackError("metadata_too_large")
    return metadata


def _is_entity(value: Any) -> bool:
    needed = {"entity_type": str, "entity_payload": dict, "url": str, "external_ref": dict}
    return isinstance(value, dict) and all(
        isinstance(value.get(name), kind) for name, kind in needed.items()
    )


def _check_event(metadata: Json) -> None:
    payload = metadata.get("event_payload")
    if not isinstance(metadata.get("event_type"), str) or not isinstance(payload, dict):
        raise SlackError("invalid_metadata_schema")
    for key, value in payload.items():
        if not _flat(value):
            text = f"[ERROR] event_payload must be flat [json-pointer:/metadata/{key}]"
            raise SlackError("invalid_metadata_schema", messages=[text])


def _flat(value: Any) -> bool:
    scalar = (str, int, float, bool, type(None))
    if isinstance(value, list):
        return all(isinstance(item, scalar) for item in value)
    return isinstance(value, scalar)


def numbered(attachments: list[Json]) -> list[Json]:
    """Attachments with their ids, from 1."""
    return [{**part, "id": number} for number, part in enumerate(attachments, 1)]
