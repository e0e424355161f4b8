"""The Home tab: what waits for one person, what is open, how the monitors do, their settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from handlers import blocks as b
from handlers.actions import value
from handlers.blocks import Block
from handlers.desk import Subject
from handlers.messages import words
from state.incident import Incident
from state.preferences import Preferences, window_words
from state.tree import Tree

MOST_WAITING, MOST_OPEN, MOST_MONITORS, MOST_HANDOFFS = 8, 15, 40, 6
MONITORS_A_BLOCK = 8
BARS = "▁▂▃▄▅▆▇█"
GAP = "·"
_STATES = {
    "running": "looking",
    "failed": "could not look",
    "over": "asks for more",
    "watching": "watching",
}
_ASKS = {
    "proposed": "waits for your answer",
    "failed": "could not look",
    "over": "asks whether it may go over its budget",
}


@dataclass(frozen=True)
class Monitor:
    """One monitored thing: ``values`` are its last 24 hours (None where there is none), oldest
    first; ``inside`` says whether the newest is in its usual range (None: not known).
    ``incident`` is the open one about it, if the reader may know of it."""

    subject: Subject
    values: tuple[float | None, ...] = ()
    inside: bool | None = None
    error: str = ""
    incident: str = ""
    looked_at: datetime | None = None


@dataclass(frozen=True)
class HomeView:
    """Everything that one person's Home shows. ``incidents`` are the open ones that they may
    know of, newest first; ``links`` lead to their threads."""

    user: str
    now: datetime
    incidents: Sequence[Incident]
    links: Mapping[str, str]
    monitors: Sequence[Monitor]
    preferences: Preferences
    watching: bool = True


def home(view: HomeView, tree: Tree) -> Block:
    """The view as views.publish takes it."""
    blocks = [
        *_waiting(view, tree),
        *_open(view, tree),
        *_monitors(view),
        *_handoffs(view),
        *_settings(view.preferences),
        b.context(f"As of {b.clock(view.now)}. `/hawkeye help` lists what else I can do."),
    ]
    return {"type": "home", "callback_id": "home", "blocks": blocks[:100]}


def _head(text: str) -> Block:
    return {"type": "header", "text": b.plain(text, 150)}


# -- what needs me --------------------------------------------------------------------------------


def _waiting(view: HomeView, tree: Tree) -> list[Block]:
    found = [(i, *told) for i in view.incidents if (told := _needs(i, view.user, tree))]
    blocks = [_head("Needs you now")]
    for incident, text, elements in found[:MOST_WAITING]:
        blocks.append(b.section(f"{_name(incident, view)} · {text}"))
        blocks += b.actions(*elements)
    if not found:
        blocks.append(b.section("Nothing waits for you."))
    if len(found) > MOST_WAITING:
        blocks.append(b.context(f"and {len(found) - MOST_WAITING} more below"))
    start = b.button("Start a triage…", "triage", "{}", style="" if found else "primary")
    return [*blocks, *b.actions(start), {"type": "divider"}]


def _needs(incident: Incident, user: str, tree: Tree) -> tuple[str, list[Block]] | None:
    """What an incident wants of this person, with its buttons; None when nothing."""
    ref = value(i=incident.id)
    offer = next((h for h in incident.handoffs if h.status == "offered" and h.to == user), None)
    if offer is not None:
        row = value(i=incident.id, h=offer.id)
        return f"{b.person(offer.by)} hands it over to you: {_title(incident)}", [
            b.button("Accept", "accept", row, style="primary"),
            b.button("Decline…", "decline", row),
        ]
    called = bool(incident.calls) and user in incident.calls[-1].people
    if not incident.owner and (called or incident.alert.by == user):
        take = b.button("Take it", "take", ref, style="primary")
        why = "you are called" if called else "you asked for it, and nobody has it"
        return f"{why}: {_title(incident)}", [take]
    if incident.owner != user or (incident.snoozed_until and incident.current is None):
        return None
    planned = next((m for m in incident.mitigations if m.status == "planned"), None)
    if planned is not None:
        action = b.line(planned.action.replace("_", " "), 60)
        return f"confirm or cancel in its thread: {action} {b.code(planned.target.name)}", []
    step = incident.current
    node = words.node_of(tree, step.node) if step else None
    if step is not None and node is not None and step.status in _ASKS:
        asks = _ASKS[step.status]
        return f"step {step.number} {asks}: {b.line(node.title, 80)}", []
    if step is None and incident.causes:
        return "the cause is known: mitigate it, or resolve", [b.button("Resolve…", "resolve", ref)]
    return None


# -- what is open ---------------------------------------------------------------------------------


def _open(view: HomeView, tree: Tree) -> list[Block]:
    blocks = [_head(f"Open incidents · {len(view.incidents)}")]
    if not view.incidents:
        blocks.append(b.section("No incident is open."))
    for incident in view.incidents[:MOST_OPEN]:
        who = f"{b.person(incident.owner)} has it" if incident.owner else "*nobody has it*"
        age = b.span(view.now - incident.opened_at)
        facts = f"severity {incident.severity} · {who} · {_step(incident, tree)} · {age}"
        if incident.snoozed_until and incident.snoozed_until > view.now:
            facts += f" · quiet until {b.clock(incident.snoozed_until, view.now)}"
        light = "🟠" if incident.owner else "🔴"
        take = None
        if not incident.owner:
            take = b.button("Take it", "take", value(i=incident.id))
        text = f"{light} {_name(incident, view)} {_title(incident)}\n{facts}"
        blocks.append(b.section(text, take))
    more = len(view.incidents) - MOST_OPEN
    if more > 0:
        blocks.append(b.context(f"and {more} older ones: `/hawkeye incidents`"))
    return [*blocks, {"type": "divider"}]


def _step(incident: Incident, tree: Tree) -> str:
    step = incident.current
    if step is None:
        causes = "; ".join(words.cause_words(tree, c) for c in incident.causes[:2])
        return causes or "no step waits"
    node = words.node_of(tree, step.node)
    tail = f" ({_STATES[step.status]})" if step.status in _STATES else ""
    return f"step {step.number}: {b.line(node.title if node else step.node, 80)}{tail}"


def _title(incident: Incident) -> str:
    return b.line(incident.alert.title or incident.alert.subject, 140)


def _name(incident: Incident, view: HomeView) -> str:
    return f"*{b.link(view.links.get(incident.id, ''), incident.id)}*"


# -- monitors -------------------------------------------------------------------------------------


def _monitors(view: HomeView) -> list[Block]:
    title = "Monitors" if view.watching else "Metrics"
    blocks = [_head(f"{title} · the last 24 hours")]
    lines = [_monitor(m, view) for m in view.monitors[:MOST_MONITORS]]
    blocks += [
        b.section("\n".join(lines[at : at + MONITORS_A_BLOCK]))
        for at in range(0, len(lines), MONITORS_A_BLOCK)
    ]
    if not lines:
        blocks.append(b.section("Nothing is watched where you can read."))
    elif not view.watching:
        blocks.append(b.context("No monitor is on: see `[monitors]` in hawkeye.toml."))
    more = len(view.monitors) - MOST_MONITORS
    if more > 0:
        blocks.append(b.context(f"and {more} more"))
    return [*blocks, {"type": "divider"}]


def _monitor(one: Monitor, view: HomeView) -> str:
    name = b.code(one.subject.name)
    kind = "" if one.subject.entry == "metric" else f" ({one.subject.entry})"
    if one.error:
        return f"⚠ {name}{kind} can't be looked at: {b.line(one.error, 160)}"
    light, state = {
        None: ("⚪", "no value yet"),
        True: ("🟢", "in range"),
        False: ("🔴" if one.incident else "🟠", "out of range"),
    }[one.inside]
    if one.incident:
        # Somebody may have asked about it though it is as usual: an incident alone is no alarm.
        state += f", {b.link(view.links.get(one.incident, ''), one.incident)} is on it"
    newest = next((v for v in reversed(one.values) if v is not None), None)
    figure = f" {b.figure(newest)}" if newest is not None else ""
    drawn = f" {spark(_pairs(one.values))}" if newest is not None else ""
    return f"{light}{drawn} {name}{kind}{figure} · {state}"


def _pairs(values: Sequence[float | None]) -> list[float | None]:
    """Means of two hours each: half as long a line, which leaves a phone room for the name."""
    pairs = [[v for v in values[at : at + 2] if v is not None] for at in range(0, len(values), 2)]
    return [sum(pair) / len(pair) if pair else None for pair in pairs]


def spark(values: Sequence[float | None]) -> str:
    """The values as a line of blocks, the least at the bottom and the most at the top."""
    known = [v for v in values if v is not None]
    if not known:
        return GAP * len(values)
    low, wide = min(known), max(known) - min(known)
    top = len(BARS) - 1

    def bar(v: float | None) -> str:
        if v is None:
            return GAP
        return BARS[round(top * (v - low) / wide)] if wide else BARS[top // 2]

    return "".join(map(bar, values))


# -- hand-offs and settings -----------------------------------------------------------------------


def _handoffs(view: HomeView) -> list[Block]:
    lines = []
    for incident in view.incidents:
        for h in incident.handoffs:
            if view.user not in (h.by, h.to):
                continue
            state = "waits for an answer" if h.status == "offered" else h.status
            way = f"{b.person(h.by)} → {b.person(h.to)}"
            lines.append(f"{_name(incident, view)} · {way}, {b.clock(h.at, view.now)}: {state}")
    text = "\n".join(lines[-MOST_HANDOFFS:]) or "None with you in an open incident."
    return [_head("Your hand-offs"), b.section(text), {"type": "divider"}]


def _settings(chosen: Preferences) -> list[Block]:
    quiet = "none"
    if chosen.has_quiet:
        quiet = f"{chosen.quiet_from} to {chosen.quiet_until}, your time"
    dm = "yes" if chosen.dm else "no"
    text = (
        f"*Quiet hours:* {quiet}\n*Direct message when I call, ask or assign you:* {dm}\n"
        f"*A triage looks back:* {window_words(chosen.window_hours)}"
    )
    change = b.button("Change…", "settings", "{}")
    return [_head("Your settings"), b.section(text, change)]
