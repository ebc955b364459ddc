"""Sessions: what a browser shows after a login. They end after 14 days without use, after 90 days
in any case, and whenever the password or the role of their user changes."""

from __future__ import annotations

import sqlite3
from dataclasses import replace

from camkeep.clock import Clock, WallUs
from camkeep.server.access import Principal
from camkeep.server.accounts.store import Store
from camkeep.server.accounts.used import Used
from camkeep.server.accounts.values import (
    Session,
    digest,
    new_id,
    new_secret,
    plain,
    principal_of_session,
)

DAY_US = 86_400_000_000
IDLE_US = 14 * DAY_US
LONGEST_US = 90 * DAY_US
PER_USER = 50
"""Sessions of one user, at most: those not used for longest go."""
_LAST = """
DELETE FROM sessions WHERE user = ?1 AND id NOT IN (
    SELECT id FROM sessions WHERE user = ?1 ORDER BY used_us DESC, id LIMIT ?2)
"""


class Sessions:
    """All of them."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._used = Used("sessions")

    def find(self, secret: str) -> Session | None:
        """The session with that secret, if it has not ended."""
        session = self._store.now.sessions.get(digest(secret))
        if session is None or self._over(session, self._clock.wall()):
            return None
        self._used.note(session.id, session.used, self._clock.wall())
        return session

    def principal(self, session: Session | None) -> Principal | None:
        """Who asks with that session."""
        user = None if session is None else self._store.now.users.get(session.user)
        if session is None or user is None or user.disabled:
            return None
        return principal_of_session(user, session)

    def by_id(self, session_id: str) -> Session | None:
        """The session that lists call so, if it has not ended."""
        session = self._store.now.session_ids.get(session_id)
        return None if session is None or self._over(session, self._clock.wall()) else session

    def all(self, user_id: str | None = None) -> list[Session]:
        """Those that have not ended, oldest first: of one user, or of all."""
        now = self._clock.wall()
        return [
            replace(each, used=self._used.latest(each.id, each.used) or each.used)
            for each in self._store.now.sessions.values()
            if user_id in (None, each.user) and not self._over(each, now)
        ]

    async def open(
        self, user_id: str, address: str, agent: str, *, password: str | None = None
    ) -> tuple[str, Session] | None:
        """A new session and its secret, which is kept nowhere. None where the user is not there
        any more, is disabled, or has not the `password` (a hash) any more that was looked at.
        Raises StorageError."""
        secret, now = new_secret(), self._clock.wall()
        session = Session(
            new_id(),
            user_id,
            now,
            now,
            WallUs(now + LONGEST_US),
            plain(address, 64),
            plain(agent, 200),
        )

        def insert(connection: sqlite3.Connection) -> bool:
            row = connection.execute(
                "SELECT password FROM users WHERE id = ? AND NOT disabled", (user_id,)
            ).fetchone()
            if row is None or (password is not None and row[0] != password):
                return False
            connection.execute(
                "INSERT INTO sessions VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (session.id, user_id, digest(secret), now, now, *_rest(session)),
            )
            connection.execute(_LAST, (user_id, PER_USER))
            return True

        return (secret, session) if await self._store.change(insert) else None

    async def end(self, session_id: str) -> bool:
        """Log out; False where there is no such session. Raises StorageError."""
        return await self._store.change(
            lambda db: db.execute("DELETE FROM sessions WHERE id = ?", (session_id,)).rowcount > 0
        )

    async def end_all(self, user_id: str, keep: str | None = None) -> int:
        """End all of one user, but for the one called `keep`; how many. Raises StorageError."""
        return await self._store.change(lambda db: drop_sessions(db, user_id, keep))

    async def tidy(self) -> None:
        """Write when they were used, and forget those that ended. Raises StorageError."""
        everyone = self._store.now.sessions.values()
        await self._used.write(self._store.database, {each.id for each in everyone})
        now = self._clock.wall()
        over = [(each.id,) for each in everyone if self._over(each, now)]
        if over:
            await self._store.change(
                lambda db: db.executemany("DELETE FROM sessions WHERE id = ?", over) and None
            )

    def _over(self, session: Session, now: WallUs) -> bool:
        used = self._used.latest(session.id, session.used) or session.used
        return now >= session.expires or now - used >= IDLE_US


def drop_sessions(connection: sqlite3.Connection, user_id: str, keep: str | None) -> int:
    """For jobs: end the sessions of a user, but for the one called `keep`."""
    return connection.execute(
        "DELETE FROM sessions WHERE user = ? AND id IS NOT ?", (user_id, keep)
    ).rowcount


def _rest(session: Session) -> tuple[int, str, str]:
    return session.expires, session.address, session.agent
