"""Mends a malformed JPEG without touching a pixel.

Bytes between the end of the picture data and a marker ("extraneous bytes before marker") can
only be told from picture data by reading the Huffman codes up to the last block. That happens
here for sequential pictures, and takes some 0.3 ms for each KB. Recordings keep pictures as
they came; this is for export to readers that take no malformed ones.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from camkeep.errors import MediaError
from camkeep.media.jpeg import DHT, DRI, EOI, SOI, SOS, Segment, examine, is_frame_header, segments

_SEQUENTIAL = (0xC0, 0xC1)
"""Baseline and extended sequential frames with Huffman codes (T.81 table B.1)."""
_MAX_BLOCKS = 10
"""Most blocks in an MCU (T.81 §B.2.3)."""

_marker = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]").search
_restart = re.compile(rb"\xff[\xd0-\xd7]")


class _NotFollowed(Exception):
    """The picture is cut short, or of a kind that is not decoded here."""


class _Component(NamedTuple):
    lone_blocks: int
    """Blocks in a scan of this component alone (T.81 §A.2.2)."""
    blocks: int
    """Blocks in each MCU of a scan of several components (T.81 §A.2.3)."""


@dataclass(slots=True)
class _Tables:
    """What the segments so far have said."""

    components: dict[int, _Component] = field(default_factory=dict)
    mcus: int = 0
    huffman: dict[int, bytes] = field(default_factory=dict)
    """Definitions; what follows from one is made where it is used (`_huffman`)."""
    restart: int = 0
    scanned: set[int] = field(default_factory=set)


Block = tuple[list[int], list[int]]
"""The Huffman tables of one block: DC and AC, see `_huffman`."""


def repair(data: bytes) -> bytes:
    """The picture in `data` without what does not belong to it, every pixel as it was.

    Cuts junk before its start and behind its end, and bytes between picture data and a marker;
    adds an end marker that is missing behind complete data. What it cannot follow (progressive
    pictures, data cut short) it only trims. A picture without fault comes back byte for byte.
    Raises MediaError where there is no picture.
    """
    picture = examine(data)
    trimmed = bytes(data[picture.start : picture.end])
    try:
        return _rewritten(trimmed)
    except _NotFollowed:
        return trimmed


def _rewritten(data: bytes) -> bytes:
    """`data` with each scan ending where its blocks do, and an end marker."""
    tables = _Tables()
    parts: list[bytes] = []
    kept = 0
    while segment := _next_scan(tables, data, kept or len(SOI)):
        code, begin, end = segment
        parts.append(data[kept:end])
        if code != SOS:
            return b"".join(parts)
        mark = _marker(data, end)
        coded = data[end : mark.start()].rstrip(b"\xff") if mark else data[end:]
        kept = end + len(coded)
        parts.append(_scan(tables, data[begin:end], coded))
    if not tables.scanned or tables.scanned != set(tables.components):
        raise _NotFollowed
    return b"".join([*parts, EOI])


def _next_scan(tables: _Tables, data: bytes, pos: int) -> Segment | None:
    """Take the segments up to the next scan (or the end marker) into `tables`; None where
    neither comes."""
    try:
        for segment in segments(data, pos):
            code, begin, end = segment
            body = data[begin:end]
            if is_frame_header(code):
                _take_frame(tables, code, body)
            elif code == DHT:
                _take_huffman(tables, body)
            elif code == DRI:
                tables.restart = int.from_bytes(body[:2])
            elif code in (SOS, EOI[1]):
                return segment
    except MediaError:  # junk where a missing end marker should stand
        return None
    return None


def _take_frame(tables: _Tables, code: int, body: bytes) -> None:
    """Frame header, T.81 §B.2.2."""
    height, width = int.from_bytes(body[1:3]), int.from_bytes(body[3:5])
    whole = len(body) > 6 and len(body) == 6 + 3 * body[5]
    if code not in _SEQUENTIAL or not (whole and width and height):
        raise _NotFollowed
    sampling = {body[i]: (body[i + 1] >> 4, body[i + 1] & 15) for i in range(6, len(body), 3)}
    across = max(h for h, _ in sampling.values())
    down = max(v for _, v in sampling.values())
    if not all(1 <= h <= 4 and 1 <= v <= 4 for h, v in sampling.values()):
        raise _NotFollowed
    tables.mcus = _ceil(width, 8 * across) * _ceil(height, 8 * down)
    tables.components = {
        number: _Component(
            _ceil(_ceil(width * h, across), 8) * _ceil(_ceil(height * v, down), 8), h * v
        )
        for number, (h, v) in sampling.items()
    }


def _take_huffman(tables: _Tables, body: bytes) -> None:
    """Huffman tables, T.81 §B.2.4.2."""
    pos = 0
    while pos + 17 <= len(body):
        end = pos + 17 + sum(body[pos + 1 : pos + 17])
        tables.huffman[body[pos]] = body[pos:end]
        pos = end


@lru_cache(maxsize=8)
def _huffman(definition: bytes) -> list[int]:
    """What to do for each 16 bits that may come: coefficients passed, times 32, plus bits passed
    (the code's and those of the number behind it). 0 where no code begins so."""
    is_ac = definition[0] >> 4
    symbols = iter(definition[17:])
    steps: list[int] = []
    for length, count in enumerate(definition[1:17], 1):
        if len(steps) + (count << (16 - length)) > 65_536:
            raise _NotFollowed
        for _ in range(count):
            symbol = next(symbols, 0)
            run, size = symbol >> 4, symbol & 15
            passed = 64 if not size and run != 15 else run + 1  # end of block, or a run
            step = (32 * passed if is_ac else 0) + length + (size if is_ac else symbol & 15)
            steps += [step] * (1 << (16 - length))
    return steps + [0] * (65_536 - len(steps))


def _scan(tables: _Tables, header: bytes, data: bytes) -> bytes:
    """The entropy-coded `data` of a scan (T.81 §B.2.3), each restart interval cut to length."""
    count = header[0] if header else 0
    if len(header) != 4 + 2 * count or not count:
        raise _NotFollowed
    try:
        blocks, units = _blocks(tables, header[1 : 1 + 2 * count])
    except KeyError:  # a component or table that nobody defined
        raise _NotFollowed from None
    marks = [mark.span() for mark in _restart.finditer(data)]
    interval = tables.restart or units
    if len(marks) != _ceil(units, interval) - 1:
        raise _NotFollowed
    parts: list[bytes] = []
    begin = 0
    for start, end in [*marks, (len(data), len(data))]:
        coded = data[begin:start]
        parts += coded[: _length(coded, blocks, min(interval, units))], data[start:end]
        units -= interval
        begin = end
    return b"".join(parts)


def _blocks(tables: _Tables, selectors: bytes) -> tuple[list[Block], int]:
    """The blocks of one MCU of a scan, and how many MCUs it has."""
    blocks: list[Block] = []
    lone = len(selectors) == 2
    units = tables.mcus
    for number, which in zip(selectors[::2], selectors[1::2], strict=True):
        component = tables.components[number]
        if number in tables.scanned:  # as only progressive pictures have it
            raise _NotFollowed
        block = _huffman(tables.huffman[which >> 4]), _huffman(tables.huffman[16 | which & 15])
        blocks += [block] * (1 if lone else component.blocks)
        units = component.lone_blocks if lone else units
        tables.scanned.add(number)
    if len(blocks) > _MAX_BLOCKS:
        raise _NotFollowed
    return blocks, units


def _length(coded: bytes, blocks: list[Block], units: int) -> int:
    """How many bytes of `coded` the blocks of `units` MCUs take (T.81 §F.2.2)."""
    plain = coded.replace(b"\xff\0", b"\xff")
    end = 8 * len(plain)
    plain += bytes(256)  # more than a block of codes that are none can pass
    number = int.from_bytes
    pos = 0
    for _ in range(units):
        for dc, ac in blocks:
            byte = pos >> 3
            step = dc[number(plain[byte : byte + 3]) >> (8 - (pos & 7)) & 0xFFFF]
            passed = 1
            while step and passed < 64:
                pos += step & 31
                byte = pos >> 3
                step = ac[number(plain[byte : byte + 3]) >> (8 - (pos & 7)) & 0xFFFF]
                passed += step >> 5
            pos += step & 31
            if not step or pos > end:
                raise _NotFollowed
    used = (pos + 7) >> 3
    return used + plain[:used].count(0xFF)


def _ceil(number: int, divisor: int) -> int:
    return -(-number // divisor)
