"""Decoding times."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from camkeep.media.dts import MAX_DEPTH, DecodingTimes


def decoded(reorder: int | None, times: list[int]) -> list[int]:
    queue = DecodingTimes(reorder)
    given_out = [dts for pts in times if (dts := queue.push(pts)) is not None]
    return given_out + queue.flush()


@st.composite
def reordered(draw: st.DrawFn) -> tuple[int, list[int]]:
    """Distinct presentation times in a decoding order that reorders by the depth at most."""
    steps = draw(st.lists(st.integers(1, 10_000), min_size=1, max_size=60))
    waiting = [sum(steps[: n + 1]) for n in range(len(steps))]
    depth = draw(st.integers(0, 5))
    order: list[int] = []
    while waiting:
        ahead = sum(pts > waiting[0] for pts in order)
        pick = draw(st.integers(0, max(0, min(depth - ahead, len(waiting) - 1))))
        order.append(waiting.pop(pick))
    depth = max(sum(before > pts for before in order[:n]) for n, pts in enumerate(order))
    return depth, order


@given(reordered())
def test_the_kth_sample_gets_the_kth_smallest_time(stream: tuple[int, list[int]]) -> None:
    depth, times = stream
    assert decoded(depth, times) == sorted(times)


@given(reordered(), st.none() | st.integers(0, 20))
def test_times_rise_and_none_is_lost_whatever_was_declared(
    stream: tuple[int, list[int]], declared: int | None
) -> None:
    _, times = stream
    found = decoded(declared, times)
    assert len(found) == len(times)
    assert all(before < after for before, after in pairwise(found))


@given(st.lists(st.integers(-(10**12), 10**12), max_size=80), st.none() | st.integers(0, 20))
def test_times_rise_for_any_stream(times: list[int], declared: int | None) -> None:
    found = decoded(declared, times)
    assert len(found) == len(times)
    assert all(before < after for before, after in pairwise(found))


@given(st.integers(0, 30), st.lists(st.integers(0, 100), max_size=80))
def test_no_more_samples_wait_than_the_deepest_stream_needs(depth: int, times: list[int]) -> None:
    queue = DecodingTimes(depth)
    waiting = sum(1 if queue.push(pts) is None else 0 for pts in times)
    assert waiting <= MAX_DEPTH


def test_without_reordering_nothing_waits() -> None:
    queue = DecodingTimes(0)
    assert [queue.push(pts) for pts in (0, 40, 90, 91)] == [0, 40, 90, 91]


def test_equal_times_are_a_tick_apart() -> None:
    assert decoded(0, [5, 5, 5, 9]) == [5, 6, 7, 9]


def test_the_depth_is_learned_and_the_true_order_found_again() -> None:
    # I P B B P B B ...: shown 0 3 1 2 6 4 5, in hundreds
    times = [n * 100 for n in (0, 3, 1, 2, 6, 4, 5, 9, 7, 8, 12, 10, 11)]
    found = decoded(None, times)
    assert found[:2] == [0, 300]  # given out before anything went backwards
    assert found[5:] == sorted(times)[5:]
