"""From an alert to its conclusion, by the clicks of people, over both of Slack's transports."""

import time
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from analysis.evidence import CannotExamine
from bot.workspace import Fault
from state import events as ev
from state.due import Urgency
from state.said import Sayings
from tests.walk.stage import BAD, staged


@pytest.fixture(scope="module", params=["socket", "http"])
def both(request, tmp_path_factory):
    """A stage for each transport."""
    with staged(tmp_path_factory.mktemp("stage"), request.param) as stage:
        yield stage


@pytest.fixture
def stage(tmp_path):
    """A fresh stage over Socket Mode."""
    with staged(tmp_path) as found:
        yield found


def walk_to_the_cause(stage, incident):
    """Accept three proposals."""
    stage.press(incident, "step-1", "answer:yes")
    stage.press(incident, "step-2", "answer:these")
    stage.press(incident, "step-3", "answer:data")
    stage.shows(incident, "conclusion", "s-bad")


def test_an_alert_is_walked_to_its_root_cause(both):
    """Root, three steps with charts, a conclusion; answered steps fold to one line."""
    incident = both.fire(key="walk")
    both.shows(incident, "root", "precision")
    both.shows(incident, "step-1", "It fell.", "slack_file")
    walk_to_the_cause(both, incident)
    found = both.incident(incident)
    assert found.status == "concluded"
    assert [c.kind for c in found.causes] == ["training_data"]
    both.shows(incident, "step-1", "✓", both.ana)
    assert all(not s.answer.override for s in found.live_steps)


def test_only_one_message_a_step_is_ever_posted(stage):
    """Updates happen in place: the thread holds the root, three steps, the conclusion."""
    incident = stage.fire()
    walk_to_the_cause(stage, incident)
    bots = [
        m for m in stage.workspace.channel(stage.channel).messages.values() if not m.ephemeral_to
    ]
    assert len(bots) == 5


def test_the_second_click_changes_nothing_and_is_told_who_was_first(stage):
    """Bo clicks what Ana has answered already."""
    incident = stage.fire()
    stage.shows(incident, "step-1", "answer:yes")
    ts = stage.ts(incident, "step-1")
    stage.canned.hold.clear()
    value = next(
        e["value"]
        for b in stage.body(incident, "step-1")["blocks"]
        for e in b.get("elements", [])
        if e.get("action_id") == "answer:yes"
    )
    stage.workspace.click(stage.ana, stage.channel, ts, action_id="answer:yes")
    assert stage.until(lambda: stage.incident(incident).steps[0].answer)
    late = ev.Answered(stage.bot.clock(), 1, "no", stage.bo)
    in_a_form = stage.bot.conversation.refusal(stage.incident(incident), [late])
    assert "<!date" not in in_a_form  # which shows plain text
    # Bo's page still shows the button: he sends the very same click.
    refusal = stage.bot.conversation.tell(incident, late)
    assert stage.ana in refusal
    assert "<!date^" in refusal  # the moment, in the reader's own zone
    assert '"v":"yes"' in value
    stage.canned.hold.set()


def test_the_next_step_is_computed_while_the_person_reads(stage):
    """Before the click the next check has run ahead; the click runs nothing."""
    incident = stage.fire()
    stage.shows(incident, "step-1", "answer:yes")
    assert stage.until(lambda: ("why", Urgency.AHEAD) in stage.canned.ran)
    stage.press(incident, "step-1", "answer:yes")
    stage.shows(incident, "step-2", "One is bad.")
    later = [Urgency.AHEAD, Urgency.AHEAD]
    assert [urgency for _, urgency in stage.canned.ran] == [Urgency.WAITED_FOR, *later]


def test_a_restart_goes_on_where_it_was(stage):
    """The bot dies while a check runs; its next life finishes the step, in the same thread."""
    incident = stage.fire()
    stage.shows(incident, "step-1", "answer:no")
    root = stage.ts(incident, "root")
    stage.canned.hold.clear()
    stage.press(incident, "step-1", "answer:yes")
    assert stage.until(lambda: len(stage.incident(incident).steps) == 2)
    stage.restart(meanwhile=stage.canned.hold.set)
    stage.press(incident, "step-2", "answer:these")
    stage.press(incident, "step-3", "answer:data")
    stage.shows(incident, "conclusion", "s-bad")
    assert stage.ts(incident, "root") == root


def test_what_was_said_while_the_bot_was_away_is_in_its_record(stage):
    """Messages missed while it was down are read back."""
    incident = stage.fire()
    stage.shows(incident, "step-1", "answer:yes")
    thread = stage.ts(incident, "root")
    stage.restart(
        meanwhile=lambda: stage.workspace.say(
            stage.ana, stage.channel, "rolled back by hand at 3:10", thread_ts=thread
        )
    )
    assert stage.until(lambda: Sayings(stage.bot.store).of(incident))
    assert "rolled back by hand" in Sayings(stage.bot.store).of(incident)[0].text


def test_a_post_cut_off_by_a_crash_is_found_and_not_posted_twice(stage):
    """Slack has the message, the store does not know: its metadata tells."""
    incident = stage.fire()
    stage.shows(incident, "step-1", "slack_file", "answer:yes")
    ts = stage.ts(incident, "step-1")
    with stage.bot.store.transaction() as db:
        db.execute("UPDATE posts SET ts = '', sent = '', sending = 1 WHERE name = 'step-1'")
    stage.bot.sender.loop.wake()
    assert stage.until(lambda: stage.ts(incident, "step-1") == ts)


def test_a_request_that_slack_did_not_sign_is_refused(tmp_path):
    """No signature, a wrong one, an old one: 401, and nothing happens."""
    import httpx

    with staged(tmp_path, "http") as stage:
        incident = stage.fire()
        stage.shows(incident, "step-1", "answer:yes")
        before = stage.incident(incident)
        url = f"{stage.front.url}/slack/events"
        body = "command=%2Fhawkeye&text=status&user_id=U1&channel_id=C1"
        for headers in (
            {},
            {"X-Slack-Signature": "v0=00", "X-Slack-Request-Timestamp": str(int(time.time()))},
            {"X-Slack-Signature": "v0=00", "X-Slack-Request-Timestamp": "1000000000"},
        ):
            assert httpx.post(url, content=body, headers=headers).status_code == 401
        assert stage.incident(incident) == before


def test_slack_asking_to_wait_loses_nothing(stage):
    """A 429 on every kind of call: everything arrives afterwards, once."""
    for method in ("chat.postMessage", "chat.update", "files.getUploadURLExternal"):
        stage.workspace.inject(Fault(method, times=2, retry_after=1))
    incident = stage.fire()
    assert stage.until(lambda: "answer:yes" in str(stage.body(incident, "step-1")), 15)
    walk_to_the_cause(stage, incident)
    assert stage.incident(incident).status == "concluded"


def test_a_deleted_message_is_posted_anew(stage):
    """Reposted only when Slack says that it is gone."""
    incident = stage.fire()
    stage.shows(incident, "step-1", "answer:yes")
    old = stage.ts(incident, "step-1")
    stage.bot.client.chat_delete(channel=stage.channel, ts=old)
    stage.bot.conversation.tell(incident, ev.Answered(stage.bot.clock(), 1, "yes", stage.ana))
    assert stage.until(lambda: stage.ts(incident, "step-1") not in ("", old))
    stage.shows(incident, "step-1", "✓")


def test_a_first_message_that_is_deleted_before_its_thread_begins_is_posted_anew(stage):
    """Slack posts a reply to what is gone into the channel: it is taken away, and told again."""
    stage.canned.hold.clear()
    incident = stage.fire()
    assert stage.until(lambda: stage.ts(incident, "root"))
    old = stage.ts(incident, "root")
    client, channel = stage.bot.client, stage.workspace.channel(stage.channel)
    for message in [m for m in channel.messages.values() if m.is_reply]:
        client.chat_delete(channel=stage.channel, ts=message.ts)
    client.chat_delete(channel=stage.channel, ts=old)
    with stage.bot.store.transaction() as db:  # as if the step had not been posted yet
        db.execute("UPDATE posts SET ts = '', sent = '' WHERE name = 'step-1'")
    stage.canned.hold.set()
    stage.shows(incident, "step-1", "answer:yes")
    root = stage.ts(incident, "root")
    assert root not in ("", old)
    mine = [m for m in channel.messages.values() if m.app_id and not m.ephemeral_to]
    assert [m.ts for m in mine if not m.is_reply] == [root]
    assert channel.messages[stage.ts(incident, "step-1")].thread_ts == root


def test_a_chart_that_cannot_be_uploaded_is_said_in_words(stage):
    """The step comes without its picture, and says what the picture would show."""
    stage.bot.sender.uploads.most_tries = 2
    stage.workspace.inject(Fault("files.getUploadURLExternal", times=200, error="internal_error"))
    incident = stage.fire()
    assert stage.until(lambda: "could not be uploaded" in str(stage.body(incident, "step-1")), 15)
    stage.shows(incident, "step-1", "a line falls from 3 to 1", "answer:yes")


def test_words_do_not_wait_for_their_chart(stage):
    """A step can be answered while Slack still processes its picture, which takes its place."""
    stage.workspace.file_processing_seconds = 1.5
    incident = stage.fire()
    stage.shows(incident, "step-1", "It fell.", "The chart follows", "answer:yes")
    assert "slack_file" not in str(stage.body(incident, "step-1"))
    stage.shows(incident, "step-1", "It fell.", "slack_file", "answer:yes")
    assert "follows" not in str(stage.body(incident, "step-1"))
    assert stage.until(lambda: stage.bot.conversation.outbox.waiting() == 0)


def test_blocks_that_slack_never_takes_are_not_sent_for_ever(stage):
    """Without its chart too: then the words alone are tried, and at last it rests."""
    incident = stage.fire()
    stage.shows(incident, "step-1", "slack_file", "answer:yes")
    stage.workspace.inject(Fault("chat.update", times=1000, error="invalid_blocks"))
    stage.press(incident, "step-1", "answer:yes")
    outbox = stage.bot.conversation.outbox
    assert stage.until(lambda: any(r.given_up for r in outbox.resting(incident)), 15)
    assert stage.until(lambda: outbox.waiting() == 0, 15)


def test_a_check_that_cannot_run_is_answered_by_hand(stage):
    """The sentence is in the thread, with the branches."""
    stage.canned.by_node["real"] = CannotExamine("There are 12 rows; 500 are needed.")
    incident = stage.fire()
    stage.shows(incident, "step-1", "There are 12 rows; 500 are needed.", "answer:yes")
    stage.press(incident, "step-1", "answer:yes")
    stage.shows(incident, "step-2", "One is bad.")


def test_a_check_that_breaks_says_so_and_loses_nothing(stage):
    """A bug in a check is the bot's fault, in words, with a way on."""
    stage.canned.by_node["real"] = ZeroDivisionError("division by zero")
    incident = stage.fire()
    stage.shows(incident, "step-1", "fault of mine", "division by zero", "answer:yes")


def test_a_mitigation_is_shown_confirmed_carried_out_and_watched(stage):
    """Dry run, one confirmation, the effect measured, resolved by a person."""
    incident = stage.fire()
    walk_to_the_cause(stage, incident)
    stage.press(incident, "conclusion", "mitigate:0")
    stage.shows(incident, "mitigation-1", "would be replaced by its parent")
    assert stage.rollback.done == []
    stage.press(incident, "mitigation-1", "confirm")
    stage.shows(incident, "step-4", "It is back.")
    assert stage.rollback.done == [BAD.name]
    stage.press(incident, "step-4", "answer:recovered")
    assert stage.until(lambda: stage.incident(incident).status == "resolved")
    stage.shows(incident, "root", "🟢")


def test_a_person_who_may_not_confirm_is_told_and_nothing_happens(stage):
    """Only those named in the settings may."""
    stage.bot.mitigations.may["rollback"] = frozenset({stage.bo})
    incident = stage.fire()
    walk_to_the_cause(stage, incident)
    stage.press(incident, "conclusion", "mitigate:0")
    stage.press(incident, "mitigation-1", "confirm")
    assert stage.until(lambda: any(stage.bo in w for w in stage.whispers(stage.ana)))
    assert stage.rollback.done == []
    stage.press(incident, "mitigation-1", "confirm", by=stage.bo)
    assert stage.until(lambda: stage.rollback.done == [BAD.name])


def test_a_hand_off_to_another_channel_shows_one_state_in_both(stage):
    """Bo accepts in his own channel; both roots name him."""
    incident = stage.fire()
    stage.shows(incident, "step-1", "answer:yes")
    stage.workspace.say(
        stage.ana,
        stage.channel,
        "we saw the same on 3 March?",
        thread_ts=stage.ts(incident, "root"),
    )
    assert stage.until(lambda: Sayings(stage.bot.store).of(incident))
    stage.bot.conversation.tell(
        incident, ev.HandoffOffered(stage.bot.clock(), stage.ana, stage.bo, stage.other)
    )
    stage.shows(incident, "handoff-1", "3 March", channel=stage.other)
    stage.press(incident, "handoff-1", "accept", by=stage.bo, channel=stage.other)
    assert stage.until(lambda: stage.incident(incident).owner == stage.bo)
    stage.shows(incident, "root", stage.bo)
    stage.shows(incident, "root", stage.bo, channel=stage.other)


def test_what_is_asked_of_the_bot_is_no_quote_in_a_hand_off(stage):
    """Bo reads what people told each other; the commands between are known by their answers."""
    incident = stage.fire()
    stage.shows(incident, "step-1", "answer:yes")
    thread = stage.ts(incident, "root")
    bot = stage.bot.conversation.directory.me()["user_id"]
    for text in (f"<@{bot}> chart precision 7d", "we saw the same on 3 March?"):
        stage.workspace.say(stage.ana, stage.channel, text, thread_ts=thread)
    assert stage.until(lambda: len(Sayings(stage.bot.store).of(incident)) == 2)
    stage.bot.conversation.tell(incident, ev.HandoffOffered(stage.bot.clock(), stage.ana, stage.bo))
    stage.shows(incident, "handoff-1", "3 March")
    assert "chart precision" not in str(stage.body(incident, "handoff-1"))


def test_what_is_refused_when_a_form_is_sent_is_said_in_the_form(stage):
    """It stays open with what was typed, and nothing of it is recorded."""
    incident = stage.fire()
    stage.shows(incident, "step-1", "answer:yes")
    stage.press(incident, "root", "take")
    stage.press(incident, "root", "handoff")
    assert stage.until(lambda: stage.workspace.modal(stage.ana))
    form = stage.workspace.modal(stage.ana)
    note = {"text": {"text": {"type": "plain_text_input", "value": "only I know this"}}}

    def offered(to):
        picked = {"to": {"to": {"type": "users_select", "selected_user": to}}}
        return stage.workspace.submit(stage.ana, form.id, picked | note)

    bot = stage.bot.conversation.directory.me()["user_id"]
    assert "is an app" in offered(bot).errors["to"]
    now = stage.bot.clock()
    stage.bot.conversation.tell(incident, ev.HandoffOffered(now, stage.bo, stage.bo))
    again = offered(stage.bo).errors["to"]
    assert "already offered to bo" in again
    assert "<@" not in again
    assert stage.workspace.modal(stage.ana).id == form.id
    assert stage.incident(incident).notes == ()


def test_messages_written_while_the_bot_was_down_are_read_back(stage):
    """The thread is the record."""
    incident = stage.fire()
    stage.shows(incident, "step-1", "answer:yes")
    thread = stage.ts(incident, "root")
    stage.workspace.say(stage.ana, stage.channel, "written meanwhile", thread_ts=thread)
    assert stage.until(lambda: Sayings(stage.bot.store).of(incident))
    Sayings(stage.bot.store).forget(stage.channel, Sayings(stage.bot.store).of(incident)[0].ts)
    assert stage.bot.threads.catch_up(stage.bot.client) >= 1
    assert [s.text for s in Sayings(stage.bot.store).of(incident)] == ["written meanwhile"]


def test_a_button_of_a_closed_incident_says_so(stage):
    """Nothing is lost, nothing happens, the person reads why."""
    incident = stage.fire()
    stage.shows(incident, "step-1", "answer:yes")
    refusal = stage.bot.conversation.tell(
        incident, ev.Closed(stage.bot.clock(), stage.ana, "stopped")
    )
    assert refusal == ""
    assert "reopen" in stage.bot.conversation.tell(
        incident, ev.Answered(stage.bot.clock(), 1, "yes", stage.bo)
    )


def test_the_same_alert_again_joins_the_open_thread(stage):
    """One thread, with a count."""
    first, second = stage.fire("same"), stage.fire("same")
    assert first == second
    stage.shows(first, "root", "2 alerts")


def test_a_mention_is_answered_where_it_was_made(stage):
    """Slash commands don't work in threads; mentions do."""
    incident = stage.fire()
    stage.shows(incident, "step-1", "answer:yes")
    stage.workspace.say(
        stage.ana, stage.channel, "hey @hawkeye, status", thread_ts=stage.ts(incident, "root")
    )
    assert stage.until(lambda: any("HE-1" in w for w in stage.whispers(stage.ana)))


def test_what_is_asked_by_mention_is_answered_with_a_chart_in_the_thread(both):
    """The walk's own messages stay as they are; what can't be shown says why."""
    incident = both.fire(key="look")
    both.shows(incident, "step-1", "answer:yes")
    thread = both.ts(incident, "root")
    answers = {
        "chart precision 24h": ("It fell by 3 points.", "slack_file"),
        "what changed": ("no table of snapshots",),
        "why": ("It fell.",),
    }
    for number, (asked, told) in enumerate(answers.items(), start=1):
        both.workspace.say(both.ana, both.channel, f"@hawkeye {asked}", thread_ts=thread)
        both.shows(incident, f"look-{number}", *told)
    both.press(incident, "look-1", "run:0")
    both.shows(incident, "look-4", "It fell by 3 points.", "slack_file")
    both.shows(incident, "step-1", "answer:yes")
    assert both.incident(incident).live_steps[0].answer is None


def test_the_acknowledgement_comes_while_checks_run(stage):
    """A click is acknowledged at once, however long the check takes."""
    incident = stage.fire()
    stage.shows(incident, "step-1", "answer:no")
    stage.canned.hold.clear()
    began = time.perf_counter()
    stage.press(incident, "step-1", "answer:no")
    assert time.perf_counter() - began < 2.5
    stage.canned.hold.set()


def test_while_slack_refuses_the_token_everything_waits_and_is_said(stage):
    """Nothing is given up, no chart is left out, and whoever runs the bot reads it."""
    app = next(iter(stage.workspace.apps.values()))
    good, app.bot_token = app.bot_token, "xoxb-replaced"
    incident = stage.fire()
    assert stage.until(lambda: stage.bot.access.refused == "invalid_auth")
    assert stage.until(lambda: stage.incident(incident).current.evidence)
    outbox = stage.bot.conversation.outbox
    assert {o.attempts for o in outbox.owed()} == {0}
    with pytest.raises(HTTPError) as refused:
        urlopen(f"{stage.front.url}/readyz")
    assert "invalid_auth" in refused.value.read().decode()
    app.bot_token = good
    stage.bot.use(good)
    stage.shows(incident, "step-1", "answer:yes", "slack_file")
    assert urlopen(f"{stage.front.url}/readyz").status == 200
