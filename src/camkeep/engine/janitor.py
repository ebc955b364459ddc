"""Keeps the archive within what people want kept, and waits for disks that are full or away.

Runs on the event loop; looking, deciding and deleting are done by the archive's threads, a few
files at a time, so that recording never waits for long.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from itertools import groupby

from camkeep.archive.ageclock import AgeClock
from camkeep.archive.holds import Holds
from camkeep.archive.index import Index
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
HEAL_S = 60.0
"""How often an index that is behind the files is made anew."""
LONGEST_WAIT_S = 30.0
QUIET_S = 60.0
"""A disk that has not failed for so long is tried at once after its next failure."""
GAIN = 4
"""A batch makes room if a quarter of what was deleted is free afterwards."""
IN_VAIN = 64
"""Segments that are deleted for the sake of free space without making any; then snapshots of the
file system hold the space, or it is slow to let go, and all footage would go in vain. It is
believed again when there is more room."""


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
        self._failed_s = 0.0
        self._healed_s: float | None = None
        self._waiting = 0  # keepers that wait for room
        self._no_gain = 0  # segments that were deleted since any of them made room
        self._free_in_vain: int | None = None
        self.deleted = 0
        """Segments."""

    @property
    def in_vain(self) -> bool:
        """Whether the disk stays full whatever is deleted, so that nothing more is for its sake."""
        return self._free_in_vain is not None

    async def run(self) -> None:
        """Look again and again until cancelled."""
        while True:
            with suppress(CamkeepError, OSError):  # the keepers tell of it, and it is tried again
                await self.look()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._poked.wait(), LOOK_S)
            self._poked.clear()

    async def look(self) -> int:
        """Delete what has to go; how many segments that were. Raises StorageError."""
        await self._heal()
        gone = 0
        with suppress(DiskFull):  # then there must be more room first
            await self._archive.note_owed()
        while plan := await self._plan():
            went = 0
            for batch in batches(plan):
                went += await self._delete(batch)
                if self.in_vain:
                    break
            gone += went
            if not went:
                break  # a clip has come to hold them meanwhile
        self.deleted += gone
        return gone

    async def _heal(self) -> None:
        """Have an index made anew that missed something for want of room, once there is some."""
        index, now_s = self._archive.index, self._clock.mono() / 1e9
        if not index.stale or (self._healed_s is not None and now_s - self._healed_s < HEAL_S):
            return
        with suppress(CamkeepError, OSError):  # deleting comes first then, and makes room
            if await self._free() >= ROOM_BYTES:
                self._healed_s = now_s
                await asyncio.wrap_future(index.rebuild())

    async def _delete(self, batch: list[Segment]) -> int:
        """Delete a few segments, and see whether that makes room."""
        before = await self._free()
        went = await self._archive.remove(batch[0].camera, batch)
        after = await self._free()
        if after >= self._policy_now().keep_free_bytes:
            self._no_gain = 0
        elif went:
            gained = after - before >= sum(segment.size for segment in went) // GAIN
            self._no_gain = 0 if gained else self._no_gain + len(went)
            if self._no_gain >= IN_VAIN:
                self._free_in_vain = after
        return len(went)

    async def _free(self) -> int:
        room = self._archive.on_disk(self._archive.root.room)
        return (await asyncio.wrap_future(room)).free

    def _policy_now(self) -> Policy:
        """What people want kept; and room to write, while somebody waits for it."""
        wanted = self.policy.keep_free_bytes
        if self._waiting:
            wanted = max(wanted, 2 * ROOM_BYTES)
        return replace(self.policy, keep_free_bytes=0 if self.in_vain else wanted)

    async def _plan(self) -> list[Segment]:
        clips, free = await asyncio.wrap_future(
            self._archive.on_disk(
                lambda: (self._archive.clips.look(), self._archive.root.room().free)
            )
        )
        if self._free_in_vain is not None and free > self._free_in_vain + ROOM_BYTES:
            self._free_in_vain = None
            self._no_gain = 0
        policy = self._policy_now()
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
                policy,
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
            await self.save()
        return self._age_clock

    async def save(self) -> None:
        """Write down what time is believed to be: a restart must not forget a doubt."""
        self._saved_ns = self._clock.mono()
        with suppress(ValueError, CamkeepError, OSError):  # not known yet; or of the disk
            if self._age_clock is not None:
                await self._archive.save_age_state(self._age_clock.state)

    async def ready(self, error: CamkeepError) -> None:
        """Wait until it is worth writing again after `error`."""
        match error:
            case DiskFull():
                self._waiting += 1
                try:
                    await self._until(lambda: self._archive.root.room().free >= ROOM_BYTES)
                finally:
                    self._waiting -= 1
            case DiskAway():
                await self._returned()
            case _:
                now_s = self._clock.mono() / 1e9
                self._failures = self._failures + 1 if now_s - self._failed_s < QUIET_S else 1
                self._failed_s = now_s
                if self._failures > 1:
                    await asyncio.sleep(min(LONGEST_WAIT_S, 2.0 ** (self._failures - 2)))

    async def _returned(self) -> None:
        """Wait until the disk is back, and what is on it was read: it may go again meanwhile."""
        while True:
            await self._until(lambda: True)  # the archive looks for itself
            with suppress(CamkeepError, OSError):
                await self._archive.returned()
                return
            await asyncio.sleep(POLL_S)

    async def _until(self, there: Callable[[], bool]) -> None:
        while True:
            self._poked.set()
            with suppress(CamkeepError, OSError):
                if await asyncio.wrap_future(self._archive.on_disk(there)):
                    return
            await asyncio.sleep(POLL_S)


def batches(plan: Iterable[Segment]) -> Iterator[list[Segment]]:
    """A plan in its order, a few segments of one camera at a time."""
    for _, segments in groupby(plan, lambda segment: segment.camera):
        rest = list(segments)
        for first in range(0, len(rest), BATCH):
            yield rest[first : first + BATCH]
