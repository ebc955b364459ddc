"""Tokens: what a program shows in place of a password. Each has a name, may do at most what was
said when it was made, and never more than its user may at the moment."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import replace

from camkeep.clock import Clock, WallUs
from camkeep.errors import UsageError
from camkeep.server.access import Principal, Role
from camkeep.server.accounts.store import Store
from camkeep.server.accounts.used import Used
from camkeep.server.accounts.values import (
    Cameras,
    Token,
    checked_name,
    digest,
    folded,
    new_id,
    new_secret,
    principal_of_token,
)

PREFIX = "ck_"
"""Of every token, so that one is recognized where it should not be."""
PER_USER = 100
_KEPT_US = 30 * 86_400_000_000  # a token that ended stays so long in lists


class Tokens:
    """All of them."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._used = Used("tokens")

    def find(self, secret: str) -> Token | None:
        """The token, if it has not ended."""
        token = self._store.now.tokens.get(digest(secret)) if secret.startswith(PREFIX) else None
        now = self._clock.wall()
        if token is None or _over(token, now):
            return None
        self._used.note(token.id, token.used, now)
        return token

    def principal(self, token: Token | None) -> Principal | None:
        """Who asks with that token."""
        user = None if token is None else self._store.now.users.get(token.user)
        if token is None or user is None or user.disabled:
            return None
        return principal_of_token(user, token)

    def by_id(self, token_id: str) -> Token | None:
        """The token that lists call so, if it has not ended."""
        token = self._store.now.token_ids.get(token_id)
        return None if token is None or _over(token, self._clock.wall()) else token

    def all(self, user_id: str | None = None) -> list[Token]:
        """Oldest first, those that ended in the last 30 days too: of one user, or of all."""
        return [
            replace(each, used=self._used.latest(each.id, each.used))
            for each in self._store.now.tokens.values()
            if user_id in (None, each.user)
        ]

    async def make(
        self,
        user_id: str,
        name: str,
        role: Role,
        cameras: Cameras = None,
        expires: WallUs | None = None,
    ) -> tuple[str, Token]:
        """A new token and its secret, which is shown this once and kept nowhere. `cameras` None
        is all that the user sees. Raises UsageError and StorageError."""
        now = self._clock.wall()
        token = Token(
            new_id(), user_id, checked_name(name, "a token"), role, cameras, now, expires, None
        )
        self._check(token)
        secret = PREFIX + new_secret()
        await self._store.change(lambda db: _insert(db, token, digest(secret)))
        return secret, token

    async def revoke(self, token_id: str) -> bool:
        """End it; False where there is no such token. Raises StorageError."""
        return await self._store.change(
            lambda db: db.execute("DELETE FROM tokens WHERE id = ?", (token_id,)).rowcount > 0
        )

    async def tidy(self) -> None:
        """Write when they were used, and forget those that ended long ago. Raises StorageError."""
        everyone = self._store.now.tokens.values()
        await self._used.write(self._store.database, {each.id for each in everyone})
        before = self._clock.wall() - _KEPT_US
        over = [(t.id,) for t in everyone if t.expires is not None and t.expires < before]
        if over:
            await self._store.change(
                lambda db: db.executemany("DELETE FROM tokens WHERE id = ?", over) and None
            )

    def _check(self, token: Token) -> None:
        user = self._store.now.users.get(token.user)
        if user is None:
            raise UsageError("there is no such user")
        if token.role.rank > user.role.rank:
            raise UsageError(f"a token of {user.name} cannot be more than {user.role}")
        if token.cameras is not None and token.role is Role.ADMIN:
            raise UsageError("a token that administers sees all cameras: choose another role")
        if token.cameras is not None and not all(user.may_see(each) for each in token.cameras):
            raise UsageError(f"a token of {user.name} cannot see cameras that {user.name} does not")
        if token.expires is not None and token.expires <= token.created:
            raise UsageError("the token would end before it begins: choose a time to come")


def _insert(connection: sqlite3.Connection, token: Token, hash_: bytes) -> None:
    rows = connection.execute("SELECT name FROM tokens WHERE user = ?", (token.user,)).fetchall()
    if len(rows) >= PER_USER:
        raise UsageError(f"a user has at most {PER_USER} tokens: revoke some")
    if any(folded(name) == folded(token.name) for (name,) in rows):
        raise UsageError(f"there is a token called {token.name} already: choose another name")
    cameras = None if token.cameras is None else json.dumps(sorted(token.cameras))
    try:
        connection.execute(
            "INSERT INTO tokens VALUES (?, ?, ?, ?, ?, ?, ?, ?, NULL)",
            (token.id, token.user, token.name, hash_, token.role, cameras, *_times(token)),
        )
    except sqlite3.IntegrityError:
        raise UsageError("there is no such user") from None


def _times(token: Token) -> tuple[int, int | None]:
    return token.created, token.expires


def _over(token: Token, now: WallUs) -> bool:
    return token.expires is not None and now >= token.expires
