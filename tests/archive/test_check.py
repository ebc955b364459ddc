"""Index and files compared: what people and disks did to an archive is told."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from camkeep.archive.catalog import Catalog
from camkeep.archive.check import Mismatch, check
from camkeep.archive.index import Index
from camkeep.archive.layout import damaged_name
from camkeep.errors import StorageError
from camkeep.model import CameraId, Segment, SegmentState
from support.tiny import Recording, small_archive


@pytest.fixture
def recording(tmp_path: Path) -> Recording:
    return small_archive(tmp_path)[0]


def found(recording: Recording) -> list[Mismatch]:
    with Catalog.open(recording.root / "index.db") as catalog:
        return check(recording.root, catalog)


def test_nothing_is_wrong_with_what_was_recorded(recording: Recording) -> None:
    assert found(recording) == []


def test_a_file_that_is_missing_is_told(recording: Recording) -> None:
    segment = recording.segments[1]
    (recording.root / segment.path).unlink()
    assert found(recording) == [
        Mismatch("Cam 1", segment.path, f"{segment.path} is missing"),
    ]


def test_a_folder_that_is_missing_is_told_file_by_file(recording: Recording) -> None:
    recording.base.rename(recording.base.with_name("elsewhere"))
    assert [each.path for each in found(recording)] == [s.path for s in recording.segments]


@pytest.mark.parametrize("size", [0, 100, 10_000])
def test_a_file_of_another_size_is_told(recording: Recording, size: int) -> None:
    segment = recording.segments[0]
    os.truncate(recording.root / segment.path, size)
    told = f"{segment.path} has {size} bytes instead of {segment.size}"
    assert found(recording) == [Mismatch("Cam 1", segment.path, told)]


def test_a_file_that_was_put_there_is_told(recording: Recording) -> None:
    path = "recordings/Cam-1/2026-11-21/23-00-00Z.mp4"
    recording.write(path, b"x")
    assert found(recording) == [Mismatch("Cam 1", path, f"{path} is not in the index")]


def test_what_recovery_sees_to_is_left_to_it(recording: Recording) -> None:
    """Segments that grow or go, damaged ones, and files that are no segments."""
    grows, goes, damaged, _ = recording.segments
    with Index.open(recording.root / "index.db") as index:
        index.segment_opened(replace(grows, state=SegmentState.OPEN, size=1, chain=b""))
        index.mark_deleting([(goes.camera, goes.sequence)])
    (recording.root / goes.path).unlink()
    path = recording.root / damaged.path
    aside = damaged_name(damaged.path)
    with Index.open(recording.root / "index.db") as index:
        index.segment_damaged(replace(damaged, path=aside, state=SegmentState.DAMAGED, chain=b""))
    path.rename(path.with_name(damaged_name(path.name)))
    recording.write("recordings/Cam-1/2026-11-21/notes.txt", b"x")
    recording.write("recordings/Cam-1/2026-11-21/23-00-00Z.damaged.mp4", b"x")
    recording.write("recordings/Cam-1/2026-11-21/.23-00-00Z.mp4.part", b"x")
    assert found(recording) == []


def test_what_comes_and_goes_meanwhile_is_not_told(recording: Recording) -> None:
    """Since the files were listed, a segment was closed, and another one went."""
    closes = recording.root / recording.segments[0].path
    whole = closes.read_bytes()
    goes = "recordings/Cam-1/2026-11-21/23-00-00Z.mp4"

    class Late(Catalog):
        def every_segment(self, camera: CameraId, after: int = -1) -> Iterator[Segment]:
            closes.write_bytes(whole)
            (recording.root / goes).unlink(missing_ok=True)
            return super().every_segment(camera, after)

    closes.write_bytes(whole[:100])
    recording.write(goes, b"x")
    with Late.open(recording.root / "index.db") as catalog:
        assert check(recording.root, catalog) == []


def test_what_is_deleted_or_begun_meanwhile_is_not_told(recording: Recording) -> None:
    """The janitor deletes rows that were read already, and a file gets its row a bit later."""
    root, (first, *_) = recording.root, recording.segments
    begun = replace(first, sequence=99, path="recordings/Cam-1/2026-11-21/23-00-00Z.mp4", size=1)
    recording.write(begun.path, b"x")
    with Index.open(root / "index.db") as index:

        class Late(Catalog):
            def every_segment(self, camera: CameraId, after: int = -1) -> Iterator[Segment]:
                found = list(super().every_segment(camera, after))
                if camera == first.camera and after < 0:
                    index.forget([(first.camera, first.sequence)])
                    (root / first.path).unlink()
                    index.segment_opened(replace(begun, state=SegmentState.OPEN, chain=b""))
                return iter(found)

        with Late.open(root / "index.db") as catalog:
            assert check(root, catalog) == []


def test_a_disk_that_does_not_read_is_told(recording: Recording) -> None:
    (recording.root / "recordings").rename(recording.root / "elsewhere")
    (recording.root / "recordings").write_bytes(b"a file")
    with pytest.raises(StorageError):
        found(recording)


def test_it_ends_when_nobody_waits_any_more(recording: Recording) -> None:
    (recording.root / recording.segments[0].path).unlink()
    with Catalog.open(recording.root / "index.db") as catalog:
        assert check(recording.root, catalog, lambda: True) == []


def test_no_more_is_told_than_anybody_reads(
    recording: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    for segment in recording.segments:
        (recording.root / segment.path).unlink()
    monkeypatch.setattr("camkeep.archive.check.MOST", 1)
    assert [told.path for told in found(recording)] == [recording.segments[0].path]
