"""How messages and the files in them look on the wire, as Slack documents its objects."""

from __future__ import annotations

from uuid import NAMESPACE_URL, uuid5

from bot.workspace.model import Json, Message, StoredFile
from bot.workspace.richtext import rich_text
from bot.workspace.shapes import bot_json
from bot.workspace.state import State


def permalink(state: State, message: Message) -> str:
    """The address of a message; a reply's leads into its thread."""
    link = f"{state.base_url}/archives/{message.channel}/p{message.ts.replace('.', '')}"
    if message.is_reply:
        link += f"?thread_ts={message.thread_ts}&cid={message.channel}"
    return link


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
