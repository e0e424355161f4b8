"""The visual language that every chart shares.

Colours are those of Okabe & Ito, which remain apart for colour-blind readers; each has one
meaning everywhere. A chart is a light card with a border, so that it reads in dark mode too.
Only matplotlib's object API is used: pyplot keeps state that leaks between threads.

Use: ``card, (axes,) = figure()``, draw, then ``render(figure, title, alt)``.
"""

from __future__ import annotations

import io
import textwrap
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.evidence import Chart, Onset, Window

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe & Ito (2008), "Color Universal Design".
BLACK, ORANGE, SKY, GREEN = "#000000", "#E69F00", "#56B4E9", "#009E73"
YELLOW, BLUE, VERMILLION, PURPLE = "#F0E442", "#0072B2", "#D55E00", "#CC79A7"

INCIDENT = VERMILLION
"""What is happening now, and what is suspected."""
EXPECTED = BLUE
"""What the baseline expects."""
BASELINE = "#8A8A8A"
"""Earlier days."""
GOOD = GREEN
"""Back to normal, or examined and fine."""
CYCLE = (BLUE, ORANGE, GREEN, PURPLE, SKY, VERMILLION)
"""Several series side by side (models, arms), in this order."""

INK, PAPER, GRID, BORDER = "#1F2328", "#FCFCFA", "#E3E3DF", "#C9C9C4"
WIDTH, HEIGHT, DPI, SCALE = 720, 400, 100, 1.5
TEXT, SMALL, TITLE = 12.0, 11.0, 13.5
LONGEST_LABEL = 28
LINE = 62


def figure(
    rows: int = 1,
    columns: int = 1,
    *,
    height: int = HEIGHT,
    share_x: bool = False,
    share_y: bool = False,
) -> tuple[Figure, tuple[Axes, ...]]:
    """A card of ``rows × columns`` axes, row by row, ``height`` pixels tall and 720 wide."""
    from matplotlib import rcParams
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    rcParams["text.parse_math"] = False  # "$" in a team's names is no formula
    card = Figure(
        figsize=(WIDTH / DPI, height / DPI),
        dpi=DPI,
        layout=ConstrainedLayoutEngine(w_pad=0.1, h_pad=0.08),
        facecolor=PAPER,
        edgecolor=BORDER,
        linewidth=2.0,
    )
    FigureCanvasAgg(card)
    grid = card.subplots(rows, columns, squeeze=False, sharex=share_x, sharey=share_y)
    every = tuple(axes for row in grid for axes in row)
    for axes in every:
        _dress(axes)
    return card, every


def _dress(axes: Axes) -> None:
    axes.set_facecolor(PAPER)
    axes.grid(True, color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(BORDER)
    axes.tick_params(colors=INK, labelsize=SMALL, length=0)
    axes.tick_params(axis="x", pad=7)
    axes.xaxis.label.set(color=INK, fontsize=SMALL)
    axes.yaxis.label.set(color=INK, fontsize=SMALL)


def render(figure: Figure, title: str, alt: str) -> Chart:
    """The finished card as PNG; ``title`` is a sentence, ``alt`` says what the chart shows."""
    lines = _two_lines(title.replace("`", ""))
    figure.suptitle(
        "\n".join(lines), x=0.015, ha="left", fontsize=TITLE, fontweight="bold", color=INK
    )
    return Chart.of(_png(figure), title, alt)


def _two_lines(title: str) -> list[str]:
    """At most two lines, of about equal length when one is not enough."""
    if len(title) > LINE:
        balanced = textwrap.wrap(title, min(LINE, len(title) // 2 + 8))
        if len(balanced) <= 2:
            return balanced
    return textwrap.wrap(title, LINE, max_lines=2, placeholder=" …")


def _png(figure: Figure) -> bytes:
    """At 1.5 × its nominal size for sharp phones, with a palette of 128 colours: a third of
    the bytes, and no difference that an eye finds in flat colours."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image

    figure.set_dpi(DPI * SCALE)
    engine = figure.get_layout_engine()
    if engine is not None:  # once is enough: saving would lay the card out a second time
        engine.execute(figure)
        figure.set_layout_engine("none")
    canvas = FigureCanvasAgg(figure)
    canvas.draw()  # type: ignore[no-untyped-call]
    shown = np.asarray(canvas.buffer_rgba())  # type: ignore[no-untyped-call]
    pixels = Image.fromarray(shown[:, :, :3])
    packed = io.BytesIO()
    pixels.quantize(128, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(
        packed, format="png"
    )
    return packed.getvalue()


def time_axis(axes: Axes, low: datetime, high: datetime, *, ticks: int = 6) -> None:
    """Show ``low`` to ``high`` in UTC, with days and hours as short as the span allows."""
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    locator = AutoDateLocator(tz=UTC, minticks=2, maxticks=max(ticks, 5))  # type: ignore[no-untyped-call]
    formatter = ConciseDateFormatter(  # type: ignore[no-untyped-call]
        locator,
        tz=UTC,
        formats=["%Y", "%b", "%-d %b", "%H:%M", "%H:%M", "%S.%f"],
        zero_formats=["", "%Y", "%-d %b", "%-d %b", "%H:%M", "%H:%M"],
        offset_formats=["", "", "", "UTC", "UTC", "UTC"],
        show_offset=False,
    )
    axes.set_xlim(low, high)  # type: ignore[arg-type]
    axes.set_xticks(_apart(locator.tick_values(low, high)))  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_formatter(formatter)


def _apart(ticks: Sequence[float]) -> list[float]:
    """Ticks without those that come too soon after the one before: where days are counted by twos,
    the 31st and the 1st are neighbours."""
    usual = float(np.median(np.diff(ticks))) if len(ticks) > 1 else 0.0
    kept: list[float] = []
    for tick in ticks:
        if not kept or tick - kept[-1] >= 0.75 * usual:
            kept.append(float(tick))
    return kept


def mark_onset(axes: Axes, onset: Onset | datetime, *, label: str | None = None) -> None:
    """A vertical line where it began, its bounds shaded, and :func:`onset_words` at the top.

    ``label=""`` leaves the words out (small multiples).
    """
    at = onset.at if isinstance(onset, Onset) else onset
    if isinstance(onset, Onset) and onset.high > onset.low:
        axes.axvspan(onset.low, onset.high, color=INK, alpha=0.10, linewidth=0)  # type: ignore[arg-type]
    axes.axvline(at, color=INK, linewidth=1.6, linestyle=(0, (4, 2)))  # type: ignore[arg-type]
    words = onset_words(onset) if label is None else label
    if words:
        axes.annotate(
            words,
            (at, 1.0),
            xycoords=("data", "axes fraction"),
            xytext=(-4, -3),
            textcoords="offset points",
            ha="right",
            va="top",
            fontsize=SMALL,
            color=INK,
            bbox={"facecolor": PAPER, "edgecolor": "none", "alpha": 0.85, "pad": 1.5},
        )


def onset_words(onset: Onset | datetime) -> str:
    """Words beside the line: "since 14:05 UTC", and under it which times the grey band covers."""
    if not isinstance(onset, Onset):
        return f"since {onset.astimezone(UTC):%H:%M} UTC "
    low, at, high = (t.astimezone(UTC) for t in (onset.low, onset.at, onset.high))
    first = f"since {at:%H:%M} UTC "
    if high <= low:
        return first
    form = "%H:%M" if low.date() == high.date() else "%d %b %H:%M"
    return f"{first}\n(grey: {low:{form}} to {high:{form}}) "


def shade_window(axes: Axes, window: Window) -> None:
    """The incident's window as a pale band behind the data."""
    axes.axvspan(window.start, window.end, color=INCIDENT, alpha=0.08, linewidth=0, zorder=0)  # type: ignore[arg-type]


def legend(axes: Axes, *, columns: int = 3) -> None:
    """Names of the series in one row under the axes' top edge, without a frame."""
    handles, _ = axes.get_legend_handles_labels()
    if handles:
        axes.legend(
            loc="lower left",
            bbox_to_anchor=(0, 1.0),
            ncols=columns,
            frameon=False,
            fontsize=SMALL,
            labelcolor=INK,
            borderaxespad=0.1,
            handlelength=1.4,
            columnspacing=1.2,
        )


def shorten(name: object, most: int = LONGEST_LABEL) -> str:
    """A team's name cut in its middle to ``most`` characters: both ends tell names apart."""
    text = " ".join(str(name).split())
    if len(text) <= most:
        return text
    head = (most - 1) // 2
    return f"{text[:head]}…{text[-(most - 1 - head) :]}"


def name_rows(axes: Axes, names: Sequence[object], *, most: int = LONGEST_LABEL) -> None:
    """Label a horizontal chart's rows, the first one on top; row ``i`` is at ``y = i``."""
    axes.set_yticks(range(len(names)), [shorten(name, most) for name in names])
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.grid(False, axis="y")


def percent_axis(axis: Any, digits: int = 0) -> None:
    """Show shares (0 to 1) on ``axes.xaxis`` or ``axes.yaxis`` as percents."""
    from matplotlib.ticker import PercentFormatter

    axis.set_major_formatter(PercentFormatter(1.0, decimals=digits))
