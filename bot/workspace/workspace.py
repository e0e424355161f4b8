"""The workspace with the acts of its people: say, click, choose, submit, react, run a command.

Each act returns once the app that it concerns has acknowledged, or raises what the person would
see: ``operation_timeout`` after three seconds without an answer, ``dispatch_failed`` when no app
is there.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Any

from bot.workspace import answers, dialogs, elements, events, files, payloads, views
from bot.workspace.apps import App, Execution, Shortcut, View
from bot.workspace.compose import linked
from bot.workspace.delivery import Envelope
from bot.workspace.message_shapes import file_json
from bot.workspace.model import Json, Message, SlackError, User
from bot.workspace.people import People
from bot.workspace.shapes import view_json
from bot.workspace.transcript import transcript

WAIT_MARGIN = 1.0  # seconds beyond the ack timeout in which the transport reports the timeout


@dataclass(frozen=True)
class Submission:
    """What became of a submitted modal; ``errors`` by block_id keep it open."""

    ok: bool
    errors: dict[str, str] = field(default_factory=dict)


@dataclass
class Workspace(People):
    """A workspace whose people can act. Thread-safe."""

    # Interactions

    def command(self, user: str | User, channel: str, line: str) -> Envelope:
        """Run a slash command, such as "/hawkeye status".

        Raises:
            SlackError: unknown_command, operation_timeout, dispatch_failed.
        """
        person, place = self._person(user), self.channel(channel)
        name, _, text = line.strip().partition(" ")
        for app in self.apps.values():
            for declared in app.commands:
                if declared.command == name:
                    if declared.should_escape:
                        text = linked(self, text, labels=True)
                    body = payloads.slash_command(self, app, person, place, name, text.strip())
                    sent = Envelope(app.id, "slash_commands", name, body, accepts_response=True)
                    self._dispatch(sent)
                    answers.acknowledge_command(self, app, person.id, place.id, sent.response)
                    return sent
        raise SlackError("unknown_command")

    def _dispatch(self, envelope: Envelope) -> Envelope:
        """Send and wait for the acknowledgement."""
        self.deliveries.send(envelope)
        if not envelope.done.wait(2 * self.ack_timeout + WAIT_MARGIN):
            self.deliveries.fail(envelope, "timeout")
        if envelope.error == "timeout":
            raise SlackError("operation_timeout")
        if envelope.error:
            raise SlackError("dispatch_failed", reason=envelope.error)
        return envelope

    def _interact(self, app: App, body: Json, *, answered: bool = False) -> Envelope:
        name = str(body["type"])
        return self._dispatch(Envelope(app.id, "interactive", name, body, answered))

    def place(
        self, user: User, channel: str | None, ts: str | None, view_id: str | None
    ) -> Message | View:
        """The message or the view that an act is about, if this user can see it.

        Raises:
            SlackError: message_not_found, not_found.
        """
        if view_id:
            view = self.view(view_id)
            if view.user != user.id:
                raise SlackError("not_found")
            return view
        message = self.message(channel or "", ts or "")
        if message.ephemeral_to not in (None, user.id):
            raise SlackError("message_not_found")
        if not self.may_see(user.id, self.channels[message.channel]):
            raise SlackError("channel_not_found")
        return message

    def click(
        self,
        user: str | User,
        channel: str | None = None,
        ts: str | None = None,
        *,
        view_id: str | None = None,
        action_id: str | None = None,
        block_id: str | None = None,
        text: str | None = None,
        option: str | None = None,
        state: Json | None = None,
        **value: Any,
    ) -> Envelope:
        """Press a button or choose in a menu, of a message or (``view_id``) of a view.

        The element is named by its ``action_id`` or by the ``text`` it shows. A choice is given as
        ``option`` (the value or the label of one of its options) or as Slack's own field, such as
        ``selected_user="U1"``. ``state`` is what else has been entered on that surface.

        Raises:
            LookupError: there is no such element or option; says which there are.
            SlackError: message_not_found, operation_timeout, dispatch_failed, …
        """
        person = self._person(user)
        place = self.place(person, channel, ts, view_id)
        blocks = place.body["blocks"] if isinstance(place, View) else place.all_blocks()
        chosen: Json | None = None
        if action_id:
            block, element = elements.find(blocks, action_id, block_id, value.get("value"))
        elif text:
            block, element, chosen = elements.find_text(blocks, text)
        else:
            raise LookupError("name the element by action_id or by text")
        if option is not None:
            chosen = elements.option_named(element, option)
        action = elements.action(element, block, value, chosen, self.new_ts())
        self._enter(person, place, action, state)
        app = self._owner(place)
        return self._interact(app, payloads.block_actions(self, app, person, place, action))

    def press(
        self,
        user: str | User,
        channel: str,
        ts: str,
        name: str,
        *,
        value: str | None = None,
        attachment_id: int | None = None,
    ) -> Envelope:
        """Press a button or choose in a menu of a legacy attachment, by the action's ``name``.

        ``value`` tells apart buttons of one name, and is what is chosen in a menu.

        Raises:
            LookupError: there is no such action.
            SlackError: message_not_found, operation_timeout, dispatch_failed.
        """
        person = self._person(user)
        message = self.place(person, channel, ts, None)
        assert isinstance(message, Message)
        for part in message.attachments:
            for action in part.get("actions") or []:
                same = action.get("type") == "select" or value in (None, action.get("value"))
                if action.get("name") == name and same and attachment_id in (None, part["id"]):
                    app = self._owner(message)
                    taken = elements.legacy_action(action, value)
                    body = payloads.attachment_action(self, app, person, message, part, taken)
                    sent = self._interact(app, body, answered=True)
                    answers.acknowledge_attachment(self, app, person.id, message, sent.response)
                    return sent
        raise LookupError(f"no action {name!r} with value {value!r} in this message")

    def _owner(self, place: Message | View) -> App:
        if place.app_id is None:
            raise SlackError("app_not_found")
        return self.app(place.app_id)

    def _enter(self, person: User, place: Message | View, action: Json, state: Json | None) -> None:
        """Keep what was entered, the choice of this very action included."""
        entered: Json = self._with_files(person, state)
        if action["type"] in elements.STATEFUL:
            key = elements.STATEFUL[action["type"]][0]
            entry = {"type": action["type"], key: action.get(key)}
            entered.setdefault(action["block_id"], {})[action["action_id"]] = entry
        with self.lock:
            if isinstance(place, View):
                place.values = elements.merged(place.values, entered)
            else:
                now = payloads.values_of(place, person.id)
                place.entered[person.id] = elements.merged(now, entered)

    def _with_files(self, person: User, state: Json | None) -> Json:
        """What was entered, by block and action, the files (ids or objects) as Slack's objects.

        Raises:
            SlackError: file_not_found, for one that this person has not attached.
        """
        entered: Json = {}
        for block_id, actions in ((state or {}).get("values", state or {})).items():
            for action_id, entry in actions.items():
                kept = dict(entry)
                if isinstance(kept.get("files"), list):
                    ids = [str(f["id"] if isinstance(f, dict) else f) for f in kept["files"]]
                    kept["files"] = [self._own_file(person, id) for id in ids]
                entered.setdefault(block_id, {})[action_id] = kept
        return entered

    def _own_file(self, person: User, id: str) -> Json:
        file = files.find(self, id)
        if file.user != person.id:
            raise SlackError("file_not_found")
        return file_json(self, file)

    def options(
        self,
        user: str | User,
        value: str,
        *,
        action_id: str,
        channel: str | None = None,
        ts: str | None = None,
        view_id: str | None = None,
        block_id: str | None = None,
    ) -> Json:
        """What an external select offers for the typed text: {"options": […]} or groups."""
        person = self._person(user)
        place = self.place(person, channel, ts, view_id)
        blocks = place.body["blocks"] if isinstance(place, View) else place.all_blocks()
        block, _ = elements.find(blocks, action_id, block_id)
        app, ids = self._owner(place), (str(block["block_id"]), action_id)
        if isinstance(place, View) and place.dialog:
            more = {"name": ids[0], "value": value}
            body = payloads.dialog(self, app, person, place, "dialog_suggestion", **more)
            return answers.dialog_options(self._interact(app, body, answered=True).response)
        body = payloads.block_suggestion(self, app, person, place, ids, value)
        return answers.options(self._interact(app, body, answered=True).response)

    def shortcut(
        self,
        user: str | User,
        callback_id: str,
        channel: str | None = None,
        ts: str | None = None,
    ) -> Envelope:
        """Run a global shortcut, or with ``channel`` and ``ts`` a message shortcut."""
        person = self._person(user)
        app, declared = self._declared(callback_id, "message" if ts else "global")
        if declared.type == "message":
            message = self.message(channel or "", ts or "")
            body = payloads.message_shortcut(self, app, person, callback_id, message)
        else:
            body = payloads.global_shortcut(self, app, person, callback_id)
        return self._interact(app, body)

    def _declared(self, callback_id: str, kind: str) -> tuple[App, Shortcut]:
        for app in self.apps.values():
            for shortcut in app.shortcuts:
                if shortcut.callback_id == callback_id and shortcut.type == kind:
                    return app, shortcut
        raise SlackError("unknown_shortcut")

    def run_function(
        self, user: str | User, app_id: str, callback_id: str, inputs: Json | None = None
    ) -> Execution:
        """Let a workflow come to an app's custom step; it ends when the app says so."""
        person, app = self._person(user), self.app(app_id)
        with self.lock:
            id, token = self.new_id("Fx"), f"xwfp-{secrets.token_hex(12)}"
            made = Execution(id, app.id, callback_id, person.id, token, inputs or {})
            self.executions[id] = made
        events.function_executed(self, app, made)
        return made

    def open_home(self, user: str | User, app_id: str | None = None) -> None:
        """Look at an app's Home tab: sends app_home_opened and does not wait."""
        person = self._person(user)
        app = self.app(app_id) if app_id else next(iter(self.apps.values()))
        channel = self.direct_message(person, app.user_id)
        view = self.homes.get((app.id, person.id))
        shown = view_json(self, view) if view else None
        events.home_opened(self, app, person.id, channel.id, shown)

    # Modals

    def modal(self, user: str | User) -> View | None:
        """The modal on top in front of this person."""
        stack = self.modals.get(self._person(user).id) or []
        return stack[-1] if stack else None

    def submit(self, user: str | User, view_id: str, state: Json | None = None) -> Submission:
        """Submit a modal with what was entered: {block_id: {action_id: {"value": …}}}.

        Raises:
            SlackError: not_found, operation_timeout, or what was wrong with the app's answer.
        """
        person = self._person(user)
        view = self.view(view_id)
        if view.user != person.id or view.body["type"] != "modal":
            raise SlackError("not_found")
        with self.lock:
            view.values = elements.merged(view.values, self._with_files(person, state))
        wrong = elements.problems_of_input(view.body["blocks"], view.values)
        if wrong:
            return Submission(ok=False, errors=wrong)
        app = self.app(view.app_id)
        if view.dialog:
            return self._submit_dialog(app, person, view)
        body = payloads.view_submission(self, app, person, view)
        response = self._interact(app, body, answered=True).response
        errors = answers.acknowledge_submission(self, app, view, response)
        return Submission(ok=not errors, errors=errors)

    def _submit_dialog(self, app: App, person: User, view: View) -> Submission:
        entered = dialogs.submission(view)
        body = payloads.dialog(self, app, person, view, "dialog_submission", submission=entered)
        wrong = dialogs.errors(self._interact(app, body, answered=True).response)
        if not wrong:
            views.pop(self, view)
        return Submission(ok=not wrong, errors=wrong)

    def close(self, user: str | User, view_id: str, *, everything: bool = False) -> None:
        """Close a modal; the app hears of it if it asked to."""
        person, view = self._person(user), self.view(view_id)
        if view.user != person.id or view.body["type"] != "modal":
            raise SlackError("not_found")
        stack = list(self.modals.get(person.id, []))
        cleared = everything or bool(view.body.get("clear_on_close"))
        gone = stack if cleared else [view]
        (views.clear if cleared else views.pop)(self, view)
        for one in reversed(gone):
            if one.body.get("notify_on_close"):
                app = self.app(one.app_id)
                if one.dialog:
                    body = payloads.dialog(self, app, person, one, "dialog_cancellation")
                else:
                    body = payloads.view_closed(self, app, person, one, cleared=cleared)
                self.deliveries.send(Envelope(app.id, "interactive", str(body["type"]), body))

    def transcript(self, channel: str | None = None) -> Json:
        """Channels, messages, threads, files, with every edit version, as JSON."""
        return transcript(self, channel)
