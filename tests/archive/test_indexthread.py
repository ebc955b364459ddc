"""The thread of the index: its order, and what it does when the disk is full or away."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from camkeep.archive.catalog import Catalog
from camkeep.archive.index import Index
from camkeep.archive.indexthread import IndexThread
from camkeep.archive.layout import MARKER
from camkeep.clock import WallUs
from camkeep.errors import DiskAway, DiskFull, IndexDamaged, UsageError, WriteFailed
from camkeep.model import Segment
from support.disks import fill
from support.tiny import HOUR, NOON, Recording, small_archive


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk on which an index has room, and little more."""
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=20m", "tmpfs", str(folder)], check=True)
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def opened(root: Path, told: list[str] | None = None) -> IndexThread:
    return IndexThread(root, root / "index.db", ([] if told is None else told).append)


def segments(recording: Recording, thread: IndexThread) -> list[Segment]:
    camera = recording.camera.id
    return thread.submit(lambda index: list(index.every_segment(camera))).result()


def test_jobs_run_one_after_the_other_on_one_thread(tmp_path: Path) -> None:
    small_archive(tmp_path)
    thread = opened(tmp_path)
    seen: list[tuple[int, int]] = []
    waits = threading.Event()
    thread.submit(lambda _: waits.wait())
    for number in range(20):
        thread.submit(lambda _, number=number: seen.append((number, threading.get_ident())))
    assert seen == []
    waits.set()
    thread.close()
    assert [number for number, _ in seen] == list(range(20))
    assert len({ident for _, ident in seen} - {threading.get_ident()}) == 1


def test_an_error_of_a_job_is_its_own(tmp_path: Path) -> None:
    small_archive(tmp_path)
    thread = opened(tmp_path)
    failed = thread.submit(lambda _: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        failed.result()
    assert not thread.stale
    assert len(thread.submit(lambda index: index.cameras()).result()) == 2
    thread.close()


def test_an_index_that_is_gone_is_made_before_the_first_job(tmp_path: Path) -> None:
    recording, _ = small_archive(tmp_path)
    (tmp_path / "index.db").unlink()
    thread = opened(tmp_path)
    assert segments(recording, thread) == recording.segments
    thread.close()


def test_a_job_that_meets_damage_is_done_again_once(tmp_path: Path) -> None:
    recording, _ = small_archive(tmp_path)
    told: list[str] = []
    thread = opened(tmp_path, told)
    tries: list[int] = []

    def job(index: Index) -> int:
        tries.append(len(list(index.every_segment(recording.camera.id))))
        if len(tries) == 1:
            raise IndexDamaged("a row does not read")
        return len(tries)

    assert thread.submit(job).result() == 2
    assert tries == [4, 4]
    assert told == ["a row does not read: it was made anew from the files"]
    assert not thread.stale

    def never(_: Index) -> None:
        raise IndexDamaged("whatever is done")

    with pytest.raises(IndexDamaged):
        thread.submit(never).result()
    assert thread.stale
    assert thread.rebuild().result().problems == []
    assert not thread.stale
    thread.close()


def test_a_full_disk_is_told_and_made_good(disk: Path) -> None:
    recording, _ = small_archive(disk)
    thread = opened(disk)
    assert segments(recording, thread) == recording.segments
    filler = disk / "filler"
    fill(filler)
    one = recording.segments[-1]
    many = [
        replace(one, sequence=1000 + n, path=f"recordings/Cam-1/2026-11-21/{n:08}Z.mp4")
        for n in range(60_000)
    ]
    with pytest.raises(DiskFull):
        thread.submit(lambda index: index.save_segments(many)).result()
    assert thread.stale
    key = (one.camera, one.sequence)
    thread.submit(lambda index: index.mark_deleting([key])).result()  # for that, there is room
    thread.submit(lambda index: index.forget([key])).result()
    assert segments(recording, thread) == recording.segments[:-1]
    filler.unlink()
    thread.rebuild().result()
    assert not thread.stale
    assert segments(recording, thread) == recording.segments
    thread.close()


def test_nothing_is_made_where_a_disk_was(tmp_path: Path) -> None:
    small_archive(tmp_path)
    (tmp_path / MARKER).unlink()
    (tmp_path / "index.db").unlink()
    thread = opened(tmp_path)
    before = sorted(tmp_path.iterdir())
    for future in (thread.submit(lambda index: index.cameras()), thread.rebuild()):
        with pytest.raises(DiskAway):
            future.result()
    assert sorted(tmp_path.iterdir()) == before
    assert thread.stale
    thread.close()


def test_a_folder_that_is_gone_is_an_error_and_no_end(tmp_path: Path) -> None:
    thread = opened(tmp_path / "nowhere")
    with pytest.raises(DiskAway):
        thread.submit(lambda index: index.cameras()).result()
    thread.close()


def test_an_index_that_cannot_be_opened_is_told(tmp_path: Path) -> None:
    small_archive(tmp_path)
    (tmp_path / "index.db").unlink()
    (tmp_path / "index.db").mkdir()
    thread = opened(tmp_path)
    with pytest.raises(WriteFailed):
        thread.submit(lambda index: index.cameras()).result()
    thread.close()


def test_an_index_of_a_newer_camkeep_stays(tmp_path: Path) -> None:
    small_archive(tmp_path)
    with Index.open(tmp_path / "index.db") as index:
        script = "INSERT INTO versions VALUES (99); PRAGMA user_version = 99;"
        index._connection.executescript(script)
    before = (tmp_path / "index.db").read_bytes()
    thread = opened(tmp_path)
    with pytest.raises(UsageError, match="newer"):
        thread.submit(lambda index: index.cameras()).result()
    thread.close()
    assert (tmp_path / "index.db").read_bytes() == before


def test_what_is_recorded_while_the_index_is_made_anew_is_in_it(tmp_path: Path) -> None:
    recording, _ = small_archive(tmp_path)
    thread = opened(tmp_path)
    thread.rebuild()
    made = recording.record(WallUs(NOON + HOUR))
    thread.submit(lambda index: index.segment_closed(made))
    assert segments(recording, thread) == recording.segments
    thread.close()
    reopened = opened(tmp_path)
    assert segments(recording, reopened) == recording.segments
    reopened.close()


@pytest.mark.parametrize("replaced", [False, True])
def test_an_index_that_is_deleted_while_it_is_used_is_there_again_with_the_next_job(
    tmp_path: Path, replaced: bool
) -> None:
    recording, _ = small_archive(tmp_path)
    path = tmp_path / "index.db"
    older = path.read_bytes()
    thread = opened(tmp_path)
    assert segments(recording, thread) == recording.segments
    made = recording.record(WallUs(NOON + HOUR))
    thread.submit(lambda index: index.segment_closed(made)).result()
    for part in tmp_path.glob("index.db*"):
        part.unlink()
    if replaced:  # with a copy that someone had
        path.write_bytes(older)
    later = recording.record(WallUs(NOON + 2 * HOUR))
    thread.submit(lambda index: index.segment_closed(later)).result()
    with Catalog.open(path) as catalog:
        assert list(catalog.every_segment(recording.camera.id)) == recording.segments
    thread.close()


def test_a_disk_that_goes_takes_the_index_with_it_until_it_is_back(tmp_path: Path) -> None:
    recording, _ = small_archive(tmp_path / "mount")
    thread = opened(tmp_path / "mount")
    assert segments(recording, thread) == recording.segments
    (tmp_path / "mount").rename(tmp_path / "elsewhere")
    (tmp_path / "mount").mkdir()
    with pytest.raises(DiskAway):
        segments(recording, thread)
    assert list((tmp_path / "mount").iterdir()) == []
    (tmp_path / "mount").rmdir()
    (tmp_path / "elsewhere").rename(tmp_path / "mount")
    assert segments(recording, thread) == recording.segments
    thread.close()
