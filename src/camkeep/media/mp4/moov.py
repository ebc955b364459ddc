"""The movie box (ISO 14496-12 §8.2.1), as it stands before fragments and as it closes a movie."""

from __future__ import annotations

import struct
import sys
from array import array
from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import chain, groupby

from camkeep.media.mp4.boxes import MATRIX, U32, box, full_box
from camkeep.media.mp4.entries import audio_entry, video_entry
from camkeep.media.mp4.identity import Identity, creation_time, identity_box
from camkeep.media.mp4.track import Track
from camkeep.media.mp4.video_track import VIDEO_TIMESCALE, VideoTrack
from camkeep.model import AudioParams, Params

MOVIE_TIMESCALE = VIDEO_TIMESCALE
"""That of the frames, so that their edit lists are exact."""
_UNDETERMINED = 0x55C4  # the language "und" (§8.4.2.3)
_IN_USE = 3  # tkhd: enabled, in movie


def opening_moov(tracks: Sequence[Track], identity: Identity) -> bytes:
    """`moov` of a movie whose samples all are in fragments that follow (§8.8.1)."""
    empty = (
        full_box(b"stts", 0, 0, bytes(4)),
        full_box(b"stsc", 0, 0, bytes(4)),
        full_box(b"stsz", 0, 0, bytes(8)),
        full_box(b"stco", 0, 0, bytes(4)),
    )
    created = creation_time(identity)
    traks = [_trak(track, created, 0, _undelayed(track), 0, empty) for track in tracks]
    trexs = [
        full_box(b"trex", 0, 0, struct.pack(">5I", track.track_id, 1, 0, 0, track.default_flags))
        for track in tracks
    ]
    return box(
        b"moov",
        _mvhd(created, 0, tracks),
        *traks,
        box(b"mvex", *trexs),
        identity_box(identity),
    )


def closing_moov(
    tracks: Sequence[Track], identity: Identity, video_end: int | None
) -> tuple[bytes, int]:
    """`moov` with the tables of all samples, and the length of the movie in µs.

    `video_end` is when the last frame ends, in ticks of the video track, where that is known.
    """
    created = creation_time(identity)
    traks: list[bytes] = []
    longest = 0
    for track in tracks:
        if not len(track):
            continue  # it was announced, but nothing came
        last = track.estimate()
        if video_end is not None and isinstance(track, VideoTrack):
            last = max(1, min(video_end - track.dts[-1], U32))
        # decoding begins no later than anything is shown: nothing lies before the first edit
        begin = min(track.dts[0], _earliest(track))
        end = track.dts[-1] + last
        edits = _edts(begin, end - begin, track.timescale)
        tables = _tables(track, begin, last)
        shown = _rescale(end, track.timescale)
        longest = max(longest, shown)
        traks.append(_trak(track, created, shown, edits, end - begin, tables))
    moov = box(b"moov", _mvhd(created, longest, tracks), *traks, identity_box(identity))
    return moov, longest * 1_000_000 // MOVIE_TIMESCALE


def _earliest(track: Track) -> int:
    """The smallest presentation time; only the first few frames can have it."""
    return min(map(int.__add__, track.dts[:32], track.offsets[:32]), default=track.dts[0])


def _rescale(ticks: int, timescale: int) -> int:
    """`ticks` of a track in ticks of the movie, rounded to the nearest."""
    return (2 * ticks * MOVIE_TIMESCALE + timescale) // (2 * timescale)


def _timed_box(kind: bytes, flags: int, fields: str, values: Sequence[int], rest: bytes) -> bytes:
    """A full box whose fields "T" have 32 bits in version 0, and 64 in version 1 if need be."""
    version = 1 if max(values) > U32 else 0
    packed = struct.pack(">" + fields.replace("T", "Q" if version else "I"), *values)
    return full_box(kind, version, flags, packed, rest)


def _mvhd(created: int, duration: int, tracks: Sequence[Track]) -> bytes:
    next_id = tracks[-1].track_id + 1
    rest = struct.pack(">IH10x", 0x10000, 0x100) + MATRIX + struct.pack(">24xI", next_id)
    return _timed_box(b"mvhd", 0, "TTIT", (created, created, MOVIE_TIMESCALE, duration), rest)


def _trak(
    track: Track,
    created: int,
    shown: int,
    edits: bytes,
    duration: int,
    tables: Iterable[bytes],
) -> bytes:
    params = track.params
    if isinstance(params, AudioParams):
        layout = struct.pack(">8xHHH2x", 0, 1, 0x100) + MATRIX + bytes(8)
    else:
        width = Fraction(params.width) * params.pixel_aspect
        size = (min(round(width * 65536), U32), params.height << 16)
        layout = struct.pack(">8xHHH2x", 0, 0, 0) + MATRIX + struct.pack(">II", *size)
    values = (created, created, track.track_id, shown)
    return box(
        b"trak",
        _timed_box(b"tkhd", _IN_USE, "TTI4xT", values, layout),
        edits,
        box(b"mdia", _mdhd(track, created, duration), _hdlr(params), _minf(params, tables)),
    )


def _mdhd(track: Track, created: int, duration: int) -> bytes:
    values = (created, created, track.timescale, duration)
    return _timed_box(b"mdhd", 0, "TTIT", values, struct.pack(">HH", _UNDETERMINED, 0))


def _hdlr(params: Params) -> bytes:
    sound = isinstance(params, AudioParams)
    kind, name = (b"soun", b"Sound\0") if sound else (b"vide", b"Video\0")
    return full_box(b"hdlr", 0, 0, bytes(4), kind, bytes(12), name)


def _minf(params: Params, tables: Iterable[bytes]) -> bytes:
    if isinstance(params, AudioParams):
        media, entry = full_box(b"smhd", 0, 0, bytes(4)), audio_entry(params)
    else:
        media, entry = full_box(b"vmhd", 0, 1, bytes(8)), video_entry(params)
    here = full_box(b"dref", 0, 0, struct.pack(">I", 1), full_box(b"url ", 0, 1))
    stsd = full_box(b"stsd", 0, 0, struct.pack(">I", 1), entry)
    return box(b"minf", media, box(b"dinf", here), box(b"stbl", stsd, *tables))


def _undelayed(track: Track) -> bytes:
    """An edit list that takes back the track's delay; its length is that of the movie."""
    if not track.delay:
        return b""
    rows = struct.pack(">IIiI", 1, 0, track.delay, 0x10000)
    return box(b"edts", full_box(b"elst", 0, 0, rows))


def _edts(begin: int, duration: int, timescale: int) -> bytes:
    """An edit list (§8.6.6) where the track begins later than the movie: first nothing, then it."""
    if not begin:
        return b""
    empty, shown = _rescale(begin, timescale), _rescale(duration, timescale)
    if max(empty, shown) > U32:
        version, row = 1, ">QqI"
    else:
        version, row = 0, ">IiI"
    rate = 0x10000
    rows = struct.pack(row, empty, -1, rate) + struct.pack(row, shown, 0, rate)
    return box(b"edts", full_box(b"elst", version, 0, struct.pack(">I", 2), rows))


def _tables(track: Track, begin: int, last: int) -> list[bytes]:
    """The sample tables (§8.6, §8.7). Decoding begins at `begin`, the last sample lasts `last`."""
    durations = track.durations(last)
    offsets = track.offsets
    early = track.dts[0] - begin
    if early:
        durations[0] += early
        offsets = offsets[:]
        offsets[0] += early
    tables = [_runs(b"stts", 0, "II", durations)]
    if any(offsets):
        tables.append(_runs(b"ctts", 1, "Ii", offsets))
    if isinstance(track, VideoTrack) and not all(track.keys):
        keys = array("I", (number for number, key in enumerate(track.keys, 1) if key))
        tables.append(_column(b"stss", keys))
    tables.append(_stsc(track.chunk_counts))
    tables.append(full_box(b"stsz", 0, 0, bytes(4), _counted(track.sizes)))
    if track.chunk_positions[-1] > U32:
        tables.append(_column(b"co64", track.chunk_positions))
    else:
        tables.append(_column(b"stco", array("I", track.chunk_positions)))
    return tables


def _runs(kind: bytes, version: int, row: str, values: Iterable[int]) -> bytes:
    """A table of (count, value), one row for each run of equal values."""
    rows = [(sum(1 for _ in run), value) for value, run in groupby(values)]
    packed = struct.pack(">" + row * len(rows), *chain.from_iterable(rows))
    return full_box(kind, version, 0, struct.pack(">I", len(rows)), packed)


def _stsc(counts: array[int]) -> bytes:
    """Samples in each chunk, one row wherever the number changes (§8.7.4)."""
    rows: list[int] = []
    before = 0
    for chunk, count in enumerate(counts, 1):
        if count != before:
            rows += (chunk, count, 1)
            before = count
    packed = struct.pack(f">{len(rows)}I", *rows)
    return full_box(b"stsc", 0, 0, struct.pack(">I", len(rows) // 3), packed)


def _column(kind: bytes, values: array[int]) -> bytes:
    return full_box(kind, 0, 0, _counted(values))


def _counted(values: array[int]) -> bytes:
    """The number of values, and the values, in the byte order of MP4."""
    swapped = values[:]
    if sys.byteorder == "little":
        swapped.byteswap()
    return struct.pack(">I", len(values)) + swapped.tobytes()
