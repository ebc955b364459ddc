"""Links to one clip, for somebody without an account: whoever has the link may fetch that clip,
and nothing else, until the link ends or is taken back. The secret in it is kept nowhere."""

from __future__ import annotations

import sqlite3

from camkeep.clock import Clock, WallUs
from camkeep.errors import UsageError
from camkeep.server.accounts.snapshot import load_shares
from camkeep.server.accounts.store import Store
from camkeep.server.accounts.values import Share, User, checked_name, digest, new_id, new_secret

MOST = 1000
"""Links that have not ended, at most."""
LONGEST_US = 366 * 86_400_000_000
_KEPT_US = 30 * 86_400_000_000  # a link that ended stays so long in lists
_MOST_KEPT = 10_000


class Shares:
    """All of them."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def find(self, secret: str) -> Share | None:
        """The link with that secret, if it is good: it has not ended, was not taken back, and
        whoever made it may still log in."""
        share = self._store.now.shares.get(digest(secret))
        if share is None or self.is_over(share):
            return None
        maker = self.maker(share)
        gone = share.user is not None and (maker is None or maker.disabled)
        return None if gone else share

    def maker(self, share: Share) -> User | None:
        """Who made it. None on loopback without accounts. A link should lead to nothing that they
        may not see any more."""
        return None if share.user is None else self._store.now.users.get(share.user)

    def is_over(self, share: Share) -> bool:
        """Whether it has ended, or was taken back."""
        return share.revoked or self._clock.wall() >= share.expires

    async def all(self, clip: str | None = None) -> list[Share]:
        """Oldest first, those that ended in the last 30 days too: of one clip, or of all. From
        the database: how often each was used is not known in memory. Raises StorageError."""
        found = await self._store.database.run(load_shares, reads=True)
        return [each for each in found.values() if clip in (None, each.clip)]

    async def make(
        self, clip: str, name: str, expires: WallUs, user_id: str | None
    ) -> tuple[str, Share]:
        """A new link to `clip` and its secret, which is shown this once. `name` says whom it is
        for. Raises UsageError and StorageError."""
        now = self._clock.wall()
        if not now < expires <= now + LONGEST_US:
            raise UsageError("a link ends within a year from now")
        share = Share(
            new_id(),
            clip,
            checked_name(name, "a link") if name else "",
            user_id,
            now,
            expires,
            False,
            0,
        )
        secret = new_secret()
        await self._store.change(lambda db: _insert(db, share, digest(secret)))
        return secret, share

    async def revoke(self, share_id: str) -> bool:
        """Take it back; False where there is no such link. Raises StorageError."""
        return await self._store.change(
            lambda db: (
                db.execute("UPDATE shares SET revoked = 1 WHERE id = ?", (share_id,)).rowcount > 0
            )
        )

    async def revoke_clip(self, clip: str) -> int:
        """Take back all links to a clip, as when it is deleted. Raises StorageError."""
        return await self._store.change(
            lambda db: (
                db.execute(
                    "UPDATE shares SET revoked = 1 WHERE clip = ? AND NOT revoked", (clip,)
                ).rowcount
            )
        )

    async def count(self, share: Share) -> None:
        """It was used to fetch the clip. Raises StorageError."""
        await self._store.database.run(
            lambda db: (
                db.execute("UPDATE shares SET downloads = downloads + 1 WHERE id = ?", (share.id,))
                and None
            )
        )

    async def tidy(self) -> None:
        """Forget those that ended long ago. Raises StorageError."""
        before = self._clock.wall() - _KEPT_US
        over = [(s.id,) for s in self._store.now.shares.values() if s.expires < before]
        if over:
            await self._store.change(
                lambda db: db.executemany("DELETE FROM shares WHERE id = ?", over) and None
            )


def _insert(connection: sqlite3.Connection, share: Share, hash_: bytes) -> None:
    good, kept = connection.execute(
        "SELECT count(*) FILTER (WHERE NOT revoked AND expires_us > ?), count(*) FROM shares",
        (share.created,),
    ).fetchone()
    if good >= MOST or kept >= _MOST_KEPT:
        raise UsageError(f"there are {good} links that have not ended: take some back first")
    try:
        connection.execute(
            "INSERT INTO shares VALUES (?, ?, ?, ?, ?, ?, ?, 0, 0)",
            (share.id, share.clip, share.name, hash_, share.user, share.created, share.expires),
        )
    except sqlite3.IntegrityError:
        raise UsageError("there is no such user") from None
