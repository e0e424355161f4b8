"""The walk's benchmark: its figures, and the page that they are written to."""

from benchmarks import page
from benchmarks.calibration import calibration
from benchmarks.reliability import diagram, wilson


def test_a_section_is_written_anew_in_its_place(tmp_path):
    """What others wrote, before and after it, stays."""
    file = tmp_path / "benchmarks.md"
    file.write_text("# Benchmarks\n\nOurs.\n")
    page.write("walks", "Walks", "one", ["| old |"], file)
    page.write("other", "Other", "two", ["| kept |"], file)
    page.write("walks", "Walks", "one", [r"| new \d |"], file)
    text = file.read_text()
    assert text.startswith("# Benchmarks\n\nOurs.\n")
    assert r"| new \d |" in text
    assert "| old |" not in text
    assert text.index("new") < text.index("| kept |")


def test_the_calibration_error_is_what_is_stated_less_what_is_right():
    """Nine of ten at 0.9 is honest; five of ten is 0.4 off."""
    honest = [(0.9, i < 9) for i in range(10)]
    boastful = [(0.9, i < 5) for i in range(10)]
    assert "error 0.000" in list(calibration(honest))[-1]
    assert "error 0.400" in list(calibration(boastful))[-1]


def test_the_diagram_says_its_figures_in_words():
    """For those who can't see it."""
    chart = diagram([(0.9, True)] * 9 + [(0.9, False), (0.6, True)])
    assert "stated 0.90, right 0.90 of 10" in chart.alt
    assert chart.png.startswith(b"\x89PNG")


def test_an_interval_of_few_cases_is_wide():
    """Two of two does not prove that all are right."""
    low, high = wilson(1.0, 2)
    assert low < 0.5
    assert high == 1.0
