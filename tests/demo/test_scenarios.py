"""Every scenario, on the same weeks: the planted truth shows to whoever knows the clean world."""

from dataclasses import replace
from random import Random

import numpy as np
import pytest

from bot.demo import operations, scenario, scenarios
from bot.demo.flights import HOUR
from bot.demo.measure import PAGES, read, watch
from bot.demo.oracle import counterfactual, find
from bot.demo.plants import Draw
from bot.demo.weeks import any_week, rough_week, stormy_week

MOST_DRAWS = 40
BY_FAULT = [s.name for s in scenarios() if s.find == "damage"]


def planted(stage, name, seed=1):
    """The first draw on these weeks that pages somebody: fault, what was served, alert."""
    kind = scenario(name)
    rng = Random(f"test{name}{seed}")
    for failed in range(MOST_DRAWS if kind.find == "damage" else 10 * MOST_DRAWS):
        fault = kind.plant(Draw(rng, stage, failed))
        if fault is None:
            continue
        served = stage.clean
        if kind.find == "damage":
            end = fault.truth.onset + (kind.patience + 1) * HOUR
            served = stage.replay(stage.regimes(fault), min(end, stage.end))
        found = find(stage, kind, fault, served, rng)
        if found is not None:
            return fault, served, found
    return None


@pytest.mark.parametrize("name", BY_FAULT)
def test_the_planted_fault_moves_the_metric_that_pages(stage, name):
    """The metric leaves its range, and does not in the same world without the fault."""
    kind = scenario(name)
    fault, served, found = planted(stage, name)
    assert fault.truth.kind == kind.expected
    assert found.reading.name in kind.metrics
    assert found.since % HOUR == found.now % HOUR == 0, "rules look on the hour, over whole hours"
    assert found.since - HOUR < fault.truth.onset < found.now
    broken, clean = counterfactual(stage, served, found)
    assert broken == pytest.approx(found.reading.value)
    usual = found.reading.usual
    assert abs(broken - usual) > abs(clean - usual)
    assert abs(found.reading.z) >= PAGES


@pytest.mark.parametrize("name", BY_FAULT)
def test_nothing_served_before_the_fault_differs(stage, name):
    """A fault changes what follows, and nothing else."""
    fault, served, _ = planted(stage, name)
    cut = max(fault.start, stage.start)
    before, clean = served.between(stage.start, cut), stage.clean.between(stage.start, cut)
    assert np.array_equal(before.score, clean.score)
    assert np.array_equal(before.snapshot, clean.snapshot)


def test_a_false_alarm_is_out_no_farther_than_other_days_were(stage):
    """Some of the days before were farther out; nothing is planted."""
    weeks = [replace(stage, anchor=stage.anchor - ago) for ago in (0, 6)]
    drawn = [found for week in weeks if (found := planted(week, "false_alarm"))]
    fault, _, found = drawn[0]
    assert fault.truth.kind == "false_alarm"
    assert found.reading.beyond >= 2
    assert abs(found.reading.z) < 3
    assert stage.regimes(fault)[1].code == stage.regime.code


def test_a_storm_is_real_and_the_models_take_it_as_usual(stage, raw):
    """Delays soar; calibration and log loss stay within what they are on other days."""
    kind = scenario("storm")
    days = {stormy_week(Random(i), raw) for i in range(300)}
    for day in sorted(days & set(range(stage.anchor - 12, stage.anchor + 7))):
        at = replace(stage, anchor=day)
        for seed in range(12):
            rng = Random(seed)
            fault = kind.plant(Draw(rng, at))
            found = find(at, kind, fault, at.clean, rng)
            if found is not None:
                reading = read(at.clean, "risk_calibration", found.since, found.now, found.now)
                assert abs(reading.z) <= 2
                assert found.reading.z > 2
                return
    pytest.fail("these weeks have no storm that the models took as usual")


def test_seeds_draw_other_victims_and_moments(stage):
    """Different seeds give different truths; the same seed the same one."""
    told = {}
    for name in ("unit_change", "corrupted_labels", "arm_config_change", "traffic_mix_shift"):
        kind = scenario(name)
        drawn = [kind.plant(Draw(Random(f"{name}{seed}"), stage)).truth for seed in range(8)]
        again = [kind.plant(Draw(Random(f"{name}{seed}"), stage)).truth for seed in range(8)]
        assert drawn == again
        told[name] = {(t.names[:1], t.told) for t in drawn}
    assert all(len(found) >= 5 for found in told.values()), told


def test_weeks_are_drawn_from_march_to_december(raw):
    """In all seasons, and storms only from days on which half of the flights were late."""
    for week in (any_week, rough_week, stormy_week):
        days = [week(Random(seed), raw) for seed in range(30)]
        assert len(set(days)) > 8
        assert min(days) >= 15784
        assert max(days) <= 16056


def test_an_unknown_scenario_names_the_ones_that_exist():
    """A typo gets the list."""
    with pytest.raises(KeyError, match="unit_change"):
        scenario("unit_chnage")


def test_what_a_scenario_declares_exists():
    """Names are unique, metrics exist, there is one for every kind of conclusion."""
    names = [s.name for s in scenarios()]
    assert len(names) == len(set(names))
    for kind in scenarios():
        assert all(watch(m) for m in kind.metrics)
    assert {s.expected for s in scenarios()} == {
        "feature",
        "upstream",
        "snapshot",
        "training_data",
        "model",
        "infra",
        "traffic",
        "world",
        "false_alarm",
        "unknown",
    }


def test_clean_weeks_have_failures_deploys_and_new_columns_too(stage):
    """Nothing of the kind gives the planted cause away."""
    regimes = (stage.regime,)
    table = operations.runs(stage.clean, regimes, stage.start, stage.end, seed=5)
    status = np.array(table["status"])
    assert 3 <= (status == "failed").sum() <= 60
    by_node = {}
    for node, version, schema in zip(table["node"], table["version"], table["schema"], strict=True):
        by_node.setdefault(node, set()).add((version, schema))
    assert sum(len(seen) > 1 for seen in by_node.values()) >= 5
