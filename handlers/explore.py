"""The commands that show something beside the tree: chart, segments, what changed, compare.

A command only reads what is wanted; a worker looks, and the answer comes in the thread.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import get_args

from analysis.evidence import Onset, Scope, Window
from analysis.explore import Question
from analysis.explore.question import Thing
from handlers import times
from handlers.blocks import code, escape, listed
from handlers.desk import Desk, Subjects, likeness, nearest, plain
from handlers.phrases import label, tail, typed_as
from handlers.registry import Reply, Request, Unclear, bare, reply
from handlers.standing import name as shown
from handlers.typed import Words, quoted
from state.incident import Entry, Incident
from state.preferences import window_words

MOST_DAYS = 60
"""No chart shows more days than this."""
AFTER = timedelta(hours=2)
"""So much after its end is shown of an incident that is over."""
CLOSE = 0.6
WEEK = 24.0 * 7
_BETWEEN = frozenset({"snapshot", "snapshots", "with", "to", "and", "vs", "against"})

_ENTRIES: tuple[Entry, ...] = get_args(Entry)


def chart(request: Request, words: Words, desk: Desk) -> Reply:
    """A series with its band, or the levels of a dimension, over so many days."""
    incident = incident_of(request, desk)
    rest, by = _by(words, request, desk)
    rest, hours = _span(rest)
    if not rest:
        rest = (incident.alert.entry, incident.alert.subject)
    scope = scope_of(incident, desk)
    question = Question("chart", scope, hours=hours, by=by)
    thing, name = _series(rest, request, desk, question)
    return _ask(request, desk, incident, replace(question, thing=thing, name=name))


def segments(request: Request, words: Words, desk: Desk) -> Reply:
    """Which segments carry the change of a metric (the incident's where none is named)."""
    incident = incident_of(request, desk)
    said = " ".join(words)
    found: tuple[Thing, str] | None = (incident.alert.entry, incident.alert.subject)
    if said:
        found = _named(desk.subjects(), said)
    question = Question("segments", scope_of(incident, desk))
    if found is None or found[0] not in ("metric", "model"):
        raise _metric_please(said, found, request, desk, question)
    return _ask(request, desk, incident, replace(question, thing=found[0], name=found[1]))


def changed(request: Request, words: Words, desk: Desk) -> Reply:
    """What changed around the onset, nearest first."""
    del words
    incident = incident_of(request, desk)
    return _ask(request, desk, incident, Question("changed", scope_of(incident, desk)))


def compare(request: Request, words: Words, desk: Desk) -> Reply:
    """Two snapshots on the same traffic; where fewer are named, the tables say which there are."""
    incident = incident_of(request, desk)
    names = tuple(w for w in words if w.lower() not in _BETWEEN)
    if len(names) > 2:
        raise Unclear(
            f"I compare two snapshots at a time, not {len(names)}.",
            (label(pair := _pair(incident, desk, names[:2])), typed_as(pair)),
            (label(pair := _pair(incident, desk, names[-2:])), typed_as(pair)),
        )
    return _ask(request, desk, incident, _pair(incident, desk, names))


def _pair(incident: Incident, desk: Desk, names: Words) -> Question:
    return Question("compare", scope_of(incident, desk), others=names)


def guess(request: Request, said: Words, desk: Desk) -> Unclear | None:
    """A word that is no command may be a series: "@hawkeye humidty" means its chart."""
    rest, hours = _span(said)
    near = _close(desk.subjects(), " ".join(rest), 1) if rest else []
    if not near or likeness(" ".join(rest), near[0][1]) < 0.75:
        return None
    asked = f"chart {quoted(near[0][1])}{tail(hours or WEEK, '')}"
    return Unclear(
        f"I know no command {bare(rest[0])}. The chart of {code(near[0][1])}? "
        f"That is `{request.called} {escape(asked)}`.",
        (f"Chart {near[0][1]}, {window_words(hours or WEEK)}", asked),
    )


# -- asking ---------------------------------------------------------------------------------------


def incident_of(request: Request, desk: Desk) -> Incident:
    """The incident that is meant; Unclear when the store has none of that name."""
    found = desk.store.load(request.incident or "")
    if found is None:
        raise Unclear(
            f"I know no incident {bare(request.incident or '')}.",
            ("All incidents", "incidents all"),
        )
    return found


def scope_of(incident: Incident, desk: Desk) -> Scope:
    """What a question about an incident looks at: from its start until now, or shortly after its
    end; with the onset and the filters that the walk has. Unclear while nobody knows what it is
    about: it has no window then."""
    steps = incident.live_steps or incident.steps
    if not steps:
        raise Unclear(f"Say first what {incident.id} is about: pick it on its first message.")
    first, last = steps[0], steps[-1]
    end = desk.now() if incident.closed_at is None else min(desk.now(), incident.closed_at + AFTER)
    start = min(first.scope.window.start, end - timedelta(minutes=30))
    onset: Onset | None = last.scope.onset
    if onset is None and first.evidence is not None:
        onset = first.evidence.onset
    return replace(
        last.scope,
        now=end,
        window=Window(start, end),
        baseline=first.scope.baseline,
        onset=onset,
        suspects=(),
    )


def _ask(request: Request, desk: Desk, incident: Incident, question: Question) -> Reply:
    asked = typed_as(question)
    desk.look(incident.id, request.channel, request.user, asked, question)
    if request.via == "mention" and request.thread_ts:
        return Reply("")  # "Looking…" stands in this very thread
    return reply(f"Looking: `{escape(asked)}`. The answer comes in {shown(desk, incident)}.")


# -- reading --------------------------------------------------------------------------------------


def _by(words: Words, request: Request, desk: Desk) -> tuple[Words, str]:
    """The words before "by" and after the dimension, and the dimension."""
    low = [w.lower() for w in words]
    if "by" not in low:
        return words, ""
    at = low.index("by")
    if at + 1 >= len(words):
        raise _dimension_please("", words[:at], request, desk)
    said, known = words[at + 1], desk.subjects().dimensions
    found = next((d for d in known if plain(d) == plain(said)), None)
    if found is None:
        raise _dimension_please(said, words[:at] + words[at + 2 :], request, desk)
    return words[:at] + words[at + 2 :], found


def _dimension_please(said: str, rest: Words, request: Request, desk: Desk) -> Unclear:
    known = desk.subjects().dimensions
    if not known:
        return Unclear("No dimension is named in the settings ([predictions] dimensions).")
    meant = nearest(said, known) or known[0]
    head = " ".join(map(quoted, rest))
    asked = f"chart {head} by {quoted(meant)}"
    what = f"I know no dimension {bare(said)}." if said else "By what?"
    shown_ = listed([code(d) for d in known], 6)
    return Unclear(
        f"{what} I know {shown_}. For example `{request.called} {escape(asked)}`.",
        (f"Chart {head} by {meant}", asked),
    )


def _span(words: Words) -> tuple[Words, float]:
    """The words without a length of time at their end or start, and its hours (0: none)."""
    for size in (3, 2, 1):
        for at in range(len(words) - size + 1):
            part = " ".join(words[at : at + size])
            hours = _hours(part)
            if hours is not None:
                return words[:at] + words[at + size :], hours
    return words, 0.0


def _hours(text: str) -> float | None:
    low = text.lower().removeprefix("last ").removeprefix("past ")
    low = {"day": "1 day", "week": "1 week", "hour": "1 hour"}.get(low, low)
    if not low[:1].isdigit():
        return None
    try:
        hours = times.span(low) / timedelta(hours=1)
    except times.UnclearTime:
        return None
    if hours > 24 * MOST_DAYS:
        raise Unclear(f"I chart at most {MOST_DAYS} days.", (f"{MOST_DAYS} days", "help chart"))
    return max(hours, 1.0)


def _series(words: Words, request: Request, desk: Desk, wanted: Question) -> tuple[Thing, str]:
    """What is charted; Unclear with the nearest names, each behind a button."""
    known = desk.subjects()
    entry = next((e for e in _ENTRIES if e == words[0].lower()), None) if len(words) > 1 else None
    said = " ".join(words[1:] if entry else words)
    found = _named(known, said, entry)
    if found is not None:
        return found
    close = _close(known, said)
    if not close:
        sample = [*known.metrics[:2], *known.features[:2], *known.infra[:1]]
        first = next((n for _, n in _things(known)), "precision")
        week = replace(wanted, name=first, hours=WEEK, by="")
        raise Unclear(
            f"I know no {bare(said)}. I can chart {listed([code(s) for s in sample], 5)}, and any "
            f"other metric, model, feature or service. For example "
            f"`{request.called} {escape(typed_as(week))}`.",
            (label(week), typed_as(week)),
        )
    raise Unclear(
        f"I know no {bare(said)}. {listed([code(name) for _, name in close])}?",
        *_offered([replace(wanted, thing=thing, name=name) for thing, name in close]),
    )


def _offered(questions: Sequence[Question]) -> list[tuple[str, str]]:
    return [(label(q), typed_as(q)) for q in questions]


def _things(known: Subjects) -> list[tuple[Thing, str]]:
    found: list[tuple[Thing, str]] = [("metric", n) for n in known.metrics]
    found += [("model", n) for n in known.models]
    found += [("feature", n) for n in known.features]
    return found + [("infra", n) for n in known.infra]


def _named(known: Subjects, said: str, entry: Entry | None = None) -> tuple[Thing, str] | None:
    """The thing of that name: exact, else the only one that differs in case and punctuation."""
    things = [t for t in _things(known) if entry in (None, t[0])]
    exact = next((t for t in things if t[1] == said), None)
    if exact is not None or not plain(said):
        return exact
    alike = [t for t in things if plain(t[1]) == plain(said)]
    return alike[0] if len({name for _, name in alike}) == 1 else None


def _close(known: Subjects, said: str, most: int = 3) -> list[tuple[Thing, str]]:
    scored = sorted(((likeness(said, t[1]), t) for t in _things(known)), key=lambda p: -p[0])
    found: dict[str, tuple[Thing, str]] = {}
    for score, thing in scored:
        if score >= CLOSE:
            found.setdefault(thing[1], thing)
    return list(found.values())[:most]


def _metric_please(
    said: str, found: tuple[Thing, str] | None, request: Request, desk: Desk, wanted: Question
) -> Unclear:
    """The nearest metric or model; a feature or a service has no segments, but a chart."""
    known = desk.subjects()
    things = [t for t in _things(known) if t[0] in ("metric", "model")]
    near = found or next(iter(_close(known, said, 1)), None)
    other = near is not None and near[0] not in ("metric", "model")
    if near and other:
        by = known.dimensions[0] if known.dimensions and near[0] == "feature" else ""
        some = [replace(wanted, kind="chart", thing=near[0], name=near[1], by=by)]
    else:
        some = [replace(wanted, thing=t, name=n) for t, n in ([near] if near else things[:3])]
    if found:
        what = f"{code(found[1])} is no metric or model; segments need one."
    else:
        what = f"I know no {bare(said)}."
        what += f" {code(near[1])} has no segments, but a chart." if near and other else ""
    if not some:
        return Unclear(f"{what} No metric or model is named in the settings.")
    example = f"`{request.called} {escape(typed_as(some[0]))}`"
    return Unclear(f"{what} For example {example}.", *_offered(some))
