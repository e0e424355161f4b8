"""Texts are harmless and within limits, times and figures are as people read them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis import words
from analysis.evidence import Chart, Table
from handlers import blocks as b
from handlers.blockkit import problems, problems_of_view

NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)


def test_nothing_that_a_person_wrote_calls_anybody():
    """A feature named <!channel> is shown, not heard."""
    assert b.escape("<!channel> & <@U1>") == "&lt;!channel&gt; &amp; &lt;@U1&gt;"
    assert "<" not in b.code("<!channel>")
    assert "<" not in b.line("see <https://x.example|this>")


@given(text=st.text(), most=st.integers(1, 60))
def test_cutting_leaves_no_broken_entity_and_keeps_the_limit(text, most):
    """What is cut ends before an entity that would not be whole."""
    cut = b.clip(b.escape(text), most)
    assert len(cut) <= max(most, 1)
    assert not re.search(r"&(?!amp;|lt;|gt;)", cut)


def test_cutting_stops_before_a_mention_that_would_be_broken():
    """Half a mention would be printed as garbage."""
    assert b.clip("asked by <@U0ANA12345> at noon", 20) == "asked by…"


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0.976, "98%"),
        (1.0, "100%"),
        (0.999, "over 99%"),
        (0.0, "0%"),
        (0.001, "under 1%"),
        (-0.2, "-20%"),
        (-0.001, "0%"),
    ],
)
def test_shares_are_percentages_that_never_claim_certainty(share, text):
    """Only a true 1 is 100%."""
    assert b.percent(share).replace(b.NBSP, " ") == text


@pytest.mark.parametrize(
    ("minutes", "text"),
    [
        (0.5, "under a minute"),
        (63, "63 min"),
        (200, "3 h 20 min"),
        (1000, "16 h"),
        (4320, "3 days"),
    ],
)
def test_durations_are_as_long_as_a_reader_needs(minutes, text):
    """No seconds in an hour, no minutes in a day."""
    assert b.span(timedelta(minutes=minutes)).replace(b.NBSP, " ") == text


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (41200.0, "41,200"),
        (0.71234, "0.712"),
        (12345.678, "12,346"),
        (float("nan"), "not a number"),
        (float("inf"), "infinite"),
        (1e300, "1e+300"),
    ],
)
def test_figures_have_the_digits_that_are_useful(number, text):
    """Three significant digits, thousands apart."""
    assert b.figure(number) == text


def test_times_are_in_the_readers_zone_and_dated_when_far():
    """Slack formats the time; the fallback says UTC."""
    near = b.clock(NOON, NOON + timedelta(hours=2))
    assert near == f"<!date^{int(NOON.timestamp())}^{{time}}|12:00 UTC>"
    assert "{date_short_pretty}" in b.clock(NOON, NOON + timedelta(days=2))
    assert "4 Mar" in b.clock(NOON)


def test_moments_of_a_finding_are_shown_in_the_readers_zone():
    """What the analysis writes, the message reads: as a sentence and as a table's cell."""
    said = f"It left its band at {words.clock(NOON)} <twice>."
    assert b.line(said, near=NOON) == f"It left its band at {b.clock(NOON, NOON)} &lt;twice&gt;."
    far = b.clock(NOON, far="{date_short} {time}")
    assert b.line(said) == f"It left its band at {far} &lt;twice&gt;."
    assert b.line("at 2026-13-45 25:61 UTC") == "at 2026-13-45 25:61 UTC"
    head, row = b.table(Table(("what", "since"), ((said, words.clock(NOON)),)), near=NOON)[0][
        "rows"
    ]
    date = row[1]["elements"][0]["elements"][0]
    assert (date["type"], date["timestamp"]) == ("date", int(NOON.timestamp()))
    assert (date["format"], date["fallback"]) == ("{time}", "12:00 UTC")
    assert head[1] == {"type": "raw_text", "text": "since"}
    assert row[0]["type"] == "raw_text"


def test_people_are_mentioned_by_id_and_others_named():
    """Only what is a Slack id becomes a mention."""
    assert b.person("U0ANA") == "<@U0ANA>"
    assert b.person("the <monitor>") == "the &lt;monitor&gt;"
    assert b.person("") == "somebody"


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "https://x.example/a|b", "https://x> <!channel>", ""]
)
def test_a_link_that_is_none_is_only_its_label(url):
    """An alert's address is not trusted."""
    assert b.link(url, "the alert") == "the alert"


def test_lists_read_like_a_sentence():
    """One, two, and too many."""
    assert b.listed(["a"]) == "a"
    assert b.listed(["a", "b"]) == "a and b"
    assert b.listed(list("abcde")) == "a, b, c and 2 more"
    assert b.listed([]) == ""


texts = st.text(max_size=5000)


@given(text=texts, rows=st.lists(st.lists(texts, max_size=6), max_size=20))
def test_builders_make_only_what_slack_takes(text, rows):
    """Whatever stands in them, no builder leaves Slack's limits."""
    blocks = [
        b.section(b.line(text), b.overflow("more", [b.option(text, "v", text)] * 9)),
        b.context(text and b.escape(text)),
        *b.actions(
            b.button(text, "x", "v", sure=b.confirm(text, text, text, text)),
            b.select("snooze", text, [b.option(text, "1")] * 120),
        ),
        *b.table(Table(("a", "b"), tuple(map(tuple, rows)))),
    ]
    found = b.image(Chart("id", text, text))
    assert found.pop("chart") == "id"
    blocks.append({**found, "slack_file": {"id": "F1"}})
    assert problems(b.message(text, blocks)["blocks"]) == []
    assert len(b.message(text, blocks)["text"]) <= 400


@given(text=texts)
def test_forms_are_within_limits(text):
    """Titles of 24 characters, labels and all."""
    blocks = [b.entry("a", text, b.field_text("a", multiline=True, placeholder=text))]
    assert problems_of_view(b.modal("x", text, "{}", blocks, text or "Go")) == []
    assert problems_of_view(b.notice(text, text)) == []


def test_a_row_without_buttons_is_no_block():
    """Slack refuses an empty row."""
    assert b.actions(None) == []
    assert b.table(Table((), ())) == []
