"""Parameter sets in front of key frames, for clips in whose midst they change.

A clip with several sample entries is what MP4 has for that, and ffmpeg follows them. Chromium
does not: it goes on with the first one, and decodes nothing more. So in such a clip each key
frame also carries the parameter sets that it needs, as literal bytes between ranges of the
segment's file. Players that seek, back as well as forth, then find the right ones everywhere.
"""

from __future__ import annotations

import struct
from array import array
from dataclasses import replace
from typing import NamedTuple

from camkeep.errors import MediaError
from camkeep.media.mp4.moov_boxes import big_endian
from camkeep.media.mp4.read_boxes import child
from camkeep.media.mp4.read_columns import Columns
from camkeep.media.mp4.read_params import VISUAL_HEAD, avc_sets, hevc_sets
from camkeep.media.mp4.splice_cut import Share
from camkeep.media.mp4.splice_rows import Rows, column
from camkeep.model import Codec

_SETS = {Codec.H264: (7, 8, 13), Codec.H265: (32, 33, 34)}


class Range(NamedTuple):
    """Media data of a clip: bytes of a segment's file, from one place up to another."""

    begin: int
    end: int
    lead: bytes = b""
    """Bytes that stand before them."""

    @property
    def size(self) -> int:
        return len(self.lead) + self.end - self.begin


def lead_of(entry: bytes) -> bytes:
    """The parameter sets of a sample entry, each behind its length as in a sample; empty where
    the codec has none, or they make no sense."""
    inside = memoryview(entry)[8 + VISUAL_HEAD :]
    codec, sets = Codec.H264, list[bytes]()
    try:
        if (config := child(inside, b"avcC")) is not None:
            sets = list(avc_sets(bytes(config)))
        elif (config := child(inside, b"hvcC")) is not None:
            codec, sets = Codec.H265, list(hevc_sets(bytes(config)))
    except MediaError:
        return b""
    # some writers put other things there, too
    return b"".join(struct.pack(">I", len(one)) + one for one in sets if _is_set(one, codec))


def is_lead(data: bytes, codec: Codec) -> bool:
    """Whether it is parameter sets (ITU-T H.264 table 7-1, H.265 table 7-1) and nothing else."""
    while len(data) > 4:
        size = int.from_bytes(data[:4])
        if not 0 < size <= len(data) - 4:
            return False
        if not _is_set(data[4:5], codec):
            return False
        data = data[4 + size :]
    return not data


def _is_set(nal: bytes, codec: Codec) -> bool:
    if not nal:
        return False
    kind = nal[0] & 0x1F if codec is Codec.H264 else nal[0] >> 1 & 0x3F
    return kind in _SETS.get(codec, ())


def plain_ranges(share: Share) -> list[Range]:
    """The share's media data as it is."""
    return [Range(begin, end) for begin, end in share.ranges]


def with_lead(share: Share, lead: bytes) -> tuple[list[Range], Rows]:
    """The same with `lead` before each key frame, and the frames as they are then."""
    columns = share.footage.video.columns
    first = share.cut[0].first if share.cut else 0
    numbers = share.video.keys or range(1, share.video.count + 1)
    begins = _begins(columns, [first + number - 1 for number in numbers])
    ranges: list[Range] = []
    for begin, end in share.ranges:
        inside = [at for at in begins if begin <= at < end]
        edges = [*inside, end]
        if begin < edges[0]:
            ranges.append(Range(begin, edges[0]))
        ranges += [Range(*pair, lead) for pair in zip(inside, edges[1:], strict=True)]
    sizes = column("I", share.video.sizes)
    for number in numbers:
        sizes[number - 1] += len(lead)
    return ranges, replace(share.video, sizes=big_endian(sizes))


def _begins(columns: Columns, numbers: list[int]) -> array[int]:
    return array("Q", [columns.positions[number] for number in numbers])
