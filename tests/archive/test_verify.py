"""Whatever is done to an archive behind its back is found, and it is said where."""

from __future__ import annotations

import os
from dataclasses import replace
from hashlib import sha256
from itertools import groupby
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from camkeep.archive.chain import Kind, Link, holes, is_told, link_of
from camkeep.archive.layout import RECORDINGS, REMOVED_FILE
from camkeep.archive.verify import Verified, verify_camera
from camkeep.clock import WallUs
from camkeep.media.mp4.seal import NOTHING_BEFORE, Seal
from camkeep.model import CameraId, KeptCamera, Removal, Segment, SegmentState
from support.segments import Camera
from support.tiny import MINUTE, NOON, Recording, camera, sealed

STEP = 10
"""Between sequences, so that there is room for what is put in between."""


def digest(*parts: object) -> bytes:
    return sha256(repr(parts).encode()).digest()


def link(number: int, previous: bytes, *, of: object = "genuine") -> Link:
    start = WallUs(NOON + number * MINUTE)
    chain = digest(of, number, previous)
    return Link(number, previous, chain, start, WallUs(start + MINUTE), f"{of}-{number}.mp4")


def chain_of(count: int) -> list[Link]:
    rows: list[Link] = []
    for number in range(count):
        rows.append(link(STEP * (number + 1), rows[-1].chain if rows else NOTHING_BEFORE))
    return rows


def removal_of(rows: list[Link]) -> Removal:
    return Removal(
        CameraId("abcdefghijkm"),
        rows[0].sequence,
        rows[-1].sequence,
        len(rows),
        rows[0].start,
        rows[-1].end,
        rows[0].previous,
        rows[-1].chain,
        WallUs(0),
    )


KEPT, LOST, REMOVED = "kept", "lost", "removed"


def left_of(genuine: list[Link], fates: list[str]) -> list[tuple[Link, bool]]:
    """The links that are left, what was removed on purpose as one for each run of them, and
    whether something before each was lost."""
    left: list[tuple[Link, bool]] = []
    lost = False
    for fate, run in groupby(zip(genuine, fates, strict=True), lambda pair: pair[1]):
        rows = [row for row, _ in run]
        if fate == LOST:
            lost = True
            continue
        links = [link_of(removal_of(rows))] if fate == REMOVED else rows
        left += [(row, lost and row is links[0]) for row in links]
        lost = False
    return left


@given(
    st.lists(st.sampled_from([KEPT, KEPT, KEPT, LOST, REMOVED]), max_size=30),
    st.sets(st.integers(0, 29)),
)
def test_what_is_missing_and_what_was_put_in_are_told_exactly(
    fates: list[str], strangers: set[int]
) -> None:
    left = left_of(chain_of(len(fates)), fates)
    rows: list[Link] = []
    expected: list[tuple[Kind, int]] = []
    for number, (row, lost) in enumerate(left):
        followed = number + 1 < len(left) and not left[number + 1][1]
        if number in strangers and followed and not lost:  # else nobody could tell which is right
            before = rows[-1].chain if rows and number % 2 else digest("elsewhere", number)
            rows.append(link(row.sequence - 1, before, of="stranger"))
            expected.append((Kind.INSERTED, row.sequence - 1))
        if lost:
            expected.append((Kind.MISSING, row.sequence))
        rows.append(row)
    assert [(hole.kind, hole.after.sequence) for hole in holes(rows)] == expected


@given(st.integers(2, 20), st.data())
def test_a_segment_that_was_sealed_anew_breaks_the_chain_there(
    count: int, data: st.DataObject
) -> None:
    rows = chain_of(count)
    at = data.draw(st.integers(0, count - 1))
    previous = data.draw(st.sampled_from([rows[at].previous, digest("another")]))
    rows[at] = link(rows[at].sequence, previous, of="sealed anew")
    found = {hole.after.sequence for hole in holes(rows)}
    allowed = {row.sequence for row in rows[at : at + 2]}
    assert found <= allowed
    assert found or (at == count - 1 and previous == rows[at].previous)  # the head tells that


@given(st.integers(1, 20), st.data())
def test_a_segment_added_behind_all_does_not_shed_doubt_on_others(
    count: int, data: st.DataObject
) -> None:
    rows = chain_of(count)
    at = data.draw(st.integers(0, count - 1))
    stranger = link(STEP * count + 1, rows[at].previous, of="stranger")
    found = list(holes([*rows, stranger]))
    assert [hole.after for hole in found] == [stranger]


@given(st.permutations(range(6)))
def test_links_of_any_order_end(order: list[int]) -> None:
    rows = chain_of(6)
    found = list(holes(rows[number] for number in order))
    assert bool(found) == (order != sorted(order))


def test_a_hole_is_told_once() -> None:
    rows = chain_of(4)
    (hole,) = holes([rows[0], rows[3]])
    between = set(range(rows[0].sequence + 1, rows[3].sequence))
    assert is_told(hole, {}, between)
    assert not is_told(hole, {}, between - {rows[1].sequence})
    assert is_told(hole, {rows[0].chain: rows[1].sequence}, {n for n in between if n > 20})
    (inserted,) = holes([rows[0], link(11, digest("x"), of="stranger"), *rows[1:]])
    assert not is_told(inserted, {}, set(range(50)))
    (beginning,) = holes(rows[1:])
    assert is_told(beginning, {}, set(range(1, 20)))


# files


@pytest.fixture
def recording(tmp_path: Path) -> Recording:
    made = Recording(tmp_path, camera())
    for number in range(6):
        made.record(WallUs(NOON + number * MINUTE))
    return made


def verified(recording: Recording, *, index: bool = True, **options: bool) -> Verified:
    rows = {row.path: row for row in recording.segments} if index else None
    return verify_camera(recording.root, recording.camera, rows, **options)


def told(recording: Recording, *, index: bool = True) -> list[tuple[Kind, str, float]]:
    """What is found: its kind, file and minute."""
    found = verified(recording, index=index)
    assert found.intact == (not found.findings)
    return [
        (
            finding.kind,
            finding.path.rpartition("/")[2],
            -1 if finding.start is None else (finding.start - NOON) / MINUTE,
        )
        for finding in found.findings
    ]


def path_of(recording: Recording, number: int) -> Path:
    return recording.root / recording.segments[number].path


def seals_of(recording: Recording) -> list[Seal]:
    again = Recording(recording.root / "again", recording.camera)
    seals = []
    for segment in recording.segments:
        seals.append(again.seal(segment.start))
        again.record(segment.start)
    return seals


@pytest.mark.parametrize("index", [True, False])
def test_what_nobody_touched_is_intact(recording: Recording, index: bool) -> None:
    sizes: list[int] = []
    rows = {row.path: row for row in recording.segments} if index else None
    head = recording.segments[-1].chain
    found = verify_camera(
        recording.root, recording.camera, rows, heads=[head, bytes(32)], progress=sizes.append
    )
    assert (found.intact, found.segments, found.head) == (True, 6, head)
    assert found.heads_found == {head}
    assert (found.start, found.end) == (NOON, NOON + 6 * MINUTE)
    assert sum(sizes) == sum(segment.size for segment in recording.segments)
    assert (found.open, found.damaged, found.removed) == (0, 0, 0)


@pytest.mark.parametrize("index", [True, False])
def test_a_byte_of_a_picture(recording: Recording, index: bool) -> None:
    path = path_of(recording, 2)
    data = bytearray(path.read_bytes())
    data[data.index(b"\xff\xd8\xff\xd9") + 1] ^= 1
    path.write_bytes(data)
    assert told(recording, index=index) == [(Kind.CHANGED, "12-02-00Z.mp4", 2)]
    assert verified(recording, contents=False).intact  # the quick look does not look there


def test_a_byte_of_a_seal(recording: Recording) -> None:
    path = path_of(recording, 2)
    data = bytearray(path.read_bytes())
    data[-20] ^= 1
    path.write_bytes(data)
    assert told(recording) == [(Kind.UNREADABLE, "12-02-00Z.mp4", 2)]
    kinds = [kind for kind, _, _ in told(recording, index=False)]
    assert sorted(kinds) == [Kind.MISSING, Kind.UNREADABLE]


def test_a_seal_that_was_cut_off(recording: Recording) -> None:
    path = path_of(recording, 2)
    os.truncate(path, path.stat().st_size - 7)
    assert told(recording) == [(Kind.CHANGED, "12-02-00Z.mp4", 2)]
    assert not verified(recording).open


def test_a_seal_that_was_cut_off_where_there_is_no_index(tmp_path: Path) -> None:
    garage = Camera(tmp_path)
    for _ in range(3):
        garage.record()
    of = KeptCamera(CameraId("abcdefghijkm"), "garage", "garage", "testcard:", garage.now)
    for number, kinds in ((2, []), (1, [Kind.CHANGED])):  # the newest may still grow
        path = tmp_path / garage.segments[number].path
        data = path.read_bytes()
        os.truncate(path, len(data) - 7)
        found = verify_camera(tmp_path, of, None)
        assert (found.open, [finding.kind for finding in found.findings]) == (not kinds, kinds)
        path.write_bytes(data)


@pytest.mark.parametrize("index", [True, False])
def test_a_file_that_is_gone(recording: Recording, index: bool) -> None:
    path_of(recording, 2).unlink()
    path_of(recording, 3).unlink()
    found = told(recording, index=index)
    expected = [(Kind.MISSING, "", 2.0), (Kind.MISSING, "", 3.0)]
    assert found == (expected if index else expected[:1])
    (*_, last) = verified(recording, index=index).findings
    assert last.end == NOON + 4 * MINUTE


def test_the_newest_can_only_be_missed_by_the_index_or_a_head(recording: Recording) -> None:
    path_of(recording, 5).unlink()
    assert told(recording) == [(Kind.MISSING, "", 5)]
    assert told(recording, index=False) == []
    head = recording.segments[5].chain
    found = verify_camera(recording.root, recording.camera, None, heads=[head])
    assert not found.heads_found


@pytest.mark.parametrize("index", [True, False])
@pytest.mark.parametrize("name", ["09-00-00Z.mp4", "12-09-00Z.mp4"])
def test_a_copy(recording: Recording, index: bool, name: str) -> None:
    path = path_of(recording, 2)
    path.with_name(name).write_bytes(path.read_bytes())
    assert told(recording, index=index) == [(Kind.INSERTED, name, 2)]


@pytest.mark.parametrize("index", [True, False])
def test_two_names_that_were_swapped(recording: Recording, index: bool) -> None:
    one, other = path_of(recording, 1), path_of(recording, 3)
    aside = one.with_name("aside")
    one.rename(aside)
    other.rename(one)
    aside.rename(other)
    assert told(recording, index=index) == [
        (Kind.MOVED, "12-03-00Z.mp4", 1),
        (Kind.MOVED, "12-01-00Z.mp4", 3),
    ]


@pytest.mark.parametrize("index", [True, False])
def test_a_new_name(recording: Recording, index: bool) -> None:
    path = path_of(recording, 1)
    path.rename(path.with_name("18-00-00Z.mp4"))
    assert told(recording, index=index) == [(Kind.MOVED, "18-00-00Z.mp4", 1)]


def test_a_segment_of_another_camera(recording: Recording) -> None:
    other = Recording(recording.root, camera(2)).record(WallUs(NOON + 90_000_000))
    path = path_of(recording, 0).with_name("12-01-30Z.mp4")
    path.write_bytes((recording.root / other.path).read_bytes())
    assert told(recording) == [(Kind.INSERTED, "12-01-30Z.mp4", 1.5)]


def test_something_that_is_no_segment(recording: Recording) -> None:
    path_of(recording, 0).with_name("12-00-30Z.mp4").write_bytes(b"hello")
    path_of(recording, 0).with_name("notes.txt").write_bytes(b"hello")
    assert told(recording) == [(Kind.UNREADABLE, "12-00-30Z.mp4", -1)]


def test_one_that_was_sealed_anew(recording: Recording) -> None:
    seal = replace(seals_of(recording)[2], previous=digest("another"))
    path_of(recording, 2).write_bytes(sealed(seal))
    found = told(recording)
    assert (Kind.CHANGED, "12-02-00Z.mp4", 2) in found
    assert [kind for kind, _, _ in found].count(Kind.MISSING) == 2  # before it, and behind it
    assert [kind for kind, _, _ in told(recording, index=False)] == [Kind.MISSING] * 2


@pytest.mark.parametrize("index", [True, False])
def test_what_was_deleted_on_purpose_is_no_hole(recording: Recording, index: bool) -> None:
    recording.remove_first(2)
    assert told(recording, index=index) == []
    assert verified(recording, index=index).removed == 2
    (recording.base / REMOVED_FILE).unlink()
    assert (Kind.MISSING, "", -1) in told(recording, index=index)


def test_the_newest_may_still_grow(recording: Recording) -> None:
    path = path_of(recording, 5)
    os.truncate(path, path.stat().st_size - 7)
    recording.segments[5] = replace(
        recording.segments[5], state=SegmentState.OPEN, chain=b"", frames=0
    )
    assert told(recording) == []
    assert verified(recording).open == 1


def test_one_that_the_disk_damaged_is_told_apart(recording: Recording) -> None:
    path = path_of(recording, 5)
    path.rename(path.with_name("12-05-00Z.damaged.mp4"))
    recording.segments.pop()
    assert (told(recording), verified(recording).damaged) == ([], 1)


def test_a_segment_sealed_while_others_were_looked_at(
    recording: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Begun before the look, and closed before its successor was seen."""
    from camkeep.archive import verify

    path, first = path_of(recording, 4), True
    read = verify.read_seal_of

    def read_late(at: Path) -> Seal | None:
        nonlocal first
        if at == path and first:
            first = False
            return None
        return read(at)

    monkeypatch.setattr(verify, "read_seal_of", read_late)
    found = verified(recording)
    assert (found.intact, found.open, found.segments) == (True, 0, 6)


def test_one_deleted_meanwhile_is_not_missing(recording: Recording) -> None:
    rows: dict[str, Segment] = {row.path: row for row in recording.segments}
    recording.remove_first(3)
    found = verify_camera(recording.root, recording.camera, rows)
    assert found.intact
    assert (recording.root / RECORDINGS).is_dir()
