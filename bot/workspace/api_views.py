"""views.*: modals and Home tabs; dialog.open, their predecessor."""

from __future__ import annotations

from bot.workspace import dialogs, views
from bot.workspace.apps import View
from bot.workspace.call import Call, Methods
from bot.workspace.model import Json, SlackError
from bot.workspace.shapes import view_json

DIALOG_TRIGGERS = {
    "invalid_trigger_id": "invalid_trigger",
    "exchanged_trigger_id": "trigger_exchanged",
    "expired_trigger_id": "trigger_expired",
}


def _shown(call: Call, view: View) -> Json:
    return {"view": view_json(call.workspace, view)}


def _view(call: Call) -> object:
    view = call.json("view", "invalid_arguments")
    if view is None:
        raise SlackError("invalid_arguments", messages=["[ERROR] missing required field: view"])
    return view


def _trigger(call: Call) -> str:
    """Exchange the trigger; its person."""
    workspace = call.workspace
    given = call.text("trigger_id") or call.text("interactivity_pointer")
    given = given or call.required("trigger_id")
    return views.use_trigger(workspace, call.app, given).user


def views_open(call: Call) -> Json:
    """views.open."""
    body = views.check(call.workspace, call.app, _view(call), "modal")
    user = _trigger(call)
    return _shown(call, views.open_modal(call.workspace, call.app, user, body))


def views_push(call: Call) -> Json:
    """views.push: only with a trigger from within a modal."""
    workspace = call.workspace
    body = views.check(workspace, call.app, _view(call), "modal")
    user = _trigger(call)
    return _shown(call, views.push(workspace, call.app, user, body))


def views_update(call: Call) -> Json:
    """views.update, by view_id or external_id."""
    workspace = call.workspace
    if call.text("external_id"):
        view = views.by_external_id(workspace, call.app, call.text("external_id"))
    else:
        view = workspace.view(call.required("view_id"))
    if view.app_id != call.app.id:
        raise SlackError("not_found")
    if call.text("hash") and call.text("hash") != view.hash:
        raise SlackError("hash_conflict")
    kind = str(view.body["type"])
    body = views.check(workspace, call.app, _view(call), kind, own=view.id)
    return _shown(call, views.update(workspace, view, body))


def views_publish(call: Call) -> Json:
    """views.publish: a person's Home tab."""
    workspace, user = call.workspace, call.required("user_id")
    if not call.app.home_enabled:
        raise SlackError("not_enabled")
    workspace.user(user)
    old = workspace.homes.get((call.app.id, user))
    if call.text("hash") and old and call.text("hash") != old.hash:
        raise SlackError("hash_conflict")
    body = views.check(workspace, call.app, _view(call), "home", own=old.id if old else None)
    return _shown(call, views.publish(workspace, call.app, user, body))


def dialog_open(call: Call) -> Json:
    """dialog.open."""
    workspace = call.workspace
    for name, error in (("trigger_id", "missing_trigger"), ("dialog", "missing_dialog")):
        if not call.arguments.get(name):
            raise SlackError(error)
    dialog = dialogs.check(call.json("dialog", "validation_errors"))
    try:
        trigger = views.use_trigger(workspace, call.app, call.text("trigger_id"))
    except SlackError as error:
        raise SlackError(DIALOG_TRIGGERS[error.code]) from None
    body = views.check(workspace, call.app, dialogs.view_of(dialog), "modal")
    view = views.open_modal(workspace, call.app, trigger.user, body)
    view.dialog, view.channel = dialog, trigger.channel
    return {}


METHODS: Methods = {
    "dialog.open": dialog_open,
    "views.open": views_open,
    "views.push": views_push,
    "views.update": views_update,
    "views.publish": views_publish,
}
