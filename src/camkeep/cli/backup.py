"""``camkeep backup FILE``: a copy of what was set."""

from __future__ import annotations

import argparse
from pathlib import Path

from camkeep.cli.common import say
from camkeep.cli.configured import add_place, settings_folder


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "backup",
        help="copy the settings of the service to a file",
        description="Copy what was set (cameras, users, sessions, the audit log) to one file, also "
        "while the service runs. Recordings are not in it: they are ordinary files.",
    )
    parser.add_argument("file", metavar="FILE.tar", type=Path, help="where to")
    parser.add_argument(
        "--with-key",
        action="store_true",
        help="with the key: whoever has the file then reads the passwords of the cameras",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace a file that exists")
    add_place(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Copy them."""
    root = settings_folder(args)
    from camkeep.server.backup import write_backup
    from camkeep.server.database import KEY

    write_backup(root.path, args.file, with_key=args.with_key, overwrite=args.overwrite)
    if args.with_key:
        say(f"wrote {args.file}, with the key: keep it to yourself")
    else:
        say(f"wrote {args.file}; it can only be used together with {root.path / KEY}")
    return 0
