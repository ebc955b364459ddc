"""Passwords: the rule for them, and their hashes, Argon2id (RFC 9106).

A hash takes tens of milliseconds and 32 MB, on purpose. So it runs on two threads of its own,
never more at once, and those who wait are bounded: a flood of logins costs neither memory nor the
event loop.
"""

from __future__ import annotations

import asyncio
import secrets
import unicodedata
from base64 import b64encode
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import (
    HashingError,
    InvalidHashError,
    VerificationError,
    VerifyMismatchError,
)

from camkeep.errors import UsageError
from camkeep.server.accounts.values import folded
from camkeep.server.problems import Problem

SHORTEST = 8
"""Characters of a password, at least."""
LONGEST = 1024
"""And at most."""
AT_ONCE = 2
WAITING = 16
"""Hashes that wait for a thread, at most."""

HASHER = PasswordHasher(time_cost=3, memory_cost=32 * 1024, parallelism=1)
"""More than OWASP asks for, and little enough for a small board."""

T = TypeVar("T")


def check_password(password: str, name: str) -> None:
    """Raise UsageError where `password` should not be that of the user called `name`."""
    if len(password) < SHORTEST:
        raise UsageError(f"a password has at least {SHORTEST} characters")
    if len(password) > LONGEST:
        raise UsageError(f"a password has at most {LONGEST} characters")
    if folded(password) == folded(name):
        raise UsageError("a password is not the user's name: everybody would try that first")


class Passwords:
    """Hashes passwords, and compares them."""

    def __init__(self, hasher: PasswordHasher = HASHER) -> None:
        self._hasher = hasher
        self._nobodys = _nobodys_hash(hasher)
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="camkeep-password")
        self._pending = 0

    async def hash(self, password: str) -> str:
        """What is kept of a password. Raises Problem where too many wait."""
        return await self._run(lambda: self._hasher.hash(_prepared(password)))

    async def verify(self, kept: str | None, password: str) -> bool:
        """Whether `kept` is the hash of `password`. Takes as long where nothing is kept, so that
        nobody learns which users there are. Raises Problem where too many wait."""
        if len(password) > LONGEST:
            return False
        return await self._run(lambda: self._same(kept or self._nobodys, password))

    def is_dated(self, kept: str) -> bool:
        """Whether a hash was made with less effort than is usual by now."""
        return self._hasher.check_needs_rehash(kept)

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _same(self, kept: str, password: str) -> bool:
        try:
            return self._hasher.verify(kept, _prepared(password))
        except (VerifyMismatchError, InvalidHashError):
            return False

    async def _run(self, work: Callable[[], T]) -> T:
        if self._pending >= AT_ONCE + WAITING:
            raise _busy()
        self._pending += 1
        future = asyncio.wrap_future(self._pool.submit(work))
        future.add_done_callback(self._done)
        try:
            return await asyncio.shield(future)  # a thread that hashes cannot be stopped
        except (HashingError, VerificationError):  # there is no memory for it
            raise _busy() from None

    def _done(self, future: asyncio.Future[T]) -> None:
        self._pending -= 1
        if not future.cancelled():
            future.exception()  # seen, also where nobody waits any more


def _prepared(password: str) -> bytes:
    """The same bytes for what looks the same, however a keyboard composes it."""
    return unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")


def _nobodys_hash(hasher: PasswordHasher) -> str:
    """A hash that is the hash of nothing anybody knows, made without hashing."""
    salt, hash_ = (
        b64encode(secrets.token_bytes(length)).decode().rstrip("=")
        for length in (hasher.salt_len, hasher.hash_len)
    )
    cost = f"m={hasher.memory_cost},t={hasher.time_cost},p={hasher.parallelism}"
    return f"$argon2id$v=19${cost}${salt}${hash_}"


def _busy() -> Problem:
    return Problem(
        503,
        "Busy",
        "too many are logging in at this moment: try again in a few seconds",
        kind="urn:camkeep:busy",
        headers={"Retry-After": "5"},
    )
