"""An archive as a program sees it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

import camkeep
from camkeep.archive.index import Index
from camkeep.archive.layout import INDEX
from camkeep.archive.root import make_root
from camkeep.archive.view import ArchiveView, as_wall
from camkeep.clock import FakeClock, WallUs
from camkeep.errors import IndexDamaged, UsageError
from camkeep.media.mp4.clip_verify import verify_clip
from camkeep.model import CameraId, KeptCamera
from support.files import FileBytes, pictures_of
from support.keeping import at, keep
from support.segments import Camera
from support.staged import Staged, stream
from support.tiny import HOUR, MINUTE, NOON, small_archive


@pytest.fixture
def view(tmp_path: Path) -> ArchiveView:
    """Cam 1 and Cam 2: minutes 2 to 5 after noon, gaps, two clips."""
    small_archive(tmp_path)
    return ArchiveView(tmp_path, FakeClock(wall=WallUs(NOON + 400 * HOUR), mono=0))


def test_instants_are_what_they_say() -> None:
    berlin = timezone(timedelta(hours=1))
    assert as_wall(datetime(2026, 11, 21, 13, tzinfo=berlin)) == NOON
    assert as_wall(datetime(2026, 11, 21, 12, 0, 0, 1, tzinfo=UTC)) == NOON + 1
    assert as_wall(NOON) == NOON
    with pytest.raises(UsageError, match="time zone"):
        as_wall(datetime(2026, 11, 21, 12))


def test_what_programs_call_it() -> None:
    assert camkeep.Archive is ArchiveView


def test_a_camera_by_its_name(view: ArchiveView) -> None:
    with view:
        assert [camera.name for camera in view.cameras()] == ["Cam 1", "Cam 2"]
        assert view.camera("cam 2").name == "Cam 2"
        with pytest.raises(UsageError, match="called garage: there are Cam 1, Cam 2"):
            view.camera("garage")


def test_segments_gaps_and_clips(view: ArchiveView) -> None:
    with view:
        segments = view.segments("Cam 1", NOON, NOON + HOUR)
        assert [(s.start - NOON) // MINUTE for s in segments] == [2, 3, 4, 5]
        assert view.segments("Cam 1", NOON, NOON + 2 * MINUTE) == []
        gaps = view.gaps("Cam 1", NOON - 2 * HOUR, NOON + 400 * HOUR)
        assert [gap.lasting for gap in gaps] == [False, False, True]
        assert gaps[-1].end == NOON + 400 * HOUR  # it is looked at now
        first, second = sorted(view.clips(), key=lambda clip: clip.id)
        assert (len(first.cameras), len(second.cameras)) == (1, 2)
        assert view.clip(second.id) == second
        assert view.clip("nothing") is None


def test_coverage_knows_what_was_deleted(view: ArchiveView) -> None:
    with view:
        covered = view.coverage("Cam 1", NOON, NOON + 6 * MINUTE)
    assert covered.recorded_us == pytest.approx(4 * MINUTE, abs=10)


def test_there_must_be_an_archive(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no archive at"):
        ArchiveView(tmp_path)
    small_archive(tmp_path)
    (tmp_path / INDEX).write_bytes(b"not a database, but long enough to be looked at" * 100)
    with pytest.raises(IndexDamaged, match="reindex"):
        ArchiveView(tmp_path)


async def test_export_and_the_proof_in_it(tmp_path: Path) -> None:
    await keep(tmp_path / "cams", Staged(list(stream(100))))
    done: list[tuple[int, int]] = []
    with ArchiveView(tmp_path / "cams") as view:
        (exported,) = view.export(
            "CAM0",
            at(1),
            at(3),
            tmp_path / "clip.mp4",
            progress=lambda *at: done.append(at),
        )
        with view.open("cam0", at(1), at(3), evidence=True) as opened:
            (movie,) = opened
            assert movie.size == exported.path.stat().st_size
        with pytest.raises(UsageError, match="was not recorded then"):
            view.export("cam0", at(60), at(70), tmp_path / "no.mp4")
    assert done[-1] == (movie.size, movie.size)
    numbers = [int.from_bytes(shown.data[2:10]) for shown in pictures_of(exported.path)]
    assert numbers == list(range(25, 75))
    assert verify_clip(FileBytes(exported.path)).intact
    assert not (tmp_path / "no.mp4").exists()


def test_a_segment_that_grows_is_as_long_as_its_file(tmp_path: Path) -> None:
    make_root(tmp_path, new=True)
    garage = Camera(tmp_path)
    garage.record()
    garage.record(closed=False)
    known = KeptCamera(CameraId("abcdefghijkm"), "garage", "garage", "testcard:", garage.now)
    done, grows = garage.segments
    with Index.open(tmp_path / INDEX) as index:
        index.save_camera(known)
        index.save_segments([done, replace(grows, duration_us=0, size=700, frames=0)])
    with ArchiveView(tmp_path) as view:
        assert view.segments("garage", 0, grows.end + 1) == [done, grows]
        assert view.segments("garage", grows.end, grows.end + 1) == []
        (tmp_path / grows.path).unlink()  # it is deleted meanwhile
        assert view.segments("garage", grows.start, grows.end)[0].frames == 0
