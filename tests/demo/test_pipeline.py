"""Raw inputs and the features joined from them."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from bot.demo import faults, operations
from bot.demo.columns import FEATURES, GROUPS, TEXT_FEATURES
from bot.demo.flights import DAY, HOUR, NEVER, Weather, to_minute, to_time
from bot.demo.pipeline import Code, features
from bot.demo.units import UNITS


def same(one, other, name):
    """Whether two columns hold the same values, nulls included."""
    if name in TEXT_FEATURES:
        return np.asarray(one == other)
    return (one == other) | (np.isnan(one) & np.isnan(other))


def test_a_known_flight_has_its_times_in_utc(raw):
    """UA1545 was due at 5:15 on 1 January in New York and left two minutes late."""
    flights = raw.flights
    found = np.flatnonzero((flights.number == 1545) & (flights.carrier == "UA"))
    first = found[np.argmin(flights.sched[found])]
    assert to_time(flights.sched[first]) == datetime(2013, 1, 1, 10, 15, tzinfo=UTC)
    assert flights.dep[first] - flights.sched[first] == 2
    assert to_time(flights.arr[first]) == datetime(2013, 1, 1, 14, 30, tzinfo=UTC)


def test_every_flight_is_read_and_arrivals_follow_departures(raw):
    """Also over midnight, and to zones that the airports' table lacks."""
    flights = raw.flights
    assert len(flights) == 336_776
    came = flights.arr < NEVER
    minutes = (flights.arr - flights.dep)[came]
    assert minutes.min() > 20
    assert minutes.max() < 13 * HOUR
    far = came & (flights.dest == "HNL")
    assert 9 * HOUR < np.median((flights.arr - flights.dep)[far]) < 12 * HOUR
    island = came & (flights.dest == "SJU")
    assert 3 * HOUR < np.median((flights.arr - flights.dep)[island]) < 5 * HOUR


def test_cancelled_flights_have_no_label(raw):
    """8,255 never left; some that left never arrived where they were to."""
    flights = raw.flights
    assert int((flights.dep == NEVER).sum()) == 8_255
    assert np.isnan(flights.arr_delay[flights.arr == NEVER]).all()
    assert (flights.scored[flights.dep == NEVER] == NEVER).all()


def test_features_use_nothing_at_or_after_scoring(stage):
    """With everything from the moment of scoring on erased, the features are the same."""
    raw, log = stage.regime.raw, stage.clean.log
    clean = Code()
    for row in np.linspace(2_000, len(log) - 2_000, 25).astype(int):
        one = log.flights.take(np.array([row]))
        moment = int(one.scored[0])
        erased = features(without_future(raw, moment), one, clean)
        for name in FEATURES:
            assert same(log.columns[name][[row]], erased[name], name).all(), (name, moment)


def without_future(raw, moment):
    """Raw tables as they would have been known at ``moment``."""
    flights, weather = raw.flights, raw.weather
    left, came = flights.dep < moment, flights.arr < moment
    flights = replace(
        flights,
        dep=np.where(left, flights.dep, NEVER),
        dep_delay=np.where(left, flights.dep_delay, np.nan),
        arr=np.where(came, flights.arr, NEVER),
        arr_delay=np.where(came, flights.arr_delay, np.nan),
    )
    seen = weather.time < moment
    values = {name: v[seen] for name, v in weather.values.items()}
    table = Weather(weather.time[seen], weather.origin[seen], values)
    return replace(raw, flights=flights, weather=table)


@pytest.fixture(scope="module")
def downstream():
    """Node to the features below it, by the lineage alone."""
    edges = operations.lineage()
    pairs = list(
        zip(edges["upstream"], edges["downstream"], edges["downstream_column"], strict=True)
    )

    def below(node):
        found = set()
        for upstream, other, column in pairs:
            if upstream == node and column:
                found.add(column)
            elif upstream == node and other != "feature_store":
                found |= below(other)
        return found

    return below


BREAKS = {
    "noaa_feed": (faults.frozen_weather, faults.unchanged_code),
    "acars_out": (faults.silent_aircraft, faults.unchanged_code),
    "tail_keys": (None, faults.tails_keyed(faults.unmatched_tails)),
}


@pytest.mark.parametrize("node", BREAKS)
def test_a_broken_node_changes_the_features_that_the_lineage_puts_below_it(stage, downstream, node):
    """And no others."""
    moment = (stage.anchor + 2) * DAY + 12 * HOUR
    edit_raw, edit_code = BREAKS[node]
    rows = stage.clean.log.flights.between(moment + 6 * HOUR, moment + 12 * HOUR)
    clean = features(stage.regime.raw, rows, Code())
    raw = edit_raw(moment)(stage.regime.raw) if edit_raw else stage.regime.raw
    broken = features(raw, rows, edit_code(Code()))
    changed = {n for n in FEATURES if not same(clean[n], broken[n], n).all()}
    assert changed
    assert changed <= downstream(node)
    assert len(changed) >= len(downstream(node)) / 2


@pytest.mark.parametrize("unit", UNITS)
def test_a_unit_change_hits_the_columns_of_its_node(stage, unit):
    """The table of unit changes names nodes and columns that belong together."""
    node, columns, _, convert = UNITS[unit]
    assert set(columns) <= set(GROUPS[node])
    rows = stage.clean.log.flights.between(stage.anchor * DAY, stage.anchor * DAY + 20 * HOUR)
    code = Code(timeouts=lambda time: np.zeros(len(time)))
    clean = features(stage.regime.raw, rows, code)
    broken = features(stage.regime.raw, rows, faults.converted(node, columns, convert)(code))
    for name in FEATURES:
        wanted = convert(clean[name]) if name in columns else clean[name]
        assert same(wanted, broken[name], name).all()


def test_shuffled_tails_keep_each_column_and_lose_the_pairing(stage):
    """Each aircraft gets another one's key: hardly any is null that was not, or right."""
    moment = (stage.anchor + 2) * DAY + 12 * HOUR
    flown = stage.regime.raw.flights.between(moment - 8 * DAY, moment).tail
    keys = faults.shuffled_tails(flown, 7)
    tails = np.unique(flown.astype(str)).astype(object)
    assert sorted(keys(tails)) == sorted(tails)
    assert (keys(tails) != tails).all()
    rows = stage.clean.log.flights.between(moment, moment + 12 * HOUR)
    clean = features(stage.regime.raw, rows, Code())
    broken = features(stage.regime.raw, rows, faults.tails_keyed(keys)(Code()))
    for name in ("dep_delay", "plane_seats"):
        null = [float(np.isnan(columns[name]).mean()) for columns in (clean, broken)]
        assert null[1] == pytest.approx(null[0], abs=0.06), name
    assert (clean["dep_delay"] == broken["dep_delay"]).mean() < 0.2


def test_minutes_and_times_convert_both_ways():
    """Times of the contract are rounded up to whole minutes."""
    assert to_minute(to_time(22_800_000)) == 22_800_000
    assert to_minute(datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)) == 1
