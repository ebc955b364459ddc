"""Coverage: every instant counts once, and as what it was."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from camkeep.archive.coverage import Coverage, coverage, spans, unexplained
from camkeep.archive.intervals import Span
from camkeep.clock import WallUs
from camkeep.model import CameraId, Cause, Gap, Removal
from support.footage import DAY, SECOND, WALL0

MINUTE = 60 * SECOND


def wall(second: float) -> WallUs:
    return WallUs(WALL0 + round(second * SECOND))


def gap(start: float, end: float, cause: Cause = Cause.UNREACHABLE) -> Gap:
    return Gap(wall(start), wall(end), cause)


def removal(start: float, end: float) -> Removal:
    return Removal(
        CameraId("a"), 1, 2, 2, wall(start), wall(end), bytes(32), bytes(32), wall(end + 1)
    )


def of(
    segments: list[tuple[float, float]],
    gaps: list[Gap],
    removals: list[Removal],
    *,
    start: float = 0,
    end: float = 100,
    since: float = 0,
    now: float = 100,
) -> Coverage:
    return coverage(
        [(wall(a), wall(b)) for a, b in segments],
        gaps,
        removals,
        wall(start),
        wall(end),
        since=wall(since),
        now=wall(now),
    )


def total_us(found: Coverage) -> int:
    explained = found.recorded_us + sum(found.missing_us.values()) + found.removed_us
    return explained + found.outside_us + found.unexplained_us


def test_a_day_with_a_bit_of_everything() -> None:
    found = of(
        [(20, 30), (28, 40), (60, 70)],
        [gap(40, 50), gap(45, 58, Cause.STALLED)],
        [removal(5, 22)],
        since=4,
        now=90,
    )
    assert found == Coverage(
        wall(0),
        wall(100),
        recorded_us=30 * SECOND,
        missing_us={Cause.UNREACHABLE: 10 * SECOND, Cause.STALLED: 8 * SECOND},
        removed_us=15 * SECOND,
        outside_us=14 * SECOND,
        unexplained_us=23 * SECOND,
    )
    assert found.share == pytest.approx(30 / 71)


def test_what_was_switched_off_was_not_to_be_recorded() -> None:
    found = of([(0, 50)], [gap(50, 100, Cause.SWITCHED_OFF)], [])
    assert found.missing_us == {Cause.SWITCHED_OFF: 50 * SECOND}
    assert found.share == 1
    assert of([], [], [], since=200).share is None


def test_an_interval_that_is_none_is_empty() -> None:
    assert total_us(of([(0, 50)], [gap(0, 50)], [], start=30, end=20)) == 0


seconds = st.integers(-20, 120)
pairs = st.tuples(seconds, seconds).map(lambda pair: (min(pair), max(pair)))
pieces = st.lists(pairs, max_size=6)
causes = st.sampled_from([Cause.STALLED, Cause.BROKEN])
some_gaps = st.lists(st.builds(lambda pair, cause: gap(*pair, cause), pairs, causes), max_size=8)


@settings(max_examples=300)
@given(
    pieces,
    some_gaps,
    st.lists(pairs.map(lambda pair: removal(*pair)), max_size=4),
    pairs,
    seconds,
    seconds,
)
def test_every_instant_counts_once_as_the_first_that_holds(
    segments: list[tuple[int, int]],
    gaps: list[Gap],
    removals: list[Removal],
    interval: tuple[int, int],
    since: int,
    now: int,
) -> None:
    start, end = interval
    found = of(segments, gaps, removals, start=start, end=end, since=since, now=now)  # type: ignore[arg-type]
    assert total_us(found) == max(0, end - start) * SECOND
    in_order = sorted(gaps, key=lambda gap: (gap.start, gap.end))
    counts: dict[str, int] = {}
    for second in range(start, end):
        at = wall(second)
        covering = [g.cause for g in in_order if g.start <= at < g.end]
        if any(a <= second < b for a, b in segments):
            what = "recorded"
        elif covering:
            what = covering[0]
        elif any(r.start <= at < r.end for r in removals):
            what = "removed"
        elif second < since or second >= now:
            what = "outside"
        else:
            what = "unexplained"
        counts[what] = counts.get(what, 0) + SECOND
    assert found.recorded_us == counts.pop("recorded", 0)
    assert found.removed_us == counts.pop("removed", 0)
    assert found.outside_us == counts.pop("outside", 0)
    assert found.unexplained_us == counts.pop("unexplained", 0)
    assert found.missing_us == counts


@given(st.lists(st.tuples(st.integers(1, 10**9), causes | st.none()), min_size=1, max_size=40))
def test_segments_and_gaps_that_tile_an_interval_leave_nothing_unexplained(
    tiles: list[tuple[int, Cause | None]],
) -> None:
    segments, gaps = [], []
    at = wall(0)
    recorded = 0
    for long, cause in tiles:
        end = WallUs(at + long)
        if cause is None:
            segments.append((at, end))
            recorded += long
        else:
            gaps.append(Gap(at, end, cause))
        at = end
    found = coverage(segments, gaps, [], wall(0), at, since=wall(0), now=at)
    assert found.unexplained_us == found.outside_us == 0
    assert found.recorded_us == recorded
    assert unexplained(segments, gaps, wall(0), at, rounding_us=1) == []
    without_last = segments[:-1] if tiles[-1][1] is None else segments
    others = gaps[:-1] if tiles[-1][1] is not None else gaps
    assert unexplained(without_last, others, wall(0), at, rounding_us=1) == [
        Span(WallUs(at - tiles[-1][0]), at)
    ]


def test_holes_that_rounding_makes_need_no_explanation() -> None:
    segments = [(wall(0), WallUs(wall(10) - 5)), (wall(10), wall(20))]
    assert unexplained(segments, [], wall(0), wall(20)) == []
    assert len(unexplained(segments, [], wall(0), wall(20), rounding_us=5)) == 1
    found = unexplained(segments, [], wall(0), wall(30), removals=[removal(25, 26)])
    assert found == [Span(wall(20), wall(25)), Span(wall(26), wall(30))]


def test_a_timeline_has_the_resolution_of_its_picture() -> None:
    segments = [(wall(0), wall(10)), (wall(11), wall(20)), (wall(50), wall(60))]
    assert spans(segments, wall(5), wall(55), 2 * SECOND) == [
        Span(wall(5), wall(20)),
        Span(wall(50), wall(55)),
    ]
    assert len(spans(segments, wall(5), wall(55), SECOND)) == 3
    assert len(spans(segments, wall(5), wall(55), 40 * SECOND)) == 1
    assert spans(segments, wall(30), wall(40), 60 * SECOND) == []


@given(pieces, st.integers(1, 30))
def test_a_timeline_is_never_longer_than_its_picture_is_wide(
    segments: list[tuple[int, int]], resolution: int
) -> None:
    found = spans(
        [(wall(a), wall(b)) for a, b in segments], wall(0), wall(100), resolution * SECOND
    )
    assert len(found) <= 100 // resolution + 1


def test_a_day_of_minutes_takes_no_time() -> None:
    segments = [
        (WallUs(WALL0 + n * MINUTE), WallUs(WALL0 + (n + 1) * MINUTE - n % 3 * SECOND))
        for n in range(1440)
    ]
    gaps = [gap(n * 60 - 2, n * 60) for n in range(1, 1440)]
    end = WallUs(WALL0 + DAY)

    def took(what: object) -> float:
        began = time.perf_counter()
        what()  # type: ignore[operator]
        return time.perf_counter() - began

    drawn = min(took(lambda: spans(segments, wall(0), end, MINUTE)) for _ in range(5))
    counted = min(
        took(lambda: coverage(segments, gaps, [], wall(0), end, since=wall(0), now=end))
        for _ in range(5)
    )
    print(f"a timeline takes {drawn * 1e3:.2f} ms, its coverage {counted * 1e3:.2f} ms")
    assert drawn < 0.005
    assert counted < 0.02
