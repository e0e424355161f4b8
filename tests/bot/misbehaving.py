"""Functions for the workers: some do their work, most do harm."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from analysis.evidence import CannotExamine


def add(a: int, b: int) -> int:
    """Behaves."""
    return a + b


def own_pid(*_: object) -> int:
    """The worker's process id."""
    return os.getpid()


def loaded(name: str) -> bool:
    """Whether the worker has imported a module."""
    return name in sys.modules


def sleep_then_write(seconds: float, path: str, word: str) -> str:
    """Sleeps, then adds a line to a file: the order of lines is the order of work."""
    time.sleep(seconds)
    with Path(path).open("a") as file:
        file.write(word + "\n")
    return word


def spin_forever() -> None:
    """Python that never ends."""
    while True:
        pass


def hold_the_gil(milliseconds: int) -> None:
    """C code that never lets Python's other threads run."""
    ctypes.PyDLL(None).usleep(milliseconds * 1000)


def eat_slowly(megabytes: int) -> int:
    """Memory a bit at a time, really touched."""
    eaten = []
    for _ in range(megabytes // 10):
        eaten.append(bytearray(os.urandom(1) * 10 * 2**20))
        time.sleep(0.005)
    return len(eaten)


def eat_at_once(gigabytes: int) -> Any:
    """One huge allocation."""
    import numpy as np

    return np.ones(gigabytes * 2**27).sum()


def large_result(megabytes: int) -> bytes:
    """A result too large to hand back."""
    return b"x" * (megabytes * 2**20)


def refuse(sentence: str) -> None:
    """Raises what a check raises."""
    raise CannotExamine(sentence)


class TwoArguments(Exception):
    """An exception that can't be rebuilt from its message."""

    def __init__(self, a: str, b: str) -> None:
        super().__init__(f"{a} and {b}")


def raise_unportable() -> None:
    """Raises an exception that does not survive pickling."""
    raise TwoArguments("this", "that")


def unpicklable_result() -> Any:
    """Returns what can't be sent."""
    return lambda: None


def die_by(number: int) -> None:
    """Ends its own process by a signal."""
    os.kill(os.getpid(), number)
    time.sleep(60)


def exit_hard(code: int) -> None:
    """Leaves without a word."""
    os._exit(code)


def exit_softly() -> None:
    """Raises SystemExit."""
    sys.exit(3)


def ignore_termination() -> None:
    """Will not listen to SIGTERM, and never ends."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    spin_forever()


def print_noise() -> str:
    """Writes to standard output."""
    print("noise", flush=True)
    subprocess.run(["echo", "more noise"], check=True)
    return "done"


def warm_badly() -> None:
    """A warm-up that fails."""
    raise RuntimeError("no warehouse today")


def numeric_threads() -> int:
    """The most threads that a numeric library of this worker may use."""
    import sklearn  # noqa: F401 (brings its own libraries with threads)
    from threadpoolctl import threadpool_info

    return max(int(pool["num_threads"]) for pool in threadpool_info())


def query_duckdb_and_draw(rows: int) -> tuple[float, int]:
    """What a check does: a query, a frame, a model, a chart."""
    import ibis
    import numpy as np
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from sklearn.ensemble import HistGradientBoostingRegressor

    numbers = ibis.range(0, rows).unnest().name("i").as_table()
    frame = ibis.connect("duckdb://").to_pandas(numbers.mutate(x=ibis.random()))
    HistGradientBoostingRegressor(max_iter=10).fit(frame[["i"]], frame["x"])
    figure = Figure(figsize=(4, 3))
    figure.add_subplot().plot(np.arange(10))
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return float(frame["x"].mean()), len(bytes(canvas.buffer_rgba()))
