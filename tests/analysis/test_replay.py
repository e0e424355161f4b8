"""With a scorer the artifacts themselves are asked: about snapshots, serving, what they lean on."""

from __future__ import annotations

import json
import multiprocessing
import subprocess
import sys
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import ibis
import numpy as np
import pandas as pd
import pytest

from analysis.evidence import CannotExamine, Onset, Suspect
from analysis.features import which_features
from analysis.inputs import deployed
from analysis.inputs.views import read
from analysis.inside import look_inside
from analysis.portable import LOT, lots
from analysis.replay import RAW, CannotReplay, answers, artifacts, can_replay
from analysis.snapshots import which_snapshot
from analysis.tables import Role
from analysis.warehouse import Warehouse
from tests.analysis import logs

PROGRAM = """\
import json, sys
import numpy as np
import pandas as pd

rows = pd.read_parquet(sys.argv[1])
out = pd.Series(np.nan, index=rows.index)
for path, mine in rows.groupby("artifact"):
    model = json.load(open(path))
    z = model["bias"] + sum(w * mine[n].fillna(0) for n, w in model["weights"].items())
    out[mine.index] = 1 / (1 + np.exp(-z))
pd.DataFrame({"prediction": out}).to_parquet(sys.argv[2])
"""
SOUND = {"a": 1.0, "b": 0.6, "c": -0.4}
BAD = {"a": 0.05, "b": 0.6, "c": 2.5}
COMMAND = (sys.executable, "score.py", "{rows}", "{answers}")


def served(weights, bias, rows):
    """What a snapshot with these weights answers."""
    return 1 / (1 + np.exp(-(bias + sum(w * rows[n] for n, w in weights.items()))))


def world(folder, newest, command=COMMAND, change=None, seconds=60.0):
    """Retrained every other day; the ``newest`` weights go live at the onset.

    ``change`` edits the rows since then before they are answered, and may return answers.
    """
    rng = np.random.default_rng(3)
    frame = logs.log(seed=5)
    for name in SOUND:
        frame[name] = rng.normal(0, 1, len(frame))
    late = logs.since_onset(frame)
    other = change(frame, late) if change else None
    day = (frame["time"] - frame["time"].min()).dt.days // 2
    day = day.where(~late, day.max() + 1)
    registry = []
    for number in sorted(day.unique()):
        weights = {n: w + rng.normal(0, 0.03) for n, w in SOUND.items()}
        if number == day.max():
            weights = newest or weights
        mine, name = (day == number).to_numpy(), f"ranker-{number}"
        frame.loc[mine, "snapshot"] = name
        frame.loc[mine, "prediction"] = served(weights, -1.0, frame[mine])
        (folder / f"{name}.json").write_text(json.dumps({"bias": -1.0, "weights": weights}))
        at = frame.loc[mine, "time"].min()
        registry.append((name, "ranker", at, f"{name}.json"))
    if other is not None:
        frame.loc[late, "prediction"] = other(frame.loc[late, "prediction"])
    truth = served(SOUND, -1.0, frame)
    frame["label"] = (rng.random(len(frame)) < truth).astype(float)
    columns = ["snapshot", "model", "published", "artifact"]
    pd.DataFrame(registry, columns=columns).to_parquet(folder / "snapshots.parquet")
    (folder / "score.py").write_text(PROGRAM)
    warehouse = logs.warehouse(
        folder,
        frame.drop(columns=["f", "region", "channel"]),
        snapshots={"source": "snapshots.parquet", "artifact": "artifact"},
        scorer={"command": command, "seconds": seconds},
    )
    return warehouse, registry[-1][0]


def scope(**more):
    """The alert's, with its onset known."""
    found = logs.scope()
    onset = Onset(logs.ONSET, logs.ONSET - timedelta(hours=1), logs.ONSET + timedelta(hours=1))
    return replace(found, onset=onset, **more)


def test_a_snapshot_whose_artifact_answers_the_same_rows_otherwise_is_named(tmp_path):
    """Old and new artifact are held against what earlier publishes changed."""
    warehouse, newest = world(tmp_path, BAD)
    found = which_snapshot(warehouse, scope())
    assert (found.verdict, found.named[0].name) == ("snapshot", newest)
    assert found.named[0].changed.startswith("same rows: answers differ by")


def test_a_retraining_that_answers_alike_is_cleared(tmp_path):
    """However near the onset it went live."""
    warehouse, _ = world(tmp_path, None)
    found = which_snapshot(warehouse, scope())
    assert (found.verdict, found.named) == ("not_snapshot", ())
    assert found.confidence > 0.9


def test_an_arm_beside_that_answers_on_a_larger_scale_does_not_part_log_and_artifacts(tmp_path):
    """All arms of a model are read on one scale, and so are the artifacts' answers."""
    warehouse, newest = world(tmp_path, BAD)
    frame = pd.read_parquet(tmp_path / "log.parquet")
    beside = frame.assign(arm="large", snapshot="large-0", prediction=frame["prediction"] * 50)
    pd.concat([frame, beside]).to_parquet(tmp_path / "log.parquet", index=False)
    found = which_snapshot(warehouse, scope())
    assert found.named[0].name == newest
    assert found.named[0].changed.startswith("same rows: answers differ by")


def test_inputs_that_broke_beside_a_publish_do_not_accuse_the_snapshot(tmp_path):
    """Both artifacts answer rows from before, which nothing has broken."""

    def broken(frame, late):
        frame.loc[late, "a"] = frame.loc[late, "a"] * 60 + 40

    warehouse, _ = world(tmp_path, None, change=broken)
    assert which_snapshot(warehouse, scope()).verdict == "not_snapshot"
    found = which_features(warehouse, scope())
    assert (found.verdict, found.named[0].name) == ("inputs", "a")
    assert found.figures["model_shift"] == pytest.approx(0.0, abs=0.02)


def test_a_second_broken_feature_is_handed_on_by_what_the_artifact_makes_of_it(tmp_path):
    """Its effect is far from where any log could teach it, and beside a larger one."""

    def broken(frame, late):
        frame.loc[late, "a"] = frame.loc[late, "a"] * 60 + 40
        frame["idle"] = np.random.default_rng(1).normal(0, 1, len(frame))
        frame.loc[late, "idle"] += 1000

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(SOUND, "idle", 0.002)
        warehouse, _ = world(tmp_path, None, change=broken)
        found = which_features(warehouse, scope())
    assert {s.name for s in found.named} == {"a", "idle"}


def test_a_log_that_does_not_hold_what_is_deployed_is_the_models(tmp_path):
    """Answers that serving changes behind the artifact are told, with how."""

    def halved(frame, late):
        return lambda p: 1 / (1 + np.exp(-(np.log(p / (1 - p)) * 0.5 + 1.0)))

    warehouse, _ = world(tmp_path, None, change=halved)
    found = which_features(warehouse, scope())
    assert found.verdict == "model"
    assert "not those of what is deployed" in found.headline
    inside = look_inside(warehouse, scope(suspects=(Suspect("model", "ranker", 0.9),)))
    assert inside.verdict == "model"
    assert "logits are 0.50 × deployed +1.00" in inside.headline


def test_a_served_model_that_is_the_deployed_one_is_fine(tmp_path):
    """And nothing is left unexamined for that."""
    warehouse, _ = world(tmp_path, None)
    found = look_inside(warehouse, scope(suspects=(Suspect("model", "ranker", 0.9),)))
    assert found.verdict == "fine"
    assert "served as deployed" in found.headline
    assert found.not_examined == ()


def test_what_a_bad_snapshot_leans_on_is_told(tmp_path):
    """Features that shuffled move its answers far more, or far less, than its predecessors'."""
    warehouse, newest = world(tmp_path, BAD)
    found = look_inside(warehouse, scope(suspects=(Suspect("snapshot", newest, 0.9),)))
    said = {s.name: s.changed for s in found.suspects if s.kind == "feature"}
    assert set(said) == {"a", "c"}
    assert "less on a than" in said["a"]
    assert "more on c than" in said["c"]


def test_of_snapshots_that_share_a_name_that_of_the_model_in_question_is_looked_into(tmp_path):
    """Another model's, however late it was published, is not its."""
    warehouse, newest = world(tmp_path, BAD)
    registry = pd.read_parquet(tmp_path / "snapshots.parquet")
    theirs = registry.tail(1).assign(model="other", published=logs.NOW.replace(tzinfo=None))
    theirs["published"] -= timedelta(hours=1)
    pd.concat([registry, theirs]).to_parquet(tmp_path / "snapshots.parquet")
    named = (Suspect("model", "ranker", 0.9), Suspect("snapshot", newest, 0.9))
    found = look_inside(warehouse, scope(suspects=named))
    assert {s.name for s in found.suspects if s.kind == "feature"} == {"a", "c"}


def test_a_sound_snapshot_leans_on_nothing_else(tmp_path):
    """No feature is told of a usual retraining."""
    warehouse, newest = world(tmp_path, None)
    found = look_inside(warehouse, scope(suspects=(Suspect("snapshot", newest, 0.9),)))
    assert [s for s in found.suspects if s.kind == "feature"] == []


def test_a_sound_snapshot_that_only_its_artifact_tells_of_is_fine(tmp_path):
    """It was asked, so that nobody says that nothing tells; of a scorer that fails they do."""
    warehouse, newest = world(tmp_path, None)
    named = scope(suspects=(Suspect("snapshot", newest, 0.9),))
    assert look_inside(warehouse, named).verdict == "fine"
    (tmp_path / "score.py").write_text("raise SystemExit(1)")
    with pytest.raises(CannotExamine, match="what it leans on: the scorer ended with code 1"):
        look_inside(warehouse, named)


def test_an_artifact_that_answers_no_number_is_told_as_that(tmp_path):
    """Weights that are no number give answers that are none."""
    warehouse, newest = world(tmp_path, {n: float("nan") for n in SOUND})
    found = look_inside(warehouse, scope(suspects=(Suspect("snapshot", newest, 0.9),)))
    assert found.verdict == "snapshot"
    assert "100% of the same rows get no number from it" in found.headline


PRINTS = (sys.executable, "-c", "import sys; sys.exit('secret-value')", "{rows}", "{answers}")
SLEEPS = (sys.executable, "-c", "import time; time.sleep(30)", "{rows}", "{answers}")
SILENT = (sys.executable, "-c", "pass", "{rows}", "{answers}")
ABSENT = ("./no-such-program", "{rows}", "{answers}")


@pytest.mark.parametrize(
    ("command", "why"),
    [
        (PRINTS, "ended with code 1"),
        (SLEEPS, "no answer within 1 s"),
        (SILENT, "left no file of answers"),
        (ABSENT, "did not start (No such file or directory)"),
    ],
)
def test_a_scorer_that_fails_is_told_and_the_step_goes_on(tmp_path, command, why):
    """By the stand-ins; what the program printed may hold values, and is not posted."""
    warehouse, newest = world(tmp_path, BAD, command, seconds=1)
    found = which_snapshot(warehouse, scope())
    assert found.verdict == "snapshot"
    assert [m for m in found.not_examined if newest in m and why in m]
    features = which_features(warehouse, scope())
    assert any(why in m for m in features.not_examined)
    assert "secret-value" not in str(found) + str(features)


def test_a_scorer_that_does_not_answer_like_the_log_is_not_believed(tmp_path):
    """A missing feature, another scale: the R² is told."""
    warehouse, _ = world(tmp_path, BAD)
    (tmp_path / "score.py").write_text(PROGRAM.replace("1 / (1 + np.exp(-z))", "z"))
    found = which_features(warehouse, scope())
    assert any(
        "does not give the answers that the log has (R² 0.00)" in m for m in found.not_examined
    )


def test_without_artifacts_of_earlier_days_nothing_is_called_served_as_deployed(tmp_path):
    """Artifacts that a team deletes after a day or two leave no usual to hold today against."""

    def halved(frame, late):
        return lambda p: 1 / (1 + np.exp(-(np.log(p / (1 - p)) * 0.5 + 1.0)))

    warehouse, _ = world(tmp_path, None, change=halved)
    numbers = sorted(int(f.stem.split("-")[1]) for f in tmp_path.glob("ranker-*.json"))
    for number in numbers[:-3]:
        (tmp_path / f"ranker-{number}.json").unlink()
    found = look_inside(warehouse, scope(suspects=(Suspect("model", "ranker", 0.9),)))
    assert "as it is deployed" not in found.headline
    assert any("too few days before the onset" in m for m in found.not_examined)
    features = which_features(warehouse, scope())
    assert any("too few days before the onset" in m for m in features.not_examined)


def test_a_snapshot_in_doubt_is_not_taken_for_what_should_be(tmp_path):
    """Its own artifact would clear it whatever it answers."""
    warehouse, newest = world(tmp_path, BAD)
    doubtful = scope(suspects=(Suspect("snapshot", newest, 0.5),))
    assert deployed.read(warehouse, doubtful, read(warehouse, doubtful)) is None


def rewritten(folder, **columns):
    """The registry with these columns instead."""
    registry = pd.read_parquet(folder / "snapshots.parquet").assign(**columns)
    registry.to_parquet(folder / "snapshots.parquet", index=False)


@pytest.mark.parametrize(
    "where", ["s3://models/ranker/1", "models:/ranker/1", "dbfs:/models/ranker", "runs:/12ab/model"]
)
def test_an_address_is_handed_on_as_it_is(tmp_path, where):
    """Only what can be a path is looked for in the folder."""
    warehouse, newest = world(tmp_path, None)
    rewritten(tmp_path, artifact=where)
    assert artifacts(warehouse)["ranker", newest] == where


def test_what_is_too_long_for_a_path_is_no_artifact(tmp_path):
    """Such as a model that stands in the registry itself."""
    warehouse, _ = world(tmp_path, None)
    rewritten(tmp_path, artifact="{" + "1, " * 3000 + "}")
    assert artifacts(warehouse) == {}


def test_a_log_of_one_model_needs_no_column_for_it(tmp_path):
    """Its rows are those of the registry's, whatever that calls the model."""
    warehouse, newest = world(tmp_path, BAD)
    frame = pd.read_parquet(tmp_path / "log.parquet").drop(columns="model")
    frame.to_parquet(tmp_path / "log.parquet", index=False)
    contract = warehouse.contract
    log = contract.predictions.model_copy(update={"model": None})
    alone = Warehouse(contract.model_copy(update={"predictions": log}), tmp_path, logs.NOW)
    assert ("model", newest) in artifacts(alone)
    found = look_inside(alone, scope(suspects=(Suspect("snapshot", newest, 0.9),)))
    assert {s.name for s in found.suspects if s.kind == "feature"} == {"a", "c"}


def test_numbers_that_are_classes_are_not_scored(tmp_path):
    """Steps read one class against the rest there, and class 3 is no more than class 1."""
    warehouse, _ = world(tmp_path, None)
    models = [{"name": "ranker", "task": "multiclass"}, {"name": "other", "task": "binary"}]
    contract = type(warehouse.contract).model_validate(
        {**warehouse.contract.model_dump(by_alias=True), "models": models}
    )
    mixed = Warehouse(contract, tmp_path, logs.NOW)
    assert not can_replay(mixed, ("ranker",))
    assert can_replay(mixed, ("other",))
    asked = scope(suspects=(Suspect("model", "ranker", 0.9),))
    assert deployed.read(mixed, asked, read(mixed, asked)) is None


def test_an_artifact_without_answers_is_told(tmp_path):
    """The stand-in goes on, and it says that the artifacts did not decide."""
    warehouse, newest = world(tmp_path, BAD)
    mute = {"bias": float("nan"), "weights": SOUND}
    (tmp_path / f"{newest}.json").write_text(json.dumps(mute))
    found = which_snapshot(warehouse, scope())
    assert any(newest in m and "too few answers" in m for m in found.not_examined)


def test_a_type_that_parquet_lacks_is_told(tmp_path):
    """And the step goes on."""
    warehouse, _ = world(tmp_path, None)
    rows = pd.DataFrame({RAW + "a": [{"x": 1}, {"x": "1"}], Role.MODEL: "ranker"})
    rows[Role.TIME] = pd.Timestamp(2024, 3, 1)
    with pytest.raises(CannotReplay, match="a type that Parquet can't hold"):
        answers(warehouse, rows, ["ranker-0", "ranker-0"], artifacts(warehouse))


def test_snapshots_that_served_briefly_have_leans_too(tmp_path):
    """Rows are those that they served, not those of the whole history."""
    warehouse, newest = world(tmp_path, BAD)
    frame = pd.read_parquet(tmp_path / "log.parquet")
    names = sorted(set(frame["snapshot"]), key=lambda n: int(n.split("-")[1]))
    brief = names[-6:-1]
    old = frame["snapshot"].isin(brief) & (frame["time"] < pd.Timestamp(logs.ONSET.date()))
    frame.loc[old, "snapshot"] = names[0]
    hours = frame["time"].dt.hour // 3
    late = (frame["time"] >= pd.Timestamp(logs.ONSET.date())) & (frame["snapshot"] != newest)
    frame.loc[late, "snapshot"] = np.array(brief)[hours[late] % len(brief)]
    frame.to_parquet(tmp_path / "log.parquet", index=False)
    found = look_inside(warehouse, scope(suspects=(Suspect("snapshot", newest, 0.9),)))
    assert not any("leans on" in m for m in found.not_examined)


def asked(warehouse):
    """Answers to one row."""
    row = {RAW + "a": [1.0], Role.MODEL: "ranker", Role.TIME: pd.Timestamp(2024, 3, 1)}
    return answers(warehouse, pd.DataFrame(row), ["ranker-0"], artifacts(warehouse))


LEAVES = """\
import os, subprocess, sys, time
from pathlib import Path
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
Path("left").write_text(f"{child.pid} {Path(sys.argv[1]).parent}")
sys.stdout.write("x" * 10_000_000)
time.sleep(float(sys.argv[3]))
"""


def ended(folder, within=10.0):
    """Whether what LEAVES started is gone, and the folder of its files with it."""
    pid, files = (folder / "left").read_text().split()
    until = time.monotonic() + within
    while time.monotonic() < until:
        if not Path(files).exists() and not running(int(pid)):
            return True
        time.sleep(0.05)
    return False


def running(pid):
    """Whether a process is there, and no zombie that nobody has looked at."""
    told = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return told.stdout.strip()[:1] not in ("", "Z")


@pytest.mark.parametrize(
    ("sleeps", "why"), [("0", "left no file of answers"), ("60", "no answer within 3 s")]
)
def test_what_a_scorer_starts_does_not_outlive_the_call(tmp_path, sleeps, why):
    """Whether it ends or is ended; and what it leaves running keeps nobody waiting."""
    command = (sys.executable, "leaves.py", "{rows}", "{answers}", sleeps)
    warehouse, _ = world(tmp_path, None, command, seconds=3)
    (tmp_path / "leaves.py").write_text(LEAVES)
    with pytest.raises(CannotReplay, match=why):
        asked(warehouse)
    assert ended(tmp_path)


def test_a_scorer_that_is_too_slow_for_effects_still_tells_what_was_served(tmp_path):
    """What the log holds is asked before what values might have done."""

    def broken(frame, late):
        frame.loc[late, "a"] = frame.loc[late, "a"] * 60 + 40

    warehouse, _ = world(tmp_path, None, change=broken, seconds=6)
    slow = "import time\ntime.sleep(60 if len(rows) > 15_000 else 0)\nout = pd.Series"
    (tmp_path / "score.py").write_text(PROGRAM.replace("out = pd.Series", slow))
    found = which_features(warehouse, scope())
    assert (found.verdict, found.named[0].name) == ("inputs", "a")
    assert found.figures["model_shift"] == pytest.approx(0.0, abs=0.02)
    assert not any("artifacts" in one for one in found.not_examined)


def test_a_scorer_that_was_too_slow_is_not_asked_again(tmp_path):
    """A step has one wait to lose, not one for each call."""
    warehouse, _ = world(tmp_path, None, SLEEPS, seconds=1)
    with pytest.raises(CannotReplay, match="no answer within 1 s"):
        asked(warehouse)
    begun = time.monotonic()
    with pytest.raises(CannotReplay, match="no answer within 1 s"):
        asked(warehouse)
    assert time.monotonic() - begun < 0.9


def test_features_too_many_to_shuffle_are_told(tmp_path, monkeypatch):
    """Silence about them would read as "fine"."""
    monkeypatch.setattr("analysis.inside.MOST_FEATURES", 2)
    warehouse, newest = world(tmp_path, None)
    found = look_inside(warehouse, scope(suspects=(Suspect("snapshot", newest, 0.9),)))
    assert any("leans on 1 of the features" in m for m in found.not_examined)


def test_a_scorer_ends_with_the_worker_that_asked_it(tmp_path):
    """A worker that is killed in the midst of it leaves neither program nor values behind."""
    command = (sys.executable, "leaves.py", "{rows}", "{answers}", "60")
    warehouse, _ = world(tmp_path, None, command, seconds=60)
    (tmp_path / "leaves.py").write_text(LEAVES)
    worker = multiprocessing.get_context("spawn").Process(target=asked, args=(warehouse,))
    worker.start()
    until = time.monotonic() + 30
    while not (tmp_path / "left").exists() and time.monotonic() < until:
        time.sleep(0.05)
    worker.kill()
    worker.join()
    assert ended(tmp_path)


def test_rows_without_an_artifact_have_no_answer(tmp_path):
    """And files that are gone are asked of nobody."""
    warehouse, newest = world(tmp_path, None)
    (tmp_path / f"{newest}.json").unlink()
    where = artifacts(warehouse)
    assert ("ranker", newest) not in where
    rows = pd.DataFrame({RAW + n: [1.0, 2.0] for n in SOUND})
    rows[Role.MODEL], rows[Role.TIME] = "ranker", pd.Timestamp(2024, 3, 1)
    found = answers(warehouse, rows, ["ranker-0", newest], where)
    assert np.isfinite(found).tolist() == [True, False]


def test_the_scorer_is_told_nothing_that_opens_slack(tmp_path, monkeypatch):
    """Its environment lacks the bot's own variables."""
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-1")
    monkeypatch.setenv("HAWKEYE_KEY", "1")
    ends = "import os, sys; sys.exit(any(k[:3] in ('SLA', 'HAW') for k in os.environ) * 7)"
    warehouse, _ = world(tmp_path, None, (sys.executable, "-c", ends, "{rows}", "{answers}"))
    rows = pd.DataFrame(
        {RAW + "a": [1.0], Role.MODEL: "ranker", Role.TIME: pd.Timestamp(2024, 3, 1)}
    )
    with pytest.raises(CannotReplay, match="left no file"):
        answers(warehouse, rows, ["ranker-0"], artifacts(warehouse))


def test_nested_features_draw_no_lots():
    """BigQuery makes no text of a structure, and a copy of one stands among the first columns."""
    table = ibis.memtable(pd.DataFrame({"a": [1, 1], "s": [{"x": 1}, {"x": 2}]}))
    found = lots(table, ("a", "s"))[LOT].to_pandas()
    assert found.nunique() == 1
