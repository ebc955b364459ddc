"""How much is kept, how much of it is held, and how fast it grows: what a forecast is made from.

Blocks, for milliseconds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from camkeep.archive.forecast import RATE_WINDOW_S, measured_rate
from camkeep.archive.retention import CameraUsage, Usage
from camkeep.archive.timecatalog import TimeCatalog
from camkeep.clock import WallUs
from camkeep.model import CameraId, Clip


def usage_of(catalog: TimeCatalog, clips: Iterable[Clip], free_bytes: int, now: WallUs) -> Usage:
    """What each camera has on the disk. Raises StorageError."""
    held_bytes = held(catalog, clips, now)
    totals = catalog.totals().items()
    return Usage(
        {of: CameraUsage(total.bytes, held_bytes=held_bytes[of]) for of, total in totals},
        free_bytes,
    )


def held(catalog: TimeCatalog, clips: Iterable[Clip], now: WallUs) -> Counter[CameraId]:
    """The bytes of each camera that held clips need. Raises StorageError."""
    found = Counter[CameraId]()
    seen: set[tuple[CameraId, int]] = set()
    for clip in clips:
        end = now if clip.end is None else clip.end  # before the start where the clock was set
        start, until = min(clip.start, end), WallUs(max(end, clip.start + 1))
        for camera in clip.cameras if clip.held else ():
            for sequence, _, _, size in catalog.sizes(camera, start, until):
                if (camera, sequence) not in seen:
                    seen.add((camera, sequence))
                    found[camera] += size
    return found


def rates_of(catalog: TimeCatalog, now: WallUs) -> dict[CameraId, float | None]:
    """Bytes a second of each camera; None where nobody knows yet. Raises StorageError."""
    day = WallUs(now - round(RATE_WINDOW_S * 1e6))
    return {
        camera.id: measured_rate(
            ((start, end, size) for _, start, end, size in catalog.sizes(camera.id, day, now)),
            now,
            since=camera.since,
        )
        for camera in catalog.cameras()
    }
