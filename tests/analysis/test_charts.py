"""Charts are PNGs of the right size that take names literally."""

import io
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from PIL import Image

from analysis.charts import style
from analysis.charts.bars import Bar, segment_bars, share_bars
from analysis.charts.forest import Interval, forest
from analysis.charts.series import metric_chart
from analysis.charts.small import Panel, small_multiples
from analysis.evidence import Onset, Window

NOW = datetime(2024, 3, 20, 15, tzinfo=UTC)
WINDOW = Window(NOW - timedelta(hours=6), NOW)
ONSET = Onset(WINDOW.start, WINDOW.start - timedelta(hours=1), WINDOW.start)


def _series(n=200):
    end = np.datetime64(NOW.replace(tzinfo=None), "s")
    times = end - np.arange(n, 0, -1) * np.timedelta64(3600, "s")
    values = 10 + np.sin(np.arange(n) / 24 * 2 * np.pi)
    return times, values


def _metric(values=None):
    times, usual = _series()
    shown = usual if values is None else values
    return metric_chart(
        times, shown, usual - 1, usual + 1,
        window=WINDOW, onset=ONSET, title="A title that is a sentence", alt="alt", name="m",
    )  # fmt: skip


def _small():
    times, values = _series()
    panels = [
        Panel(f"s{i}/latency", times, values, values - 1, values + 1, i == 0) for i in range(5)
    ]
    return small_multiples(panels, WINDOW, ONSET, "title", "alt")


CHARTS = {
    "metric": _metric,
    "small": _small,
    "segments": lambda: segment_bars([Bar("a=b", 10, 30, True)], "title", "alt", "rows"),
    "shares": lambda: share_bars("p", [("model", 0.9, style.INCIDENT)], "title", "alt"),
    "forest": lambda: forest([Interval("NE", 30.0, True), Interval("AUC", -1.0, False)], "t", "a"),
}


@pytest.mark.parametrize("name", CHARTS)
def test_every_chart_is_a_small_png_as_wide_as_a_card(name):
    """1,080 pixels wide, under 150 kB, named by its content."""
    chart = CHARTS[name]()
    image = Image.open(io.BytesIO(chart.png))
    assert image.format == "PNG"
    assert image.width == 1080
    assert len(chart.png) < 150_000
    assert chart.title
    assert chart.alt


def test_the_same_data_give_the_same_bytes():
    """The identity of a chart is its content."""
    assert _metric().id == _metric().id


def test_names_with_dollars_and_accents_are_taken_literally():
    """No formula is made of "$", and nothing breaks."""
    card, (axes,) = style.figure()
    axes.plot([0, 1], [0, 1], label="revenue $a$ in Zürich")
    style.legend(axes)
    chart = style.render(card, r"Costs $5 and \alpha, up_to 10 % of {everything}", "alt")
    assert chart.png.startswith(b"\x89PNG")


def test_a_series_of_gaps_only_still_draws():
    """No value at all is an empty card, not an exception."""
    assert _metric(np.full(200, np.nan)).png.startswith(b"\x89PNG")


def test_long_names_keep_both_ends():
    """What tells names apart is often at the end."""
    short = style.shorten("a_very_long_feature_name_of_the_left_arm")
    assert len(short) == style.LONGEST_LABEL
    assert short.startswith("a_very")
    assert short.endswith("left_arm")


def test_colours_of_suspects_and_baseline_differ_in_lightness():
    """They can be told apart without seeing colour."""

    def lightness(colour):
        red, green, blue = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    assert abs(lightness(style.INCIDENT) - lightness(style.PAPER)) > 0.4
    assert abs(lightness(style.INK) - lightness(style.PAPER)) > 0.8


def test_the_grey_band_around_an_onset_is_explained_beside_its_line():
    """A grey band that no legend names is a riddle at three in the morning."""
    at = datetime(2013, 7, 3, 14, 5, tzinfo=UTC)
    quarter = timedelta(minutes=15)
    near = style.onset_words(Onset(at, at - quarter, at + quarter))
    assert near.split("\n") == ["since 14:05 UTC ", "(grey: 13:50 to 14:20) "]
    wide = style.onset_words(Onset(at, at - timedelta(days=1), at + quarter))
    assert "(grey: 02 Jul 14:05 to 03 Jul 14:20)" in wide
    assert "grey" not in style.onset_words(Onset(at, at, at))
    assert "grey" not in style.onset_words(at)


def test_days_counted_by_twos_leave_no_two_labels_beside_each_other():
    """The 31st and the 1st are neighbours: their labels would be one."""
    _, (axes,) = style.figure()
    style.time_axis(
        axes, datetime(2013, 3, 28, 21, tzinfo=UTC), datetime(2013, 4, 4, 21, tzinfo=UTC), ticks=4
    )
    assert min(np.diff(axes.get_xticks())) >= 2
