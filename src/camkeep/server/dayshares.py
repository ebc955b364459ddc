"""How much of the last 24 hours of each camera is there: looked up once in a while, not for each
page that asks. All methods block, and may be used by many threads."""

from __future__ import annotations

from collections.abc import Iterable
from threading import Lock

from camkeep.archive.coverage import coverage
from camkeep.archive.timeline import recorded_spans
from camkeep.clock import Clock, WallUs
from camkeep.errors import StorageError
from camkeep.model import CameraId, KeptCamera
from camkeep.server.shelf import Shelf

DAY_US = 86_400_000_000
FRESH_S = 20.0
"""How old an answer may be."""


class DayShares:
    """The shares that are known."""

    def __init__(self, shelf: Shelf, clock: Clock) -> None:
        self._shelf = shelf
        self._clock = clock
        self._known: dict[CameraId, tuple[int, float | None]] = {}
        self._lock = Lock()

    def of(self, cameras: Iterable[KeptCamera]) -> dict[CameraId, float | None]:
        """From 0 to 1; None where nothing was to be recorded, or the archive does not answer."""
        cameras, now_ns = list(cameras), self._clock.mono()
        with self._lock:
            known = {
                camera: share
                for camera, (at_ns, share) in self._known.items()
                if now_ns - at_ns < FRESH_S * 1e9
            }
        new = {camera.id: self._look(camera) for camera in cameras if camera.id not in known}
        with self._lock:
            there = {camera.id for camera in cameras}
            kept = [each for each in self._known.items() if each[0] in there or each[0] in known]
            self._known = {
                **dict(kept),
                **{camera: (now_ns, share) for camera, share in new.items()},
            }
        return {camera.id: {**known, **new}[camera.id] for camera in cameras}

    def _look(self, camera: KeptCamera) -> float | None:
        end = self._clock.wall()
        start = WallUs(end - DAY_US)
        try:
            with self._shelf.catalog() as catalog:
                times = recorded_spans(
                    self._shelf.growing, catalog, self._shelf.recorded, camera.id, start, end
                )
                gaps = catalog.gaps(camera.id, start, end, end)
                removals = catalog.removals(camera.id)
        except StorageError:
            return None
        return coverage(times, gaps, removals, start, end, since=camera.since, now=end).share
