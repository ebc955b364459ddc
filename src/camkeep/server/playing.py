"""Which segments a player gets one after the other, found while it plays. Blocks, a few
milliseconds at a time; holds a connection to the index only while it asks.
"""

from __future__ import annotations

from collections.abc import Iterator

from camkeep.archive.coverage import ROUNDING_US
from camkeep.clock import WallUs
from camkeep.model import CameraId, Segment, SegmentState
from camkeep.server.shelf import Shelf

WINDOW_US = 600_000_000
"""Segments of so long are asked for at once."""


def forward(
    shelf: Shelf, camera: CameraId, since: WallUs, until: WallUs | None
) -> Iterator[Segment]:
    """Those with pictures from `since` on, up to `until` or the newest."""
    start: WallUs | None = since
    while start is not None:
        end = WallUs(start + WINDOW_US)
        if until is not None:
            end = min(end, until)
        with shelf.catalog() as catalog:
            found = catalog.segments(camera, start, end)
            following = catalog.next_start(camera, end)
        # those that begin before a later window were in the one before it
        yield from (s for s in found if s.start >= start or start == since)
        start = None if until is not None and following and following >= until else following


def backward(shelf: Shelf, camera: CameraId, since: WallUs, until: WallUs) -> Iterator[Segment]:
    """Those with pictures between the two, the last one first."""
    end: WallUs = until
    while end > since:
        with shelf.catalog() as catalog:
            begins = catalog.last_start(camera, end)
            if begins is None:
                return
            start = max(since, min(WallUs(end - WINDOW_US), begins))
            found = catalog.segments(camera, start, end)
        # those that end behind an earlier window were in the one before it
        yield from (s for s in reversed(found) if end == until or _is_over(s, end))
        end = start


def _is_over(segment: Segment, end: WallUs) -> bool:
    return not _grows(segment) and segment.end <= end


def _grows(segment: Segment) -> bool:
    return segment.state is SegmentState.OPEN


def following(
    shelf: Shelf, camera: CameraId, at: WallUs, until: WallUs | None
) -> tuple[WallUs | None, bool]:
    """Where there is more, once all was played that ends at `at` and was to end at `until`; and
    whether what follows is just being recorded: then there is no instant yet."""
    wall = at if until is None else until
    with shelf.catalog() as catalog:
        around = catalog.segments(camera, wall, WallUs(wall + ROUNDING_US))
        later = catalog.next_start(camera, wall)
    cut = until is not None and at >= until - ROUNDING_US  # or it ends just there
    if cut and any(_grows(s) or s.end > wall + ROUNDING_US for s in around):
        return wall, False
    return later, later is None and any(map(_grows, around))


def preceding(shelf: Shelf, camera: CameraId, wall: WallUs) -> WallUs | None:
    """The last instant before `wall` up to which there is footage."""
    with shelf.catalog() as catalog:
        begins = catalog.last_start(camera, wall)
        if begins is None:
            return None
        found = catalog.segments(camera, begins, WallUs(begins + 1))
    ends = [s.end for s in found if not _grows(s)]
    return min(wall, max(ends, default=wall))
