"""files.*, views.*, reactions.*, pins.*, bookmarks.*: what hangs on messages and people."""

from __future__ import annotations

import re

from bot.workspace import files, messages, views
from bot.workspace.call import Call, Methods
from bot.workspace.model import Json, Message, SlackError, StoredFile, View
from bot.workspace.shapes import file_json, message_json, view_json

EMOJI = re.compile(r"[a-z0-9_+'-]+(::skin-tone-[2-6])?")
MOST_BOOKMARKS = 100


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
    targets = call.ids("channels") or call.ids("channel_id")
    if len(targets) > 100:
        raise SlackError("channels_limit_exceeded")
    places = [workspace.channel(target) for target in targets]
    if any(call.app.user_id not in place.members for place in places):
        raise SlackError("not_in_channel")
    done: list[StoredFile] = []
    for item in listed:
        if not isinstance(item, dict):
            text = f"[ERROR] must be an object [json-pointer:/files/{len(done)}]"
            raise SlackError("invalid_arguments", messages=[text])
        file = workspace.files.get(str(item.get("id")))
        if file is None or file.app_id != call.app.id:
            raise SlackError("file_not_found")
        files.complete(workspace, file, str(item.get("title") or ""))
        done.append(file)
    for place in places:
        text, thread = call.text("initial_comment"), call.text("thread_ts") or None
        message = messages.as_app(workspace, call.app.id, place.id, text=text, thread_ts=thread)
        files.share(workspace, done, message)
    return {"files": [file_json(workspace, file) for file in done]}


def files_info(call: Call) -> Json:
    """files.info."""
    file = files.find(call.workspace, call.required("file"))
    shown = file_json(call.workspace, file)
    return {"file": shown, "comments": [], "response_metadata": {"next_cursor": ""}}


def files_delete(call: Call) -> Json:
    """files.delete: the file is gone from every message."""
    workspace = call.workspace
    file = files.find(workspace, call.required("file"))
    if file.app_id != call.app.id:
        raise SlackError("cant_delete_file")
    for channel in workspace.channels.values():
        for message in channel.messages.values():
            if file.id in message.files:
                message.files = [id for id in message.files if id != file.id]
    del workspace.files[file.id]
    return {}


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
    given = call.text("trigger_id") or call.required("trigger_id")
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


def _reacted(call: Call) -> tuple[Message, str]:
    if not call.text("channel") or not call.text("timestamp"):
        raise SlackError("no_item_specified")
    name = call.text("name").strip(":")
    if not EMOJI.fullmatch(name):
        raise SlackError("invalid_name")
    return _item(call, "timestamp"), name


def _item(call: Call, name: str) -> Message:
    channel, ts = call.channel(), call.text(name)
    if not re.fullmatch(r"\d+\.\d+", ts):
        raise SlackError("bad_timestamp")
    message = channel.messages.get(ts)
    if message is None:
        raise SlackError("message_not_found")
    if channel.is_archived:
        raise SlackError("is_archived")
    return message


def reactions_add(call: Call) -> Json:
    """reactions.add."""
    message, name = _reacted(call)
    messages.react(call.workspace, message, call.app.user_id, name)
    return {}


def reactions_remove(call: Call) -> Json:
    """reactions.remove."""
    message, name = _reacted(call)
    messages.unreact(call.workspace, message, call.app.user_id, name)
    return {}


def reactions_get(call: Call) -> Json:
    """reactions.get."""
    if not call.text("channel") or not call.text("timestamp"):
        raise SlackError("no_item_specified")
    message = _item(call, "timestamp")
    shown = message_json(call.workspace, message)
    return {"type": "message", "channel": message.channel, "message": shown}


def _pin(call: Call, on: bool) -> Json:
    if not call.text("timestamp"):
        raise SlackError("no_item_specified")
    message = _item(call, "timestamp")
    if call.app.user_id not in call.channel().members:
        raise SlackError("not_in_channel")
    messages.pin(call.workspace, message, call.app.user_id, on=on)
    return {}


def pins_list(call: Call) -> Json:
    """pins.list."""
    channel = call.channel()
    items = [
        {
            "type": "message",
            "channel": channel.id,
            "created_by": message.pinned_by,
            "message": message_json(call.workspace, message),
        }
        for message in channel.messages.values()
        if message.pinned_by
    ]
    return {"items": items}


def bookmarks_add(call: Call) -> Json:
    """bookmarks.add, for links."""
    channel = call.channel("channel_id")
    if call.text("type") != "link":
        raise SlackError("invalid_bookmark_type")
    if not call.text("link").startswith(("http://", "https://")):
        raise SlackError("invalid_link")
    if len(channel.bookmarks) >= MOST_BOOKMARKS:
        raise SlackError("too_many_bookmarks")
    bookmark = {
        "id": call.workspace.new_id("Bk"),
        "channel_id": channel.id,
        "title": call.required("title"),
        "link": call.text("link"),
        "type": "link",
        "app_id": call.app.id,
    }
    channel.bookmarks.append(bookmark)
    call.workspace.changes.add("channel", channel=channel.id)
    return {"bookmark": bookmark}


def bookmarks_list(call: Call) -> Json:
    """bookmarks.list."""
    return {"bookmarks": call.channel("channel_id").bookmarks}


def bookmarks_remove(call: Call) -> Json:
    """bookmarks.remove."""
    channel, wanted = call.channel("channel_id"), call.required("bookmark_id")
    kept = [bookmark for bookmark in channel.bookmarks if bookmark["id"] != wanted]
    if len(kept) == len(channel.bookmarks):
        raise SlackError("not_found")
    channel.bookmarks = kept
    return {}


METHODS: Methods = {
    "files.getUploadURLExternal": get_upload_url,
    "files.completeUploadExternal": complete_upload,
    "files.info": files_info,
    "files.delete": files_delete,
    "views.open": views_open,
    "views.push": views_push,
    "views.update": views_update,
    "views.publish": views_publish,
    "reactions.add": reactions_add,
    "reactions.remove": reactions_remove,
    "reactions.get": reactions_get,
    "pins.add": lambda call: _pin(call, on=True),
    "pins.remove": lambda call: _pin(call, on=False),
    "pins.list": pins_list,
    "bookmarks.add": bookmarks_add,
    "bookmarks.list": bookmarks_list,
    "bookmarks.remove": bookmarks_remove,
}
