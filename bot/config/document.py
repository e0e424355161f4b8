"""``docs/settings.md``, written from the models: ``python -m bot.config.document``."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from bot.config.problems import keys_of, model_at
from bot.config.secrets import Secrets
from bot.config.settings import Settings, Tables

TARGET = Path(__file__).parents[2] / "docs" / "settings.md"

START = """\
[tables.predictions]
source = "predictions/*.parquet"
time = "served_at"
prediction = "score"
model = "model"
label = "label"
dimensions = ["country", "device"]

[[models]]
name = "ranker"
task = "binary"
owner = "ranking"

[[metrics]]
name = "calibration"
kind = "calibration"
model = "ranker"
bad = "both"

[[alerts.routes]]
owner = "ranking"
channel = "#ranking-oncall"

[[mitigations]]
name = "Roll the snapshot back"
url = "https://deploy.example/rollback"
dry_run_url = "https://deploy.example/rollback?dry_run=1"
suspects = ["snapshot"]
groups = ["S0RANKING"]
"""

_INTRODUCTION = f"""\
# Settings

HawkEye reads `hawkeye.toml` in the folder where it is started, or the file that `--config` names.
Paths are relative to that file. A key that HawkEye does not know is refused, with the line, what
was expected, and the nearest known key. `hawkeye check` holds the file against the tables.

## A first file

```
hawkeye init log.parquet runs.csv
hawkeye init postgres://reader@warehouse.example/team ml.predictions
```

looks at the tables (files, folders, patterns, or an engine's, all of its usual schema where none is
named) and writes a `hawkeye.toml` that `hawkeye check` accepts; over one that is there only with
`--force`. Whatever it guessed is marked in a comment:

- **Which table is which** by its columns: a serving log has a time and a prediction, a table of
  infrastructure a service, a metric and a value, and so on as below. A table with a time and a
  `value` alone is a metric.
- **What a column means** by its name and by what it holds: `served_at`, `timestamp`, `…_time` are
  times if times stand in them; `score`, `pred`, `…_prob` predictions, numbers from 0 to 1 before
  others; `label`, `target`, `actual`, `clicked` labels.
- **Dimensions** are columns of text, or identifiers, with 2 to 50 different values in the first
  20,000 rows. **Features** are what is left but identifiers, times and lists. What is called like
  something personal (`email`, `user_id`, `ip`) is `hidden`.
- **Tasks** by the ranges: within 0 to 1 binary, text multiclass, amounts regression. **Metrics**
  are those that the task has a figure for, for the five models with the most rows.

A password or token in the engine's address is used, but not written down:
[Engines](engines.md) says where each driver reads it from.

Without a column of times or of predictions it writes nothing and says so; `--time`, `--prediction`
and `--label` name what is called otherwise. Of an engine whose tables nobody named
the first 50 by name are looked at; those that can't be read are left out, and the terminal says so.

## By hand

Only `[tables.predictions]` and one of `[[metrics]]` are needed. A start:

```toml
{START}```
"""


def page() -> str:
    """The whole page, Markdown."""
    return "\n".join([_INTRODUCTION, *_sections(), _environment()])


def _sections() -> Iterator[str]:
    for name in keys_of(Settings):
        if name == "tables":
            yield from (_section(("tables", table)) for table in Tables.model_fields)
            continue
        yield _section(("alerts", "routes") if name == "alerts" else (name,))
        if name == "slack":
            yield _section(("slack", "workspaces"))


def _section(key: tuple[str, ...]) -> str:
    model = model_at(key)
    assert model is not None, key
    parent = model_at(key[:-1]) or Settings
    many = get_origin(parent.model_fields[key[-1]].annotation) is tuple
    name = ".".join(key)
    heading = f"## `[[{name}]]`" if many else f"## `[{name}]`"
    columns = key[0] == "tables"
    rows = [
        f"| `{field.alias or name}` | {_type(field, columns and name != 'source')} "
        f"| {_default(field)} | {_words(field)} |"
        for name, field in model.model_fields.items()
    ]
    table = ["| key | value | default | meaning |", "|---|---|---|---|", *rows]
    return "\n".join([heading, "", _about(model), "", *table, ""])


def _environment() -> str:
    rows = [f"| `{f.alias}` | {_default(f)} | {_words(f)} |" for f in Secrets.model_fields.values()]
    table = ["| variable | default | meaning |", "|---|---|---|", *rows]
    return "\n".join(["## Environment", "", _about(Secrets), "", *table, ""])


def _about(model: type[BaseModel]) -> str:
    """The class's docstring, as Markdown: double backticks are for Python's readers."""
    return " ".join((model.__doc__ or "").split()).replace("``", "`")


def _words(field: FieldInfo) -> str:
    words = " ".join((field.description or "").split())
    return words.replace("|", "\\|")


def _default(field: FieldInfo) -> str:
    if field.default is PydanticUndefined:
        return "needed"
    if field.default is None:
        return "none"
    if isinstance(field.default, BaseModel):
        return ""
    if isinstance(field.default, Path):
        return f'`"{field.default.as_posix()}"`'
    return f"`{json.dumps(field.default)}`"


def _type(field: FieldInfo, names_a_column: bool) -> str:
    if any(getattr(mark, "pattern", None) for mark in field.metadata):
        return "address"
    bounds = ", ".join(filter(None, map(_bound, field.metadata)))
    kind = f"{_kind(field.annotation)} {bounds}".strip()
    return kind.replace("text", "column") if names_a_column else kind


def _bound(mark: Any) -> str:
    for name, words in (("ge", "≥"), ("gt", ">"), ("le", "≤")):
        if (value := getattr(mark, name, None)) is not None:
            return f"{words} {value:,}"
    return ""


def _kind(annotation: Any) -> str:
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return ", ".join(f"`{json.dumps(a)}`" for a in args)
    if origin in (Union, UnionType):
        return " or ".join(_kind(a) for a in args if a is not type(None))
    if origin is tuple:
        inner = "text" if args[0] is str else _kind(args[0])
        return f"list of {inner}"
    if hasattr(annotation, "__metadata__"):
        return "address"
    plain = {str: "text", int: "whole number", float: "number", bool: "true or false", Path: "path"}
    return plain.get(annotation, "table")


def main() -> None:
    """Writes the page."""
    tomllib.loads(START)
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
