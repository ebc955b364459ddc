"""What a segment's file says of itself, as the index wants it. Blocks."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from camkeep.archive.files import FileBytes, SystemFiles
from camkeep.archive.layout import is_damaged
from camkeep.errors import MediaError
from camkeep.media.mp4.read import read_movie
from camkeep.media.mp4.resume import MAX_FTYP
from camkeep.media.mp4.seal import SEAL_READ, Seal, read_seal
from camkeep.model import AudioParams, CameraId, Segment, SegmentState, VideoParams

_MOST = 1 << 52
"""More than any number of a segment: microseconds of 142 years."""


def segment_of_file(root: Path, path: str, camera: CameraId) -> Segment:
    """The segment at `path` of the archive: closed where it has a seal and was turned to an
    ordinary movie, damaged where its name says so, else open. Raises OSError, or MediaError where
    it is none of that camera."""
    fd = os.open(root / path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        size = os.fstat(fd).st_size
        begin = os.pread(fd, MAX_FTYP + 8, 0)
        seal = read_seal(os.pread(fd, SEAL_READ, max(0, size - SEAL_READ)))
        segment = segment_of_seal(seal, path, size) if seal is not None else _unsealed(fd, path)
    finally:
        os.close(fd)
    if segment.camera != camera:
        raise MediaError(f"{path} is of another camera")
    numbers = (segment.sequence, segment.run, segment.start, segment.duration_us)
    if not all(0 <= number < _MOST for number in (*numbers, segment.width, segment.height)):
        raise MediaError(f"{path} says what cannot be of its time or its place")
    if segment.state is SegmentState.CLOSED and not _is_turned(begin):
        return replace(segment, state=SegmentState.OPEN, chain=b"")
    return segment


def _is_turned(begin: bytes) -> bool:
    """Whether the last step of closing a movie was taken: a crash may come before it."""
    at = int.from_bytes(begin[:4], "big")
    return begin[at + 4 : at + 8] == b"mdat"


def segment_of_seal(seal: Seal, path: str, size: int) -> Segment:
    """A closed segment."""
    identity = seal.identity
    return Segment(
        camera=CameraId(identity.camera_id),
        sequence=identity.sequence,
        run=identity.run,
        path=path,
        start=identity.start,
        duration_us=seal.duration_us,
        size=size,
        frames=seal.frames,
        codec=seal.codec,
        width=seal.width,
        height=seal.height,
        audio=seal.audio,
        state=SegmentState.DAMAGED if is_damaged(path) else SegmentState.CLOSED,
        chain=b"" if is_damaged(path) else seal.chain,
    )


def _unsealed(fd: int, path: str) -> Segment:
    """A segment that grows, grew until a crash, or is damaged."""
    source = FileBytes(SystemFiles(), fd)
    movie = read_movie(source)
    identity, video, audio = movie.identity, movie.video, movie.audio
    if identity is None or video is None or not isinstance(video.params, VideoParams):
        raise MediaError(f"{path} is not a segment")
    last = video.samples[-1] if len(video.samples) else None
    length = last.time + last.duration if last is not None else 0
    sound = audio.params if audio is not None else None
    return Segment(
        camera=CameraId(identity.camera_id),
        sequence=identity.sequence,
        run=identity.run,
        path=path,
        start=identity.start,
        duration_us=length * 1_000_000 // video.timescale,
        size=source.size,
        frames=len(video.samples),
        codec=video.params.codec_string,
        width=video.params.width,
        height=video.params.height,
        audio=sound.codec_string if isinstance(sound, AudioParams) else "",
        state=SegmentState.DAMAGED if is_damaged(path) else SegmentState.OPEN,
    )
