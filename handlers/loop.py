"""A thread that takes turns: at once while there is something to do, else when it is woken."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

log = structlog.get_logger()


@dataclass
class Loop:
    """Calls ``turn`` until it is stopped; ``turn`` says whether it found something to do.

    With nothing to do it waits for :meth:`wake`, at most ``poll_seconds``.
    """

    name: str
    turn: Callable[[], bool]
    poll_seconds: float
    stopped: bool = False
    _awake: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin."""
        self._thread = threading.Thread(target=self._run, name=self.name, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End after the turn that is being taken."""
        self.stopped = True
        self._awake.set()
        if self._thread is not None:
            self._thread.join(timeout=10)

    def wake(self) -> None:
        """There may be something to do."""
        self._awake.set()

    @property
    def alive(self) -> bool:
        """Whether turns are being taken."""
        return self._thread is not None and self._thread.is_alive()

    def _run(self) -> None:
        while not self.stopped:
            try:
                busy = self.turn()
            except Exception:
                # The loop must outlive any one turn; what is owed stays owed.
                log.exception("a turn failed", loop=self.name)
                busy = False
            if not busy:
                self._awake.wait(self.poll_seconds)
                self._awake.clear()
