"""Modals and Home tabs: triggers, the stack of up to three views, what is entered in them."""

from __future__ import annotations

import json

from bot.workspace.apps import App, Trigger, View
from bot.workspace.elements import initial_values, with_ids
from bot.workspace.files import problems_of_images
from bot.workspace.model import Json, SlackError
from bot.workspace.state import State
from handlers.blockkit import problems_of_view

DEEPEST = 3
LARGEST = 250_000  # bytes of JSON


def make_trigger(
    state: State, app: App, user: str, view_id: str | None = None, channel: str | None = None
) -> str:
    """A trigger_id for something that the user just did, in a view or in a channel."""
    with state.lock:
        now = state.clock()
        for old in [t.id for t in state.triggers.values() if now - t.made > 600]:
            del state.triggers[old]
        id = f"{state.random.randrange(10**12)}.{state.random.randrange(10**10)}.{app.id.lower()}"
        state.triggers[id] = Trigger(id, app.id, user, now, view_id, channel)
        return id


def use_trigger(state: State, app: App, id: str) -> Trigger:
    """Exchange a trigger for the right to open a modal, once and within its time.

    Raises:
        SlackError: invalid_trigger_id (unknown or another app's), exchanged_trigger_id,
            expired_trigger_id.
    """
    with state.lock:
        trigger = state.triggers.get(id)
        if trigger is None or trigger.app_id != app.id:
            raise SlackError("invalid_trigger_id")
        if trigger.used:
            raise SlackError("exchanged_trigger_id")
        if state.clock() - trigger.made > state.trigger_seconds:
            raise SlackError("expired_trigger_id")
        trigger.used = True
        return trigger


def check(state: State, app: App, body: object, kind: str, own: str | None = None) -> Json:
    """A view payload that may be shown; ``own`` is the id of the view that it replaces.

    Raises:
        SlackError: invalid_arguments with the problems, view_too_large, duplicate_external_id.
    """
    if not isinstance(body, dict):
        raise SlackError("invalid_arguments", messages=["[ERROR] view must be a JSON object"])
    found = problems_of_view(body)
    if not found and body["type"] != kind:
        found = [f'[ERROR] must be one of the allowed values: "{kind}" [json-pointer:/view/type]']
    if not found:
        found = [
            text.replace("[json-pointer:", "[json-pointer:/view")
            for text in problems_of_images(state, body["blocks"])
        ]
    if found:
        raise SlackError("invalid_arguments", messages=found)
    if len(json.dumps(body)) > LARGEST:
        raise SlackError("view_too_large")
    external = body.get("external_id")
    if external and any(
        view.body.get("external_id") == external and view.id != own
        for view in _all_views(state, app)
    ):
        raise SlackError("duplicate_external_id")
    return {**body, "blocks": with_ids(body["blocks"], state.random)}


def _all_views(state: State, app: App) -> list[View]:
    views = [view for stack in state.modals.values() for view in stack]
    return [view for view in [*views, *state.homes.values()] if view.app_id == app.id]


def by_external_id(state: State, app: App, external_id: str) -> View:
    """A view by the app's own id for it.

    Raises:
        SlackError: not_found.
    """
    for view in _all_views(state, app):
        if view.body.get("external_id") == external_id:
            return view
    raise SlackError("not_found")


def _new(state: State, app: App, user: str, body: Json) -> View:
    id = state.new_id("V")
    values = initial_values(body["blocks"])
    return View(id, app.id, user, body, _hash(state), values, root_id=id)


def _hash(state: State) -> str:
    return f"{state.new_ts().split('.')[0]}.{state.random.randrange(16**8):08x}"


def open_modal(state: State, app: App, user: str, body: Json) -> View:
    """Show a modal; whatever modal was there is gone."""
    with state.lock:
        view = _new(state, app, user, body)
        state.modals[user] = [view]
    _changed(state, "view_opened", view)
    return view


def push(state: State, app: App, user: str, body: Json) -> View:
    """Put a view on top of the open one.

    Raises:
        SlackError: not_found when no modal of the app is open, push_limit_reached at three.
    """
    with state.lock:
        stack = state.modals.get(user) or []
        if not stack or stack[-1].app_id != app.id:
            raise SlackError("not_found")
        if len(stack) >= DEEPEST:
            raise SlackError("push_limit_reached")
        view = _new(state, app, user, body)
        view.root_id, view.previous_id = stack[0].id, stack[-1].id
        stack.append(view)
    _changed(state, "view_opened", view)
    return view


def update(state: State, view: View, body: Json) -> View:
    """Replace what a view shows; entries under the same block_id and action_id stay."""
    with state.lock:
        kept = view.values
        view.body, view.hash = body, _hash(state)
        view.values = initial_values(body["blocks"])
        for block_id, actions in view.values.items():
            actions.update(
                {
                    action: kept[block_id][action]
                    for action in actions
                    if kept.get(block_id, {}).get(action, {}).get("type") == actions[action]["type"]
                }
            )
    _changed(state, "home" if body["type"] == "home" else "view_updated", view)
    return view


def publish(state: State, app: App, user: str, body: Json) -> View:
    """Set a person's Home tab."""
    with state.lock:
        view = state.homes.get((app.id, user))
        if view is None:
            view = _new(state, app, user, body)
            state.homes[app.id, user] = view
            _changed(state, "home", view)
            return view
    return update(state, view, body)


def pop(state: State, view: View) -> None:
    """Close one modal and come back to the one below."""
    with state.lock:
        stack = state.modals.get(view.user, [])
        if view in stack:
            del stack[stack.index(view) :]
    _changed(state, "view_closed", view)


def clear(state: State, view: View) -> None:
    """Close the whole stack."""
    with state.lock:
        state.modals[view.user] = []
    _changed(state, "view_closed", view)


def _changed(state: State, kind: str, view: View) -> None:
    state.changes.add(
        kind, frozenset([view.user]), user=view.user, view_id=view.id, app_id=view.app_id
    )
