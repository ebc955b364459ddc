"""The pre-roll: enough, decodable, and bounded."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from camkeep.engine.preroll import PreRoll
from support.staged import stream


@given(
    count=st.integers(1, 300),
    fps=st.floats(0.5, 60),
    gop=st.integers(1, 60),
    seconds=st.floats(0, 20),
    most=st.integers(200, 20_000),
)
def test_it_holds_what_was_asked_for_and_begins_with_a_key_frame(
    count: int, fps: float, gop: int, seconds: float, most: int
) -> None:
    samples = list(stream(count, fps=fps, gop=gop))
    roll = PreRoll(seconds, most)
    for sample in samples:
        roll.add(sample)
        assert roll.bytes <= most
    held = roll.bytes
    taken = roll.take()
    assert taken == samples[len(samples) - len(taken) :]
    assert sum(len(sample.data) for sample in taken) == held
    assert not taken or taken[0].key
    keys = [sample for sample in samples if sample.key]
    wanted = samples[-1].wall - round(seconds * 1e6)
    begin = max((key.wall for key in keys if key.wall <= wanted), default=keys[0].wall)
    if sum(len(sample.data) for sample in samples) <= most:  # it always fitted
        assert taken
        assert taken[0].wall <= begin
    later = [key for key in keys if taken and key.wall > taken[0].wall]
    assert not later or later[0].wall > wanted  # and no more than that
    assert roll.bytes == 0
    assert roll.take() == []


def test_what_comes_before_the_first_key_frame_is_of_no_use() -> None:
    roll = PreRoll(10)
    for sample in stream(10):
        roll.add(sample._replace(key=False))
    assert roll.take() == []


def test_only_what_is_needed_to_go_on() -> None:
    roll = PreRoll(10)
    for sample in stream(50, gop=20):
        roll.add(sample)
    taken = roll.take(newest=True)
    assert (len(taken), taken[0].key) == (10, True)
    assert roll.take() == []
