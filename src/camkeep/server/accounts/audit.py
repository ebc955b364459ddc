"""The audit log: who did what, when, from where. Its newest 100,000 entries are kept."""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite

from camkeep.clock import Clock, WallUs
from camkeep.errors import StorageError
from camkeep.server.access import Principal
from camkeep.server.accounts.values import plain
from camkeep.server.database import Database

log = logging.getLogger("camkeep.audit")

Detail = str | int | float | bool | None
PAGE = 1000
"""Entries that are read at once, at most."""

_SECRET = ("password", "secret", "token", "code", "key")  # words in the name of what is not noted
_LONGEST = 200
_MOST_DETAIL = 16
_COLUMNS = "id, wall_us, who, how, address, action, object, detail"


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that somebody did."""

    id: int
    """Rises with each."""
    wall: WallUs
    who: str
    how: str
    """session, token, loopback; empty where they had not shown who they are."""
    address: str
    action: str
    """"camera.remove", "login.refused" ..."""
    object: str
    detail: Mapping[str, Detail]


class Audit:
    """The log."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def note(
        self,
        who: Principal | str,
        action: str,
        object: str = "",
        address: str = "",
        **detail: Detail,
    ) -> None:
        """Write down that `who` did `action` with `object`, from `address`.

        What is told in `detail` is cut where it is long, and left out where its name says that
        it is a secret. What was done is done: where the disk takes no entry, the program's log
        says so, and nobody fails.
        """
        name, how = (who.name, str(who.how)) if isinstance(who, Principal) else (who, "")
        row = (
            self._clock.wall(),
            plain(name, _LONGEST),
            how,
            plain(address, 64),
            plain(action, 64) or "?",
            plain(object, _LONGEST),
            _detail(detail),
        )
        statement = f"INSERT INTO audit ({_COLUMNS}) VALUES (NULL, ?, ?, ?, ?, ?, ?, ?)"
        try:
            await self._database.run(lambda db: db.execute(statement, row) and None)
        except StorageError as error:
            log.error("the audit log cannot be written (%s by %s): %s", action, name, error)

    async def page(self, before: int | None = None, limit: int = 100) -> list[Entry]:
        """The newest entries first, from the one before the id `before` on. Raises
        StorageError."""

        def read(connection: sqlite3.Connection) -> list[Entry]:
            found = connection.execute(
                f"SELECT {_COLUMNS} FROM audit WHERE ?1 IS NULL OR id < ?1 "
                "ORDER BY id DESC LIMIT ?2",
                (before, max(0, min(limit, PAGE))),
            )
            return [
                Entry(id_, WallUs(wall), who, how, address, action, what, json.loads(detail))
                for id_, wall, who, how, address, action, what, detail in found
            ]

        return await self._database.run(read, reads=True)


def _detail(detail: Mapping[str, Detail]) -> str:
    shown = {
        name: plain(value, 100) if isinstance(value, str) else _number(value)
        for name, value in list(detail.items())[:_MOST_DETAIL]
        if not any(word in name.lower() for word in _SECRET)
    }
    text = json.dumps(shown, ensure_ascii=False)
    return text if len(text) <= 4000 else "{}"


def _number(value: int | float | bool | None) -> Detail:
    """JSON has no other numbers than these."""
    return value if not isinstance(value, float) or isfinite(value) else None
