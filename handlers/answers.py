"""Clicks and modals: acknowledge, translate to an event, hand over. Nothing is decided here."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, cast

import structlog
from slack_bolt import Ack, App
from slack_sdk import WebClient

from handlers import actions, modals
from handlers.actions import BadValue, Ref
from handlers.conversation import Conversation
from handlers.desk import every
from handlers.forms import open_form
from handlers.levels import Levels
from handlers.messages.summary import catch_up
from handlers.mitigations import Mitigations
from handlers.whispers import Asker, whisper
from state import events as ev
from state.events import Event
from state.incident import Entry, Incident

log = structlog.get_logger()
Body = dict[str, Any]


@dataclass(frozen=True)
class Click:
    """A click as we need it: by whom and where, on what."""

    asker: Asker
    ref: Ref
    incident: Incident
    trigger: str

    @property
    def user(self) -> str:
        """Who clicked."""
        return self.asker.user


class Answers:
    """Registers every verb of the messages and every modal with Bolt."""

    def __init__(
        self,
        conversation: Conversation,
        mitigations: Mitigations,
        levels: Levels,
    ) -> None:
        self.conversation = conversation
        self.mitigations = mitigations
        self.levels = levels
        self._events: dict[str, Callable[[Click], Event | str]] = {
            "take": self._take,
            "dismiss": self._dismiss,
            "snooze": self._snooze,
            "answer": self._answer,
            "allow": self._allow,
            "follow": self._follow,
            "mitigate": self._mitigate,
            "confirm": self._confirm,
            "cancel": self._cancel,
            "accept": self._accept,
            "reopen": self._reopen,
            "place": self._place,
            "export": self._export,
        }
        self._modals: dict[str, Callable[[Click], Body]] = {
            "choose": self._choose_view,
            "how": self._how_view,
            "handoff": lambda c: modals.handoff(c.incident),
            "decline": lambda c: modals.decline(c.incident, c.ref.handoff),
            "resolve": lambda c: modals.resolve(c.incident, self.conversation.tree),
        }

    def register(self, app: App) -> None:
        """Tell Bolt about every verb and modal."""
        for verb in self._events:
            app.action(re.compile(rf"^{verb}(:|$)"))(self._on_event)
        for verb in self._modals:
            app.action(re.compile(rf"^{verb}(:|$)"))(self._on_modal)
        app.action(re.compile(r"^more(:|$)"))(self._on_more)
        app.action(re.compile(r"^catchup(:|$)"))(self._on_catch_up)
        for callback in modals.PARSERS:
            app.view(callback)(self._on_submit)

    # -- Bolt's side -------------------------------------------------------------------------

    def _on_event(self, ack: Ack, body: Body, client: WebClient) -> None:
        ack()
        click = self._click(body, client)
        if click is None:
            return
        verb = actions.verb(body["actions"][0]["action_id"])
        self._tell(click, self._events[verb](click), client)

    def _on_modal(self, ack: Ack, body: Body, client: WebClient) -> None:
        ack()
        click = self._click(body, client)
        if click is not None:
            verb = actions.verb(body["actions"][0]["action_id"])
            self._open(click, self._modals[verb](click), client)

    def _on_more(self, ack: Ack, body: Body, client: WebClient) -> None:
        ack()
        click = self._click(body, client)
        if click is None:
            return
        at, by, step = self.conversation.now(), click.user, click.ref.step
        match click.ref.option:
            case "rerun":
                self._tell(click, ev.Rerun(at, step, by), client)
            case "shorter":
                self._tell(click, ev.Rerun(at, step, by, minutes=click.ref.minutes), client)
            case "skip":
                self._tell(click, ev.Skipped(at, step, by), client)
            case "back":
                self._tell(click, ev.WentBack(at, step, by), client)
            case "stop":
                self._tell(click, ev.Closed(at, by, "stopped"), client)
            case "window":
                self._prepare_levels(click)
                self._open(click, modals.window(click.incident, step), client)
            case "note":
                self._open(click, modals.note(click.incident), client)
            case "how":
                self._open(click, self._how_view(click), client)
            case "mitigate":
                self._open(click, self._mitigate_view(click), client)
            case other:
                self._whisper(click, f"I don't know what “{other}” should do here.", client)

    def _prepare_levels(self, click: Click) -> None:
        """The menu of values is filled while the form opens."""
        step = click.incident.step(click.ref.step)
        if step is not None:
            self.levels.prepare(click.incident.id, step.scope)

    def _on_catch_up(self, ack: Ack, body: Body, client: WebClient) -> None:
        ack()
        click = self._click(body, client)
        if click is not None:
            said = self.conversation.said(click.incident.id, click.user)
            payload = catch_up(
                click.incident, self.conversation.tree, said, self.conversation.title
            )
            self._whisper(click, str(payload["text"]), client, payload.get("blocks"))

    def _on_submit(self, ack: Ack, body: Body, view: Body, client: WebClient) -> None:
        ref = actions.parse(view.get("private_metadata", ""))
        incident = self.conversation.store.load(ref.incident)
        if incident is None:
            ack()
            return
        parsed = modals.PARSERS[view["callback_id"]](
            view, incident, self.conversation.tree, body["user"]["id"], self.conversation.now()
        )
        if isinstance(parsed, dict):
            ack(response_action="errors", errors=parsed)
            return
        if unseen := self._unseen(incident, parsed):
            ack(response_action="errors", errors={"filters": unseen})
            return
        refusal, field = self.conversation.refusal(incident, parsed), _first_field(view)
        if refusal and field:
            # Said in the form, so that what was typed stays.
            ack(response_action="errors", errors={field: self._named(refusal)})
            return
        ack()
        asker = Asker(body["user"]["id"], *self._home(incident))
        click = Click(asker, ref, incident, trigger="")
        for event in parsed:
            self._tell(click, event, client)

    def _unseen(self, incident: Incident, events: list[Event]) -> str:
        """Why a step can't run again over the traffic that was picked; "" when it can."""
        for event in events:
            step = incident.step(event.step) if isinstance(event, ev.Rerun) else None
            if step is not None and isinstance(event, ev.Rerun) and event.window:
                scope = replace(step.scope, window=event.window)
                return self.levels.unseen(incident.id, scope, event.filters or ())
        return ""

    def _named(self, text: str) -> str:
        """Mentions as names: a form's errors are plain text."""
        name = self.conversation.directory.name
        return re.sub(r"<@([A-Z0-9]+)>", lambda m: name(m[1]), text)

    # -- what a click means ------------------------------------------------------------------

    def _take(self, click: Click) -> Event:
        return ev.Taken(self.conversation.now(), click.user, click.user)

    def _dismiss(self, click: Click) -> Event:
        return ev.Closed(self.conversation.now(), click.user, "not an incident")

    def _snooze(self, click: Click) -> Event:
        now = self.conversation.now()
        until = now + timedelta(minutes=click.ref.minutes or 60)
        return ev.Snoozed(now, click.user, until)

    def _answer(self, click: Click) -> Event:
        return ev.Answered(self.conversation.now(), click.ref.step, click.ref.verdict, click.user)

    def _allow(self, click: Click) -> Event:
        return ev.Allowed(self.conversation.now(), click.ref.step, click.user)

    def _follow(self, click: Click) -> Event | str:
        suspect = actions.suspect_of(click.incident, click.ref)
        if suspect is None:
            return "I no longer know that suspect; use the newest message."
        now = self.conversation.now()
        return ev.Answered(now, click.ref.step, "not_recovering", click.user, (suspect,))

    def _mitigate(self, click: Click) -> Event | str:
        suspect = actions.suspect_of(click.incident, click.ref)
        if suspect is None:
            return "I no longer know that suspect; use the newest message."
        return ev.MitigationAsked(self.conversation.now(), click.user, click.ref.action, suspect)

    def _confirm(self, click: Click) -> Event | str:
        found = click.incident.mitigation(click.ref.mitigation)
        refusal = self.mitigations.refusal(found.action, click.user) if found else ""
        return refusal or ev.MitigationConfirmed(
            self.conversation.now(), click.ref.mitigation, click.user
        )

    def _cancel(self, click: Click) -> Event:
        return ev.MitigationCancelled(self.conversation.now(), click.ref.mitigation, click.user)

    def _accept(self, click: Click) -> Event:
        return ev.HandoffAnswered(self.conversation.now(), click.ref.handoff, click.user, True)

    def _reopen(self, click: Click) -> Event:
        return ev.Reopened(self.conversation.now(), click.user)

    def _place(self, click: Click) -> str:
        known = every(self.conversation.subjects(), cast(Entry, click.ref.kind))
        found = next((s for s in known if actions.short(s.name) == click.ref.name), None)
        if found is None:
            return "I no longer know that name; use the newest message."
        return self.conversation.place(click.incident.id, click.user, found)

    def _export(self, click: Click) -> str:
        channel = click.asker.channel
        self.conversation.export(click.incident.id, channel, click.user, click.ref.option)
        return ""

    def _choose_view(self, click: Click) -> Body:
        return modals.choose(click.incident, click.ref.step, self.conversation.tree)

    def _how_view(self, click: Click) -> Body:
        return modals.how(click.incident, click.ref.step, self.conversation.tree)

    def _mitigate_view(self, click: Click) -> Body:
        return modals.mitigate(click.incident, self.mitigations)

    # -- back to the person ------------------------------------------------------------------

    def _click(self, body: Body, client: WebClient) -> Click | None:
        asker = _beneath(body)
        try:
            ref = actions.of(body["actions"][0])
        except BadValue as error:
            whisper(client, asker, str(error))
            return None
        incident = self.conversation.store.load(ref.incident)
        if incident is None:
            text = f"I no longer know {ref.incident}; `/hawkeye incidents` lists what I know."
            whisper(client, asker, text)
            return None
        if not self.conversation.may_see(incident.id, asker.user) and not asker.channel:
            return None
        return Click(asker, ref, incident, body.get("trigger_id", ""))

    def _tell(self, click: Click, event: Event | str, client: WebClient) -> None:
        text = event if isinstance(event, str) else self.conversation.tell(click.incident.id, event)
        if text:
            self._whisper(click, text, client)

    def _open(self, click: Click, view: Body, client: WebClient) -> None:
        open_form(client, click.trigger, view, click.asker)

    def _whisper(self, click: Click, text: str, client: WebClient, blocks: object = None) -> None:
        whisper(client, click.asker, text, blocks)

    def _home(self, incident: Incident) -> tuple[str, str]:
        for place in self.conversation.store.places(incident.id):
            ts = place.thread or self.conversation.outbox.message(
                incident.id, place.channel, "root"
            )
            return place.channel, ts
        return "", ""


def _beneath(body: Body) -> Asker:
    """Who clicked; an answer stands in the thread of the message, or begins beneath it."""
    asker, container = Asker.of(body), body.get("container") or {}
    if asker.thread or container.get("is_ephemeral"):
        return asker
    return replace(asker, thread=str(container.get("message_ts") or ""))


def _first_field(view: Body) -> str:
    return next((str(b["block_id"]) for b in view.get("blocks", ()) if b["type"] == "input"), "")
