"""What stands before all routes: where a request comes from, what a browser may be made to do,
how large a body may be; and on the way out, the headers that tell browsers to be careful.

A plain ASGI middleware: it keeps nothing back and copies no body.
"""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketDisconnect

from camkeep.server.problems import Problem
from camkeep.server.web.answers import problem_response, unexpected
from camkeep.server.web.options import WebOptions
from camkeep.server.web.reached import SAFE_METHODS, Reach, check_origin, visit

BODY_STALL_S = 30.0
"""How long a body may stand still."""
MORE_READ = 1_000_000
"""Bytes that are read, and forgotten, of a body that is too large."""

CONTENT_POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob: data:",
        "media-src 'self' blob:",
        "connect-src 'self'",
        "font-src 'self'",
        "manifest-src 'self'",
        "worker-src 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "form-action 'self'",
    ]
)
HEADERS = {
    "content-security-policy": CONTENT_POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}
"""Of every answer that does not say otherwise."""
STRICT_TRANSPORT = "max-age=86400"
"""For a day: it holds for all ports of a host, and others may live there."""
STARTS = ("http.response.start", "websocket.http.response.start")


class Entrance:
    """The middleware."""

    def __init__(self, app: ASGIApp, options: WebOptions) -> None:
        """Raises UsageError for names and addresses that do not read."""
        self._app = app
        self._options = options
        self._reach = Reach.of(options)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        answer = _Answer(send)
        try:
            self._check(scope, answer)
            body = _Body(receive, self._options.body_limit)
            await self._app(scope, body if scope["type"] == "http" else receive, answer)
        except (ClientDisconnect, WebSocketDisconnect):
            return  # nobody is there any more who could be answered
        except Problem as problem:
            await problem_response(problem)(scope, receive, answer)
        except Exception as error:  # noqa: BLE001 - here they end
            await _fail(error, scope, receive, answer)

    def _check(self, scope: Scope, answer: _Answer) -> None:
        """Note where the request comes from. Raises Problem for one that is not to be served."""
        headers = Headers(scope=scope)
        peer = (scope.get("client") or ("", 0))[0]
        version = scope.get("http_version", "1.1")
        came = visit(self._reach, peer, scope["scheme"], headers, version)
        answer.secure = came.secure
        answer.trustworthy = came.trustworthy
        scope.setdefault("state", {})["visit"] = came
        unsafe = scope["type"] == "websocket" or scope["method"] not in SAFE_METHODS
        check_origin(self._reach, came, headers, changes=unsafe)
        if scope["type"] == "http":
            _check_body(headers, self._options.body_limit)


def _check_body(headers: Headers, limit: int) -> None:
    """What the headers say of the body. Raises Problem 413 or 415."""
    length = headers.get("content-length", "0")
    if not length.isdecimal() or int(length[:20]) > limit:
        raise _too_large(limit)
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    has_body = length.strip("0") != "" or "transfer-encoding" in headers
    if has_body and kind != "application/json":
        raise Problem(415, "Not understood", "send the body as application/json")


def _too_large(limit: int) -> Problem:
    told = f"a request's body has at most {limit} bytes here"
    return Problem(413, "Too large", told, headers={"connection": "close"})


class _Body:
    """The body of a request as it comes in, within its bounds."""

    def __init__(self, receive: Receive, limit: int) -> None:
        self._receive = receive
        self._limit = limit
        self._read = 0
        self._ended = False

    async def __call__(self) -> Message:
        if self._ended:
            return await self._receive()  # waits until the client leaves
        try:
            async with asyncio.timeout(BODY_STALL_S):
                message = await self._receive()
        except TimeoutError:
            told = "the body did not come"  # as the framework raises it: it passes its parser
            raise HTTPException(408, told, {"connection": "close"}) from None
        self._read += len(message.get("body", b""))
        self._ended = not message.get("more_body", False)
        if self._read <= self._limit:
            return message
        if not self._ended and self._read <= self._limit + MORE_READ:
            return await self()  # whoever has sent all can read the answer: others see a reset
        problem = _too_large(self._limit)
        raise HTTPException(problem.status, problem.detail, problem.headers)


class _Answer:
    """The answer on its way out."""

    def __init__(self, send: Send) -> None:
        self.begun = False
        self.secure = False
        self.trustworthy = False
        self._send = send

    async def __call__(self, message: MutableMapping[str, object]) -> None:
        if message["type"] in STARTS:
            self.begun = True
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
            if self.secure:
                headers.setdefault("strict-transport-security", STRICT_TRANSPORT)
            if self.trustworthy:
                headers.setdefault("cross-origin-opener-policy", "same-origin")
        elif message["type"] == "websocket.accept":
            self.begun = True
        await self._send(message)


async def _fail(error: Exception, scope: Scope, receive: Receive, answer: _Answer) -> None:
    """An error that nobody foresaw: the log has it, the client has not."""
    where = f"{scope.get('method', 'WebSocket')} {_template(scope)}"
    response = unexpected(error, where)
    if not answer.begun:
        await response(scope, receive, answer)
    elif scope["type"] == "websocket":
        await answer({"type": "websocket.close", "code": 1011})
    else:
        raise error  # the server drops the connection, so that nobody takes it for complete


def _template(scope: Scope) -> str:
    """The path as the route has it; never the query, which may hold a token."""
    path = getattr(scope.get("route"), "path", None)
    return path if isinstance(path, str) else "an unknown path"
