"""chat.scheduleMessage and what goes with it: messages that wait for their time."""

from __future__ import annotations

import threading

from bot.workspace import messages
from bot.workspace.api_chat import target, written
from bot.workspace.apps import Scheduled
from bot.workspace.call import Call, Methods, page
from bot.workspace.message_shapes import message_json
from bot.workspace.model import Channel, Json, SlackError

FURTHEST = 120 * 24 * 3600  # seconds ahead that a message may be scheduled
LATEST_CANCEL = 60  # seconds before its time in which it can't be taken back any more
WINDOW = 300  # seconds in which a channel takes …
MOST_IN_WINDOW = 30  # … so many scheduled messages


def _time(call: Call, channel: Channel) -> int:
    """When the message is due.

    Raises:
        SlackError: invalid_time, time_in_past, time_too_far (120 days), restricted_too_many.
    """
    workspace, given = call.workspace, call.required("post_at")
    if not given.isdigit():
        raise SlackError("invalid_time")
    post_at = int(given)
    if post_at <= workspace.now():
        raise SlackError("time_in_past")
    if post_at > workspace.now() + FURTHEST:
        raise SlackError("time_too_far")
    near = [
        one
        for one in workspace.scheduled.values()
        if one.channel == channel.id and abs(one.post_at - post_at) < WINDOW
    ]
    if len(near) >= MOST_IN_WINDOW:
        raise SlackError("restricted_too_many")
    return post_at


def schedule_message(call: Call) -> Json:
    """chat.scheduleMessage: after ``post_at`` minus the workspace's now, in real seconds."""
    workspace = call.workspace
    channel = target(call)
    post_at = _time(call, channel)
    message = written(call, channel)
    id = workspace.new_id("Q")

    def send() -> None:
        with workspace.lock:
            if workspace.scheduled.pop(id, None):
                message.ts = workspace.new_ts()
                messages.post(workspace, message)

    now = workspace.now()
    timer = threading.Timer(post_at - now, send)
    timer.daemon = True
    waiting = Scheduled(id, call.app.id, channel.id, post_at, int(now), message.text, timer)
    workspace.scheduled[id] = waiting
    timer.start()
    shown = message_json(workspace, message, metadata=True)
    del shown["ts"]
    return {
        "channel": channel.id,
        "scheduled_message_id": id,
        "post_at": post_at,
        "message": shown,
    }


def delete_scheduled(call: Call) -> Json:
    """chat.deleteScheduledMessage, up to a minute before its time."""
    workspace = call.workspace
    channel, id = call.channel(), call.required("scheduled_message_id")
    waiting = workspace.scheduled.get(id)
    if waiting is None or (waiting.app_id, waiting.channel) != (call.app.id, channel.id):
        raise SlackError("invalid_scheduled_message_id")
    if waiting.post_at - workspace.now() < LATEST_CANCEL:
        raise SlackError("invalid_scheduled_message_id")
    waiting.timer.cancel()
    del workspace.scheduled[id]
    return {}


def list_scheduled(call: Call) -> Json:
    """chat.scheduledMessages.list, the app's own, of one channel or of all."""
    workspace, wanted = call.workspace, call.text("channel")
    if wanted and wanted not in workspace.channels:
        raise SlackError("invalid_channel")
    low, high = call.number("oldest", 0), call.number("latest", float("inf"))
    mine = [
        one
        for one in workspace.scheduled.values()
        if one.app_id == call.app.id and wanted in ("", one.channel) and low <= one.post_at <= high
    ]
    items, following = page(call, sorted(mine, key=lambda one: one.post_at), default=100, most=1000)
    shown = [
        {
            "id": one.id,
            "channel_id": one.channel,
            "post_at": one.post_at,
            "date_created": one.created,
            "text": one.text,
        }
        for one in items
    ]
    return {"scheduled_messages": shown, "response_metadata": {"next_cursor": following}}


METHODS: Methods = {
    "chat.scheduleMessage": schedule_message,
    "chat.deleteScheduledMessage": delete_scheduled,
    "chat.scheduledMessages.list": list_scheduled,
}
