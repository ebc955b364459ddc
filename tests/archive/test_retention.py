"""Retention, one plan at a time: against a plain description of the rules, and in its corners."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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

A, B = CameraId("a"), CameraId("b")
NOW = WallUs(WALL0 + 100 * DAY)
NOTHING = Holds({})

Line = dict[CameraId, list[Segment]]


def minutes(camera: str, count: int, start: int = WALL0, size: int = 100) -> list[Segment]:
    return [
        segment(camera, n + 1, start + n * 60 * SECOND, 60 * SECOND, size) for n in range(count)
    ]


def usage_of(lines: Line, free: int | None = None) -> Usage:
    def total(segments: list[Segment], *states: SegmentState) -> int:
        return sum(each.size for each in segments if each.state in states)

    return Usage(
        {
            camera: CameraUsage(
                total(segments, SegmentState.CLOSED, SegmentState.DAMAGED),
                total(segments, SegmentState.OPEN),
            )
            for camera, segments in lines.items()
        },
        free,
    )


def planned(
    lines: Line,
    policy: Policy,
    holds: Holds = NOTHING,
    *,
    free: int | None = None,
    now: WallUs = NOW,
    most: int = 1000,
) -> list[Segment]:
    oldest = {camera: iter(segments) for camera, segments in lines.items()}
    return plan_deletions(oldest, policy, usage_of(lines, free), holds, now, most=most)


def numbers(segments: list[Segment]) -> list[tuple[str, int]]:
    return [(each.camera, each.sequence) for each in segments]


# --- against a plain description ---------------------------------------------------------------


def described(
    lines: Line,
    policy: Policy,
    free: int,
    held: dict[CameraId, list[tuple[int, int | None]]],
    now: int,
) -> list[Segment]:
    """The rules, said as plainly as can be: slow, and with everything in memory."""

    def is_held(each: Segment) -> bool:
        return any(
            each.start < (2**63 if end is None else end) and max(each.end, each.start + 1) > start
            for start, end in held.get(each.camera, [])
        )

    def dated(each: Segment) -> int:
        after = lines[each.camera][lines[each.camera].index(each) :]
        possible = (
            s.end
            for s in after
            if s.end <= now
            and s.start >= retention.NEVER_SET
            and s.state is not SegmentState.DELETING
        )
        return next(possible, now)

    left = {
        camera: [
            s
            for s in segments
            if s.state not in (SegmentState.OPEN, SegmentState.DELETING) and not is_held(s)
        ]
        for camera, segments in lines.items()
    }
    used = {
        camera: sum(s.size for s in segments if s.state is not SegmentState.DELETING)
        for camera, segments in lines.items()
    }
    gone: list[Segment] = []

    def oldest(cameras: set[CameraId]) -> Segment | None:
        heads = [left[camera][0] for camera in cameras if left[camera]]
        return min(heads, key=lambda s: (dated(s), s.end, s.camera), default=None)

    def go(each: Segment | None) -> bool:
        if each is None:
            return False
        left[each.camera].remove(each)
        used[each.camera] -= each.size
        gone.append(each)
        return True

    def too_old(camera: CameraId) -> bool:
        age_s = policy.age_s(camera)
        if age_s is None or not left[camera]:
            return False
        return dated(left[camera][0]) < now - age_s * 1e6

    def above(camera: CameraId) -> bool:
        quota = policy.quota(camera)
        return quota is not None and used[camera] > quota and bool(left[camera])

    def too_much() -> bool:
        quota = policy.overall.max_bytes
        freed = sum(each.size for each in gone)
        full = free + freed < policy.keep_free_bytes
        return full or (quota is not None and sum(used.values()) > quota)

    while go(oldest({camera for camera in lines if too_old(camera)})):
        pass
    while go(oldest({camera for camera in lines if above(camera)})):
        pass
    while too_much() and go(oldest(set(lines))):
        pass
    return gone


times = st.integers(0, 40 * 60).map(lambda minute: WALL0 + minute * 60 * SECOND) | st.sampled_from(
    (WALL0 + 4000 * DAY, 5 * SECOND)
)


@st.composite
def some_lines(draw: st.DrawFn) -> Line:
    """Two cameras whose stamps mostly rise, with whatever a wrong clock makes of them."""
    found: Line = {}
    for camera in (A, B):
        stamp = draw(times)
        sequence = 0
        found[camera] = []
        for _ in range(draw(st.integers(0, 12))):
            sequence += draw(st.integers(1, 3))
            state = draw(st.sampled_from(list(SegmentState)))
            if draw(st.integers(0, 5)):
                state = SegmentState.CLOSED
            length = draw(st.integers(0, 3)) * 60 * SECOND
            size = draw(st.integers(0, 5))
            found[camera].append(segment(camera, sequence, stamp, length, size, state))
            stamp = stamp + length if draw(st.integers(0, 3)) else draw(times)
    return found


small = st.builds(
    Limits,
    max_bytes=st.none() | st.integers(1, 30),
    max_age_s=st.none() | st.integers(1, 40 * 3600),
)
spans = st.lists(
    st.tuples(times, st.integers(1, 600 * SECOND) | st.none()).map(
        lambda span: (WallUs(span[0]), None if span[1] is None else WallUs(span[0] + span[1]))
    ),
    max_size=3,
)


@settings(max_examples=500)
@given(
    some_lines(),
    st.builds(
        Policy,
        overall=small,
        keep_free_bytes=st.integers(0, 40),
        cameras=st.dictionaries(st.sampled_from((A, B)), small),
    ),
    st.integers(0, 30),
    st.dictionaries(st.sampled_from((A, B)), spans),
    st.integers(0, 60 * 60).map(lambda minute: WallUs(WALL0 + minute * 60 * SECOND)),
    st.integers(1, 30),
)
def test_a_plan_is_what_the_rules_say(
    lines: Line,
    policy: Policy,
    free: int,
    held: dict[CameraId, list[tuple[WallUs, WallUs | None]]],
    now: WallUs,
    most: int,
) -> None:
    wanted = described(lines, policy, free, dict(held), now)  # type: ignore[arg-type]
    assert planned(lines, policy, Holds(held), free=free, now=now) == wanted
    assert planned(lines, policy, Holds(held), free=free, now=now, most=most) == wanted[:most]


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
