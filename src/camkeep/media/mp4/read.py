"""Movies that are read: ours in any state, and ordinary ones of others with the same codecs.

A file that grows, or grew until a crash, is read up to its last whole fragment. Memory is bound
by the size of the file; hostile bytes end in MediaError.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol

from camkeep.errors import MediaError
from camkeep.media.mp4.identity import IDENTITY_UUID, Identity, read_identity
from camkeep.media.mp4.read_boxes import child, children, fields, is_long, path, rows
from camkeep.media.mp4.read_columns import (
    MAX_SAMPLES,
    MAX_TICKS,
    Columns,
    MovieSample,
    Samples,
)
from camkeep.media.mp4.read_fragments import Defaults, GrowingTrack, read_moof, read_trex
from camkeep.media.mp4.read_params import read_audio_entry, read_video_entry
from camkeep.media.mp4.read_tables import read_tables
from camkeep.model import AudioParams, Params, VideoParams

__all__ = ["Movie", "MovieSample", "MovieTrack", "ReadAt", "Samples", "read_movie"]

MAX_BOXES = 1 << 21
"""Most boxes at the top level; six days of fragments."""
MAX_MOOV = 1 << 28
MAX_MOOF = 1 << 24
MAX_TRACKS = 16


class ReadAt(Protocol):
    """What a movie is read from."""

    @property
    def size(self) -> int:
        """Length in bytes."""
        ...

    def read_at(self, offset: int, length: int, /) -> bytes:
        """The bytes from `offset` on, fewer than `length` only at the end."""
        ...


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


class _Box(NamedTuple):
    kind: bytes
    start: int
    head: int
    end: int
    """Beyond the end of the file where the box is cut; no box follows it then."""


def read_movie(source: ReadAt) -> Movie:
    """Read a movie's index; sample data stays where it is. Raises MediaError."""
    boxes = _top_level(source, 0)
    first_mdat = None
    for box in boxes:
        if box.kind == b"moov" and box.end <= source.size:
            moov = memoryview(_payload(source, box, MAX_MOOV))
            if child(moov, b"mvex") is not None:
                return _growing(source, moov, box.end, boxes)
            return _whole(source, moov, max([box.end, *(later.end for later in boxes)]))
        if box.kind == b"mdat" and first_mdat is None:
            first_mdat = box
    if first_mdat is not None:
        # closed by us, then cut: what the mdat header hides is the fragmented movie before
        inside = _top_level(source, first_mdat.start + first_mdat.head)
        hidden = next(inside, None)
        if hidden is not None and hidden.kind == b"moov" and hidden.end <= source.size:
            moov = memoryview(_payload(source, hidden, MAX_MOOV))
            return _growing(source, moov, hidden.end, inside)
    raise MediaError("this is not an MP4 movie, or an important part of it is missing")


def _top_level(source: ReadAt, position: int) -> Iterator[_Box]:
    """The boxes of the file from `position` on, as far as they can be told apart."""
    for _ in range(MAX_BOXES):
        head = source.read_at(position, 16)
        if len(head) < 8:
            return
        size, kind = int.from_bytes(head[:4], "big"), head[4:8]
        head_size = 8
        if size == 1 and len(head) == 16:
            size, head_size = int.from_bytes(head[8:], "big"), 16
        elif size == 0 and kind == b"mdat":  # up to the end of the file
            size = source.size - position
        if size < head_size or not all(0x20 <= byte < 0x7F for byte in kind):
            return
        yield _Box(kind, position, head_size, position + size)
        position += size
        if position >= source.size:
            return


def _payload(source: ReadAt, box: _Box, most: int) -> bytes:
    size = box.end - box.start - box.head
    if size > most:
        raise MediaError("the movie's index is absurdly large")
    payload = source.read_at(box.start + box.head, size)
    if len(payload) < size:
        raise MediaError("the movie's index is cut short")
    return payload


def _whole(source: ReadAt, moov: memoryview, end: int) -> Movie:
    """An ordinary movie: all is in its tables."""
    limit = min(MAX_SAMPLES, source.size)
    tracks: list[MovieTrack] = []
    for outline in _outlines(moov):
        columns = read_tables(outline.stbl, source.size, limit)
        limit -= len(columns.sizes)
        tracks.append(outline.track(columns))
    return Movie(_identity(moov), tuple(tracks), True, min(end, source.size))


def _growing(source: ReadAt, moov: memoryview, moov_end: int, boxes: Iterator[_Box]) -> Movie:
    """A fragmented movie, up to its last whole fragment."""
    outlines, defaults = _outlines(moov), read_trex(moov)
    limit = min(MAX_SAMPLES, source.size)
    tracks: dict[int, GrowingTrack] = {}
    for outline in outlines:  # some writers have the samples before the first fragment in tables
        columns = read_tables(outline.stbl, source.size, limit)
        own = defaults.get(outline.track_id, Defaults())
        tracks[outline.track_id] = GrowingTrack(own, columns, columns.end)
    valid_end = moov_end
    moof: _Box | None = None
    for box in boxes:
        if box.end > source.size:
            break
        if box.kind == b"moof":
            moof = box
        elif box.kind == b"mdat" and moof is not None:
            before = [len(track.columns.sizes) for track in tracks.values()]
            try:
                payload = memoryview(_payload(source, moof, MAX_MOOF))
                read_moof(payload, moof.start, tracks, box.end, limit - sum(before))
            except MediaError:  # what a torn write left: the movie ends before it
                for track, length in zip(tracks.values(), before, strict=True):
                    track.columns.cut(length)
                break
            valid_end, moof = box.end, None
    found = tuple(outline.track(tracks[outline.track_id].columns) for outline in outlines)
    return Movie(_identity(moov), found, False, valid_end)


class _Outline(NamedTuple):
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


def _outlines(moov: memoryview) -> list[_Outline]:
    """The tracks of pictures and sound."""
    mvhd = path(moov, b"mvhd")
    (movie_scale,) = fields(">20xI" if is_long(mvhd) else ">12xI", mvhd)
    outlines: dict[int, _Outline] = {}
    for kind, trak in children(moov):
        if kind == b"trak" and (outline := _outline(trak, movie_scale)) is not None:
            if outline.track_id in outlines or len(outlines) == MAX_TRACKS:
                raise MediaError("the movie has too many tracks, or two of the same number")
            outlines[outline.track_id] = outline
    if not outlines:
        raise MediaError("the movie has neither pictures nor sound")
    return list(outlines.values())


def _outline(trak: memoryview, movie_scale: int) -> _Outline | None:
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
    return _Outline(track_id, params, timescale, _shift(trak, timescale, movie_scale), stbl)


def _shift(trak: memoryview, timescale: int, movie_scale: int) -> int:
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


def _identity(moov: memoryview) -> Identity | None:
    for kind, payload in children(moov):
        if kind == b"uuid" and payload[:16] == IDENTITY_UUID:
            return read_identity(bytes(payload[16:]))
    return None
