"""Which features moved the predictions, or is it the model itself?

Drift is not responsibility: a feature is blamed when some view says that it broke at the onset
*and* the served model leans on it. Weighing: :mod:`analysis.inputs.weighing`. The part of the
shift that the surrogate cannot explain on familiar inputs is the model's.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from analysis import outcomes, words
from analysis.cells import load_cells, metric_of
from analysis.charts import features as charts
from analysis.evidence import CannotExamine, Evidence, How, Scope, Suspect, Table
from analysis.graph import lineage
from analysis.inputs import agreement, deployed, feeds, wording
from analysis.inputs.deployed import Deployed
from analysis.inputs.looking import SURE, examine
from analysis.inputs.suspicion import Finding
from analysis.inputs.views import Reading, read
from analysis.inputs.weighing import Verdict, weigh
from analysis.metrics import Blocks
from analysis.replay import CannotReplay
from analysis.warehouse import Warehouse

Floats = np.ndarray[Any, np.dtype[np.float64]]

METHOD = (
    "Each feature against the same hours of earlier days and across the onset: Jensen–Shannon "
    "distance with null and unseen cells, agreement with other features and with rows of the "
    "same hour, standing still, repeating its past, slope of label minus prediction; features that "
    "one node feeds also together. Values that outcomes follow are true; most features at once are "
    "other rows. Weighed by what a gradient-boosted surrogate of the served "
    "prediction makes of it; a suspect arm's answers also against those of the other arms. With a "
    "scorer, what the deployed artifacts answer to the same rows is the inputs' part, and what "
    "they make of its values a feature's effect."
)
LEAST_PART = 0.05
"""A feature that explains less than this of what moved the predictions is not handed on, unless
its values certainly broke: another node may have broken them."""
SAME = 0.7
"""From this probability on inputs and answers are said to be as they were."""
_VIEW_WORDS = {
    "marginal": "its values",
    "joint": "its agreement with other features",
    "peers": "its agreement with rows of the same hour",
    "still": "its freshness",
    "past": "its freshness",
    "labels": "the labels",
}


def which_features(warehouse: Warehouse, scope: Scope) -> Evidence:
    """Ranks features by their part in the prediction shift; verdicts inputs, model, none, snapshot.

    Reads the predictions of the suspect models and arms. Where a snapshot went live just then and
    is in doubt, other answers to familiar inputs are its doing: "snapshot". Raises CannotExamine
    without features or with too few rows; lists what it could not look at.
    """
    begun = time.perf_counter()
    reading = read(warehouse, scope)
    dims = tuple(d for d in warehouse.dimensions if d not in reading.bins)
    output = reading.output(reading.days)
    served, unscored = _deployed(warehouse, scope, reading)
    if served:
        reading = reading.with_measured(served.effects)
    fed = _fed(warehouse, reading)
    decided = weigh(reading, examine(reading, dims, fed), output, fed, served)
    if decided.unmoved > decided.shares["inputs"]:
        decided = decided.parted_in(_parted(warehouse, scope))
    return _say(warehouse, scope, reading, decided, output, (served, unscored), begun)


def _parted(warehouse: Warehouse, scope: Scope) -> str:
    """The segment whose labels left all others', in a few words; "" where none did."""
    if not warehouse.has_labels or warehouse.predicts_classes:
        return ""
    # A table that a metric has of its own holds no labels: the log does, by its own dimensions.
    update = {"kind": "mean_prediction", "source": None, "dimensions": ()}
    try:
        metric = metric_of(warehouse, scope).model_copy(update=update)
        cells, dims, _ = load_cells(warehouse, metric, Blocks.of(scope))
    except CannotExamine:
        return ""
    return outcomes.parted(cells, dims)


def _deployed(warehouse: Warehouse, scope: Scope, r: Reading) -> tuple[Deployed | None, str]:
    """What the deployed artifacts answer, or why that can't be told though there is a scorer."""
    try:
        return deployed.read(warehouse, scope, r), ""
    except CannotReplay as error:
        return None, f"the deployed artifacts on these rows: {error}"


def _fed(warehouse: Warehouse, r: Reading) -> dict[str, tuple[str, ...]]:
    """Which features each node of the lineage feeds; nothing without a lineage."""
    if not warehouse.has("lineage"):
        return {}
    return feeds.feeds(lineage.read(warehouse), r.features)


# -- saying -----------------------------------------------------------------------------------


def _say(
    warehouse: Warehouse,
    scope: Scope,
    r: Reading,
    d: Verdict,
    output: Floats,
    replayed: tuple[Deployed | None, str],
    begun: float,
) -> Evidence:
    served, unscored = replayed
    suspects = tuple(
        _suspect(r, f, part, f.name in warehouse.hidden)
        for i, (f, part) in enumerate(d.ranked[:8])
        if i == 0 or part > 0.005 or f.log_odds > 2
    )
    # What plainly broke is handed on even where another feature's effect is far larger: it tells
    # the lineage apart, and may have a cause of its own.
    broken = {f.name for f, part in d.ranked if f.log_odds > SURE and part > LEAST_PART}
    broken |= d.broken
    large = max(0.08, 0.2 * suspects[0].score) if suspects else 1.0
    blamed = [s for s in suspects if s.score >= large or s.name in broken]
    blamed = (blamed or list(suspects[:1]))[:6] if d.verdict == "inputs" else []
    suspects = (*blamed, *(s for s in suspects if s not in blamed))
    quality = r.quality(output)
    notes = _notes(r, quality, served)
    shown = [s.name for s in (blamed or suspects)][:2]
    chart = charts.responsible(r, shown, scope, suspects, warehouse.hidden, d.verdict)
    fresh = tuple(s for s in scope.suspects if s.kind == "snapshot" and d.verdict == "model")
    by = f"by {d.model_size:.2f} on the model's scale"
    if r.of_class:
        by = f"most of all the class {r.of_class}"
    headline = _headline(d, blamed, suspects, by, served is not None)
    if fresh:
        headline = (
            f"Not the inputs: since {fresh[0].name} went live, familiar inputs get other "
            f"predictions ({by})."
        )
    return Evidence(
        verdict="snapshot" if fresh else d.verdict,
        confidence=d.confidence,
        headline=headline,
        suspects=(*fresh, *suspects),
        proposed=len(fresh) or len(blamed),
        charts=(chart,),
        table=_table(suspects),
        not_examined=(*_not_examined(warehouse, r), *filter(None, (unscored,))),
        disagreements=_disagreements(d),
        figures=_figures(d, quality),
        how=How(
            METHOD,
            r.comparison.window,
            r.comparison.baseline,
            int(r.counts.rows[list(r.counts.buckets).index(0)]),
            int(r.counts.rows.sum() - r.counts.rows[list(r.counts.buckets).index(0)]),
            time.perf_counter() - begun,
            notes,
        ),
        shares={"snapshot" if fresh and v == "model" else v: p for v, p in d.shares.items()},
    )


def _figures(d: Verdict, quality: float) -> dict[str, float]:
    return {
        "explained_by_inputs": d.explained,
        "surrogate_r2": quality,
        "model_shift": d.model_size,
        **{f"p_{verdict}": share for verdict, share in d.shares.items()},
    }


def _suspect(r: Reading, f: Finding, part: float, hidden: bool) -> Suspect:
    return Suspect(
        "feature",
        f.name,
        float(min(max(part, 0.0), 1.0)),
        changed=wording.changed(r, f, hidden),
        since=wording.since(r, f),
    )


def _headline(
    d: Verdict, blamed: list[Suspect], suspects: tuple[Suspect, ...], by: str, replayed: bool
) -> str:
    if d.verdict == "none":
        return _unmoved(d, suspects)
    if d.shares[d.verdict] < d.unmoved:
        return _doubted(d, blamed)
    if d.verdict == "inputs":
        return _inputs(blamed)
    if replayed:
        return (
            "Not the inputs: since the onset the log's answers are not those of what is deployed "
            f"({by})."
        )
    return f"Not the inputs: familiar inputs get other predictions since the onset ({by})."


def _doubted(d: Verdict, blamed: list[Suspect]) -> str:
    """Inputs that are worth a look, though likelier nothing happened to them."""
    inputs, rather = f"{blamed[0].name} ({d.shares['inputs']:.0%})", f"{d.unmoved:.0%}"
    labels, there = "", ""
    if d.parted:
        labels, there = f"left those of all other traffic in {d.parted}", " there"
    elif d.outcomes.seen:
        labels = f"lie {_way(d)} beside the predictions than on other days"
    elif d.lost:
        labels = f"go with predictions less than on other days (by {d.lost:.0%})"
    told = f"Nothing has plainly changed ({rather}); the likeliest is {inputs}."
    if labels:
        told = f"Labels {labels}: the world or the labels{there} ({rather}) rather than {inputs}."
    return f"{told} What stands above it can tell."


def _inputs(blamed: list[Suspect]) -> str:
    main = [s for s in blamed if s.score > LEAST_PART] or blamed[:1]
    others = [s.name for s in blamed if s not in main]
    share = sum(s.score for s in main)
    verb = "explains" if len(main) == 1 else "explain"
    whose = f"{main[0].name}: " if len(main) > 1 else ""
    how = "" if main[0].changed == "usual" else f" ({whose}{main[0].changed})"
    also = f"; {words.listed(others)} broke as well" if others else ""
    return (
        f"The inputs: {words.listed([s.name for s in main])} {verb} {share:.0%} of what moved "
        f"the predictions{how}{also}."
    )


def _unmoved(d: Verdict, suspects: tuple[Suspect, ...]) -> str:
    """Neither inputs nor answers: what happens may be another."""
    if d.at_once:
        return (
            f"{d.at_once} of {len(d.ranked)} features changed at once: other rows are asked than "
            "before, rather than that features broke. What the traffic is made of can tell."
        )
    if d.parted:
        return (
            "Neither the inputs nor the model's answers changed, but labels left those of all "
            f"other traffic in {d.parted}. The world changed there, or how its labels are made."
        )
    if d.outcomes.seen and d.unmoved > SAME:
        return (
            "Neither the inputs nor the model's answers changed, but what happens did: labels lie "
            f"{_way(d)} beside the predictions than on other days. The world changed, or how "
            "labels are made."
        )
    if d.lost and d.unmoved > SAME:
        return (
            "Neither the inputs nor the model's answers changed, but labels go with predictions "
            f"less than on other days (by {d.lost:.0%}). The world changed, or labels are wrong."
        )
    top = f"; the closest is {suspects[0].name}" if suspects else ""
    return f"Neither the inputs nor the model's answers changed beyond their usual range{top}."


def _way(d: Verdict) -> str:
    return "higher" if d.outcomes.change > 0 else "lower"


def _table(suspects: tuple[Suspect, ...]) -> Table:
    rows = tuple(
        (
            s.name,
            f"{s.score:.0%}",
            s.changed or "usual",
            words.clock(s.since) if s.since else "–",
        )
        for s in suspects[:6]
    )
    return Table(("feature", "explains", "what changed", "since"), rows)


def _notes(r: Reading, quality: float, served: Deployed | None) -> tuple[str, ...]:
    scale = "logit" if r.probability else "prediction"
    notes = [f"The surrogate explains {quality:.0%} of the {scale}'s variance (R²) on unseen rows."]
    if served:
        notes.append(
            f"The deployed artifacts give back {served.r2:.1%} of it before the onset, and differ "
            f"by {served.shift[1]:.2f} more since."
        )
    if r.of_class:
        notes.append(f"The prediction is read as the class {r.of_class} against all others.")
    if not r.comparison.same_hours:
        notes.append("Less than three earlier days: compared with the stretches right before.")
    return tuple(notes)


def _not_examined(warehouse: Warehouse, r: Reading) -> tuple[str, ...]:
    out = [f"{name}: its type can't be counted" for name in r.skipped]
    out += [f"{name}: it has no value in these rows" for name in r.empty]
    if not warehouse.has_labels:
        out.append("whether contributions still go with labels: the log has none")
    if len(r.features) > agreement.MOST_JOINT:
        out.append(f"agreement of the {len(r.features) - agreement.MOST_JOINT} least used features")
    return tuple(out)


def _disagreements(d: Verdict) -> tuple[str, ...]:
    """Features on which two views say different things, in a sentence each."""
    out = []
    top = max((f.usage for f, _ in d.ranked), default=0.0)
    for f, part in d.ranked:
        loud = max(f.views.items(), key=lambda kv: kv[1].log_odds)
        if loud[1].log_odds > 3 and part < 0.1:
            out.append(
                f"{f.name} changed ({_VIEW_WORDS[loud[0]]}), but the model hardly uses it."
                if f.usage < 0.1 * top
                else f"{f.name} changed ({_VIEW_WORDS[loud[0]]}), with little effect."
            )
    if d.shares["model"] > 0.1 and d.verdict == "inputs":
        out.append("The surrogate also leaves a part unexplained: the model may have changed too.")
    if d.shares["inputs"] > 0.1 and d.verdict == "model":
        out.append(f"{d.ranked[0][0].name} changed as well, but does not explain the shift.")
    return tuple(out[:3])
