"""Files: announced, uploaded, completed, shared; and when an image block may show one."""

from __future__ import annotations

import mimetypes
import struct

from bot.workspace import events, messages
from bot.workspace.apps import App
from bot.workspace.model import Json, Message, SlackError, StoredFile
from bot.workspace.state import State

LARGEST = 64 * 1024 * 1024  # bytes; the real limit is 1 GB, this one protects the memory
LONGEST_ALT = 1000


def announce(
    state: State, *, name: str, length: int, user: str, app: App | None, alt_txt: str = ""
) -> StoredFile:
    """The first step: a file id and a place to send the bytes.

    Raises:
        SlackError: alt_txt_too_large above 1,000 characters, file_upload_size_restricted.
    """
    if len(alt_txt) > LONGEST_ALT:
        raise SlackError("alt_txt_too_large")
    if length > LARGEST:
        raise SlackError("file_upload_size_restricted")
    with state.lock:
        file = StoredFile(
            id=state.new_id("F"),
            name=name.replace("/", "_") or "file",
            user=user,
            length=length,
            created=state.now(),
            app_id=app.id if app else None,
            alt_txt=alt_txt,
            mimetype=mimetypes.guess_type(name)[0] or "application/octet-stream",
        )
        state.files[file.id] = file
    return file


def receive(state: State, file: StoredFile, data: bytes) -> None:
    """The bytes have arrived."""
    with state.lock:
        file.data = data
        file.length = len(data)
        file.width, file.height = image_size(data)


def complete(state: State, file: StoredFile, title: str) -> None:
    """The last step: from now on the file exists, and is processed for a moment.

    Raises:
        SlackError: file_not_found when its bytes never came.
    """
    with state.lock:
        if file.data is None:
            raise SlackError("file_not_found")
        if not file.completed:
            file.ready_at = state.clock() + state.file_processing_seconds
        file.completed = True
        file.title = title or file.title or file.name
        events.file_created(state, file)
    state.changes.add("file", frozenset([file.user]), ts=None)


def share(state: State, files: list[StoredFile], message: Message) -> Message:
    """Post a message that shows the files."""
    message.files = [file.id for file in files]
    return messages.post(state, message)


def find(state: State, id: str) -> StoredFile:
    """A completed file.

    Raises:
        SlackError: file_not_found, or file_deleted when there was one.
    """
    if id in state.files_deleted:
        raise SlackError("file_deleted")
    file = state.files.get(id)
    if file is None or not file.completed:
        raise SlackError("file_not_found")
    return file


def remove(state: State, file: StoredFile) -> None:
    """Delete a file: it is gone from every message."""
    with state.lock:
        for place in state.channels.values():
            for message in place.messages.values():
                if file.id in message.files:
                    message.files = [id for id in message.files if id != file.id]
        events.file_deleted(state, file)
        state.files_deleted.add(file.id)
        del state.files[file.id]
    state.changes.add("file", frozenset([file.user]), ts=None)


def problems_of_images(state: State, blocks: list[Json]) -> list[str]:
    """Why ``slack_file`` images can't be shown (yet), in the style of block problems."""
    found: list[str] = []
    for index, block in enumerate(blocks):
        images = [(f"/blocks/{index}", block)]
        if isinstance(block.get("accessory"), dict):
            images.append((f"/blocks/{index}/accessory", block["accessory"]))
        for number, item in enumerate(block.get("elements") or []):
            if isinstance(item, dict):
                images.append((f"/blocks/{index}/elements/{number}", item))
        for pointer, image in images:
            if image.get("type") == "image" and isinstance(image.get("slack_file"), dict):
                complaint = _complaint(state, image["slack_file"])
                if complaint:
                    found.append(f"[ERROR] {complaint} [json-pointer:{pointer}/slack_file]")
    return found


def _complaint(state: State, reference: Json) -> str:
    id = str(reference.get("id") or "")
    url = str(reference.get("url") or "")
    if not id and "/files/" in url:
        id = url.split("/files/", 1)[1].split("/", 1)[0]
    file = state.files.get(id)
    if file is None or not file.completed or state.clock() < file.ready_at:
        return "invalid slack file"
    if not file.mimetype.startswith("image/"):
        return "invalid slack file: not an image"
    return ""


def image_size(data: bytes) -> tuple[int | None, int | None]:
    """Width and height in pixels of a PNG, GIF or JPEG; (None, None) for anything else."""
    if data[:8] == b"\x89PNG\r\n\x1a\n" and len(data) >= 24:
        width, height = struct.unpack(">II", data[16:24])
        return int(width), int(height)
    if data[:6] in (b"GIF87a", b"GIF89a") and len(data) >= 10:
        width, height = struct.unpack("<HH", data[6:10])
        return int(width), int(height)
    if data[:2] == b"\xff\xd8":
        return _jpeg_size(data)
    return None, None


def _jpeg_size(data: bytes) -> tuple[int | None, int | None]:
    at = 2
    while at + 9 < len(data) and data[at] == 0xFF:
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", data[at + 5 : at + 9])
            return int(width), int(height)
        at += 2 + length
    return None, None
