"""Virtual movies: any interval of a camera as an MP4 that is read by offset and length, of which
nothing is written and nothing but the header is in memory.

Blocking calls; a movie may be read from many threads at once, but is closed only when nobody
reads it. How the parts of a movie are laid out is told in docs/clips.md.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, chain
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self, overload

from camkeep.archive.clipfiles import OpenFile, make_room_for, reason_of
from camkeep.clock import WallUs
from camkeep.errors import MediaError, UsageError
from camkeep.media.mp4.clip_box import Hole, Proof, Source, clip_box, leaves_left_out
from camkeep.media.mp4.seal import SEAL_READ, read_seal
from camkeep.media.mp4.splice import Gaps, Part, Span, Spliced, plan_parts
from camkeep.media.mp4.splice_cut import Share, share_of
from camkeep.media.mp4.splice_read import read_footage
from camkeep.model import Segment


class FilePiece(NamedTuple):
    """Bytes of a virtual movie that lie in a file."""

    fd: int
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class Missing:
    """A segment that is not in the clip although it belongs there."""

    segment: Segment
    reason: str
    """In words for a person."""


class _Piece(NamedTuple):
    """A stretch of the movie: bytes in memory, or of a file from `offset` on."""

    length: int
    data: bytes
    file: OpenFile | None = None
    offset: int = 0


class VirtualMovie:
    """One MP4. Use `open_clip`."""

    def __init__(self, part: Part, names: bytes, pieces: Sequence[_Piece]) -> None:
        self.start = part.start
        """The instant that is shown at time 0."""
        self.spans: tuple[Span, ...] = tuple(part.spans())
        """Which instant is shown when."""
        self._names = names
        self._pieces = pieces
        self._begins = [0, *accumulate(piece.length for piece in pieces)]
        self.size = self._begins.pop()
        """Bytes."""

    @property
    def duration_us(self) -> int:
        """Of the pictures."""
        return self.spans[-1].at_us + self.spans[-1].length_us

    @cached_property
    def etag(self) -> str:
        """The same for the same bytes, and for no others; without quotation marks."""
        digest = hashlib.sha256(self._names)
        digest.update(self._pieces[0].data)
        return digest.hexdigest()[:40]

    @property
    def header_size(self) -> int:
        """How many bytes of it are in memory."""
        return sum(len(piece.data) for piece in self._pieces)

    def pieces(self, offset: int, length: int) -> Iterator[bytes | FilePiece]:
        """The bytes from `offset` on, as what is in memory and where the rest is, for a system
        call that copies from file to file."""
        end = min(offset + length, self.size)
        number = bisect_right(self._begins, offset) - 1
        while offset < end:
            piece = self._pieces[number]
            skip = offset - self._begins[number]
            count = min(piece.length - skip, end - offset)
            if piece.file is None:
                yield piece.data[skip : skip + count]
            elif count:
                yield FilePiece(piece.file.fd, piece.offset + skip, count)
            offset += count
            number += 1

    def read(self, offset: int, length: int) -> bytes:
        """The bytes from `offset` on, fewer than `length` only at the end.

        Raises StorageError where a file of the archive cannot be read.
        """
        end = min(offset + length, self.size)
        found: list[bytes] = []
        number = bisect_right(self._begins, offset) - 1
        while offset < end:
            piece = self._pieces[number]
            skip = offset - self._begins[number]
            count = min(piece.length - skip, end - offset)
            if piece.file is None:
                found.append(piece.data[skip : skip + count])
            else:
                found.append(piece.file.exactly(piece.offset + skip, count))
            offset += count
            number += 1
        return b"".join(found)


class VirtualClip(Sequence[VirtualMovie]):
    """The movies that one interval comes to: mostly one, none where nothing was recorded.

    Its files are open until it is closed.
    """

    def __init__(
        self, movies: Sequence[VirtualMovie], missing: Sequence[Missing], files: ExitStack
    ) -> None:
        self.missing = tuple(missing)
        """Segments that could not be read, each a gap in the clip."""
        self._movies = tuple(movies)
        self._files = files

    @overload
    def __getitem__(self, index: int) -> VirtualMovie: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[VirtualMovie]: ...
    def __getitem__(self, index: int | slice) -> VirtualMovie | Sequence[VirtualMovie]:
        return self._movies[index]

    def __len__(self) -> int:
        return len(self._movies)

    def close(self) -> None:
        """Let go of the files; no movie can be read any more."""
        self._files.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


class _Taken(NamedTuple):
    """A segment that is in the clip."""

    segment: Segment
    file: OpenFile
    share: Share
    proof: Proof | None


def open_clip(
    root: Path,
    segments: Sequence[Segment],
    start: WallUs,
    end: WallUs,
    *,
    gaps: Gaps = Gaps.KEEP,
    evidence: bool = False,
) -> VirtualClip:
    """What was recorded from `start` up to `end` in `segments`, which are one camera's in the
    order of their sequence, in the archive in the folder `root`.

    Decoding begins at the key frame at or before `start`, and what is before `start` is not
    shown. A segment that is gone or cannot be read is a gap. `evidence`: the clip can be
    verified away from the archive; what of its first and last segment is not in it must be read
    for that. Raises UsageError where the clip would need more files than can be open.
    """
    if start >= end:
        raise UsageError("the clip ends before it begins")
    make_room_for(len(segments))
    with ExitStack() as files:
        taken: list[_Taken] = []
        missing: list[Missing] = []
        for segment in segments:
            try:
                found = _take(root, segment, (start, end), not taken, evidence, files)
            except (OSError, MediaError) as error:
                missing.append(Missing(segment, reason_of(error)))
            else:
                taken += found
        parts = plan_parts([each.share for each in taken], start, end, gaps)
        movies: list[VirtualMovie] = []
        rest = iter(taken)
        for part in parts:
            own = [next(rest) for _ in part.placed]
            movies.append(_movie(part, own, missing))
        return VirtualClip(movies, missing, files.pop_all())


def _take(
    root: Path,
    segment: Segment,
    interval: tuple[WallUs, WallUs],
    exact: bool,
    evidence: bool,
    files: ExitStack,
) -> list[_Taken]:
    """What the segment gives to the clip, if anything. Raises OSError, MediaError."""
    with ExitStack() as unless_needed:
        file = OpenFile(root / segment.path)
        unless_needed.callback(file.close)
        share = share_of(read_footage(file), segment.start, *interval, exact=exact)
        if share is None:
            return []
        proof = _proof(file, share) if evidence else None
        files.push(unless_needed.pop_all())
        return [_Taken(segment, file, share, proof)]


def _proof(file: OpenFile, share: Share) -> Proof:
    seal = read_seal(file.read_at(max(0, file.size - SEAL_READ), SEAL_READ))
    if seal is None:
        return Proof(None, b"")
    return Proof(seal.body(), leaves_left_out(share, file))


def _movie(part: Part, taken: Sequence[_Taken], missing: Sequence[Missing]) -> VirtualMovie:
    spliced = Spliced(part)
    sources = [Source(t.segment.sequence, t.segment.run, t.proof) for t in taken]
    first, last = taken[0].segment, taken[-1].segment
    holes = [
        Hole(m.segment.sequence, m.segment.start, m.segment.end, m.reason)
        for m in missing
        if first.sequence < m.segment.sequence < last.sequence
    ]
    header = spliced.header(clip_box(spliced, first.camera, sources, holes))
    pieces = [_Piece(len(header), header)]
    for each, ranges in zip(taken, spliced.ranges, strict=True):
        for begin, end, lead in ranges:
            if lead:
                pieces.append(_Piece(len(lead), lead))
            pieces.append(_Piece(end - begin, b"", each.file, begin))
    names = chain.from_iterable((t.segment.path.encode(), t.segment.chain) for t in taken)
    return VirtualMovie(part, b"\0".join(names), pieces)
