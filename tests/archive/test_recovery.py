"""What a crash left half done, and a start makes whole: each case by itself. That nothing else
can be left half done is what `test_power_cut` looks for."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest

from camkeep.archive.beside import camera_json
from camkeep.archive.layout import CAMERA_FILE, INDEX, RECORDINGS
from camkeep.archive.reaper import note_removals
from camkeep.archive.root import make_root, open_root
from camkeep.archive.store import Archive
from camkeep.clock import FakeClock, WallUs
from camkeep.media.mp4.resume import MAX_HEADER, PATCH_SIZE
from camkeep.model import CameraId, Cause, KeptCamera, SegmentState
from support.aftermath import Aftermath
from support.segments import LENGTH_US, NOON, SECOND, Camera

GARAGE = KeptCamera(CameraId("abcdefghijkm"), "garage", "garage", "rtsp://192.0.2.9/", NOON)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "cams"


@pytest.fixture
def camera(folder: Path) -> Camera:
    """A camera of an archive, without a segment yet."""
    make_root(folder)
    place = folder / RECORDINGS / GARAGE.folder
    place.mkdir()
    (place / CAMERA_FILE).write_bytes(camera_json(GARAGE))
    return Camera(folder)


def start(folder: Path, wall: int) -> Aftermath:
    """Start to record, and stop at once; what there is then."""
    archive = Archive.open(open_root(folder), FakeClock(wall))
    try:
        asyncio.run(keep(archive))
    finally:
        archive.close()
    return Aftermath(folder)


async def keep(archive: Archive) -> None:
    await archive.keep(GARAGE.name, GARAGE.address)


def test_an_index_that_does_not_know_the_camera_yet(camera: Camera, folder: Path) -> None:
    shutil.move(folder / RECORDINGS, folder / "away")
    (folder / RECORDINGS).mkdir()
    Archive.open(open_root(folder), FakeClock(NOON)).close()
    (folder / RECORDINGS).rmdir()
    shutil.move(folder / "away", folder / RECORDINGS)
    made = [camera.record().segment for _ in range(3)]
    after = start(folder, camera.now)
    assert after.cameras == [GARAGE]
    assert after.segments(GARAGE) == made
    assert after.complaints() == []


def test_a_deletion_that_was_noted_is_done(camera: Camera, folder: Path) -> None:
    made = [camera.record().segment for _ in range(3)]
    start(folder, camera.now)
    note_removals(open_root(folder), GARAGE, made[:2], camera.now)
    (folder / made[0].path).unlink()  # the index knows nothing of either
    after = start(folder, camera.now)
    assert after.segments(GARAGE) == made[2:]
    assert not (folder / made[1].path).exists()
    assert [(row.first, row.last) for row in after.removals(GARAGE)] == [(1, 2)]
    assert after.complaints() == []


def test_what_was_deleted_by_hand_is_still_missed(camera: Camera, folder: Path) -> None:
    made = [camera.record().segment for _ in range(3)]
    start(folder, camera.now)
    (folder / made[1].path).unlink()
    after = start(folder, camera.now)
    assert after.segments(GARAGE) == made
    assert any(made[1].path in complaint for complaint in after.complaints())


def test_a_file_whose_header_was_never_flushed_holds_nothing(camera: Camera, folder: Path) -> None:
    made = camera.record().segment
    day = (folder / made.path).parent
    for number, data in enumerate((b"", bytes(900), (folder / made.path).read_bytes()[:300])):
        (day / f"13-00-0{number}Z.mp4").write_bytes(data)
    after = start(folder, camera.now)
    assert after.segments(GARAGE) == [made]
    assert after.complaints() == []


def test_a_file_that_is_too_large_for_that_is_put_aside(camera: Camera, folder: Path) -> None:
    made = camera.record().segment
    day = (folder / made.path).parent
    (day / "13-00-00Z.mp4").write_bytes(bytes(MAX_HEADER + 1))
    start(folder, camera.now)
    assert (day / "13-00-00Z.damaged.mp4").stat().st_size == MAX_HEADER + 1


@pytest.mark.parametrize("known", [True, False], ids=["in the index", "unknown to it"])
def test_a_close_that_lacked_its_last_step(camera: Camera, folder: Path, known: bool) -> None:
    made = [camera.record().segment for _ in range(2)]
    path = folder / made[-1].path
    whole = path.read_bytes()
    begin = int.from_bytes(whole[:4], "big")
    growing = PATCH_SIZE.to_bytes(4, "big") + b"free" + bytes(PATCH_SIZE - 8)
    path.write_bytes(whole[:begin] + growing + whole[begin + PATCH_SIZE :])
    if known:
        start(folder, camera.now)
        path.write_bytes(whole[:begin] + growing + whole[begin + PATCH_SIZE :])
        (folder / INDEX).unlink()
    after = start(folder, camera.now)
    assert path.read_bytes() == whole
    assert after.segments(GARAGE) == made
    assert after.complaints() == []


def test_what_was_written_last_is_there_and_what_was_written_before_is_not(
    camera: Camera, folder: Path
) -> None:
    camera.record()
    torn = camera.record(closed=False).segment
    camera.record(closed=False)
    path = folder / torn.path
    path.write_bytes(path.read_bytes()[: torn.size * 2 // 3])
    after = start(folder, camera.now + SECOND)
    segments = after.segments(GARAGE)
    assert [segment.state for segment in segments] == [SegmentState.CLOSED] * 3
    assert 0 < segments[1].duration_us < LENGTH_US
    hole = after.gaps(GARAGE)[0]
    assert (hole.start, hole.end) == (segments[1].end, segments[2].start)
    assert hole.cause is Cause.NOT_RUNNING
    assert after.complaints() == []
    assert after.unexplained(WallUs(camera.now + SECOND)) == []


def test_a_camera_of_which_all_is_being_deleted(camera: Camera, folder: Path) -> None:
    made = camera.record().segment
    note_removals(open_root(folder), GARAGE, [made], camera.now)
    # there is no index: it is made while the file is still there
    after = start(folder, camera.now)
    assert after.segments(GARAGE) == []
    assert after.complaints() == []
