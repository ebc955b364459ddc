"""Retention against a plain description of its rules."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from camkeep.archive import retention
from camkeep.archive.holds import Holds
from camkeep.archive.retention import Limits, Policy
from camkeep.clock import WallUs
from camkeep.model import CameraId, Segment, SegmentState
from support.footage import DAY, SECOND, WALL0, segment
from support.planning import A, B, Line, planned


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
