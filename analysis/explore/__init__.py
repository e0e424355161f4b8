"""Questions that people ask beside the tree: a chart, segments, what changed, two snapshots.

A question is plain data, so that a worker process can be asked; :mod:`analysis.explore.look`
answers it with evidence like a check's, but without a verdict that anybody has to confirm.
"""

from analysis.explore.question import MOST_LEVELS, SEEN, Misnamed, Question

__all__ = ["MOST_LEVELS", "SEEN", "Misnamed", "Question"]
