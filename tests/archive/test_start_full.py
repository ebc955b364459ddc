"""A start on a disk that is full to its last byte, with an archive that was closed in order: all
that SQLite and the lock want beside their files has to have room, or to do without."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from camkeep.archive.beside import camera_json
from camkeep.archive.catalog import Catalog
from camkeep.archive.index import Index
from camkeep.archive.indexthread import IndexThread
from camkeep.archive.root import make_root, open_root
from camkeep.archive.store import Archive
from camkeep.clock import FakeClock
from camkeep.errors import DiskFull
from camkeep.model import KeptCamera, SegmentState
from support.disks import fill
from support.files import pictures_of
from support.segments import Camera
from support.tiny import HOUR, NOON, Recording, small_archive


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(folder)], check=True)
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.fixture
def full(disk: Path) -> list[Recording]:
    """An archive on a disk that is full."""
    recordings = small_archive(disk)
    fill(disk / "filler")
    return recordings


def test_deletions_are_noted_without_room_for_a_log(disk: Path, full: list[Recording]) -> None:
    recording = full[0]
    first, *rest = recording.segments
    key = (first.camera, first.sequence)
    with Index.open(disk / "index.db") as index:
        index.mark_deleting([key])
        assert [s.state for s in index.unfinished()] == [SegmentState.DELETING]
        index.forget([key])
        with Catalog.open(disk / "index.db") as catalog:
            assert list(catalog.every_segment(recording.camera.id)) == rest
        index.examine()
    (disk / "filler").unlink()
    with Index.open(disk / "index.db") as index:  # and with a log again
        assert list(index.every_segment(recording.camera.id)) == rest
        assert (disk / "index.db-wal").exists()


def test_who_only_reads_is_told_of_the_full_disk(disk: Path, full: list[Recording]) -> None:
    with pytest.raises(DiskFull, match="no space is left"):
        Catalog.open(disk / "index.db")


def test_an_index_that_is_gone_is_made_once_there_is_room(
    disk: Path, full: list[Recording]
) -> None:
    (disk / "index.db").unlink()
    fill(disk / "filler")
    thread = IndexThread(disk, disk / "index.db")
    with pytest.raises(DiskFull):
        thread.submit(lambda index: index.cameras()).result()
    assert sorted(path.name for path in disk.glob("index.db*")) == []
    (disk / "filler").unlink()
    assert len(thread.submit(lambda index: index.cameras()).result()) == 2
    thread.close()


def test_an_archive_is_opened_and_makes_room(disk: Path) -> None:
    recording, _ = small_archive(disk)
    fill(disk / "filler")
    clock = FakeClock(NOON + 300 * HOUR)
    archive = Archive.open(open_root(disk), clock)
    try:
        gone = archive._remove(recording.camera.id, recording.segments[:1])
        assert gone == recording.segments[:1]
        archive.roster.open("Cam 1", "testcard:", None, None)
    finally:
        archive.close()
    (disk / "filler").unlink()
    thread = IndexThread(disk, disk / "index.db")
    kept = thread.submit(lambda index: list(index.every_segment(recording.camera.id))).result()
    thread.close()
    assert kept == recording.segments[1:]


def test_a_segment_that_was_open_keeps_its_pictures(disk: Path) -> None:
    make_root(disk, new=True)
    camera = Camera(disk)
    camera.record("jpeg")
    grows = camera.record("jpeg", closed=False).segment
    whose = KeptCamera(grows.camera, "garage", "garage", "testcard:", NOON)
    (disk / "recordings" / "garage" / "camera.json").write_bytes(camera_json(whose))
    Archive.open(open_root(disk), FakeClock(NOON + HOUR)).close()
    fill(disk / "filler")

    archive = Archive.open(open_root(disk), FakeClock(NOON + HOUR))
    with suppress(DiskFull):  # it cannot be recorded now
        archive.roster.open("garage", "testcard:", None, None)
    archive.close()
    assert len(pictures_of(disk / grows.path)) == grows.frames

    (disk / "filler").unlink()
    archive = Archive.open(open_root(disk), FakeClock(NOON + HOUR))
    archive.roster.open("garage", "testcard:", None, None)
    kept = archive.ask(lambda index: list(index.every_segment(grows.camera)))
    archive.close()
    assert [segment.state for segment in kept] == [SegmentState.CLOSED] * 2
    assert [segment.frames for segment in kept] == [s.frames for s in camera.segments]
