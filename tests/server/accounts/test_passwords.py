"""Passwords: the rule, the hashes, and that a flood of them costs neither memory nor the loop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
from argon2 import PasswordHasher

from camkeep.errors import UsageError
from camkeep.server.accounts import passwords as passwords_module
from camkeep.server.accounts.passwords import (
    AT_ONCE,
    HASHER,
    WAITING,
    Passwords,
    check_password,
)
from camkeep.server.problems import Problem
from support.accounts import QUICK


@pytest.fixture
async def quick() -> AsyncIterator[Passwords]:
    passwords = Passwords(QUICK)
    yield passwords
    passwords.close()


@pytest.mark.parametrize(
    ("password", "told"),
    [
        ("", "at least 8"),
        ("1234567", "at least 8"),
        ("x" * 1025, "at most 1024"),
        ("Anna Karenina", "not the user's name"),
        ("anna karenina ", "not the user's name"),
    ],
)
def test_what_is_no_password(password: str, told: str) -> None:
    with pytest.raises(UsageError, match=told) as refused:
        check_password(password, "anna Karenina")
    assert not password or password not in str(refused.value)


@pytest.mark.parametrize("password", ["12345678", "x" * 1024, "päßwörter", "\ud800" * 8, "\0" * 8])
async def test_the_right_password_and_no_other(quick: Passwords, password: str) -> None:
    check_password(password, "anna")
    kept = await quick.hash(password)
    assert kept.startswith("$argon2id$")
    assert password not in kept
    assert await quick.verify(kept, password)
    assert not await quick.verify(kept, password + "x")
    assert not await quick.verify(kept, "")
    assert kept != await quick.hash(password), "each has its own salt"


async def test_letters_are_the_same_however_a_keyboard_composes_them(quick: Passwords) -> None:
    kept = await quick.hash("caf\u00e9 caf\u00e9")
    assert await quick.verify(kept, "cafe\u0301 cafe\u0301")


async def test_nobody_has_no_password(quick: Passwords) -> None:
    for password in ("", "x", "correct horse battery"):
        assert not await quick.verify(None, password)
    assert not await quick.verify("damaged", "correct horse battery")
    assert not await quick.verify(None, "x" * 1_000_000)


async def test_nobody_takes_as_long_as_somebody() -> None:
    """The same work, not only a similar time: the hash of nobody has the same parameters."""
    passwords = Passwords(QUICK)
    nobodys = passwords_module._nobodys_hash(HASHER)
    kept = HASHER.hash("correct horse battery")
    assert nobodys.split("$")[:4] == kept.split("$")[:4]
    assert [len(part) for part in nobodys.split("$")] == [len(part) for part in kept.split("$")]
    passwords.close()


def test_hashes_are_as_strong_as_owasp_asks() -> None:
    assert HASHER.type.name == "ID"
    assert HASHER.memory_cost >= 19_456
    assert HASHER.time_cost >= 2
    assert Passwords(QUICK).is_dated(HASHER.hash("x")), "other parameters are noticed"


async def test_a_flood_is_bounded_and_the_loop_goes_on() -> None:
    passwords = Passwords(PasswordHasher(time_cost=2, memory_cost=16 * 1024, parallelism=1))
    longest, before = 0.0, time.monotonic()

    async def beat() -> None:
        nonlocal longest, before
        while True:
            await asyncio.sleep(0.001)
            now = time.monotonic()
            longest, before = max(longest, now - before), now

    beating = asyncio.create_task(beat())
    work = [asyncio.create_task(passwords.verify(None, "x")) for _ in range(100)]
    done = await asyncio.gather(*work, return_exceptions=True)
    beating.cancel()
    busy = [each for each in done if isinstance(each, Problem)]
    assert done.count(False) == AT_ONCE + WAITING
    assert len(busy) == 100 - AT_ONCE - WAITING
    assert {each.status for each in busy} == {503}
    assert all("Retry-After" in each.headers for each in busy)
    assert longest < 1, "hashing holds up nobody; all of it takes longer"
    assert await passwords.verify(None, "x") is False, "and then there is room again"
    passwords.close()


async def test_who_goes_away_does_not_keep_a_place(quick: Passwords) -> None:
    for _ in range(5):
        work = [asyncio.create_task(quick.hash("x")) for _ in range(AT_ONCE + WAITING)]
        await asyncio.sleep(0)
        for each in work:
            each.cancel()
        await asyncio.gather(*work, return_exceptions=True)
        while quick._pending:
            await asyncio.sleep(0.001)
    assert await quick.hash("x")
