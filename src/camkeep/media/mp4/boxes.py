"""The grammar of MP4: boxes (ISO 14496-12 §4.2) and descriptors (ISO 14496-1 §8.3.3)."""

from __future__ import annotations

import struct

U32 = 0xFFFF_FFFF

MATRIX = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
"""The transformation that changes nothing (§6.2.2)."""


def box(kind: bytes, *payload: bytes) -> bytes:
    """A box whose size fits in 32 bits."""
    size = 8 + sum(map(len, payload))
    return b"".join((struct.pack(">I4s", size, kind), *payload))


def full_box(kind: bytes, version: int, flags: int, *payload: bytes) -> bytes:
    """A box that begins with its version and flags."""
    return box(kind, struct.pack(">I", version << 24 | flags), *payload)


def descriptor(tag: int, *payload: bytes) -> bytes:
    """A descriptor, its length in as many groups of 7 bits as it needs."""
    body = b"".join(payload)
    size = len(body)
    length = [size & 0x7F]
    while size := size >> 7:
        length.insert(0, size & 0x7F | 0x80)
    return bytes((tag, *length)) + body
