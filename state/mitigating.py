"""Mitigations: planned, confirmed, carried out, and the recovery that is watched from then on."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from analysis.evidence import Window
from state import effects as fx
from state import events as ev
from state.guards import Misfit, Result, watch_of
from state.incident import Incident, Mitigation, Status, Step
from state.tree import Tree


def decided(
    incident: Incident,
    event: ev.MitigationAsked | ev.MitigationConfirmed | ev.MitigationCancelled,
) -> Result:
    """Asked for, confirmed or cancelled by a person; what is confirmed is carried out once."""
    if isinstance(event, ev.MitigationAsked):
        number = len(incident.mitigations) + 1
        asked = Mitigation(number, event.action, event.target, event.by, event.at)
        return incident.with_mitigation(asked), (fx.PlanMitigation(number),)
    found = incident.mitigation(event.mitigation)
    if found is None or found.status != "planned":
        state = found.status if found else "gone"
        by = f" (<@{found.confirmed_by}>)" if found and found.confirmed_by else ""
        raise Misfit(f"This mitigation is {state} already{by}.")
    if isinstance(event, ev.MitigationCancelled):
        return incident.with_mitigation(replace(found, status="cancelled")), ()
    if found.second_person and event.by == found.asked_by:
        raise Misfit(
            "You asked for this one, so somebody else has to confirm it. Nothing is changed."
        )
    carrying = replace(found, status="carrying", confirmed_by=event.by)
    return incident.with_mitigation(carrying), (fx.CarryOut(found.id),)


def reported(
    incident: Incident,
    event: ev.MitigationPlanned | ev.MitigationDone | ev.MitigationFailed,
    tree: Tree,
) -> Result:
    """The dry run or the action came back; what was changed is watched from then on."""
    found = incident.mitigation(event.mitigation)
    if found is None or found.status not in ("planning", "carrying"):
        raise Misfit("This mitigation no longer waits for a report.")
    match event:
        case ev.MitigationPlanned():
            planned = replace(
                found,
                status="planned",
                plan=event.plan,
                second_person=event.second_person,
                mends=event.mends,
            )
            return incident.with_mitigation(planned), ()
        case ev.MitigationFailed():
            failed = replace(found, status="failed", result=event.error)
            return incident.with_mitigation(failed), ()
        case ev.MitigationDone():
            done = replace(found, status="done", result=event.result, done_at=event.at)
            incident = incident.with_mitigation(done)
            return _start_watching(incident, event.at, tree) if done.mends else (incident, ())


def _start_watching(incident: Incident, at: datetime, tree: Tree) -> Result:
    """A step at the recovery node, watching from the moment of the mitigation on."""
    if not incident.is_open:
        return incident, ()
    watched = watch_of(incident, tree)
    if watched is not None:
        incident = incident.with_step(replace(watched, status="superseded"))
    last = [s for s in incident.steps if s.node != tree.recovery][-1].scope
    onset = last.onset.low if last.onset else last.window.start
    baseline = Window(onset - last.baseline.length, onset)
    scope = replace(
        last, now=at, window=Window(at, at + timedelta(minutes=1)), baseline=baseline, suspects=()
    )
    step = Step(len(incident.steps) + 1, tree.recovery, scope, at, status="watching")
    status: Status = "diagnosing" if incident.status == "diagnosing" else "watching"
    incident = replace(incident, steps=(*incident.steps, step), status=status)
    return incident, (fx.LookAgain(step.number),)
