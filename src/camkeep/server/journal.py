"""The journal: what happened, kept over restarts, for those who were not listening.

It listens to the bus, and writes what it hears at most once a second into the settings database,
which keeps the newest 100,000 (`schema.py`); and into the log. It is nobody's condition: where the
disk fails or is full, what could not be written waits in memory, up to a bound, and is counted
when it is dropped.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
import secrets
import sqlite3
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import NoReturn

from camkeep.clock import WallUs
from camkeep.engine.events import Bus, Event, Kind
from camkeep.errors import CamkeepError
from camkeep.model import CameraId
from camkeep.server.database import Database
from camkeep.server.eventrows import event_of, is_bad, row_of

EVERY_S = 1.0
"""How often it writes."""
GATHER_S = 0.02
"""How long a burst is left to gather before it is taken: well before the listener is full."""
LONGEST_WAIT_S = 30.0
WAITING_EVENTS = 10_000
"""What waits for a disk at most."""
BATCH = 2000
"""Rows of one transaction."""
LOGGED = 20
"""Events of one moment that are logged at most."""
MOST = 1000
"""Events in one answer."""

_EVER = WallUs(0), WallUs(2**62)

log = logging.getLogger("camkeep.events")


@dataclass(frozen=True, slots=True)
class Choice:
    """Which events somebody wants, and may see."""

    cameras: frozenset[CameraId] | None = None
    """None for all."""
    general: bool = True
    """Whether also those that concern no camera, or all."""
    kinds: frozenset[Kind] | None = None
    """None for all."""
    start: WallUs = _EVER[0]
    end: WallUs = _EVER[1]
    """Only those that happened in this interval, without its end."""

    def between(self, start: WallUs | None, end: WallUs | None) -> Choice:
        """The same, of an interval; None where it is open."""
        first, last = _EVER
        return replace(
            self, start=first if start is None else start, end=last if end is None else end
        )

    def fits(self, event: Event) -> bool:
        """Whether an event is one of them."""
        if event.camera is None:
            granted = self.general
        else:
            granted = self.cameras is None or event.camera in self.cameras
        return (
            granted
            and (self.kinds is None or event.kind in self.kinds)
            and self.start <= event.wall < self.end
        )

    def where(self) -> tuple[str, tuple[object, ...]]:
        """The same for SQL."""
        cameras = None if self.cameras is None else json.dumps(sorted(self.cameras))
        kinds = None if self.kinds is None else json.dumps(sorted(self.kinds))
        return (
            "(CASE WHEN camera IS NULL THEN ? ELSE ? IS NULL"
            " OR camera IN (SELECT value FROM json_each(?)) END)"
            " AND (? IS NULL OR kind IN (SELECT value FROM json_each(?)))"
            " AND wall_us >= ? AND wall_us < ?",
            (self.general, cameras, cameras, kinds, kinds, self.start, self.end),
        )


def last_event_id(database: Database) -> int:
    """That of the newest event of processes before this one, for a new Bus. Blocks. Raises
    StorageError."""

    def read(connection: sqlite3.Connection) -> int:
        (newest,) = connection.execute("SELECT max(id) FROM events").fetchone()
        return newest or 0

    return database.run_now(read, reads=True)


class Journal:
    """The events, old and new. Make it before anything is told; `run` it; `close` it last. On the
    event loop only."""

    def __init__(
        self, database: Database, bus: Bus, name_of: Callable[[CameraId], str] = str
    ) -> None:
        """`name_of` is what people call a camera: for the log."""
        self.bus = bus
        self.began_after = bus.last_id
        """What came later is of this process."""
        self.dropped = 0
        """Events that were not kept."""
        self.trouble: Exception | None = None
        """Why what waits cannot be written."""
        self.epoch = secrets.token_hex(4)
        """Tells this process from others, whose ids may go beyond what they wrote down."""
        self._database = database
        self._name_of = name_of
        self._listener = bus.listen()
        self._waiting: deque[Event] = deque()
        self._in_flight: list[Event] = []
        self._flushing = asyncio.Lock()
        self._there = asyncio.Event()

    @property
    def waiting(self) -> int:
        """How many are not written yet."""
        return len(self._in_flight) + len(self._waiting)

    async def run(self) -> None:
        """Write what happens, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._listen())
            group.create_task(self._keep_writing())

    async def _listen(self) -> NoReturn:
        """Take what comes, also while a disk is slow: the listener has little room."""
        while True:
            self._take(await self._listener.take())
            self._there.set()
            await asyncio.sleep(GATHER_S)

    async def _keep_writing(self) -> NoReturn:
        wait_s = EVERY_S
        while True:
            await self._there.wait()
            self._there.clear()
            if await self.flush():
                wait_s = EVERY_S
            else:
                wait_s = min(LONGEST_WAIT_S, 2 * wait_s)
                self._there.set()
            await asyncio.sleep(wait_s)

    async def flush(self) -> bool:
        """Write all that waits; whether that was possible."""
        async with self._flushing:
            self._take(self._listener.take_now())
            while self._in_flight or self._waiting:
                if not self._in_flight:  # else they may not have been written, or may have been
                    size = min(BATCH, len(self._waiting))
                    self._in_flight = [self._waiting.popleft() for _ in range(size)]
                try:
                    await self._write(self._in_flight)
                except (CamkeepError, sqlite3.Error) as error:
                    if self.trouble is None:
                        log.error("events are not written down for now: %s", error)
                    self.trouble = error
                    return False
                self._in_flight = []
        if self.trouble is not None:
            log.warning("events are written down again; %d were lost", self.dropped)
            self.trouble = None
        return True

    async def close(self) -> None:
        """Write what waits, and listen no more."""
        with suppress(TimeoutError):
            async with asyncio.timeout(2 * EVERY_S):
                await self.flush()
        self._listener.close()

    async def since(self, id: int, choice: Choice, limit: int = MOST) -> list[Event]:
        """The first of the chosen events after `id`, in their order, at most `limit`; also those
        that are not written yet. Raises StorageError."""
        return await self._find(choice, limit, after=id)

    async def before(self, id: int | None, choice: Choice, limit: int = MOST) -> list[Event]:
        """The last of the chosen events before `id` (None: of all), newest first, at most
        `limit`. Raises StorageError."""
        return await self._find(choice, limit, before=2**62 if id is None else id)

    def place(self, id: int) -> str:
        """An event's id as it is sent to those who will come back with it."""
        return f"{id}-{self.epoch}"

    def after(self, place: str) -> int | None:
        """From where to go on for somebody who came back with that; None where it does not read.

        A process that was killed had told of events that were not written down yet, and their ids
        were given again: of another process, only what was written is believed."""
        found = re.fullmatch(r"(\d{1,18})(?:-([0-9a-f]{8}))?", place, re.ASCII)
        if found is None:
            return None
        newest = self.bus.last_id if found[2] in (None, self.epoch) else self.began_after
        return min(int(found[1]), newest)

    async def _find(
        self, choice: Choice, limit: int, *, after: int = 0, before: int | None = None
    ) -> list[Event]:
        """What is written, and what is not yet: an event may be both at the moment of asking, and
        is never neither, because what waits is looked at first."""
        self._take(self._listener.take_now())
        up = before is None
        high = 2**62 if before is None else before
        waiting = (*self._in_flight, *self._waiting)
        found = {e.id: e for e in waiting if after < e.id < high and choice.fits(e)}
        where, values = choice.where()
        query = (
            f"SELECT id, wall_us, kind, camera, told, detail FROM events WHERE id > ? AND id < ?"
            f" AND {where} ORDER BY id {'ASC' if up else 'DESC'} LIMIT ?"
        )

        def read(connection: sqlite3.Connection) -> list[Event]:
            rows = connection.execute(query, (after, high, *values, limit))
            return [event for row in rows if (event := event_of(row)) is not None]

        for event in await self._database.run(read, reads=True):
            found[event.id] = event
        return [found[id] for id in sorted(found, reverse=not up)[:limit]]

    async def _write(self, batch: list[Event]) -> None:
        def write(connection: sqlite3.Connection) -> None:  # rows are made there, too
            rows = [row_of(event) for event in batch]
            connection.executemany("INSERT OR IGNORE INTO events VALUES (?, ?, ?, ?, ?, ?)", rows)

        await self._database.run(write)

    def _take(self, events: Sequence[Event]) -> None:
        self._log(events)
        self._waiting.extend(events)
        over = max(0, len(self._waiting) - WAITING_EVENTS)
        for _ in range(over):
            self._waiting.popleft()
        self.dropped += over + self._listener.missed
        self._listener.missed = 0

    def _log(self, events: Sequence[Event]) -> None:
        for event in events[:LOGGED]:
            name = f"{self._name_of(event.camera)}: " if event.camera is not None else ""
            log.log(logging.WARNING if is_bad(event) else logging.INFO, "%s%s", name, event.told)
        if len(events) > LOGGED:
            log.info("and %d events more at the same moment", len(events) - LOGGED)
