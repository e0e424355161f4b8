"""The Home tab: published when somebody opens it, and again when what it shows changes.

Slack does not tell when a tab is closed, so whoever opened it within the last hour counts as
looking at it. Changes are gathered for some seconds, and a view that would be the same is not
sent.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import structlog
from slack_bolt import Ack, App
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from analysis.evidence import Evidence, Scope, Window
from analysis.explore import Question
from handlers import blockkit
from handlers.conversation import Conversation
from handlers.desk import Subject
from handlers.forms import open_form
from handlers.loop import Loop
from handlers.messages.home import HomeView, Monitor, home
from handlers.modals.settings import CALLBACK, parse_settings, settings_form
from handlers.once import asked_to_wait
from handlers.standing import MONITORS
from handlers.whispers import Asker
from handlers.work import Runner
from state.as_text import stamp, unstamp
from state.due import Urgency
from state.incident import Alert, Incident
from state.preferences import preferences, set_preferences

log = structlog.get_logger()
Body = dict[str, Any]
VIEWERS, SPARKS = "home:viewers", "home:sparks"
LOOKING = timedelta(hours=1)
"""Whoever opened their Home so long ago is taken to look at it still."""
GATHER_SECONDS = 3.0
"""Changes are gathered for so long: at twenty updates a minute and viewer, well below the
hundred calls a minute that views.publish allows."""
MOST_A_TURN = 4
"""Views that are published in one turn; the others wait for the next."""
STALE = timedelta(minutes=10)
"""Sparklines older than this are read again when somebody looks."""


@dataclass
class Home:
    """Publishes Home tabs. ``watched`` are the monitored subjects, and whether monitors are on."""

    conversation: Conversation
    client: WebClient
    runner: Runner
    watched: Callable[[], tuple[tuple[Subject, ...], bool]]
    gather_seconds: float = GATHER_SECONDS
    loop: Loop = field(init=False)
    _shown: dict[str, str] = field(default_factory=dict)
    _due: set[str] = field(default_factory=set)
    _quiet_until: float = 0.0
    _reading: Future[Evidence] | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.loop = Loop("hawkeye-home", self._turn, self.gather_seconds)

    def register(self, app: App) -> None:
        """Listen to opened tabs and to the settings."""
        app.event("app_home_opened")(self.on_opened)
        app.action(CALLBACK)(self._on_settings)
        app.view(CALLBACK)(self._on_saved)

    # -- Bolt's side -------------------------------------------------------------------------

    def on_opened(self, event: Body) -> None:
        """Show it as it is now; the messages tab needs nothing."""
        if event.get("tab", "home") != "home":
            return
        user = str(event.get("user", ""))
        self._looks(user)
        self._read_sparks()
        self.publish(user, anew=not event.get("view"))

    def _on_settings(self, ack: Ack, body: Body, client: WebClient) -> None:
        ack()
        view = settings_form(preferences(self.conversation.store, body["user"]["id"]))
        open_form(client, str(body.get("trigger_id", "")), view, Asker.of(body))

    def _on_saved(self, ack: Ack, body: Body, view: Body) -> None:
        chosen = parse_settings(view)
        if isinstance(chosen, dict):
            ack(response_action="errors", errors=chosen)
            return
        ack()
        user = body["user"]["id"]
        set_preferences(self.conversation.store, user, chosen)
        self.publish(user)

    # -- who is looking ----------------------------------------------------------------------

    def _looks(self, user: str) -> None:
        store, now = self.conversation.store, self.conversation.now()
        with store.transaction():
            store.set_settings(VIEWERS, {**self._viewers(now), user: stamp(now)})

    def _viewers(self, now: datetime) -> dict[str, str]:
        kept: dict[str, str] = self.conversation.store.settings(VIEWERS) or {}
        return {user: at for user, at in kept.items() if now - unstamp(at) < LOOKING}

    def changed(self) -> None:
        """Something changed that Homes may show."""
        viewers = self._viewers(self.conversation.now())
        with self._lock:
            self._due |= set(viewers)

    def _turn(self) -> bool:
        """Publish to some of those whose Home may have changed; never without a pause."""
        if time.monotonic() < self._quiet_until:
            return False
        with self._lock:
            users = sorted(self._due)[:MOST_A_TURN]
            self._due -= set(users)
        for user in users:
            self.publish(user)
        return False

    # -- publishing --------------------------------------------------------------------------

    def publish(self, user: str, *, anew: bool = False) -> None:
        """Send a person's Home if it differs from what they see (``anew``: whatever they see)."""
        view = home(self.view(user), self.conversation.tree)
        told = json.dumps(view["blocks"][:-1], sort_keys=True)
        if not anew and self._shown.get(user) == told:
            return
        problems = blockkit.problems(view["blocks"], "home")
        if problems:
            log.error("a Home tab breaks Slack's limits", problems=problems[:3])
            return
        if not self.client.token:
            return
        try:
            self.client.views_publish(user_id=user, view=view)
            self._shown[user] = told
        except SlackApiError as error:
            self._refused(user, error)

    def _refused(self, user: str, error: SlackApiError) -> None:
        """Wait as long as Slack says, then try again; what else it refuses is logged."""
        if wait := asked_to_wait(error):
            self._quiet_until = time.monotonic() + wait
            with self._lock:
                self._due.add(user)
        else:
            log.warning("a Home tab was refused", error=error.response.get("error"))

    def view(self, user: str) -> HomeView:
        """What one person's Home shows: nothing of channels that they can't read."""
        desk = self.conversation
        now = desk.now()
        found = [i for i in reversed(desk.store.open_incidents()) if desk.may_see(i.id, user)]
        subjects, watching = self.watched()
        monitors = [self._monitor(s, found) for s in subjects if self._may_watch(s, user)]
        links = {i.id: desk.link(i.id) for i in found}
        chosen = preferences(desk.store, user)
        return HomeView(user, now, found, links, monitors, chosen, watching)

    def _may_watch(self, subject: Subject, user: str) -> bool:
        """A monitor is shown to those who can read the channel that its alerts go to."""
        alert = Alert("monitor", "", subject.entry, subject.name, "", self.conversation.now())
        directory = self.conversation.directory
        channel = directory.channel(self.conversation.habits.route(alert))
        return directory.may_read(channel, user)

    def _monitor(self, subject: Subject, seen_by_user: Sequence[Incident]) -> Monitor:
        store = self.conversation.store
        seen = (store.settings(MONITORS) or {}).get(str(subject), {})
        drawn = (store.settings(SPARKS) or {}).get(str(subject), {})
        on_it = next(
            (
                i.id
                for i in seen_by_user
                if (i.alert.entry, i.alert.subject) == (subject.entry, subject.name)
            ),
            "",
        )
        return Monitor(
            subject,
            tuple(float(v) if v else None for v in drawn.get("values", [])),
            {"yes": True, "no": False}.get(drawn.get("inside", "")),
            seen.get("error") or drawn.get("error", ""),
            on_it,
        )

    # -- sparklines --------------------------------------------------------------------------

    def _read_sparks(self) -> None:
        """Have the sparklines read, when they are old and nobody is at it."""
        desk, (subjects, _) = self.conversation, self.watched()
        now = desk.now()
        kept = desk.store.settings(SPARKS) or {}
        at = kept.get("at")
        with self._lock:
            busy = self._reading is not None and not self._reading.done()
            if busy or not subjects or (at and timedelta(0) <= now - unstamp(at) < STALE):
                return
            day = Window(now - timedelta(days=1), now)
            week = Window(day.start - timedelta(days=7), day.start)
            scope = Scope(now, day, week, subjects[0].entry, subjects[0].name)
            question = Question("sparks", scope, others=tuple(map(str, subjects)))
            self._reading = self.runner.look(question, Urgency.WATCH)
        self._reading.add_done_callback(lambda done: self._drawn(done, now))

    def _drawn(self, done: Future[Evidence], now: datetime) -> None:
        if self.loop.stopped or done.cancelled() or done.exception() is not None:
            return
        table = done.result().table
        found: dict[str, Any] = {"at": stamp(now)}
        for pair, values, inside, error in table.rows if table else ():
            listed = values.split(",") if values else []
            found[pair] = {"values": listed, "inside": inside, "error": error}
        self.conversation.store.set_settings(SPARKS, found)
        self.changed()
        self.loop.wake()
