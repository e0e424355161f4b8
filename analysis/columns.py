"""What a column holds, in words: is it what its role needs, and if not, what was found instead?"""

from __future__ import annotations

import re
from typing import Any

from analysis.evidence import CannotExamine
from analysis.portable import parsed
from analysis.tables import Contract

ONLY_CLASSES = 'text is read as classes, for models with task = "multiclass" alone'
TIMES = "timestamps, dates, whole seconds since 1970, or text such as 2026-11-23 14:05"
_LONGEST = 40
_LOOKED_AT = 10_000
_DATED = re.compile(r"\s*\d{1,2}[/.-]\d{1,2}[/.-]\d{2,4}")


def example(table: Any, column: str) -> str:
    """What a text column holds, by a value of it, with a guess at why: ' such as "0,31" (…?)'.

    Empty where every value is null or empty.
    """
    text = table[column]
    some = table.filter(text.notnull() & (text != "")).select(value=text).limit(1).to_pandas()
    if some.empty:
        return ""
    value = str(some["value"].iloc[0])
    shown = value if len(value) <= _LONGEST else value[: _LONGEST - 1] + "…"
    return f' such as "{shown}"{_guess(value)}'


def need_times(raw: Any, where: str, field: str, name: str, *, shown: bool) -> None:
    """Raises CannotExamine when a column of text holds what is no time. ``shown``: with a value."""
    if not raw[name].type().is_string():
        return
    if found := no_time(raw, name):
        held = f"text{found}" if shown else "text"
        raise CannotExamine(f"[{where}] {field} = {name!r} holds {held}; expected are {TIMES}.")


def no_time(table: Any, column: str) -> str:
    """What a text column holds that is no time, as :func:`example` tells it; "" when all are."""
    some = table.limit(_LOOKED_AT)
    text = some[column]
    bad = some.filter(text.notnull() & parsed(text).isnull()).select(value=text)
    found = bad.limit(1).to_pandas()
    if found.empty:
        return ""
    value = str(found["value"].iloc[0])
    guess = " (the day first, or the month?)" if _DATED.match(value) else ""
    return f' such as "{value[:_LONGEST]}"{guess}'


def _guess(value: str) -> str:
    text = value.strip().rstrip("%").strip()
    if _is_number(text):
        return " (a percent sign?)" if "%" in value else " (a number kept as text?)"
    if text.count(",") == 1 and _is_number(text.replace(".", "").replace(",", ".")):
        return " (a decimal comma?)"
    return ""


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def need_numbers(raw: Any, contract: Contract) -> None:
    """Raises CannotExamine when predictions or labels are text that no model's task can read."""
    if any(model.task == "multiclass" for model in contract.models):
        return
    source = contract.predictions
    for field, name in (("prediction", source.prediction), ("label", source.label)):
        if name is None or name not in raw.columns:
            continue
        kind = raw[name].type()
        if kind.is_numeric() or kind.is_boolean() or kind.is_null():
            continue
        held = "text" if kind.is_string() else f"values of type {kind}"
        if kind.is_string() and name not in source.hidden:
            held += example(raw, name)
        raise CannotExamine(
            f"[tables.predictions] {field} = {name!r} holds {held}; numbers are expected "
            f"({ONLY_CLASSES})."
        )
