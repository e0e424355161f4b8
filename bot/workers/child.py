"""What runs inside a worker process: warm up, then one piece of work after the other."""

from __future__ import annotations

import gc
import importlib
import os
import pickle
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing import connection, parent_process
from multiprocessing.connection import Connection
from typing import Any

from bot.workers.errors import TooBig, WorkerLost

GRACE_SECONDS = 5.0
"""How long after the limit the system ends a worker whose parent did not."""
NICE = 5
"""Sums step back for the process that answers clicks, where the machine is short of cores."""
MOST_RESULT_BYTES = 64 * 2**20


@dataclass(frozen=True)
class Limits:
    """``seconds`` that a piece of work may take unless it is given others; ``memory_mb`` that its
    process may hold."""

    seconds: float
    memory_mb: int


def main(
    pipe: Connection, limits: Limits, preload: str | None, warm: Callable[[], object] | None
) -> None:
    """Says "ready" over ``pipe``, then answers each ``(seconds, work)`` with two messages; ``work``
    is a pickled ``(fn, args)`` that may take so many seconds.

    Messages are ``(kind, value)``: "ready" or "failed" (could not warm up) first; for each work
    "began", then "done" or "raised". Ends when the pipe closes.
    """
    _take_place()
    if hasattr(os, "nice"):
        os.nice(NICE)
    try:
        if preload is not None:
            importlib.import_module(preload)
        _bound_memory(limits.memory_mb)
        if warm is not None:
            warm()
        gc.freeze()  # the libraries stay; no search for garbage need pass them
    except BaseException as error:
        pipe.send(("failed", f"{type(error).__name__}: {error}"))
        return
    pipe.send(("ready", None))
    while True:
        try:
            seconds, work = pipe.recv()
        except (EOFError, OSError):
            return
        pipe.send(("began", None))
        signal.setitimer(signal.ITIMER_REAL, seconds + GRACE_SECONDS)
        answer = _answer(work)
        signal.setitimer(signal.ITIMER_REAL, 0)
        pipe.send_bytes(answer)


def _take_place() -> None:
    """Signals, output and the bond with the parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)  # ends the process whatever holds the GIL
    sys.stdout.flush()
    os.dup2(2, 1)  # standard output belongs to the command's own answer
    threading.Thread(target=_end_with_parent, name="parent-watch", daemon=True).start()


def _end_with_parent() -> None:
    """A parent that was killed says no goodbye; its end of a pipe closes all the same."""
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(0)


def _bound_memory(memory_mb: int) -> None:
    """A ceiling above the limit, so that one huge allocation fails before it hurts the machine.

    RLIMIT_AS would count address space that numeric libraries reserve and never touch;
    RLIMIT_DATA counts private writable memory. The parent watches what is really held.
    """
    if sys.platform != "linux":
        return
    import resource

    ceiling = (memory_mb + memory_mb // 4 + 512) * 2**20
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    if hard == resource.RLIM_INFINITY or ceiling < hard:
        resource.setrlimit(resource.RLIMIT_DATA, (ceiling, hard))


def _answer(work: bytes) -> bytes:
    try:
        fn, args = pickle.loads(work)
        answer = pickle.dumps(("done", fn(*args)))
    except MemoryError as error:
        return pickle.dumps(("raised", TooBig(str(error) or "an allocation failed")))
    except BaseException as error:
        return pickle.dumps(("raised", _portable(error)))
    if len(answer) > MOST_RESULT_BYTES:
        size = f"a result of {len(answer) / 2**20:,.0f} MB, and at most 64 MB may be handed back"
        return pickle.dumps(("raised", TooBig(size)))
    return answer


def _portable(error: BaseException) -> BaseException:
    """An exception that survives the way to the parent, with the worker's traceback as a note."""
    if not isinstance(error, Exception):
        error = WorkerLost(f"the work ended its worker with {type(error).__name__}({error})")
    told = "".join(traceback.format_exception(error))
    error.__traceback__ = error.__cause__ = error.__context__ = None
    error.add_note(f"In the worker:\n{told}")
    try:
        copy: Any = pickle.loads(pickle.dumps(error))
    except Exception:
        plain = RuntimeError(f"{type(error).__name__}: {error}")
        plain.add_note(f"In the worker:\n{told}")
        return plain
    return error if type(copy) is type(error) else RuntimeError(f"{type(error).__name__}: {error}")
