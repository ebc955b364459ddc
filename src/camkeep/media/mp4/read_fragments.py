"""Movie fragments (ISO 14496-12 §8.8)."""

from __future__ import annotations

import struct
from array import array
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from camkeep.errors import MediaError
from camkeep.media.mp4.read_boxes import (
    ReadAt,
    TopBox,
    child,
    children,
    fields,
    is_long,
    path,
    payload_of,
)
from camkeep.media.mp4.read_columns import Columns

MAX_MOOF = 1 << 24
_NOT_SYNC = 0x10000  # of sample flags (§8.8.3.1)


@dataclass(frozen=True, slots=True)
class Defaults:
    """What the samples of a track are like where a fragment does not say (§8.8.3)."""

    duration: int = 0
    size: int = 0
    flags: int = 0


@dataclass(slots=True)
class GrowingTrack:
    """What fragments add to."""

    defaults: Defaults
    columns: Columns
    next_dts: int


def read_trex(moov: memoryview) -> dict[int, Defaults]:
    """The defaults of each track by its id."""
    found: dict[int, Defaults] = {}
    for kind, payload in children(path(moov, b"mvex")):
        if kind == b"trex":
            track_id, duration, size, flags = fields(">4xI4xIII", payload)
            found[track_id] = Defaults(duration, size, flags)
    return found


class Fragment(NamedTuple):
    """A whole fragment."""

    moof: TopBox
    mdat: TopBox
    payload: bytes
    """Of moof."""
    before: dict[int, int]
    """How many samples each track had before it."""


def read_fragments(
    source: ReadAt, boxes: Iterable[TopBox], tracks: Mapping[int, GrowingTrack], limit: int
) -> Iterator[Fragment]:
    """Add the samples of the fragments among `boxes` to `tracks`, at each step those of one.

    Ends before the first that is not whole or makes no sense. `limit` is how many samples the
    tracks may have.
    """
    moof: TopBox | None = None
    for box in boxes:
        if box.end > source.size:
            return
        if box.kind == b"moof":
            moof = box
        elif box.kind == b"mdat" and moof is not None:
            before = {number: len(track.columns.sizes) for number, track in tracks.items()}
            try:
                payload = payload_of(source, moof, MAX_MOOF)
                rest = limit - sum(before.values())
                _read_moof(memoryview(payload), moof.start, tracks, box.end, rest)
            except MediaError:  # what a torn write left: the movie ends before it
                cut_back(tracks, before)
                return
            yield Fragment(moof, box, payload, before)
            moof = None


def cut_back(tracks: Mapping[int, GrowingTrack], lengths: Mapping[int, int]) -> None:
    """Forget all but the first samples of each track."""
    for number, track in tracks.items():
        track.columns.cut(lengths[number])


def _read_moof(
    moof: memoryview,
    position: int,
    tracks: Mapping[int, GrowingTrack],
    file_size: int,
    limit: int,
) -> None:
    """Add the samples of the fragment whose `moof` box begins at `position` of the file.

    `limit` is how many samples it may have. Raises MediaError; some tracks may have been added
    to then.
    """
    end = position  # of the data before, for fragments that count on it
    for kind, traf in children(moof):
        if kind != b"traf":
            continue
        track_id, base, defaults = _tfhd(path(traf, b"tfhd"), position, end, tracks)
        track = tracks.get(track_id)
        if track is None:
            continue
        tfdt = child(traf, b"tfdt")
        if tfdt is not None:
            (track.next_dts,) = fields(">4xQ" if is_long(tfdt) else ">4xI", tfdt)
            _settle(track)
        end = base
        for inner, trun in children(traf):
            if inner == b"trun":
                before = len(track.columns.sizes)
                end = _trun(trun, base, end, track, defaults, file_size, limit)
                limit -= len(track.columns.sizes) - before


def _settle(track: GrowingTrack) -> None:
    """The duration of the sample before a fragment was an estimate; now it is known."""
    columns = track.columns
    if columns.dts and 0 < track.next_dts - columns.dts[-1] < 1 << 32:
        columns.durations[-1] = track.next_dts - columns.dts[-1]


def _tfhd(
    tfhd: memoryview, position: int, end: int, tracks: Mapping[int, GrowingTrack]
) -> tuple[int, int, Defaults]:
    """Track id, what offsets count from, and the defaults (§8.8.7)."""
    flags, track_id = fields(">II", tfhd)
    base = position if flags & 0x020000 else end
    place = 8
    if flags & 0x1:
        (base,) = fields(">Q", tfhd, place)
        place += 8
    if flags & 0x2:
        place += 4
    known = tracks[track_id].defaults if track_id in tracks else Defaults()
    values = [known.duration, known.size, known.flags]
    for number, bit in enumerate((0x8, 0x10, 0x20)):
        if flags & bit:
            (values[number],) = fields(">I", tfhd, place)
            place += 4
    return track_id, base, Defaults(*values)


def _trun(
    trun: memoryview,
    base: int,
    end: int,
    track: GrowingTrack,
    defaults: Defaults,
    file_size: int,
    limit: int,
) -> int:
    """Add the samples of a run (§8.8.8); where their data ends."""
    flags, count = fields(">II", trun)
    if count > limit:
        raise MediaError(f"{count} samples are more than this movie can hold")
    place, position = 8, end
    if flags & 0x1:
        (offset,) = fields(">i", trun, place)
        position = base + offset
        place += 4
    first_flags = None
    if flags & 0x4:
        (first_flags,) = fields(">I", trun, place)
        place += 4
    wanted = [bit for bit in (0x100, 0x200, 0x400, 0x800) if flags & bit]
    width = 4 * len(wanted)
    if width * count > len(trun) - place:
        raise MediaError("a fragment of the movie claims more samples than it has")
    # one column after the other: each field is a stride of 32-bit words
    words = struct.unpack_from(f">{len(wanted) * count}I", trun, place)
    column = {bit: words[n :: len(wanted)] for n, bit in enumerate(wanted)}

    def values(bit: int, default: int) -> array[int]:
        return array("I", column[bit]) if bit in column else array("I", [default]) * count

    columns = track.columns
    sizes, durations = values(0x200, defaults.size), values(0x100, defaults.duration)
    end = columns.add_chunk(position, sizes, file_size)
    track.next_dts = columns.add_times(track.next_dts, durations)
    columns.offsets.frombytes(values(0x800, 0).tobytes())  # signed, see read_tables
    keys = [not flag & _NOT_SYNC for flag in values(0x400, defaults.flags)]
    if first_flags is not None and keys:
        keys[0] = not first_flags & _NOT_SYNC
    columns.keys.extend(keys)
    return end
