"""Which numbers in an alert's words were measured, and which are names."""

import pytest

from handlers.alerts.figures import without_figures


@pytest.mark.parametrize(
    "name",
    [
        "Ranker 2 is off",
        "shard 12, shard 13.",
        "Ranker 2 s 5 m",
        "v1.2 and 1.2.3 at 10.0.0.1",
        "svc-2 model_b2 p99 5xx",
        "Market 2 Decoder 12 shard 12b",
        "gemini 2.5-flash",
        "CTR 7d, CTR 28d, retention 30 days, calibration 24h",
    ],
)
def test_a_number_in_a_name_stays(name):
    """It tells one subject from another."""
    assert without_figures(name) == name


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("0.58 instead of 0.71", "# instead of #"),
        ("-5% and 12 % and +0,3%", "# and # and #"),
        ("312ms, 312 ms, 5k, 3GB, 3.5 GB, 5 minutes, 10m", "#, #, #, #, #, #, #"),
        ("rows=5 errors >= 12 < 3", "rows=# errors >= # < #"),
        ("2 of 3, lower than 40, over 7", "2 of #, lower than #, over #"),
        ("1,234 rows, 1e-5", "# rows, #"),
        ("2026-11-27 14:05, 2026-11-27T14:05:09Z, 14:05 UTC, 2pm", "#, #, #, #"),
        ("27.11.2026, 11/27/26, 27 Nov 2026, November 27th", "#, #, #, #"),
        ("[FIRING:3] Ranker 2: 0.5.", "[FIRING:#] Ranker 2: #."),
    ],
)
def test_what_was_measured_and_when_is_left_out(text, left):
    """They are others every time."""
    assert without_figures(text) == left
