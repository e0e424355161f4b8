"""The commands that we ship, over a real store and the real machine."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from analysis.evidence import Evidence, Suspect
from handlers import blockkit, commands
from handlers.commands import COMMANDS
from handlers.desk import Subjects
from handlers.registry import Reply, Request, run_text
from handlers.standing import MONITORS
from state import events as ev
from state.incident import Alert, Incident
from state.outbox import Outbox, Post
from state.store import Store
from tests.handlers.fake_desk import NOW, FakeDesk

DOCS = Path(__file__).parents[2] / "docs" / "commands.md"


@pytest.fixture
def desk(tmp_path):
    """A desk with an empty store."""
    store = Store(tmp_path / "state.db")
    yield FakeDesk(store)
    store.close()


def ask(desk: FakeDesk, text: str, **changes: object) -> Reply:
    """The reply to a text, which Slack must take."""
    request = replace(Request(text, user="U01", channel="C1"), **changes)
    found = commands.ask(request, desk)
    assert blockkit.problems(list(found.blocks or [])) == []
    assert not found.in_channel
    return found


def buttons(found: Reply) -> dict[str, str]:
    """Label to command, or to the plain value, of the buttons below a reply."""
    elements = [e for b in found.blocks or () if b["type"] == "actions" for e in b["elements"]]
    return {e["text"]["text"]: run_text(e["value"]) or e["value"] for e in elements}


def only(desk: FakeDesk) -> Incident:
    """The one open incident."""
    [found] = desk.store.open_incidents()
    return found


def walked(desk: FakeDesk) -> Incident:
    """An incident that U01 owns, with one answer given and the next one proposed."""
    ask(desk, "triage precision")
    desk.tell("HE-1", ev.Checked(NOW, 1, Evidence("real", 0.9, "It is.")))
    desk.tell("HE-1", ev.Taken(NOW, "U01", "U01"))
    desk.tell("HE-1", ev.Answered(NOW, 1, "real", "U01"))
    suspects = (Suspect("model", "delay <v2>", 0.9),)
    desk.tell("HE-1", ev.Checked(NOW, 2, Evidence("degraded", 0.8, "One.", suspects)))
    return only(desk)


# -- triage ---------------------------------------------------------------------------------------


def test_triage_opens_an_incident_about_the_metric_that_is_named(desk):
    """It says what it looks at, since when, and where."""
    found = ask(desk, "triage precision since 14:05")
    alert = only(desk).alert
    assert (alert.entry, alert.subject, alert.source, alert.by) == (
        "metric",
        "precision",
        "person",
        "U01",
    )
    assert alert.since == NOW.replace(hour=14, minute=5)
    assert (alert.channel, alert.thread) == ("C1", "")
    assert "HE-1" in found.text
    assert f"<!date^{int(alert.since.timestamp())}^" in found.text


def test_triage_without_a_time_looks_at_the_last_day(desk):
    """And says that another time can be named."""
    assert "last 24 hours" in ask(desk, "triage precision").text
    assert only(desk).alert.since == NOW - timedelta(hours=24)


@pytest.mark.parametrize(
    ("text", "entry", "subject", "hours"),
    [
        ("triage temp 2h ago", "feature", "temp", 2),
        ("triage late arrival rate since 13:46", "metric", "late arrival rate", 1),
        ("triage “late arrival rate” 1h", "metric", "late arrival rate", 1),
        ("triage Late-Arrival-Rate yesterday 14:46", "metric", "late arrival rate", 24),
        ("triage delay 3h", "model", "delay", 3),
        ("triage feature delay 3h", "feature", "delay", 3),
        ("triage model: delay 3h", "model", "delay", 3),
        ("triage TEMP, since 12:46.", "feature", "temp", 2),
        ("triage metric temp 2h", "feature", "temp", 2),
    ],
)
def test_triage_finds_the_subject_and_the_time_however_they_are_typed(
    desk, text, entry, subject, hours
):
    """Names may have spaces; a model and a feature may share a name."""
    ask(desk, text)
    alert = only(desk).alert
    assert (alert.entry, alert.subject) == (entry, subject)
    assert alert.since == NOW - timedelta(hours=hours)


def test_triage_reads_the_clock_of_the_one_who_asks(desk):
    """14:05 in Berlin is 13:05 UTC."""
    desk.offset = timedelta(hours=1)
    ask(desk, "triage precision since 14:05")
    assert only(desk).alert.since == NOW.replace(hour=13, minute=5)


def test_an_unknown_name_gets_the_nearest_with_a_button_that_keeps_the_time(desk):
    """Nothing is opened by a typo."""
    found = ask(desk, "triage humidty since 14:05")
    assert "`humidty`" in found.text
    assert "`humid` (feature)" in found.text
    assert buttons(found) == {"Triage humid since 14:05": "triage humid since 14:05"}
    assert desk.store.open_incidents() == []
    ask(desk, buttons(found)["Triage humid since 14:05"])
    assert only(desk).alert.subject == "humid"


def test_a_name_like_none_lists_what_there_is(desk):
    """With one-click ways."""
    found = ask(desk, "triage zzz")
    assert "`precision`" in found.text
    assert "triage precision" in buttons(found).values()


def test_triage_of_nothing_asks_of_what(desk):
    """An example and buttons."""
    found = ask(desk, "triage")
    assert "/hawkeye triage precision since 14:05" in found.text
    assert buttons(found)["Triage late arrival rate"] == 'triage "late arrival rate"'


def test_with_nothing_configured_triage_says_where_to_configure_it(desk):
    """Not an empty list."""
    desk.known = Subjects()
    assert "hawkeye.toml" in ask(desk, "triage precision").text


def test_an_unreadable_time_opens_nothing_and_offers_the_last_day(desk):
    """The name was right."""
    found = ask(desk, "triage precision since bananas")
    assert "bananas" in found.text
    assert "2h ago" in found.text
    assert desk.store.open_incidents() == []
    assert buttons(found) == {"Triage precision, last 24 hours": "triage precision"}


def test_a_time_ahead_is_refused(desk):
    """As everywhere."""
    assert "ahead" in ask(desk, "triage precision since 2030-01-01").text
    assert desk.store.open_incidents() == []


def test_a_mention_under_another_bots_alert_attaches_there(desk):
    """The walk goes on under the existing message."""
    ask(desk, "triage precision", via="mention", thread_ts="1700.1")
    assert only(desk).alert.thread == "1700.1"
    assert desk.store.incident_in("C1", "1700.1") == "HE-1"


def test_a_thread_that_shows_an_incident_is_not_shared_by_a_second_one(desk):
    """The second one gets a thread of its own in the channel."""
    ask(desk, "triage precision", via="mention", thread_ts="1700.1")
    ask(desk, "triage temp", via="mention", thread_ts="1700.1", incident="HE-1")
    second = desk.store.load("HE-2")
    assert (second.alert.channel, second.alert.thread) == ("C1", "")


def test_a_subject_that_is_looked_at_already_is_answered_with_the_way_there(desk):
    """Whoever opened it; another one can be had all the same."""
    ask(desk, "triage precision")
    found = ask(desk, "triage precision since 14:05", user="U02")
    assert "already on `precision`" in found.text
    assert "https://acme.slack.com/archives/C1/pHE-1" in found.text
    assert len(desk.store.open_incidents()) == 1
    ask(desk, buttons(found)["Open another one"])
    assert [i.id for i in desk.store.open_incidents()] == ["HE-1", "HE-2"]


def test_in_a_channel_without_the_bot_it_joins_or_says_how_it_gets_in(desk):
    """Nothing is lost: a public channel it joins by itself, into a private one it must be let."""
    assert "I join <#C9>" in ask(desk, "triage precision", channel="C9").text
    assert only(desk).alert.channel == "C9"
    found = ask(desk, "triage late arrival rate", channel="C8")
    assert "/invite @hawkeye" in found.text
    assert "<#C8>" in found.text


def test_a_triage_in_a_direct_message_opens_where_alerts_go(desk):
    """A team is not in somebody's messages."""
    found = ask(desk, "triage precision", channel="D1", thread_ts="1.2", via="mention")
    assert (only(desk).alert.channel, only(desk).alert.thread) == ("", "")
    assert "direct message" in found.text


# -- status and incidents -------------------------------------------------------------------------


def test_status_of_an_incident_says_step_owner_path_and_link(desk):
    """By its id, or in its thread; what people made is escaped."""
    walked(desk)
    for found in (ask(desk, "status he-1"), ask(desk, "status", incident="HE-1", via="mention")):
        assert "🟠" in found.text
        assert "<@U01> has it" in found.text
        assert "step 2: Which models?" in found.text
        assert "✓ Is it real? Real (<@U01>)" in found.text
        assert "|HE-1>" in found.text


def test_status_of_a_concluded_incident_names_the_cause(desk):
    """Escaped, because names come from tables."""
    walked(desk)
    desk.tell("HE-1", ev.Answered(NOW, 2, "degraded", "U01"))
    assert "*Cause:* model `delay &lt;v2&gt;`" in ask(desk, "status HE-1").text


def test_status_tells_an_open_offer_and_a_failed_step(desk):
    """What waits is what a reader needs."""
    ask(desk, "triage precision")
    desk.tell("HE-1", ev.CheckFailed(NOW, 1, "The table is <gone>."))
    desk.tell("HE-1", ev.HandoffOffered(NOW, "U01", "U02"))
    found = ask(desk, "status HE-1")
    assert "The table is &lt;gone&gt;." in found.text
    assert "Offered to <@U02>" in found.text


def test_status_outside_a_thread_lists_what_is_open_and_monitors_that_fail(desk):
    """A monitor that can't look is not silent."""
    ask(desk, "triage precision")
    seen = {"metric:a": {"error": "no table <x>"}, "metric:b": {"error": ""}}
    desk.store.set_settings(MONITORS, seen)
    found = ask(desk, "status")
    assert "1 open incident*" in found.text
    assert "2 monitors*, 1 failing" in found.text
    assert "`metric:a`: no table &lt;x&gt;" in found.text


def test_status_tells_of_messages_that_slack_does_not_take(desk):
    """Nothing is missing in silence; a first try that failed is no news."""
    ask(desk, "triage precision")
    outbox = Outbox(desk.store)
    outbox.want("HE-1", "C1", [Post("root", 0, {"text": "one"})])
    [root] = outbox.owed()
    outbox.later(root, 0.0, "is_archived")
    assert "archived" not in ask(desk, "status").text
    for _ in range(3):
        outbox.later(root, 0.0, "is_archived")
    kept = "⚠ 1 message of HE-1 can’t be shown in <#C1> (is_archived). I keep trying."
    assert kept in ask(desk, "status").text
    outbox.give_up(root, "msg_too_long")
    assert "(msg_too_long). I gave up" in ask(desk, "status HE-1").text


def test_status_of_an_unknown_incident_offers_all_of_them(desk):
    """One click."""
    found = ask(desk, "status HE-99")
    assert "HE-99" in found.text
    assert buttons(found) == {"All incidents": "incidents all"}


def test_incidents_lists_open_ones_or_all(desk):
    """A closed one says by whom and how it ended."""
    assert buttons(ask(desk, "incidents")) == {"Show the newest": "incidents all"}
    assert "no incident yet" in ask(desk, "incidents all").text
    ask(desk, "triage precision")
    ask(desk, "triage temp")
    desk.tell("HE-1", ev.Closed(NOW, "U02", "resolved"))
    assert "HE-1" not in ask(desk, "incidents").text
    found = ask(desk, "incidents all").text
    assert "🟢" in found
    assert "resolved by <@U02>" in found
    assert "🔴" in found
    assert "nobody has it" in found


def test_incidents_of_another_kind_are_refused_with_the_two_that_there_are(desk):
    """As buttons, with the search that may have been meant."""
    assert buttons(ask(desk, "incidents closed")) == {
        "Open": "incidents open",
        "All": "incidents all",
        "Search closed": "incidents search closed",
    }


def test_more_open_incidents_than_fit_are_counted(desk):
    """The newest ten are shown."""
    for number in range(12):
        ask(desk, f"triage precision {number + 1}h anew", user=f"U{number}")
    assert "and 2 older ones" in ask(desk, "incidents").text


def test_links_are_left_out_while_a_thread_has_none(desk):
    """The root message may still be on its way."""
    desk.linked = False
    assert "*HE-1*: I am looking at" in ask(desk, "triage precision").text


# -- hand-off -------------------------------------------------------------------------------------


def test_handoff_offers_the_incident_to_the_person_and_shows_it_in_their_channel(desk):
    """The person decides."""
    desk.members.add("C2")
    ask(desk, "triage precision")
    found = ask(desk, "handoff <@U02|bo> <#C2|data>", incident="HE-1", via="mention")
    [offer] = only(desk).handoffs
    assert (offer.by, offer.to, offer.channel, offer.status) == ("U01", "U02", "C2", "offered")
    assert "offered to <@U02>" in found.text


def test_handoff_outside_the_thread_takes_an_id(desk):
    """Slash commands don't exist in threads; a channel's only incident needs no name."""
    ask(desk, "triage precision")
    ask(desk, "handoff HE-1 <@U02>")
    assert only(desk).handoffs[0].to == "U02"
    assert "already offered" in ask(desk, "handoff <@U02>").text
    assert "Which incident?" in ask(desk, "handoff <@U02>", channel="C2").text
    ask(desk, "triage temp")
    found = ask(desk, "snooze 1h")
    assert "Which incident?" in found.text
    assert buttons(found)["HE-2: snooze"] == "snooze HE-2 1h"


def test_an_incident_that_somebody_may_not_see_does_not_exist_for_them(desk):
    """Private channels stay private, whatever is asked."""
    ask(desk, "triage precision")
    desk.shut_out.add(("HE-1", "U01"))
    for text in ("status HE-1", "tree HE-1", "chart HE-1", "close HE-1 resolved"):
        assert "I know no `HE-1`" in ask(desk, text).text, text
    assert only(desk).is_open


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("handoff HE-1", "To whom?"),
        ("handoff HE-1 @bo", "pick the name"),
        ("handoff HE-1 <!subteam^S1|@team>", "one person"),
        ("handoff HE-1 <@U01>", "That is you"),
        ("handoff HE-9 <@U02>", "HE-9"),
        ("handoff HE-1 <@U02> #data-platfrom", "which channel `#data-platfrom` is"),
    ],
)
def test_a_handoff_to_nobody_is_refused_with_what_to_do(desk, text, expected):
    """Nothing is offered."""
    ask(desk, "triage precision")
    assert expected in ask(desk, text).text
    assert only(desk).handoffs == ()


def test_a_second_offer_is_refused_with_the_machines_reason(desk):
    """While the first waits."""
    ask(desk, "triage precision")
    ask(desk, "handoff HE-1 <@U02>")
    assert "already offered to <@U02>" in ask(desk, "handoff HE-1 <@U03>").text


def test_a_handoff_to_a_private_channel_says_how_the_bot_gets_in(desk):
    """By a member of it."""
    ask(desk, "triage precision")
    assert "/invite @hawkeye" in ask(desk, "handoff HE-1 <@U02> <#C8>").text


# -- tree and help --------------------------------------------------------------------------------


def test_the_tree_is_drawn_with_every_node_and_exit(desk):
    """What each answer leads to."""
    text = ask(desk, "tree").text
    for title in (
        "Is it real?",
        "Which models?",
        "Is it back?",
        "■ Unknown",
        "■ Resolved",
        "False alarm ■",
    ):
        assert title in text
    assert "None &amp; nothing" in text


def test_in_an_incident_the_tree_shows_the_path_and_the_place(desk):
    """✓ for what was decided, ▶ for where it is."""
    walked(desk)
    text = ask(desk, "tree", incident="HE-1", via="mention").text
    assert "✓ Real → ▶ Which models?" in text


def test_help_all_lists_every_command_and_help_explains_one(desk):
    """From the registry, so that none is forgotten."""
    text = ask(desk, "help all").text
    for command in COMMANDS:
        assert command.summary in text
        one = ask(desk, f"help {command.name}").text
        assert f"/hawkeye {command.example(commands.names_in(desk))}" in one
    assert "I know no `xyz`" in ask(desk, "help xyz").text
    assert "`chart`?" in ask(desk, "help chrt").text


def understood(desk: FakeDesk, found: Reply, **changes: object) -> list[str]:
    """What a reply tells people to say, each tried where it was told."""
    said = re.findall(r"`[/@]hawkeye ([^`]+)`: ", found.text)
    for text in [*said, *buttons(found).values()]:
        named = text.replace("@bo", "<@U02>")
        told = ask(desk, named, **changes).text
        assert not re.search("I know no|failed|Which incident", told), (text, told)
    return said


def test_help_outside_an_incident_says_how_to_begin_in_five_lines(desk):
    """And leads to everything else."""
    found = ask(desk, "help")
    assert len(found.text.splitlines()) <= 5
    assert list(buttons(found)) == ["Triage precision", "Status", "All commands"]
    assert understood(desk, found) == ["triage precision since 14:05", "status"]


def test_help_in_a_channel_tells_what_waits_there_to_those_who_may_see_it(desk):
    """The next thing to do, in one line."""
    walked(desk)
    found = ask(desk, "help")
    assert len(found.text.splitlines()) <= 5
    assert "HE-1>* now: Answer step 2: I propose `delay &lt;v2&gt;`" in found.text
    assert "HE-1" not in ask(desk, "help", channel="C2").text
    desk.shut_out.add(("HE-1", "U01"))
    assert "HE-1" not in ask(desk, "help").text


@pytest.mark.parametrize("state", ["new", "owned", "concluded", "over", "puzzle", "merged"])
def test_help_in_a_thread_is_about_five_lines_of_what_fits_as_it_stands(desk, state):
    """Whatever it tells to say is understood there."""
    here = {"incident": "HE-1", "via": "mention", "thread_ts": "1.0"}
    if state == "puzzle":
        desk.puzzle(Alert("test", "s", "metric", "", "Odd", NOW), "Nobody knows.", ())
    elif state == "owned":
        walked(desk)
    else:
        ask(desk, "triage precision")
    if state == "concluded":
        walked_through = (Suspect("model", "m", 0.9),)
        desk.tell("HE-1", ev.Checked(NOW, 1, Evidence("real", 0.9, "It is.")))
        desk.tell("HE-1", ev.Answered(NOW, 1, "real", "U01"))
        desk.tell("HE-1", ev.Checked(NOW, 2, Evidence("degraded", 0.8, "One.", walked_through)))
        desk.tell("HE-1", ev.Answered(NOW, 2, "degraded", "U01", walked_through))
    if state == "over":
        desk.tell("HE-1", ev.Closed(NOW, "U01", "resolved"))
    if state == "merged":
        desk.tell("HE-1", ev.Merged(NOW, "HE-9"))
    found = ask(desk, "help", **here)
    assert 1 <= len(found.text.splitlines()) <= 5
    assert ("Take it" in buttons(found)) == (state in ("new", "concluded", "puzzle"))
    said = understood(desk, found, **here)
    assert ("why" in said) == (state in ("new", "owned"))
    assert ("reopen" in said) == (state == "over")
    assert ("close resolved" in said) == (state == "concluded")
    assert ("Say what it is about" in found.text) == (state == "puzzle")


def test_a_look_beside_a_walk_that_has_not_begun_asks_what_it_is_about(desk):
    """There is no window to look at yet."""
    desk.puzzle(Alert("test", "s", "metric", "", "Odd", NOW), "Nobody knows.", ())
    for text in ("chart precision 7d", "what changed", "segments precision"):
        assert "Say first what HE-1 is about" in ask(desk, text, incident="HE-1").text


@pytest.mark.parametrize("command", COMMANDS, ids=lambda c: c.name)
def test_every_example_is_a_request_that_is_understood(desk, command):
    """An example that fails would teach a mistake."""
    ask(desk, "triage precision")
    text = command.example().replace("@bo", "<@U02>").replace("#data-platform", "<#C1>")
    found = ask(desk, text).text
    assert "I know no" not in found
    assert "failed" not in found


def test_the_documentation_lists_the_commands_as_the_registry_has_them():
    """Usage, summary and example of each."""
    text = DOCS.read_text(encoding="utf-8")
    for command in COMMANDS:
        usage = command.usage.replace("|", "\\|")
        assert f"| `{usage}` | {command.summary} | `{command.example()}` |" in text
