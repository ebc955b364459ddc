"""Parts of a thing, as clients ask for them: the Range and If-Range headers (RFC 9110 §13.1.5,
§14) and the body that holds several parts (§14.6). Pure.

    pieces = asked_pieces(request.headers, size, etag=etag)
    None              200, the whole
    one piece         206, with Content-Range
    several           206, as `ByteRanges` writes them
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

from camkeep.server.problems import Problem

MOST_RANGES = 100
"""In one request. Nobody who only wants to see something asks for more."""

_ONE = re.compile(r"[ \t]*(?:(\d{1,30})-(\d{0,30})|-(\d{1,30}))?[ \t]*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Piece:
    """Bytes from `start` up to, not including, `end`; at least one."""

    start: int
    end: int

    @property
    def length(self) -> int:
        """How many bytes."""
        return self.end - self.start

    def content_range(self, size: int) -> str:
        """The value of Content-Range."""
        return f"bytes {self.start}-{self.end - 1}/{size}"


def asked_pieces(
    headers: Mapping[str, str],
    size: int,
    *,
    etag: str | None = None,
    modified: str | None = None,
    most: int = MOST_RANGES,
) -> tuple[Piece, ...] | None:
    """What is asked of a thing of `size` bytes; None for the whole, also where the header does
    not read, or the thing is no longer the one (If-Range) of which the client has a part. `etag`
    with its quotes and `modified` are what is sent as ETag and Last-Modified. `headers` has lower
    case names (or none). Pieces do not overlap. Raises Problem 416 where nothing of the asked is
    there, or more than `most` ranges are asked for.
    """
    unit, equals, ranges = headers.get("range", "").partition("=")
    if unit.strip().lower() != "bytes" or not equals:
        return None
    if not _still_the_one(headers.get("if-range"), etag, modified):
        return None
    if ranges.count(",") >= most:
        raise _refused(size, f"ask for at most {most} ranges at a time")
    pieces: list[Piece] = []
    read = 0
    for text in ranges.split(","):
        match = _ONE.fullmatch(text)
        if match is None:
            return None
        if not text.strip(" \t"):
            continue  # an empty element of a list is none (§5.6.1.2)
        read += 1
        first, last, suffix = match.groups()
        if first is not None and last and int(last) < int(first):
            return None
        start = int(first) if first is not None else max(0, size - int(suffix))
        end = min(size, int(last) + 1) if last else size
        if start < end:
            pieces.append(Piece(start, end))
    if not read:
        return None
    if not pieces:
        raise _refused(size, f"there are {size} bytes")
    return _apart(pieces)


def _apart(pieces: list[Piece]) -> tuple[Piece, ...]:
    """The same bytes in pieces that do not overlap: as asked where that is so, else in order."""
    ordered = sorted(pieces, key=lambda piece: piece.start)
    if all(before.end <= after.start for before, after in pairwise(ordered)):
        return tuple(pieces)
    merged = ordered[:1]
    for piece in ordered[1:]:
        if piece.start <= merged[-1].end:
            merged[-1] = Piece(merged[-1].start, max(merged[-1].end, piece.end))
        else:
            merged.append(piece)
    return tuple(merged)


def _still_the_one(condition: str | None, etag: str | None, modified: str | None) -> bool:
    """Whether If-Range holds: by a strong ETag, or the very date (§13.1.5)."""
    if condition is None:
        return True
    condition = condition.strip()
    if condition.startswith('"'):
        return condition == etag
    return not condition.startswith("W/") and modified is not None and condition == modified


def _refused(size: int, why: str) -> Problem:
    headers = {"content-range": f"bytes */{size}"}
    return Problem(416, "No such range", why, headers=headers)


@dataclass(frozen=True, slots=True)
class ByteRanges:
    """A body of several pieces: before each its `head`, at the end `tail` (§14.6)."""

    pieces: tuple[Piece, ...]
    size: int
    media_type: str
    boundary: str
    """Letters and digits that the content does not hold; random."""

    @property
    def content_type(self) -> str:
        """Of the whole body."""
        return f"multipart/byteranges; boundary={self.boundary}"

    def head(self, piece: Piece) -> bytes:
        """What comes before a piece."""
        return (
            f"\r\n--{self.boundary}\r\ncontent-type: {self.media_type}\r\n"
            f"content-range: {piece.content_range(self.size)}\r\n\r\n"
        ).encode()

    @property
    def tail(self) -> bytes:
        """What comes after the last."""
        return f"\r\n--{self.boundary}--\r\n".encode()

    @property
    def length(self) -> int:
        """Bytes of the whole body."""
        heads = sum(len(self.head(piece)) + piece.length for piece in self.pieces)
        return heads + len(self.tail)
