"""Dialogs, the forms before modals: dialog.open, and what apps are told of them.

A dialog is shown as a modal whose input blocks carry the elements' names as their block ids.
"""

from __future__ import annotations

from typing import Any

from bot.workspace.apps import View
from bot.workspace.elements import STATEFUL
from bot.workspace.model import Json, SlackError
from handlers.blockkit.rules import (
    Rule,
    anything,
    fields,
    flag,
    integer,
    listing,
    one_of,
    report,
    string,
    typed,
)

ACTION = "dialog"  # the action_id of every element
COMMON: dict[str, Rule] = {"type": anything, "label": string(48, least=1), "name": string(300)}
OPTIONAL: dict[str, Rule] = {"placeholder": string(150), "optional": flag}
OPTIONS = listing(fields({"label": string(75, least=1), "value": string(75, least=1)}), 100)
GROUPS = listing(fields({"label": string(75, least=1), "options": OPTIONS}), 100)


def _text(longest: int) -> Rule:
    return fields(
        COMMON,
        {
            **OPTIONAL,
            "hint": string(150),
            "value": string(longest),
            "subtype": one_of("email", "number", "tel", "url"),
            "min_length": integer(0, longest),
            "max_length": integer(1, longest),
        },
    )


ELEMENTS: dict[str, Rule] = {
    "text": _text(150),
    "textarea": _text(3000),
    "select": fields(
        COMMON,
        {
            **OPTIONAL,
            "hint": string(150),
            "value": string(),
            "data_source": one_of("static", "users", "channels", "conversations", "external"),
            "options": OPTIONS,
            "option_groups": GROUPS,
            "selected_options": listing(anything, 1),
            "min_query_length": integer(1),
        },
    ),
}
DIALOG = fields(
    {
        "title": string(24, least=1),
        "callback_id": string(255, least=1),
        "elements": listing(typed(ELEMENTS), 10),
    },
    {"submit_label": string(24), "notify_on_cancel": flag, "state": string(3000)},
)


def check(dialog: Any) -> Json:
    """The dialog, if it is one.

    Raises:
        SlackError: validation_errors with the problems.
    """
    found: list[str] = []
    DIALOG(dialog, "/dialog", found)
    if not found:
        names = [element["name"] for element in dialog["elements"]]
        for index, name in enumerate(names):
            if name in names[:index]:
                report(found, "name must be unique", f"/dialog/elements/{index}/name")
    if found:
        raise SlackError("validation_errors", messages=found)
    return dict(dialog)


def view_of(dialog: Json) -> Json:
    """The modal that shows it."""
    return {
        "type": "modal",
        "callback_id": dialog["callback_id"],
        "title": _plain(dialog["title"]),
        "submit": _plain(dialog.get("submit_label") or "Submit"),
        "close": _plain("Cancel"),
        "notify_on_close": bool(dialog.get("notify_on_cancel")),
        "blocks": [_block(element) for element in dialog["elements"]],
    }


def _plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def _block(given: Json) -> Json:
    kind = _select(given) if given["type"] == "select" else _field(given)
    element = {**kind, "action_id": ACTION}
    if given.get("placeholder"):
        element["placeholder"] = _plain(given["placeholder"])
    block: Json = {
        "type": "input",
        "block_id": given["name"],
        "label": _plain(given["label"]),
        "optional": bool(given.get("optional")),
        "element": element,
    }
    return block | ({"hint": _plain(given["hint"])} if given.get("hint") else {})


def _field(given: Json) -> Json:
    subtypes = {"email": "email_text_input", "url": "url_text_input", "number": "number_input"}
    kind = subtypes.get(str(given.get("subtype")), "plain_text_input")
    field: Json = {"type": kind}
    if given.get("value"):
        field["initial_value"] = given["value"]
    if kind == "number_input":
        field["is_decimal_allowed"] = True
    if kind == "plain_text_input":
        field["multiline"] = given["type"] == "textarea"
        field["max_length"] = 3000 if field["multiline"] else 150
        field |= {name: given[name] for name in ("min_length", "max_length") if name in given}
    return field


def _select(given: Json) -> Json:
    source = given.get("data_source", "static")
    if source in ("users", "channels", "conversations"):
        own = {f"initial_{source[:-1]}": given["value"]} if given.get("value") else {}
        return {"type": f"{source}_select", **own}
    if source == "external":
        chosen = [option(one) for one in given.get("selected_options") or []]
        return {"type": "external_select", "min_query_length": 0, **_initial(chosen)}
    if given.get("option_groups"):
        return {"type": "static_select", "option_groups": groups(given["option_groups"])}
    options = [option(one) for one in given.get("options") or []]
    chosen = [one for one in options if one["value"] == given.get("value")]
    return {"type": "static_select", "options": options, **_initial(chosen)}


def _initial(chosen: list[Json]) -> Json:
    return {"initial_option": chosen[0]} if chosen else {}


def option(given: Any) -> Json:
    """A dialog's option as Block Kit has it.

    Raises:
        SlackError: invalid_arguments when it has no label and value.
    """
    if not isinstance(given, dict) or not given.get("label") or not given.get("value"):
        raise SlackError("invalid_arguments", messages=["[ERROR] an option needs label and value"])
    return {"text": _plain(str(given["label"])[:75]), "value": str(given["value"])}


def groups(given: list[Json]) -> list[Json]:
    """Groups of options as Block Kit has them."""
    return [
        {"label": _plain(str(one.get("label"))), "options": [option(o) for o in one["options"]]}
        for one in given
    ]


def submission(view: View) -> Json:
    """What was entered, name to value; null where nothing was."""
    entered: Json = {}
    for block in view.body["blocks"]:
        entry = view.values[block["block_id"]][ACTION]
        value = entry.get(STATEFUL[entry["type"]][0])
        entered[block["block_id"]] = value["value"] if isinstance(value, dict) else value
    return entered


def errors(response: Any) -> dict[str, str]:
    """What the app's acknowledgement complains of, by name of the element; empty: all is well."""
    listed = response.get("errors") if isinstance(response, dict) else None
    return {
        str(one.get("name")): str(one.get("error")) for one in listed or [] if isinstance(one, dict)
    }
