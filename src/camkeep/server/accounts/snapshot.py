"""All accounts as they are at one moment, in memory: who asks is answered from here, thousands of
times a second, without a look at the disk. Every table that is read here is bounded."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass

from camkeep.clock import WallUs
from camkeep.model import CameraId
from camkeep.server.access import Role
from camkeep.server.accounts.values import Cameras, Session, Share, Token, User, folded
from camkeep.server.database import revision


@dataclass(frozen=True, slots=True, repr=False)
class Snapshot:
    """What the database holds of the accounts, without passwords."""

    revision: int
    users: dict[str, User]
    """By id."""
    names: dict[str, str]
    """Their ids, by folded name."""
    sessions: dict[bytes, Session]
    """By the digest of their secret, as the next two."""
    tokens: dict[bytes, Token]
    shares: dict[bytes, Share]
    session_ids: dict[str, Session]
    """The same by id, as the next."""
    token_ids: dict[str, Token]


def load(connection: sqlite3.Connection) -> Snapshot:
    """All accounts. For jobs of the database."""
    users = _users(connection)
    sessions = {
        hash_: Session(id_, user, WallUs(created), WallUs(used), WallUs(expires), address, agent)
        for hash_, id_, user, created, used, expires, address, agent in connection.execute(
            "SELECT hash, id, user, created_us, used_us, expires_us, address, agent "
            "FROM sessions ORDER BY created_us, id"
        )
    }
    tokens = {row[0]: _token(row[1:]) for row in connection.execute(_TOKENS)}
    return Snapshot(
        revision(connection, "accounts"),
        users,
        {folded(user.name): user.id for user in users.values()},
        sessions,
        tokens,
        load_shares(connection),
        {session.id: session for session in sessions.values()},
        {token.id: token for token in tokens.values()},
    )


def load_shares(connection: sqlite3.Connection) -> dict[bytes, Share]:
    """All links to clips, by the digest of their secret. For jobs of the database."""
    return {row[0]: _share(row[1:]) for row in connection.execute(_SHARES)}


_TOKENS = (
    "SELECT hash, id, user, name, role, cameras, created_us, expires_us, used_us "
    "FROM tokens ORDER BY created_us, id"
)
_SHARES = (
    "SELECT hash, id, clip, name, user, created_us, expires_us, revoked, downloads "
    "FROM shares ORDER BY created_us, id"
)


def _users(connection: sqlite3.Connection) -> dict[str, User]:
    granted: dict[str, set[CameraId]] = {}
    for user, camera in connection.execute("SELECT user, camera FROM grants"):
        granted.setdefault(user, set()).add(camera)
    found = connection.execute(
        "SELECT id, name, role, all_cameras, disabled, created_us, password_us "
        "FROM users ORDER BY created_us, id"
    )
    return {
        id_: User(
            id_,
            name,
            Role(role),
            None if all_cameras else frozenset(granted.get(id_, ())),
            bool(disabled),
            WallUs(created),
            WallUs(password_set),
        )
        for id_, name, role, all_cameras, disabled, created, password_set in found
    }


def _token(row: tuple[str, str, str, str, str | None, int, int | None, int | None]) -> Token:
    id_, user, name, role, cameras, created, expires, used = row
    return Token(
        id_,
        user,
        name,
        Role(role),
        _cameras(cameras),
        WallUs(created),
        None if expires is None else WallUs(expires),
        None if used is None else WallUs(used),
    )


def _share(row: tuple[str, str, str, str | None, int, int, int, int]) -> Share:
    id_, clip, name, user, created, expires, revoked, downloads = row
    return Share(id_, clip, name, user, WallUs(created), WallUs(expires), bool(revoked), downloads)


def _cameras(text: str | None) -> Cameras:
    return None if text is None else frozenset(CameraId(each) for each in json.loads(text))
