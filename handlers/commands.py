"""The commands that we ship, as ``/hawkeye …`` and as ``@hawkeye …`` in a thread.

Replies go to the one who asked, alone; what concerns everybody is in the incident's thread.
"""

from __future__ import annotations

from collections.abc import Sequence

from handlers import explore, finding, shift, steering
from handlers.blocks import escape
from handlers.desk import Desk
from handlers.helping import ALL, brief, full
from handlers.record.asking import export
from handlers.registry import (
    Around,
    Command,
    Reply,
    Request,
    Unclear,
    bare,
    dispatch,
    named,
    nearly,
    reply,
)
from handlers.standing import incidents, name, status
from handlers.tree_text import BEEN, HERE, SKIPPED, picture
from handlers.triage import triage
from handlers.typed import Words, named_incident, quoted
from state.incident import Incident


def tree(request: Request, words: Words, desk: Desk) -> Reply:
    """The tree, with where the incident is when it is asked for in a thread."""
    wanted = named_incident(words) or request.incident
    incident = desk.store.load(wanted) if wanted else None
    if wanted and incident is None:
        raise Unclear(f"I know no incident {bare(wanted)}.", ("The whole tree", "tree"))
    drawn = escape("\n".join(picture(desk.tree, incident)))
    legend = ""
    if incident:
        legend = f"{HERE} is where {name(desk, incident)} is, {BEEN} what was decided, "
        legend += f"{SKIPPED} what was skipped.\n"
    return reply(f"{legend}```\n{drawn}\n```")


def help_(request: Request, words: Words, desk: Desk) -> Reply:
    """What to say now; all commands; or one of them with its example."""
    if words and words[0].lower() == "all":
        return full(GROUPS)
    if words:
        wanted, _ = named((words[0].lstrip("/"), *words[1:]), COMMANDS)
        if wanted is None:
            meant, _ = nearly(words, COMMANDS)
            if meant is None:
                raise Unclear(f"I know no {bare(words[0])}. `help all` lists all.", ALL)
            asked = f"help {meant.name}"
            raise Unclear(f"I know no {bare(words[0])}. `{meant.name}`?", (asked, asked))
        also = ", ".join(f"`{alias}`" for alias in wanted.aliases)
        return reply(
            f"`{request.called} {escape(wanted.usage)}`\n{wanted.summary}\n"
            f"For example `{request.called} {escape(wanted.example(names_in(desk)))}`"
            + (f"\nAlso said: {also}" if also else "")
        )
    return brief(request, _near(request, desk), names_in(desk), desk)


def ask(request: Request, desk: Desk) -> Reply:
    """Answer what somebody asked, wherever they asked it."""
    around = Around(
        guess=lambda asked, said: explore.guess(asked, said, desk),
        may_see=desk.may_see,
        near=lambda asked: [i.id for i in _open_in(asked.channel, desk)],
        names=names_in(desk),
    )
    return dispatch(request, COMMANDS, desk, around)


def names_in(desk: Desk) -> dict[str, str]:
    """Names of this installation for examples, as they are typed."""
    known = desk.subjects()
    found = {
        "metric": known.metrics or known.models,
        "feature": known.features or known.metrics,
        "dimension": known.dimensions,
    }
    return {kind: quoted(names[0]) for kind, names in found.items() if names}


def _open_in(channel: str, desk: Desk) -> Sequence[Incident]:
    """The open incidents that are shown in a channel."""
    return [
        incident
        for incident in desk.store.open_incidents()
        if any(place.channel == channel for place in desk.store.places(incident.id))
    ]


def _near(request: Request, desk: Desk) -> Sequence[Incident]:
    """Those of the channel where something was asked that the one who asks may see."""
    return [i for i in _open_in(request.channel, desk) if desk.may_see(i.id, request.user)]


GROUPS: dict[str, tuple[Command[Desk], ...]] = {
    "On call": (
        Command(
            "triage",
            "triage <metric|model|feature> [since]",
            "Find out what is wrong with it, step by step, in a thread.",
            "triage {metric} since 14:05",
            triage,
        ),
        Command(
            "status",
            "status [incident]",
            "Where an incident stands; without one, what is open and how the monitors do.",
            "status HE-1",
            status,
        ),
        Command(
            "incidents",
            "incidents [open|all]",
            "The open incidents, or the newest of all.",
            "incidents all",
            incidents,
        ),
        Command(
            "incidents search",
            "incidents search <words>",
            "Incidents whose record has these words: findings, notes, what people said.",
            "incidents search {feature}",
            finding.search,
            aliases=("search", "find"),
        ),
        Command(
            "digest",
            "digest [@user]",
            "Your open incidents, each with its state, what is next and its link.",
            "digest",
            shift.digest,
            aliases=("mine", "my incidents"),
        ),
        Command(
            "tree",
            "tree [incident]",
            "The questions that a walk can ask, and where this one is.",
            "tree",
            tree,
        ),
        Command(
            "help",
            "help [all|command]",
            "What to say now; all commands; one explained.",
            "help all",
            help_,
        ),
    ),
    "Look closer, in an incident's thread": (
        Command(
            "chart",
            "chart [metric|model|feature|service] [7d] [by dimension]",
            "A series with its usual range, or cut by a dimension.",
            "chart {metric} 7d by {dimension}",
            explore.chart,
            needs_incident=True,
            aliases=("plot", "graph", "show"),
        ),
        Command(
            "segments",
            "segments [metric|model]",
            "Which parts of the traffic carry the change.",
            "segments {metric}",
            explore.segments,
            needs_incident=True,
            aliases=("segment",),
        ),
        Command(
            "what changed",
            "what changed",
            "Releases, pipeline runs, traffic and data around the onset, nearest first.",
            "what changed",
            explore.changed,
            needs_incident=True,
            aliases=("changes", "changed", "what's changed", "whats changed"),
        ),
        Command(
            "compare",
            "compare snapshot [a] [b]",
            "Two snapshots on the same traffic; of one, what it changed; without, which there are.",
            "compare snapshot",
            explore.compare,
            needs_incident=True,
        ),
        Command(
            "similar",
            "similar",
            "Earlier incidents like this one, how they ended and how long they took.",
            "similar",
            finding.similar,
            needs_incident=True,
            aliases=("seen before", "like this"),
        ),
        Command(
            "why",
            "why [step]",
            "Why a step asks, and why I propose what I do.",
            "why 3",
            steering.why,
            needs_incident=True,
        ),
    ),
    "Steer an incident": (
        Command(
            "back",
            "back [step]",
            "Decide an earlier step anew.",
            "back 2",
            steering.back,
            needs_incident=True,
            aliases=("undo",),
        ),
        Command(
            "skip",
            "skip [step]",
            "Leave a step open, and go on without its answer.",
            "skip",
            steering.skip,
            needs_incident=True,
        ),
        Command(
            "note",
            "note <text>",
            "A line for the record.",
            "note the feature store was deployed at 13:50",
            steering.note,
            needs_incident=True,
            free_text=True,
        ),
        Command(
            "assign",
            "assign <@user|me>",
            "Give the incident to somebody, or take it.",
            "assign me",
            steering.assign,
            needs_incident=True,
        ),
        Command(
            "take",
            "take",
            "Take the incident yourself.",
            "take",
            steering.take,
            needs_incident=True,
        ),
        Command(
            "handoff",
            "handoff [incident] @user [#channel]",
            "Offer an incident to somebody, who may be in another team's channel.",
            "handoff HE-1 @bo #data-platform",
            shift.handoff,
            needs_incident=True,
        ),
        Command(
            "handoff all",
            "handoff all @user [#channel]",
            "Offer all your open incidents to one person, who gets them in one message.",
            "handoff all @bo",
            shift.hand_all,
            aliases=("hand all over", "hand over all"),
        ),
        Command(
            "accept all",
            "accept all",
            "Take over everything that is offered to you.",
            "accept all",
            shift.accept_all,
        ),
        Command(
            "severity",
            "severity <1-4>",
            "Set the severity, 1 (worst) to 4.",
            "severity 2",
            steering.severity,
            needs_incident=True,
            aliases=("sev",),
        ),
        Command(
            "snooze",
            "snooze <time>|until <clock>",
            "Remind nobody for a while, or until then.",
            "snooze 1h",
            steering.snooze,
            needs_incident=True,
        ),
        Command(
            "close",
            "close [resolved|not an incident|stopped]",
            "End it.",
            "close not an incident",
            steering.close,
            needs_incident=True,
            free_text=True,
            aliases=("resolve",),
        ),
        Command(
            "reopen",
            "reopen",
            "It was not over.",
            "reopen HE-1",
            steering.reopen,
            needs_incident=True,
        ),
        Command(
            "catch me up",
            "catch me up",
            "What somebody who comes late must know, for your eyes alone.",
            "catch me up",
            steering.catch_me_up,
            needs_incident=True,
            aliases=(
                *("catch up", "catchup", "summary", "tldr", "where are we", "what happened"),
                *("what's going on", "whats going on", "what is going on", "what's up"),
            ),
        ),
        Command(
            "export",
            "export [pdf|html|markdown|notebook|json]",
            "The record as a file: what happened, who decided what, every chart.",
            "export pdf",
            export,
            needs_incident=True,
            aliases=("postmortem", "post-mortem", "post mortem", "report"),
        ),
    ),
}
"""What we ship, by what it is for."""

COMMANDS: tuple[Command[Desk], ...] = tuple(c for group in GROUPS.values() for c in group)
