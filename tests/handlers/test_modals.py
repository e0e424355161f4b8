"""Forms are prefilled with what is known, and what is typed becomes events or errors."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from analysis.evidence import Filter, Suspect, Window
from handlers import modals
from handlers.blockkit import problems_of_view
from handlers.mitigations import Mitigations
from handlers.suggestions import filter_option
from state import events as ev
from state.machine import advance
from tests.handlers.toy import DEWP, FEATURES, HOURLY, TEMP, TREE, VISIB, after, at, opened, walked

NOW = at(30)


def submit(view, **fields):
    """The view as Slack sends it back: what was prefilled, with these fields set."""
    values = {}
    for block in view["blocks"]:
        if block["type"] == "input":
            element = block["element"]
            name = block["block_id"]
            values[name] = {name: {"type": element["type"], **_initial(element)}}
    for name, given in fields.items():
        values[name][name].update(given)
    return {**view, "state": {"values": values}}


def _initial(element):
    """How an untouched element reports itself."""
    pairs = (
        ("initial_value", "value"),
        ("initial_option", "selected_option"),
        ("initial_options", "selected_options"),
        ("initial_date_time", "selected_date_time"),
    )
    return {target: element[source] for source, target in pairs if source in element}


def parse(view, incident, user="U0BO"):
    """What the form's parser makes of it."""
    return modals.PARSERS[view["callback_id"]](view, incident, TREE, user, NOW)


def option(view, field, text):
    """The option of a field with that text."""
    [block] = [x for x in view["blocks"] if x.get("block_id") == field]
    [found] = [o for o in block["element"]["options"] if o["text"]["text"] == text]
    return found


@pytest.fixture
def incident():
    """At the question which features, proposed but not answered."""
    return walked(5, last_answered=False)


def test_choose_is_prefilled_with_the_proposal(incident):
    """Sending it untouched is the same as pressing the primary button."""
    view = modals.choose(incident, 5, TREE)
    assert problems_of_view(view) == []
    assert parse(submit(view), incident) == [ev.Answered(NOW, 5, "inputs", "U0BO", (TEMP, DEWP))]


def test_other_suspects_further_branches_and_a_reason_can_be_given(incident):
    """An override with its why in the record."""
    view = modals.choose(incident, 5, TREE)
    form = submit(
        view,
        suspects={"selected_options": [option(view, "suspects", "visib")]},
        names={"value": "wind_gust\n\n visib \n"},
        verdict={
            "selected_option": option(view, "verdict", "Not the inputs: look inside the model")
        },
        also={"selected_options": [option(view, "also", "These features")]},
        why={"value": "the sensor was replaced"},
    )
    hand = Suspect("model", "wind_gust", 0.0, "named by hand")
    assert parse(form, incident) == [
        ev.Answered(NOW, 5, "model", "U0BO", (VISIB, hand), ("inputs",)),
        ev.Noted(NOW, "U0BO", "Step 5: the sensor was replaced"),
    ]


def test_only_what_makes_sense_is_asked():
    """Real or not blames nobody; what ends the walk can't be looked at as well."""
    names = {block.get("block_id") for block in modals.choose(walked(1), 1, TREE)["blocks"]}
    assert names & {"suspects", "names", "also"} == set()
    view = modals.choose(walked(5, last_answered=False), 5, TREE)
    [also] = [b["element"] for b in view["blocks"] if b.get("block_id") == "also"]
    assert [o["text"]["text"] for o in also["options"]] == ["These features"]


def test_suspects_left_standing_do_not_go_along_to_another_branch(incident):
    """Whoever says "look inside the model" does not accuse the proposed features."""
    view = modals.choose(incident, 5, TREE)
    other = option(view, "verdict", "Not the inputs: look inside the model")
    [answer] = parse(submit(view, verdict={"selected_option": other}), incident)
    assert (answer.verdict, answer.suspects) == ("model", ())


def test_a_branch_about_suspects_needs_one(incident):
    """The error stands beside the field, and what was typed stays."""
    view = modals.choose(incident, 5, TREE)
    errors = parse(submit(view, suspects={"selected_options": []}), incident)
    assert list(errors) == ["suspects"]
    assert "at least one" in errors["suspects"]
    assert list(parse(submit(view, verdict={"selected_option": None}), incident)) == ["verdict"]


def test_after_a_failed_check_names_can_be_typed():
    """Their kind follows from the branch they were typed for."""
    failed = after(walked(2), ev.CheckFailed(at(6), 3, "no rows"))
    view = modals.choose(failed, 3, TREE)
    assert problems_of_view(view) == []
    picked = {"selected_option": option(view, "verdict", "These (named below)")}
    assert list(parse(submit(view, verdict=picked), failed)) == ["names"]
    form = submit(view, verdict=picked, names={"value": "delay_gbm"})
    [answer] = parse(form, failed)
    assert answer.suspects == (Suspect("model", "delay_gbm", 0.0, "named by hand"),)
    assert after(failed, answer).current.node == "snapshot"


def test_a_step_that_is_gone_gives_a_form_that_says_so():
    """Instead of an empty form."""
    view = modals.choose(opened(), 9, TREE)
    assert problems_of_view(view) == []
    assert "can no longer be answered" in view["blocks"][0]["text"]["text"]


def test_another_window_is_prefilled_and_runs_the_step_again(incident):
    """From and to as the step looked at them."""
    view = modals.window(incident, 5)
    span = incident.step(5).scope.window
    [rerun] = parse(submit(view), incident)
    assert rerun == ev.Rerun(NOW, 5, "U0BO", Window(span.start, span.end), ())


def test_a_step_runs_again_over_the_traffic_that_is_picked(incident):
    """Values of one dimension are alternatives; the next form has them picked already."""
    picked = [filter_option(v) for v in ("carrier=UA", "origin=JFK", "carrier=AA")]
    form = submit(modals.window(incident, 5), filters={"selected_options": picked})
    [rerun] = parse(form, incident)
    wanted = (Filter("carrier", ("UA", "AA")), Filter("origin", ("JFK",)))
    assert rerun.filters == wanted
    again, effects = advance(incident, rerun, TREE)
    assert effects[0].scope.filters == wanted
    assert effects[0].scope.onset == incident.step(5).scope.onset
    view = modals.window(again, again.steps[-1].number)
    assert problems_of_view(view) == []
    assert parse(submit(view), again)[0].filters == wanted


@pytest.mark.parametrize(
    ("start", "end", "field"),
    [(0, -5, "end"), (0, 0, "end"), (60, 90, "start"), (None, 5, "start"), (0, None, "end")],
)
def test_a_window_has_to_lie_in_the_past_and_in_order(incident, start, end, field):
    """The error says which end is wrong."""
    view = modals.window(incident, 5)
    moments = {
        name: {"selected_date_time": None if m is None else int(at(m).timestamp())}
        for name, m in (("start", start), ("end", end))
    }
    assert list(parse(submit(view, **moments), incident)) == [field]


def test_a_window_that_ends_in_the_future_ends_now(incident):
    """There is no data yet, and no reason to refuse."""
    late = int((NOW + timedelta(hours=2)).timestamp())
    form = submit(modals.window(incident, 5), end={"selected_date_time": late})
    [rerun] = parse(form, incident)
    assert rerun.window.end == NOW


def test_a_note_goes_into_the_record(incident):
    """An empty one is an error."""
    view = modals.note(incident)
    assert parse(submit(view, text={"value": " seen before "}), incident) == [
        ev.Noted(NOW, "U0BO", "seen before")
    ]
    assert list(parse(submit(view), incident)) == ["text"]


def test_a_hand_off_names_a_person_and_perhaps_a_channel(incident):
    """What was added stands in the record before the offer is made."""
    view = modals.handoff(incident)
    assert list(parse(submit(view), incident)) == ["to"]
    mine = submit(view, to={"selected_user": "U0ANA"})
    assert "has it already" in parse(mine, incident)["to"]
    form = submit(
        view,
        to={"selected_user": "U0BO"},
        channel={"selected_conversation": "C2"},
        text={"value": "ask the feed's owner"},
    )
    assert parse(form, incident, "U0ANA") == [
        ev.Noted(NOW, "U0ANA", "ask the feed's owner"),
        ev.HandoffOffered(NOW, "U0ANA", "U0BO", "C2"),
    ]


def test_declining_may_say_why(incident):
    """For the right hand-off."""
    view = modals.decline(incident, 4)
    form = submit(view, reason={"value": "not ours"})
    assert parse(form, incident) == [ev.HandoffAnswered(NOW, 4, "U0BO", False, "not ours")]


def test_resolving_as_concluded_keeps_the_conclusion():
    """Its confidence and path are not overwritten by the same cause without them."""
    incident = walked(6)
    view = modals.resolve(incident, TREE)
    [closed] = parse(submit(view, text={"value": "rolled back"}), incident)
    assert closed == ev.Closed(NOW, "U0BO", "resolved", "rolled back")


def test_resolving_otherwise_records_the_real_cause():
    """What people know better is what counts in the end."""
    incident = walked(6)
    view = modals.resolve(incident, TREE)
    kind = {"selected_option": option(view, "kind", "Features")}
    [closed] = parse(submit(view, kind=kind, names={"value": "temp\nhumid"}), incident)
    assert (closed.kind, closed.names) == ("feature", ("temp", "humid"))
    assert after(incident, closed).causes[0].suspects[0] == TEMP
    [renamed] = parse(submit(view, names={"value": "noaa_feed"}), incident)
    assert (renamed.kind, renamed.names) == ("upstream", ("noaa_feed",))


def test_names_without_a_kind_are_asked_back():
    """A name alone teaches nothing."""
    view = modals.resolve(opened(), TREE)
    assert list(parse(submit(view, names={"value": "temp"}), opened())) == ["kind"]
    assert parse(submit(view), opened()) == [ev.Closed(NOW, "U0BO", "resolved")]


def test_a_cause_with_an_endless_name_survives_an_untouched_form():
    """It is shown cut, and not recorded cut."""
    incident = walked(6)
    long = replace(incident.causes[0], suspects=(Suspect("upstream", "x" * 5000, 0.9),))
    incident = replace(incident, causes=(long,))
    view = modals.resolve(incident, TREE)
    assert problems_of_view(view) == []
    [closed] = parse(submit(view), incident)
    assert closed.kind == ""


class Rerun:
    """A mitigation."""

    name = "rerun"
    title = "Run again"
    acts_on = ("upstream",)


def test_a_mitigation_is_picked_with_its_suspect():
    """One menu of what can be done to whom."""
    incident = walked(6)
    view = modals.mitigate(incident, Mitigations((Rerun(),)))
    assert problems_of_view(view) == []
    assert list(parse(submit(view), incident)) == ["action"]
    picked = {"selected_option": option(view, "action", "Run again: weather_hourly")}
    assert parse(submit(view, action=picked), incident) == [
        ev.MitigationAsked(NOW, "U0BO", "rerun", HOURLY)
    ]


def test_without_a_mitigation_the_form_says_so():
    """And has nothing to send."""
    view = modals.mitigate(walked(6), Mitigations())
    assert "submit" not in view
    assert problems_of_view(view) == []


def test_how_tells_the_method_the_windows_and_what_is_left_open(incident):
    """Everything that the message left out."""
    evidence = replace(FEATURES, figures={"R² of the surrogate": 0.8312})
    shown = incident.with_step(replace(incident.step(5), evidence=evidence))
    view = modals.how(shown, 5, TREE)
    text = "\n".join(x["text"]["text"] for x in view["blocks"])
    assert problems_of_view(view) == []
    for part in (
        "Medians of the same hours.",
        "41,200 rows",
        "R² of the surrogate: 0.831",
        "`visib`",
    ):
        assert part in text
