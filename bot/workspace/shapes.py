"""How the workspace's values look on the wire, as Slack documents its objects."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from uuid import NAMESPACE_URL, uuid5

from bot.workspace.model import App, Channel, Json, Message, StoredFile, User, Usergroup, View
from bot.workspace.richtext import rich_text
from bot.workspace.state import State


def user_json(state: State, user: User) -> Json:
    """The user object."""
    body: Json = {
        "id": user.id,
        "team_id": state.team_id,
        "name": user.name,
        "deleted": user.deleted,
        "color": user.color().lstrip("#"),
        "real_name": user.real_name,
        "tz": user.tz,
        "tz_label": user.tz,
        "tz_offset": 0,
        "profile": profile_json(state, user),
        "is_admin": False,
        "is_owner": False,
        "is_primary_owner": False,
        "is_restricted": False,
        "is_ultra_restricted": False,
        "is_bot": user.is_bot,
        "is_app_user": False,
        "is_email_confirmed": not user.is_bot,
        "who_can_share_contact_card": "EVERYONE",
        "updated": 0,
    }
    return body


def _pictures(state: State, sizes: Iterable[int]) -> Json:
    """Addresses of one picture in several sizes."""
    return {f"image_{size}": f"{state.base_url}/page/icon.svg" for size in sizes}


def bot_json(state: State, app: App) -> Json:
    """The bot object."""
    return {
        "id": app.bot_id,
        "deleted": False,
        "name": app.display_name or app.name,
        "updated": 0,
        "app_id": app.id,
        "user_id": app.user_id,
        "icons": _pictures(state, (36, 48, 72)),
    }


def permalink(state: State, message: Message) -> str:
    """The address of a message; a reply's leads into its thread."""
    link = f"{state.base_url}/archives/{message.channel}/p{message.ts.replace('.', '')}"
    if message.is_reply:
        link += f"?thread_ts={message.thread_ts}&cid={message.channel}"
    return link


def profile_json(state: State, user: User) -> Json:
    """The profile object."""
    body: Json = {
        "title": user.title,
        "phone": "",
        "real_name": user.real_name,
        "real_name_normalized": user.real_name,
        "display_name": user.name,
        "display_name_normalized": user.name,
        "first_name": user.real_name.split(" ")[0],
        "last_name": " ".join(user.real_name.split(" ")[1:]),
        "status_text": "",
        "status_text_canonical": "",
        "status_emoji": "",
        "status_emoji_display_info": [],
        "status_expiration": 0,
        "avatar_hash": "",
        "pronouns": "",
        "fields": {},
        "team": state.team_id,
        **_pictures(state, (24, 32, 48, 72, 192, 512)),
    }
    if user.is_bot:
        body["bot_id"] = user.bot_id
        body["api_app_id"] = user.app_id
    else:
        body["email"] = user.email
    return body


def usergroup_json(state: State, group: Usergroup) -> Json:
    """The user group object."""
    return {
        "id": group.id,
        "team_id": state.team_id,
        "is_usergroup": True,
        "name": group.name,
        "is_subteam": True,
        "description": group.description,
        "handle": group.handle,
        "is_external": False,
        "date_create": group.date_create,
        "date_update": group.date_update,
        "date_delete": group.date_delete,
        "auto_type": None,
        "auto_provision": False,
        "created_by": group.created_by,
        "updated_by": group.updated_by,
        "deleted_by": None,
        "prefs": {"channels": [], "groups": []},
        "user_count": len(group.users),
        "users": group.users,
    }


def channel_json(state: State, channel: Channel, viewer: str) -> Json:
    """The conversation object, as this user sees it."""
    body: Json = {
        "id": channel.id,
        "created": channel.created,
        "creator": channel.creator,
        "is_archived": channel.is_archived,
        "is_im": channel.is_im,
        "is_org_shared": False,
        "context_team_id": state.team_id,
        "updated": channel.created * 1000,
    }
    if channel.is_im:
        body["user"] = next((m for m in channel.members if m != viewer), viewer)
        return body
    return body | {
        "name": channel.name,
        "name_normalized": channel.name,
        "is_channel": not channel.is_private,
        "is_group": channel.is_private and not channel.is_mpim,
        "is_mpim": channel.is_mpim,
        "is_private": channel.is_private,
        "is_general": channel.is_general,
        "is_shared": False,
        "is_ext_shared": False,
        "is_member": viewer in channel.members,
        "unlinked": 0,
        "num_members": len(channel.members),
        "topic": asdict(channel.topic),
        "purpose": asdict(channel.purpose),
        "previous_names": channel.previous_names,
    }


def file_json(state: State, file: StoredFile) -> Json:
    """The file object."""
    kind = file.name.rsplit(".", 1)[-1].lower() if "." in file.name else "text"
    url = f"{state.base_url}/files/{file.id}/{file.name}"
    body: Json = {
        "id": file.id,
        "created": int(file.created),
        "timestamp": int(file.created),
        "name": file.name,
        "title": file.title or file.name,
        "mimetype": file.mimetype,
        "filetype": kind,
        "pretty_type": kind.upper(),
        "user": file.user,
        "user_team": state.team_id,
        "size": file.length,
        "mode": "hosted",
        "is_external": False,
        "is_public": any(state.channels[c].kind == "channel" for c in file.channels),
        "url_private": url,
        "url_private_download": f"{url}?download=1",
        "permalink": url,
        "channels": [c for c in file.channels if state.channels[c].kind == "channel"],
        "groups": [c for c in file.channels if state.channels[c].kind == "group"],
        "ims": [c for c in file.channels if state.channels[c].is_im],
        "alt_txt": file.alt_txt,
        "shares": _shares(state, file),
        "has_more_shares": False,
        "comments_count": 0,
        "editable": False,
        "is_starred": False,
        "display_as_bot": False,
        "username": "",
    }
    if file.width and file.height:
        body["original_w"], body["original_h"] = file.width, file.height
        body |= {f"thumb_{size}": url for size in (64, 80, 160, 360, 480)}
    return body


def _shares(state: State, file: StoredFile) -> Json:
    """Where the file is shown, by kind of channel: the messages' timestamps."""
    shares: Json = {}
    for id, ts in file.shared_in:
        channel = state.channels[id]
        message = channel.messages.get(ts)
        if message is None:
            continue
        kind = "public" if channel.kind == "channel" else "private"
        share: Json = {
            "ts": ts,
            "channel_name": channel.name,
            "team_id": state.team_id,
            "share_user_id": message.user,
            "reply_users": [],
            "reply_users_count": 0,
            "reply_count": 0,
        }
        if message.is_reply:
            share["thread_ts"] = message.thread_ts
        shares.setdefault(kind, {}).setdefault(id, []).append(share)
    return shares


def message_json(
    state: State, message: Message, *, metadata: bool = False, composed: bool = True
) -> Json:
    """The message object; with ``metadata`` as include_all_metadata asks for it.

    What a person has typed carries the rich_text block that Slack's composer makes of it, unless
    ``composed`` is false.
    """
    body: Json = {"type": "message", "ts": message.ts, "text": message.text}
    if message.subtype:
        body["subtype"] = message.subtype
    if message.user and message.subtype != "bot_message":
        body["user"] = message.user
    if message.subtype is None:
        body["team"] = state.team_id
    if message.inviter:
        body["inviter"] = message.inviter
    body |= message.extra
    if message.bot_id:
        body |= _bot_fields(state, message)
    for name in ("blocks", "attachments", "edited"):
        value = getattr(message, name)
        if value:
            body[name] = value
    if composed and message.text and not message.blocks and _typed(message):
        body["client_msg_id"] = str(uuid5(NAMESPACE_URL, f"{message.channel}/{message.ts}"))
        body["blocks"] = [rich_text(message.text, f"t{message.ts[-5:]}")]
    if message.files:
        body["files"] = [file_json(state, state.files[id]) for id in message.files]
        body["upload"] = False
    if message.reactions:
        body["reactions"] = [
            {"name": name, "users": users, "count": len(users)}
            for name, users in message.reactions.items()
        ]
    if message.pinned_by:
        body["pinned_to"] = [message.channel]
    if message.metadata and metadata:
        body["metadata"] = message.metadata
    return body | _thread_fields(state, message)


def _typed(message: Message) -> bool:
    """Whether a person wrote it in the composer."""
    return not message.bot_id and message.subtype in (None, "file_share", "thread_broadcast")


def _bot_fields(state: State, message: Message) -> Json:
    app = state.apps.get(message.app_id or "")
    body: Json = {"bot_id": message.bot_id, "app_id": message.app_id}
    if app and message.subtype != "bot_message":
        profile = bot_json(state, app)
        del profile["user_id"]
        body["bot_profile"] = profile | {"team_id": state.team_id}
    if message.username:
        body["username"] = message.username
    if message.icons:
        body["icons"] = message.icons
    return body


def _thread_fields(state: State, message: Message) -> Json:
    if message.is_reply:
        body: Json = {"thread_ts": message.thread_ts}
        parent = state.channels[message.channel].messages.get(message.thread_ts or "")
        if parent:
            body["parent_user_id"] = parent.user
        return body
    if message.ephemeral_to:
        return {}
    replies = state.channels[message.channel].replies(message.ts)
    if not replies:
        return {}
    people = list(dict.fromkeys(reply.user for reply in replies))
    return {
        "thread_ts": message.ts,
        "reply_count": len(replies),
        "reply_users_count": len(people),
        "latest_reply": replies[-1].ts,
        "reply_users": people[:5],
        "is_locked": False,
        "subscribed": False,
    }


def view_json(state: State, view: View) -> Json:
    """The view object as Slack returns it."""
    app = state.apps[view.app_id]
    defaults: Json = {
        "title": {"type": "plain_text", "text": "Home" if view.body["type"] == "home" else ""},
        "close": None,
        "submit": None,
        "private_metadata": "",
        "callback_id": "",
        "external_id": "",
        "notify_on_close": False,
        "clear_on_close": False,
    }
    return {
        **defaults,
        **view.body,
        "id": view.id,
        "team_id": state.team_id,
        "app_id": view.app_id,
        "app_installed_team_id": state.team_id,
        "bot_id": app.bot_id,
        "hash": view.hash,
        "root_view_id": view.root_id,
        "previous_view_id": view.previous_id,
        "state": {"values": view.values},
    }


def function_json(app: App, callback_id: str) -> Json:
    """The function object, as the app's manifest declares it."""
    declared = app.functions.get(callback_id, {})
    return {
        "id": f"Fn0{app.id[2:]}",
        "callback_id": callback_id,
        "title": declared.get("title", callback_id),
        "description": declared.get("description", ""),
        "type": "app",
        "input_parameters": parameters(declared.get("input_parameters", {})),
        "output_parameters": parameters(declared.get("output_parameters", {})),
        "app_id": app.id,
        "date_created": 0,
        "date_updated": 0,
        "date_deleted": 0,
        "form_enabled": False,
    }


def parameters(declared: Json) -> list[Json]:
    """A function's parameters, however its manifest lists them: by name, or as a schema."""
    needed = declared.get("required", [])
    listed = declared.get("properties", declared)
    return [
        {**one, "name": name, "is_required": name in needed or bool(one.get("is_required"))}
        for name, one in listed.items()
        if isinstance(one, dict)
    ]


def team_json(state: State) -> Json:
    """The team as interaction payloads carry it."""
    return {"id": state.team_id, "domain": state.team_domain}


def actor_json(state: State, user: User) -> Json:
    """The user as interaction payloads carry it."""
    return {"id": user.id, "username": user.name, "name": user.name, "team_id": state.team_id}
