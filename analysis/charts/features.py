"""Pictures of features: their values around the onset, beside the predictions'."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.charts import style
from analysis.evidence import Chart, Scope, Suspect
from analysis.inputs.views import Reading
from analysis.tables import Role

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

LOOK_BACK_HOURS = 24


def responsible(
    r: Reading,
    names: Sequence[str],
    scope: Scope,
    suspects: Sequence[Suspect],
    hidden: Collection[str],
    verdict: str,
) -> Chart:
    """The first two features and the predictions by the hour, against the same hours of earlier
    days (grey). Values of hidden columns are not drawn on the axis."""
    import pandas as pd

    rows = pd.concat([r.days.frame, r.edge.frame], ignore_index=True)
    rows = rows.drop_duplicates([Role.TIME, Role.PREDICTION])
    panels = [*names, Role.PREDICTION]
    card, every = style.figure(1, len(panels))
    for axes, name in zip(every, panels, strict=True):
        level = name != Role.PREDICTION and r.bins[name].kind == "level"
        if level or (name != Role.PREDICTION and _mostly_missing(r, name)):
            _share(axes, r, rows, name, scope)
        else:
            _band(axes, r, rows if name != Role.PREDICTION else _of_one(rows, scope), name, scope)
        if name in hidden:
            axes.set_yticks([])
        _finish(axes, r, name, scope)
    began = scope.onset.at if scope.onset else r.comparison.window.start
    every[0].plot([], [], color=style.INCIDENT, linewidth=2, label="now")
    every[0].plot([], [], color=style.BASELINE, linewidth=2, label="same hours of earlier days")
    every[0].plot([], [], color=style.INK, linestyle="--", label=style.onset_words(began).strip())
    card.legend(
        *every[0].get_legend_handles_labels(),
        loc="outside lower left",
        ncols=3,
        frameon=False,
        fontsize=style.SMALL,
    )
    title = _title(verdict, suspects)
    words = [f"{s.name}: {s.changed or 'usual'}" for s in suspects if s.name in names]
    alt = f"{title}. By the hour with the same hours of earlier days in grey: {'; '.join(words)}."
    return style.render(card, title, alt)


def _title(verdict: str, suspects: Sequence[Suspect]) -> str:
    if verdict == "inputs" and suspects:
        return f"{suspects[0].name} explains {suspects[0].score:.0%} of what moved predictions"
    if verdict == "model":
        return "Familiar inputs get other predictions since the onset"
    return "No feature moved predictions beyond the usual"


def _of_one(rows: pd.DataFrame, scope: Scope) -> pd.DataFrame:
    """The first suspect model's rows: minutes and probabilities share no axis."""
    if Role.MODEL not in rows:
        return rows
    models = [m for m in scope.named("model") if (rows[Role.MODEL] == m).any()]
    return rows[rows[Role.MODEL] == models[0]] if len(models) > 1 else rows


def _mostly_missing(r: Reading, name: str) -> bool:
    block = r.days.block
    gone = r.days.frame[name].isna().to_numpy()
    return bool(gone[block == 0].mean() > gone[block > 0].mean() + 0.03)


def _hours(r: Reading, rows: pd.DataFrame) -> tuple[Any, Any, Any]:
    """Hours since the onset per row, and which rows are recent and which are earlier days'."""
    import pandas as pd

    start = pd.Timestamp(r.comparison.window.start.replace(tzinfo=None))
    since = ((rows[Role.TIME] - start) / pd.Timedelta(hours=1)).to_numpy(float)
    length = r.comparison.window.length.total_seconds() / 3600
    return since, (since >= -LOOK_BACK_HOURS) & (since < length), since < -LOOK_BACK_HOURS


def _width(r: Reading) -> float:
    """Hours per point: about 30 points."""
    length = r.comparison.window.length.total_seconds() / 3600
    return max(0.5, (LOOK_BACK_HOURS + length) / 30)


def _band(axes: Axes, r: Reading, rows: pd.DataFrame, name: str, scope: Scope) -> None:
    """Median and the middle 80 % by the hour; grey: the same hours of earlier days."""
    import pandas as pd

    since, recent, earlier = _hours(r, rows)
    values = rows[name].to_numpy(float, na_value=np.nan)
    slot = np.floor(since / _width(r))
    per_day = max(1, round(24 / _width(r)))
    frame = pd.DataFrame({"slot": slot, "value": values})
    now = _with_gaps(_middle(frame[recent]))
    old = frame[earlier].assign(slot=lambda f: f["slot"] % per_day)
    usual = _middle(old)
    at = _moments(r, now.index)
    grey = usual.reindex(now.index % per_day)
    axes.fill_between(at, grey[0.1], grey[0.9], color=style.BASELINE, alpha=0.25, linewidth=0)
    axes.plot(at, grey[0.5], color=style.BASELINE, linewidth=1.5)
    axes.fill_between(at, now[0.1], now[0.9], color=style.INCIDENT, alpha=0.2, linewidth=0)
    axes.plot(at, now[0.5], ".-", color=style.INCIDENT, linewidth=2, markersize=4)
    del scope


def _middle(frame: pd.DataFrame) -> pd.DataFrame:
    """Median and the ends of the middle 80 % by slot; no rows where nothing was there."""
    edges = np.array([0.1, 0.5, 0.9])
    found = frame.groupby("slot")["value"].quantile(edges).unstack()
    return found.reindex(columns=edges)


def _with_gaps(by_slot: pd.DataFrame) -> pd.DataFrame:
    """With a row for each slot: no line is drawn over a night without rows."""
    if by_slot.empty:
        return by_slot
    return by_slot.reindex(np.arange(by_slot.index.min(), by_slot.index.max() + 1))


def _share(axes: Axes, r: Reading, rows: pd.DataFrame, name: str, scope: Scope) -> None:
    """Share of the values that gained: missing, unknown or grown levels."""
    import pandas as pd

    b = r.bins[name]
    cells = b.cells(rows[name])
    block = r.days.block
    mine = b.cells(r.days.frame[name])
    gain = np.bincount(mine[block == 0], minlength=b.size) / max((block == 0).sum(), 1)
    gain = gain - np.bincount(mine[block > 0], minlength=b.size) / max((block > 0).sum(), 1)
    top = int(np.argmax(gain))
    since, recent, earlier = _hours(r, rows)
    frame = pd.DataFrame({"slot": np.floor(since / _width(r)), "value": (cells == top) * 1.0})
    now = _with_gaps(frame[recent].groupby("slot")[["value"]].mean())["value"]
    axes.axhline(frame[earlier]["value"].mean(), color=style.BASELINE, linewidth=1.5)
    axes.plot(_moments(r, now.index), now, ".-", color=style.INCIDENT, linewidth=2, markersize=4)
    axes.set_ylim(0, 1.02)
    style.percent_axis(axes.yaxis)
    named = {b.size - 1: "missing", b.size - 2: "unknown"}.get(top)
    said = named or (b.levels[top] if b.kind == "level" else "this range")
    axes.set_ylabel(f"share {style.shorten(said, 14)}")
    del scope


def _moments(r: Reading, slots: Any) -> Any:
    import pandas as pd

    start = pd.Timestamp(r.comparison.window.start)
    return start + pd.to_timedelta((np.asarray(slots, float) + 0.5) * _width(r), unit="h")


def _finish(axes: Axes, r: Reading, name: str, scope: Scope) -> None:
    window = r.comparison.window
    style.shade_window(axes, window)
    style.mark_onset(axes, scope.onset or window.start, label="")
    low = window.start - timedelta(hours=LOOK_BACK_HOURS)
    style.time_axis(axes, low, window.end)
    _few_ticks(axes, low, window.end)
    label = "prediction" if name == Role.PREDICTION else style.shorten(name, 20)
    axes.set_title(label, fontsize=style.TEXT, color=style.INK, loc="left")


def _few_ticks(axes: Axes, low: datetime, high: datetime) -> None:
    """Two or three times of day: a panel is too narrow for more."""
    hours = (high - low).total_seconds() / 3600
    step = next(s for s in (6, 12, 24, 48) if hours / s <= 2.6)
    first = low.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    every = [first + timedelta(hours=i) for i in range(int(hours))]
    shown = [at for at in every if at.hour % min(step, 24) == 0]
    axes.set_xticks(shown[:3], [_tick(at) for at in shown[:3]])  # type: ignore[arg-type]


def _tick(at: datetime) -> str:
    return f"{at:%H:%M}" if at.hour else f"{at:%-d %b}"
