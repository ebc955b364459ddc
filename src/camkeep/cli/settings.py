"""What the commands that change the service's settings share: the database, and its extra."""

from __future__ import annotations

import argparse
import getpass
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from typing import TYPE_CHECKING

from camkeep.archive.root import make_root, open_root
from camkeep.archive.view import ArchiveView
from camkeep.cli.common import data_from
from camkeep.errors import CamkeepError, UsageError
from camkeep.model import CameraId

if TYPE_CHECKING:
    from camkeep.server.database import Database

_OF_THE_EXTRA = ("argon2", "cryptography", "fastapi", "uvicorn", "tomli_w")


def need_server() -> None:
    """Raise UsageError where what the service needs is not installed. Call it before importing
    anything of `camkeep.server`."""
    if any(find_spec(name) is None for name in _OF_THE_EXTRA):
        raise UsageError(
            "this needs the extra of the service: install camkeep[server], as in "
            f"{sys.executable} -m pip install 'camkeep[server]'"
        )


@contextmanager
def settings_from(args: argparse.Namespace, *, make: bool = False) -> Iterator[Database]:
    """The settings of the archive that `args` ask for, until the end of the block. The service
    may have them open at the same time, and notices what is changed.

    Where there is no archive yet, it is made if `make` says so, and in an empty folder with
    --new. Raises UsageError and StorageError.
    """
    need_server()
    from camkeep.server.database import DATABASE, KEY, Database

    folder = data_from(args)
    root = make_root(folder, new=getattr(args, "new", False)) if make else open_root(folder)
    database = Database.open(root.path / DATABASE, root.path / KEY)
    try:
        yield database
    finally:
        database.close()


def camera_names(database: Database) -> dict[CameraId, str]:
    """The cameras that are set up, and those that only have recordings, by id."""
    names: dict[CameraId, str] = {}
    with suppress(CamkeepError), ArchiveView(database.path.parent) as view:  # it may be new
        names.update({camera.id: camera.name for camera in view.cameras()})
    names.update(database.run_now(lambda db: db.execute(_CAMERAS).fetchall(), reads=True))
    return names


_CAMERAS = "SELECT id, name FROM cameras ORDER BY position"


def me() -> str:
    """Who runs this command, for the audit log."""
    try:
        return f"{getpass.getuser()} (command line)"
    except (OSError, KeyError, ImportError):  # nobody by that number
        return f"user {os.getuid()} (command line)"
