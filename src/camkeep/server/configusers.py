"""The users of an exported file. Functions for one transaction of the settings database.

A password is in the file as its hash or not at all; without one, what is known stays, and a new
user cannot log in until somebody sets a password.
"""

from __future__ import annotations

import secrets
import sqlite3
from base64 import b64encode
from collections.abc import Mapping

from camkeep.clock import WallUs
from camkeep.errors import UsageError
from camkeep.model import CameraId
from camkeep.server.access import Role
from camkeep.server.accounts.sessions import drop_sessions
from camkeep.server.accounts.users import MOST, MOST_GRANTS
from camkeep.server.accounts.values import Cameras, folded, new_id
from camkeep.server.configfile import Report, UserEntry

_ID_LETTERS = frozenset("abcdefghijkmnpqrstuvwxyz23456789")


def exported_users(
    connection: sqlite3.Connection, names: Mapping[CameraId, str], *, with_secrets: bool
) -> list[UserEntry]:
    """All users; the cameras that they were granted by name, or by id those that are gone."""
    rows = connection.execute(
        "SELECT id, name, role, all_cameras, disabled, password FROM users"
    ).fetchall()
    return [
        UserEntry(
            name,
            Role(role),
            None if sees_all else tuple(names.get(c, c) for c in _grants(connection, user)),
            bool(disabled),
            password if with_secrets else None,
        )
        for user, name, role, sees_all, disabled, password in rows
    ]


class UserImport:
    """Makes the users be what a file says."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        now: WallUs,
        cameras: Mapping[str, CameraId],
        report: Report,
    ) -> None:
        """`cameras` by their names without case; `report` is told what is done."""
        self._connection = connection
        self._now = now
        self._cameras = cameras
        self._report = report

    def run(self, entries: tuple[UserEntry, ...], *, prune: bool) -> None:
        """Do it. Raises UsageError."""
        rows = self._connection.execute("SELECT id, name FROM users").fetchall()
        there = {folded(name): (user, name) for user, name in rows}
        for entry in entries:
            user = there.get(folded(entry.name))
            if user is None:
                self._add(entry, self._granted(entry))
            else:
                self._change(user[0], entry, self._granted(entry))
        if prune and entries:
            named = {folded(entry.name) for entry in entries}
            for key, (user_id, name) in there.items():
                if key not in named:
                    self._connection.execute("DELETE FROM users WHERE id = ?", (user_id,))
                    self._tell(f"- user {name}")
        users, administrators = self._connection.execute(
            "SELECT count(*), coalesce(sum(role = 'admin' AND NOT disabled), 0) FROM users"
        ).fetchone()
        if users > MOST:
            raise UsageError(f"there are at most {MOST} users")
        if users and not administrators:
            raise UsageError("nobody would be an administrator who may log in: make somebody one")

    def _granted(self, entry: UserEntry) -> Cameras:
        if entry.cameras is None:
            return None
        if len(entry.cameras) > MOST_GRANTS:
            raise UsageError(f"user {entry.name}: at most {MOST_GRANTS} cameras are granted")
        found = set()
        for name in entry.cameras:
            camera = self._cameras.get(name.casefold())
            if camera is None and (name in self._cameras.values() or _is_id(name)):
                camera = CameraId(name)
            if camera is None:
                raise UsageError(f"user {entry.name}: there is no camera {name}")
            found.add(camera)
        return frozenset(found)

    def _add(self, entry: UserEntry, granted: Cameras) -> None:
        hashed = entry.password_hash
        if hashed is None:
            hashed = _nobodys_hash()
            self._report.remarks.append(
                f"user {entry.name}: no password is known: set it with "
                f"`camkeep user password {entry.name!r}`"
            )
        user, now = new_id(), self._now
        self._connection.execute(
            "INSERT INTO users (id, name, role, password, password_us, all_cameras, disabled, "
            "created_us) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (user, entry.name, entry.role, hashed, now, granted is None, entry.disabled, now),
        )
        self._grant(user, granted)
        self._tell(f"+ user {entry.name}: {entry.role}")

    def _change(self, user: str, entry: UserEntry, granted: Cameras) -> None:
        name, role, hashed, sees_all, disabled = self._connection.execute(
            "SELECT name, role, password, all_cameras, disabled FROM users WHERE id = ?", (user,)
        ).fetchone()
        before = None if sees_all else frozenset(_grants(self._connection, user))
        differs = {
            "name": name != entry.name,
            "role": role != entry.role,
            "cameras": before != granted,
            "disabled": bool(disabled) != entry.disabled,
            "password": entry.password_hash not in (None, hashed),
        }
        told = [word for word, differ in differs.items() if differ]
        if not told:
            return
        self._connection.execute(
            "UPDATE users SET name = ?, role = ?, all_cameras = ?, disabled = ? WHERE id = ?",
            (entry.name, entry.role, granted is None, entry.disabled, user),
        )
        if differs["password"]:
            self._connection.execute(
                "UPDATE users SET password = ?, password_us = max(?, password_us + 1) WHERE id = ?",
                (entry.password_hash, self._now, user),
            )
        self._connection.execute("DELETE FROM grants WHERE user = ?", (user,))
        self._grant(user, granted)
        if {"role", "disabled", "password"} & set(told):
            drop_sessions(self._connection, user, None)
        self._tell(f"~ user {entry.name}: {', '.join(told)}")

    def _grant(self, user: str, granted: Cameras) -> None:
        rows = [(user, camera) for camera in sorted(granted or ())]
        self._connection.executemany("INSERT INTO grants VALUES (?, ?)", rows)

    def _tell(self, line: str) -> None:
        self._report.changes.append(line)


def _grants(connection: sqlite3.Connection, user: str) -> list[CameraId]:
    rows = connection.execute("SELECT camera FROM grants WHERE user = ?", (user,)).fetchall()
    return sorted(row[0] for row in rows)


def _is_id(name: str) -> bool:
    """Whether that is the id of a camera, which may have been removed since."""
    return len(name) == 12 and set(name) <= _ID_LETTERS


def _nobodys_hash() -> str:
    """The hash of nothing that anybody knows."""
    salt, hashed = (
        b64encode(secrets.token_bytes(length)).decode().rstrip("=") for length in (16, 32)
    )
    return f"$argon2id$v=19$m=32768,t=3,p=1${salt}${hashed}"
