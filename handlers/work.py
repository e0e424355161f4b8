"""Does what is owed: checks, looks, mitigations, reminders. One thread claims, workers compute."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Protocol

import structlog
from slack_sdk.errors import SlackApiError

from analysis.budget import OverBudget
from analysis.evidence import Evidence, Scope
from analysis.explore import Misnamed, Question
from handlers.access import lost
from handlers.conversation import Conversation
from handlers.loop import Loop
from handlers.mitigations import Mitigations
from handlers.once import asked_to_wait, outage
from handlers.owing import check_key, sentence
from state import events as ev
from state.as_text import from_json
from state.due import Due, Urgency
from state.incident import Allowance

log = structlog.get_logger()
TALK = frozenset({"remind", "export", "dm", "write"})
"""Kinds of work that are nothing but a message: they wait while Slack does not take the token."""
REST, LONGEST_REST = timedelta(minutes=1), timedelta(minutes=10)
MOST_TRIES = 8
"""So often a message to people is tried that Slack refuses or breaks over: for half an hour."""


class Runner(Protocol):
    """Runs a node's check outside this process, with limits of bytes, time and memory."""

    def __call__(
        self, node: str, scope: Scope, urgency: Urgency, allowed: Sequence[Allowance] = ()
    ) -> Future[Evidence]:
        """The evidence, later; the more urgent goes first. It fails with OverBudget when it needs
        more than the settings give a step, or people allowed this one."""
        ...

    def look(self, question: Question, urgency: Urgency = Urgency.WAITED_FOR) -> Future[Evidence]:
        """The answer to a question beside the tree, later."""
        ...

    def hurry(self, future: Future[Evidence]) -> None:
        """Somebody waits now for what was computed ahead."""
        ...


@dataclass
class Work:
    """Claims due work and sees to it.

    ``export`` puts a record into a thread, ``notify`` tells one person of an incident, ``write``
    sends one person a message. ``reachable`` says whether Slack takes the bot's token.
    """

    conversation: Conversation
    runner: Runner
    mitigations: Mitigations
    export: Callable[[Due], None]
    notify: Callable[[str, str, str], None]
    write: Callable[[str, dict[str, Any]], None]
    reachable: Callable[[], bool] = lambda: True
    poll_seconds: float = 0.2
    _running: dict[str, Future[Evidence]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    loop: Loop = field(init=False)

    def __post_init__(self) -> None:
        self.loop = Loop("hawkeye-work", self._turn, self.poll_seconds)

    def start(self) -> None:
        """Begin, taking over what an earlier life of the bot had claimed."""
        self.conversation.due.release_all()
        self.loop.start()

    def _turn(self) -> bool:
        claimed = self.conversation.due.claim(self.conversation.now())
        for work in claimed:
            try:
                self.do(work)
            except (SlackApiError, OSError) as error:
                self._later(work, error)
        return bool(claimed)

    def _later(self, work: Due, error: SlackApiError | OSError) -> None:
        """Try again after ever longer pauses; what Slack does not take is given up at last.

        An outage, a limit and a token that is not taken are waited for: they count no try.
        """
        said = error if isinstance(error, SlackApiError) else None
        wait = asked_to_wait(said) if said else 0.0
        tries = int(work.payload.get("tries", 0))
        if said and not wait and not lost(said) and not outage(said):
            tries += 1
        if tries > MOST_TRIES:
            log.error("a message to people is given up", work=work.id, error=str(error)[:200])
            self.conversation.due.done(work)
            return
        pause = min(REST * 2 ** min(work.attempts - 1, MOST_TRIES) / 4, LONGEST_REST)
        pause = timedelta(seconds=wait) if wait else pause
        work = replace(work, payload={**work.payload, "tries": tries})
        self.conversation.due.add(work, self.conversation.now() + pause)

    def do(self, work: Due) -> None:
        """See to one piece of work; it is struck off when it is done."""
        if work.kind in TALK and not self.reachable():
            self.conversation.due.add(work, self.conversation.now() + REST)
            return
        match work.kind:
            case "check":
                self._check(work)
            case "ahead":
                scope: Scope = from_json(Scope, work.payload["scope"])
                self._run(work, str(work.payload["node"]), scope, Urgency.AHEAD)
            case "look":
                self._look_again(work)
            case "explore":
                self._explore(work)
            case "plan" | "carry":
                threading.Thread(target=self._mitigate, args=(work,), daemon=True).start()
            case "call":
                self.conversation.call(work.incident, int(work.payload["level"]))
                self.conversation.due.done(work)
            case "export":
                threading.Thread(target=self._export, args=(work,), daemon=True).start()
            case "dm":
                self.notify(work.incident, str(work.payload["user"]), str(work.payload["what"]))
                self.conversation.due.done(work)
            case "write":
                self.write(str(work.payload["user"]), work.payload["message"])
                self.conversation.due.done(work)
            case "remind":
                number = int(work.payload["handoff"])
                self._tell(work, ev.HandoffOverdue(self.conversation.now(), number))

    def _tell(self, work: Due, event: ev.Event) -> None:
        self.conversation.tell(work.incident, event)
        self.conversation.due.done(work)

    def _look_again(self, work: Due) -> None:
        now, number = self.conversation.now(), int(work.payload["step"])
        incident = self.conversation.store.load(work.incident)
        step = incident.step(number) if incident else None
        waited = now - step.scope.window.start if step else timedelta(0)
        last = waited >= self.conversation.habits.give_up
        self._tell(work, ev.Rechecked(now, number, last))

    def _check(self, work: Due) -> None:
        incident = self.conversation.store.load(work.incident)
        step = incident.step(int(work.payload["step"])) if incident else None
        if step is None or step.status not in ("running", "watching"):
            self.conversation.due.done(work)
            return

        def then(result: Evidence | BaseException) -> None:
            now = self.conversation.now()
            if isinstance(result, OverBudget):
                self._tell(work, ev.WentOver(now, step.number, result.excess))
            elif isinstance(result, BaseException):
                self._tell(work, ev.CheckFailed(now, step.number, sentence(result)))
            else:
                self._tell(work, ev.Checked(now, step.number, result))

        self._run(work, step.node, step.scope, Urgency.WAITED_FOR, then, step.allowed)

    def _run(
        self,
        work: Due,
        node: str,
        scope: Scope,
        urgency: Urgency,
        then: Callable[[Evidence | BaseException], None] | None = None,
        allowed: Sequence[Allowance] = (),
    ) -> None:
        """Run a check once, even if it is asked for a second time while it runs."""
        key = check_key(node, scope)
        with self._lock:
            future = self._running.get(key)
            if future is None or future.done():
                future = self.runner(node, scope, urgency, allowed)
                self._running[key] = future
            elif urgency is Urgency.WAITED_FOR:
                self.runner.hurry(future)

        def finish(done: Future[Evidence]) -> None:
            try:
                self._finish(work, key, done, then)
            except Exception:
                log.exception("a finished check could not be taken in", work=work.id)

        future.add_done_callback(finish)

    def _finish(
        self,
        work: Due,
        key: str,
        done: Future[Evidence],
        then: Callable[[Evidence | BaseException], None] | None,
    ) -> None:
        error = done.exception() if not done.cancelled() else RuntimeError("cancelled")
        evidence = None if error is not None else done.result()
        if evidence is not None:
            self.conversation.results.keep(key, evidence)
        with self._lock:
            self._running.pop(key, None)
        if self.loop.stopped:
            return
        if then is None:
            self.conversation.due.done(work)
            if evidence is not None:
                self.conversation.think_on(work.incident)
            self.conversation.woken[0]() if self.conversation.woken else None
        elif evidence is not None:
            then(evidence.without_bytes())
        elif error is not None:
            then(error)

    def _explore(self, work: Due) -> None:
        """A question beside the tree: the answer takes the place of "Looking…"."""
        number = int(work.payload["look"])
        look = self.conversation.looks.load(work.incident, number)
        if look is None or look.question is None or look.evidence or look.error:
            self.conversation.due.done(work)
            return

        def finish(done: Future[Evidence]) -> None:
            if self.loop.stopped:
                return
            error = done.exception() if not done.cancelled() else RuntimeError("cancelled")
            found = None if error is not None else done.result()
            instead = error.instead if isinstance(error, Misnamed) else ()
            why = sentence(error) if error is not None else ""
            self.conversation.looked(look, found, why, instead)
            self.conversation.due.done(work)

        self.runner.look(look.question).add_done_callback(finish)

    def _export(self, work: Due) -> None:
        try:
            self.export(work)
        except (SlackApiError, OSError) as error:
            self._later(work, error)
        except Exception:
            log.exception("an export failed", work=work.id)
            self.conversation.due.done(work)
        else:
            self.conversation.due.done(work)

    def _mitigate(self, work: Due) -> None:
        number = int(work.payload["mitigation"])
        incident = self.conversation.store.load(work.incident)
        found = incident.mitigation(number) if incident else None
        waits = {"plan": "planning", "carry": "carrying"}[work.kind]
        if incident is None or found is None or found.status != waits:
            self.conversation.due.done(work)
            return
        event: ev.Event
        try:
            if work.kind == "plan":
                plan = self.mitigations.plan(incident, found)
                second = found.action in self.mitigations.second_person
                mends = self.mitigations.mends(found.action)
                now = self.conversation.now()
                event = ev.MitigationPlanned(now, number, plan, second, mends)
            else:
                result = self.mitigations.carry_out(incident, found)
                event = ev.MitigationDone(self.conversation.now(), number, result)
        except Exception as error:
            # Whatever a team's own mitigation raises is shown to the person who asked for it.
            log.exception("mitigation failed", incident=incident.id, action=found.action)
            event = ev.MitigationFailed(self.conversation.now(), number, str(error)[:500])
        self._tell(work, event)
