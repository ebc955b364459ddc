"""The meter of the loop's pauses."""

from __future__ import annotations

import asyncio
import time

from hypothesis import given
from hypothesis import strategies as st

from camkeep.server.looplag import BOUNDS_S, LoopLag


async def test_a_pause_is_seen() -> None:
    meter = LoopLag(0.02)
    meter.start()
    while meter.count < 3:
        await asyncio.sleep(0.02)
    before = meter.count
    time.sleep(0.3)  # what is measured: somebody holds up the loop
    while meter.count == before:
        await asyncio.sleep(0)
    meter.stop()
    assert 0.25 <= meter.longest_s <= meter.longest_ever_s
    assert sum(meter.counts[BOUNDS_S.index(0.5) :]) >= 1
    counted = meter.count
    await asyncio.sleep(0.1)
    assert meter.count == counted
    meter.stop()  # twice is no error


def test_a_pause_is_forgotten_after_a_minute() -> None:
    meter = LoopLag()
    meter.note(100.0, 0.7)
    meter.note(100.1, 0.001)
    meter.note(159.0, 0.001)
    assert meter.longest_s == 0.7
    meter.note(161.1, 0.002)
    assert meter.longest_s == 0.002
    assert meter.longest_ever_s == 0.7
    assert meter.counts[0] == 2  # a bound belongs to its bucket
    assert meter.count == 4


@given(st.lists(st.tuples(st.floats(0, 200), st.floats(0, 3)), min_size=1, max_size=200))
def test_the_longest_of_the_last_minute_is_never_forgotten_too_early(
    steps: list[tuple[float, float]],
) -> None:
    meter, now_s = LoopLag(), 0.0
    noted: list[tuple[float, float]] = []
    for step, lag in steps:
        now_s += step
        noted.append((now_s, lag))
        meter.note(now_s, lag)
    recent = [lag for at, lag in noted if at > now_s - 50]
    old = [lag for at, lag in noted if at > now_s - 61]
    assert max(recent) <= meter.longest_s <= max(old)
