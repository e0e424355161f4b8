"""Did features break, or are other rows asked than before?

One fault hits what one source feeds. Where half of the features or more changed at once, and
hold values as well known as ever, the rows are others: a population that shifted (Quiñonero-Candela
and others 2009, "Dataset Shift in Machine Learning"), which traffic tells.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from analysis.inputs.suspicion import Finding, day_counts
from analysis.inputs.views import Reading

FEW = 5
"""So many features may come from one table that no lineage tells of."""
NEW = 0.1
"""Values that were not there before, or none, in more than this part of the rows are no others'."""
CONSTANT = 0.97, 0.9
"""A value in more than the first part of the rows, before in less than the second, is a default."""


def changed_at_once(
    r: Reading, found: Sequence[Finding], fed: Mapping[str, Sequence[str]], surely: float
) -> int:
    """How many features changed as where other rows are asked; 0 where that is not how it looks.

    A feature changed where the log Bayes factor of its values is above ``surely``. Those that hold
    what a fault puts there (nothing, a default, values never seen) speak neither for other rows nor
    against them. ``fed`` are the features that each node of the lineage feeds.
    """
    known = {f.name: f for f in found if _others_values(r, f.name)}
    changed = {n for n, f in known.items() if f.views["marginal"].log_odds > surely}
    if len(changed) <= FEW:
        return 0
    # What one node feeds may have broken with it: then the others speak.
    for apart in ((), *fed.values()):
        rest = known.keys() - set(apart)
        if 2 * len(changed & rest) < max(len(rest), 1):
            return 0
    return len(changed)


def _others_values(r: Reading, name: str) -> bool:
    """Whether a feature's values in the window could be those of other rows of the baseline."""
    counts = day_counts(r, name)
    now, past = (c / max(c.sum(), 1) for c in (counts[0], counts[1:].sum(axis=0)))
    strange = [*r.bins[name].unseen, len(now) - 1]
    top = int(np.argmax(now))
    default = now[top] > CONSTANT[0] and past[top] < CONSTANT[1]
    return bool((now - past)[strange].sum() <= NEW and not default)
