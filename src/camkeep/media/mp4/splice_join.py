"""The tables of one track of a clip: those of the segments' tracks, one behind the other."""

from __future__ import annotations

import struct
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from camkeep.media.mp4.boxes import full_box
from camkeep.media.mp4.moov_boxes import EMPTY_EDIT, TrackHead, big_endian, rescale, table, trak
from camkeep.media.mp4.splice_lead import Range
from camkeep.media.mp4.splice_rows import Rows


class Stretch(NamedTuple):
    """The samples that one segment gives to a track of a clip."""

    rows: Rows
    at: int
    """When the segment's time 0 is in the clip, ticks of the track; may be negative."""
    description: int
    """Which of the track's sample entries is theirs, from 1."""
    ranges: Sequence[Range]
    """Of the segment's file that are in the clip."""
    place: int
    """Where the first of them begins in the media data of the clip."""

    @property
    def first(self) -> int:
        """When its first sample is decoded, ticks of the clip."""
        return self.at + self.rows.begin

    @property
    def last(self) -> int:
        """When its last sample is decoded, ticks of the clip."""
        return self.at + self.rows.last


@dataclass(frozen=True, slots=True)
class JoinedTrack:
    """A track of a clip."""

    head: TrackHead
    entries: Sequence[bytes]
    stretches: Sequence[Stretch]
    limit: int
    """When the clip ends, ticks of the track."""

    @property
    def zero(self) -> int:
        """When the first sample is decoded, ticks of the clip: time 0 of the media."""
        return self.stretches[0].first

    @property
    def _media_end(self) -> int:
        final = self.stretches[-1]
        natural = final.at + final.rows.ends
        return max(min(natural, self.limit), final.last + 1)

    @property
    def ends(self) -> int:
        """When the last sample that is shown ends, ticks of the clip."""
        return max(min(self._media_end, self.limit), self.zero + 1, 1)

    def trak(self, created: int, media_place: int, *, wide: bool) -> bytes:
        """The box. `media_place`: where the media data begins in the clip. `wide`: whether
        places in the clip need 64 bits."""
        ends, zero = self.ends, self.zero
        duration = self._media_end - zero
        scale = self.head.timescale
        edits: list[tuple[int, int]] = []
        if zero > 0:
            edits = [(rescale(zero, scale), EMPTY_EDIT), (rescale(ends - zero, scale), 0)]
        elif zero < 0 or ends < self._media_end:
            edits = [(rescale(ends, scale), -zero)]
        times = rescale(ends, scale), duration
        tables = [
            self._durations(),
            *self._offsets(),
            *self._keys(),
            self._chunks(),
            self._sizes(),
            self._positions(media_place, wide),
        ]
        return trak(self.head, created, times, edits, self.entries, tables)

    def _durations(self) -> bytes:
        """`stts`. The last sample of each stretch lasts until the first of the next."""
        rows: list[bytes] = []
        nexts = [stretch.first for stretch in self.stretches[1:]]
        ends = [*nexts, self._media_end]
        for stretch, end in zip(self.stretches, ends, strict=True):
            rows += (stretch.rows.durations, struct.pack(">II", 1, end - stretch.last))
        return table(b"stts", sum(map(len, rows)) // 8, *rows)

    def _offsets(self) -> list[bytes]:
        """`ctts`, where any frame is shown at another time than it is decoded."""
        all_rows = [stretch.rows for stretch in self.stretches]
        if not any(rows.offsets for rows in all_rows):
            return []
        parts = [rows.offsets or struct.pack(">II", rows.count, 0) for rows in all_rows]
        return [table(b"ctts", sum(map(len, parts)) // 8, *parts, version=1)]

    def _keys(self) -> list[bytes]:
        """`stss`, where decoding cannot begin at every sample."""
        if all(stretch.rows.keys is None for stretch in self.stretches):
            return []
        numbers, before = array("I"), 0
        for stretch in self.stretches:
            rows = stretch.rows
            own = range(1, rows.count + 1) if rows.keys is None else rows.keys
            numbers.extend([before + number for number in own])
            before += rows.count
        return [table(b"stss", len(numbers), big_endian(numbers))]

    def _chunks(self) -> bytes:
        """`stsc`."""
        steps, before = array("I"), 0
        for stretch in self.stretches:
            firsts, each = stretch.rows.chunks[0::2], stretch.rows.chunks[1::2]
            own = array("I", bytes(12 * len(each)))
            own[0::3] = array("I", [before + first for first in firsts])
            own[1::3] = each
            own[2::3] = array("I", [stretch.description]) * len(each)
            steps.extend(own)
            before += len(stretch.rows.positions)
        return table(b"stsc", len(steps) // 3, big_endian(steps))

    def _sizes(self) -> bytes:
        count = sum(stretch.rows.count for stretch in self.stretches)
        sizes = (stretch.rows.sizes for stretch in self.stretches)
        return full_box(b"stsz", 0, 0, struct.pack(">II", 0, count), *sizes)

    def _positions(self, media_place: int, wide: bool) -> bytes:
        """`stco` or `co64`."""
        found = array("Q" if wide else "I")
        for stretch in self.stretches:
            found.extend(_moved(stretch, media_place + stretch.place))
        return table(b"co64" if wide else b"stco", len(found), big_endian(found))


def _moved(stretch: Stretch, place: int) -> Iterable[int]:
    """Where the stretch's chunks are in the clip, whose part of it begins at `place`."""
    ranges, positions = stretch.ranges, stretch.rows.positions
    if len(ranges) == 1 and not ranges[0].lead:
        by = place - ranges[0].begin
        return [position + by for position in positions]
    begins, places = [], []
    for each in ranges:
        begins.append(each.begin)
        places.append(place)
        place += each.size
    return [_place(position, ranges, begins, places) for position in positions]


def _place(position: int, ranges: Sequence[Range], begins: list[int], places: list[int]) -> int:
    """Where the sample at `position` of the file is; with what leads it, where it has that."""
    number = bisect_right(begins, position) - 1
    inside = position - begins[number]
    return places[number] + (len(ranges[number].lead) + inside if inside else 0)
