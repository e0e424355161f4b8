"""Takes the README's picture of a thread: ``python docs/picture.py`` (needs Chromium).

The demo is started, the thread walked to the question of the features, and photographed.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from bot.demo.autoplay import Player
from bot.demo.practice import Demo, open_demo
from bot.demo.show import DEFAULT, SEED
from bot.headless import accepted

PICTURE = Path(__file__).parent / "thread.png"
ARGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]


def walk_to(demo: Demo, node: str) -> Player:
    """Accept proposals until the step at ``node`` asks."""
    player = Player(demo, demo.fire())
    tree = demo.bot.conversation.tree
    while (step := player.decide()) is not None and step.node != node:
        player.press(f"step-{step.number}", f"answer:{accepted(step, tree)}")
    player.shown(f"step-{step.number}" if step else "root")
    return player


def main() -> None:
    """Write the picture."""
    with (
        tempfile.TemporaryDirectory() as folder,
        open_demo(DEFAULT, SEED, Path(folder), 0) as demo,
        sync_playwright() as playwright,
    ):
        player = walk_to(demo, "features")
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGS)
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        root = demo.bot.conversation.outbox.message(player.incident_id, player.channel, "root")
        page.goto(f"{demo.server.url}/?user={player.ana}#/{player.channel}/{root}")
        page.wait_for_selector("[data-testid=thread-messages] img")
        page.wait_for_timeout(2000)
        page.screenshot(path=PICTURE)
        browser.close()


if __name__ == "__main__":
    main()
