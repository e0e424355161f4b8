"""Results that take long to make, kept in a file for the next start."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")


def cached(file: Path, make: Callable[[], T]) -> T:
    """What ``file`` holds, or else what ``make`` gives, which is then kept there.

    Written in one step: two demos that start at once may both make it.
    """
    if file.exists():
        with file.open("rb") as stream:
            found: T = pickle.load(stream)
        return found
    found = make()
    file.parent.mkdir(parents=True, exist_ok=True)
    temporary = file.with_suffix(f".{os.getpid()}.new")
    temporary.write_bytes(pickle.dumps(found, protocol=5))
    temporary.replace(file)
    return found
