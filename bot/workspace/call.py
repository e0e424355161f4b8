"""One call of a Web API method: its arguments, read and checked as Slack reads them."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

from bot.workspace.apps import App
from bot.workspace.files import problems_of_images
from bot.workspace.model import Channel, Json, SlackError
from bot.workspace.scopes import check_kind
from bot.workspace.workspace import Workspace
from handlers.blockkit import problems

Item = TypeVar("Item")
TIMESTAMP = re.compile(r"\d+\.\d+")


@dataclass(frozen=True)
class Call:
    """A method called by an app. ``arguments`` are strings (forms) or JSON values.

    ``execution`` is the id of the custom step whose token was used.
    """

    workspace: Workspace
    app: App
    method: str
    arguments: Json
    execution: str | None = None

    def text(self, name: str, default: str = "") -> str:
        """A string argument."""
        value = self.arguments.get(name)
        return default if value is None else str(value)

    def required(self, name: str) -> str:
        """A string that must be given.

        Raises:
            SlackError: invalid_arguments, naming the field.
        """
        value = self.text(name)
        if not value:
            text = f"[ERROR] missing required field: {name}"
            raise SlackError("invalid_arguments", messages=[text])
        return value

    def flag(self, name: str, default: bool = False) -> bool:
        """A boolean: true/false, 1/0."""
        value = self.arguments.get(name)
        if value is None:
            return default
        return value is True or str(value).lower() in ("true", "1")

    def integer(self, name: str, default: int) -> int:
        """A whole number.

        Raises:
            SlackError: invalid_arguments when it is none.
        """
        value = self.arguments.get(name)
        if value in (None, ""):
            return default
        try:
            return int(str(value))
        except ValueError:
            text = f"[ERROR] must be an integer [json-pointer:/{name}]"
            raise SlackError("invalid_arguments", messages=[text]) from None

    def number(self, name: str, default: float) -> float:
        """A number, such as Unix seconds.

        Raises:
            SlackError: invalid_arguments when it is none.
        """
        value = self.arguments.get(name)
        if value in (None, ""):
            return default
        try:
            return float(str(value))
        except ValueError:
            text = f"[ERROR] must be a number [json-pointer:/{name}]"
            raise SlackError("invalid_arguments", messages=[text]) from None

    def json(self, name: str, error: str) -> Any:
        """A JSON argument: decoded when it came as a string in a form; None when not given.

        Raises:
            SlackError: ``error`` when it can't be decoded.
        """
        value = self.arguments.get(name)
        if not isinstance(value, str):
            return value
        if not value:
            return None
        try:
            return json.loads(value)
        except ValueError:
            raise SlackError(error) from None

    def ids(self, name: str) -> list[str]:
        """A list of ids: comma-separated in a form, or a JSON list."""
        value = self.arguments.get(name)
        if value is None:
            return []
        if isinstance(value, list):
            return [str(item) for item in value]
        return [item.strip() for item in str(value).split(",") if item.strip()]

    def blocks(self, name: str = "blocks") -> list[Json]:
        """Blocks that may stand in a message; none when not given.

        Raises:
            SlackError: invalid_blocks_format, or invalid_blocks with the problems.
        """
        blocks = self.json(name, "invalid_blocks_format")
        if blocks in (None, ""):
            return []
        if not isinstance(blocks, list):
            raise SlackError("invalid_blocks_format")
        found = problems(blocks) or problems_of_images(self.workspace, blocks)
        if found:
            raise SlackError("invalid_blocks", messages=found)
        return blocks

    def channel(self, name: str = "channel") -> Channel:
        """The channel named by an argument, if this app may know of it.

        Raises:
            SlackError: channel_not_found, or missing_scope for this kind of channel.
        """
        given = self.required(name)
        channel = self.workspace.channel(given)
        if not self.workspace.may_see(self.app.user_id, channel):
            raise SlackError("channel_not_found")
        check_kind(self.app, self.method, channel.kind)
        return channel


Method: TypeAlias = Callable[[Call], Json]
Methods: TypeAlias = Mapping[str, Method]


def page(call: Call, items: list[Item], *, default: int, most: int) -> tuple[list[Item], str]:
    """One page of items and the cursor of the next one ("" at the end).

    Raises:
        SlackError: invalid_cursor, or invalid_limit.
    """
    limit = call.integer("limit", default) or default
    if limit < 0:
        raise SlackError("invalid_limit")
    start = 0
    cursor = call.text("cursor")
    if cursor:
        try:
            word, _, number = base64.b64decode(cursor, validate=True).decode().partition(":")
            start = int(number)
        except (binascii.Error, UnicodeDecodeError, ValueError):
            raise SlackError("invalid_cursor") from None
        if word != "next" or start < 0:
            raise SlackError("invalid_cursor")
    end = start + min(limit, most)
    following = base64.b64encode(f"next:{end}".encode()).decode() if end < len(items) else ""
    return items[start:end], following
