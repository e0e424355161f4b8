"""What Slack knows about channels and people, asked once and remembered for a while.

With an org-wide installation some methods have to be told which workspace of the org is meant.
A channel is looked for in all of them, or, written ``T0123/#name``, in that one.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, timedelta, timezone, tzinfo
from functools import partial
from typing import Any, TypeVar

import structlog
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.web import SlackResponse

from handlers.once import asked_to_wait

log = structlog.get_logger()
T = TypeVar("T")
MEMORY_SECONDS = 600.0
PAGE = 999
"""The most that Slack tells at a time: few calls, as it allows twenty lists a minute."""
MOST_PAGES = 50


class _CutShortError(Exception):
    """Slack asked to wait for ``seconds`` in the middle of a list: ``read`` is what it told."""

    def __init__(self, read: Any, seconds: float) -> None:
        super().__init__("Slack asked to wait")
        self.read, self.seconds = read, seconds


@dataclass
class Directory:
    """Looks channels, people and links up; what Slack does not answer reads as nothing."""

    client: WebClient
    _kept: dict[str, tuple[float, Any]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def me(self) -> dict[str, str]:
        """The bot's own ``user_id``, ``bot_id``, ``team_id`` and ``enterprise_id``."""
        found = self._me()
        names = ("user_id", "bot_id", "team_id", "enterprise_id")
        return {name: str(found.get(name) or "") for name in names}

    def _me(self) -> dict[str, Any]:
        """Asked once for a token: an hour without Slack must not make the bot forget who it is."""
        nothing: dict[str, Any] = {}
        return self._once("me", lambda: _dict(self.client.auth_test().data), nothing, math.inf)

    def teams(self) -> tuple[str, ...]:
        """The workspaces of the org that the bot may be in; () unless it is installed org-wide."""
        if not self._me().get("is_enterprise_install"):
            return ()
        return self._once("teams", self._list_teams, ())

    def _list_teams(self) -> tuple[str, ...]:
        pages = self._pages(self.client.auth_teams_list, limit=100)
        return tuple(str(team["id"]) for page in pages for team in page.get("teams") or [])

    def channel(self, name: str) -> str:
        """The id of ``#name``; an id, or a name that Slack does not know, is given back."""
        team, mark, plain = name.rpartition("#")
        if not mark:
            return name
        teams = (team.rstrip("/"),) if team else self.teams() or ("",)
        return next((found for t in teams if (found := self._channels(t).get(plain))), name)

    def forget(self, *keys: str) -> None:
        """Ask Slack again the next time (the bot was invited somewhere).

        A key stands for all that begin with it; without keys all is forgotten.
        """
        with self._lock:
            for kept in [k for k in self._kept if not keys or k.startswith(keys)]:
                del self._kept[kept]

    def present(self, channel: str) -> bool:
        """Whether the bot is a member of the channel."""
        answer = self._place(channel)
        return bool(answer.get("is_member") or answer.get("is_im"))

    def open_to_all(self, channel: str) -> bool:
        """Whether the bot can join the channel by itself: a private one is not even told of."""
        answer = self._place(channel)
        return bool(answer) and not (answer.get("is_private") or answer.get("is_archived"))

    def _place(self, channel: str) -> dict[str, Any]:
        nothing: dict[str, Any] = {}
        ask = partial(self._ask_channel, channel)
        return self._once(f"info:{channel}", ask, nothing, seconds=20)

    def _ask_channel(self, channel: str) -> dict[str, Any]:
        return _dict(self.client.conversations_info(channel=channel).get("channel"))

    def team(self, channel: str) -> str:
        """The workspace of a channel, where the bot is installed for a whole org; else ""."""
        team, mark, _ = channel.rpartition("#")
        teams = self.teams()
        if mark or not teams:
            return team.rstrip("/")
        theirs = self._workspaces(self._about(channel))
        return next((t for t in theirs if t in teams), "")

    def may_read(self, channel: str, user: str) -> bool:
        """Whether a person can read a channel: members can; a public one also whoever belongs to
        its workspace, which guests and people of other workspaces and companies do not.

        A channel that Slack does not tell about is taken to be private.
        """
        about = self._about(channel)
        if not about:
            return False
        if self.is_public(channel) and self._belongs(user, about):
            return True
        return user in self._people(channel)

    def is_public(self, channel: str) -> bool:
        """Whether a channel's whole workspace can read it; one that Slack does not tell about is
        taken to be private."""
        about = self._about(channel)
        return bool(about) and not any(about.get(k) for k in ("is_private", "is_im", "is_mpim"))

    def _about(self, channel: str) -> dict[str, Any]:
        nothing: dict[str, Any] = {}
        return self._once(f"about:{channel}", partial(self._ask_channel, channel), nothing)

    def _belongs(self, user: str, channel: dict[str, Any]) -> bool:
        """Whether somebody is a full member of a workspace whose public channel this is."""
        person = self._user(user)
        outside = ("is_restricted", "is_ultra_restricted", "is_stranger", "deleted")
        if not person or any(person.get(flag) for flag in outside):
            return False
        org = _dict(person.get("enterprise_user"))
        mine = {str(team) for team in (person.get("team_id"), *(org.get("teams") or [])) if team}
        if not mine and not self.teams():
            return True
        if channel.get("is_global_shared") and org:
            return org.get("enterprise_id") == self.me()["enterprise_id"]
        return not mine.isdisjoint(self._workspaces(channel) or [self.me()["team_id"]])

    def _workspaces(self, channel: dict[str, Any]) -> list[str]:
        """The workspaces of a channel; of those in ``shared_team_ids``, where Slack Connect's other
        companies stand as well, the org's own."""
        shared = [t for t in channel.get("shared_team_ids") or [] if t in self.teams()]
        inside = (
            channel.get("context_team_id"),
            *(channel.get("internal_team_ids") or []),
            *shared,
        )
        return [str(team) for team in dict.fromkeys(inside) if team]

    def _people(self, channel: str) -> set[str]:
        nothing: set[str] = set()

        def ask() -> set[str]:
            pages = self._pages(self.client.conversations_members, channel=channel, limit=PAGE)
            return {str(member) for page in pages for member in page.get("members") or []}

        return self._once(f"members:{channel}", ask, nothing, seconds=60)

    def name(self, user: str) -> str:
        """What a person is called; their id when Slack does not tell."""
        found = self._user(user)
        profile = _dict(found.get("profile"))
        names = (profile.get("display_name"), profile.get("real_name"), found.get("real_name"))
        return str(next(filter(None, names), user))

    def is_person(self, user: str) -> bool:
        """Whether somebody can read and answer: no app, nobody who has left. Whom Slack does not
        tell about is taken to be one."""
        found = self._user(user)
        return not (found.get("is_bot") or found.get("deleted")) and user != "USLACKBOT"

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
        return {user for group in groups for user in self._group(group)}

    def _group(self, group: str) -> list[str]:
        """In an org a group belongs to one workspace: the first one that knows it answers."""
        nothing: list[str] = []
        for team in self.teams() or ("",):
            ask = partial(self._ask_group, group, team)
            if found := self._once(f"group:{group}:{team}", ask, nothing):
                return found
        return []

    def _ask_group(self, group: str, team: str) -> list[str]:
        answer = self.client.usergroups_users_list(usergroup=group, team_id=team or None)
        return [str(user) for user in answer.get("users") or []]

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

    def _channels(self, team: str) -> dict[str, str]:
        return self._once(f"channels:{team}", partial(self._list_channels, team), {})

    def _list_channels(self, team: str) -> dict[str, str]:
        pages = self._pages(
            self.client.conversations_list,
            limit=PAGE,
            exclude_archived=True,
            types="public_channel,private_channel",
            team_id=team or None,
        )
        found: dict[str, str] = {}
        try:
            for page in pages:
                found |= {str(c["name"]): str(c["id"]) for c in page.get("channels") or []}
        except SlackApiError as error:
            if wait := asked_to_wait(error):
                raise _CutShortError(found, wait) from error
            raise
        return found

    def _pages(
        self, method: Callable[..., SlackResponse], **arguments: Any
    ) -> Iterator[SlackResponse]:
        """The pages of a list, at most so many."""
        cursor = ""
        for _ in range(MOST_PAGES):
            page = method(cursor=cursor, **arguments)
            yield page
            cursor = (page.get("response_metadata") or {}).get("next_cursor", "")
            if not cursor:
                break

    def _once(
        self, key: str, ask: Callable[[], T], nothing: T, seconds: float = MEMORY_SECONDS
    ) -> T:
        with self._lock:
            kept = self._kept.get(key)
        if kept is not None and time.monotonic() < kept[0]:
            value: T = kept[1]
            return value
        if not self.client.token:
            return nothing
        try:
            value = ask()
        except _CutShortError as short:
            # Good enough until Slack may be asked for the whole.
            log.warning("Slack cut a list short", key=key, seconds=short.seconds)
            value, seconds = short.read, short.seconds
        except (SlackApiError, OSError) as error:
            # A look-up is never worth an incident: without the answer the walk goes on.
            log.warning("Slack did not answer a look-up", key=key, error=str(error)[:200])
            return nothing
        with self._lock:
            self._kept[key] = (time.monotonic() + seconds, value)
        return value


def _dict(value: Any) -> dict[str, Any]:
    return dict(value) if isinstance(value, dict) else {}
