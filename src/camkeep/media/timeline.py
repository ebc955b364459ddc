"""Media time to wall time. Pure; docs/time.md gives the reasons.

A camera's clock says exactly how far apart two frames were taken, but not when; the arrival
says when, but late by an unknown and changing delay. The least-delayed arrivals come closest to
the truth, so the timeline follows them: `offset` is (arrival - media time), and the smallest
offset seen lately is where the mapping wants to be. It gets there by at most 500 ppm, so that
distances between frames stay true, except in the first seconds of a run, where it may move to
an earlier arrival as fast as order allows, because cameras begin with a burst or a late frame.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from camkeep.clock import MonoNs, WallUs
from camkeep.model import Sample

SECOND = 1_000_000_000
SLEW_PER_S = 500_000
"""Most nanoseconds that the mapping may stretch or shrink a second: 500 ppm."""
DRIFT_NS = SECOND
"""Beyond this distance between mapping and arrivals, samples do not belong to one run."""
LATE_NS = 2 * SECOND
"""How long arrivals may all be late by more than DRIFT_NS (a stalled network catching up)."""
SETTLE_NS = 3 * SECOND
"""How long after its beginning a run may still find its anchor."""
BURST_NS = 10 * SECOND
"""The longest burst of old frames that a camera may begin with."""
WINDOW_NS = 3 * SECOND
"""The least-delayed arrival is that of the last one to two windows."""
WRONG_RUNS = 2
WRONG_RUN_NS = 300 * SECOND
"""After so many runs in a row, none of them longer, that ended because stamps and arrivals had
drifted apart, the camera's clock counts as running at a wrong rate."""
STILL = 3
"""Equal time stamps in a row after which the camera's clock counts as standing still."""

Oddity = Literal["jump", "doubled"]


class Placed(NamedTuple):
    """A sample's place in time."""

    ticks: int
    """Unwrapped media time; never the same twice in a row."""
    wall: WallUs
    run: int
    oddity: Oddity | None
    """"jump": the stream's or the wall clock jumped, a new run began. "doubled": the sample
    carried the time of the one before it and was set a tick (or its arrival) later."""


class Timeline:
    """Places the samples of one track of one session. Call `place` in order of arrival.

    `wrap_bits` is the width of the time stamps: 32 for RTP, 0 for stamps that do not wrap.
    `ordered` is False where samples may come in another order than they are shown (B-frames);
    the anchor then moves more gently, so that no frame overtakes another.
    """

    def __init__(self, timescale: int, wrap_bits: int = 32, *, ordered: bool = True) -> None:
        self._timescale = timescale
        self._half = 1 << (wrap_bits - 1) if wrap_bits else 0
        self._mask = (1 << wrap_bits) - 1
        self._ordered = ordered
        self._settle_num, self._settle_den = (3, 4) if ordered else (1, 8)
        self._run = 0
        self._begun = False  # whether any sample was placed
        self._anchored = False  # whether the present run has an anchor
        self._raw = 0  # the last time stamp as it came
        self._ticks = 0  # ... and unwrapped
        self._borrowed = 0  # ticks given to doubled samples ahead of the camera's clock
        self._still = 0  # doubled samples in a row
        self._wrong_runs = 0  # runs in a row that drifted away
        self._arrival = 0
        self._newest = 0  # media time of the newest sample of the run, ns
        self._start = 0  # arrival of the first sample of the run
        self._offset = 0  # arrival - media time, ns
        self._wall_offset = 0  # wall - monotonic, ns
        self._late_since: int | None = None
        self._window_start = 0
        self._least = 0  # smallest offset of this window
        self._least_before = 0  # ... and of the one before it

    def place(self, raw_ticks: int, arrival: MonoNs, wall: WallUs) -> Placed:
        """Place the sample whose stream time stamp is `raw_ticks`.

        `arrival` and `wall` are this machine's two clocks, read when the sample's first byte
        was here.
        """
        oddity: Oddity | None = None
        step = self._step(raw_ticks, arrival)
        if self._still:
            oddity = "doubled"
        self._ticks += step
        self._arrival = arrival
        media = self._ticks * SECOND // self._timescale
        wall_offset = wall * 1000 - arrival
        if self._anchored and self._jumped(step, arrival, media, wall_offset):
            self._judge(step, arrival, wall_offset)
            self.new_run()
            oddity = "jump"
        if not self._anchored:
            self._anchor(arrival, media, wall_offset)
        elif media > self._newest:
            self._follow(arrival, media, wall_offset)
        placed = (media + self._offset + self._wall_offset) // 1000
        return Placed(self._ticks, WallUs(placed), self._run, oddity)

    def new_run(self) -> None:
        """The next sample does not follow the last one (something was lost)."""
        if self._anchored:
            self._run += 1
            self._anchored = False

    def _step(self, raw: int, arrival: int) -> int:
        """Ticks from the last sample to this one; updates what belongs to the raw stamps."""
        if not self._begun:
            self._begun, self._raw = True, raw
            return raw
        if self._wrong_runs >= WRONG_RUNS:  # its order may be right, its rate is not
            self._still = 0
            return max(1, (arrival - self._arrival) * self._timescale // SECOND)
        step = raw - self._raw
        if self._half:
            step = ((step + self._half) & self._mask) - self._half
        self._raw = raw
        if step == 0:
            self._still += 1
            if self._still < STILL:
                self._borrowed += 1
                return 1
            # the clock stands still: let arrivals be the clock, as with JPEG over HTTP
            return max(1, (arrival - self._arrival) * self._timescale // SECOND)
        self._still = 0
        borrowed, self._borrowed = self._borrowed, 0
        return max(1, step - borrowed) if step > 0 else step

    def _jumped(self, step: int, arrival: int, media: int, wall_offset: int) -> bool:
        """Whether this sample cannot belong to the run: a clock was set or reset."""
        if abs(wall_offset - self._wall_offset) > DRIFT_NS:
            return True
        if step * SECOND < -DRIFT_NS * self._timescale:
            return True
        late = arrival - media - self._offset
        settling = arrival - self._start < SETTLE_NS
        if late < -(BURST_NS if settling else DRIFT_NS):
            return True
        if late <= DRIFT_NS:
            self._late_since = None
            return False
        if self._late_since is None:
            self._late_since = arrival
        return arrival - self._late_since > LATE_NS

    def _judge(self, step: int, arrival: int, wall_offset: int) -> None:
        """A run ends: whether because the camera's clock runs at a wrong rate. Arrivals cannot
        take its place where frames come out of order."""
        no_jump = abs(step) * SECOND <= DRIFT_NS * self._timescale
        if abs(wall_offset - self._wall_offset) <= DRIFT_NS and no_jump and self._ordered:
            short = arrival - self._start <= WRONG_RUN_NS
            self._wrong_runs = self._wrong_runs + 1 if short else 0

    def _anchor(self, arrival: int, media: int, wall_offset: int) -> None:
        self._anchored = True
        self._late_since = None
        self._start = self._window_start = arrival
        self._newest = media
        self._wall_offset = wall_offset
        self._offset = self._least = self._least_before = arrival - media

    def _follow(self, arrival: int, media: int, wall_offset: int) -> None:
        """Move the mapping towards the least-delayed arrivals, by as much as is allowed."""
        offset = arrival - media
        if arrival - self._window_start > WINDOW_NS:
            self._least_before, self._least = self._least, offset
            self._window_start = arrival
        elif offset < self._least:
            self._least = offset
        passed = media - self._newest
        self._newest = media
        slew = passed * SLEW_PER_S // SECOND
        wanted = min(self._least, self._least_before) - self._offset
        if wanted < 0 and arrival - self._start < SETTLE_NS:
            self._offset += max(wanted, -passed * self._settle_num // self._settle_den)
        else:
            self._offset += max(-slew, min(slew, wanted))
        self._wall_offset += max(-slew, min(slew, wall_offset - self._wall_offset))


def settled(samples: Sequence[Sample]) -> list[Sample]:
    """The first samples of a session with the times that are known by the last of them.

    The anchor of a run moves most in its first moments, and samples placed before it moved
    stand too late and too close. Each sample gets the place that the newest one of its track
    and run implies; those of runs that ended meanwhile stay as they are.
    """
    newest = {sample.is_video: sample for sample in samples}
    found = []
    for sample in samples:
        last = newest[sample.is_video]
        if sample.run == last.run and sample.params.timescale == last.params.timescale:
            apart = (last.ticks - sample.ticks) * 1_000_000 // last.params.timescale
            sample = sample._replace(wall=WallUs(last.wall - apart))
        found.append(sample)
    return found
