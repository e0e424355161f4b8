"""An answer in which Slack refuses."""

from __future__ import annotations

from slack_sdk.errors import SlackApiError
from slack_sdk.web import SlackResponse


def refusal(code: str, status: int = 200, headers: dict[str, str] | None = None) -> SlackApiError:
    """What slack_sdk raises for it."""
    answer = SlackResponse(
        client=None,
        http_verb="POST",
        api_url="",
        req_args={},
        data={"ok": False, "error": code},
        headers=headers or {},
        status_code=status,
    )
    return SlackApiError(code, answer)
