"""The form of a person's own settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from handlers import blocks as b
from handlers.blocks import Block
from state.preferences import WINDOWS, Preferences, window_words

CALLBACK = "settings"


def settings_form(chosen: Preferences) -> Block:
    """Prefilled with what is set."""
    dm: Block = {
        "type": "checkboxes",
        "action_id": "dm",
        "options": [
            b.option("Write me when I am called, asked or given something", "dm"),
        ],
    }
    if chosen.dm:
        dm["initial_options"] = dm["options"]
    window = b.select("window", "Pick one", [b.option(window_words(h), str(h)) for h in WINDOWS])
    picked = [o for o in window["options"] if o["value"] == str(chosen.window_hours)]
    if picked:
        window["initial_option"] = picked[0]
    blocks = [
        b.section(
            "In quiet hours I write you no direct message and don't remind you; it comes when they "
            "end. A call to the on-call is posted in its channel all the same."
        ),
        b.entry("quiet_from", "Quiet from", _clock("quiet_from", chosen.quiet_from), optional=True),
        b.entry(
            "quiet_until", "Quiet until", _clock("quiet_until", chosen.quiet_until), optional=True
        ),
        b.entry("dm", "Direct messages", dm, optional=True),
        b.entry("window", "A triage without a time looks back", window),
    ]
    return b.modal(CALLBACK, "Your settings", "", blocks, "Save")


def _clock(name: str, at: str) -> Block:
    found: Block = {"type": "timepicker", "action_id": name}
    if at:
        found["initial_time"] = at
    return found


def parse_settings(view: Mapping[str, Any]) -> Preferences | dict[str, str]:
    """What was chosen, or an error beside the field that is wrong."""
    values = view.get("state", {}).get("values", {})

    def field(name: str) -> Mapping[str, Any]:
        found = values.get(name, {}).get(name, {})
        return found if isinstance(found, Mapping) else {}

    start = str(field("quiet_from").get("selected_time") or "")
    end = str(field("quiet_until").get("selected_time") or "")
    if bool(start) != bool(end):
        name = "quiet_until" if start else "quiet_from"
        return {name: "Quiet hours need both a beginning and an end, or neither."}
    if start and start == end:
        return {"quiet_until": "They have to end at another time than they begin."}
    hours = str((field("window").get("selected_option") or {}).get("value") or "24")
    if hours not in map(str, WINDOWS):
        return {"window": "Pick one of the list."}
    return Preferences(start, end, bool(field("dm").get("selected_options")), int(hours))
