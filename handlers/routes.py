"""What the bot answers over HTTP: alerts in, health, readiness, figures for Prometheus.

An alert is only written down here; the checks run elsewhere, so that the sender is answered at
once. Every refusal says in a sentence what to change.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from handlers.alerts import FORMATS, MAY_BE_FORMS, BadPayload, Format, Known, Taken
from handlers.alerts.authentication import Keys, refusal
from handlers.desk import Desk, Desks, nearest
from handlers.intake import Outcome, take_in

MOST_BYTES = 5_000_000
"""A larger body is refused."""

_STOPPED = "what sends messages or runs checks has stopped; restart the bot"

_log = structlog.get_logger(__name__)


class Figures:
    """Counters and gauges, in a registry of their own so that two bots can live in a process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.alerts = Counter(
            "hawkeye_alerts",
            "Alerts that came in over HTTP, by format and what became of them.",
            ["format", "outcome"],
            registry=self.registry,
        )
        self.refused = Counter(
            "hawkeye_requests_refused",
            "Requests to /alerts that were refused, by status.",
            ["status"],
            registry=self.registry,
        )
        self.open = Gauge(
            "hawkeye_incidents_open", "Incidents that are open.", registry=self.registry
        )
        self.reachable = Gauge(
            "hawkeye_slack_reachable",
            "Whether Slack takes the bot's token (1) or what should be posted waits (0).",
            ["workspace"],
            registry=self.registry,
        )
        self.waiting = Gauge(
            "hawkeye_messages_waiting",
            "Messages that Slack has not been told, or not as they should be.",
            ["workspace"],
            registry=self.registry,
        )
        self.given_up = Gauge(
            "hawkeye_messages_given_up",
            "Messages of open incidents that Slack did not take, and that are not tried again.",
            ["workspace"],
            registry=self.registry,
        )


class _Refused(Exception):
    """The request is answered with ``status`` and a sentence."""

    def __init__(self, status: int, sentence: str, problems: tuple[str, ...] = ()) -> None:
        super().__init__(sentence)
        self.status = status
        self.problems = problems


def alert_routes(
    desks: Desks,
    keys: Keys,
    formats: Mapping[str, Format] = FORMATS,
    ready: Callable[[], bool] = lambda: True,
    figures: Figures | None = None,
    *,
    slack: Callable[[], str] = lambda: "",
    observe: Callable[[Figures], None] = lambda _: None,
) -> list[BaseRoute]:
    """``POST /alerts/{format}`` for those who have one of the ``keys``, and health.

    Answers 202 with
    ``{"incidents": [{"id", "joined"}]}`` and, where there are any, ``unplaced``, ``problems`` and
    ``ignored``;
    refusals are ``{"error": sentence, "problems": [sentence]}``. ``ready`` says whether what
    sends and what works is alive, ``slack`` why nothing can be posted; the stores are asked as
    well. ``observe`` fills more figures in when Prometheus comes by.
    """
    figures = figures or Figures()
    checks = {
        "store": lambda: "".join(store_ready(desk)() for desk in desks.every),
        "bot": lambda: "" if ready() else _STOPPED,
        "slack": slack,
    }

    def count() -> None:
        figures.open.set(sum(len(desk.store.open_incidents()) for desk in desks.every))
        observe(figures)

    async def receive(request: Request) -> Response:
        try:
            body = await _body(request)
            _authenticate(request, body, keys)
            name, format_ = _format(request, formats)
            payload = _payload(request, body, name in MAY_BE_FORMS)
            taken = await run_in_threadpool(_taken, format_, payload, desks)
            outcome = await run_in_threadpool(take_in, desks, taken)
        except _Refused as refused:
            figures.refused.labels(str(refused.status)).inc()
            return _refusal(refused)
        except ClientDisconnect:
            return Response(status_code=400)
        _count(figures, name, outcome, taken)
        return JSONResponse(_answer(outcome, taken), status_code=202)

    health = health_routes(checks, figures, count)
    return [Route("/alerts/{format}", receive, methods=["POST", "PUT"]), *health]


def health_routes(
    ready: Mapping[str, Callable[[], str]],
    figures: Figures,
    count: Callable[[], None] = lambda: None,
) -> list[BaseRoute]:
    """``/healthz`` (the process answers), ``/readyz`` and ``/metrics``.

    ``ready`` are checks by name: each gives "" when all is well, else a sentence; one that
    raises is not ready either. ``count`` is called when Prometheus comes by.
    """

    async def healthz(request: Request) -> Response:
        del request
        return JSONResponse({"status": "ok"})

    async def readyz(request: Request) -> Response:
        del request
        wrong = await run_in_threadpool(_not_ready, ready)
        status = "ready" if not wrong else "not ready"
        return JSONResponse(
            {"status": status, "problems": wrong}, status_code=503 if wrong else 200
        )

    async def metrics(request: Request) -> Response:
        del request
        await run_in_threadpool(count)
        return Response(generate_latest(figures.registry), media_type=CONTENT_TYPE_LATEST)

    return [
        Route("/healthz", healthz, methods=["GET"]),
        Route("/readyz", readyz, methods=["GET"]),
        Route("/metrics", metrics, methods=["GET"]),
    ]


def store_ready(desk: Desk) -> Callable[[], str]:
    """A readiness check: the store can be read and written."""

    def check() -> str:
        with desk.store.transaction():
            desk.store.rows("SELECT 1")
        return ""

    return check


# -- one request ----------------------------------------------------------------------------------


def _authenticate(request: Request, body: bytes, keys: Keys) -> None:
    headers = {name.lower(): value for name, value in request.headers.items()}
    refused = refusal(request.path_params["format"], headers, body, keys, time.time())
    if refused is None:
        return
    hint = ""
    if refused.status == 401 and "token" in request.query_params:
        hint = " A token in the address is not taken: addresses end up in logs."
    raise _Refused(refused.status, refused.sentence + hint)


def _format(request: Request, formats: Mapping[str, Format]) -> tuple[str, Format]:
    name = request.path_params["format"]
    if name in formats:
        return name, formats[name]
    close = nearest(name, list(formats))
    known = ", ".join(f"/alerts/{f}" for f in formats)
    meant = f" Did you mean /alerts/{close}?" if close else ""
    raise _Refused(404, f"There is no alert format of that name; there are {known}.{meant}")


async def _body(request: Request) -> bytes:
    body = await bounded(request)
    if body is None:
        more = f"The body is longer than {MOST_BYTES:,} bytes; send fewer alerts at a time."
        raise _Refused(413, more)
    return body


async def bounded(request: Request) -> bytes | None:
    """The body; None where it is longer than MOST_BYTES, of which no more is read."""
    told = request.headers.get("content-length", "").strip()
    if told.isdigit() and int(told) > MOST_BYTES:
        return None
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            return None
    return bytes(body)


def _payload(request: Request, body: bytes, may_be_form: bool) -> Any:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if may_be_form and kind == "application/x-www-form-urlencoded":
        return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
    if kind != "application/json" and not kind.endswith("+json"):
        raise _Refused(
            415, f"Send JSON with `Content-Type: application/json`, not {kind[:60] or 'without'}."
        )
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise _Refused(422, f"The body is not JSON: {str(error)[:200]}.") from None


def _taken(format_: Format, payload: Any, desks: Desks) -> Taken:
    desk = desks.every[0]
    nodes = tuple(n.name for n in desk.tree.nodes)
    try:
        known = Known(desk.subjects(), desk.now(), nodes, desks.workspaces)
        taken = format_(payload, known)
    except BadPayload as bad:
        raise _Refused(422, "The payload is not of this format.", bad.problems) from None
    except Exception as error:
        # A team's own format may raise anything; whoever sent the alert has to hear of it.
        _log.exception("alert format failed")
        what = f"{type(error).__name__}: {str(error)[:200]}"
        raise _Refused(500, f"The format failed on this payload ({what}).") from error
    return taken


def _answer(outcome: Outcome, taken: Taken) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "incidents": [{"id": name, "joined": joined} for name, joined in outcome.incidents.items()]
    }
    if outcome.unplaced:
        answer["unplaced"] = list(dict.fromkeys(outcome.unplaced))
    if taken.problems:
        answer["problems"] = list(taken.problems)
    if outcome.ignored:
        answer["ignored"] = outcome.ignored
    return answer


def _refusal(refused: _Refused) -> Response:
    _log.info("alert refused", status=refused.status, why=str(refused), problems=refused.problems)
    body: dict[str, Any] = {"error": str(refused)}
    if refused.problems:
        body["problems"] = list(refused.problems)
    headers = {"WWW-Authenticate": 'Bearer realm="hawkeye"'} if refused.status == 401 else None
    return JSONResponse(body, status_code=refused.status, headers=headers)


def _count(figures: Figures, name: str, outcome: Outcome, taken: Taken) -> None:
    joined = sum(outcome.incidents.values())
    counts = {
        "opened": len(outcome.incidents) - joined,
        "joined": joined,
        "ignored": len(outcome.ignored),
        "unknown": len(taken.problems),
    }
    for what, count in counts.items():
        figures.alerts.labels(name, what).inc(count)


def _not_ready(checks: Mapping[str, Callable[[], str]]) -> list[str]:
    wrong = []
    for name, check in checks.items():
        try:
            sentence = check()
        except Exception as error:
            # Whatever breaks a check is what an operator has to read.
            sentence = f"{type(error).__name__}: {str(error)[:200]}"
        if sentence:
            wrong.append(f"{name}: {sentence}")
    return wrong
