"""Our own format: the least that a sender has to say, and everything that it may."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict

from handlers.alerts.placing import Draft, taken, unknown_workspace
from handlers.alerts.shared import (
    BadPayload,
    Known,
    Taken,
    not_too_many,
    severity_of,
    validated,
    web_address,
)
from handlers.desk import nearest


def _blank_is_none(value: Any) -> Any:
    return None if value == "" else value


_Name = Annotated[str | None, BeforeValidator(_blank_is_none)]


class _Generic(BaseModel):
    """One alert of our own format; docs/alerts.md lists its keys from here."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    metric: _Name = None
    """Name of the metric that is off. Exactly one of these four is needed."""
    model: _Name = None
    """Name of the model that is off."""
    feature: _Name = None
    """Name of the feature that is off."""
    upstream: _Name = None
    """Name of the node of the lineage that is off, such as a table or a job."""
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
    owner: str = ""
    """The team that owns what is off; routes can ask for it."""
    channel: str = ""
    """The channel in which the thread opens; without it the routes of the settings decide."""
    workspace: str = ""
    """The name of the workspace that has the channel, where the settings name several."""


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
    return taken((_draft(one, known) for one in parsed), known)


def _sense(item: _Generic, known: Known) -> Iterator[str]:
    """What the types can't say."""
    given = [e for e in ("metric", "model", "feature", "upstream") if getattr(item, e)]
    if len(given) != 1:
        found = " and ".join(f"`{g}`" for g in given) or "none"
        four = "`metric`, `model`, `feature`, `upstream`"
        yield f"{four}: found {found}, expected exactly one of them"
    if item.start and known.nodes and item.start not in known.nodes:
        close = nearest(item.start, known.nodes)
        meant = f"; did you mean `{close}`?" if close else ""
        yield f"`start`: found {item.start!r}, expected one of {', '.join(known.nodes)}{meant}"
    if problem := unknown_workspace(item.workspace, known):
        yield f"`workspace`: {problem}"
    if item.url and not web_address(item.url):
        yield f"`url`: found {item.url[:80]!r}, expected an http or https address"
    if not severity_of(item.severity, 0):
        expected = "1 (worst) to 4, or a word such as `critical`, `warning`, `info`"
        yield f"`severity`: found {item.severity!r}, expected {expected}"


def _draft(item: _Generic, known: Known) -> Draft:
    said = {e: getattr(item, e) for e in ("metric", "model", "feature", "upstream")}
    [(entry, name)] = [(e, n) for e, n in said.items() if n]
    labels = {
        f"hawkeye_{entry}": name,
        "hawkeye_start": item.start,
        "hawkeye_channel": item.channel,
        "hawkeye_owner": item.owner,
        "hawkeye_workspace": item.workspace,
    }
    return Draft(
        source="generic",
        key=item.key or f"{entry}:{name}",
        title=item.title or f"{name} is off",
        since=item.since or known.now,
        severity=severity_of(item.severity),
        firing=item.status == "firing",
        labels=labels,
        detail=item.detail,
        url=item.url,
        labelled=False,
    )
