"""RTSP requests and answers (RFC 2326 §4 to §7) as values and bytes. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from camkeep.errors import MediaError

MAX_HEAD = 64 * 1024
"""Bytes of start line and headers."""
MAX_BODY = 256 * 1024
"""Bytes of a body; the only bodies that cameras send are SDP and parameter lists."""

Headers = tuple[tuple[str, str], ...]

_STATUS = re.compile(r"RTSP/\d\.\d +(\d{3})(?: +(.*))?", re.ASCII)
_REQUEST = re.compile(r"([A-Z_]{3,20}) +(\S+) +RTSP/\d\.\d", re.ASCII)
_END_OF_HEAD = re.compile(rb"\r?\n\r?\n")


@dataclass(frozen=True, slots=True)
class Response:
    """An answer of the camera."""

    status: int
    reason: str
    headers: Headers = ()
    """Names in lower case, in the order they came."""
    body: bytes = b""

    def get(self, name: str) -> str | None:
        """The first header called `name` (in lower case)."""
        return next((value for key, value in self.headers if key == name), None)

    def all(self, name: str) -> list[str]:
        """All headers called `name`."""
        return [value for key, value in self.headers if key == name]

    @property
    def cseq(self) -> int | None:
        """The number of the request that this answers, None where missing or malformed."""
        return _number(self.get("cseq"))


@dataclass(frozen=True, slots=True)
class Request:
    """A request of the camera to us (RFC 2326 §10 allows a few)."""

    method: str
    headers: Headers = ()

    @property
    def cseq(self) -> int | None:
        """Its number, to be repeated in the answer."""
        return _number(dict(self.headers).get("cseq"))


Message = Response | Request


def format_request(method: str, uri: str, headers: Iterable[tuple[str, str]]) -> bytes:
    """A request without a body.

    Raises MediaError where a part holds a line break, which would make it two requests.
    """
    lines = [f"{method} {uri} RTSP/1.0", *(f"{name}: {value}" for name, value in headers)]
    if any("\r" in line or "\n" in line for line in lines):
        raise MediaError("a request must not hold line breaks")
    return "\r\n".join([*lines, "", ""]).encode("utf-8", "surrogateescape")


def parse_message(data: bytes, start: int) -> tuple[Message | None, int]:
    """Read the message at `start`; returns it and where it ends.

    While it is incomplete: None, and how long `data` must be before it is worth another try.

    Raises MediaError where this is no RTSP message or it is over the limits.
    """
    end = _END_OF_HEAD.search(data, start, start + MAX_HEAD)
    if end is None:
        if len(data) - start >= MAX_HEAD:
            raise MediaError(f"its headers go on for more than {MAX_HEAD >> 10} KB")
        return None, len(data) + 1
    first, *lines = data[start : end.start()].decode("utf-8", "replace").splitlines() or [""]
    headers = _headers(lines)
    length = _number(dict(headers).get("content-length")) or 0
    if length > MAX_BODY:
        raise MediaError(f"the body of its answer is over {MAX_BODY >> 10} KB")
    stop = end.end() + length
    if stop > len(data):
        return None, stop
    if match := _STATUS.fullmatch(first.strip()):
        body = data[end.end() : stop]
        return Response(int(match[1]), (match[2] or "").strip(), headers, body), stop
    if match := _REQUEST.fullmatch(first.strip()):
        return Request(match[1], headers), stop
    raise MediaError("that is neither an RTSP answer nor a request")


def _headers(lines: list[str]) -> Headers:
    found: list[tuple[str, str]] = []
    for line in lines:
        if line[:1] in (" ", "\t") and found:  # folded, RFC 2326 §4.2
            name, value = found[-1]
            found[-1] = (name, f"{value} {line.strip()}")
            continue
        name, colon, value = line.partition(":")
        if colon:
            found.append((name.strip().lower(), value.strip()))
    return tuple(found)


def _number(text: str | None) -> int | None:
    """A decimal number of at most ten digits."""
    if text is not None and re.fullmatch(r"[0-9]{1,10}", text):
        return int(text)
    return None


def parse_session(value: str) -> tuple[str, float | None]:
    """A Session header (RFC 2326 §12.37): the identifier and the timeout in seconds if given."""
    identifier, _, rest = value.partition(";")
    match = re.search(r"timeout\s*=\s*([0-9]{1,6})", rest, re.IGNORECASE | re.ASCII)
    return identifier.strip(), float(match[1]) if match and int(match[1]) else None


@dataclass(frozen=True, slots=True)
class Transport:
    """What a Transport header (RFC 2326 §12.39) grants."""

    tcp: bool
    interleaved: tuple[int, int] | None = None
    """Channels of RTP and RTCP."""
    server_ports: tuple[int, int] | None = None
    """UDP ports of RTP and RTCP at the camera."""


def parse_transport(value: str) -> Transport:
    """Read a Transport header; what is malformed in it counts as not said."""
    fields = [field.strip() for field in value.partition(",")[0].split(";")]
    named = {
        name.strip().lower(): text.strip()
        for name, equals, text in (field.partition("=") for field in fields)
        if equals
    }
    return Transport(
        tcp=fields[0].upper().endswith("/TCP"),
        interleaved=_pair(named.get("interleaved"), 255),
        server_ports=_pair(named.get("server_port"), 65535),
    )


def _pair(text: str | None, most: int) -> tuple[int, int] | None:
    match = re.fullmatch(r"([0-9]{1,5})(?:-([0-9]{1,5}))?", text or "")
    if match is None:
        return None
    first = int(match[1])
    second = int(match[2]) if match[2] else first + 1
    return (first, second) if first <= most and second <= most else None
