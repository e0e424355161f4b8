"""Commands as they are given, by ``/hawkeye …`` or by a button, and their replies.

What Slack waits for is acknowledged in time: a reply that takes longer comes afterwards.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any

import structlog
from slack_bolt import Ack, App
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from handlers.conversation import Conversation
from handlers.registry import RUN, Reply, Request, run_text
from handlers.whispers import Asker, whisper

log = structlog.get_logger()
Ask = Callable[[Request], Reply]
Body = dict[str, Any]
IN_TIME_SECONDS = 2.0
"""Slack gives up after three seconds, of which the way there and back takes some."""
AT_ONCE = 8
"""So many commands are seen to at once."""


class Replies:
    """Registers the slash command, and the buttons that run a command, with Bolt."""

    def __init__(self, conversation: Conversation, ask: Ask) -> None:
        self.conversation = conversation
        self.ask = ask
        # Not Bolt's own threads: what takes long there would keep every click waiting.
        self._pool = ThreadPoolExecutor(AT_ONCE, "hawkeye-commands")

    def register(self, app: App) -> None:
        """Tell Bolt about both."""
        app.command("/hawkeye")(self.on_command)
        app.action(re.compile(rf"^{RUN}(:|$)"))(self._on_run)

    def on_command(self, ack: Ack, body: Body, client: WebClient) -> None:
        """Reply in the acknowledgement; where that takes too long, after it."""
        request = Request(
            text=body.get("text", ""),
            user=body["user_id"],
            channel=body["channel_id"],
            via="slash",
            trigger_id=body.get("trigger_id", ""),
            response_url=body.get("response_url", ""),
        )
        coming = self._pool.submit(self.ask, request)
        if wait([coming], IN_TIME_SECONDS).not_done:
            ack()
            coming.add_done_callback(lambda done: _answer_late(client, request, done))
            return
        reply = coming.result()
        kind = "in_channel" if reply.in_channel else "ephemeral"
        blocks = list(reply.blocks) if reply.blocks else None
        ack(text=reply.text, blocks=blocks, response_type=kind)

    def _on_run(self, ack: Ack, body: Body, client: WebClient) -> None:
        ack()
        asker = Asker.of(body)
        thread, store = asker.thread, self.conversation.store
        request = Request(
            text=run_text(body["actions"][0].get("value", "")),
            user=asker.user,
            channel=asker.channel,
            thread_ts=thread,
            incident=store.incident_in(asker.channel, thread) if thread else None,
            via="mention" if thread else "slash",
            trigger_id=body.get("trigger_id", ""),
            response_url=asker.response_url,
        )
        answer(client, request, self.ask(request))


def _answer_late(client: WebClient, request: Request, done: Future[Reply]) -> None:
    try:
        reply = done.result()
    except Exception:
        # Who waits for an answer has to hear that none comes.
        log.exception("a command failed", text=request.text[:200])
        reply = Reply("That failed; the log of the bot tells why. `status` tells how things stand.")
    answer(client, request, reply)


def answer(client: WebClient, request: Request, reply: Reply) -> None:
    """Post the reply where it was asked, for the asker alone unless it is for all.

    Nothing is posted for an empty reply: the thread itself shows what came of it.
    """
    if not reply.text:
        return
    blocks = list(reply.blocks) if reply.blocks else None
    asker = Asker(request.user, request.channel, request.thread_ts, request.response_url)
    if not reply.in_channel:
        whisper(client, asker, reply.text, blocks)
        return
    try:
        client.chat_postMessage(
            channel=asker.channel,
            thread_ts=asker.thread or None,
            text=reply.text,
            blocks=blocks,
            unfurl_links=False,
            unfurl_media=False,
        )
    except (SlackApiError, OSError) as error:
        log.warning("an answer could not be posted for all", error=str(error)[:200])
        whisper(client, asker, reply.text, blocks)
