"""Where logs go: to stderr for the running bot, into a file for the demo."""

from __future__ import annotations

import logging
from pathlib import Path

import structlog


def to_file(path: Path) -> None:
    """Everything that is logged goes into a file: the terminal is for the person."""
    path.parent.mkdir(parents=True, exist_ok=True)
    file = path.open("a", encoding="utf-8", buffering=1)
    handler = logging.StreamHandler(file)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(file))


def to_stderr() -> None:
    """For a running bot: warnings of libraries, and what the bot itself has to say."""
    logging.basicConfig(level=logging.WARNING, force=True)
    # A tick that comes while the last one still runs is left out on purpose.
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
