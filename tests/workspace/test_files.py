"""Files: uploaded as the SDK uploads them, shown when Slack would show them."""

from __future__ import annotations

import struct
import urllib.error
import urllib.request
import zlib

import pytest

from bot.workspace.files import image_size
from tests.workspace.test_chat import refused


def png(width: int = 3, height: int = 2) -> bytes:
    """A white PNG of that size."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress((b"\0" + b"\xff" * width) * height)
    start = b"\x89PNG\r\n\x1a\n"
    return start + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def image_block(file_id: str) -> list[dict]:
    """A message that shows the file."""
    return [{"type": "image", "slack_file": {"id": file_id}, "alt_text": "a white square"}]


def test_files_upload_v2_shares_a_file_in_a_thread(place):
    """The SDK's three steps: the message carries the file, and the bytes come back."""
    parent = place.workspace.say("ana", "general", "chart?").ts
    answer = place.client.files_upload_v2(
        content=png(),
        filename="chart.png",
        title="Chart",
        alt_txt="a white square",
        channel="C0GENERAL",
        thread_ts=parent,
        initial_comment="here",
    )
    file = answer["file"]
    replies = place.client.conversations_replies(channel="C0GENERAL", ts=parent)["messages"]
    assert (file["title"], file["alt_txt"]) == ("Chart", "a white square")
    assert (file["original_w"], file["original_h"]) == (3, 2)
    assert replies[1]["text"] == "here"
    assert replies[1]["files"][0]["id"] == file["id"]
    assert urllib.request.urlopen(file["url_private"]).read() == png()


def test_a_fresh_file_is_refused_in_an_image_block_until_it_is_processed(place):
    """invalid_blocks first, as in Slack; then it shows."""
    place.workspace.file_processing_seconds = 0.5
    file = place.client.files_upload_v2(content=png(), filename="chart.png")["file"]["id"]
    post = {"channel": "C0GENERAL", "text": "x", "blocks": image_block(file)}
    body = refused(place.client.chat_postMessage, **post)
    assert body["error"] == "invalid_blocks"
    assert "slack_file" in body["errors"][0]
    ready = place.workspace.files[file].ready_at
    place.workspace.wait_for(lambda: place.workspace.clock() > ready, timeout=2)
    assert place.client.chat_postMessage(**post)["ok"]


def test_an_image_block_needs_an_image_that_exists(place):
    """Unknown files, unfinished ones, and texts are refused; a url_private will do."""
    place.workspace.file_processing_seconds = 0.0
    text = place.client.files_upload_v2(content="x", filename="notes.txt")["file"]["id"]
    started = place.client.files_getUploadURLExternal(filename="a.png", length=3)["file_id"]
    for id in ("F0NO", text, started):
        body = refused(
            place.client.chat_postMessage, channel="C0GENERAL", text="x", blocks=image_block(id)
        )
        assert body["error"] == "invalid_blocks"
    file = place.client.files_upload_v2(content=png(), filename="c.png")["file"]
    blocks = [{"type": "image", "slack_file": {"url": file["url_private"]}, "alt_text": "x"}]
    assert place.client.chat_postMessage(channel="C0GENERAL", text="x", blocks=blocks)["ok"]


def test_a_deleted_file_is_gone_everywhere(place):
    """files.delete, then file_deleted; nobody else's file can be deleted."""
    file = place.client.files_upload_v2(content=png(), filename="c.png", channel="C0GENERAL")
    id = file["file"]["id"]
    assert place.client.files_info(file=id)["file"]["mimetype"] == "image/png"
    place.client.files_delete(file=id)
    history = place.client.conversations_history(channel="C0GENERAL")["messages"]
    assert refused(place.client.files_info, file=id)["error"] == "file_deleted"
    assert "files" not in history[0]
    theirs = place.workspace.upload("ana", "general", "mine.txt", b"x").files[0]
    assert refused(place.client.files_delete, file=theirs)["error"] == "cant_delete_file"


def test_a_person_shares_a_file_and_the_app_hears_of_it(place):
    """A message event of subtype file_share, and file_shared."""
    place.workspace.upload("ana", "general", "log.txt", b"boom")
    sent = [envelope.payload["event"] for envelope in place.workspace.deliveries.sent]
    kinds = {(event["type"], event.get("subtype")) for event in sent}
    assert kinds == {("message", "file_share"), ("file_shared", None)}


def test_an_upload_place_takes_bytes_once(place):
    """After completion, and for unknown ids, there is nothing to send to."""
    id = place.client.files_upload_v2(content=png(), filename="c.png")["file"]["id"]
    for name in (id, "F0NO"):
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(f"{place.server.url}/upload/v1/{name}", b"x")


@pytest.mark.parametrize(
    ("data", "size"),
    [
        (png(7, 5), (7, 5)),
        (b"GIF89a" + struct.pack("<HH", 4, 9) + b"\0" * 4, (4, 9)),
        (b"\xff\xd8\xff\xe0\x00\x04ab\xff\xc0\x00\x11\x08\x00\x06\x00\x08" + b"\0" * 9, (8, 6)),
        (b"plain text", (None, None)),
        (b"\xff\xd8", (None, None)),
    ],
)
def test_the_size_of_an_image_is_read_from_its_head(data, size):
    """PNG, GIF, JPEG; nothing for the rest."""
    assert image_size(data) == size
