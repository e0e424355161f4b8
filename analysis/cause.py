"""Traffic, infrastructure, the model, the world, or labels that do not come?

Things that move or not: quality (calibration, NE: predictions against labels), skill (what
predictions tell beside a constant), labels, how many of them came, predictions, one arm beside the
others, the mix of traffic, infrastructure, and the volume where the alert is about it. Each class
of cause moves some of them and leaves others alone; the classes' probabilities follow by Bayes'
rule, with a Bayes factor per thing from its spread over earlier days.
"""

from __future__ import annotations

import time
from collections.abc import Mapping

from analysis import infra, odds, words
from analysis.cause_odds import weigh
from analysis.charts.forest import Interval, forest
from analysis.evidence import CannotExamine, Chart, Evidence, How, Scope, Suspect, Table
from analysis.renames import told_of
from analysis.seen import Seen, look
from analysis.warehouse import Warehouse

METHOD = (
    "The change is split into mix (which traffic came) and rate (what happened inside segments); "
    "quality, skill (the loss beside that of always predicting the usual mean), labels and how "
    "many came, predictions, one arm beside the others, mix and infrastructure are each held "
    "against earlier days; Bayes' rule weighs which class of cause moves these and leaves the "
    "others alone."
)
HALF_WAY = 0.6
"""Predictions that moved by a smaller part of what the labels did are not said to go along."""
THINGS = {
    "quality": "quality",
    "skill": "skill",
    "labels": "labels",
    "arrivals": "labels that came",
    "delivery": "what delivers labels",
    "predictions": "predictions",
    "arms": "one arm alone",
    "mix": "mix of traffic",
    "volume": "volume",
    "infra": "infrastructure",
}
"""What is looked at, as people call it."""
PERHAPS = -0.5
"""From here on what is not clear is told."""
WORTH_A_LOOK = 0.05
"""Below this probability that infrastructure broke, its series get no picture."""


def which_class(warehouse: Warehouse, scope: Scope) -> Evidence:
    """Decide between the classes of cause.

    Verdicts: ``model``, ``traffic``, ``infrastructure``, ``world``, ``labels``. Raises
    CannotExamine when nothing at all could be held against earlier days.
    """
    began = time.perf_counter()
    seen = look(warehouse, scope)
    if not seen.moved:
        raise CannotExamine(
            "Neither traffic, infrastructure, predictions nor labels can be held against earlier "
            f"days: {'; '.join(one.rstrip('.') for one in seen.missing)}."
        )
    shares = weigh(seen.moved, seen.along)
    # Where no infrastructure is recorded, nothing can show which of it broke.
    named = [name for name in shares if name != "infrastructure" or "infra" in seen.moved]
    verdict = max(named, key=lambda name: shares[name])
    headline = _headline(verdict, seen, scope)
    suspects = tuple(
        Suspect("metric", name, share)
        for name, share in sorted(shares.items(), key=lambda x: -x[1])
    )
    figures = {f"probability of {name}": share for name, share in shares.items()}
    figures |= {f"log odds that {name} moved": value for name, value in seen.moved.items()}
    return Evidence(
        verdict=verdict,
        confidence=min(max(shares[verdict], 0.005), 0.995),
        headline=headline,
        suspects=(),
        charts=_charts(seen, verdict, shares, scope, headline),
        table=_table(seen, suspects),
        not_examined=tuple(seen.missing),
        disagreements=_disagreements(seen, verdict),
        onset=scope.onset,
        figures=figures,
        how=How(
            METHOD,
            scope.window,
            scope.baseline,
            seen.rows,
            seen.baseline_rows,
            time.perf_counter() - began,
        ),
        shares={name: shares[name] for name in named},
    )


def _headline(verdict: str, seen: Seen, scope: Scope) -> str:
    said = seen.said
    if verdict == "infrastructure":
        one = next((x for x in seen.infra if x.near), None)
        where = f": `{one.name}` broke at {words.clock(one.at)}" if one else ""
        when = ", when it began" if scope.onset and not (one and one.ahead) else ""
        return f"Infrastructure{where}{when}."
    if verdict == "labels" and seen.moved.get("arrivals", 0.0) > 0:
        return f"Labels do not come as they did: {said['arrivals']}{_as_ever(seen)}."
    if verdict == "labels":
        moved = f"{said['labels']}, and predictions did not follow"
        return f"Labels may be written wrongly: {moved}; {said['delivery']}."
    if verdict in ("traffic", "world") and (told := _volume(verdict, seen)):
        return told
    if verdict == "traffic":
        return f"The traffic changed: {said.get('mix', 'its mix moved')}."
    if verdict == "world":
        labels = said.get("labels", "labels moved")
        return f"The world changed, nothing seems broken: {labels}{_beside(seen)}."
    why = said.get("quality") if seen.moved.get("quality", 0) > 0 else said.get("predictions")
    if seen.moved.get("skill", 0) > max(seen.moved.get("quality", 0), 0):
        why = said["skill"]
    if seen.moved.get("arms", 0) > max(seen.moved.get("quality", 0), 0):
        why = said["arms"]
    quiet = [
        word
        for thing, word in (("mix", "traffic"), ("labels", "labels"), ("infra", "infrastructure"))
        if seen.moved.get(thing, 1.0) <= odds.AS_USUAL
    ]
    rest = f"; {words.listed(quiet)} as usual" if quiet else ""
    one_arm = seen.moved.get("arms", 0) > 0
    if seen.moved.get("labels", 0) > 0 >= seen.moved.get("predictions", 0) and not one_arm:
        told = f"{said['labels']}, and predictions did not follow"
        return f"The model, or what it predicts: {told}{rest}."
    return f"The model: {why or 'nothing else moved'}{rest}."


def _as_ever(seen: Seen) -> str:
    """That predictions are as usual, where they are."""
    usual = seen.moved.get("predictions", 0.0) <= odds.AS_USUAL
    return "; predictions as usual" if usual else ""


def _beside(seen: Seen) -> str:
    """What predictions did as labels moved, as far as that is known."""
    if seen.along is not None:
        went = "went along"
        if seen.along < HALF_WAY:
            went = f"by {words.percent(seen.along)} of that"
    elif seen.moved.get("predictions", 0.0) > 0:
        went = "moved too"
    elif seen.moved.get("predictions", 0.0) <= odds.AS_USUAL:
        went = "did not move"
    else:
        return ""
    return f", and predictions {went}"


def _volume(verdict: str, seen: Seen) -> str:
    """The headline where nothing but the volume moved, if that; empty where something else did."""
    other = "mix" if verdict == "traffic" else "labels"
    if "volume" not in seen.said or seen.moved.get(other, 0) > 0:
        return ""
    rows = seen.said["volume"]
    if seen.shifts["volume"].log_odds <= 0:
        return f"No cause stands out: {rows}, as on other days over the whole of these hours."
    if verdict == "traffic":
        return f"The traffic changed: {rows}{', of the usual mix' if 'mix' in seen.moved else ''}."
    return f"The world changed, nothing seems broken: {rows}."


def _table(seen: Seen, classes: tuple[Suspect, ...]) -> Table:
    rows = [
        (name, _went(seen.moved[thing]), _figures(thing, seen))
        for thing, name in THINGS.items()
        if thing in seen.moved
    ]
    rows += [(c.name, words.percent(c.score), "") for c in classes[:3]]
    return Table(("looked at", "verdict", "figures"), tuple(rows))


def _figures(thing: str, seen: Seen) -> str:
    said = seen.said.get(thing, "")
    if thing == "arms" and seen.moved[thing] <= 0:
        return ""  # the arm that left the others most did not leave them
    if thing == "mix" and seen.moved[thing] > 0 and seen.split:
        said += f", {words.percent(seen.split.mix_share)} of what moved"
    return said


def _went(log_odds: float) -> str:
    if log_odds > 0:
        return "moved"
    return "as usual" if log_odds <= odds.AS_USUAL else "not clear"


def _disagreements(seen: Seen, verdict: str) -> tuple[str, ...]:
    out = list(told_of(seen.renamed))
    labels = seen.moved.get("labels", odds.AS_USUAL)
    if verdict == "model" and labels > PERHAPS:
        surely = "moved" if labels > 0 else "may have moved"
        out.append(
            f"Labels {surely} as well ({seen.said['labels']}): the world may have changed, or how "
            "they are made."
        )
    if verdict in ("model", "world") and seen.parted:
        out.append(
            f"Labels of {seen.parted} left those of all other traffic: the world may have changed "
            "there, or its labels are wrong."
        )
    if verdict == "model" and seen.moved.get("mix", -1) > 1:
        out.append(f"The mix of traffic moved as well ({seen.said['mix']}).")
    if verdict == "world" and seen.moved.get("quality", -1) > 1:
        out.append(f"Quality is not as usual either ({seen.said['quality']}).")
    return tuple(out)


def _charts(
    seen: Seen, verdict: str, shares: Mapping[str, float], scope: Scope, headline: str
) -> tuple[Chart, ...]:
    """How far each thing moved beside what it does on other days; then the infrastructure."""
    rows = [
        Interval(_shown(thing, name, seen), seen.shifts[thing].z, seen.moved[thing] > 0)
        for thing, name in THINGS.items()
        if thing in seen.shifts
    ]
    alt = "How far each is from usual, in standard deviations of earlier days: " + "; ".join(
        f"{row.name} {row.z:+.1f}" for row in rows
    )
    broke = seen.infra and shares["infrastructure"] >= WORTH_A_LOOK
    charts = [forest(rows, headline.split(";")[0].rstrip("."), alt)] if rows else []
    if broke or (seen.infra and not rows):
        charts.append(infra.chart(seen.infra, scope))
    return tuple(charts[::-1] if verdict == "infrastructure" else charts)


def _shown(thing: str, name: str, seen: Seen) -> str:
    """What a step before has confirmed may be little beside other days."""
    return f"{name}, confirmed" if seen.moved[thing] > 0 >= seen.shifts[thing].log_odds else name
