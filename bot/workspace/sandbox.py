"""``hawkeye sandbox``: a local workspace for any Bolt app, which may be started with it."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path

import click

from bot.workspace.apps import App, Command, Shortcut
from bot.workspace.manifest import manifest_of
from bot.workspace.server import Server, serve
from bot.workspace.webhooks import check_url, verify_request_url
from bot.workspace.workspace import Workspace

STARTUP = Path(__file__).parent / "startup"
VERIFY_SECONDS = 20.0  # how long an app may take until its request URL answers


def app_of(
    manifest: Path | None,
    *,
    commands: Sequence[str] = (),
    shortcuts: Sequence[str] = (),
    message_shortcuts: Sequence[str] = (),
    request_url: str | None = None,
) -> App:
    """The app as it will be installed: of its manifest, or one that may do everything.

    Raises:
        ValueError: the file is no manifest, or the request URL leads to another machine.
    """
    app = manifest_of(manifest) if manifest else App("App")
    app.commands += [Command(name if name.startswith("/") else f"/{name}") for name in commands]
    app.shortcuts += [Shortcut(id, id) for id in shortcuts]
    app.shortcuts += [Shortcut(id, id, type="message") for id in message_shortcuts]
    app.request_url = check_url(request_url) if request_url else None
    return app


def workspace_for(app: App) -> Workspace:
    """A workspace with two people, where the app is in #general and not in #random."""
    workspace = Workspace(team_name="Sandbox")
    people = [workspace.add_user("ana", "Ana Ruiz"), workspace.add_user("bo", "Bo Chen")]
    app = workspace.install(app)
    workspace.add_channel("general", [*people, app.user_id])
    workspace.add_channel("random", people)
    return workspace


def environment(server: Server, app: App) -> dict[str, str]:
    """What an app reads from its environment, under the names that Slack's samples use."""
    return {
        "SLACK_API_URL": server.api_url,
        "SLACK_BOT_TOKEN": app.bot_token,
        "SLACK_APP_TOKEN": app.app_token,
        "SLACK_SIGNING_SECRET": app.signing_secret,
    }


def run(app: App, port: int, program: Sequence[str]) -> int:
    """Serve until the program ends or somebody interrupts; the program's exit code.

    Raises:
        OSError: the port is taken, or the program can't be started.
    """
    workspace = workspace_for(app)
    with serve(workspace, port) as server:
        click.echo(f"The workspace: {server.url}/")
        variables = environment(server, app)
        if not program:
            for name, value in variables.items():
                click.echo(f"export {name}={value}")
            threading.Thread(target=_verify, args=(workspace, app), daemon=True).start()
            return _wait()
        paths = [str(STARTUP), os.environ.get("PYTHONPATH", "")]
        variables["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
        variables["NO_PROXY"] = "127.0.0.1,localhost"
        process = subprocess.Popen(program, env={**os.environ, **variables})
        threading.Thread(target=_verify, args=(workspace, app), daemon=True).start()
        try:
            return process.wait()
        except KeyboardInterrupt:
            return process.wait()
        finally:
            if process.poll() is None:
                process.terminate()


def _wait() -> int:
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        click.echo()
    return 0


def _verify(workspace: Workspace, app: App) -> None:
    """The url_verification handshake, as often as it takes the app to come up."""
    if not app.request_url:
        return
    ends = workspace.clock() + VERIFY_SECONDS
    while workspace.clock() < ends:
        if verify_request_url(workspace, app):
            click.echo(f"{app.request_url} answered its challenge.")
            return
        threading.Event().wait(0.3)
    click.echo(f"{app.request_url} has not answered its challenge.", err=True)
