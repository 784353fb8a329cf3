"""The forms that the sandbox Hub's answers take, whatever they are about: JSON, the Hub's errors, redirects.
What is answered belongs to the routes; headers common to all answers are added by the server."""

from __future__ import annotations

from dataclasses import dataclass, field

import orjson
from starlette.requests import Request
from starlette.responses import Response

JSON_TYPE = "application/json; charset=utf-8"


@dataclass
class HubError(Exception):
    """An answer that is an error, as the Hub words it."""

    status: int
    message: str
    code: str | None = None
    headers: dict[str, str] = field(default_factory=dict)


def error_response(error: HubError) -> Response:
    """The Hub's error: JSON, and the same in `X-Error-Message`, with `X-Error-Code` if it has one."""
    headers = {"X-Error-Message": error.message.encode("ascii", "replace").decode(), **error.headers}
    if error.code:
        headers["X-Error-Code"] = error.code
    return json_response({"error": error.message}, status=error.status, headers=headers)


def json_response(content, *, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(orjson.dumps(content), status, headers, media_type=JSON_TYPE)


def redirect(location: str, query: str) -> Response:
    """307 with a relative address, as the Hub moves a client to a repository's or an account's present name."""
    return Response(status_code=307, headers={"Location": location + (f"?{query}" if query else "")})


def base_address(request: Request) -> str:
    """The sandbox's own address as the client wrote it, without a slash at its end."""
    return f"{request.url.scheme}://{request.url.netloc}"
