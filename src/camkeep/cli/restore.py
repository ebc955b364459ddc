"""``camkeep restore FILE``: what `camkeep backup` copied, put back."""

from __future__ import annotations

import argparse
from pathlib import Path

from camkeep.archive.root import Lock, make_root
from camkeep.cli.common import say
from camkeep.cli.configured import add_place, place_for
from camkeep.cli.settings import need_server


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "restore",
        help="put back what `camkeep backup` copied",
        description="Put the settings in a backup into an archive, or begin one with them. No "
        "service may run there meanwhile.",
    )
    parser.add_argument("file", metavar="FILE.tar", type=Path, help="what `camkeep backup` wrote")
    parser.add_argument(
        "--overwrite", action="store_true", help="in place of the settings that are there"
    )
    parser.add_argument(
        "--key", metavar="FILE", type=Path, help="the camkeep.key, where the backup holds none"
    )
    parser.add_argument("--new", action="store_true", help="begin an archive in an empty folder")
    add_place(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Put them back."""
    need_server()
    from camkeep.server.backup import need_key, read_backup, read_key, restore
    from camkeep.server.database import KEY
    from camkeep.server.options import find_options

    parts = read_backup(args.file)
    if args.key is not None:
        parts[KEY] = read_key(args.key)
    place = place_for(args, find_options(args.config))
    need_key(parts, place)  # before an archive is begun
    root = make_root(place, new=args.new)
    lock = Lock(root)  # so that no service begins meanwhile
    try:
        restore(parts, root.path, overwrite=args.overwrite)
    finally:
        lock.leave()
    say(f"the settings of {args.file} are in {root.path}")
    return 0
