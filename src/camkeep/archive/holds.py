"""Which footage held clips keep from being deleted. Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping

from camkeep.archive.intervals import joined
from camkeep.clock import WallUs
from camkeep.model import CameraId, Clip, Segment

_NEVER = WallUs(2**63 - 1)
"""The end of a clip that is still being recorded."""


class Holds:
    """The intervals that held clips cover, per camera.

    A segment that one of them touches by a single microsecond is held as a whole. A clip whose
    end is None holds everything from its start on. A clip that ends before it begins (the clock
    was set back while it was recorded) holds all between the two, and an empty one or an empty
    segment counts as a microsecond: what is in doubt is kept.
    """

    __slots__ = ("_ends", "_starts")

    def __init__(
        self, intervals: Mapping[CameraId, Iterable[tuple[WallUs, WallUs | None]]]
    ) -> None:
        self._starts: dict[CameraId, list[WallUs]] = {}
        self._ends: dict[CameraId, list[WallUs]] = {}
        for camera, held in intervals.items():
            spans = joined(_ordered(start, end) for start, end in held)
            self._starts[camera] = [span.start for span in spans]
            self._ends[camera] = [span.end for span in spans]

    @classmethod
    def of_clips(cls, clips: Iterable[Clip]) -> Holds:
        """What those of `clips` hold that are held."""
        found: dict[CameraId, list[tuple[WallUs, WallUs | None]]] = {}
        for clip in clips:
            for camera in clip.cameras if clip.held else ():
                found.setdefault(camera, []).append((clip.start, clip.end))
        return cls(found)

    def cover(self, segment: Segment) -> bool:
        """Whether a held clip needs this segment."""
        starts = self._starts.get(segment.camera)
        if not starts:
            return False
        end = max(segment.end, segment.start + 1)
        last = bisect_left(starts, end) - 1  # the last one that begins before the segment's end
        return last >= 0 and self._ends[segment.camera][last] > segment.start


def _ordered(start: WallUs, end: WallUs | None) -> tuple[WallUs, WallUs]:
    if end is None:
        return start, _NEVER
    return min(start, end), max(start, end, WallUs(start + 1))
