"""JPEG over RTP (RFC 2435): pictures have a start, a size and an end."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator

from camkeep.cameras.rtsp.sdp import Media
from camkeep.media.jpeg import segments
from fuzz import samples
from fuzz.tracks import drive, faulty, packets

_MEDIA = Media("video", 96, "JPEG", 90_000)


def one_input(data: bytes) -> None:
    drive(_MEDIA, data)


def _fragments(scan: bytes, type_: int, q: int, extra: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(scan):
        tables = extra if not at else b""
        restart = struct.pack(">HH", 3, 0xFFFF) if type_ >= 64 else b""
        head = struct.pack(">IBBBB", at, type_, q, 8, 6)
        yield head + restart + tables + scan[at : at + 300]
        at += 300


def seeds() -> Iterable[bytes]:
    picture = samples.jpeg(quality=20)
    *_, (_, _, end) = segments(picture, 2)
    tables = struct.pack(">BBH", 0, 0, 128) + bytes(range(1, 129))
    for type_, q, extra in (
        (0, 50, b""),
        (1, 99, b""),
        (65, 50, b""),
        (1, 255, tables),
        (64, 200, tables),
    ):
        good = packets([list(_fragments(picture[end:], type_, q, extra))] * 2)
        yield good
        yield from faulty(good)
    yield packets([list(_fragments(picture[end:-2], 1, 200, e)) for e in (tables, bytes(4))])
