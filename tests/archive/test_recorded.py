"""Times that are kept in memory are always those of the index."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from camkeep.archive.coverage import ROUNDING_US
from camkeep.archive.index import Index
from camkeep.archive.intervals import Span, joined
from camkeep.archive.recorded import DAY_US, RecordedTimes
from camkeep.archive.timecatalog import TimeCatalog
from camkeep.archive.timeline import seen_gaps
from camkeep.clock import WallUs
from camkeep.model import CameraId, Cause, Gap, KeptCamera, Segment, SegmentState
from support.footage import HOUR, SECOND, segment

CAMERA = CameraId("abcdefghijkm")
START = WallUs(1_795_219_200_000_000)  # midnight
MINUTE = 60 * SECOND


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    with Index.open(tmp_path / "index.db") as opened:
        opened.save_camera(KeptCamera(CAMERA, "Garage", "garage", "testcard:", START))
        yield opened


def made(sequence: int, start: int, length: int = MINUTE, state: str = "closed") -> Segment:
    found = segment(CAMERA, sequence, start, length, state=SegmentState(state))
    return replace(found, path=f"recordings/garage/2026-11-21/{sequence}.mp4")


def read(catalog: TimeCatalog) -> list[Span]:
    """All of it, from the rows."""
    found = [(s.start, s.end) for s in catalog.every_segment(CAMERA) if _counts(s)]
    return joined(found, ROUNDING_US)


def _counts(segment: Segment) -> bool:
    return segment.state in (SegmentState.CLOSED, SegmentState.DAMAGED)


steps = st.lists(
    st.tuples(
        st.sampled_from(["add", "open", "close", "mark", "forget"]),
        st.integers(0, 5 * 24 * 60),  # minutes
        st.integers(1, 400),
    ),
    max_size=30,
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps)
def test_what_is_in_memory_is_what_is_in_the_index(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int, int]]
) -> None:
    path = tmp_path_factory.mktemp("index") / "index.db"
    times, there, number = RecordedTimes(), [], 0
    with Index.open(path) as index:
        index.save_camera(KeptCamera(CAMERA, "Garage", "garage", "testcard:", START))
        with TimeCatalog.open(path) as catalog:
            for what, minute, length in steps:
                number += 1
                segment = made(number, START + minute * MINUTE, length * MINUTE // 10)
                match what:
                    case "add":
                        index.save_segments([segment])
                    case "open":
                        grows = replace(segment, state=SegmentState.OPEN, duration_us=0)
                        index.segment_opened(grows)
                        there.append(segment)
                    case "close" if there:
                        index.segment_closed(there.pop())
                    case "mark" | "forget":
                        every = list(catalog.every_segment(CAMERA))
                        chosen = every[minute % len(every)] if every else None
                        if chosen is not None and chosen.state is not SegmentState.OPEN:
                            index.mark_deleting([(CAMERA, chosen.sequence)])
                            if what == "forget":
                                index.forget([(CAMERA, chosen.sequence)])
                found = times.spans(catalog, CAMERA, START, WallUs(START + 7 * DAY_US))
                assert found == read(catalog)


def test_only_what_reaches_into_the_interval(index: Index) -> None:
    index.save_segments([made(n + 1, START + n * HOUR, MINUTE) for n in range(72)])
    index.save_segments([made(100, START + 100 * HOUR, 3 * HOUR)])
    with TimeCatalog.open(index.path) as catalog:
        times = RecordedTimes()
        end = START + 101 * HOUR
        (last,) = times.spans(catalog, CAMERA, WallUs(end), WallUs(end + 1))
        assert last == (START + 100 * HOUR, START + 103 * HOUR)
        within = times.spans(catalog, CAMERA, WallUs(START + 23 * HOUR), WallUs(START + 26 * HOUR))
        assert [(s.start - START) // HOUR for s in within] == [23, 24, 25]
        assert times.spans(catalog, CameraId("another"), START, WallUs(end)) == []


def test_memory_is_bounded(index: Index) -> None:
    index.save_segments([made(n + 1, START + n * HOUR, MINUTE) for n in range(10 * 24)])
    with TimeCatalog.open(index.path) as catalog:
        times = RecordedTimes(most=60)
        end = WallUs(START + 10 * DAY_US)
        for _ in range(2):
            assert len(times.spans(catalog, CAMERA, START, end)) == 240
        assert len(times._days) == 2
        assert times._size == 50


def test_gaps_that_can_be_seen() -> None:
    def gap(
        start_s: float, end_s: float, cause: Cause = Cause.STALLED, lasting: bool = False
    ) -> Gap:
        start, end = (WallUs(START + round(s * SECOND)) for s in (start_s, end_s))
        return Gap(start, end, cause, lasting=lasting)

    assert seen_gaps([gap(0, 5), gap(20, 40)], 10 * SECOND) == [gap(20, 40)]
    row = [gap(0, 4), gap(4, 8, Cause.BROKEN), gap(8, 12, Cause.REFUSED)]
    assert seen_gaps(row, 10 * SECOND) == [gap(0, 12)]
    assert seen_gaps(row, 13 * SECOND) == []
    longer = [gap(0, 4), gap(4, 40, Cause.BROKEN)]
    assert seen_gaps(longer, 10 * SECOND) == longer
    lasting = [gap(0, 4), gap(4, 5, Cause.REFUSED, lasting=True)]
    assert seen_gaps(lasting, 10 * SECOND) == lasting
