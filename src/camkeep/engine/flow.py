"""Where the frames of a camera belong in the world's time, and where they stop following each
other. Pure; the archive's counterpart of what `recorder` does for a single movie.

A sample's wall time is right within a run. From one run to the next three things happen, told
apart here: the runs join (a packet was lost); time is missing between them; or the second begins
before the first ended, because a camera's clock ran fast or a server repeats what it sent. Then
its frames stand closer until they are back at their times, so that no two overlap.
"""

from __future__ import annotations

from dataclasses import dataclass

from camkeep.clock import WallUs
from camkeep.model import Cause, Sample

JOIN_US = 1_000_000
"""Runs of a session that lie no farther apart are one."""
STALL_US = 3_000_000
STALL_FRAMES = 8
"""A camera from which nothing came for so long, and for so many times its usual distance of
frames, was not merely slow."""
STEP_US = 1_000_000
"""A change of the wall clock against the monotonic one that is larger is a step."""
CATCH_UP = 4
"""How many times closer frames stand while they are ahead of the world."""
REPEAT_US = 15_000_000
"""How much of what was sent before a server repeats at most. What begins still earlier was placed
by a clock that was set back since."""
LONGEST_FRAME_US = 10_000_000
"""How long the last frame before a break is taken to last at most."""
EARLY_US = 1_500_000
LATE_US = 10_000_000
"""Sound that was taken longer than this after or before its arrival is placed by its arrival.
Before is usual: cameras begin with a burst of what is some seconds old."""


@dataclass(frozen=True, slots=True)
class Break:
    """What comes does not follow what was."""

    cause: Cause
    detail: str


class Flow:
    """The frames of one camera, one after the other. `begin` places the first after a break,
    `add` each that follows; `breaks` is asked before."""

    def __init__(self) -> None:
        self._key: tuple[int, int] | None = None  # session and run of the last frame
        self._wall = 0  # where the newest frame was placed
        self._arrival_us = 0
        self._steps: tuple[int, int] = (0, 0)  # the last two distances of frames
        self._shift_us = 0  # what is added until the next key frame
        self._level_us = 0  # up to where frames have to catch up
        self._offset_us = 0  # wall clock minus monotonic clock at the last `begin`

    @property
    def end(self) -> WallUs:
        """When the newest frame ends, as far as can be told: as long as one before it."""
        known = [step for step in self._steps if step > 0]
        return WallUs(self._wall + min(*known, LONGEST_FRAME_US) if known else self._wall + 40_000)

    def breaks(self, sample: Sample, session: int) -> Break | None:
        """Whether `sample`, a frame, does not follow the one before."""
        if self._key is None:
            return None
        if self._key[0] != session:
            return Break(Cause.BROKEN, "the stream was interrupted")
        apart = sample.wall - self._wall
        if self._key == (session, sample.run) and not self._shift_us:
            usual = max(self._steps)
            if apart > max(STALL_US, STALL_FRAMES * usual) and usual:
                return Break(Cause.STALLED, "no picture came for a while")
            return None
        if sample.key and not -JOIN_US // 2 <= apart <= JOIN_US:
            return Break(Cause.BROKEN, "the stream or a clock jumped")
        return None

    def step_us(self, offset_us: int) -> int:
        """By how much the wall clock was set forward since `begin`; 0 for what is no step.
        `offset_us` is the wall clock minus the monotonic clock, now."""
        step = offset_us - self._offset_us
        return step if self._key is not None and abs(step) > STEP_US else 0

    def begin(self, sample: Sample, session: int, offset_us: int, after: WallUs | None) -> WallUs:
        """Place a key frame that follows nothing, or a break. No earlier than `after`, where
        what is kept ended, unless the wall clock was set back."""
        self._level_us = 0
        self._shift_us = 0
        set_back = self.step_us(offset_us) < 0
        if after is not None and not set_back and 0 < after - sample.wall <= REPEAT_US:
            self._level_us = (CATCH_UP * (after + 1000) - sample.wall) // (CATCH_UP - 1)
        self._offset_us = offset_us
        self._key = (session, sample.run)
        self._steps = (0, 0)
        self._wall = self._placed(sample.wall)
        self._arrival_us = sample.arrival // 1000
        return WallUs(self._wall)

    def add(self, sample: Sample, session: int) -> WallUs:
        """Place a frame that follows the one before."""
        key = (session, sample.run)
        if key != self._key:
            self._join(sample)
            self._key = key
        elif sample.key and self._shift_us:
            self._shift_us = 0
        wall = self._placed(sample.wall + self._shift_us)
        if wall > self._wall:
            self._steps = (self._steps[1], wall - self._wall)
            self._wall = wall
            self._arrival_us = sample.arrival // 1000
        return WallUs(wall)

    def sound(self, sample: Sample) -> WallUs:
        """Place sound."""
        by_arrival = sample.arrival // 1000 + self._offset_us
        wall = sample.wall + self._shift_us
        if not -EARLY_US <= by_arrival - wall <= LATE_US:
            wall = by_arrival
        return WallUs(self._placed(wall))

    def _join(self, sample: Sample) -> None:
        """Another run of the session goes on where the last one ended. A frame that is no key
        frame cannot begin a segment: until the next one does, it stands where its arrival says."""
        expected = self._wall + sample.arrival // 1000 - self._arrival_us
        self._shift_us = 0
        if not sample.key and abs(expected - sample.wall) > JOIN_US:
            self._shift_us = max(expected, self._wall + 1) - sample.wall
        elif sample.wall <= self._wall:
            begin = self._wall + 1000
            self._level_us = (CATCH_UP * begin - sample.wall) // (CATCH_UP - 1)

    def _placed(self, wall: int) -> int:
        behind = self._level_us - wall
        return wall if behind <= 0 else self._level_us - behind // CATCH_UP
