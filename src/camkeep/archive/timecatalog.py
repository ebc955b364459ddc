"""The index, to read for those who only want to know when: many times quicker than all that is
known of each segment."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from camkeep.archive.catalog import Catalog
from camkeep.archive.schema import Failed, index_error
from camkeep.clock import WallUs
from camkeep.model import CameraId


class TimeCatalog(Catalog):
    """A catalog with quick questions about times. Use from one thread at a time."""

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """All that is asked within is of one moment, whatever is written meanwhile."""
        try:
            self._connection.execute("BEGIN")
        except Failed as error:
            raise index_error(error, self.path) from error
        try:
            yield
        finally:
            with suppress(*Failed):  # it only read
                self._connection.execute("ROLLBACK")

    def times(self, camera: CameraId, start: WallUs, end: WallUs) -> list[tuple[WallUs, WallUs]]:
        """When the closed and damaged segments that begin in [start, end) begin and end, in no
        order: many times quicker than all that is known of them."""
        place = self._place(camera)
        if place is None:
            return []
        return self._rows(
            "SELECT start_us, start_us + duration_us FROM segments WHERE camera = ? AND "
            "start_us >= ? AND start_us < ? AND state IN ('closed', 'damaged')",
            place.number,
            start,
            end,
        )

    def sizes(
        self, camera: CameraId, start: WallUs, end: WallUs
    ) -> list[tuple[int, WallUs, WallUs, int]]:
        """Sequence, start, end and bytes of the closed and damaged segments with pictures in
        [start, end), in no order."""
        place = self._place(camera)
        if place is None:
            return []
        return self._rows(
            "SELECT sequence, start_us, start_us + duration_us, size FROM segments "
            "WHERE camera = ?1 AND start_us < ?3 AND start_us >= ?2 - "
            "(SELECT longest_us FROM cameras WHERE number = ?1) "
            "AND start_us + max(duration_us, 1) > ?2 AND state IN ('closed', 'damaged')",
            place.number,
            start,
            end,
        )

    def stamp(self, camera: CameraId, start: WallUs, end: WallUs) -> tuple[int, int]:
        """How many segments begin in [start, end), in whatever state, and the highest sequence of
        them: the same as before where none came and none went. Quicker than looking at them."""
        place = self._place(camera)
        if place is None:
            return 0, -1
        ((count, last),) = self._rows(
            "SELECT count(*), ifnull(max(sequence), -1) FROM segments "
            "INDEXED BY segments_by_start WHERE camera = ? AND start_us >= ? AND start_us < ?",
            place.number,
            start,
            end,
        )
        return count, last

    def mark(self, camera: CameraId) -> tuple[int, ...]:
        """The same as before where nothing became of any segment of the camera."""
        place = self._place(camera)
        if place is None:
            return ()
        found = self._rows(
            "SELECT segments, bytes, recorded_us, "
            "(SELECT max(sequence) FROM segments WHERE camera = number) "
            "FROM cameras WHERE number = ?",
            place.number,
        )
        return tuple(found[0]) if found else ()

    def reach(self, camera: CameraId) -> tuple[WallUs, WallUs, int] | None:
        """When the first and the last segment of a camera begin, by time, and how long any of
        them may last, microseconds; None where there is none."""
        place = self._place(camera)
        if place is None:
            return None
        ((first, last, longest),) = self._rows(
            "SELECT (SELECT min(start_us) FROM segments WHERE camera = number), "
            "(SELECT max(start_us) FROM segments WHERE camera = number), longest_us "
            "FROM cameras WHERE number = ?",
            place.number,
        )
        return None if first is None else (WallUs(first), WallUs(last), longest)

    def next_start(self, camera: CameraId, wall: WallUs) -> WallUs | None:
        """When the first segment that begins at or after `wall` does."""
        return self._start(camera, "start_us >= ? ORDER BY start_us", wall)

    def last_start(self, camera: CameraId, wall: WallUs) -> WallUs | None:
        """When the last segment that begins before `wall` does."""
        return self._start(camera, "start_us < ? ORDER BY start_us DESC", wall)

    def _start(self, camera: CameraId, which: str, wall: WallUs) -> WallUs | None:
        place = self._place(camera)
        if place is None:
            return None
        sql = f"SELECT start_us FROM segments WHERE camera = ? AND state <> 'deleting' AND {which}"
        found = self._rows(sql + " LIMIT 1", place.number, wall)
        return WallUs(found[0][0]) if found else None
