"""Makes Slack agree with the outbox: posts, updates in place, and waits when told to."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import structlog
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from handlers.access import Access, lost
from handlers.directory import Directory
from handlers.loop import Loop
from handlers.once import FAILED, CannotLookError, asked_to_wait, find, outage, uncertain
from handlers.pace import MOST_SECONDS, Pace
from handlers.plain import FOLLOWS, instead_of_a_change, words_alone
from handlers.showing import Showing
from handlers.uploads import ChartNotReadyError, Uploads
from state.outbox import UNCHANGEABLE, Outbox, Owed
from state.results import Results

log = structlog.get_logger()

WORDS_AFTER = 4
"""After so many tries that broke in Slack the words are sent alone, and the rest goes on …"""
MOST_TRIES = 14
"""… until so many: about half an hour. An outage of Slack is no such try: it is waited for."""
MOST_REFUSALS = 3
"""So often a message is tried again that Slack refuses for the same reason."""
SEEN_SECONDS = 2.0
"""Slack shows a message by then for which it owes an answer."""
PLAIN_LINKS: dict[str, Any] = {"unfurl_links": False, "unfurl_media": False}
GONE = frozenset({"message_not_found", "cant_update_message", "thread_not_found"})
JOINABLE = frozenset({"channel_not_found", "not_in_channel"})
CLOSED = JOINABLE | {"is_archived", "restricted_action", "team_access_not_granted"}


class _RootGoneError(Exception):
    """The message that a reply belongs under was deleted."""


@dataclass
class Sender:
    """Sends what is owed, in the turns of its ``loop``.

    Words go out at once; a chart that Slack does not have yet, or still processes, follows.
    ``on_sent`` is told (incident, channel, name) of each message that Slack has for the first
    time. While Slack does not take the token (``access``) everything waits.
    """

    client: WebClient
    outbox: Outbox
    access: Access
    directory: Directory
    on_sent: Callable[[str, str, str], None] | None = None
    poll_seconds: float = 0.25
    uploads: Uploads = field(init=False)
    loop: Loop = field(init=False)
    _showing: Showing = field(init=False)
    _pace: Pace = field(default_factory=Pace)

    def __post_init__(self) -> None:
        self.uploads = Uploads(self.client, Results(self.outbox.store))
        self._showing = Showing(self.uploads)
        self.loop = Loop("hawkeye-sender", self._turn, self.poll_seconds)

    def _turn(self) -> bool:
        return self.send_owed() or (self.access.works and self.uploads.upload_ahead())

    def send_owed(self) -> bool:
        """Send what can be sent now; whether anything was sent."""
        sent = False
        if not self.access.may_try:
            return sent
        for owed in self.outbox.owed():
            if self.loop.stopped or not self.access.may_try:
                break
            if self._pace.allows(owed):
                sent = True
                self._attempt(owed)
        return sent

    def _attempt(self, owed: Owed) -> None:
        """Send one message; whatever happens over it must not keep back the others."""
        try:
            self.send(owed)
        except Exception as error:
            log.exception("a message failed", incident=owed.incident, name=owed.name)
            self.outbox.put_off(owed, _wait(owed, least=5.0), f"{type(error).__name__}: {error}")

    def send(self, owed: Owed) -> None:
        """Send one message, and keep what became of it."""
        if (
            "#" in owed.channel
            and (channel := self.directory.channel(owed.channel)) != owed.channel
        ):
            # Slack could not be asked for the channel when the incident opened.
            self.outbox.store.channel_found(owed.channel, channel)
            return
        new = not owed.ts
        try:
            if owed.in_doubt:
                owed = self._looked_for(owed)
            instead = self._showing.instead(owed)
            alone = owed.attempts >= WORDS_AFTER and owed.error in FAILED and not owed.in_words
            payload = (
                words_alone(owed, owed.error) if alone else self._showing.payload(owed, instead)
            )
            if not owed.ts:
                owed = replace(owed, tried_at=time.time())
                if not self.outbox.sending(owed):
                    return
            channel = self._tell(owed, payload, short=alone or instead == FOLLOWS)
        except _RootGoneError:
            log.warning("a thread's first message is gone", incident=owed.incident)
            self.outbox.uprooted(owed)
        except ChartNotReadyError as error:
            if error.seconds:
                self.outbox.wait(owed, error.seconds)
            else:
                self.outbox.later(owed, self._showing.failed(owed), str(error))
        except CannotLookError as error:
            if error.seconds:
                self.outbox.wait(owed, error.seconds)
            elif str(error) in FAILED:
                self._broken(owed, str(error))
            else:
                self.outbox.later(owed, _wait(owed), str(error))
        except SlackApiError as error:
            self._refused(owed, error)
        except OSError as error:
            self.outbox.later(owed, _wait(owed), f"{type(error).__name__}: {error}")
        else:
            self._heard(owed, channel, new)

    def _looked_for(self, owed: Owed) -> Owed:
        """A message in doubt, without doubt: it is there, or it is not."""
        ts = find(self.client, owed)
        if ts:
            self.outbox.found(owed, ts)
        return replace(owed, ts=ts, tried_at=0.0)

    def _tell(self, owed: Owed, payload: dict[str, Any], short: bool) -> str:
        """Send it, and keep that Slack has it: all of it, or where ``short`` its words alone.

        The channel's id: Slack takes a name for a new message, but not to change it.
        """
        channel, ts = self._call(owed, payload)
        done = self.outbox.sent_in_words if short else self.outbox.sent
        done(owed, ts)
        self._showing.told(owed, short)
        if channel != owed.channel:
            self.outbox.store.channel_found(owed.channel, channel)
        return channel

    def _heard(self, owed: Owed, channel: str, new: bool) -> None:
        """Slack took a message."""
        self.access.regain()
        if new and self.on_sent is not None:
            self.on_sent(owed.incident, channel, owed.name)

    def _call(self, owed: Owed, payload: dict[str, Any]) -> tuple[str, str]:
        if owed.ts:
            answer = self.client.chat_update(channel=owed.channel, ts=owed.ts, **payload)
        else:
            event = {"incident": owed.incident, "name": owed.name}
            answer = self.client.chat_postMessage(
                channel=owed.channel,
                thread_ts=owed.thread or None,
                metadata={"event_type": "hawkeye_post", "event_payload": event},
                **PLAIN_LINKS,
                **payload,
            )
            if owed.under_root and self._astray(owed, answer):
                raise _RootGoneError
        return str(answer.get("channel") or owed.channel), str(answer["ts"])

    def _astray(self, owed: Owed, answer: Any) -> bool:
        """Whether a reply came into the channel, as Slack posts one whose thread is gone.

        It is taken away again. Slack is asked, as the answer alone leaves room for doubt.
        """
        if (answer.get("message") or {}).get("thread_ts"):
            return False
        try:
            self.client.conversations_replies(channel=owed.channel, ts=owed.thread, limit=1)
        except SlackApiError as error:
            if error.response.get("error") != "thread_not_found":
                return False
            self.client.chat_delete(channel=owed.channel, ts=str(answer["ts"]))
            return True
        return False

    def _refused(self, owed: Owed, error: SlackApiError) -> None:
        code = str(error.response.get("error", ""))
        if lost(error):
            # The message is not at fault: its tries are not counted.
            self.access.lose(code)
            self.outbox.pause(owed, code)
            return
        if code in FAILED:
            self._broken(owed, code)
            return
        if outage(error):
            self.outbox.later(owed, _wait(owed), code)
            return
        owed = replace(owed, tried_at=0.0)
        if wait := asked_to_wait(error):
            self._hush(owed, wait)
        elif code in GONE and owed.ts:
            self.outbox.gone(owed)
        elif code == UNCHANGEABLE and owed.ts:
            self._give_up(owed, code)
        elif self._showing.unprocessed(owed, code):
            self.outbox.later(owed, self._showing.failed(owed), "chart not processed yet")
        elif code in CLOSED:
            log.warning("channel is closed to the bot", channel=owed.channel, error=code)
            self._shut_out(owed, code)
        else:
            log.error("Slack refused a message", name=owed.name, error=code)
            self._last_resort(owed, code)

    def _shut_out(self, owed: Owed, code: str) -> None:
        """The bot may not write there, or not yet: it joins where that may help. Joining is granted
        to members too, and changes nothing then: at once it is tried again only the first time."""
        if code in JOINABLE and self._join(owed.channel) and owed.error != code:
            self.outbox.later(owed, 0.0, code)
        else:
            self.outbox.later(owed, _wait(owed, least=5.0), code)

    def _join(self, channel: str) -> bool:
        try:
            self.client.conversations_join(channel=channel)
        except (SlackApiError, OSError):
            return False
        return True

    def _broken(self, owed: Owed, code: str) -> None:
        """Slack broke over this message: ever longer pauses, and at last it rests.

        Only such tries count, one after the other; what it waited for before is no fault of its.
        """
        if owed.error not in FAILED:
            owed = self.outbox.count_anew(owed)
        if owed.attempts < MOST_TRIES:
            self.outbox.later(owed, _wait(owed), code)
            return
        self._give_up(owed, code)

    def _last_resort(self, owed: Owed, code: str) -> None:
        """Say it in words alone, so that the on-call is not left without it, and try for the rest;
        at last it rests.

        Only tries that ended with this code count, one after the other.
        """
        if owed.error != code:
            owed = self.outbox.count_anew(owed)
        if owed.attempts >= MOST_REFUSALS:
            self._give_up(owed, code)
        elif owed.in_words:
            self.outbox.later(owed, _wait(owed, least=5.0), code)
        else:
            self._say_in_words(owed, code)

    def _say_in_words(self, owed: Owed, code: str) -> None:
        try:
            channel = self._tell(owed, words_alone(owed, code), short=True)
        except _RootGoneError:
            self.outbox.uprooted(owed)
        except SlackApiError as error:
            if wait := asked_to_wait(error):
                self._hush(owed, wait)
            else:
                tried_at = time.time() if uncertain(error) else 0.0
                self.outbox.later(replace(owed, tried_at=tried_at), _wait(owed), code)
        except OSError:
            self.outbox.later(replace(owed, tried_at=time.time()), _wait(owed), code)
        else:
            self.outbox.later(replace(owed, channel=channel), _wait(owed, least=5.0), code)
            self._heard(owed, channel, new=not owed.ts)

    def _hush(self, owed: Owed, seconds: float) -> None:
        """Slack asked to wait."""
        self._pace.hush(owed, seconds)
        self.outbox.wait(owed, seconds)

    def _give_up(self, owed: Owed, code: str) -> None:
        """It rests. What Slack shows in its place and does not let be changed is said below."""
        if owed.ts and not owed.in_words and (wait := self._say_below(owed, code)):
            self.outbox.wait(owed, wait)
            return
        log.error("a message is given up", incident=owed.incident, name=owed.name, error=code)
        self.outbox.give_up(owed, code)

    def _say_below(self, owed: Owed, code: str) -> float:
        """What a message should say that can't be changed, as a new one in its thread; the seconds
        that Slack asked to wait before."""
        text, thread = instead_of_a_change(owed, code), owed.thread or owed.ts
        try:
            self.client.chat_postMessage(
                channel=owed.channel, thread_ts=thread, text=text, **PLAIN_LINKS
            )
        except (SlackApiError, OSError) as error:
            if isinstance(error, SlackApiError) and (wait := asked_to_wait(error)):
                return wait
            log.warning("it could not be said below either", reason=str(error)[:200])
        return 0.0


def _wait(owed: Owed, least: float = 0.5) -> float:
    """Longer with every try, and where it may have been posted long enough to be seen by then."""
    least = max(least, SEEN_SECONDS) if owed.in_doubt else least
    return float(min(MOST_SECONDS, least * 2 ** min(owed.attempts, 10)))
