"""The Web API at /api/<method>: arguments in, Slack's JSON out."""

from __future__ import annotations

import asyncio
import json
import logging
import uuid
from dataclasses import dataclass
from email.parser import BytesParser
from email.policy import HTTP
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from bot.workspace import api_chat, api_conversations, api_things, api_users, files
from bot.workspace.call import Call, Methods
from bot.workspace.faults import ConnectionDropped, refuse
from bot.workspace.model import App, Json, SlackError
from bot.workspace.scopes import check_scope
from bot.workspace.workspace import Workspace

log = logging.getLogger(__name__)
LARGEST_BODY = 8 * 1024 * 1024  # bytes of one API request


def connections_open(call: Call) -> Json:
    """apps.connections.open: a one-time address for Socket Mode."""
    if call.app.request_url:
        raise SlackError("forbidden_team")
    ticket = str(uuid.uuid4())
    call.workspace.tickets[ticket] = call.app.id
    address = call.workspace.base_url.replace("http://", "ws://", 1)
    return {"url": f"{address}/link/?ticket={ticket}&app_id={call.app.id}"}


METHODS: Methods = {
    **api_chat.METHODS,
    **api_conversations.METHODS,
    **api_users.METHODS,
    **api_things.METHODS,
    "apps.connections.open": connections_open,
}
NEEDS_APP_TOKEN = {"apps.connections.open"}
NEEDS_NO_TOKEN = {"api.test"}


async def arguments(request: Request) -> Json:
    """The arguments of a request, from the query, a form, a multipart form or JSON.

    Raises:
        SlackError: invalid_json, json_not_object, invalid_form_data, request_too_large.
    """
    found: Json = dict(request.query_params)
    body = await request.body()
    if len(body) > LARGEST_BODY:
        raise SlackError("request_too_large")
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind == "application/json":
        return found | _json(body)
    if kind == "multipart/form-data":
        return found | multipart(request.headers["content-type"], body)
    try:
        return found | dict(parse_qsl(body.decode(), keep_blank_values=True))
    except UnicodeDecodeError:
        raise SlackError("invalid_form_data") from None


def _json(body: bytes) -> Json:
    try:
        value = json.loads(body or b"{}")
    except ValueError:
        raise SlackError("invalid_json") from None
    if not isinstance(value, dict):
        raise SlackError("json_not_object")
    return value


def multipart(content_type: str, body: bytes) -> Json:
    """The fields of a multipart form; those with a file name stay bytes."""
    head = f"Content-Type: {content_type}\r\n\r\n".encode()
    message = BytesParser(policy=HTTP).parsebytes(head + body)
    fields: Json = {}
    for part in message.iter_parts():
        name = part.get_param("name", header="content-disposition")
        data = part.get_payload(decode=True)
        if name and isinstance(data, bytes):
            fields[str(name)] = data if part.get_filename() else data.decode(errors="replace")
    return fields


def authenticate(workspace: Workspace, method: str, token: str) -> App:
    """The app that a token belongs to.

    Raises:
        SlackError: not_authed, invalid_auth, not_allowed_token_type.
    """
    if not token:
        raise SlackError("not_authed")
    for app in workspace.apps.values():
        if token == app.bot_token:
            if method in NEEDS_APP_TOKEN:
                raise SlackError("not_allowed_token_type")
            return app
        if token == app.app_token:
            if method not in NEEDS_APP_TOKEN:
                raise SlackError("not_allowed_token_type")
            return app
    raise SlackError("invalid_auth")


def run(workspace: Workspace, method: str, given: Json, token: str) -> Json:
    """Carry out a method under the workspace's lock; returns the response body.

    Raises:
        SlackError: as Slack refuses.
    """
    if method not in METHODS:
        raise SlackError("unknown_method", req_method=method)
    if method in NEEDS_NO_TOKEN and not token:
        app = App("anonymous")
    else:
        app = authenticate(workspace, method, token)
    check_scope(app, method, given)
    call = Call(workspace, app, method, {k: v for k, v in given.items() if k != "token"})
    with workspace.lock:
        return {"ok": True, **METHODS[method](call)}


def refusal(error: SlackError) -> JSONResponse:
    """The HTTP response of an error."""
    if error.retry_after:
        return JSONResponse(
            error.to_json(), status_code=429, headers={"Retry-After": str(error.retry_after)}
        )
    return JSONResponse(error.to_json())


@dataclass(frozen=True)
class WebApi:
    """The Web API and the upload endpoint of one workspace."""

    workspace: Workspace

    async def call(self, request: Request) -> Response:
        """Any method, by GET or POST."""
        method = str(request.path_params["method"])
        try:
            given = await arguments(request)
        except SlackError as error:
            return refusal(error)
        header = request.headers.get("authorization", "")
        token = header.removeprefix("Bearer ").strip() or str(given.get("token") or "")
        app = next((a for a in self.workspace.apps.values() if token == a.bot_token), None)
        recorder = self.workspace.recorder
        record = recorder.add("in", "api", method, app.id if app else None, given)
        try:
            fault = self.workspace.faults.take(method)
            if fault:
                await asyncio.sleep(fault.delay)
                refuse(fault)
            body = run(self.workspace, method, given, token)
        except SlackError as error:
            recorder.finish(record, error.code, error.to_json())
            return refusal(error)
        except ConnectionDropped:
            recorder.finish(record, "dropped")
            return drop(request)
        except Exception:
            log.exception("%s failed inside the local workspace", method)
            recorder.finish(record, "internal_error")
            return JSONResponse({"ok": False, "error": "internal_error"}, status_code=500)
        recorder.finish(record, "ok", body)
        scopes = {"X-OAuth-Scopes": ",".join(app.scopes)} if app and app.scopes else None
        return JSONResponse(body, headers=scopes)

    async def upload(self, request: Request) -> Response:
        """The bytes of an announced file, raw or as a multipart form."""
        file = self.workspace.files.get(str(request.path_params["id"]))
        if file is None or file.completed:
            return Response("no such upload", status_code=404)
        data = await request.body()
        kind = request.headers.get("content-type", "")
        if kind.startswith("multipart/form-data"):
            parts = multipart(kind, data).values()
            data = next((part for part in parts if isinstance(part, bytes)), b"")
        if len(data) > files.LARGEST:
            return Response("too large", status_code=413)
        files.receive(self.workspace, file, data)
        recorder = self.workspace.recorder
        record = recorder.add("in", "api", "upload", file.app_id, data)
        recorder.finish(record, "ok", {"file": file.id})
        return Response(f"OK - {len(data)}")


def routes(workspace: Workspace) -> list[BaseRoute]:
    """The routes of the Web API and of file uploads."""
    web = WebApi(workspace)
    return [
        Route("/api/{method:path}", web.call, methods=["GET", "POST"]),
        Route("/upload/v1/{id}", web.upload, methods=["POST", "PUT"]),
    ]


def drop(request: Request) -> Response:
    """Close the connection without an answer."""
    cycle = getattr(request.receive, "__self__", None)
    transport = getattr(cycle, "transport", None)
    if transport is not None:
        transport.abort()
    return Response(status_code=500)
