"""What stands between the pictures of an MJPEG stream: boundary lines and part headers. Pure.

RFC 2046 §5.1, and what cameras make of it: leading dashes inside or outside the declared
boundary, quotes around it, LF for CRLF, headers without a boundary.
"""

from __future__ import annotations

import re
from typing import NamedTuple

MAX_BOUNDARY = 200

_is_header = re.compile(rb"[\w-]{1,64}[ \t]*:").match
_length = re.compile(rb"(?im)^content-length[ \t]*:[ \t]*([^\r\n]*)").search


class Found(NamedTuple):
    """A boundary line: where the line break before it begins, its dashes, and its end."""

    after: int
    dashes: int
    end: int


class Boundary:
    """A boundary, whatever its spelling. Not `known` where none was declared."""

    def __init__(self, declared: bytes) -> None:
        self.core = declared.strip(b" \t\r\n\"'").strip(b"-")[:MAX_BOUNDARY]
        self.known = bool(self.core)
        self._needle = b"--" + self.core
        line = rb"[\r\n]*(-*--)" + re.escape(self.core) + rb"(?:--)?[ \t]*\r?\n"
        self._match = re.compile(line).match

    def at(self, data: bytearray, begin: int) -> Found | None:
        """The boundary line that begins at `begin`, perhaps after line breaks."""
        mark = self._match(data, begin) if self.known else None
        return Found(begin, mark.start(1), mark.end()) if mark else None

    def find(self, data: bytearray, begin: int, end: int) -> Found | None:
        """The first boundary line between `begin` and `end`."""
        if not self.known:
            return None
        while (needle := data.find(self._needle, begin, end)) >= 0:
            dashes = needle
            while dashes > begin and data[dashes - 1] == 0x2D:
                dashes -= 1
            mark = self._match(data, dashes)
            if mark is not None:
                after = dashes
                while after > begin and data[after - 1] in b"\r\n":
                    after -= 1
                return Found(after, dashes, mark.end())
            begin = needle + len(self._needle)
        return None


def headers_at_end(gap: bytes) -> tuple[int, bytes] | None:
    """Headers with an empty line behind them at the end of `gap`.

    Gives where they begin, and what the line before them is if it looks like a boundary, else
    b"". None where there are no headers.
    """
    lines = gap.splitlines(keepends=True)
    begin = len(gap)
    while lines and not lines[-1].strip():
        begin -= len(lines.pop())
    if begin == len(gap):
        return None
    behind = begin
    while lines and _is_header(lines[-1]):
        begin -= len(lines.pop())
    if begin == behind:
        return None
    line = lines[-1].strip() if lines else b""
    return begin, line if line.startswith(b"--") and len(line) <= MAX_BOUNDARY else b""


def part_length(headers: bytes, most: int) -> int | None:
    """Content-Length among the headers of a part.

    None where there is none, -1 where it is no number or more than `most`.
    """
    found = _length(headers)
    if found is None:
        return None
    text = found[1].strip()
    if text.isdigit() and len(text) < 12 and int(text) <= most:
        return int(text)
    return -1
