"""The conversation: ``advance(incident, event, tree) -> (incident, effects)``.

Pure: no input or output, no clock; an event that no longer fits changes nothing and says why.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import assert_never

from analysis.evidence import Evidence
from state import events as ev
from state.budgeting import allowed, went_over
from state.effects import Refuse, RunCheck
from state.events import Event
from state.guards import Misfit, Result, still_open
from state.incident import Incident, Note, Step, Trail
from state.mitigating import decided, reported
from state.people import called, closed, handed, overdue, reopened, taken
from state.signals import first_heard, heard, merged, placed_as, puzzled
from state.steps import answered, check_failed, checked, rechecked, rerun, skipped, visit, went_back
from state.tree import Tree


def advance(incident: Incident, event: Event, tree: Tree) -> Result:
    """Take one event in: the incident after it, and what is to be done now.

    An event that does not fit leaves the incident as it was (the same version) and gives
    ``Refuse`` with the reason, so that a second click or a late check does no harm.
    """
    try:
        after, effects = _take_in(incident, event, tree)
    except Misfit as misfit:
        return incident, (Refuse(misfit.why),)
    return replace(after, version=incident.version + 1), effects


def ahead(
    incident: Incident,
    at: datetime,
    tree: Tree,
    kept: Callable[[RunCheck], Evidence | None] = lambda _: None,
) -> RunCheck | None:
    """The next check to be run if people go on accepting proposals; None when there is none.

    ``kept`` knows the results of checks that have been run ahead already: the walk is played on
    through them, as far as they go. A check that still runs is passed where what follows may be
    computed beside it (:class:`state.tree.Node`).
    """
    for _ in tree.nodes:
        verdict = _to_be_accepted(incident.current, tree)
        if incident.current is None or not verdict:
            return None
        acceptance = ev.Answered(at, incident.current.number, verdict, "")
        incident, effects = advance(incident, acceptance, tree)
        check = next((e for e in effects if isinstance(e, RunCheck)), None)
        evidence = kept(check) if check else None
        if check is None or evidence is None:
            return check
        incident, _ = advance(incident, ev.Checked(at, check.step, evidence), tree)
    return None


def _to_be_accepted(step: Step | None, tree: Tree) -> str:
    """The verdict that people will come to if they accept proposals; empty where nobody knows."""
    if step is not None and step.status == "proposed" and step.evidence is not None:
        return step.evidence.verdict
    if step is not None and step.status == "running" and tree.node(step.node).beside:
        return tree.node(step.node).blind
    return ""


def _take_in(incident: Incident, event: Event, tree: Tree) -> Result:
    match event:
        case ev.Opened():
            incident = replace(incident, signals=(first_heard(incident.alert, event.at),))
            return visit(incident, tree, Trail(event.node, event.scope, 0), event.at)
        case ev.Puzzled():
            return puzzled(incident, event), ()
        case ev.Placed():
            placed = placed_as(still_open(incident), event)
            return visit(placed, tree, Trail(event.node, event.scope, 0), event.at)
        case ev.AlertJoined():
            return heard(incident, event), ()
        case ev.Checked():
            return checked(incident, event, tree)
        case ev.CheckFailed():
            return check_failed(incident, event)
        case ev.WentOver():
            return went_over(incident, event)
        case ev.Allowed():
            return allowed(incident, event)
        case ev.Answered():
            return answered(incident, event, tree)
        case ev.Skipped():
            return skipped(incident, event, tree)
        case ev.Rerun():
            return rerun(incident, event, tree)
        case ev.WentBack():
            return went_back(incident, event, tree)
        case ev.Rechecked():
            return rechecked(incident, event)
        case ev.Noted():
            note = Note(event.at, event.by, event.text, event.permalink, event.step)
            return replace(incident, notes=(*incident.notes, note)), ()
        case ev.Taken():
            return taken(incident, event)
        case ev.SeveritySet():
            return replace(still_open(incident), severity=event.severity), ()
        case ev.Snoozed():
            return replace(still_open(incident), snoozed_until=event.until), ()
        case ev.HandoffOverdue():
            return overdue(still_open(incident), event)
        case ev.HandoffOffered() | ev.HandoffAnswered():
            return handed(incident, event)
        case ev.MitigationAsked() | ev.MitigationConfirmed() | ev.MitigationCancelled():
            return decided(still_open(incident), event)
        case ev.MitigationPlanned() | ev.MitigationDone() | ev.MitigationFailed():
            return reported(incident, event, tree)
        case ev.Closed():
            return closed(incident, event)
        case ev.Called():
            return called(incident, event), ()
        case ev.Merged() | ev.Parted() | ev.Absorbed():
            return merged(still_open(incident), event), ()
        case ev.Reopened():
            return reopened(incident)
        case _:
            assert_never(event)
