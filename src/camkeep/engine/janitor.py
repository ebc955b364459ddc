"""Keeps the archive within what people want kept, and waits for disks that are full or away.

Runs on the event loop; looking, deciding and deleting are done by the archive's threads, a few
files at a time, so that recording never waits for long.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress

from camkeep.archive.ageclock import AgeClock
from camkeep.archive.holds import Holds
from camkeep.archive.index import Index
from camkeep.archive.reaper import by_camera
from camkeep.archive.retention import CameraUsage, Policy, Usage, plan_deletions
from camkeep.archive.store import Archive
from camkeep.clock import Clock
from camkeep.errors import CamkeepError, DiskAway, DiskFull
from camkeep.model import CameraId, Segment

LOOK_S = 2.0
"""How often limits are looked at."""
BATCH = 8
"""Files that are deleted in one go, while writing waits."""
ROOM_BYTES = 4 * 1024 * 1024
"""What must be free before recording goes on where the disk was full."""
POLL_S = 0.5
SAVE_S = 600.0
"""How often it is written down what time is believed to be."""
LONGEST_WAIT_S = 30.0


class Janitor:
    """Looks after the disk. `run` it, and ask `ready` after a failure."""

    def __init__(
        self,
        archive: Archive,
        policy: Policy,
        clock: Clock,
        growing: Callable[[], Mapping[CameraId, int]],
    ) -> None:
        """`growing` tells the size of each camera's open segments."""
        self._archive = archive
        self.policy = policy
        """What people want kept; may change at any time."""
        self._clock = clock
        self._growing = growing
        self._poked = asyncio.Event()
        self._age_clock: AgeClock | None = None
        self._saved_ns = 0
        self._failures = 0
        self.deleted = 0
        """Segments."""

    async def run(self) -> None:
        """Look again and again until cancelled."""
        while True:
            with suppress(
                CamkeepError, OSError
            ):  # of the disk: the keepers tell; it is tried again
                await self.look()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._poked.wait(), LOOK_S)
            self._poked.clear()

    async def look(self) -> int:
        """Delete what has to go; how many segments that were. Raises StorageError."""
        gone = 0
        while plan := await self._plan():
            went = 0
            for camera, segments in by_camera(plan):
                for first in range(0, len(segments), BATCH):
                    batch = segments[first : first + BATCH]
                    went += await self._archive.remove(camera, batch)
            if not went:
                break  # a clip has come to hold them meanwhile
            gone += went
        self.deleted += gone
        return gone

    async def _plan(self) -> list[Segment]:
        clips, free = await asyncio.wrap_future(
            self._archive.on_disk(
                lambda: (self._archive.clips.look(), self._archive.root.room().free)
            )
        )
        age_clock = await self._clock_of_ages()
        time = age_clock.read(self._clock.mono(), self._clock.wall())
        growing = self._growing()

        def decide(index: Index) -> list[Segment]:
            totals = index.totals()
            cameras = {
                camera: CameraUsage(total.bytes, growing.get(camera, 0))
                for camera, total in totals.items()
            }
            return plan_deletions(
                {camera: index.oldest(camera) for camera in totals},
                self.policy,
                Usage(cameras, free),
                Holds.of_clips(clips),
                time.now,
                latest=time.latest,
            )

        return await asyncio.wrap_future(self._archive.on_index(decide))

    async def _clock_of_ages(self) -> AgeClock:
        """The clock by which footage is old; what it believes is written down now and then."""
        if self._age_clock is None:
            newest, saved = await self._archive.age_state()
            self._age_clock = AgeClock(newest, saved)
            self._saved_ns = self._clock.mono()
        elif self._clock.mono() - self._saved_ns > SAVE_S * 1e9:
            self._saved_ns = self._clock.mono()
            await self._archive.save_age_state(self._age_clock.state)
        return self._age_clock

    async def ready(self, error: CamkeepError) -> None:
        """Wait until it is worth writing again after `error`."""
        match error:
            case DiskFull():
                await self._until(lambda: self._archive.root.room().free >= ROOM_BYTES)
            case DiskAway():
                await self._until(lambda: True)  # the archive looks for itself
                await self._archive.returned()
            case _:
                self._failures += 1
                if self._failures > 1:
                    await asyncio.sleep(min(LONGEST_WAIT_S, 2.0 ** (self._failures - 2)))

    async def _until(self, there: Callable[[], bool]) -> None:
        while True:
            self._poked.set()
            with suppress(CamkeepError, OSError):
                if await asyncio.wrap_future(self._archive.on_disk(there)):
                    return
            await asyncio.sleep(POLL_S)
