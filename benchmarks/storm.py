"""A storm: 1,000 alerts in 60 seconds from 50 planted causes, over HTTP, at a real bot."""

from __future__ import annotations

import json
import random
import statistics
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from urllib.request import Request, urlopen

from analysis.evidence import CannotExamine, Evidence, Scope
from analysis.explore import Question
from benchmarks.storms.planting import Told, World, storm
from benchmarks.storms.wording import FORMATS, worded
from benchmarks.table import Row
from bot.app import Bot
from bot.config import load
from bot.front import Front
from bot.workspace import Workspace, manifest_of, serve
from state.due import Urgency
from state.incident import Allowance

COUNT, SECONDS, SEEDS = 1000, 60.0, (2, 7)
TOKEN = "storm"
SENDERS = 4
PATIENCE_SECONDS = 240.0
"""A channel takes a message a second, so that fifty first messages take about a minute."""


@dataclass(frozen=True)
class Answer:
    """What one alert was answered: the incident's name ("" for none), and after how long."""

    told: Told
    incident: str
    seconds: float


class NoChecks:
    """Stands in for the workers: a storm is about taking in, not about evidence."""

    def __call__(
        self, node: str, scope: Scope, urgency: Urgency, allowed: Sequence[Allowance] = ()
    ) -> Future[Evidence]:
        """Nothing to look at."""
        del node, scope, urgency, allowed
        future: Future[Evidence] = Future()
        future.set_exception(CannotExamine("The storm has no tables."))
        return future

    def look(self, question: Question, urgency: Urgency = Urgency.WAITED_FOR) -> Future[Evidence]:
        """Nothing to show, either."""
        del question, urgency
        raise CannotExamine("The storm has no tables.")

    def hurry(self, future: Future[Evidence]) -> None:
        """Nothing waits."""


def rows(folder: Path) -> Iterator[Row]:
    """Storms from their first alert to their last first message."""
    for seed in SEEDS:
        place = folder / str(seed)
        place.mkdir()
        yield from _storm(place, seed)


def _storm(folder: Path, seed: int) -> Iterator[Row]:
    rng = random.Random(seed)
    world = World.drawn(rng)
    alerts = storm(world, rng, COUNT, SECONDS, datetime.now(UTC))
    workspace = Workspace()
    app = workspace.install(manifest_of(Path(__file__).parents[1] / "bot" / "manifest.json"))
    channel = workspace.add_channel("ml-oncall", [app.user_id])
    with serve(workspace) as server:
        environment = {
            "SLACK_BOT_TOKEN": app.bot_token,
            "SLACK_APP_TOKEN": app.app_token,
            "SLACK_API_URL": server.api_url,
            "HAWKEYE_ALERTS_TOKEN": TOKEN,
        }
        settings = load(world.write(folder), environment)
        slack = settings.slack.model_copy(update={"port": 0})
        bot = Bot(settings.model_copy(update={"slack": slack}), runner=NoChecks())
        with Front.one(bot) as front:
            answers = _fired(alerts, front.url, rng)
            _wait_for_roots(bot)
            roots = [m for m in channel.messages.values() if not m.thread_ts]
            yield from _found(answers, bot, len(roots), seed)


def _fired(alerts: list[Told], url: str, rng: random.Random) -> list[Answer]:
    """Send each at its time, by a vendor that its rule keeps to."""
    vendors = {rule: rng.choice(FORMATS) for rule in sorted({t.rule for t in alerts})}
    payloads = [(t, vendors[t.rule], worded(t, vendors[t.rule], rng)) for t in alerts]
    began = time.monotonic()
    with ThreadPoolExecutor(SENDERS) as pool:
        waiting: list[Future[Answer]] = []
        for told, vendor, payload in payloads:
            time.sleep(max(0.0, began + told.at - time.monotonic()))
            waiting.append(pool.submit(_send, told, f"{url}/alerts/{vendor}", payload))
        return [w.result() for w in waiting]


def _send(told: Told, url: str, payload: object) -> Answer:
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    began = time.perf_counter()
    with urlopen(Request(url, json.dumps(payload).encode(), headers), timeout=60) as response:
        said = json.load(response)
    incidents = [i["id"] for i in said["incidents"]]
    return Answer(told, incidents[0] if incidents else "", time.perf_counter() - began)


def _wait_for_roots(bot: Bot) -> None:
    """Until Slack has the first message of every incident, as the bot wants it."""
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        owed = [o for o in bot.conversation.outbox.owed() if o.name == "root"]
        if not owed:
            return
        time.sleep(0.5)


def _found(answers: list[Answer], bot: Bot, roots: int, seed: int) -> Iterator[Row]:
    fired = [replace(a, incident=_home(bot, a.incident)) for a in answers if a.told.firing]
    causes = {a.told.cause for a in fired}
    incidents = bot.store.open_incidents()
    counted = sum(i.joined for i in incidents)
    right, told, meant = pairs(fired)
    precision, recall = right / max(told, 1), right / max(meant, 1)
    score = 2 * precision * recall / max(precision + recall, 1e-9)
    name = (
        f"storm of {len(fired):,} alerts in {SECONDS:.0f} s from {len(causes)} causes, seed {seed}"
    )
    yield Row(f"{name}: first messages", f"{roots}", f"{len(causes)} causes")
    yield Row(
        f"{name}: pairwise grouping",
        f"F1 {score:.3f} (precision {precision:.3f}, recall {recall:.3f})",
        "goal 0.95",
    )
    lost = len(fired) - counted
    yield Row(f"{name}: lost", f"{lost} of {len(fired):,}", "goal 0")
    times = sorted(a.seconds * 1000 for a in answers)
    yield Row(
        f"{name}: answered",
        f"median {statistics.median(times):.0f} ms, worst {times[-1]:.0f} ms",
        f"{SENDERS} senders at once",
    )


def _home(bot: Bot, incident: str) -> str:
    """Where an alert is in the end: incidents that turned out to be one have become one."""
    found = bot.store.load(incident)
    while found is not None and found.outcome.startswith("part of "):
        found = bot.store.load(found.outcome.removeprefix("part of "))
    return found.id if found else ""


def pairs(answers: list[Answer]) -> tuple[int, int, int]:
    """(pairs that share cause and incident, pairs that share an incident, pairs of one cause)."""

    def together(keys: Counter[object]) -> int:
        return sum(n * (n - 1) // 2 for n in keys.values())

    both: Counter[object] = Counter((a.told.cause, a.incident or id(a)) for a in answers)
    told: Counter[object] = Counter(a.incident or id(a) for a in answers)
    meant: Counter[object] = Counter(a.told.cause for a in answers)
    return together(both), together(told), together(meant)
