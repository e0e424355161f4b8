"""The Web API at /api/<method>: arguments in, Slack's JSON out."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from bot.workspace import (
    api_channels,
    api_chat,
    api_conversations,
    api_files,
    api_functions,
    api_groups,
    api_marks,
    api_scheduled,
    api_streams,
    api_team,
    api_users,
    api_views,
    files,
)
from bot.workspace.apps import App, Execution
from bot.workspace.arguments import arguments, multipart, warnings
from bot.workspace.call import Call, Methods
from bot.workspace.elsewhere import (
    FOR_USERS,
    FOR_USERS_FAMILIES,
    FORM_ONLY,
    RETIRED,
    RETIRED_FAMILIES,
)
from bot.workspace.faults import ConnectionDropped, suffer
from bot.workspace.model import Json, SlackError
from bot.workspace.scopes import accepted, check_scope
from bot.workspace.workspace import Workspace

log = logging.getLogger(__name__)


METHODS: Methods = {
    **api_chat.METHODS,
    **api_scheduled.METHODS,
    **api_streams.METHODS,
    **api_conversations.METHODS,
    **api_channels.METHODS,
    **api_users.METHODS,
    **api_groups.METHODS,
    **api_files.METHODS,
    **api_functions.METHODS,
    **api_views.METHODS,
    **api_marks.METHODS,
    **api_team.METHODS,
}
NEEDS_APP_TOKEN = {"apps.connections.open", "apps.event.authorizations.list"}
TAKES_ANY_TOKEN = {"auth.test"}
NEEDS_NO_TOKEN = {"api.test"}


def authenticate(workspace: Workspace, method: str, token: str) -> App:
    """The app that a token belongs to.

    Raises:
        SlackError: not_authed, invalid_auth, token_revoked, not_allowed_token_type.
    """
    if not token:
        raise SlackError("not_authed")
    if token in workspace.revoked:
        raise SlackError("token_revoked")
    step = step_of(workspace, token)
    if step:
        token = workspace.apps[step.app_id].bot_token
    for app in workspace.apps.values():
        if token in (app.bot_token, app.app_token):
            wanted = app.app_token if method in NEEDS_APP_TOKEN else app.bot_token
            if token != wanted and method not in TAKES_ANY_TOKEN:
                raise SlackError("not_allowed_token_type")
            return app
    raise SlackError("invalid_auth")


def step_of(workspace: Workspace, token: str) -> Execution | None:
    """The custom step whose own token this is."""
    return next((one for one in workspace.executions.values() if token == one.token), None)


def check_method(method: str) -> None:
    """Refuse what is not served, as Slack refuses it.

    Raises:
        SlackError: method_deprecated, not_allowed_token_type (a bot's token is no user's),
            unknown_method.
    """
    if method in METHODS:
        return
    if method in RETIRED or method.startswith(RETIRED_FAMILIES):
        raise SlackError("method_deprecated")
    if method in FOR_USERS or method.startswith(FOR_USERS_FAMILIES):
        raise SlackError("not_allowed_token_type")
    raise SlackError("unknown_method", req_method=method)


def run(workspace: Workspace, method: str, given: Json, token: str) -> Json:
    """Carry out a method under the workspace's lock; returns the response body.

    Raises:
        SlackError: as Slack refuses.
    """
    check_method(method)
    if method in NEEDS_NO_TOKEN and not token:
        app = App("anonymous")
    else:
        app = authenticate(workspace, method, token)
    check_scope(app, method, given)
    step = step_of(workspace, token)
    arguments = {k: v for k, v in given.items() if k != "token"}
    call = Call(workspace, app, method, arguments, step.id if step else None)
    with workspace.lock:
        return {"ok": True, **METHODS[method](call)}


def refusal(error: SlackError) -> JSONResponse:
    """The HTTP response of an error."""
    if error.retry_after:
        return JSONResponse(
            error.to_json(), status_code=429, headers={"Retry-After": str(error.retry_after)}
        )
    return JSONResponse(error.to_json())


def warned(body: Json, warnings: list[str]) -> Json:
    """The body with warnings about the request itself."""
    if not warnings:
        return body
    metadata = body.get("response_metadata", {})
    listed = [*metadata.get("warnings", []), *warnings]
    return {
        **body,
        "warning": ",".join(listed),
        "response_metadata": {**metadata, "warnings": listed},
    }


@dataclass(frozen=True)
class WebApi:
    """The Web API and the upload endpoint of one workspace."""

    workspace: Workspace

    async def call(self, request: Request) -> Response:
        """Any method, by GET or POST."""
        method = str(request.path_params["method"])
        try:
            given = await arguments(request, ignore_json=method in FORM_ONLY)
        except SlackError as error:
            return refusal(error)
        header = request.headers.get("authorization", "")
        token = header.removeprefix("Bearer ").strip() or str(given.get("token") or "")
        step = step_of(self.workspace, token)
        used = self.workspace.apps[step.app_id].bot_token if step else token
        app = next((a for a in self.workspace.apps.values() if used == a.bot_token), None)
        recorder = self.workspace.recorder
        record = recorder.add("in", "api", method, app.id if app else None, given)
        try:
            fault = self.workspace.faults.take(method)
            if fault and not fault.after:
                await suffer(fault)
            if app:
                self.workspace.faults.spend_call(app.id, method)
            body = run(self.workspace, method, given, token)
            if fault and fault.after:
                await suffer(fault)
            response = JSONResponse(warned(body, warnings(request)))
            recorder.finish(record, "ok", body)
        except SlackError as error:
            recorder.finish(record, error.code, error.to_json())
            response = refusal(error)
        except ConnectionDropped:
            recorder.finish(record, "dropped")
            return drop(request)
        except Exception:
            log.exception("%s failed inside the local workspace", method)
            recorder.finish(record, "internal_error")
            return JSONResponse({"ok": False, "error": "internal_error"}, status_code=500)
        if app and app.scopes:
            response.headers["X-OAuth-Scopes"] = ",".join(app.scopes)
            response.headers["X-Accepted-OAuth-Scopes"] = ",".join(accepted(method, given))
        return response

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
