"""Small typed builders of Block Kit, with what every text needs: escaping, and a limit.

Texts that come from people or data go through :func:`escape`, :func:`code` or :func:`line`
before they meet mrkdwn; builders cut to Slack's limits and never leave a text empty, which
Slack refuses.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from analysis.evidence import Chart, Table
from analysis.words import listed as listed

Block = dict[str, Any]

NBSP = "\u00a0"
MOST_BLOCKS = 50
SECTION = 3000
OPTION_TEXT = 75
OPTION_VALUE = 150
NEAR = timedelta(hours=18)
"""A moment this close to the reader's incident needs no date."""
FAR = "{date_short_pretty} {time}"

_SPACE = re.compile(r"\s+")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2066-\u2069]")
_PERSON = re.compile(r"[UW][A-Z0-9]{2,}")
_LINK = re.compile(r"https?://[^\s<>|\"]+")
_MOMENT = re.compile(r"\b(\d{4}-\d\d-\d\d \d\d:\d\d) UTC\b")
"""A moment as :func:`analysis.words.clock` writes it."""


# -- texts ------------------------------------------------------------------------------------


def escape(text: str) -> str:
    """Text for mrkdwn: the three characters that Slack reads as control, written out."""
    text = _CONTROL.sub("", text)
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def clip(text: str, most: int) -> str:
    """At most ``most`` characters, never cut inside an entity, a mention or a link."""
    if len(text) <= most:
        return text
    cut = text[: max(most - 2, 0)]
    for opening, closing in (("<", ">"), ("&", ";")):
        start = cut.rfind(opening)
        if start > cut.rfind(closing) and (opening == "<" or len(cut) - start < 6):
            cut = cut[:start]
    return cut.rstrip() + ("`" if cut.count("`") % 2 else "") + "…"


def line(text: str, most: int = 600, near: datetime | None = None) -> str:
    """Somebody's text as one escaped line of mrkdwn, its moments in the reader's zone.

    A moment that is close to ``near`` is told without its date.
    """
    return zoned(escape(clip(_SPACE.sub(" ", text).strip(), most)), near)


def zoned(text: str, near: datetime | None = None) -> str:
    """mrkdwn in which the moments of a finding ("2013-07-01 14:05 UTC") are Slack's dates."""

    def token(found: re.Match[str]) -> str:
        moment = _moment(found[1])
        # A finding says "at" it, which "today" does not take.
        return clock(moment, near, "{date_short} {time}") if moment else found[0]

    return _MOMENT.sub(token, text)


def _moment(written: str) -> datetime | None:
    try:
        return datetime.fromisoformat(written).replace(tzinfo=UTC)
    except ValueError:
        return None


def code(name: str, most: int = 48) -> str:
    """A name as it is written in the data: in code, on one line."""
    flat = clip(_SPACE.sub(" ", name.replace("`", "'")).strip(), most)
    return f"`{escape(flat) or '?'}`"


def words(name: str, most: int = 48) -> str:
    """A name for plain text (a button, an option): on one line, cut."""
    return clip(_SPACE.sub(" ", _CONTROL.sub("", name)).strip(), most) or "?"


def person(user: str) -> str:
    """A mention; a name that is no Slack id as it stands, nobody as "somebody"."""
    if _PERSON.fullmatch(user):
        return f"<@{user}>"
    return line(user, 60) or "somebody"


def link(url: str, label: str) -> str:
    """A link; only its label where the address is not one that Slack takes."""
    if not _LINK.fullmatch(url) or len(url) > 1000:
        return label
    return f"<{url.replace('&', '&amp;')}|{label}>"


def clock(moment: datetime, near: datetime | None = None, far: str = FAR) -> str:
    """A moment in the reader's zone: the time; with its date when it is far from ``near``."""
    form, fallback = _shown(moment, near, far)
    return f"<!date^{int(moment.timestamp())}^{form}|{fallback}>"


def _shown(moment: datetime, near: datetime | None, far: str = FAR) -> tuple[str, str]:
    """How Slack is to write a moment, and how it is written where Slack can't."""
    moment = moment.astimezone(UTC)
    if near is not None and abs(moment - near) < NEAR:
        return "{time}", f"{moment:%H:%M} UTC"
    return far, f"{moment.day} {moment:%b %H:%M} UTC"


def percent(share: float) -> str:
    """0.976 as "98%"; only a true 1 is 100%."""
    if share != share:
        return "?%"
    if 0.995 <= share < 1:
        return "over 99%"
    if 0 < share < 0.005:
        return "under 1%"
    return f"{share * 100:.0f}%".replace("-0", "0", 1 if abs(share) < 0.005 else 0)


def count(number: int) -> str:
    """41200 as "41,200"."""
    return f"{number:,}"


def figure(number: float) -> str:
    """A number with as many digits as a reader can use."""
    if number != number or number in (float("inf"), float("-inf")):
        return "not a number" if number != number else "infinite"
    if number == int(number) and abs(number) < 1e12:
        return f"{int(number):,}"
    return f"{number:,.0f}" if 1000 <= abs(number) < 1e12 else f"{number:.3g}"


def span(length: timedelta) -> str:
    """A duration: "under a minute", "63 min", "3 h 20 min", "2 days"."""
    minutes = int(length.total_seconds() // 60)
    if minutes < 1:
        return "under a minute"
    if minutes < 120:
        return f"{minutes}{NBSP}min"
    hours, rest = divmod(minutes, 60)
    if hours < 48:
        return f"{hours}{NBSP}h" + (f" {rest}{NBSP}min" if rest and hours < 12 else "")
    return f"{hours // 24} days"


# -- objects and elements -----------------------------------------------------------------------


def plain(text: str, most: int) -> Block:
    """A plain_text object; emoji codes stay as typed (a name may hold ``:b:``)."""
    return {"type": "plain_text", "text": words(text, most), "emoji": False}


def mrkdwn(text: str, most: int = SECTION) -> Block:
    """A mrkdwn object."""
    text = clip(text, most)
    return {"type": "mrkdwn", "text": text if text.strip() else "–"}


def confirm(title: str, text: str, yes: str, no: str) -> Block:
    """A dialog that asks again before a dangerous button counts."""
    return {
        "title": plain(title, 100),
        "text": plain(text, 300),
        "confirm": plain(yes, 30),
        "deny": plain(no, 30),
        "style": "danger",
    }


def button(
    text: str, action_id: str, value: str, *, style: str = "", sure: Block | None = None
) -> Block:
    """A button; ``style`` is "", "primary" or "danger", ``sure`` a dialog of :func:`confirm`."""
    found: Block = {
        "type": "button",
        "text": plain(text, 75),
        "action_id": action_id[:255],
        "value": value,
    }
    if style:
        found["style"] = style
    if sure:
        found["confirm"] = sure
    return found


def option(text: str, value: str, description: str = "") -> Block:
    """An option of a menu; ``value`` at most 150 characters."""
    found: Block = {"text": plain(text, OPTION_TEXT), "value": value}
    if description:
        found["description"] = plain(description, OPTION_TEXT)
    return found


def overflow(action_id: str, options: Iterable[Block]) -> Block:
    """A ⋯ menu; Slack shows at most five options."""
    return {"type": "overflow", "action_id": action_id, "options": list(options)[:5]}


def select(action_id: str, placeholder: str, options: Sequence[Block]) -> Block:
    """A menu to pick one of at most a hundred options from."""
    return {
        "type": "static_select",
        "action_id": action_id,
        "placeholder": plain(placeholder, 150),
        "options": list(options)[:100],
    }


# -- blocks -------------------------------------------------------------------------------------


def section(text: str, accessory: Block | None = None) -> Block:
    """A paragraph of mrkdwn, with a menu or button at its side."""
    found: Block = {"type": "section", "text": mrkdwn(text)}
    if accessory:
        found["accessory"] = accessory
    return found


def context(text: str) -> Block:
    """A small grey line."""
    return {"type": "context", "elements": [mrkdwn(text, 1500)]}


def actions(*elements: Block | None) -> list[Block]:
    """A row of buttons; no block at all when there is none."""
    kept = [e for e in elements if e is not None][:25]
    return [{"type": "actions", "elements": kept}] if kept else []


def image(chart: Chart) -> Block:
    """A chart, uploaded and replaced by its file when the message is sent.

    It has no title of its own: the picture holds one already.
    """
    alt = words(chart.alt or chart.title, 1900)
    return {"type": "image", "chart": chart.id, "alt_text": alt if alt != "?" else "A chart"}


def table(
    found: Table, rows: int = 5, columns: int = 4, near: datetime | None = None
) -> list[Block]:
    """A small table, cut to what a phone shows; no block when it has no cells.

    A cell that is a moment is shown in the reader's zone, as :func:`clock` does.
    """
    width = min(columns, max([len(found.headers), *(len(r) for r in found.rows)], default=0))
    if not width or not found.rows:
        return []
    lines = [found.headers, *found.rows[:rows]]
    cells = [[_cell(row[i] if i < len(row) else "", near) for i in range(width)] for row in lines]
    blocks: list[Block] = [
        {"type": "table", "rows": cells, "column_settings": [{"is_wrapped": True}] * width}
    ]
    more = len(found.rows) - rows
    if more > 0:
        blocks.append(context(f"and {more} more row{'s' if more > 1 else ''} under “How?”"))
    return blocks


def _cell(text: str, near: datetime | None) -> Block:
    flat = words(text, 120)
    found = _MOMENT.fullmatch(flat)
    moment = _moment(found[1]) if found else None
    if moment:
        form, fallback = _shown(moment, near)
        date: Block = {"type": "date", "timestamp": int(moment.timestamp())}
        date |= {"format": form, "fallback": fallback}
        part = {"type": "rich_text_section", "elements": [date]}
        return {"type": "rich_text", "elements": [part]}
    return {"type": "raw_text", "text": flat if flat != "?" else "–"}


def message(text: str, blocks: Sequence[Block]) -> dict[str, Any]:
    """A payload: ``text`` is what a lock screen shows."""
    return {"text": clip(text, 400) or "–", "blocks": list(blocks)[:MOST_BLOCKS]}


# -- forms --------------------------------------------------------------------------------------


def field_text(name: str, *, multiline: bool = False, placeholder: str = "") -> Block:
    """A text field of at most 3,000 characters."""
    found: Block = {"type": "plain_text_input", "action_id": name, "max_length": 3000}
    if multiline:
        found["multiline"] = True
    if placeholder:
        found["placeholder"] = plain(placeholder, 150)
    return found


def entry(name: str, label: str, element: Block, *, optional: bool = False) -> Block:
    """A field of a form; its ``block_id`` is the field's name."""
    return {
        "type": "input",
        "block_id": name,
        "label": plain(label, 150),
        "element": element,
        "optional": optional,
    }


def modal(
    callback: str, title: str, metadata: str, blocks: Sequence[Block], submit: str = ""
) -> Block:
    """A form; without ``submit`` it can only be read."""
    found: Block = {
        "type": "modal",
        "callback_id": callback,
        "title": plain(title, 24),
        "close": plain("Cancel" if submit else "Close", 24),
        "private_metadata": metadata,
        "blocks": list(blocks)[:100],
    }
    if submit:
        found["submit"] = plain(submit, 24)
    return found


def notice(title: str, text: str) -> Block:
    """A form that only says something, in plain text."""
    return notice_of(title, escape(text))


def notice_of(title: str, text: str) -> Block:
    """A form that only says something, in mrkdwn."""
    return modal("notice", title, "", [section(text)])
