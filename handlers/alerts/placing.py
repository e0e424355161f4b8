"""What an alert is about: its labels say so, else the known names that its words hold.

Every format fills a :class:`Draft` and gives it to :func:`placed`. A label of ours that names
nothing is a mistake, even if a looser label would do. Words count only where they are
unambiguous; what can't be placed becomes a :class:`Stray` for a person, never a lost alert.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from handlers.alerts.figures import without_figures
from handlers.alerts.shared import (
    Known,
    Stray,
    Taken,
    node_of,
    one_line,
    past,
    web_address,
)
from handlers.desk import Subject, called, close_to, every, find, nearest, plain
from state.incident import Alert, Entry

LABELS: tuple[tuple[str, Entry | None], ...] = (
    ("hawkeye_metric", "metric"),
    ("hawkeye_feature", "feature"),
    ("hawkeye_model", "model"),
    ("metric", "metric"),
    ("metric_name", "metric"),
    ("feature", "feature"),
    ("feature_name", "feature"),
    ("model", "model"),
    ("model_name", "model"),
    ("alertname", None),
    ("rulename", None),
)
"""Labels that may name the subject, the telling one first. A feature is told before its model."""
NODE_LABELS = ("hawkeye_upstream", "upstream", "node", "dataset", "table", "pipeline", "job")
"""Labels that may name a node of the lineage."""
OWNER_LABELS = ("hawkeye_owner", "owner", "team")
SHORTEST_WORD = 3
"""Shorter names are not looked for in running text."""


@dataclass(frozen=True)
class Draft:
    """An alert as its sender tells it, before anybody knows what it is about.

    ``name`` is what its sender calls the rule. ``texts`` are searched in turn for known names.
    ``labelled``: the labels are the sender's own, so that they can be told which one is wrong.
    """

    source: str
    key: str
    title: str
    since: datetime
    severity: int
    labels: Mapping[str, str] = field(default_factory=dict)
    texts: tuple[str, ...] = ()
    name: str = ""
    firing: bool = True
    update: str = ""
    detail: str = ""
    url: str = ""
    labelled: bool = True


def taken(drafts: Iterable[Draft], known: Known, problems: Iterable[str] = ()) -> Taken:
    """The drafts as alerts and strays, in order."""
    drafts = list(drafts)
    found = [placed(draft, known) for draft in drafts]
    strays = tuple(f for f in found if isinstance(f, Stray))
    elsewhere = dict.fromkeys(d.labels.get("hawkeye_workspace", "") for d in drafts)
    nowhere = [problem for name in elsewhere if (problem := unknown_workspace(name, known))]
    told = dict.fromkeys([*(_problem(s) for s in strays), *nowhere, *problems])
    alerts = tuple(f for f in found if isinstance(f, Alert))
    return Taken(alerts, tuple(told), strays, () if drafts else (NOTHING,))


NOTHING = "There was no alert in it."


def unknown_workspace(name: str, known: Known) -> str:
    """What is wrong with the name of a workspace; "" when nothing is."""
    if not name or not known.workspaces or name in known.workspaces:
        return ""
    return f"I know no workspace {name[:80]!r}; there are {', '.join(known.workspaces)}."


def _problem(stray: Stray) -> str:
    """What the sender reads: also what would have helped, where no name was given."""
    return stray.sentence if stray.named else f"{stray.sentence} {_HOW}"


def placed(draft: Draft, known: Known) -> Alert | Stray:
    """The alert with its subject, or a stray with a sentence."""
    labels = {k.lower(): v for k, v in draft.labels.items() if v}
    found = _by_labels(draft, labels, known)
    if isinstance(found, str):
        return _stray(draft, labels, found, known, named=True)
    nodes = _nodes(labels, known)
    if found is None and nodes:
        found = known.subjects.nodes.get(nodes[0])
    if found is None:
        found, named, sentence = _by_words(draft, labels, known)
        nodes = nodes or named
        if found is None:
            named_one = any(labels.get(label) for label, _ in LABELS)
            return _stray(draft, labels, sentence, known, named=named_one)
    return _alert(draft, labels, found, _names(found, labels, nodes, known), known)


def _alert(
    draft: Draft,
    labels: Mapping[str, str],
    subject: Subject | None,
    names: tuple[str, ...],
    known: Known,
) -> Alert:
    title = draft.title or f"{draft.name or 'Alert'}{f': {subject.name}' if subject else ''}"
    return Alert(
        source=draft.source,
        key=f"{draft.source}:{draft.key}",
        entry=subject.entry if subject else "metric",
        subject=subject.name if subject else "",
        title=one_line(title, 200),
        since=past(draft.since, known.now),
        severity=draft.severity,
        firing=draft.firing,
        detail=draft.detail[:2000],
        url=web_address(draft.url),
        start=node_of(labels.get("hawkeye_start", ""), known),
        channel=labels.get("hawkeye_channel", ""),
        workspace=labels.get("hawkeye_workspace", ""),
        names=names,
        owner=next((labels[k] for k in OWNER_LABELS if labels.get(k)), ""),
        update=one_line(draft.update, 60),
    )


# -- labels ---------------------------------------------------------------------------------------


def _by_labels(draft: Draft, labels: Mapping[str, str], known: Known) -> Subject | str | None:
    """The subject that labels name; a sentence where one of ours names nothing."""
    for label, entry in LABELS:
        value = labels.get(label, "")
        found = find(known.subjects, value, entry) if value else None
        if found is not None:
            return found
        if value and label.startswith("hawkeye_"):
            return nobody_knows(value, entry, known) + _which(draft, label)
    value = labels.get("hawkeye_upstream", "")
    if value and known.subjects.nodes and not _node(value, known):
        close = nearest(value, list(known.subjects.nodes))
        meant = f" The nearest is `{close}`." if close else ""
        told = f"The lineage has no node `{one_line(value, 80)}`.{meant}"
        return told + _which(draft, "hawkeye_upstream")
    return None


def _which(draft: Draft, label: str) -> str:
    """Which label it was, for whoever wrote the rule."""
    return f" (label `{label}`)" if draft.labelled else ""


def _nodes(labels: Mapping[str, str], known: Known) -> tuple[str, ...]:
    found = (_node(labels[label], known) for label in NODE_LABELS if labels.get(label))
    nodes = tuple(dict.fromkeys(n for n in found if n))
    if nodes or known.subjects.nodes:
        return nodes
    # Without a lineage the sender's word is all there is.
    said = (labels.get(label, "") for label in NODE_LABELS[:2])
    return tuple(dict.fromkeys(one_line(n, 100) for n in said if n))


def _node(name: str, known: Known) -> str:
    if name in known.subjects.nodes:
        return name
    alike = [n for n in known.subjects.nodes if plain(n) == plain(name)]
    return alike[0] if len(alike) == 1 else ""


def _names(
    subject: Subject, labels: Mapping[str, str], nodes: tuple[str, ...], known: Known
) -> tuple[str, ...]:
    """Everything known that the alert names, its subject first unless it is about a node."""
    named = [str(subject)] if not nodes or known.subjects.nodes.get(nodes[0]) != subject else []
    named += [f"upstream:{n}" for n in nodes]
    for label, entry in LABELS:
        also = find(known.subjects, labels[label], entry) if labels.get(label) else None
        named += [str(also)] if also else []
    return tuple(dict.fromkeys(named))


def nobody_knows(name: str, entry: Entry | None, known: Known) -> str:
    """A sentence with the nearest names."""
    close = close_to(known.subjects, name, entry) or close_to(known.subjects, name)
    all_ = list(every(known.subjects, entry) or every(known.subjects))
    shown = close or all_[:5]
    names = ", ".join(f"`{s.name}` ({s.entry})" for s in shown) or "nothing: no metric is set up"
    more = f" and {len(all_) - 5} more" if not close and len(all_) > 5 else ""
    lead = "The nearest are" if len(close) > 1 else "The nearest is" if close else "Known are"
    what = entry or "metric, model or feature"
    return f"There is no {what} `{one_line(name, 80)}`. {lead} {names}{more}."


def fingerprint(labels: Mapping[str, str]) -> str:
    """A key for a sender that gives none: the same labels, the same key."""
    text = "\n".join(f"{k}={labels[k]}" for k in sorted(labels))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


# -- words ----------------------------------------------------------------------------------------


def _by_words(
    draft: Draft, labels: Mapping[str, str], known: Known
) -> tuple[Subject | None, tuple[str, ...], str]:
    """(subject, nodes, why not): the first text that holds known names decides."""
    for text in (draft.title, draft.name, *draft.texts):
        subjects, nodes = mentioned(text, known)
        entries = [s.entry for s in subjects]
        if subjects and len(set(entries)) == len(entries):
            order = {"metric": 0, "feature": 1, "model": 2}
            return min(subjects, key=lambda s: order[s.entry]), nodes, ""
        if subjects:
            listed = ", ".join(f"`{s.name}` ({s.entry})" for s in subjects)
            return None, (), f"“{one_line(text, 80)}” could be about {listed}."
        if nodes:
            return known.subjects.nodes[nodes[0]], nodes, ""
    tried = next(
        ((label, labels[label], entry) for label, entry in LABELS if labels.get(label)), None
    )
    if tried is not None:
        label, value, entry = tried
        return None, (), nobody_knows(value, entry, known) + _which(draft, label)
    what = one_line(draft.title or draft.name, 80)
    about = f"The alert “{what}”" if what else "An alert"
    return None, (), f"{about} names nothing that I know."


_HOW = "Give it a label `hawkeye_metric`, `hawkeye_model` or `hawkeye_feature`."


def mentioned(text: str, known: Known) -> tuple[tuple[Subject, ...], tuple[str, ...]]:
    """Known subjects and nodes whose whole names or titles stand in a text, longer ones first."""
    rest = f" {_spaced(text)} "
    names: dict[str, list[Subject | str]] = {}
    for subject in every(known.subjects):
        for name in called(known.subjects, subject):
            names.setdefault(_spaced(name), []).append(subject)
    for node in known.subjects.nodes:
        names.setdefault(_spaced(node), []).append(node)
    subjects: list[Subject] = []
    nodes: list[str] = []
    for name in sorted(names, key=len, reverse=True):
        if len(name) < SHORTEST_WORD or f" {name} " not in rest:
            continue
        rest = rest.replace(f" {name} ", " · ")
        for meant in names[name]:
            if isinstance(meant, str):
                nodes.append(meant)
            elif meant not in subjects:
                subjects.append(meant)
    return tuple(subjects), tuple(nodes)


def _spaced(text: str) -> str:
    """Words of letters and digits, parted by single spaces; "PrecisionLow" is two words."""
    text = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", text)
    return " ".join(re.sub(r"[\W_]+", " ", text.casefold()).split())


def _stray(
    draft: Draft, labels: Mapping[str, str], sentence: str, known: Known, *, named: bool
) -> Stray:
    said = [labels[label] for label, _ in LABELS if labels.get(label)]
    guesses: dict[Subject, None] = {}
    for text in (draft.title, *draft.texts):
        guesses |= dict.fromkeys(mentioned(text, known)[0])
    for text in (*said, draft.name):
        guesses |= dict.fromkeys(close_to(known.subjects, text))
    node = nearest(labels.get("hawkeye_upstream", ""), list(known.subjects.nodes))
    guesses |= {known.subjects.nodes[node]: None} if node else {}
    alert = _alert(draft, labels, None, _puzzle_names(draft, labels), known)
    return Stray(alert, sentence, tuple(guesses)[:5], named)


def _puzzle_names(draft: Draft, labels: Mapping[str, str]) -> tuple[str, ...]:
    """What is asked about together, and what the answer is remembered for.

    All alerts of one rule are one question: a storm of them is asked about once. An answer is kept
    for the same words alone, as another alert of the rule may be about something else; figures
    don't count ("0.58 instead of 0.71"), for they are others every time, but numbers in names do.
    """
    rule = labels.get("rulename") or labels.get("alertname") or ""
    words = without_figures(draft.title or draft.name or draft.key)
    told = (f"rule {rule}" if rule else "", words)
    return tuple(f"stray:{draft.source}:{one_line(name, 100)}" for name in told if name)
