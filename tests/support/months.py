"""Months of an archive in simulated time: cameras that record, clocks that err, people who hold
and release clips and change their minds about quotas, and a plan whenever a segment is closed.

Nothing is written. What must hold of every plan, whatever happens, is checked here.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import chain
from typing import NamedTuple

from camkeep.archive.ageclock import AgeClock, Reckoning
from camkeep.archive.holds import Holds
from camkeep.archive.retention import CameraUsage, Excess, Policy, Usage, excess, plan_deletions
from camkeep.clock import MonoNs, WallUs
from camkeep.model import CameraId, Segment, SegmentState
from support.footage import HOUR, WALL0, segment


class Habit(NamedTuple):
    """How a camera records."""

    period_us: int
    """Of a segment."""
    size: int
    """Of a segment, mostly; they vary from nothing to three times this."""
    outages: float = 0.0
    """How often a segment is followed by an outage, of up to 48 segments."""
    steady: bool = False
    """Whether all segments have the same size."""


class Err(NamedTuple):
    """A time, after the beginning, in which the wall clock is wrong."""

    start_us: int
    end_us: int
    by_us: int


@dataclass
class Archive:
    """What is kept and held, and the clocks."""

    habits: dict[CameraId, Habit]
    policy: Policy
    rng: random.Random
    errors: tuple[Err, ...] = ()
    capacity: int | None = None
    most: int = 1000

    def __post_init__(self) -> None:
        self.kept: dict[CameraId, dict[int, Segment]] = {camera: {} for camera in self.habits}
        self.bytes = dict.fromkeys(self.habits, 0)
        self.growing: dict[CameraId, Segment] = {}
        self.newest: dict[CameraId, int] = dict.fromkeys(self.habits, 0)  # size of the last closed
        self.taken: dict[tuple[CameraId, int], int] = {}  # true ends, where stamps are right, too
        self.holds: list[tuple[CameraId, int, int | None]] = []
        self.held = Holds({})
        self.true_us = WALL0
        self.others_bytes = 0  # on the volume, of somebody else
        self.age_clock = AgeClock()
        self.settled: tuple[Policy, int, Excess] | None = None  # how the last plan left things
        self._next = {
            camera: WALL0 + self.rng.randrange(habit.period_us)
            for camera, habit in self.habits.items()
        }
        self._sequence = dict.fromkeys(self.habits, 0)
        self._away = dict.fromkeys(self.habits, 0)  # for how many segments more
        self._right: dict[CameraId, bool] = {}

    @property
    def error_us(self) -> int:
        """By how much the wall clock is wrong."""
        return sum(e.by_us for e in self.errors if e.start_us <= self.true_us - WALL0 < e.end_us)

    def reckon(self) -> Reckoning:
        mono = MonoNs((self.true_us - WALL0) * 1000)
        return self.age_clock.read(mono, WallUs(self.true_us + self.error_us))

    def restart(self) -> None:
        """The process begins anew at once; the clocks go on."""
        self.reckon()
        self.age_clock = AgeClock(saved=self.age_clock.state)
        self.reckon()

    def hold(self, camera: CameraId, start: int, end: int | None) -> None:
        self.holds.append((camera, start, end))
        self._hold_all()

    def release(self) -> None:
        """The oldest hold ends."""
        del self.holds[:1]
        self._hold_all()

    def _hold_all(self) -> None:
        self.held = Holds(
            {
                camera: [
                    (WallUs(start), None if end is None else WallUs(end))
                    for of, start, end in self.holds
                    if of == camera
                ]
                for camera in self.habits
            }
        )

    def usage(self) -> Usage:
        growing = {camera: each.size for camera, each in self.growing.items()}
        usage = Usage(
            {
                camera: CameraUsage(self.bytes[camera], growing.get(camera, 0))
                for camera in self.habits
            }
        )
        if self.capacity is None:
            return usage
        return replace(usage, free_bytes=self.capacity - usage.total_bytes - self.others_bytes)

    def candidates(self, camera: CameraId) -> Iterator[Segment]:
        """What may go, found out by a way of its own."""
        spans = [(start, end) for of, start, end in self.holds if of == camera]
        for each in self.kept[camera].values():
            if not any(
                each.end > start and (end is None or each.start < end) for start, end in spans
            ):
                yield each

    def record(self) -> None:
        """Time goes on to the next end of a segment."""
        camera = min(self._next, key=lambda name: (self._next[name], name))
        passed, self.true_us = self._next[camera] - self.true_us, self._next[camera]
        for name, grown in self.growing.items():
            habit = self.habits[name]
            growth = habit.size * passed / habit.period_us
            if not habit.steady:
                growth *= self.rng.choice((0, 0.5, 1, 1, 3))
            self.growing[name] = replace(grown, size=grown.size + round(growth))
        self._close(camera)
        habit = self.habits[camera]
        self._next[camera] += habit.period_us
        self._away[camera] = max(0, self._away[camera] - 1)
        if self.rng.random() < habit.outages:
            self._away[camera] = self.rng.randrange(1, 48)
        if not self._away[camera]:
            self._sequence[camera] += 1
            stamp = self.true_us + self.error_us
            self.growing[camera] = segment(
                camera, self._sequence[camera], stamp, 0, 0, SegmentState.OPEN
            )
            self._right[camera] = not self.error_us

    def _close(self, camera: CameraId) -> None:
        done = self.growing.pop(camera, None)
        if done is None:
            return
        state = SegmentState.DAMAGED if self.rng.random() < 0.01 else SegmentState.CLOSED
        done = replace(done, duration_us=self.habits[camera].period_us, state=state)
        self.kept[camera][done.sequence] = done
        self.bytes[camera] += done.size
        self.newest[camera] = done.size
        if self._right[camera]:
            self.taken[camera, done.sequence] = self.true_us

    def thin_out(self) -> list[Segment]:
        """Plans, carried out, until one is not full."""
        found = []
        full = True
        self._check_growth()
        while full:
            doomed = self._plan()
            found += doomed
            full = len(doomed) == self.most
        self._check_result()
        return found

    def _plan(self) -> list[Segment]:
        reckoning, usage = self.reckon(), self.usage()
        oldest = {
            camera: chain(kept.values(), [self.growing[camera]] if camera in self.growing else [])
            for camera, kept in self.kept.items()
        }
        doomed = plan_deletions(
            oldest,
            self.policy,
            usage,
            self.held,
            reckoning.now,
            latest=reckoning.latest,
            most=self.most,
        )
        self._check(doomed, usage)
        for each in doomed:
            del self.kept[each.camera][each.sequence]
            self.bytes[each.camera] -= each.size
        return doomed

    def _check(self, doomed: list[Segment], usage: Usage) -> None:
        assert len(doomed) <= self.most
        for camera in self.habits:
            mine = [each.sequence for each in doomed if each.camera == camera]
            first = self.candidates(camera)
            assert mine == [next(first).sequence for _ in mine], "the first recorded goes first"
        if doomed and not self._needed(doomed, usage):  # then all went by their age alone
            for each in doomed:
                age_s = self.policy.age_s(each.camera)
                assert age_s is not None, "nothing goes that need not"
                taken = self.taken.get((each.camera, each.sequence))
                true_age_us = self.true_us - (taken or 0)
                assert true_age_us >= age_s * 1e6 - 60_000_000, "nothing goes because of a clock"

    def _needed(self, doomed: list[Segment], usage: Usage) -> bool:
        """Whether the last of them had to go because of a quota."""
        cameras = dict(usage.cameras)
        for each in doomed[:-1]:
            used = cameras[each.camera]
            cameras[each.camera] = replace(used, kept_bytes=used.kept_bytes - each.size)
        freed = sum(each.size for each in doomed[:-1])
        free = None if usage.free_bytes is None else usage.free_bytes + freed
        above = excess(self.policy, Usage(cameras, free))
        return doomed[-1].camera in above.cameras or above.overall > 0 or above.free > 0

    def _check_growth(self) -> None:
        """Between two plans: less than a segment above what was there, or above the quota."""
        if self.settled is None or self.settled[0] is not self.policy:
            return
        _, others, was = self.settled
        above = excess(self.policy, self.usage())
        growth = {
            camera: max(self.newest[camera], self.growing[camera].size)
            if camera in self.growing
            else self.newest[camera]
            for camera in self.habits
        }
        for camera, too_much in above.cameras.items():
            assert too_much <= was.cameras.get(camera, 0) + growth[camera]
        assert above.overall <= was.overall + sum(growth.values())
        assert above.free <= was.free + sum(growth.values()) + max(0, self.others_bytes - others)

    def _check_result(self) -> None:
        """After the plans: no limit is exceeded, unless nothing is left that may go."""
        above = excess(self.policy, self.usage())
        for camera in above.cameras:
            assert next(self.candidates(camera), None) is None
        if above.overall or above.free:
            assert all(next(self.candidates(camera), None) is None for camera in self.habits)
        self.settled = self.policy, self.others_bytes, above


def run(archive: Archive, days: float, before: Callable[[], object] = lambda: None) -> None:
    """Let `days` pass; `before` is called before the plans of each segment."""
    until = archive.true_us + round(days * 24 * HOUR)
    while archive.true_us < until:
        archive.record()
        before()
        archive.thin_out()
