"""What follows the walk: recovery, mitigations, the conclusion, the hand-off."""

from __future__ import annotations

from dataclasses import replace

import pytest

from analysis.evidence import Chart, Suspect
from handlers import actions
from handlers.messages import Remedy
from handlers.messages.view import remedies
from handlers.messages.words import cause_words
from state import events as ev
from state.incident import Cause, Incident
from state.said import Said
from tests.handlers.looks import buttons, charts, elements, thread, view, words
from tests.handlers.toy import (
    BACK,
    CAUSE,
    FEATURES,
    HOURLY,
    NOT_BACK,
    REAL,
    SNAPSHOT,
    TREE,
    UPSTREAM,
    WALK,
    WATCHING,
    after,
    at,
    mitigated,
    opened,
    walked,
)

# -- recovery --------------------------------------------------------------------------------


def test_the_watch_over_the_recovery_counts_its_looks():
    """Updated in place, with a way to call it by hand."""
    fresh = mitigated(walked(6))
    assert "Watching since" in words(thread(fresh)["step-7"])
    looked = after(fresh, ev.Checked(at(30), 7, WATCHING))
    assert "1 look, the last" in words(thread(looked)["step-7"])
    assert "Back to normal: resolve" in buttons(thread(looked)["step-7"])
    assert "watching the recovery" in words(thread(looked)["root"])


def test_a_recovered_metric_proposes_to_resolve():
    """The primary button ends it, another one keeps watching."""
    post = thread(mitigated(walked(6), ev.Checked(at(30), 7, BACK)))["step-7"]
    assert buttons(post)["Back to normal: resolve"]["style"] == "primary"
    assert actions.parse(buttons(post)["Keep watching"]["value"]).option == "rerun"


def test_what_is_over_shows_how_it_came_back():
    """In the channel, too: until then the first picture stays."""
    back = replace(BACK, charts=(Chart.of(b"back", "Back in its band", "It is back."),))
    open_ = mitigated(walked(6), ev.Checked(at(30), 7, back))
    first, last = (step.evidence for step in (open_.steps[0], open_.steps[-1]))
    assert first
    assert last
    assert charts(thread(open_)["root"]) == [first.charts[0].id]
    over = after(open_, ev.Answered(at(31), 7, "recovered", "U0ANA"))
    assert not over.is_open
    assert charts(thread(over)["root"]) == [last.charts[0].id]


def test_not_recovering_offers_the_suspects_that_are_left():
    """A click on one is an answer that the machine takes."""
    incident = mitigated(walked(6), ev.Checked(at(30), 7, NOT_BACK))
    post = thread(incident)["step-7"]
    assert "The suspect that is left: `visib`." in words(post)
    ref = actions.parse(buttons(post)["Follow visib"]["value"])
    suspect = actions.suspect_of(incident, ref)
    assert suspect
    again = after(incident, ev.Answered(at(31), ref.step, "not_recovering", "U0ANA", (suspect,)))
    assert again.current
    assert again.current.node == "upstream"


def test_not_recovering_with_nobody_left_says_so():
    """No suspect is invented."""
    short = tuple(s for s in FEATURES.suspects[:2])
    incident = after(walked(4), ev.Checked(at(10), 5, replace(FEATURES, suspects=short)))
    for number, evidence in ((5, FEATURES), (6, UPSTREAM)):
        if number == 6:
            incident = after(incident, ev.Checked(at(12), 6, evidence))
        incident = after(incident, ev.Answered(at(13), number, evidence.verdict, "U0ANA"))
    post = thread(mitigated(incident, ev.Checked(at(30), 7, NOT_BACK)))["step-7"]
    assert "No suspect is left" in words(post)
    assert not any(text.startswith("Follow") for text in buttons(post))


def test_not_recovering_names_the_other_cause_that_nobody_has_mended():
    """Two nodes were found, one was run again: the other is what is left."""
    other = Suspect("upstream", "tail_keys", 0.5)
    both = replace(UPSTREAM, suspects=(HOURLY, other), proposed=2)
    short = replace(FEATURES, suspects=FEATURES.suspects[:2])
    incident = after(
        walked(4),
        ev.Checked(at(10), 5, short),
        ev.Answered(at(11), 5, short.verdict, "U0ANA"),
        ev.Checked(at(12), 6, both),
        ev.Answered(at(13), 6, both.verdict, "U0ANA", both.suspects),
    )
    post = thread(mitigated(incident, ev.Checked(at(30), 7, NOT_BACK)))["step-7"]
    assert "nothing done about it yet: `tail_keys`." in words(post)
    assert "No suspect is left" not in words(post)
    assert actions.parse(buttons(post)["Run again: tail_keys…"]["value"]).name == "tail_keys"
    assert not any("weather_hourly" in text for text in buttons(post))


# -- mitigations -----------------------------------------------------------------------------


def test_a_mitigation_asks_twice_and_then_says_what_it_did():
    """Planning, planned with a dialog, carrying, done."""
    asked = after(walked(6), ev.MitigationAsked(at(20), "U0ANA", "rerun", HOURLY))
    assert "Nothing has happened yet" in words(thread(asked)["mitigation-1"])
    planned = after(asked, ev.MitigationPlanned(at(20), 1, "Runs weather_hourly again."))
    post = thread(planned)["mitigation-1"]
    assert "*What it will do:* Runs weather_hourly again." in words(post)
    yes = buttons(post)["Do it"]
    assert yes["style"] == "danger"
    assert "Runs weather_hourly again." in yes["confirm"]["text"]["text"]
    assert actions.parse(yes["value"]).mitigation == 1
    carrying = after(planned, ev.MitigationConfirmed(at(21), 1, "U0BO"))
    assert "confirmed by <@U0BO>" in words(thread(carrying)["mitigation-1"])
    assert elements(thread(carrying)["mitigation-1"]) == []
    done = after(carrying, ev.MitigationDone(at(22), 1, "It ran."))
    assert words(thread(done)["mitigation-1"]).startswith("✓ *Run again: `weather_hourly`*")
    assert "It ran." in words(thread(done)["mitigation-1"])


def test_what_changed_is_said_once_in_the_conclusion_whatever_its_moment_looks_like():
    """The finding and the cause tell one moment, each as near to it as it stands."""
    changed = "version changed to 1.6.0 at 2013-07-07 12:13 UTC"
    node = replace(HOURLY, changed=changed)
    found = replace(
        UPSTREAM, suspects=(node,), headline=f"Both come from weather_hourly: {changed}."
    )
    incident = after(walked(5), ev.Checked(at(12), 6, found))
    incident = after(incident, ev.Answered(at(13), 6, "upstream", "U0ANA"))
    told = words(thread(incident)["conclusion-6"])
    assert told.count("version changed to 1.6.0") == 1


def test_a_page_says_that_nothing_is_mended_by_it():
    """It calls people: no change, no watch, and the cause still waits."""
    asked = after(walked(6), ev.MitigationAsked(at(20), "U0ANA", "page", HOURLY))
    planned = after(asked, ev.MitigationPlanned(at(20), 1, "I would page data.", mends=False))
    assert "Nobody is called yet" in words(thread(planned)["mitigation-1"])
    sure = buttons(thread(planned)["mitigation-1"])["Do it"]["confirm"]["text"]["text"]
    assert sure.startswith("This calls people.")
    confirmed = after(planned, ev.MitigationConfirmed(at(21), 1, "U0BO"))
    done = after(confirmed, ev.MitigationDone(at(22), 1, "data is paged."))
    assert "changes nothing: what is wrong is still to be mended" in words(
        thread(done)["mitigation-1"]
    )
    assert "watching" not in words(thread(done)["root"])
    assert done.current is None


def test_a_failed_mitigation_can_be_tried_again_and_a_cancelled_one_is_struck():
    """Neither leaves anybody guessing whether something was changed."""
    asked = after(walked(6), ev.MitigationAsked(at(20), "U0ANA", "rerun", HOURLY))
    failed = after(asked, ev.MitigationFailed(at(21), 1, "The deployer answered 503."))
    post = thread(failed)["mitigation-1"]
    assert "The deployer answered 503." in words(post)
    ref = actions.parse(buttons(post)["Try again"]["value"])
    assert (ref.action, ref.kind, ref.name) == ("rerun", "upstream", "weather_hourly")
    planned = after(asked, ev.MitigationPlanned(at(20), 1, "Runs it."))
    gone = after(planned, ev.MitigationCancelled(at(21), 1, "U0ANA"))
    assert "cancelled, nothing was changed" in words(thread(gone)["mitigation-1"])


def test_a_mitigation_can_start_at_a_step_that_has_a_suspect():
    """While the diagnosis goes on, and only once."""
    incident = walked(6, last_answered=False)
    post = thread(incident)["step-6"]
    ref = actions.parse(buttons(post)["Run again: weather_hourly…"]["value"])
    assert (ref.action, ref.kind, ref.name) == ("rerun", "upstream", "weather_hourly")
    asked = after(incident, ev.MitigationAsked(at(20), "U0ANA", "rerun", HOURLY))
    assert "Run again: weather_hourly…" not in buttons(thread(asked)["step-6"])
    assert not any("Run again" in t for t in buttons(thread(walked(5))["step-5"]))


# -- conclusion ------------------------------------------------------------------------------


def test_the_conclusion_names_cause_path_and_what_is_ruled_out():
    """Everything that a reader needs who comes now."""
    post = thread(walked(6), track_record={"upstream": (11, 12)})["conclusion-6"]
    text = words(post).replace("\u00a0", " ")
    assert text.startswith(
        "*Cause: `weather_hourly`, upstream of `temp` and `dewp` — the run of 14:00 writes °C.*"
    )
    assert "Confidence 96% (this branch was the recorded cause 11 of 12 times here)." in text
    assert "→ Model → `delay_gbm` → No snapshot → `temp` and `dewp` → `weather_hourly`" in text
    assert "Ruled out: a false alarm, traffic, infrastructure, a change in the world" in text
    assert "Not looked at: feature store latency" in text
    assert list(buttons(post)) == ["Run again: weather_hourly…", "Hand off…", "Resolve…"]


def test_bad_training_data_is_named_by_the_snapshot_first():
    """What was wrong with it may be a day or a column, which says little alone."""
    bad = tuple(Suspect("training_data", name, 0.5) for name in ("2013-09-02", "dewp"))
    snapshot = Suspect("snapshot", "delay-7", 0.9)
    cause = Cause("training_data", bad, 0.9, 5, (snapshot, *bad))
    assert cause_words(TREE, cause) == (
        "training data of snapshot `delay-7`: `2013-09-02` and `dewp`"
    )
    assert cause_words(TREE, replace(cause, along=())).startswith("training data: `2013")


def test_what_changed_is_not_said_twice():
    """Where the decisive step's sentence says it already."""
    told = replace(UPSTREAM, headline="Its run of 14:00 writes °C: the run of 14:00 writes °C.")
    incident = after(walked(5), ev.Checked(at(12), 6, told))
    incident = after(incident, ev.Answered(at(13), 6, "upstream", "U0ANA"))
    text = words(thread(incident)["conclusion-6"])
    assert text.startswith("*Cause: `weather_hourly`, upstream of `temp` and `dewp`.* Its run")


def test_a_track_record_is_claimed_only_when_there_is_one():
    """No "0 of 0 times"."""
    assert "recorded cause" not in words(thread(walked(6))["conclusion-6"])


def unsure_of_the_class() -> Incident:
    """A conclusion that leaves a fifth, most of it to infrastructure."""
    close = replace(CAUSE, confidence=0.6, shares={"model": 0.6, "infrastructure": 0.4})
    weak = replace(UPSTREAM, confidence=0.8)
    incident = after(opened(), ev.Taken(at(1), "U0ANA", "U0ANA"))
    for number, evidence in enumerate((*WALK[:1], close, *WALK[2:5], weak), 1):
        incident = after(
            incident,
            ev.Checked(at(2 * number), number, evidence),
            ev.Answered(at(2 * number + 1), number, evidence.verdict, "U0ANA"),
        )
    return incident


def test_a_conclusion_that_is_not_sure_says_what_it_could_be_instead():
    """With the way back to where that was decided; it is not said to be ruled out."""
    post = thread(unsure_of_the_class())["conclusion-6"]
    text = words(post).replace("\u00a0", " ")
    assert "If not that: infrastructure (13%, step 2)." in text
    assert "infrastructure" not in text[text.index("Ruled out") :]
    assert actions.parse(buttons(post)["Back to step 2"]["value"]).step == 2


def test_whom_the_last_step_names_next_is_told_as_well():
    """By name, with the way back to that step."""
    two = (replace(HOURLY, score=0.6), Suspect("upstream", "feed", 0.4))
    close = replace(UPSTREAM, confidence=0.6, proposed=1, suspects=two)
    incident = after(walked(5), ev.Checked(at(12), 6, close))
    incident = after(incident, ev.Answered(at(13), 6, "upstream", "U0ANA"))
    post = thread(incident)["conclusion-6"]
    assert "If not that: `feed` (17%, step 6)." in words(post).replace("\u00a0", " ")
    assert "Back to step 6" in buttons(post)


def test_a_sure_conclusion_offers_nothing_else():
    """One obvious button."""
    post = thread(walked(6))["conclusion-6"]
    assert "If not that" not in words(post)
    assert not [name for name in buttons(post) if name.startswith("Back to")]


def test_an_unknown_cause_says_what_would_decide_it():
    """What was ruled out, what was not looked at, where it was least sure."""
    unsure = replace(SNAPSHOT, confidence=0.7)
    incident = after(walked(3), ev.Checked(at(8), 4, unsure))
    incident = after(incident, ev.Answered(at(9), 4, "not_snapshot", "U0ANA"))
    none = replace(FEATURES, verdict="none", headline="Nothing moved.", proposed=0)
    incident = after(incident, ev.Checked(at(10), 5, none), ev.Answered(at(11), 5, "none", "U0ANA"))
    post = thread(incident)["conclusion-5"]
    text = words(post).replace("\u00a0", " ")
    assert text.startswith("*I don’t know the cause.*")
    assert "Not looked at:* feature store latency" in text
    assert "step 4 again with more data (I was 70% sure of it)" in text
    assert actions.parse(buttons(post)["Back to step 4"]["value"]).step == 4
    assert "over to you" in words(thread(incident)["root"])


def test_a_walk_that_was_skipped_to_its_end_knows_nothing_and_says_what_was_not_looked_at():
    """Whatever the checks had proposed."""
    incident = opened()
    for step in range(1, 7):
        incident = after(incident, ev.Skipped(at(step), step, "U0ANA"))
    assert [(c.kind, c.confidence) for c in incident.causes] == [("unknown", 0.0)]
    text = words(thread(incident)["conclusion-6"])
    assert text.startswith("*I don’t know the cause.*")
    titles = [TREE.node(s.node).title.rstrip("?") for s in incident.steps]
    for number, title in enumerate(titles, 1):
        assert f"step {number}, {title} (skipped)" in text
    assert "What would decide it:* the steps that were skipped" in text
    assert "Confidence" not in text


def test_a_step_that_was_skipped_on_the_way_to_a_cause_is_named():
    """Beside what the checks could not read."""
    incident = after(walked(2), ev.Skipped(at(6), 3, "U0ANA"))
    incident = after(incident, ev.Checked(at(7), 4, SNAPSHOT), ev.Skipped(at(8), 4, "U0ANA"))
    incident = after(
        incident, ev.Checked(at(9), 5, FEATURES), ev.Answered(at(10), 5, "inputs", "U0ANA")
    )
    incident = after(
        incident, ev.Checked(at(11), 6, UPSTREAM), ev.Answered(at(12), 6, "upstream", "U0ANA")
    )
    text = words(thread(incident)["conclusion-6"])
    asked = TREE.node("models").title.rstrip("?")
    assert f"Not looked at: step 3, {asked} (skipped); step 4" in text


def test_a_false_alarm_is_one_click_from_being_closed():
    """And says that nothing left its range."""
    fine = replace(REAL, verdict="false_alarm", onset=None, headline="No. It stayed in its band.")
    incident = after(opened(), ev.Checked(at(2), 1, fine))
    incident = after(incident, ev.Answered(at(3), 1, "false_alarm", "U0ANA"))
    post = thread(incident)["conclusion-1"]
    assert words(post).startswith("*False alarm: nothing left its usual range.*")
    assert buttons(post)["Not an incident"]["action_id"] == "dismiss"


def test_a_changed_world_blames_nobody():
    """A storm is not broken."""
    storm = replace(
        CAUSE, verdict="world", suspects=(Suspect("segment", "origin=EWR", 0.7),), proposed=1
    )
    incident = after(walked(1), ev.Checked(at(4), 2, storm))
    incident = after(incident, ev.Answered(at(5), 2, "world", "U0ANA"))
    text = words(thread(incident)["conclusion-2"])
    assert text.startswith("*Nothing broke: the world changed, most of all in `origin=EWR`.*")


def test_several_causes_are_listed():
    """Each with its own confidence."""
    also = ev.Answered(at(5), 2, "infrastructure", "U0ANA", None, ("traffic",))
    incident = after(walked(2, last_answered=False), also)
    text = words(thread(incident)["conclusion-2"])
    assert text.count("• *Cause:") == 2
    assert "Infrastructure" in text
    assert "Traffic" in text


def test_a_conclusion_that_no_longer_counts_is_folded():
    """Going back leaves no cause standing in the thread."""
    incident = after(walked(6), ev.WentBack(at(20), 3, "U0ANA"))
    posts = thread(incident, posted=frozenset({"root", "conclusion-6"}))
    assert "taken back" in words(posts["conclusion-6"])
    assert elements(posts["conclusion-6"]) == []
    assert "conclusion-6" not in thread(incident)


def test_the_recorded_cause_replaces_the_concluded_one():
    """What a person records at the end is what the thread says."""
    closed = ev.Closed(at(70), "U0BO", "resolved", "", "infra", ("feature_store",))
    text = words(thread(after(walked(6), closed))["conclusion-6"])
    assert text.startswith("*Cause: `feature_store`.* Recorded by <@U0BO>.")


# -- hand-off --------------------------------------------------------------------------------


def test_an_offer_carries_the_summary_and_its_two_answers():
    """Known, ruled out, open, next, and what was said."""
    said = (Said("C1", "1772634000.1", "U0CY", "we saw this on 3 March", "https://s.example/p1"),)
    incident = after(walked(6), ev.HandoffOffered(at(57), "U0ANA", "U0BO"))
    post = thread(incident, said=said)["handoff-1"]
    text = words(post).replace("\u00a0", " ")
    assert text.startswith("*<@U0ANA> → <@U0BO>*, offered")
    assert "57 min in" in text
    for part in ("*Known:*", "*Ruled out:*", "*Open:*", "*Next:*", "we saw this on 3 March"):
        assert part in text
    assert actions.parse(buttons(post)["Accept"]["value"]).handoff == 1
    assert "asks <@U0BO> to take over" in post.payload["text"]


def test_nobody_is_said_to_have_declined_what_was_taken_back():
    """The one who offered ends the offer: neither the thread nor the next summary blames Bo."""
    incident = after(
        walked(6),
        ev.HandoffOffered(at(57), "U0ANA", "U0BO"),
        ev.HandoffAnswered(at(58), 1, "U0ANA", False, "Bo is away"),
        ev.HandoffOffered(at(59), "U0ANA", "U0CY"),
    )
    shown = thread(incident)
    assert "taken back" in words(shown["handoff-1"])
    assert "Bo is away" in words(shown["handoff-1"])
    assert "declined" not in words(shown["handoff-2"])


@pytest.mark.parametrize(("accepted", "said"), [(True, "accepted"), (False, "declined")])
def test_an_answered_offer_is_one_line(accepted, said):
    """The reason of a refusal stays."""
    incident = after(
        walked(6),
        ev.HandoffOffered(at(57), "U0ANA", "U0BO"),
        ev.HandoffAnswered(at(58), 1, "U0BO", accepted, "" if accepted else "not <ours>"),
    )
    post = thread(incident)["handoff-1"]
    assert said in words(post)
    assert elements(post) == []
    assert accepted or "not &lt;ours&gt;" in words(post)


def test_what_mends_the_cause_is_not_offered_again_for_what_it_feeds():
    """A feature is put back to its default; its node is run again."""
    again = Remedy("rerun", "Run again", ("upstream", "feature"))
    default = Remedy("default", "Back to its default", ("feature",))
    blamed = (Suspect("upstream", "keys", 0.9), Suspect("feature", "delay", 0.9))
    found = remedies(walked(6), view(mitigations=(again, default)), blamed)
    assert [(r.name, s.name) for r, s in found] == [
        ("rerun", "keys"),
        ("default", "delay"),
        ("rerun", "delay"),
    ]
