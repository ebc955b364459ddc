"""The index, to write: one connection, in one thread.

Every method is one transaction and may be repeated. All raise DiskFull, WriteFailed or
IndexDamaged.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Self

from camkeep.archive import rows
from camkeep.archive.catalog import Catalog
from camkeep.archive.schema import (
    ROOM_BYTES,
    Failed,
    connect,
    index_error,
    migrate,
    version_of,
)
from camkeep.clock import WallUs
from camkeep.errors import DiskFull, IndexDamaged
from camkeep.model import CameraId, Clip, Gap, KeptCamera, Removal, Segment, SegmentState

Key = tuple[CameraId, int]
"""Camera and sequence of a segment."""


class Index(Catalog):
    """The index, to read and to write."""

    @classmethod
    def open(cls, path: Path) -> Self:
        """The index at `path`, made where there is no file. Raises as all methods do, and
        UsageError where a newer camkeep made it."""
        was_there = path.exists()
        try:
            try:
                connection = _opened(path, was_there)
            except Failed as error:
                if not isinstance(index_error(error, path), DiskFull):
                    raise
                connection = _opened(path, was_there, log=False)
        except Failed as error:
            raise index_error(error, path) from error
        return cls(connection, path)

    def save_camera(self, camera: KeptCamera) -> None:
        """A camera that is new, or has changed."""
        with self._transaction() as db:
            known = db.execute("SELECT number FROM cameras WHERE id = ?", (camera.id,)).fetchone()
            number = known[0] if known else self._next_number()
            db.execute(
                f"INSERT INTO cameras ({rows.CAMERA}) VALUES (?, ?, ?, ?, ?, ?, ?) "
                "ON CONFLICT (number) DO UPDATE SET name = excluded.name, "
                "folder = excluded.folder, address = excluded.address, "
                "since_us = excluded.since_us, crc = excluded.crc",
                rows.camera_row(number, camera),
            )
        self._places = {}

    def save_segments(self, segments: Sequence[Segment]) -> None:
        """Many segments at once."""
        with self._transaction() as db:
            for segment in segments:
                if (place := self._place(segment.camera)) is not None:
                    db.execute(
                        _REPLACE_SEGMENT, rows.segment_row(place.number, place.folder, segment)
                    )

    def segment_opened(self, segment: Segment) -> None:
        """A segment has begun."""
        self.save_segments([segment])

    def segment_closed(self, segment: Segment) -> None:
        """A segment is sealed, and on the disk to its last byte."""
        self.save_segments([segment])

    def segment_damaged(self, segment: Segment) -> None:
        """A segment was put aside."""
        self.save_segments([segment])

    def mark_deleting(self, keys: Sequence[Key]) -> None:
        """These segments are about to go."""
        with self._transaction() as db:
            for camera, sequence in keys:
                segment = self.segment(camera, sequence)
                if segment is not None and segment.state is not SegmentState.DELETING:
                    place = self._place(camera)
                    assert place is not None
                    row = rows.segment_row(
                        place.number, place.folder, replace(segment, state=SegmentState.DELETING)
                    )
                    db.execute(_REPLACE_SEGMENT, row)

    def forget(self, keys: Sequence[Key]) -> None:
        """These segments are gone."""
        with self._transaction() as db:
            for camera, sequence in keys:
                db.execute(
                    "DELETE FROM segments WHERE camera = (SELECT number FROM cameras WHERE id = ?)"
                    " AND sequence = ?",
                    (camera, sequence),
                )

    def save_gap(self, camera: CameraId, gap: Gap) -> None:
        """A gap that begins or ends; one of the same start takes the place of the other."""
        self.save_gaps(camera, [gap])

    def save_gaps(self, camera: CameraId, gaps: Sequence[Gap]) -> None:
        """Many gaps at once."""
        place = self._place(camera)
        if place is None:
            return
        with self._transaction() as db:
            db.executemany(
                f"INSERT OR REPLACE INTO gaps ({rows.GAP}) VALUES (?, ?, ?, ?, ?, ?)",
                [rows.gap_row(place.number, gap) for gap in gaps],
            )

    def drop_gaps(self, camera: CameraId, before: WallUs) -> None:
        """Gaps that began before are forgotten."""
        place = self._place(camera)
        if place is None:
            return
        with self._transaction() as db:
            db.execute("DELETE FROM gaps WHERE camera = ? AND start_us < ?", (place.number, before))

    def save_clip(self, clip: Clip) -> None:
        """A clip that is new, or has changed."""
        with self._transaction() as db:
            db.execute("DELETE FROM clips WHERE id = ?", (clip.id,))
            db.execute(
                f"INSERT INTO clips ({rows.CLIP}) VALUES (?, ?, ?, ?, ?, ?, ?)",
                rows.clip_row(clip),
            )
            db.executemany(
                "INSERT INTO clip_cameras VALUES (?, ?, ?)",
                [(clip.id, number, camera) for number, camera in enumerate(clip.cameras)],
            )

    def remove_clip(self, clip_id: str) -> None:
        """A clip is gone."""
        with self._transaction() as db:
            db.execute("DELETE FROM clips WHERE id = ?", (clip_id,))

    def replace_removals(self, camera: CameraId, removals: Sequence[Removal]) -> None:
        """All that was deleted of a camera on purpose."""
        place = self._place(camera)
        if place is None:
            return
        with self._transaction() as db:
            db.execute("DELETE FROM removals WHERE camera = ?", (place.number,))
            db.executemany(
                f"INSERT INTO removals ({rows.REMOVAL}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [rows.removal_row(place.number, removal) for removal in removals],
            )

    def _next_number(self) -> int:
        (highest,) = self._connection.execute("SELECT max(number) FROM cameras").fetchone()
        return (highest or 0) + 1

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise
        except Failed as error:
            raise index_error(error, self._path) from error


_REPLACE_SEGMENT = (
    f"INSERT INTO segments ({rows.SEGMENT}) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
    "ON CONFLICT (camera, sequence) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in rows.SEGMENT.split(", ")[2:])
)


def _opened(path: Path, was_there: bool, *, log: bool = True) -> sqlite3.Connection:
    """A connection to an index of the newest version. Raises `Failed`, IndexDamaged or
    UsageError."""
    connection = connect(path, write=True, log=log)
    try:
        if was_there and not version_of(connection):
            raise IndexDamaged(f"the index {path} is empty")
        migrate(connection)
        _make_room(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _make_room(connection: sqlite3.Connection) -> None:
    """Leave free pages in the database, and a log that is as large, if there is room."""
    try:
        connection.execute("INSERT INTO room VALUES (zeroblob(?))", (ROOM_BYTES,))
        connection.execute("DELETE FROM room")
    except sqlite3.Error as error:
        if not isinstance(index_error(error, Path()), DiskFull):
            raise
