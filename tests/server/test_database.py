"""The settings database: several processes at once, crashes, keys, and who may read the files."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from camkeep.errors import NotWritable, StorageError, UsageError, WriteFailed
from camkeep.server.database import DATABASE, KEY, WAITING_JOBS, Database, Job, renew_key, revision
from camkeep.server.schema import MOST_ROWS, SCRIPTS
from camkeep.server.secrets import Secrets
from support.accounts import opened


def put(key: str, value: str = "1") -> Job[int]:
    return lambda db: db.execute("INSERT INTO settings VALUES (?, ?)", (key, value)).rowcount


def keys(connection: sqlite3.Connection) -> list[str]:
    return [row[0] for row in connection.execute("SELECT key FROM settings ORDER BY key")]


def test_what_was_written_is_there_again(tmp_path: Path) -> None:
    database = opened(tmp_path)
    database.run_now(put("a"))
    database.close()
    again = opened(tmp_path)
    assert again.run_now(keys, reads=True) == ["a"]
    assert again.run_now(lambda db: db.execute("PRAGMA user_version").fetchone()) == (len(SCRIPTS),)
    again.close()


def test_a_job_that_fails_leaves_nothing(tmp_path: Path) -> None:
    database = opened(tmp_path)

    def job(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO settings VALUES ('a', '1')")
        raise UsageError("no")

    with pytest.raises(UsageError, match="no"):
        database.run_now(job)
    with pytest.raises(sqlite3.IntegrityError):
        database.run_now(put("b", "{no json"))
    assert database.run_now(keys) == []
    database.close()
    with pytest.raises(WriteFailed, match="closed"):
        database.run_now(keys)


def test_only_this_user_reads_the_files(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        database = opened(tmp_path)
        seen = {}

        def look(connection: sqlite3.Connection) -> None:
            connection.execute("INSERT INTO settings VALUES ('a', '1')")
            seen.update({p.name: stat.S_IMODE(p.stat().st_mode) for p in tmp_path.iterdir()})

        database.run_now(look)
        database.close()
    finally:
        os.umask(before)
    assert seen == {DATABASE: 0o600, f"{DATABASE}-journal": 0o600, KEY: 0o600}


def test_files_of_a_backup_without_modes_are_closed_again(tmp_path: Path) -> None:
    opened(tmp_path).close()
    for name in (DATABASE, KEY):
        (tmp_path / name).chmod(0o644)
    opened(tmp_path).close()
    for name in (DATABASE, KEY):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600


async def test_two_who_write_wait_for_each_other(tmp_path: Path) -> None:
    databases = [opened(tmp_path) for _ in range(3)]

    async def write(number: int, database: Database) -> None:
        for n in range(20):
            await database.run(put(f"{number}.{n}"))
            await database.run(keys, reads=True)

    await asyncio.gather(*(write(n, each) for n, each in enumerate(databases)))
    assert len(await databases[0].run(keys)) == 60
    for each in databases:
        each.close()


def test_two_processes_make_it_at_once(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from camkeep.server.database import *\n"
        "sys.stdin.read(1)\n"
        "p = Path(sys.argv[1]); d = Database.open(p / DATABASE, p / KEY)\n"
        "for n in range(10):\n"
        "    d.run_now(lambda db: db.execute(\n"
        "        'INSERT INTO settings VALUES (?, ?)', (f'{sys.argv[2]}.{n}', '1')) and None)\n"
        "d.close()"
    )
    children = [
        subprocess.Popen([sys.executable, "-c", program, tmp_path, str(n)], stdin=subprocess.PIPE)
        for n in range(3)
    ]
    for child in children:
        child.communicate(b"x")
    assert [child.returncode for child in children] == [0, 0, 0]
    database = opened(tmp_path)
    assert len(database.run_now(keys)) == 30
    database.close()


@pytest.mark.parametrize("after", [1, 2, 5, 9, 14, 30])
def test_a_process_that_is_killed_leaves_whole_jobs(tmp_path: Path, after: int) -> None:
    """Each job writes a pair, over many pages; it is there or it is not."""
    program = (
        "import sys; from pathlib import Path; from camkeep.server.database import *\n"
        "p = Path(sys.argv[1]); d = Database.open(p / DATABASE, p / KEY)\n"
        "def job(n):\n"
        "    def pair(db):\n"
        "        for half in 'ab':\n"
        "            db.execute('INSERT INTO settings VALUES (?, ?)',\n"
        "                       (f'{n:05}{half}', '\"' + 'x' * 100000 + '\"'))\n"
        "    return pair\n"
        "for n in range(10000):\n"
        "    d.run_now(job(n)); print(n, flush=True)\n"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", program, tmp_path], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    with child:
        for _ in range(after):
            last = int(child.stdout.readline())
        child.send_signal(signal.SIGKILL)
        last = max([last, *map(int, child.stdout.read().split())])
    database = opened(tmp_path)
    found = database.run_now(keys)
    assert found == [f"{n:05}{half}" for n in range(len(found) // 2) for half in "ab"]
    assert len(found) // 2 in (last + 1, last + 2)  # all that it said, and what it was about to
    assert database.run_now(lambda db: db.execute("PRAGMA integrity_check").fetchall()) == [("ok",)]
    database.close()


async def test_each_notices_what_the_other_writes(tmp_path: Path) -> None:
    one, other = opened(tmp_path), opened(tmp_path)
    seen = one.version
    assert not await one.changed()
    assert not await one.changed(seen)
    await other.run(put("a"))
    assert await one.changed()
    assert not await one.changed()
    assert await one.changed(seen), "whoever looks since an earlier version sees it, too"
    await one.run(put("b"))
    assert await one.changed()
    await one.run(keys)
    assert not await one.changed()
    one.close()
    other.close()


def test_changes_are_counted_by_subject(tmp_path: Path) -> None:
    database = opened(tmp_path)

    def numbers() -> tuple[int, ...]:
        topics = ("accounts", "cameras", "settings")
        return database.run_now(lambda db: tuple(revision(db, topic) for topic in topics))

    def do(statement: str) -> None:
        database.run_now(lambda db: db.execute(statement) and None)

    user = "'0123456789abcdef'"
    do("INSERT INTO settings VALUES ('a', '1')")
    do(
        f"INSERT INTO users VALUES ({user}, 'anna', 'admin', '$argon2id$x', 1, 1, 0, 1)",
    )
    do(f"INSERT INTO grants VALUES ({user}, 'cam')")
    do("INSERT INTO cameras VALUES ('cam', 'garage', 0, '{}', NULL, 1)")
    assert numbers() == (2, 1, 1)
    do(
        f"INSERT INTO sessions VALUES ('fedcba9876543210', {user}, zeroblob(32), 1, 1, 2, '', '')",
    )
    assert numbers() == (3, 1, 1)
    do("UPDATE sessions SET used_us = 5")
    do(
        "INSERT INTO audit VALUES (NULL, 1, 'anna', '', '', 'login', '', '{}')",
    )
    do("INSERT INTO events VALUES (1, 1, 'state', NULL, 'x', '{}')")
    assert numbers() == (3, 1, 1), "what happens all the time makes nobody read everything"
    do("DELETE FROM users")
    assert numbers() == (6, 1, 1), "the user, the grant and the session"
    database.close()


def test_logs_are_bounded(tmp_path: Path) -> None:
    database = opened(tmp_path)

    def fill(connection: sqlite3.Connection) -> list[tuple[int, int, int]]:
        event = "INSERT INTO events VALUES (?, 1, 'state', NULL, 'x', '{}')"
        connection.executemany(event, [(n,) for n in range(1, MOST_ROWS + 51)])
        entry = "INSERT INTO audit VALUES (?, 1, 'x', '', '', 'y', '', '{}')"
        connection.executemany(entry, [(n,) for n in range(1, MOST_ROWS + 51)])
        return [
            connection.execute(f"SELECT count(*), min(id), max(id) FROM {table}").fetchone()
            for table in ("events", "audit")
        ]

    assert database.run_now(fill) == [(MOST_ROWS, 51, MOST_ROWS + 50)] * 2
    database.close()


async def test_jobs_that_wait_are_bounded(tmp_path: Path) -> None:
    database = opened(tmp_path)
    go = threading.Event()
    first = asyncio.ensure_future(database.run(lambda _: go.wait(60)))
    others = [asyncio.ensure_future(database.run(keys)) for _ in range(WAITING_JOBS - 1)]
    await asyncio.sleep(0)
    with pytest.raises(WriteFailed, match="do not keep up"):
        await database.run(keys)
    go.set()
    assert await first
    assert await asyncio.gather(*others) == [[]] * (WAITING_JOBS - 1)
    assert await database.run(keys) == []
    database.close()


def test_a_missing_key_is_said_in_one_sentence(tmp_path: Path) -> None:
    opened(tmp_path).close()
    (tmp_path / KEY).unlink()
    with pytest.raises(UsageError, match=r"camkeep\.key is missing: restore it from a backup"):
        opened(tmp_path)
    assert not (tmp_path / KEY).exists()


def test_another_key_is_said_in_one_sentence(tmp_path: Path) -> None:
    opened(tmp_path).close()
    (tmp_path / KEY).write_text("00" * 32 + "\n")
    with pytest.raises(UsageError, match=r"not the one .* restore it .*`camkeep config new-key`"):
        opened(tmp_path)
    (tmp_path / KEY).write_text("no key")
    with pytest.raises(UsageError, match="holds no key"):
        opened(tmp_path)


def test_after_a_lost_key_a_new_one_is_begun_with(tmp_path: Path) -> None:
    database = opened(tmp_path)
    sealed = database.secrets.seal("rtsp://u:p@h/", "cameras/cam")
    add = "INSERT INTO cameras VALUES ('cam', 'garage', 0, '{}', ?, 1)"
    database.run_now(lambda db: db.execute(add, (sealed,)) and None)
    database.close()
    old = (tmp_path / KEY).read_text()
    (tmp_path / KEY).unlink()
    renew_key(tmp_path / DATABASE, tmp_path / KEY)
    assert (tmp_path / KEY).read_text() != old
    again = opened(tmp_path)
    cameras = again.run_now(lambda db: db.execute("SELECT name, secret FROM cameras").fetchall())
    assert cameras == [("garage", None)]
    again.close()


def test_a_key_that_is_there_is_used_for_a_new_database(tmp_path: Path) -> None:
    opened(tmp_path).close()
    key = (tmp_path / KEY).read_bytes()
    (tmp_path / DATABASE).unlink()
    opened(tmp_path).close()
    assert (tmp_path / KEY).read_bytes() == key


def test_what_is_no_database_of_ours(tmp_path: Path) -> None:
    with pytest.raises(NotWritable, match="no folder"):
        opened(tmp_path / "nowhere")
    other = tmp_path / "other"
    other.mkdir()
    with sqlite3.connect(other / DATABASE) as connection:
        connection.execute("CREATE TABLE mine (x)")
    connection.close()
    with pytest.raises(UsageError, match="not one that camkeep made"):
        opened(other)
    (tmp_path / DATABASE).write_bytes(b"no database " * 1000)
    with pytest.raises(StorageError, match="damaged: restore"):
        opened(tmp_path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes somebody else")
@pytest.mark.parametrize("name", [DATABASE, KEY])
def test_what_belongs_to_another_user_is_said(name: str) -> None:
    with TemporaryDirectory() as made:
        folder = Path(made)
        opened(folder).close()
        folder.chmod(0o755)
        os.chown(folder / DATABASE, 65534, 65534)
        (folder / name).chmod(0o600)
        os.chown(folder / name, 0, 0)
        os.seteuid(65534)
        try:
            with pytest.raises(
                (NotWritable, UsageError), match=rf"ermission.*{name}|{name}.*ermission"
            ):
                opened(folder)
        finally:
            os.seteuid(0)


def test_a_newer_one_is_left_alone(tmp_path: Path) -> None:
    database = opened(tmp_path)
    database.close()
    connection = sqlite3.connect(tmp_path / DATABASE)
    connection.execute(f"PRAGMA user_version = {len(SCRIPTS) + 1}")
    connection.commit()
    connection.close()
    with pytest.raises(UsageError, match="newer camkeep"):
        opened(tmp_path)


def test_a_disk_that_is_full_is_said(tmp_path: Path) -> None:
    database = opened(tmp_path)

    def fill(connection: sqlite3.Connection) -> None:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages}")
        connection.execute("INSERT INTO settings VALUES ('a', ?)", ('"' + "x" * 100_000 + '"',))

    with pytest.raises(StorageError, match="no space is left"):
        database.run_now(fill)
    assert database.run_now(keys) == []
    database.close()


def test_every_column_says_what_it_is() -> None:
    """As in the index: a comment before, and a CHECK."""
    for script in SCRIPTS:
        lines = [line.strip() for line in script.splitlines()]
        inside = False
        for before, line in pairwise(lines):
            inside = (inside or line.startswith("CREATE TABLE")) and not line.startswith(")")
            word = line.split(" ")[0]
            if inside and word.islower() and word.isidentifier():
                assert before.startswith("--"), line
                assert "CHECK (" in line, line


@given(st.text(max_size=200), st.text(max_size=20), st.text(max_size=20))
def test_a_sealed_value_opens_in_its_place_only(text: str, place: str, other: str) -> None:
    secrets = Secrets(bytes(range(32)))
    sealed = secrets.seal(text, place)
    assert secrets.unseal(sealed, place) == text
    assert sealed != secrets.seal(text, place), "a nonce is used once"
    if other != place:
        with pytest.raises(UsageError, match="set it anew"):
            secrets.unseal(sealed, other)


@settings(max_examples=200)
@given(st.binary(max_size=80), st.integers(0, 40), st.integers(1, 255))
def test_whatever_is_not_sealed_is_refused(data: bytes, where: int, flip: int) -> None:
    secrets = Secrets(bytes(range(32)))
    with pytest.raises(UsageError, match="set it anew"):
        secrets.unseal(data, "x")
    sealed = bytearray(secrets.seal("a secret", "x"))
    sealed[where % len(sealed)] ^= flip
    with pytest.raises(UsageError, match="set it anew"):
        secrets.unseal(bytes(sealed), "x")
