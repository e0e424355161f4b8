"""Reads ``hawkeye.toml``: a frozen value, or every problem at once, each in a block of its own."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from bot.config.people import Route, Workspace
from bot.config.problems import (
    Places,
    Problem,
    SettingsError,
    from_pydantic,
    keys_of,
    nearest,
)
from bot.config.secrets import Secrets
from bot.config.settings import Settings


def load(path: Path, environment: Mapping[str, str] | None = None) -> Settings:
    """The settings in the file at ``path``, with the secrets of ``environment``.

    ``environment`` is the process's own by default. Raises SettingsError, which names every
    problem: file, line, key, what was found, what was expected.
    """
    environment = os.environ if environment is None else environment
    path = Path(path).absolute()
    text = _text(path)
    places = Places(path, text)
    data = _parsed(text, path)
    given = {key: environment[key] for key in keys_of(Secrets) if environment.get(key)}
    try:
        settings = Settings.model_validate(
            {**data, "path": path, "secrets": Secrets.model_validate(given)}
        )
    except ValidationError as error:
        details = error.errors(include_url=False)
        raise SettingsError(from_pydantic(details, data, places)) from None
    if problems := list(_references(settings, places)):
        raise SettingsError(problems)
    return settings


def require_slack(settings: Settings) -> None:
    """Raises SettingsError when the environment lacks a token that ``[slack] mode`` needs."""
    secrets, mode = settings.secrets, settings.slack.mode
    why = f'[slack] mode = "{mode}"'
    wanted: dict[str, tuple[object, str]] = {}
    if settings.slack.workspaces:
        why = "[[slack.workspaces]]"
        client = 'the client %s under "Basic Information"'
        wanted["SLACK_CLIENT_ID"] = (secrets.slack_client_id, client % "id")
        wanted["SLACK_CLIENT_SECRET"] = (secrets.slack_client_secret, client % "secret")
    else:
        what = "the bot's token, xoxb-…"
        if secrets.slack_client_id:
            what += ", or for OAuth the workspaces that may install it in [[slack.workspaces]]"
        wanted["SLACK_BOT_TOKEN"] = (secrets.slack_bot_token, what)
    if mode == "socket":
        what = "the app-level token for Socket Mode, xapp-…"
        wanted["SLACK_APP_TOKEN"] = (secrets.slack_app_token, what)
    else:
        what = 'the signing secret under "Basic Information"'
        wanted["SLACK_SIGNING_SECRET"] = (secrets.slack_signing_secret, what)
    problems = [
        Problem("environment", name, "nothing", f"{what}; {why} needs it")
        for name, (value, what) in wanted.items()
        if value is None
    ]
    if problems:
        raise SettingsError(problems)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        beside = sorted(p.name for p in path.parent.glob("*.toml"))[:5]
        found = f"no such file in {path.parent}"
        found += f", but {', '.join(beside)}" if beside else ""
        expected = (
            "a settings file; `hawkeye init FILE…` writes a first one, docs/settings.md shows one"
        )
        raise SettingsError([Problem(path.name, "", found, expected)]) from None
    except UnicodeDecodeError as error:
        found = f"a byte that is not UTF-8 at position {error.start:,}"
        raise SettingsError([Problem(path.name, "", found, "a text in UTF-8")]) from None
    except OSError as error:
        found = error.strerror or type(error).__name__
        raise SettingsError([Problem(path.name, "", found, "a file that can be read")]) from None


def _parsed(text: str, path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = re.search(r" \(at (?:line (\d+), column \d+|end of document)\)", str(error))
        line = int(place[1]) if place and place[1] else None
        shown = text.splitlines()[line - 1].strip() if line and line <= text.count("\n") + 1 else ""
        found = f"`{shown}`" if shown else "a text that ends too early"
        reason = str(error)[: place.start()] if place else str(error)
        problem = Problem(path.name, "not valid TOML", found, reason[:1].lower() + reason[1:], line)
        raise SettingsError([problem]) from None


def _references(settings: Settings, places: Places) -> Iterator[Problem]:
    """Names that are given twice, and names of what is not there."""
    for section in ("models", "metrics", "mitigations"):
        yield from _given_twice(section, [x.name for x in getattr(settings, section)], places)
    workspaces = settings.slack.workspaces
    for name in ("name", "id"):
        found = [getattr(w, name) for w in workspaces]
        yield from _given_twice("slack.workspaces", found, places, name)
    metrics = [m.name for m in settings.metrics]
    models = [m.name for m in settings.models]
    for index, route in enumerate(settings.alerts.routes):
        key = ("alerts", "routes", index)
        yield from _unknown_name((*key, "metric"), route.metric, "metrics", metrics, places)
        yield from _unknown_name((*key, "model"), route.model, "models", models, places)
        yield from _workspace_of(key, route, workspaces, places)
    for name in _listed(settings.monitors.metrics):
        yield from _unknown_name(("monitors", "metrics"), name, "metrics", metrics, places)
    for name in _listed(settings.monitors.models):
        yield from _unknown_name(("monitors", "models"), name, "models", models, places)


def _workspace_of(
    key: tuple[str | int, ...], route: Route, workspaces: tuple[Workspace, ...], places: Places
) -> Iterator[Problem]:
    """With several workspaces a channel alone does not say where it is."""
    names = [w.name for w in workspaces]
    if route.workspace is None and len(names) > 1:
        expected = f"the name of the workspace that has {route.channel}: {', '.join(names)}"
        yield places.problem((*key, "workspace"), "nothing", expected)
    elif route.workspace is not None and not names:
        expected = (
            "no workspace: there is only the one of the bot token, without [[slack.workspaces]]"
        )
        yield places.problem((*key, "workspace"), f'"{route.workspace}"', expected)
    else:
        where = (*key, "workspace")
        yield from _unknown_name(where, route.workspace, "slack.workspaces", names, places)


def _listed(names: tuple[str, ...] | str) -> tuple[str, ...]:
    return () if isinstance(names, str) else names


def _given_twice(
    section: str, names: list[str], places: Places, key: str = "name"
) -> Iterator[Problem]:
    for index, name in enumerate(names):
        if (first := names.index(name)) < index:
            found = f'"{name}", which number {first + 1} has already'
            where: list[str | int] = [*section.split("."), index, key]
            yield places.problem(where, found, f"{'an' if key == 'id' else 'a'} {key} of its own")


def _unknown_name(
    key: tuple[str | int, ...],
    name: str | None,
    section: str,
    known: Iterable[str],
    places: Places,
) -> Iterator[Problem]:
    """Without a list of models any name of a model is as good as another."""
    known = list(known)
    if name is not None and known and name not in known:
        expected = f"the name of one of [[{section}]]: {', '.join(known)}"
        yield places.problem(key, f'"{name}"', expected, nearest(name, known))
