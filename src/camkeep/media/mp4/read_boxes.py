"""Boxes that somebody else wrote: nothing they say is believed before it is checked."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any, NamedTuple, Protocol

from camkeep.errors import MediaError

MAX_BOXES = 1 << 21
"""Most boxes at the top level; six days of fragments."""
MAX_CHILDREN = 65_536


class ReadAt(Protocol):
    """What a movie is read from."""

    @property
    def size(self) -> int:
        """Length in bytes."""
        ...

    def read_at(self, offset: int, length: int, /) -> bytes:
        """The bytes from `offset` on, fewer than `length` only at the end."""
        ...


class TopBox(NamedTuple):
    """Where a box of the file lies."""

    kind: bytes
    start: int
    head: int
    end: int
    """Beyond the end of the file where the box is cut; no box follows it then."""


def top_level(source: ReadAt, position: int) -> Iterator[TopBox]:
    """The boxes of the file from `position` on, as far as they can be told apart."""
    for _ in range(MAX_BOXES):
        head = source.read_at(position, 16)
        if len(head) < 8:
            return
        size, kind = int.from_bytes(head[:4], "big"), head[4:8]
        head_size = 8
        if size == 1 and len(head) == 16:
            size, head_size = int.from_bytes(head[8:], "big"), 16
        elif size == 0 and kind == b"mdat":  # up to the end of the file
            size = source.size - position
        if size < head_size or not all(0x20 <= byte < 0x7F for byte in kind):
            return
        yield TopBox(kind, position, head_size, position + size)
        position += size
        if position >= source.size:
            return


def payload_of(source: ReadAt, box: TopBox, most: int) -> bytes:
    """What is in a box of the file. Raises MediaError where that is more than `most`."""
    size = box.end - box.start - box.head
    if size > most:
        raise MediaError("the movie's index is absurdly large")
    payload = source.read_at(box.start + box.head, size)
    if len(payload) < size:
        raise MediaError("the movie's index is cut short")
    return payload


def fields(layout: str, data: memoryview, offset: int = 0) -> tuple[Any, ...]:
    """Unpack; raises MediaError where `data` ends too soon."""
    try:
        return struct.unpack_from(layout, data, offset)
    except struct.error as error:
        raise MediaError("the movie's index is cut short") from error


def children(data: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    """Kind and payload of each box in `data`. Raises MediaError where sizes do not fit."""
    position = 0
    for _ in range(MAX_CHILDREN):
        if len(data) - position < 8:  # QuickTime may end a container with four zeros
            return
        size, kind = fields(">I4s", data, position)
        head = 8
        if size == 1:
            (size,) = fields(">Q", data, position + 8)
            head = 16
        elif size == 0:
            size = len(data) - position
        if not head <= size <= len(data) - position:
            raise MediaError("a box of the movie is larger than what it is in")
        yield kind, data[position + head : position + size]
        position += size
    raise MediaError("a box of the movie holds absurdly many others")


def child(data: memoryview, kind: bytes) -> memoryview | None:
    """The payload of the first box of this kind in `data`."""
    return next((payload for found, payload in children(data) if found == kind), None)


def path(data: memoryview, *kinds: bytes) -> memoryview:
    """The payload of a box in a box in a box ... Raises MediaError where there is none."""
    for kind in kinds:
        inner = child(data, kind)
        if inner is None:
            raise MediaError(f"the movie has no {kind.decode('latin-1')} box where one belongs")
        data = inner
    return data


def is_long(full_box: memoryview) -> bool:
    """Whether a full box has 64-bit fields: its version is 1."""
    return bool(fields(">B", full_box)[0] == 1)


def rows(full_box: memoryview, width: int, offset: int = 4) -> tuple[int, memoryview]:
    """Number and bytes of the rows of a table whose count stands at `offset`."""
    (count,) = fields(">I", full_box, offset)
    if count * width > len(full_box) - offset - 4:
        raise MediaError("a table of the movie claims more rows than it has")
    return count, full_box[offset + 4 : offset + 4 + count * width]
