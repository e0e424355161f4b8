"""What metrics are made of, as expressions over the serving log: sums, AUC's bins, NDCG."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis import quality
from analysis.evidence import CannotExamine
from analysis.portable import as_number, as_text, without_nan
from analysis.tables import Role
from analysis.warehouse import Warehouse

if TYPE_CHECKING:
    import pandas as pd


def _threshold(warehouse: Warehouse, table: Any) -> Any:
    import ibis

    threshold = ibis.literal(0.5)
    for model in warehouse.contract.models:
        threshold = (table[Role.MODEL] == model.name).ifelse(model.threshold, threshold)
    return threshold


def with_parts(warehouse: Warehouse, table: Any, names: Sequence[str]) -> Any:
    """Columns that the sums are made of; a text prediction (a class) can only be right or not."""
    weight = as_number(table[Role.WEIGHT]).fill_null(1.0)
    prediction, label = table[Role.PREDICTION], table[Role.LABEL]
    parts: dict[str, Any] = {"_w": weight, "_seen": label.notnull() & prediction.notnull()}
    if not prediction.type().is_numeric():
        wanted = set(names) - {"n", "w", "w2", "ln", "lw", "lw2", "ok"}
        if wanted:
            raise CannotExamine(
                f"The prediction is {prediction.type()}, not a number: only its volume and "
                "accuracy can be measured."
            )
        return table.mutate(**parts, _right=as_text(prediction) == as_text(label))
    p, y = without_nan(prediction.cast("float64")), without_nan(label.cast("float64"))
    regressions = [m.name for m in warehouse.contract.models if m.task == "regression"]
    multiclass = [m.name for m in warehouse.contract.models if m.task == "multiclass"]
    cut = _threshold(warehouse, table)
    yes = p >= cut
    was = y >= (table[Role.MODEL].isin(regressions).ifelse(cut, 0.5) if regressions else 0.5)
    right = yes == was
    if multiclass:
        right = table[Role.MODEL].isin(multiclass).ifelse(p == y, right)
    safe = p.clip(lower=1e-6, upper=1 - 1e-6)
    parts |= {"_seen": y.notnull() & p.notnull(), "_p": p, "_y": y}
    parts |= {"_yes": yes, "_was": was, "_right": right}
    parts["_loss"] = -(y * safe.ln() + (1 - y) * (1 - safe).ln())
    parts["_bin"] = ((safe / (1 - safe)).ln() * quality.AUC_STEP).floor()
    return table.mutate(**parts)


def _labelled(expression: Any) -> Any:
    """A sum over labelled rows, weighted."""
    return lambda t: (t["_w"] * expression(t)).sum(where=t["_seen"])


SUM_OF: dict[str, Any] = {
    "n": lambda t: t.count(),
    "w": lambda t: t["_w"].sum(),
    "w2": lambda t: (t["_w"] * t["_w"]).sum(),
    "p": lambda t: (t["_w"] * t["_p"]).sum(),
    "pp": lambda t: (t["_w"] * t["_p"] * t["_p"]).sum(),
    "pos": lambda t: t["_w"].sum(where=t["_yes"]),
    "ln": lambda t: t["_seen"].sum(),
    "lw": _labelled(lambda _: 1),
    "lw2": _labelled(lambda t: t["_w"]),
    "lp": _labelled(lambda t: t["_p"]),
    "lpp": _labelled(lambda t: t["_p"] * t["_p"]),
    "ly": _labelled(lambda t: t["_y"]),
    "lyy": _labelled(lambda t: t["_y"] * t["_y"]),
    "lpy": _labelled(lambda t: t["_p"] * t["_y"]),
    "ll": _labelled(lambda t: t["_loss"]),
    "ll2": _labelled(lambda t: t["_loss"] * t["_loss"]),
    "lly": _labelled(lambda t: t["_loss"] * t["_y"]),
    "ae": _labelled(lambda t: (t["_p"] - t["_y"]).abs()),
    "e4": _labelled(lambda t: (t["_p"] - t["_y"]) ** 4),
    "tp": lambda t: t["_w"].sum(where=t["_seen"] & t["_yes"] & t["_was"]),
    "fp": lambda t: t["_w"].sum(where=t["_seen"] & t["_yes"] & ~t["_was"]),
    "fn": lambda t: t["_w"].sum(where=t["_seen"] & ~t["_yes"] & t["_was"]),
    "ok": lambda t: t["_w"].sum(where=t["_seen"] & t["_right"]),
}
"""How each of :data:`quality.SUMS` is added up, of a table :func:`with_parts`."""


def auc_bins(warehouse: Warehouse, table: Any, by: Sequence[str]) -> pd.DataFrame:
    """Weight of yes and of no per cut and bin of log odds, bins in order."""
    seen = table.filter(table["_seen"])
    counts = seen.group_by([*by, "_bin"]).aggregate(
        yes=seen["_w"].sum(where=seen["_y"] >= 0.5), no=seen["_w"].sum(where=seen["_y"] < 0.5)
    )
    return warehouse.fetch(counts).fillna({"yes": 0.0, "no": 0.0}).sort_values("_bin")


def auc_by(bins: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """AUC and its error per cut, from :func:`auc_bins` of this or a finer cut."""
    import pandas as pd

    counts = bins.groupby([*by, "_bin"], as_index=False)[["yes", "no"]].sum()
    rows = [
        (*key, *quality.auc(part["yes"].to_numpy(float), part["no"].to_numpy(float)))
        for key, part in counts.groupby(list(by))
    ]
    return pd.DataFrame(rows, columns=[*by, "auc", "auc_error"])


def ndcg_by(warehouse: Warehouse, table: Any, by: Sequence[str]) -> pd.DataFrame:
    """NDCG (Järvelin & Kekäläinen 2002, gain 2^label − 1) averaged over groups (queries).

    Rows with the same score share their gain, which is the mean over all orders that they could
    be in (McSherry & Najork 2008, "Computing information retrieval performance measures
    efficiently in the presence of tied scores").
    """
    import ibis

    seen = table.filter(table["_seen"], table[Role.GROUP].notnull())
    keys = [*by, Role.GROUP]
    by_score = ibis.window(group_by=keys, order_by=ibis.desc(seen["_p"]))
    by_label = ibis.window(group_by=keys, order_by=ibis.desc(seen["_y"]))
    gain = 2.0 ** seen["_y"] - 1
    shared = gain.mean().over(ibis.window(group_by=[*keys, "_p"]))
    ranked = seen.mutate(
        _got=shared / (ibis.row_number().over(by_score) + 2).log2(),
        _best=gain / (ibis.row_number().over(by_label) + 2).log2(),
    )
    groups = ranked.group_by(keys).aggregate(got=ranked["_got"].sum(), best=ranked["_best"].sum())
    groups = groups.filter(groups["best"] > 0).mutate(x=lambda t: t["got"] / t["best"])
    frame = warehouse.fetch(
        groups.group_by(list(by)).aggregate(
            ndcg=groups["x"].mean(), spread=groups["x"].std(how="pop"), groups=groups.count()
        )
    )
    # NaN for a single group, which tells nothing of how groups differ.
    frame["ndcg_error"] = frame["spread"] / np.sqrt(frame["groups"] - 1)
    return frame.drop(columns=["spread", "groups"])
