"""What handlers look at the archive with: connections to its index, clips that are open, times of
footage in memory. Nothing here writes to the archive, and nothing waits for those who do.

A `Shelf` belongs to the application. Its plain methods block, and may be used by many threads at
once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import BoundedSemaphore, Lock
from typing import Annotated, NamedTuple, TypeVar

import anyio
import anyio.to_thread
from fastapi import Depends, FastAPI
from starlette.requests import HTTPConnection

from camkeep.archive.growing import Growing
from camkeep.archive.layout import INDEX
from camkeep.archive.recorded import RecordedTimes
from camkeep.archive.store import Archive
from camkeep.archive.timecatalog import TimeCatalog
from camkeep.archive.usage import rates_of
from camkeep.clock import Clock
from camkeep.errors import IndexDamaged, StorageError
from camkeep.model import CameraId, KeptCamera
from camkeep.server.desk import desk_of
from camkeep.server.openclips import IDLE_S, Open, OpenClips

T = TypeVar("T")

CONNECTIONS = 8
"""To the index, at most."""
WAIT_S = 10.0
"""For one of them."""
READERS = 8
"""Threads that read footage for downloads and players at once: a slow disk holds up no others."""
BUILDERS = 3
"""Threads that open movies at once: the header of a long one takes a second, and much memory."""
RATES_S = 60.0
EXAMINE_S = 60.0
"""A damaged index is not looked at more often."""


class _Lent(NamedTuple):
    catalog: TimeCatalog
    file: tuple[int, int]
    """Device and inode of what it reads."""


class Shelf:
    """The archive, to be read by handlers."""

    def __init__(self, archive: Archive, clock: Clock) -> None:
        self.root: Path = archive.root.path
        self.growing: Growing = archive.roster.at_this_moment
        self.recorded = RecordedTimes()
        self.clips = OpenClips(self.catalog, self.root, clock)
        self.readers = anyio.CapacityLimiter(READERS)
        """For `anyio.to_thread.run_sync`."""
        self._builders = anyio.CapacityLimiter(BUILDERS)
        self._archive = archive
        self._clock = clock
        self._path = self.root / INDEX
        self._free: list[_Lent] = []
        self._places = BoundedSemaphore(CONNECTIONS)
        self._lock = Lock()
        self._examined_ns: int | None = None
        self._rating = Lock()
        self._rates: Mapping[CameraId, float | None] = {}
        self._rated_ns: int | None = None

    @contextmanager
    def catalog(self) -> Iterator[TimeCatalog]:
        """A connection to the index, for this block alone. Raises IndexDamaged where the index
        is damaged (then it is made anew, soon), or another StorageError."""
        if not self._places.acquire(timeout=WAIT_S):
            raise StorageError("too many requests look at the archive at once: try again")
        try:
            with self._examined_if_damaged():
                lent = self._borrow()
                try:
                    yield lent.catalog
                except IndexDamaged:
                    lent.catalog.close()
                    raise
                except BaseException:
                    self._give_back(lent)
                    raise
                self._give_back(lent)
        finally:
            self._places.release()

    async def read(self, job: Callable[[], T]) -> T:
        """Have a job that blocks done by a thread."""
        return await anyio.to_thread.run_sync(job)

    async def build(self, job: Callable[[], T]) -> T:
        """Have a movie opened by a thread. Whoever waits for one takes up none."""
        return await anyio.to_thread.run_sync(job, limiter=self._builders)

    async def cameras(self) -> dict[CameraId, KeptCamera]:
        """All cameras that are or were kept. Raises StorageError."""

        def find() -> list[KeptCamera]:
            with self.catalog() as catalog:
                return catalog.cameras()

        return {camera.id: camera for camera in await self.read(find)}

    async def count_clips(self) -> int:
        """How many clips there are. Raises StorageError."""

        def count() -> int:
            with self.catalog() as catalog:
                return len(catalog.clips())

        return await self.read(count)

    def done_with(self, opened: Open) -> None:
        """An answer was read to its end, or nobody reads it any more. On the event loop; what
        was open for long is closed then, and once more when this has been."""
        loop = asyncio.get_running_loop()
        loop.run_in_executor(None, self.clips.give_back, opened)
        loop.call_later(IDLE_S + 1, loop.run_in_executor, None, self.clips.tidy)

    def rates(self, catalog: TimeCatalog) -> Mapping[CameraId, float | None]:
        """Bytes a second of each camera over the last day, as they were within the last minute:
        there may be 1,500 files of each to look at."""
        with self._rating:
            now_ns = self._clock.mono()
            if self._rated_ns is None or now_ns - self._rated_ns > RATES_S * 1e9:
                self._rates = rates_of(catalog, self._clock.wall())
                self._rated_ns = now_ns
            return self._rates

    def close(self) -> None:
        """Let go of everything that nobody uses."""
        self.clips.close()
        with self._lock:
            free, self._free = self._free, []
        for lent in free:
            lent.catalog.close()

    def _borrow(self) -> _Lent:
        """One that reads the index that is there now: it may have been made anew."""
        file = self._file()
        while True:
            with self._lock:
                lent = self._free.pop() if self._free else None
            if lent is None:
                return _Lent(TimeCatalog.open(self._path), file)
            if lent.file == file:
                return lent
            lent.catalog.close()

    def _give_back(self, lent: _Lent) -> None:
        with self._lock:
            self._free.append(lent)

    def _file(self) -> tuple[int, int]:
        try:
            found = self._path.stat()
        except OSError as error:
            raise IndexDamaged("the index is being made anew: try again in a moment") from error
        return found.st_dev, found.st_ino

    @contextmanager
    def _examined_if_damaged(self) -> Iterator[None]:
        try:
            yield
        except IndexDamaged:
            self._have_it_examined()
            raise

    def _have_it_examined(self) -> None:
        """Have the one who writes look at the index: what it finds damaged, it makes anew."""
        now_ns = self._clock.mono()
        with self._lock:
            if self._examined_ns is not None and now_ns - self._examined_ns < EXAMINE_S * 1e9:
                return
            self._examined_ns = now_ns
        self._archive.on_index(lambda index: index.examine())


def close_shelf(app: FastAPI) -> None:
    """Let go of what the shelf of an application holds, once the application has ended."""
    shelf: Shelf | None = getattr(app.state, "shelf", None)
    if shelf is not None:
        shelf.close()


async def shelf_of(connection: HTTPConnection) -> Shelf:
    """That of the application which got the request, made for the first of them."""
    state, desk = connection.app.state, desk_of(connection)
    shelf: Shelf | None = getattr(state, "shelf", None)
    if shelf is None:
        shelf = state.shelf = Shelf(desk.archive, desk.clock)
    return shelf


ShelfOf = Annotated[Shelf, Depends(shelf_of)]
