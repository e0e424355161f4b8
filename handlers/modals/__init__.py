"""The forms: choose a branch, another window, a note, hand off, resolve, mitigate, how.

A form's ``callback_id`` is its name, its ``private_metadata`` a value of :mod:`handlers.actions`,
and each field's ``block_id`` and ``action_id`` is the field's name. :data:`PARSERS` reads them
back: events, or the errors by field, so that what was typed stays.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from handlers import blocks as b
from handlers.actions import everyone, key, short, value
from handlers.blocks import Block
from handlers.messages import words
from handlers.messages.buttons import ways
from handlers.mitigations import Mitigations
from handlers.modals.how import how
from handlers.modals.parse import PARSERS, cause_names
from handlers.suggestions import filter_option, filter_value
from state.incident import Incident, Step
from state.tree import Branch, Tree

__all__ = [
    "PARSERS",
    "choose",
    "decline",
    "handoff",
    "how",
    "mitigate",
    "note",
    "resolve",
    "window",
]

View = dict[str, Any]
MOST_OPTIONS = 100
MOST_RADIO = 10


def choose(incident: Incident, number: int, tree: Tree) -> View:
    """Any branch, any suspects, further branches, and why."""
    step = incident.step(number)
    node = words.node_of(tree, step.node) if step else None
    if step is None or node is None or not ways(node):
        return b.notice("Choose", f"Step {number} can no longer be answered; use the newest one.")
    evidence = step.evidence
    branches = ways(node)
    blocks = [b.section(f"*{words.title(tree, step)}*\n{b.line(node.question, 300)}")]
    blocks.append(_branches(step, branches))
    if not _asks_whether_real(tree, branches):
        blocks += _suspects(step)
        other = b.field_text("names", multiline=True, placeholder="One name a line")
        blocks.append(b.entry("names", "A suspect that is not listed", other, optional=True))
        blocks += _also(tree, branches)
    why = b.field_text("why", multiline=True, placeholder="It goes into the record")
    blocks.append(b.entry("why", "Why?", why, optional=True))
    submit = "Go on" if evidence else "Decide"
    return b.modal("choose", "Choose", value(i=incident.id, s=number), blocks, submit)


def _asks_whether_real(tree: Tree, branches: list[Branch]) -> bool:
    """Whether the answers exclude each other and blame nobody: it is real, or it is not."""
    ends = [tree.exit(br.to).kind for br in branches if not tree.is_node(br.to)]
    return "false_alarm" in ends


def _also(tree: Tree, branches: list[Branch]) -> list[Block]:
    """Further branches to follow: those that lead on to a question."""
    onward = [br for br in branches if tree.is_node(br.to)][:MOST_RADIO]
    if len(branches) < 2 or not onward:
        return []
    options = [b.option(br.label, br.verdict) for br in onward]
    element: Block = {"type": "checkboxes", "action_id": "also", "options": options}
    return [b.entry("also", "Look at these as well, afterwards", element, optional=True)]


def _branches(step: Step, branches: list[Branch]) -> Block:
    """Radio buttons, or a menu when there are many; the proposal is picked already."""
    options = [b.option(_way(br), br.verdict) for br in branches]
    proposed = step.evidence.verdict if step.evidence else ""
    picked = next((o for o in options if o["value"] == proposed), None)
    if len(options) <= MOST_RADIO:
        element: Block = {"type": "radio_buttons", "action_id": "verdict", "options": options}
    else:
        element = b.select("verdict", "A branch", options)
    if picked in element["options"]:
        element["initial_option"] = picked
    return b.entry("verdict", "What is it?", element)


def _way(branch: Branch) -> str:
    """A branch in the form: one that points at suspects says where they are."""
    return f"{branch.label} (named below)" if words.points(branch) else branch.label


def _suspects(step: Step) -> list[Block]:
    """The examined suspects, the proposed ones picked already."""
    evidence = step.evidence
    found = {key(s): s for s in (evidence.suspects if evidence else ())}
    if evidence is None or not found:
        return []
    options = {
        k: b.option(s.name, k, f"{b.percent(s.score)} · {s.changed}" if s.changed else "")
        for k, s in list(found.items())[:MOST_OPTIONS]
    }
    element: Block = {
        "type": "multi_static_select",
        "action_id": "suspects",
        "placeholder": b.plain("Pick suspects", 150),
        "options": list(options.values()),
    }
    named = [options[key(s)] for s in evidence.named if key(s) in options]
    if named:
        element["initial_options"] = [o for i, o in enumerate(named) if o not in named[:i]]
    return [b.entry("suspects", "Which suspects?", element, optional=True)]


def window(incident: Incident, number: int) -> View:
    """Another window or other traffic for a step, prefilled with what it looked at."""
    step = incident.step(number)
    if step is None:
        return b.notice("Look again", f"There is no step {number} any more.")
    span = step.scope.window
    blocks = [
        b.section(f"Step {number} runs again over this; later steps are decided anew."),
        b.entry("start", "From", _moment("start", span.start)),
        b.entry("end", "To", _moment("end", min(span.end, step.scope.now))),
        b.entry("filters", "Only the traffic where", _filters(step), optional=True),
    ]
    return b.modal("window", "Look again", value(i=incident.id, s=number), blocks, "Look again")


def _filters(step: Step) -> Block:
    """Values of dimensions; they are looked up while somebody types."""
    element: Block = {
        "type": "multi_external_select",
        "action_id": "filters",
        "min_query_length": 0,
        "placeholder": b.plain("All traffic", 150),
    }
    values = [filter_value(f.dimension, v) for f in step.scope.filters for v in f.values]
    options = [filter_option(v) for v in values if len(v) <= b.OPTION_VALUE]
    if options:
        element["initial_options"] = options
    return element


def _moment(name: str, at: datetime) -> Block:
    element: Block = {"type": "datetimepicker", "action_id": name}
    seconds = int(at.timestamp())
    if 10**9 <= seconds < 10**10:
        element["initial_date_time"] = seconds
    return element


def note(incident: Incident) -> View:
    """A line for the record."""
    text = b.field_text("text", multiline=True, placeholder="Deploy of the feature store at 13:50")
    blocks = [b.entry("text", "What should whoever reads this know?", text)]
    steps = [s for s in incident.live_steps if s.evidence][-MOST_OPTIONS:]
    if steps:
        options = [
            b.option(f"Step {s.number}: {s.evidence.headline if s.evidence else ''}", str(s.number))
            for s in steps
        ]
        element = b.select("step", "None", options)
        blocks.append(b.entry("step", "With the evidence of", element, optional=True))
    link: Block = {
        "type": "url_text_input",
        "action_id": "link",
        "placeholder": b.plain("A message, a dashboard, a pull request", 150),
    }
    blocks.append(b.entry("link", "With a link to", link, optional=True))
    return b.modal("note", "Add a note", value(i=incident.id), blocks, "Add")


def handoff(incident: Incident) -> View:
    """Whom to ask to take over, and in which channel."""
    to: Block = {
        "type": "users_select",
        "action_id": "to",
        "placeholder": b.plain("Pick a person", 150),
    }
    channel: Block = {
        "type": "conversations_select",
        "action_id": "channel",
        "placeholder": b.plain("This channel", 150),
        "filter": {"include": ["public", "private"], "exclude_bot_users": True},
    }
    text = b.field_text("text", multiline=True, placeholder="What only you know so far")
    blocks = [
        b.section("They get the summary of this thread, and accept or decline."),
        b.entry("to", "To whom?", to),
        b.entry("channel", "In their channel", channel, optional=True),
        b.entry("text", "Anything to add?", text, optional=True),
    ]
    return b.modal("handoff", "Hand off", value(i=incident.id), blocks, "Offer")


def decline(incident: Incident, number: int) -> View:
    """Why not."""
    reason = b.field_text("reason", multiline=True, placeholder="It belongs to data-platform")
    blocks = [b.entry("reason", "Why not you?", reason, optional=True)]
    return b.modal("decline", "Decline", value(i=incident.id, h=number), blocks, "Decline")


def resolve(incident: Incident, tree: Tree) -> View:
    """The real cause, prefilled with the conclusion; what people record teaches us."""
    kinds = {e.kind: e for e in tree.exits if e.kind != "resolved"}
    options = [b.option(e.title, kind[: b.OPTION_VALUE], e.meaning) for kind, e in kinds.items()]
    element = b.select("kind", "A cause", options)
    cause = incident.causes[0] if incident.causes else None
    picked = next((o for o in element["options"] if cause and o["value"] == cause.kind), None)
    if picked:
        element["initial_option"] = picked
    names = b.field_text("names", multiline=True, placeholder="One name a line")
    if cause_names(incident):
        names["initial_value"] = cause_names(incident)
    text = b.field_text("text", multiline=True, placeholder="What was done")
    follow = b.field_text("follow_ups", multiline=True, placeholder="One a line, with who does it")
    blocks = [
        b.entry("kind", "What was it?", element, optional=True),
        b.entry("names", "Which one?", names, optional=True),
        b.entry("text", "Anything for the record?", text, optional=True),
        b.entry("follow_ups", "Follow-ups", follow, optional=True),
    ]
    return b.modal("resolve", "Resolve", value(i=incident.id), blocks, "Resolve")


def mitigate(incident: Incident, mitigations: Mitigations) -> View:
    """Every action that can be aimed at a suspect of this incident."""
    options: dict[str, Block] = {}
    for action, target in mitigations.against(everyone(incident)):
        picked = f"{action.name}|{target.kind}|{short(target.name)}"
        if len(picked) <= b.OPTION_VALUE:
            text = f"{action.title}: {b.words(target.name, 40)}"
            options.setdefault(picked, b.option(text, picked, target.changed))
    if not options:
        none = "No suspect so far can be acted on with the mitigations that are set up here."
        return b.notice("Mitigate", none)
    element = b.select("action", "Pick one", list(options.values()))
    blocks = [
        b.section("First I show what it would do. Nothing changes until somebody confirms."),
        b.entry("action", "What should be done?", element),
    ]
    return b.modal("mitigate", "Mitigate", value(i=incident.id), blocks, "Show me")
