"""Small rules from which the Block Kit checks are put together.

A rule takes a value, the JSON pointer where it stands, and the list that it appends problems to.
Problems read as Slack's own: ``[ERROR] must be an array [json-pointer:/blocks/0/elements]``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

Rule: TypeAlias = Callable[[Any, str, list[str]], None]
Fields: TypeAlias = Mapping[str, Rule]


def report(found: list[str], text: str, at: str) -> None:
    """Append a problem in Slack's form."""
    found.append(f"[ERROR] {text} [json-pointer:{at}]")


def anything(value: Any, at: str, found: list[str]) -> None:
    """Accept whatever stands there."""


def string(most: int | None = None, *, least: int = 0, pattern: str | None = None) -> Rule:
    """A string with a length, in characters, between ``least`` and ``most``."""
    compiled = re.compile(pattern) if pattern else None

    def rule(value: Any, at: str, found: list[str]) -> None:
        if not isinstance(value, str):
            report(found, "must be a string", at)
        elif most is not None and len(value) > most:
            report(found, f"must be less than {most + 1} characters", at)
        elif len(value) < least:
            report(found, f"must be more than {least - 1} characters", at)
        elif compiled and not compiled.fullmatch(value):
            report(found, "does not match the required format", at)

    return rule


def flag(value: Any, at: str, found: list[str]) -> None:
    """True or false."""
    if not isinstance(value, bool):
        report(found, "must be a boolean", at)


def integer(least: int, most: int | None = None) -> Rule:
    """A whole number within bounds."""

    def rule(value: Any, at: str, found: list[str]) -> None:
        if isinstance(value, bool) or not isinstance(value, int):
            report(found, "must be an integer", at)
        elif value < least:
            report(found, f"must be greater than or equal to {least}", at)
        elif most is not None and value > most:
            report(found, f"must be less than or equal to {most}", at)

    return rule


def number(value: Any, at: str, found: list[str]) -> None:
    """A finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        report(found, "must be a number", at)
    elif value != value or value in (float("inf"), float("-inf")):
        report(found, "must be a finite number", at)


def positive(value: Any, at: str, found: list[str]) -> None:
    """A finite number above zero."""
    before = len(found)
    number(value, at, found)
    if len(found) == before and value <= 0:
        report(found, "must be greater than 0", at)


def one_of(*allowed: Any) -> Rule:
    """One of a few values."""

    def rule(value: Any, at: str, found: list[str]) -> None:
        if value not in allowed:
            report(found, "must be a valid enum value", at)

    return rule


def listing(item: Rule, most: int | None = None, *, least: int = 1) -> Rule:
    """A list whose every item obeys ``item``."""

    def rule(value: Any, at: str, found: list[str]) -> None:
        if not isinstance(value, list):
            report(found, "must be an array", at)
            return
        if most is not None and len(value) > most:
            report(found, f"no more than {most} items allowed", at)
        if len(value) < least:
            report(found, f"no less than {least} items allowed", at)
        for index, entry in enumerate(value):
            item(entry, f"{at}/{index}", found)

    return rule


def fields(required: Fields, optional: Fields | None = None, *, extra: Rule | None = None) -> Rule:
    """An object with these fields and no others; ``extra`` sees the whole object last."""
    known = {**required, **(optional or {})}

    def rule(value: Any, at: str, found: list[str]) -> None:
        if not isinstance(value, dict):
            report(found, "must be an object", at)
            return
        for name in required:
            if value.get(name) is None:
                report(found, f"missing required field: {name}", at)
        for name, entry in value.items():
            if name not in known:
                report(found, f"invalid additional property: {name}", at)
            elif entry is not None:
                known[name](entry, f"{at}/{name}", found)
        if extra:
            extra(value, at, found)

    return rule


def exactly_one(*names: str) -> Rule:
    """Of these fields one is given, and only one."""

    def rule(value: Any, at: str, found: list[str]) -> None:
        given = [name for name in names if value.get(name) is not None]
        if len(given) != 1:
            quoted = " or ".join(f"`{name}`" for name in names)
            report(found, f"must define either {quoted}, and not both", at)

    return rule


def at_least_one(*names: str) -> Rule:
    """Of these fields at least one is given."""

    def rule(value: Any, at: str, found: list[str]) -> None:
        if all(value.get(name) is None for name in names):
            quoted = " or ".join(f"`{name}`" for name in names)
            report(found, f"must define either {quoted}", at)

    return rule


def at_most_one(*names: str) -> Rule:
    """Of these fields not more than one is given."""

    def rule(value: Any, at: str, found: list[str]) -> None:
        if sum(value.get(name) is not None for name in names) > 1:
            quoted = " or ".join(f"`{name}`" for name in names)
            report(found, f"must define either {quoted}, and not both", at)

    return rule


def both(*rules: Rule) -> Rule:
    """All of the rules."""

    def rule(value: Any, at: str, found: list[str]) -> None:
        for each in rules:
            each(value, at, found)

    return rule


def nullable(inner: Rule) -> Rule:
    """The rule, or null."""

    def rule(value: Any, at: str, found: list[str]) -> None:
        if value is not None:
            inner(value, at, found)

    return rule


def typed(
    kinds: Mapping[str, Rule], allowed: Iterable[str] | None = None, *, default: str | None = None
) -> Rule:
    """An object whose ``type`` (``default`` when not given) selects its rule among ``kinds``.

    ``kinds`` may be filled later than this is called: it is read when a value is checked.
    """
    names = None if allowed is None else frozenset(allowed)

    def rule(value: Any, at: str, found: list[str]) -> None:
        if not isinstance(value, dict):
            report(found, "must be an object", at)
            return
        kind = value.get("type", default)
        if kind is None:
            report(found, "missing required field: type", at)
        elif not isinstance(kind, str) or kind not in kinds or (names and kind not in names):
            report(found, f"unsupported type: {kind}", f"{at}/type")
        else:
            kinds[kind](value, at, found)

    return rule
