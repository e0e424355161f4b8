"""``hawkeye init``: look at tables, write a first settings file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bot.first.columns import Table
    from bot.first.roles import Roles
    from bot.first.sources import Found


@click.command()
@click.argument("sources", nargs=-1, required=True, metavar="FILE|URL...")
@click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("hawkeye.toml"),
    show_default=True,
    help="The settings file to write.",
)
@click.option("--force", is_flag=True, help="Write over a settings file that is there.")
@click.option("--time", "time_column", help="Column of the prediction's time.")
@click.option("--prediction", help="Column of the served prediction.")
@click.option("--label", help="Column of what really happened.")
def init(
    sources: tuple[str, ...],
    config: Path,
    force: bool,
    time_column: str | None,
    prediction: str | None,
    label: str | None,
) -> None:
    """Write a first hawkeye.toml for tables: files (Parquet, CSV, JSON), folders of such, or the
    address of an engine, after which tables of it may be named.

    What each column means is guessed by its name and by what it holds, and said in comments.
    """
    from analysis.evidence import CannotExamine

    if config.exists() and not force:
        raise click.ClickException(f"{config} is there already; --force writes over it.")
    asked = {"time": time_column, "prediction": prediction, "label": label}
    given = {role: column for role, column in asked.items() if column}
    try:
        written = _written(sources, config.absolute().parent, given)
    except CannotExamine as error:
        raise click.ClickException(str(error)) from error
    config.parent.mkdir(parents=True, exist_ok=True)
    config.write_text(written.text, encoding="utf-8")
    more = "" if config == Path("hawkeye.toml") else f" --config {config}"
    click.echo(f"{config} is written: {written.holds}")
    for note in written.notes:
        click.echo(note)
    click.echo("Look over what it calls a guess. Then:")
    click.echo(f"  hawkeye check{more}")
    click.echo(f"  hawkeye triage {written.metric} --auto{more}")


@dataclass(frozen=True)
class Written:
    """The file's text; what it holds in a sentence, a metric as it is typed, and what somebody who
    reads no comments has to know."""

    text: str
    holds: str
    metric: str
    notes: tuple[str, ...]


def _written(sources: tuple[str, ...], root: Path, given: dict[str, str]) -> Written:
    from analysis.engine import engine_errors
    from bot.first.address import left_out
    from bot.first.models import metrics_of, models_of
    from bot.first.sources import gathered, tables, url_of
    from bot.first.text import settings_text

    urls = [url for url in (url_of(s, root) for s in sources) if url]
    if len(urls) > 1:
        raise click.ClickException("One engine reads all tables: give one address.")
    url = urls[0] if urls else ""
    names = [s for s in sources if not url_of(s, root)]
    found = tables(url, names if url else gathered(names, root), root)
    log, roles, rows, others, left = _sorted_out(found.tables, given)
    with engine_errors(url or "duckdb://"):
        models = models_of(rows, log, roles)
    metrics = list(metrics_of(models))
    text = settings_text(url, (log.source, roles), others, models, metrics, left)
    columns = ", ".join(f"{role}: {column}" for role, column in roles.columns.items())
    beside = [source if name == "metric" else name for name, source, _ in others]
    told = f"predictions from {log.source} ({columns})"
    told += f"; also {', '.join(beside)}" if beside else ""
    told += f"; left out {', '.join(left)}" if left else ""
    first = metrics[min(2, len(metrics) - 1)].name
    notes = tuple(note for note in (left_out(url), *_not_looked_at(found)) if note)
    return Written(text, f"{told}.", f"'{first}'" if " " in first else first, notes)


def _not_looked_at(found: Found) -> Iterator[str]:
    if found.unread:
        yield f"Can't be read, and left out: {', '.join(found.unread)}."
    if found.more:
        looked = len(found.tables) + len(found.unread)
        yield (
            f"Only the first tables are looked at: {looked} by name, of {looked + found.more}. "
            "Name those that matter after the address."
        )


def _sorted_out(
    looked: list[tuple[Table, Any]], given: dict[str, str]
) -> tuple[Table, Roles, Any, list[tuple[str, str, Roles]], list[str]]:
    """The serving log with its roles and rows, the other tables with theirs, and the rest."""
    from bot.first.roles import misfits, missing, of_log, which

    kinds = [(table, rows, *which(table)) for table, rows in looked]
    logs = [(table, rows) for table, rows, name, _ in kinds if name == "predictions"]
    # Where nothing is called like a prediction, the widest table is the likeliest log.
    rest = [(table, rows) for table, rows, name, _ in kinds if name == ""]
    log, rows = max(logs or rest or looked, key=lambda found: len(found[0].columns))
    names = {c.name for c in log.columns}
    for role, column in given.items():
        if column not in names:
            raise click.ClickException(f"--{role}: {log.source} has no column {column}.")
    roles = of_log(log, given)
    if unfit := misfits(log, roles, given):
        raise click.ClickException("\n".join(unfit))
    if lacking := missing(log, roles):
        raise click.ClickException("\n".join(lacking))
    others: dict[str, tuple[str, str, Roles]] = {}
    left = []
    for table, _, name, theirs in kinds:
        if table is log:
            continue
        if name in ("", "predictions") or (name != "metric" and name in others):
            left.append(table.source)
        else:
            key = f"metric {table.source}" if name == "metric" else name
            others[key] = (name, table.source, theirs)
    return log, roles, rows, list(others.values()), left
