"""The progress bar: seen by people who wait, by nobody else."""

from __future__ import annotations

import io
import time

import pytest

from bot.progress import progress, steps


class Terminal(io.StringIO):
    """A text file that a person looks at."""

    def isatty(self) -> bool:
        """It is one."""
        return True


def test_short_work_shows_no_bar() -> None:
    """What is done within the patience writes nothing at all."""
    terminal = Terminal()
    with progress("Reading", 2, file=terminal, patience=5) as step:
        step()
        step()
    assert terminal.getvalue() == ""


def test_long_work_shows_what_and_how_far() -> None:
    """After the patience the bar shows words and the share done, steps before it included."""
    terminal = Terminal()
    with progress("Reading", 4, file=terminal, patience=0.01) as step:
        step()
        time.sleep(0.3)
        step(1, "Writing")
        time.sleep(0.3)
    shown = terminal.getvalue()
    assert "Reading" in shown
    assert "25%" in shown
    assert "Writing" in shown
    assert "50%" in shown


def test_a_file_gets_no_bar_unless_asked() -> None:
    """Logs and pipes stay clean; asking brings the bar there as well."""
    silent, asked = io.StringIO(), io.StringIO()
    with progress("Reading", file=silent, patience=0.01):
        time.sleep(0.1)
    with progress("Reading", file=asked, patience=0.01, show=True):
        time.sleep(0.1)
    assert silent.getvalue() == ""
    assert "Reading" in asked.getvalue()


def test_an_error_takes_the_bar_away() -> None:
    """The bar ends with the work, however that ends."""
    terminal = Terminal()

    def break_off() -> None:
        with progress("Reading", file=terminal, patience=0.01):
            time.sleep(0.1)
            raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        break_off()
    length = len(terminal.getvalue())
    time.sleep(0.2)
    assert len(terminal.getvalue()) == length


def test_steps_say_what_goes_on_now(capsys: pytest.CaptureFixture[str]) -> None:
    """Work without equal steps names the one it is at."""
    with steps("Setting up", show=True) as say:
        say("joining weather")
        time.sleep(1.3)
    assert "Setting up: joining weather" in capsys.readouterr().err
