"""The timeline: rising, close to the truth, and sure-footed over every jump a clock can make."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from camkeep.clock import MonoNs, WallUs
from camkeep.media.timeline import Placed, Timeline

WALL0 = 1_750_000_000_000_000
RATE = 90_000


def feed(timeline: Timeline, taken_s: float, raw: int, delay_s: float = 0.0) -> Placed:
    """A sample taken at `taken_s`, stamped `raw`, arriving `delay_s` later."""
    arrival = taken_s + delay_s
    return timeline.place(raw, MonoNs(round(arrival * 1e9)), WallUs(WALL0 + round(arrival * 1e6)))


def error_s(placed: Placed, taken_s: float) -> float:
    return (placed.wall - WALL0) / 1e6 - taken_s


def test_a_steady_stream_is_mapped_exactly() -> None:
    timeline = Timeline(RATE)
    for n in range(1000):
        placed = feed(timeline, n / 25, n * 3600)
        assert abs(error_s(placed, n / 25)) < 2e-6
        assert (placed.run, placed.oddity) == (0, None)


def test_jitter_of_arrival_does_not_reach_the_times() -> None:
    rng = random.Random(1)
    timeline = Timeline(RATE)
    errors = []
    for n in range(3000):
        delay = 0.02 + rng.expovariate(1 / 0.02)
        errors.append(error_s(feed(timeline, n / 30, n * 3000, delay), n / 30))
    settled = sorted(abs(e) for e in errors[100:])
    assert settled[int(len(settled) * 0.99)] < 0.025


def test_a_camera_clock_that_runs_wrong_is_followed() -> None:
    timeline = Timeline(RATE)
    for n in range(30 * 600):
        placed = feed(timeline, n / 30, round(n * 3000 * 1.0003))  # 300 ppm too fast
    assert abs(error_s(placed, n / 30)) < 0.005
    assert placed.run == 0


@pytest.mark.parametrize("burst_s", [0.5, 2.0])
def test_a_burst_of_old_frames_at_the_start_is_caught_up(burst_s: float) -> None:
    timeline = Timeline(RATE)
    for n in range(300):
        taken = n / 25
        delay = max(0.0, burst_s - taken)  # everything up to burst_s comes at once
        placed = feed(timeline, taken, n * 3600, delay)
    assert placed.run == 0
    assert abs(error_s(placed, taken)) < 0.01


def test_a_stall_that_catches_up_is_no_break() -> None:
    timeline = Timeline(RATE)
    for n in range(1000):
        taken = n / 25
        delay = max(0.0, 13.0 - taken) if taken >= 10 else 0.0
        placed = feed(timeline, taken, n * 3600, delay)
        assert placed.run == 0
        assert abs(error_s(placed, taken)) < 0.005


def test_the_stamps_wrap() -> None:
    timeline = Timeline(RATE)
    for n in range(200):
        placed = feed(timeline, n / 25, (2**32 - 100 * 3600 + n * 3600) % 2**32)
        assert placed.run == 0
        assert abs(error_s(placed, n / 25)) < 2e-6


@pytest.mark.parametrize("jump", [-(10**9), -3600 * RATE, -2 * RATE, 5 * RATE, 10**9])
def test_a_jump_of_the_camera_clock_is_a_new_run_with_right_times(jump: int) -> None:
    timeline = Timeline(RATE)
    placed = []
    for n in range(500):
        raw = (10**8 + n * 3600 + (jump if n >= 250 else 0)) % 2**32
        placed.append(feed(timeline, n / 25, raw))
    assert [p.oddity for p in placed].count("jump") == 1
    assert placed[250].oddity == "jump"
    assert placed[-1].run == 1
    assert abs(error_s(placed[-1], n / 25)) < 2e-6


def test_a_clock_that_paused_is_noticed_within_a_few_seconds() -> None:
    timeline = Timeline(RATE)
    for n in range(500):
        pause = 3.0 if n >= 250 else 0.0
        placed = feed(timeline, n / 25 + pause, n * 3600)
    assert placed.run == 1
    assert abs(error_s(placed, n / 25 + pause)) < 2e-6


def test_doubled_stamps_rise_by_a_tick_and_leave_no_trace() -> None:
    timeline = Timeline(RATE)
    first = feed(timeline, 0, 0)
    second = feed(timeline, 0.02, 0)
    third = feed(timeline, 0.04, 3600)
    assert [first.ticks, second.ticks, third.ticks] == [0, 1, 3600]
    assert [first.oddity, second.oddity, third.oddity] == [None, "doubled", None]


def test_a_clock_that_stands_still_is_replaced_by_arrival() -> None:
    timeline = Timeline(RATE)
    for n in range(500):
        placed = feed(timeline, n / 25, 77)
    assert placed.run == 0
    assert abs(error_s(placed, n / 25)) < 0.2


@pytest.mark.parametrize("step_s", [7200, -3600])
def test_a_step_of_the_wall_clock_is_a_new_run(step_s: int) -> None:
    timeline = Timeline(RATE)
    for n in range(100):
        taken = n / 25
        wall = WALL0 + round(taken * 1e6) + (step_s * 1_000_000 if n >= 50 else 0)
        placed = timeline.place(n * 3600, MonoNs(round(taken * 1e9)), WallUs(wall))
        assert placed.run == (1 if n >= 50 else 0)
        assert abs(placed.wall - wall) <= 2


def test_frames_out_of_order_keep_their_order() -> None:
    rng = random.Random(2)
    timeline = Timeline(RATE, ordered=False)
    placed = []
    for gop in range(100):
        for n in (0, 4, 2, 1, 3):
            taken = (gop * 5 + n) / 25
            delay = 0.5 * rng.random() if gop < 20 else 0.0
            placed.append((taken, feed(timeline, taken, round(taken * RATE), delay + 4 / 25)))
    walls = [p.wall for _, p in sorted(placed, key=lambda pair: pair[0])]
    assert walls == sorted(walls)
    assert all(p.run == 0 for _, p in placed)


def test_a_loss_is_a_new_run() -> None:
    timeline = Timeline(RATE)
    timeline.new_run()  # nothing before it: still the first run
    assert feed(timeline, 0, 0).run == 0
    timeline.new_run()
    timeline.new_run()
    assert feed(timeline, 1, 90_000).run == 1


@given(
    st.lists(
        st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 5_000_000_000), st.integers(-5, 5)),
        max_size=60,
    )
)
def test_walls_rise_with_ticks_within_a_run(steps: list[tuple[int, int, int]]) -> None:
    timeline = Timeline(RATE)
    arrival = wall_shift = 0
    last: Placed | None = None
    for raw, passed, shift in steps:
        arrival += passed
        wall_shift += shift * 300_000
        placed = timeline.place(raw, MonoNs(arrival), WallUs(WALL0 + arrival // 1000 + wall_shift))
        if last is not None:
            assert placed.run in (last.run, last.run + 1)
            assert placed.ticks != last.ticks
            if placed.run == last.run and placed.ticks > last.ticks:
                assert placed.wall >= last.wall
        last = placed


@given(
    st.integers(0, 2**32 - 1),
    st.lists(st.integers(1, 2 * RATE), min_size=1, max_size=50),
)
def test_ticks_are_the_true_distances(start: int, steps: list[int]) -> None:
    timeline = Timeline(RATE)
    taken = 0
    first = feed(timeline, 0, start)
    for step in steps:
        taken += step
        placed = feed(timeline, taken / RATE, (start + taken) % 2**32)
    assert placed.ticks - first.ticks == taken
    assert abs(error_s(placed, taken / RATE)) < 1e-5
