"""Whether what must answer answers: a real archive and a real database, whose threads are held."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from camkeep.archive.layout import MARKER
from camkeep.archive.root import make_root
from camkeep.archive.store import Archive
from camkeep.clock import FakeClock
from camkeep.server import vitals as module
from camkeep.server.vitals import Vitals, vitals_of
from support.accounts import opened


@asynccontextmanager
async def asking(folder: Path, clock: FakeClock) -> AsyncIterator[tuple[Vitals, Archive]]:
    archive = Archive.open(make_root(folder / "archive"), clock)
    database = opened(folder / "archive")
    vitals = vitals_of(archive, database, clock)
    task = asyncio.create_task(vitals.run())
    try:
        yield vitals, archive
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        database.close()
        archive.close()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ASK_S", 0.01)


async def until(vitals: Vitals, told: list[str]) -> None:
    async with asyncio.timeout(20):
        while vitals.unwell() != told:
            await asyncio.sleep(0.01)


async def test_a_disk_that_stalls_is_told_of_and_ends_the_process_only_after_long(
    tmp_path: Path,
) -> None:
    clock = FakeClock()
    async with asking(tmp_path, clock) as (vitals, archive):
        await until(vitals, [])
        release, begun = threading.Event(), threading.Event()
        held = archive.volume.submit(lambda: (begun.set(), release.wait(60)))
        try:
            await asyncio.to_thread(begun.wait, 20)
            async with asyncio.timeout(20):
                while not vitals.unwell():  # the next question waits behind it
                    clock.advance(1)
                    await asyncio.sleep(0.01)
            (told,) = vitals.unwell()
            assert told.startswith("the disk of the archive has not answered for 3")
            assert vitals.ailing() == []
            clock.advance(280)
            (told,) = vitals.ailing()
            assert told.startswith("the disk of the archive has not answered for 3")
        finally:
            release.set()
        await until(vitals, [])
        assert vitals.ailing() == []
        held.result()


async def test_an_archive_that_is_away_is_unwell_and_no_reason_to_start_anew(
    tmp_path: Path,
) -> None:
    clock = FakeClock()
    async with asking(tmp_path, clock) as (vitals, archive):
        await until(vitals, [])
        async with asyncio.timeout(20):
            while vitals.room is None:
                await asyncio.sleep(0.01)
        assert 0 < vitals.room.free < vitals.room.total
        root = archive.root.path
        (root / MARKER).rename(root / "away")
        async with asyncio.timeout(20):
            while not vitals.unwell():
                await asyncio.sleep(0.01)
        assert str(root) in vitals.unwell()[0]
        clock.advance(1)
        assert vitals.ailing() == []
        (root / "away").rename(root / MARKER)
        await until(vitals, [])


def test_who_is_not_asked_is_well() -> None:
    vitals = Vitals([], FakeClock())
    assert vitals.unwell() == vitals.ailing() == []
