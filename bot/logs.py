"""Where logs go: to stderr for the running bot, into a file for the demo."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import Any

import structlog


def to_file(path: Path) -> None:
    """Everything that is logged goes into a file: the terminal is for the person."""
    path.parent.mkdir(parents=True, exist_ok=True)
    file = path.open("a", encoding="utf-8", buffering=1)
    handler = logging.StreamHandler(file)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    structlog.configure(
        processors=_processors(colours=False), logger_factory=structlog.PrintLoggerFactory(file)
    )


def to_stderr() -> None:
    """For a running bot: warnings of libraries, and what the bot itself has to say."""
    logging.basicConfig(level=logging.WARNING, force=True)
    structlog.configure(
        processors=_processors(colours=sys.stderr.isatty()),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    # A tick that comes while the last one still runs is left out on purpose.
    logging.getLogger("apscheduler").setLevel(logging.ERROR)


def _processors(*, colours: bool) -> list[Any]:
    """structlog's own, with plain tracebacks: its richer ones print the values of variables, among
    them tokens and columns that are hidden."""
    plain = structlog.dev.ConsoleRenderer(
        colors=colours, exception_formatter=structlog.dev.plain_traceback
    )
    return [*structlog.get_config()["processors"][:-1], plain]
