"""Samples to movies: the sink of a recording.

Runs on the event loop and never blocks it: samples are placed in the movie's time and gathered;
every FLUSH_S they go to the writer thread as one fragment. A frame's place in the movie comes
from its wall time within a run, and from the monotonic clock across runs, so that a step of the
wall clock or another session never bends a movie's time.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Coroutine
from functools import partial

from camkeep.archive.writer import Writer
from camkeep.cameras.source import Notes
from camkeep.clock import Clock, WallUs
from camkeep.engine.openmovie import OpenMovie
from camkeep.engine.plan import Movie, Plan
from camkeep.engine.thinner import Thinner
from camkeep.media.mp4 import Identity
from camkeep.media.timeline import settled
from camkeep.model import AudioParams, Gap, Sample, VideoParams

FLUSH_S = 0.4
"""Age of the oldest sample at which a fragment goes to the disk: what a crash can cost."""
SETTLE_S = FLUSH_S
"""How long the first samples of a session wait for their times to settle."""
FLUSH_BYTES = 4 * 1024 * 1024
SYNC_S = 5.0
"""How often the file is flushed through to the disk: what a power cut can cost."""
LINGER_S = 1.0
"""How long a full movie stays open for sound that belongs to it."""
APART_US = 1_500_000
"""Sound whose time is further than this from its arrival is placed by arrival."""
LONGEST_GAP_US = 3_600_000_000
"""A camera that was away for longer goes on in another file: MP4 cannot hold any gap."""
RATE_FRAMES = 3000
"""Frames over which the delivered rate is measured at most."""


class Recorder:
    """The sink of one recording. `done` is set when the plan is fulfilled or the disk failed."""

    def __init__(self, plan: Plan, notes: Notes, camera: str, clock: Clock) -> None:
        self.done = asyncio.Event()
        self.ended = "the camera failed"
        self.movies: list[Movie] = []
        self.gaps: list[Gap] = []
        self.frames = self.bytes = self.drops = self.thinned = self.files = 0
        self._plan = plan
        self._notes = notes
        self._camera = camera
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._writer = Writer(lambda: self._loop.call_soon_threadsafe(self.done.set))
        self._open: OpenMovie | None = None
        self._lingering: OpenMovie | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._last_sync = self._loop.time()
        self._held: list[Sample] | None = None  # a session's first samples, until they settle
        self._settle: asyncio.TimerHandle | None = None
        self._session = 0
        self._run: tuple[int, int] | None = None
        self._away: str | None = None  # why there is no session, if there was one before
        self._epoch_wall = 0  # the wall time, in this run's terms, at which elapsed was 0
        self._first_arrival = 0
        self._elapsed_us = 0  # of the newest frame
        self._last_wall = WallUs(0)
        self._thinner = Thinner(plan.fps) if plan.fps is not None else None
        self._dropping = False
        self._complete = False  # the plan is fulfilled: nothing more belongs in a movie
        self._walls: deque[int] = deque(maxlen=RATE_FRAMES)  # of this run's frames

    # what the loop around the sessions tells

    def end(self, why: str) -> None:
        """Say that the recording is over; `close` is still to come."""
        if not self.done.is_set():
            self.ended = why
            self.done.set()

    def session_began(self) -> None:
        """The next sample is of another session."""
        self._session += 1
        self._held = []

    def session_ended(self, cause: str) -> None:
        """There will be no samples for a while, because of `cause`."""
        self._release()
        if self._run is not None and self._away is None:
            self._away = cause

    def __call__(self, sample: Sample) -> None:
        """Take a sample."""
        if self.done.is_set():
            return
        if self._held is None:
            self._take(sample)
            return
        self._held.append(sample)
        if self._settle is None:
            self._settle = self._loop.call_later(SETTLE_S, self._release)
        if self._plan.frames is not None and len(self._held) >= self._plan.frames:
            self._release()

    def _release(self) -> None:
        """Take the samples that were held, with the times that are known by now."""
        if self._settle is not None:
            self._settle.cancel()
            self._settle = None
        held, self._held = self._held, None
        for sample in settled(held or ()):
            self._take(sample)

    def _take(self, sample: Sample) -> None:
        if self._complete:
            return
        if isinstance(sample.params, AudioParams):
            self._take_audio(sample)
        else:
            self._take_video(sample, sample.params)

    # frames and sound

    def _take_video(self, sample: Sample, params: VideoParams) -> None:
        if self._full(sample):
            self.drops += 1
            return
        if self._run is None and not sample.key:
            return
        if (self._session, sample.run) != self._run:
            self._anchor(sample)
        elapsed = max(0, sample.wall - self._epoch_wall)
        self._walls.append(sample.wall)
        self._last_wall = sample.wall
        if self._over(elapsed):
            return
        if self._thinner is not None and not self._thinner.keeps(sample, elapsed):
            self.thinned += 1
            return
        current = self._open
        if current is None or (sample.key and self._must_switch(current, params, elapsed)):
            current = self._begin(sample, params, elapsed)
        elif params is not current.video and params != current.video:
            self.drops += 1  # other parameters without a key frame: nobody could decode it
            return
        if elapsed < current.start_us:
            self.drops += 1  # an open GOP: it needs pictures that are in the movie before
            return
        current.add(sample, elapsed)
        self._elapsed_us = max(self._elapsed_us, elapsed)
        self.frames += 1
        self.bytes += len(sample.data)
        if self.frames == self._plan.frames:
            self._fulfilled("all frames asked for are kept")
        self._schedule(current)

    def _take_audio(self, sample: Sample) -> None:
        current = self._open
        if current is None or not self._plan.audio or self._writer.full:
            return
        elapsed = sample.wall - self._epoch_wall
        by_arrival = (sample.arrival - self._first_arrival) // 1000
        if abs(elapsed - by_arrival) > APART_US:
            elapsed = by_arrival
        if elapsed < current.start_us and self._lingering is not None:
            current = self._lingering
        if elapsed >= current.start_us:
            current.add(sample, elapsed)
            self.bytes += len(sample.data)
            self._schedule(current)

    def _full(self, sample: Sample) -> bool:
        """Whether the disk is too far behind to take this frame; once it was, up to a key."""
        if self._writer.full:
            self._dropping = True
        elif sample.key:
            self._dropping = False
        return self._dropping

    def _anchor(self, sample: Sample) -> None:
        """Tie this run's wall time to the movie's time."""
        session_before = self._run[0] if self._run else self._session
        if self._run is None:
            self._first_arrival = sample.arrival
            elapsed = 0
        else:
            by_arrival = (sample.arrival - self._first_arrival) // 1000
            elapsed = max(by_arrival, self._elapsed_us + 1000)
            length_us = elapsed - self._elapsed_us
            if session_before != self._session or length_us > 1_000_000:
                cause = self._away or "the stream was interrupted"
                self.gaps.append(Gap(WallUs(sample.wall - length_us), sample.wall, cause))
        self._away = None
        self._walls.clear()
        self._run = (self._session, sample.run)
        self._epoch_wall = sample.wall - elapsed

    def _over(self, elapsed: int) -> bool:
        limit = self._plan.duration_s
        if limit is None or elapsed < limit * 1e6:
            return False
        if self._open is not None:
            self._open.end_us = round(limit * 1e6) - self._open.start_us
        self._fulfilled("the time asked for is over")
        return True

    # movies

    def _must_switch(self, current: OpenMovie, params: VideoParams, elapsed: int) -> bool:
        if params is not current.video and params != current.video:
            return True
        if elapsed - self._elapsed_us > LONGEST_GAP_US:
            return True
        limit = self._plan.segment_s
        return limit is not None and elapsed - current.start_us >= limit * 1e6

    def _begin(self, sample: Sample, params: VideoParams, elapsed: int) -> OpenMovie:
        if self._open is not None:
            self._open.end_us = elapsed - self._open.start_us
            self._retire()
            self._lingering = self._open
        self.files += 1
        path = self._plan.file(self.files)
        audio = self._notes.audio if self._plan.audio else None
        identity = Identity(self._camera, sample.run, self.files, sample.wall)
        self._open = OpenMovie(path, params, audio, identity, elapsed)
        self._writer.submit(partial(self._open.create, self._plan.overwrite))
        return self._open

    def _schedule(self, movie: OpenMovie) -> None:
        if movie.pending_bytes >= FLUSH_BYTES:
            self._flush(movie)
        elif self._timer is None:
            self._timer = self._loop.call_later(FLUSH_S, self._tick)

    def _tick(self) -> None:
        self._timer = None
        now = self._loop.time()
        sync = now - self._last_sync >= SYNC_S
        if self._lingering is not None and self._open is not None:
            late = self._elapsed_us - self._open.start_us > LINGER_S * 1e6
            if late:
                self._retire()
            else:
                self._flush(self._lingering)
        if self._open is not None:
            self._flush(self._open)
            if sync:
                self._last_sync = now
                self._writer.submit(self._open.sync)

    def _flush(self, movie: OpenMovie) -> None:
        if movie.pending:
            samples, nbytes = movie.pending, movie.pending_bytes
            movie.pending, movie.pending_bytes = [], 0
            self._writer.submit(partial(movie.append, samples), nbytes)

    def _retire(self) -> None:
        """Close the lingering movie, if there is one."""
        movie, self._lingering = self._lingering, None
        if movie is not None:
            self._close_movie(movie)

    def _close_movie(self, movie: OpenMovie) -> None:
        self._flush(movie)
        self._writer.always(partial(self._close_file, movie))

    def _close_file(self, movie: OpenMovie) -> None:  # on the writer thread
        try:
            movie.close()
        except Exception as error:  # noqa: BLE001 - it is raised again where the recording ends
            self._writer.error = self._writer.error or error
            self._loop.call_soon_threadsafe(self.done.set)
        made = movie.made()
        if made is not None:
            self.movies.append(made)

    def _fulfilled(self, why: str) -> None:
        self.ended = why
        self._complete = True
        self.done.set()

    # the end, and what there is to tell

    @property
    def elapsed_s(self) -> float:
        """Time from the first frame to the newest."""
        return self._elapsed_us / 1e6

    def since_first_s(self) -> float:
        """Time since the first frame came, 0 before it."""
        if self._run is None:
            return 0.0
        return (self._clock.mono() - self._first_arrival) / 1e9

    @property
    def measured_fps(self) -> float | None:
        """Frames a second of this run, lately; before any are left out."""
        if len(self._walls) < 2:
            return None
        span = max(self._walls) - min(self._walls)
        return (len(self._walls) - 1) * 1e6 / span if span else None

    @property
    def error(self) -> Exception | None:
        """What went wrong with the disk, if anything did."""
        return self._writer.error

    async def close(self) -> None:
        """Close the movies; afterwards they are whole and `movies` lists them."""
        self._release()
        self.done.set()
        if self._timer is not None:
            self._timer.cancel()
        if self._away is not None:
            self.gaps.append(Gap(self._last_wall, self._clock.wall(), self._away))
        self._retire()
        if self._open is not None:
            self._close_movie(self._open)
            self._open = None
        await _until_done(asyncio.to_thread(self._writer.close))


async def _until_done(work: Coroutine[None, None, None]) -> None:
    """Await `work` to its end even if cancelled meanwhile: a movie must be closed."""
    task = asyncio.ensure_future(work)
    cancelled = False
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            cancelled = True
    if cancelled:
        raise asyncio.CancelledError
