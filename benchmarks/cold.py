"""From the alert to its cause by somebody who never saw the model: clicks and seconds, scenario by
scenario, through the whole bot.

The alert comes in over HTTP; every step is read for some seconds, then its proposal is pressed.
``python -m benchmarks cold`` plays every scenario once.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.clicks import READS_SECONDS
from benchmarks.table import Row
from bot.demo import NothingToPage, scenarios
from bot.demo.autoplay import MOST_STEPS, STEP_SECONDS, Player, all_right
from bot.demo.practice import open_demo
from bot.headless import accepted
from bot.report import conclusion
from handlers.messages.conclusion import name as conclusion_name

SEED = 11


@dataclass(frozen=True)
class Walked:
    """One walk: its clicks, seconds in all, of which were waited, and whether it was right."""

    clicks: int
    seconds: float
    waited: float
    right: bool


def rows(folder: Path) -> Iterator[Row]:
    """A row per scenario, then all of them."""
    walked: list[Walked] = []
    for kind in scenarios():
        try:
            with open_demo(kind.name, SEED, folder, 0) as demo:
                one = _walk(Player(demo, ""))
        except NothingToPage:
            continue
        walked.append(one)
        end = "the cause" if one.right else "another conclusion"
        yield Row(f"alert to {end}, {kind.name}", _words([one]), f"{one.waited:.1f} s of waiting")
    yield Row(
        f"alert to a conclusion, {len(walked)} scenarios, median",
        _words(walked),
        f"the planted one in {sum(w.right for w in walked)}; "
        f"{statistics.median(w.waited for w in walked):.1f} s of waiting",
    )


def _words(walked: list[Walked]) -> str:
    clicks = statistics.median(w.clicks for w in walked)
    return f"{clicks:g} clicks, {statistics.median(w.seconds for w in walked):.0f} s"


def _walk(player: Player) -> Walked:
    began, clicks = time.perf_counter(), 0
    player.incident_id = player.demo.fire()
    tree = player.demo.bot.conversation.tree
    for _ in range(MOST_STEPS):
        step = player.decide()
        if step is None:
            break
        player.shown(f"step-{step.number}")
        time.sleep(READS_SECONDS)
        player.press(f"step-{step.number}", f"answer:{accepted(step, tree)}")
        clicks += 1
        player.wait(
            lambda n=step.number: player.incident.steps[n - 1].answer, STEP_SECONDS, "the answer"
        )
    name = conclusion_name(player.incident, tree)
    player.wait(lambda: player.buttons(name)[0], STEP_SECONDS, "the conclusion")
    seconds = time.perf_counter() - began
    right = all_right(conclusion(player.incident), player.demo.world.truth)
    return Walked(clicks, seconds, seconds - clicks * READS_SECONDS, right)
