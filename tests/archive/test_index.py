"""The index: what is asked of it, beside what a list would answer."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from camkeep.archive.beside import FOREVER
from camkeep.archive.catalog import Catalog, Total
from camkeep.archive.index import Index
from camkeep.archive.schema import LONG_GAP_US, ROOM_BYTES
from camkeep.clock import WallUs
from camkeep.errors import IndexDamaged
from camkeep.media.mp4.seal import NOTHING_BEFORE
from camkeep.model import CameraId, Cause, Clip, Gap, Removal, Segment, SegmentState
from support.tiny import HOUR, MINUTE, NOON, camera, clip

CAM, OTHER = camera(1), camera(2)
EVER = (WallUs(0), FOREVER)
OPEN, CLOSED = SegmentState.OPEN, SegmentState.CLOSED
DAMAGED, DELETING = SegmentState.DAMAGED, SegmentState.DELETING


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    with Index.open(tmp_path / "index.db") as index:
        index.save_camera(CAM)
        index.save_camera(OTHER)
        yield index


def segment(
    sequence: int,
    start: int = NOON,
    duration_us: int = MINUTE,
    state: SegmentState = CLOSED,
    size: int = 1000,
    of: CameraId = CAM.id,
) -> Segment:
    folder = (CAM if of == CAM.id else OTHER).folder
    path = f"recordings/{folder}/2026-11-21/{sequence:06}Z.mp4"
    chain = sequence.to_bytes(32) if state is CLOSED else b""
    return Segment(
        of,
        sequence,
        1,
        path,
        WallUs(start),
        duration_us,
        size,
        25,
        "mjpg",
        64,
        48,
        "",
        state,
        chain,
    )


# The recordings of a camera: mostly one after the other, with steps of the clock, long pauses,
# and segments of no length or of hours.
STEPS = st.one_of(st.just(0), st.integers(-3 * HOUR, 3 * HOUR), st.integers(-(1 << 50), 1 << 50))
LENGTHS = st.one_of(st.integers(0, 2 * MINUTE), st.integers(0, 5 * HOUR))
STATES = st.sampled_from([CLOSED, CLOSED, CLOSED, OPEN, DAMAGED, DELETING])


@st.composite
def recordings(draw: st.DrawFn) -> list[Segment]:
    now, made = int(NOON), []
    for number in range(draw(st.integers(0, 12))):
        now = max(0, now + draw(STEPS))
        length = draw(LENGTHS)
        made.append(segment(1 + 2 * number, now, length, draw(STATES), draw(st.integers(0, 9999))))
        now += length
    return made


def reaches(kept: Segment, start: int, end: int) -> bool:
    if kept.state is DELETING:
        return False
    if kept.state is OPEN:
        return kept.start < end
    return kept.start < end and kept.start + max(kept.duration_us, 1) > start


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(recordings(), st.data())
def test_segments_of_an_interval_are_those_of_a_list(
    index: Index, made: list[Segment], data: st.DataObject
) -> None:
    index.forget([(CAM.id, s.sequence) for s in index.every_segment(CAM.id)])
    index.save_segments(made)
    edges = [int(NOON), *(s.start for s in made), *(s.end for s in made)]
    near = st.sampled_from(edges).flatmap(lambda edge: st.integers(edge - 2, edge + 2))
    for _ in range(8):
        start, end = sorted((data.draw(near), data.draw(near)))
        expected = [each for each in made if reaches(each, start, end)]
        assert index.segments(CAM.id, WallUs(start), WallUs(end)) == expected
    kept = [each for each in made if each.state is not DELETING]
    assert index.totals()[CAM.id] == Total(
        len(kept),
        sum(each.size for each in kept),
        min((each.start for each in kept), default=None),
        max((each.end for each in kept), default=None),
    )
    assert list(index.every_segment(CAM.id)) == made
    assert list(index.oldest(CAM.id)) == [s for s in made if s.state in (CLOSED, DAMAGED)]
    closed = [each for each in made if each.state is CLOSED]
    assert index.names(CAM.id) == [(each.sequence, each.path) for each in closed]
    assert index.not_closed(CAM.id) == [each for each in made if each.state is not CLOSED]
    assert index.tail(CAM.id) == (made[-1] if made else None)
    assert index.unfinished() == [s for s in made if s.state in (OPEN, DELETING)]
    sealed = [each.chain for each in made if each.chain]
    assert index.chain_end(CAM.id) == (sealed[-1] if sealed else NOTHING_BEFORE)
    index.examine()


@st.composite
def gap_lists(draw: st.DrawFn) -> list[Gap]:
    """Of no length, short, long, longer than a day by one, and lasting."""
    found: dict[int, Gap] = {}
    lengths = st.one_of(
        st.integers(0, HOUR),
        st.sampled_from([0, 1, LONG_GAP_US - 1, LONG_GAP_US, LONG_GAP_US + 1]),
        st.integers(0, 100 * LONG_GAP_US),
    )
    for start in draw(st.lists(st.integers(0, 20 * LONG_GAP_US), max_size=10)):
        lasting = draw(st.integers(0, 9)) == 0
        end = FOREVER if lasting else start + draw(lengths)
        found[start] = Gap(WallUs(start), WallUs(end), Cause.BROKEN, "ünd", lasting)
    return sorted(found.values(), key=lambda gap: gap.start)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(gap_lists(), st.data())
def test_gaps_of_an_interval_are_those_of_a_list(
    index: Index, gaps: list[Gap], data: st.DataObject
) -> None:
    index.drop_gaps(CAM.id, FOREVER)
    index.save_gaps(CAM.id, gaps)
    edges = [0, *(gap.start for gap in gaps), *(gap.end for gap in gaps if not gap.lasting)]
    near = st.sampled_from(edges).flatmap(lambda edge: st.integers(edge - 2, edge + 2))
    for _ in range(8):
        start, end = sorted((data.draw(near), data.draw(near)))
        now = data.draw(near)
        seen = [replace(g, end=WallUs(max(now, g.start))) if g.lasting else g for g in gaps]
        expected = [
            gap
            for gap in seen
            if gap.start < end
            and (gap.end > start or (gap.lasting and gap.start >= start))
            and (gap.end > gap.start or gap.lasting)
        ]
        assert index.gaps(CAM.id, WallUs(start), WallUs(end), WallUs(now)) == expected
    lasting = [gap for gap in gaps if gap.lasting]
    assert index.lasting_gap(CAM.id) == (lasting[-1] if lasting else None)
    assert index.gaps(OTHER.id, *EVER, FOREVER) == []


@pytest.mark.parametrize("length", [1, LONG_GAP_US - 1, LONG_GAP_US, LONG_GAP_US + 1])
def test_a_gap_is_found_up_to_its_last_moment(index: Index, length: int) -> None:
    gap = Gap(NOON, WallUs(NOON + length), Cause.BROKEN)
    index.save_gap(CAM.id, gap)
    assert index.gaps(CAM.id, WallUs(gap.end - 1), FOREVER, FOREVER) == [gap]
    assert index.gaps(CAM.id, gap.end, FOREVER, FOREVER) == []
    assert index.gaps(CAM.id, WallUs(0), WallUs(NOON + 1), FOREVER) == [gap]
    assert index.gaps(CAM.id, WallUs(0), NOON, FOREVER) == []


def everything(catalog: Catalog) -> list[object]:
    """All that it says."""
    found: list[object] = [catalog.cameras(), catalog.clips(), catalog.totals()]
    for each in catalog.cameras():
        found.append(list(catalog.every_segment(each.id)))
        found.append(catalog.gaps(each.id, *EVER, FOREVER))
        found.append(catalog.removals(each.id))
    return found


def test_what_is_done_twice_is_done_once(index: Index) -> None:
    removal = Removal(CAM.id, 1, 2, 2, NOON, NOON, bytes(32), bytes(32), NOON)
    gap = Gap(NOON, WallUs(NOON + 1), Cause.STALLED)
    steps = [
        lambda: index.save_camera(replace(CAM, name="Kitchen", address="rtsp://other")),
        lambda: index.segment_opened(segment(3, state=OPEN)),
        lambda: index.segment_closed(segment(3)),
        lambda: index.segment_damaged(segment(4, state=DAMAGED)),
        lambda: index.save_gap(CAM.id, gap),
        lambda: index.save_gap(CAM.id, replace(gap, end=WallUs(NOON + 5))),
        lambda: index.save_clip(clip(1, CAM, OTHER)),
        lambda: index.save_clip(replace(clip(1, CAM), name="hare")),
        lambda: index.replace_removals(CAM.id, [removal]),
        lambda: index.mark_deleting([(CAM.id, 3), (CAM.id, 99), (CameraId("nobody"), 1)]),
        lambda: index.forget([(CAM.id, 3), (CAM.id, 99)]),
        lambda: index.drop_gaps(CAM.id, WallUs(NOON + 1)),
        lambda: index.remove_clip(clip(1).id),
    ]
    seen = [everything(index)]
    for step in steps:
        step()
        once = everything(index)
        step()
        assert everything(index) == once != seen[-1]
        index.examine()
        seen.append(once)


def test_totals_follow_each_change(index: Index) -> None:
    rng = random.Random(1)
    kept: dict[int, Segment] = {}
    for _ in range(300):
        sequence = rng.randrange(20)
        match rng.randrange(3):
            case 0:
                state = rng.choice([OPEN, CLOSED, DAMAGED, DELETING])
                made = segment(sequence, NOON + rng.randrange(HOUR), rng.randrange(HOUR), state)
                kept[sequence] = replace(made, size=rng.randrange(1000))
                index.save_segments([kept[sequence]])
            case 1:
                index.mark_deleting([(CAM.id, sequence)])
                if sequence in kept:
                    kept[sequence] = replace(kept[sequence], state=DELETING)
            case 2:
                index.forget([(CAM.id, sequence)])
                kept.pop(sequence, None)
        counted = [each for each in kept.values() if each.state is not DELETING]
        total = index.totals()[CAM.id]
        assert total[:2] == (len(counted), sum(each.size for each in counted))
    index.examine()


def test_cameras_are_found_by_any_spelling(index: Index) -> None:
    assert index.cameras() == [CAM, OTHER]
    assert index.camera(CAM.id) == CAM
    assert index.camera(CameraId("nobody")) is None
    assert index.camera_named("CAM 2") == OTHER
    assert index.camera_named("cam 3") is None


def test_a_camera_that_is_not_known_has_nothing(index: Index) -> None:
    nobody = CameraId("nobody")
    index.save_segments([replace(segment(1), camera=nobody)])
    index.save_gap(nobody, Gap(NOON, WallUs(NOON + 1), Cause.BROKEN))
    index.replace_removals(nobody, [])
    assert index.segments(nobody, *EVER) == index.gaps(nobody, *EVER, FOREVER) == []
    assert list(index.every_segment(nobody)) == index.removals(nobody) == []
    assert index.tail(nobody) is index.segment(nobody, 1) is index.lasting_gap(nobody) is None
    assert index.next_sequence(nobody) == 1
    assert index.chain_end(nobody) == NOTHING_BEFORE


def test_numbers_go_on_behind_what_was_removed(index: Index) -> None:
    index.save_segments([segment(1), segment(2)])
    assert index.next_sequence(CAM.id) == 3
    removal = Removal(CAM.id, 1, 7, 7, NOON, NOON, bytes(32), b"x" * 32, NOON)
    index.replace_removals(CAM.id, [removal])
    index.forget([(CAM.id, 1), (CAM.id, 2)])
    assert index.next_sequence(CAM.id) == 8
    assert index.chain_end(CAM.id) == b"x" * 32


def test_rows_that_go_meanwhile_disturb_no_walk(index: Index) -> None:
    index.save_segments([segment(number) for number in range(1, 1201)])
    walk = index.every_segment(CAM.id)
    seen = [next(walk).sequence for _ in range(3)]
    index.forget([(CAM.id, number) for number in range(1, 601)])
    seen += [each.sequence for each in walk]
    assert seen[-600:] == list(range(601, 1201))
    assert seen == sorted(set(seen))


def test_text_that_is_no_unicode_is_kept_as_far_as_it_goes(index: Index) -> None:
    odd = Clip("clip1", "half \ud800 a fox", (CameraId("\N{FOX FACE}"),), NOON, None, True, NOON)
    index.save_clip(odd)
    assert index.clip("clip1") == replace(odd, name="half ? a fox")
    assert index.clip("clip2") is None


def test_readers_see_whole_steps_while_others_write(index: Index) -> None:
    """Two segments of a size, or none."""
    stop = threading.Event()
    wrong: list[object] = []

    def read() -> None:
        with Catalog.open(index.path) as catalog:
            while not stop.is_set():
                rows = [s.size for s in catalog.segments(CAM.id, *EVER)]
                if len(rows) not in (0, 2) or len(set(rows)) > 1:
                    wrong.append(rows)

    reader = threading.Thread(target=read)
    reader.start()
    for size in range(200):
        index.save_segments([segment(1, size=size), segment(2, size=size)])
        index.forget([(CAM.id, 1), (CAM.id, 2)])
    stop.set()
    reader.join()
    assert not wrong


def test_a_step_that_fails_is_not_done_at_all(index: Index) -> None:
    bad = replace(segment(2), size=-1)
    before = everything(index)
    with pytest.raises(IndexDamaged):
        index.save_segments([segment(1), bad])
    with pytest.raises(ValueError, match="measure"):
        index.save_segments([segment(1), replace(segment(2), size=1 << 62)])
    with pytest.raises(ValueError, match="folder"):
        index.save_segments([segment(1), replace(segment(2), path="recordings/else/a.mp4")])
    assert everything(index) == before


def test_there_is_room_to_note_deletions(index: Index) -> None:
    assert index.path.stat().st_size >= ROOM_BYTES
    log = index.path.with_name("index.db-wal")
    assert log.stat().st_size >= ROOM_BYTES
    before = index.path.stat().st_size, log.stat().st_size
    index.save_segments([segment(number) for number in range(1000)])
    index.mark_deleting([(CAM.id, number) for number in range(1000)])
    index.forget([(CAM.id, number) for number in range(1000)])
    assert (index.path.stat().st_size, log.stat().st_size) == before


def test_a_catalog_needs_an_index(tmp_path: Path) -> None:
    with pytest.raises(IndexDamaged, match="no index"):
        Catalog.open(tmp_path / "none.db")
    (tmp_path / "empty.db").touch()
    with pytest.raises(IndexDamaged):
        Catalog.open(tmp_path / "empty.db")
    (tmp_path / "other.db").write_bytes(b"no database at all" * 1000)
    for opened in (Catalog.open, Index.open):
        with pytest.raises(IndexDamaged):
            opened(tmp_path / "other.db")
