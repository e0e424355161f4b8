"""Models whose labels of the window are late or missing: what is known of them until they come."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from analysis import quality, words
from analysis.evidence import Scope
from analysis.metrics import Blocks
from analysis.performance import estimates
from analysis.performance.arrivals import Arrivals, arrivals
from analysis.performance.estimates import Estimated
from analysis.performance.readings import Reading
from analysis.performance.unlabelled import BLIND
from analysis.warehouse import Warehouse

MOST = 4
"""Of at most so many models estimates are made, those that come first."""


@dataclass(frozen=True)
class Waiting:
    """``labels`` per model that waits for most of them; ``estimated`` where that could be done.

    ``said`` tells in sentences what is missing, when it may come, and what an estimate cannot
    see. Without a label column every model waits, with nothing in ``labels``.
    """

    labels: Mapping[str, Arrivals]
    estimated: Mapping[str, Estimated]
    said: tuple[str, ...]
    never: bool = False

    @property
    def readings(self) -> list[Reading]:
        """All estimates that may count: those made from familiar inputs."""
        return [r for found in self.estimated.values() if found.believed for r in found.readings]

    def unjudged(self, model: str, readings: Sequence[Reading]) -> bool:
        """Whether labels are missing that could still show the model to be worse.

        They could not where the few that have come are as good as all of them: where labels'
        own error is less than half of the variance that a figure has from day to day.
        """
        if self.never:
            return True
        mine = [r for r in readings if r.model == model and not r.arm and r.shift.seen]
        mine = [r for r in mine if r.kind in quality.NEEDS_LABEL and not r.estimated]
        few = [r for r in mine if not r.error**2 < 0.5 * r.shift.spread**2]
        return model in self.labels and len(few) == len(mine)


def wait_for(warehouse: Warehouse, scope: Scope, models: Sequence[str]) -> Waiting:
    """Who waits for labels, and estimates of those that are binary."""
    if not warehouse.has_labels:
        none = "quality: the serving log has no labels; the shift of predictions is shown"
        return Waiting({}, {}, (none,), never=True)
    found = arrivals(warehouse, scope, models)
    late = {m: found[m] for m in models if m in found and found[m].late}
    estimated: dict[str, Estimated] = {}
    refused: list[str] = []
    for model in late:
        try:
            estimated[model] = _estimate(warehouse, scope, model, late[model], len(estimated))
        except ValueError as error:
            refused.append(f"an estimate of {model}: {error}")
    by_words: dict[str, list[str]] = {}
    for m, labels in late.items():
        by_words.setdefault(labels.words(scope.now, Blocks.of(scope).window.end), []).append(m)
    said = [f"quality of {words.listed(names)}: {text}" for text, names in by_words.items()]
    return Waiting(late, estimated, (*said, *_limits(estimated), *refused))


def _estimate(
    warehouse: Warehouse, scope: Scope, model: str, labels: Arrivals, done: int
) -> Estimated:
    task = warehouse.contract.model(model).task
    if warehouse.predicts_classes or task != "binary":
        raise ValueError(f"there is none for {_figures(task)} that could be held against labels")
    if done >= MOST:
        raise ValueError(f"only {MOST} models are estimated at once")
    return estimates.estimate(warehouse, Blocks.of(scope), model, labels.settled, scope.seed)


def _figures(task: str) -> str:
    return {"regression": "errors of a regression", "ranking": "a ranking's NDCG"}.get(
        task, "the accuracy of classes"
    )


def _limits(estimated: Mapping[str, Estimated]) -> Iterator[str]:
    if estimated:
        yield BLIND
    for model, found in estimated.items():
        if not found.believed:
            yield (
                f"{words.percent(found.strange)} of {model}'s rows have inputs that no row with a "
                "label had: its estimate is a guess and does not count"
            )
        if found.by_answer:
            yield (
                f"{model}'s answers tell more than the features in the log: its estimate also "
                "trusts that an answer means what it meant"
            )
