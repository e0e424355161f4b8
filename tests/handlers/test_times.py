"""Times as people type them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.times import UnclearTime, coming, is_moment, moment, span

NOW = datetime(2026, 11, 23, 14, 46, tzinfo=UTC)  # a Monday; 15:46 in the zone below
ZONE = timezone(timedelta(hours=1))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("14:05", "2026-11-23T13:05"),
        ("since 14:05", "2026-11-23T13:05"),
        ("Since 14.05.", "2026-11-23T13:05"),
        ("23:50", "2026-11-22T22:50"),
        ("3pm", "2026-11-23T14:00"),
        ("3:30 p.m.", "2026-11-23T14:30"),
        ("12am", "2026-11-22T23:00"),
        ("noon", "2026-11-23T11:00"),
        ("midnight", "2026-11-22T23:00"),
        ("2h ago", "2026-11-23T12:46"),
        ("2h", "2026-11-23T12:46"),
        ("1h30m", "2026-11-23T13:16"),
        ("an hour and 10 minutes ago", "2026-11-23T13:36"),
        ("half an hour ago", "2026-11-23T14:16"),
        ("in the last 3 days", "2026-11-20T14:46"),
        ("over the past hour", "2026-11-23T13:46"),
        ("7d", "2026-11-16T14:46"),
        ("yesterday", "2026-11-21T23:00"),
        ("yesterday 3pm", "2026-11-22T14:00"),
        ("3pm yesterday", "2026-11-22T14:00"),
        ("yesterday at 15:00", "2026-11-22T14:00"),
        ("today 9:00", "2026-11-23T08:00"),
        ("monday 3pm", "2026-11-23T14:00"),
        ("monday 18:00", "2026-11-16T17:00"),
        ("last monday", "2026-11-15T23:00"),
        ("Fri 10:00", "2026-11-20T09:00"),
        ("2026-11-23", "2026-11-22T23:00"),
        ("2026-11-23 14:05", "2026-11-23T13:05"),
        ("2026-11-23T14:05Z", "2026-11-23T14:05"),
        ("2026-11-23T14:05:00.25Z", "2026-11-23T14:05:00.250"),
        ("2026-11-23 14:05 UTC", "2026-11-23T14:05"),
        ("2026-11-23T14:05:00+02:00", "2026-11-23T12:05"),
        ("14:05Z", "2026-11-23T14:05"),
        ("1 July 14:05", "2026-07-01T13:05"),
        ("Jul 1", "2026-06-30T23:00"),
        ("Dec 24", "2025-12-23T23:00"),
        ("24 Dec 2024 10:00", "2024-12-24T09:00"),
        ("<!date^1795000000^{time}|10:00>", "2026-11-18T11:06:40"),
        ("now", "2026-11-23T14:46"),
    ],
)
def test_what_people_type_is_read_in_their_own_zone(text, expected):
    """The clock is the reader's; what comes out is UTC."""
    assert moment(text, NOW, ZONE) == datetime.fromisoformat(expected).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "text", ["banana", "", "5", "99:99", "13pm", "2026-02-30", "tomorrow", "2 fortnights ago", "0h"]
)
def test_what_is_no_time_gets_a_sentence_with_an_example(text):
    """The error says what was typed and what to type."""
    with pytest.raises(UnclearTime, match="Try `since 14:05`") as caught:
        moment(text, NOW, ZONE)
    assert f"“{text}”" in str(caught.value)


@pytest.mark.parametrize("text", ["2026-12-01", "today 23:00", "2026-11-23 15:47"])
def test_what_lies_ahead_is_refused(text):
    """A monitor of the past can't look into the future, and says by how much it was missed."""
    with pytest.raises(UnclearTime, match="ahead"):
        moment(text, NOW, ZONE)


def test_daylight_saving_is_that_of_the_day_that_is_meant():
    """In Berlin 14:05 was 12:05 UTC in October and is 13:05 in November."""
    berlin = ZoneInfo("Europe/Berlin")
    assert moment("2026-10-20 14:05", NOW, berlin).hour == 12
    assert moment("2026-11-20 14:05", NOW, berlin).hour == 13


@pytest.mark.parametrize(
    ("text", "hours"),
    [("7d", 168), ("90 min", 1.5), ("2 weeks", 336), ("1 h 30 m", 1.5), ("a day", 24)],
)
def test_lengths_of_time_are_read(text, hours):
    """As in "chart humid 7d"."""
    assert span(text) == timedelta(hours=hours)


@pytest.mark.parametrize("text", ["", "7", "d", "7 bananas", "999999999 weeks", "0d"])
def test_what_is_no_length_gets_a_sentence(text):
    """With an example."""
    with pytest.raises(UnclearTime, match="Try `7d`"):
        span(text)


def test_the_documentations_times_are_all_understood():
    """Each of the table's examples."""
    text = (Path(__file__).parents[2] / "docs" / "commands.md").read_text(encoding="utf-8")
    rows = text.partition("| say | meaning |")[2].partition("\n\n")[0]
    said = re.findall(r"`([^`]+)`", rows)
    assert len(said) >= 12
    assert [s for s in said if not is_moment(s, NOW, ZONE)] == []


@given(st.text(max_size=40))
def test_no_text_breaks_the_reader(text):
    """Anything is a time in the past or a sentence."""
    if is_moment(text, NOW, ZONE):
        assert moment(text, NOW, ZONE) <= NOW
    else:
        with pytest.raises(UnclearTime, match="Try"):
            moment(text, NOW, ZONE)


@given(st.integers(0, 23), st.integers(0, 59))
def test_a_clock_time_is_the_last_time_the_clock_showed_it(hour, minute):
    """Within the last 24 hours, whatever the hour."""
    found = moment(f"{hour}:{minute:02}", NOW, ZONE)
    assert timedelta(0) <= NOW - found < timedelta(days=1)
    assert is_moment(f"{hour}:{minute:02}", NOW, ZONE)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("until 9am", "2026-11-24T08:00"),
        ("until 16:30", "2026-11-23T15:30"),
        ("tomorrow 16:30", "2026-11-24T15:30"),
        ("until tomorrow", "2026-11-23T23:00"),
        ("until 2026-11-25 08:00", "2026-11-25T07:00"),
        ("until 2h", "2026-11-23T16:46"),
    ],
)
def test_a_moment_to_come_is_the_next_one(text, expected):
    """As it is meant by somebody who wants to be left alone until then."""
    assert coming(text, NOW, ZONE) == datetime.fromisoformat(expected).replace(tzinfo=UTC)


@pytest.mark.parametrize("text", ["until 2026-11-20", "until whenever", "until"])
def test_a_moment_that_is_past_or_unclear_is_refused(text):
    """With an example."""
    with pytest.raises(UnclearTime, match="until 9am"):
        coming(text, NOW, ZONE)
