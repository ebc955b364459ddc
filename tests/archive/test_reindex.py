"""The index made anew: the same list as before, and what cannot be read stops nothing."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from camkeep.archive.beside import FOREVER, camera_json, removals_json
from camkeep.archive.catalog import Catalog
from camkeep.archive.layout import damaged_name
from camkeep.archive.reindex import Rebuilt, rebuild
from camkeep.archive.root import make_root
from camkeep.archive.store import Archive
from camkeep.clock import WallUs
from camkeep.engine.keeper import KeepOptions
from camkeep.errors import StreamBroken
from camkeep.model import CameraId, KeptCamera, SegmentState
from support.keeping import at, clock_at, kept
from support.segments import Camera
from support.staged import Staged, stream
from support.tiny import (
    HOUR,
    MINUTE,
    NOON,
    Recording,
    camera,
    clip,
    sealed,
    small_archive,
)

EVER = (WallUs(0), FOREVER)


def contents(root: Path) -> list[object]:
    """All that the index says."""
    with Catalog.open(root / "index.db") as catalog:
        catalog.examine()
        found: list[object] = [catalog.cameras(), catalog.clips(), catalog.totals()]
        for each in catalog.cameras():
            found.append(list(catalog.every_segment(each.id)))
            found.append(catalog.gaps(each.id, *EVER, FOREVER))
            found.append(catalog.removals(each.id))
        return found


def again(root: Path) -> Rebuilt:
    rebuilt = rebuild(root, root / "index.db")
    assert not list(root.glob("index.db.*"))
    return rebuilt


def test_the_same_comes_out(tmp_path: Path) -> None:
    small_archive(tmp_path, cameras=3)
    before = contents(tmp_path)
    seen: list[int] = []
    rebuilt = rebuild(tmp_path, tmp_path / "index.db", seen.append)
    assert contents(tmp_path) == before
    assert rebuilt == Rebuilt(cameras=3, segments=12, gaps=9, clips=2)
    assert seen == list(range(1, 13))


async def test_what_was_really_recorded_comes_back(tmp_path: Path) -> None:
    folder = tmp_path / "cams"
    sources = [
        Staged(
            [*stream(500), StreamBroken("the camera ended the stream")],
            stream(300, start_s=40, first=500),
        ),
        Staged(stream(700, gop=30)),
    ]
    options = KeepOptions(segment_s=5)
    async with kept(folder, *sources, options=options) as cameras:
        for source in sources:
            await source.played.wait()
        ids = [each.camera.id for each in cameras]
    archive = Archive.open(make_root(folder), clock_at(100))
    try:
        await archive.save_clip(replace(clip(1), cameras=tuple(ids), start=at(3), end=at(9)))
        oldest = archive.ask(lambda index: list(index.oldest(ids[0]))[:2])
        assert len(await archive.remove(ids[0], oldest)) == 2
    finally:
        archive.close()
    before = contents(folder)
    assert again(folder).problems == []
    assert contents(folder) == before
    assert len(before[3]) > 3  # type: ignore[arg-type]
    assert before[1]
    assert before[5]


def problems(root: Path, *wanted: str) -> None:
    """What is told, once the index is made anew."""
    told = again(root).problems
    assert len(told) == len(wanted), told
    for problem, words in zip(told, wanted, strict=True):
        assert words in problem


Spoil = Callable[[Recording], object]


def _camera_file(data: bytes) -> Spoil:
    return lambda recording: (recording.base / "camera.json").write_bytes(data)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda recording: (recording.base / "camera.json").unlink(),
        _camera_file(b""),
        _camera_file(b"{}"),
        _camera_file(b"\xff" * 100),
    ],
)
def test_a_camera_is_known_by_its_segments_where_its_file_is_lost(
    tmp_path: Path, spoil: Spoil
) -> None:
    recording, _ = small_archive(tmp_path)
    before = contents(tmp_path)
    spoil(recording)
    problems(tmp_path, "Cam-1: camera.json cannot be read: the camera is named by its files")
    after = contents(tmp_path)
    first = recording.segments[0].start
    assert after[0] == [replace(recording.camera, address="", since=first), camera(2)]
    assert after[1:] == before[1:]


def test_a_folder_that_nobody_explains_is_passed_over(tmp_path: Path) -> None:
    small_archive(tmp_path)
    before = contents(tmp_path)
    stranger = tmp_path / "recordings" / "stranger" / "2026-11-21"
    stranger.mkdir(parents=True)
    (stranger / "12-00-00Z.mp4").write_bytes(b"not a movie")
    (tmp_path / "recordings" / "empty").mkdir()
    (tmp_path / "recordings" / "note.txt").write_text("from a person")
    problems(tmp_path, "stranger: camera.json cannot be read, and no segment says whose they are")
    assert contents(tmp_path) == before


@pytest.mark.parametrize("copy_first", [False, True])
def test_a_copied_segment_is_told_and_left_out(tmp_path: Path, copy_first: bool) -> None:
    recording, _ = small_archive(tmp_path)
    before = contents(tmp_path)
    original = tmp_path / recording.segments[1].path
    copy = original.with_name("00-00-00Z.mp4" if copy_first else "23-59-59Z.mp4")
    shutil.copy(original, copy)
    problems(tmp_path, f"{copy.name} is a copy of")
    assert contents(tmp_path) == before


def test_a_copied_folder_is_told_and_left_out(tmp_path: Path) -> None:
    recording, _ = small_archive(tmp_path)
    before = contents(tmp_path)
    shutil.copytree(recording.base, recording.base.with_name("Cam-1 copy"))
    problems(tmp_path, "Cam-1 copy: is left out: it is of the same camera as recordings/Cam-1")
    assert contents(tmp_path) == before


def test_a_segment_of_another_camera_is_told(tmp_path: Path) -> None:
    one, other = small_archive(tmp_path)
    before = contents(tmp_path)
    shutil.copy(tmp_path / other.segments[0].path, one.base / "2026-11-21" / "23-00-00Z.mp4")
    problems(tmp_path, "is of another camera")
    assert contents(tmp_path) == before


@pytest.mark.parametrize(
    "change",
    [
        {"duration_us": (1 << 62) - 1},
        {"duration_us": -1},
        {"width": 1 << 62},
        {"height": -1},
    ],
)
def test_a_seal_that_cannot_be_true_is_told(tmp_path: Path, change: dict[str, int]) -> None:
    recording, _ = small_archive(tmp_path)
    before = contents(tmp_path)
    seal = replace(recording.seal(WallUs(NOON + 2 * HOUR)), **change)
    path = "recordings/Cam-1/2026-11-21/14-00-00Z.mp4"
    recording.write(path, sealed(seal))
    problems(tmp_path, "14-00-00Z.mp4 is left out")
    assert contents(tmp_path) == before


@pytest.mark.parametrize("data", [b"", b"x", bytes(5000), b"\0\0\0\x18ftypisom" + bytes(100)])
def test_files_that_are_no_movies_are_told(tmp_path: Path, data: bytes) -> None:
    recording, _ = small_archive(tmp_path)
    before = contents(tmp_path)
    recording.write("recordings/Cam-1/2026-11-21/23-00-00Z.mp4", data)
    problems(tmp_path, "23-00-00Z.mp4 is left out")
    assert contents(tmp_path) == before


def test_a_changed_seal_is_told(tmp_path: Path) -> None:
    recording, _ = small_archive(tmp_path)
    path = tmp_path / recording.segments[0].path
    data = bytearray(path.read_bytes())
    data[-60] ^= 1
    path.write_bytes(data)
    problems(tmp_path, "seal was changed")
    with Catalog.open(tmp_path / "index.db") as catalog:
        assert list(catalog.every_segment(recording.camera.id)) == recording.segments[1:]


def test_small_files_that_do_not_read_are_told(tmp_path: Path) -> None:
    recording, other = small_archive(tmp_path)
    before = contents(tmp_path)
    (tmp_path / "clips" / "odd.json").write_bytes(b"{")
    with (recording.base / "2026-11-21" / "gaps.jsonl").open("ab") as file:
        file.write(b'not a gap\n{"start": "2026-11-')
    problems(
        tmp_path,
        "2026-11-21/gaps.jsonl has 1 lines that cannot be read",
        "clips/odd.json cannot be read",
    )
    assert contents(tmp_path) == before
    (other.base / "removed.json").write_bytes(b"[{}]")
    rebuild(tmp_path, tmp_path / "index.db")
    with Catalog.open(tmp_path / "index.db") as catalog:
        assert catalog.removals(other.camera.id) == []
        assert list(catalog.every_segment(other.camera.id)) == other.segments


def test_damaged_segments_are_called_damaged(tmp_path: Path) -> None:
    recording, _ = small_archive(tmp_path)
    segment = recording.segments[0]
    path = tmp_path / segment.path
    path.rename(path.with_name(damaged_name(path.name)))
    assert again(tmp_path).problems == []
    with Catalog.open(tmp_path / "index.db") as catalog:
        found = catalog.segment(segment.camera, segment.sequence)
    assert found is not None
    assert found.state is SegmentState.DAMAGED
    assert found.path.endswith(".damaged.mp4")


def test_what_was_noted_as_removed_and_is_there_is_to_be_deleted(tmp_path: Path) -> None:
    recording, _ = small_archive(tmp_path)
    segment = recording.segments[0]
    noted = replace(recording.removals[0], last=segment.sequence)
    (recording.base / "removed.json").write_bytes(removals_json([noted]))
    rebuild(tmp_path, tmp_path / "index.db")
    with Catalog.open(tmp_path / "index.db") as catalog:
        assert catalog.unfinished() == [replace(segment, state=SegmentState.DELETING)]


def test_the_order_is_that_of_recording_whatever_the_clock_did(tmp_path: Path) -> None:
    make_root(tmp_path, new=True)
    recording = Recording(tmp_path, camera())
    for start in (NOON, NOON + HOUR, NOON - 30 * HOUR, NOON + HOUR, NOON + HOUR):
        recording.record(WallUs(start), 2 * MINUTE)
    assert again(tmp_path).problems == []
    with Catalog.open(tmp_path / "index.db") as catalog:
        assert list(catalog.every_segment(recording.camera.id)) == recording.segments
        assert [s.sequence for s in catalog.segments(recording.camera.id, *EVER)] == [1, 2, 3, 4, 5]


def test_an_archive_without_anything_has_an_empty_index(tmp_path: Path) -> None:
    assert again(tmp_path) == Rebuilt()
    assert contents(tmp_path) == [[], [], {}]


def test_what_a_rebuild_left_half_done_is_in_nobodys_way(tmp_path: Path) -> None:
    small_archive(tmp_path)
    before = contents(tmp_path)
    (tmp_path / "index.db.new").write_bytes(b"half of an index")
    (tmp_path / "index.db.new-wal").write_bytes(b"and its log")
    assert again(tmp_path).problems == []
    assert contents(tmp_path) == before


def test_readers_of_the_old_index_go_on(tmp_path: Path) -> None:
    recording, _ = small_archive(tmp_path)
    with Catalog.open(tmp_path / "index.db") as catalog:
        again(tmp_path)
        assert list(catalog.every_segment(recording.camera.id)) == recording.segments


def test_segments_that_grow_are_open(tmp_path: Path) -> None:
    make_root(tmp_path, new=True)
    grows = Camera(tmp_path)
    grows.record("jpeg")
    grows.record("jpeg", closed=False)
    whose = KeptCamera(CameraId("abcdefghijkm"), "garage", "garage", "", grows.segments[0].start)
    (tmp_path / "recordings" / "garage" / "camera.json").write_bytes(camera_json(whose))
    assert again(tmp_path).problems == []
    with Catalog.open(tmp_path / "index.db") as catalog:
        assert list(catalog.every_segment(whose.id)) == grows.segments


def test_damaged_segments_between_removed_ones_stay(tmp_path: Path) -> None:
    """They are in no chain: the removals around them become one, and a clip may hold them."""
    recording, _ = small_archive(tmp_path)
    segment = recording.segments[0]
    path = tmp_path / segment.path
    path.rename(path.with_name(damaged_name(path.name)))
    around = replace(recording.removals[0], last=segment.sequence + 1)
    (recording.base / "removed.json").write_bytes(removals_json([around]))
    rebuild(tmp_path, tmp_path / "index.db")
    with Catalog.open(tmp_path / "index.db") as catalog:
        found = list(catalog.every_segment(segment.camera))
    assert [each.state for each in found[:2]] == [SegmentState.DAMAGED, SegmentState.DELETING]


def test_a_folder_whose_name_is_no_text_is_told(tmp_path: Path) -> None:
    recording, _ = small_archive(tmp_path)
    before = contents(tmp_path)
    shutil.copytree(recording.base, recording.base.with_name("h\udcf6f"))
    problems(tmp_path, "recordings/h?f: is left out: its name is no text")
    assert contents(tmp_path) == before
