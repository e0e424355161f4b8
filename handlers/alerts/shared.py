"""What alert formats share: their result, their errors as sentences, and careful readings."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from handlers.desk import Subject, Subjects, nearest
from state.incident import Alert

M = TypeVar("M", bound=BaseModel)
MOST_ALERTS = 2_000
"""More alerts than this in one payload are refused."""

SEVERITIES = {
    1: ("critical", "page", "fatal", "emergency", "sev1", "p1"),
    2: ("error", "high", "major", "sev2", "p2"),
    3: ("warning", "warn", "medium", "minor", "sev3", "p3"),
    4: ("info", "low", "notice", "none", "sev4", "p4", "sev5", "p5"),
}


@dataclass(frozen=True)
class Known:
    """What a payload is held against: names, the tree's nodes, the workspaces where there are
    several, and the bot's time."""

    subjects: Subjects
    now: datetime
    nodes: tuple[str, ...] = ()
    workspaces: tuple[str, ...] = ()


@dataclass(frozen=True)
class Stray:
    """An alert about nothing that we know: its subject is empty. ``sentence`` says why, and
    ``guesses`` are what may be meant, the likeliest first. ``named``: it gave a name, which is
    unknown."""

    alert: Alert
    sentence: str
    guesses: tuple[Subject, ...] = ()
    named: bool = False


@dataclass(frozen=True)
class Taken:
    """What came of a payload.

    ``strays`` are alerts that a person has to place. ``problems`` are sentences about what the
    sender should mend, those about strays among them; ``ignored`` are sentences about what is
    no alert (a test, a note).
    """

    alerts: tuple[Alert, ...] = ()
    problems: tuple[str, ...] = ()
    strays: tuple[Stray, ...] = ()
    ignored: tuple[str, ...] = ()


class BadPayload(ValueError):
    """The payload is not of the format; ``problems`` name key, what was found, what expected."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


def validated(model: type[M], payload: Any) -> M:
    """The payload as a value of the model; BadPayload names every key that is wrong."""
    try:
        return model.model_validate(payload)
    except ValidationError as error:
        details = error.errors(include_url=False)
        raise BadPayload(tuple(_sentence(d, model) for d in details[:10])) from None


def _sentence(detail: ErrorDetails, model: type[BaseModel]) -> str:
    """Key, what was found, what was expected."""
    key = ".".join(str(part + 1) if isinstance(part, int) else part for part in detail["loc"])
    where = f"`{one_line(key, 80)}`" if key else "the payload"
    found = one_line(repr(detail["input"]), 80)
    if detail["type"] == "extra_forbidden":
        close = nearest(key, list(model.model_fields))
        names = ", ".join(f"`{n}`" for n in model.model_fields)
        meant = f"did you mean `{close}`?" if close else f"expected one of {names}"
        return f"{where}: found a key that I don't know; {meant}"
    if detail["type"] == "missing":
        return f"{where}: found nothing, expected it to be there"
    if detail["type"] == "timezone_aware":
        return f"{where}: found {found}, expected a time with a zone, as 2026-11-23T14:05:00Z"
    expected = detail["msg"].removeprefix("Input should be ").partition(" or instance of")[0]
    if "datetime" in detail["type"]:
        expected = "a time such as 2026-11-23T14:05:00Z"
    if detail["type"] in ("model_type", "model_attributes_type", "dict_type"):
        expected = "a JSON object"
    return f"{where}: found {found}, expected {expected}"


def not_too_many(count: int) -> None:
    """BadPayload when there are more alerts than anybody could follow."""
    if count > MOST_ALERTS:
        raise BadPayload((f"found {count} alerts in one payload, expected at most {MOST_ALERTS}",))


def severity_of(said: int | str, unknown: int = 2) -> int:
    """1 to 4 from a number or a word; ``unknown`` for any other word."""
    text = str(said).strip().lower()
    if text in ("1", "2", "3", "4"):
        return int(text)
    return next((level for level, names in SEVERITIES.items() if text in names), unknown)


def past(moment: datetime, now: datetime) -> datetime:
    """A clock that is ahead of ours, or a time that was never set, counts as now."""
    moment = moment.astimezone(UTC) if moment.year > 1970 else now
    return min(moment, now)


def node_of(name: str, known: Known) -> str:
    """The name, when it is a node of the tree; else "", which leaves it to the entry."""
    return name if name in known.nodes else ""


def web_address(text: str) -> str:
    """The text, when it is an http or https address; else ""."""
    return text if re.fullmatch(r"https?://[^\s<>|\"]{1,1000}", text) else ""


def one_line(text: str, most: int) -> str:
    """The text on one line, cut at ``most`` characters."""
    text = " ".join(text.split())
    return text if len(text) <= most else f"{text[: most - 1]}…"
