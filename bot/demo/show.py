"""What `hawkeye demo` does: list the scenarios, show one to a person, or play it through."""

from __future__ import annotations

import signal
import threading
import webbrowser
from collections.abc import Iterator
from pathlib import Path

import click

from bot.demo import scenarios
from bot.demo.practice import CHANNEL, open_demo

DEFAULT, SEED = "unit_change", 2
"""What is shown to those who do not ask for another."""


def list_scenarios() -> Iterator[str]:
    """A line each, the name first."""
    for scenario in scenarios():
        yield f"{scenario.name:24} {scenario.about}"


def show(name: str, seed: int, home: Path, port: int) -> None:
    """Run the demo for a person, until Ctrl-C."""
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    try:
        with open_demo(name, seed, home, port) as demo:
            incident = demo.fire()
            click.echo(
                f"\n  Open {demo.server.url} and look into #{CHANNEL}: an alert has just come in."
                "\n  You are Ana; the picker at the top left makes you somebody else."
                "\n  Ctrl-C ends the demo.\n"
            )
            webbrowser.open(demo.server.url)
            while not stopped.wait(0.5):
                demo.keep_pace(incident)
    except OSError as error:
        raise click.ClickException(f"{error} (choose another --port)") from error


def play(name: str, seed: int, home: Path, port: int) -> int:
    """Play the on-call who accepts every proposal. 0: the planted cause was found, 3: another
    one, 1: an error."""
    from bot.demo.autoplay import autoplay  # a second that listing and showing need not wait for

    try:
        with open_demo(name, seed, home, port) as demo:
            return autoplay(demo)
    except (OSError, TimeoutError) as error:
        click.echo(f"The demo could not be played: {error}", err=True)
        return 1
