"""users.*, dnd.*: the people and what they are up to."""

from __future__ import annotations

from bot.workspace.api_conversations import KINDS, kinds_asked
from bot.workspace.call import Call, Methods, page
from bot.workspace.model import Json, SlackError, User
from bot.workspace.shapes import channel_json, profile_json, user_json

NO_SCHEDULE: Json = {"dnd_enabled": False, "next_dnd_start_ts": 1, "next_dnd_end_ts": 1}
MOST_ASKED = 50


def _shown(call: Call, user: User) -> Json:
    """The user as this app may see them: their address needs a scope of its own."""
    body = user_json(call.workspace, user)
    if call.app.scopes is not None and "users:read.email" not in call.app.scopes:
        body["profile"].pop("email", None)
    return body | ({"locale": "en-US"} if call.flag("include_locale") else {})


def users_list(call: Call) -> Json:
    """users.list."""
    items, following = page(call, list(call.workspace.users.values()), default=1000, most=1000)
    return {
        "members": [_shown(call, user) for user in items],
        "cache_ts": int(call.workspace.now()),
        "response_metadata": {"next_cursor": following},
    }


def users_info(call: Call) -> Json:
    """users.info."""
    user = call.workspace.user(call.required("user"))
    return {"user": _shown(call, user)}


def users_lookup(call: Call) -> Json:
    """users.lookupByEmail."""
    email = call.required("email")
    for user in call.workspace.people():
        if user.email == email:
            return {"user": _shown(call, user)}
    raise SlackError("users_not_found")


def users_conversations(call: Call) -> Json:
    """users.conversations: where a user (or the bot) is a member."""
    workspace = call.workspace
    user = call.text("user") or call.app.user_id
    types = kinds_asked(call)
    workspace.user(user)
    chosen = [
        channel
        for channel in workspace.channels.values()
        if user in channel.members
        and KINDS[channel.kind] in types
        and workspace.may_see(call.app.user_id, channel)
        and not (channel.is_archived and call.flag("exclude_archived"))
    ]
    items, following = page(call, chosen, default=100, most=999)
    shown = [channel_json(workspace, channel, call.app.user_id) for channel in items]
    return {"channels": shown, "response_metadata": {"next_cursor": following}}


def profile_get(call: Call) -> Json:
    """users.profile.get."""
    user = call.workspace.user(call.text("user") or call.app.user_id)
    return {"profile": profile_json(call.workspace, user)}


def get_presence(call: Call) -> Json:
    """users.getPresence: everybody is there, except who has set themselves away."""
    user = call.workspace.user(call.text("user") or call.app.user_id)
    body: Json = {"presence": "away" if user.away else "active"}
    if user.id == call.app.user_id:
        body |= {"online": True, "auto_away": False, "manual_away": user.away}
    return body


def set_presence(call: Call) -> Json:
    """users.setPresence of the bot: auto or away."""
    presence = call.required("presence")
    if presence not in ("auto", "away"):
        raise SlackError("invalid_presence")
    call.workspace.user(call.app.user_id).away = presence == "away"
    return {}


def dnd_info(call: Call) -> Json:
    """dnd.info: nobody keeps a schedule of quiet hours here."""
    call.workspace.user(call.text("user") or call.app.user_id)
    return dict(NO_SCHEDULE)


def dnd_team_info(call: Call) -> Json:
    """dnd.teamInfo of up to 50 users."""
    users = call.ids("users")
    if not users:
        raise SlackError("no_users_provided")
    known = [user for user in users[:MOST_ASKED] if user in call.workspace.users]
    return {"users": {user: dict(NO_SCHEDULE) for user in known}}


METHODS: Methods = {
    "users.list": users_list,
    "users.info": users_info,
    "users.lookupByEmail": users_lookup,
    "users.conversations": users_conversations,
    "users.profile.get": profile_get,
    "users.getPresence": get_presence,
    "users.setPresence": set_presence,
    "dnd.info": dnd_info,
    "dnd.teamInfo": dnd_team_info,
}
