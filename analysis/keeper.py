"""Runs a program for somebody who may be killed, and leaves nothing of it behind.

``python keeper.py FOLDER PROGRAM …``, by its path: nothing of the project is imported. What the
program prints as errors goes to FOLDER/said. Whoever asked holds this one's standard input open.
When that closes, the program and all that it started are ended, and FOLDER is removed; when the
program ends by itself, so are those that it left behind, and its code is printed.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

NOT_STARTED = "not started: "
SAID = "said"


def main(folder: str, *command: str) -> None:
    """Prints the program's code, or NOT_STARTED and why."""
    _unbind_memory()
    with Path(folder, SAID).open("wb") as said:
        try:
            program = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=said,
                start_new_session=True,
            )
        except OSError as error:
            print(f"{NOT_STARTED}{error.strerror}")
            return
    gone = threading.Event()
    watch = threading.Thread(target=_end_with_asker, args=(program, folder, gone), daemon=True)
    watch.start()
    code = program.wait()
    if gone.is_set():
        watch.join()
    _end(program)
    print(code)


def _end_with_asker(program: subprocess.Popen[bytes], folder: str, gone: threading.Event) -> None:
    while os.read(0, 1):
        pass
    gone.set()
    _end(program)
    program.wait()
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(1)


def _end(program: subprocess.Popen[bytes]) -> None:
    # The group's number stays taken while any of it lives.
    with contextlib.suppress(OSError):
        os.killpg(program.pid, signal.SIGKILL)


def _unbind_memory() -> None:
    """A worker's ceiling is for its own sums, not for a model that a program loads."""
    if sys.platform == "linux":
        import resource

        _, most = resource.getrlimit(resource.RLIMIT_DATA)
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))


if __name__ == "__main__":
    main(*sys.argv[1:])
