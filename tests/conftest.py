"""Fixtures for all tests; and tests whose system parts are absent are left out by name."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from bot.threads import one_thread
from tests.engines import postgres, spark

one_thread()

# How fast an example runs is the machine's doing; speed is measured in benchmarks/.
settings.register_profile("hawkeye", deadline=None)
settings.load_profile("hawkeye")

NOTHING_LEFT_OUT = os.environ.get("HAWKEYE_NOTHING_LEFT_OUT", "") not in ("", "0")

CHROMIUM_NAMES = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)


def find_chromium() -> str | None:
    """The path of Chromium or Chrome: what CHROMIUM names, else the first one that is there."""
    names = [os.environ["CHROMIUM"]] if os.environ.get("CHROMIUM") else CHROMIUM_NAMES
    return next((path for path in map(shutil.which, names) if path), None)


@dataclass(frozen=True)
class Part:
    """A part of the system that tests with the marker of its name need."""

    name: str
    find: Callable[[], str | None]
    command: str


PARTS = {
    "browser": Part("Chromium", find_chromium, "sudo apt-get install chromium"),
    "postgres": Part(
        "PostgreSQL with its driver", postgres.find, "sudo apt-get install postgresql; make engines"
    ),
    "spark": Part(
        "Java with PySpark",
        spark.find,
        "sudo apt-get install openjdk-17-jre-headless; make engines",
    ),
}
LEFT_OUT: dict[str, list[str]] = {}


def pytest_configure(config: pytest.Config) -> None:
    """The markers' meaning stands beside what they do; refuses to run where nothing may be left
    out and something would be."""
    for marker, part in PARTS.items():
        config.addinivalue_line("markers", f"{marker}: needs {part.name} ({part.command})")
        if NOTHING_LEFT_OUT and not part.find():
            raise pytest.UsageError(
                f"Tests need {part.name}, which is not here, and HAWKEYE_NOTHING_LEFT_OUT is set; "
                f"{part.command}"
            )


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves out tests whose system part is absent."""
    for marker, part in PARTS.items():
        out = [item for item in items if item.get_closest_marker(marker)]
        if not out or part.find():
            continue
        LEFT_OUT[marker] = [item.nodeid for item in out]
        config.hook.pytest_deselected(items=out)
        items[:] = [item for item in items if item not in out]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test that skips itself is left out as well."""
    report = yield
    if NOTHING_LEFT_OUT and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"left out, and HAWKEYE_NOTHING_LEFT_OUT is set: {report.longrepr}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """So is a file that skips itself as a whole."""
    report = yield
    if NOTHING_LEFT_OUT and report.skipped:
        report.outcome = "failed"
        report.longrepr = f"left out, and HAWKEYE_NOTHING_LEFT_OUT is set: {report.longrepr}"
    return report


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A process that runs a share of the tests tells the one that sums up what it left out."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["left_out"] = LEFT_OUT


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Takes in what a process left out (all of them leave out the same)."""
    LEFT_OUT.update(getattr(node, "workeroutput", {}).get("left_out", {}))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Names what was left out, and the command that brings what it needs."""
    for marker, names in LEFT_OUT.items():
        part = PARTS[marker]
        terminalreporter.section(f"{len(names)} tests left out: no {part.name} ({part.command})")
        for name in names:
            terminalreporter.write_line(name)


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of Chromium, for tests with the marker ``browser``."""
    path = find_chromium()
    assert path is not None, "a test that uses Chromium needs the marker `browser`"
    return path


@dataclass
class FakeClock:
    """A clock that stands still until it is told to move."""

    now: datetime = field(default_factory=lambda: datetime(2013, 7, 1, 12, tzinfo=UTC))

    def __call__(self) -> datetime:
        """The time, aware, in UTC."""
        return self.now

    def advance(self, **by: float) -> datetime:
        """Moves on: ``clock.advance(minutes=5)``; gives the new time."""
        self.now += timedelta(**by)
        return self.now


@pytest.fixture
def clock() -> FakeClock:
    """A clock of the test's own, at noon on 1 July 2013, UTC."""
    return FakeClock()


SETTINGS = """\
[tables.predictions]
source = "log.csv"
time = "ts"
prediction = "score"
model = "model"
label = "late"

[[models]]
name = "delay"
task = "binary"

[[metrics]]
name = "precision"
kind = "precision"
model = "delay"
"""

LOG = """\
ts,model,score,late,carrier,temp
2013-07-01 10:00:00,delay,0.9,1,UA,71.5
2013-07-01 10:10:00,delay,0.2,0,AA,70.0
2013-07-01 10:20:00,delay,0.7,,DL,70.2
"""


@pytest.fixture
def settings_file(tmp_path: Path) -> Callable[..., Path]:
    """Writes small settings with their serving log, and gives the path of the settings.

    ``settings_file(more="…")`` adds text at the end; ``settings_file(text="…")`` is all of it.
    """

    def write(text: str = SETTINGS, more: str = "") -> Path:
        (tmp_path / "log.csv").write_text(LOG)
        path = tmp_path / "hawkeye.toml"
        path.write_text(f"{text}\n{more}")
        return path

    return write
