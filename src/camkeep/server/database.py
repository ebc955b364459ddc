"""The settings database: cameras, settings, users and what they did, in one SQLite file.

The service has it open, and commands may change it at the same time: each job is one transaction
that holds SQLite's write lock from its beginning, so that two processes wait for each other and
none fails. It keeps a rollback journal, which SQLite of every version handles safely when several
processes write, and each transaction is on the disk when `run` returns.

One connection, on one thread of its own; nothing here blocks the event loop but `open`, `run_now`
and `close`.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

from camkeep.archive.disk import create_error
from camkeep.errors import DiskFull, NotWritable, StorageError, UsageError, WriteFailed
from camkeep.server.schema import APPLICATION_ID, SCRIPTS
from camkeep.server.secrets import Secrets, make_key, read_key

DATABASE = "camkeep.db"
"""In the folder of the archive."""
KEY = "camkeep.key"
"""Beside it."""
WAITING_JOBS = 1000
"""Jobs that wait for the thread, at most."""

T = TypeVar("T")
Job = Callable[[sqlite3.Connection], T]

_BUSY_S = 10.0
_OLDEST_SQLITE = (3, 37, 0)  # it has STRICT tables
_SETTINGS = (
    "PRAGMA cell_size_check = ON",
    "PRAGMA journal_mode = DELETE",
    "PRAGMA synchronous = EXTRA",  # FULL, and a commit is not undone by a power cut right after
    "PRAGMA foreign_keys = ON",
    "PRAGMA secure_delete = ON",
)
_PROBE, _PROBE_PLACE = "the right key", "seals/1"
_FULL = 13
_OF_THE_DISK = {
    3: "no permission",
    5: "another process has it locked",
    6: "another process has it locked",
    7: "no memory is left",
    8: "it can only be read",
    10: "the disk failed",
    14: "it cannot be opened",
}
"""SQLite's primary result codes (sqlite3.h) that say nothing of what the database holds."""


class Database:
    """The database, open. Use `Database.open`."""

    def __init__(self, path: Path, connection: sqlite3.Connection, secrets: Secrets) -> None:
        self.path = path
        self.secrets = secrets
        """Seals what only camkeep may read."""
        self.version = 0
        """Another number whenever something was written, by whatever process. `changed` and
        `run` bring it up to date."""
        self._connection = connection
        self._seen = _data_version(connection)
        self._asked = 0
        self._waiting = 0
        self._guard = threading.Lock()
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="camkeep-settings")

    @classmethod
    def open(cls, path: Path, key: Path) -> Database:
        """The database at `path` and the key at `key`, both made where there are none. Blocks.

        Raises NotWritable, DiskFull or WriteFailed of the disk, StorageError where it is damaged,
        and UsageError where a newer camkeep made it, or the key is not the one it was made with.
        """
        connection = _connect(path)
        try:
            with _translated(path):
                for setting in _SETTINGS:
                    connection.execute(setting)
                with _transaction(connection):
                    _migrate(connection, path)
                    secrets = _unlocked(connection, key)
            return cls(path, connection, secrets)
        except BaseException:
            connection.close()
            raise

    async def run(self, job: Job[T], *, reads: bool = False) -> T:
        """What `job` returns, done in one transaction on the database's thread.

        Nothing of it is kept where it raises. One that only `reads` does not keep other processes
        from writing. Raises what the job raises (sqlite3.IntegrityError, too), and StorageError.
        """
        return await asyncio.wrap_future(self._submit(job, reads))

    def run_now(self, job: Job[T], *, reads: bool = False) -> T:
        """The same for those who may block."""
        return self._submit(job, reads).result()

    async def changed(self, since: int | None = None) -> bool:
        """Whether anything was written since `version` was `since`, by this process or another;
        without it, since the last call. What counts changes by subject is `revision`."""
        await self.run(lambda _: None, reads=True)
        before = self._asked if since is None else since
        self._asked = self.version
        return self.version != before

    def close(self) -> None:
        """Wait for all jobs, and let go of the file. Blocks."""
        with suppress(RuntimeError):  # closed already
            self._pool.submit(self._connection.close)
        self._pool.shutdown(wait=True)

    def _submit(self, job: Job[T], reads: bool) -> Future[T]:
        with self._guard:
            if self._waiting >= WAITING_JOBS:
                raise WriteFailed(f"the settings {self.path} do not keep up: try again later")
            self._waiting += 1
        try:
            future = self._pool.submit(self._run, job, reads)
        except RuntimeError:
            self._done()
            raise WriteFailed(f"the settings {self.path} are closed") from None
        future.add_done_callback(self._done)
        return future

    def _done(self, _: object = None) -> None:
        with self._guard:
            self._waiting -= 1

    def _run(self, job: Job[T], reads: bool) -> T:
        with _translated(self.path):
            before = self._connection.total_changes
            with _transaction(self._connection, reads=reads):
                result = job(self._connection)
            seen = _data_version(self._connection)
            if seen != self._seen or self._connection.total_changes != before:
                self._seen = seen
                self.version += 1
            return result


def revision(connection: sqlite3.Connection, topic: str) -> int:
    """How often what belongs to `topic` was changed: accounts, cameras or settings. For jobs."""
    (number,) = connection.execute(
        "SELECT number FROM revisions WHERE topic = ?", (topic,)
    ).fetchone()
    return int(number)


def renew_key(path: Path, key: Path) -> None:
    """Begin with a new key where the old one is lost: the addresses and passwords of all cameras
    are forgotten, and have to be set anew. Blocks. Raises as `Database.open` does."""
    connection = _connect(path)
    try:
        with _translated(path):
            for setting in _SETTINGS:
                connection.execute(setting)
            with _transaction(connection):
                _migrate(connection, path)
                connection.execute("UPDATE cameras SET secret = NULL")
                connection.execute("DELETE FROM seals")
                _unlocked(connection, key, make=True)
    finally:
        connection.close()


def _connect(path: Path) -> sqlite3.Connection:
    if sqlite3.sqlite_version_info < _OLDEST_SQLITE:
        raise UsageError(
            f"Python's SQLite is {sqlite3.sqlite_version}: the settings need 3.37 or newer"
        )
    try:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            if os.fstat(fd).st_mode & 0o077:  # SQLite gives its journal the same mode
                with suppress(OSError):
                    os.fchmod(fd, 0o600)
        finally:
            os.close(fd)
    except PermissionError as error:
        if os.path.lexists(path):  # it raises nothing, unlike pathlib's
            raise NotWritable(
                f"no permission to open {path}: run this as the user who runs the service"
            ) from error
        raise create_error(error, path) from error
    except OSError as error:
        raise create_error(error, path) from error
    with _translated(path):
        return sqlite3.connect(
            f"file:{quote(str(path.absolute()))}?mode=rw",
            uri=True,
            isolation_level=None,  # transactions begin where BEGIN is said
            timeout=_BUSY_S,
            check_same_thread=False,  # it is opened on one thread and used on another
        )


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    """Bring the database to the newest version. Within a transaction."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if tables and application != APPLICATION_ID:
        raise UsageError(f"{path} is a database, but not one that camkeep made: move it elsewhere")
    if version > len(SCRIPTS):
        raise UsageError(f"the settings {path} were made by a newer camkeep: use that")
    for script in SCRIPTS[version:]:
        for statement in _statements(script):
            connection.execute(statement)
    if version < len(SCRIPTS):
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {len(SCRIPTS)}")


def _statements(script: str) -> Iterator[str]:
    """One by one: sqlite3's executescript would end the transaction."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if line.rstrip().endswith(";") and sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def _unlocked(connection: sqlite3.Connection, path: Path, *, make: bool = False) -> Secrets:
    """What seals with the key that the database was made with. Within a transaction: no other
    process makes a key at the same time."""
    row = connection.execute("SELECT probe FROM seals").fetchone()
    key = None if make else read_key(path)
    if row is None:
        secrets = Secrets(key or make_key(path))
        probe = secrets.seal(_PROBE, _PROBE_PLACE)
        connection.execute("INSERT INTO seals VALUES (1, ?)", (probe,))
        return secrets
    what = "is missing"
    if key is not None:
        secrets = Secrets(key)
        try:
            if secrets.unseal(row[0], _PROBE_PLACE) == _PROBE:
                return secrets
        except UsageError:
            pass
        what = "is not the one that the settings were sealed with"
    raise UsageError(
        f"the key {path} {what}: restore it from a backup; if it is lost, `camkeep config new-key` "
        "begins with a new one, and the addresses and passwords of the cameras are to be set anew"
    )


@contextmanager
def _transaction(connection: sqlite3.Connection, *, reads: bool = False) -> Iterator[None]:
    """All that is done within, or nothing."""
    connection.execute("BEGIN" if reads else "BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    """Turn SQLite's errors into ours, the only place that does."""
    try:
        yield
    except sqlite3.IntegrityError:
        raise  # what the job asked for cannot be: it knows what that means
    except sqlite3.Error as error:
        raise _settings_error(error, path) from error


def _settings_error(error: sqlite3.Error, path: Path) -> StorageError:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code == _FULL:
        return DiskFull(f"no space is left for {path}: free some")
    if code in _OF_THE_DISK:
        return WriteFailed(f"the settings {path} do not work: {_OF_THE_DISK[code]}")
    return StorageError(f"the settings {path} are damaged: restore them from a backup ({error})")


def _data_version(connection: sqlite3.Connection) -> int:
    (number,) = connection.execute("PRAGMA data_version").fetchone()
    return int(number)
