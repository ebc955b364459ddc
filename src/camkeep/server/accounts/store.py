"""The accounts in memory and in the database, kept alike."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import TypeVar

from camkeep.server.accounts.snapshot import Snapshot, load
from camkeep.server.database import Database, Job, revision

T = TypeVar("T")


class Store:
    """Reads from memory, writes to the database. On the event loop only."""

    def __init__(self, database: Database, snapshot: Snapshot) -> None:
        self.now = snapshot
        """All accounts at this moment. Take it anew each time: it is never changed, but
        replaced."""
        self.database = database
        self.on_change: Callable[[], object] = lambda: None
        """Called when anything changed, by whatever process."""

    async def change(self, job: Job[T]) -> T:
        """Have `job` done; when this returns, everybody meets what it changed."""
        known = self.now.revision

        def both(connection: sqlite3.Connection) -> tuple[T, Snapshot | None]:
            result = job(connection)
            changed = revision(connection, "accounts") != known
            return result, load(connection) if changed else None

        result, snapshot = await self.database.run(both)
        self._take(snapshot)
        return result

    async def poll(self) -> None:
        """Take notice of what other processes changed."""
        known = self.now.revision

        def look(connection: sqlite3.Connection) -> Snapshot | None:
            return load(connection) if revision(connection, "accounts") != known else None

        self._take(await self.database.run(look, reads=True))

    def _take(self, snapshot: Snapshot | None) -> None:
        if snapshot is not None and snapshot.revision > self.now.revision:
            self.now = snapshot
            self.on_change()
