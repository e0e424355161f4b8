"""The field's terms in plain words, for somebody who meets them at 3 a.m. for the first time."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from analysis.evidence import Evidence
from handlers import blocks as b
from handlers.blocks import Block

MOST_TERMS = 3

_TERMS = {
    r"NE|[Nn]ormalised entropy": "NE (normalised entropy) is how far predictions are from what "
    "happened: 0 is perfect, 1 is no better than always saying the average",
    r"AUC": "AUC is how often a case that happened got a higher prediction than one that did not: "
    "1 is perfect, 0.5 is chance",
    r"[Ll]og loss": "log loss punishes confident mistakes: lower is better",
    r"[Cc]alibration": "calibration is the mean prediction over what happened: 1 is right, below 1 "
    "promises too little",
    r"bias": "bias is the mean error: 0 is right",
    r"MAE": "MAE is the usual size of an error, in the label's unit",
    r"RMSE": "RMSE is the size of the errors, where large ones count more",
    r"NDCG": "NDCG is how near a ranking is to the best one: 1 is perfect",
    r"sd|standard deviations?": "sd (standard deviation) is the usual scatter of values: a shift "
    "of 0.1 is small, of 1 is large",
}
_PATTERNS = {re.compile(rf"(?<![\w/=])(?:{term})(?!\w)"): text for term, text in _TERMS.items()}


def explained(evidence: Evidence, before: Iterable[Evidence] = ()) -> list[Block]:
    """A line that explains the terms of a finding, but for those met in findings ``before``."""
    met = {text for earlier in before for text in meanings(earlier)}
    new = [text for text in meanings(evidence) if text not in met][:MOST_TERMS]
    return [b.context("In plain words: " + "; ".join(new) + ".")] if new else []


def meanings(evidence: Evidence) -> list[str]:
    """What the terms mean that a finding is told with."""
    told = "\n".join(_told(evidence))
    return [text for pattern, text in _PATTERNS.items() if pattern.search(told)]


def _told(evidence: Evidence) -> Iterator[str]:
    yield evidence.headline
    yield from (chart.title for chart in evidence.charts)
    yield from (suspect.changed for suspect in evidence.suspects)
    if evidence.table:
        yield from evidence.table.headers
        for row in evidence.table.rows:
            yield from row
