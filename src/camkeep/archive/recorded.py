"""When a camera was recorded, quickly, however long ago that is: for timelines and calendars.

Reading a million rows takes a second. What was recorded on a day hardly ever changes again, so it
is kept in memory, as intervals, with a stamp of the rows it was made from; what costs little is to
ask whether the stamp is still true (`TimeCatalog.stamp`), and less, whether anything became of
the camera's segments at all (`TimeCatalog.mark`). A day with a segment that grows or is being
deleted is read anew each time.
"""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import NamedTuple

from camkeep.archive.coverage import ROUNDING_US
from camkeep.archive.intervals import Span, joined
from camkeep.archive.timecatalog import TimeCatalog
from camkeep.clock import WallUs
from camkeep.model import CameraId, SegmentState

DAY_US = 86_400_000_000
MOST = 200_000
"""Intervals and days in memory, all together: some 40 MB at the very most."""


class _Day(NamedTuple):
    stamp: tuple[int, int]
    spans: tuple[Span, ...]


class RecordedTimes:
    """What is known of the days of all cameras. May be used by many threads at once, each with a
    catalog of its own."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._days: OrderedDict[tuple[CameraId, int], _Day] = OrderedDict()
        self._size = 0
        self._true: dict[CameraId, tuple[tuple[int, ...], set[int]]] = {}
        # a mark of each camera, and the days that were stored or found true when it had that
        self._lock = Lock()

    def spans(
        self, catalog: TimeCatalog, camera: CameraId, start: WallUs, end: WallUs
    ) -> list[Span]:
        """What was recorded in closed and damaged segments that reach into [start, end): tidy,
        and whole, so that it may begin before and end after it. Holes that only rounding makes
        are closed. Raises StorageError."""
        with catalog.snapshot():  # or a day might be settled and its stamp of a moment later
            found = self._found(catalog, camera, start, end)
        return [
            span for span in joined(found, ROUNDING_US) if span.end > start and span.start < end
        ]

    def _found(
        self, catalog: TimeCatalog, camera: CameraId, start: WallUs, end: WallUs
    ) -> list[Span]:
        reach = catalog.reach(camera)
        if reach is None:
            return []
        first, last, longest_us = reach
        begin = max(first, start - longest_us)
        unsettled = {
            segment.start // DAY_US
            for segment in catalog.not_closed(camera)
            if segment.state in (SegmentState.OPEN, SegmentState.DELETING)
        }
        mark = catalog.mark(camera)
        found: list[Span] = []
        for day in range(begin // DAY_US, min(last, end) // DAY_US + 1):
            found += self._day(catalog, camera, day, None if day in unsettled else mark)
        return found

    def _day(
        self, catalog: TimeCatalog, camera: CameraId, day: int, mark: tuple[int, ...] | None
    ) -> tuple[Span, ...]:
        """What began on that day, of UTC. `mark` is the camera's, None where the day changes."""
        with self._lock:
            known = self._days.get((camera, day)) if mark is not None else None
            true = self._true.get(camera)
            if known is not None and true is not None and true[0] == mark and day in true[1]:
                self._days.move_to_end((camera, day))
                return known.spans
        start, end = WallUs(day * DAY_US), WallUs((day + 1) * DAY_US)
        stamp = catalog.stamp(camera, start, end)
        if known is None or known.stamp != stamp:
            known = _Day(stamp, tuple(joined(catalog.times(camera, start, end), ROUNDING_US)))
        self._keep(camera, day, known, mark)
        return known.spans

    def _keep(self, camera: CameraId, day: int, found: _Day, mark: tuple[int, ...] | None) -> None:
        with self._lock:
            self._size -= _weight(self._days.pop((camera, day), None))
            if mark is None:
                return
            self._days[camera, day] = found
            self._size += _weight(found)
            true = self._true.get(camera)
            if true is None or true[0] != mark:  # also where another thread saw another moment
                true = self._true[camera] = (mark, set())
            true[1].add(day)
            while self._size > self._most:
                _, dropped = self._days.popitem(last=False)
                self._size -= _weight(dropped)


def _weight(day: _Day | None) -> int:
    return 0 if day is None else 1 + len(day.spans)
