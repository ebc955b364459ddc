"""Links to clips: for how long they are good, and who takes them back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from camkeep.clock import FakeClock, WallUs
from camkeep.errors import UsageError
from camkeep.server.access import Role
from camkeep.server.accounts.accounts import Accounts
from camkeep.server.accounts.shares import MOST
from support.accounts import PASSWORD, accounts_in

HOUR_US = 3_600_000_000


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def accounts(tmp_path: Path, clock: FakeClock) -> AsyncIterator[Accounts]:
    async with accounts_in(tmp_path, clock) as found:
        yield found


async def test_a_link_leads_to_its_clip_until_it_ends(accounts: Accounts, clock: FakeClock) -> None:
    expires = WallUs(clock.wall() + HOUR_US)
    secret, share = await accounts.shares.make("clip1", "grandma", expires, None)
    assert accounts.shares.find(secret) == share
    assert accounts.shares.maker(share) is None
    for other in ("", secret[:-1], share.id, "clip1", "\ud800"):
        assert accounts.shares.find(other) is None
    await accounts.shares.count(share)
    await accounts.shares.count(share)
    assert [each.downloads for each in await accounts.shares.all("clip1")] == [2]
    assert await accounts.shares.all("clip2") == []
    clock.advance(3600)
    assert accounts.shares.find(secret) is None
    assert accounts.shares.is_over(share)
    assert len(await accounts.shares.all()) == 1
    clock.advance(31 * 86_400)
    await accounts.poll()
    assert await accounts.shares.all() == []


async def test_links_are_taken_back(accounts: Accounts, clock: FakeClock) -> None:
    expires = WallUs(clock.wall() + HOUR_US)
    made = [await accounts.shares.make(f"clip{n // 2}", "", expires, None) for n in range(4)]
    assert await accounts.shares.revoke(made[0][1].id)
    assert not await accounts.shares.revoke("nothing")
    assert [accounts.shares.find(secret) is not None for secret, _ in made] == [
        False,
        True,
        True,
        True,
    ]
    assert await accounts.shares.revoke_clip("clip1") == 2
    assert [accounts.shares.find(secret) is not None for secret, _ in made] == [
        False,
        True,
        False,
        False,
    ]


async def test_a_link_goes_with_who_made_it(accounts: Accounts, clock: FakeClock) -> None:
    await accounts.users.create("anna", PASSWORD, Role.ADMIN)
    ben = await accounts.users.create("ben", PASSWORD, Role.OPERATOR)
    expires = WallUs(clock.wall() + HOUR_US)
    secret, share = await accounts.shares.make("clip", "", expires, ben.id)
    assert accounts.shares.maker(share) == ben
    await accounts.users.change(replace(ben, disabled=True))
    assert accounts.shares.find(secret) is None
    await accounts.users.change(ben)
    assert accounts.shares.find(secret) == share
    await accounts.users.remove(ben.id)
    assert accounts.shares.find(secret) is None
    assert await accounts.shares.all() == []


async def test_what_no_link_may_be(accounts: Accounts, clock: FakeClock) -> None:
    now = clock.wall()
    for expires in (now, now - 1, now + 400 * 24 * HOUR_US):
        with pytest.raises(UsageError, match="within a year"):
            await accounts.shares.make("clip", "", WallUs(expires), None)
    with pytest.raises(UsageError, match="no such user"):
        await accounts.shares.make("clip", "", WallUs(now + 1), "0123456789abcdef")
    with pytest.raises(UsageError, match="at most"):
        await accounts.shares.make("clip", "x" * 65, WallUs(now + 1), None)


async def test_links_are_bounded(accounts: Accounts, clock: FakeClock) -> None:
    insert = "INSERT INTO shares VALUES (?, 'c', '', randomblob(32), NULL, ?, ?, 0, 0)"
    now = clock.wall()
    rows = [(f"{n:016x}", now, now + HOUR_US) for n in range(MOST)]
    await accounts._store.change(lambda db: db.executemany(insert, rows) and None)
    with pytest.raises(UsageError, match=f"there are {MOST} links"):
        await accounts.shares.make("clip", "", WallUs(now + HOUR_US), None)
    clock.advance(3600)
    await accounts.shares.make("clip", "", WallUs(clock.wall() + HOUR_US), None)
