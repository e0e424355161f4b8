"""files.*: uploads in three steps, what is there, and what is gone."""

from __future__ import annotations

from bot.workspace import conversations, files, messages
from bot.workspace.call import Call, Methods
from bot.workspace.message_shapes import file_json
from bot.workspace.model import Channel, Json, SlackError, StoredFile

# What ``types`` names, as the beginnings of media types.
KINDS: dict[str, tuple[str, ...]] = {
    "all": ("",),
    "images": ("image/",),
    "pdfs": ("application/pdf",),
    "zips": ("application/zip",),
    "snippets": ("text/",),
    "spaces": (),
    "gdocs": (),
}
MOST_CHANNELS = 100


def get_upload_url(call: Call) -> Json:
    """files.getUploadURLExternal."""
    name, length = call.text("filename"), call.integer("length", 0)
    if not name or length <= 0:
        raise SlackError("missing_argument")
    file = files.announce(
        call.workspace,
        name=name,
        length=length,
        user=call.app.user_id,
        app=call.app,
        alt_txt=call.text("alt_txt"),
    )
    return {"upload_url": f"{call.workspace.base_url}/upload/v1/{file.id}", "file_id": file.id}


def complete_upload(call: Call) -> Json:
    """files.completeUploadExternal: ends the upload, and shares it when a channel is named."""
    workspace = call.workspace
    listed = call.json("files", "invalid_arguments")
    if not isinstance(listed, list) or not listed:
        raise SlackError("invalid_arguments", messages=["[ERROR] missing required field: files"])
    places = _places(call)
    blocks = [] if call.text("initial_comment") else call.blocks()
    done: list[StoredFile] = []
    for index, item in enumerate(listed):
        if not isinstance(item, dict):
            text = f"[ERROR] must be an object [json-pointer:/files/{index}]"
            raise SlackError("invalid_arguments", messages=[text])
        file = workspace.files.get(str(item.get("id")))
        if file is None or file.app_id != call.app.id:
            raise SlackError("file_not_found")
        if file.data is None:
            raise SlackError("file_update_failed")
        done.append(file)
    for file, item in zip(done, listed, strict=True):
        files.complete(workspace, file, str(item.get("title") or ""))
    for place in places:
        text, thread = call.text("initial_comment"), call.text("thread_ts") or None
        message = messages.as_app(
            workspace, call.app.id, place.id, text=text, thread_ts=thread, blocks=blocks
        )
        files.share(workspace, done, message)
    return {"files": [file_json(workspace, file) for file in done]}


def _places(call: Call) -> list[Channel]:
    """Where the files go: channels that the bot is in, or people."""
    workspace = call.workspace
    targets = call.ids("channels") or call.ids("channel_id")
    if len(targets) > MOST_CHANNELS:
        raise SlackError("channels_limit_exceeded")
    places = [
        conversations.direct(workspace, [call.app.user_id, target])[0]
        if target in workspace.users
        else workspace.channel(target)
        for target in targets
    ]
    if any(not workspace.may_see(call.app.user_id, place) for place in places):
        raise SlackError("channel_not_found")
    if any(call.app.user_id not in place.members for place in places):
        raise SlackError("not_in_channel")
    if any(place.is_archived for place in places):
        raise SlackError("posting_to_channel_denied")
    return places


def files_info(call: Call) -> Json:
    """files.info."""
    file = files.find(call.workspace, call.required("file"))
    shown = file_json(call.workspace, file)
    return {"file": shown, "comments": [], "response_metadata": {"next_cursor": ""}}


def files_list(call: Call) -> Json:
    """files.list, newest first, by page and count."""
    workspace = call.workspace
    kinds = set(call.ids("types") or ["all"])
    if kinds - set(KINDS):
        raise SlackError("unknown_type")
    if call.text("user"):
        workspace.user(call.text("user"))
    if call.text("channel"):
        call.channel()
    found = [file for file in workspace.files.values() if _listed(call, file, kinds)]
    found.sort(key=lambda file: file.created, reverse=True)
    count, number = min(call.integer("count", 100), 1000), call.integer("page", 1)
    pages = -(-len(found) // count) if count > 0 else 0
    shown = [file_json(workspace, f) for f in found[(number - 1) * count : number * count]]
    paging = {"count": count, "total": len(found), "page": number, "pages": pages}
    return {"files": shown, "paging": paging}


def _listed(call: Call, file: StoredFile, kinds: set[str]) -> bool:
    """Whether a file is one that was asked for, and one that the bot may see."""
    if not file.completed or not _visible(call, file):
        return False
    channel = call.text("channel")
    if channel and call.workspace.channel(channel).id not in file.channels:
        return False
    if call.text("user") not in ("", file.user):
        return False
    if not call.number("ts_from", 0) <= file.created <= call.number("ts_to", float("inf")):
        return False
    return any(file.mimetype.startswith(KINDS[kind]) for kind in kinds)


def _visible(call: Call, file: StoredFile) -> bool:
    """Its own, or shared where the bot is."""
    places = [call.workspace.channels[id] for id in file.channels]
    own = file.app_id == call.app.id
    return own or any(call.workspace.may_see(call.app.user_id, place) for place in places)


def files_delete(call: Call) -> Json:
    """files.delete: the file is gone from every message."""
    workspace = call.workspace
    file = files.find(workspace, call.required("file"))
    if file.app_id != call.app.id:
        raise SlackError("cant_delete_file")
    files.remove(workspace, file)
    return {}


def revoke_public_url(call: Call) -> Json:
    """files.revokePublicURL; a bot never has one, so there is nothing to revoke."""
    file = files.find(call.workspace, call.required("file"))
    return {"file": file_json(call.workspace, file)}


METHODS: Methods = {
    "files.getUploadURLExternal": get_upload_url,
    "files.completeUploadExternal": complete_upload,
    "files.info": files_info,
    "files.list": files_list,
    "files.delete": files_delete,
    "files.revokePublicURL": revoke_public_url,
}
