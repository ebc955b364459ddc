"""Values as rows of the index, and back. Pure.

The last column of a row is a checksum of the others: SQLite has none, and a flipped bit would
pass for the truth. A row whose checksum is wrong raises IndexDamaged.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Any

from camkeep.archive.beside import FOREVER
from camkeep.archive.layout import RECORDINGS
from camkeep.clock import WallUs
from camkeep.errors import IndexDamaged
from camkeep.model import (
    CameraId,
    Cause,
    Clip,
    Gap,
    KeptCamera,
    Removal,
    Segment,
    SegmentState,
)

Row = tuple[Any, ...]

CAMERA = "number, id, name, folder, address, since_us, crc"
SEGMENT = (
    "camera, sequence, run, name, start_us, duration_us, size, frames, codec, width, height, "
    "audio, state, chain, crc"
)
GAP = "camera, start_us, end_us, cause, detail, crc"
CLIP = "id, name, start_us, end_us, held, created_us, crc"
REMOVAL = "camera, first, last, count, start_us, end_us, previous, chain, removed_us, crc"


def camera_row(number: int, camera: KeptCamera) -> Row:
    """Raises ValueError where a number is beyond all measure, as all that make rows do."""
    name, address = _text(camera.name), _text(camera.address)
    return _with_sum((number, str(camera.id), name, camera.folder, address, camera.since))


def camera_of(row: Row) -> KeptCamera:
    _, camera_id, name, folder, address, since_us = _checked(row)
    return KeptCamera(CameraId(camera_id), name, folder, address, WallUs(since_us))


def segment_row(number: int, folder: str, segment: Segment) -> Row:
    """`number` and `folder` are those of its camera."""
    base = f"{RECORDINGS}/{folder}/"
    if not segment.path.startswith(base):
        raise ValueError(f"{segment.path} is not in the folder of its camera")
    return _with_sum(
        (
            number,
            segment.sequence,
            segment.run,
            segment.path[len(base) :],
            segment.start,
            segment.duration_us,
            segment.size,
            segment.frames,
            _text(segment.codec),
            segment.width,
            segment.height,
            _text(segment.audio),
            segment.state.value,
            segment.chain,
        )
    )


def segment_of(row: Row, camera: CameraId, folder: str) -> Segment:
    (
        _,
        sequence,
        run,
        name,
        start_us,
        duration_us,
        size,
        frames,
        codec,
        width,
        height,
        audio,
        state,
        chain,
    ) = _checked(row)
    return Segment(
        camera,
        sequence,
        run,
        f"{RECORDINGS}/{folder}/{name}",
        start_us,
        duration_us,
        size,
        frames,
        codec,
        width,
        height,
        audio,
        _STATES[state],
        chain,
    )


_STATES = {state.value: state for state in SegmentState}


def gap_row(number: int, gap: Gap) -> Row:
    end = None if gap.lasting else gap.end
    return _with_sum((number, gap.start, end, gap.cause.value, _text(gap.detail)))


def gap_of(row: Row) -> Gap:
    """One that lasts has the end FOREVER."""
    _, start_us, end_us, cause, detail = _checked(row)
    end = FOREVER if end_us is None else WallUs(end_us)
    return Gap(WallUs(start_us), end, Cause(cause), detail, lasting=end_us is None)


def clip_row(clip: Clip) -> Row:
    row = (clip.id, _text(clip.name), clip.start, clip.end, int(clip.held), clip.created)
    return (*row, _sum((*row, *clip.cameras)))


def clip_of(row: Row, cameras: Sequence[str]) -> Clip:
    *fields, crc = row
    clip_id, name, start_us, end_us, held, created_us = _checked((*fields, *cameras, crc))[:6]
    return Clip(
        clip_id,
        name,
        tuple(CameraId(camera) for camera in cameras),
        WallUs(start_us),
        None if end_us is None else WallUs(end_us),
        bool(held),
        WallUs(created_us),
    )


def removal_row(number: int, removal: Removal) -> Row:
    return _with_sum(
        (
            number,
            removal.first,
            removal.last,
            removal.count,
            removal.start,
            removal.end,
            removal.previous,
            removal.chain,
            removal.removed,
        )
    )


def removal_of(row: Row, camera: CameraId) -> Removal:
    _, first, last, count, start_us, end_us, previous, chain, removed_us = _checked(row)
    start, end, removed = WallUs(start_us), WallUs(end_us), WallUs(removed_us)
    return Removal(camera, first, last, count, start, end, previous, chain, removed)


def _with_sum(row: Row) -> Row:
    for value in row:
        # sums of two must still be what SQLite calls an integer
        if isinstance(value, int) and abs(value) >= 1 << 62:
            raise ValueError(f"{value} is beyond all measure")
    return (*row, _sum(row))


def _checked(row: Row) -> Row:
    """The row without its checksum, which was right."""
    values = row[:-1]
    if _sum(values) != row[-1]:
        raise IndexDamaged("the index is damaged: `camkeep archive reindex` makes it anew")
    return values


def _sum(values: Row) -> int:
    last = values[-1]
    if type(last) is bytes:  # as they are: writing them out would take longer than all the rest
        return zlib.crc32(repr(values[:-1]).encode(), zlib.crc32(last))
    return zlib.crc32(repr(values).encode())


def _text(text: str) -> str:
    """What UTF-8 can hold of it."""
    return str(text).encode("utf-8", "replace").decode()
