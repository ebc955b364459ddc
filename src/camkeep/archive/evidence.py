"""What a sealed segment proves of itself: its bytes hashed again and compared with its seal.

Blocking, and in bounded memory. What the chain of seals proves of many segments is not here.
"""

from __future__ import annotations

import heapq
import os
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from camkeep.archive.disk import read_error
from camkeep.archive.files import FileBytes, SystemFiles
from camkeep.clock import WallUs
from camkeep.errors import MediaError
from camkeep.media.mp4.digests import (
    CHECK_SIZE,
    LEAF_SIZE,
    Blocks,
    Digests,
    Placed,
    check_in,
    check_of,
)
from camkeep.media.mp4.read import Movie, MovieTrack, read_movie
from camkeep.media.mp4.read_boxes import ReadAt, top_level
from camkeep.media.mp4.resume import MAX_FTYP, PATCH_SIZE
from camkeep.media.mp4.seal import SEAL_READ, Seal, read_seal, seal_box

Interval = tuple[WallUs, WallUs]


@dataclass(frozen=True, slots=True)
class Evidence:
    """A sealed segment, compared with its seal."""

    seal: Seal
    structure: bool
    """Whether all that is not pictures or sound is as it was: tables, times, identity."""
    changed: tuple[Interval, ...]
    """When the pictures or the sound are not what they were, to a fragment (some 0.4 s)."""

    @property
    def intact(self) -> bool:
        """Whether every byte is as it was when the segment was sealed."""
        return self.structure and not self.changed


def examine_file(path: Path) -> Evidence:
    """Read the segment at `path` from its first byte to its last.

    Raises MediaError where there is nothing to compare: no seal, a seal that contradicts itself,
    or tables that do not read; StorageError where the disk does not give the bytes.
    """
    files = SystemFiles()
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            return examine(FileBytes(files, fd))
        finally:
            files.forget(fd)
            files.close(fd)
    except OSError as error:
        raise read_error(error, path) from error


def examine(source: ReadAt) -> Evidence:
    """The same for a segment that is open, or in memory."""
    seal = read_seal(source.read_at(max(0, source.size - SEAL_READ), SEAL_READ))
    if seal is None:
        raise MediaError("the segment has no seal: it was not closed, or its end was changed")
    movie = read_movie(source)
    begin = int.from_bytes(source.read_at(0, 4), "big") + PATCH_SIZE
    if not movie.whole or begin > MAX_FTYP:
        raise MediaError("the segment is not closed any more: its header was changed")
    digests = Digests()
    end = source.size - len(seal_box(seal))
    leaves = digests.scan(Blocks(source), begin, end, _placed(movie))
    samples, structure = digests.finish(b"", source.read_at(0, begin))
    changed: tuple[Interval, ...] = ()
    if samples != seal.samples:
        changed = _changed(source, movie, seal, begin, leaves)
    return Evidence(seal, structure == seal.structure, changed)


def _placed(movie: Movie) -> Iterator[Placed]:
    """All samples in the order in which they lie in the file."""
    return heapq.merge(*map(_of_track, movie.tracks))


def _of_track(track: MovieTrack) -> Iterator[Placed]:
    for sample in track.samples:
        yield Placed(sample.offset, sample.size, track.track_id, sample.time, sample.key)


def _changed(
    source: ReadAt, movie: Movie, seal: Seal, begin: int, leaves: bytearray
) -> tuple[Interval, ...]:
    """The intervals of the fragments whose samples do not agree with their checks; of the whole
    segment where no fragment tells."""
    placed = list(_placed(movie))
    scales = {track.track_id: track.timescale for track in movie.tracks}
    found: list[Interval] = []
    for mdat, as_written in _fragments(source, begin, placed, leaves):
        times = [s.time * 1_000_000 // scales[s.track_id] for s in placed[mdat]]
        if times and not as_written:
            start = seal.identity.start
            found.append((WallUs(start + min(times)), WallUs(start + max(times))))
    whole = (seal.identity.start, WallUs(seal.identity.start + seal.duration_us))
    return tuple(found) or (whole,)


def _fragments(
    source: ReadAt, begin: int, placed: list[Placed], leaves: bytearray
) -> Iterator[tuple[slice, bool]]:
    """What the closed movie holds as media data, told apart again: which samples came together,
    and whether they agree with their check."""
    blocks, moof = Blocks(source), None
    check, end = b"", begin
    for box in top_level(source, begin):
        if box.kind == b"moov" and not check:
            check, end = check_of(b"", blocks.pieces(box.start, box.end), b""), box.end
        elif box.kind == b"moof":
            moof = box
        elif box.kind == b"mdat" and moof is not None:
            first = bisect_left(placed, box.start, key=lambda sample: sample.offset)
            last = bisect_left(placed, box.end, key=lambda sample: sample.offset)
            own = leaves[first * LEAF_SIZE : last * LEAF_SIZE]
            written = check_in(source.read_at(moof.end - CHECK_SIZE, CHECK_SIZE))
            should = check_of(check, blocks.pieces(end, moof.end - CHECK_SIZE), own)
            yield slice(first, last), written == should
            check, end, moof = written or should, box.end, None
