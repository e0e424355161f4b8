"""The arguments of a Web API request: from its query, a form, a multipart form, or JSON."""

from __future__ import annotations

import json
from email.parser import BytesParser
from email.policy import HTTP
from urllib.parse import parse_qsl

from starlette.requests import Request

from bot.workspace.model import Json, SlackError

LARGEST_BODY = 8 * 1024 * 1024  # bytes of one API request
JSON_TYPE = "application/json"
FORM_TYPE = "application/x-www-form-urlencoded"
MULTIPART_TYPE = "multipart/form-data"
TYPES = {JSON_TYPE, FORM_TYPE, MULTIPART_TYPE, "text/plain"}
CHARSETS = {"utf-8", "utf8", "iso-8859-1"}


def content_type(request: Request) -> tuple[str, str]:
    """The media type of the body and its charset, in lower case; "" when not given."""
    kind, *parameters = request.headers.get("content-type", "").split(";")
    given = dict(one.strip().lower().partition("=")[::2] for one in parameters)
    return kind.strip().lower(), given.get("charset", "").strip('"')


async def arguments(request: Request, *, ignore_json: bool = False) -> Json:
    """The arguments; ``ignore_json`` for a method that takes only forms.

    Raises:
        SlackError: invalid_json, json_not_object, invalid_form_data, missing_post_type,
            invalid_post_type, invalid_charset, request_too_large.
    """
    found: Json = dict(request.query_params)
    body = await request.body()
    if len(body) > LARGEST_BODY:
        raise SlackError("request_too_large")
    if not body or request.method == "GET":
        return found
    kind, charset = content_type(request)
    if not kind:
        raise SlackError("missing_post_type")
    if kind not in TYPES:
        raise SlackError("invalid_post_type")
    if charset and charset not in CHARSETS:
        raise SlackError("invalid_charset")
    if kind == JSON_TYPE:
        return found | ({} if ignore_json else _json(body))
    if kind == MULTIPART_TYPE:
        return found | multipart(request.headers["content-type"], body)
    try:
        return found | dict(parse_qsl(body.decode(), keep_blank_values=True))
    except UnicodeDecodeError:
        raise SlackError("invalid_form_data") from None


def warnings(request: Request) -> list[str]:
    """What Slack warns of: JSON without a charset, a form with one."""
    kind, charset = content_type(request)
    if request.method == "POST" and kind == JSON_TYPE and not charset:
        return ["missing_charset"]
    if request.method == "POST" and kind == FORM_TYPE and charset:
        return ["superfluous_charset"]
    return []


def _json(body: bytes) -> Json:
    try:
        value = json.loads(body)
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
