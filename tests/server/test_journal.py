"""The journal of events, with a real database and a disk that fails."""

from __future__ import annotations

import asyncio
import random
import sqlite3
from collections.abc import Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from camkeep.clock import FakeClock, WallUs
from camkeep.engine.events import Bus, Event, Kind
from camkeep.model import CameraId
from camkeep.server import journal as journals
from camkeep.server.database import Database
from camkeep.server.eventrows import shown
from camkeep.server.journal import Choice, Journal, last_event_id
from camkeep.server.redact import redactor

GARAGE, YARD = CameraId("garage000000"), CameraId("yard00000000")
ALL = Choice()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database.open(tmp_path / "camkeep.db", tmp_path / "camkeep.key")
    yield opened
    opened.close()


@asynccontextmanager
async def running(journal: Journal):
    task = asyncio.create_task(journal.run())
    yield task
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def until_written(database: Database, count: int) -> None:
    async with asyncio.timeout(30):
        while await rows(database) < count:
            await asyncio.sleep(0.02)


async def rows(database: Database) -> int:
    return await database.run(
        lambda db: db.execute("SELECT count(*) FROM events").fetchone()[0], reads=True
    )


def ids(events: list[Event]) -> list[int]:
    return [event.id for event in events]


async def test_events_come_back_after_a_restart_and_ids_go_on(database: Database) -> None:
    clock = FakeClock()
    bus = Bus(clock, last_event_id(database))
    journal = Journal(database, bus)
    first = bus.tell(Kind.STATE, "the camera is there", GARAGE, state="live", fps=12.5)
    clock.advance(1)
    second = bus.tell(Kind.STORAGE, "größer", well=True, more=None)
    await journal.close()
    assert await journal.since(0, ALL) == [first, second]
    again = Bus(clock, last_event_id(database))
    journal = Journal(database, again)
    assert journal.began_after == 2
    third = again.tell(Kind.SETTINGS, "x")
    assert third.id == 3
    assert await journal.since(1, ALL) == [second, third]  # one written, one not
    assert await journal.before(None, ALL, 2) == [third, second]
    assert await journal.before(3, ALL) == [second, first]
    await journal.close()


async def test_it_writes_by_itself(database: Database) -> None:
    bus = Bus(FakeClock())
    journal = Journal(database, bus)
    async with running(journal):
        bus.tell(Kind.STATE, "x", GARAGE)
        await until_written(database, 1)
        assert journal.waiting == 0
        bus.tell(Kind.STATE, "y", GARAGE)
        await until_written(database, 2)
    await journal.close()


async def test_what_is_chosen(database: Database) -> None:
    clock = FakeClock(1_000_000)
    bus = Bus(clock)
    journal = Journal(database, bus)
    for number in range(40):
        camera = (GARAGE, YARD, None, CameraId("x' OR 1=1 --"))[number % 4]
        bus.tell(list(Kind)[number % 3], str(number), camera)
        clock.advance(1)
        if number == 20:
            await journal.flush()
    every = await journal.since(0, ALL)
    assert ids(every) == list(range(1, 41))
    rng = random.Random(4)
    for _ in range(200):
        choice = Choice(
            rng.choice([None, frozenset(), frozenset({GARAGE}), frozenset({GARAGE, YARD})]),
            rng.random() < 0.5,
            rng.choice([None, frozenset(), frozenset({Kind.STATE, Kind.STORAGE})]),
            WallUs(rng.randrange(50_000_000)),
            WallUs(rng.randrange(50_000_000)),
        )
        after, limit = rng.randrange(45), rng.randrange(1, 45)
        fitting = [event for event in every if choice.fits(event)]
        up = [event for event in fitting if event.id > after][:limit]
        down = [event for event in reversed(fitting) if event.id < after][:limit]
        assert await journal.since(after, choice, limit) == up
        assert await journal.before(after, choice, limit) == down
    await journal.close()


async def test_a_reader_sees_each_event_once_while_it_is_being_written(database: Database) -> None:
    bus = Bus(FakeClock())
    journal = Journal(database, bus)
    seen: list[int] = []
    async with running(journal):
        for number in range(300):
            for _ in range(number % 7):
                bus.tell(Kind.STATE, "x", GARAGE)
            if number % 50 == 0:
                writing = asyncio.create_task(journal.flush())
                await asyncio.sleep(0)
            seen += ids(await journal.since(seen[-1] if seen else 0, ALL))
            if number % 50 == 0:
                await writing
    assert seen == list(range(1, bus.last_id + 1))
    await journal.close()


async def test_a_disk_that_fails_costs_nothing_while_there_is_room_in_memory(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is full for real: max_page_count is SQLite's own bound of its size."""
    monkeypatch.setattr(journals, "EVERY_S", 0.02)
    bus = Bus(FakeClock())
    journal = Journal(database, bus)
    pages = await database.run(lambda db: db.execute("PRAGMA page_count").fetchone()[0])
    await database.run(lambda db: db.execute(f"PRAGMA max_page_count = {pages}").fetchone())
    async with running(journal) as task:
        for number in range(200):
            bus.tell(Kind.STATE, "a long story" * 20, GARAGE, number=number)
        async with asyncio.timeout(20):
            while journal.trouble is None:
                await asyncio.sleep(0.01)
        assert "no space is left" in str(journal.trouble)
        assert not task.done()
        assert len(await journal.since(0, ALL)) == 200  # they can be read all the same
        await database.run(lambda db: db.execute("PRAGMA max_page_count = 100000").fetchone())
        await until_written(database, 200)
        assert journal.dropped == 0
    await journal.close()
    assert journal.trouble is None


async def test_a_burst_keeps_memory_bounded(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journals, "WAITING_EVENTS", 3000)
    bus = Bus(FakeClock())
    journal = Journal(database, bus)
    async with running(journal):
        for _ in range(20):
            for _ in range(500):
                bus.tell(Kind.STATE, "x", GARAGE)
            await asyncio.sleep(0.001)
            assert journal.waiting <= 3000 + journals.BATCH
        for _ in range(5000):  # at one moment: no listener can take them all
            bus.tell(Kind.STATE, "x", GARAGE)
    await journal.close()
    assert await rows(database) == bus.last_id - journal.dropped
    assert journal.dropped >= 4000


async def test_no_event_is_too_strange_to_be_written(database: Database) -> None:
    bus = Bus(FakeClock(-5))
    journal = Journal(database, bus)
    bus.tell(Kind.STATE, "x\udc80" * 5000, GARAGE, a=float("nan"))
    bus.tell(Kind.STATE, "", GARAGE, b="y" * 10_000)
    bus.tell(Kind.STATE, "last", CameraId(""))
    await journal.close()
    assert await rows(database) == 2  # a camera without an id is none
    assert journal.trouble is None
    assert journal.waiting == 0


async def test_no_secret_is_written_or_shown(database: Database) -> None:
    redactor.learn("Planted-In-Event")
    bus = Bus(FakeClock())
    journal = Journal(database, bus)
    event = bus.tell(Kind.STATE, "rtsp://a:Planted-In-Event@x and Planted-In-Event", GARAGE)
    await journal.close()
    assert "Planted" not in str(shown([event]))
    assert "Planted" not in str(await journal.since(0, ALL))
    assert b"Planted" not in database.path.read_bytes()


async def test_a_kind_of_a_newer_version_is_left_out(database: Database) -> None:
    def add(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO events VALUES (7, 1, 'motion', NULL, 'x', '{}')")

    await database.run(add)
    bus = Bus(FakeClock(), last_event_id(database))
    journal = Journal(database, bus)
    assert bus.last_id == 7
    assert await journal.since(0, ALL) == []
    await journal.close()
