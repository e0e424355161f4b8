"""An answer that breaks off, or that is none of Slack's, is a failure of the network."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from slack_sdk.errors import SlackApiError

from handlers.client import Client
from handlers.once import retries
from handlers.uploads import put

WHOLE = b'{"ok": true, "ts": "1.0", "channel": "C1"}'
CUT = WHOLE[:20]


@pytest.fixture
def slack():
    """A server that answers with what its ``answer`` says: (status, body, promised length)."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            """Answer, and hang up."""
            self.rfile.read(int(self.headers.get("content-length") or 0))
            status, body, length = self.server.answer
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(length))
            self.end_headers()
            self.wfile.write(body)
            self.close_connection = True

        def log_message(self, *_):
            """Quietly."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    server.url = f"http://127.0.0.1:{server.server_address[1]}/"
    yield server
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    "answer",
    [
        (200, CUT, len(CUT)),
        (200, WHOLE, len(WHOLE) + 50),
        (200, b"\xff\xfe", 2),
        (200, b"<html>Please log in</html>", 26),
    ],
    ids=["cut", "hung up", "no text", "a proxy's page"],
)
@pytest.mark.parametrize("handlers", [retries(), []], ids=["retries", "none"])
def test_an_answer_that_can_not_be_read_is_a_failure_of_the_network(slack, answer, handlers):
    """Whoever waits for one waits for the other."""
    slack.answer = answer
    client = Client("xoxb-1", base_url=slack.url, retry_handlers=handlers)
    with pytest.raises(ConnectionError):
        client.chat_postMessage(channel="C1", text="It fell.")


def test_what_slack_refuses_or_breaks_over_stays_slacks_word(slack):
    """Its codes, and its status, whatever stands in the answer."""
    client = Client("xoxb-1", base_url=slack.url)
    slack.answer = (200, b'{"ok": false, "error": "no_text"}', 33)
    with pytest.raises(SlackApiError, match="no_text"):
        client.chat_postMessage(channel="C1", text="It fell.")
    slack.answer = (503, b"<html>Unavailable</html>", 24)
    with pytest.raises(SlackApiError) as broken:
        client.chat_postMessage(channel="C1", text="It fell.")
    assert broken.value.response.status_code == 503


def test_an_upload_that_is_hung_up_on_is_a_failure_of_the_network(slack):
    """Its answer is read outside of slack_sdk."""

    class Tickets:
        def files_getUploadURLExternal(self, **_):  # noqa: N802
            return {"upload_url": slack.url, "file_id": "F1"}

    slack.answer = (200, b"OK", 50)
    with pytest.raises(ConnectionError):
        put(Tickets(), "a.png", b"png")
