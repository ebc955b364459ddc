"""HTTP/1.0 and 1.1 answers (RFC 9112), read as they come. Pure.

Body bytes are passed on as they arrive and never kept. Everything is bounded: head, chunk
lines and trailers have limits, and a body is as long as its taker lets it be.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from camkeep.errors import MediaError

MAX_HEAD = 64 * 1024
"""Most bytes of status line and headers, and of the trailers behind a chunked body."""
MAX_CHUNK_LINE = 4096

Body = Callable[[memoryview], None]
"""Takes a piece of the body. The view is valid only during the call."""

_END_OF_HEAD = re.compile(rb"\r?\n\r?\n")
_STATUS = re.compile(rb"HTTP/\d(?:\.\d)?[ \t]+(\d{3})")
_NO_BODY = frozenset({204, 304})


class NotHttp(MediaError):
    """The answer does not begin like HTTP; `begins` is its first bytes."""

    def __init__(self, begins: bytes) -> None:
        super().__init__("the answer is not HTTP")
        self.begins = begins


@dataclass(frozen=True, slots=True)
class Head:
    """Status and headers of an answer; header names are in lower case."""

    status: int
    headers: tuple[tuple[str, str], ...]

    def get(self, name: str, default: str = "") -> str:
        """The first header of that (lower-case) name."""
        return next((value for key, value in self.headers if key == name), default)

    def all(self, name: str) -> list[str]:
        """All headers of that (lower-case) name."""
        return [value for key, value in self.headers if key == name]

    @property
    def media_type(self) -> str:
        """Content-Type without parameters, in lower case; "" where there is none."""
        return self.get("content-type").partition(";")[0].strip().lower()

    @property
    def content_length(self) -> int | None:
        """Content-Length where it is a number, else None."""
        text = self.get("content-length").strip()
        return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else None


def parse_head(data: bytes) -> Head:
    """Read status line and headers; lines may end with CRLF or LF.

    Lines that are no header are passed over. Raises MediaError where there is no status.
    """
    lines = re.split(rb"\r?\n", data.strip(b"\r\n"))
    status = _STATUS.match(lines[0])
    if status is None:
        raise NotHttp(data[:16])
    headers: list[tuple[str, str]] = []
    for line in lines[1:]:
        text = line.decode("latin-1")
        if text[:1] in (" ", "\t") and headers:  # folded (RFC 9112 §5.2)
            name, value = headers[-1]
            headers[-1] = (name, f"{value} {text.strip()}")
            continue
        name, colon, value = text.partition(":")
        if colon:
            headers.append((name.strip().lower(), value.strip()))
    return Head(int(status[1]), tuple(headers))


class AnswerReader:
    """Reads one answer. `on_head` is told the head and gives back who takes the body.

    A body ends by its chunks, by its Content-Length, or with the connection. A multipart body
    that goes on for ever ignores Content-Length, which cameras fill with anything.
    """

    def __init__(self, on_head: Callable[[Head], Body]) -> None:
        self._on_head = on_head
        self._held = bytearray()  # the unfinished head or line
        self._left = 0  # bytes left of the body or chunk
        self._take: Callable[[memoryview], memoryview] = self._take_head
        self._body: Body = _ignore
        self.done = False
        """Whether the body is complete. Never true where only the connection's end says so."""
        self.until_close = False
        """Whether the body ends with the connection."""

    def feed(self, data: memoryview) -> None:
        """Take what came. Raises MediaError where it is not HTTP or over a limit."""
        while len(data):
            data = self._take(data)

    def _take_head(self, data: memoryview) -> memoryview:
        held = self._held
        before = len(held)
        if not before and data[0] in b"\r\n":  # blank lines before the answer
            return data[1:]
        held += data[: MAX_HEAD + 4 - before]
        if before < 16:
            _check_begin(held)
        mark = _END_OF_HEAD.search(held, max(0, before - 3))
        if mark is None:
            if len(held) > MAX_HEAD:
                raise MediaError("the head of the answer does not end")
            return data[len(data) :]
        rest = data[mark.end() - before :]
        self._held = bytearray()
        head = parse_head(bytes(held[: mark.start()]))
        if 100 <= head.status < 200:
            return rest
        self._begin_body(head)
        return rest

    def _begin_body(self, head: Head) -> None:
        self._body = self._on_head(head)
        length = head.content_length
        if head.status in _NO_BODY:
            self._end()
        elif "chunked" in head.get("transfer-encoding").lower():
            self._take = self._take_chunk_line
        elif length is None or head.media_type == "multipart/x-mixed-replace":
            self._take, self.until_close = self._take_all, True
        elif length == 0:
            self._end()
        else:
            self._take, self._left = self._take_length, length

    def _take_all(self, data: memoryview) -> memoryview:
        self._body(data)
        return data[len(data) :]

    def _take_length(self, data: memoryview) -> memoryview:
        piece = data[: self._left]
        self._left -= len(piece)
        self._body(piece)
        if not self._left:
            self._end()
        return data[len(piece) :]

    def _take_chunk_line(self, data: memoryview) -> memoryview:
        line, rest = self._line(data, MAX_CHUNK_LINE)
        if line is None:
            return rest
        digits = line.partition(b";")[0].strip()
        if not digits and not line.strip():  # the end of the chunk before
            return rest
        if not re.fullmatch(rb"[0-9a-fA-F]{1,15}", digits):
            raise MediaError("a chunk of the answer has no length")
        self._left = int(digits, 16)
        self._take = self._take_chunk if self._left else self._take_trailer
        return rest

    def _take_chunk(self, data: memoryview) -> memoryview:
        piece = data[: self._left]
        self._left -= len(piece)
        self._body(piece)
        if not self._left:
            self._take = self._take_chunk_line
        return data[len(piece) :]

    def _take_trailer(self, data: memoryview) -> memoryview:
        line, rest = self._line(data, MAX_HEAD)
        if line is not None:
            self._left += len(line) + 1
            if not line.strip():
                self._end()
            elif self._left > MAX_HEAD:
                raise MediaError("the trailer of the answer does not end")
        return rest

    def _line(self, data: memoryview, limit: int) -> tuple[bytes | None, memoryview]:
        """A whole line with what was held of it, or None; and the rest."""
        piece = bytes(data[: limit + 1])
        end = piece.find(b"\n")
        self._held += piece[:end] if end >= 0 else piece
        if len(self._held) > limit:
            raise MediaError("a line of the answer does not end")
        if end < 0:
            return None, data[len(piece) :]
        line, self._held = bytes(self._held), bytearray()
        return line, data[end + 1 :]

    def _end(self) -> None:
        self._take, self._left, self.done = _skip, 0, True


def _check_begin(held: bytearray) -> None:
    """Notice at once what is not HTTP, rather than wait for the end of a head."""
    begin = bytes(held[:5])
    if begin != b"HTTP/"[: len(begin)]:
        raise NotHttp(bytes(held[:16]))


def _skip(data: memoryview) -> memoryview:
    return data[len(data) :]


def _ignore(data: memoryview) -> None:
    """For bodies that nobody wants."""


ignore: Body = _ignore
"""Takes a body and keeps nothing."""
