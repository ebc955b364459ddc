"""Small JPEG-shaped pictures, and the parts of an MJPEG stream around them."""

from __future__ import annotations

import random
import struct


def picture(
    number: int, size: int = 400, *, width: int = 64, height: int = 48, nulls: int = 0
) -> bytes:
    """A picture with a baseline JPEG's markers and `size` bytes that look like coded data."""
    coded = random.Random(number).randbytes(size).replace(b"\xff", b"\xff\x00") + b"\x01"
    return (
        b"\xff\xd8\xff\xe0\x00\x10JFIF\0\1\1\0\0\1\0\1\0\0"
        + b"\xff\xdb\x00\x43\x00"
        + bytes(range(1, 65))
        + b"\xff\xc0\x00\x11\x08"
        + struct.pack(">HH", height, width)
        + b"\x03\x01\x22\x00\x02\x11\x01\x03\x11\x01"
        + b"\xff\xda\x00\x0c\x03\x01\x00\x02\x11\x03\x11\x00\x3f\x00"
        + coded
        + bytes(nulls)
        + b"\xff\xd9"
    )


def part(
    body: bytes,
    length: object = "right",
    *,
    boundary: bytes = b"--ipcamera",
    line: bytes = b"\r\n",
    name: bytes = b"Content-Length",
) -> bytes:
    """One part as cameras write it: boundary, headers, body, line break.

    `length` is "right", None for no Content-Length, or what to claim.
    """
    headers = [boundary, b"Content-Type: image/jpeg"]
    if length is not None:
        claimed = len(body) if length == "right" else length
        headers.append(name + b": " + str(claimed).encode())
    return line.join([*headers, b"", b""]) + body + line
