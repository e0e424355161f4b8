"""usergroups.*: groups that can be mentioned."""

from __future__ import annotations

import re

from bot.workspace import events
from bot.workspace.call import Call, Methods
from bot.workspace.model import Json, SlackError, Usergroup
from bot.workspace.shapes import usergroup_json

HANDLE = re.compile(r"[a-z0-9][a-z0-9._-]{0,20}")
LONGEST_DESCRIPTION = 140


def _shown(call: Call, group: Usergroup, *, users: bool = True) -> Json:
    body = usergroup_json(call.workspace, group)
    if not users:
        del body["users"]
    if not call.flag("include_count"):
        del body["user_count"]
    return body


def _group(call: Call) -> Usergroup:
    group = call.workspace.usergroups.get(call.required("usergroup"))
    if group is None:
        raise SlackError("no_such_subteam")
    return group


def list_(call: Call) -> Json:
    """usergroups.list."""
    users, disabled = call.flag("include_users"), call.flag("include_disabled")
    groups = [g for g in call.workspace.usergroups.values() if disabled or not g.date_delete]
    return {"usergroups": [_shown(call, group, users=users) for group in groups]}


def users_list(call: Call) -> Json:
    """usergroups.users.list."""
    group = _group(call)
    if group.date_delete and not call.flag("include_disabled"):
        raise SlackError("no_such_subteam")
    return {"users": list(group.users)}


def _checked(call: Call, own: Usergroup | None = None) -> Json:
    """What was given of a group's name, handle and description.

    Raises:
        SlackError: name_already_exists, handle_already_exists, bad_handle, description_too_long.
    """
    names = ("name", "handle", "description")
    given = {name: call.text(name) for name in names if call.text(name)}
    others = [group for group in call.workspace.usergroups.values() if group is not own]
    if "handle" in given:
        given["handle"] = given["handle"].removeprefix("@")
        if not HANDLE.fullmatch(given["handle"]):
            raise SlackError("bad_handle")
        if given["handle"] in {group.handle for group in others}:
            raise SlackError("handle_already_exists")
    if given.get("name") in {group.name for group in others}:
        raise SlackError("name_already_exists")
    if len(given.get("description", "")) > LONGEST_DESCRIPTION:
        raise SlackError("description_too_long")
    return given


def create(call: Call) -> Json:
    """usergroups.create; without a handle the name makes one."""
    if not call.text("name"):
        raise SlackError("missing_subteam_name")
    given = _checked(call)
    made_up = re.sub(r"[^a-z0-9]+", "-", given["name"].lower()).strip("-")[:21]
    group = call.workspace.add_usergroup(given.get("handle", made_up), [], given["name"])
    group.description = given.get("description", "")
    group.created_by = group.updated_by = call.app.user_id
    events.usergroup(call.workspace, group, "subteam_created")
    return {"usergroup": _shown(call, group)}


def update(call: Call) -> Json:
    """usergroups.update."""
    group = _group(call)
    for name, value in _checked(call, group).items():
        setattr(group, name, value)
    return _updated(call, group)


def _updated(call: Call, group: Usergroup) -> Json:
    group.date_update, group.updated_by = int(call.workspace.now()), call.app.user_id
    events.usergroup(call.workspace, group, "subteam_updated")
    return {"usergroup": _shown(call, group)}


def enable(call: Call, *, on: bool) -> Json:
    """usergroups.enable and usergroups.disable."""
    group = _group(call)
    group.date_delete = 0 if on else int(call.workspace.now())
    return _updated(call, group)


def users_update(call: Call) -> Json:
    """usergroups.users.update: these and no others are in it."""
    group, users = _group(call), call.ids("users")
    if not users:
        raise SlackError("no_users_provided")
    if any(user not in call.workspace.users for user in users):
        raise SlackError("invalid_users")
    before, group.users = group.users, list(dict.fromkeys(users))
    events.usergroup_members(call.workspace, group, before)
    return _updated(call, group)


METHODS: Methods = {
    "usergroups.list": list_,
    "usergroups.users.list": users_list,
    "usergroups.create": create,
    "usergroups.update": update,
    "usergroups.enable": lambda call: enable(call, on=True),
    "usergroups.disable": lambda call: enable(call, on=False),
    "usergroups.users.update": users_update,
}
