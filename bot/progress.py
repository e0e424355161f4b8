"""A progress bar for what takes longer than a second, on standard error, for people only."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, Protocol, TypeVar

T = TypeVar("T")

PATIENCE_SECONDS = 1.0


class Step(Protocol):
    """What work calls to say how far it is."""

    def __call__(self, steps: float = 1, doing: str | None = None) -> None:
        """``steps`` more are done; ``doing`` replaces the words beside the bar."""


@contextmanager
def progress(
    doing: str,
    total: float | None = None,
    *,
    show: bool | None = None,
    file: IO[str] | None = None,
    patience: float = PATIENCE_SECONDS,
) -> Iterator[Step]:
    """A bar that appears once ``patience`` seconds have passed, and goes when the work is done.

    ``total`` is the number of steps; without it the bar only shows that something goes on.
    Nothing is written where no person looks (``file`` is no terminal) unless ``show`` is True,
    and nothing at all when ``show`` is False. ``file`` is standard error by default.
    """
    file = sys.stderr if file is None else file
    if not (file.isatty() if show is None else show):
        yield _silent
        return
    bar = _Bar(doing, total, file, patience)
    try:
        yield bar.step
    finally:
        bar.end()


@contextmanager
def steps(doing: str, *, show: bool | None = None) -> Iterator[Callable[[str], None]]:
    """The same for work in unequal steps: call what it gives with the words for the next one."""
    with progress(doing, show=show) as step:
        yield lambda words: step(0, f"{doing}: {words}")


def _silent(steps: float = 1, doing: str | None = None) -> None:
    """Says nothing."""


class _Bar:
    """Counts from the start; draws only after the patience has run out. Safe across threads."""

    def __init__(self, doing: str, total: float | None, file: IO[str], patience: float) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f}%" if total else ""),
            TimeElapsedColumn(),
            console=Console(file=file),
            transient=file.isatty(),  # in a file one line stays, saying what took how long
        )
        self._task = self._bar.add_task(doing, total=total)
        self._lock = threading.Lock()
        self._shown = self._ended = False
        self._timer = threading.Timer(patience, self._show)
        self._timer.daemon = True
        self._timer.start()

    def step(self, steps: float = 1, doing: str | None = None) -> None:
        """Moves the bar, drawn or not."""
        if doing is None:
            self._bar.update(self._task, advance=steps)
        else:
            self._bar.update(self._task, advance=steps, description=doing)

    def end(self) -> None:
        """Takes the bar away."""
        self._timer.cancel()
        with self._lock:
            self._ended = True
            if self._shown:
                self._bar.stop()

    def _show(self) -> None:
        with self._lock:
            if not self._ended:
                self._shown = True
                self._bar.start()
