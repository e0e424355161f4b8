"""Alerts from other systems as values: a payload in, alerts and problems out. Pure.

A format is a function from a payload and what is known to :class:`Taken`. A team adds one by a
plugin. An alert about something unknown is no error of the request: it becomes a sentence, and
the others of the same payload are taken.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict

from handlers.desk import Subject, close_to, every, find, nearest
from handlers.payloads import (
    BadPayload,
    Known,
    Taken,
    node_of,
    not_too_many,
    one_line,
    past,
    severity_of,
    validated,
    web_address,
)
from state.incident import Alert, Entry

__all__ = [
    "FORMATS",
    "GENERIC_KEYS",
    "BadPayload",
    "Format",
    "Known",
    "Taken",
    "alertmanager",
    "generic",
]

Format = Callable[[Any, Known], Taken]


class _Unknown(Exception):
    """The alert is about nothing that we know; the message is a sentence."""


# -- Alertmanager ---------------------------------------------------------------------------------


class _Lenient(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class _Firing(_Lenient):
    """One alert of Alertmanager's webhook, version 4."""

    status: Literal["firing", "resolved"]
    labels: dict[str, str]
    annotations: dict[str, str] = {}
    startsAt: AwareDatetime  # noqa: N815 - Alertmanager's name
    generatorURL: str = ""  # noqa: N815
    fingerprint: str = ""


class _Group(_Lenient):
    alerts: tuple[_Firing, ...]
    commonLabels: dict[str, str] = {}  # noqa: N815
    commonAnnotations: dict[str, str] = {}  # noqa: N815


_LABELS: tuple[tuple[str, Entry | None], ...] = (
    ("hawkeye_metric", "metric"),
    ("hawkeye_feature", "feature"),
    ("hawkeye_model", "model"),
    ("metric", "metric"),
    ("feature", "feature"),
    ("model", "model"),
    ("alertname", None),
)
"""Labels that may name the subject, the telling one first. A feature is told before its model."""


def alertmanager(payload: Any, known: Known) -> Taken:
    """Alertmanager's webhook (and what speaks like it). Source of the format: the section
    ``webhook_config`` of Prometheus' documentation on alerting.

    Raises BadPayload.
    """
    group = validated(_Group, payload)
    not_too_many(len(group.alerts))
    alerts, problems = dict[str, Alert](), list[str]()
    for firing in group.alerts:
        labels = {**group.commonLabels, **firing.labels}
        notes = {**group.commonAnnotations, **firing.annotations}
        try:
            alert = _from_labels(firing, labels, notes, known)
        except _Unknown as problem:
            problems.append(str(problem))
        else:
            alerts[alert.key] = alert
    return Taken(tuple(alerts.values()), tuple(dict.fromkeys(problems)))


def _from_labels(
    firing: _Firing, labels: dict[str, str], notes: dict[str, str], known: Known
) -> Alert:
    subject = _labelled(labels, known)
    name = labels.get("alertname", "")
    title = notes.get("summary") or notes.get("title") or f"{name or 'Alert'}: {subject.name}"
    runbook = notes.get("runbook_url", "")
    detail = [notes.get("description") or notes.get("message") or "", runbook]
    return Alert(
        source="alertmanager",
        key=f"alertmanager:{firing.fingerprint or _fingerprint(labels)}",
        entry=subject.entry,
        subject=subject.name,
        title=one_line(title, 200),
        since=past(firing.startsAt, known.now),
        severity=severity_of(labels.get("severity") or labels.get("priority") or ""),
        firing=firing.status == "firing",
        detail="\n".join(filter(None, detail))[:2000],
        url=web_address(firing.generatorURL),
        start=node_of(labels.get("hawkeye_start", ""), known),
        channel=labels.get("hawkeye_channel", ""),
    )


def _labelled(labels: dict[str, str], known: Known) -> Subject:
    """The subject that the labels name; a label of ours that names nothing is an error even if
    a looser one would match."""
    tried: list[tuple[str, str, Entry | None]] = []
    for label, entry in _LABELS:
        value = labels.get(label, "")
        if not value:
            continue
        found = find(known.subjects, value, entry)
        if found is not None:
            return found
        tried.append((label, value, entry))
        if label.startswith("hawkeye_"):
            break
    if not tried:
        raise _Unknown(
            "An alert names nothing: give it a label `hawkeye_metric`, `hawkeye_model` or "
            "`hawkeye_feature`."
        )
    label, value, entry = tried[0]
    raise _Unknown(f"{_nobody_knows(value, entry, known)} (label `{label}`)")


def _nobody_knows(name: str, entry: Entry | None, known: Known) -> str:
    close = close_to(known.subjects, name, entry) or close_to(known.subjects, name)
    shown = close or list(every(known.subjects, entry) or every(known.subjects))[:5]
    names = ", ".join(f"`{s.name}` ({s.entry})" for s in shown) or "nothing: no metric is set up"
    lead = "The nearest are" if close else "Known are"
    what = entry or "metric, model or feature"
    return f"There is no {what} `{one_line(name, 80)}`. {lead} {names}."


def _fingerprint(labels: Mapping[str, str]) -> str:
    text = "\n".join(f"{k}={labels[k]}" for k in sorted(labels))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


# -- the generic format ---------------------------------------------------------------------------


def _blank_is_none(value: Any) -> Any:
    return None if value == "" else value


_Name = Annotated[str | None, BeforeValidator(_blank_is_none)]


class _Generic(BaseModel):
    """One alert of our own format; docs/alerts.md lists its keys from here."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    metric: _Name = None
    """Name of the metric that is off. Exactly one of `metric`, `model`, `feature` is needed."""
    model: _Name = None
    """Name of the model that is off."""
    feature: _Name = None
    """Name of the feature that is off."""
    title: str = ""
    """One line for the channel."""
    since: AwareDatetime | None = None
    """When it began: ISO 8601 with a zone, or seconds since 1970. Without it: now."""
    severity: int | str = 2
    """1 (worst) to 4, or a word such as `critical`, `warning`, `info`."""
    status: Literal["firing", "resolved"] = "firing"
    """`resolved` tells an open thread that the alert is over."""
    key: str = ""
    """The alert's identity: the same key joins its open thread. Without it: the subject."""
    url: str = ""
    """Where a person can look: an http or https address."""
    detail: str = ""
    """More lines about it."""
    start: str = ""
    """The node of the tree at which to begin, when the sender knows better."""
    channel: str = ""
    """The channel in which the thread opens; without it the routes of the settings decide."""


GENERIC_KEYS: dict[str, str] = {
    name: field.description or "" for name, field in _Generic.model_fields.items()
}
"""The keys of the generic format and what they mean."""


def generic(payload: Any, known: Known) -> Taken:
    """Our own format: one alert as an object, or several in a list or under ``alerts``.

    Raises BadPayload.
    """
    items = payload.get("alerts", payload) if isinstance(payload, dict) else payload
    items = items if isinstance(items, list) else [items]
    not_too_many(len(items))
    parsed, wrong = list[_Generic](), list[str]()
    for index, item in enumerate(items):
        where = f"alert {index + 1}: " if len(items) > 1 else ""
        try:
            parsed.append(validated(_Generic, item))
        except BadPayload as bad:
            wrong += [where + problem for problem in bad.problems]
            continue
        wrong += [where + problem for problem in _sense(parsed[-1], known)]
    if wrong:
        raise BadPayload(tuple(wrong))
    alerts, problems = list[Alert](), list[str]()
    for one in parsed:
        try:
            alerts.append(_from_generic(one, known))
        except _Unknown as problem:
            problems.append(str(problem))
    return Taken(tuple(alerts), tuple(problems))


def _sense(item: _Generic, known: Known) -> Iterator[str]:
    """What the types can't say."""
    given = [e for e in ("metric", "model", "feature") if getattr(item, e)]
    if len(given) != 1:
        found = " and ".join(f"`{g}`" for g in given) or "none"
        yield f"`metric`, `model`, `feature`: found {found}, expected exactly one of them"
    if item.start and known.nodes and item.start not in known.nodes:
        close = nearest(item.start, known.nodes)
        meant = f"; did you mean `{close}`?" if close else ""
        yield f"`start`: found {item.start!r}, expected one of {', '.join(known.nodes)}{meant}"
    if item.url and not web_address(item.url):
        yield f"`url`: found {item.url[:80]!r}, expected an http or https address"
    if not severity_of(item.severity, 0):
        expected = "1 (worst) to 4, or a word such as `critical`, `warning`, `info`"
        yield f"`severity`: found {item.severity!r}, expected {expected}"


def _from_generic(item: _Generic, known: Known) -> Alert:
    named: tuple[tuple[Entry, str | None], ...] = (
        ("metric", item.metric),
        ("model", item.model),
        ("feature", item.feature),
    )
    entry, name = next((e, n) for e, n in named if n)
    subject = find(known.subjects, name, entry)
    if subject is None:
        raise _Unknown(_nobody_knows(name, entry, known))
    return Alert(
        source="generic",
        key=f"generic:{item.key or subject}",
        entry=subject.entry,
        subject=subject.name,
        title=one_line(item.title, 200) or f"{subject.name} is off",
        since=past(item.since or known.now, known.now),
        severity=severity_of(item.severity),
        firing=item.status == "firing",
        detail=item.detail[:2000],
        url=item.url,
        start=item.start,
        channel=item.channel,
    )


FORMATS: dict[str, Format] = {"alertmanager": alertmanager, "generic": generic}
"""The formats that we ship, by the last part of their address."""
