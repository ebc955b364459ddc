"""Whether the null byte before a JPEG's end marker is picture data, or one that a camera added.

Only reading the Huffman codes tells (`jpeg_repair`), and that takes some 0.3 ms for each KB: a
picture with restart markers is judged by its last interval alone, any other while a budget
lasts, and by what the others were from then on.
"""

from __future__ import annotations

import re

from camkeep.errors import MediaError
from camkeep.media.jpeg import DRI, SOS, is_frame_header, segments
from camkeep.media.jpeg_repair import repair

BUDGET = 250_000
"""Bytes that one judge reads code by code: less than 0.1 s."""

_restarts = re.compile(rb"\xff[\xd0-\xd7]").finditer


class NullJudge:
    """Judges the pictures of one stream."""

    def __init__(self) -> None:
        self._left = BUDGET
        self._read = 0
        self._added = 0

    def added(self, picture: bytes, nulls: int) -> bool:
        """Whether a picture with so many nulls before its end marker has some too many.

        More than one is never data: no usual Huffman code has 16 zero bits in a row before the
        end. One can be, at the end of a flat picture.
        """
        if nulls != 1:
            return nulls > 1
        part = last_interval(picture)
        if part is not None:
            return _added(part)
        if self._left < len(picture) and self._read:
            return 2 * self._added > self._read
        self._left -= len(picture)
        self._read += 1
        added = _added(picture)
        self._added += added
        return added


def last_interval(picture: bytes) -> bytes | None:
    """A JPEG of the last restart interval alone (T.81 §E.1.4), one row of MCUs.

    None where there are no restart markers, or more than one scan.
    """
    interval = frame = scan = 0
    try:
        for code, begin, end in segments(picture, 2):
            if code == DRI and end - begin >= 2:
                interval = picture[begin] << 8 | picture[begin + 1]
            elif is_frame_header(code) and not frame:
                frame = begin
            elif code == SOS:
                scan = end
    except MediaError:
        return None
    if not (interval and frame and scan) or b"\xff\xda" in picture[scan:]:
        return None
    last = 0
    for mark in _restarts(picture, scan):
        last = mark.end()
    count = picture[frame + 5] if len(picture) > frame + 5 else 0
    factors = picture[frame + 7 : frame + 6 + 3 * count : 3]
    if not last or not factors:
        return None
    across, down = max(f >> 4 for f in factors), max(f & 15 for f in factors)
    if count == 1:
        across = down = 1  # a scan of one component has one block for each MCU (§A.2.2)
    height = picture[frame + 1] << 8 | picture[frame + 2]
    width = picture[frame + 3] << 8 | picture[frame + 4]
    if not (across and down):
        return None
    mcus = -(-width // (8 * across)) * -(-height // (8 * down))
    row = (mcus % interval or interval) * 8 * across
    if row > 0xFFFF:
        return None
    size = (8 * down).to_bytes(2, "big") + row.to_bytes(2, "big")
    return picture[: frame + 1] + size + picture[frame + 5 : scan] + picture[last:]


def _added(picture: bytes) -> bool:
    try:
        return repair(picture) != picture
    except MediaError:
        return False
