"""A node's check as work for a worker process: settings, node and scope in, evidence out."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from analysis.evidence import Evidence, Scope
from state.due import Urgency

if TYPE_CHECKING:
    from analysis.explore import Question
    from bot.config import Settings
    from bot.workers import Workers
    from state.incident import Allowance


def run_check(
    settings_path: str, node: str, scope: Scope, most_bytes: int | None = None
) -> Evidence:
    """Run the check of ``node`` over the tables of the settings file, as of ``scope.now``.

    Raises CannotExamine with a sentence when there is nothing to look at, and OverBudget when it
    would read more than ``most_bytes``.
    """
    from analysis.engine import engine_errors
    from analysis.few import enough_pass
    from bot.plugins import tree

    settings = _settings(settings_path, Path(settings_path).stat().st_mtime)
    warehouse = settings.warehouse(scope.now, scope.filters, most_bytes)
    began = time.perf_counter()
    with engine_errors(settings.contract.url):
        enough_pass(warehouse, scope)
        evidence = tree().node(node).check(warehouse, scope)
    seconds = time.perf_counter() - began
    only = tuple(f"only where {one}" for one in scope.filters)
    how = replace(evidence.how, seconds=round(seconds, 3), notes=(*only, *evidence.how.notes))
    return replace(evidence, how=how)


def run_look(settings_path: str, question: Question) -> Evidence:
    """Answer a question beside the tree, over the tables of the settings file.

    Raises CannotExamine with a sentence when the tables can't answer it, and OverBudget when it
    would read more than a step may.
    """
    from analysis.engine import engine_errors
    from analysis.explore.look import look
    from analysis.few import enough_pass

    settings = _settings(settings_path, Path(settings_path).stat().st_mtime)
    scope = question.scope
    warehouse = settings.warehouse(scope.now, scope.filters, settings.budget.bytes)
    with engine_errors(settings.contract.url):
        enough_pass(warehouse, scope)
        return look(warehouse, question)


@lru_cache(maxsize=4)
def _settings(path: str, changed: float) -> Settings:
    """The settings, read once for each time the file changed."""
    del changed
    from bot.config import load

    return load(Path(path))


@dataclass(frozen=True)
class CheckRunner:
    """Sends checks to warm worker processes; what is urgent goes first.

    A check may read ``most_bytes`` (None is any) and take ``seconds``, or more of what people
    allowed its step.
    """

    workers: Workers
    settings_path: str
    most_bytes: int | None = None
    seconds: float = 60.0

    def __call__(
        self, node: str, scope: Scope, urgency: Urgency, allowed: Sequence[Allowance] = ()
    ) -> Future[Evidence]:
        """The evidence, later; it fails with OverBudget where the check needs more."""
        given = {a.of: a.upto for a in allowed}
        most = self.most_bytes
        if most is not None:
            most = max(most, int(given.get("bytes", 0)))
        seconds = max(self.seconds, given.get("seconds", 0.0))
        path = self.settings_path
        return self.workers.submit(
            run_check, path, node, scope, most, urgency=urgency, seconds=seconds
        )

    def look(self, question: Question, urgency: Urgency = Urgency.WAITED_FOR) -> Future[Evidence]:
        """The answer to a question beside the tree, later."""
        return self.workers.submit(run_look, self.settings_path, question, urgency=urgency)

    def hurry(self, future: Future[Evidence]) -> None:
        """Somebody waits now for what was computed ahead."""
        self.workers.hurry(future)


def warm_up() -> None:
    """Import what checks need, so that the first one is as fast as the second."""
    import bot.plugins

    bot.plugins.tree()


def start_workers(settings: Settings) -> tuple[CheckRunner, Callable[[], None]]:
    """What runs checks on processes of their own, and what ends them."""
    from bot.workers import Workers

    walk = settings.walk
    pool = Workers(walk.workers, walk.seconds, walk.memory_mb, warm_up)
    seconds = settings.budget.seconds or walk.seconds
    runner = CheckRunner(pool, str(settings.path), settings.budget.bytes, seconds)
    return runner, pool.shutdown
