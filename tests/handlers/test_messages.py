"""The root and the steps say where the incident is, in every state it can be in."""

from __future__ import annotations

from dataclasses import replace

from analysis.evidence import Table
from handlers import actions
from handlers.messages.buttons import for_proposal
from handlers.messages.excluded import denied, ruled_out
from handlers.messages.summary import summarise
from handlers.messages.words import overrides, path, sure
from state import events as ev
from state.machine import advance
from state.tree import Branch
from tests.handlers.looks import buttons, charts, elements, refused, thread, words
from tests.handlers.toy import (
    ALERT,
    BACK,
    CAUSE,
    FEATURES,
    NOT_BACK,
    REAL,
    SNAPSHOT,
    TREE,
    WATCHING,
    after,
    at,
    mitigated,
    opened,
    walked,
)

# -- the root --------------------------------------------------------------------------------


def test_a_new_incident_is_red_and_offers_to_be_taken():
    """Before anybody looked: the alert's words and three ways to react."""
    root = thread(opened())["root"]
    assert root.payload["text"].startswith("🔴 Late-arrival alerts: precision 0.71 → 0.58")
    assert "nobody has it yet" in words(root)
    assert "step 1 of about 6" in words(root)
    assert list(buttons(root)) == ["Take it", "Not an incident", "Catch me up"]
    naps = [e for e in elements(root) if e["type"] == "static_select"]
    assert [actions.parse(o["value"]).minutes for o in naps[0]["options"]] == [15, 60, 240, 720]
    assert charts(root) == []


def test_steps_that_were_run_again_or_gone_back_to_do_not_count_on_the_way():
    """The thread gives them numbers of their own; where the walk is says the place."""
    assert "step 2 of about 6" in words(thread(walked(1))["root"])
    again = after(walked(1), ev.Rerun(at(4), 2, "U0ANA"), ev.Rerun(at(5), 3, "U0ANA"))
    assert again.current.number == 4
    assert "step 2 of about 6" in words(thread(again)["root"])
    back = after(walked(4), ev.WentBack(at(12), 2, "U0ANA"))
    assert "step 2 of about 6" in words(thread(back)["root"])
    onward = after(back, ev.Answered(at(13), 2, "model", "U0ANA"))
    assert onward.current.number == 6
    assert "step 3 of about 6" in words(thread(onward)["root"])


def test_the_root_takes_over_what_the_first_step_found():
    """Once confirmed, its finding replaces the alert's detail; the chart stands there at once."""
    waiting = thread(walked(1, last_answered=False))["root"]
    assert REAL.headline not in words(waiting)
    assert charts(waiting) == [REAL.charts[0].id]
    incident = walked(2, last_answered=False)
    root = thread(incident)["root"]
    assert REAL.headline in words(root)
    assert charts(root) == [REAL.charts[0].id]
    assert root.payload["text"].startswith("🟠")
    assert "<@U0ANA> has it" in words(root)
    assert "Take it" not in buttons(root)
    assert {"Hand off…", "Catch me up", "Resolve…", "Take it over"} == set(buttons(root))


def test_joined_alerts_snooze_and_a_pending_offer_stand_on_the_root():
    """What changes how urgent it is."""
    incident = after(
        opened(),
        ev.AlertJoined(at(1), ALERT),
        ev.Snoozed(at(2), "U0ANA", at(90)),
        ev.HandoffOffered(at(3), "U0ANA", "U0BO"),
    )
    text = words(thread(incident)["root"])
    assert "2 alerts joined" in text
    assert "quiet until" in text
    assert "offered to <@U0BO>" in text
    assert "quiet until" not in words(thread(incident, now=at(91))["root"])


def test_a_resolved_incident_is_green_with_cause_path_minutes_and_answers():
    """The living message ends as the record in short."""
    watched = mitigated(walked(6), ev.Checked(at(40), 7, BACK))
    incident = after(watched, ev.Answered(at(63), 7, "recovered", "U0ANA"))
    root = thread(incident)["root"]
    text = words(root).replace("\u00a0", " ")
    assert root.payload["text"].startswith("🟢")
    for part in ("`weather_hourly`", "63 min", "6 answers", "run again", "Path: Real"):
        assert part in text
    assert list(buttons(root)) == ["Reopen", "Catch me up"]


def test_a_dismissed_incident_is_neither_red_nor_green():
    """Not an incident is no success."""
    incident = after(opened(), ev.Closed(at(3), "U0ANA", "not an incident"))
    root = thread(incident)["root"]
    assert root.payload["text"].startswith("⚪")
    assert "not an incident by <@U0ANA>" in words(root)


def test_the_other_channel_shows_the_same_state_and_the_way_home():
    """Another team's channel gets the root, the offer, the conclusion, a link; no old steps."""
    incident = after(walked(6), ev.HandoffOffered(at(20), "U0ANA", "U0BO", "C2"))
    link = "https://team.slack.example/archives/C1/p1"
    posts = thread(incident, channel="C2", primary=False, home_link=link)
    assert set(posts) == {"root", "handoff-1", "conclusion-6"}
    assert f"<{link}|" in words(posts["root"])
    assert posts["root"].payload["text"] == thread(incident)["root"].payload["text"]
    assert "handoff-1" not in thread(incident, channel="C3", primary=False)


def test_the_other_channel_gets_the_steps_from_the_offer_on():
    """A second person there accepts and finishes the incident without the first."""
    incident = after(walked(2), ev.HandoffOffered(at(20), "U0ANA", "U0BO", "C2"))
    number = incident.current.number
    posts = thread(incident, channel="C2", primary=False)
    assert set(posts) == {"root", "handoff-1", f"step-{number}"}
    home = thread(incident)[f"step-{number}"]
    assert buttons(posts[f"step-{number}"]) == buttons(home)


# -- steps -----------------------------------------------------------------------------------


def test_a_running_step_says_what_is_being_looked_at():
    """No buttons, no chart: only the question."""
    post = thread(opened())["step-1"]
    assert "Looking: Is it real?" in words(post)
    assert elements(post) == []


def test_a_proposed_step_offers_the_proposal_by_name_first():
    """The primary button names the suspects; the others are the branches that need none."""
    post = thread(walked(5, last_answered=False))["step-5"]
    found = buttons(post)
    assert next(iter(found)) == "temp and dewp"
    assert found["temp and dewp"]["style"] == "primary"
    assert found["temp and dewp"]["action_id"] == "answer:inputs"
    ref = actions.parse(found["temp and dewp"]["value"])
    assert (ref.incident, ref.step, ref.verdict) == ("HE-12", 5, "inputs")
    assert set(found) >= {"Not the inputs: look inside the model", "Neither", "Choose…", "How?"}
    options = [actions.of({"selected_option": o}) for o in elements(post)[-1]["options"]]
    assert [o.option for o in options] == ["window", "skip", "back", "note", "stop"]
    assert options[2].step == 4


def test_a_proposed_step_shows_how_sure_from_what_and_what_is_missing():
    """Confidence, rows, table, disagreement: nothing hidden behind the button."""
    post = thread(walked(5, last_answered=False))["step-5"]
    text = words(post).replace("\u00a0", " ")
    assert "93% sure · 41,200 rows since" in text
    assert "1,912,004 of the 14 days before · 0.4 s" in text
    assert "Views disagree: visib drifted" in text
    table = next(block for block in post.payload["blocks"] if block["type"] == "table")
    assert table["rows"][1][0]["text"] == "temp"
    assert "Not looked at: feature store latency" in words(
        thread(walked(2, last_answered=False))["step-2"]
    )


def test_without_a_table_the_suspects_are_listed_with_their_intervals():
    """Share, interval, what changed, since when."""
    incident = after(walked(4), ev.Checked(at(10), 5, replace(FEATURES, table=None)))
    text = words(thread(incident)["step-5"]).replace("\u00a0", " ")
    assert "• `temp` — explains 61% (55–67), values are 0.5556" in text
    assert "visib" not in text.split("Views")[0]


def test_a_guess_is_called_one_and_is_no_primary_button():
    """Below 60% the person is to read before pressing."""
    unsure = replace(SNAPSHOT, confidence=0.45, headline="Two snapshots served the same traffic.")
    post = thread(after(walked(3), ev.Checked(at(8), 4, unsure)))["step-4"]
    text = words(post).replace("\u00a0", " ")
    assert "I can’t tell for sure. Two snapshots" in text
    assert "My best guess: No snapshot." in text
    assert "only 45% sure" in text
    perhaps = replace(unsure, headline="Not sure: it fell.")
    doubted = words(thread(after(walked(3), ev.Checked(at(8), 4, perhaps)))["step-4"])
    assert "4 · Which snapshot?* Not sure" in doubted
    assert "best guess" not in doubted
    assert not any(e.get("style") for e in elements(post))
    assert "Look again" in buttons(post)


def test_who_can_t_tell_gives_no_number_for_how_sure():
    """ "I can't tell … 94% sure" would say two things."""
    lost = replace(SNAPSHOT, verdict="unsure", headline="I can't tell: 2 publishes.", proposed=0)
    post = thread(after(walked(3), ev.Checked(at(8), 4, lost)))["step-4"]
    assert "can’t tell yet · " in words(post)
    assert "% sure" not in words(post) + post.payload["text"]
    assert sure(replace(lost, verdict="watching", confidence=0.02)) == "can’t tell yet"


def test_a_check_that_could_not_run_leaves_every_branch_to_the_person():
    """The sentence, the branches by hand, and once more."""
    error = "312 incident and 40 baseline rows; need 500 each: widen the window."
    incident = after(walked(1), ev.CheckFailed(at(4), 2, error))
    post = thread(incident)["step-2"]
    assert error in words(post)
    assert next(iter(buttons(post))) == "Look again"
    assert {"Go on without it", "Traffic", "Infrastructure", "Choose…"} <= set(buttons(post))
    assert "needs you" in words(thread(incident)["root"])


def test_a_skipped_step_says_that_it_was_left_open():
    """Nothing is called decided, overruled or ruled out."""
    incident = after(walked(1), ev.Checked(at(4), 2, CAUSE), ev.Skipped(at(5), 2, "U0ANA"))
    post = thread(incident)["step-2"]
    assert words(post).startswith("↷ *2 · Skipped* — <@U0ANA>, <!date^")
    assert "left open: Traffic, infrastructure or model?" in words(post)
    assert incident.current.node == "models"
    assert ruled_out(incident, TREE) == ["a false alarm"]
    assert overrides(incident, TREE) == []
    assert path(incident, TREE).endswith("→ skipped")
    assert "Skipped by <@U0ANA>" in str(summarise(incident, TREE, ()))


def test_branches_to_be_followed_afterwards_are_said():
    """Also while they wait, and they are not ruled out."""
    given = ev.Answered(at(5), 2, "model", "U0ANA", also=("infrastructure",))
    incident = after(walked(1), ev.Checked(at(4), 2, CAUSE), given)
    assert "*2 · Model, then Infrastructure* —" in words(thread(incident)["step-2"])
    assert "infrastructure" not in ruled_out(incident, TREE)


def test_what_a_step_could_not_weigh_or_holds_for_likely_is_not_ruled_out():
    """Outcomes that moved alone make a world likely that an earlier step had let go of; where no
    labels tell of it, it is not said to be out either."""
    shares = {"none": 0.6, "inputs": 0.05, "model": 0.05}
    node = TREE.node("features")
    known = replace(node, branches=(*node.branches, Branch("world", "world", "The world changed")))
    tree = replace(TREE, nodes=tuple(known if n is node else n for n in TREE.nodes))
    for world in ({"world": 0.3}, {}, {"world": 0.0}):
        neither = replace(FEATURES, verdict="none", confidence=0.6, shares=shares | world)
        seen = ev.Checked(at(10), 5, neither)
        incident = after(walked(4), seen, ev.Answered(at(11), 5, "none", "U1"))
        told = ruled_out(incident, tree)
        assert "the inputs" in told
        assert ("a change in the world" in told) == (world == {"world": 0.0})


def test_an_answered_step_is_one_line_with_its_chart():
    """✓ what, who, when; the chart stays."""
    post = thread(walked(5))["step-5"]
    assert words(post).startswith("✓ *5 · `temp` and `dewp`* — <@U0ANA>, <!date^")
    assert charts(post) == [FEATURES.charts[0].id]
    assert "\n" not in words(post)
    assert "since <!date^" in words(thread(walked(1))["step-1"])


def test_the_onset_is_told_once():
    """Only at the step that found it, not at all that follow."""
    again = replace(CAUSE, onset=REAL.onset)
    incident = after(walked(1), ev.Checked(at(4), 2, again))
    incident = after(incident, ev.Answered(at(5), 2, "model", "U0ANA"))
    assert "*1 · Real, since" in words(thread(incident)["step-1"])
    assert "*2 · Model* —" in words(thread(incident)["step-2"])


def test_a_long_table_is_cut_and_says_so():
    """Five rows on the phone, all of them under "How?"."""
    long = replace(FEATURES, table=Table(("a",), tuple((f"row {n}",) for n in range(7))))
    post = thread(after(walked(4), ev.Checked(at(10), 5, long)))["step-5"]
    table = next(block for block in post.payload["blocks"] if block["type"] == "table")
    assert len(table["rows"]) == 6
    assert "and 2 more rows under “How?”" in words(post)


def test_an_override_says_what_was_proposed():
    """Both opinions stay on the record."""
    incident = after(walked(2, last_answered=False), ev.Answered(at(5), 2, "world", "U0BO"))
    text = words(thread(incident)["step-2"])
    assert "*2 · The world changed* — <@U0BO>" in text
    assert "override: I proposed Model" in text


def test_a_step_that_was_left_behind_is_one_struck_line_without_chart():
    """Going back folds what came after."""
    incident = after(walked(4), ev.WentBack(at(12), 2, "U0ANA"))
    posts = thread(incident)
    assert words(posts["step-3"]) == "~3 · Which models?~ left behind"
    assert charts(posts["step-3"]) == []
    assert "Model" in buttons(posts["step-2"])


def test_buttons_disappear_when_the_incident_is_closed():
    """Nothing to press in a closed thread but what reopens it."""
    incident = after(walked(3, last_answered=False), ev.Closed(at(9), "U0ANA", "stopped"))
    posts = thread(incident)
    assert all(not elements(p) for name, p in posts.items() if name != "root")


# -- all of them -----------------------------------------------------------------------------


def test_posts_stand_in_the_order_of_time():
    """The root first; a watch stands where the mitigation was done, whenever it is looked at."""
    incident = mitigated(walked(6), ev.Checked(at(30), 7, NOT_BACK))
    incident = after(incident, ev.HandoffOffered(at(57), "U0ANA", "U0BO"))
    names = list(thread(incident))
    assert names[0] == "root"
    assert names[1:] == [*(f"step-{n}" for n in range(1, 7)), *names[7:]]
    assert names[7:] == ["conclusion-6", "mitigation-1", "step-7", "handoff-1"]
    assert [p.position for p in thread(incident).values()] == list(range(len(names)))


def test_every_button_of_a_walk_is_understood_by_the_machine():
    """No branch button leads to a refusal."""
    for number in range(1, 7):
        incident = walked(number, last_answered=False)
        for button in buttons(thread(incident)[f"step-{number}"]).values():
            if actions.verb(button["action_id"]) == "answer":
                ref = actions.parse(button["value"])
                answer = ev.Answered(at(30), ref.step, ref.verdict, "U0ANA")
                changed, effects = advance(incident, answer, TREE)
                assert changed.version == incident.version + 1, effects


def test_a_walk_is_taken_by_slack_in_every_state():
    """Nothing of it is beyond Block Kit's limits."""
    for number in range(1, 7):
        for last in (False, True):
            posts = thread(walked(number, last_answered=last))
            assert refused(list(posts.values())) == []


def test_rendering_twice_gives_the_same():
    """Otherwise every event would update every message."""
    incident = mitigated(walked(6), ev.Checked(at(30), 7, WATCHING))
    assert thread(incident) == thread(incident, now=at(600))


def test_a_step_that_was_run_again_says_where():
    """Nobody looks for what became of it."""
    incident = after(walked(1, last_answered=False), ev.Rerun(at(4), 1, "U0ANA"))
    assert words(thread(incident)["step-1"]) == "~1 · Is it real?~ looked at again in step 2"


def test_an_overruled_finding_is_not_the_headline():
    """Once a person said that it is real, the first message no longer says that it is not."""
    incident = walked(1, last_answered=False)
    found = incident.steps[0].evidence
    calm = replace(found, verdict="false_alarm", headline="It is within what is usual.")
    incident = after(opened(), ev.Checked(at(1), 1, calm), ev.Answered(at(2), 1, "real", "U0ANA"))
    assert "within what is usual" not in words(thread(incident)["root"])


def test_what_an_earlier_answer_ruled_out_is_no_button():
    """After "No snapshot" nothing offers to blame one; a guess rules out nothing."""
    certain = after(walked(4), ev.Checked(at(10), 5, FEATURES))
    step = certain.step(5)
    assert step
    assert "snapshot_exit" in denied(certain, TREE, step)
    assert "features" not in denied(certain, TREE, step)
    node = TREE.node("features")
    late = replace(node, branches=(*node.branches, Branch("late", "snapshot_exit", "The snapshot")))
    tree = replace(TREE, nodes=tuple(late if n is node else n for n in TREE.nodes))

    def offered(incident):
        row = for_proposal(incident, incident.step(5), tree, FEATURES)
        return [e["text"]["text"] for e in row if e and e["type"] == "button"]

    assert "The snapshot" not in offered(certain)
    assert "Neither" in offered(certain)
    guess = replace(SNAPSHOT, confidence=0.45)
    answered = ev.Answered(at(9), 4, guess.verdict, "U0ANA")
    unsure = after(walked(3), ev.Checked(at(8), 4, guess), answered)
    assert "The snapshot" in offered(after(unsure, ev.Checked(at(10), 5, FEATURES)))
