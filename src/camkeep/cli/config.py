"""``camkeep config ...``: what people set, as a file that can be read, compared and kept in git."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from camkeep.archive.disk import create_error, read_error
from camkeep.archive.files import SystemFiles, replace_file
from camkeep.archive.view import ArchiveView
from camkeep.cli.common import complain, say
from camkeep.cli.configured import add_place, settings_and_options, settings_folder
from camkeep.cli.settings import me
from camkeep.clock import SystemClock
from camkeep.errors import CamkeepError, NotWritable, UsageError
from camkeep.model import CameraId

if TYPE_CHECKING:
    import sqlite3

    from camkeep.server.configfile import Report
    from camkeep.server.database import Database

STANDARD = "-"
"""In place of a file: standard input or output."""


class _OnlyLooking(Exception):
    """Undoes a transaction that was only to show what it would do."""


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the command and its subcommands."""
    parser = commands.add_parser(
        "config",
        help="what was set, as a file: export it, apply it",
        description="Cameras, users and settings of the service as readable TOML. The service may "
        "run meanwhile: it notices within a second.",
    )
    subcommands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    out = subcommands.add_parser("export", help="write what is set to a file")
    out.add_argument("file", metavar="FILE", nargs="?", default=STANDARD, help="- for the terminal")
    out.add_argument(
        "--secrets", action="store_true", help="with the passwords of cameras, and users' hashes"
    )
    out.add_argument(
        "--overwrite", action="store_true", help="replace a file that is not such an export"
    )
    out.set_defaults(run=_export)
    into = subcommands.add_parser("import", help="set what a file says, all of it or nothing")
    into.add_argument("file", metavar="FILE", help="what export wrote; - for standard input")
    into.add_argument("--dry-run", action="store_true", help="only tell what would change")
    into.add_argument(
        "--prune", action="store_true", help="also remove what the file does not name"
    )
    into.add_argument("--new", action="store_true", help="begin an archive in an empty folder")
    into.set_defaults(run=_import)
    key = subcommands.add_parser(
        "new-key",
        help="begin with a new key where camkeep.key is lost",
        description="Begin with a new key where camkeep.key is lost and in no backup. The "
        "addresses and passwords of all cameras are forgotten, and have to be set anew.",
    )
    key.set_defaults(run=_new_key)
    for sub in (out, into, key):
        sub.description = sub.description or f"{sub.prog.rpartition(' ')[2].capitalize()} settings."
        add_place(sub)
        sub.set_defaults(parser=sub)


def _export(args: argparse.Namespace) -> int:
    with settings_and_options(args) as (database, _):
        from camkeep.server.configapply import export

        text = database.run_now(
            lambda db: export(db, database.secrets, with_secrets=args.secrets), reads=True
        )
    if args.file == STANDARD:
        sys.stdout.write(text)
        sys.stdout.flush()
        return 0
    path = Path(args.file)
    before = _exported_before(path, overwrite=args.overwrite)
    if before == text.encode():
        say(f"{path} is as it was: nothing has changed")
        return 0
    _write(path, text.encode(), secret=args.secrets)
    say(f"wrote {path}" + (", which holds secrets: keep it to yourself" if args.secrets else ""))
    return 0


def _exported_before(path: Path, *, overwrite: bool) -> bytes | None:
    """What stands in the file now. Raises NotWritable where that is something else."""
    from camkeep.server.configfile import FIRST_LINE

    try:
        before = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise create_error(error, path) from error
    if not overwrite and before and not before.startswith(FIRST_LINE.encode()):
        raise NotWritable(
            f"{path} exists already, and is no export: choose another, or --overwrite"
        )
    return before


def _write(path: Path, data: bytes, *, secret: bool) -> None:
    """Whole or not at all; for nobody else to read where it holds secrets."""
    from camkeep.server.backup import write_private

    try:
        if secret:
            write_private(path, data)
        else:
            replace_file(SystemFiles(), path, data)
    except OSError as error:
        raise create_error(error, path) from error


def _import(args: argparse.Namespace) -> int:
    if args.file == STANDARD:
        data, name, folder = sys.stdin.buffer.read(), "standard input", Path.cwd()
    else:
        path = Path(args.file)
        name, folder = str(path), path.parent
        try:
            data = path.read_bytes()
        except OSError as error:
            raise UsageError(str(read_error(error, path))) from None
    with settings_and_options(args, make=not args.dry_run) as (database, options):
        from camkeep.server.configapply import Import
        from camkeep.server.configread import Reader

        document = Reader(name, folder, os.environ).document(data)
        known = _known(args.data)
        reports: list[Report] = []

        def job(connection: sqlite3.Connection) -> None:
            doing = Import(
                connection,
                database.secrets,
                options.cameras,
                SystemClock().wall(),
                known,
                prune=args.prune,
            )
            reports.append(doing.run(document))
            if args.dry_run:
                raise _OnlyLooking

        try:
            with suppress(_OnlyLooking):
                database.run_now(job)
        except UsageError as error:
            raise UsageError(f"{name}: {error} (nothing was changed)") from None
        _told(reports[0], dry_run=args.dry_run)
        if reports[0].changes and not args.dry_run:
            _note(database, len(reports[0].changes))
    return 0


def _known(data: Path) -> dict[str, CameraId]:
    """The cameras of the archive, by their names without case."""
    with suppress(CamkeepError), ArchiveView(data) as view:  # it may be new
        return {camera.name.casefold(): camera.id for camera in view.cameras()}
    return {}


def _told(report: Report, *, dry_run: bool) -> None:
    if not report.changes:
        say("all is so already: nothing would change" if dry_run else "all is so already")
    else:
        head = "this would change:" if dry_run else "changed:"
        say("\n".join([head, *(f"  {line}" for line in report.changes)]))
    for remark in report.remarks:
        complain(f"camkeep: {remark}")


def _note(database: Database, changes: int) -> None:
    """Have the audit log say what was done."""
    from camkeep.server.accounts.audit import Audit

    audit = Audit(database, SystemClock())
    asyncio.run(audit.note(me(), "config.import", changes=changes))


def _new_key(args: argparse.Namespace) -> int:
    root = settings_folder(args)
    from camkeep.server.database import DATABASE, KEY, renew_key

    path, key = root.path / DATABASE, root.path / KEY
    if not path.exists():
        raise UsageError(f"nothing is set in {root.path} yet: there is no key to renew")
    if key.exists():
        raise UsageError(
            f"there is a key, {key}: if it is the wrong one, move it away first, and know that the "
            "passwords of all cameras will be forgotten"
        )
    renew_key(path, key)
    say(
        "there is a new key; set the address of each camera anew: camkeep camera set NAME --address"
    )
    return 0
