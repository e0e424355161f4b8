"""Signed HTTP: envelopes to an app's request URL, as the Events API sends them."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from bot.workspace.apps import App
from bot.workspace.delivery import Envelope
from bot.workspace.model import Json
from bot.workspace.state import State

LOOPBACK = ("127.0.0.1", "localhost", "::1")
# A proxy from the environment must not see what is meant for this machine.
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True)
class Outcome:
    """What came back: ``reason`` is None when the app answered 2xx in time."""

    reason: str | None
    body: Any = None
    no_retry: bool = False


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """Slack's v0 signature: HMAC-SHA256 over version, timestamp and body."""
    base = b"v0:" + timestamp.encode() + b":" + body
    return "v0=" + hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()


def check_url(url: str) -> str:
    """The URL, if it leads to this machine.

    Raises:
        ValueError: it leads elsewhere.
    """
    if urlsplit(url).hostname not in LOOPBACK:
        raise ValueError(
            f"{url!r} is not on this machine: the local workspace only calls 127.0.0.1"
        )
    return url


def _request(app: App, envelope: Envelope) -> tuple[str, bytes, str]:
    """URL, body and content type of an envelope."""
    url = app.request_url or ""
    if envelope.kind == "events_api":
        return url, json.dumps(envelope.payload).encode(), "application/json"
    if envelope.kind == "interactive":
        wants_options = envelope.payload["type"] == "block_suggestion"
        special = app.options_url if wants_options else app.interactivity_url
        form = urlencode({"payload": json.dumps(envelope.payload)}).encode()
        return special or app.interactivity_url or url, form, "application/x-www-form-urlencoded"
    command = next((c for c in app.commands if c.command == envelope.name and c.url), None)
    form = urlencode(envelope.payload).encode()
    return (command.url if command else None) or url, form, "application/x-www-form-urlencoded"


def deliver(state: State, app: App, envelope: Envelope) -> Outcome:
    """Send one attempt and wait for the answer, at most the ack timeout. Blocks."""
    url, body, kind = _request(app, envelope)
    headers = _headers(app, body, kind)
    if envelope.attempt:
        headers["X-Slack-Retry-Num"] = str(envelope.attempt)
        headers["X-Slack-Retry-Reason"] = envelope.retry_reason or "http_error"
    return _send(url, body, headers, state.ack_timeout)


def _headers(app: App, body: bytes, kind: str) -> dict[str, str]:
    stamp = str(int(time.time()))
    return {
        "Content-Type": kind,
        "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
        "X-Slack-Request-Timestamp": stamp,
        "X-Slack-Signature": signature(app.signing_secret, stamp, body),
    }


def _send(url: str, body: bytes, headers: dict[str, str], timeout: float) -> Outcome:
    request = urllib.request.Request(check_url(url), body, headers, method="POST")
    try:
        with DIRECT.open(request, timeout=timeout) as response:
            kind = response.headers.get_content_type()
            return Outcome(None, _decoded(response.read(), kind))
    except urllib.error.HTTPError as error:
        no_retry = error.headers.get("X-Slack-No-Retry") == "1"
        return Outcome("http_error", {"status": error.code}, no_retry)
    except TimeoutError:
        return Outcome("timeout")
    except (urllib.error.URLError, OSError) as error:
        timed_out = isinstance(getattr(error, "reason", None), TimeoutError)
        return Outcome("timeout" if timed_out else "connection_failed")


def _decoded(body: bytes, kind: str) -> Any:
    text = body.decode(errors="replace").strip()
    if not text:
        return None
    if kind == "application/json" or text.startswith("{"):
        try:
            return json.loads(text)
        except ValueError:
            return text
    return text


def verify_request_url(state: State, app: App) -> bool:
    """The url_verification handshake: whether the app echoes the challenge. Blocks."""
    challenge = secrets.token_hex(24)
    payload: Json = {
        "token": app.verification_token,
        "challenge": challenge,
        "type": "url_verification",
    }
    body = json.dumps(payload).encode()
    headers = _headers(app, body, "application/json")
    answer = _send(app.request_url or "", body, headers, state.ack_timeout).body
    echoed = answer.get("challenge") if isinstance(answer, dict) else answer
    return bool(echoed == challenge)
