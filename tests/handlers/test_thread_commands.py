"""Commands said in an incident's thread: looking closer, and steering."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from analysis.evidence import Evidence, How, Scope, Window
from analysis.explore import Question
from handlers import blockkit, commands
from handlers.desk import Subjects
from handlers.messages.looks import look_message
from handlers.registry import Reply, Request, run_text
from state import events as ev
from state.looks import Look, Looks
from state.store import Store
from tests.handlers.fake_desk import NOW, FakeDesk
from tests.handlers.looks import uploaded

KNOWN = Subjects(
    metrics=("precision", "late arrival rate"),
    models=("delay",),
    features=("humid", "temp"),
    infra=("gateway/latency",),
    dimensions=("carrier", "arm"),
)


@pytest.fixture
def desk(tmp_path):
    """A desk with one incident about precision, its first step answered by U01."""
    store = Store(tmp_path / "state.db")
    found = FakeDesk(store, known=KNOWN)
    commands.ask(Request("triage precision", "U01", "C1"), found)
    found.tell("HE-1", ev.Checked(NOW, 1, Evidence("real", 0.9, "It is.", how=How("By a band."))))
    found.tell("HE-1", ev.Answered(NOW, 1, "real", "U01"))
    yield found
    store.close()


def say(desk: FakeDesk, text: str, **changes: object) -> Reply:
    """What comes back for a mention in the thread of HE-1."""
    request = Request(text, "U01", "C1", thread_ts="1.0", incident="HE-1", via="mention")
    found = commands.ask(replace(request, **changes), desk)
    assert blockkit.problems(list(found.blocks or [])) == []
    return found


def asked(desk: FakeDesk) -> list[Look]:
    """What was asked to be looked at."""
    return Looks(desk.store).of("HE-1")


def scope() -> Scope:
    """A day against the week before."""
    day = Window(NOW - timedelta(days=1), NOW)
    return Scope(NOW, day, Window(day.start - timedelta(days=7), day.start), "metric", "precision")


def labels(found: Reply) -> dict[str, str]:
    """Label to command of the buttons below a reply."""
    elements = [e for b in found.blocks or () if b["type"] == "actions" for e in b["elements"]]
    return {e["text"]["text"]: run_text(e["value"]) or e["value"] for e in elements}


# -- looking closer -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "kind", "thing", "name", "hours", "by"),
    [
        ("chart precision 7d by carrier", "chart", "metric", "precision", 168, "carrier"),
        ("chart humid last 6 hours", "chart", "feature", "humid", 6, ""),
        (
            "plot late arrival rate by Carrier 2d",
            "chart",
            "metric",
            "late arrival rate",
            48,
            "carrier",
        ),
        ("chart gateway/latency", "chart", "infra", "gateway/latency", 0, ""),
        ("chart", "chart", "metric", "precision", 0, ""),
        ("chart by arm", "chart", "metric", "precision", 0, "arm"),
        ("segments", "segments", "metric", "precision", 0, ""),
        ("segments delay", "segments", "model", "delay", 0, ""),
        ("what changed?", "changed", "metric", "", 0, ""),
    ],
)
def test_what_is_asked_becomes_a_question_about_the_incident(
    desk, text, kind, thing, name, hours, by
):
    """Nothing is whispered: the answer stands in the thread itself."""
    assert say(desk, text).text == ""
    [look] = asked(desk)
    assert look.question is not None
    told = look.question
    assert (told.kind, told.thing, told.name, told.hours, told.by) == (kind, thing, name, hours, by)
    assert told.scope.now == NOW
    assert told.scope.window.end == NOW


def test_two_snapshots_are_compared_whatever_stands_between_them(desk):
    """ "and", "with" and "vs" are no names."""
    say(desk, "compare snapshot r-12 with r-13")
    say(desk, "compare r-12 vs r-13")
    assert [look.question.others for look in asked(desk)] == [("r-12", "r-13")] * 2
    many = say(desk, "compare r-12 r-13 r-14")
    assert list(labels(many).values()) == [
        "compare snapshot r-12 r-13",
        "compare snapshot r-13 r-14",
    ]


@pytest.mark.parametrize("text", ["compare", "compare snapshot", "compare snapshot r-13"])
def test_fewer_than_two_snapshots_are_a_question_to_the_tables(desk, text):
    """They know what there is, and what was replaced."""
    say(desk, text)
    [look] = asked(desk)
    assert look.question is not None
    assert look.question.others == (("r-13",) if "13" in text else ())


@pytest.mark.parametrize(
    ("text", "button"),
    [
        ("segments precison", {"Segments of precision": "segments precision"}),
        ("segments humid", {"Chart humid by carrier": "chart humid by carrier"}),
        ("segments humidd", {"Chart humid by carrier": "chart humid by carrier"}),
        ("segments gateway/latency", {"Chart gateway/latency": "chart gateway/latency"}),
    ],
)
def test_segments_of_what_has_none_are_answered_with_what_may_be_meant(desk, text, button):
    """A feature has no segments, but a chart that is cut."""
    assert labels(say(desk, text)) == button


def test_a_look_at_what_is_not_there_offers_what_may_be_meant_behind_a_button():
    """The corrected command, as a misspelt series gets it."""
    look = Look(
        "HE-1", 1, "C1", "U01", NOW, "compare snapshot r-12 r-1", error="No snapshot `r-1`."
    )
    meant = Question("compare", scope(), others=("r-12", "r-13"))
    told = look_message(look, (), (meant,))
    assert labels(Reply("", tuple(told["blocks"]))) == {
        "Compare r-12 and r-13": "compare snapshot r-12 r-13"
    }
    assert blockkit.problems(uploaded(told)) == []


def test_an_unknown_series_is_answered_with_the_nearest_behind_a_button(desk):
    """With the span and the dimension that were asked for."""
    assert labels(say(desk, "chart precison 7d")) == {
        "Chart precision, 7 days": "chart precision 7d"
    }
    assert "I know no dimension `cariers`" in say(desk, "chart precision by cariers").text
    assert labels(say(desk, "humidd")) == {"Chart humid, 7 days": "chart humid 7d"}
    assert asked(desk) == []


def test_outside_the_thread_it_says_where_the_answer_comes(desk):
    """A slash command is answered to one person; the chart is for all."""
    found = say(desk, "chart HE-1 precision 7d", via="slash", thread_ts="", incident=None)
    assert "The answer comes in" in found.text
    assert "HE-1" in found.text
    assert len(asked(desk)) == 1


def test_a_look_is_shown_waiting_then_answered_then_as_an_error():
    """In one place; each is a message that Slack takes."""
    look = Look("HE-1", 1, "C1", "U01", NOW, "chart precision")
    waiting = look_message(look, ())
    told = look_message(replace(look, evidence=Evidence("seen", 1.0, "It fell by 3 points.")), ())
    failed = look_message(replace(look, error="There is no table of snapshots."), ())
    assert "Looking" in waiting["text"]
    assert told["text"] == "It fell by 3 points."
    assert "no table of snapshots" in failed["text"]
    for payload in (waiting, told, failed):
        assert blockkit.problems(uploaded(payload)) == []


# -- steering -------------------------------------------------------------------------------------


def test_why_tells_reason_proposal_method_and_decision(desk):
    """In the thread, so that the next reader needs not ask again."""
    assert say(desk, "why").text == ""
    [payload] = desk.told
    text = str(payload["blocks"])
    assert "I say Real" in text
    assert "By a band." in text
    assert "Decided* by <@U01>" in text
    assert "no step 9" in say(desk, "why 9").text


def test_back_asks_an_answered_step_again(desk):
    """The last one, or the one that is named; never one that nobody answered."""
    assert "Step 2 was not answered" in say(desk, "back 2").text
    assert say(desk, "back").text == ""
    incident = desk.store.load("HE-1")
    assert incident is not None
    assert all(step.answer is None for step in incident.live_steps)
    assert "Nothing was decided yet" in say(desk, "back").text


def test_skip_leaves_the_waiting_step_open(desk):
    """And says so where nothing waits."""
    waiting = desk.store.load("HE-1").current.number
    assert say(desk, "skip").text == ""
    answer = desk.store.load("HE-1").step(waiting).answer
    assert answer.skipped
    assert f"Skipped* by <@{answer.by}>" in str(_why(desk, waiting))
    assert "There is no step 9" in say(desk, "skip 9").text
    assert "↷ Which models? skipped" in say(desk, "status").text
    tree = say(desk, "tree").text
    assert "├ ✓ Real" in tree
    assert "├ ↷ These" in tree


def _why(desk, number):
    say(desk, f"why {number}")
    return desk.told[-1]["blocks"]


def test_a_note_keeps_the_words_as_they_were_typed(desk):
    """Another incident named in the middle is only talked about."""
    say(desk, "note Deploy at 13:50, same as HE-7 &amp; “worse”")
    incident = desk.store.load("HE-1")
    assert incident is not None
    assert [n.text for n in incident.notes] == ["Deploy at 13:50, same as HE-7 & “worse”"]
    assert "What should be noted?" in say(desk, "note").text


def test_an_incident_is_assigned_to_somebody_who_is_told_in_the_thread(desk):
    """Or taken by oneself."""
    assert say(desk, "assign <@U02>").text == ""
    assert "<@U02>: <@U01> gave you HE-1" in desk.told[-1]["text"]
    assert desk.store.load("HE-1").owner == "U02"
    assert "You have HE-1 now" in say(desk, "assign me").text
    assert desk.store.load("HE-1").owner == "U01"
    assert "pick the name" in say(desk, "assign @bo").text


def test_take_needs_no_name(desk):
    """Whom else would it mean; with a name it gives."""
    assert "You have HE-1 now" in say(desk, "take").text
    assert desk.store.load("HE-1").owner == "U01"
    say(desk, "take <@U02>")
    assert desk.store.load("HE-1").owner == "U02"


def test_severity_and_snooze_take_what_people_type(desk):
    """And offer the choices otherwise."""
    assert "severity 1 now" in say(desk, "severity sev1").text
    assert desk.store.load("HE-1").severity == 1
    assert "severity 3 now" in say(desk, "severity warning").text
    assert labels(say(desk, "severity 9")) == {
        f"Severity {n}": f"severity {n}" for n in range(1, 5)
    }
    say(desk, "snooze for 90 min")
    assert desk.store.load("HE-1").snoozed_until == NOW + timedelta(minutes=90)
    say(desk, "snooze until 9am")
    assert desk.store.load("HE-1").snoozed_until.hour == 9
    assert "At most a week" in say(desk, "snooze 30d").text
    assert "1 hour" in labels(say(desk, "snooze"))


def test_an_incident_is_closed_as_somebody_says_and_reopened(desk):
    """Without an outcome the three are offered."""
    assert set(labels(say(desk, "close"))) == {"Resolved…", "Not an incident", "Stop the walk"}
    assert "closed: not an incident" in say(desk, "close false alarm, same as HE-3").text
    assert not desk.store.load("HE-1").is_open
    assert "open again" in say(desk, "reopen").text
    assert desk.store.load("HE-1").is_open


def test_catch_me_up_is_for_the_one_who_asks(desk):
    """It says what was decided."""
    found = say(desk, "catch me up")
    assert not found.in_channel
    assert "Real" in str(found.blocks)
