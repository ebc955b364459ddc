"""A disk that stands still for a while: row F7 of what must be survived.

Samples come as fast as they are made, so that what is half a minute of a camera takes a moment.
"""

from __future__ import annotations

import asyncio
import threading
import tracemalloc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

from camkeep.archive.writer import BACKLOG_BYTES
from camkeep.cameras.source import Notes, Sink
from camkeep.engine.hub import SINCE_KEY_BYTES
from camkeep.engine.keeper import KeepOptions
from camkeep.engine.reel import FLUSH_BYTES
from camkeep.model import Cause, Sample
from support.disks import QuickFiles
from support.keeping import Found, kept
from support.staged import Staged, stream

FRAME = 200_000
"""Bytes: at 25 frames a second, 30 s of that are 150 MB, and 10 s are 50 MB."""


class StallingFiles(QuickFiles):
    """A disk that can stand still."""

    def __init__(self) -> None:
        super().__init__()
        self.written = 0
        self._going = threading.Event()
        self._going.set()

    @contextmanager
    def standing_still(self) -> Iterator[None]:
        """Nothing is written meanwhile; then it goes on, whatever happened."""
        self._going.clear()
        try:
            yield
        finally:
            self._going.set()

    def writev(self, fd: int, buffers: Sequence[bytes | memoryview]) -> int:
        self._going.wait()
        count = super().writev(fd, buffers)
        self.written += count
        return count

    def sync(self, fd: int) -> None:
        self._going.wait()


class InParts(Staged):
    """A camera whose stream comes in parts, each when it is asked for."""

    def __init__(self, *parts: Iterator[Sample]) -> None:
        super().__init__()
        self._parts = list(parts)
        self._wanted = asyncio.Semaphore(0)
        self._sent = asyncio.Semaphore(0)
        self.most = 0
        """Bytes that Python had in use at most while a part was sent."""

    async def send(self) -> None:
        """Have the next part sent."""
        self._wanted.release()
        await self._sent.acquire()

    async def run(self, sink: Sink, notes: Notes) -> NoReturn:
        while True:
            await self._wanted.acquire()
            tracemalloc.start()
            for sample in self._parts.pop(0):
                sink(sample._replace(data=sample.data + bytes(FRAME)))
                await asyncio.sleep(0)
            self.most = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            self._sent.release()
        raise AssertionError


def part(first_s: int, last_s: int) -> Iterator[Sample]:
    count = (last_s - first_s) * 25
    return stream(count, start_s=first_s, first=first_s * 25, gop=25)


async def drained(files: StallingFiles) -> None:
    """Wait until nothing more is written for a while."""
    before = -1
    while before != files.written:
        before = files.written
        await asyncio.sleep(0.2)


async def test_a_stall_that_fits_costs_nothing_and_a_longer_one_is_one_gap(tmp_path: Path) -> None:
    files, folder = StallingFiles(), tmp_path / "cams"
    source = InParts(part(0, 2), part(2, 10), part(10, 12), part(12, 42), part(42, 45))
    options = KeepOptions(segment_s=10, sync_s=1)
    async with kept(folder, source, options=options, files=files) as (camera,):
        await source.send()
        await asyncio.sleep(1)  # the first have settled

        with files.standing_still():
            await source.send()
        await drained(files)
        await source.send()
        await drained(files)
        assert camera.keeper.drops == 0

        with files.standing_still():
            await source.send()
        gathered = 2 * FLUSH_BYTES  # by the newest movie, and by the one before it for its sound
        assert source.most <= BACKLOG_BYTES + SINCE_KEY_BYTES + gathered + 4 * FRAME
        await drained(files)
        await source.send()
        drops = camera.keeper.drops
    found = Found(folder)
    assert found.verified.intact
    (gap,) = [gap for gap in found.gaps if not gap.lasting]
    assert gap.cause is Cause.DISK_SLOW
    missing = set(range(45 * 25)) - set(found.numbers)
    assert found.numbers == sorted(found.numbers)
    assert missing == set(range(min(missing), 42 * 25))  # from one frame to a key frame
    assert len(missing) == drops
    assert gap.seconds == len(missing) / 25
