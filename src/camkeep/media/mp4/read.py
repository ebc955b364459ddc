"""Movies that are read: ours in any state, and ordinary ones of others with the same codecs.

A file that grows, or grew until a crash, is read up to its last whole fragment. Memory is bound
by the size of the file; hostile bytes end in MediaError.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from camkeep.errors import MediaError
from camkeep.media.mp4.identity import IDENTITY_UUID, Identity, read_identity
from camkeep.media.mp4.read_boxes import (
    ReadAt,
    TopBox,
    child,
    children,
    fields,
    is_long,
    path,
    payload_of,
    rows,
    top_level,
)
from camkeep.media.mp4.read_columns import (
    MAX_SAMPLES,
    MAX_TICKS,
    Columns,
    MovieSample,
    Samples,
)
from camkeep.media.mp4.read_fragments import Defaults, GrowingTrack, read_fragments, read_trex
from camkeep.media.mp4.read_params import read_audio_entry, read_video_entry
from camkeep.media.mp4.read_tables import read_tables
from camkeep.model import AudioParams, Params, VideoParams

__all__ = ["Movie", "MovieSample", "MovieTrack", "ReadAt", "Samples", "read_movie"]

MAX_MOOV = 1 << 28
MAX_TRACKS = 16


@dataclass(frozen=True, slots=True)
class MovieTrack:
    """One track, in the file's own timescale."""

    track_id: int
    params: Params
    timescale: int
    samples: Samples


@dataclass(frozen=True, slots=True)
class Movie:
    """What is in a movie file."""

    identity: Identity | None
    """None where camkeep did not write it."""
    tracks: tuple[MovieTrack, ...]
    whole: bool
    """Whether it was closed: an ordinary movie. False: fragments."""
    valid_end: int
    """End of the last whole fragment, or of the whole movie: what is behind can go."""

    @property
    def video(self) -> MovieTrack | None:
        """The first video track."""
        return next((t for t in self.tracks if isinstance(t.params, VideoParams)), None)

    @property
    def audio(self) -> MovieTrack | None:
        """The first audio track."""
        return next((t for t in self.tracks if isinstance(t.params, AudioParams)), None)


def read_movie(source: ReadAt) -> Movie:
    """Read a movie's index; sample data stays where it is. Raises MediaError."""
    boxes = top_level(source, 0)
    first_mdat = None
    for box in boxes:
        if box.kind == b"moov" and box.end <= source.size:
            moov = memoryview(payload_of(source, box, MAX_MOOV))
            if child(moov, b"mvex") is not None:
                return _growing(source, moov, box.end, boxes)
            return _whole(source, moov, max([box.end, *(later.end for later in boxes)]))
        if box.kind == b"mdat" and first_mdat is None:
            first_mdat = box
    if first_mdat is not None:
        # closed by us, then cut: what the mdat header hides is the fragmented movie before
        inside = top_level(source, first_mdat.start + first_mdat.head)
        hidden = next(inside, None)
        if hidden is not None and hidden.kind == b"moov" and hidden.end <= source.size:
            moov = memoryview(payload_of(source, hidden, MAX_MOOV))
            return _growing(source, moov, hidden.end, inside)
    raise MediaError("this is not an MP4 movie, or an important part of it is missing")


def _whole(source: ReadAt, moov: memoryview, end: int) -> Movie:
    """An ordinary movie: all is in its tables."""
    limit = min(MAX_SAMPLES, source.size)
    tracks: list[MovieTrack] = []
    for outline in outlines_of(moov):
        columns = read_tables(outline.stbl, source.size, limit)
        limit -= len(columns.sizes)
        tracks.append(outline.track(columns))
    return Movie(identity_of(moov), tuple(tracks), True, min(end, source.size))


def _growing(source: ReadAt, moov: memoryview, moov_end: int, boxes: Iterator[TopBox]) -> Movie:
    """A fragmented movie, up to its last whole fragment."""
    outlines = outlines_of(moov)
    limit = min(MAX_SAMPLES, source.size)
    tracks = growing_tracks(moov, outlines, source.size, limit)
    valid_end = moov_end
    for fragment in read_fragments(source, boxes, tracks, limit):
        valid_end = fragment.mdat.end
    found = tuple(outline.track(tracks[outline.track_id].columns) for outline in outlines)
    return Movie(identity_of(moov), found, False, valid_end)


def growing_tracks(
    moov: memoryview, outlines: Sequence[Outline], file_size: int, limit: int
) -> dict[int, GrowingTrack]:
    """The tracks of a fragmented movie before its first fragment, by their numbers."""
    defaults = read_trex(moov)
    tracks: dict[int, GrowingTrack] = {}
    for outline in outlines:  # some writers have the samples before the first fragment in tables
        columns = read_tables(outline.stbl, file_size, limit)
        own = defaults.get(outline.track_id, Defaults())
        tracks[outline.track_id] = GrowingTrack(own, columns, columns.end)
    return tracks


class Outline(NamedTuple):
    """A track without its samples."""

    track_id: int
    params: Params
    timescale: int
    shift: int
    stbl: memoryview

    def track(self, columns: Columns) -> MovieTrack:
        samples = Samples(columns, self.timescale, self.shift)
        params = self.params
        if isinstance(params, VideoParams) and not any(columns.offsets):
            params = replace(params, reorder=0)
        return MovieTrack(self.track_id, params, self.timescale, samples)


def outlines_of(moov: memoryview) -> list[Outline]:
    """The tracks of pictures and sound."""
    mvhd = path(moov, b"mvhd")
    (movie_scale,) = fields(">20xI" if is_long(mvhd) else ">12xI", mvhd)
    outlines: dict[int, Outline] = {}
    for kind, trak in children(moov):
        if kind == b"trak" and (outline := _outline(trak, movie_scale)) is not None:
            if outline.track_id in outlines or len(outlines) == MAX_TRACKS:
                raise MediaError("the movie has too many tracks, or two of the same number")
            outlines[outline.track_id] = outline
    if not outlines:
        raise MediaError("the movie has neither pictures nor sound")
    return list(outlines.values())


def _outline(trak: memoryview, movie_scale: int) -> Outline | None:
    (handler,) = fields(">8x4s", path(trak, b"mdia", b"hdlr"))
    if handler not in (b"vide", b"soun"):
        return None
    tkhd, mdhd = path(trak, b"tkhd"), path(trak, b"mdia", b"mdhd")
    (track_id,) = fields(">20xI" if is_long(tkhd) else ">12xI", tkhd)
    (timescale,) = fields(">20xI" if is_long(mdhd) else ">12xI", mdhd)
    if not timescale or not movie_scale:
        raise MediaError("the movie has a clock that stands still")
    stbl = path(trak, b"mdia", b"minf", b"stbl")
    entry_kind, entry = next(children(path(stbl, b"stsd")[8:]), (b"", memoryview(b"")))
    params: Params
    if handler == b"vide":
        params = read_video_entry(entry_kind, entry, timescale)
    else:
        params = read_audio_entry(entry_kind, entry)
    return Outline(track_id, params, timescale, shift_of(trak, timescale, movie_scale), stbl)


def shift_of(trak: memoryview, timescale: int, movie_scale: int) -> int:
    """How much later than its own times the track is shown (§8.6.6), ticks of the track."""
    edts = child(trak, b"edts")
    elst = child(edts, b"elst") if edts is not None else None
    if elst is None:
        return 0
    layout, width = (">QqI", 20) if is_long(elst) else (">IiI", 12)
    empty = 0
    for duration, media_time, _ in struct.iter_unpack(layout, rows(elst, width)[1]):
        if media_time != -1:
            shift = (2 * empty * timescale + movie_scale) // (2 * movie_scale) - media_time
            if abs(shift) > MAX_TICKS:
                raise MediaError("the movie begins too far in time")
            return int(shift)
        empty += duration
    return 0


def identity_of(moov: memoryview) -> Identity | None:
    """Who the movie is of; None where camkeep did not write it."""
    for kind, payload in children(moov):
        if kind == b"uuid" and payload[:16] == IDENTITY_UUID:
            return read_identity(bytes(payload[16:]))
    return None
