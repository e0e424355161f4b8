"""What a walk without Slack says when its steps can't look."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from analysis.evidence import CannotExamine, Evidence, Scope, Suspect, Window
from bot.config import load
from bot.headless import Check, Walked, saw_nothing, walk
from bot.plugins import tree
from bot.report import Report, report
from bot.triage import triage_headless
from state.events import Opened
from state.incident import Alert, Incident

NOW = datetime(2024, 3, 20, 15, tzinfo=UTC)
SINCE = NOW - timedelta(hours=8)


def walked(check: Check) -> Walked:
    """A walk from the start over checks that we make up."""
    scope = Scope(
        NOW, Window(SINCE, NOW), Window(SINCE - timedelta(days=7), SINCE), "metric", "loss"
    )
    incident = Incident("HE-0", Alert("person", "x", "metric", "loss", "loss", SINCE), NOW, 2)
    return walk(incident, Opened(NOW, "real", scope), tree(), check)


def refusing(reason: str, named: bool = False) -> Check:
    """A check that can't look, for one reason or for one of its own at each node."""

    def check(node: str, scope: Scope) -> Evidence:
        raise CannotExamine(f"{reason} at {node}." if named else f"{reason}.")

    return check


def test_a_walk_that_saw_nothing_ends_in_the_reason_told_once() -> None:
    """The same refusal of the engine at every step is one sentence."""
    assert saw_nothing(walked(refusing("The engine can't answer"))) == (
        "No step could look. The engine can't answer."
    )


def test_where_reasons_differ_each_step_tells_its_own() -> None:
    """Nothing to learn from is no reason to break off."""
    end = walked(refusing("Too few rows", named=True))
    assert saw_nothing(end) == ""
    assert report(end, ())["path"][0]["headline"] == "Too few rows at real."


def test_a_step_that_could_not_look_has_no_verdict() -> None:
    """The walk goes on, but what it went on with is nobody's finding."""

    def check(node: str, scope: Scope) -> Evidence:
        if node != "features":
            raise CannotExamine("It is not there.")
        found = (Suspect("feature", "temp", 0.9),)
        return Evidence("inputs", 0.9, "temp moved the predictions.", found)

    end = walked(check)
    told = report(end, ())
    Report.model_validate(told)
    verdicts = {step["node"]: step["verdict"] for step in told["path"]}
    assert verdicts["real"] is None
    assert verdicts["features"] == "inputs"
    assert told["incident"]["onset"] is None
    assert saw_nothing(end) == ""


def test_a_row_dated_in_the_future_does_not_move_the_window(tmp_path) -> None:
    """It is left out and said; a moment that was asked for is kept to, and so is another clock."""
    times = [NOW + timedelta(hours=h) for h in range(-900, 0)] + [NOW + timedelta(days=900)]
    rows = [f"{t:%Y-%m-%d %H:%M},{n % 7 / 7},{n % 2}" for n, t in enumerate(times)]
    (tmp_path / "log.csv").write_text("\n".join(["time,score,label", *rows]))
    table = '[tables.predictions]\nsource = "log.csv"\ntime = "time"\nprediction = "score"\n'
    metric = '[[metrics]]\nname = "loss"\nkind = "mean_prediction"\n'
    (tmp_path / "hawkeye.toml").write_text(table + metric)
    settings, said = load(tmp_path / "hawkeye.toml", {}), list[str]()

    def now(**asked: datetime) -> str:
        walk = triage_headless(settings, "loss", tell=said.append, **asked)
        return str(walk["incident"]["now"])[:16]

    assert now(clock=NOW) == "2024-03-20T14:00"
    assert said == [
        "1 prediction dated after now (2024-03-20 15:00 UTC), up to 2026-09-06 15:00 UTC, left out."
        " Are the times in another zone? `--now` reads them as well."
    ]
    assert now(now=NOW) == "2024-03-20T15:00"
    assert now(clock=NOW - timedelta(days=999)) == "2026-09-06T15:00"
    assert len(said) == 1


def test_a_false_alarm_is_a_finding() -> None:
    """It needs no suspect."""
    assert saw_nothing(walked(lambda node, scope: Evidence("false_alarm", 0.9, "As usual."))) == ""
