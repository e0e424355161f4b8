"""Which infrastructure series broke when it began?"""

from __future__ import annotations

import math
import time

from analysis import odds, words
from analysis.charts.small import Panel, small_multiples
from analysis.evidence import CannotExamine, Chart, Evidence, How, Scope, Suspect, Table
from analysis.graph import lineage
from analysis.graph.lineage import Graph
from analysis.infra_series import LARGEST, Broken, breaks, levels
from analysis.warehouse import Warehouse

METHOD = (
    "Each series is held against its own same hours of earlier days; its break is sought around "
    "the onset (Bayesian change point, Smith 1975) and compared with the strongest break that the "
    "same search finds on earlier days. With many series, each has to be that much clearer."
)
CLEAREST = 12.0
"""No service counts for more log odds than this."""
WAITING = 0.0
"""Log odds at most of a service that waits for another that broke."""
NO_GRAPH = Graph({})


def which_service(warehouse: Warehouse, scope: Scope) -> Evidence:
    """Rank services by how clearly one of their series broke at the onset.

    Verdicts: ``service`` (suspects of kind "infra", named after the service) or ``none``.
    Raises CannotExamine without a table of infrastructure series or without rows in it.
    """
    began = time.perf_counter()
    ranked = breaks(warehouse, scope)
    p_none, per_service = blame(ranked, callees(warehouse))
    probability = 1 - p_none
    broken = probability >= 0.5
    suspects = tuple(
        Suspect("infra", service, share, changed=change(one), since=one.at)
        for service, (share, one) in per_service.items()
        if share >= 0.05
    )
    seconds = time.perf_counter() - began
    return Evidence(
        verdict="service" if broken else "none",
        confidence=min(max(probability if broken else p_none, 0.005), 0.995),
        headline=_headline(ranked, per_service, broken, scope),
        suspects=suspects if broken else (),
        charts=(chart(ranked, scope, broken),) if ranked else (),
        table=_table(ranked),
        onset=scope.onset,
        figures={"series": float(len(ranked)), "probability": probability},
        how=How(METHOD, scope.window, scope.baseline, seconds=seconds),
    )


def probability_of_break(ranked: list[Broken]) -> float:
    """Probability, 0 to 1, that at least one of the series broke at the onset and is to blame."""
    return 1 - blame(ranked)[0]


def callees(warehouse: Warehouse) -> Graph:
    """What each service waits for, as far as a lineage tells that can be read."""
    try:
        return lineage.read(warehouse)
    except CannotExamine:
        return NO_GRAPH


def blame(
    ranked: list[Broken], graph: Graph = NO_GRAPH
) -> tuple[float, dict[str, tuple[float, Broken]]]:
    """P(nobody), and by service its share of the rest with its clearest series.

    A service above which another broke as clearly only waits for that one.
    """
    weights = {"": 0.0}
    clearest: dict[str, Broken] = {}
    for one in ranked:
        if not (one.near and one.size >= LARGEST):
            continue
        if one.log_odds > weights.get(one.service, -math.inf):
            weights[one.service], clearest[one.service] = one.log_odds, one
    capped = {name: min(weight, CLEAREST) for name, weight in weights.items()}
    broken = [name for name in clearest if capped[name] > 0]
    capped |= {name: min(capped[name], WAITING) for name in graph.fed(broken)}
    shares = odds.share_out(capped)
    by_share = sorted(clearest.items(), key=lambda item: -shares[item[0]])
    return shares[""], {name: (shares[name], one) for name, one in by_share}


def change(one: Broken) -> str:
    """A series now and usually, in a few words."""
    now, usual = levels(one)
    return f"{one.metric} {words.number(now)}, usually {words.number(usual)}"


def _headline(
    ranked: list[Broken], services: dict[str, tuple[float, Broken]], broken: bool, scope: Scope
) -> str:
    count = words.plural(len(ranked), "infrastructure series", "infrastructure series")
    if not broken:
        return f"None of {count} broke near the onset beyond what it does on other days."
    service, (_, one) = next(iter(services.items()))
    now, usual = levels(one)
    when = ", when it began" if scope.onset else ", near the alert's start"
    if one.ahead:
        showed = scope.onset.low if scope.onset else scope.window.start
        when = f", {words.span(showed - one.at)} before that showed"
    return (
        f"`{service}`: its {one.metric} went to {words.number(now)} (usually "
        f"{words.number(usual)}) at {words.clock(one.at)}{when}."
    )


def _table(ranked: list[Broken]) -> Table | None:
    rows = []
    for one in ranked[:6]:
        now, usual = levels(one)
        clear = one.near and one.size >= LARGEST and one.log_odds > 0
        rows.append(
            (
                one.name,
                f"{words.number(usual)} → {words.number(now)}",
                words.clock(one.at) if clear else "–",
                "broke" if clear else "as usual",
            )
        )
    return Table(("series", "usually → now", "since", "verdict"), tuple(rows)) if rows else None


def chart(ranked: list[Broken], scope: Scope, broken: bool = True) -> Chart:
    """The six clearest series as small multiples; those that broke are marked when ``broken``."""
    panels = [
        Panel(
            one.name,
            one.times,
            one.values,
            one.band.low,
            one.band.high,
            " → ".join(words.number(level) for level in reversed(levels(one))),
            suspect=broken and one.near and one.size >= LARGEST and one.log_odds > 0,
        )
        for one in ranked[:6]
    ]
    some = [p.name for p in panels if p.suspect]
    early = [one.name for one in ranked[:6] if one.ahead]
    when = "before" if set(some) <= set(early) else "at"
    title = (
        f"{words.listed(some, 2)} broke {when} the onset"
        if some
        else "No infrastructure series broke at the onset"
    )
    alt = f"{len(panels)} of {len(ranked)} infrastructure series around the onset; " + (
        f"outside their band: {', '.join(some)}." if some else "none leaves its band there."
    )
    return small_multiples(panels, scope.window, scope.onset, title, alt)
