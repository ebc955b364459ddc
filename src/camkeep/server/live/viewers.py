"""Who watches what, how much of it they got, and what becomes of those who do not keep up.

Runs on the event loop. A viewer takes the samples of a stream at its own speed. What waits for it
is bounded; beyond that it goes on with a later key frame, and that is counted. One who takes
nothing at all for half a minute is let go. All viewers are looked at a few times a second by one
timer, which exists only while there are any.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from camkeep.clock import Clock, WallUs
from camkeep.engine.feed import Feed
from camkeep.engine.hub import Reader
from camkeep.engine.supervisor import Supervisor
from camkeep.model import CameraId, Sample
from camkeep.server.problems import Problem

MOST_VIEWERS = 200
LOOK_S = 0.2
STALL_S = 30.0
"""Longest that a single message may take to be taken."""
LAG_NS = 2_000_000_000
"""One that is further behind goes on with the newest key frame, if there is a newer one."""
BATCH_BYTES = 5 * 1024 * 1024
"""What is taken from the hub and still waits there, together, before older frames are given up."""


class Which(StrEnum):
    """Of a camera's streams."""

    MAIN = "main"
    SUB = "sub"
    """The small one; of cameras without one it is the main stream."""


@dataclass(frozen=True, slots=True)
class Watched:
    """A stream that somebody watches."""

    camera: CameraId
    name: str
    """The camera's."""
    which: Which
    feed: Feed


def stream_of(camera: Supervisor, which: Which) -> Watched:
    """The stream of a camera that is meant."""
    if which is Which.SUB and camera.sub is not None:
        return Watched(camera.camera.id, camera.camera.name, Which.SUB, camera.sub)
    return Watched(camera.camera.id, camera.camera.name, Which.MAIN, camera.main)


class Viewer:
    """One who watches. Use it as a context."""

    def __init__(
        self, viewers: Viewers, stream: Watched, kind: str, name: str, since: WallUs
    ) -> None:
        """`Viewers.open` makes one."""
        self.stream = stream
        self.kind = kind
        """How: "socket", "mjpeg", "mp4"."""
        self.name = name
        """Who, for people."""
        self.since = since
        self.frames = self.bytes = 0
        """What was sent."""
        self.breaks = 0
        """Goes up where the next sample does not follow the one before, whatever it says."""
        self.on_slow: Callable[[], object] = lambda: None
        """Called once, when nothing was taken for too long."""
        self.on_look: Callable[[], object] = lambda: None
        """Called a few times a second."""
        self._viewers = viewers
        self._reader: Reader | None = None
        self._dropped = 0  # by readers that were closed
        self._given_up = 0
        self._batch: deque[Sample] = deque()
        self._batch_bytes = 0
        self._wants = asyncio.Event()
        self._wants.set()
        self._closed = False
        self._sending_since: float | None = None

    def __enter__(self) -> Viewer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def skipped(self) -> int:
        """Frames that it was too slow for."""
        dropped = self._reader.dropped if self._reader is not None else 0
        return self._dropped + self._given_up + dropped

    @property
    def waiting_bytes(self) -> int:
        """What waits for it."""
        waiting = self._reader.waiting_bytes if self._reader is not None else 0
        return self._batch_bytes + waiting

    @property
    def paused(self) -> bool:
        """Whether it wants nothing for now."""
        return not self._wants.is_set()

    async def next(self) -> Sample | None:
        """The next sample; None once there will be no more."""
        while not self._batch:
            if not await self._refill():
                return None
        sample = self._batch.popleft()
        self._batch_bytes -= len(sample.data)
        return sample

    async def newest(self) -> Sample | None:
        """The newest picture there is, for streams of which each picture stands alone; None once
        there will be no more."""
        while True:
            if not self._batch and not await self._refill():
                return None
            pictures = [sample for sample in self._batch if sample.is_video]
            self._batch.clear()
            self._batch_bytes = 0
            if pictures:
                self._given_up += len(pictures) - 1
                return pictures[-1]

    def pause(self) -> None:
        """Send nothing until `resume`: for it, the stream need not be fetched."""
        if not self.paused and not self._closed:
            self._wants.clear()
            self._leave()

    def resume(self) -> None:
        """Go on with what is new."""
        if self.paused and not self._closed:
            self.breaks += 1
            self._wants.set()

    def stop_reading(self) -> None:
        """It gets its pictures from elsewhere."""
        self._leave()

    def close(self) -> None:
        """It has gone."""
        if not self._closed:
            self._closed = True
            self._wants.set()
            self._leave()
            self._viewers.gone(self)

    def sending(self) -> None:
        """Something is being sent from now on."""
        self._sending_since = asyncio.get_running_loop().time()

    def sent(self, size: int) -> None:
        """It was taken."""
        self._sending_since = None
        self.bytes += size

    def look(self, now: float) -> None:
        """A moment has passed."""
        if self._sending_since is not None and now - self._sending_since > STALL_S:
            self._sending_since = None
            self.on_slow()
        if self._batch and self.waiting_bytes > BATCH_BYTES:
            self._given_up += sum(sample.is_video for sample in self._batch)
            self._forget()
            self.breaks += 1
        self.on_look()

    async def _refill(self) -> bool:
        """Get what there is, at least one sample. False: there will be none."""
        samples: list[Sample] = []
        while not samples:
            await self._wants.wait()
            if self._closed:
                return False
            if self._reader is None:
                self._reader = self.stream.feed.watch()
            samples = await self._reader.take()
            if not samples and not self.paused:
                return False
        samples = self._not_too_old(samples)
        self._batch.extend(samples)
        self._batch_bytes += sum(len(sample.data) for sample in samples)
        return True

    def _not_too_old(self, samples: list[Sample]) -> list[Sample]:
        """From the newest key frame on, where the first ones have waited for too long."""
        if samples[-1].arrival - samples[0].arrival <= LAG_NS:
            return samples
        last = len(samples) - 1
        while last > 0 and not (samples[last].is_video and samples[last].key):
            last -= 1
        if last:
            self._given_up += sum(sample.is_video for sample in samples[:last])
            self.breaks += 1
        return samples[last:]

    def _leave(self) -> None:
        """Have nothing more come."""
        if self._reader is not None:
            self._dropped += self._reader.dropped
            self._reader.close()
            self._reader = None
        self._forget()

    def _forget(self) -> None:
        self._batch.clear()
        self._batch_bytes = 0


class Viewers:
    """All of them."""

    def __init__(self, most: int = MOST_VIEWERS) -> None:
        self.most = most
        self.began: Counter[str] = Counter()
        """How many came, by kind."""
        self.frames = self.bytes = self.skipped = 0
        """Of those who have gone."""
        self._open: set[Viewer] = set()
        self._timer: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._open)

    def __iter__(self) -> Iterator[Viewer]:
        return iter(list(self._open))

    def open(self, stream: Watched, kind: str, name: str, clock: Clock) -> Viewer:
        """Another one. Raises Problem 503 where there are as many as may be."""
        self.check()
        viewer = Viewer(self, stream, kind, name, clock.wall())
        self._open.add(viewer)
        self.began[kind] += 1
        if self._timer is None:
            self._wait()
        return viewer

    def check(self) -> None:
        """Raise Problem 503 where there is no room for another."""
        if len(self._open) >= self.most:
            raise Problem(
                503,
                "Too many viewers",
                f"{self.most} viewers are watching already: close some, and try again",
                kind="urn:camkeep:too-many-viewers",
                headers={"retry-after": "10"},
            )

    def gone(self, viewer: Viewer) -> None:
        """For a viewer that was closed."""
        self._open.discard(viewer)
        self.frames += viewer.frames
        self.bytes += viewer.bytes
        self.skipped += viewer.skipped
        if not self._open and self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def total_skipped(self) -> int:
        """Frames that viewers were too slow for, since the start."""
        return self.skipped + sum(viewer.skipped for viewer in self._open)

    def total_bytes(self) -> int:
        """What was sent to viewers, since the start."""
        return self.bytes + sum(viewer.bytes for viewer in self._open)

    def _wait(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(LOOK_S, self._look)

    def _look(self) -> None:
        self._wait()
        now = asyncio.get_running_loop().time()
        for viewer in list(self._open):
            viewer.look(now)
