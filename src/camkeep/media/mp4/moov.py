"""The movie box (ISO 14496-12 §8.2.1), as it stands before fragments and as it closes a movie."""

from __future__ import annotations

import struct
from array import array
from collections.abc import Sequence
from fractions import Fraction

from camkeep.media.mp4.boxes import U32, box, full_box
from camkeep.media.mp4.entries import audio_entry, video_entry
from camkeep.media.mp4.identity import Identity, creation_time, identity_box
from camkeep.media.mp4.moov_boxes import (
    EMPTY_EDIT,
    MOVIE_TIMESCALE,
    TrackHead,
    big_endian,
    chunk_rows,
    mvhd,
    rescale,
    run_rows,
    table,
    trak,
)
from camkeep.media.mp4.track import Track
from camkeep.media.mp4.video_track import VideoTrack
from camkeep.model import AudioParams, VideoParams


def opening_moov(tracks: Sequence[Track], identity: Identity) -> bytes:
    """`moov` of a movie whose samples all are in fragments that follow (§8.8.1)."""
    empty = (
        full_box(b"stts", 0, 0, bytes(4)),
        full_box(b"stsc", 0, 0, bytes(4)),
        full_box(b"stsz", 0, 0, bytes(8)),
        full_box(b"stco", 0, 0, bytes(4)),
    )
    created = creation_time(identity)
    traks = []
    for track in tracks:
        # an edit list takes back the track's delay; its length is that of the movie
        edits = [(0, track.delay)] if track.delay else []
        traks.append(trak(_head(track), created, (0, 0), edits, [_entry(track)], empty))
    trexs = [
        full_box(b"trex", 0, 0, struct.pack(">5I", track.track_id, 1, 0, 0, track.default_flags))
        for track in tracks
    ]
    return box(
        b"moov",
        mvhd(created, 0, tracks[-1].track_id + 1),
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
        tables = _tables(track, begin, last)
        shown = rescale(end, track.timescale)
        longest = max(longest, shown)
        edits = _edits(begin, end - begin, track.timescale)
        times = (shown, end - begin)
        traks.append(trak(_head(track), created, times, edits, [_entry(track)], tables))
    header = mvhd(created, longest, tracks[-1].track_id + 1)
    moov = box(b"moov", header, *traks, identity_box(identity))
    return moov, longest * 1_000_000 // MOVIE_TIMESCALE


def shape_of(params: VideoParams) -> bytes:
    """Width and height as they are shown, as `tkhd` has them."""
    width = Fraction(params.width) * params.pixel_aspect
    return struct.pack(">II", min(round(width * 65536), U32), params.height << 16)


def _head(track: Track) -> TrackHead:
    params = track.params
    shape = shape_of(params) if isinstance(params, VideoParams) else b""
    return TrackHead(track.track_id, track.timescale, shape)


def _entry(track: Track) -> bytes:
    params = track.params
    return audio_entry(params) if isinstance(params, AudioParams) else video_entry(params)


def _earliest(track: Track) -> int:
    """The smallest presentation time; only the first few frames can have it."""
    return min(map(int.__add__, track.dts[:32], track.offsets[:32]), default=track.dts[0])


def _edits(begin: int, duration: int, timescale: int) -> list[tuple[int, int]]:
    """Where the track begins later than the movie: first nothing, then it (§8.6.6)."""
    if not begin:
        return []
    return [(rescale(begin, timescale), EMPTY_EDIT), (rescale(duration, timescale), 0)]


def _tables(track: Track, begin: int, last: int) -> list[bytes]:
    """The sample tables (§8.6, §8.7). Decoding begins at `begin`, the last sample lasts `last`."""
    durations = track.durations(last)
    offsets = track.offsets
    early = track.dts[0] - begin
    if early:
        durations[0] += early
        offsets = offsets[:]
        offsets[0] += early
    rows = run_rows("II", durations)
    tables = [table(b"stts", len(rows) // 8, rows)]
    if any(offsets):
        rows = run_rows("Ii", offsets)
        tables.append(table(b"ctts", len(rows) // 8, rows, version=1))
    if isinstance(track, VideoTrack) and not all(track.keys):
        keys = array("I", (number for number, key in enumerate(track.keys, 1) if key))
        tables.append(table(b"stss", len(keys), big_endian(keys)))
    chunks = array("I", chunk_rows(track.chunk_counts))
    tables.append(table(b"stsc", len(chunks) // 3, big_endian(chunks)))
    sizes = struct.pack(">I", len(track.sizes)) + big_endian(track.sizes)
    tables.append(full_box(b"stsz", 0, 0, bytes(4), sizes))
    positions = track.chunk_positions
    if positions[-1] > U32:
        tables.append(table(b"co64", len(positions), big_endian(positions)))
    else:
        tables.append(table(b"stco", len(positions), big_endian(array("I", positions))))
    return tables
