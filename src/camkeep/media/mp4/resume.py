"""A growing movie of ours that a crash left, taken up again: read from its bytes alone, up to its
last whole fragment, so that it can be closed as if nothing had happened.

It makes no difference how far the closing had come: tables and seal behind the fragments are
passed over and made anew, and a header that was turned already reads the same as one that was
not. Hostile bytes end in MediaError. The file is read once, a block at a time.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from camkeep.errors import MediaError
from camkeep.media.mp4.audio_track import AudioTrack
from camkeep.media.mp4.closing import GrowingMovie
from camkeep.media.mp4.digests import CHECK_SIZE, Blocks, Digests, Placed, check_in, check_of
from camkeep.media.mp4.read import Outline, growing_tracks, identity_of, outlines_of
from camkeep.media.mp4.read_boxes import ReadAt, TopBox, payload_of, top_level
from camkeep.media.mp4.read_columns import MAX_SAMPLES
from camkeep.media.mp4.read_fragments import (
    MAX_MOOF,
    Fragment,
    GrowingTrack,
    cut_back,
    read_fragments,
)
from camkeep.media.mp4.track import Track
from camkeep.media.mp4.video_track import VideoTrack
from camkeep.model import AudioParams, VideoParams

MAX_FTYP = 256
MAX_HEADER = 1 << 16
"""Longest header that we write: a file that ends within it has nothing in it."""
PATCH_SIZE = 16
"""What stands between `ftyp` and the first `moov`: the box that closing turns into `mdat`."""


class Resumed(NamedTuple):
    """A movie up to its last whole fragment."""

    movie: GrowingMovie
    end: int
    """Where that ends: what is behind can go."""


def resume_movie(source: ReadAt) -> Resumed | None:
    """The movie in a file of `Muxer(sealed=True)`; None where not one fragment of it is whole.

    Raises MediaError where it is no such file.
    """
    header = _header(source)
    if header is None:
        return None
    ftyp, moov = header
    payload = memoryview(payload_of(source, moov, MAX_HEADER))
    identity, outlines = identity_of(payload), outlines_of(payload)
    if identity is None:
        raise _not_ours()
    limit = min(MAX_SAMPLES, source.size)
    growing = growing_tracks(payload, outlines, source.size, limit)
    tracks = _tracks(outlines, growing)
    begin = source.read_at(moov.start, moov.end - moov.start)
    digests, blocks = Digests(), Blocks(source)
    digests.add(begin)
    check, end = check_of(b"", [begin], b""), moov.end
    for fragment in read_fragments(source, top_level(source, end), growing, limit):
        written = check_in(fragment.payload)
        if written is None and end == moov.end and not identity.camera_id:
            raise _not_ours()  # outside of an archive, movies have no checks
        placed = _placed(fragment, outlines, growing)
        digests.mark()
        if written is None or _take(fragment, placed, digests, blocks, end, check) != written:
            digests.go_back()
            cut_back(growing, fragment.before)
            break
        check, end = written, fragment.mdat.end
        for track, outline in zip(tracks, outlines, strict=True):
            _note_chunk(track, growing[outline.track_id], fragment.before[outline.track_id])
    if end == moov.end:
        return None
    for track, outline in zip(tracks, outlines, strict=True):
        if track.delay:
            shown_late = growing[outline.track_id].columns.offsets
            try:
                track.offsets = array("i", (offset - track.delay for offset in shown_late))
            except OverflowError as error:
                raise _not_ours() from error
    return Resumed(GrowingMovie(identity, tracks, ftyp, end, digests), end)


def _not_ours() -> MediaError:
    return MediaError("this is not a recording that camkeep began")


def _header(source: ReadAt) -> tuple[bytes, TopBox] | None:
    """`ftyp`, and where the first `moov` lies; None where the file ends before they do.

    What the 16 bytes in between say does not matter: closing the movie writes them anew.
    """
    head = source.read_at(0, MAX_FTYP)
    if len(head) < 8:
        return None
    size = int.from_bytes(head[:4], "big")
    if head[4:8] != b"ftyp" or not 8 <= size <= MAX_FTYP:
        raise _not_ours()
    begin = size + PATCH_SIZE
    if source.size < begin + 8:
        return None
    moov = next(top_level(source, begin), None)
    if moov is None or moov.kind != b"moov" or moov.end - begin > MAX_HEADER:
        raise _not_ours()
    return (head[:size], moov) if moov.end <= source.size else None


def _tracks(outlines: Sequence[Outline], growing: Mapping[int, GrowingTrack]) -> list[Track]:
    """The tracks of the muxer, their tables being the columns that are read."""
    tracks: list[Track] = []
    for outline in outlines:
        columns, params = growing[outline.track_id].columns, outline.params
        track: Track
        if isinstance(params, VideoParams):
            track = VideoTrack(outline.track_id, params)
            track.delay = -outline.shift
            track.offsets, track.keys = columns.offsets, columns.keys
        elif outline.shift:
            raise _not_ours()
        else:
            track = AudioTrack(outline.track_id, params)
        if columns.sizes or outline.timescale != track.timescale:
            raise _not_ours()
        track.sizes, track.dts = columns.sizes, columns.dts
        tracks.append(track)
    if [type(track) for track in tracks] not in (
        [VideoTrack],
        [AudioTrack],
        [VideoTrack, AudioTrack],
    ):
        raise _not_ours()
    return tracks


def _placed(
    fragment: Fragment, outlines: Sequence[Outline], growing: Mapping[int, GrowingTrack]
) -> list[Placed]:
    """The samples of a fragment in the order in which they lie there; nothing where the muxer
    would not have made it: they fill `mdat`, one track behind the other, and sound is heard in
    order, every sample a key."""
    placed: list[Placed] = []
    position = fragment.mdat.start + fragment.mdat.head
    for outline in outlines:
        columns = growing[outline.track_id].columns
        first = fragment.before[outline.track_id]
        ordinary = all(columns.keys[first:]) and not any(columns.offsets[first:])
        if isinstance(outline.params, AudioParams) and not ordinary:
            return []
        for number in range(first, len(columns.sizes)):
            if columns.positions[number] != position:
                return []
            time = columns.dts[number] + columns.offsets[number] + outline.shift
            size, key = columns.sizes[number], bool(columns.keys[number])
            placed.append(Placed(position, size, outline.track_id, time, key))
            position += size
    return placed if position == fragment.mdat.end else []


def _take(
    fragment: Fragment,
    placed: list[Placed],
    digests: Digests,
    blocks: Blocks,
    end: int,
    before: bytes,
) -> bytes | None:
    """Take in what lies between `end` and the end of a fragment; the check that it should have,
    `before` being that of the fragment before. Only where it has that one it is to be kept."""
    lead_end = fragment.moof.end - CHECK_SIZE
    if not placed or lead_end - end > MAX_MOOF:
        return None
    lead = list(blocks.pieces(end, lead_end))
    return check_of(before, lead, digests.scan(blocks, end, fragment.mdat.end, placed))


def _note_chunk(track: Track, growing: GrowingTrack, first: int) -> None:
    """The samples from number `first` on came in one fragment."""
    count = len(track) - first
    if count:
        track.chunk_positions.append(growing.columns.positions[first])
        track.chunk_counts.append(count)
    if isinstance(track, AudioTrack):
        track.resume_at(growing.columns.end)
