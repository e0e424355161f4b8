"""The Home tab, shortcuts and the record, as people use them in the local workspace."""

from datetime import UTC, datetime, timedelta

import pytest

from analysis.evidence import Evidence, Table
from bot.workspace import Fault
from handlers import work
from handlers.reading import moment_in, words_of
from handlers.suggestions import filter_option
from state import events as ev
from state.preferences import Preferences, preferences, set_preferences
from state.said import Sayings
from tests.walk.stage import staged

SPARK = Table(
    ("monitor", "hourly values", "in its band", "why not"),
    (("metric:precision", ",".join(["0.7"] * 23 + ["0.5"]), "no", ""),),
)
LEVELS = Table(("dimension", "value", "rows"), (("arm", "control", "90"), ("arm", "test", "60")))


@pytest.fixture
def stage(tmp_path):
    """A fresh stage whose workers know sparklines and levels."""
    with staged(tmp_path) as found:
        found.canned.by_node |= {
            "sparks": Evidence("seen", 1.0, "A day.", table=SPARK),
            "levels": Evidence("seen", 1.0, "Values.", table=LEVELS),
        }
        found.bot.home.loop.poll_seconds = 0.05
        yield found


def app_of(stage):
    """The bot's app in the workspace."""
    return next(iter(stage.workspace.apps.values()))


def shown(stage, user):
    """The text of a person's Home as it stands; "" while there is none."""
    view = stage.workspace.homes.get((app_of(stage).id, user))
    return str(view.body["blocks"]) if view else ""


def looks(stage, user, *texts):
    """Open the Home tab and wait until it shows all these texts."""
    stage.workspace.open_home(user)
    assert stage.until(lambda: all(t in shown(stage, user) for t in texts)), shown(stage, user)


def press_home(stage, user, action, **more):
    """Press a button of one's Home."""
    view = stage.workspace.homes[app_of(stage).id, user]
    stage.workspace.click(user, view_id=view.id, action_id=action, **more)


def modal(stage, user, callback):
    """The form that is open in front of somebody, once it is there."""
    assert stage.until(
        lambda: (v := stage.workspace.modal(user)) and v.body["callback_id"] == callback
    )
    return stage.workspace.modal(user)


def field(name, **value):
    """One field of a form as it is sent."""
    return {name: {name: value}}


def test_home_shows_what_waits_what_is_open_the_monitors_and_settings(stage):
    """And follows what changes while it is open."""
    looks(stage, stage.ana, "Nothing waits for you", "No incident is open", "Your settings")
    looks(stage, stage.ana, "█", "`precision`", "out of range", "0.5")
    incident = stage.fire()
    stage.shows(incident, "step-1", "answer:yes")
    assert stage.until(lambda: incident in shown(stage, stage.ana))
    press_home(stage, stage.ana, "take")
    assert stage.until(lambda: stage.incident(incident).owner == stage.ana)
    assert stage.until(lambda: "waits for your answer" in shown(stage, stage.ana))


def test_a_handoff_is_accepted_from_home(stage):
    """It stands first, with its buttons."""
    incident = stage.fire()
    stage.shows(incident, "step-1", "answer:yes")
    now = stage.bot.clock()
    stage.bot.conversation.tell(incident, ev.HandoffOffered(now, stage.ana, stage.bo))
    looks(stage, stage.bo, "hands it over to you", "waits for an answer")
    press_home(stage, stage.bo, "accept")
    assert stage.until(lambda: stage.incident(incident).owner == stage.bo)
    assert stage.until(lambda: "accepted" in shown(stage, stage.bo))


def test_what_is_in_a_private_channel_is_in_the_home_of_its_members_alone(stage):
    """Neither the incident nor the monitor whose alerts go there."""
    bot_user = app_of(stage).user_id
    secret = stage.workspace.add_channel("secret", [stage.bo, bot_user], private=True)
    hidden = stage.fire(key="hidden", channel=secret.id)
    looks(stage, stage.bo, hidden)
    looks(stage, stage.ana, "No incident is open", "`precision`")
    assert "is on it" not in shown(stage, stage.ana)
    settings = stage.bot.settings
    slack = settings.slack.model_copy(update={"channel": "#secret"})
    stage.bot.settings = settings.model_copy(update={"slack": slack})
    stage.bot.directory.forget("channels")
    looks(stage, stage.ana, "Nothing is watched where you can read")


def test_settings_are_checked_kept_and_shown(stage):
    """Half a pair of quiet hours is an error beside the field, and what was typed stays."""
    looks(stage, stage.ana, "Your settings")
    press_home(stage, stage.ana, "settings")
    view = modal(stage, stage.ana, "settings")
    state = {
        **field("quiet_from", type="timepicker", selected_time="22:00"),
        **field("window", type="static_select", selected_option={"value": "72"}),
    }
    refused = stage.workspace.submit(stage.ana, view.id, state)
    assert list(refused.errors) == ["quiet_until"]
    assert stage.workspace.modal(stage.ana).values["quiet_from"]["quiet_from"]["selected_time"]
    state |= field("quiet_until", type="timepicker", selected_time="07:00")
    assert stage.workspace.submit(stage.ana, view.id, state).ok
    assert stage.until(lambda: "22:00 to 07:00" in shown(stage, stage.ana))
    kept = preferences(stage.bot.store, stage.ana)
    assert kept == Preferences("22:00", "07:00", False, 72)
    stage.workspace.command(stage.ana, stage.channel, "/hawkeye triage precision")
    assert stage.until(stage.bot.store.open_incidents)
    [found] = stage.bot.store.open_incidents()
    assert abs(stage.bot.clock() - found.alert.since - timedelta(hours=72)) < timedelta(minutes=2)
    looks(stage, stage.ana, "you asked for it, and nobody has it")


def test_quiet_hours_end_when_the_reader_says():
    """Over midnight and within a day, in their own zone."""
    night, siesta = Preferences("22:00", "07:00"), Preferences("13:00", "15:00")
    late = datetime(2026, 11, 23, 23, 30, tzinfo=UTC)
    assert night.quiet_end(late, UTC) == datetime(2026, 11, 24, 7, tzinfo=UTC)
    assert night.quiet_end(late + timedelta(hours=4), UTC) == datetime(2026, 11, 24, 7, tzinfo=UTC)
    assert night.quiet_end(late + timedelta(hours=8), UTC) is None
    assert siesta.quiet_end(late, UTC) is None
    assert Preferences().quiet_end(late, UTC) is None


def test_a_triage_is_started_from_the_form(stage):
    """The subject by type-ahead; what is wrong stays beside its field; why goes to the thread."""
    stage.workspace.shortcut(stage.ana, "start_triage")
    view = modal(stage, stage.ana, "triage")
    found = stage.workspace.options(stage.ana, "preci", action_id="subject", view_id=view.id)
    [group] = found["option_groups"]
    state = {
        **field("subject", type="external_select", selected_option=group["options"][0]),
        **field("why", type="plain_text_input", value="pilots call"),
        **field("severity", type="static_select", selected_option={"value": "1"}),
    }
    ahead = int(datetime.now(UTC).timestamp()) + 7200
    wrong = field("since", type="datetimepicker", selected_date_time=ahead)
    assert list(stage.workspace.submit(stage.ana, view.id, state | wrong).errors) == ["since"]
    since = int(datetime.now(UTC).timestamp()) - 7200
    right = field("since", type="datetimepicker", selected_date_time=since)
    where = field("channel", type="conversations_select", selected_conversation=stage.channel)
    assert stage.workspace.submit(stage.ana, view.id, state | right | where).ok
    [incident] = stage.bot.store.open_incidents()
    assert (incident.severity, incident.alert.detail) == (1, "pilots call")
    assert incident.id in str(stage.workspace.modal(stage.ana).body)
    stage.workspace.close(stage.ana, stage.workspace.modal(stage.ana).id)
    stage.workspace.shortcut(stage.bo, "start_triage")
    again = modal(stage, stage.bo, "triage")
    state |= right | where
    assert "on it already" in stage.workspace.submit(stage.bo, again.id, state).errors["subject"]
    state |= field("anew", type="checkboxes", selected_options=[{"value": "anew"}])
    assert stage.workspace.submit(stage.bo, again.id, state).ok
    assert len(stage.bot.store.open_incidents()) == 2


def test_triage_this_finds_metric_and_time_in_a_message(stage):
    """Prefilled, and the thread opens under the message."""
    words = "*is* precision <https://example.com/1|off>? since 01:05 UTC"
    said = stage.workspace.say(stage.ana, stage.channel, words)
    stage.workspace.shortcut(stage.bo, "triage_this", stage.channel, said.ts)
    view = modal(stage, stage.bo, "triage")
    values = view.values
    assert values["subject"]["subject"]["selected_option"]["value"] == "metric:precision"
    since = datetime.fromtimestamp(values["since"]["since"]["selected_date_time"], UTC)
    assert (since.hour, since.minute) == (1, 5)
    told = values["why"]["why"]["value"]
    assert told == "is precision off (https://example.com/1)? since 01:05 UTC"
    assert stage.workspace.submit(stage.bo, view.id, values).ok
    [incident] = stage.bot.store.open_incidents()
    assert stage.bot.store.places(incident.id)[0].thread == said.ts


def test_a_message_is_pinned_into_the_record_and_followed(stage):
    """📌 puts it in, an edit changes it, a deletion or the last 📌 away takes it out."""
    incident = stage.fire()
    stage.shows(incident, "step-1", "answer:yes")
    said = stage.workspace.say(stage.bo, stage.channel, "feature store deploy at 13:50")
    stage.workspace.react(stage.ana, stage.channel, said.ts, "pushpin")
    store = stage.bot.store
    assert stage.until(lambda: [s.pinned for s in Sayings(store).of(incident)] == [True])
    stage.workspace.edit_own(stage.bo, stage.channel, said.ts, "deploy at 13:55")
    assert stage.until(lambda: [s.text for s in Sayings(store).of(incident)] == ["deploy at 13:55"])
    assert Sayings(store).of(incident)[0].pinned
    stage.workspace.react(stage.bo, stage.channel, said.ts, "pushpin")
    stage.workspace.react(stage.ana, stage.channel, said.ts, "pushpin", remove=True)
    stage.workspace.react(stage.bo, stage.channel, said.ts, "eyes")
    stage.workspace.react(stage.bo, stage.channel, said.ts, "pushpin", remove=True)
    assert stage.until(lambda: not Sayings(store).of(incident))
    thread = stage.ts(incident, "root")
    reply = stage.workspace.say(stage.bo, stage.channel, "I rolled it back", thread)
    stage.workspace.react(stage.ana, stage.channel, reply.ts, "pushpin")
    assert stage.until(lambda: [s.pinned for s in Sayings(store).of(incident)] == [True])
    stage.workspace.react(stage.ana, stage.channel, reply.ts, "pushpin", remove=True)
    assert stage.until(lambda: [s.pinned for s in Sayings(store).of(incident)] == [False])
    stage.workspace.delete_own(stage.bo, stage.channel, reply.ts)
    assert stage.until(lambda: not Sayings(store).of(incident))


def test_what_is_pinned_is_said_once_however_it_is_written(stage):
    """Slack sends a person's words twice: as text with escapes, and as blocks without."""
    incident = stage.fire()
    stage.shows(incident, "step-1", "answer:yes")
    said = stage.workspace.say(stage.bo, stage.channel, "a &lt;b&gt; &amp; c broke")
    stage.workspace.react(stage.ana, stage.channel, said.ts, "pushpin")
    assert stage.until(lambda: Sayings(stage.bot.store).of(incident))
    assert [s.text for s in Sayings(stage.bot.store).of(incident)] == ["a &lt;b&gt; &amp; c broke"]


def test_what_was_said_in_a_private_channel_is_told_to_its_readers_alone(stage):
    """Ana's public thread shows the hand-off; Bo's private one also what was written there."""
    incident = stage.fire()
    stage.shows(incident, "step-1", "answer:yes")
    secret = stage.workspace.add_channel("s", [stage.bo, app_of(stage).user_id], private=True)
    now = stage.bot.clock()
    offered = ev.HandoffOffered(now, stage.ana, stage.bo, secret.id)
    stage.bot.conversation.tell(incident, offered)
    stage.shows(incident, "handoff-1", "Accept", channel=secret.id)
    root = stage.ts(incident, "root", secret.id)
    stage.workspace.say(stage.bo, secret.id, "Zebra was hit at 14:00?", thread_ts=root)
    assert stage.until(lambda: Sayings(stage.bot.store).of(incident))
    stage.bot.conversation.refresh(incident)
    stage.shows(incident, "handoff-1", "Zebra", channel=secret.id)
    said = stage.bot.conversation.said
    assert [s.text for s in said(incident, stage.bo)] == ["Zebra was hit at 14:00?"]
    assert said(incident, stage.ana) == []
    assert "Zebra" not in str(stage.body(incident, "handoff-1"))


def test_a_thread_tells_of_an_earlier_incident_only_what_its_readers_may_see(stage):
    """Bo may see both, but Ana reads the thread in which he asks."""
    secret = stage.workspace.add_channel("s", [stage.bo, app_of(stage).user_id], private=True)
    one = stage.fire(key="one", channel=secret.id)
    other = stage.fire(key="other", channel=stage.channel)
    talk = stage.bot.conversation
    assert talk.may_see(one, stage.bo)
    assert not talk.may_tell(one, other, stage.channel)
    assert talk.may_tell(other, one, secret.id)


def test_a_message_is_added_to_a_timeline_and_one_catches_up(stage):
    """Where one incident is open it is meant; where several are, one is picked."""
    incident = stage.fire()
    stage.shows(incident, "step-1", "answer:yes")
    said = stage.workspace.say(stage.bo, stage.channel, "we saw this in March?")
    stage.workspace.shortcut(stage.ana, "add_to_timeline", stage.channel, said.ts)
    modal(stage, stage.ana, "notice")
    assert [s.pinned for s in Sayings(stage.bot.store).of(incident)] == [True]
    stage.workspace.shortcut(stage.ana, "catch_me_up", stage.channel, said.ts)
    assert "we saw this in March" in str(modal(stage, stage.ana, "caught_up").body)
    other = stage.fire(key="k2")
    elsewhere = stage.workspace.say(stage.bo, stage.channel, "and the other one?")
    stage.workspace.shortcut(stage.ana, "add_to_timeline", stage.channel, elsewhere.ts)
    view = modal(stage, stage.ana, "add_to_timeline")
    offered = stage.workspace.options(stage.ana, "", action_id="incident", view_id=view.id)
    picked = next(o for o in offered["options"] if o["value"] == other)
    state = field("incident", type="external_select", selected_option=picked)
    assert stage.workspace.submit(stage.ana, view.id, state).ok

    def kept() -> list[str]:
        return [s.text for s in Sayings(stage.bot.store).of(other)]

    assert stage.until(lambda: kept() == ["and the other one?"]), kept()


def test_a_step_runs_again_over_the_traffic_that_somebody_picks(stage):
    """The values come from the tables; the check gets the filter."""
    incident = stage.fire()
    stage.press(incident, "step-1", "more", option="Look again: window, filters…")
    view = modal(stage, stage.ana, "window")
    found = stage.workspace.options(stage.ana, "con", action_id="filters", view_id=view.id)
    assert found["options"] == [filter_option("arm=control")]
    state = field("filters", type="multi_external_select", selected_options=found["options"])
    assert stage.workspace.submit(stage.ana, view.id, {**view.values, **state}).ok
    assert stage.until(lambda: len(stage.incident(incident).steps) == 2)
    stage.shows(incident, "step-2", "only where arm = control")


def test_a_form_that_slack_does_not_open_is_told_where_somebody_waits_for_it(stage):
    """Beside the message, else in a direct message; once, and it can be tried again."""
    said = stage.workspace.say(stage.ana, stage.channel, "precision looks odd")
    stage.workspace.inject(Fault("views.open", error="internal_error"))
    stage.workspace.shortcut(stage.ana, "triage_this", stage.channel, said.ts)
    assert stage.until(lambda: any("did not open the form" in w for w in stage.whispers(stage.ana)))
    stage.workspace.inject(Fault("views.open", error="expired_trigger_id"))
    stage.workspace.shortcut(stage.bo, "start_triage")
    direct = stage.workspace.direct_message(stage.bo, app_of(stage).user_id)
    assert stage.until(lambda: any("once more" in m.text for m in direct.messages.values()))
    stage.workspace.shortcut(stage.bo, "start_triage")
    assert modal(stage, stage.bo, "triage")


def test_a_value_that_the_traffic_does_not_show_is_refused_in_the_form(stage):
    """Of traffic that is not there, every cause would be as likely as every other."""
    incident = stage.fire()
    stage.press(incident, "step-1", "more", option="Look again: window, filters…")
    view = modal(stage, stage.ana, "window")
    typed = stage.workspace.options(stage.ana, "arm = nobody", action_id="filters", view_id=view.id)
    assert typed["options"] == []
    picked = [filter_option("arm=nobody")]
    state = field("filters", type="multi_external_select", selected_options=picked)
    found = stage.workspace.submit(stage.ana, view.id, {**view.values, **state})
    assert "arm = nobody" in found.errors["filters"]
    assert len(stage.incident(incident).steps) == 1


def test_who_wants_a_direct_message_gets_one_outside_their_quiet_hours(stage):
    """In them it waits for their end; who did not ask for one gets none."""
    store, now = stage.bot.store, stage.bot.clock()
    set_preferences(store, stage.bo, Preferences(dm=True))
    incident = stage.fire()
    stage.bot.conversation.tell(incident, ev.HandoffOffered(now, stage.ana, stage.bo))
    direct = stage.workspace.direct_message(stage.bo, app_of(stage).user_id)
    assert stage.until(lambda: any("asks you" in m.text for m in direct.messages.values()))
    start, end = now - timedelta(hours=1), now + timedelta(hours=2)
    quiet = Preferences(f"{start:%H:%M}", f"{end:%H:%M}", dm=True)
    set_preferences(store, stage.ana, quiet)
    stage.bot.conversation.tell(incident, ev.Taken(now, stage.bo, stage.ana))
    mine = f"dm:{incident}:{stage.ana}:%"
    [owed] = store.rows("SELECT at FROM due WHERE id LIKE ?", mine)
    assert owed["at"][:16] == f"{end:%Y-%m-%dT%H:%M}"


@pytest.mark.parametrize(("times", "comes"), [(2, True), (1000, False)])
def test_a_direct_message_over_which_slack_breaks_is_tried_again_but_not_for_ever(
    stage, monkeypatch, times, comes
):
    """It is not lost to one hiccup, and given up when Slack breaks over it again and again."""
    monkeypatch.setattr(work, "REST", timedelta(seconds=0.01))
    incident = stage.fire()
    stage.shows(incident, "step-1", "answer:yes")
    stage.workspace.inject(Fault("chat.postMessage", times=times, error="internal_error"))
    stage.bot.conversation.write(stage.bo, incident, {"text": "over to you"})
    direct = stage.workspace.direct_message(stage.bo, app_of(stage).user_id)
    owed = "SELECT 1 FROM due WHERE kind = 'write'"
    assert stage.until(lambda: not stage.bot.store.rows(owed), 20)
    assert any("over to you" in m.text for m in direct.messages.values()) is comes


def test_a_note_takes_evidence_along_and_resolving_leaves_follow_ups(stage):
    """A bad link is an error beside its field; follow-ups stand on the first message."""
    incident = stage.fire()
    stage.press(incident, "step-1", "more", option="Add a note…")
    view = modal(stage, stage.ana, "note")
    state = {
        **field("text", type="plain_text_input", value="deploy at 13:50"),
        **field("step", type="static_select", selected_option={"value": "1"}),
    }
    wrong = field("link", type="url_text_input", value="htp://x")
    assert "link" in stage.workspace.submit(stage.ana, view.id, state | wrong).errors
    right = field("link", type="url_text_input", value="https://ci.example.com/7")
    assert stage.workspace.submit(stage.ana, view.id, state | right).ok
    stage.shows(incident, "root", "deploy at 13:50", "see step 1", "https://ci.example.com/7")
    walked = (("step-1", "answer:yes"), ("step-2", "answer:these"), ("step-3", "answer:data"))
    for name, action in walked:
        stage.press(incident, name, action)
    stage.press(incident, "conclusion", "resolve")
    form = modal(stage, stage.ana, "resolve")
    todo = field("follow_ups", type="plain_text_input", value="test the join\npage earlier")
    assert stage.workspace.submit(stage.ana, form.id, {**form.values, **todo}).ok
    stage.shows(incident, "root", "☐ test the join", "☐ page earlier")
    assert stage.bot.store.track_record("training_data") == (1, 1)
    assert stage.bot.store.track_record("training_data", but=incident) == (0, 0)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("down since 14:05", "2026-11-23 14:05"),
        ("alert at 2026-11-22T08:30:00Z fired", "2026-11-22 08:30"),
        ("<!date^1795432800^{time}|11:20>", "2026-11-23 11:20"),
        ("began 2 hours ago", "2026-11-23 13:00"),
        ("p99 is 12.05 of 3:1", None),
    ],
)
def test_the_time_in_a_message_is_found(text, wanted):
    """As its reader takes it."""
    said = datetime(2026, 11, 23, 15, tzinfo=UTC)
    found = moment_in(text, said, UTC)
    assert (f"{found:%Y-%m-%d %H:%M}" if found else None) == wanted


def test_the_words_of_an_alert_stand_in_attachments_and_blocks():
    """Another bot's message often has no text of its own."""
    message = {
        "text": "",
        "attachments": [{"fallback": "precision low", "fields": [{"title": "m", "value": "0.5"}]}],
        "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "since 14:05"}}],
    }
    assert {"precision low", "0.5", "since 14:05"} <= set(words_of(message).split("\n"))
