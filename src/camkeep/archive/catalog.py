"""The index, to read: every question that is asked of it.

A catalog has a connection of its own, for one thread at a time; any number may be open
while the index is written. All methods block, for milliseconds, and raise IndexDamaged where the
index turns out to be damaged, or another StorageError.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

from camkeep.archive import rows
from camkeep.archive.examine import examine
from camkeep.archive.layout import RECORDINGS
from camkeep.archive.schema import (
    LONG_GAP_US,
    SCRIPTS,
    Failed,
    connect,
    index_error,
    version_of,
)
from camkeep.clock import WallUs
from camkeep.errors import IndexDamaged
from camkeep.media.mp4.seal import NOTHING_BEFORE
from camkeep.model import CameraId, Clip, Gap, KeptCamera, Removal, Segment

FIRST_CHUNK, CHUNK = 8, 512
"""Rows that are fetched at once where there may be many, at first and at most: often the first
few are enough, and no reader holds the index for long."""


_UNFINISHED = "segments INDEXED BY segments_unfinished"
"""Without being told, SQLite would look through all segments of the camera."""


class Total(NamedTuple):
    """How much is kept of a camera. What is being deleted does not count."""

    segments: int
    bytes: int
    start: WallUs | None
    """Of the earliest picture; None where there is none."""
    end: WallUs | None
    """Of the latest."""


class Name(NamedTuple):
    """As much of a closed segment as tells its file from others."""

    sequence: int
    path: str


class _Place(NamedTuple):
    number: int
    folder: str


class Catalog:
    """The index, to read. Use from one thread at a time."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        """Use `open`."""
        self._connection = connection
        self._path = path
        self._places: dict[CameraId, _Place] = {}
        self._ids: dict[int, CameraId] = {}

    @classmethod
    def open(cls, path: Path) -> Self:
        """The index at `path`. Raises IndexDamaged, also where there is none; UsageError where a
        newer camkeep made it."""
        if not path.exists():
            raise IndexDamaged(f"there is no index {path}: `camkeep archive reindex` makes it")
        try:
            connection = connect(path, write=False)
        except Failed as error:
            raise index_error(error, path) from error
        try:
            if version_of(connection) != len(SCRIPTS):
                raise IndexDamaged(f"the index {path} is an old one: reindex, or start a recorder")
        except Failed as error:
            connection.close()
            raise index_error(error, path) from error
        except BaseException:
            connection.close()
            raise
        return cls(connection, path)

    def close(self) -> None:
        """Let go of the index."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def path(self) -> Path:
        """Of the database."""
        return self._path

    def examine(self) -> None:
        """Raise IndexDamaged where the index is. Takes a microsecond for each row."""
        try:
            examine(self._connection, self._path)
        except Failed as error:
            raise index_error(error, self._path) from error

    # -- cameras

    def cameras(self) -> list[KeptCamera]:
        """All cameras, by name."""
        found = [rows.camera_of(row) for row in self._rows(f"SELECT {rows.CAMERA} FROM cameras")]
        return sorted(found, key=lambda camera: (camera.name.casefold(), camera.folder))

    def camera(self, camera: CameraId) -> KeptCamera | None:
        """The camera of that id."""
        found = self._rows(f"SELECT {rows.CAMERA} FROM cameras WHERE id = ?", camera)
        return rows.camera_of(found[0]) if found else None

    def camera_named(self, name: str) -> KeptCamera | None:
        """The camera of that name, in whatever case."""
        wanted = name.casefold()
        return next((c for c in self.cameras() if c.name.casefold() == wanted), None)

    # -- segments

    def segments(self, camera: CameraId, start: WallUs, end: WallUs) -> list[Segment]:
        """Segments with pictures in [start, end), in order of recording, without those that are
        being deleted. One that still grows counts as lasting for ever: the index does not know
        how long it is."""
        place = self._place(camera)
        if place is None:
            return []
        where = (
            "camera = ? AND start_us < ? AND start_us >= ? - "
            "(SELECT longest_us FROM cameras WHERE number = ?) "
            "AND start_us + max(duration_us, 1) > ? AND state IN ('closed', 'damaged')"
        )
        found = self._segments(place, where, place.number, end, start, place.number, start)
        growing = "camera = ? AND state <> 'closed' AND state = 'open' AND start_us < ?"
        found += self._segments(place, growing, place.number, end, table=_UNFINISHED)
        return sorted(found, key=lambda segment: segment.sequence)

    def segment(self, camera: CameraId, sequence: int) -> Segment | None:
        """That segment, in whatever state."""
        place = self._place(camera)
        if place is None:
            return None
        found = self._segments(place, "camera = ? AND sequence = ?", place.number, sequence)
        return found[0] if found else None

    def every_segment(self, camera: CameraId, after: int = -1) -> Iterator[Segment]:
        """All segments of higher sequence than `after`, in order of recording and in whatever
        state. They are fetched as they are asked for: others may come and go meanwhile."""
        return self._iterate(camera, "1", after)

    def names(self, camera: CameraId) -> list[Name]:
        """Closed segments, in order of recording: quicker than all that is known of them."""
        place = self._place(camera)
        if place is None:
            return []
        base = f"{RECORDINGS}/{place.folder}/"
        found = self._rows(
            "SELECT sequence, name FROM segments WHERE camera = ? AND state = 'closed' "
            "ORDER BY sequence",
            place.number,
        )
        return [Name(sequence, base + name) for sequence, name in found]

    def not_closed(self, camera: CameraId) -> list[Segment]:
        """Segments in any other state, in order of recording."""
        place = self._place(camera)
        if place is None:
            return []
        where = "camera = ? AND state <> 'closed' ORDER BY sequence"
        return self._segments(place, where, place.number, table=_UNFINISHED)

    def oldest(self, camera: CameraId) -> Iterator[Segment]:
        """Closed and damaged segments, in order of recording, fetched as they are asked for."""
        return self._iterate(camera, "state IN ('closed', 'damaged')", -1)

    def tail(self, camera: CameraId) -> Segment | None:
        """The newest segment in order of recording, in whatever state."""
        place = self._place(camera)
        if place is None:
            return None
        where = "camera = ? ORDER BY sequence DESC LIMIT 1"
        return next(iter(self._segments(place, where, place.number)), None)

    def next_sequence(self, camera: CameraId) -> int:
        """Higher than that of any segment that is or was there."""
        tail, removed = self.tail(camera), self.removals(camera)
        return 1 + max(tail.sequence if tail else 0, *(r.last for r in removed), 0)

    def chain_end(self, camera: CameraId) -> bytes:
        """What the next segment that is sealed names as the one before it."""
        place = self._place(camera)
        if place is None:
            return NOTHING_BEFORE
        where = "camera = ? AND chain <> x'' ORDER BY sequence DESC LIMIT 1"
        ends = [(s.sequence, s.chain) for s in self._segments(place, where, place.number)]
        ends += [(removal.last, removal.chain) for removal in self.removals(camera)[-1:]]
        return max(ends)[1] if ends else NOTHING_BEFORE

    def unfinished(self) -> list[Segment]:
        """Segments that are open or being deleted, of all cameras, in order of recording."""
        found: list[Segment] = []
        for camera in self.cameras():
            place = self._place(camera.id)
            if place is not None:
                where = "camera = ? AND state <> 'closed' AND state IN ('open', 'deleting') "
                where += "ORDER BY sequence"
                found += self._segments(place, where, place.number, table=_UNFINISHED)
        return found

    # -- gaps, clips, removals

    def gaps(
        self, camera: CameraId, start: WallUs, end: WallUs, now: WallUs, *, least_us: int = 1
    ) -> list[Gap]:
        """Gaps that touch [start, end), whole, in order of their beginning. One that lasts ends
        `now`. Those that are shorter than `least_us` are left out, but for one that lasts."""
        place = self._place(camera)
        if place is None:
            return []
        found = self._rows(
            f"SELECT {rows.GAP} FROM gaps WHERE camera = ?1 AND start_us < ?3 "
            f"AND start_us > ?2 - {LONG_GAP_US} AND end_us > ?2 AND end_us - start_us >= ?4 "
            f"AND end_us - start_us <= {LONG_GAP_US} UNION ALL "
            f"SELECT {rows.GAP} FROM gaps WHERE camera = ?1 AND start_us < ?3 "
            f"AND (end_us IS NULL OR end_us - start_us > {LONG_GAP_US}) "
            "AND (end_us IS NULL OR end_us > ?2)",
            *(place.number, start, end, max(1, least_us)),
        )
        gaps = []
        for gap in map(rows.gap_of, found):
            if gap.lasting:
                until = max(now, gap.start)
                if until <= start and gap.start < start:
                    continue
                gap = Gap(gap.start, WallUs(until), gap.cause, gap.detail, lasting=True)
            gaps.append(gap)
        return sorted(gaps, key=lambda gap: gap.start)

    def lasting_gap(self, camera: CameraId) -> Gap | None:
        """The gap that lasts, with the end FOREVER; the last that began, should there be more."""
        place = self._place(camera)
        if place is None:
            return None
        where = "camera = ? AND end_us IS NULL ORDER BY start_us DESC LIMIT 1"
        found = self._rows(f"SELECT {rows.GAP} FROM gaps WHERE {where}", place.number)
        return rows.gap_of(found[0]) if found else None

    def clips(self) -> list[Clip]:
        """All clips, by when they start."""
        found = self._rows(f"SELECT {rows.CLIP} FROM clips ORDER BY start_us, id")
        cameras: dict[str, list[str]] = defaultdict(list)
        pairs = self._rows("SELECT clip, camera FROM clip_cameras ORDER BY clip, position")
        for clip, camera in pairs:
            cameras[clip].append(camera)
        return [rows.clip_of(row, cameras[row[0]]) for row in found]

    def clip(self, clip_id: str) -> Clip | None:
        """The clip of that id."""
        found = self._rows(f"SELECT {rows.CLIP} FROM clips WHERE id = ?", clip_id)
        where = "clip = ? ORDER BY position"
        cameras = self._rows(f"SELECT camera FROM clip_cameras WHERE {where}", clip_id)
        return rows.clip_of(found[0], [camera for (camera,) in cameras]) if found else None

    def removals(self, camera: CameraId) -> list[Removal]:
        """What was deleted on purpose, in order of sequence."""
        place = self._place(camera)
        if place is None:
            return []
        where = "camera = ? ORDER BY first"
        found = self._rows(f"SELECT {rows.REMOVAL} FROM removals WHERE {where}", place.number)
        return [rows.removal_of(row, camera) for row in found]

    # -- sums

    def totals(self) -> dict[CameraId, Total]:
        """How much is kept of each camera."""
        first = (
            "SELECT start_us FROM segments WHERE camera = number AND state <> 'deleting' "
            "ORDER BY start_us LIMIT 1"
        )
        last = (
            "SELECT max(start_us + duration_us) FROM segments "
            "WHERE camera = number AND state <> 'deleting' AND start_us >= "
            "(SELECT start_us FROM segments WHERE camera = number AND state <> 'deleting' "
            "ORDER BY start_us DESC LIMIT 1) - longest_us"
        )
        found = self._rows(f"SELECT id, segments, bytes, ({first}), ({last}) FROM cameras")
        return {CameraId(row[0]): Total(*row[1:]) for row in found}

    # -- within

    def _iterate(self, camera: CameraId, which: str, after: int) -> Iterator[Segment]:
        place = self._place(camera)
        where = f"camera = ? AND sequence > ? AND {which} ORDER BY sequence LIMIT ?"
        size = FIRST_CHUNK
        while place is not None:
            chunk = self._segments(place, where, place.number, after, size)
            yield from chunk
            if len(chunk) < size:
                return
            after, size = chunk[-1].sequence, min(2 * size, CHUNK)

    def _segments(
        self, place: _Place, where: str, *values: Any, table: str = "segments"
    ) -> list[Segment]:
        camera, folder = self._ids[place.number], place.folder
        found = self._rows(f"SELECT {rows.SEGMENT} FROM {table} WHERE {where}", *values)
        return [rows.segment_of(row, camera, folder) for row in found]

    def _place(self, camera: CameraId) -> _Place | None:
        """The number and folder of a camera."""
        if camera not in self._places:
            found = self._rows(f"SELECT {rows.CAMERA} FROM cameras")
            self._places = {(c := rows.camera_of(r)).id: _Place(r[0], c.folder) for r in found}
            self._ids = {place.number: camera for camera, place in self._places.items()}
        return self._places.get(camera)

    def _rows(self, sql: str, *values: Any) -> list[rows.Row]:
        try:
            return self._connection.execute(sql, values).fetchall()
        except Failed as error:
            raise index_error(error, self._path) from error
