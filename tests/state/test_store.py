"""What is kept, and what a crash or a crowd does to it."""

import sqlite3
import threading
import time
from dataclasses import replace
from datetime import timedelta

import pytest

from analysis.evidence import Chart
from state import events as ev
from state.due import Due, DueWork
from state.incident import Incident
from state.machine import advance
from state.outbox import Outbox, Post
from state.results import Results
from state.said import Said, Sayings
from state.store import Place, StaleIncidentError, Store
from tests.state.toys import NOW, TOY, alert, at_which, found, opened, suspect


@pytest.fixture
def store(tmp_path):
    """A fresh store."""
    kept = Store(tmp_path / "state.db")
    yield kept
    kept.close()


def kept_incident(store):
    """An incident in the store."""
    incident = opened()
    event = ev.Opened(NOW, "real", incident.steps[0].scope)
    store.save(None, incident, event)
    store.add_place(Place("HE-1", "C1"))
    return incident


def test_an_incident_comes_back_as_it_was(store):
    """Steps, evidence, onset, answers: nothing is lost on the way to JSON and back."""
    incident = replace(at_which(suspect("s1"), suspect("s2")), version=1)
    store.save(None, incident, ev.Noted(NOW, "U1", "x"))
    assert store.load("HE-1") == incident


def test_a_stale_save_is_refused_and_leaves_no_event(store):
    """Compare-and-set on the version; the log has no trace of the loser."""
    incident = kept_incident(store)
    event = ev.Taken(NOW, "U1", "U1")
    after, _ = advance(incident, event, TOY)
    store.save(incident, after, event)
    with pytest.raises(StaleIncidentError):
        store.save(incident, after, event)
    assert [type(e.event).__name__ for e in store.events("HE-1")] == ["Opened", "Taken"]


def test_the_log_replays_to_the_same_incident(store):
    """The events alone rebuild the incident."""
    incident = Incident("HE-1", alert(), NOW, 2)
    first = opened().steps[0].scope
    for before, event in [
        (None, ev.Opened(NOW, "real", first)),
        (1, ev.Checked(NOW, 1, found("yes", suspect("s1")))),
        (2, ev.Answered(NOW, 1, "yes", "U1")),
    ]:
        after, _ = advance(incident, event, TOY)
        store.save(None if before is None else incident, after, event)
        incident = after
    again = Incident("HE-1", alert(), NOW, 2)
    for entry in store.events("HE-1"):
        again, _ = advance(again, entry.event, TOY)
    assert again == incident == store.load("HE-1")


def test_the_event_log_can_not_be_changed(store):
    """Append-only is held by the database itself."""
    kept_incident(store)
    for sql in ("UPDATE events SET type = 'x'", "DELETE FROM events"):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            store.db.execute(sql)


def test_many_writers_lose_no_count(store):
    """Twenty threads take 10 names each: 200 different names, no "database is locked"."""
    names, errors = [], []

    def take():
        try:
            names.extend(store.new_id() for _ in range(10))
        except sqlite3.Error as error:
            errors.append(error)

    threads = [threading.Thread(target=take) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert len(set(names)) == 200


def test_a_delivery_is_new_once(store):
    """Slack delivers again after 3 s, 1 min, 5 min."""
    assert store.first_time("Ev1")
    assert not store.first_time("Ev1")


def test_charts_are_kept_once_with_their_words(store):
    """The same picture twice is one row; its file can be forgotten and set anew."""
    chart = Chart.of(b"png", "Precision fell", "A line falls at 14:05")
    Results(store).keep_chart(chart)
    Results(store).keep_chart(chart)
    assert Results(store).chart(chart.id) == chart
    Results(store).uploaded(chart.id, "F1")
    assert Results(store).file_of(chart.id) == "F1"


def test_what_people_said_follows_edits_and_deletions(store):
    """The record holds the last wording, and nothing that was taken back."""
    kept_incident(store)
    Sayings(store).remember("HE-1", Said("C1", "1.1", "U1", "we saw this on 3 March"))
    Sayings(store).remember("HE-1", Said("C1", "1.1", "U1", "we saw this on 4 March"))
    Sayings(store).remember("HE-1", Said("C1", "1.2", "U2", "oops"))
    Sayings(store).forget("C1", "1.2")
    assert [s.text for s in Sayings(store).of("HE-1")] == ["we saw this on 4 March"]


# -- the outbox -------------------------------------------------------------------------------


def test_changes_before_sending_become_one_message(store):
    """Only the newest wording is sent."""
    kept_incident(store)
    outbox = Outbox(store)
    outbox.want("HE-1", "C1", [Post("root", 0, {"text": "one"})])
    outbox.want("HE-1", "C1", [Post("root", 0, {"text": "two"})])
    assert [o.payload["text"] for o in outbox.owed()] == ["two"]


def test_a_thread_waits_for_its_root(store):
    """A step is owed only when there is a message to hang it under."""
    kept_incident(store)
    outbox = Outbox(store)
    posts = [Post("root", 0, {"text": "root"}), Post("step-1", 1, {"text": "step"})]
    outbox.want("HE-1", "C1", posts)
    [root] = outbox.owed()
    assert root.name == "root"
    outbox.sent(root, "100.1")
    [step] = outbox.owed()
    assert (step.name, step.thread, step.ts) == ("step-1", "100.1", "")


def test_a_new_message_waits_for_the_one_before_it(store):
    """A step whose chart is late is not overtaken by the next one; updates wait for nothing."""
    kept_incident(store)
    outbox = Outbox(store)
    names = ("root", "step-1", "step-2")
    outbox.want("HE-1", "C1", [Post(n, i, {"text": n}) for i, n in enumerate(names)])
    outbox.sent(outbox.owed()[0], "100.1")
    [step] = outbox.owed()
    assert step.name == "step-1"
    outbox.later(step, 60, "chart not processed yet")
    assert outbox.owed() == []
    outbox.want("HE-1", "C1", [Post("root", 0, {"text": "changed"})])
    assert [o.name for o in outbox.owed()] == ["root"]


def test_a_change_while_sending_is_sent_afterwards(store):
    """What was wanted meanwhile is not mistaken for what was sent."""
    kept_incident(store)
    outbox = Outbox(store)
    outbox.want("HE-1", "C1", [Post("root", 0, {"text": "one"})])
    [owed] = outbox.owed()
    outbox.want("HE-1", "C1", [Post("root", 0, {"text": "two"})])
    outbox.sent(owed, "100.1")
    [again] = outbox.owed()
    assert (again.payload["text"], again.ts) == ("two", "100.1")
    outbox.sent(again, "100.1")
    assert outbox.owed() == []


def test_a_store_can_be_closed_while_another_thread_is_at_work(tmp_path):
    """It would take the process down."""
    store, running, failed = Store(tmp_path / "busy.db"), threading.Event(), []
    slow = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000000) "

    def work():
        running.set()
        try:
            store.rows(slow + "SELECT count(*) AS n FROM n")
        except Exception as error:
            failed.append(error)

    worker = threading.Thread(target=work)
    worker.start()
    running.wait(5)
    time.sleep(0.05)
    assert worker.is_alive()
    store.close()
    worker.join(20)
    assert not failed


def test_a_post_that_was_cut_off_is_in_doubt(store):
    """After a crash between posting and noting it, the sender looks before it posts again."""
    kept_incident(store)
    outbox = Outbox(store)
    outbox.want("HE-1", "C1", [Post("root", 0, {"text": "one"})])
    [owed] = outbox.owed()
    assert not owed.in_doubt
    outbox.sending(replace(owed, tried_at=1000.0))
    [doubtful] = outbox.owed()
    assert doubtful.tried_at == 1000.0
    outbox.later(doubtful, 0.0, "timed out")
    assert outbox.owed()[0].in_doubt
    outbox.later(replace(doubtful, tried_at=0.0), 0.0, "ratelimited")
    assert not outbox.owed()[0].in_doubt


def test_a_message_that_is_gone_is_posted_anew(store):
    """Reposted only when Slack says so."""
    kept_incident(store)
    outbox = Outbox(store)
    outbox.want("HE-1", "C1", [Post("root", 0, {"text": "one"})])
    outbox.sent(outbox.owed()[0], "100.1")
    outbox.want("HE-1", "C1", [Post("root", 0, {"text": "two"})])
    outbox.gone(outbox.owed()[0])
    assert outbox.owed()[0].ts == ""


# -- due work ---------------------------------------------------------------------------------


def test_due_work_is_claimed_once_and_comes_back_after_its_lease(store):
    """Two processes never do the same; a dead one's work is done by another."""
    due = DueWork(store, lease_seconds=0.05)
    due.add(Due("a", "check", "HE-1", {"step": 1}), NOW)
    assert [d.id for d in due.claim(NOW)] == ["a"]
    assert due.claim(NOW) == []
    threading.Event().wait(0.1)
    [again] = due.claim(NOW)
    assert again.attempts == 1
    due.done(again)
    threading.Event().wait(0.1)
    assert due.claim(NOW) == []


def test_work_is_not_due_before_its_time(store):
    """A look in ten minutes waits ten minutes of the bot's clock."""
    due = DueWork(store)
    due.add(Due("a", "look", "HE-1", {}), NOW + timedelta(minutes=10))
    assert due.claim(NOW) == []
    assert len(due.claim(NOW + timedelta(minutes=10))) == 1


def test_work_asked_for_again_while_it_is_done_is_done_again(store):
    """Striking off the old one leaves the new one."""
    due = DueWork(store)
    due.add(Due("a", "look", "HE-1", {}), NOW)
    [claimed] = due.claim(NOW)
    due.add(Due("a", "look", "HE-1", {}), NOW + timedelta(minutes=1))
    due.done(claimed)
    assert len(due.claim(NOW + timedelta(minutes=1))) == 1
