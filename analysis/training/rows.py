"""What snapshots were trained on: partitions, volume, labels, features, by snapshot.

The suspect's training rows are held against those of earlier snapshots of the same model.
Partitions that carry a date are compared by their age when the snapshot was trained, so that a
window that slides looks the same each time.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis import odds
from analysis.evidence import CannotExamine
from analysis.portable import HASHED, LOT, LOTS, as_number, as_text, lots
from analysis.profile import Bins, bins_of, distance, kinds, plain
from analysis.warehouse import Warehouse

if TYPE_CHECKING:
    import pandas as pd

Floats = np.ndarray[Any, np.dtype[np.float64]]
Key = tuple[int | None, str]

ROWS_EACH = 4_000
MOST_SNAPSHOTS = 6
_DATE = re.compile(r"(\d{4})[-_/]?(\d{2})[-_/]?(\d{2})")


@dataclass(frozen=True)
class Sign:
    """One thing about the training data: what, how sure, in words."""

    name: str
    log_odds: float
    words: str


@dataclass(frozen=True)
class Trainings:
    """Training rows of the suspect and of earlier snapshots, latest first.

    ``parts`` has a row per snapshot and partition (rows, label mean); ``frame`` a bounded
    sample; ``ended`` the day on which each snapshot's training data end.
    """

    suspect: str
    earlier: tuple[str, ...]
    parts: pd.DataFrame
    frame: pd.DataFrame
    bins: Mapping[str, Bins]
    ended: Mapping[str, date]
    has_label: bool


def read(warehouse: Warehouse, model: str | None, suspect: str) -> Trainings:
    """The training rows of ``suspect`` and of up to five earlier snapshots of its model.

    Raises CannotExamine when the suspect, or anything to compare it with, has no rows.
    """
    order = _order(warehouse, model, suspect)
    table = warehouse.table("training")
    table = table.filter(as_text(table["snapshot"]).isin(order))
    if warehouse.contract.training is not None and warehouse.contract.training.model and model:
        table = table.filter(as_text(table["model"]) == model)
    table = table.mutate(_part=_partition(warehouse, table), _label=_label(warehouse, table))
    keys = table.group_by(snapshot=as_text(table["snapshot"]), part=table["_part"])
    parts = warehouse.fetch(keys.aggregate(n=table.count(), label=table["_label"].mean()))
    known = set(parts["snapshot"])
    earlier = tuple(s for s in order if s != suspect and s in known)
    if suspect not in known or not earlier:
        raise CannotExamine(
            f"The training table has {'no rows of ' + suspect if suspect not in known else 'rows'}"
            f"{'' if suspect not in known else ' of ' + suspect + ' alone'}; it needs the suspect "
            "and at least one earlier snapshot of the same model."
        )
    columns = dict.fromkeys((*warehouse.features, *warehouse.dimensions))
    kind = kinds(table, [c for c in columns if c in table.columns])
    kind = {n: k for n, k in kind.items() if k != "age"}
    frame = _sample(table, kind, parts)
    bins = bins_of(frame[frame["snapshot"] != suspect], kind)
    has_label = bool(parts["label"].notna().any())
    return Trainings(
        suspect, earlier, parts, frame, bins, _ended(parts, (suspect, *earlier)), has_label
    )


def _order(warehouse: Warehouse, model: str | None, suspect: str) -> list[str]:
    """The suspect, then earlier snapshots of its model, latest first."""
    import pandas as pd

    if warehouse.has("snapshots"):
        table = warehouse.table("snapshots").select("model", "snapshot", "published")
        frame = warehouse.fetch(table).sort_values("published", kind="stable")
        mine = frame[frame["snapshot"].astype(str) == suspect]
        if len(mine):
            model = model or str(mine["model"].iloc[0])
            same = frame[frame["model"].astype(str) == model]
            before = same[same["published"] < mine["published"].iloc[-1]]
            names = before["snapshot"].astype(str).tolist()[::-1]
            return [suspect, *names[: MOST_SNAPSHOTS - 1]]
    table = warehouse.table("training")
    first = table.group_by("snapshot").aggregate(at=table["time"].max()).to_pandas()
    first["at"] = pd.to_datetime(first["at"], errors="coerce")
    names = first.sort_values("at")["snapshot"].astype(str).tolist()
    place = names.index(suspect) if suspect in names else len(names)
    return [suspect, *names[:place][::-1][: MOST_SNAPSHOTS - 1]]


def _partition(warehouse: Warehouse, table: Any) -> Any:
    source = warehouse.contract.training
    if source is not None and source.partition is not None:
        return as_text(table["partition"])
    if source is not None and source.time is not None:
        return table["time"].strftime("%Y-%m-%d")
    return as_text(table["snapshot"]).substr(0, 0)


def _label(warehouse: Warehouse, table: Any) -> Any:
    import ibis

    source = warehouse.contract.training
    if source is None or source.label is None:
        return ibis.null("float64")
    return as_number(table["label"])


def _sample(table: Any, kind: Mapping[str, Any], parts: pd.DataFrame) -> pd.DataFrame:
    """About ROWS_EACH rows per snapshot, the same ones each time."""
    sizes = parts.groupby("snapshot")["n"].sum()
    cases = [(str(s), max(1, round(LOTS * min(1.0, ROWS_EACH / n)))) for s, n in sizes.items()]
    name = as_text(table["snapshot"])
    some = lots(table.mutate(snapshot=name), ["_part", *list(kind)[:HASHED]])
    some = some.filter(some[LOT] < some["snapshot"].cases(*cases, else_=0))
    ready = plain(some, kind, ("snapshot", "_part", "_label"))
    frame: pd.DataFrame = ready.limit(3 * ROWS_EACH * len(sizes)).to_pandas()
    return frame.sort_values(list(frame.columns), kind="stable", ignore_index=True)


def day_of(part: str) -> tuple[date | None, str]:
    """The date in a partition's name, and the rest of the name."""
    found = _DATE.search(part or "")
    if found is None:
        return None, part
    try:
        day = datetime(*(int(g) for g in found.groups()), tzinfo=UTC).date()  # type: ignore[arg-type,misc]
    except ValueError:
        return None, part
    return day, part[: found.start()] + part[found.end() :]


def _ended(parts: pd.DataFrame, snapshots: tuple[str, ...]) -> dict[str, date]:
    """The last day of each snapshot's partitions; of the suspect, by the others' rhythm."""
    out: dict[str, date] = {}
    for name in snapshots:
        days = [day_of(p)[0] for p in parts.loc[parts["snapshot"] == name, "part"]]
        known = [d for d in days if d is not None]
        if known:
            out[name] = max(known)
    return out


def expected(t: Trainings, ended: Mapping[str, date]) -> dict[str, float]:
    """Partitions that the suspect should have, by the earlier snapshots', with usual rows.

    Where partitions without a date in their names come and go, none is missed: their window moves.
    """
    ages: dict[Key, list[float]] = {}
    for name in t.earlier:
        mine = t.parts[t.parts["snapshot"] == name]
        for part, n in zip(mine["part"], mine["n"], strict=True):
            ages.setdefault(_key(str(part), ended.get(name)), []).append(float(n))
    end, every = ended.get(t.suspect), max(1, len(t.earlier))
    stay = all(len(sizes) >= every for (age, _), sizes in ages.items() if age is None)
    out: dict[str, float] = {}
    for (age, rest), sizes in ages.items():
        if len(sizes) < every:
            continue
        if age is None:
            out |= {rest: float(np.median(sizes))} if stay else {}
        elif end is not None:
            day = date.fromordinal(end.toordinal() - age)
            out[_name(t, day, rest)] = float(np.median(sizes))
    return out


def _key(part: str, ended: date | None) -> Key:
    day, rest = day_of(part)
    if day is None or ended is None:
        return None, part
    return ended.toordinal() - day.toordinal(), rest


def _name(t: Trainings, day: date, rest: str) -> str:
    """A partition's name for a day, in the style of the table's own names."""
    sample = str(t.parts["part"].iloc[0])
    found = _DATE.search(sample)
    between = found.group(0)[4:5] if found and not found.group(0)[4:5].isdigit() else ""
    text = f"{day:%Y}{between}{day:%m}{between}{day:%d}"
    at = found.start() if found else 0
    return rest[:at] + text + rest[at:]


def against(now: float, history: Floats, floor: float) -> odds.Shift:
    """``now`` against earlier snapshots, of which there are few.

    The spread is that of the history and of ``floor``, what a figure of this kind may move
    without a reason; its degrees of freedom follow Welch and Satterthwaite, the floor counting
    as known from twenty snapshots. A single earlier snapshot says nothing about the spread: the
    floor is doubled.
    """
    past = history[np.isfinite(history)]
    if not len(past) or not np.isfinite(now):
        return odds.NOT_SEEN
    known = floor * (2.0 if len(past) < 2 else 1.0)
    own = float(np.var(past, ddof=1)) if len(past) > 1 else 0.0
    usual = float(np.median(past))
    spread = float(np.sqrt((own + known**2) * (1 + 1 / len(past))))
    freedom = (own + known**2) ** 2 / (own**2 / max(len(past) - 1, 1) + known**4 / 20)
    return odds.Shift(now, usual, spread, (now - usual) / spread, max(1, int(freedom)))


def feature_distance(t: Trainings, name: str) -> tuple[float, Floats]:
    """Jensen–Shannon distance of the suspect's rows, and of each earlier one's, to the rest."""
    b = t.bins[name]
    counts = {
        s: np.bincount(
            b.cells(t.frame.loc[t.frame["snapshot"] == s, name]), minlength=b.size
        ).astype(float)
        for s in (t.suspect, *t.earlier)
    }
    total = sum((counts[s] for s in t.earlier), np.zeros(b.size))
    now = float(distance(counts[t.suspect], total))
    past = [float(distance(counts[s], total - counts[s])) for s in t.earlier]
    return now, np.array(past if len(t.earlier) > 1 else [0.03])
