"""What the commands of the service share about camkeep.toml: which one, and where the data is."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from camkeep.archive.root import ArchiveRoot, open_root
from camkeep.cli.common import DATA, add_data, own_folder
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


def place_for(args: argparse.Namespace, options: ServeOptions) -> Path:
    """The same, for an archive that may have to be made."""
    folder = data_folder(args, options)
    if folder == own_folder():
        folder.parent.mkdir(parents=True, exist_ok=True)
    return folder


@contextmanager
def settings_and_options(
    args: argparse.Namespace, *, make: bool = False
) -> Iterator[tuple[Database, ServeOptions]]:
    """The settings that `args` ask for, and camkeep.toml. Raises UsageError and StorageError."""
    need_server()
    from camkeep.server.options import find_options

    options = find_options(args.config)
    args.data = place_for(args, options) if make else data_folder(args, options)
    with settings_from(args, make=make) as database:
        yield database, options


def settings_folder(args: argparse.Namespace) -> ArchiveRoot:
    """The archive whose settings `args` ask for. Raises UsageError."""
    need_server()
    from camkeep.server.options import find_options

    return open_root(data_folder(args, find_options(args.config)))
