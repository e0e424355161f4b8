"""Who may send alerts: the bearer token, or the vendor's own signature of the body. Pure.

Sources: "Verifying Signatures" in PagerDuty's documentation for developers; "HMAC signature" in
Grafana's documentation of its webhook contact point; RFC 7617 for Basic. Datadog and Opsgenie
sign nothing and send headers that the team writes, so their token is one of those.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

REPLAY_SECONDS = 300
"""A signed time further away than this is refused: somebody may have kept the request."""
TOKEN_HEADER = "x-hawkeye-token"
SCHEMES = ("bearer", "geniekey", "token")


@dataclass(frozen=True)
class Keys:
    """What senders have to know: the token for all formats, signing secrets by format.

    Several secrets of one format are all good, so that one can be exchanged for the next.
    """

    token: str = ""
    secrets: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Refusal:
    """An answer's status, and a sentence that says what to change."""

    status: int
    sentence: str


def refusal(
    name: str, headers: Mapping[str, str], body: bytes, keys: Keys, now: float
) -> Refusal | None:
    """Why a request to a format is refused; None when it may come in.

    ``headers`` have lower-case names; ``now`` is in seconds since 1970. A signature that is
    there has to be right, whatever else the request carries.
    """
    signed = SIGNATURES.get(name)
    secrets = keys.secrets.get(name, ())
    if signed is not None and headers.get(signed.header) and secrets:
        return signed.verify(headers, body, secrets, now)
    given = _token(headers)
    if not keys.token and not secrets:
        return Refusal(
            403, "Alerts are refused because this bot has no token: set HAWKEYE_ALERTS_TOKEN."
        )
    if not given:
        return Refusal(401, _how(name, headers, keys))
    if not keys.token or not hmac.compare_digest(given, keys.token.encode()):
        return Refusal(403, "That is not the token of HAWKEYE_ALERTS_TOKEN.")
    return None


def _how(name: str, headers: Mapping[str, str], keys: Keys) -> str:
    signed = SIGNATURES.get(name)
    if signed is not None and keys.secrets.get(name):
        return f"Sign the body in `{signed.title}`, or send the token as `Authorization: Bearer …`."
    if signed is not None and headers.get(signed.header):
        return f"This is signed, but I have no secret to check it with: set {signed.variable}."
    return "Send the token of HAWKEYE_ALERTS_TOKEN as `Authorization: Bearer …`."


def _token(headers: Mapping[str, str]) -> bytes:
    """The token that a request carries, as the bytes that were sent; empty when it has none.

    Headers are read as Latin-1, so that encoding them gives back those bytes.
    """
    scheme, _, given = headers.get("authorization", "").partition(" ")
    if scheme.lower() in SCHEMES and given.strip():
        return given.strip().encode("latin-1")
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(given.strip(), validate=True).partition(b":")[2]
        except (binascii.Error, ValueError):
            return b""
    return headers.get(TOKEN_HEADER, "").strip().encode("latin-1")


# -- signatures -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Signature:
    """How a vendor signs: the header (lower case), its name as documented, and the check."""

    header: str
    title: str
    variable: str
    verify: Callable[[Mapping[str, str], bytes, tuple[str, ...], float], Refusal | None]


def _hmac(secret: str, body: bytes) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def _wrong(title: str, variable: str) -> Refusal:
    return Refusal(403, f"The signature in `{title}` is not one of {variable}.")


def _pagerduty(
    headers: Mapping[str, str], body: bytes, secrets: tuple[str, ...], now: float
) -> Refusal | None:
    """One or more ``v1=`` HMAC-SHA256 in hexadecimal, parted by commas; one has to match."""
    del now
    given = [part.strip() for part in headers["x-pagerduty-signature"].split(",")]
    good = [f"v1={_hmac(secret, body)}" for secret in secrets]
    if any(_same(g, w) for g in given for w in good):
        return None
    return _wrong("X-PagerDuty-Signature", "HAWKEYE_PAGERDUTY_SECRET")


def _grafana(
    headers: Mapping[str, str], body: bytes, secrets: tuple[str, ...], now: float
) -> Refusal | None:
    """HMAC-SHA256 of the body in hexadecimal, of "timestamp:body" where there is a timestamp."""
    stamp = headers.get("x-grafana-alerting-timestamp", "").strip()
    signed = stamp.encode("latin-1") + b":" + body if stamp else body
    given = headers["x-grafana-alerting-signature"].strip()
    if not any(_same(given, _hmac(secret, signed)) for secret in secrets):
        return _wrong("X-Grafana-Alerting-Signature", "HAWKEYE_GRAFANA_SECRET")
    if stamp and not (stamp.isdigit() and abs(now - int(stamp)) <= REPLAY_SECONDS):
        return Refusal(403, "The signed time is more than five minutes away from mine.")
    return None


def _same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode("latin-1", "replace"), wanted.encode())


SIGNATURES: dict[str, Signature] = {
    "pagerduty": Signature(
        "x-pagerduty-signature", "X-PagerDuty-Signature", "HAWKEYE_PAGERDUTY_SECRET", _pagerduty
    ),
    "grafana": Signature(
        "x-grafana-alerting-signature",
        "X-Grafana-Alerting-Signature",
        "HAWKEYE_GRAFANA_SECRET",
        _grafana,
    ),
}
"""Vendors that sign, by format."""
