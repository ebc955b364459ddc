"""The second opinion on what time it is: no step of the wall clock makes footage old."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from camkeep.archive.ageclock import AgeClock, AgeState, Reckoning
from camkeep.clock import MonoNs, WallUs
from support.footage import DAY, HOUR, SECOND, WALL0

MINUTE = 60 * SECOND
YEAR = 365 * DAY


class World:
    """True time, a wall clock that may be wrong, and processes that begin and end."""

    def __init__(self, newest: int | None = None) -> None:
        self.true = WALL0
        self.error = 0
        self.begun = WALL0
        self.clock = AgeClock(None if newest is None else WallUs(newest))
        self.told: Reckoning = self.read()

    @property
    def wall(self) -> int:
        return self.true + self.error

    def read(self) -> Reckoning:
        mono = MonoNs((self.true - self.begun) * 1000 + 5_000_000_000)
        self.told = self.clock.read(mono, WallUs(self.wall))
        assert self.told.now <= self.wall
        assert self.told.latest >= self.wall
        assert self.told.doubted == (self.told.now < self.wall)
        return self.told

    def go(self, long: int, step: int = MINUTE) -> Reckoning:
        """Let `long` pass, with a look at the clocks every `step`."""
        until = self.true + long
        while self.true < until:
            self.true = min(until, self.true + step)
            self.read()
        return self.told

    def restart(self, away: int = 0) -> None:
        state = self.clock.state
        self.true += away
        self.begun = self.true
        self.clock = AgeClock(WallUs(0), state)
        self.read()


def test_a_right_clock_is_believed_at_once_and_always() -> None:
    world = World()
    assert world.told == (world.wall, world.wall, False)
    assert world.go(3 * DAY) == (world.wall, world.wall, False)


@pytest.mark.parametrize("by", [2 * MINUTE, 2 * HOUR, 10 * YEAR])
def test_a_step_ahead_is_doubted_for_a_day(by: int) -> None:
    world = World()
    world.go(HOUR)
    world.error = by
    told = world.go(23 * HOUR)
    assert told == (world.true, world.wall, True)
    told = world.go(HOUR + 2 * MINUTE)
    assert told == (world.wall, world.wall, False)


def test_a_clock_that_comes_back_is_believed_at_once() -> None:
    world = World()
    world.error = 2 * HOUR
    world.go(5 * HOUR)
    world.error = 0
    assert world.go(MINUTE) == (world.true, world.true, False)


def test_a_clock_that_is_behind_is_used() -> None:
    world = World()
    world.error = -HOUR
    assert world.go(MINUTE) == (world.wall, world.true, False)
    world.error = 0
    assert world.go(MINUTE) == (world.true, world.true, False)


def test_a_clock_that_stays_behind_is_right_in_the_end() -> None:
    world = World()
    world.error = -HOUR
    world.go(25 * HOUR)
    world.error = 0  # which now is an hour ahead
    assert world.go(MINUTE) == (world.true - HOUR, world.true, True)


def test_many_small_steps_are_one_large() -> None:
    world = World()
    for _ in range(100):
        world.error += 50 * SECOND
        world.go(10 * MINUTE)
    assert world.true <= world.told.now <= world.true + 3 * MINUTE


def test_a_new_step_begins_a_new_day_of_doubt() -> None:
    world = World()
    world.error = 2 * HOUR
    world.go(23 * HOUR)
    world.error = YEAR
    assert world.go(23 * HOUR).now == world.true
    assert world.go(2 * HOUR).now == world.wall


def test_at_the_start_the_newest_footage_is_the_witness() -> None:
    assert World(WALL0 - 20 * HOUR).told.now == WALL0
    world = World(WALL0 - 40 * DAY)
    assert world.told == (WALL0 - 40 * DAY, WALL0, True)
    assert world.go(23 * HOUR).now == world.true - 40 * DAY
    assert world.go(2 * HOUR).now == world.true  # camkeep was away for so long
    world = World(WALL0 + YEAR)  # footage from the future
    assert world.go(2 * DAY) == (world.true, world.true, False)


def test_a_board_without_a_battery_waits_for_the_network() -> None:
    world = World(WALL0 - HOUR)
    world.error = 10 * MINUTE - WALL0
    world.begun = world.true
    world.clock = AgeClock(WallUs(WALL0 - HOUR))
    world.read()
    assert world.go(40 * HOUR).latest >= WALL0 + 39 * HOUR
    world.error = 0
    assert world.go(MINUTE) == (world.true, world.true, False)


def test_doubt_outlives_a_restart_and_its_end_does_not_wait_for_ever() -> None:
    world = World()
    world.error = 2 * HOUR
    for _ in range(11):
        world.go(2 * HOUR)
        assert world.told.now <= world.true
        world.restart(away=MINUTE)
    world.go(2 * HOUR + 10 * MINUTE)
    assert world.told.now == world.wall


def test_there_is_nothing_to_save_before_the_clocks_were_read() -> None:
    with pytest.raises(ValueError, match="read"):
        _ = AgeClock(WallUs(WALL0)).state
    world = World()
    assert world.clock.state == AgeState(WallUs(WALL0), WallUs(WALL0), 0)


happenings = st.one_of(
    st.tuples(st.just("go"), st.integers(1, 40)),
    st.tuples(st.just("restart"), st.integers(0, 20)),
    st.tuples(
        st.just("step"),
        st.sampled_from([2 * MINUTE, 2 * HOUR, -HOUR, -DAY, YEAR, -YEAR, -30 * YEAR, 40 * DAY])
        | st.integers(-30 * DAY, 30 * DAY),  # odd ones with a restart
    ),
)


@settings(max_examples=300)
@given(st.lists(happenings, max_size=12))
def test_a_wrong_clock_that_is_put_right_within_a_day_never_ages_anything(
    happening: list[tuple[str, int]],
) -> None:
    world = World()
    world.go(HOUR, 10 * MINUTE)
    for what, much in happening:
        if what == "restart":
            world.restart(much * HOUR)
        elif what == "go":
            world.go(much * HOUR, 10 * MINUTE)
        else:
            world.error = much
            world.go(11 * HOUR, 10 * MINUTE)
            if much % 2:
                world.restart(HOUR)
            world.go(11 * HOUR, 10 * MINUTE)
            world.error = 0
            world.read()
        assert world.told.now <= world.true + MINUTE
    world.go(25 * HOUR, 10 * MINUTE)
    assert world.told == (world.true, world.true, False)
