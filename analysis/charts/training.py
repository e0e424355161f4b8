"""Pictures of training: rows and labels per day, curves, weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, time, timedelta
from typing import Any

import numpy as np

from analysis.charts import style
from analysis.evidence import Chart
from analysis.training.rows import Trainings, day_of


def partitions(t: Trainings, gone: Sequence[str], verdict: str, words: str) -> Chart:
    """Rows per day of the suspect and of the snapshot before, and below it their labels."""
    from matplotlib.dates import AutoDateLocator, DateFormatter

    card, (top, bottom) = style.figure(2, 1, share_x=True)
    shown = [(t.earlier[0], style.BASELINE), (t.suspect, style.INCIDENT)]
    for name, colour in shown:
        days, rows, label = _by_day(t, name)
        top.plot(days, rows, color=colour, marker="o", markersize=4, linewidth=1.8, label=name)
        bottom.plot(days, label, color=colour, marker="o", markersize=4, linewidth=1.8)
    for day in {day_of(p)[0] for p in gone}:
        if day is not None:
            noon = datetime.combine(day, time())
            top.axvspan(
                noon - timedelta(hours=12),  # type: ignore[arg-type]
                noon + timedelta(hours=12),  # type: ignore[arg-type]
                color=style.INCIDENT,
                alpha=0.12,
                linewidth=0,
            )
    top.set_ylabel("rows")
    bottom.set_ylabel("mean label")
    top.set_ylim(bottom=0)
    style.legend(top)
    bottom.tick_params(axis="x", rotation=0)
    bottom.xaxis.set_major_locator(AutoDateLocator(minticks=3, maxticks=6))  # type: ignore[no-untyped-call]
    bottom.xaxis.set_major_formatter(DateFormatter("%-d %b"))  # type: ignore[no-untyped-call]
    title = (
        f"{t.suspect}: {words}"
        if verdict == "training_data"
        else (f"{t.suspect} was trained on the usual data")
    )
    alt = f"{title}. Rows and mean label per day beside those of {t.earlier[0]}."
    return style.render(card, title, alt)


def _by_day(t: Trainings, name: str) -> tuple[list[Any], list[float], list[float]]:
    mine = t.parts[t.parts["snapshot"] == name]
    rows: dict[Any, float] = {}
    total: dict[Any, float] = {}
    for part, n, label in zip(mine["part"], mine["n"], mine["label"], strict=True):
        day = day_of(str(part))[0]
        key: Any = datetime.combine(day, time()) if day else str(part)
        rows[key] = rows.get(key, 0.0) + float(n)
        total[key] = total.get(key, 0.0) + float(n) * float(label)
    keys = sorted(rows, key=str)
    return keys, [rows[k] for k in keys], [total[k] / max(rows[k], 1.0) for k in keys]


def curves(found: Mapping[str, Sequence[tuple[float, float]]], suspect: str, title: str) -> Chart:
    """Validation loss by step: the suspect's in red, earlier snapshots' in grey."""
    card, (axes,) = style.figure()
    for name, points in found.items():
        steps, loss = [p[0] for p in points], [p[1] for p in points]
        mine = name == suspect
        axes.plot(
            steps,
            loss,
            color=style.INCIDENT if mine else style.BASELINE,
            linewidth=2.4 if mine else 1.4,
            label=name if mine else None,
            zorder=3 if mine else 2,
        )
    axes.plot([], [], color=style.BASELINE, label="earlier snapshots")
    axes.set_xlabel("training step")
    axes.set_ylabel("validation loss")
    style.legend(axes)
    last = {n: p[-1][1] for n, p in found.items() if p}
    words = ", ".join(f"{n} ends at {v:.3g}" for n, v in list(last.items())[:5])
    return style.render(card, title, f"{title}. Validation loss by step: {words}.")


def answers(
    guess: np.ndarray[tuple[int], np.dtype[np.float64]],
    before: np.ndarray[tuple[int], np.dtype[np.float64]],
    after: np.ndarray[tuple[int], np.dtype[np.float64]],
    split: np.ndarray[tuple[int], np.dtype[np.bool_]],
    title: str,
) -> Chart:
    """Served answers against those expected for the same inputs, before and since the onset."""
    card, (axes,) = style.figure()
    axes.scatter(guess[~split], before, s=7, color=style.BASELINE, alpha=0.5, label="before")
    axes.scatter(guess[split], after, s=7, color=style.INCIDENT, alpha=0.5, label="since the onset")
    ends = [float(np.min(guess)), float(np.max(guess))]
    axes.plot(ends, ends, color=style.INK, linewidth=1.2, linestyle=(0, (4, 2)))
    axes.set_xlabel("answer expected for these inputs")
    axes.set_ylabel("answer served")
    style.legend(axes)
    return style.render(card, title, f"{title}. Served answers against those expected.")
