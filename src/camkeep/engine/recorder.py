"""Samples to movies: the sink of a recording, which decides what is kept and where it belongs.

Runs on the event loop. A frame's place in the movie comes from its wall time within a run, and
from the monotonic clock across runs, so that a step of the wall clock or another session never
bends a movie's time. `reel` writes what is decided here.
"""

from __future__ import annotations

import asyncio
from collections import deque

from camkeep.archive.writer import Volume
from camkeep.cameras.source import Notes
from camkeep.clock import Clock, WallUs
from camkeep.engine.causes import cause_of
from camkeep.engine.openmovie import OpenMovie
from camkeep.engine.plan import Movie, Plan
from camkeep.engine.reel import Reel
from camkeep.engine.settling import Settling
from camkeep.engine.shelf import NamedFiles
from camkeep.engine.thinner import Thinner
from camkeep.errors import CameraError, StreamBroken
from camkeep.media.mp4 import Identity
from camkeep.model import AudioParams, Gap, Sample, VideoParams

EARLY_US = 1_500_000
LATE_US = 10_000_000
"""Sound that was taken longer than this after or before its arrival is placed by its arrival.
Before is usual: cameras begin with a burst of what is some seconds old."""
CATCH_UP = 4
"""How many times closer frames stand while the movie is ahead of the world."""
LONGEST_GAP_US = 3_600_000_000
"""A camera that was away for longer goes on in another file: MP4 cannot hold any gap."""
RATE_FRAMES = 3000
"""Frames over which the delivered rate is measured at most."""


class Recorder:
    """The sink of one recording. `done` is set when the plan is fulfilled or the disk failed."""

    def __init__(
        self,
        plan: Plan,
        notes: Notes,
        camera: str,
        clock: Clock,
        volume: Volume | None = None,
    ) -> None:
        self.done = asyncio.Event()
        self.ended = "the camera failed"
        self.gaps: list[Gap] = []
        self.movies: list[Movie] = []
        """Those that are closed."""
        self.frames = self.bytes = self.drops = self.thinned = 0
        self._plan = plan
        self._notes = notes
        self._camera = camera
        self._clock = clock
        files = NamedFiles(plan.names(), overwrite=plan.overwrite)
        self._reel = Reel(files, self.done.set, volume, on_made=self.movies.append)
        self._settling = Settling(self._take, self._reel.flush, plan.frames)
        self._session = 0
        self._run: tuple[int, int] | None = None
        self._away: CameraError | None = None  # why there is no session, if there was one before
        self._epoch_wall = 0  # the wall time, in this run's terms, at which elapsed was 0
        self._epoch_mono = 0  # ... and the monotonic time, µs
        self._level_us = 0  # up to where this run has to catch up
        self._elapsed_us = 0  # of the newest frame, kept or left out
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
        self._settling.session_began()

    def session_ended(self, error: CameraError) -> None:
        """There will be no samples for a while, because of `error`."""
        self._settling.release()
        self._reel.flush(through=True)
        if self._run is not None and self._away is None:
            self._away = error

    def __call__(self, sample: Sample) -> None:
        """Take a sample."""
        if self.done.is_set():
            return
        self._settling.add(sample)

    def _take(self, sample: Sample, late_us: int) -> None:
        """Take a sample that was taken at least `late_us` before it arrived."""
        if self._complete:
            return
        if isinstance(sample.params, AudioParams):
            self._take_audio(sample)
        else:
            self._take_video(sample, sample.params, late_us)

    # frames and sound

    def _take_video(self, sample: Sample, params: VideoParams, late_us: int) -> None:
        if self._full(sample):
            self.drops += 1
            return
        if self._run is None and not sample.key:
            return
        if (self._session, sample.run) != self._run:
            self._anchor(sample, late_us)
        elapsed = max(0, self._in_movie(sample.wall - self._epoch_wall))
        self._walls.append(sample.wall)
        self._last_wall = sample.wall
        if self._over(elapsed):
            return
        self._elapsed_us = max(self._elapsed_us, elapsed)
        if self._thinner is not None and not self._thinner.keeps(sample, elapsed):
            self.thinned += 1
            return
        current = self._reel.current
        if current is None:
            current = self._begin(sample, params, elapsed, "")
        elif sample.key and (why := self._must_switch(current, params, elapsed)) is not None:
            current = self._begin(sample, params, elapsed, why)
        elif params is not current.video and params != current.video:
            self.drops += 1  # other parameters without a key frame: nobody could decode it
            return
        if elapsed < current.start_us:
            self.drops += 1  # an open GOP: it needs pictures that are in the movie before
            return
        self.frames += 1
        self.bytes += len(sample.data)
        self._reel.add(current, sample, elapsed)
        if self.frames == self._plan.frames:
            self._fulfilled("all frames asked for are kept")

    def _take_audio(self, sample: Sample) -> None:
        if self._run is None or not self._plan.audio or self._reel.full:
            return
        elapsed = sample.wall - self._epoch_wall
        by_arrival = sample.arrival // 1000 - self._epoch_mono
        if not -EARLY_US <= by_arrival - elapsed <= LATE_US:
            elapsed = by_arrival
        elapsed = self._in_movie(elapsed)
        movie = self._reel.movie_at(elapsed)
        if movie is not None and (sample.params is movie.audio or sample.params == movie.audio):
            self.bytes += len(sample.data)
            self._reel.add(movie, sample, elapsed)

    def _full(self, sample: Sample) -> bool:
        """Whether the disk is too far behind to take this frame; once it was, up to a key."""
        if self._reel.full:
            self._dropping = True
        elif sample.key:
            self._dropping = False
        return self._dropping

    def _anchor(self, sample: Sample, late_us: int) -> None:
        """Tie this run's wall time to the movie's time."""
        taken = sample.arrival // 1000 - max(0, late_us)
        if self._run is None:
            self._epoch_mono = taken
        elapsed = taken - self._epoch_mono
        if self._run is not None:
            self._catch_up(elapsed)
            length_us = self._in_movie(elapsed) - self._elapsed_us
            if self._run[0] != self._session or length_us > 1_000_000:
                why = self._away or StreamBroken("the stream was interrupted")
                self._note_gap(WallUs(sample.wall - length_us), sample.wall, why)
        self._away = None
        self._walls.clear()
        self._run = (self._session, sample.run)
        self._epoch_wall = sample.wall - elapsed

    def _note_gap(self, start: WallUs, end: WallUs, error: CameraError) -> None:
        self.gaps.append(Gap(start, end, cause_of(error), error.message))

    def _catch_up(self, elapsed: int) -> None:
        """A run begins at `elapsed`, which may be before the end of the last one: that had a
        clock that ran fast, or this one repeats what was sent before. Then it begins behind
        that end, and its frames stand closer by CATCH_UP until they are back at their times."""
        begin = self._elapsed_us + 1000
        overlaps = elapsed < begin
        self._level_us = (CATCH_UP * begin - elapsed) // (CATCH_UP - 1) if overlaps else 0

    def _in_movie(self, elapsed: int) -> int:
        """Where in the movie belongs what was taken `elapsed` after its start. Keeps order."""
        behind = self._level_us - elapsed
        return elapsed if behind <= 0 else self._level_us - behind // CATCH_UP

    def _over(self, elapsed: int) -> bool:
        limit = self._plan.duration_s
        if limit is None or elapsed < limit * 1e6:
            return False
        if self._reel.current is not None:
            self._reel.current.end_us = round(limit * 1e6) - self._reel.current.start_us
        self._fulfilled("the time asked for is over")
        return True

    # movies

    def _must_switch(self, current: OpenMovie, params: VideoParams, elapsed: int) -> str | None:
        """Why another movie begins with this key frame; None where it goes on in this one."""
        if params is not current.video and params != current.video:
            return f"the picture is now {params.width}x{params.height}, {params.codec_string}"
        sound = self._notes.audio
        changed = sound is not current.audio and sound != current.audio
        if self._plan.audio and sound is not None and changed:
            return f"the sound is now {sound.codec_string}, {sound.sample_rate} Hz"
        if elapsed - current.newest_us > LONGEST_GAP_US:
            return "there was nothing to record for more than an hour"
        limit = self._plan.segment_s
        return "" if limit is not None and elapsed - current.start_us >= limit * 1e6 else None

    def _begin(self, sample: Sample, params: VideoParams, elapsed: int, because: str) -> OpenMovie:
        audio = self._notes.audio if self._plan.audio else None
        identity = Identity(self._camera, sample.run, self._reel.files + 1, sample.wall)
        return self._reel.begin(params, audio, identity, elapsed, because)

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
        return (self._clock.mono() // 1000 - self._epoch_mono) / 1e6

    @property
    def measured_fps(self) -> float | None:
        """Frames a second of this run, lately; before any are left out."""
        if len(self._walls) < 2:
            return None
        span = max(self._walls) - min(self._walls)
        return (len(self._walls) - 1) * 1e6 / span if span else None

    @property
    def files(self) -> int:
        """How many movies were begun."""
        return self._reel.files

    @property
    def error(self) -> Exception | None:
        """What went wrong with the disk, if anything did."""
        return self._reel.error

    async def close(self) -> None:
        """Close the movies; afterwards they are whole and `movies` lists them."""
        self._settling.release()
        self.done.set()
        if self._away is not None:
            self._note_gap(self._last_wall, self._clock.wall(), self._away)
        await self._reel.close()
