"""Monitors: what they watch, when they open a thread, and when they keep still."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from types import SimpleNamespace

import pytest

from analysis.evidence import CannotExamine, Evidence, Onset, Scope
from bot.config import Settings
from bot.front import start_monitors
from bot.monitors import COOL_DOWN, is_sure, subjects_to_check, tick
from handlers.desk import Subject, Subjects
from handlers.registry import Request, dispatch
from handlers.standing import MONITORS
from state import events as ev
from state.due import Urgency
from state.incident import Alert
from state.store import Store
from tests.handlers.fake_desk import NOW, FakeDesk

EVERY = timedelta(minutes=10)


def settings(tmp_path, **monitors: object) -> Settings:
    """Settings that watch what is asked, every ten minutes."""
    return Settings.model_validate(
        {
            "path": tmp_path / "hawkeye.toml",
            "secrets": {},
            "tables": {"predictions": {"source": "p.csv", "time": "t", "prediction": "p"}},
            "metrics": [{"name": "precision", "kind": "volume"}],
            "monitors": monitors,
        }
    )


@dataclass
class Checks:
    """Stands in for the workers: log odds by subject that is out, and what was asked."""

    out: dict[str, float] = field(default_factory=dict)
    onset: timedelta = timedelta(minutes=30)
    over: float = 0.0
    broken: dict[str, Exception] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    scopes: list[Scope] = field(default_factory=list)

    def __call__(self, node: str, scope: Scope) -> Evidence:
        """The evidence of a check."""
        self.asked.append((node, scope.subject))
        self.scopes.append(scope)
        if scope.subject in self.broken:
            raise self.broken[scope.subject]
        if node == "recovery":
            return Evidence("recovered" if self.over else "watching", self.over or 0.5, "Back.")
        if scope.subject not in self.out:
            return Evidence("false_alarm", 0.97, "Usual.")
        at = scope.now - self.onset
        onset = Onset(at, at - timedelta(minutes=5), at + timedelta(minutes=5))
        headline = f"{scope.subject} left its band: 1 instead of 2; never before."
        figures = {"log_odds": self.out[scope.subject]}
        return Evidence("real", 0.99, headline, onset=onset, figures=figures)


@pytest.fixture
def desk(tmp_path):
    """A desk with an empty store; it knows one metric."""
    store = Store(tmp_path / "state.db")
    yield FakeDesk(store, known=Subjects(("precision",), ("delay",), ("temp", "humid")))
    store.close()


def look(desk: FakeDesk, checks: Checks, wanted: Settings, times: int = 1) -> list[str]:
    """So many ticks, ten minutes apart; the incidents that were opened."""
    opened: list[str] = []
    for _ in range(times):
        opened += tick(desk, checks, wanted, desk.at).opened
        desk.at += EVERY
    return opened


def status(desk: FakeDesk) -> str:
    """What `status` says."""
    from handlers.commands import COMMANDS

    return dispatch(Request("status", "U01", "C1"), COMMANDS, desk).text


def test_metrics_are_watched_by_default_and_the_rest_by_name_or_all(tmp_path):
    """Metrics first, each once; a name may be one that no list knows."""
    known = Subjects(("a", "b"), ("m",), ("x", "y"))
    assert subjects_to_check(settings(tmp_path), known) == (
        Subject("metric", "a"),
        Subject("metric", "b"),
    )
    wanted = settings(tmp_path, metrics=["precision"], models="all", features=["z", "x", "z"])
    assert [str(s) for s in subjects_to_check(wanted, known)] == [
        "metric:precision",
        "model:m",
        "feature:z",
        "feature:x",
    ]
    assert subjects_to_check(settings(tmp_path, on=False), known) == ()


def test_two_looks_in_a_row_open_a_thread_and_a_third_opens_no_other(desk, tmp_path):
    """With the onset that was found, and the monitor's own key."""
    checks, wanted = Checks(out={"precision": 9.0}), settings(tmp_path)
    assert look(desk, checks, wanted) == []
    assert look(desk, checks, wanted) == ["HE-1"]
    alert = desk.store.load("HE-1").alert
    assert (alert.source, alert.key) == ("monitor", "monitor:metric:precision")
    assert alert.title == "precision left its band: 1 instead of 2"
    assert alert.since == desk.at - EVERY - timedelta(minutes=30)
    assert look(desk, checks, wanted, times=3) == []
    assert desk.store.load("HE-1").joined == 1


def test_a_look_is_over_the_last_day_against_the_days_before(desk, tmp_path):
    """As of now."""
    checks = Checks()
    look(desk, checks, settings(tmp_path))
    [scope] = checks.scopes
    assert scope.window.length == timedelta(days=1)
    assert scope.window.end == scope.now == NOW
    assert scope.baseline.end == scope.window.start
    assert scope.baseline.length == timedelta(days=28)


def test_an_excursion_that_comes_and_goes_opens_nothing(desk, tmp_path):
    """No flapping: one look is not enough."""
    checks, wanted = Checks(), settings(tmp_path)
    for _ in range(4):
        checks.out = {"precision": 9.0}
        assert look(desk, checks, wanted) == []
        checks.out = {}
        assert look(desk, checks, wanted) == []


def test_weak_evidence_opens_nothing(desk, tmp_path):
    """Nobody is woken by a guess."""
    checks = Checks(out={"precision": 4.0})
    assert look(desk, checks, settings(tmp_path), times=4) == []


def test_the_more_monitors_watch_the_surer_each_one_has_to_be():
    """One in a hundred is out by chance sooner than one alone."""

    def out(odds: float) -> Evidence:
        return Evidence("real", 0.99, "Out.", figures={"log_odds": odds})

    assert is_sure(out(7.0), 1)
    assert not is_sure(out(7.0), 500)
    assert is_sure(out(12.0), 500)


def test_a_check_that_tells_no_odds_is_taken_at_its_word():
    """A team's own first question may report a confidence alone."""
    assert is_sure(Evidence("real", 0.99, "Out."), 5)
    assert not is_sure(Evidence("real", 0.9, "Out."), 5)


def test_an_excursion_of_days_ago_is_how_it_is_now(desk, tmp_path):
    """The monitor looked then, and a person was told or there was none to tell."""
    checks = Checks(out={"precision": 9.0}, onset=timedelta(days=3))
    assert look(desk, checks, settings(tmp_path), times=3) == []


def test_an_excursion_that_is_over_already_opens_nothing(desk, tmp_path):
    """The check of recovery sees the last two hours back in the band."""
    checks = Checks(out={"precision": 9.0}, onset=timedelta(hours=9), over=0.95)
    assert look(desk, checks, settings(tmp_path), times=4) == []
    assert ("recovery", "precision") in checks.asked
    checks.over = 0.6
    assert look(desk, checks, settings(tmp_path), times=2) == ["HE-1"]


def test_what_is_looked_at_by_people_already_is_left_to_them(desk, tmp_path):
    """Whoever opened it: the monitor does not even look."""
    alert = Alert("person", "k", "metric", "precision", "Asked", NOW)
    desk.open(alert)
    checks = Checks(out={"precision": 9.0})
    assert look(desk, checks, settings(tmp_path), times=3) == []
    assert checks.asked == []


def test_after_an_incident_was_closed_the_same_excursion_opens_no_second_one(desk, tmp_path):
    """Until it has been calm, or the cool-down has passed."""
    checks = Checks(out={"precision": 9.0}, onset=timedelta(hours=5))
    wanted = settings(tmp_path)
    look(desk, checks, wanted, times=2)
    desk.tell("HE-1", ev.Closed(desk.at, "U01", "not an incident"))
    assert look(desk, checks, wanted, times=4) == []
    desk.at += COOL_DOWN
    assert look(desk, checks, wanted) == ["HE-2"]


def test_a_new_excursion_after_a_closed_incident_opens_a_new_one(desk, tmp_path):
    """Calm in between makes it new."""
    checks, wanted = Checks(out={"precision": 9.0}, onset=timedelta(hours=5)), settings(tmp_path)
    look(desk, checks, wanted, times=2)
    desk.tell("HE-1", ev.Closed(desk.at, "U01", "resolved"))
    desk.at += EVERY
    checks.out = {}
    look(desk, checks, wanted)
    checks.out = {"precision": 9.0}
    assert look(desk, checks, wanted, times=2) == ["HE-2"]


def test_an_onset_after_the_close_is_new_without_a_calm_look(desk, tmp_path):
    """It may break again between two looks."""
    checks, wanted = Checks(out={"precision": 9.0}), settings(tmp_path)
    look(desk, checks, wanted, times=2)
    desk.tell("HE-1", ev.Closed(desk.at, "U01", "resolved"))
    desk.at += timedelta(hours=2)
    assert look(desk, checks, wanted, times=2) == ["HE-2"]


def test_a_monitor_that_fails_is_shown_and_stops_no_other(desk, tmp_path):
    """And is forgotten when it works again."""
    wanted = settings(tmp_path, models="all")
    checks = Checks(out={"delay": 9.0}, broken={"precision": CannotExamine("No rows <today>.")})
    assert look(desk, checks, wanted, times=2) == ["HE-1"]
    assert "2 monitors*, 1 failing" in status(desk)
    assert "`metric:precision`: No rows &lt;today&gt;." in status(desk)
    checks.broken = {"precision": ValueError("odd")}
    look(desk, checks, wanted)
    assert "ValueError: odd" in status(desk)
    checks.broken = {}
    look(desk, checks, wanted)
    assert "failing" not in status(desk)


def test_a_failed_look_neither_counts_nor_resets(desk, tmp_path):
    """Not knowing is not calm."""
    checks, wanted = Checks(out={"precision": 9.0}), settings(tmp_path)
    look(desk, checks, wanted)
    checks.broken = {"precision": CannotExamine("Gone for a minute.")}
    assert look(desk, checks, wanted) == []
    checks.broken = {}
    assert look(desk, checks, wanted) == ["HE-1"]


def test_a_monitor_looks_only_when_its_time_has_come(desk, tmp_path):
    """Whoever ticks, and however often."""
    checks, wanted = Checks(), settings(tmp_path)
    for minutes in (0, 1, 9):
        tick(desk, checks, wanted, NOW + timedelta(minutes=minutes))
    assert len(checks.asked) == 1
    tick(desk, checks, wanted, NOW + timedelta(minutes=10))
    assert len(checks.asked) == 2
    tick(desk, checks, wanted, NOW - timedelta(days=100))
    assert len(checks.asked) == 3


def test_a_restart_remembers_what_was_seen(desk, tmp_path):
    """A second process takes over where the first one was."""
    checks, wanted = Checks(out={"precision": 9.0}), settings(tmp_path)
    look(desk, checks, wanted)
    reborn = FakeDesk(Store(desk.store.path), at=desk.at, known=desk.known)
    assert look(reborn, checks, wanted) == ["HE-1"]
    reborn.store.close()


def test_many_monitors_take_turns_and_none_is_left_out(desk, tmp_path):
    """A tick is short, so that the bot can be stopped; those that waited longest come first."""
    names = tuple(f"f{i}" for i in range(7))
    desk.known = Subjects(("precision",), (), names)
    checks, wanted = Checks(), settings(tmp_path, features="all")
    ticks = [tick(desk, checks, wanted, NOW + timedelta(seconds=i)) for i in range(4)]
    assert [len(t.looked) for t in ticks] == [3, 3, 2, 0]
    assert {name for _, name in checks.asked} == {"precision", *names}


def test_a_monitor_that_is_no_longer_wanted_is_forgotten(desk, tmp_path):
    """Its last error would be shown for ever."""
    broken = Checks(broken={"temp": CannotExamine("x")})
    look(desk, broken, settings(tmp_path, features=["temp"]))
    look(desk, Checks(), settings(tmp_path))
    assert set(desk.store.settings(MONITORS)) == {"metric:precision"}


def test_monitors_start_on_the_schedule_unless_they_are_off(desk, tmp_path):
    """Their checks go to the workers behind what people wait for."""
    from concurrent.futures import Future

    urgencies: list[Urgency] = []

    def runner(node, scope, urgency):
        urgencies.append(urgency)
        future: Future[Evidence] = Future()
        future.set_result(Checks()(node, scope))
        return future

    jobs = []
    schedule = SimpleNamespace(every=lambda seconds, what, name: jobs.append((name, seconds, what)))
    bot = SimpleNamespace(
        settings=settings(tmp_path, on=False),
        conversation=desk,
        clock=desk.now,
        work=SimpleNamespace(runner=runner),
        installation="",
        watches=lambda subject: True,
    )
    start_monitors(bot, schedule)
    assert jobs == []
    bot.settings = settings(tmp_path)
    start_monitors(bot, schedule)
    [(name, seconds, what)] = jobs
    assert (name, seconds > 0) == ("monitors", True)
    what()
    assert urgencies == [Urgency.WATCH]
