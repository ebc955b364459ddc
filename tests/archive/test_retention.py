"""Retention, one rule at a time, and archives too large to look through."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from camkeep.archive import retention
from camkeep.archive.holds import Holds
from camkeep.archive.retention import (
    CameraUsage,
    Limits,
    Policy,
    Usage,
    excess,
    plan_deletions,
)
from camkeep.clock import WallUs
from camkeep.errors import UsageError
from camkeep.model import CameraId, Clip, Segment, SegmentState
from support.footage import DAY, HOUR, SECOND, WALL0, segment
from support.planning import NOTHING, NOW, A, B, minutes, numbers, planned, usage_of

# --- one rule at a time ------------------------------------------------------------------------


def test_nothing_goes_while_nothing_is_exceeded() -> None:
    lines = {A: minutes("a", 10), B: minutes("b", 10)}
    policy = Policy(Limits(2000, 101 * 86400), 50, {A: Limits(1000, 100 * 86400)})
    assert planned(lines, policy, free=50) == []
    assert not excess(policy, usage_of(lines, 50))


def test_a_quota_takes_as_little_as_it_needs_and_the_oldest_first() -> None:
    lines = {A: minutes("a", 10), B: minutes("b", 10)}
    assert numbers(planned(lines, Policy(cameras={A: Limits(999)}))) == [("a", 1)]
    assert numbers(planned(lines, Policy(cameras={A: Limits(799)}))) == [
        ("a", 1),
        ("a", 2),
        ("a", 3),
    ]
    lines[B] = minutes("b", 10, WALL0 + 90 * SECOND)
    assert numbers(planned(lines, Policy(Limits(1600)))) == [
        ("a", 1),
        ("a", 2),
        ("b", 1),
        ("a", 3),
    ]


def test_what_grows_counts_and_stays() -> None:
    lines = {A: minutes("a", 3)}
    lines[A][2] = replace(lines[A][2], state=SegmentState.OPEN, size=500)
    assert numbers(planned(lines, Policy(cameras={A: Limits(600)}))) == [("a", 1)]
    assert numbers(planned(lines, Policy(cameras={A: Limits(1)}))) == [("a", 1), ("a", 2)]


def test_what_is_being_deleted_counts_as_gone() -> None:
    lines = {A: minutes("a", 5)}
    lines[A][0] = replace(lines[A][0], state=SegmentState.DELETING)
    assert planned(lines, Policy(Limits(400))) == []
    usage = replace(usage_of(lines, 0), leaving_bytes=100)
    policy = Policy(keep_free_bytes=150)
    assert excess(policy, usage).free == 50
    doomed = plan_deletions({A: iter(lines[A])}, policy, usage, NOTHING, NOW)
    assert numbers(doomed) == [("a", 2)]


def test_damaged_footage_goes_like_any_other() -> None:
    lines = {A: minutes("a", 3)}
    lines[A][0] = replace(lines[A][0], state=SegmentState.DAMAGED)
    assert numbers(planned(lines, Policy(Limits(200)))) == [("a", 1)]


def test_space_is_left_free() -> None:
    lines = {A: minutes("a", 5)}
    assert numbers(planned(lines, Policy(keep_free_bytes=1000), free=850)) == [("a", 1), ("a", 2)]
    assert planned(lines, Policy(keep_free_bytes=1000), free=None) == []


def test_a_cameras_own_age_takes_the_place_of_the_overall_one() -> None:
    lines = {A: minutes("a", 2), B: minutes("b", 2)}
    policy = Policy(Limits(max_age_s=50 * 86400), cameras={A: Limits(max_age_s=200 * 86400)})
    assert numbers(planned(lines, policy)) == [("b", 1), ("b", 2)]


def test_an_age_is_kept_to_the_microsecond() -> None:
    one = {A: [segment("a", 1, NOW - 3600 * SECOND - 60 * SECOND, 60 * SECOND)]}
    assert planned(one, Policy(Limits(max_age_s=3600))) == []
    assert len(planned(one, Policy(Limits(max_age_s=3600)), now=WallUs(NOW + 1))) == 1


def test_age_alone_may_be_enough_for_the_quotas() -> None:
    lines = {A: minutes("a", 5), B: minutes("b", 5, NOW - HOUR)}
    policy = Policy(Limits(600, 86400), 0, {A: Limits(100)})
    assert numbers(planned(lines, policy)) == [("a", n) for n in range(1, 6)]


def test_a_microsecond_of_a_held_clip_holds_a_segment() -> None:
    lines = {A: minutes("a", 3)}
    second = lines[A][1]
    for start, end, which in (
        (second.start, second.start + 1, 2),
        (second.end - 1, second.end, 2),
        (second.end - 1, None, 1),
        (second.start, second.start, 2),
        (second.start + 5, second.start + 2, 2),
    ):
        holds = Holds({A: [(WallUs(start), None if end is None else WallUs(end))]})
        left = {1, 2, 3} - {n for _, n in numbers(planned(lines, _all_goes, holds))}
        assert left == ({2, 3} if which == 1 else {2})
    holds = Holds({A: [(second.start, second.end)], B: [(WallUs(0), None)]})
    assert numbers(planned(lines, _all_goes, holds)) == [("a", 1), ("a", 3)]


_all_goes = Policy(Limits(max_bytes=1))


def test_only_held_clips_hold() -> None:
    clip = Clip("x" * 16, "x", (A, B), WallUs(WALL0), WallUs(WALL0 + 1), True, WallUs(0))
    first = segment("a")
    assert Holds.of_clips([clip]).cover(first)
    assert Holds.of_clips([clip]).cover(replace(first, camera=B))
    assert not Holds.of_clips([clip]).cover(replace(first, camera=CameraId("c")))
    assert not Holds.of_clips([replace(clip, held=False)]).cover(first)
    assert not Holds.of_clips([clip]).cover(replace(first, start=WallUs(WALL0 + 1)))


def test_where_all_is_held_the_plan_is_empty_and_the_excess_says_so() -> None:
    lines = {A: minutes("a", 5)}
    holds = Holds({A: [(WallUs(0), None)]})
    assert planned(lines, _all_goes, holds) == []
    assert excess(_all_goes, usage_of(lines)).overall == 499


def test_footage_from_the_future_goes_with_what_was_recorded_after_it() -> None:
    lost = [segment("a", n, NOW + 900 * DAY + n * HOUR) for n in range(1, 4)]
    lines = {A: lost + minutes("a", 9)[3:], B: minutes("b", 9, WALL0 + 30 * SECOND)}
    wanted = [("b", 1), ("b", 2), ("b", 3), ("a", 1), ("a", 2), ("a", 3), ("a", 4)]
    assert numbers(planned(lines, Policy(Limits(max_bytes=1100))))[:7] == wanted
    aged = planned(lines, Policy(Limits(max_age_s=99 * 86400)))
    assert len(aged) == 18
    assert planned({A: lost}, Policy(Limits(max_age_s=1))) == []


def test_footage_of_a_clock_that_was_never_set_is_not_old() -> None:
    lines = {A: [segment("a", 1, 5 * SECOND), segment("a", 2, NOW - 2 * HOUR)]}
    assert planned(lines, Policy(Limits(max_age_s=86400))) == []
    assert len(planned(lines, Policy(Limits(max_age_s=3600)))) == 2


def test_after_a_step_back_nothing_recorded_later_goes_earlier() -> None:
    early = minutes("a", 3, NOW - 2 * HOUR)
    late = [replace(s, sequence=s.sequence + 3) for s in minutes("a", 3, NOW - 3 * HOUR)]
    lines = {A: early + late}
    assert planned(lines, Policy(Limits(max_age_s=2.5 * 3600))) == []
    assert numbers(planned(lines, Policy(Limits(max_bytes=400)))) == [("a", 1), ("a", 2)]


# --- large archives ----------------------------------------------------------------------------


class Counting:
    """An endless camera that counts what is taken from it."""

    def __init__(self, camera: str, start: int = WALL0) -> None:
        self.camera, self.start, self.taken = camera, start, 0

    def __iter__(self) -> Iterator[Segment]:
        for n in range(1_000_000):
            self.taken += 1
            yield segment(self.camera, n + 1, self.start + n * 60 * SECOND)


def test_a_million_segments_are_not_looked_at() -> None:
    lines = {CameraId(name): Counting(name) for name in "abcdefgh"}
    policy = Policy(Limits(799_999_000, 99.99 * 86400))
    usage = Usage({camera: CameraUsage(100_000_000) for camera in lines})
    oldest = {camera: iter(line) for camera, line in lines.items()}
    doomed = plan_deletions(oldest, policy, usage, NOTHING, WallUs(WALL0 + 100 * DAY))
    assert len(doomed) == 8 * 14  # those that ended within the first 0.01 days
    assert sum(line.taken for line in lines.values()) == len(doomed) + 8


def test_a_plan_has_an_end_even_where_every_time_is_impossible() -> None:
    lines = {CameraId(name): Counting(name, NOW + DAY) for name in "ab"}
    usage = Usage({camera: CameraUsage(100_000_000) for camera in lines})
    began = time.perf_counter()
    oldest = {camera: iter(line) for camera, line in lines.items()}
    policy = Policy(Limits(1, max_age_s=1))
    doomed = plan_deletions(oldest, policy, usage, NOTHING, NOW)
    assert time.perf_counter() - began < 5
    assert len(doomed) == retention.MOST
    assert sum(line.taken for line in lines.values()) < retention.AHEAD + 2 * retention.MOST
    assert plan_deletions(oldest, Policy(Limits(max_age_s=1)), usage, NOTHING, NOW) == []


# --- what cannot be asked for ------------------------------------------------------------------


@pytest.mark.parametrize(
    "ask",
    [
        lambda: Limits(max_bytes=0),
        lambda: Limits(max_bytes=-5),
        lambda: Limits(max_age_s=0),
        lambda: Limits(max_age_s=float("nan")),
        lambda: Limits(max_age_s=float("inf")),
        lambda: Policy(keep_free_bytes=-1),
    ],
)
def test_limits_that_are_none(ask: object) -> None:
    with pytest.raises(UsageError, match="0"):
        ask()  # type: ignore[operator]
