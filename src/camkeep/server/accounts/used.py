"""When sessions and tokens were shown last: known to about an hour, and written as seldom."""

from __future__ import annotations

from collections.abc import Collection

from camkeep.clock import WallUs
from camkeep.server.database import Database

HOUR_US = 3_600_000_000


class Used:
    """Of one table. On the event loop only."""

    def __init__(self, table: str) -> None:
        """`table` is sessions or tokens."""
        self._statement = f"UPDATE {table} SET used_us = max(ifnull(used_us, 0), ?) WHERE id = ?"
        self._latest: dict[str, WallUs] = {}
        self._unwritten: set[str] = set()

    def latest(self, id_: str, kept: WallUs | None) -> WallUs | None:
        """When it was shown last; `kept` is what the database says."""
        found = self._latest.get(id_)
        return kept if found is None or (kept is not None and kept > found) else found

    def note(self, id_: str, kept: WallUs | None, now: WallUs) -> None:
        """It was shown now."""
        before = self.latest(id_, kept)
        if before is None or now - before >= HOUR_US:
            self._latest[id_] = now
            self._unwritten.add(id_)

    async def write(self, database: Database, there: Collection[str]) -> None:
        """Write what was noted, and forget what is not `there` any more. Raises StorageError."""
        self._latest = {id_: wall for id_, wall in self._latest.items() if id_ in there}
        rows = [(self._latest[id_], id_) for id_ in self._unwritten if id_ in self._latest]
        if rows:
            await database.run(lambda db: db.executemany(self._statement, rows) and None)
        self._unwritten -= {id_ for _, id_ in rows}
        self._unwritten &= self._latest.keys()
