"""The settings file as text, with a comment wherever something is a guess or is missing."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from textwrap import wrap

from analysis import tables
from bot.first.address import left_out, without_secrets
from bot.first.models import Metric, Model
from bot.first.naming import series_names
from bot.first.roles import Roles

WIDTH = 96
_DEFAULTS: dict[str, type[tables.TableSource]] = {
    "lineage": tables.Lineage,
    "infra": tables.Infra,
    "experiments": tables.Experiments,
    "snapshots": tables.Snapshots,
    "runs": tables.Runs,
    "training": tables.Training,
}
_WITHOUT = {
    "model": "the log is taken to be of one model",
    "label": "how well models predict can't be looked at",
    "snapshot": "which snapshot served a row is not known",
}


def settings_text(
    url: str,
    log: tuple[str, Roles],
    others: Sequence[tuple[str, str, Roles]],
    models: Sequence[Model],
    metrics: Sequence[Metric],
    left: Sequence[str],
) -> str:
    """The file: ``log`` and ``others`` are sources with their roles (the latter after what they
    are), ``left`` the sources that fit nothing."""
    parts = [
        "# Written by `hawkeye init`: look over what is a guess, then run `hawkeye check`.",
        "# Every setting: docs/settings.md.",
    ]
    if url:
        parts += ["", *_data(url)]
    parts += ["", *_log(*log)]
    for name, source, roles in others:
        if name != "metric":
            parts += ["", *_table(name, source, roles)]
    for model in models:
        parts += ["", "[[models]]", f"name = {quoted(model.name)}"]
        parts.append(f"task = {quoted(model.task)}  # a guess by the ranges of its values")
    for metric in metrics:
        parts += ["", *_metric(metric)]
    series = {source: roles for name, source, roles in others if name == "metric"}
    names = series_names(list(series), [metric.name for metric in metrics])
    for name, (source, roles) in zip(names, series.items(), strict=True):
        parts += ["", *_series(name, source, roles)]
    parts += [line for source in left for line in ("", f"# Not understood, left out: {source}")]
    return "\n".join(parts) + "\n"


def quoted(text: str) -> str:
    """Text as TOML writes it: its basic strings are JSON's."""
    return json.dumps(text, ensure_ascii=False)


def _data(url: str) -> Iterator[str]:
    """The address, which others may read: without its secrets."""
    yield "[data]"
    if told := left_out(url):
        yield f"# {told}"
    yield f"url = {quoted(without_secrets(url))}"


def _log(source: str, roles: Roles) -> Iterator[str]:
    yield "[tables.predictions]"
    yield f"source = {quoted(source)}"
    for role in tables.Predictions.model_fields:
        if role in roles.columns:
            yield _line(role, roles)
        elif role in _WITHOUT:
            yield f"# {role}: no column is called like one; without it {_WITHOUT[role]}"
    yield from _list("dimensions", roles.dimensions, "a guess: columns of few different values")
    if roles.features is None:
        yield "# features: every column without a role"
    else:
        yield from _list("features", roles.features, "a guess: what is left of the columns")
    if roles.hidden:
        yield from _list("hidden", roles.hidden, "these look personal: never shown, never stored")
    if roles.left_out:
        yield from wrap(
            f"Not taken for features (identifiers, times, lists, empty): "
            f"{', '.join(roles.left_out)}",
            WIDTH,
            initial_indent="# ",
            subsequent_indent="#   ",
        )


def _table(name: str, source: str, roles: Roles) -> Iterator[str]:
    """Only columns that are not called as the table has them by itself."""
    yield f"[tables.{name}]"
    yield f"source = {quoted(source)}"
    fields = _DEFAULTS[name].model_fields
    usual = {field.alias or key: field.default for key, field in fields.items()}
    for role, column in roles.columns.items():
        if usual[role] != column or role in roles.guessed:
            yield _line(role, roles)


def _line(role: str, roles: Roles) -> str:
    why = f"  # a guess by its name{roles.guessed[role]}" if role in roles.guessed else ""
    return f"{role} = {quoted(roles.columns[role])}{why}"


def _list(key: str, names: Sequence[str], comment: str) -> Iterator[str]:
    yield f"# {key}: {comment}"
    line = f"{key} = [{', '.join(map(quoted, names))}]"
    if len(line) <= WIDTH:
        yield line
        return
    yield f"{key} = ["
    yield from (f"    {quoted(name)}," for name in names)
    yield "]"


def _metric(metric: Metric) -> Iterator[str]:
    yield "[[metrics]]"
    yield f"name = {quoted(metric.name)}"
    yield f"kind = {quoted(metric.kind)}"
    if metric.model:
        yield f"model = {quoted(metric.model)}"
    if metric.bad:
        yield f"bad = {quoted(metric.bad)}"


def _series(name: str, source: str, roles: Roles) -> Iterator[str]:
    """A metric with a table of its own."""
    yield "[[metrics]]"
    yield f"name = {quoted(name)}"
    yield f"source = {quoted(source)}"
    yield from (_line(role, roles) for role in roles.columns)
