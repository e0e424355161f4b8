"""``hawkeye run``: the bot until somebody stops it."""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING

import click

from bot import logs

if TYPE_CHECKING:
    from bot.config import Settings


def run_until_stopped(settings: Settings) -> None:
    """Start the bot, and stop it cleanly on Ctrl-C or SIGTERM.

    Raises ClickException when the settings lack a token or Slack refuses the app's, or when a port
    is taken.
    """
    from bot.app import Bot
    from bot.bots import Bots
    from bot.config import SettingsError
    from bot.front import Front

    logs.to_stderr()
    stopped = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: stopped.set())
    running: Bots | Front | None = None
    try:
        several = Bots(settings) if settings.slack.workspaces else None
        running = several or Front.one(Bot(settings))
        running.start()
    except (SettingsError, OSError) as error:
        if running is not None:
            running.stop()
        raise click.ClickException(str(error)) from error
    try:
        click.echo(f"HawkEye is up ({settings.slack.mode} mode). Ctrl-C stops it.", err=True)
        if several is not None and (absent := several.absent()):
            where = f"{(settings.slack.url or several.url).rstrip('/')}/slack/install"
            click.echo(f"Not installed yet in {', '.join(absent)}: open {where}.", err=True)
        while not stopped.wait(0.5):
            pass
    finally:
        running.stop()
