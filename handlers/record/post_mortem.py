"""The post-mortem: cause, path, timeline, decisions, evidence, in one document."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from analysis.charts.path import Stop, path_chart
from analysis.evidence import Chart, How
from handlers.blocks import percent, span
from handlers.messages import words
from handlers.messages.excluded import ruled_out
from handlers.record.document import Block, Bullets, Document, Grid, Heading, Paragraph, Picture
from handlers.record.material import Material
from handlers.record.timeline import timeline, title
from state.incident import Cause, Step


def post_mortem(m: Material) -> Document:
    """The whole record of an incident, open or closed."""
    blocks = [*_summary(m), *_path(m), *_timeline(m), *_steps(m), *_beside(m), *_computed(m)]
    head = m.incident.alert.title or m.incident.alert.subject
    return Document(f"{m.incident.id}: {m.text(head)}", tuple(blocks))


def _summary(m: Material) -> Iterator[Block]:
    incident = m.incident
    facts = [
        ("Subject", f"{incident.alert.entry} {incident.alert.subject}"),
        ("Severity", str(incident.severity)),
        ("Began", f"{_time(incident.alert.since)} UTC"),
        ("Opened", f"{_time(incident.opened_at)} UTC"),
        ("Closed", f"{_time(incident.closed_at)} UTC" if incident.closed_at else "still open"),
        ("Lasted", span((incident.closed_at or m.entries[-1].at) - incident.opened_at)),
        ("Owner", m.names(incident.owner) if incident.owner else "nobody"),
        ("Ended as", incident.outcome or incident.status),
        ("Answers", words.answers(incident, m.tree)),
        ("Thread", m.link),
    ]
    yield Grid(("", ""), tuple((name, value) for name, value in facts if value))
    yield Heading("Cause")
    causes = incident.causes or (Cause("unknown", (), 0.0, 0),)
    yield Bullets(tuple(_cause(m, c) for c in causes))
    for name, found in (
        ("Ruled out", ruled_out(incident, m.tree)),
        ("Decided otherwise than proposed", words.overrides(incident, m.tree)),
        ("Skipped", words.skipped(incident, m.tree)),
        ("Could not be looked at", words.not_examined(incident, 1000)),
    ):
        if found:
            yield Heading(name, 3)
            yield Bullets(tuple(m.text(f) for f in found))
    yield from _mitigations(m)
    if incident.follow_ups:
        yield Heading("To be done", 3)
        yield Bullets(tuple(m.text(one) for one in incident.follow_ups))


def _cause(m: Material, cause: Cause) -> str:
    text = m.text(words.cause_words(m.tree, cause))
    if not cause.step:
        return f"{text} (recorded at the end)"
    sure = f" ({percent(cause.confidence)} sure)" if cause.kind != "unknown" else ""
    return text + sure


def _mitigations(m: Material) -> Iterator[Block]:
    if not m.incident.mitigations:
        return
    yield Heading("Mitigations", 3)
    rows = [
        (
            f"{m.title(a.action)}: {a.target.name}",
            a.status,
            m.names(a.confirmed_by or a.asked_by),
            a.result or a.plan,
        )
        for a in m.incident.mitigations
    ]
    yield Grid(("what", "state", "who", "result"), tuple(rows))


def _path(m: Material) -> Iterator[Block]:
    stops = [_stop(m, s) for s in words.answered(m.incident, m.tree)]
    if not stops:
        return
    ends = [m.text(words.cause_words(m.tree, c)) for c in m.incident.causes]
    yield Heading("The path through the tree")
    yield Picture(path_chart(stops, ends))


def _stop(m: Material, step: Step) -> Stop:
    sure = words.sure(step.evidence) if step.evidence else "not looked at"
    by = m.names(step.answer.by) if step.answer else ""
    over = bool(step.answer and step.answer.override and not step.answer.skipped)
    against = f"proposed {m.text(words.proposal(m.tree, step))}, " if over else ""
    return Stop(
        step.number,
        f"{title(m, step)}?",
        m.text(words.answer(m.tree, step)),
        f"{against}{sure} · {by}",
        over,
    )


def _timeline(m: Material) -> Iterator[Block]:
    yield Heading("Timeline")
    rows = tuple((_time(line.at), line.who, line.what) for line in timeline(m))
    yield Grid(("when (UTC)", "who", "what"), rows)


def _steps(m: Material) -> Iterator[Block]:
    yield Heading("Evidence, step by step")
    for step in m.incident.live_steps:
        yield Heading(f"{step.number}. {title(m, step)}?", 3)
        yield from _step(m, step)


def _step(m: Material, step: Step) -> Iterator[Block]:
    found = step.evidence
    if found is None:
        yield Paragraph(step.error or "No check has come back.")
    else:
        yield Paragraph(f"{found.headline} ({words.sure(found)})")
        if found.table:
            yield Grid.of(found.table)
        yield from _pictures(m, found.charts)
        against = [*found.disagreements, *(f"Not looked at: {n}" for n in found.not_examined)]
        if against:
            yield Bullets(tuple(m.text(a) for a in against))
    if step.answer:
        by, at = m.names(step.answer.by), f"{_time(step.answer.at)} UTC"
        over = ", against what was proposed" if step.answer.override else ""
        decided = f"Decided by {by} at {at}{over}: {m.text(words.answer(m.tree, step))}."
        yield Paragraph(f"Left open by {by} at {at}." if step.answer.skipped else decided)


def _pictures(m: Material, charts: tuple[Chart, ...]) -> Iterator[Block]:
    for chart in charts:
        kept = m.chart(chart.id)
        yield Picture(kept) if kept else Paragraph(f"(A chart that is no longer kept: {chart.alt})")


def _beside(m: Material) -> Iterator[Block]:
    told = [look for look in m.looks if look.evidence is not None]
    if told:
        yield Heading("Looked at beside the walk")
    for look in told:
        if look.evidence is not None:
            yield Heading(f"{m.names(look.user)} asked: {look.asked}", 3)
            yield Paragraph(look.evidence.headline)
            yield from _pictures(m, look.evidence.charts)


def _computed(m: Material) -> Iterator[Block]:
    rows = []
    for step in m.incident.live_steps:
        if step.evidence:
            how = step.evidence.how
            rows.append(
                (
                    f"{step.number}. {title(m, step)}",
                    how.method,
                    _rows(how),
                    f"{how.seconds:.1f} s" if how.seconds else "",
                )
            )
    if rows:
        yield Heading("How it was computed")
        yield Grid(("step", "method", "rows", "time"), tuple(rows))


def _rows(how: How) -> str:
    against = f" against {how.baseline_rows:,}" if how.baseline_rows else ""
    return f"{how.rows:,}{against}" if how.rows else ""


def _time(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M}"
