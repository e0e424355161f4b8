"""Shortcuts: start a triage from anywhere, or from a message; put a message into the record;
catch up."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from slack_bolt import Ack, App
from slack_sdk import WebClient

from handlers import blocks as b
from handlers.alerts.placing import mentioned
from handlers.alerts.shared import Known
from handlers.conversation import Conversation
from handlers.desk import every
from handlers.forms import open_form
from handlers.messages.summary import catch_up
from handlers.modals.triage import Start, parse_triage, triage_form
from handlers.pins import Pins, message_at
from handlers.reading import moment_in, when, words_of
from handlers.record.plain import plain
from handlers.triage import FORM, begin, on_it
from handlers.whispers import Asker
from state.preferences import preferences

Body = dict[str, Any]
GLOBAL = "start_triage"
TRIAGE_THIS, TIMELINE, CATCH_UP = "triage_this", "add_to_timeline", "catch_me_up"
ORDER = {"metric": 0, "feature": 1, "model": 2}


class Shortcuts:
    """Registers the shortcuts and their forms with Bolt."""

    def __init__(self, conversation: Conversation, record: Pins) -> None:
        self.conversation = conversation
        self.record = record

    def register(self, app: App) -> None:
        """Tell Bolt about them."""
        app.shortcut(GLOBAL)(self._on_start)
        app.action(FORM)(self._on_start)
        app.shortcut(TRIAGE_THIS)(self._on_triage_this)
        app.shortcut(TIMELINE)(self._on_timeline)
        app.shortcut(CATCH_UP)(self._on_catch_up)
        app.view(FORM)(self._on_triage)
        app.view(TIMELINE)(self._on_picked)
        app.view(CATCH_UP)(self._on_caught_up)

    # -- start a triage ----------------------------------------------------------------------

    def _on_start(self, ack: Ack, body: Body, client: WebClient) -> None:
        ack()
        self._open(body, self._form(Start(), body["user"]["id"]), client)

    def _form(self, start: Start, user: str) -> Body:
        hours = preferences(self.conversation.store, user).window_hours
        return triage_form(start, self.conversation.now() - timedelta(hours=hours))

    def _on_triage_this(self, ack: Ack, body: Body, client: WebClient) -> None:
        ack()
        self._open(body, self._form(self._read(body), body["user"]["id"]), client)

    def _read(self, body: Body) -> Start:
        """What the message tells: a subject, a time; its thread, if no incident is there yet."""
        message, channel = body["message"], str(body["channel"]["id"])
        user = body["user"]["id"]
        text = words_of(message)
        now = self.conversation.now()
        # A simulated clock may run behind the messages' own times.
        said = min(when(str(message.get("ts", ""))) or now, now)
        known = self.conversation.subjects()
        subjects, nodes = mentioned(text, Known(known, now))
        subject = min(subjects, key=lambda s: ORDER[s.entry], default=None)
        if subject is None and nodes:
            subject = known.nodes.get(nodes[0])
        told = moment_in(text, said, self.conversation.zone(user))
        thread = str(message.get("thread_ts") or message.get("ts") or "")
        taken = self.conversation.store.incident_in(channel, thread)
        found = [f"{subject.entry} {b.code(subject.name)}"] if subject else []
        found += [f"the time {b.clock(told, now)}"] if told else []
        read = b.listed(found) or "neither a name that I know nor a time"
        return Start(
            channel,
            "" if taken else thread,
            subject,
            min(told or said, now - timedelta(minutes=1)),
            b.clip(" ".join(plain(str(message.get("text") or "") or text).split()), 500),
            f"I read {read} in the message. The thread opens "
            + (f"beside {taken}, whose thread this is." if taken else "under it."),
        )

    def _on_triage(self, ack: Ack, body: Body, view: Body) -> None:
        """Open it, or say beside the field why not; what was typed stays."""
        desk, user = self.conversation, body["user"]["id"]
        wanted = parse_triage(view, user, desk.now(), every(desk.subjects()))
        if isinstance(wanted, dict):
            ack(response_action="errors", errors=wanted)
            return
        found = on_it(wanted, desk)
        if found is not None:
            text = f"{found.id} is on it already. Tick the last box to open another one."
            ack(response_action="errors", errors={"subject": text})
            return
        told = begin(wanted, desk)
        shown = b.modal("started", "Started", "", told.blocks or (b.section(told.text),))
        ack(response_action="update", view=shown)

    # -- the record --------------------------------------------------------------------------

    def _on_timeline(self, ack: Ack, body: Body, client: WebClient) -> None:
        ack()
        channel, message = str(body["channel"]["id"]), body["message"]
        user = body["user"]["id"]
        meant = self._visible(self.record.meant(channel, message), user)
        if len(meant) == 1:
            self.record.put_in(meant[0], channel, message)
            text = f"📌 It is in the record of {self._name(meant[0])} now."
            self._open(body, b.notice_of("Add to timeline", text), client)
            return
        keep = f"{channel}:{message.get('ts', '')}"
        self._open(body, _pick(TIMELINE, "Add to timeline", keep, "Add"), client)

    def _on_picked(self, ack: Ack, body: Body, view: Body, client: WebClient) -> None:
        incident = _picked(view)
        channel, _, ts = str(view.get("private_metadata") or "").partition(":")
        if not self.conversation.may_see(incident, body["user"]["id"]):
            ack(response_action="errors", errors={"incident": "Pick an incident of the list."})
            return
        message = message_at(client, channel, ts)
        if message is None:
            text = "I can't read that message: invite me to its channel first (/invite @hawkeye)."
            ack(response_action="errors", errors={"incident": text})
            return
        ack()
        self.record.put_in(incident, channel, message)

    # -- catch up ----------------------------------------------------------------------------

    def _on_catch_up(self, ack: Ack, body: Body, client: WebClient) -> None:
        ack()
        channel, user = str(body["channel"]["id"]), body["user"]["id"]
        meant = self._visible(self.record.meant(channel, body["message"]), user)
        if len(meant) == 1:
            self._open(body, self._caught_up(meant[0], user), client)
        else:
            self._open(body, _pick(CATCH_UP, "Catch me up", "", "Show"), client)

    def _on_caught_up(self, ack: Ack, body: Body, view: Body) -> None:
        incident, user = _picked(view), body["user"]["id"]
        if self.conversation.may_see(incident, user):
            ack(response_action="update", view=self._caught_up(incident, user))
        else:
            ack(response_action="errors", errors={"incident": "Pick an incident of the list."})

    def _caught_up(self, incident_id: str, user: str) -> Body:
        incident = self.conversation.store.load(incident_id)
        if incident is None:
            return b.notice("Catch me up", f"I know no {incident_id} any more.")
        said = self.conversation.said(incident_id, user)
        told = catch_up(incident, self.conversation.tree, said, self.conversation.title)
        blocks = told["blocks"] if isinstance(told["blocks"], list) else []
        return b.modal("caught_up", "Catch me up", "", blocks)

    # -- shared ------------------------------------------------------------------------------

    def _visible(self, incidents: list[str], user: str) -> list[str]:
        return [i for i in incidents if self.conversation.may_see(i, user)]

    def _name(self, incident: str) -> str:
        return b.link(self.conversation.link(incident), incident)

    def _open(self, body: Body, view: Body, client: WebClient) -> None:
        open_form(client, str(body.get("trigger_id", "")), view, Asker.of(body))


def _pick(callback: str, title: str, keep: str, submit: str) -> Body:
    """Which incident is meant, where the place does not say."""
    element = {
        "type": "external_select",
        "action_id": "incident",
        "min_query_length": 0,
        "placeholder": b.plain("An open incident", 150),
    }
    return b.modal(callback, title, keep, [b.entry("incident", "Which one?", element)], submit)


def _picked(view: Body) -> str:
    entry = view.get("state", {}).get("values", {}).get("incident", {}).get("incident", {})
    return str((entry.get("selected_option") or {}).get("value") or "")
