"""Clocks that are set, and summer time: row F8 of what must be survived, picture by picture."""

from __future__ import annotations

import asyncio
import statistics
import time
from bisect import bisect_right
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest

from camkeep.cameras.simulate import Simulator, SimulatorOptions
from camkeep.cameras.testcard import read_number
from camkeep.clock import WallUs
from camkeep.model import Cause
from support.aftermath import Aftermath
from support.fakedclock import Faked
from support.keepprocess import keeping, sent_by

CAMERA = SimulatorOptions(width=320, height=240, fps=10)
OPTIONS = ("--segment", "5s", "--max-age", "1h")
RIGHT_AFTER_S = 2.0
"""From a step of the clock until times are right again: a second to notice it, which is how often
libfaketime looks, and a second for the recorder."""
USUALLY_OFF_S, OFF_S = 0.25, 1.0
"""How far off the time of a picture may be, in the middle and nine times of ten: libfaketime makes
a process wait now and then, and other programs do."""
HOUR_S = 3600.0

Steps = list[tuple[float, float]]
"""From when on, s on the monotonic clock, the faked clock was how far ahead."""


async def recorded(folder: Path, clock: Faked, ahead_s: list[float]) -> tuple[Steps, Simulator]:
    """Record for some seconds after each setting of the clock."""
    clock.set(ahead_s[0])
    steps: Steps = []
    async with Simulator("easyn", CAMERA) as camera:
        # looking at the file each time costs so much that pictures would come late
        environment = {**clock.environment, "FAKETIME_CACHE_DURATION": "1"}
        del environment["FAKETIME_NO_CACHE"]
        async with keeping(
            folder, {"garage": camera.url}, *OPTIONS, environment=environment
        ) as keep:
            await keep.says("garage: recording")
            for ahead in ahead_s:
                clock.set(ahead)
                steps.append((time.monotonic(), ahead))
                await asyncio.sleep(6)
    return steps, camera


def check_times(after: Aftermath, steps: Steps, camera: Simulator) -> None:
    """Whether each picture stands where the clock was when it was sent."""
    (garage,) = after.cameras
    real_us = time.time() * 1e6 - time.monotonic() * 1e6
    sent = sent_by(camera).at
    numbers, off_s = [], []
    for wall, data in after.pictures(garage):
        number = read_number(data)
        numbers.append(number)
        at = sent[number]
        since, ahead = steps[bisect_right(steps, (at, float("inf"))) - 1]
        if at - since > RIGHT_AFTER_S:
            off_s.append(abs(wall - (real_us + (at + ahead) * 1e6)) / 1e6)
    usual_s, most_s = statistics.median(off_s), sorted(off_s)[len(off_s) * 9 // 10]
    print(f"\ntimes are off by {usual_s:.4f} s, nine of ten by no more than {most_s:.3f} s")
    assert usual_s < USUALLY_OFF_S
    assert most_s < OFF_S
    assert all(b - a == 1 for a, b in pairwise(numbers))  # none is missing, all in order


async def test_a_clock_set_forward_and_back(tmp_path: Path) -> None:
    folder, clock = tmp_path / "cams", Faked(tmp_path / "clock")
    steps, camera = await recorded(folder, clock, [0, 2 * HOUR_S, HOUR_S])
    after = Aftermath(folder)
    (garage,) = after.cameras
    assert after.complaints() == []
    assert after.removals(garage) == []
    check_times(after, steps, camera)
    jumped = [gap for gap in after.gaps(garage) if gap.cause is Cause.CLOCK]
    assert [gap.seconds for gap in jumped] == pytest.approx([2 * HOUR_S], abs=0.5)
    causes = [gap.cause for gap in after.gaps(garage)]
    assert set(causes) == {Cause.STARTING, Cause.CLOCK, Cause.NOT_RUNNING}


@pytest.mark.parametrize(
    "moment", [datetime(2026, 10, 25, 1, tzinfo=UTC), datetime(2027, 3, 28, 1, tzinfo=UTC)]
)
async def test_summer_time_ends_and_begins(tmp_path: Path, moment: datetime) -> None:
    folder, clock = tmp_path / "cams", Faked(tmp_path / "clock")
    ahead_s = moment.timestamp() - time.time() - 5
    steps, camera = await recorded(folder, clock, [round(ahead_s)])
    after = Aftermath(folder)
    (garage,) = after.cameras
    assert after.complaints() == []
    check_times(after, steps, camera)
    causes = [gap.cause for gap in after.gaps(garage)]
    assert causes == [Cause.STARTING, Cause.NOT_RUNNING]
    assert after.unexplained(WallUs(round(clock.now_s() * 1e6))) == []
    changed = WallUs(round(moment.timestamp() * 1e6))
    spans = after.recorded(garage)
    assert spans[0].start < changed < spans[-1].end
