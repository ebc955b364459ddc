"""Accounts in a real database, with a clock that tests move and hashes that are quick."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from argon2 import PasswordHasher

from camkeep.clock import FakeClock
from camkeep.server.accounts.accounts import Accounts
from camkeep.server.accounts.passwords import Passwords
from camkeep.server.database import DATABASE, KEY, Database

QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
"""Of no use outside of tests."""
PASSWORD = "correct horse battery"


def opened(folder: Path) -> Database:
    """The settings in a folder."""
    return Database.open(folder / DATABASE, folder / KEY)


@asynccontextmanager
async def accounts_in(folder: Path, clock: FakeClock) -> AsyncIterator[Accounts]:
    """The accounts in a folder."""
    database = opened(folder)
    accounts = await Accounts.open(database, clock, Passwords(QUICK))
    try:
        yield accounts
    finally:
        accounts.close()
        database.close()
