"""A bot on a stage: the local workspace, the real shell, a small tree, canned evidence."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path

from analysis.charts.style import figure, render
from analysis.evidence import CannotExamine, Evidence, Onset, Scope, Suspect
from analysis.explore import Question
from bot.app import Bot
from bot.config import load
from bot.front import Front
from bot.workspace import Server, Workspace, manifest_of, serve
from handlers.messages import conclusion
from state.due import Urgency
from state.incident import Alert, Allowance, Incident
from tests.state.toys import TOY

MANIFEST = Path(__file__).parents[2] / "bot" / "manifest.json"
SETTINGS = """
[tables.predictions]
source = "log.csv"
time = "time"
prediction = "score"
label = "label"
features = ["temp", "wind"]

[[metrics]]
name = "precision"
kind = "precision"

[monitors]
on = false

[slack]
mode = "{mode}"
port = {port}
"""
BAD, WORSE = Suspect("snapshot", "s-bad", 0.7), Suspect("snapshot", "s-worse", 0.2)


@dataclass
class Canned:
    """Evidence by node, instead of workers. ``hold`` makes checks wait until it is set."""

    by_node: dict[str, Evidence | Exception]
    hold: threading.Event = field(default_factory=threading.Event)
    ran: list[tuple[str, Urgency]] = field(default_factory=list)
    allowed: list[tuple[Allowance, ...]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.hold.set()

    def __call__(
        self, node: str, scope: Scope, urgency: Urgency, allowed: Sequence[Allowance] = ()
    ) -> Future[Evidence]:
        """Answer from a thread, as workers do."""
        self.ran.append((node, urgency))
        self.allowed.append(tuple(allowed))
        future: Future[Evidence] = Future()

        def answer() -> None:
            self.hold.wait(10)
            found = self.by_node[node]
            if isinstance(found, Exception):
                future.set_exception(found)
            else:
                future.set_result(found)

        threading.Thread(target=answer, daemon=True).start()
        return future

    def hurry(self, future: Future[Evidence]) -> None:
        """Nothing waits here."""

    def look(self, question: Question, urgency: Urgency = Urgency.WAITED_FOR) -> Future[Evidence]:
        """What is kept for this kind of question."""
        return self(question.kind, question.scope, urgency)


class Handle:
    """A mitigation that remembers whom it was carried out on."""

    name, title, acts_on = "rollback", "Roll back", ("snapshot",)

    def __init__(self) -> None:
        self.done: list[str] = []

    def plan(self, incident: Incident, target: Suspect) -> str:
        """The dry run."""
        return f"{target.name} would be replaced by its parent."

    def carry_out(self, incident: Incident, target: Suspect) -> str:
        """Do it."""
        self.done.append(target.name)
        return f"{target.name} was replaced."


@lru_cache
def chart(title: str):
    """A small real chart."""
    drawing, (axes,) = figure()
    axes.plot([1, 2, 3], [3, 2, 1])
    return render(drawing, title, f"{title}: a line falls from 3 to 1")


def evidence() -> dict[str, Evidence | Exception]:
    """A clear case: real, one snapshot, its data."""
    now = datetime.now(UTC)
    onset = Onset(now - timedelta(hours=2), now - timedelta(hours=3), now - timedelta(hours=1))
    return {
        "real": Evidence("yes", 0.97, "It fell.", charts=(chart("real"),), onset=onset),
        "which": Evidence("these", 0.9, "One is bad.", (BAD, WORSE), 1, charts=(chart("which"),)),
        "why": Evidence("data", 0.8, "Its data was bad.", charts=(chart("why"),)),
        "chart": Evidence("seen", 1.0, "It fell by 3 points.", charts=(chart("look"),)),
        "changed": CannotExamine("There is no table of snapshots."),
        "sparks": CannotExamine("There is one row alone."),
        "levels": CannotExamine("There are no dimensions."),
        "recovery": Evidence("recovered", 0.9, "It is back.", charts=(chart("back"),)),
    }


@dataclass
class Stage:
    """What a test needs in its hands."""

    front: Front
    workspace: Workspace
    canned: Canned
    rollback: Handle
    ana: str
    bo: str
    channel: str
    other: str
    make: Callable[[], Bot]
    server: Server

    @property
    def bot(self) -> Bot:
        """The one bot, in its present life."""
        return self.front.bots[0]

    def restart(self, meanwhile: Callable[[], object] = lambda: None) -> None:
        """Stop the bot, let something happen, and start its next life on the same store."""
        self.front.stop()
        meanwhile()
        self.front = Front.one(self.make())
        self.front.start()

    def fire(self, key: str = "k1", **more: str) -> str:
        """An incident of its own, as somebody asks for it; its id."""
        alert = Alert(
            "person",
            key,
            "metric",
            "precision",
            "precision fell",
            datetime.now(UTC) - timedelta(hours=3),
            **more,
        )
        return self.bot.conversation.open(alert).id

    def incident(self, incident_id: str) -> Incident:
        """The incident as it is now."""
        found = self.bot.store.load(incident_id)
        assert found is not None
        return found

    def ts(self, incident_id: str, name: str, channel: str = "") -> str:
        """The ts of one of its messages ("" while Slack has none)."""
        place = channel or self.bot.store.places(incident_id)[0].channel
        if name == "conclusion":
            name = conclusion.name(self.incident(incident_id), TOY)
        return self.bot.conversation.outbox.message(incident_id, place, name)

    def body(self, incident_id: str, name: str, channel: str = "") -> dict:
        """One of its messages as Slack shows it; {} while there is none."""
        ts = self.ts(incident_id, name, channel)
        messages = self.workspace.channel(channel or self.channel).messages
        if not ts or ts not in messages:
            return {}
        return {"text": messages[ts].text, "blocks": messages[ts].all_blocks()}

    def shows(self, incident_id: str, name: str, *texts: str, channel: str = "") -> None:
        """Wait until a message shows all these texts."""

        def there() -> bool:
            shown = str(self.body(incident_id, name, channel))
            return all(text in shown for text in texts)

        assert self.until(there), (texts, self.body(incident_id, name, channel))

    def until(self, what, seconds: float = 8.0) -> bool:
        """Wait for something to become true."""
        for _ in range(int(seconds / 0.02)):
            if what():
                return True
            time.sleep(0.02)
        return False

    def press(
        self, incident_id: str, name: str, action: str, by: str = "", channel: str = "", **more
    ) -> None:
        """Press a button of a message as Ana, or as somebody else."""

        def there() -> bool:
            return f"'{action}'" in str(self.body(incident_id, name, channel))

        assert self.until(there), (action, self.body(incident_id, name, channel))
        self.workspace.click(
            by or self.ana,
            channel or self.channel,
            self.ts(incident_id, name, channel),
            action_id=action,
            **more,
        )

    def whispers(self, user: str) -> list[str]:
        """What the bot said to one person alone."""
        return [
            m.text
            for c in self.workspace.channels.values()
            for m in c.ephemerals.values()
            if m.ephemeral_to == user
        ]


def settings_in(folder: Path, mode: str, port: int, environment: dict[str, str]):
    """Settings on a tiny log."""
    (folder / "log.csv").write_text("time,score,label,temp,wind\n2026-01-01,0.5,1,3,4\n")
    (folder / "hawkeye.toml").write_text(SETTINGS.format(mode=mode, port=port))
    return load(folder / "hawkeye.toml", environment)


@contextmanager
def staged(folder: Path, mode: str = "socket", tree=TOY) -> Iterator[Stage]:
    """Workspace and bot, running; both are stopped at the end."""
    workspace = Workspace()
    ana, bo = workspace.add_user("ana", "Ana"), workspace.add_user("bo", "Bo")
    app = workspace.install(manifest_of(MANIFEST))
    channel = workspace.add_channel("ml-oncall", [ana, bo, app.user_id])
    other = workspace.add_channel("data-platform", [bo, app.user_id])
    with serve(workspace) as server:
        environment = {
            "SLACK_BOT_TOKEN": app.bot_token,
            "SLACK_APP_TOKEN": app.app_token,
            "SLACK_SIGNING_SECRET": app.signing_secret,
            "SLACK_API_URL": server.api_url,
            "HAWKEYE_ALERTS_TOKEN": "alerts",
        }
        settings = settings_in(folder, mode, 3000, environment)
        slack = settings.slack.model_copy(update={"port": 0})
        settings = settings.model_copy(update={"slack": slack})
        canned, rollback = Canned(evidence()), Handle()

        def make() -> Bot:
            return Bot(
                settings,
                actions=[rollback],
                recheck=timedelta(seconds=0.2),
                tree=tree,
                runner=canned,
            )

        stage = Stage(
            Front.one(make()),
            workspace,
            canned,
            rollback,
            ana.id,
            bo.id,
            channel.id,
            other.id,
            make,
            server,
        )
        stage.front.start()
        try:
            if mode == "http":
                app.request_url = f"{stage.front.url}/slack/events"
                server.refresh(app.id)
            yield stage
        finally:
            stage.front.stop()
