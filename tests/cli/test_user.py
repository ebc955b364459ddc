"""`camkeep user`: accounts on the command line, beside a service that runs."""

from __future__ import annotations

import asyncio
import io
import json
import sys
from pathlib import Path
from typing import Protocol

import pytest

from camkeep.archive.layout import MARKER
from camkeep.cli.main import main
from camkeep.clock import FakeClock, SystemClock
from camkeep.server.access import Role
from camkeep.server.accounts.accounts import POLL_S, Accounts
from camkeep.server.accounts.audit import Audit
from camkeep.server.accounts.passwords import Passwords
from support.accounts import PASSWORD, QUICK, opened
from support.command import run as run_bare
from support.terminal import Terminal


class User(Protocol):
    """Runs `camkeep user`; its exit code and what it said."""

    def __call__(self, *arguments: str, typed: str | bytes = ...) -> tuple[int, str]: ...


@pytest.fixture
def cams(tmp_path: Path) -> Path:
    return tmp_path / "cams"


@pytest.fixture
def user(cams: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> User:
    def run(*arguments: str, typed: str | bytes = PASSWORD + "\n") -> tuple[int, str]:
        data = typed if isinstance(typed, bytes) else typed.encode()
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data), "utf-8"))
        code = main(["user", *arguments, "--data", str(cams)])
        out, err = capsys.readouterr()
        return code, out + err

    return run


def may_log_in(cams: Path, name: str, password: str) -> bool:
    async def verify() -> bool:
        database, passwords = opened(cams), Passwords(QUICK)
        accounts = await Accounts.open(database, SystemClock(), passwords)
        try:
            found = accounts.users.by_name(name)
            kept = await accounts._kept(found)
            return kept is not None and await passwords.verify(kept, password)
        finally:
            accounts.close()
            database.close()

    return asyncio.run(verify())


def add_camera(cams: Path, id_: str, name: str) -> None:
    database = opened(cams)
    insert = "INSERT INTO cameras VALUES (?, ?, 0, '{}', NULL, 1)"
    database.run_now(lambda db: db.execute(insert, (id_, name)) and None)
    database.close()


def test_accounts_come_change_and_go(cams: Path, user: User) -> None:
    told = "added anna, administrator, who sees all cameras\n"
    assert user("add", "anna") == (0, told)
    assert (cams / MARKER).exists(), "the first account comes before the first recording"
    add_camera(cams, "k3", "yard")
    add_camera(cams, "k4", "Gate")
    assert user("add", "ben", "--role", "operator", "--camera", "YARD", "--camera", "gate") == (
        0,
        "added ben, operator, who sees Gate, yard\n",
    )
    assert user("add", "cat") == (0, "added cat, viewer, who sees all cameras\n")
    assert user("set", "ben", "--camera", "gate") == (0, "ben: operator, who sees Gate\n")
    assert user("set", "BEN", "--role", "viewer", "--rename", "Benno") == (
        0,
        "Benno: viewer, who sees Gate\n",
    )
    assert user("set", "benno", "--disable") == (0, "Benno: may not log in\n")
    assert user("list") == (
        0,
        "anna   administrator  all cameras  0 sessions, 0 tokens\n"
        "Benno  viewer         Gate         disabled\n"
        "cat    viewer         all cameras  0 sessions, 0 tokens\n",
    )
    assert not may_log_in(cams, "benno", PASSWORD)
    assert user("set", "benno", "--enable", "--all-cameras") == (
        0,
        "Benno: viewer, who sees all cameras\n",
    )
    assert may_log_in(cams, "benno", PASSWORD)
    assert user("remove", "cat") == (0, "removed cat\n")
    code, printed = user("list", "--json")
    assert code == 0
    assert [(each["name"], each["role"], each["cameras"]) for each in json.loads(printed)] == [
        ("anna", "admin", None),
        ("Benno", "viewer", None),
    ]


def test_another_password(cams: Path, user: User, tmp_path: Path) -> None:
    user("add", "anna")
    assert may_log_in(cams, "anna", PASSWORD)
    file = tmp_path / "password"
    file.write_text("from a file\nand more\n")
    code, told = user("password", "anna", "--password-file", str(file), typed="")
    assert (code, told) == (0, "anna has another password, and must log in again\n")
    assert may_log_in(cams, "anna", "from a file")
    assert not may_log_in(cams, "anna", PASSWORD)


@pytest.mark.parametrize(
    ("arguments", "typed", "told"),
    [
        (("add", "ANNA"), PASSWORD, "there is a user called ANNA already"),
        (("add", "ben"), "short", "at least 8 characters"),
        (("add", "ben"), "", "at least 8 characters"),
        (("add", "ben"), b"\xff\xfe\xff\xfe\xff\xfe\xff\xfe", "it is not text"),
        (("add", "benjamin"), "Benjamin", "not the user's name"),
        (("add", "ben", "--camera", "roof"), PASSWORD, "no camera is called roof: there is only y"),
        (("add", "ben", "--role", "admin", "--camera", "yard"), PASSWORD, "leave out --camera"),
        (("add", " "), PASSWORD, "the name of a user is empty"),
        (("add", "ben", "--password-file", "/nowhere"), "", "cannot read the password"),
        (("password", "nobody"), PASSWORD, "no user is called nobody: there is only anna"),
        (("set", "anna"), "", "say --role, --camera or another option"),
        (("set", "anna", "--role", "viewer"), "", "anna is the last administrator"),
        (("set", "anna", "--disable"), "", "anna is the last administrator"),
        (("remove", "anna"), "", "anna is the last administrator"),
    ],
)
def test_what_cannot_be_is_one_sentence(
    cams: Path, user: User, arguments: tuple[str, ...], typed: str | bytes, told: str
) -> None:
    user("add", "anna")
    add_camera(cams, "k3", "yard")
    before = user("list", "--json")
    code, said = user(*arguments, typed=typed)
    assert code == 2
    assert told in said
    assert said.count("\n") == 1
    assert user("list", "--json") == before


def test_the_first_account_is_an_administrators(cams: Path, user: User) -> None:
    code, said = user("add", "ben", "--role", "viewer")
    assert code == 2
    assert "first account is that of an administrator" in said
    assert user("list") == (0, "there is no account yet: camkeep user add NAME\n")


def test_an_archive_is_not_begun_by_mistake(cams: Path, user: User) -> None:
    code, said = user("list")
    assert (code, "there is no archive" in said) == (2, True)
    cams.mkdir()
    code, said = user("add", "anna")
    assert (code, "say --new" in said) == (2, True)
    assert not any(cams.iterdir())
    assert user("add", "anna", "--new")[0] == 0


def test_all_of_it_is_in_the_audit_log_and_no_password(cams: Path, user: User) -> None:
    user("add", "anna")
    user("add", "ben", "--role", "operator")
    user("password", "ben", typed="another password")
    user("set", "ben", "--role", "viewer")
    user("remove", "ben")
    database = opened(cams)
    entries = asyncio.run(Audit(database, FakeClock()).page())
    database.close()
    assert [each.action for each in reversed(entries)] == [
        "user.add",
        "user.add",
        "user.password",
        "user.set",
        "user.remove",
    ]
    assert all(each.who.endswith("(command line)") for each in entries)
    kept = (cams / "camkeep.db").read_bytes()
    assert PASSWORD.encode() not in kept
    assert b"another password" not in kept


async def test_a_service_that_runs_notices(cams: Path) -> None:
    """By another process: who is logged in loses the session, and the sockets end."""
    command = [sys.executable, "-m", "camkeep", "user"]

    async def call(*arguments: str) -> None:
        process = await asyncio.create_subprocess_exec(
            *command, *arguments, "--data", str(cams), stdin=asyncio.subprocess.PIPE
        )
        await process.communicate(PASSWORD.encode())
        assert process.returncode == 0

    await call("add", "anna")
    database = opened(cams)
    accounts = await Accounts.open(database, SystemClock())
    running = asyncio.create_task(accounts.run())
    try:
        secret, _ = await accounts.login("anna", PASSWORD, "192.0.2.1", "")
        who = await accounts.by_session(secret)
        assert who is not None
        watch = accounts.watch(who)
        await call("password", "anna")
        async with asyncio.timeout(POLL_S + 4):
            await watch.wait()
        assert await accounts.by_session(secret) is None
        assert accounts.users.by_name("anna") is not None
        assert [user.role for user in accounts.users.all()] == [Role.ADMIN]
    finally:
        running.cancel()
        accounts.close()
        database.close()


@pytest.mark.parametrize("again", [PASSWORD, "something else"])
def test_on_a_terminal_the_password_is_asked_twice_and_not_shown(cams: Path, again: str) -> None:
    with Terminal("-m", "camkeep", "user", "add", "anna", "--data", cams) as terminal:
        terminal.says("New password of anna:")
        terminal.press(PASSWORD + "\n")
        terminal.says("The same again:")
        terminal.press(again + "\n")
        same = again == PASSWORD
        assert terminal.done() == (0 if same else 2)
        told = "added anna, administrator" if same else "the two passwords differ"
        assert told in terminal.words
        assert PASSWORD not in terminal.words
        assert again not in terminal.words


async def test_without_the_extra_it_says_how_to_install_it(tmp_path: Path) -> None:
    done = await run_bare("user", "list", "--data", str(tmp_path), cwd=tmp_path)
    assert done.code == 2
    assert "install camkeep[server]" in done.err
    assert done.err.count("\n") == 1
    done = await run_bare("user", "--help", cwd=tmp_path)
    assert done.code == 0
