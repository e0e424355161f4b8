"""Where do the suspect features come from? The deepest ill node above all of them."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from analysis import words
from analysis.charts import lineage as charts
from analysis.evidence import CannotExamine, Evidence, How, Onset, Scope, Suspect, Table
from analysis.graph import health, lineage, pairs
from analysis.graph.health import Health
from analysis.graph.lineage import Graph
from analysis.graph.pairs import Pair
from analysis.graph.suspicion import TRACE, Suspicion
from analysis.warehouse import Warehouse

METHOD = (
    "The lineage is walked upstream from the suspect features. Each node's runs since the onset "
    "(status, rows, freshness, schema, version, gaps) are held against the node's own history; "
    "the deepest node that is ill and lies above the suspects is blamed, but for a new version, "
    "which is the node's own."
)
NOTHING = "\0nothing"
"""Stands beside the nodes for "no input broke"; no node can have this name."""
UNTRACED = 0.5
"""So many broken inputs leave no trace in any run: a job that writes nonsense finishes green."""
NEAR = timedelta(hours=12)
"""Features that changed farther than this from the metric's onset say nothing about it."""


@dataclass(frozen=True)
class _Found:
    graph: Graph
    features: tuple[str, ...]
    coverage: dict[str, float]
    health: dict[str, Health]
    shares: dict[str, float]
    pair: Pair | None = None


def which_upstream(warehouse: Warehouse, scope: Scope) -> Evidence:
    """Names the node to mend; verdicts upstream, feature_only, nothing.

    Reads lineage and runs. Without a lineage, or with nothing ill above the suspects, the
    features themselves are where the trail ends; where they were in doubt, healthy runs speak
    for "nothing broke". Raises CannotExamine without suspects.
    """
    begun = time.perf_counter()
    features = _features(scope)
    onset = scope.onset or Onset(
        scope.window.start, scope.window.start - timedelta(hours=1), scope.window.start
    )
    if not warehouse.has("lineage"):
        return _only(scope, features, ("the lineage: there is no table `lineage`",), begun)
    graph = lineage.read(warehouse)
    above = {f: graph.of_feature(f) for f in features}
    if not any(above.values()):
        gone = tuple(f"{f}: no edge of the lineage leads to it" for f in features)
        return _only(scope, features, gone, begun)
    weights = _weights(scope, features)
    suspicion = Suspicion(graph, above, weights, warehouse.features)
    coverage = suspicion.coverage()
    ills = health.of_nodes(warehouse, scope, _moments(scope, onset, features), tuple(coverage))
    shares = suspicion.blame(ills, coverage)
    pair = pairs.find(suspicion, ills, shares)
    traced = any(h.log_odds > TRACE for h in ills.values())
    told = sum(h.runs > 0 for h in ills.values()) / len(ills)
    shares = _with_doubt(shares, scope.belief, traced, told, suspicion.nobody)
    found = _Found(graph, features, coverage, ills, shares, pair)
    return _say(warehouse, scope, found, begun)


def _features(scope: Scope) -> tuple[str, ...]:
    named = scope.named("feature")
    if not named and scope.entry == "feature":
        named = (scope.subject,)
    if not named:
        raise CannotExamine("No suspect feature was confirmed: choose the features first.")
    return named


def _weights(scope: Scope, features: tuple[str, ...]) -> dict[str, float]:
    """The suspects' shares, so that a node above the main suspects covers more."""
    scores = {s.name: max(s.score, 0.02) for s in scope.suspects if s.kind == "feature"}
    raw = {f: scores.get(f, 1.0) for f in features}
    total = sum(raw.values())
    return {f: w / total for f, w in raw.items()}


def _moments(scope: Scope, onset: Onset, features: tuple[str, ...]) -> tuple[Onset, ...]:
    """When it began: what the metric says, and what the features' own values say."""
    known = [s for s in scope.suspects if s.kind == "feature" and s.since and s.name in features]
    moments = sorted(s.since for s in known if s.since is not None)
    if not moments or abs(moments[len(moments) // 2] - onset.at) > NEAR:
        return (onset,)
    return onset, Onset(moments[len(moments) // 2], moments[0], moments[-1])


def _with_doubt(
    shares: dict[str, float], belief: float, traced: bool, told: float, nobody: float
) -> dict[str, float]:
    """The shares beside ``NOTHING``: that no input broke at all, by Bayes' rule.

    A broken input mostly leaves a trace in some run above it: where there is none, "broken"
    keeps UNTRACED of its odds, as far as runs are recorded at all (of ``told`` of the nodes).
    Traces are weighed in ``shares`` already.
    """
    doubt = (1 - belief) / max(belief, 0.01)
    if traced:
        # "No node" has this weight against one for all nodes before the runs are seen.
        doubt *= shares[""] * (1 + float(np.exp(-nobody)))
    else:
        doubt /= 1 - told * (1 - UNTRACED)
    return {name: share / (1 + doubt) for name, share in shares.items()} | {
        NOTHING: doubt / (1 + doubt)
    }


# -- saying -----------------------------------------------------------------------------------


def _say(warehouse: Warehouse, scope: Scope, f: _Found, begun: float) -> Evidence:
    ranked = sorted(f.coverage, key=lambda n: -f.shares[n])
    best = ranked[0]
    answers = {"upstream": f.shares[best], "feature_only": f.shares[""]}
    answers["nothing"] = f.shares[NOTHING]
    if f.pair is not None:
        # One node of two explains half, and leaves the rest to nobody: together they do not.
        broke = 1 - f.shares[NOTHING]
        answers["upstream"] = max(f.shares[best], f.pair.share * broke)
        answers["feature_only"] = min(f.shares[""], (1 - f.pair.share) * broke)
    verdict = _likeliest(answers)
    sure = answers[verdict]
    suspects = tuple(_suspect(f, n, f.shares[n]) for n in ranked[:6] if f.shares[n] > 0.005)
    if verdict == "feature_only":
        named = _as_features(scope, f.features)
        proposed, suspects = len(named), (*named, *suspects)
    elif verdict == "nothing":
        proposed = 0
    elif f.pair is not None:
        both = f.pair.names
        named = tuple(_suspect(f, name, f.pair.share) for name in both)
        proposed, suspects = 2, (*named, *(s for s in suspects if s.name not in both))
    else:
        proposed = sum(1 for s in suspects if s.score > 0.5 * suspects[0].score)
    blamed: tuple[str, ...] = ()
    if verdict == "upstream":
        blamed = f.pair.names if f.pair else (best,)
    chart = charts.family(f.graph, f.features, f.health, blamed)
    missing = () if warehouse.has("runs") else ("the nodes' runs: there is no table `runs`",)
    return Evidence(
        verdict=verdict,
        confidence=min(max(sure, 0.01), 0.99),
        headline=_headline(verdict, f, best, tuple(s.name for s in suspects[1:proposed])),
        suspects=suspects,
        proposed=proposed,
        charts=(chart,),
        table=_table(f, suspects, ranked),
        not_examined=missing,
        figures={f"p_{n}": f.shares[n] for n in ranked[:4]}
        | {"p_nobody": f.shares[""], "p_nothing": f.shares[NOTHING]},
        how=How(
            METHOD,
            scope.window,
            scope.baseline,
            sum(h.runs for h in f.health.values()),
            0,
            time.perf_counter() - begun,
        ),
        shares=answers,
    )


def _likeliest(answers: dict[str, float]) -> str:
    """Whether anything broke first, then where: several places share what speaks for a break."""
    if answers["nothing"] >= 0.5:
        return "nothing"
    return max(("upstream", "feature_only"), key=lambda v: answers[v])


def _suspect(f: _Found, node: str, share: float) -> Suspect:
    ill = f.health[node]
    return Suspect(
        "upstream", node, share, ill.words, since=ill.signs[0].since if ill.signs else None
    )


def _headline(verdict: str, f: _Found, best: str, others: tuple[str, ...]) -> str:
    if verdict == "upstream" and f.pair is not None:
        first, second = f.pair.names
        found = " and ".join(f"{n} ({_trace(f.health[n])})" for n in f.pair.names)
        if f.pair.nested:
            return f"Two nodes changed as it began: {found}; {first} feeds {second}."
        return f"Two nodes broke: {found}; neither feeds all of {words.listed(list(f.features))}."
    names = " and ".join(f.features[:2]) + (" …" if len(f.features) > 2 else "")
    if verdict == "upstream":
        owner = f.graph.owners.get(best)
        team = f" (owner: {owner})" if owner else ""
        verb = "comes" if len(f.features) == 1 else "come"
        if others:
            told = "; ".join(f"{n} ({_trace(f.health[n])})" for n in (best, *others[:2]))
            return f"{names} {verb} from one of these, I can't tell which: {told}."
        return f"{names} {verb} from {best}{team}: {_trace(f.health[best])}."
    if verdict == "nothing":
        return f"Nothing broke above {names}, which was a weak suspicion: the cause lies elsewhere."
    return f"Nothing upstream of {names} shows why: {_looked(f)}."


def _looked(f: _Found) -> str:
    """How many nodes look as usual, and of how many nothing is recorded."""
    seen = sum(f.health[n].runs > 0 for n in f.coverage)
    usual = f"{words.plural(seen, 'node')} {'look' if seen != 1 else 'looks'} as usual"
    dark = len(f.coverage) - seen
    if not dark:
        return usual
    unseen = f"{words.plural(dark, 'node')} {'have' if dark != 1 else 'has'} no runs recorded"
    return f"{usual}, {unseen}" if seen else unseen


def _trace(health: Health) -> str:
    silent = health.words == "usual"
    return "no job after it shows a change: it may be what it delivers" if silent else health.words


def _table(f: _Found, suspects: tuple[Suspect, ...], ranked: list[str]) -> Table:
    """The suspects as they are told, then the rest."""
    likely = {s.name: s.score for s in suspects if s.kind == "upstream"}
    names = list(dict.fromkeys([*likely, *ranked]))[:6]
    rows = (
        (n, f.health[n].words, f.graph.owners.get(n, "–"), f"{likely.get(n, f.shares[n]):.0%}")
        for n in names
    )
    return Table(("node", "since the onset", "owner", "likely"), tuple(rows))


def _as_features(scope: Scope, features: tuple[str, ...]) -> tuple[Suspect, ...]:
    known = {s.name: s for s in scope.suspects if s.kind == "feature"}
    return tuple(known.get(f, Suspect("feature", f, 1.0 / len(features))) for f in features)


def _only(
    scope: Scope, features: tuple[str, ...], missing: tuple[str, ...], begun: float
) -> Evidence:
    """The trail ends at the features because there is nothing to follow."""
    names = " and ".join(features[:2]) + (" …" if len(features) > 2 else "")
    believed = scope.belief >= 0.5
    tail = "" if believed else "; and whether they broke at all is in doubt"
    return Evidence(
        verdict="feature_only" if believed else "nothing",
        confidence=0.9 * scope.belief if believed else 1 - scope.belief,
        headline=f"The trail ends at {names}: no lineage leads further up{tail}.",
        suspects=_as_features(scope, features),
        proposed=len(features) if believed else 0,
        not_examined=missing,
        how=How(METHOD, scope.window, scope.baseline, 0, 0, time.perf_counter() - begun),
    )
