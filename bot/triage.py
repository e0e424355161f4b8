"""``hawkeye triage``: a subject and the settings in, the walk as JSON values out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from functools import partial
from typing import TYPE_CHECKING, Any

from analysis import words
from analysis.budget import OverBudget
from analysis.engine import engine_errors
from analysis.evidence import CannotExamine, Evidence, Scope, Window
from bot.detours import candidates
from bot.headless import accepted, saw_nothing, walk
from bot.plugins import tree as wanted_tree
from bot.progress import progress
from bot.report import report
from state.events import Opened
from state.incident import Alert, Entry, Incident, Step

if TYPE_CHECKING:
    from bot.config import Settings

LOOK_BACK = timedelta(hours=24)
FAR = datetime.max.replace(tzinfo=UTC)
_ALLOW = (
    "Run it again with --over-budget to let it; or with a later --since, fewer `baseline_days` "
    "under [walk], or more `gigabytes` under [budget] in the settings."
)

Ask = Callable[[str, list[str], str], str]


class UnknownSubjectError(Exception):
    """There is no such metric, model or feature; the message names the nearest ones."""


def triage_headless(
    settings: Settings,
    subject: str,
    *,
    since: datetime | None = None,
    now: datetime | None = None,
    start: str = "",
    ask: Ask | None = None,
    clock: datetime | None = None,
    tell: Callable[[str], None] = lambda _: None,
    over_budget: bool = False,
) -> dict[str, Any]:
    """Walk the tree over the user's tables, in this process.

    ``now`` defaults to just after the newest prediction that is not dated after the ``clock``
    (``tell`` is told how many are), ``since`` to 24 hours before ``now``.
    ``ask`` takes (question, verdicts, proposal) and gives the verdict; without it every proposal
    is accepted. ``over_budget`` lets steps read more than `[budget]` says. Raises
    UnknownSubjectError, CannotExamine when no step could look, and OverBudget. A step may take
    any time: whoever waits for it can end it.
    """
    tree = wanted_tree()
    if start and not tree.is_node(start):
        raise UnknownSubjectError(_no_node(start, [node.name for node in tree.nodes]))
    with engine_errors(settings.contract.url):
        entry = _entry(settings, subject, settings.warehouse(FAR).features)
        now = now or _newest(settings, clock or datetime.now(UTC), tell)
    since = since or now - LOOK_BACK
    window = _window(since, now)
    baseline = Window(since - timedelta(days=settings.walk.baseline_days), since)
    scope = Scope(now, window, baseline, entry, subject)
    alert = Alert("person", f"headless:{subject}", entry, subject, f"{subject}: headless", since)
    most_bytes = None if over_budget else settings.budget.bytes

    def check(node: str, scope: Scope) -> Evidence:
        title = tree.node(node).title
        warehouse = settings.warehouse(scope.now, scope.filters, most_bytes)
        try:
            with progress(title), engine_errors(settings.contract.url):
                return tree.node(node).check(warehouse, scope)
        except OverBudget as error:
            question = f"{title} {error.excess.sentence} {_ALLOW}"
            raise OverBudget(error.excess, question) from error

    def choose(step: Step, ask: Ask) -> str:
        proposal = accepted(step, tree)
        node = tree.node(step.node)
        said = step.evidence.headline if step.evidence else step.error
        question = f"{step.number}. {node.title} {said}"
        return ask(question, [b.verdict for b in node.branches], proposal)

    opened = Opened(now, start or tree.start(entry), scope)
    incident = Incident("HE-0", alert, now, alert.severity)
    walked = walk(incident, opened, tree, check, partial(choose, ask=ask) if ask else None)
    if why := saw_nothing(walked):
        raise CannotExamine(why)
    return report(walked, candidates(walked, tree, None if ask else check))


def _window(since: datetime, now: datetime) -> Window:
    if since >= now:
        raise CannotExamine(
            f"There is nothing to look at since {words.clock(since)}: the tables are read as "
            f"of {words.clock(now)}, which is not after it. Choose an earlier `--since`, "
            "or a later `--now`."
        )
    return Window(since, now)


def _newest(settings: Settings, clock: datetime, tell: Callable[[str], None]) -> datetime:
    """Just after the newest prediction. One that is dated in the future must not move the window;
    where all are, they go by another clock than ours."""
    everything = settings.warehouse(FAR)
    end = everything.span().end
    if end <= clock:
        return end
    try:
        now = settings.warehouse(clock).span().end
    except CannotExamine:
        return end
    late = everything.predictions(Window(clock, FAR))
    [count] = everything.fetch(late.aggregate(rows=late.count()))["rows"]
    tell(
        f"{words.plural(int(count), 'prediction')} dated after now ({words.clock(clock)}), up to "
        f"{words.clock(end)}, left out. Are the times in another zone? `--now` reads them as well."
    )
    return now


def _no_node(name: str, known: list[str]) -> str:
    near = get_close_matches(name, known, n=1, cutoff=0.4)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    return f"The tree has no node {name!r}.{hint} Nodes: {', '.join(known)}."


def _entry(settings: Settings, subject: str, features: tuple[str, ...]) -> Entry:
    metrics, models = settings.contract.metric_names, [m.name for m in settings.contract.models]
    if subject in metrics:
        return "metric"
    if subject in models:
        return "model"
    if subject in features:
        return "feature"
    known = [*metrics, *models, *features]
    near = get_close_matches(subject, known, n=3, cutoff=0.4)
    hint = f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
    raise UnknownSubjectError(
        f"I know no metric, model or feature {subject!r}.{hint} Metrics: {', '.join(metrics)}."
    )
