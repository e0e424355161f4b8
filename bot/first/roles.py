"""Which table is which, and what its columns mean: by their names, and by what they hold.

A role has names that are usual for it, the surest first; a column gets it that has one of them and
holds what the role needs. Names that only end or begin like one are guesses, and said to be.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from analysis.columns import TIMES
from analysis.tables import Predictions
from bot.first.columns import Column, Kind, Table

MOST_LEVELS = 50
"""A column of more different values is no dimension to cut traffic by."""
MOST_DIMENSIONS = 8

_ANY: frozenset[Kind] = frozenset({"number", "whole", "yes_no", "text"})
_TIME: frozenset[Kind] = frozenset({"time"})
_FIGURE: frozenset[Kind] = frozenset({"number", "whole", "yes_no"})
_NAME: frozenset[Kind] = frozenset({"text", "whole"})
_NEEDS = {
    "time": TIMES,
    "prediction": "numbers, yes and no, or text",
    "label": "numbers, yes and no, or text",
}
"""What a column has to hold that somebody names, and what it holds, in words."""
_HOLDS: Mapping[Kind, str] = {
    "time": "times",
    "number": "numbers",
    "whole": "whole numbers",
    "yes_no": "yes and no",
    "text": "text",
    "empty": "nothing",
    "other": "lists, bytes, or times that are not in seconds",
}


@dataclass(frozen=True)
class Role:
    """What a column may be called that has a role, and what it may hold. ``names`` are sure,
    ``like`` (patterns) are guesses, the likeliest first."""

    names: tuple[str, ...]
    kinds: frozenset[Kind]
    like: tuple[str, ...] = ()


def _role(names: str, kinds: frozenset[Kind], *like: str) -> Role:
    return Role(tuple(names.split()), kinds, like)


_WHEN = (r".*_at", r".*_time(stamp)?", r".*_ts", r"(.*_)?date(time)?(_.*)?")
_PREDICTED = (
    r"pred(iction|icted)?_.*|.*_(prediction|predicted|pred|proba?|probability|hat)",
    r".*_score",
)
LOG: Mapping[str, Role] = {
    "label_time": _role(
        "label_time label_at labelled_at labeled_at label_ts label_timestamp outcome_time",
        _TIME,
        r"(label|outcome|target|actual|truth|feedback)_(at|time|ts|date|timestamp)",
    ),
    "time": _role(
        "served_at prediction_time predicted_at scored_at request_time event_time timestamp time "
        "ts datetime created_at at date day hour",
        _TIME,
        *_WHEN,
    ),
    "prediction": _role(
        "prediction predicted pred score probability prob proba y_pred y_hat yhat y_score "
        "model_output output p",
        _ANY,
        *_PREDICTED,
    ),
    "label": _role(
        "label y_true ground_truth target actual outcome truth y",
        _ANY,
        r".*_(label|target|actual|outcome|truth)",
        r"(label|target|actual|true)_.*",
        r"clicked|click|converted|conversion|purchased|churned|is_fraud|defaulted|returned",
    ),
    "snapshot": _role(
        "snapshot snapshot_id model_version model_snapshot checkpoint version", _NAME
    ),
    "model": _role("model model_name model_id", _NAME),
    "experiment": _role("experiment experiment_id experiment_name ab_test", _NAME),
    "arm": _role("arm variant treatment experiment_arm bucket", _NAME),
    "weight": _role("weight sample_weight row_weight importance_weight", _FIGURE),
    "group": _role("query_id qid query list_id impression_group", _NAME),
}
"""The roles of a serving log, those first whose columns would do for another as well."""

OTHERS: Mapping[str, Mapping[str, Role]] = {
    "lineage": {
        "upstream": _role("upstream parent source src from_node", _NAME),
        "downstream": _role("downstream child target dst to_node", _NAME),
        "upstream_column": _role("upstream_column source_column", _NAME),
        "downstream_column": _role("downstream_column target_column", _NAME),
        "owner": _role("owner team", _NAME),
    },
    "infra": {
        "time": LOG["time"],
        "service": _role("service component host job", _NAME),
        "metric": _role("metric metric_name name", _NAME),
        "value": _role("value", _FIGURE),
    },
    "experiments": {
        "experiment": LOG["experiment"],
        "arm": LOG["arm"],
        "model": LOG["model"],
        "start": _role("start started started_at start_time", _TIME),
        "end": _role("end ended ended_at end_time", _TIME),
        "share": _role("share traffic traffic_share", _FIGURE),
    },
    "snapshots": {
        "model": LOG["model"],
        "snapshot": LOG["snapshot"],
        "published": _role(
            "published published_at deployed_at released_at served_from created_at", _TIME
        ),
        "trained": _role("trained trained_at", _TIME),
        "train_start": _role("train_start", _TIME),
        "train_end": _role("train_end", _TIME),
        "parent": _role("parent parent_snapshot", _NAME),
        "metrics": _role("metrics", frozenset({"text"})),
        "curve": _role("curve", frozenset({"text"})),
        "weights": _role("weights", frozenset({"text"})),
        "artifact": _role("artifact artifact_path", frozenset({"text"})),
    },
    "runs": {
        "node": _role("node job job_name task task_id dag_id pipeline table", _NAME),
        "data_time": _role("data_time max_event_time", _TIME),
        "time": _role("finished finished_at ended_at end_time completed_at time", _TIME),
        "status": _role("status state", _NAME),
        "rows": _role("rows row_count rows_written", _FIGURE),
        "schema": _role("schema schema_hash", _NAME),
        "version": _role("version code_version git_sha", _NAME),
    },
    "training": {
        "snapshot": LOG["snapshot"],
        "label": LOG["label"],
        "model": LOG["model"],
        "time": LOG["time"],
        "partition": _role("partition", frozenset({"text", "whole", "time"})),
        "weight": LOG["weight"],
    },
}
"""The other tables, the most particular first, with the roles that they may have."""

NEEDED: Mapping[str, tuple[str, ...]] = {
    "lineage": ("upstream", "downstream"),
    "infra": ("time", "service", "metric", "value"),
    "experiments": ("experiment", "arm"),
    "snapshots": ("model", "snapshot", "published"),
    "runs": ("node", "time", "status|rows|data_time"),
    "training": ("snapshot", "label"),
}
"""Without these roles a table is not that one ("a|b": one of them)."""

_PERSONAL = re.compile(
    r"(.*_)?(e_?mail|phone|ssn|ip|ip_address|address|first_name|last_name|full_name|user_name"
    r"|user_id|customer_id|account_id|member_id|passenger_id|patient_id|birth_?da(y|te))(_.*)?"
)
_ID = re.compile(r"(.*_)?(id|uuid|guid|key|hash)")


@dataclass(frozen=True)
class Roles:
    """The columns of a table by their roles; ``guessed`` are those that may be wrong, with why.

    Of a serving log ``features`` are its inputs ("*": all that is left), ``hidden`` what looks
    personal, and ``left_out`` what is neither.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    guessed: Mapping[str, str] = field(default_factory=dict)
    dimensions: tuple[str, ...] = ()
    features: tuple[str, ...] | None = None
    hidden: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()


def which(table: Table) -> tuple[str, Roles]:
    """What a table is, by the roles that it has: "predictions", one of :data:`OTHERS`, "metric" for
    a series of its own, or "" where nothing fits."""
    log = roles_of(table.columns, LOG)
    predicts = {"time", "prediction"} <= log.columns.keys()
    if predicts and "prediction" not in log.guessed:
        return "predictions", log
    for name, known in OTHERS.items():
        found = roles_of(table.columns, known)
        if _fits(name, found, table) and not (predicts and name == "training"):
            return name, found
    if predicts:
        return "predictions", log
    series = roles_of(table.columns, {"time": LOG["time"], "value": _role("value", _FIGURE)})
    return ("metric", series) if len(series.columns) == 2 else ("", Roles())


def _fits(name: str, found: Roles, table: Table) -> bool:
    """Whether a table has all that one of that name needs. A registry has a row a snapshot."""
    there = found.columns
    if not all(any(one in there for one in need.split("|")) for need in NEEDED[name]):
        return False
    if name != "snapshots":
        return True
    return any(c.name == there["snapshot"] and 2 * c.distinct > c.rows for c in table.columns)


def roles_of(
    columns: Sequence[Column], known: Mapping[str, Role], given: Mapping[str, str] | None = None
) -> Roles:
    """Each role with the column that has it; ``given`` are those that somebody said."""
    found = dict(given or {})
    guessed: dict[str, str] = {}
    for name, role in known.items():
        if name in found:
            continue
        free = [c for c in columns if c.kind in role.kinds and c.name not in found.values()]
        sure = [c for wanted in role.names for c in free if c.plain == wanted]
        # Of what is only called alike, a share is the likelier prediction.
        near = sorted(free, key=lambda c: not c.share) if name == "prediction" else free
        like = [c for pattern in role.like for c in near if re.fullmatch(pattern, c.plain)]
        if not sure and not like and name == "time" and len(free) == 1:
            like = free  # the only column of times that is left
        if chosen := (sure or like)[:1]:
            found[name] = chosen[0].name
            others = [c.name for c in like if c not in chosen][:3]
            if not sure:
                guessed[name] = f", or {', '.join(others)}?" if others else ""
    return Roles(found, guessed)


def of_log(table: Table, given: Mapping[str, str]) -> Roles:
    """A serving log's roles, dimensions, features, and what is better hidden."""
    found = roles_of(table.columns, LOG, given)
    by_role = {r: found.columns[r] for r in Predictions.model_fields if r in found.columns}
    left = [c for c in table.columns if c.name not in found.columns.values()]
    hidden = tuple(c.name for c in left if _PERSONAL.fullmatch(c.plain))
    inputs = [c for c in left if c.name not in hidden and _is_input(c)]
    out = tuple(c.name for c in left if c.name not in hidden and c not in inputs)
    dimensions = tuple(c.name for c in inputs if _cuts(c))[:MOST_DIMENSIONS]
    features = tuple(c.name for c in inputs) if hidden or out else None
    return Roles(by_role, found.guessed, dimensions, features, hidden, out)


def _is_input(column: Column) -> bool:
    """Whether it may be a feature: an identifier is none, nor is a column that is told nothing."""
    if column.kind not in _ANY:
        return False
    unique = column.distinct > max(MOST_LEVELS, column.rows // 2)
    named = bool(_ID.fullmatch(column.plain))
    return not (column.kind == "text" and unique) and not (named and column.distinct > MOST_LEVELS)


def _cuts(column: Column) -> bool:
    """Whether traffic can be cut by it: some levels, none of which is an amount."""
    levels = 2 <= column.distinct <= MOST_LEVELS
    return levels and (column.kind == "text" or bool(_ID.fullmatch(column.plain)))


def missing(table: Table, roles: Roles) -> list[str]:
    """What a serving log can't do without, a sentence each."""
    there = ", ".join(c.name for c in table.columns[:12])
    there += ", …" if len(table.columns) > 12 else ""
    wanted = {
        "time": f"says when each prediction was served ({TIMES})",
        "prediction": "is called like a prediction",
    }
    return [
        f"{table.source} has no column that {what}: name it with --{role}. There are {there}."
        + "".join(
            f" {c.name} is called like one, but holds something else."
            for c in table.columns
            if c.plain in LOG[role].names or any(re.fullmatch(p, c.plain) for p in LOG[role].like)
        )
        for role, what in wanted.items()
        if role not in roles.columns
    ]


def misfits(table: Table, roles: Roles, given: Mapping[str, str]) -> list[str]:
    """Which columns that somebody named can't be what they are said to be, a sentence each."""
    kinds = {c.name: c.kind for c in table.columns}
    fit = {role: (LOG[role].kinds, _NEEDS[role]) for role in given}
    if "label" in fit and kinds.get(roles.columns.get("prediction", "")) in _FIGURE:
        fit["label"] = (_FIGURE, "numbers, or yes and no, as its predictions are no text")
    return [
        f"--{role}: {column} of {table.source} holds {_HOLDS[kinds[column]]};"
        f" needed are {fit[role][1]}."
        for role, column in given.items()
        if kinds[column] not in fit[role][0]
    ]
