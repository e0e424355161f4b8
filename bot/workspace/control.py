"""/control/*: faults, refreshed connections, timings; for tests and for the curious."""

from __future__ import annotations

import json

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from bot.workspace import answers
from bot.workspace.faults import Fault
from bot.workspace.model import SlackError
from bot.workspace.sockets import Carrier
from bot.workspace.webhooks import verify_request_url
from bot.workspace.workspace import Workspace

SETTINGS = {
    "ack_timeout",
    "trigger_seconds",
    "file_processing_seconds",
}


def routes(workspace: Workspace, carrier: Carrier) -> list[BaseRoute]:
    """The control routes and the response_url endpoint."""

    async def fault(request: Request) -> Response:
        if request.method == "DELETE":
            workspace.faults.clear()
            return JSONResponse({"ok": True})
        try:
            workspace.inject(Fault.from_json(await request.json()))
        except (KeyError, TypeError, ValueError) as error:
            return _bad(f"a fault needs `method` and numbers where numbers belong: {error!r}")
        return JSONResponse({"ok": True})

    async def refresh(request: Request) -> Response:
        app_id = str(request.path_params["app"])
        if app_id not in workspace.apps:
            return _bad(f"no app {app_id!r}")
        await carrier.refresh(app_id)
        return JSONResponse({"ok": True})

    async def verify(request: Request) -> Response:
        app = workspace.apps.get(str(request.path_params["app"]))
        if app is None or not app.request_url:
            return _bad("no such app, or it has no request URL")
        verified = await run_in_threadpool(verify_request_url, workspace, app)
        return JSONResponse({"ok": verified})

    async def settings(request: Request) -> Response:
        given = await request.json()
        unknown = given.keys() - SETTINGS - {"limit_posts"}
        if unknown:
            return _bad(f"unknown {sorted(unknown)}; there are {sorted(SETTINGS)}, limit_posts")
        for name in given.keys() & SETTINGS:
            setattr(workspace, name, float(given[name]))
        if "limit_posts" in given:
            workspace.faults.limit_posts = bool(given["limit_posts"])
        return JSONResponse({"ok": True})

    async def respond(request: Request) -> Response:
        id = str(request.path_params["id"])
        url = workspace.response_urls.get(id)
        record = None
        try:
            body = json.loads(await request.body() or b"{}")
            if not isinstance(body, dict):
                raise SlackError("invalid_payload")
            owner = url.app_id if url else None
            record = workspace.recorder.add("in", "response_url", "response_url", owner, body)
            answers.respond(workspace, id, body)
        except ValueError:
            return Response("invalid_payload", status_code=400)
        except SlackError as error:
            if record:
                workspace.recorder.finish(record, error.code, error.to_json())
            gone = error.code in ("expired_url", "used_url")
            return JSONResponse(error.to_json(), status_code=404 if gone else 400)
        workspace.recorder.finish(record, "ok")
        return Response("ok")

    return [
        Route("/control/fault", fault, methods=["POST", "DELETE"]),
        Route("/control/refresh/{app}", refresh, methods=["POST"]),
        Route("/control/verify/{app}", verify, methods=["POST"]),
        Route("/control/settings", settings, methods=["POST"]),
        Route("/actions/{team}/{id:path}", respond, methods=["POST"]),
    ]


def _bad(text: str) -> Response:
    return JSONResponse({"ok": False, "error": "invalid_request", "message": text}, status_code=400)
