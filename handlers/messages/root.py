"""The one living message of an incident: headline, state, owner, chart, what to press."""

from __future__ import annotations

from analysis.evidence import Chart
from handlers import blocks as b
from handlers.actions import value
from handlers.blocks import Block
from handlers.messages import alerts, calls, puzzle, words
from handlers.messages.view import View
from state.incident import Incident, Step
from state.tree import Tree

HARMLESS = {"false_alarm", "world"}
_WAITS = {"failed": "needs you", "running": "looking", "over": "asks for more"}
SNOOZES = ((15, "15 minutes"), (60, "1 hour"), (240, "4 hours"), (720, "12 hours"))
NOTES = 2
"""The newest notes are shown on the first message; all of them in a hand-off."""


def root(incident: Incident, tree: Tree, view: View) -> dict[str, object]:
    """The payload of the root message."""
    if incident.part_of:
        return _elsewhere(incident, view)
    light, state = _light(incident), _state(incident, tree)
    name = b.line(incident.alert.title or incident.alert.subject, 200) or incident.id
    story = _story(incident, tree, view)
    blocks = [b.section(f"{light} *{name}*" + (f"\n{story}" if story else ""))]
    blocks.append(b.context(" · ".join(_facts(incident, state, view))))
    blocks += [b.context(f"Note: {words.note(n, incident)}") for n in incident.notes[-NOTES:]]
    chart = _chart(incident, tree)
    if chart:
        blocks.append(b.image(chart))
    if not view.primary and view.home_link:
        blocks.append(b.context(b.link(view.home_link, "Go to the thread with every step")))
    blocks += b.actions(*(puzzle.buttons(incident, view) or _buttons(incident)))
    return b.message(f"{light} {name} — {state}", blocks)


def _elsewhere(incident: Incident, view: View) -> dict[str, object]:
    """One that turned out to be part of another: two lines, and where it goes on."""
    name = b.line(incident.alert.title or incident.alert.subject, 200) or incident.id
    on = f"The same cause as {view.incident(incident.part_of)}: it goes on there."
    facts = [b.line(incident.id, 40), f"since {b.clock(incident.alert.since, incident.opened_at)}"]
    blocks = [b.section(f"⚪ *{name}*\n{on}"), b.context(" · ".join(facts))]
    blocks += b.actions(b.button("Reopen", "reopen", value(i=incident.id)))
    return b.message(f"⚪ {name} — part of {b.line(incident.part_of, 40)}", blocks)


def _light(incident: Incident) -> str:
    if incident.status == "resolved":
        return "🟢"
    if incident.status == "closed":
        return "⚪"
    return "🟠" if incident.owner else "🔴"


def _story(incident: Incident, tree: Tree, view: View) -> str:
    """What is known in a sentence: the alert's words, the finding that was confirmed, the cause.

    A finding that waits for its answer stands in its own message alone.
    """
    if not incident.is_open:
        return _ending(incident, tree, view)
    if incident.puzzle:
        return puzzle.story(incident)
    if incident.causes and incident.status != "diagnosing":
        causes = "; ".join(words.cause_words(tree, c) for c in incident.causes[:3])
        return f"{causes}."
    first = _first(incident)
    if first and first.evidence and first.answer and not first.answer.override:
        return b.line(first.evidence.headline, 900, words.looked(first.evidence))
    return b.line(incident.alert.detail, 300)


def _ending(incident: Incident, tree: Tree, view: View) -> str:
    parts: list[str] = [words.cause_words(tree, c) for c in incident.causes[:3]]
    if incident.outcome not in ("", "resolved"):
        parts = [b.line(incident.outcome, 60).capitalize(), *parts]
    parts += [
        f"{b.line(view.title(m.action), 60).lower()} {b.code(m.target.name)}"
        f" at {b.clock(m.done_at, incident.opened_at)}"
        for m in incident.mitigations
        if m.status == "done" and m.mends and m.done_at
    ][:2]
    parts += [words.minutes(incident), words.answers(incident, tree)]
    text = " · ".join(p for p in parts if p)
    way = words.path(incident, tree)
    todo = "".join(f"\n☐ {b.line(one, 200)}" for one in incident.follow_ups[:5])
    return text + (f"\nPath: {way}" if way and incident.causes else "") + todo


def _first(incident: Incident) -> Step | None:
    return incident.live_steps[0] if incident.live_steps else None


def _chart(incident: Incident, tree: Tree) -> Chart | None:
    """The metric when it left its band; of an incident that is over, when it came back."""
    shown = [s for s in incident.live_steps if s.evidence and s.evidence.charts]
    back = [s for s in shown if s.node == tree.recovery]
    first = (back[-1:] if not incident.is_open else []) or shown[:1]
    return first[0].evidence.charts[0] if first and first[0].evidence else None


def _state(incident: Incident, tree: Tree) -> str:
    """Who has it and where the walk is, in mrkdwn."""
    if not incident.is_open:
        by = f" by {b.person(incident.closed_by)}" if incident.closed_by else ""
        return f"{b.line(incident.outcome, 40) or incident.status}{by}"
    who = f"{b.person(incident.owner)} has it" if incident.owner else _unowned(incident, tree)
    return f"{who} · {_place(incident, tree)}"


def _unowned(incident: Incident, tree: Tree) -> str:
    """Who answers looks into it, and may still be nobody who has it."""
    by = [s.answer.by for s in words.answered(incident, tree) if s.answer and s.answer.by]
    return f"{b.person(by[-1])} answers, nobody has it yet" if by else "nobody has it yet"


def _place(incident: Incident, tree: Tree) -> str:
    if incident.status == "watching":
        measured = incident.current is not None and incident.current.status == "proposed"
        return "mitigated, is it back?" if measured else "mitigated, watching the recovery"
    if incident.status == "concluded":
        kinds = {c.kind for c in incident.causes} - {"unknown"}
        if not kinds:
            return "no cause found, over to you"
        return (
            "cause found, not resolved yet" if kinds - HARMLESS else "nothing broke, not closed yet"
        )
    step = incident.current
    if incident.puzzle:
        return "what is it about?"
    if step is None:
        return "starting"
    if step.node == tree.recovery:
        return "is it back?"
    what = _WAITS.get(step.status, "waits for an answer")
    node = words.node_of(tree, step.node)
    asked = f": {b.line(node.title, 60)}" if node else ""
    return f"{words.place(incident, tree, step)}{asked} ({what})"


def _facts(incident: Incident, state: str, view: View) -> list[str]:
    facts = [b.line(incident.id, 40), f"severity {incident.severity}", state]
    if alerts.worth_telling(incident):
        facts.append(alerts.counted(incident))
    if incident.is_open and incident.snoozed_until and incident.snoozed_until > view.now:
        facts.append(f"quiet until {b.clock(incident.snoozed_until, incident.opened_at)}")
    offered = next((h for h in incident.handoffs if h.status == "offered"), None)
    if incident.is_open and offered:
        facts.append(f"offered to {b.person(offered.to)}")
    called = calls.fact(incident)
    if called:
        facts.append(called)
    facts.append(f"since {b.clock(incident.alert.since, incident.opened_at)}")
    source = b.link(incident.alert.url, "the alert")
    return [*facts, source] if source != "the alert" else facts


EXPORTS = (
    ("pdf", "PDF"),
    ("html", "Web page"),
    ("md", "Markdown"),
    ("ipynb", "Notebook"),
    ("json", "JSON"),
)


def export_menu(incident: Incident) -> Block:
    """The record as a file, in a format of one's choice."""
    options = [b.option(title, value(i=incident.id, o=form)) for form, title in EXPORTS]
    return b.select("export", "Export", options)


def _buttons(incident: Incident) -> list[Block]:
    ref = value(i=incident.id)
    catch_up = b.button("Catch me up", "catchup", ref)
    if not incident.is_open:
        return [export_menu(incident), b.button("Reopen", "reopen", ref), catch_up]
    if incident.owner:
        return [
            b.button("Hand off…", "handoff", ref),
            catch_up,
            b.button("Resolve…", "resolve", ref),
            b.button("Take it over", "take", ref),
        ]
    naps = [b.option(text, value(i=incident.id, t=t)) for t, text in SNOOZES]
    return [
        b.button("Take it", "take", ref, style="primary"),
        b.button("Not an incident", "dismiss", ref),
        b.select("snooze", "Snooze", naps),
        catch_up,
    ]
