"""What the commands over plain files share: reading a table, a moment, one JSON line per input."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from analysis.epochs import NAMES, unit_of

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

FILES = click.argument(
    "files",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
)
AS_JSON = click.option("--json", "as_json", is_flag=True, help="One JSON object per line and file.")


def read(path: Path, columns: Sequence[str] = ()) -> pd.DataFrame:
    """A CSV or Parquet file as a frame; only ``columns`` where they are named.

    Raises:
        click.ClickException: it can't be read, or a column is missing; says which there are.
    """
    import pandas as pd

    try:
        frame = pd.read_parquet(path) if path.suffix.lower() == ".parquet" else pd.read_csv(path)
    except (ValueError, OSError) as error:
        reason = " ".join(str(error).split())
        raise click.ClickException(f"{path} can't be read: {reason}") from error
    if frame.empty:
        raise click.ClickException(f"{path} has no rows.")
    if missing := [column for column in columns if column not in frame.columns]:
        raise click.ClickException(
            f"{path} has no column {', '.join(map(repr, missing))}; "
            f"there are {', '.join(map(str, frame.columns))}."
        )
    return frame[list(columns)] if columns else frame


def moment(text: str, option: str) -> int | datetime:
    """An integer (whatever the table counts), or an ISO time, in UTC unless it says otherwise."""
    try:
        return int(float(text))
    except (ValueError, OverflowError):
        pass
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(
            f"{text!r} is neither an integer nor an ISO time; an example: 2026-01-31T14:00",
            param_hint=option,
        ) from None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def day_of(times: pd.Series[Any]) -> Any:
    """A day in the measure of ``times``; None when they are numbers that do not count since
    1970."""
    import pandas as pd

    if not pd.api.types.is_numeric_dtype(times):
        return pd.Timedelta(days=1)
    unit = unit_of(float(times.median()))
    return None if unit is None else 86_400 * unit


def placed(
    path: Path, frame: pd.DataFrame, column: str, since: str
) -> tuple[pd.Series[Any], int | datetime]:
    """A column of times and the moment ``--since`` in the same measure: numbers, or UTC.

    Numbers of the size of seconds (or milliseconds) since 1970 may be met with an ISO time, and
    ISO times with seconds since 1970.

    Raises:
        click.ClickException: something is no time, or the two do not go together.
    """
    import pandas as pd

    times, start = frame[column], moment(since, "--since")
    if pd.api.types.is_numeric_dtype(times):
        found: pd.Series[Any] = times
        start = _counted(path, times, column, start, since)
    else:
        found = pd.to_datetime(times, utc=True, errors="coerce", format="mixed")
        if isinstance(start, int):
            unit = unit_of(start)
            if unit and unit > 1:
                raise click.ClickException(
                    f"{path} has ISO times in {column}; --since {since} is in {NAMES[unit]} since "
                    "1970: give an ISO time, or seconds."
                )
            start = datetime.fromtimestamp(start, UTC)
    if found.isna().any():
        bad = int(found.isna().to_numpy().argmax())
        raise click.ClickException(
            f"{path}: row {bad + 1} of {column} is {str(times.iloc[bad])!r}, not a time."
        )
    return found, start


def _counted(
    path: Path, times: pd.Series[Any], column: str, start: int | datetime, since: str
) -> int:
    """The moment as times that are numbers count it."""
    unit = unit_of(float(times.median()))
    if not isinstance(start, int):
        if unit is None:
            raise click.ClickException(f"{path} counts {column} in numbers; --since is {since!r}.")
        return int(start.timestamp() * unit)
    other = unit_of(start)
    if unit and other and unit != other:
        raise click.ClickException(
            f"{path} counts {column} in {NAMES[unit]} since 1970; --since {since} is in "
            f"{NAMES[other]}."
        )
    return start


def numbers(path: Path, frame: pd.DataFrame, column: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    """A column as floats (n,), gaps and infinities as NaN.

    Raises:
        click.ClickException: something in it is no number; says what, and in which row.
    """
    import pandas as pd

    found = pd.to_numeric(frame[column], errors="coerce")
    wrong = found.isna() & frame[column].notna()
    if wrong.any():
        row = int(wrong.to_numpy().argmax())
        raise click.ClickException(
            f"{path}: row {row + 1} of {column} is {str(frame[column].iloc[row])!r}, not a number."
        )
    return found.replace([float("inf"), float("-inf")], float("nan")).to_numpy(float)


def bounded(values: np.ndarray[Any, np.dtype[np.float64]]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Values (n,) within what can be squared and added up: 1e300 is as far off as 1e140."""
    import numpy as np

    return np.asarray(np.clip(values, -1e140, 1e140))


def tell(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table for people; its title alone when there are no rows."""
    from rich.console import Console
    from rich.table import Table

    if not rows:
        click.echo(f"{title}.")
        return
    table = Table(*columns, title=title, title_justify="left", box=None, pad_edge=False)
    for row in rows:
        table.add_row(*row)
    Console(soft_wrap=True).print(table)


def say(result: dict[str, Any]) -> None:
    """Print one JSON object on one line."""
    click.echo(json.dumps(result, allow_nan=False))
