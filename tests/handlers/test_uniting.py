"""A storm through the conversation: incidents that turn out to be one, and what Slack hears."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from handlers.alerts import FORMATS, Known, Taken
from handlers.conversation import Conversation
from handlers.desk import Desks, Subject, Subjects
from handlers.intake import take_in
from handlers.messages import View, render
from handlers.owing import Habits
from state import events as ev
from state.grouping import Kin
from state.incident import Alert, Incident
from state.store import Place, Store
from tests.state.toys import TOY

AT = datetime(2026, 11, 23, 14, tzinfo=UTC)
TREE = replace(TOY, starts=(("metric", "real"), ("model", "real"), ("feature", "real")))
NODE = "upstream:weather"
KIN = Kin(
    {
        NODE: frozenset({NODE}),
        **{f"model:m{n}": frozenset({f"model:m{n}", NODE}) for n in range(8)},
    }
)


class Places:
    """Slack's directory: names are ids."""

    def channel(self, name: str) -> str:
        """The name."""
        return name

    def team(self, channel: str) -> str:
        """No org."""
        return ""

    def permalink(self, channel: str, ts: str) -> str:
        """Where a message is."""
        return f"https://slack.example/{channel}/{ts}"


@pytest.fixture
def talk(tmp_path):
    """A conversation over an empty store."""
    store = Store(tmp_path / "state.db")
    found = Conversation(
        store=store,
        tree=TREE,
        clock=lambda: AT,
        habits=Habits(lambda _: "C1"),
        known=Subjects(models=tuple(f"m{n}" for n in range(8))),
        directory=Places(),
        renderer=lambda incident, place: render(incident, TREE, seen(incident, place)),
        kin=KIN,
    )

    def seen(incident: Incident, place: Place) -> View:
        links = {other: found.link(other) for other in incident.elsewhere}
        return View(AT, place.channel, links=links)

    yield found
    store.close()


def model(n: int) -> Alert:
    """An alert about a model."""
    name = f"model:m{n}"
    return Alert("test", name, "model", f"m{n}", f"m{n} is off", AT, names=(name,))


def feature(name: str, minutes: float) -> Alert:
    """An alert about a feature, which began so many minutes from now."""
    key, since = f"feature:{name}", AT + timedelta(minutes=minutes)
    return Alert("test", key, "feature", name, f"{name} drifts", since, names=(key,))


def node() -> Alert:
    """An alert about the node above all models."""
    return Alert("test", NODE, "model", "m0", "weather is late", AT, names=(NODE,))


def owed(talk: Conversation) -> list[str]:
    """First messages that Slack does not have yet, whenever they may go out."""
    rows = talk.store.rows("SELECT incident FROM posts WHERE name = 'root' AND ts = ''")
    return sorted(str(r["incident"]) for r in rows)


def test_incidents_of_one_node_become_one_when_it_is_named_and_the_others_are_never_posted(talk):
    """None of their alerts is lost."""
    for n in range(3):
        talk.open(model(n))
    assert owed(talk) == ["HE-1", "HE-2", "HE-3"]
    assert talk.open(node()).id == "HE-1"
    assert owed(talk) == ["HE-1"]
    [left] = talk.store.open_incidents()
    assert (left.joined, [s.subject for s in left.signals][:1]) == (4, ["m0"])
    assert talk.store.load("HE-2").outcome == "part of HE-1"
    assert not talk.store.rows("SELECT 1 FROM due WHERE incident != 'HE-1'")
    assert talk.open(model(2)).id == "HE-1"


def test_what_slack_has_already_is_told_where_it_went_on(talk):
    """In place."""
    talk.open(model(0))
    talk.open(model(1))
    with talk.store.transaction() as db:
        db.execute("UPDATE posts SET ts = incident, sent = wanted WHERE name = 'root'")
    talk.open(node())
    [post] = [o for o in talk.outbox.owed() if o.incident == "HE-2" and o.name == "root"]
    assert "part of HE-1" in post.payload["text"]
    assert post.ts == "HE-2"
    shown = str(post.payload["blocks"])
    assert "The same cause as HE-1: it goes on there" in shown
    assert "'export'" not in shown
    talk.learn_link("HE-1", "C1")
    [post] = [o for o in talk.outbox.owed() if o.incident == "HE-2" and o.name == "root"]
    assert "<https://slack.example/C1/HE-1|HE-1>" in str(post.payload["blocks"])
    steps = [o for o in talk.outbox.owed() if o.incident == "HE-2" and o.name != "root"]
    assert all("goes on in" in str(o.payload["blocks"]) for o in steps)
    assert steps


def test_what_was_never_posted_stays_so_when_the_other_ones_link_is_known(talk):
    """A withdrawn first message is not brought back by a link."""
    talk.open(model(0))
    talk.open(model(1))
    talk.open(node())
    with talk.store.transaction() as db:
        db.execute("UPDATE posts SET ts = incident, sent = wanted WHERE name = 'root'")
    talk.learn_link("HE-1", "C1")
    assert not talk.store.rows("SELECT 1 FROM posts WHERE incident = 'HE-2'")


def test_an_incident_that_somebody_has_is_not_taken_away_and_takes_in_the_others(talk):
    """Whoever is at work stays where they are."""
    talk.open(model(0))
    talk.open(model(1))
    talk.tell("HE-2", ev.Taken(AT, "U01", "U01"))
    assert talk.open(node()).id == "HE-2"
    assert [i.id for i in talk.store.open_incidents()] == ["HE-2"]
    assert talk.store.load("HE-1").outcome == "part of HE-2"


def test_an_alert_that_another_cause_explains_moves_there_and_none_is_counted_twice(talk):
    """Its sender is told the incident that it is in by now."""
    talk.kin = Kin(
        {
            "model:m0": frozenset({"model:m0", "feature:temp", "feature:age"}),
            "feature:temp": frozenset({"feature:temp"}),
            "feature:age": frozenset({"feature:age"}),
        }
    )
    talk.open(feature("temp", -40))
    loud = replace(model(0), since=AT - timedelta(minutes=5))
    assert [talk.open(loud).id, talk.open(loud).id] == ["HE-1", "HE-1"]
    answer = take_in(Desks.one(talk), Taken((feature("age", -6),)))
    assert answer.incidents == {"HE-2": False}
    kept = {i.id: ([s.key for s in i.signals], i.joined) for i in talk.store.open_incidents()}
    assert kept == {
        "HE-1": (["feature:temp"], 1),
        "HE-2": (["feature:age", "model:m0"], 3),
    }
    assert talk.open(loud).id == "HE-2"
    [told] = talk.store.rows(
        "SELECT payload FROM posts WHERE incident = 'HE-1' AND name = 'alerts'"
    )
    assert "“m0 is off” is due to the cause of HE-2 and goes on there" in told["payload"]


def test_in_a_storm_first_messages_wait_a_little(talk):
    """The sixth within a minute; nobody who asks waits."""
    for n in range(6):
        talk.open(model(n))
    soon = {o.incident for o in talk.outbox.owed()}
    assert soon == {f"HE-{n}" for n in range(1, 6)}
    talk.open(Alert("person", "p", "model", "m7", "asked", AT, by="U01"))
    assert "HE-7" in {o.incident for o in talk.outbox.owed()}


def test_a_puzzle_is_placed_by_a_person_or_joins_what_is_open_about_that(talk):
    """And the walk begins."""
    stray = Alert("test", "s", "metric", "", "Odd", AT, names=("stray:test:Odd",))
    puzzle = talk.puzzle(stray, "Nobody knows.", ("model:m1",))
    assert puzzle.current is None
    assert talk.place(puzzle.id, "U01", Subject("model", "m1")) == ""
    placed = talk.store.load(puzzle.id)
    assert (placed.alert.subject, placed.puzzle) == ("m1", "")
    assert placed.current is not None
    assert "already" in talk.place(puzzle.id, "U01", Subject("model", "m1"))
    other = replace(stray, key="t", names=("stray:test:Even odder",), since=AT + timedelta(0))
    second = talk.puzzle(other, "Nobody knows.", ())
    talk.place(second.id, "U01", Subject("model", "m1"))
    assert talk.store.load(second.id).outcome == f"part of {puzzle.id}"
    assert talk.store.load(puzzle.id).joined == 2


def rule(name: str, *services: str, value: str = "0.58") -> Taken:
    """Alertmanager's alerts of a rule that names nothing known, one for each service."""
    alerts = [
        {
            "status": "firing",
            "labels": {"alertname": name, "service": service},
            "annotations": {"summary": f"{name} on {service}: {value} since 14:05"},
            "startsAt": AT.isoformat(),
        }
        for service in services
    ]
    known = Known(Subjects(models=("m0", "m1")), AT)
    return FORMATS["alertmanager"]({"alerts": alerts}, known)


def asked(talk: Conversation) -> list[str]:
    """The open incidents that ask what they are about."""
    return sorted(i.id for i in talk.store.open_incidents() if i.puzzle)


def test_a_storm_of_one_rule_is_asked_about_once_and_of_two_rules_twice(talk):
    """However many services it fires for."""
    desks = Desks.one(talk)
    outcome = take_in(desks, rule("Errors", "a", "b", "c"))
    assert (asked(talk), outcome.unplaced) == (["HE-1"], ["HE-1"] * 3)
    take_in(desks, rule("Errors", "d"))
    take_in(desks, rule("Latency", "a"))
    assert asked(talk) == ["HE-1", "HE-2"]
    [root] = [o for o in talk.outbox.owed() if (o.incident, o.name) == ("HE-1", "root")]
    assert "Say it once for all 4" in str(root.payload["blocks"])


def test_whoever_has_answered_is_not_asked_again_while_the_storm_goes_on(talk):
    """Neither for an alert that had come before, nor for one more of the rule."""
    desks = Desks.one(talk)
    take_in(desks, rule("Errors", "a", "b"))
    assert talk.place("HE-1", "U01", Subject("model", "m1")) == ""
    outcome = take_in(desks, rule("Errors", "a", "c"))
    assert (asked(talk), outcome.unplaced) == ([], [])
    assert list(outcome.incidents) == ["HE-1"]


def test_what_was_said_to_be_no_incident_is_not_asked_about_again_in_the_same_storm(talk):
    """One more alert of the rule is counted there; half an hour later it is news."""
    desks = Desks.one(talk)
    take_in(desks, rule("Errors", "a"))
    talk.tell("HE-1", ev.Closed(AT, "U01", "not an incident"))
    assert list(take_in(desks, rule("Errors", "b")).incidents) == ["HE-1"]
    assert list(take_in(desks, rule("Latency", "b")).incidents) == ["HE-2"]
    talk.tell("HE-2", ev.Closed(AT, "U01", "not an incident"))
    assert asked(talk) == []
    talk.clock = lambda: AT + timedelta(minutes=40)
    take_in(desks, rule("Errors", "c"))
    assert asked(talk) == ["HE-3"]


def test_an_answer_is_kept_for_the_same_words_whatever_their_figures(talk):
    """After the incident, too; another alert of the rule may be about something else."""
    desks = Desks.one(talk)
    take_in(desks, rule("Errors", "a", "b"))
    talk.place("HE-1", "U01", Subject("model", "m1"))
    talk.tell("HE-1", ev.Closed(AT, "U01", "stopped"))
    talk.clock = lambda: AT + timedelta(days=1)
    outcome = take_in(desks, rule("Errors", "b", value="0.61"))
    assert outcome.unplaced == []
    assert talk.store.open_incidents()[0].alert.subject == "m1"
    talk.tell(talk.store.open_incidents()[0].id, ev.Closed(AT, "U01", "stopped"))
    assert take_in(desks, rule("Errors", "c")).unplaced


def test_an_answer_is_not_kept_for_a_name_that_differs_in_a_number(talk):
    """Shard 12 is not shard 13, though the words of their alerts differ in it alone."""
    desks = Desks.one(talk)
    take_in(desks, rule("Errors", "shard 12"))
    talk.place("HE-1", "U01", Subject("model", "m1"))
    talk.tell("HE-1", ev.Closed(AT, "U01", "stopped"))
    talk.clock = lambda: AT + timedelta(days=1)
    assert take_in(desks, rule("Errors", "shard 13", value="0.61")).unplaced
    assert take_in(desks, rule("Errors", "shard 12", value="0.61")).unplaced == []


class Org(Places):
    """An org: a channel's first letter is its workspace, unless Slack does not answer."""

    answers = True

    def team(self, channel: str) -> str:
        """The first letter."""
        return f"T{channel[0]}" if self.answers else ""


@pytest.mark.parametrize("closed", [False, True])
def test_an_alert_that_names_a_workspace_joins_nothing_of_another_one_of_the_org(talk, closed):
    """Two teams' senders may use the same key; what fires again joins its own."""
    talk.directory = Org()
    one = talk.open(replace(model(0), channel="A", workspace="a"))
    if closed:
        assert not talk.tell(one.id, ev.Closed(AT, "U1", "resolved"))
    two = talk.open(replace(model(0), channel="B", workspace="b"))
    assert two.id != one.id
    assert talk.open(replace(model(0), channel="B", workspace="b")).id == two.id
    talk.directory.answers = False
    assert talk.open(replace(model(0), channel="B", workspace="b")).id in (one.id, two.id)


def test_the_end_of_an_alert_is_told_in_the_workspace_that_it_names(talk):
    """By its key, which two teams may use, and by its subject."""
    talk.directory = Org()
    there = talk.open(replace(model(0), channel="A", workspace="a"))
    over = replace(model(0), channel="B", workspace="b", firing=False)
    desks = Desks.one(talk)
    assert take_in(desks, Taken((over,))).incidents == {}
    assert take_in(desks, Taken((replace(over, key="another"),))).incidents == {}
    here = talk.open(replace(model(0), channel="B", workspace="b"))
    assert take_in(desks, Taken((over,))).incidents == {here.id: True}
    assert take_in(desks, Taken((replace(over, key="another"),))).incidents == {here.id: True}
    assert talk.store.load(there.id).signals[0].firing
    nowhere = replace(over, channel="", workspace="", key="a third")
    assert take_in(desks, Taken((nowhere,))).incidents == {here.id: True}
