"""Block Kit's blocks, as documented by Slack, and where each may stand."""

from __future__ import annotations

from typing import Any

from handlers.blockkit.elements import (
    ACTION_ID,
    DISPATCH,
    ELEMENTS,
    FOCUS,
    IMAGE_SOURCE,
    IN_ACTIONS,
    IN_CONTEXT,
    IN_INPUT,
    IN_SECTION,
    KIND,
    PLACEHOLDER,
    element,
    plain,
    text,
)
from handlers.blockkit.rules import (
    Fields,
    Rule,
    anything,
    at_least_one,
    at_most_one,
    both,
    exactly_one,
    fields,
    flag,
    integer,
    listing,
    nullable,
    number,
    one_of,
    positive,
    report,
    string,
    typed,
)

COMMON: Fields = {"block_id": string(255)}
STYLE_NAMES = ("bold", "italic", "strike", "code", "underline", "highlight", "client_highlight")
STYLE = fields({}, dict.fromkeys((*STYLE_NAMES, "unlink"), flag))
STYLED: Fields = {"style": STYLE}
INLINE: dict[str, Rule] = {
    "text": fields({**KIND, "text": string()}, STYLED),
    "link": fields({**KIND, "url": string()}, {**STYLED, "text": string(), "unsafe": flag}),
    "user": fields({**KIND, "user_id": string()}, STYLED),
    "usergroup": fields({**KIND, "usergroup_id": string()}, STYLED),
    "channel": fields({**KIND, "channel_id": string()}, STYLED),
    "team": fields({**KIND, "team_id": string()}, STYLED),
    "emoji": fields(
        {**KIND, "name": string()}, {**STYLED, "unicode": string(), "skin_tone": anything}
    ),
    "broadcast": fields({**KIND, "range": one_of("here", "channel", "everyone")}, STYLED),
    "color": fields({**KIND, "value": string()}, STYLED),
    "date": fields(
        {**KIND, "timestamp": integer(0), "format": string()},
        {**STYLED, "url": string(), "fallback": string()},
    ),
}
INLINE_LIST = listing(typed(INLINE), least=0)
SECTION_TEXT = fields({**KIND, "elements": INLINE_LIST})
BORDER: Fields = {"border": integer(0)}
RICH: dict[str, Rule] = {
    "rich_text_section": SECTION_TEXT,
    "rich_text_list": fields(
        {**KIND, "elements": listing(SECTION_TEXT, least=0), "style": one_of("bullet", "ordered")},
        {"indent": integer(0, 8), "offset": integer(0), **BORDER},
    ),
    "rich_text_quote": fields({**KIND, "elements": INLINE_LIST}, BORDER),
    "rich_text_preformatted": fields(
        {**KIND, "elements": INLINE_LIST}, {**BORDER, "language": string()}
    ),
}
RICH_TEXT = fields({**KIND, "elements": listing(typed(RICH), least=0)}, COMMON)
ELEMENTS["rich_text_input"] = fields(
    KIND,
    {
        **ACTION_ID,
        **FOCUS,
        **PLACEHOLDER,
        "initial_value": typed({"rich_text": RICH_TEXT}),
        "dispatch_action_config": DISPATCH,
        "min_lines": integer(1, 100),
        "max_lines": integer(1, 100),
    },
)

CELLS: dict[str, Rule] = {
    "raw_text": fields({**KIND, "text": string(least=1)}),
    "rich_text": RICH_TEXT,
}
DATA_CELLS: dict[str, Rule] = {
    **CELLS,
    "raw_number": fields({**KIND, "value": number}, {"text": string()}),
}
CARD_IMAGE = element({"image"})
RICH_FIELD = typed({"rich_text": RICH_TEXT})
SLACK_ICON = typed({"icon": fields({**KIND, "name": string(least=1)})})
TASK = fields(
    {
        "task_id": string(),
        "title": string(),
        "status": one_of("pending", "in_progress", "complete", "error"),
    },
    {
        **COMMON,
        **KIND,
        "details": RICH_FIELD,
        "output": RICH_FIELD,
        "sources": listing(
            typed({"url": fields({**KIND, "url": string(), "text": string()})}), least=0
        ),
    },
)
CARD = fields(
    KIND,
    {
        **COMMON,
        "hero_image": CARD_IMAGE,
        "icon": CARD_IMAGE,
        "slack_icon": SLACK_ICON,
        "title": text(150),
        "subtitle": text(150),
        "body": text(200),
        "subtext": text(200),
        "actions": listing(element({"button"}), 3),
    },
    extra=both(
        at_least_one("hero_image", "title", "actions", "body"), at_most_one("icon", "slack_icon")
    ),
)


def _plain_head_and_same_length(value: Any, at: str, found: list[str]) -> None:
    rows = value.get("rows")
    head = rows[0] if isinstance(rows, list) and rows and isinstance(rows[0], list) else []
    for index, cell in enumerate(head):
        if isinstance(cell, dict) and cell.get("type") == "rich_text":
            report(found, "unsupported type: rich_text", f"{at}/rows/0/{index}/type")
    if isinstance(rows, list) and len({len(row) for row in rows if isinstance(row, list)}) > 1:
        report(found, "all rows must have the same number of cells", f"{at}/rows")


def _chart_agrees(value: Any, at: str, found: list[str]) -> None:
    """Every series has a name of its own and one point for every category."""
    series = [one for one in value.get("series") or [] if isinstance(one, dict)]
    names = [one.get("name") for one in series]
    if len(set(map(str, names))) != len(names):
        report(found, "series names must be unique", f"{at}/series")
    config = value.get("axis_config")
    categories = config.get("categories") if isinstance(config, dict) else None
    for index, one in enumerate(series):
        labels = [p.get("label") for p in one.get("data") or [] if isinstance(p, dict)]
        if isinstance(categories, list) and sorted(map(str, labels)) != sorted(
            map(str, categories)
        ):
            report(found, "data must cover each category once", f"{at}/series/{index}/data")


POINT = fields({"label": string(20, least=1), "value": number})
SEGMENT = fields({"label": string(20, least=1), "value": positive})
SERIES = fields({"name": string(20, least=1), "data": listing(POINT, 20)})
AXES = fields(
    {"categories": listing(string(20, least=1), 20)},
    {"x_label": string(50), "y_label": string(50)},
)
XY_CHART = fields({**KIND, "series": listing(SERIES, 12), "axis_config": AXES}, extra=_chart_agrees)
CHARTS: dict[str, Rule] = {
    "pie": fields({**KIND, "segments": listing(SEGMENT, 12)}),
    "bar": XY_CHART,
    "area": XY_CHART,
    "line": XY_CHART,
}
COLUMN = fields({}, {"align": one_of("left", "center", "right"), "is_wrapped": flag})


def _no_dispatch_for_files(value: Any, at: str, found: list[str]) -> None:
    inner = value.get("element")
    kind = inner.get("type") if isinstance(inner, dict) else None
    if value.get("dispatch_action") and kind == "file_input":
        report(found, "unsupported type: file_input", f"{at}/element/type")


BLOCKS: dict[str, Rule] = {
    "section": fields(
        KIND,
        {
            **COMMON,
            "text": text(3000),
            "fields": listing(text(2000), 10),
            "accessory": element(IN_SECTION),
            "expand": flag,
        },
        extra=at_least_one("text", "fields"),
    ),
    "header": fields({**KIND, "text": plain(150)}, COMMON),
    "divider": fields(KIND, COMMON),
    "context": fields({**KIND, "elements": listing(element(IN_CONTEXT), 10)}, COMMON),
    "actions": fields({**KIND, "elements": listing(element(IN_ACTIONS), 25)}, COMMON),
    "context_actions": fields(
        {**KIND, "elements": listing(element({"feedback_buttons", "icon_button"}), 5)}, COMMON
    ),
    "image": fields(
        {**KIND, "alt_text": string(2000, least=1)},
        {**COMMON, **IMAGE_SOURCE, "title": plain(2000)},
        extra=exactly_one("image_url", "slack_file"),
    ),
    "input": fields(
        {**KIND, "label": plain(2000), "element": element(IN_INPUT)},
        {**COMMON, "hint": plain(2000), "optional": flag, "dispatch_action": flag},
        extra=_no_dispatch_for_files,
    ),
    "rich_text": RICH_TEXT,
    "markdown": fields({**KIND, "text": string(12_000, least=1)}, COMMON),
    "table": fields(
        {**KIND, "rows": listing(listing(typed(CELLS), 20), 100)},
        {**COMMON, "column_settings": listing(nullable(COLUMN), 20, least=0)},
    ),
    "data_table": fields(
        {
            **KIND,
            "rows": listing(listing(typed(DATA_CELLS), 20), 101, least=2),
            "caption": string(least=1),
        },
        {**COMMON, "page_size": integer(1, 100), "row_header_column_index": integer(0, 19)},
        extra=_plain_head_and_same_length,
    ),
    "data_visualization": fields(
        {**KIND, "title": string(50, least=1), "chart": typed(CHARTS)}, COMMON
    ),
    "file": fields({**KIND, "external_id": string(255), "source": one_of("remote")}, COMMON),
    "video": fields(
        {
            **KIND,
            "alt_text": string(least=1),
            "title": plain(199),
            "thumbnail_url": string(),
            "video_url": string(pattern="https://.*"),
        },
        {
            **COMMON,
            "author_name": string(49),
            "description": plain(199),
            "provider_icon_url": string(),
            "provider_name": string(),
            "title_url": string(pattern="https://.*"),
        },
    ),
    "alert": fields(
        {**KIND, "text": text(200)},
        {**COMMON, "level": one_of("default", "info", "warning", "error", "success")},
    ),
    "card": CARD,
    "carousel": fields({**KIND, "elements": listing(typed({"card": CARD}), 10)}, COMMON),
    "task_card": TASK,
    "plan": fields(
        {**KIND, "title": string()},
        {**COMMON, "tasks": listing(typed({"task_card": TASK}, default="task_card"), least=0)},
    ),
}
BLOCKS["container"] = fields(
    {**KIND, "child_blocks": listing(typed(BLOCKS), 10)},
    {
        **COMMON,
        "title": plain(150),
        "rich_text_title": RICH_FIELD,
        "subtitle": text(150),
        "width": one_of("narrow", "standard", "wide", "full"),
        "icon": CARD_IMAGE,
        "is_collapsible": flag,
        "default_collapsed": flag,
        "has_header_divider": flag,
    },
    extra=at_least_one("title", "rich_text_title"),
)

MESSAGES_ONLY = {"markdown", "table", "data_table", "data_visualization", "file", "task_card"}
MESSAGES_ONLY |= {"plan", "card", "carousel", "container", "context_actions"}
EVERYWHERE = set(BLOCKS) - MESSAGES_ONLY - {"alert"}
ON_SURFACE: dict[str, set[str]] = {
    "message": EVERYWHERE | MESSAGES_ONLY,
    "modal": EVERYWHERE | {"alert"},
    "home": EVERYWHERE,
}
