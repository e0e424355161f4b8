"""A Slack workspace on this machine: good enough that a Bolt app needs only another base URL.

    workspace = Workspace()
    ana = workspace.add_user("ana", "Ana Ruiz")
    app = workspace.install(App("HawkEye", commands=[Command("/hawkeye")]))
    workspace.add_channel("ml-oncall", [ana, app.user_id])
    with serve(workspace, port=8787) as server:
        client = slack_sdk.WebClient(app.bot_token, base_url=server.api_url)
        …  # slack_bolt.App(client=client), SocketModeHandler(app, app.app_token, web_client=…)
        workspace.command(ana, "#ml-oncall", "/hawkeye status")

It speaks the Web API (``api*``), Socket Mode (``sockets``) and signed HTTP (``webhooks``), checks
Block Kit as documented (``handlers.blockkit``), answers with Slack's error codes, fails on demand
(``faults``, ``control``), keeps every payload (``recorder``) and every edit (``transcript``), and
serves a web page (``ui``, ``ui_acts``, ``page/``). See docs/workspace.md.
"""

from bot.workspace.apps import App, Command, Shortcut, View
from bot.workspace.delivery import Envelope
from bot.workspace.faults import Fault
from bot.workspace.manifest import manifest_of
from bot.workspace.model import Channel, Message, SlackError, StoredFile, User, Usergroup
from bot.workspace.server import Server, serve
from bot.workspace.webhooks import verify_request_url
from bot.workspace.workspace import Submission, Workspace

__all__ = [
    "App",
    "Channel",
    "Command",
    "Envelope",
    "Fault",
    "Message",
    "Server",
    "Shortcut",
    "SlackError",
    "StoredFile",
    "Submission",
    "User",
    "Usergroup",
    "View",
    "Workspace",
    "manifest_of",
    "serve",
    "verify_request_url",
]
