"""Whatever a check finds and however things are named, Slack takes every message and form."""

from __future__ import annotations

import json
from dataclasses import replace

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from analysis.evidence import Chart, Evidence, How, Suspect, Table
from handlers import actions, modals
from handlers.blockkit import problems, problems_of_view
from handlers.messages import Remedy, render
from handlers.messages.summary import catch_up
from handlers.mitigations import Mitigations
from state import events as ev
from state.incident import Incident
from state.said import Said
from tests.handlers.looks import refused, view
from tests.handlers.toy import ALERT, TREE, WALK, after, at, opened

HOSTILE = (
    "<!channel>",
    "`*_~",
    "a" * 5000,
    "",
    "\n\t ",
    "&lt;" * 900,
    ":b:",
    "🔴" * 300,
    "<@U0BO>",
)
PHASES = (Phase.explicit, Phase.reuse, Phase.generate)
"""Without shrinking: of incidents this large it takes minutes."""
names = st.one_of(st.sampled_from(HOSTILE), st.text(max_size=40))
KINDS = ("feature", "snapshot", "upstream", "arm", "model", "segment", "metric")


@st.composite
def suspects(draw: st.DrawFn) -> tuple[Suspect, ...]:
    """None, a few, or three hundred of them, with any score."""
    score = st.one_of(st.floats(-2, 2), st.just(float("nan")))
    few = st.builds(Suspect, st.sampled_from(KINDS), names, score, names, st.none(), st.none())
    if draw(st.booleans()):
        return tuple(draw(st.lists(few, max_size=4)))
    name = draw(names)
    return tuple(Suspect("feature", f"{name}-{i}", 0.5) for i in range(300))


def evidence(verdict: str) -> st.SearchStrategy[Evidence]:
    """Evidence of that verdict in which all else is arbitrary."""
    many = st.one_of(st.just(()), st.lists(names, max_size=3).map(tuple), st.just(HOSTILE * 40))
    charts = st.lists(st.builds(lambda t, a: Chart("c", t, a), names, names), max_size=4)
    rows = st.lists(st.lists(names, max_size=25).map(tuple), max_size=12).map(tuple)
    figures = st.dictionaries(names, st.floats(), max_size=20)
    return st.builds(
        Evidence,
        verdict=st.just(verdict),
        confidence=st.floats(0, 1),
        headline=names,
        suspects=suspects(),
        proposed=st.one_of(st.none(), st.integers(0, 300)),
        charts=charts.map(tuple),
        table=st.one_of(st.none(), st.builds(Table, st.lists(names, max_size=25).map(tuple), rows)),
        not_examined=many,
        disagreements=many,
        figures=figures,
        how=st.builds(How, names, rows=st.integers(0, 10**12), notes=many),
    )


@st.composite
def incidents(draw: st.DrawFn) -> Incident:
    """A walk of arbitrary length over arbitrary findings, with a mitigation and an offer."""
    text = draw(names)
    incident = opened(replace(ALERT, title=text, detail=text, url=text, subject=text))
    steps = draw(st.integers(0, 6))
    for number, usual in enumerate(WALK[:steps], 1):
        found = draw(evidence(usual.verdict))
        incident = after(incident, ev.Checked(at(number), number, found))
        if number < steps or draw(st.booleans()):
            answer = ev.Answered(at(number), number, found.verdict, "U0ANA")
            incident = after(incident, answer)
    if draw(st.booleans()):
        target = Suspect("snapshot", draw(names), 0.5)
        asked = ev.MitigationAsked(at(20), text, draw(names), target)
        incident = after(incident, asked, ev.MitigationPlanned(at(20), 1, draw(names)))
        if draw(st.booleans()):
            done = ev.MitigationDone(at(22), 1, draw(names))
            incident = after(incident, ev.MitigationConfirmed(at(21), 1, text), done)
    if draw(st.booleans()):
        incident = after(incident, ev.HandoffOffered(at(30), text, draw(names) or "U0BO"))
    if draw(st.booleans()):
        outcome = draw(st.sampled_from(["resolved", "not an incident", text]))
        incident = after(incident, ev.Closed(at(40), text, outcome, text, text, (text, text)))
    return incident


said = st.lists(
    st.builds(Said, st.just("C1"), names, names, names, names, st.booleans()), max_size=8
)
remedies = st.lists(st.builds(Remedy, names, names, st.just(KINDS)), max_size=5).map(tuple)


@settings(max_examples=25, phases=PHASES)
@given(incident=incidents(), spoken=said, mitigations=remedies)
def test_slack_takes_every_message_of_every_incident(incident, spoken, mitigations):
    """No payload is beyond a limit, and nobody is called by a name."""
    posts = render(incident, TREE, view(said=tuple(spoken), mitigations=mitigations))
    assert refused(posts) == []
    assert all(0 < len(p.payload["text"]) <= 400 for p in posts)
    assert "<!channel>" not in json.dumps([p.payload["text"] for p in posts])
    mrkdwn = [t for p in posts for t in _mrkdwn(p.payload["blocks"])]
    assert not any("<!channel" in t for t in mrkdwn)
    assert problems(catch_up(incident, TREE, spoken)["blocks"]) == []


def _mrkdwn(blocks: object) -> list[str]:
    """Every mrkdwn text in some blocks."""
    if isinstance(blocks, list):
        return [t for block in blocks for t in _mrkdwn(block)]
    if not isinstance(blocks, dict):
        return []
    own = [str(blocks["text"])] if blocks.get("type") == "mrkdwn" else []
    return own + [t for value in blocks.values() for t in _mrkdwn(value)]


class Roll:
    """A mitigation that can be aimed at nearly everything."""

    title = "Roll back"
    acts_on = KINDS

    def __init__(self, name: str) -> None:
        self.name = name


@settings(max_examples=25, phases=PHASES)
@given(incident=incidents(), name=names, number=st.integers(0, 8))
def test_slack_takes_every_form_of_every_incident(incident, name, number):
    """Prefilled with whatever the incident holds."""
    forms = [
        modals.choose(incident, number, TREE),
        modals.window(incident, number),
        modals.how(incident, number, TREE),
        modals.note(incident),
        modals.handoff(incident),
        modals.decline(incident, 1),
        modals.resolve(incident, TREE),
        modals.mitigate(incident, Mitigations((Roll(name),))),
    ]
    assert [text for form in forms for text in problems_of_view(form)] == []


@settings(max_examples=25, phases=PHASES)
@given(incident=incidents(), mitigations=remedies)
def test_every_button_can_be_read_back(incident, mitigations):
    """And where it names a suspect, the incident knows that one."""
    for post in render(incident, TREE, view(mitigations=mitigations)):
        for block in post.payload["blocks"]:
            for element in block.get("elements", []) if block["type"] == "actions" else []:
                if element["type"] == "button":
                    ref = actions.of(element)
                    assert ref.incident == incident.id
                    assert not ref.kind or actions.suspect_of(incident, ref)
