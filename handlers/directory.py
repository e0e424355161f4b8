"""What Slack knows about channels and people, asked once and remembered for a while."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, timedelta, timezone, tzinfo
from typing import Any, TypeVar

import structlog
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

log = structlog.get_logger()
T = TypeVar("T")
MEMORY_SECONDS = 600.0


@dataclass
class Directory:
    """Looks channels, people and links up; what Slack does not answer reads as nothing."""

    client: WebClient
    _kept: dict[str, tuple[float, Any]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def me(self) -> dict[str, str]:
        """The bot's own ``user_id``, ``bot_id`` and ``team_id``."""
        nothing: dict[str, Any] = {}
        found = self._once("me", lambda: _dict(self.client.auth_test().data), nothing)
        return {k: str(found.get(k, "")) for k in ("user_id", "bot_id", "team_id")}

    def channel(self, name: str) -> str:
        """The id of ``#name``; an id, or a name that Slack does not know, is given back."""
        if not name.startswith("#"):
            return name
        return self._channels().get(name[1:], name)

    def forget(self, *keys: str) -> None:
        """Ask Slack again the next time (the bot was invited somewhere)."""
        with self._lock:
            for key in keys:
                self._kept.pop(key, None)

    def present(self, channel: str) -> bool:
        """Whether the bot is a member of the channel."""
        nothing: dict[str, Any] = {}
        answer = self._once(
            f"info:{channel}",
            lambda: _dict(self.client.conversations_info(channel=channel).get("channel")),
            nothing,
            seconds=20,
        )
        return bool(answer.get("is_member") or answer.get("is_im"))

    def may_read(self, channel: str, user: str) -> bool:
        """Whether a person can read a channel: all can read a public one, members a private one.

        A channel that Slack does not tell about is taken to be private.
        """
        nothing: dict[str, Any] = {}
        about = self._once(
            f"about:{channel}",
            lambda: _dict(self.client.conversations_info(channel=channel).get("channel")),
            nothing,
        )
        if not about:
            return False
        if about.get("is_private") or about.get("is_im") or about.get("is_mpim"):
            return user in self._people(channel)
        return True

    def _people(self, channel: str) -> set[str]:
        nothing: set[str] = set()

        def ask() -> set[str]:
            found: set[str] = set()
            cursor = ""
            for _ in range(20):
                page = self.client.conversations_members(channel=channel, limit=1000, cursor=cursor)
                found |= set(page.get("members") or [])
                cursor = (page.get("response_metadata") or {}).get("next_cursor", "")
                if not cursor:
                    break
            return found

        return self._once(f"members:{channel}", ask, nothing, seconds=60)

    def name(self, user: str) -> str:
        """What a person is called; their id when Slack does not tell."""
        found = self._user(user)
        profile = _dict(found.get("profile"))
        names = (profile.get("display_name"), profile.get("real_name"), found.get("real_name"))
        return str(next(filter(None, names), user))

    def _user(self, user: str) -> dict[str, Any]:
        nothing: dict[str, Any] = {}
        return self._once(
            f"user:{user}", lambda: _dict(self.client.users_info(user=user).get("user")), nothing
        )

    def zone(self, user: str) -> tzinfo:
        """A person's offset from UTC as Slack knows it; UTC when it does not."""
        offset = self._user(user).get("tz_offset")
        return timezone(timedelta(seconds=int(offset))) if offset else UTC

    def members(self, groups: Iterable[str]) -> set[str]:
        """The people in these user groups."""
        nothing: list[str] = []
        found: set[str] = set()
        for group in groups:
            found |= set(
                self._once(
                    f"group:{group}",
                    lambda group=group: list(  # type: ignore[misc]
                        self.client.usergroups_users_list(usergroup=group).get("users") or []
                    ),
                    nothing,
                )
            )
        return found

    def by_email(self, email: str) -> str:
        """The id of the person with this address; "" when Slack knows none."""
        if not email:
            return ""
        return self._once(
            f"email:{email}",
            lambda: str(_dict(self.client.users_lookupByEmail(email=email).get("user"))["id"]),
            "",
        )

    def permalink(self, channel: str, ts: str) -> str:
        """A link to a message; "" when Slack gives none."""
        return self._once(
            f"link:{channel}:{ts}",
            lambda: str(self.client.chat_getPermalink(channel=channel, message_ts=ts)["permalink"]),
            "",
        )

    def _channels(self) -> dict[str, str]:
        return self._once("channels", self._list_channels, {})

    def _list_channels(self) -> dict[str, str]:
        found: dict[str, str] = {}
        cursor = ""
        for _ in range(50):
            page = self.client.conversations_list(
                limit=200,
                cursor=cursor,
                exclude_archived=True,
                types="public_channel,private_channel",
            )
            found |= {c["name"]: c["id"] for c in page.get("channels") or []}
            cursor = (page.get("response_metadata") or {}).get("next_cursor", "")
            if not cursor:
                break
        return found

    def _once(
        self, key: str, ask: Callable[[], T], nothing: T, seconds: float = MEMORY_SECONDS
    ) -> T:
        with self._lock:
            kept = self._kept.get(key)
        if kept is not None and time.monotonic() - kept[0] < seconds:
            value: T = kept[1]
            return value
        try:
            value = ask()
        except (SlackApiError, OSError) as error:
            # A look-up is never worth an incident: without the answer the walk goes on.
            log.warning("Slack did not answer a look-up", key=key, error=str(error)[:200])
            return nothing
        with self._lock:
            self._kept[key] = (time.monotonic(), value)
        return value


def _dict(value: Any) -> dict[str, Any]:
    return dict(value) if isinstance(value, dict) else {}
