"""Segments without files, for what is decided about them."""

from __future__ import annotations

from camkeep.clock import WallUs
from camkeep.model import CameraId, Segment, SegmentState

WALL0 = 1_750_000_000_000_000
SECOND = 1_000_000
HOUR = 3600 * SECOND
DAY = 24 * HOUR


def segment(
    camera: str = "a",
    sequence: int = 1,
    start: int = WALL0,
    duration_us: int = 60 * SECOND,
    size: int = 100,
    state: SegmentState = SegmentState.CLOSED,
) -> Segment:
    """One segment of which only what is given matters."""
    return Segment(
        camera=CameraId(camera),
        sequence=sequence,
        run=1,
        path=f"recordings/{camera}/{sequence}.mp4",
        start=WallUs(start),
        duration_us=duration_us,
        size=size,
        frames=1,
        codec="avc1.640028",
        width=1920,
        height=1080,
        audio="",
        state=state,
    )
