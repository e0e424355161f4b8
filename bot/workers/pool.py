"""A few warm processes that run checks within limits; a thread can't be stopped, a process can."""

from __future__ import annotations

import atexit
import contextlib
import os
import pickle
import signal
import threading
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from types import TracebackType
from typing import Any, Self, TypeVar, TypeVarTuple

from bot.workers.child import Limits
from bot.workers.errors import WorkerLost
from bot.workers.process import METHOD, NotBegun, WorkerProcess
from bot.workers.queue import Work, WorkQueue
from state.due import Urgency

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

_IDLE_SECONDS = 2.0


class Workers:
    """``count`` warm processes, each running one picklable function at a time.

    A piece of work that takes more than ``seconds``, or whose process holds more than
    ``memory_mb``, is stopped: its future fails with TooLong or TooBig, and its process is
    replaced. One whose process dies fails with WorkerLost. ``preload`` is the module whose
    import brings the libraries, ``warm`` runs in each process before its first work. They start
    in the background; :meth:`ready` waits for them.
    """

    def __init__(
        self,
        count: int = 2,
        seconds: float = 60.0,
        memory_mb: int = 4000,
        warm: Callable[[], object] | None = None,
        preload: str | None = "bot.workers.preload",
        method: str = METHOD,
    ) -> None:
        if count < 1:
            raise ValueError(f"at least one worker is needed, got {count}")
        self._owner = os.getpid()
        self._queue = WorkQueue(most_ahead=max(1, count - 1))
        self._start_process = partial(
            WorkerProcess,
            Limits(seconds, memory_mb),
            lambda: self._queue.closed,
            preload=preload,
            warm=warm,
            method=method,
        )
        self._changed = threading.Condition()
        self._processes: dict[int, WorkerProcess] = {}
        self._failed: WorkerLost | None = None
        self._threads = [
            threading.Thread(target=self._serve, args=(slot,), name=f"worker-{slot}", daemon=True)
            for slot in range(count)
        ]
        for thread in self._threads:
            thread.start()
        atexit.register(self.shutdown)

    def submit(
        self,
        fn: Callable[[*Ts], T],
        *args: *Ts,
        urgency: Urgency = Urgency.WAITED_FOR,
        seconds: float | None = None,
    ) -> Future[T]:
        """Has ``fn(*args)`` run, after more urgent work; with several workers, one stays free for
        what people wait for. ``seconds`` takes the place of the pool's own limit.

        ``fn``, its arguments and its result must be picklable; TypeError when the first two are
        not. ``Future.cancel`` takes it out of the queue while it waits. Futures fail with what
        ``fn`` raised (the worker's traceback as a note), TooLong, TooBig or WorkerLost.
        """
        inner = getattr(fn, "func", fn)  # a functools.partial is named after what it calls
        name = f"`{inner.__module__}.{getattr(inner, '__qualname__', type(inner).__name__)}`"
        try:
            pickled = pickle.dumps((fn, args))
        except (pickle.PicklingError, AttributeError, TypeError) as error:
            raise TypeError(
                f"{name} can't be sent to a worker ({error}): it must be a function at the top "
                "of a module, and its arguments plain values"
            ) from error
        work = Work(pickled, name, urgency, seconds)
        self._queue.put(work)
        return work.future

    def hurry(self, future: Future[Any]) -> None:
        """A person now waits for this: it moves before what nobody waits for."""
        self._queue.hurry(future)

    def ready(self, seconds: float = 120.0) -> bool:
        """Waits until every worker is warm; False when that takes longer or can't be."""
        with self._changed:
            self._changed.wait_for(lambda: self._complete or self._failed is not None, seconds)
            return self._complete

    @property
    def failure(self) -> str | None:
        """Why the last attempt to start a worker failed; None when all is well."""
        return str(self._failed) if self._failed else None

    @property
    def pids(self) -> tuple[int, ...]:
        """Process ids of the workers that are up."""
        return tuple(process.pid for process in list(self._processes.values()))

    @property
    def waiting(self) -> int:
        """How much work waits for a worker."""
        return len(self._queue)

    def shutdown(self, wait: bool = True) -> None:
        """Takes no more work, cancels what waits, ends what runs. Doing it again does nothing."""
        if os.getpid() != self._owner:
            return  # a fork inherits the object, not the processes
        for work in self._queue.close():
            work.future.cancel()
        atexit.unregister(self.shutdown)
        if wait:
            for thread in self._threads:
                if thread is not threading.current_thread():
                    thread.join(15)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.shutdown()

    @property
    def _complete(self) -> bool:
        return len(self._processes) == len(self._threads)

    # -- a thread for each worker ------------------------------------------------------------

    def _serve(self, slot: int) -> None:
        # Children inherit the mask: a Ctrl-C in the terminal then reaches the parent alone.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        self._refresh(slot)
        while not self._queue.closed:
            work = self._queue.take(_IDLE_SECONDS)
            if work is not None:
                self._run(slot, work)
                self._queue.done(work)
            self._refresh(slot)
        with self._changed:
            process = self._processes.pop(slot, None)
        if process is not None:
            process.end()

    def _run(self, slot: int, work: Work) -> None:
        try:
            process = self._processes.get(slot)
            if process is None or not process.alive:
                process = self._start(slot)
            try:
                result = process.run(work.pickled, work.name, work.seconds)
            except NotBegun:
                process = self._start(slot)
                result = process.run(work.pickled, work.name, work.seconds)
        except BaseException as error:
            work.future.set_exception(error)
        else:
            work.future.set_result(result)

    def _refresh(self, slot: int) -> None:
        """Has a live process stand ready; after a failed start, only work makes it try again."""
        process = self._processes.get(slot)
        fine = process is not None and process.alive and not process.bloated
        if fine or self._failed is not None or self._queue.closed:
            return
        with contextlib.suppress(WorkerLost):
            self._start(slot)

    def _start(self, slot: int) -> WorkerProcess:
        old = self._processes.pop(slot, None)
        if old is not None:
            old.end()
        try:
            process = self._start_process()
        except BaseException as error:
            lost = error if isinstance(error, WorkerLost) else WorkerLost(_no_start(error))
            with self._changed:
                self._failed = lost
                self._changed.notify_all()
            raise lost from None
        with self._changed:
            self._processes[slot], self._failed = process, None
            self._changed.notify_all()
        return process


def _no_start(error: BaseException) -> str:
    return (
        f"A worker process could not start ({type(error).__name__}: {error}). Look at the bot's "
        "log, and at the memory and the processes that the machine has left."
    )
