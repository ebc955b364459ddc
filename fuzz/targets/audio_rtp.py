"""Sound over RTP: AAC in every form of its header, Opus and G.711."""

from __future__ import annotations

import struct
from collections.abc import Iterable

from camkeep.cameras.rtsp.sdp import Media
from fuzz import samples
from fuzz.tracks import drive, faulty, packets

_HBR = {"mode": "AAC-hbr", "sizelength": "13", "indexlength": "3", "indexdeltalength": "3",
        "config": samples.AAC_CONFIG.hex()}  # fmt: skip
_LBR = {"mode": "AAC-lbr", "sizelength": "6", "indexlength": "2", "indexdeltalength": "2",
        "config": samples.AAC_CONFIG.hex()}  # fmt: skip
_BARE = {"sizelength": "16", "indexlength": "0", "indexdeltalength": "0",
         "config": samples.AAC_CONFIG.hex()}  # fmt: skip
_MEDIA = (
    *(Media("audio", 96, "MPEG4-GENERIC", 48_000, 2, fmtp=fmtp) for fmtp in (_HBR, _LBR, _BARE)),
    Media("audio", 96, "OPUS", 48_000, 2),
    Media("audio", 96, "PCMA", 8000),
)


def one_input(data: bytes) -> None:
    if data:
        drive(_MEDIA[data[0] % len(_MEDIA)], data[1:])


def _units(*units: bytes) -> bytes:
    """AU headers of 16 bits (RFC 3640 §3.2.1) and the access units."""
    heads = b"".join(struct.pack(">H", len(unit) << 3) for unit in units)
    return struct.pack(">H", 16 * len(units)) + heads + b"".join(units)


def seeds() -> Iterable[bytes]:
    fragment = struct.pack(">HH", 16, 40 << 3) + bytes(20)
    for good in (
        packets([[_units(b"abc")], [_units(b"abcd", b"ef", b"g")]]),
        packets([[fragment, fragment], [_units(b"abc")]]),
        packets([[struct.pack(">HBB", 16, 3 << 2, 2 << 2) + b"abcde"]]),
        packets([[b"opus or anything"], [b"\xd5" * 160]]),
    ):
        for number in range(len(_MEDIA)):
            yield bytes([number]) + good
            for bad in faulty(good):
                yield bytes([number]) + bad
