"""Pictures of cameras that send video: decoded once for all who look at them.

Runs on the event loop; the decoding is a child process's (`pixels`), of which there are few. Each
stream that somebody wants pictures of has one, by key frames alone or by all frames.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from camkeep.clock import WallUs
from camkeep.engine.feed import Feed
from camkeep.errors import MediaError
from camkeep.model import CameraId, Sample, VideoParams
from camkeep.pixels.stillworker import StillWorker, can_decode
from camkeep.server.live.viewers import Watched, Which
from camkeep.server.problems import Problem

MOST_WORKERS = 4
RESTART_S = 1.0
MOST_FAILURES = 5
"""Children of one stream that end in a row, before it is given up."""
MOST_SINGLES = 2
"""Single pictures that are made at once: the others wait for their turn, because a page that shows
a list of cameras asks for all of them together."""
PATIENCE_S = 10.0
"""How long."""
REMEMBERED = 32
"""Single pictures that were made last."""
LAG_NS = 1_000_000_000

Key = tuple[CameraId, Which, bool]


@dataclass(frozen=True, slots=True)
class Taken:
    """A picture."""

    number: int
    """Rises by one with each of its stream."""
    wall: WallUs
    jpeg: bytes


class PictureStream:
    """The pictures of one stream, for any number of viewers."""

    def __init__(self, feed: Feed, *, every: bool) -> None:
        self.newest: Taken | None = None
        self.users = 0
        self._feed = feed
        self._every = every
        self._ended = False
        self._changed = asyncio.Event()
        self._worker = StillWorker()
        self._failures = 0
        self._task = asyncio.create_task(self._run())

    async def after(self, number: int) -> Taken | None:
        """The newest picture, once it is another than that of `number`. None: there will be no
        more."""
        while self.newest is None or self.newest.number == number:
            if self._ended:
                return None
            await self._changed.wait()
        return self.newest

    async def close(self) -> None:
        """Nobody looks any more."""
        self._task.cancel()
        await asyncio.wait([self._task])

    async def _run(self) -> None:
        reader = self._feed.watch()
        try:
            while samples := await reader.take():
                frames = [sample for sample in samples if sample.is_video]
                for sample in self._wanted(frames):
                    await self._take(sample)
        except MediaError:
            pass
        finally:
            self._ended = True
            self._tell()
            reader.close()
            await self._worker.close()

    def _wanted(self, frames: list[Sample]) -> list[Sample]:
        """Those that are to be decoded: by key frames alone, the newest one."""
        keys = [n for n, sample in enumerate(frames) if sample.key]
        if not self._every:
            return [frames[keys[-1]]] if keys else []
        late = bool(keys) and frames[-1].arrival - frames[0].arrival > LAG_NS
        return frames[keys[-1] :] if late else frames

    async def _take(self, sample: Sample) -> None:
        assert isinstance(sample.params, VideoParams)
        alone = not self._every
        try:
            jpeg = await self._worker.picture(sample.params, sample.data, alone=alone)
        except MediaError:
            self._failures += 1
            if self._failures >= MOST_FAILURES:
                raise
            await asyncio.sleep(RESTART_S)
            return
        if jpeg is not None:
            self._failures = 0
            number = self.newest.number + 1 if self.newest is not None else 1
            self.newest = Taken(number, sample.wall, jpeg)
            self._tell()

    def _tell(self) -> None:
        self._changed.set()
        if not self._ended:
            self._changed = asyncio.Event()


class Pictures:
    """All of them."""

    def __init__(self, most: int = MOST_WORKERS) -> None:
        self.most = most
        self._streams: dict[Key, PictureStream] = {}
        self._closing: dict[Key, asyncio.Task[None]] = {}
        self._single = 0
        self._turns = asyncio.Semaphore(MOST_SINGLES)
        self._made: OrderedDict[tuple[CameraId, Which], tuple[Sample, bytes]] = OrderedDict()

    @property
    def workers(self) -> int:
        """How many children there are at most at this moment."""
        return len(self._streams) + len(self._closing) + self._single

    @asynccontextmanager
    async def open(self, stream: Watched, *, every: bool) -> AsyncIterator[PictureStream]:
        """The pictures of a stream. Raises Problem 409 or 503."""
        key = (stream.camera, stream.which, every)
        while (closing := self._closing.get(key)) is not None:  # a page that is loaded anew
            await asyncio.wait([closing])
        found = self._streams.get(key)
        if found is None:
            self._check()
            found = self._streams[key] = PictureStream(stream.feed, every=every)
        found.users += 1
        try:
            yield found
        finally:
            found.users -= 1
            if not found.users:
                await asyncio.shield(self._close(key))

    def _close(self, key: Key) -> asyncio.Task[None]:
        """Nobody looks at a stream any more; who comes now gets another, when this has ended."""
        closing = asyncio.create_task(self._streams.pop(key).close())
        self._closing[key] = closing
        closing.add_done_callback(lambda _: self._closing.pop(key))
        return closing

    async def single(self, stream: Watched, sample: Sample) -> bytes:
        """The JPEG of a key frame; what was made last of a stream is remembered. Raises Problem,
        or MediaError where it cannot be decoded."""
        assert isinstance(sample.params, VideoParams)
        async with self._turn():
            key = (stream.camera, stream.which)
            before = self._made.get(key)
            if before is not None and before[0].data is sample.data:
                return before[1]
            jpeg = await self._make(sample.params, sample.data, 0)
            self._made[key] = (sample, jpeg)
            self._made.move_to_end(key)
            while len(self._made) > REMEMBERED:
                self._made.popitem(last=False)
            return jpeg

    async def decode(self, params: VideoParams, data: bytes, width: int) -> bytes:
        """The JPEG of any key frame, at most `width` pixels wide where that is not 0. Raises as
        `single` does."""
        async with self._turn():
            return await self._make(params, data, width)

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(PATIENCE_S):
                await self._turns.acquire()
        except TimeoutError:
            raise self._busy() from None
        try:
            yield
        finally:
            self._turns.release()

    async def _make(self, params: VideoParams, data: bytes, width: int) -> bytes:
        self._check()
        self._single += 1
        worker = StillWorker()
        try:
            jpeg = await worker.picture(params, data, alone=True, width=width)
        finally:
            self._single -= 1
            await worker.close()
        if jpeg is None:
            raise MediaError("the picture cannot be decoded")
        return jpeg

    def _check(self) -> None:
        """Raise Problem where no other child may be started."""
        if not can_decode():
            raise Problem(
                409,
                "Not supported",
                "the camera sends video, and this camkeep cannot decode it: use live.mp4 or "
                "live.m3u8, or install camkeep[video]",
                kind="urn:camkeep:not-supported",
            )
        if self.workers >= self.most:
            raise self._busy()

    def _busy(self) -> Problem:
        return Problem(
            503,
            "Busy",
            f"pictures of {self.most} streams are being decoded already: use live.mp4 or "
            "live.m3u8, or try again",
            kind="urn:camkeep:busy",
            headers={"retry-after": "5"},
        )
