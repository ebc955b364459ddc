"""HLS of cameras, made only while somebody asks for it.

Runs on the event loop. A packager watches its stream like any viewer, and ends half a minute
after the last request.
"""

from __future__ import annotations

import asyncio

from camkeep.clock import Clock
from camkeep.errors import MediaError
from camkeep.model import CameraId, Codec, Sample
from camkeep.server.live.hlsstream import HlsStream
from camkeep.server.live.viewers import Watched, Which
from camkeep.server.problems import Problem

IDLE_S = 30.0
MOST_PACKAGERS = 32
MOST_WAITING = 300
"""Requests that wait for what is not there yet."""

Key = tuple[CameraId, Which]


class Packager:
    """One stream's."""

    def __init__(self, watched: Watched, first: int, packagers: Packagers) -> None:
        """`Packagers.get` makes one."""
        self.stream: HlsStream | None = None
        """None until the first sample is there."""
        self.jpeg = False
        """Whether it is a stream of JPEGs, of which there is no HLS."""
        self.over = False
        self._watched = watched
        self._first = first
        self._packagers = packagers
        self._changed = asyncio.Event()
        self._asked = asyncio.get_running_loop().time()
        self._task = asyncio.create_task(self._run())
        self._task.add_done_callback(lambda _: packagers.gone(self._key, self))

    @property
    def _key(self) -> Key:
        return self._watched.camera, self._watched.which

    @property
    def ready(self) -> bool:
        """Whether there is anything to play."""
        return self.stream is not None and self.stream.playable

    def touch(self) -> None:
        """Somebody asks."""
        self._asked = asyncio.get_running_loop().time()

    async def change(self) -> None:
        """Wait until there is something new, or it is over. Raises Problem 503 where too many
        wait."""
        if self._packagers.waiting >= MOST_WAITING:
            raise Problem(503, "Busy", "too many players wait: try again", headers=RETRY)
        self._packagers.waiting += 1
        try:
            await self._changed.wait()
        finally:
            self._packagers.waiting -= 1
            self.touch()

    def close(self) -> None:
        """End it."""
        self._task.cancel()

    async def _run(self) -> None:
        reader = self._watched.feed.watch()
        try:
            reading = asyncio.create_task(reader.take())
            while True:
                left_s = self._asked + IDLE_S - asyncio.get_running_loop().time()
                done, _ = await asyncio.wait([reading], timeout=max(0.0, left_s))
                if not done:
                    if self._idle():
                        return
                    continue
                samples = reading.result()
                if not samples or self._idle():
                    return
                changed = [self._add(sample) for sample in samples]
                if any(changed):
                    self._tell()
                reading = asyncio.create_task(reader.take())
        except MediaError:
            pass
        finally:
            reading.cancel()
            reader.close()
            self.over = True
            if self.stream is not None:
                self.stream.end()
            self._tell()

    def _idle(self) -> bool:
        return asyncio.get_running_loop().time() - self._asked >= IDLE_S

    def _add(self, sample: Sample) -> bool:
        if sample.params.codec is Codec.JPEG:
            self.jpeg = True
            return True
        if self.stream is None:
            feed = self._watched.feed
            announced = feed.hub.audio or feed.notes.audio
            self.stream = HlsStream(self._watched.name, self._first, announced)
        return self.stream.add(sample)

    def _tell(self) -> None:
        self._changed.set()
        if not self.over:
            self._changed = asyncio.Event()


class Packagers:
    """All of them."""

    def __init__(self) -> None:
        self.waiting = 0
        """Requests that wait."""
        self._open: dict[Key, Packager] = {}

    def __len__(self) -> int:
        return len(self._open)

    def get(self, watched: Watched, clock: Clock) -> Packager:
        """That of a stream, begun where there is none. Raises Problem 503."""
        key = (watched.camera, watched.which)
        found = self._open.get(key)
        if found is None or found.over:
            if len(self._open) >= MOST_PACKAGERS:
                told = f"{MOST_PACKAGERS} streams are sent as HLS already: try again"
                raise Problem(503, "Busy", told, headers=RETRY)
            # segments last a second or more: those of a later packager have higher numbers
            found = self._open[key] = Packager(watched, clock.wall() // 1_000_000, self)
        found.touch()
        return found

    def there(self, watched: Watched) -> Packager | None:
        """That of a stream, if there is one."""
        found = self._open.get((watched.camera, watched.which))
        if found is not None:
            found.touch()
        return found

    def gone(self, key: Key, packager: Packager) -> None:
        """For one that has ended."""
        if self._open.get(key) is packager:
            del self._open[key]


RETRY = {"retry-after": "5"}
