"""A clip verified by itself, away from the archive: what it carries of its segments' seals,
against the samples that are in it.

Every sample of the clip must be one that a seal stands for; the seals must name each other. What
this proves, and what it does not, is told in docs/clips.md.
"""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from camkeep.clock import WallUs
from camkeep.errors import MediaError
from camkeep.media.mp4.clip_box import ClipBox, ClipSegment, Hole, read_clip_box
from camkeep.media.mp4.digests import LEAF_SIZE, Blocks, leaf
from camkeep.media.mp4.read import MAX_MOOV, Movie, MovieTrack, read_movie
from camkeep.media.mp4.read_boxes import ReadAt, children, payload_of, top_level
from camkeep.media.mp4.read_columns import MovieSample
from camkeep.media.mp4.seal import Seal, parse_body
from camkeep.media.mp4.splice_lead import is_lead
from camkeep.model import VideoParams

_BOXES = [b"ftyp", b"moov", b"uuid", b"mdat"]
_LONGEST_LEAD = 1 << 16


class Verdict(StrEnum):
    """What is known of a segment's samples in a clip."""

    INTACT = "intact"
    """They are what the camera sent and the segment's seal stands for."""
    CHANGED = "changed"
    """Some are not, or are missing, or there are more."""
    UNSEALED = "unsealed"
    """The segment had no seal yet when the clip was made: nothing is known."""


@dataclass(frozen=True, slots=True)
class SegmentEvidence:
    """One segment of a clip."""

    sequence: int
    start: WallUs
    """When the first of its frames in the clip was taken, by its seal."""
    end: WallUs
    """When the last one was."""
    frames: int
    verdict: Verdict
    linked: bool
    """Whether its seal names the segment before it in the clip as the one before; of the first,
    always."""
    seal: Seal | None


@dataclass(frozen=True, slots=True)
class ClipEvidence:
    """What a clip proves."""

    camera_id: str
    segments: tuple[SegmentEvidence, ...]
    holes: tuple[Hole, ...]
    """Segments that were missing when the clip was made, as the clip itself says."""
    problems: tuple[str, ...]
    """What is in the clip beside its segments, in words for a person."""

    @property
    def intact(self) -> bool:
        """Whether all that is in the clip is what the seals stand for."""
        return not self.problems and all(s.verdict is Verdict.INTACT for s in self.segments)

    @property
    def unbroken(self) -> bool:
        """Whether no segment is missing between the first and the last."""
        return all(segment.linked for segment in self.segments)

    @property
    def previous(self) -> bytes:
        """The chain before the first segment; empty where that has no seal."""
        seal = self.segments[0].seal if self.segments else None
        return seal.previous if seal is not None else b""

    @property
    def chain(self) -> bytes:
        """The chain at the last segment that has a seal: what `archive verify` names for it."""
        seals = [segment.seal for segment in self.segments if segment.seal is not None]
        return seals[-1].chain if seals else b""


def verify_clip(source: ReadAt) -> ClipEvidence:
    """Read a clip from its first byte to its last, and tell what it proves.

    Raises MediaError where it is no clip, or was made without evidence.
    """
    about = read_clip_box(source)
    if about is None:
        raise MediaError("this movie does not say where it is from: it is no clip of camkeep's")
    if not about.provable:
        raise MediaError("this clip was made without evidence: export it with evidence again")
    movie = read_movie(source)
    samples = _samples(movie)
    blocks = Blocks(source)
    found: list[SegmentEvidence] = []
    before: bytes | None = None
    for segment in about.segments:
        checked = _segment(segment, about, samples, blocks, before)
        found.append(checked)
        before = checked.seal.chain if checked.seal is not None else b""
    problems = _strangers(source, movie)
    left = sum(1 for _ in samples)
    if left:
        problems.append(f"{left} samples belong to no segment")
    return ClipEvidence(about.camera_id, tuple(found), about.holes, tuple(problems))


class _Placed:
    """A sample of the clip in the order in which they lie in it."""

    __slots__ = ("media_time", "sample", "track")

    def __init__(self, track: MovieTrack, sample: MovieSample, zero: int) -> None:
        self.track = track
        self.sample = sample
        self.media_time = sample.time - zero

    def __lt__(self, other: _Placed) -> bool:
        return self.sample.offset < other.sample.offset


def _samples(movie: Movie) -> Iterator[_Placed]:
    return heapq.merge(*(_of_track(track) for track in movie.tracks if len(track.samples)))


def _of_track(track: MovieTrack) -> Iterator[_Placed]:
    zero = track.samples[0].dts  # edits move the first sample away from time 0 of the media
    for sample in track.samples:
        yield _Placed(track, sample, zero)


def _segment(
    segment: ClipSegment,
    about: ClipBox,
    samples: Iterator[_Placed],
    blocks: Blocks,
    before: bytes | None,
) -> SegmentEvidence:
    """`before`: the chain of the segment before; None for the first, empty without a seal."""
    seal = _seal(segment)
    share = _Share(segment, blocks)
    for number, count in enumerate(segment.runs):
        if number % 2 == 0:
            share.left_out(count)
        else:
            share.taken(count, samples)
    verdict = Verdict.CHANGED
    if segment.seal is None:
        verdict = Verdict.UNSEALED
    elif seal is not None and share.ok and share.digest.digest() == seal.samples:
        who = seal.identity.camera_id, seal.identity.sequence
        if who == (about.camera_id, segment.sequence):
            verdict = Verdict.INTACT
    start = seal.identity.start if seal is not None else segment.start
    return SegmentEvidence(
        segment.sequence,
        WallUs(start + (share.first_us or 0)),
        WallUs(start + (share.last_us or 0)),
        share.frames,
        verdict,
        before is None or (seal is not None and seal.previous == before),
        seal,
    )


def _seal(segment: ClipSegment) -> Seal | None:
    try:
        return parse_body(segment.seal) if segment.seal is not None else None
    except MediaError:
        return None  # somebody changed it


class _Share:
    """The samples of one segment, hashed as its seal has them."""

    def __init__(self, segment: ClipSegment, blocks: Blocks) -> None:
        self.digest = hashlib.sha256()
        self.ok = True
        self.frames = 0
        self.first_us: int | None = None
        self.last_us: int | None = None
        self._segment = segment
        self._blocks = blocks
        self._leaves = memoryview(segment.leaves)

    def left_out(self, count: int) -> None:
        leaves = self._leaves[: count * LEAF_SIZE]
        self._leaves = self._leaves[count * LEAF_SIZE :]
        self.digest.update(leaves)

    def taken(self, count: int, samples: Iterator[_Placed]) -> None:
        for _ in range(count):
            placed = next(samples, None)
            if placed is None or placed.track.track_id not in self._segment.base:
                self.ok = False
                return
            self.digest.update(self._leaf(placed))

    def _leaf(self, placed: _Placed) -> bytes:
        segment, sample, track = self._segment, placed.sample, placed.track
        time = placed.media_time - segment.base[track.track_id]
        begin, end = sample.offset, sample.offset + sample.size
        if isinstance(track.params, VideoParams):
            if self.frames == segment.moved[0]:
                time -= segment.moved[1]
            self._note(time * 1_000_000 // track.timescale)
            if sample.key and segment.lead:
                begin = self._behind_lead(begin, end, track.params)
        return leaf(track.track_id, time, sample.key, self._blocks.pieces(begin, end))

    def _note(self, time_us: int) -> None:
        self.frames += 1
        self.first_us = time_us if self.first_us is None else min(self.first_us, time_us)
        self.last_us = time_us if self.last_us is None else max(self.last_us, time_us)

    def _behind_lead(self, begin: int, end: int, params: VideoParams) -> int:
        """What stands in front of a key frame may be parameter sets, and nothing that shows."""
        size = self._segment.lead
        if size > _LONGEST_LEAD or size > end - begin:
            self.ok = False
            return begin
        lead = b"".join(self._blocks.pieces(begin, begin + size))
        self.ok = self.ok and is_lead(lead, params.codec)
        return begin + size


def _strangers(source: ReadAt, movie: Movie) -> list[str]:
    """What a player might show although no segment has it."""
    problems: list[str] = []
    kinds: list[bytes] = []
    for found in top_level(source, 0):
        kinds.append(found.kind)
        if found.kind == b"moov" and found.end <= source.size:
            moov = memoryview(payload_of(source, found, MAX_MOOV))
            tracks = sum(kind == b"trak" for kind, _ in children(moov))
            if tracks != len(movie.tracks):
                problems.append("it has tracks that are neither pictures nor sound")
            if len({isinstance(track.params, VideoParams) for track in movie.tracks}) < tracks:
                problems.append("it has more than one track of pictures or of sound")
    if kinds != _BOXES:
        problems.append("it has other boxes than a clip has")
    return problems
