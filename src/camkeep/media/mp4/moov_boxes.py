"""The boxes of `moov` (ISO 14496-12 §8.2 to §8.7), from plain values: whoever has the tables of a
track makes a movie box with them."""

from __future__ import annotations

import struct
import sys
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, groupby

from camkeep.media.mp4.boxes import MATRIX, U32, box, full_box
from camkeep.media.mp4.video_track import VIDEO_TIMESCALE

MOVIE_TIMESCALE = VIDEO_TIMESCALE
"""That of the frames, so that their edit lists are exact."""
EMPTY_EDIT = -1
"""The media time of an edit in which nothing is shown."""
_UNDETERMINED = 0x55C4  # the language "und" (§8.4.2.3)
_IN_USE = 3  # tkhd: enabled, in movie
_AT_ONCE = 0x10000  # media_rate 1


@dataclass(frozen=True, slots=True)
class TrackHead:
    """What a track is, without its samples."""

    track_id: int
    timescale: int
    shape: bytes
    """Width and height as `tkhd` has them, 16.16 each; empty for sound."""

    @property
    def sound(self) -> bool:
        return not self.shape


def rescale(ticks: int, timescale: int) -> int:
    """`ticks` of a track in ticks of the movie, rounded to the nearest."""
    return (2 * ticks * MOVIE_TIMESCALE + timescale) // (2 * timescale)


def mvhd(created: int, duration: int, next_track_id: int) -> bytes:
    """The movie header; `duration` in ticks of the movie."""
    rest = struct.pack(">IH10x", 0x10000, 0x100) + MATRIX + struct.pack(">24xI", next_track_id)
    return _timed_box(b"mvhd", 0, "TTIT", (created, created, MOVIE_TIMESCALE, duration), rest)


def trak(
    head: TrackHead,
    created: int,
    times: tuple[int, int],
    edits: Iterable[tuple[int, int]],
    entries: Sequence[bytes],
    tables: Iterable[bytes],
) -> bytes:
    """A track. `times`: how long it is shown, in ticks of the movie, and the length of its
    media, in its own. `edits`: length in ticks of the movie and media time of each."""
    shown, duration = times
    if head.sound:
        layout = struct.pack(">8xHHH2x", 0, 1, 0x100) + MATRIX + bytes(8)
    else:
        layout = struct.pack(">8xHHH2x", 0, 0, 0) + MATRIX + head.shape
    values = (created, created, head.track_id, shown)
    return box(
        b"trak",
        _timed_box(b"tkhd", _IN_USE, "TTI4xT", values, layout),
        edit_list(edits),
        box(
            b"mdia",
            _mdhd(created, head.timescale, duration),
            _hdlr(head.sound),
            _minf(head.sound, entries, tables),
        ),
    )


def edit_list(edits: Iterable[tuple[int, int]]) -> bytes:
    """`edts` (§8.6.5); nothing where there are no edits."""
    rows = list(edits)
    if not rows:
        return b""
    longest = max(max(row) for row in rows)
    version, layout = (1, ">QqI") if longest > U32 >> 1 else (0, ">IiI")
    packed = b"".join(struct.pack(layout, length, at, _AT_ONCE) for length, at in rows)
    return box(b"edts", full_box(b"elst", version, 0, struct.pack(">I", len(rows)), packed))


def _mdhd(created: int, timescale: int, duration: int) -> bytes:
    values = (created, created, timescale, duration)
    return _timed_box(b"mdhd", 0, "TTIT", values, struct.pack(">HH", _UNDETERMINED, 0))


def _hdlr(sound: bool) -> bytes:
    kind, name = (b"soun", b"Sound\0") if sound else (b"vide", b"Video\0")
    return full_box(b"hdlr", 0, 0, bytes(4), kind, bytes(12), name)


def _minf(sound: bool, entries: Sequence[bytes], tables: Iterable[bytes]) -> bytes:
    media = full_box(b"smhd", 0, 0, bytes(4)) if sound else full_box(b"vmhd", 0, 1, bytes(8))
    here = full_box(b"dref", 0, 0, struct.pack(">I", 1), full_box(b"url ", 0, 1))
    stsd = full_box(b"stsd", 0, 0, struct.pack(">I", len(entries)), *entries)
    return box(b"minf", media, box(b"dinf", here), box(b"stbl", stsd, *tables))


def _timed_box(kind: bytes, flags: int, fields: str, values: Sequence[int], rest: bytes) -> bytes:
    """A full box whose fields "T" have 32 bits in version 0, and 64 in version 1 if need be."""
    version = 1 if max(values) > U32 else 0
    packed = struct.pack(">" + fields.replace("T", "Q" if version else "I"), *values)
    return full_box(kind, version, flags, packed, rest)


def run_rows(row: str, values: Iterable[int]) -> bytes:
    """Rows of (count, value), one for each run of equal values."""
    rows = [(sum(1 for _ in run), value) for value, run in groupby(values)]
    return struct.pack(">" + row * len(rows), *chain.from_iterable(rows))


def chunk_rows(counts: Iterable[int]) -> list[int]:
    """What `stsc` says (§8.7.4): the chunk from which on, the samples in each, description 1;
    three numbers wherever the second changes."""
    rows: list[int] = []
    before = 0
    for chunk, count in enumerate(counts, 1):
        if count != before:
            rows += (chunk, count, 1)
            before = count
    return rows


def big_endian(values: array[int]) -> bytes:
    """The values in the byte order of MP4."""
    swapped = values[:]
    if sys.byteorder == "little":
        swapped.byteswap()
    return swapped.tobytes()


def table(kind: bytes, count: int, *rows: bytes, version: int = 0) -> bytes:
    """A table of `count` rows."""
    return full_box(kind, version, 0, struct.pack(">I", count), *rows)
