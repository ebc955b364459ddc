"""Where footage of some cameras goes on behind a hole, exactly: for players that jump it.
Blocks for milliseconds; writes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from camkeep.archive.coverage import ROUNDING_US
from camkeep.archive.growing import Growing
from camkeep.archive.intervals import Span, joined
from camkeep.archive.recorded import DAY_US, RecordedTimes
from camkeep.archive.timecatalog import TimeCatalog
from camkeep.archive.timeline import recorded_spans
from camkeep.clock import WallUs
from camkeep.model import CameraId, Gap

FIRST_US = DAY_US
LONGEST_US = 32 * DAY_US
"""So much is looked at at once: little at first, for mostly the hole is short."""


@dataclass(frozen=True, slots=True)
class Hole:
    """What lies before the footage that was found, or behind it when looking back."""

    start: WallUs
    end: WallUs


class NextFootage:
    """Looks for it, of some cameras together: a hole is where none of them has any."""

    def __init__(
        self,
        growing: Growing,
        catalog: TimeCatalog,
        recorded: RecordedTimes,
        cameras: Sequence[CameraId],
    ) -> None:
        self._growing = growing
        self._catalog = catalog
        self._recorded = recorded
        self._cameras = cameras

    def after(self, wall: WallUs) -> Hole | None:
        """The hole at whose end footage begins, the first after `wall`, which may lie in it or in
        footage; None where none begins any more. Raises StorageError."""
        start, length_us = wall, FIRST_US
        while True:
            end = WallUs(start + length_us)
            before = wall
            for span in self._spans(start, end):
                # one that begins before a later window began there for want of the days before
                if span.start > wall and span.start >= start:
                    return Hole(before, span.start)
                before = max(before, span.end)
            starts = [self._catalog.next_start(camera, end) for camera in self._cameras]
            found = [each for each in starts if each is not None]
            if not found:
                return None
            start, length_us = min(found), min(4 * length_us, LONGEST_US)

    def before(self, wall: WallUs) -> Hole | None:
        """The hole at whose beginning footage ends, the last before `wall`; likewise."""
        end, length_us = wall, FIRST_US
        while True:
            start = WallUs(max(0, end - length_us))
            behind = wall
            for span in reversed(self._spans(start, WallUs(end + 1))):
                if span.end < wall and span.end <= end:
                    return Hole(span.end, behind)
                behind = min(behind, span.start)
            starts = [self._catalog.last_start(camera, start) for camera in self._cameras]
            found = [each for each in starts if each is not None]
            if not found:
                return None
            end, length_us = min(start, self._ended(max(found))), min(4 * length_us, LONGEST_US)

    def why(self, hole: Hole, now: WallUs) -> tuple[Gap | None, bool]:
        """The gap that takes up most of a hole, one that should have been recorded before all
        others; and whether something was deleted there."""
        gaps: list[Gap] = []
        removed = False
        for camera in self._cameras:
            gaps += self._catalog.gaps(camera, hole.start, hole.end, now)
            removed |= any(
                removal.start < hole.end and removal.end > hole.start
                for removal in self._catalog.removals(camera)
            )

        def length_us(gap: Gap) -> int:
            return min(gap.end, hole.end) - max(gap.start, hole.start)

        return max(gaps, key=length_us, default=None), removed

    def _spans(self, start: WallUs, end: WallUs) -> list[Span]:
        found: list[tuple[WallUs, WallUs]] = []
        for camera in self._cameras:
            found += recorded_spans(
                self._growing, self._catalog, self._recorded, camera, start, end
            )
        return joined(found, ROUNDING_US)

    def _ended(self, begun: WallUs) -> WallUs:
        """The latest at which a segment may end that began then, or before."""
        reaches = [self._catalog.reach(camera) for camera in self._cameras]
        return WallUs(begun + 1 + max(reach[2] for reach in reaches if reach is not None))
