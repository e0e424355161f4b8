"""The commands `status` and `incidents`: where things stand, in a line or a few each."""

from __future__ import annotations

from handlers.blocks import clip, clock, code, escape, line, link, listed, person, span
from handlers.desk import Desk
from handlers.messages import words
from handlers.registry import Reply, Request, Unclear, bare, reply
from handlers.tree_text import mark_of
from handlers.typed import Words, named_incident
from state.incident import Incident, Step
from state.outbox import Resting

MONITORS = "monitors"
"""The store's settings in which bot/monitors.py remembers what each monitor saw."""
MOST_LISTED = 10
MOST_UNSENT = 5


def status(request: Request, words: Words, desk: Desk) -> Reply:
    """One incident where it stands; elsewhere all open ones in a line each, and the monitors."""
    wanted = named_incident(words) or request.incident
    if wanted is None:
        found = _seen(desk.store.open_incidents(), request, desk)
        head = f"*{_count(len(found), 'open incident')}*"
        shown = [_line(i, desk) for i in found[-MOST_LISTED:]]
        unsent = _unsent([r for r in desk.resting() if r.incident in {i.id for i in found}])
        return reply("\n".join([head, *shown, *unsent, *monitors(desk)]))
    incident = desk.store.load(wanted)
    if incident is None:
        raise Unclear(f"I know no incident {bare(wanted)}.", ("All incidents", "incidents all"))
    return reply("\n".join(_standing(incident, desk)))


def _standing(incident: Incident, desk: Desk) -> list[str]:
    """One incident in a few lines."""
    lines = [_line(incident, desk)]
    path = [
        f"{mark_of(s)} {escape(_answer(s, desk))} ({person(s.answer.by)})"
        for s in incident.live_steps
        if s.answer
    ]
    lines += path[-6:]
    if incident.causes:
        lines.append(f"*Cause:* {_causes(incident)}")
    waiting = [h for h in incident.handoffs if h.status == "offered"]
    lines += [f"Offered to {person(h.to)}, who has not answered yet." for h in waiting]
    if incident.current and incident.current.error:
        lines.append(f"⚠ {line(incident.current.error)}")
    return lines + _unsent(desk.resting(incident.id))


def _unsent(resting: list[Resting]) -> list[str]:
    """Messages that Slack did not take, the reason once per channel."""
    by_cause: dict[tuple[str, str, str, bool], list[str]] = {}
    for r in resting:
        by_cause.setdefault((r.incident, r.channel, r.error, r.given_up), []).append(r.name)
    lines = []
    for (incident, channel, error, given_up), names in list(by_cause.items())[:MOST_UNSENT]:
        what = f"{_count(len(names), 'message')} of {incident}"
        then = "I gave up on it" if given_up else "I keep trying"
        lines.append(f"⚠ {what} can’t be shown in <#{channel}> ({line(error, 120)}). {then}.")
    return lines


def _answer(step: Step, desk: Desk) -> str:
    if step.answer is None or not desk.tree.is_node(step.node):
        return step.node
    if step.answer.skipped:
        return f"{desk.tree.node(step.node).title} skipped"
    branch = desk.tree.node(step.node).branch(step.answer.verdict)
    names = listed([s.name for s in step.answer.suspects])
    label = branch.label if branch else step.answer.verdict
    return f"{desk.tree.node(step.node).title} {label}" + (f": {names}" if names else "")


def _causes(incident: Incident) -> str:
    told = []
    for cause in incident.causes:
        names = listed([code(s.name) for s in cause.suspects])
        told.append(f"{cause.kind.replace('_', ' ')}{' ' + names if names else ''}")
    return "; ".join(told)


def monitors(desk: Desk) -> list[str]:
    """What there is to say about the monitors: how many watch, and which can't."""
    kept: dict[str, dict[str, str]] = desk.store.settings(MONITORS) or {}
    if not kept:
        return []
    failing = {monitor: seen["error"] for monitor, seen in kept.items() if seen.get("error")}
    lines = [f"*{_count(len(kept), 'monitor')}*" + (f", {len(failing)} failing" if failing else "")]
    for monitor, error in sorted(failing.items())[:5]:
        lines.append(f"⚠ {code(monitor)}: {line(error, 300)}")
    return lines


def incidents(request: Request, words: Words, desk: Desk) -> Reply:
    """The open incidents, or the newest ones whatever became of them."""
    which = words[0].lower() if words else "open"
    if which not in ("open", "all"):
        raise Unclear(
            f"I list `open` or `all` incidents, not {bare(which)}. For example "
            f"`{request.called} incidents all`.",
            ("Open", "incidents open"),
            ("All", "incidents all"),
            (f"Search {clip(' '.join(words), 40)}", f"incidents search {' '.join(words)}"),
        )
    if which == "all":
        found = _seen(desk.store.recent(MOST_LISTED), request, desk)
        return reply("\n".join(_line(i, desk) for i in found) or "There has been no incident yet.")
    found = _seen(desk.store.open_incidents(), request, desk)
    if not found:
        return reply("No incident is open.", ("Show the newest", "incidents all"))
    more = len(found) - MOST_LISTED
    shown = [_line(i, desk) for i in found[-MOST_LISTED:]]
    return reply("\n".join([*shown, *([f"and {more} older ones"] if more > 0 else [])]))


def _seen(found: list[Incident], request: Request, desk: Desk) -> list[Incident]:
    """Those that the one who asks may know of."""
    return [i for i in found if desk.may_see(i.id, request.user)]


def _line(incident: Incident, desk: Desk) -> str:
    who = f"{person(incident.owner)} has it" if incident.owner else "nobody has it"
    parts = [name(desk, incident), line(incident.alert.title, 120)]
    if incident.is_open:
        age = span(desk.now() - incident.opened_at)
        return " · ".join([mark(incident), *parts, who, progress(incident, desk), age])
    by = f" by {person(incident.closed_by)}" if incident.closed_by else ""
    ended = f"{escape(incident.outcome or incident.status)}{by}"
    if incident.closed_at:
        ended += f" {clock(incident.closed_at, desk.now())}"
    return " · ".join([mark(incident), *parts, ended])


def mark(incident: Incident) -> str:
    """A dot that says whether it is open, had by somebody, or over."""
    if incident.is_open:
        return "🟠" if incident.owner else "🔴"
    return "🟢" if incident.status == "resolved" else "⚪"


def progress(incident: Incident, desk: Desk) -> str:
    """The step it is at, or the cause that was found."""
    step = incident.current
    if step is None:
        return f"cause: {_causes(incident)}" if incident.causes else "no step waits"
    node = words.node_of(desk.tree, step.node)
    asked = f": {escape(node.title)}" if node else ""
    return f"{words.place(incident, desk.tree, step)}{asked}"


def name(desk: Desk, incident: Incident) -> str:
    """The incident's name, as a link to its thread where it has one."""
    url = desk.link(incident.id)
    return f"*{link(url, incident.id) if url else incident.id}*"


def where(incident: Incident, desk: Desk) -> str:
    """Its step and its owner, in half a sentence."""
    who = f"{person(incident.owner)} has it" if incident.owner else "nobody has it yet"
    return f"{who}; {progress(incident, desk)}"


def _count(number: int, what: str) -> str:
    return f"{number or 'No'} {what}{'' if number == 1 else 's'}"
