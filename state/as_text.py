"""Values as the store keeps them: JSON, and moments as text; and back."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from pydantic import TypeAdapter


@lru_cache(maxsize=64)
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def to_json(kind: Any, value: Any) -> str:
    """A value of a dataclass as JSON."""
    return _adapter(kind).dump_json(value).decode()


def from_json(kind: Any, text: str) -> Any:
    """The value back; pydantic's ValidationError when it is not of that kind."""
    return _adapter(kind).validate_json(text)


def stamp(moment: datetime) -> str:
    """A moment as text that sorts by time."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def unstamp(text: str) -> datetime:
    """The moment back."""
    return datetime.fromisoformat(text)
