"""An index that missed something while the disk was full: made anew once there is room."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from camkeep.archive.files import Room, SystemFiles
from camkeep.archive.index import Index
from camkeep.archive.retention import Policy
from camkeep.archive.root import make_root
from camkeep.archive.store import Archive
from camkeep.clock import FakeClock
from camkeep.engine.janitor import HEAL_S, ROOM_BYTES, Janitor
from camkeep.engine.keeper import KeepOptions
from camkeep.errors import DiskFull, IndexDamaged
from support.keeping import Found, clock_at, keep
from support.staged import Staged, stream


class Disk(SystemFiles):
    """A disk of which a test says how much is free."""

    free = ROOM_BYTES

    def room(self, path: Path) -> Room:
        return Room(self.free, 1 << 30)


class Behind:
    """An archive whose index missed that a segment was closed."""

    def __init__(self, folder: Path, before: Found) -> None:
        self.disk = Disk()
        self.clock: FakeClock = clock_at(100)
        self.archive = Archive.open(make_root(folder, files=self.disk), self.clock)
        self.janitor = Janitor(self.archive, Policy(), self.clock, dict)
        self.before = before
        missed = before.segments[1]
        self.archive.ask(lambda index: index.forget([(missed.camera, missed.sequence)]))
        self.fail(DiskFull("no space is left"))

    def fail(self, error: Exception) -> None:
        def job(_: Index) -> None:
            raise error

        with pytest.raises(type(error)):
            self.archive.ask(job)
        assert self.archive.index.stale

    def is_whole(self) -> bool:
        camera = self.before.camera.id
        found = self.archive.ask(lambda index: list(index.every_segment(camera)))
        return found == self.before.segments


@pytest.fixture
async def behind(tmp_path: Path) -> AsyncIterator[Behind]:
    folder = tmp_path / "cams"
    before = await keep(folder, Staged(stream(300)), options=KeepOptions(segment_s=2))
    made = Behind(folder, before)
    yield made
    made.archive.close()


async def test_it_is_made_anew_once_there_is_room(behind: Behind) -> None:
    behind.disk.free = ROOM_BYTES - 1
    await behind.janitor.look()
    assert behind.archive.index.stale
    assert not behind.is_whole()
    behind.disk.free = ROOM_BYTES
    await behind.janitor.look()
    assert not behind.archive.index.stale
    assert behind.is_whole()


async def test_it_is_not_made_anew_all_the_time(behind: Behind) -> None:
    """Whatever is wrong with it may be wrong again at once."""
    await behind.janitor.look()
    assert not behind.archive.index.stale
    behind.fail(IndexDamaged("something that is so each time"))
    behind.clock.advance(HEAL_S - 1)
    await behind.janitor.look()
    assert behind.archive.index.stale
    behind.clock.advance(1)
    await behind.janitor.look()
    assert not behind.archive.index.stale
