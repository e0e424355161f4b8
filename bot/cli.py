"""The command line. Heavy libraries are imported where used: ``--help`` answers at once."""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.files.detect import detect
from bot.files.profile import profile
from bot.files.segments import segments
from bot.files.upstream import upstream
from bot.first.command import init
from bot.threads import one_thread

if TYPE_CHECKING:
    from bot.config import Settings

PORT = click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8787,
    show_default=True,
    help="Where the local workspace listens.",
)
CONFIG = click.option(
    "--config",
    "config",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("hawkeye.toml"),
    show_default=True,
    help="The settings file.",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="hawkeye-slack")
def main() -> None:
    """HawkEye for Slack: from an alert to its root cause, in the incident's thread."""
    one_thread()


main.add_command(init)
main.add_command(detect)
main.add_command(profile)
main.add_command(segments)
main.add_command(upstream)


@main.command()
@CONFIG
def run(config: Path) -> None:
    """Run the bot: SLACK_BOT_TOKEN and SLACK_APP_TOKEN connect it to a workspace."""
    from bot.run import run_until_stopped

    run_until_stopped(_settings(config))


@main.command()
@CONFIG
def check(config: Path) -> None:
    """Hold the settings against the tables, and say what does not fit."""
    from bot.config import check as problems_of

    problems = problems_of(_settings(config))
    for problem in problems:
        click.echo(problem, err=True)
    if problems:
        sys.exit(1)
    click.echo(f"{config}: every table and column is there.")


@main.command()
@CONFIG
@click.argument("subject")
@click.option(
    "--since", help='When it began, in UTC: ISO, "14:05", "2h ago" [default: 24 hours ago].'
)
@click.option(
    "--now", "as_of", help="Look as of this moment [default: the newest prediction up to now]."
)
@click.option("--at", "start", help="Start at this node of the tree.")
@click.option("--auto", is_flag=True, help="Accept every proposal; otherwise you are asked.")
@click.option("--over-budget", is_flag=True, help="Let steps read more than [budget] says.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object (docs/headless.md).")
def triage(
    config: Path,
    subject: str,
    since: str | None,
    as_of: str | None,
    start: str | None,
    auto: bool,
    over_budget: bool,
    as_json: bool,
) -> None:
    """Walk the tree for a metric, a model or a feature, without Slack."""
    from analysis.budget import OverBudget
    from analysis.evidence import CannotExamine
    from bot.triage import UnknownSubjectError, triage_headless

    now = _moment(as_of, "--now") if as_of else None
    try:
        result = triage_headless(
            _settings(config),
            subject,
            since=_moment(since, "--since", now) if since else None,
            now=now,
            start=start or "",
            ask=None if auto else _ask,
            tell=partial(click.echo, err=True),
            over_budget=over_budget,
        )
    except (UnknownSubjectError, CannotExamine, OverBudget) as error:
        raise click.ClickException(str(error)) from error
    if as_json:
        click.echo(json.dumps(result, indent=2))
    else:
        _tell(result)


@main.command()
@click.option("--list", "listing", is_flag=True, help="List the scenarios, a line each.")
@click.option("--scenario", default=None, help="Which one to plant.")
@click.option(
    "--seed", type=int, help="Draws victim, dose, onset, model, arm [default: one that shows much]."
)
@click.option("--autoplay", is_flag=True, help="Play the on-call who accepts every proposal.")
@PORT
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=None,
    help="Where the world is kept [default: .hawkeye/demo in this folder].",
)
def demo(
    listing: bool,
    scenario: str | None,
    seed: int | None,
    autoplay: bool,
    port: int,
    folder: Path | None,
) -> None:
    """The main job with no Slack account: a local workspace, a real model, a planted incident.

    With --autoplay: exits 0 when the conclusion is the planted cause, 3 when it is another.
    """
    from bot.demo.show import DEFAULT, SEED, list_scenarios, play, show

    if listing:
        for line in list_scenarios():
            click.echo(line)
        return
    home = folder or Path(".hawkeye") / "demo"
    name, drawn = scenario or DEFAULT, SEED if seed is None else seed
    if autoplay:
        sys.exit(play(name, drawn, home, port))
    show(name, drawn, home, port)


@main.command()
@click.option("--scenario", default=None, help="Which one to plant [default: one is drawn].")
@click.option("--seed", default=None, type=int, help="Draws the scenario and its victim.")
@click.option("--channel", default="", help="A channel of your Slack [default: a local workspace].")
@PORT
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(".hawkeye") / "demo",
    show_default=True,
    help="Where the world is kept.",
)
def gameday(scenario: str | None, seed: int | None, channel: str, port: int, folder: Path) -> None:
    """Practise: plant an incident, hide its cause, time the team, debrief in the thread.

    With --channel it runs in your Slack, with SLACK_BOT_TOKEN and SLACK_APP_TOKEN of an app for
    practice: not those of the bot that is on call.
    """
    import secrets

    from bot.demo.gameday import drawn
    from bot.demo.gameday import gameday as practise

    seed = secrets.randbelow(10_000) if seed is None else seed
    practise(scenario or drawn(seed), seed, folder, port, channel)


@main.command()
@click.option(
    "--manifest",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    default=None,
    help="The app's manifest [default: an app that may do everything].",
)
@click.option("--command", "commands", multiple=True, help="A slash command that it declares.")
@click.option("--shortcut", "shortcuts", multiple=True, help="callback_id of a global shortcut.")
@click.option("--message-shortcut", "on_messages", multiple=True, help="… of a message shortcut.")
@click.option("--request-url", default=None, help="Signed HTTP to here instead of Socket Mode.")
@click.option("--port", default=8788, show_default=True, help="Where the workspace listens.")
@click.argument("program", nargs=-1)
def sandbox(
    manifest: Path | None,
    commands: tuple[str, ...],
    shortcuts: tuple[str, ...],
    on_messages: tuple[str, ...],
    request_url: str | None,
    port: int,
    program: tuple[str, ...],
) -> None:
    """A local workspace for any Bolt app: hawkeye sandbox -- python app.py.

    Without a program it prints the variables that an app needs, and waits.
    """
    from bot.workspace.sandbox import app_of, run

    try:
        app = app_of(
            manifest,
            commands=commands,
            shortcuts=shortcuts,
            message_shortcuts=on_messages,
            request_url=request_url,
        )
        sys.exit(run(app, port, program))
    except (ValueError, OSError) as error:
        raise click.ClickException(str(error)) from error


@main.command()
@click.option("--markdown", is_flag=True, help="The page of the docs, with a diagram.")
def tree(markdown: bool) -> None:
    """Print the decision tree, as the installed plugins want it."""
    from bot.plugins import tree as wanted
    from state import describe

    click.echo(describe.markdown(wanted()) if markdown else describe.diagram(wanted()))


@main.command()
@click.option("--url", default="", help="The bot's public address, https://…")
@click.option("--http", is_flag=True, help="Slack sends its requests to the address.")
@click.option("--several", is_flag=True, help="For several workspaces, which install it by OAuth.")
def manifest(url: str, http: bool, several: bool) -> None:
    """Print the Slack app manifest, to paste into Slack's "create an app".

    Without options it is for one workspace and Socket Mode.
    """
    from bot.manifest import manifest as made

    if (http or several) and not url.startswith("https://"):
        raise click.UsageError("--http and --several need --url https://…, the bot's address.")
    click.echo(json.dumps(made(url, http=http, several=several), indent=2, ensure_ascii=False))


@main.command()
@CONFIG
def workspaces(config: Path) -> None:
    """Where HawkEye is installed, and what waits to be posted there."""
    from bot.bots import listing

    for line in listing(_settings(config)):
        click.echo(line)


@main.command()
@CONFIG
@click.argument("incident")
@click.option(
    "--format",
    "forms",
    multiple=True,
    type=click.Choice(["html", "md", "pdf", "ipynb", "json"]),
    help="What to write [default: all of them].",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("."),
    show_default=True,
    help="The folder to write into.",
)
def export(config: Path, incident: str, forms: tuple[str, ...], out: Path) -> None:
    """Write the record of INCIDENT: post-mortem, notebook, JSON."""
    from bot.export import UnknownIncident, write

    try:
        for path in write(_settings(config), incident, forms, out):
            click.echo(path)
    except UnknownIncident as error:
        raise click.ClickException(str(error)) from error


def _settings(config: Path) -> Settings:
    from bot.config import SettingsError, load

    try:
        return load(config)
    except SettingsError as error:
        raise click.ClickException(str(error)) from error


def _moment(text: str, option: str, now: datetime | None = None) -> datetime:
    """A time in UTC as people type it: ISO, "14:05", "2h ago", "yesterday 14:05"."""
    from handlers.times import UnclearTime, moment

    with suppress(ValueError):
        found = datetime.fromisoformat(text)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    try:
        return moment(text, now or datetime.now(UTC), UTC)
    except UnclearTime as error:
        raise click.BadParameter(str(error).replace("`", ""), param_hint=option) from None


def _ask(question: str, options: list[str], proposal: str) -> str:
    """Ask the person at the terminal which branch to take."""
    click.echo(question, err=True)
    return str(click.prompt("  branch", type=click.Choice(options), default=proposal, err=True))


def _tell(result: dict[str, object]) -> None:
    path = result["path"]
    assert isinstance(path, list)
    for number, step in enumerate(path, 1):
        confidence = f" ({step['confidence']:.0%})" if step["confidence"] is not None else ""
        verdict = step["verdict"] or "could not look"
        click.echo(f"{number}. {step['headline']} [{step['node']}: {verdict}{confidence}]")
    conclusion = result["conclusion"]
    assert isinstance(conclusion, dict)
    named = " and ".join(c["name"] for c in conclusion["causes"])
    kind = str(conclusion["kind"]).replace("_", " ")
    click.echo(f"Cause: {kind} {named}".rstrip() + f" ({conclusion['confidence']:.0%} sure)")
    others = result["candidates"]
    assert isinstance(others, list)
    for other in others[1:3]:
        kind, names = str(other["kind"]).replace("_", " "), " and ".join(other["names"])
        click.echo(f"If not that: {kind} {names}".rstrip() + f" ({other['confidence']:.0%})")


if __name__ == "__main__":
    main()
