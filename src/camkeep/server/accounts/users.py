"""Users: made, changed, removed. There is always an administrator who may log in, once there is
anybody. The caller sees to it that whoever asks for it may."""

from __future__ import annotations

import sqlite3

from camkeep.clock import Clock
from camkeep.errors import UsageError
from camkeep.server.access import Role
from camkeep.server.accounts.passwords import Passwords, check_password
from camkeep.server.accounts.sessions import drop_sessions
from camkeep.server.accounts.store import Store
from camkeep.server.accounts.values import Cameras, User, checked_name, folded, new_id

MOST = 1000
"""Users."""
MOST_GRANTS = 1000
"""Cameras that are granted to one user."""


class Users:
    """All of them."""

    def __init__(self, store: Store, clock: Clock, passwords: Passwords) -> None:
        self._store = store
        self._clock = clock
        self._passwords = passwords

    def all(self) -> list[User]:
        """Oldest first."""
        return list(self._store.now.users.values())

    def by_id(self, user_id: str) -> User | None:
        """The user with that id."""
        return self._store.now.users.get(user_id)

    def by_name(self, name: str) -> User | None:
        """The user of that name, in whatever case."""
        user_id = self._store.now.names.get(folded(name))
        return None if user_id is None else self._store.now.users.get(user_id)

    async def create(
        self, name: str, password: str, role: Role, cameras: Cameras = None, *, first: bool = False
    ) -> User:
        """A new user. `cameras` None is all. With `first` only where there is none yet: two who
        make the first account at once do not both succeed. Raises UsageError, StorageError, and
        Problem where too many passwords are being hashed."""
        name = checked_name(name)
        check_password(password, name)
        now = self._clock.wall()
        user = User(new_id(), name, role, _granted(cameras), False, now, now)
        hash_ = await self._passwords.hash(password)

        def insert(connection: sqlite3.Connection) -> None:
            names = [row[0] for row in connection.execute("SELECT name FROM users")]
            if names and first:
                raise UsageError("there is an account already: log in with it")
            if not names and role is not Role.ADMIN:
                raise UsageError("the first account is that of an administrator: say so")
            if len(names) >= MOST:
                raise UsageError(f"there are at most {MOST} users")
            _check_free(name, names)
            connection.execute(
                "INSERT INTO users VALUES (?, ?, ?, ?, ?, ?, 0, ?)",
                (user.id, name, role, hash_, now, cameras is None, now),
            )
            _write_grants(connection, user)

        await self._store.change(insert)
        return user

    async def set_password(self, user_id: str, password: str, *, keep: str | None = None) -> None:
        """Give a user another password. All their sessions end but the one called `keep`, and so
        does what their tokens have open; the tokens stay. Raises as `create` does."""
        user = self._there(user_id)
        check_password(password, user.name)
        hash_ = await self._passwords.hash(password)
        now = self._clock.wall()

        def update(connection: sqlite3.Connection) -> None:
            changed = connection.execute(
                "UPDATE users SET password = ?, password_us = max(?, password_us + 1) WHERE id = ?",
                (hash_, now, user_id),
            )
            if not changed.rowcount:
                raise UsageError(_NO_USER)
            drop_sessions(connection, user_id, keep)

        await self._store.change(update)

    async def change(self, user: User, *, keep: str | None = None) -> User:
        """Let a user be as `user` is, made with `dataclasses.replace` of one that was there: name,
        role, cameras, disabled. With another role, or disabled, all their sessions end but the
        one called `keep`. Raises UsageError and StorageError."""
        name = checked_name(user.name)
        _granted(user.cameras)

        def update(connection: sqlite3.Connection) -> None:
            before = connection.execute(
                "SELECT role FROM users WHERE id = ?", (user.id,)
            ).fetchone()
            if before is None:
                raise UsageError(_NO_USER)
            others = connection.execute("SELECT name FROM users WHERE id <> ?", (user.id,))
            _check_free(name, [row[0] for row in others])
            connection.execute(
                "UPDATE users SET name = ?, role = ?, all_cameras = ?, disabled = ? WHERE id = ?",
                (name, user.role, user.cameras is None, user.disabled, user.id),
            )
            _check_administrator(connection, user.name)
            connection.execute("DELETE FROM grants WHERE user = ?", (user.id,))
            _write_grants(connection, user)
            if user.disabled or before[0] != user.role:
                drop_sessions(connection, user.id, None if user.disabled else keep)

        await self._store.change(update)
        return self._there(user.id)

    async def remove(self, user_id: str) -> None:
        """Remove a user, with their sessions, tokens and links. Raises UsageError and
        StorageError."""
        user = self._there(user_id)

        def delete(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM users WHERE id = ?", (user_id,))
            _check_administrator(connection, user.name)

        await self._store.change(delete)

    def _there(self, user_id: str) -> User:
        user = self.by_id(user_id)
        if user is None:
            raise UsageError(_NO_USER)
        return user


_NO_USER = "there is no such user"


def _granted(cameras: Cameras) -> Cameras:
    if cameras is not None and len(cameras) > MOST_GRANTS:
        raise UsageError(f"at most {MOST_GRANTS} cameras are granted one by one: grant all")
    return cameras


def _check_free(name: str, names: list[str]) -> None:
    if any(folded(other) == folded(name) for other in names):
        raise UsageError(f"there is a user called {name} already: choose another name")


def _check_administrator(connection: sqlite3.Connection, name: str) -> None:
    """After a change: raise UsageError, which undoes it, where nobody could administer."""
    (left,) = connection.execute(
        "SELECT count(*) FROM users WHERE role = 'admin' AND NOT disabled"
    ).fetchone()
    if not left:
        raise UsageError(f"{name} is the last administrator: make somebody else one first")


def _write_grants(connection: sqlite3.Connection, user: User) -> None:
    connection.executemany(
        "INSERT INTO grants VALUES (?, ?)",
        [(user.id, camera) for camera in sorted(user.cameras or ())],
    )
