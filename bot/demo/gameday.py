"""Practice: a scenario is planted, its cause is hidden, the team is timed and debriefed.

It runs in the local workspace, or in a team's own Slack with the tokens of an app for practice (a
second process on the tokens of the running bot would take half of its clicks).
"""

from __future__ import annotations

import random
import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.demo.practice import Practice, open_demo, open_in_slack
from bot.demo.scenarios import scenario, scenarios
from handlers.messages.debrief import debrief_message
from state.practice import debrief

if TYPE_CHECKING:
    from collections.abc import Callable

CHANNEL = "practice"


def drawn(seed: int) -> str:
    """The name of a scenario, as hidden as the seed."""
    return random.Random(seed).choice([s.name for s in scenarios()])


def gameday(name: str, seed: int, home: Path, port: int, channel: str) -> None:
    """Run one practice until Ctrl-C; in Slack where ``channel`` names one of its channels."""
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    opened = (
        open_in_slack(name, seed, home, channel)
        if channel
        else open_demo(name, seed, home, port, CHANNEL, hidden=True)
    )
    try:
        with opened as practice:
            incident = practice.fire()
            where = channel or f"{practice.address} and look into #{CHANNEL}"
            click.echo(f"\n  Open {where}: an alert has just come in. The clock runs.\n")
            told = watch(practice, incident, lambda: _paced(practice, incident, stopped))
            if told:
                click.echo(f"  {told}\n  Ctrl-C ends the practice.")
            while told and not _paced(practice, incident, stopped):
                pass
    except OSError as error:
        raise click.ClickException(f"{error} (choose another --port)") from error


def _paced(practice: Practice, incident_id: str, stopped: threading.Event) -> bool:
    practice.keep_pace(incident_id)
    return stopped.wait(0.5)


def watch(practice: Practice, incident_id: str, wait: Callable[[], bool]) -> str:
    """Wait until the incident is closed, then debrief in its thread. What was said in short; ""
    when ``wait`` said to stop before."""
    store = practice.bot.store
    while (incident := store.load(incident_id)) is None or incident.is_open:
        if wait():
            return ""
    truth, tree = practice.world.truth, practice.bot.conversation.tree
    found = debrief(incident, incident.steps[0].node, tree, truth.kind, truth.names)
    planted = scenario(practice.name).about
    named = ", ".join(truth.names[:3])
    cause = f"{truth.kind.replace('_', ' ')}{f': {named}' if named else ''}"
    payload = debrief_message(found, tree, planted, cause)
    place = store.places(incident_id)[0].channel
    practice.bot.conversation.say(incident_id, place, incident.closed_by, "debrief", payload)
    return str(payload["text"])
