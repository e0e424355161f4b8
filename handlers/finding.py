"""Finding earlier incidents: the command `similar`, and `incidents search`."""

from __future__ import annotations

from handlers import blocks as b
from handlers.desk import Desk
from handlers.explore import incident_of
from handlers.messages import words as words_
from handlers.registry import Reply, Request, Unclear, reply
from handlers.standing import name
from handlers.typed import Words, quoted
from state.search import BEGIN, END
from state.search import search as search_in
from state.similar import Match
from state.similar import similar as like

MOST_READ = 500
"""So many incidents back are compared."""
MOST_TOLD = 8


def similar(request: Request, words: Words, desk: Desk) -> Reply:
    """The earlier incidents most like this one, how they ended and how long they took, in the
    thread, with the chart of the likest."""
    del words
    incident = incident_of(request, desk)
    known = [
        i
        for i in desk.store.recent(MOST_READ)
        if desk.may_see(i.id, request.user) and desk.may_tell(i.id, incident.id, request.channel)
    ]
    found = like(incident, known)
    payload = _payload(found, desk) if found else _none()
    desk.say(incident.id, request.channel, request.user, "similar", payload)
    text = f"The answer is in the thread of {incident.id}." if request.via == "slash" else ""
    return reply(text) if text else Reply("")


def _none() -> dict[str, object]:
    text = "No earlier incident is much like this one."
    return b.message(text, [b.section(text)])


def _payload(found: list[Match], desk: Desk) -> dict[str, object]:
    lines = [_line(match, desk) for match in found]
    best = found[0].incident
    charts = [c for s in best.live_steps[:1] if s.evidence for c in s.evidence.charts[:1]]
    count = f"{len(found)} earlier incident{'s' if len(found) > 1 else ''}"
    blocks = [b.section(f"*Similar*: {count} like this one\n" + "\n".join(lines))]
    if charts:
        blocks += [b.context(f"What it looked like in {best.id}"), b.image(charts[0])]
    return b.message(f"{count} like this one; the likest is {best.id}", blocks)


def _line(match: Match, desk: Desk) -> str:
    one = match.incident
    ended = "; ".join(words_.cause_words(desk.tree, c) for c in one.causes[:2]) or one.status
    took = f", took {b.span(match.took)}" if match.took else ", still open"
    shared = b.listed([b.words(s) for s in match.shared], 4)
    alike = f"\n   alike in {shared}" if shared else ""
    return f"• {name(desk, one)} · {b.percent(match.score)} alike · {ended}{took}{alike}"


def search(request: Request, words: Words, desk: Desk) -> Reply:
    """Incidents whose record has all these words, for the one who asks alone."""
    query = " ".join(words)
    if not query:
        known = desk.subjects()
        word = next(iter((*known.features, *known.metrics)), "weather")
        asked = f"incidents search {quoted(word)}"
        raise Unclear(
            f"Search for what? For example `{request.called} {b.escape(asked)}`.",
            (f"Search {word}", asked),
        )
    found = search_in(desk.store, query, lambda channel: desk.may_read(channel, request.user))
    hits = [h for h in found if desk.may_see(h.incident.id, request.user)]
    if not hits:
        return reply(
            f"No incident's record has “{b.escape(b.clip(query, 80))}”.",
            ("Show the newest", "incidents all"),
        )
    lines = []
    for hit in hits[:MOST_TOLD]:
        title = b.line(hit.incident.alert.title or hit.incident.alert.subject, 100)
        excerpt = b.line(hit.excerpt, 300).replace(BEGIN, "*").replace(END, "*")
        lines.append(f"{name(desk, hit.incident)} · {title}\n   {excerpt}")
    more = len(hits) - MOST_TOLD
    return reply("\n".join([*lines, *([f"and {more} more"] if more > 0 else [])]))
