"""Which segments a player gets: each once, in the order of recording, whatever the clocks did."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from camkeep.archive.root import make_root
from camkeep.archive.store import Archive
from camkeep.clock import FakeClock, WallUs
from camkeep.errors import IndexDamaged, StorageError
from camkeep.model import CameraId, KeptCamera, Segment, SegmentState
from camkeep.server import shelf as shelf_module
from camkeep.server.playing import backward, following, forward, preceding
from camkeep.server.shelf import Shelf
from support.footage import HOUR, SECOND, segment

CAMERA = CameraId("abcdefghijkm")
START = 1_795_219_200_000_000
MINUTE = 60 * SECOND


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    opened = Archive.open(make_root(tmp_path / "archive"), FakeClock(wall=START + 100 * HOUR))
    kept = KeptCamera(CAMERA, "Garage", "garage", "testcard:", WallUs(START))
    opened.ask(lambda index: index.save_camera(kept))
    yield opened
    opened.close()


@pytest.fixture
def shelf(archive: Archive) -> Iterator[Shelf]:
    made = Shelf(archive, FakeClock())
    yield made
    made.close()


def save(archive: Archive, *spans: tuple[float, float], state: str = "closed") -> list[Segment]:
    """Segments from and to those minutes, in that order."""
    saved = archive.ask(lambda index: list(index.every_segment(CAMERA)))
    made = []
    for n, (start, end) in enumerate(spans):
        found = segment(
            CAMERA,
            len(saved) + n + 1,
            START + round(start * MINUTE),
            round((end - start) * MINUTE),
            state=SegmentState(state),
        )
        made.append(replace(found, path=f"recordings/garage/2026-11-21/{len(saved) + n}.mp4"))
    archive.ask(lambda index: index.save_segments(made))
    return made


def minute(number: float) -> WallUs:
    return WallUs(START + round(number * MINUTE))


def numbers(segments: Iterator[Segment]) -> list[int]:
    return [segment.sequence for segment in segments]


def test_hours_with_holes_come_once_and_in_order(archive: Archive, shelf: Shelf) -> None:
    spans = [(n, n + 1.0) for n in range(60)]
    spans += [(600.5 + n, 601.5 + n) for n in range(30)]
    spans += [(3000, 3200), (3200, 3201)]
    every = [segment.sequence for segment in save(archive, *spans)]
    assert numbers(forward(shelf, CAMERA, minute(0), None)) == every
    assert numbers(forward(shelf, CAMERA, minute(9.5), None)) == every[9:]
    assert numbers(forward(shelf, CAMERA, minute(30), minute(601))) == every[30:61]
    assert numbers(backward(shelf, CAMERA, WallUs(0), minute(5000))) == every[::-1]
    assert numbers(backward(shelf, CAMERA, minute(58.5), minute(601))) == every[58:61][::-1]
    assert numbers(backward(shelf, CAMERA, minute(3100), minute(3150))) == [91]
    assert numbers(forward(shelf, CameraId("another"), minute(0), None)) == []


def test_a_clock_that_was_set_back(archive: Archive, shelf: Shelf) -> None:
    spans = [(n, n + 1.0) for n in range(25)] + [(n + 0.5, n + 1.5) for n in range(5, 40)]
    every = save(archive, *spans)
    for found in (
        numbers(forward(shelf, CAMERA, minute(0), None)),
        numbers(backward(shelf, CAMERA, minute(0), minute(100))),
    ):
        assert sorted(found) == [segment.sequence for segment in every]
    # within ten minutes, in the order of recording
    assert numbers(forward(shelf, CAMERA, minute(6), minute(8))) == [7, 8, 26, 27, 28]


def test_what_comes_next(archive: Archive, shelf: Shelf) -> None:
    save(archive, (0, 1), (1, 2), (10, 11))
    assert following(shelf, CAMERA, minute(2), None) == (minute(10), False)
    assert following(shelf, CAMERA, minute(0.5), minute(0.5)) == (minute(0.5), False)
    assert following(shelf, CAMERA, minute(2), minute(5)) == (minute(10), False)
    assert following(shelf, CAMERA, minute(11), None) == (None, False)
    save(archive, (11, 11), state="open")
    assert following(shelf, CAMERA, minute(11.5), None) == (None, True)
    assert preceding(shelf, CAMERA, minute(10)) == minute(2)
    assert preceding(shelf, CAMERA, minute(1.5)) == minute(1.5)
    assert preceding(shelf, CAMERA, minute(0)) is None


def test_connections_are_few_and_used_again(archive: Archive, shelf: Shelf) -> None:
    with shelf.catalog() as one, shelf.catalog() as other:
        assert one is not other
    with shelf.catalog() as again:
        assert again in (one, other)


def test_who_finds_no_connection_is_told(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shelf_module, "WAIT_S", 0.01)
    lent = [shelf.catalog() for _ in range(shelf_module.CONNECTIONS)]
    for each in lent:
        each.__enter__()
    with pytest.raises(StorageError, match="at once"), shelf.catalog():
        pass
    lent.pop().__exit__(None, None, None)
    with shelf.catalog() as catalog:
        assert catalog.cameras()
    for each in lent:
        each.__exit__(None, None, None)


def test_an_index_that_was_deleted_is_there_again(archive: Archive, shelf: Shelf) -> None:
    with shelf.catalog() as before:
        pass
    (archive.root.path / "index.db").unlink()
    with pytest.raises(IndexDamaged), shelf.catalog():
        pass
    archive.index.rebuild().result()
    with shelf.catalog() as catalog:
        assert catalog is not before
        assert [camera.id for camera in catalog.cameras()] == []  # it had no folder
