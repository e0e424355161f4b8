"""Envelopes to apps: what is sent, how often it is tried, how it is acknowledged.

The workspace only puts envelopes here; the server that runs around it carries them over Socket
Mode or signed HTTP (``transport``). An event that stays unacknowledged is sent again as Slack
does: at once, after one minute, after five. Interactions and commands are sent once.
"""

from __future__ import annotations

import threading
import uuid
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from bot.workspace.model import Json
from bot.workspace.recorder import Record, Recorder

Transport = Callable[["Envelope"], None]


@dataclass
class Envelope:
    """One thing an app must acknowledge. ``kind``: events_api, interactive, slash_commands."""

    app_id: str
    kind: str
    name: str
    payload: Json
    accepts_response: bool = False
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    attempt: int = 0
    retry_reason: str | None = None
    record: Record | None = None
    done: threading.Event = field(default_factory=threading.Event)
    response: Any = None
    error: str | None = None

    def to_socket(self) -> Json:
        """The frame that Socket Mode sends."""
        frame: Json = {
            "envelope_id": self.id,
            "payload": self.payload,
            "type": self.kind,
            "accepts_response_payload": self.accepts_response,
        }
        if self.kind == "events_api":
            frame["retry_attempt"] = self.attempt
            frame["retry_reason"] = self.retry_reason or ""
        return frame


@dataclass
class Deliveries:
    """Takes envelopes, hands them to the transport, keeps the last ones. Thread-safe."""

    recorder: Recorder
    transport: Transport | None = None
    waiting: deque[Envelope] = field(default_factory=lambda: deque(maxlen=2000))
    sent: deque[Envelope] = field(default_factory=lambda: deque(maxlen=2000))
    lock: threading.Lock = field(default_factory=threading.Lock)

    def send(self, envelope: Envelope) -> Envelope:
        """Hand over; before a server runs, envelopes wait for it."""
        kinds = {"events_api": "event", "slash_commands": "command"}
        envelope.record = self.recorder.add(
            "out",
            kinds.get(envelope.kind, envelope.kind),
            envelope.name,
            envelope.app_id,
            envelope.payload,
        )
        with self.lock:
            self.sent.append(envelope)
            transport = self.transport
            if transport is None:
                self.waiting.append(envelope)
        if transport is not None:
            transport(envelope)
        return envelope

    def attach(self, transport: Transport | None) -> None:
        """Connect the server (or, with None, take it away) and hand over what waited."""
        with self.lock:
            self.transport = transport
            waiting = list(self.waiting) if transport else []
            if transport:
                self.waiting.clear()
        for envelope in waiting:
            if transport is not None:
                transport(envelope)

    def ack(self, envelope: Envelope, response: Any) -> None:
        """Note the acknowledgement; a second one changes nothing."""
        if envelope.done.is_set():
            return
        envelope.response = response
        if envelope.record:
            self.recorder.finish(envelope.record, "acked", response)
        envelope.done.set()

    def fail(self, envelope: Envelope, reason: str) -> None:
        """Give up: ``timeout``, ``no_connection`` or ``http_error``."""
        if envelope.done.is_set():
            return
        envelope.error = reason
        if envelope.record:
            self.recorder.finish(envelope.record, reason)
        envelope.done.set()
