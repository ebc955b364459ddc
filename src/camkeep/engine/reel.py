"""The movies of one recording, one after the other, and when they go to the disk.

Runs on the event loop and never blocks it: samples are gathered, and every FLUSH_S they go to
the writer thread as one fragment. Which sample belongs where in time is not decided here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

from camkeep.archive.writer import Volume, Writer
from camkeep.engine.openmovie import OpenMovie
from camkeep.engine.plan import Movie
from camkeep.engine.shelf import Shelf
from camkeep.media.mp4 import Identity
from camkeep.model import AudioParams, Sample, VideoParams

FLUSH_S = 0.4
"""Age of the oldest sample at which a fragment goes to the disk: what a crash can cost."""
FLUSH_BYTES = 4 * 1024 * 1024
SYNC_S = 5.0
"""Age of the oldest sample at which it is flushed to the disk: what a power cut can cost."""
LINGER_S = 1.0
"""How long a full movie stays open for sound that belongs to it."""


class Reel:
    """Writes samples to the newest movie. `close` makes all of them whole."""

    def __init__(
        self,
        shelf: Shelf,
        on_error: Callable[[], object],
        volume: Volume | None = None,
        *,
        sync_s: float = SYNC_S,
        on_made: Callable[[Movie], object] = lambda _: None,
    ) -> None:
        """`on_error` is called on the loop when the disk has failed; `error` says how. `on_made`
        is told of each movie that was closed, on the writer thread."""
        self.files = 0
        self.current: OpenMovie | None = None
        self._shelf = shelf
        self.sync_s = sync_s
        """How often what was written is flushed through to the disk."""
        self._loop = asyncio.get_running_loop()
        self._on_error = on_error
        self._on_made = on_made
        self._writer = Writer(self._failed, volume)
        self._lingering: OpenMovie | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._sync_timer: asyncio.TimerHandle | None = None

    @property
    def full(self) -> bool:
        """Whether the disk is too far behind to take more."""
        return self._writer.full

    @property
    def waiting_bytes(self) -> int:
        """What was given to the writer thread, and is not written yet."""
        return self._writer.waiting_bytes

    @property
    def error(self) -> Exception | None:
        """What went wrong with the disk, if anything did."""
        return self._writer.error

    def begin(
        self,
        video: VideoParams,
        audio: AudioParams | None,
        identity: Identity,
        start_us: int,
        because: str,
    ) -> OpenMovie:
        """Begin another movie at `start_us`, where the one before it ends."""
        if self.current is not None:
            self.current.end_us = start_us - self.current.start_us
            self._retire()
            self._lingering = self.current
        self.files += 1
        self.current = OpenMovie(video, audio, identity, start_us, because)
        self._writer.submit(partial(self.current.create, self._shelf))
        return self.current

    def add(self, movie: OpenMovie, sample: Sample, elapsed_us: int) -> None:
        """Add a sample to `movie`, taken `elapsed_us` after the start of the recording."""
        movie.add(sample, elapsed_us)
        if movie.pending_bytes >= FLUSH_BYTES:
            self._write(movie)
        elif self._timer is None:
            # all recordings write at the same instants: the loop and the writer wake up once
            now = self._loop.time()
            self._timer = self._loop.call_at(now - now % FLUSH_S + FLUSH_S, self.flush)

    def movie_at(self, elapsed_us: int) -> OpenMovie | None:
        """The movie that sound of that time belongs to; None where it is closed already."""
        for movie in (self.current, self._lingering):
            if movie is not None and elapsed_us >= movie.start_us:
                return movie
        return None

    def flush(self, *, through: bool = False) -> None:
        """Write what was gathered; `through` to the disk now, and not only when it is time."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        current = self.current
        if current is None:
            return
        if self._lingering is not None:
            if current.newest_us - current.start_us > LINGER_S * 1e6:
                self._retire()
            else:
                self._write(self._lingering)
        self._write(current)
        if through:
            self._sync()

    def cut(self, end_us: int | None = None) -> None:
        """End the newest movie, at `end_us` after the start of the recording if that is known.
        None follows until one is begun."""
        for timer in (self._timer, self._sync_timer):
            if timer is not None:
                timer.cancel()
        self._timer = self._sync_timer = None
        self._retire()
        if self.current is not None:
            if end_us is not None:
                self.current.end_us = end_us - self.current.start_us
            self._close_movie(self.current)
            self.current = None

    async def written(self) -> None:
        """Write what was gathered, and wait until it and all before it is in its files."""
        self.flush()
        await asyncio.wrap_future(self._writer.finished())

    async def close(self) -> None:
        """Close the movies; afterwards they are whole."""
        self.cut()
        # not in a thread of the loop's: those may all be waiting for names of lost cameras
        await _until_done(asyncio.wrap_future(self._writer.finished()))
        self._writer.close()

    def _write(self, movie: OpenMovie) -> None:
        if movie.pending:
            samples, nbytes = movie.pending, movie.pending_bytes
            movie.pending, movie.pending_bytes = [], 0
            self._writer.submit(partial(movie.append, samples), nbytes)
            if self._sync_timer is None:
                wait_s = max(0.0, self.sync_s - FLUSH_S)  # samples had to wait already
                self._sync_timer = self._loop.call_later(wait_s, self._sync)

    def _sync(self) -> None:
        """Flush what was written through to the disk."""
        if self._sync_timer is not None:
            self._sync_timer.cancel()
            self._sync_timer = None
        for movie in (self._lingering, self.current):
            if movie is not None:
                self._writer.submit(movie.sync)

    def _retire(self) -> None:
        """Close the lingering movie, if there is one."""
        movie, self._lingering = self._lingering, None
        if movie is not None:
            self._close_movie(movie)

    def _close_movie(self, movie: OpenMovie) -> None:
        self._write(movie)
        self._writer.always(partial(self._close_file, movie))

    # on the writer thread

    def _close_file(self, movie: OpenMovie) -> None:
        try:
            movie.close(self._shelf)
        except Exception as error:  # noqa: BLE001 - it is raised again where the recording ends
            self._writer.error = self._writer.error or error
            self._failed()
        made = movie.made()
        if made is not None:
            self._on_made(made)

    def _failed(self) -> None:
        self._loop.call_soon_threadsafe(self._on_error)


async def _until_done(work: asyncio.Future[None]) -> None:
    """Await `work` to its end even if cancelled meanwhile: a movie must be closed."""
    cancelled = False
    while not work.done():
        try:
            await asyncio.shield(work)
        except asyncio.CancelledError:
            cancelled = True
    if cancelled:
        raise asyncio.CancelledError
