"""Logins, sessions, tokens: who asks, for how long, and how soon their rights end."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from camkeep.clock import FakeClock, WallUs
from camkeep.errors import UsageError
from camkeep.model import CameraId
from camkeep.server.access import How, Principal, Role
from camkeep.server.accounts import sessions as sessions_module
from camkeep.server.accounts.accounts import POLL_S, Accounts
from camkeep.server.accounts.passwords import Passwords
from camkeep.server.accounts.values import User
from camkeep.server.database import DATABASE, KEY
from camkeep.server.problems import Problem
from support.accounts import PASSWORD, accounts_in, opened

A, B = CameraId("cam-a"), CameraId("cam-b")
HERE = "192.0.2.7"
DAY_S = 86_400


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def accounts(tmp_path: Path, clock: FakeClock) -> AsyncIterator[Accounts]:
    async with accounts_in(tmp_path, clock) as found:
        yield found


@pytest.fixture
async def anna(accounts: Accounts) -> User:
    return await accounts.users.create("anna", PASSWORD, Role.ADMIN)


@pytest.fixture
async def ben(accounts: Accounts, anna: User) -> User:
    return await accounts.users.create("ben", PASSWORD, Role.OPERATOR, frozenset({A, B}))


async def principal(accounts: Accounts, name: str) -> tuple[str, Principal]:
    """Log in: the secret of the session, and who asks with it."""
    secret, _ = await accounts.login(name, PASSWORD, HERE, "browser")
    found = await accounts.by_session(secret)
    assert found is not None
    return secret, found


async def refused(accounts: Accounts, name: str, password: str) -> Problem:
    with pytest.raises(Problem) as problem:
        await accounts.login(name, password, HERE, "browser")
    return problem.value


async def test_a_login(accounts: Accounts, ben: User) -> None:
    secret, session = await accounts.login("BEN", PASSWORD, HERE, "Fire\nfox" + "x" * 500)
    assert len(secret) >= 43, "256 bits"
    who = await accounts.by_session(secret)
    assert who == Principal(
        "ben", Role.OPERATOR, frozenset({A, B}), How.SESSION, ben.id, session.id
    )
    assert accounts.sessions.all(ben.id) == [session]
    assert session.agent == "Fire?fox" + "x" * 192
    for other in ("", secret[:-1], secret + "x", "\ud800", "x" * 100_000, session.id):
        assert await accounts.by_session(other) is None
        assert await accounts.by_token(other) is None


async def test_the_wrong_password_and_the_wrong_name_answer_alike(
    accounts: Accounts, ben: User
) -> None:
    problems = [
        await refused(accounts, "ben", "wrong password"),
        await refused(accounts, "nobody", PASSWORD),
        await refused(accounts, "ben", "x" * 100_000),
        await refused(accounts, "\ud800", "\ud800"),
        await refused(accounts, "", ""),
    ]
    await accounts.users.change(replace(ben, disabled=True))
    problems.append(await refused(accounts, "ben", PASSWORD))
    assert {str(each.body()) for each in problems} == {str(problems[0].body())}
    assert problems[0].status == 401


async def test_too_many_logins_wait_and_then_go_on(
    accounts: Accounts, ben: User, clock: FakeClock
) -> None:
    for _ in range(5):
        await refused(accounts, "ben", "wrong password")
    problem = await refused(accounts, "ben", PASSWORD)
    assert problem.status == 429
    clock.advance(float(problem.headers["Retry-After"]))
    await principal(accounts, "ben")
    with pytest.raises(Problem, match="password is wrong"):
        await accounts.confirm(ben.id, "wrong password", HERE)
    await accounts.confirm(ben.id, PASSWORD, HERE)


async def test_a_session_ends_without_use_and_in_any_case(
    accounts: Accounts, anna: User, clock: FakeClock
) -> None:
    secret, _ = await principal(accounts, "anna")
    clock.advance(13.9 * DAY_S)
    assert await accounts.by_session(secret)
    for _ in range(5):
        clock.advance(13.9 * DAY_S)
        assert await accounts.by_session(secret)
    clock.advance(7 * DAY_S)
    assert await accounts.by_session(secret) is None, "90 days are over"
    other, _ = await principal(accounts, "anna")
    clock.advance(14 * DAY_S)
    assert await accounts.by_session(other) is None
    assert accounts.sessions.all() == []


async def test_when_a_session_was_used_is_written_seldom_and_kept(
    tmp_path: Path, accounts: Accounts, anna: User, clock: FakeClock
) -> None:
    secret, who = await principal(accounts, "anna")
    seen = opened(tmp_path)

    def used() -> int:
        return int(
            seen.run_now(lambda db: db.execute("SELECT used_us FROM sessions").fetchone()[0])
        )

    begun = used()
    for _ in range(59):
        clock.advance(60)
        assert await accounts.by_session(secret)
        await accounts.poll()
    assert used() == begun
    clock.advance(60)
    assert await accounts.by_session(secret)
    clock.advance(600)
    await accounts.poll()
    assert used() == begun + 3600 * 1_000_000
    assert accounts.sessions.all()[0].used == used()
    clock.advance(13.9 * DAY_S)
    async with accounts_in(tmp_path, clock) as again:  # the service starts anew
        assert await again.by_session(secret) == who
    seen.close()


async def test_sessions_that_ended_are_forgotten(
    tmp_path: Path, accounts: Accounts, anna: User, clock: FakeClock
) -> None:
    await principal(accounts, "anna")
    clock.advance(91 * DAY_S)
    await accounts.poll()
    seen = opened(tmp_path)
    assert seen.run_now(lambda db: db.execute("SELECT count(*) FROM sessions").fetchone()) == (0,)
    seen.close()


async def test_a_user_has_a_bounded_number_of_sessions(
    accounts: Accounts, anna: User, clock: FakeClock
) -> None:
    first, _ = await principal(accounts, "anna")
    for _ in range(sessions_module.PER_USER):
        clock.advance(60)
        last, _ = await principal(accounts, "anna")
    assert len(accounts.sessions.all(anna.id)) == sessions_module.PER_USER
    assert await accounts.by_session(first) is None
    assert await accounts.by_session(last)


async def test_logging_out(accounts: Accounts, anna: User) -> None:
    secret, who = await principal(accounts, "anna")
    other, _ = await principal(accounts, "anna")
    watch = accounts.watch(who)
    assert await accounts.sessions.end(who.login_id or "")
    assert watch.over
    assert await accounts.by_session(secret) is None
    assert await accounts.by_session(other)
    assert not await accounts.sessions.end(who.login_id or "")
    assert await accounts.sessions.end_all(anna.id) == 1
    assert await accounts.by_session(other) is None


@pytest.mark.parametrize("elsewhere", [False, True], ids=["here", "by another process"])
@pytest.mark.parametrize("what", ["password", "role", "grants", "disabled", "removed", "revoked"])
async def test_what_ends_the_rights_of_somebody(
    tmp_path: Path,
    accounts: Accounts,
    ben: User,
    clock: FakeClock,
    what: str,
    elsewhere: bool,
) -> None:
    secret, own = await principal(accounts, "ben")
    other, others = await principal(accounts, "ben")
    token, _ = await accounts.tokens.make(ben.id, "backup", Role.VIEWER)
    by_token = await accounts.by_token(token)
    anna, annas = await principal(accounts, "anna")
    assert by_token is not None
    watches = {
        name: accounts.watch(who)
        for name, who in {
            "own": own,
            "other": others,
            "token": by_token,
            "anna": annas,
        }.items()
    }
    assert not any(watch.over for watch in watches.values())

    async def do(by: Accounts) -> None:
        match what:
            case "password":
                await by.users.set_password(ben.id, "another password", keep=own.login_id)
            case "role":
                await by.users.change(replace(ben, role=Role.VIEWER), keep=own.login_id)
            case "grants":
                await by.users.change(replace(ben, cameras=frozenset({A})))
            case "disabled":
                await by.users.change(replace(ben, disabled=True), keep=own.login_id)
            case "removed":
                await by.users.remove(ben.id)
            case _:
                await by.sessions.end(others.login_id or "")
                await by.tokens.revoke(by_token.login_id or "")

    if elsewhere:
        running = asyncio.create_task(accounts.run())
        async with accounts_in(tmp_path, clock) as by:
            await do(by)
        async with asyncio.timeout(POLL_S + 4):
            await watches["other"].wait()
            await watches["token"].wait()
        running.cancel()
    else:
        await do(accounts)
    assert watches["other"].over
    assert watches["token"].over
    assert not watches["anna"].over
    assert watches["own"].over is (what not in ("password", "revoked"))
    assert await accounts.by_session(anna) == annas
    now = [await accounts.by_session(each) for each in (secret, other)]
    assert [who is not None for who in now] == {
        "password": [True, False],
        "role": [True, False],
        "grants": [True, True],
        "disabled": [False, False],
        "removed": [False, False],
        "revoked": [True, False],
    }[what]
    tokens = await accounts.by_token(token)
    assert (tokens is None) is (what in ("disabled", "removed", "revoked"))
    if what == "grants":
        assert [who and who.cameras for who in (*now, tokens)] == [{A}] * 3


async def test_a_watch_of_somebody_who_has_gone_already(
    accounts: Accounts, anna: User, ben: User
) -> None:
    _, who = await principal(accounts, "ben")
    await accounts.users.change(replace(ben, role=Role.VIEWER))
    watch = accounts.watch(who)
    await watch.wait()
    watch.close()
    watch.close()


async def test_a_watch_ends_with_time(accounts: Accounts, anna: User, clock: FakeClock) -> None:
    _, who = await principal(accounts, "anna")
    closed, watch = accounts.watch(who), accounts.watch(who)
    closed.close()
    await accounts.poll()
    assert not watch.over
    clock.advance(14 * DAY_S)
    await accounts.poll()
    assert watch.over
    assert not closed.over


async def test_loopback_ends_with_the_first_account(accounts: Accounts) -> None:
    here = Principal("this machine", Role.ADMIN, None, How.LOOPBACK)
    watch = accounts.watch(here)
    assert not watch.over
    await accounts.users.create("anna", PASSWORD, Role.ADMIN)
    assert watch.over
    assert accounts.watch(here).over


async def test_a_password_that_changes_while_it_is_looked_at(
    accounts: Accounts, anna: User
) -> None:
    kept = await accounts._kept(anna)
    await accounts.users.set_password(anna.id, "another password")
    assert await accounts.sessions.open(anna.id, HERE, "", password=kept) is None


async def test_what_was_done_for_somebody_who_went_away_is_noticed(
    accounts: Accounts, anna: User
) -> None:
    """A request that is cancelled while the database is at work."""
    secret, who = await principal(accounts, "anna")
    begun, go = threading.Event(), threading.Event()

    def job(connection: sqlite3.Connection) -> None:
        begun.set()
        go.wait(60)
        connection.execute("DELETE FROM sessions")

    request = asyncio.create_task(accounts._store.change(job))
    await asyncio.to_thread(begun.wait, 60)
    request.cancel()
    with pytest.raises(asyncio.CancelledError):
        await request
    go.set()
    watch = accounts.watch(who)
    await accounts.poll()
    assert watch.over
    assert await accounts.by_session(secret) is None


async def test_old_hashes_are_made_anew(tmp_path: Path, anna: User, clock: FakeClock) -> None:
    stronger = Passwords(PasswordHasher(time_cost=2, memory_cost=16, parallelism=1))
    database = opened(tmp_path)
    accounts = await Accounts.open(database, clock, stronger)
    _, who = await principal(accounts, "anna")
    watch = accounts.watch(who)
    assert "$m=16,t=2" in (await accounts._kept(anna) or "")
    await principal(accounts, "anna")
    await accounts.poll()
    assert not watch.over
    accounts.close()
    database.close()


async def test_a_token(accounts: Accounts, ben: User, clock: FakeClock) -> None:
    expires = WallUs(clock.wall() + 3600 * 1_000_000)
    secret, token = await accounts.tokens.make(
        ben.id, "backup", Role.VIEWER, frozenset({A}), expires
    )
    assert secret.startswith("ck_")
    assert len(secret) >= 46
    who = await accounts.by_token(secret)
    assert who == Principal(
        "ben (token backup)", Role.VIEWER, frozenset({A}), How.TOKEN, ben.id, token.id
    )
    assert await accounts.by_session(secret) is None
    assert await accounts.by_token(secret[3:]) is None
    clock.advance(3600)
    assert await accounts.by_token(secret) is None
    assert [each.used for each in accounts.tokens.all(ben.id)] == [token.created]
    clock.advance(31 * DAY_S)
    await accounts.poll()
    assert accounts.tokens.all(ben.id) == []


def _shown(cameras: set[CameraId] | None) -> str:
    return "all" if cameras is None else "+".join(sorted(cameras)) or "none"


@pytest.mark.parametrize("user", list(Role))
@pytest.mark.parametrize("cap", list(Role))
@pytest.mark.parametrize("granted", [None, {A}, set()], ids=_shown)
@pytest.mark.parametrize("limited", [None, {A}, {A, B}, set()], ids=_shown)
async def test_a_token_may_what_both_may(
    accounts: Accounts,
    ben: User,
    user: Role,
    cap: Role,
    granted: set[CameraId] | None,
    limited: set[CameraId] | None,
) -> None:
    """Whatever its user became since it was made."""
    await accounts.users.change(replace(ben, role=Role.ADMIN))
    cameras = None if limited is None else frozenset(limited)
    try:
        secret, _ = await accounts.tokens.make(ben.id, "x", cap, cameras)
    except UsageError:
        assert cap is Role.ADMIN
        assert limited is not None
        return
    now = await accounts.users.change(
        replace(ben, role=user, cameras=None if granted is None else frozenset(granted))
    )
    who = await accounts.by_token(secret)
    assert who is not None
    assert who.role.rank <= min(user.rank, cap.rank)
    assert who.role.rank == min(user.rank, cap.rank) or who.cameras is not None
    for camera in (A, B):
        assert who.may_see(camera) is (
            now.may_see(camera) and (limited is None or camera in limited)
        )


async def test_what_no_token_may_be(accounts: Accounts, ben: User, clock: FakeClock) -> None:
    make = accounts.tokens.make
    await accounts.users.change(replace(ben, cameras=frozenset({A})))
    await make(ben.id, "Backup", Role.VIEWER)
    for work, told in (
        (make(ben.id, "x", Role.ADMIN), "cannot be more than operator"),
        (make(ben.id, "x", Role.VIEWER, frozenset({B})), "cannot see cameras"),
        (make(ben.id, "x", Role.VIEWER, None, clock.wall()), "end before it begins"),
        (make(ben.id, "", Role.VIEWER), "is empty"),
        (make(ben.id, "backup", Role.VIEWER), "already"),
        (make("nobody", "x", Role.VIEWER), "no such user"),
    ):
        with pytest.raises(UsageError, match=told):
            await work
    for n in range(99):
        await make(ben.id, f"x{n}", Role.VIEWER)
    with pytest.raises(UsageError, match="at most 100 tokens"):
        await make(ben.id, "x", Role.VIEWER)


async def test_no_secret_stands_in_the_database(
    tmp_path: Path, accounts: Accounts, ben: User, clock: FakeClock
) -> None:
    """A10: neither in the file nor in what objects show of themselves."""
    database = opened(tmp_path)
    session, _ = await principal(accounts, "ben")
    token, made = await accounts.tokens.make(ben.id, "backup", Role.VIEWER)
    later = WallUs(clock.wall() + 1_000_000)
    link, share = await accounts.shares.make("clip", "for anna", later, ben.id)
    await refused(accounts, "PlantedAsAName", "PlantedPassword")
    sealed = database.secrets.seal("rtsp://user:PlantedUrl@host/", "cameras/x")
    insert = "INSERT INTO cameras VALUES ('x', 'garage', 0, '{}', ?, 1)"
    await database.run(lambda db: db.execute(insert, (sealed,)) and None)
    await accounts.users.set_password(ben.id, "PlantedNewPassword")
    await accounts.audit.note("anna", "x", "y", password="PlantedDetail", api_key="PlantedDetail")
    database.close()
    kept = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    shown = repr([made, share, accounts.users.all(), accounts._store.now])
    for planted in (session, token, link, PASSWORD, *("Planted",)):
        assert planted.encode() not in kept
        assert planted not in shown
    key = bytes.fromhex((tmp_path / KEY).read_text())
    assert key not in (tmp_path / DATABASE).read_bytes()


async def test_who_asks_is_answered_at_once(accounts: Accounts, ben: User) -> None:
    """Without a look at the disk: the thread of the database is not asked."""
    secret, who = await principal(accounts, "ben")
    token, _ = await accounts.tokens.make(ben.id, "backup", Role.VIEWER)
    accounts._store.database.close()
    for _ in range(1000):
        assert await accounts.by_session(secret) == who
        assert await accounts.by_token(token)


async def test_a_fault_of_ours_does_not_end_the_look_at_what_others_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Or whoever was removed by a command would get in for ever."""
    async with accounts_in(tmp_path, FakeClock()) as accounts:
        real, polled = Accounts.poll, asyncio.Event()
        faults = [ZeroDivisionError()]

        async def failing(self: Accounts) -> None:
            if faults:
                raise faults.pop()
            await real(self)
            polled.set()

        monkeypatch.setattr(Accounts, "poll", failing)
        running = asyncio.create_task(accounts.run())
        try:
            async with asyncio.timeout(2 * POLL_S + 4):
                await asyncio.wait(
                    [running, asyncio.create_task(polled.wait())], return_when="FIRST_COMPLETED"
                )
            assert polled.is_set()
        finally:
            running.cancel()
            await asyncio.wait([running])
    assert "unforeseen" in caplog.text
