"""How the suspicion against features spreads over the nodes of the lineage above them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from analysis.graph import rootcause
from analysis.graph.health import Health
from analysis.graph.lineage import Graph

SILENT = 1.3
"""Log weight of a source that changed without a trace, where nothing else shows any: more than that
of a job between, whose own change would mostly be a new version."""
TRACE = 1.0
"""A sign from this log Bayes factor on is a trace."""
NOBODY = float(np.log(2.0))
"""Weight of "nothing upstream shows why"."""
UNLISTED = 0.2
"""What several features that broke at once have in common is missing from the lineage so often."""


@dataclass(frozen=True)
class Suspicion:
    """Suspect features with the nodes ``above`` each, their ``weights`` (which add up to 1), and
    ``every`` feature of the log."""

    graph: Graph
    above: Mapping[str, Mapping[str, int]]
    weights: Mapping[str, float]
    every: tuple[str, ...]

    def share(self, features: Iterable[str]) -> float:
        """The part of the suspicion that rests on these features."""
        return sum(self.weights[f] for f in features)

    def unfed(self, node: str) -> tuple[str, ...]:
        """Suspects with a lineage that a node does not feed."""
        return tuple(f for f, found in self.above.items() if found and node not in found)

    def only(self, features: tuple[str, ...]) -> Suspicion:
        """The same with these suspects alone."""
        total = self.share(features)
        return replace(
            self,
            above={f: self.above[f] for f in features},
            weights={f: self.weights[f] / total for f in features},
        )

    def coverage(self) -> dict[str, float]:
        """Log weight per ancestor: how much of the suspicion it covers, how many bystanders."""
        below: dict[str, int] = {}
        for feature in self.every:
            for node in self.graph.of_feature(feature):
                below[node] = below.get(node, 0) + 1
        out = {}
        for node in dict.fromkeys(n for found in self.above.values() for n in found):
            mine = [f for f in self.above if node in self.above[f]]
            others = max(below.get(node, 0) - len(mine), 0)
            specific = (len(mine) + 1) / (len(mine) + 1 + 0.5 * others)
            out[node] = 3 * float(np.log(self.share(mine) + 0.02)) + float(np.log(specific))
        return out

    def blame(self, ills: Mapping[str, Health], coverage: Mapping[str, float]) -> dict[str, float]:
        """Probabilities over the nodes of ``coverage``, and "" for none of them."""
        illness = self._illness({n: ills[n] for n in coverage})
        symptoms = {n: ills[n].symptoms for n in coverage}
        return rootcause.blame(self.graph, illness, symptoms, coverage, self.nobody)

    @property
    def nobody(self) -> float:
        """Log weight of no node: features that break by themselves seldom do so at once."""
        common = set.intersection(*(set(found) for found in self.above.values()))
        alone = len(self.above) == 1 or not common
        return NOBODY if alone else NOBODY + float(np.log(UNLISTED))

    def _illness(self, ills: Mapping[str, Health]) -> dict[str, float]:
        """Log Bayes factors; where no run shows anything, sources are left by elimination.

        The same code on the same data writes the same values: if no job between a source and
        the features changed, what comes from outside did, and a source need not tell.
        """
        out = {n: h.log_odds for n, h in ills.items()}
        if not any(h.log_odds > TRACE for h in ills.values()) and all(
            h.runs for h in ills.values()
        ):
            sources = [n for n in out if not self.graph.parents(n) and ills[n].fresh]
            out |= {n: max(out[n], SILENT) for n in sources}
        return out
