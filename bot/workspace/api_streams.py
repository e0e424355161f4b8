"""chat.*Stream and assistant.threads.*: how an agent answers while it is still thinking."""

from __future__ import annotations

from typing import Any

from bot.workspace import messages
from bot.workspace.api_chat import target, thread_of
from bot.workspace.call import Call, Methods
from bot.workspace.content import LONGEST_MARKDOWN
from bot.workspace.message_shapes import message_json
from bot.workspace.model import Channel, Json, Message, SlackError

MOST_PROMPTS = 4
TASK_FIELDS = ("title", "status", "details", "output", "sources")


def start(call: Call) -> Json:
    """chat.startStream: an answer in a thread that text is appended to until it is stopped."""
    workspace, channel = call.workspace, target(call)
    thread = thread_of(call, channel)
    if thread is None:
        raise SlackError(
            "invalid_arguments", messages=["[ERROR] missing required field: thread_ts"]
        )
    if not channel.is_im:
        for name in ("recipient_user_id", "recipient_team_id"):
            if not call.text(name):
                raise SlackError(f"missing_{name}")
        workspace.user(call.text("recipient_user_id"))
    message = messages.as_app(
        workspace, call.app.id, channel.id, thread_ts=thread, streaming=_parts(call)
    )
    _render(message)
    messages.post(workspace, message)
    return {"channel": channel.id, "ts": message.ts}


def _parts(call: Call) -> list[Json]:
    """The markdown and the chunks of one call, as parts of the answer.

    Raises:
        SlackError: msg_too_long above 12,000 characters, invalid_chunks.
    """
    text = call.text("markdown_text")
    if len(text) > LONGEST_MARKDOWN:
        raise SlackError("msg_too_long")
    chunks = call.json("chunks", "invalid_chunks") or []
    if not isinstance(chunks, list):
        raise SlackError("invalid_chunks")
    own = [{"type": "markdown_text", "text": text}] if text else []
    return own + [_chunk(chunk) for chunk in chunks]


def _chunk(chunk: Any) -> Json:
    needed = {
        "markdown_text": ("text",),
        "task_update": ("id", "title", "status"),
        "plan_update": ("title",),
        "blocks": ("blocks",),
    }
    kind = chunk.get("type") if isinstance(chunk, dict) else None
    if kind not in needed or any(chunk.get(name) is None for name in needed[kind]):
        raise SlackError("invalid_chunks")
    return dict(chunk)


def _render(message: Message, *more: Json) -> None:
    """Show the parts: text grows, a task is updated in its place, a plan gathers the tasks."""
    blocks: list[Json] = []
    tasks: dict[str, Json] = {}
    for part in message.streaming or []:
        kind = part["type"]
        if kind == "markdown_text":
            if blocks and blocks[-1]["type"] == "markdown":
                blocks[-1] = {**blocks[-1], "text": blocks[-1]["text"] + part["text"]}
            else:
                blocks.append({"type": "markdown", "text": part["text"]})
        elif kind == "task_update":
            known = {name: part[name] for name in TASK_FIELDS if part.get(name)}
            if part["id"] not in tasks:
                tasks[part["id"]] = {"type": "task_card", "task_id": part["id"]}
                blocks.append(tasks[part["id"]])
            tasks[part["id"]].update(known)
        elif kind == "plan_update":
            blocks = [block for block in blocks if block["type"] != "plan"]
            blocks.insert(0, {"type": "plan", "title": part["title"]})
        else:
            blocks += part["blocks"]
    text = [p["text"] for p in message.streaming or [] if p["type"] == "markdown_text"]
    message.text, message.blocks = "".join(text), [*blocks, *more]


def _stream(call: Call) -> Message:
    """The message that is being streamed.

    Raises:
        SlackError: message_not_found, message_not_owned_by_app, message_not_in_streaming_state.
    """
    message = call.channel().messages.get(call.required("ts"))
    if message is None:
        raise SlackError("message_not_found")
    if message.app_id != call.app.id:
        raise SlackError("message_not_owned_by_app")
    if message.streaming is None:
        raise SlackError("message_not_in_streaming_state")
    return message


def append(call: Call) -> Json:
    """chat.appendStream."""
    message, parts = _stream(call), _parts(call)
    if not parts:
        raise SlackError("no_text")
    message.streaming = [*(message.streaming or []), *parts]
    _render(message)
    messages.edit(call.workspace, message, mark=False, quiet=True)
    return {"channel": message.channel, "ts": message.ts}


def stop(call: Call) -> Json:
    """chat.stopStream: the last text, and blocks below the answer."""
    message, blocks = _stream(call), call.blocks()
    message.streaming = [*(message.streaming or []), *_parts(call)]
    _render(message, *blocks)
    message.streaming = None
    messages.edit(call.workspace, message, mark=False)
    shown = message_json(call.workspace, message)
    return {"channel": message.channel, "ts": message.ts, "message": shown}


def _thread(call: Call) -> tuple[Channel, Json]:
    """The direct message and what is kept about a thread in it.

    Raises:
        SlackError: channel_not_found, invalid_thread_ts.
    """
    channel, ts = call.channel("channel_id"), call.text("thread_ts")
    if ts and ts not in channel.messages:
        raise SlackError("invalid_thread_ts")
    return channel, channel.assistants.setdefault(ts, {})


def set_status(call: Call) -> Json:
    """assistant.threads.setStatus: "is thinking…"; an empty status takes it away."""
    call.required("thread_ts")
    channel, kept = _thread(call)
    kept["status"] = call.text("status")
    call.workspace.changes.add("assistant", frozenset(channel.members), channel=channel.id)
    return {}


def set_title(call: Call) -> Json:
    """assistant.threads.setTitle."""
    channel, kept = _thread(call)
    kept["title"] = call.required("title")
    call.workspace.changes.add("assistant", frozenset(channel.members), channel=channel.id)
    return {}


def set_prompts(call: Call) -> Json:
    """assistant.threads.setSuggestedPrompts: up to four, each with title and message."""
    prompts = call.json("prompts", "invalid_arguments")
    if not isinstance(prompts, list) or not prompts:
        call.required("prompts")
        prompts = []
    if len(prompts) > MOST_PROMPTS:
        text = f"[ERROR] no more than {MOST_PROMPTS} items allowed [json-pointer:/prompts]"
        raise SlackError("invalid_arguments", messages=[text])
    for index, prompt in enumerate(prompts):
        if not isinstance(prompt, dict) or not prompt.get("title") or not prompt.get("message"):
            text = f"[ERROR] must have title and message [json-pointer:/prompts/{index}]"
            raise SlackError("invalid_arguments", messages=[text])
    channel, kept = _thread(call)
    kept["prompts"] = {"title": call.text("title"), "prompts": prompts}
    call.workspace.changes.add("assistant", frozenset(channel.members), channel=channel.id)
    return {}


METHODS: Methods = {
    "chat.startStream": start,
    "chat.appendStream": append,
    "chat.stopStream": stop,
    "assistant.threads.setStatus": set_status,
    "assistant.threads.setTitle": set_title,
    "assistant.threads.setSuggestedPrompts": set_prompts,
}
