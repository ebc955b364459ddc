"""H.264 over RTP: every sample splits into NAL units that belong in one."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator

from camkeep.cameras.rtsp.sdp import Media
from fuzz import samples
from fuzz.tracks import drive, faulty, packets

_MEDIA = Media("video", 96, "H264", 90_000)


def one_input(data: bytes) -> None:
    drive(_MEDIA, data)


def _single(nals: Iterable[bytes]) -> Iterator[bytes]:
    yield from nals


def _aggregated(nals: Iterable[bytes]) -> Iterator[bytes]:
    """STAP-A, RFC 6184 §5.7.1."""
    yield b"\x78" + b"".join(struct.pack(">H", len(nal)) + nal for nal in nals)


def _fragmented(nals: Iterable[bytes]) -> Iterator[bytes]:
    """FU-A, §5.8."""
    for nal in nals:
        if len(nal) < 30:
            yield nal
            continue
        head = bytes([nal[0] & 0xE0 | 28])
        yield head + bytes([0x80 | nal[0] & 31]) + nal[1:6]
        for at in range(6, 26, 5):
            yield head + bytes([nal[0] & 31]) + nal[at : at + 5]
        yield head + bytes([0x40 | nal[0] & 31]) + nal[26:]


def _annexb(nals: Iterable[bytes]) -> Iterator[bytes]:
    yield b"\0\0\0\1".join(nals)


def seeds() -> Iterable[bytes]:
    for stream in samples.h264():
        for split in (_single, _aggregated, _fragmented, _annexb):
            good = packets(split(nals) for nals in stream)
            yield good
            yield from faulty(good)
