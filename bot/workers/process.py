"""One worker process as the parent sees it: start it, hand it work, watch it, end it."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from multiprocessing import connection
from pathlib import Path
from typing import Any

from analysis.budget import Excess
from bot.workers import child
from bot.workers.child import Limits
from bot.workers.errors import TooBig, TooLong, WorkerLost

METHOD = "forkserver" if sys.platform == "linux" else "spawn"
"""Forking with the numeric libraries loaded is not safe on macOS."""
START_SECONDS = 120.0
_PROC = Path("/proc/self/statm").exists()
_LOOK_SECONDS = 0.02 if _PROC else 0.5


class NotBegun(Exception):
    """The process died before it took the work, which can safely be given to another one."""


class WorkerProcess:
    """A warm process. Starting it blocks until it is ready; raises WorkerLost when it can't be.

    ``stop`` is asked while anything takes time; when it says so, the process is ended. Used
    from one thread.
    """

    def __init__(
        self,
        limits: Limits,
        stop: Callable[[], bool],
        preload: str | None = None,
        warm: Callable[[], object] | None = None,
        method: str = METHOD,
    ) -> None:
        self._limits = limits
        self._stop = stop
        self._held = 0.0
        context: Any = multiprocessing.get_context(method)
        if method == "forkserver":
            context.set_forkserver_preload([preload] if preload else [])
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(
            target=child.main,
            args=(theirs, limits, preload, warm),
            name="hawkeye-worker",
            daemon=True,
        )
        self._process.start()
        theirs.close()
        self._await_ready()

    @property
    def pid(self) -> int:
        """Its process id."""
        return int(self._process.pid)

    @property
    def alive(self) -> bool:
        """Whether it can take work."""
        return bool(self._process.is_alive())

    @property
    def bloated(self) -> bool:
        """Whether it kept so much after its last work that a fresh one is better."""
        return memory_mb(self.pid) > self._limits.memory_mb / 2

    def run(self, work: bytes, name: str, seconds: float | None = None) -> Any:
        """The result of the pickled work called ``name`` in messages; ``seconds`` are those that
        it may take, by the budget of a step, where they are not those of the limits.

        Raises what the work raised, or TooLong, TooBig or WorkerLost, after which the process
        may be gone: see ``alive``. Raises NotBegun when it had died before, unnoticed.
        """
        began, self._held = time.monotonic(), 0.0
        may = seconds or self._limits.seconds
        kind = ""
        value: Any = None
        try:
            self._pipe.send((may, work))
            while kind not in ("done", "raised"):
                while not self._pipe.poll(_LOOK_SECONDS):
                    self._watch(name, time.monotonic() - began, may, seconds is not None)
                kind, value = self._pipe.recv()
        except (EOFError, OSError):
            if not kind:
                raise NotBegun from None
            raise self._lost(name, time.monotonic() - began) from None
        if kind == "done":
            return value
        if isinstance(value, TooBig):
            raise TooBig(self._too_big(name, str(value)))
        raise value

    def end(self) -> None:
        """Ends the process, whatever it does, and leaves no zombie."""
        with contextlib.suppress(OSError):
            self._pipe.close()
        if self._process.is_alive():
            self._process.kill()
        self._process.join(5)

    def _await_ready(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        told = ("failed", f"it gave no sign of life in {START_SECONDS:.0f} s")
        while time.monotonic() < deadline and not self._stop():
            if connection.wait([self._pipe, self._process.sentinel], 0.2):
                told = self._first_word()
                break
        if told[0] != "ready":
            self.end()
            raise WorkerLost(
                f"A worker process could not start: {told[1]}. Look at the bot's log, "
                "and at the memory that the machine has left."
            )

    def _first_word(self) -> tuple[str, str]:
        with contextlib.suppress(EOFError, OSError):
            if self._pipe.poll():
                kind, value = self._pipe.recv()
                return str(kind), str(value)
        self._process.join(1)
        return "failed", f"it {_ending(self._process.exitcode)}"

    def _watch(self, name: str, seconds: float, may: float, given: bool) -> None:
        if self._stop():
            self.end()
            raise WorkerLost(f"{name} was stopped: the bot shuts down. It runs again at the start.")
        if seconds > may:
            self.end()
            section = "budget" if given else "walk"
            raise TooLong(
                Excess("seconds", may, may),
                f"{name} was stopped after {seconds:,.0f} s; it may take "
                f"{may:,g} s. Choose a shorter window or fewer suspects, or "
                f"raise `seconds` under [{section}] in the settings.",
            )
        self._held = memory_mb(self.pid)
        if self._held > self._limits.memory_mb:
            self.end()
            raise TooBig(self._too_big(name, f"it held {self._held:,.0f} MB"))

    def _too_big(self, name: str, why: str) -> str:
        return (
            f"{name} needed too much memory: {why}; it may hold {self._limits.memory_mb:,} MB. "
            "Choose a shorter window or fewer suspects, or raise `memory_mb` under [walk] in the "
            "settings."
        )

    def _lost(self, name: str, seconds: float) -> TooBig | WorkerLost:
        self._process.join(1)
        code = self._process.exitcode
        self.end()
        if self._held > 0.8 * self._limits.memory_mb:
            return TooBig(self._too_big(name, f"it held {self._held:,.0f} MB and {_ending(code)}"))
        return WorkerLost(
            f"The process that ran {name} {_ending(code)} after {seconds:,.1f} s and was "
            "replaced. Run the step again; if that repeats, look at the bot's log."
        )


def _ending(code: int | None) -> str:
    if code is not None and code < 0:
        name = signal.Signals(-code).name if -code in set(signal.Signals) else str(-code)
        hint = " (often: the machine ran out of memory)" if name == "SIGKILL" else ""
        return f"was ended by {name}{hint}"
    return "ended" if code is None else f"ended with code {code}"


def memory_mb(pid: int) -> float:
    """Megabytes of private memory that a process holds; 0 when it is gone or can't be seen."""
    if _PROC:
        try:
            _, resident, shared, *_ = Path(f"/proc/{pid}/statm").read_text().split()
        except (OSError, ValueError):
            return 0.0
        return (int(resident) - int(shared)) * os.sysconf("SC_PAGE_SIZE") / 2**20
    told = subprocess.run(
        ["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return float(told.stdout.strip() or 0) / 1024
