"""Interactive elements inside blocks: where they are, their ids, and what is entered in them."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from typing import Any

from bot.workspace.model import Json

# For each stateful element: the key of its value in ``state.values`` and of its initial value.
STATEFUL: dict[str, tuple[str, str]] = {
    "checkboxes": ("selected_options", "initial_options"),
    "radio_buttons": ("selected_option", "initial_option"),
    "static_select": ("selected_option", "initial_option"),
    "external_select": ("selected_option", "initial_option"),
    "users_select": ("selected_user", "initial_user"),
    "conversations_select": ("selected_conversation", "initial_conversation"),
    "channels_select": ("selected_channel", "initial_channel"),
    "multi_static_select": ("selected_options", "initial_options"),
    "multi_external_select": ("selected_options", "initial_options"),
    "multi_users_select": ("selected_users", "initial_users"),
    "multi_conversations_select": ("selected_conversations", "initial_conversations"),
    "multi_channels_select": ("selected_channels", "initial_channels"),
    "datepicker": ("selected_date", "initial_date"),
    "timepicker": ("selected_time", "initial_time"),
    "datetimepicker": ("selected_date_time", "initial_date_time"),
    "plain_text_input": ("value", "initial_value"),
    "number_input": ("value", "initial_value"),
    "email_text_input": ("value", "initial_value"),
    "url_text_input": ("value", "initial_value"),
    "rich_text_input": ("rich_text_value", "initial_value"),
    "file_input": ("files", "initial_files"),
}
STATELESS = {"button", "overflow", "workflow_button", "icon_button", "feedback_buttons"}
LISTS = {"checkboxes", "multi_static_select", "multi_external_select", "multi_users_select"} | {
    "multi_conversations_select",
    "multi_channels_select",
    "file_input",
}


def interactive(block: Json) -> Iterator[Json]:
    """The interactive elements of one block, nested blocks included."""
    candidates: list[Any] = [block.get("accessory"), block.get("element")]
    for name in ("elements", "actions", "child_blocks"):
        found = block.get(name)
        candidates += found if isinstance(found, list) else []
    for item in candidates:
        if not isinstance(item, dict):
            continue
        if item.get("type") in STATEFUL or item.get("type") in STATELESS:
            yield item
        elif item.get("type") in ("card", "container", "actions", "section", "input"):
            yield from interactive(item)


def with_ids(blocks: list[Json], source: random.Random) -> list[Json]:
    """A deep copy in which every block has a block_id and every element an action_id."""
    copied = copy.deepcopy(blocks)
    for block in copied:
        if not block.get("block_id"):
            block["block_id"] = _name(source)
        for element in interactive(block):
            if not element.get("action_id"):
                element["action_id"] = _name(source)
    return copied


def _name(source: random.Random) -> str:
    return "".join(source.choice("abcdefghijkmnpqrstuvwxyzABCDEFGH0123456789+") for _ in range(5))


def initial_values(blocks: list[Json]) -> Json:
    """``state.values`` before anybody has entered anything."""
    values: Json = {}
    for block in blocks:
        for element in interactive(block):
            if element["type"] not in STATEFUL:
                continue
            key, initial = STATEFUL[element["type"]]
            empty: Any = [] if element["type"] in LISTS else None
            entry = {"type": element["type"], key: element.get(initial, empty)}
            values.setdefault(block["block_id"], {})[element["action_id"]] = entry
    return values


def merged(values: Json, entered: Json | None) -> Json:
    """``values`` with what a person has entered; unknown ids are ignored, as Slack's client would.

    ``entered`` is {"values": {block_id: {action_id: {…}}}} or its inner part. Each entry may leave
    out its type. An emptied text field is None, as in Slack.
    """
    inner = (entered or {}).get("values", entered or {})
    result = copy.deepcopy(values)
    for block_id, actions in inner.items():
        for action_id, entry in actions.items():
            if action_id in result.get(block_id, {}):
                filled = {key: None if value == "" else value for key, value in entry.items()}
                result[block_id][action_id] = {**result[block_id][action_id], **filled}
    return result


def find(
    blocks: list[Json], action_id: str, block_id: str | None = None, value: str | None = None
) -> tuple[Json, Json]:
    """The block and the element with this action_id.

    A message that is updated gets new block_ids, perhaps while somebody is pressing a button that
    stays: a ``block_id`` that is gone names the one element with this action_id and ``value``.

    Raises:
        LookupError: there is none; says which there are.
    """
    every = [(block, element) for block in blocks for element in interactive(block)]
    named = [(block, element) for block, element in every if element["action_id"] == action_id]
    for block, element in named:
        if block_id in (None, block["block_id"]):
            return block, element
    still = [found for found in named if value in (None, found[1].get("value"))]
    if len(still) == 1 and block_id not in [block["block_id"] for block in blocks]:
        return still[0]
    seen = ", ".join(element["action_id"] for _, element in every)
    raise LookupError(f"no element {action_id!r}; there are {seen or 'none'}")


def find_text(blocks: list[Json], text: str) -> tuple[Json, Json, Json | None]:
    """The block, the element and (in a menu) the option that shows this text.

    Raises:
        LookupError: there is none; says what is shown.
    """
    seen: list[str] = []
    for block in blocks:
        for element in interactive(block):
            label = _text(element.get("text"))
            seen.append(label)
            if label == text:
                return block, element, None
            for option in options_of(element):
                seen.append(_text(option.get("text")))
                if seen[-1] == text:
                    return block, element, option
    shown = ", ".join(repr(label) for label in seen if label)
    raise LookupError(f"nothing shows {text!r}; there are {shown or 'no labels'}")


def options_of(element: Json) -> list[Json]:
    """All options of a menu, groups flattened."""
    options = list(element.get("options") or [])
    for group in element.get("option_groups") or []:
        options += group.get("options", [])
    return options


def _text(value: Any) -> str:
    return str(value.get("text", "")) if isinstance(value, dict) else ""


def problems_of_input(blocks: list[Json], values: Json) -> dict[str, str]:
    """What Slack's own client would refuse in a modal before submitting: block_id to sentence."""
    wrong: dict[str, str] = {}
    for block in blocks:
        if block.get("type") != "input":
            continue
        element = block["element"]
        entry = values.get(block["block_id"], {}).get(element["action_id"], {})
        value = entry.get(STATEFUL[element["type"]][0])
        if value in (None, "", []):
            if not block.get("optional"):
                wrong[block["block_id"]] = "Please complete this required field."
        else:
            complaint = _complaint(element, value)
            if complaint:
                wrong[block["block_id"]] = complaint
    return wrong


def _complaint(element: Json, value: Any) -> str:
    kind = element["type"]
    if kind == "plain_text_input":
        return _length(element, str(value))
    if kind == "number_input":
        return _number(element, str(value))
    if kind == "email_text_input" and ("@" not in value or " " in value):
        return "Please enter a valid email address."
    if kind == "url_text_input" and not str(value).startswith(("http://", "https://")):
        return "Please enter a valid URL."
    if kind == "file_input":
        return _files(element, value)
    most = element.get("max_selected_items")
    if most and isinstance(value, list) and len(value) > most:
        return f"Please choose at most {most}."
    return ""


def _files(element: Json, value: Any) -> str:
    most = element.get("max_files", 10)
    if len(value) > most:
        return f"Please choose at most {most} files."
    kinds = [kind.lower() for kind in element.get("filetypes") or []]
    endings = {str(file.get("name", "")).rpartition(".")[2].lower() for file in value}
    if kinds and endings - set(kinds):
        return f"Please choose files of these types: {', '.join(kinds)}."
    return ""


def _length(element: Json, value: str) -> str:
    if len(value) < element.get("min_length", 0):
        return f"Please enter at least {element['min_length']} characters."
    if len(value) > element.get("max_length", 3000):
        return f"Please enter at most {element.get('max_length', 3000)} characters."
    return ""


def _number(element: Json, value: str) -> str:
    try:
        number = float(value)
    except ValueError:
        return "Please enter a number."
    if not element.get("is_decimal_allowed") and number != int(number):
        return "Please enter a whole number."
    if "min_value" in element and number < float(element["min_value"]):
        return f"Please enter a number of at least {element['min_value']}."
    if "max_value" in element and number > float(element["max_value"]):
        return f"Please enter a number of at most {element['max_value']}."
    return ""


def option_named(element: Json, name: str) -> Json:
    """The option with this value or label.

    Raises:
        LookupError: there is none; says which there are.
    """
    offered = options_of(element)
    for option in offered:
        if name in (option.get("value"), _text(option.get("text"))):
            return option
    values = ", ".join(repr(option.get("value")) for option in offered)
    raise LookupError(f"no option {name!r}; there are {values or 'none'}")


def action(element: Json, block: Json, value: Json, chosen: Json | None, ts: str) -> Json:
    """Slack's action object for an act on an element.

    ``value`` holds fields as Slack names them (``selected_option``, ``value``, …), ``chosen`` is
    the option that was picked. A button's own text and value are filled in.
    """
    kind = element["type"]
    body: Json = {"type": kind, "action_id": element["action_id"], "block_id": block["block_id"]}
    if kind in ("button", "workflow_button", "icon_button"):
        own = ("text", "value", "style", "url")
        body |= {name: element[name] for name in own if element.get(name)}
    else:
        for name in ("placeholder", "initial_option", "initial_date", "initial_time"):
            if element.get(name):
                body[name] = element[name]
    body |= value
    if kind == "feedback_buttons":
        both = (element["positive_button"], element["negative_button"])
        body |= next(({"text": o["text"]} for o in both if o["value"] == value.get("value")), {})
    if chosen is not None:
        many = kind == "checkboxes" or kind.startswith("multi_")
        body["selected_options" if many else "selected_option"] = [chosen] if many else chosen
    picked = body.get("selected_option")
    if kind in ("static_select", "radio_buttons", "overflow") and picked:
        body["selected_option"] = option_named(element, str(picked.get("value")))
    return body | {"action_ts": ts}


def legacy_action(declared: Json, value: str | None) -> Json:
    """The action object for a button or a menu of a legacy attachment."""
    body: Json = {"name": declared["name"], "type": declared.get("type", "button")}
    if body["type"] == "select":
        return body | {"selected_options": [{"value": value or ""}]}
    return body | {"value": declared.get("value", "")}
