"""The little of HTTP (RFC 9112) that a camera's server needs."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit

from camkeep.cameras.address import redact_query

MAX_HEAD = 32 * 1024
REASONS = {
    200: "OK",
    302: "Found",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    500: "Internal Server Error",
}


@dataclass(frozen=True, slots=True)
class Request:
    """What a client asked for."""

    method: str
    target: str = field(repr=False)
    path: str
    query: dict[str, str] = field(repr=False)
    headers: dict[str, str] = field(repr=False)
    """Names in lower case; of a repeated one the last."""
    keep_alive: bool

    def __str__(self) -> str:
        query = redact_query(urlsplit(self.target).query)
        return f"{self.method} {self.path}" + (f"?{query}" if query else "")


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer."""

    body: bytes = b""
    content_type: str = "text/plain"
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()


async def read_request(reader: asyncio.StreamReader) -> Request | None:
    """The next request, None where the connection ends or it is not HTTP."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, OSError):
        return None
    lines = head.decode("latin-1").split("\r\n")
    first = lines[0].split(" ")
    if len(first) != 3 or not first[2].startswith("HTTP/1."):
        return None
    method, target, version = first
    headers = {}
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if colon:
            headers[name.strip().lower()] = value.strip()
    try:
        parts = urlsplit(target)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
    except ValueError:
        return None
    keep = version == "HTTP/1.1" and headers.get("connection", "").lower() != "close"
    return Request(method, target, parts.path, query, headers, keep)


def head(server: str, status: int, headers: list[tuple[str, str]], end: str = "\r\n") -> bytes:
    """Status line and headers."""
    lines = [f"HTTP/1.1 {status} {REASONS[status]}", f"Server: {server}"]
    lines += [f"{name}: {value}" for name, value in headers]
    return (end.join(lines) + end * 2).encode("latin-1", "replace")


def whole(server: str, answer: Answer, keep_alive: bool) -> bytes:
    """`answer` with its head."""
    headers = [
        ("Content-Type", answer.content_type),
        ("Content-Length", str(len(answer.body))),
        ("Cache-Control", "no-store"),
        ("Connection", "keep-alive" if keep_alive else "close"),
        *answer.headers,
    ]
    return head(server, answer.status, headers) + answer.body
