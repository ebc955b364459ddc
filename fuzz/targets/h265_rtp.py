"""H.265 over RTP: every sample splits into NAL units that belong in one."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator

from camkeep.cameras.rtsp.sdp import Media
from fuzz import samples
from fuzz.tracks import drive, faulty, packets

_MEDIA = Media("video", 96, "H265", 90_000)


def one_input(data: bytes) -> None:
    drive(_MEDIA, data)


def _single(nals: Iterable[bytes]) -> Iterator[bytes]:
    yield from nals


def _aggregated(nals: Iterable[bytes]) -> Iterator[bytes]:
    """AP, RFC 7798 §4.4.2."""
    yield b"\x60\1" + b"".join(struct.pack(">H", len(nal)) + nal for nal in nals)


def _fragmented(nals: Iterable[bytes]) -> Iterator[bytes]:
    """FU, §4.4.3."""
    for nal in nals:
        if len(nal) < 30:
            yield nal
            continue
        kind = nal[0] >> 1 & 63
        head = bytes([nal[0] & 0x81 | 49 << 1, nal[1]])
        yield head + bytes([0x80 | kind]) + nal[2:6]
        for at in range(6, 26, 4):
            yield head + bytes([kind]) + nal[at : at + 4]
        yield head + bytes([0x40 | kind]) + nal[26:]


def seeds() -> Iterable[bytes]:
    for stream in samples.h265():
        for split in (_single, _aggregated, _fragmented):
            good = packets(split(nals) for nals in stream)
            yield good
            yield from faulty(good)
