"""A picture's number, for machines: as 40 black and white cells, and as a comment.

The cells stand in two rows of 20 at the foot of the picture, from left to right, most
significant bit first, white for one: 32 bits of number, then their CRC-8. Each is a whole
number of JPEG's 8x8 blocks, so that no compression blurs them; and they are read in their
middles, so that they survive being encoded anew.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from camkeep.errors import MediaError

BITS = 40
PER_ROW = 20
_MASK = 0xFFFF_FFFF
_COMMENT = re.compile(rb"\xff\xfe\x00\x18camkeep no\. (\d{10})\xff")


class Cells(NamedTuple):
    """Where the cells are, in pixels."""

    left: int
    top: int
    width: int
    height: int

    def at(self, n: int) -> tuple[int, int]:
        """The upper left corner of cell `n`."""
        row, column = divmod(n, PER_ROW)
        return self.left + column * self.width, self.top + row * self.height


def cells(width: int, height: int) -> Cells:
    """The cells of a picture of this size."""
    wide, high = width // 160 * 8, max(1, min(width // 320, height // 240)) * 8
    left = (width // 16 * 16 - PER_ROW * wide) // 32 * 16
    return Cells(left, height // 16 * 16 - BITS // PER_ROW * high, wide, high)


def crc8(number: int) -> int:
    """CRC-8 (polynomial x^8 + x^2 + x + 1) of 32 bits, so chosen that neither all black nor
    all white cells are a number."""
    crc = 0xFF
    for byte in number.to_bytes(4, "big"):
        crc ^= byte
        for _ in range(8):
            crc = (crc << 1 ^ 0x07) & 0xFF if crc & 0x80 else crc << 1
    return crc


def bits(number: int) -> list[bool]:
    """What the cells show, True for white."""
    number &= _MASK
    shown = number << 8 | crc8(number)
    return [bool(shown >> BITS - 1 - n & 1) for n in range(BITS)]


def comment(number: int) -> bytes:
    """The body of a COM segment that `read_number` finds."""
    return b"camkeep no. %010d" % (number & _MASK)


def read_number(jpeg: bytes | bytearray | memoryview) -> int:
    """The number of a test card's picture, without decoding it.

    Raises MediaError where there is none.
    """
    found = _COMMENT.search(jpeg)
    if found is None or int(found[1]) > _MASK:
        raise MediaError("this is not a picture of the test card: it has no number")
    return int(found[1])


def read_number_from_luma(rows: Sequence[Sequence[int]], width: int, height: int) -> int:
    """The number of a decoded picture.

    `rows` are `height` rows of `width` brightnesses from 0 to 255: lists, bytes or an array.
    Raises MediaError where the checksum says that this is not a number.
    """
    place = cells(width, height)
    if width < 160 or height < 128:
        raise MediaError("this is not a picture of the test card: it is too small")
    shown = 0
    for n in range(BITS):
        x, y = place.at(n)
        middle = [
            int(rows[y + place.height // 2 + dy][x + place.width // 2 + dx])
            for dy in (-1, 0)
            for dx in (-1, 0)
        ]
        shown = shown << 1 | (sum(middle) > 4 * 128)
    number, check = shown >> 8, shown & 0xFF
    if crc8(number) != check:
        raise MediaError("the picture's number cannot be read: its checksum is wrong")
    return number
