"""What changed about a feature, in a few words, and since when.

Its values speak before its views do: :mod:`analysis.inputs.changes` names the fault that old and
new ones show, and a view's words stand in where they show none.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.inputs import changes
from analysis.inputs.looking import SURE
from analysis.inputs.suspicion import Finding
from analysis.inputs.views import Reading
from analysis.tables import Role
from analysis.warehouse import aware, naive

if TYPE_CHECKING:
    import pandas as pd

Floats = np.ndarray[Any, np.dtype[np.float64]]

TOLD = 3.0
"""Above this log Bayes factor a view of a feature's freshness puts its change into words."""
_VAGUE = ("none", "shift", "spread", "unit")
_MIXED_UP = {
    "joint": "no longer goes with the other features (rows mixed up?)",
    "peers": "differs within an hour as never before (rows mixed up?)",
    "labels": "no longer goes with the outcome (old or other rows' values?)",
}


def changed(r: Reading, f: Finding, hidden: bool) -> str:
    """In a few words what changed about a feature."""
    kind, view = f.best
    heard = {k: v.log_odds for k, v in f.views.items()}
    if heard["marginal"] > SURE and (other := _swapped(r, f.name)):
        return f"holds what {other} held (columns swapped?)"
    change = _change(r, f.name, hidden, heard.get("still", 0.0) > TOLD)
    if heard.get("past", 0.0) > TOLD and change.kind in _VAGUE:
        return f"repeats its values of {f.lag:.0f} h before"
    if kind == "still" and view.log_odds > 2 and change.kind in _VAGUE:
        return "stands still since then"
    if view.log_odds < 0.5:
        return "usual"
    # Values that hardly changed by themselves fit a conversion by chance.
    vague = (*_VAGUE, "mix") if heard["marginal"] < SURE else ("none",)
    if kind in _MIXED_UP and change.kind in vague:
        return _MIXED_UP[kind]
    return change.words or "another distribution"


def _change(r: Reading, name: str, hidden: bool, standing: bool) -> changes.Change:
    old, new = _before_after(r, name)
    if r.bins[name].kind == "level":
        return changes.levels(old, new, hidden)
    return changes.numbers(name, _numbers(old), _numbers(new), hidden, standing)


def _swapped(r: Reading, name: str) -> str:
    """The feature whose values a number holds since the onset, and that holds its own."""
    if r.bins[name].kind == "level":
        return ""
    mine = [_numbers(part) for part in _before_after(r, name)]
    for other in r.features:
        if other == name or r.bins[other].kind == "level":
            continue
        if changes.swapped(mine, [_numbers(part) for part in _before_after(r, other)]):
            return other
    return ""


def _before_after(r: Reading, name: str) -> tuple[pd.Series[Any], pd.Series[Any]]:
    frame, block = r.days.frame, r.days.block
    return frame.loc[block > 0, name], frame.loc[block == 0, name]


def _numbers(values: pd.Series[Any]) -> Floats:
    return values.to_numpy(float, na_value=np.nan)


def since(r: Reading, f: Finding) -> datetime | None:
    """When a feature's values changed: the best split of its rows around the onset.

    None where its values did not break by themselves: how they go with others tells no moment.
    """
    import pandas as pd

    enough = 0.5 if f.best[0] == "marginal" else SURE
    if f.views["marginal"].log_odds < enough:
        return None
    rows = pd.concat([r.days.frame, r.edge.frame], ignore_index=True)
    start = pd.Timestamp(naive(r.comparison.window.start))
    rows = rows[rows[Role.TIME] >= start - pd.Timedelta(hours=30)]
    b = r.bins[f.name]
    old, new = (b.cells(part) for part in _before_after(r, f.name))
    gain = np.bincount(new, minlength=b.size) / max(len(new), 1)
    gain = gain - np.bincount(old, minlength=b.size) / max(len(old), 1)
    score = gain[b.cells(rows[f.name])]
    order = np.argsort(rows[Role.TIME].to_numpy(), kind="stable")
    score, moments = score[order], rows[Role.TIME].to_numpy()[order]
    n = len(score)
    if n < 20:
        return None
    total = np.cumsum(score - score.mean())[:-1]
    size = np.arange(1, n)
    cut = int(np.argmax(np.abs(total) / np.sqrt(size * (n - size)))) + 1
    return aware(moments[cut])
