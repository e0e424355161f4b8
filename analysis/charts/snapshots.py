"""Pictures of publishes: who served when, with the onset."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from analysis.charts import style
from analysis.evidence import Chart, Onset, Scope
from analysis.publishes import Publish


def timeline(
    found: Sequence[Publish],
    onset: Onset,
    scope: Scope,
    suspects: Sequence[Publish],
    verdict: str,
) -> Chart:
    """A bar per snapshot from going live until it was replaced, a row per model and arm."""
    high = scope.window.end
    low = max(scope.baseline.start, _from(found, suspects, onset, high))
    card, (axes,) = style.figure(height=min(400, 260 + 28 * len(_lanes(found))))
    lanes = _lanes(found)[:8]
    blamed = {(p.model, p.snapshot) for p in suspects} if verdict != "not_snapshot" else set()
    for y, (model, arm) in enumerate(lanes):
        mine = [p for p in found if (p.model, p.arm) == (model, arm)]
        starts: list[tuple[datetime, str]] = [(low, mine[0].before)]
        starts += [(p.at, p.snapshot) for p in mine]
        for i, (at, name) in enumerate(starts):
            end = starts[i + 1][0] if i + 1 < len(starts) else high
            if end <= low:
                continue
            bad = (model, name) in blamed
            colour = style.INCIDENT if bad else style.CYCLE[i % 2 * 4]
            width = end - max(at, low)
            axes.barh(y, width, left=max(at, low), height=0.55, color=colour, alpha=0.75)  # type: ignore[arg-type]
            label = style.shorten(_own_part(name, model), 14)
            if width > (high - low) * (len(label) + 1) / 75:
                axes.text(
                    max(at, low) + width / 2,  # type: ignore[arg-type]
                    y,
                    label,
                    ha="center",
                    va="center",
                    fontsize=style.SMALL,
                    color=style.INK,
                )
    style.name_rows(axes, [m if a in ("all", "none") else f"{m} · {a}" for m, a in lanes], most=22)
    axes.set_ylim(top=-1.3)  # room above the bars for what is said of the onset
    if not lanes:
        axes.set_yticks([])
        axes.text(0.5, 0.5, "one snapshot throughout", transform=axes.transAxes, ha="center")
    style.shade_window(axes, scope.window)
    style.mark_onset(axes, onset)
    style.time_axis(axes, low, high)
    title = _title(suspects, verdict)
    words = [f"{p.snapshot} live {p.at:%d %b %H:%M}" for p in found[-4:]]
    alt = f"{title}. Publishes: {'; '.join(words) or 'none'}. Onset {onset.at:%d %b %H:%M} UTC."
    return style.render(card, title, alt)


def _from(
    found: Sequence[Publish], suspects: Sequence[Publish], onset: Onset, high: datetime
) -> datetime:
    """A day before the onset, and no later than what the picture is about went live."""
    told = [p.at for p in (suspects or found) if p.at < high]
    latest = max(told, default=onset.at) - timedelta(hours=6)
    return max(min(onset.at - timedelta(days=1), latest), onset.at - timedelta(days=10))


def _own_part(name: str, model: str) -> str:
    """A snapshot's name without the model's, which the row already says."""
    rest = name.removeprefix(model).lstrip("-_./ ")
    return rest or name


def _lanes(found: Sequence[Publish]) -> list[tuple[str, str]]:
    return list(dict.fromkeys((p.model, p.arm) for p in found))


def _title(suspects: Sequence[Publish], verdict: str) -> str:
    if verdict == "snapshot" and suspects:
        return f"{suspects[0].snapshot} went live when it began"
    if verdict == "unsure":
        return "A publish near the onset may or may not be the cause"
    return "No publish explains the change"
