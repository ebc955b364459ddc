"""What a clip says of itself: the box between its tables and its media data.

It tells which instant each frame shows, and, where that was asked for, it carries what is needed
to verify the clip away from the archive (`clip_verify.py`). docs/clips.md has the format.

    size, "uuid", CLIP_UUID
    length    of the JSON, 32 bits
    JSON
    leaves    32 bytes for each sample that is not in the clip, see `digests.leaf`: those of the
              first segment in the order in which they lie in its file, then those of the next
"""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from operator import add
from typing import Any, NamedTuple
from uuid import UUID

from camkeep.clock import WallUs
from camkeep.errors import MediaError
from camkeep.media.mp4.boxes import box
from camkeep.media.mp4.digests import LEAF_SIZE, Placed, leaf
from camkeep.media.mp4.read_boxes import ReadAt, payload_of, top_level
from camkeep.media.mp4.splice import Spliced
from camkeep.media.mp4.splice_cut import Share

CLIP_UUID = UUID("f2d6a8b1-94c3-4e0d-a7c5-63616d6b6565").bytes
VERSION = 1
MAX_BOX = 1 << 28


class Proof(NamedTuple):
    """What a segment's file tells beside its samples."""

    seal: bytes | None
    """The JSON of its seal; None of a segment that was not closed."""
    leaves: bytes
    """Of the samples that are not in the clip."""


class Source(NamedTuple):
    """A segment of which a clip is made."""

    sequence: int
    run: int
    proof: Proof | None
    """None where the clip is not to be verified."""


class Hole(NamedTuple):
    """A segment that should be in a clip and is not."""

    sequence: int
    start: WallUs
    end: WallUs
    reason: str


def clip_box(
    spliced: Spliced, camera_id: str, sources: Sequence[Source], holes: Sequence[Hole]
) -> bytes:
    """The box, of the segments in the order of the clip."""
    segments: list[dict[str, Any]] = []
    leaves: list[bytes] = []
    for number, source in enumerate(sources):
        segments.append(_segment(spliced, number, source))
        if source.proof is not None:
            leaves.append(source.proof.leaves)
    about = {
        "version": VERSION,
        "camera": camera_id,
        "start_us": spliced.part.start,
        "segments": segments,
        "missing": [
            {"sequence": h.sequence, "start_us": h.start, "end_us": h.end, "reason": h.reason}
            for h in holes
        ],
    }
    text = json.dumps(about, separators=(",", ":")).encode()
    return box(b"uuid", CLIP_UUID, struct.pack(">I", len(text)), text, *leaves)


def _segment(spliced: Spliced, number: int, source: Source) -> dict[str, Any]:
    share, video_at, audio_at = spliced.part.placed[number]
    base = {str(spliced.video.head.track_id): video_at - spliced.video.zero}
    if share.audio is not None and spliced.audio is not None:
        base[str(spliced.audio.head.track_id)] = audio_at - spliced.audio.zero
    found: dict[str, Any] = {
        "sequence": source.sequence,
        "run": source.run,
        "start_us": share.start,
        "base": base,
        "moved": share.moved,
        "lead": spliced.leads[number],
        "runs": share.runs,
    }
    if source.proof is not None:
        found["seal"] = source.proof.seal.decode() if source.proof.seal is not None else None
    return found


def leaves_left_out(share: Share, source: ReadAt) -> bytes:
    """The leaves of the samples of a segment that are not in the share. Reads them all."""
    left_out: list[Placed] = []
    for track, first, stop in share.cut:
        columns = track.columns
        shown = [track.shift + time for time in map(add, columns.dts, columns.offsets)]
        rows = list(zip(columns.positions, columns.sizes, shown, columns.keys, strict=True))
        for position, size, time, key in rows[:first] + rows[max(first, stop) :]:
            left_out.append(Placed(position, size, track.head.track_id, time, bool(key)))
    left_out.sort()
    return b"".join(
        leaf(s.track_id, s.time, s.key, [source.read_at(s.offset, s.size)]) for s in left_out
    )


@dataclass(frozen=True, slots=True)
class ClipSegment:
    """What a clip says of one of its segments."""

    sequence: int
    start: WallUs
    base: dict[int, int]
    """By the number of the track: what is to be taken from the times of its tables, without any
    edit, to have those of the segment."""
    moved: tuple[int, int]
    """A frame by its number in the share, and by how many ticks it is shown late."""
    lead: int
    """Bytes in front of each key frame that are not the segment's."""
    runs: tuple[int, ...]
    """Samples left out, taken, left out ... in the order of the segment's file."""
    seal: bytes | None
    leaves: bytes


@dataclass(frozen=True, slots=True)
class ClipBox:
    """What a clip says of itself."""

    camera_id: str
    start: WallUs
    segments: tuple[ClipSegment, ...]
    holes: tuple[Hole, ...]
    provable: bool
    """Whether it carries what is needed to verify it."""


def read_clip_box(source: ReadAt) -> ClipBox | None:
    """The box of a clip; None where there is none. Raises MediaError where it is malformed."""
    for found in top_level(source, 0):
        if found.kind == b"uuid" and found.end <= source.size:
            payload = payload_of(source, found, MAX_BOX)
            if payload[:16] == CLIP_UUID:
                try:
                    return _parsed(payload[16:])
                except (
                    *(ValueError, KeyError, TypeError, AttributeError),
                    *(OverflowError, RecursionError, struct.error),
                ) as error:
                    raise MediaError("what the clip says of itself is malformed") from error
    return None


def _parsed(data: bytes) -> ClipBox:
    (length,) = struct.unpack_from(">I", data)
    about = json.loads(data[4 : 4 + length])
    if about["version"] != VERSION:
        raise ValueError("version")
    leaves = data[4 + length :]
    segments: list[ClipSegment] = []
    provable = False
    for fields in about["segments"]:
        runs = tuple(_count(number) for number in fields["runs"])
        size = LEAF_SIZE * sum(runs[0::2]) if fields.get("seal") is not None else 0
        provable = provable or "seal" in fields
        segments.append(_read_segment(fields, runs, leaves[:size]))
        leaves = leaves[size:]
    holes = tuple(
        Hole(
            _number(hole["sequence"]),
            WallUs(_number(hole["start_us"])),
            WallUs(_number(hole["end_us"])),
            str(hole["reason"]),
        )
        for hole in about["missing"]
    )
    start = WallUs(_number(about["start_us"]))
    return ClipBox(str(about["camera"]), start, tuple(segments), holes, provable)


def _read_segment(fields: dict[str, Any], runs: tuple[int, ...], leaves: bytes) -> ClipSegment:
    index, by = fields["moved"]
    seal = fields.get("seal")
    return ClipSegment(
        _number(fields["sequence"]),
        WallUs(_number(fields["start_us"])),
        {int(track): _number(base) for track, base in fields["base"].items()},
        (_count(index), _number(by)),
        _count(fields["lead"]),
        runs,
        seal.encode() if seal is not None else None,
        leaves,
    )


def _number(value: object) -> int:
    if type(value) is not int or abs(value) >= 1 << 63:
        raise ValueError("number")
    return value


def _count(value: object) -> int:
    if _number(value) < 0:
        raise ValueError("number")
    return _number(value)
