"""Who is told of an event, and in which envelope."""

from __future__ import annotations

from collections.abc import Iterable

from bot.workspace.apps import App
from bot.workspace.delivery import Envelope
from bot.workspace.model import Channel, Json
from bot.workspace.state import State


def publish(state: State, event: Json, apps: Iterable[App], *, subscription: str = "") -> None:
    """Send an event to those of ``apps`` that subscribe to it.

    ``subscription`` is the name in the app's list where it differs from the event's type.
    """
    wanted = subscription or event["type"]
    for app in apps:
        if app.events is None or wanted in app.events:
            state.deliveries.send(
                Envelope(app.id, "events_api", event["type"], wrapper(state, app, event))
            )


def wrapper(state: State, app: App, event: Json) -> Json:
    """The event_callback around an event."""
    return {
        "token": app.verification_token,
        "team_id": state.team_id,
        "context_team_id": state.team_id,
        "context_enterprise_id": None,
        "api_app_id": app.id,
        "event": event,
        "type": "event_callback",
        "event_id": state.new_id("Ev"),
        "event_time": int(state.now()),
        "authorizations": authorizations(state, app),
        "is_ext_shared_channel": False,
        "event_context": f"4-{app.id}-{state.last_ts}",
    }


def authorizations(state: State, app: App) -> list[Json]:
    """On whose behalf an app sees events: its own bot's."""
    return [
        {
            "enterprise_id": None,
            "team_id": state.team_id,
            "user_id": app.user_id,
            "is_bot": True,
            "is_enterprise_install": False,
        }
    ]


def apps_in(state: State, channel: Channel) -> list[App]:
    """The apps whose bot is in the channel: only they hear of it."""
    return [app for app in state.apps.values() if app.user_id in channel.members]


def apps_seeing(state: State, channel: Channel) -> Iterable[App]:
    """A public channel is no secret; of a private one only its members hear."""
    return state.apps.values() if channel.kind == "channel" else apps_in(state, channel)
