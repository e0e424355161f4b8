"""What stands in plain words in the place of what Slack does not take, or does not show yet."""

from __future__ import annotations

from typing import Any

from state.outbox import Owed

FOLLOWS = "The chart follows in a moment."
GIVEN_UP = "The chart could not be uploaded. It shows: {shows}"
ALONE = (
    "{text}\nSlack does not take the buttons and charts of this message ({code}). "
    "`@hawkeye status` tells how it stands."
)
NOT_CHANGED = "Slack does not let me change a message above ({code}). It should say: {text}"


def words_alone(owed: Owed, code: str) -> dict[str, Any]:
    """A message that Slack does not take for this code, without what may be at fault."""
    return {"text": ALONE.format(text=_text(owed), code=code), "blocks": []}


def instead_of_a_change(owed: Owed, code: str) -> str:
    """What a message should say that can't be changed for this code."""
    return NOT_CHANGED.format(code=code, text=_text(owed))


def _text(owed: Owed) -> str:
    return str(owed.payload.get("text", ""))[:3000]
