"""What is wrong with the settings: file, line, key, what was found, what was expected."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from bot.config.lines import Key, line_of, lines_of
from bot.config.secrets import Secrets
from bot.config.settings import Settings

_NOT_IN_FILE = ("path", "secrets")
_ARRAYS = ("models", "metrics", "mitigations")


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong; ``str()`` is the block that a person reads."""

    file: str
    where: str
    found: str
    expected: str
    line: int | None = None
    nearest: str | None = None

    def __str__(self) -> str:
        place = f"{self.file}, line {self.line}" if self.line else self.file
        lines = [f"{place}: {self.where}" if self.where else place]
        lines += [f"  found:    {self.found}", f"  expected: {self.expected}"]
        if self.nearest:
            lines.append(f"  did you mean `{self.nearest}`?")
        return "\n".join(lines)


class SettingsError(Exception):
    """The settings can't be used; the message holds one block per problem."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n\n".join(map(str, self.problems)))


class Places:
    """Turns places in the data into words and line numbers of ``text``."""

    def __init__(self, path: Path, text: str = "") -> None:
        self.file = path.name
        self._lines = lines_of(text)

    def problem(
        self, key: Sequence[str | int], found: str, expected: str, nearest: str | None = None
    ) -> Problem:
        """A problem at ``key``, such as ``("metrics", 0, "kind")``."""
        line = line_of(self._lines, key)
        return Problem(self.file, in_words(key), found, expected, line, nearest)


def in_words(key: Sequence[str | int]) -> str:
    """``("tables", "infra", "time")`` as ``[tables.infra] time``; elements are counted from 1."""
    names = [part for part in key if isinstance(part, str)]
    numbers = [part for part in key if isinstance(part, int)]
    if not names:
        return ""
    if numbers and isinstance(key[-1], int) and len(key) > 2 and not _is_model(key):
        return f"{in_words(key[:-1])}, element {key[-1] + 1}"
    if numbers:
        at = key.index(numbers[0])
        head = ".".join(map(str, key[:at]))
        rest = " ".join(str(part) for part in key[at + 1 :])
        return f"[[{head}]] number {numbers[0] + 1}" + (f": {rest}" if rest else "")
    if len(names) == 1:
        return f"[[{names[0]}]]" if names[0] in _ARRAYS else f"[{names[0]}]"
    inside = model_at(key) is not None
    table, leaf = (names, "") if inside else (names[:-1], names[-1])
    return f"[{'.'.join(table)}] {leaf}".strip()


def _is_model(key: Sequence[str | int]) -> bool:
    return model_at(key) is not None


def model_at(key: Sequence[str | int]) -> type[BaseModel] | None:
    """The model whose keys stand at ``key``; None when it is no table of the settings."""
    model: type[BaseModel] | None = Settings
    for part in key:
        if isinstance(part, int):
            continue
        if model is None:
            return None
        fields = {(f.alias or name): f for name, f in model.model_fields.items()}
        model = _model_in(fields[part].annotation) if part in fields else None
    return model


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if get_origin(annotation) in (Union, UnionType, tuple):
        return next((m for m in map(_model_in, get_args(annotation)) if m is not None), None)
    return None


def keys_of(model: type[BaseModel]) -> list[str]:
    """The keys that may stand in the file for ``model``."""
    return [f.alias or n for n, f in model.model_fields.items() if n not in _NOT_IN_FILE]


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that ``name`` most looks like, if any does."""
    names = {k.lower(): k for k in known}
    close = get_close_matches(name.lower(), names, n=1, cutoff=0.6)
    return names[close[0]] if close else None


def from_pydantic(errors: Iterable[ErrorDetails], data: Any, places: Places) -> list[Problem]:
    """One problem per key, in the words of a person who reads a file."""
    grouped: dict[Key, list[ErrorDetails]] = {}
    for error in errors:
        grouped.setdefault(_place(error, data), []).append(error)
    found = [
        _explain(key, some, places)
        for key, some in grouped.items()
        if not (some[0]["type"] == "too_short" and _holds_another(key, grouped))
    ]
    meant = {(p.where.rpartition(" ")[0], p.nearest) for p in found if p.nearest}
    told = [p for p in found if p.found != "nothing" or p.where.rpartition(" ")[::2] not in meant]
    return sorted(told, key=lambda p: (p.line is None, p.line or 0))


def _holds_another(key: Key, others: Iterable[Key]) -> bool:
    """A list whose elements are refused is also called too short, which misleads."""
    return any(len(other) > len(key) and other[: len(key)] == key for other in others)


def _place(error: ErrorDetails, data: Any) -> Key:
    """The error's place in the file, without the parts that name a branch of a union."""
    key: list[str | int] = []
    for index, part in enumerate(error["loc"]):
        if isinstance(data, dict) and part in data:
            data = data[str(part)]
        elif isinstance(data, list) and isinstance(part, int) and part < len(data):
            data = data[part]
        elif not (error["type"] == "missing" and index == len(error["loc"]) - 1):
            continue
        key.append(part)
    return tuple(key)


def _explain(key: Key, errors: list[ErrorDetails], places: Places) -> Problem:
    first = errors[0]
    if first["type"] == "extra_forbidden":
        return _unknown(key, places)
    if first["type"] == "missing":
        return places.problem(key, "nothing", _needed(key))
    if first["type"] == "value_error":
        return places.problem(key, "keys that do not fit together", _after_comma(first["msg"]))
    expected = " or ".join(dict.fromkeys(map(_expected, errors)))
    value = first["input"]
    close = None
    if first["type"] == "literal_error" and isinstance(value, str):
        close = nearest(value, _choices(errors))
    return places.problem(key, _shown(value), expected, close)


def _unknown(key: Key, places: Places) -> Problem:
    name = str(key[-1])
    model = model_at(key[:-1])
    secrets = ["bot_token", "app_token", "signing_secret", "client_secret", "token", "api_url"]
    secret = nearest(name, secrets)
    if secret and key[0] in ("slack", "alerts"):
        names = ", ".join(keys_of(Secrets))
        expected = f"it in the environment: tokens are not read from a file, but from {names}"
        return places.problem(key, "a key that does not belong into a file", expected)
    known = keys_of(model) if model else []
    expected = f"one of {', '.join(known)}" if known else "nothing here"
    return places.problem(key, "a key that is not known", expected, nearest(name, known))


def _needed(key: Key) -> str:
    model, name = model_at(key[:-1]), key[-1]
    for field_name, field in (model.model_fields if model else {}).items():
        if name in (field_name, field.alias) and field.description:
            return " ".join(field.description.split())
    return "a value: this key is needed"


def _expected(error: ErrorDetails) -> str:
    kind, told = error["type"], error.get("ctx", {})
    plain = {
        "string_type": 'text in quotes: "…"',
        "tuple_type": 'a list: ["…", "…"]',
        "int_type": "a whole number",
        "int_parsing": "a whole number",
        "int_from_float": "a whole number",
        "float_type": "a number",
        "float_parsing": "a number",
        "bool_type": "true or false",
        "bool_parsing": "true or false",
        "model_type": "a table with keys of its own",
        "path_type": 'a path in quotes: "…"',
    }
    if kind in plain:
        return plain[kind]
    if kind == "literal_error":
        choices = str(told["expected"]).replace("'", '"')
        return f"one of {choices}" if " or " in choices else choices
    if kind == "string_pattern_mismatch":
        return "an address that starts with http:// or https://"
    if kind == "too_short":
        return f"at least {told['min_length']}"
    message = error["msg"]
    return message.replace("Input should be ", "").replace("Value should have ", "")


def _choices(errors: list[ErrorDetails]) -> list[str]:
    text = " ".join(e.get("ctx", {}).get("expected", "") for e in errors)
    return [part for part in text.split("'")[1::2] if part]


def _after_comma(message: str) -> str:
    return message.removeprefix("Value error, ")


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return "a table with " + (", ".join(map(str, value)) or "no keys")
    if isinstance(value, bool):
        return str(value).lower()
    text = repr(value) if not isinstance(value, str) else f'"{value}"'
    return text if len(text) <= 80 else text[:79] + "…"
