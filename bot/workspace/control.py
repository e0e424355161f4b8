"""/control/*: faults, refreshed connections, timings; and the response_url endpoint."""

from __future__ import annotations

import json
from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from bot.workspace import answers
from bot.workspace.faults import Fault
from bot.workspace.model import Json, SlackError
from bot.workspace.sockets import Carrier
from bot.workspace.webhooks import verify_request_url
from bot.workspace.workspace import Workspace

SETTINGS = {"ack_timeout", "trigger_seconds", "file_processing_seconds"}
LIMITS = {"limit_posts", "limit_calls"}


def _bad(text: str) -> Response:
    return JSONResponse({"ok": False, "error": "invalid_request", "message": text}, status_code=400)


@dataclass(frozen=True)
class Control:
    """The control endpoints of one served workspace."""

    workspace: Workspace
    carrier: Carrier

    async def fault(self, request: Request) -> Response:
        """POST or DELETE /control/fault."""
        if request.method == "DELETE":
            self.workspace.faults.clear()
            return JSONResponse({"ok": True})
        try:
            self.workspace.inject(Fault.from_json(await request.json()))
        except (KeyError, TypeError, ValueError) as error:
            return _bad(f"a fault needs `method`, and numbers where numbers belong: {error!r}")
        return JSONResponse({"ok": True})

    async def refresh(self, request: Request) -> Response:
        """POST /control/refresh/<app>."""
        app_id = str(request.path_params["app"])
        if app_id not in self.workspace.apps:
            return _bad(f"no app {app_id!r}; there are {sorted(self.workspace.apps)}")
        await self.carrier.refresh(app_id)
        return JSONResponse({"ok": True})

    async def verify(self, request: Request) -> Response:
        """POST /control/verify/<app>."""
        app = self.workspace.apps.get(str(request.path_params["app"]))
        if app is None or not app.request_url:
            return _bad("no such app, or it has no request URL")
        verified = await run_in_threadpool(verify_request_url, self.workspace, app)
        return JSONResponse({"ok": verified})

    async def settings(self, request: Request) -> Response:
        """POST /control/settings."""
        given = await request.json()
        unknown = given.keys() - SETTINGS - LIMITS
        if unknown:
            return _bad(f"unknown {sorted(unknown)}; there are {sorted(SETTINGS | LIMITS)}")
        for name in given.keys() & SETTINGS:
            setattr(self.workspace, name, float(given[name]))
        for name in given.keys() & LIMITS:
            setattr(self.workspace.faults, name, bool(given[name]))
        return JSONResponse({"ok": True})

    async def respond(self, request: Request) -> Response:
        """POST to a response_url."""
        id = str(request.path_params["id"])
        url = self.workspace.response_urls.get(id)
        try:
            body = json.loads(await request.body() or b"{}")
        except ValueError:
            body = None
        owner = url.app_id if url else None
        recorder = self.workspace.recorder
        record = recorder.add("in", "response_url", "response_url", owner, body)
        try:
            self._answer(id, body)
        except SlackError as error:
            recorder.finish(record, error.code, error.to_json())
            gone = error.code in ("expired_url", "used_url")
            return JSONResponse(error.to_json(), status_code=404 if gone else 400)
        recorder.finish(record, "ok")
        return Response("ok")

    def _answer(self, id: str, body: Json | None) -> None:
        if not isinstance(body, dict):
            raise SlackError("invalid_payload")
        answers.respond(self.workspace, id, body)


def routes(workspace: Workspace, carrier: Carrier) -> list[BaseRoute]:
    """The control routes and the response_url endpoint."""
    control = Control(workspace, carrier)
    return [
        Route("/control/fault", control.fault, methods=["POST", "DELETE"]),
        Route("/control/refresh/{app}", control.refresh, methods=["POST"]),
        Route("/control/verify/{app}", control.verify, methods=["POST"]),
        Route("/control/settings", control.settings, methods=["POST"]),
        Route("/actions/{team}/{id:path}", control.respond, methods=["POST"]),
    ]
