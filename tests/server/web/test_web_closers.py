"""Answers that last are ended when the service ends, or the rights of whoever gets them."""

from __future__ import annotations

import asyncio
from pathlib import Path

from camkeep.clock import FakeClock
from camkeep.server.access import How, Principal, Role
from camkeep.server.web.closers import Closers
from support.accounts import PASSWORD, accounts_in

STRANGER = Principal("eve", Role.ADMIN, None, How.SESSION, "nobody", "none")


async def test_the_end_of_the_service_ends_each_once() -> None:
    closers, ended = Closers(), []
    with closers.open(None, lambda: ended.append(1)), closers.open(None, lambda: ended.append(2)):
        assert len(closers) == 2
        closers.end_all()
        closers.end_all()
        assert ended == [1, 2]
    with closers.open(None, lambda: ended.append(3)):  # it comes too late
        assert ended == [1, 2, 3]
    assert len(closers) == 0


async def test_one_that_has_ended_is_not_told() -> None:
    closers, ended = Closers(), []
    with closers.open(None, lambda: ended.append(1)):
        pass
    closers.end_all()
    assert ended == []


async def test_one_that_fails_keeps_no_other_open() -> None:
    closers, ended = Closers(), []

    def fail() -> None:
        raise RuntimeError

    with closers.open(None, fail), closers.open(None, lambda: ended.append(1)):
        closers.end_all()
        assert ended == [1]


async def test_who_has_no_rights_any_more_is_ended_at_once(tmp_path: Path) -> None:
    async with accounts_in(tmp_path, FakeClock()) as accounts:
        closers, ended = Closers(accounts.watch), []
        with closers.open(STRANGER, lambda: ended.append(1)):
            assert ended == [1]


async def test_whose_rights_change_is_ended_and_others_are_not(tmp_path: Path) -> None:
    async with accounts_in(tmp_path, FakeClock()) as accounts:
        closers = Closers(accounts.watch)
        over, other = asyncio.Event(), asyncio.Event()
        people = []
        for name in ("anna", "bert"):
            user = await accounts.users.create(name, PASSWORD, Role.ADMIN)
            made = await accounts.sessions.open(user.id, "127.0.0.1", "")
            assert made is not None
            who = await accounts.by_session(made[0])
            assert who is not None
            people.append(who)
        with closers.open(people[1], over.set), closers.open(people[0], other.set):
            assert people[1].user_id is not None
            await accounts.users.remove(people[1].user_id)
            await asyncio.wait_for(over.wait(), 5)
            assert not other.is_set()
        assert len(closers) == 0


async def test_a_thousand_answers_leave_nothing_behind(tmp_path: Path) -> None:
    async with accounts_in(tmp_path, FakeClock()) as accounts:
        closers = Closers(accounts.watch)
        before = len(asyncio.all_tasks())
        for _ in range(1000):
            with closers.open(STRANGER, lambda: None):
                pass
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert len(asyncio.all_tasks()) == before
        assert len(closers) == 0
