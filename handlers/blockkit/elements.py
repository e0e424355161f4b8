"""Block Kit's composition objects and block elements, as documented by Slack."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from handlers.blockkit.rules import (
    Fields,
    Rule,
    anything,
    at_least_one,
    both,
    exactly_one,
    fields,
    flag,
    integer,
    listing,
    one_of,
    report,
    string,
    typed,
)

KIND: Fields = {"type": anything}
DATE = r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])"
TIME = r"([01]\d|2[0-3]):[0-5]\d"
NUMBER = r"-?\d+(\.\d+)?"


def _text(kinds: tuple[str, ...], most: int, least: int) -> Rule:
    length = string(most, least=least)
    plain = fields({"type": anything, "text": length}, {"emoji": flag})
    mrkdwn = fields({"type": anything, "text": length}, {"verbatim": flag})
    either = typed({"plain_text": plain, "mrkdwn": mrkdwn}, kinds)
    return either if len(kinds) == 1 else _schemas(either)


def _schemas(either: Rule) -> Rule:
    """Slack says first that no kind of text fits, then what is wrong with it."""

    def rule(value: Any, at: str, found: list[str]) -> None:
        inner: list[str] = []
        either(value, at, inner)
        if inner:
            report(found, "failed to match all allowed schemas", at)
            found += inner

    return rule


def text(most: int = 3000, *, least: int = 1) -> Rule:
    """A text object, plain_text or mrkdwn."""
    return _text(("plain_text", "mrkdwn"), most, least)


def plain(most: int, *, least: int = 1) -> Rule:
    """A text object that must be plain_text."""
    return _text(("plain_text",), most, least)


def option(label: Callable[[int], Rule] = plain, *, url: bool = False) -> Rule:
    """An option of a menu; only overflow menus may carry a ``url``."""
    optional = {"description": label(75)} | ({"url": string(3000)} if url else {})
    return fields({"text": label(75), "value": string(150, least=1)}, optional)


OPTION = option()
RICH_OPTION = option(text)
OPTION_GROUP = fields({"label": plain(75), "options": listing(OPTION, 100)})
CONFIRM = fields(
    {"title": plain(100), "text": text(300), "confirm": plain(30), "deny": plain(30)},
    {"style": one_of("primary", "danger")},
)
SLACK_FILE = fields({}, {"id": string(), "url": string(3000)}, extra=exactly_one("id", "url"))
IMAGE_SOURCE: Fields = {"image_url": string(3000, least=1), "slack_file": SLACK_FILE}
DISPATCH = fields(
    {}, {"trigger_actions_on": listing(one_of("on_enter_pressed", "on_character_entered"), 2)}
)
FILTER = fields(
    {},
    {
        "include": listing(one_of("im", "mpim", "private", "public"), 4),
        "exclude_external_shared_channels": flag,
        "exclude_bot_users": flag,
    },
    extra=at_least_one("include", "exclude_external_shared_channels", "exclude_bot_users"),
)

ACTION_ID: Fields = {"action_id": string(255, least=1)}
CONFIRMED: Fields = {"confirm": CONFIRM}
FOCUS: Fields = {"focus_on_load": flag}
PLACEHOLDER: Fields = {"placeholder": plain(150)}
SELECT: Fields = {**KIND, **ACTION_ID, **CONFIRMED, **FOCUS, **PLACEHOLDER}
MOST_SELECTED: Fields = {"max_selected_items": integer(1)}
IDS = listing(string(), least=0)


def _initial_is_an_option(value: Any, at: str, found: list[str]) -> None:
    """``initial_option(s)`` must be among the options, exactly as they stand there."""
    options = list(value.get("options") or [])
    for group in value.get("option_groups") or []:
        options += group.get("options", []) if isinstance(group, dict) else []
    chosen = list(value.get("initial_options") or [])
    if value.get("initial_option") is not None:
        chosen.append(value["initial_option"])
    for entry in chosen:
        if entry not in options:
            report(found, "initial option must exactly match one of the options", at)


def _bounds(low: str, high: str) -> Rule:
    def rule(value: Any, at: str, found: list[str]) -> None:
        try:
            wrong = float(value[low]) > float(value[high])
        except (KeyError, TypeError, ValueError):
            return
        if wrong:
            report(found, f"{low} cannot be greater than {high}", at)

    return rule


def _static(many: bool) -> Rule:
    initial: Fields = (
        {"initial_options": listing(OPTION, 100), **MOST_SELECTED}
        if many
        else {"initial_option": OPTION}
    )
    lists: Fields = {"options": listing(OPTION, 100), "option_groups": listing(OPTION_GROUP, 100)}
    check = both(exactly_one("options", "option_groups"), _initial_is_an_option)
    return fields(KIND, {**SELECT, **lists, **initial}, extra=check)


def _select(**more: Rule) -> Rule:
    return fields(KIND, {**SELECT, **more})


def _choice(initial: str, rule: Rule) -> Rule:
    return fields(
        {**KIND, "options": listing(RICH_OPTION, 10)},
        {**ACTION_ID, **CONFIRMED, **FOCUS, initial: rule},
        extra=_initial_is_an_option,
    )


def _entry(**more: Rule) -> Rule:
    common = {**KIND, **ACTION_ID, **FOCUS, **PLACEHOLDER, "dispatch_action_config": DISPATCH}
    return fields(KIND, {**common, **more})


LABELLED: Fields = {"accessibility_label": string(75)}
FEEDBACK = fields({"text": plain(75), "value": string(2000)}, LABELLED)
BUTTON = fields(
    {**KIND, "text": plain(75)},
    {
        **ACTION_ID,
        **CONFIRMED,
        **LABELLED,
        "url": string(3000),
        "value": string(2000),
        "style": one_of("primary", "danger"),
        "agent_prompt": string(4000),
        "agent_prompt_display": string(),
        "visible_to_user_ids": listing(string(), 10),
    },
)
WORKFLOW = fields(
    {
        "trigger": fields(
            {"url": string(3000)},
            {
                "customizable_input_parameters": listing(
                    fields({"name": string(), "value": anything}), least=0
                )
            },
        )
    }
)
CONVERSATION: Fields = {
    "default_to_current_conversation": flag,
    "filter": FILTER,
}

ELEMENTS: dict[str, Rule] = {
    "button": BUTTON,
    "overflow": fields(
        {**KIND, "options": listing(option(url=True), 5)}, {**ACTION_ID, **CONFIRMED}
    ),
    "static_select": _static(many=False),
    "multi_static_select": _static(many=True),
    "external_select": _select(initial_option=OPTION, min_query_length=integer(0)),
    "multi_external_select": fields(
        KIND,
        {
            **SELECT,
            **MOST_SELECTED,
            "initial_options": listing(OPTION, 100),
            "min_query_length": integer(0),
        },
    ),
    "users_select": _select(initial_user=string()),
    "multi_users_select": fields(KIND, {**SELECT, **MOST_SELECTED, "initial_users": IDS}),
    "conversations_select": fields(
        KIND,
        {
            **SELECT,
            **CONVERSATION,
            "initial_conversation": string(),
            "response_url_enabled": flag,
        },
    ),
    "multi_conversations_select": fields(
        KIND, {**SELECT, **MOST_SELECTED, **CONVERSATION, "initial_conversations": IDS}
    ),
    "channels_select": _select(initial_channel=string(), response_url_enabled=flag),
    "multi_channels_select": fields(KIND, {**SELECT, **MOST_SELECTED, "initial_channels": IDS}),
    "datepicker": _select(initial_date=string(pattern=DATE)),
    "timepicker": _select(initial_time=string(pattern=TIME), timezone=string()),
    "datetimepicker": fields(
        KIND,
        {
            **KIND,
            **ACTION_ID,
            **CONFIRMED,
            **FOCUS,
            "initial_date_time": integer(10**9, 10**10 - 1),
        },
    ),
    "checkboxes": _choice("initial_options", listing(RICH_OPTION, 10)),
    "radio_buttons": _choice("initial_option", RICH_OPTION),
    "plain_text_input": fields(
        KIND,
        {
            **ACTION_ID,
            **FOCUS,
            **PLACEHOLDER,
            "initial_value": string(3000),
            "multiline": flag,
            "min_length": integer(0, 3000),
            "max_length": integer(1, 3000),
            "dispatch_action_config": DISPATCH,
        },
        extra=_bounds("min_length", "max_length"),
    ),
    "number_input": fields(
        {**KIND, "is_decimal_allowed": flag},
        {
            **ACTION_ID,
            **FOCUS,
            **PLACEHOLDER,
            "initial_value": string(pattern=NUMBER),
            "min_value": string(pattern=NUMBER),
            "max_value": string(pattern=NUMBER),
            "dispatch_action_config": DISPATCH,
        },
        extra=_bounds("min_value", "max_value"),
    ),
    "email_text_input": _entry(initial_value=string()),
    "url_text_input": _entry(initial_value=string()),
    "file_input": fields(
        KIND, {**ACTION_ID, "filetypes": listing(string()), "max_files": integer(1, 10)}
    ),
    "workflow_button": fields(
        {**KIND, "text": plain(75), "workflow": WORKFLOW},
        {**ACTION_ID, **LABELLED, "style": one_of("primary", "danger")},
    ),
    "feedback_buttons": fields(
        {**KIND, "positive_button": FEEDBACK, "negative_button": FEEDBACK}, ACTION_ID
    ),
    "icon_button": fields(
        {**KIND, "icon": one_of("trash"), "text": plain(75)},
        {
            **ACTION_ID,
            **CONFIRMED,
            **LABELLED,
            "value": string(2000),
            "visible_to_user_ids": listing(string(), 10),
        },
    ),
    "image": fields(
        {**KIND, "alt_text": string(2000, least=1)},
        IMAGE_SOURCE,
        extra=exactly_one("image_url", "slack_file"),
    ),
    "mrkdwn": text(),
    "plain_text": text(),
}
SELECTS = {
    f"{many}{kind}_select"
    for many in ("", "multi_")
    for kind in ("static", "external", "users", "conversations", "channels")
}
PICKERS = {"datepicker", "timepicker", "checkboxes", "radio_buttons"}
IN_ACTIONS = SELECTS | PICKERS | {"button", "overflow", "datetimepicker", "workflow_button"}
IN_ACTIONS |= {"rich_text_input"}
IN_SECTION = SELECTS | PICKERS | {"button", "overflow", "image", "workflow_button"}
IN_INPUT = SELECTS | PICKERS | {"datetimepicker", "plain_text_input", "number_input"}
IN_INPUT |= {"email_text_input", "url_text_input", "rich_text_input", "file_input"}
IN_CONTEXT = {"image", "mrkdwn", "plain_text"}


def element(allowed: set[str]) -> Rule:
    """A block element of one of the allowed types."""
    return typed(ELEMENTS, allowed)
