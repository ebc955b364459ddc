"""Users: names, roles, and that there is always somebody who administers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from camkeep.clock import FakeClock
from camkeep.errors import UsageError
from camkeep.model import CameraId
from camkeep.server.access import Role
from camkeep.server.accounts.accounts import Accounts
from support.accounts import PASSWORD, accounts_in

ONE = frozenset({CameraId("cam1")})


@pytest.fixture
async def accounts(tmp_path: Path) -> AsyncIterator[Accounts]:
    async with accounts_in(tmp_path, FakeClock()) as found:
        yield found


async def test_users_are_there_again(tmp_path: Path) -> None:
    clock = FakeClock()
    async with accounts_in(tmp_path, clock) as accounts:
        assert not accounts.any_account()
        anna = await accounts.users.create("anna", PASSWORD, Role.ADMIN)
        ben = await accounts.users.create("Ben Müller", PASSWORD, Role.VIEWER, ONE)
        assert accounts.any_account()
    async with accounts_in(tmp_path, clock) as accounts:
        assert accounts.users.all() == [anna, ben] or accounts.users.all() == [ben, anna]
        assert accounts.users.by_name("BEN MÜLLER") == ben
        assert accounts.users.by_name("nobody") is None
        assert ben.cameras == ONE
        assert ben.may_see(CameraId("cam1"))
        assert not ben.may_see(CameraId("cam2"))


@pytest.mark.parametrize("name", ["", " ", "x" * 65, "a\nb", "a\0b", "\u202eanna", "\ud800"])
async def test_what_is_no_name(accounts: Accounts, name: str) -> None:
    with pytest.raises(UsageError, match="name of a user"):
        await accounts.users.create(name, PASSWORD, Role.ADMIN)


async def test_a_name_is_taken_in_whatever_case(accounts: Accounts) -> None:
    await accounts.users.create("Änne", PASSWORD, Role.ADMIN)
    for name in ("änne", "ÄNNE", " änne ", "A\u0308nne"):
        with pytest.raises(UsageError, match="already"):
            await accounts.users.create(name, PASSWORD, Role.VIEWER)
    ben = await accounts.users.create("ben", PASSWORD, Role.VIEWER)
    with pytest.raises(UsageError, match="already"):
        await accounts.users.change(replace(ben, name="ÄNNE"))
    assert (await accounts.users.change(replace(ben, name="Ben"))).name == "Ben"


async def test_the_first_is_an_administrator(accounts: Accounts) -> None:
    with pytest.raises(UsageError, match="first account"):
        await accounts.users.create("anna", PASSWORD, Role.VIEWER)
    assert not accounts.any_account()


async def test_two_do_not_both_make_the_first_account(tmp_path: Path) -> None:
    clock = FakeClock()
    async with accounts_in(tmp_path, clock) as one, accounts_in(tmp_path, clock) as other:
        done = await asyncio.gather(
            one.users.create("anna", PASSWORD, Role.ADMIN, first=True),
            other.users.create("eve", PASSWORD, Role.ADMIN, first=True),
            return_exceptions=True,
        )
    assert len([each for each in done if isinstance(each, UsageError)]) == 1


@pytest.mark.parametrize("how", ["remove", "demote", "disable"])
async def test_the_last_administrator_stays(accounts: Accounts, how: str) -> None:
    anna = await accounts.users.create("anna", PASSWORD, Role.ADMIN)
    ben = await accounts.users.create("ben", PASSWORD, Role.ADMIN)
    await accounts.users.change(replace(ben, disabled=True))

    async def do() -> None:
        match how:
            case "remove":
                await accounts.users.remove(anna.id)
            case "demote":
                await accounts.users.change(replace(anna, role=Role.OPERATOR))
            case _:
                await accounts.users.change(replace(anna, disabled=True))

    with pytest.raises(UsageError, match="anna is the last administrator"):
        await do()
    assert accounts.users.by_id(anna.id) == anna
    await accounts.users.change(ben)
    await do()


async def test_two_administrators_do_not_demote_each_other_at_once(tmp_path: Path) -> None:
    clock = FakeClock()
    async with accounts_in(tmp_path, clock) as one, accounts_in(tmp_path, clock) as other:
        anna = await one.users.create("anna", PASSWORD, Role.ADMIN)
        ben = await one.users.create("ben", PASSWORD, Role.ADMIN)
        await other.poll()
        done = await asyncio.gather(
            one.users.change(replace(anna, role=Role.VIEWER)),
            other.users.remove(ben.id),
            return_exceptions=True,
        )
        assert len([each for each in done if isinstance(each, UsageError)]) == 1


async def test_who_is_gone_cannot_be_changed(accounts: Accounts) -> None:
    await accounts.users.create("anna", PASSWORD, Role.ADMIN)
    ben = await accounts.users.create("ben", PASSWORD, Role.VIEWER)
    await accounts.users.remove(ben.id)
    assert accounts.users.by_id(ben.id) is None
    for work in (
        accounts.users.remove(ben.id),
        accounts.users.change(ben),
        accounts.users.set_password(ben.id, PASSWORD),
    ):
        with pytest.raises(UsageError, match="no such user"):
            await work


async def test_too_many_cameras_one_by_one(accounts: Accounts) -> None:
    cameras = frozenset(CameraId(f"cam{n}") for n in range(1001))
    with pytest.raises(UsageError, match="grant all"):
        await accounts.users.create("anna", PASSWORD, Role.ADMIN, cameras)
