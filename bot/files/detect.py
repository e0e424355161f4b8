"""``hawkeye detect``: anomalous points and lasting changes of series in files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bot.files.shared import AS_JSON, FILES, numbers, read, say, tell

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from analysis.series.anomalies import Detection


@click.command()
@FILES
@click.option("--time", "time_column", required=True, help="Column of times: ISO, or integers.")
@click.option("--value", "value_column", required=True, help="Column of numbers; empty is a gap.")
@AS_JSON
def detect(files: tuple[Path, ...], time_column: str, value_column: str, as_json: bool) -> None:
    """Find anomalous points and lasting changes in each FILE's series (CSV or Parquet)."""
    from analysis.series.anomalies import detect as found_in

    for path in files:
        frame = _in_order(path, read(path, (time_column, value_column)), time_column)
        values = numbers(path, frame, value_column)
        try:
            found = found_in(frame["clock"].to_numpy(), values)
        except ValueError as error:
            raise click.ClickException(f"{path}: {value_column} has {error}.") from error
        times = [_plain(t) for t in frame[time_column]]
        if as_json:
            say(_result(path, times, values, found))
        else:
            _show(path, value_column, times, values, found)


def _in_order(path: Path, frame: pd.DataFrame, column: str) -> pd.DataFrame:
    """The rows in order of time, with a column ``clock`` of seconds or of places."""
    import pandas as pd

    times = frame[column]
    if times.isna().any():
        raise click.ClickException(
            f"{path}: {int(times.isna().sum())} of {len(times)} rows have no {column}."
        )
    if pd.api.types.is_numeric_dtype(times):
        ordered = frame.sort_values(column, kind="stable", ignore_index=True)
        # Plain numbers say nothing of days and weeks, unless they are seconds since 1970.
        seconds = ordered[column].astype("int64")
        epoch = bool((seconds > 100_000_000).all())
        return ordered.assign(clock=seconds if epoch else range(len(ordered)))
    moments = pd.to_datetime(times, utc=True, errors="coerce", format="mixed")
    if moments.isna().any():
        bad = times[moments.isna()].iloc[0]
        raise click.ClickException(f"{path}: {column} has {str(bad)!r}, which is no ISO time.")
    clock = moments.dt.tz_localize(None).astype("datetime64[s]")
    return frame.assign(clock=clock).sort_values("clock", kind="stable", ignore_index=True)


def _plain(time: Any) -> int | float | str:
    import numpy as np

    if isinstance(time, np.integer):
        return int(time)
    if isinstance(time, (int, float)):
        return int(time) if float(time).is_integer() else float(time)
    return time.isoformat() if hasattr(time, "isoformat") else str(time)


def _result(
    path: Path, times: list[Any], values: np.ndarray[Any, Any], found: Detection
) -> dict[str, Any]:
    return {
        "file": str(path),
        "points": [
            {"time": t, "value": _known(v), "score": _known(s), "alarm": bool(a)}
            for t, v, s, a in zip(times, values, found.scores, found.alarms, strict=True)
        ],
        "onsets": [
            {
                "time": times[turn.index],
                "index": turn.index,
                "low": turn.low,
                "high": turn.high,
                "direction": turn.direction,
            }
            for turn in found.turns
        ],
    }


def _known(number: float) -> float | None:
    return round(float(number), 6) if number == number else None


def _show(
    path: Path, name: str, times: list[Any], values: np.ndarray[Any, Any], found: Detection
) -> None:
    from analysis.charts.detection import detection_chart

    rows = [
        (str(times[t.index]), t.direction, f"{times[t.low]} … {times[t.high]}") for t in found.turns
    ]
    alarms = [str(times[i]) for i in range(len(times)) if found.alarms[i]]
    tell(f"{path}: {len(found.turns)} lasting changes of {name}", ("since", "to", "95 %"), rows)
    click.echo(f"{len(alarms)} alarms" + (f": {', '.join(alarms[:8])}" if alarms else "."))
    chart = detection_chart(values, [str(t) for t in times], found, f"{name} of {path.stem}")
    picture = Path(f"{path.stem}-detect.png")
    picture.write_bytes(chart.png)
    click.echo(f"Chart: {picture}")
