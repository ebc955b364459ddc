"""The command line: `main` parses and dispatches; one module per command, each with `add`."""

from __future__ import annotations

import argparse
import sys
from importlib import import_module

from camkeep import __version__
from camkeep.cli import argv
from camkeep.errors import CamkeepError

EXIT_CODES = """\
exit codes: 0 done, 1 a fault of camkeep itself, 2 asked wrongly, 3 the camera cannot be reached,
4 it refused the login, 5 it is not such a camera or has not got what was asked for,
6 it stopped or sent nothing of use, 7 the disk, 130 interrupted before anything was kept
"""


COMMANDS = ("record", "snapshot", "probe", "cameras", "simulate")


def parser(only: str | None = None) -> argparse.ArgumentParser:
    """The whole command line, or that of one command: a small board is slow to load the rest."""
    top = argparse.ArgumentParser(
        prog="camkeep",
        description="See your cameras, keep what they see.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"camkeep {__version__}")
    commands = top.add_subparsers(metavar="COMMAND", required=True)
    for name in (only,) if only in COMMANDS else COMMANDS:
        import_module(f"camkeep.cli.{name}").add(commands)
    return top


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit code (docs/commands.md)."""
    try:
        if arguments is None:
            arguments = argv.true_arguments()
        args = parser(only=arguments[0] if arguments else None).parse_args(arguments)
        code: int = args.run(args)
        return code
    except CamkeepError as error:
        print(f"camkeep: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        sys.stderr.close()  # whoever read our output has gone; there is nobody to tell
        return 1
