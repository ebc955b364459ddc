"""The flow of a camera's frames: where they stand, and where they stop following each other."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from camkeep.clock import MonoNs, WallUs
from camkeep.engine.flow import Flow
from camkeep.model import Cause, Sample
from support.staged import PICTURES, WALL0

FRAME = 40_000
OFFSET = WALL0
"""The wall clock minus the monotonic one, µs, before anybody sets it."""


def frame(at_us: int, *, arrival_us: int | None = None, key: bool = True, run: int = 0) -> Sample:
    """A frame that was taken `at_us` after the start, by the wall clock."""
    came = at_us if arrival_us is None else arrival_us
    return Sample(PICTURES, b"x", at_us, MonoNs(came * 1000), WallUs(WALL0 + at_us), key, run)


def begun(count: int = 5) -> Flow:
    """A flow with `count` frames, 40 ms apart."""
    flow = Flow()
    flow.begin(frame(0), 1, OFFSET, None)
    for n in range(1, count):
        assert flow.breaks(frame(n * FRAME), 1) is None
        assert flow.add(frame(n * FRAME), 1) == WALL0 + n * FRAME
    return flow


def test_frames_stand_where_they_were_taken() -> None:
    flow = begun(25)
    assert flow.end == WALL0 + 25 * FRAME


def test_another_session_is_a_break() -> None:
    broke = begun().breaks(frame(5 * FRAME), 2)
    assert broke is not None
    assert broke.cause is Cause.BROKEN


def test_a_lost_packet_is_none() -> None:
    flow = begun()
    after = frame(12 * FRAME, run=1)
    assert flow.breaks(after, 1) is None
    assert flow.add(after, 1) == after.wall


def test_a_camera_that_stops_for_a_while_is_a_break_and_a_slow_one_is_not() -> None:
    broke = begun().breaks(frame(4_000_000), 1)
    assert broke is not None
    assert broke.cause is Cause.STALLED
    slow = Flow()
    slow.begin(frame(0), 1, OFFSET, None)
    for n in range(1, 10):
        assert slow.breaks(frame(n * 5_000_000), 1) is None
        slow.add(frame(n * 5_000_000), 1)


def test_a_clock_that_is_set_forward_breaks_at_the_next_key_frame_only() -> None:
    flow, hours = begun(), 7_200_000_000
    for n in range(5, 20):
        late = frame(n * FRAME + hours, arrival_us=n * FRAME, key=False, run=1)
        assert flow.breaks(late, 1) is None
        assert flow.add(late, 1) == WALL0 + n * FRAME  # where its arrival says
    key = frame(20 * FRAME + hours, arrival_us=20 * FRAME, run=1)
    assert flow.breaks(key, 1) is not None
    assert flow.end == WALL0 + 20 * FRAME
    assert flow.step_us(OFFSET + hours) == hours
    assert flow.begin(key, 1, OFFSET + hours, flow.end) == key.wall


def test_a_clock_that_is_set_back_is_followed_at_once() -> None:
    flow, hour = begun(), 3_600_000_000
    key = frame(5 * FRAME - hour, arrival_us=5 * FRAME, run=1)
    assert flow.breaks(key, 1) is not None
    assert flow.step_us(OFFSET - hour) == -hour
    assert flow.begin(key, 1, OFFSET - hour, flow.end) == key.wall  # overlaps, and says the truth


def test_what_a_server_repeats_stands_closer_until_it_is_in_step() -> None:
    flow = begun(100)
    until = flow.end
    placed = [flow.begin(frame(50 * FRAME), 2, OFFSET, until)]
    placed += [flow.add(frame(n * FRAME), 2) for n in range(51, 200)]
    assert placed[0] > until
    assert all(a < b for a, b in pairwise(placed))
    assert placed[-1] == WALL0 + 199 * FRAME
    flow = begun(5)
    far = flow.begin(frame(-60_000_000), 2, OFFSET, flow.end)  # no server repeats a minute
    assert far == WALL0 - 60_000_000


def test_sound_that_was_taken_at_no_possible_time_stands_where_it_arrived() -> None:
    flow = begun()
    assert flow.sound(frame(100_000, arrival_us=200_000)) == WALL0 + 100_000
    assert flow.sound(frame(9_000_000_000, arrival_us=200_000)) == WALL0 + 200_000


@given(
    st.lists(
        st.tuples(
            st.integers(11, 12_000_000),  # µs to the next frame: at least a tick of 90 kHz
            st.sampled_from([0, 0, 0, 0, 7_200_000_000, -3_600_000_000, 400_000, -400_000]),
            st.booleans(),  # another run
            st.booleans(),  # a key frame
            st.integers(0, 9),  # another session where 0
        ),
        max_size=80,
    )
)
def test_times_rise_within_a_segment_and_breaks_happen_at_frames_that_can_begin_one(
    steps: list[tuple[int, int, bool, bool, int]],
) -> None:
    flow, session, run, mono, shift = Flow(), 1, 0, 0, 0
    newest = flow.begin(frame(0), session, OFFSET, None)
    waiting = False
    for passed, step, jumps, key, other in steps:
        mono += passed
        if step:
            shift, jumps = shift + step, True
        if not other:
            session += 1
        run += jumps
        sample = frame(mono + shift, arrival_us=mono, key=key, run=run)
        broke = flow.breaks(sample, session)
        if broke is not None:
            waiting = True
            end = flow.end
            assert end > newest
        if waiting:
            if key:
                newest = flow.begin(sample, session, OFFSET + shift, end)
                waiting = False
                # at its time, or a little later where that is taken
                assert 0 <= newest - sample.wall <= 20_000_000
            continue
        placed = flow.add(sample, session)
        assert placed > newest
        newest = placed
