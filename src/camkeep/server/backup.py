"""A copy of the settings in one file, and back: consistent, also while the service runs.

A tar file with camkeep.db and, only where asked for, camkeep.key. The database alone gives no
password of a camera away: they are sealed with the key. Blocks.

Restoring, in this order: the copy is checked beside the place where it will stand; the key, then
the database take the places of those before, each by a rename. A crash in between leaves a
database whose key does not fit, which says so; restoring again heals it.
"""

from __future__ import annotations

import io
import os
import sqlite3
import tarfile
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from camkeep.archive.disk import create_error
from camkeep.archive.files import SystemFiles, replace_file
from camkeep.errors import NotWritable, StorageError, UsageError, WriteFailed
from camkeep.server.database import DATABASE, KEY, Database
from camkeep.server.schema import APPLICATION_ID

LARGEST = 1_000_000_000
"""Bytes of a database."""
LARGEST_KEY = 1000
JOURNAL = f"{DATABASE}-journal"


def write_backup(data: Path, target: Path, *, with_key: bool, overwrite: bool) -> None:
    """Copy the settings in the folder `data` to the file `target`, readable by this user only.
    Raises UsageError, StorageError."""
    if not (data / DATABASE).exists():
        raise UsageError(f"nothing is set in {data} yet: there is nothing to back up")
    if os.path.lexists(target) and not overwrite:
        raise NotWritable(f"{target} exists already: choose another name or say --overwrite")
    made = make_backup(data, with_key=with_key)
    try:
        write_private(target, made)
    except OSError as error:
        raise create_error(error, target) from error


def make_backup(data: Path, *, with_key: bool = False) -> bytes:
    """What such a file holds. Raises UsageError, StorageError."""
    parts = {DATABASE: _copied(data / DATABASE)}
    if with_key:
        try:
            parts[KEY] = (data / KEY).read_bytes()
        except OSError as error:
            raise UsageError(f"the key {data / KEY} cannot be read: {error.strerror}") from None
    return _packed(parts)


def read_backup(source: Path) -> dict[str, bytes]:
    """What is in a backup: the database, perhaps a key. Raises UsageError."""
    try:
        with tarfile.open(source, "r:") as tar:
            return dict(_unpacked(tar, source))
    except OSError as error:
        raise UsageError(f"{source} cannot be read: {error.strerror or error}") from None
    except tarfile.TarError:
        raise UsageError(f"{source} is no backup that camkeep made") from None


def restore(parts: dict[str, bytes], data: Path, *, overwrite: bool) -> None:
    """Put what `read_backup` gave into the folder `data`, whose lock the caller holds. Raises
    UsageError, StorageError; then nothing was changed."""
    there = [name for name in (DATABASE, KEY) if name in parts and (data / name).exists()]
    if there and not overwrite:
        raise NotWritable(f"{data / there[0]} exists already: --overwrite puts the backup there")
    database = _checked(parts[DATABASE], parts.get(KEY) or _read_key(data / KEY), data)
    try:
        with suppress(FileNotFoundError):  # of the database that goes: it would spoil the new one
            (data / JOURNAL).unlink()
        if KEY in parts:
            write_private(data / KEY, parts[KEY])
        write_private(data / DATABASE, database)
    except OSError as error:
        raise create_error(error, data) from error


def read_key(path: Path) -> bytes:
    """A copy of a key. Raises UsageError; whether it fits is seen when it is used."""
    try:
        with path.open("rb") as file:
            return file.read(LARGEST_KEY)
    except OSError as error:
        raise UsageError(f"the key {path} cannot be read: {error.strerror}") from None


def need_key(parts: dict[str, bytes], data: Path) -> None:
    """Raises UsageError where there is no key, in what `read_backup` gave or in `data`."""
    if KEY not in parts and not os.path.lexists(data / KEY):
        raise _no_key(data)


def _no_key(data: Path) -> UsageError:
    return UsageError(
        f"the backup holds no key, and there is none at {data / KEY}: name a copy of it with --key"
    )


def write_private(path: Path, data: bytes) -> None:
    """Put `data` in place of a file, whole or not at all; nobody but this user may read it.
    Raises OSError."""
    path.with_name(f".{path.name}.part").unlink(missing_ok=True)  # whatever its mode was
    before = os.umask(0o077)
    try:
        replace_file(SystemFiles(), path, data)
    finally:
        os.umask(before)


def _copied(path: Path) -> bytes:
    """The database as it is at one moment, whatever is written meanwhile."""
    try:
        with TemporaryDirectory(prefix="camkeep-") as folder:
            copy = Path(folder) / DATABASE
            with (
                closing(sqlite3.connect(path, timeout=30)) as source,
                closing(sqlite3.connect(copy)) as target,
            ):
                source.backup(target)
            return copy.read_bytes()
    except (sqlite3.Error, OSError) as error:
        raise StorageError(f"the settings {path} cannot be copied: {error}") from None


def _packed(parts: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, content in parts.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o600
            tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def _unpacked(tar: tarfile.TarFile, source: Path) -> Iterator[tuple[str, bytes]]:
    """What is in it; nothing is unpacked to where a name in it leads."""
    found = set()
    for entry in tar:
        largest = {DATABASE: LARGEST, KEY: LARGEST_KEY}.get(entry.name)
        content = tar.extractfile(entry) if entry.isreg() else None
        if largest is None or content is None or entry.size > largest or entry.name in found:
            raise UsageError(f"{source} is no backup that camkeep made")
        found.add(entry.name)
        yield entry.name, content.read()
    if DATABASE not in found:
        raise UsageError(f"{source} is no backup that camkeep made")


def _checked(database: bytes, key: bytes | None, data: Path) -> bytes:
    """The database as it will stand there, of the newest version; checked beside that place.
    Raises UsageError or StorageError where it is none of camkeep, or not with that key."""
    if key is None:
        raise _no_key(data)
    try:
        with TemporaryDirectory(prefix=".camkeep-restore-", dir=data) as folder:
            return _checked_in(Path(folder), database, key)
    except OSError as error:
        raise WriteFailed(f"the backup cannot be checked in {data}: {error.strerror}") from None


def _checked_in(folder: Path, database: bytes, key: bytes) -> bytes:
    (folder / DATABASE).write_bytes(database)
    (folder / KEY).write_bytes(key)
    try:
        with closing(sqlite3.connect(folder / DATABASE)) as connection:
            (application,) = connection.execute("PRAGMA application_id").fetchone()
            (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.Error:
        application, verdict = 0, "no database"
    if verdict != "ok" or application != APPLICATION_ID:
        raise UsageError("the database in the backup is damaged, or none that camkeep made")
    try:
        opened = Database.open(folder / DATABASE, folder / KEY)
        try:  # who has logged out since, or got another password, is not to be logged in again
            opened.run_now(lambda connection: connection.execute("DELETE FROM sessions"))
        finally:
            opened.close()
    except UsageError as error:
        told = str(error).replace(f"{folder}{os.sep}", "")
        raise UsageError(f"the backup cannot be used: {told}") from None
    return (folder / DATABASE).read_bytes()


def _read_key(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None
