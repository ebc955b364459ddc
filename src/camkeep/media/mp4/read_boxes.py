"""Boxes that somebody else wrote: nothing they say is believed before it is checked."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

from camkeep.errors import MediaError

MAX_CHILDREN = 65_536


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
