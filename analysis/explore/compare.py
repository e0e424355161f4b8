"""Two snapshots on the same traffic: whose answers moved, and which one did worse."""

from __future__ import annotations

import math
from dataclasses import replace
from difflib import get_close_matches

from analysis import publishes, words
from analysis.answers.links import Link, links
from analysis.charts import explore as charts
from analysis.evidence import CannotExamine, Evidence, How, Scope, Suspect, Table
from analysis.explore.question import SEEN, Misnamed, Question, onset_of
from analysis.publishes import Publish
from analysis.tables import Role
from analysis.warehouse import Warehouse, aware, naive

METHOD = (
    "A gradient-boosted surrogate of the first snapshot, learnt from its own served answers, "
    "answers the second one's requests: inputs are held equal. Losses are compared in pairs on "
    "labelled rows, and sizes with those of other publishes."
)
CLEAR = 2.0
"""A difference in loss of so many standard errors is told as one."""
EARLIER = 2
"""So many other publishes of the model are measured beside it, for comparison."""
MOST_INSTEAD = 3
"""So many pairs are offered where the names are not known."""
SMALL = 0.15
"""A benign retraining moves answers by about this many of their standard deviations."""


def snapshots(warehouse: Warehouse, question: Question) -> Evidence:
    """Compare the two snapshots of ``question.others`` on the second one's traffic.

    Of one, it and the one that served before it. Raises Misnamed with pairs that may have been
    meant, and CannotExamine when too few rows can be compared.
    """
    scope = replace(question.scope, suspects=())
    pair = _pair(warehouse, scope, question)
    usual = [p for p in publishes.publishes(warehouse, scope, ()) if p.model == pair.model]
    others = [p for p in usual if p.snapshot != pair.snapshot]
    begun = onset_of(scope).low
    # One call reads the log once; the pair is the latest of its snapshot's publishes there.
    measured = links(warehouse, scope, [pair, *others[-EARLIER:]], others, begun)
    found = [link for link in measured if link.publish == pair]
    if not found:
        raise CannotExamine(
            f"Too few rows of `{pair.before}` and `{pair.snapshot}` look alike to compare them; "
            "another pair that served the same hours may do."
        )
    return _said(scope, found[0], [link for link in measured if link.publish != pair])


def _pair(warehouse: Warehouse, scope: Scope, question: Question) -> Publish:
    """The pair as a publish: the second in the place of the first."""
    log = warehouse.predictions()
    log = log.filter(
        log[Role.TIME] >= naive(scope.baseline.start), log[Role.TIME] < naive(scope.window.end)
    )
    keys = [Role.MODEL, Role.ARM, Role.SNAPSHOT]
    served = warehouse.fetch(
        log.group_by(keys).aggregate(first=log[Role.TIME].min(), n=log.count())
    )
    newest = served.sort_values("first", ascending=False)[Role.SNAPSHOT]
    every = list(dict.fromkeys(map(str, newest)))
    swaps = publishes.once(reversed(publishes.publishes(warehouse, scope, ())))
    before, after = _named(question, every, swaps, _subject_model(warehouse, scope))
    models = [
        set(served.loc[served[Role.SNAPSHOT] == name, Role.MODEL]) for name in (before, after)
    ]
    shared = sorted(models[0] & models[1])
    if not shared:
        raise Misnamed(
            f"`{before}` and `{after}` are snapshots of different models.",
            _instead(question, [p for p in swaps if p.snapshot in (before, after)]),
        )
    mine = served[(served[Role.MODEL] == shared[0]) & (served[Role.SNAPSHOT] == after)]
    both = set(served.loc[served[Role.SNAPSHOT] == before, Role.ARM]) & set(mine[Role.ARM])
    arm = sorted(both)[0] if both else str(mine.sort_values("n")[Role.ARM].iloc[-1])
    at = aware(mine["first"].min())
    return Publish(str(shared[0]), str(arm), after, before, at, None)


def _subject_model(warehouse: Warehouse, scope: Scope) -> str:
    """The model that the alert is about; "" where it is about none alone."""
    if scope.entry == "model":
        return scope.subject
    own = [m.model for m in warehouse.contract.metrics if m.name == scope.subject]
    return own[0] or "" if own and scope.entry == "metric" else ""


def _named(
    question: Question, every: list[str], swaps: list[Publish], model: str
) -> tuple[str, str]:
    """The names of the two; Misnamed with what there is where one is not known."""
    mine = sorted(swaps, key=lambda p: p.model != model) if model else swaps
    shown = words.listed([f"`{s}`" for s in every], 6)
    there = f"There are, the newest first, {shown}."
    if not question.others:
        raise Misnamed(f"Which two snapshots? {there}", _instead(question, mine))
    near = [_nearest(name, every) for name in question.others]
    unknown = [name for name in question.others if _exact(name, every) is None]
    if unknown:
        meant = [n for n, name in zip(near, question.others, strict=True) if name in unknown and n]
        hint = f" Did you mean {words.listed([f'`{n}`' for n in meant])}?" if meant else ""
        pairs = _corrected(near, swaps)
        instead = (replace(question, others=pairs),) if pairs else _instead(question, mine)
        names = " or ".join(f"`{n}`" for n in unknown)
        raise Misnamed(f"No snapshot {names} served here.{hint} {there}", instead)
    found = [_exact(name, every) or name for name in question.others]
    old = next((p.before for p in swaps if p.snapshot == found[-1]), None)
    if len(found) == 1 and old is not None:
        found.insert(0, old)
    if len(found) == 1:
        raise Misnamed(
            f"`{found[0]}` replaced none in this time; name the other one. {there}",
            _instead(question, [p for p in swaps if p.before == found[0]]),
        )
    if found[0] == found[1]:
        raise Misnamed(
            "Name two different snapshots to compare.",
            _instead(question, [p for p in swaps if found[0] in (p.snapshot, p.before)]),
        )
    return found[0], found[1]


def _corrected(near: list[str | None], swaps: list[Publish]) -> tuple[str, ...]:
    """Two different names of those that are near; of one alone, with what it replaced."""
    known = list(dict.fromkeys(n for n in near if n))
    if len(known) == 1:
        known = [p.before for p in swaps if p.snapshot == known[0]][:1] + known
    return tuple(known) if len(known) == 2 else ()


def _instead(question: Question, swaps: list[Publish]) -> tuple[Question, ...]:
    return tuple(replace(question, others=(p.before, p.snapshot)) for p in swaps[:MOST_INSTEAD])


def _exact(name: str, every: list[str]) -> str | None:
    """The snapshot of that name, or the only one whose name ends so."""
    ends = [s for s in every if s.endswith(name)]
    return name if name in every else ends[0] if len(ends) == 1 else None


def _nearest(name: str, every: list[str]) -> str | None:
    """The snapshot whose name, or its last part, looks most like it; None where none does."""
    parts = {s.rsplit("-", 1)[-1]: s for s in reversed(every)}
    close = get_close_matches(name, [*every, *parts], n=1, cutoff=0.5)
    return _exact(name, every) or (parts.get(close[0], close[0]) if close else None)


def _said(scope: Scope, link: Link, past: list[Link]) -> Evidence:
    pair = link.publish
    headline = _headline(link)
    rows = [(_short(pair), link.size, True)]
    rows += [(_short(p.publish), p.size, False) for p in past]
    alt = "How far answers to the same inputs moved, in standard deviations: " + "; ".join(
        f"{name} {size:.2f}" for name, size, _ in rows
    )
    chart = charts.sizes(rows, headline.split(";")[0].rstrip("."), alt)
    return Evidence(
        SEEN,
        1.0,
        headline,
        suspects=(Suspect("snapshot", pair.snapshot, 0.0),),
        proposed=0,
        charts=(chart,),
        table=_table(link),
        how=How(METHOD, scope.window, scope.baseline, link.rows),
        figures={"answers moved (sd)": link.size, "surrogate R²": link.r2},
    )


def _short(p: Publish) -> str:
    """The two names without the model's, which both share."""
    before, after = (s.removeprefix(p.model).lstrip("-_./ ") or s for s in (p.before, p.snapshot))
    return f"{before} → {after}"


def _headline(link: Link) -> str:
    pair = link.publish
    moved = "about the same answers" if link.size <= SMALL else "other answers"
    text = f"{pair.snapshot} gives {moved} as {pair.before} to the same inputs"
    if link.size > SMALL:
        text = (
            f"{pair.snapshot} gives other answers than {pair.before} to the same inputs: they "
            f"moved by {words.number(link.size)} standard deviations"
        )
    if not math.isfinite(link.worse):
        return f"{text}; no labels tell yet which one is right."
    sure = abs(link.worse) > CLEAR * link.worse_error
    if not sure:
        return f"{text}; on labelled rows neither does clearly better."
    return f"{text}; it does {'worse' if link.worse > 0 else 'better'} on labelled rows."


def _table(link: Link) -> Table:
    loss = (
        f"{link.worse:+.4f} ± {2 * link.worse_error:.4f}"
        if math.isfinite(link.worse)
        else "no labels"
    )
    rows = (
        ("answers moved", f"{link.size:.2f} sd"),
        ("on average by", f"{link.mean:+.2f} sd"),
        ("loss, new − old", loss),
        ("rows compared", f"{link.rows:,}"),
    )
    return Table(("on the same inputs", f"{link.publish.before} → {link.publish.snapshot}"), rows)
