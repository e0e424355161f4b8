"""From a click to the next evidence, in the demo's world, through the whole bot."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks import bare
from benchmarks.table import Row
from bot.demo.autoplay import Player
from bot.demo.practice import open_demo
from bot.headless import accepted

SCENARIOS = (
    ("unit_change", 1),
    ("corrupted_labels", 1),
    ("feature_store_timeouts", 1),
    ("feed_stale", 2),
    ("arm_config_change", 2),
)
READS_SECONDS = 4.0
"""How long a person takes to read a step before the click."""


def rows(folder: Path) -> Iterator[Row]:
    """For somebody who reads, and for somebody who clicks at once."""
    floor = bare.measure()
    for words, pause in (
        (f"who reads {READS_SECONDS:.0f} s a step", READS_SECONDS),
        ("who clicks at once", 0.0),
    ):
        acks: list[float] = []
        shown: list[float] = []
        for name, seed in SCENARIOS:
            with open_demo(name, seed, folder, 0) as demo:
                for ack, evidence in _timed(Player(demo, demo.fire()), pause):
                    acks.append(ack)
                    shown.append(evidence)
        yield Row(
            f"click to the next evidence, {words} ({len(shown)} clicks)",
            f"median {statistics.median(shown):.2f} s, worst {max(shown):.2f} s",
            f"{statistics.median(shown) / floor.update:.1f} × a bare app's click to update "
            f"({floor.update * 1000:.0f} ms)",
        )
        yield Row(
            f"acknowledgement of a click while analyses run, {words}",
            f"median {statistics.median(acks) * 1000:.0f} ms, worst {max(acks) * 1000:.0f} ms",
            f"{statistics.median(acks) / floor.ack:.1f} × a bare app's ({floor.ack * 1000:.0f} ms)",
        )


def _timed(player: Player, pause: float) -> Iterator[tuple[float, float]]:
    """Seconds to the acknowledgement and to the next step's evidence, click by click."""
    for _ in range(30):
        step = player.decide()
        if step is None:
            return
        name, verdict = f"step-{step.number}", accepted(step, player.demo.bot.conversation.tree)
        player.shown(name)  # nobody clicks a button that the page does not show yet
        time.sleep(pause)
        began = time.perf_counter()
        player.press(name, f"answer:{verdict}")
        ack = time.perf_counter() - began
        player.wait(
            lambda n=step.number: player.incident.steps[n - 1].answer, 60.0, "the answer counted"
        )
        following = player.decide()
        if following is None:
            return
        player.shown(f"step-{following.number}")
        yield ack, time.perf_counter() - began
