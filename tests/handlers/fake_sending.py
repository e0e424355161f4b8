"""A sender over an incident's outbox, without pauses, and a Slack that breaks where it is told."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from handlers import pace, sender
from handlers.access import Access
from handlers.sender import MOST_TRIES, Sender
from state.incident import Alert
from state.outbox import Outbox, Post
from state.store import Store
from tests.handlers.fake_desk import NOW, FakeDesk
from tests.handlers.refusal import refusal

SECTION = {"type": "section", "text": {"type": "mrkdwn", "text": "It fell."}}


@dataclass
class FakeSlack:
    """Answers, or breaks where ``breaks(method, arguments)`` says so; remembers what was asked."""

    breaks: Any = lambda *_: False
    code: str = "internal_error"
    headers: dict[str, str] = field(default_factory=dict)
    token: str = "xoxb-1"
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def _call(self, method: str, **arguments: Any) -> dict[str, Any]:
        self.asked.append((method, arguments))
        if self.breaks(method, arguments):
            raise refusal(self.code, headers=self.headers)
        ts = arguments.get("ts") or f"{len(self.asked)}.0"
        channel = str(arguments.get("channel")).replace("#", "C-")
        message = {"thread_ts": "1.0"}
        return {"ok": True, "ts": ts, "channel": channel, "messages": [], "message": message}

    def __getattr__(self, name: str) -> Any:
        return lambda **arguments: self._call(name, **arguments)

    def tried(self, method: str) -> int:
        """How often it was asked for that."""
        return sum(name == method for name, _ in self.asked)


@contextmanager
def sending(tmp_path, monkeypatch) -> Iterator[tuple[Sender, FakeSlack]]:
    """A sender and its Slack."""
    monkeypatch.setattr(sender, "_wait", lambda owed, least=0.0: -1.0)
    monkeypatch.setattr(pace, "BURST", 1e9)
    store = Store(tmp_path / "state.db")
    FakeDesk(store).open(
        Alert("monitor", "k", "metric", "precision", "It fell", NOW, channel="C1", thread="1.0")
    )
    slack = FakeSlack()
    yield Sender(slack, Outbox(store), Access(slack), directory=None), slack
    store.close()


@dataclass
class Clock:
    """Time that passes when it is told to."""

    ahead: float = 0.0

    @classmethod
    def set(cls, monkeypatch) -> Clock:
        """The clock from now on."""
        clock, real, monotonic = cls(), time.time, time.monotonic
        monkeypatch.setattr(time, "time", lambda: real() + clock.ahead)
        monkeypatch.setattr(time, "monotonic", lambda: monotonic() + clock.ahead)
        return clock


def want(posting: Sender, *texts: str) -> None:
    """The thread should have these messages."""
    posts = [Post(f"step-{n}", n, {"text": t, "blocks": [SECTION]}) for n, t in enumerate(texts)]
    posting.outbox.want("HE-1", "C1", posts)


def until_quiet(posting: Sender) -> None:
    """Send until nothing is owed; far more turns than a bounded number of tries takes."""
    for _ in range(5 * MOST_TRIES):
        posting.send_owed()
