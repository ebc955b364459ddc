"""What the commands of the service share about camkeep.toml: which one, and where the data is."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from camkeep.archive.root import ArchiveRoot, open_root
from camkeep.cli.common import DATA, add_data
from camkeep.cli.settings import need_server, settings_from

if TYPE_CHECKING:
    from camkeep.server.database import Database
    from camkeep.server.options import ServeOptions


def add_place(parser: argparse.ArgumentParser) -> None:
    """Where the data is, and camkeep.toml."""
    add_data(parser)
    parser.add_argument("--config", metavar="FILE", type=Path, help="a camkeep.toml")


def data_folder(args: argparse.Namespace, options: ServeOptions) -> Path:
    """The folder of the archive: as asked for, as camkeep.toml says, else below the user's own
    data."""
    if args.data is not None:
        return Path(args.data)
    if os.environ.get(DATA):
        return Path(os.environ[DATA])
    if options.data is not None:
        return options.data
    return own_folder()


def own_folder() -> Path:
    """Where a user's data is who named no other place."""
    return Path(os.environ.get("XDG_DATA_HOME") or "~/.local/share").expanduser() / "camkeep"


@contextmanager
def settings_and_options(
    args: argparse.Namespace, *, make: bool = False
) -> Iterator[tuple[Database, ServeOptions]]:
    """The settings that `args` ask for, and camkeep.toml. Raises UsageError and StorageError."""
    need_server()
    from camkeep.server.options import find_options

    options = find_options(args.config)
    args.data = data_folder(args, options)
    if make and args.data == own_folder():
        args.data.parent.mkdir(parents=True, exist_ok=True)
    with settings_from(args, make=make) as database:
        yield database, options


def settings_folder(args: argparse.Namespace) -> ArchiveRoot:
    """The archive whose settings `args` ask for. Raises UsageError."""
    need_server()
    from camkeep.server.options import find_options

    return open_root(data_folder(args, find_options(args.config)))
