"""All that belongs to accounts, together: what a login is, who asks, and when their rights end."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Hashable
from math import ceil

from camkeep.clock import Clock
from camkeep.errors import StorageError
from camkeep.server.access import How, Principal
from camkeep.server.accounts.audit import Audit
from camkeep.server.accounts.passwords import Passwords
from camkeep.server.accounts.sessions import Sessions
from camkeep.server.accounts.shares import Shares
from camkeep.server.accounts.snapshot import load
from camkeep.server.accounts.store import Store
from camkeep.server.accounts.throttle import Attempt, Throttle, TooMany
from camkeep.server.accounts.tokens import Tokens
from camkeep.server.accounts.users import Users
from camkeep.server.accounts.values import Session, User
from camkeep.server.accounts.watches import Watch, Watches
from camkeep.server.database import Database
from camkeep.server.problems import Problem

log = logging.getLogger("camkeep.accounts")

POLL_S = 1.0
"""How soon it is noticed that another process changed the accounts."""
_TIDY_NS = 600 * 1_000_000_000


class Accounts:
    """Users, sessions, tokens, links, and the audit log. On the event loop only.

    Who asks is answered from memory: nothing that is called for each request waits for the disk.
    """

    def __init__(
        self, store: Store, clock: Clock, passwords: Passwords, throttle: Throttle
    ) -> None:
        """Use `Accounts.open`."""
        self.users = Users(store, clock, passwords)
        self.sessions = Sessions(store, clock)
        self.tokens = Tokens(store, clock)
        self.shares = Shares(store, clock)
        self.audit = Audit(store.database, clock)
        self._store = store
        self._clock = clock
        self._passwords = passwords
        self._throttle = throttle
        self._watches = Watches(self._rights)
        self._tidied = clock.mono()
        store.on_change = self._watches.look

    @classmethod
    async def open(
        cls, database: Database, clock: Clock, passwords: Passwords | None = None
    ) -> Accounts:
        """The accounts in that database. Close them before it. Raises StorageError."""
        store = Store(database, await database.run(load, reads=True))
        return cls(store, clock, passwords or Passwords(), Throttle(clock))

    def close(self) -> None:
        """Let go of the threads that hash."""
        self._passwords.close()

    def any_account(self) -> bool:
        """Whether there is an account: then nobody gets in without a login."""
        return bool(self._store.now.users)

    async def by_session(self, secret: str) -> Principal | None:
        """Who shows the secret of a session; None for nobody. Does not wait."""
        return self.sessions.principal(self.sessions.find(secret))

    async def by_token(self, secret: str) -> Principal | None:
        """Who shows a token; None for nobody. Does not wait."""
        return self.tokens.principal(self.tokens.find(secret))

    def watch(self, principal: Principal) -> Watch:
        """Learn when `principal` is not any more what it was: the session or token ended, the
        user was removed or disabled, or has another password, role or grants. For long answers,
        which end then; close the watch with them."""
        now = self._rights(principal)
        same = isinstance(now, tuple) and now[0] == principal
        return self._watches.watch(principal, now if same else None)

    async def login(
        self, name: str, password: str, address: str, agent: str
    ) -> tuple[str, Session]:
        """A new session and its secret. Raises Problem (401, 429 with Retry-After, 503) and
        StorageError."""
        user = self.users.by_name(name)
        kept, attempt = await self._verified(user, name, password, address)
        opened = None
        if user is not None and kept is not None:
            self._throttle.succeeded(attempt)
            opened = await self.sessions.open(user.id, address, agent, password=kept)
        if user is None or opened is None:
            who = "" if user is None else user.name  # people type passwords in the wrong field
            await self.audit.note(who, "login.refused", address=address)
            raise Problem(401, "Login refused", "the name or the password is wrong")
        if kept is not None and self._passwords.is_dated(kept):
            await self._rehash(user, kept, password)
        await self.audit.note(user.name, "login", opened[1].id, address)
        return opened

    async def confirm(self, user_id: str, password: str, address: str) -> None:
        """That whoever asks knows the password, as before they change it. Counts as a login does.
        Raises Problem (403, 429, 503) and StorageError."""
        user = self.users.by_id(user_id)
        name = user_id if user is None else user.name
        kept, attempt = await self._verified(user, name, password, address)
        if kept is None:
            await self.audit.note(name, "password.refused", address=address)
            raise Problem(403, "Refused", "the password is wrong")
        self._throttle.succeeded(attempt)

    async def run(self) -> None:
        """Notice what other processes change, and what ends with time. Until it is cancelled."""
        while True:
            await asyncio.sleep(POLL_S)
            try:
                await self.poll()
            except StorageError as error:
                log.warning("%s; trying again", error)
            except Exception:
                log.exception("the accounts could not be looked at in an unforeseen way")

    async def poll(self) -> None:
        """Notice it once. Raises StorageError."""
        await self._store.poll()
        self._watches.look()
        if self._clock.mono() - self._tidied >= _TIDY_NS:
            self._tidied = self._clock.mono()
            await self.tidy()

    async def tidy(self) -> None:
        """Write when sessions and tokens were used, and forget what has ended: every 10 minutes,
        and at the end of the service. Raises StorageError."""
        await self.sessions.tidy()
        await self.tokens.tidy()
        await self.shares.tidy()

    async def _verified(
        self, user: User | None, name: str, password: str, address: str
    ) -> tuple[str | None, Attempt]:
        """The hash that is kept of the right password, or None; takes as long where there is no
        such user. The limits are looked at first."""
        try:
            attempt = self._throttle.admit(name, address)
        except TooMany as error:
            wait_s = ceil(error.wait_s)
            raise Problem(
                429,
                "Too many logins",
                f"too many logins were tried: try again in {wait_s} s",
                kind="urn:camkeep:too-many-logins",
                headers={"Retry-After": str(wait_s)},
            ) from None
        kept = await self._kept(user)
        right = await self._passwords.verify(kept, password)
        return (kept if right else None), attempt

    async def _kept(self, user: User | None) -> str | None:
        """The hash of a user's password; None for nobody, and for those who may not log in."""

        def read(connection: sqlite3.Connection) -> str | None:
            row = connection.execute(
                "SELECT password FROM users WHERE id = ? AND NOT disabled",
                ("" if user is None else user.id,),
            ).fetchone()
            return None if row is None else str(row[0])

        return await self._store.database.run(read, reads=True)

    async def _rehash(self, user: User, kept: str, password: str) -> None:
        """Keep a hash of as much effort as is usual by now."""
        hash_ = await self._passwords.hash(password)
        await self._store.change(
            lambda db: (
                db.execute(
                    "UPDATE users SET password = ? WHERE id = ? AND password = ?",
                    (hash_, user.id, kept),
                )
                and None
            )
        )

    def _rights(self, principal: Principal) -> Hashable:
        """What a watch compares: who somebody is by now, and what else ends their long answers.
        A session that another password or role ends is removed; a token stays."""
        login = principal.login_id or ""
        match principal.how:
            case How.LOOPBACK:
                return None if self.any_account() else (principal, None)
            case How.SESSION:
                now = self.sessions.principal(self.sessions.by_id(login))
                return None if now is None else (now, None)
            case How.TOKEN:
                now = self.tokens.principal(self.tokens.by_id(login))
                user = self._store.now.users.get(principal.user_id or "")
                return None if now is None or user is None else (now, user.password_set, user.role)
