"""``hawkeye detect``: anomalous points and lasting changes of series in files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from analysis.epochs import unit_of
from bot.files.shared import AS_JSON, FILES, numbers, read, say, tell

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from analysis.series.anomalies import Detection

MOST = 8
"""Alarms named beside the table; the chart shows them all."""


@click.command()
@FILES
@click.option("--time", "time_column", required=True, help="Column of times: ISO, or integers.")
@click.option("--value", "value_column", required=True, help="Column of numbers; empty is a gap.")
@AS_JSON
def detect(files: tuple[Path, ...], time_column: str, value_column: str, as_json: bool) -> None:
    """Find anomalous points and lasting changes in each FILE's series (CSV or Parquet).

    A file that can't be judged is named on standard error; the others still are, and the exit
    code is 1.
    """
    if time_column == value_column:
        raise click.UsageError(f"--time and --value are both {time_column!r}.")
    wrong = 0
    for path in files:
        try:
            _judge(path, time_column, value_column, as_json)
        except click.ClickException as error:
            error.show()
            wrong += 1
    if wrong:
        raise SystemExit(1)


def _judge(path: Path, time_column: str, value_column: str, as_json: bool) -> None:
    """One file's series, judged and told."""
    from analysis.series.anomalies import detect as found_in

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
    """The rows in order of time, with a column ``clock`` of moments or of places in the row.

    Rows of the same time stay in the order of the file.
    """
    import pandas as pd

    times = frame[column]
    if times.isna().any():
        raise click.ClickException(
            f"{path}: {int(times.isna().sum())} of {len(times)} rows have no {column}."
        )
    if pd.api.types.is_bool_dtype(times):
        raise click.ClickException(f"{path}: {column} is yes or no, which is no time.")
    if pd.api.types.is_numeric_dtype(times):
        return _counted(path, frame.sort_values(column, kind="stable", ignore_index=True), column)
    moments = pd.to_datetime(times, utc=True, errors="coerce", format="ISO8601")
    if moments.isna().any():
        row = int(moments.isna().to_numpy().argmax())
        raise click.ClickException(
            f"{path}: row {row + 1} of {column} is {str(times.iloc[row])!r}, which is no ISO time."
        )
    clock = moments.dt.tz_localize(None).astype("datetime64[s]")
    return frame.assign(clock=clock).sort_values("clock", kind="stable", ignore_index=True)


def _counted(path: Path, frame: pd.DataFrame, column: str) -> pd.DataFrame:
    """Times that are numbers: seconds since 1970 (or thousandths, and so on), or mere places."""
    times = frame[column].to_numpy(float)
    if not abs(times).max() < float("inf"):
        raise click.ClickException(f"{path}: {column} has an infinity, which is no time.")
    if size := unit_of(float(times[0]), float(times[-1])):
        return frame.assign(clock=(times / size).astype(int).astype("datetime64[s]"))
    return frame.assign(clock=range(len(frame)))


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
            {
                "time": t,
                "value": float(v) if v == v else None,
                "score": round(float(s), 6) if s == s else None,
                "alarm": bool(a),
            }
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


def _show(
    path: Path, name: str, times: list[Any], values: np.ndarray[Any, Any], found: Detection
) -> None:
    from analysis.charts.detection import detection_chart

    rows = [
        (str(times[t.index]), t.direction, f"{times[t.low]} … {times[t.high]}") for t in found.turns
    ]
    alarms = [str(times[i]) for i in range(len(times)) if found.alarms[i]]
    tell(
        f"{path}: {_count(len(found.turns), 'lasting change')} of {name}",
        ("since", "to", "95 %"),
        rows,
    )
    more = f" and {len(alarms) - MOST} more" if len(alarms) > MOST else ""
    named = f": {', '.join(alarms[:MOST])}{more}" if alarms else ""
    click.echo(f"{_count(len(alarms), 'alarm')}{named}.")
    chart = detection_chart(values, [str(t) for t in times], found, f"{name} of {path.stem}")
    picture = Path(f"{path.stem}-detect.png")
    picture.write_bytes(chart.png)
    click.echo(f"Chart: {picture}")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
