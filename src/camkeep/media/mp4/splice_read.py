"""A segment as clips are made of it: its tracks, and where in its file the samples lie."""

from __future__ import annotations

import struct
from array import array
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from camkeep.errors import MediaError
from camkeep.media.mp4.moov_boxes import MOVIE_TIMESCALE, TrackHead
from camkeep.media.mp4.read import MAX_MOOV, growing_tracks, outlines_of, shift_of
from camkeep.media.mp4.read_boxes import (
    ReadAt,
    children,
    fields,
    is_long,
    path,
    payload_of,
    top_level,
)
from camkeep.media.mp4.read_columns import MAX_SAMPLES, Columns
from camkeep.media.mp4.read_fragments import read_fragments
from camkeep.media.mp4.read_params import read_audio_entry, read_video_entry
from camkeep.media.mp4.read_tables import read_tables
from camkeep.media.mp4.splice_rows import Rows, cut_rows, whole_rows

_MAX_FTYP = 4096


@dataclass(slots=True)
class TrackFootage:
    """One track of a segment."""

    head: TrackHead
    entry: bytes
    """Its sample entry, the whole box."""
    shift: int
    """What is to be added to the decoding times of its columns."""
    _stbl: memoryview
    _file_size: int
    _columns: Columns | None = None
    _grown: bool = False

    @property
    def columns(self) -> Columns:
        """Every sample. Raises MediaError."""
        if self._columns is None:
            self._columns = read_tables(self._stbl, self._file_size, MAX_SAMPLES)
        return self._columns

    def grown(self, columns: Columns) -> None:
        """Its samples are those in fragments, shown later than they are by what the edit list
        takes back."""
        delay, self.shift = self.shift, 0
        try:
            columns.offsets = array("i", (offset + delay for offset in columns.offsets))
        except OverflowError as error:
            raise MediaError("the movie's times are absurd") from error
        self._columns, self._grown = columns, True

    def rows(self, space: tuple[int, int]) -> Rows | None:
        """All samples, which must lie in `space` of the file; None where there are none."""
        if not self._grown:
            return whole_rows(self._stbl, self.shift, space)
        columns = self.columns
        count = len(columns.sizes)
        return cut_rows(columns, self.shift, 0, count, columns.offsets) if count else None


class Footage(NamedTuple):
    """What is in a segment's file."""

    ftyp: bytes
    """The whole box."""
    video: TrackFootage
    audio: TrackFootage | None
    space: tuple[int, int]
    """Where the samples lie: the end of them is that of the last."""
    closed: bool


def read_footage(source: ReadAt) -> Footage:
    """What is in a segment. Of a growing one, or one that was never closed: up to its last
    whole fragment. Raises MediaError."""
    boxes = top_level(source, 0)
    ftyp, space = b"", (0, 0)
    for box in boxes:
        if box.end > source.size:
            break
        if box.kind == b"ftyp":
            ftyp = payload_of(source, box, _MAX_FTYP)
            ftyp = struct.pack(">I4s", 8 + len(ftyp), b"ftyp") + ftyp
        elif box.kind == b"mdat":
            space = box.start + box.head, box.end
        elif box.kind == b"moov":
            moov = memoryview(payload_of(source, box, MAX_MOOV))
            tracks = _tracks(moov, source.size)
            if space == (0, 0):
                grown = growing_tracks(moov, outlines_of(moov), source.size, MAX_SAMPLES)
                for _ in read_fragments(source, boxes, grown, MAX_SAMPLES):
                    pass
                for track in tracks:
                    track.grown(grown[track.head.track_id].columns)
                tracks = [track for track in tracks if track.columns.sizes]
                space = _space(tracks)
                return _footage(ftyp, tracks, space, closed=False)
            return _footage(ftyp, tracks, space, closed=True)
    raise MediaError("this is not an MP4 movie, or an important part of it is missing")


def _footage(
    ftyp: bytes, tracks: list[TrackFootage], space: tuple[int, int], *, closed: bool
) -> Footage:
    video = [track for track in tracks if not track.head.sound]
    audio = [track for track in tracks if track.head.sound]
    if not video or len(video) > 1 or len(audio) > 1:
        raise MediaError("the movie has no pictures, or more than one picture and one sound")
    if len({track.head.track_id for track in tracks}) < len(tracks):
        raise MediaError("the movie has two tracks of the same number")
    if video[0].head.timescale != MOVIE_TIMESCALE or max(t.head.track_id for t in tracks) > 255:
        raise MediaError("camkeep did not write this movie")
    return Footage(ftyp, video[0], audio[0] if audio else None, space, closed)


def _space(tracks: list[TrackFootage]) -> tuple[int, int]:
    """From the first sample to the end of the last one."""
    begins = [min(track.columns.positions) for track in tracks]
    ends = [track.columns.positions[-1] + track.columns.sizes[-1] for track in tracks]
    return (min(begins), max(ends)) if tracks else (0, 0)


def _tracks(moov: memoryview, file_size: int) -> list[TrackFootage]:
    mvhd = path(moov, b"mvhd")
    (movie_scale,) = fields(">20xI" if is_long(mvhd) else ">12xI", mvhd)
    found = [
        _track(trak, movie_scale, file_size) for kind, trak in children(moov) if kind == b"trak"
    ]
    return [track for track in found if track is not None]


def _track(trak: memoryview, movie_scale: int, file_size: int) -> TrackFootage | None:
    mdia, tkhd = path(trak, b"mdia"), path(trak, b"tkhd")
    (handler,) = fields(">8x4s", path(mdia, b"hdlr"))
    if handler not in (b"vide", b"soun"):
        return None
    mdhd = path(mdia, b"mdhd")
    (track_id,) = fields(">20xI" if is_long(tkhd) else ">12xI", tkhd)
    (timescale,) = fields(">20xI" if is_long(mdhd) else ">12xI", mdhd)
    if not timescale or not movie_scale:
        raise MediaError("the movie has a clock that stands still")
    stbl = path(mdia, b"minf", b"stbl")
    stsd = path(stbl, b"stsd")
    if fields(">4xI", stsd) != (1,):
        raise MediaError("the movie's samples are of more than one kind")
    _check_entry(bytes(stsd[8:]), handler == b"soun")
    shape = b"" if handler == b"soun" else bytes(tkhd[-8:])
    head = TrackHead(track_id, timescale, shape)
    shift = shift_of(trak, timescale, movie_scale)
    return TrackFootage(head, bytes(stsd[8:]), shift, stbl, file_size)


@lru_cache(maxsize=64)
def _check_entry(entry: bytes, sound: bool) -> None:
    """Raise MediaError where it is not a sample entry, or of a codec that camkeep does not know.

    The segments of a camera have mostly the same one.
    """
    found = list(children(memoryview(entry)))
    if len(found) != 1:
        raise MediaError("the movie's samples are of more than one kind, or of none")
    ((kind, payload),) = found
    if sound:
        read_audio_entry(kind, payload)
    else:
        read_video_entry(kind, payload, MOVIE_TIMESCALE)
