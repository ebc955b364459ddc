"""How targets cut their input into what a parser takes: numbers, chunks, long runs."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator

LONG = 64 * 1024
"""Bytes that `stretched` makes of little: enough for work that grows with the square of the
length to run into the time limit."""
_STRETCH = 0xFF


class Reader:
    """Takes an input apart from its front; zeros follow its end."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, count: int) -> bytes:
        """The next bytes, fewer where there are no more."""
        begin = self._at
        self._at = min(len(self._data), begin + count)
        return self._data[begin : self._at]

    def u8(self) -> int:
        """The next byte."""
        return int.from_bytes(self.take(1))

    def u16(self) -> int:
        """The next two bytes."""
        return int.from_bytes(self.take(2))

    def rest(self) -> bytes:
        """All that is left."""
        return self.take(len(self._data))

    @property
    def left(self) -> int:
        """How many bytes are left."""
        return len(self._data) - self._at

    def records(self) -> Iterator[bytes]:
        """What is left as records, each behind its length in two bytes; see `records`."""
        while self.left:
            yield self.take(self.u16())


def records(parts: Iterable[bytes]) -> bytes:
    """What `Reader.records` takes apart again."""
    return b"".join(struct.pack(">H", len(part)) + part for part in parts)


def chunked(body: bytes, *cuts: int) -> bytes:
    """An input for `chunks`."""
    head = bytes([len(cuts)])
    return head + b"".join(struct.pack(">H", cut) for cut in cuts) + body


def long(front: bytes, unit: bytes, tail: bytes = b"") -> bytes:
    """An input for `chunks` that becomes `front`, `LONG` bytes of `unit`, and `tail`."""
    return struct.pack(">BHH", _STRETCH, len(front), len(tail)) + front + unit + tail


def chunks(data: bytes) -> list[bytes]:
    """An input as pieces of a stream: how many cuts, where they are, and the stream.

    255 cuts mean something else: the rest, some of it over and over, as one long piece.
    """
    reader = Reader(data)
    count = reader.u8()
    if count == _STRETCH:
        return [stretched(reader.rest())]
    cuts = [reader.u16() for _ in range(count % 16)]
    body = reader.rest()
    at = sorted(cut % (len(body) + 1) for cut in cuts)
    return [body[a:b] for a, b in zip([0, *at], [*at, len(body)], strict=True)]


def stretched(unit: bytes) -> bytes:
    """Its middle over and over, `LONG` bytes of it; two numbers in front tell how much of the
    rest stands single before and behind it."""
    reader = Reader(unit)
    before, behind, rest = reader.u16(), reader.u16(), reader.rest()
    begin = before % (len(rest) + 1)
    end = len(rest) - behind % (len(rest) - begin + 1)
    middle = rest[begin:end]
    return rest[:begin] + middle * (LONG // max(1, len(middle))) + rest[end:]
