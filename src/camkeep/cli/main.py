"""The command line: `main` parses and dispatches; one module per command, each with `add`."""

from __future__ import annotations

import argparse
import sys
from importlib import import_module
from typing import Any, NoReturn

from camkeep import __version__
from camkeep.cli import argv
from camkeep.cli.common import complain
from camkeep.errors import CamkeepError, UsageError

EXIT_CODES = """\
exit codes:
  0    done; also a recording that was ended by Ctrl-C or a signal
  1    a fault of camkeep itself
  2    asked wrongly: an option, an address, a value
  3    the camera cannot be reached
  4    it refused the login
  5    it is not such a camera, or has not got what was asked for
  6    it stopped, or sent nothing of use
  7    the disk: not writable, full, failing
  8    the archive, or a clip, is not what it was (archive verify)
  130  interrupted before anything was kept
"""

COMMANDS = (
    "serve",
    "record",
    "keep",
    "archive",
    "camera",
    "user",
    "config",
    "backup",
    "restore",
    "snapshot",
    "probe",
    "cameras",
    "simulate",
)


class Parser(argparse.ArgumentParser):
    """A parser whose complaints are a sentence, and which takes no abbreviations: they would
    change their meaning with the next option."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(allow_abbrev=False, **kwargs)

    def error(self, message: str) -> NoReturn:
        """What was typed makes no sense. It may hold a password in a URL."""
        complain(f"{self.prog}: {argv.redact(message)}\nsee {self.prog} --help")
        raise SystemExit(UsageError.exit_code)

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Like argparse's, with a guess at what a misspelled option should have been."""
        parsed, unknown = self.parse_known_args(args, namespace)
        if unknown:
            parsed.parser.error(parsed.parser.misspelled(unknown[0]))
        return parsed

    def misspelled(self, argument: str) -> str:
        """What to say of an argument that nobody takes."""
        from difflib import get_close_matches  # slow to load on a small board, seldom needed

        if not argument.startswith("-"):
            return f"one argument too many: {argument}"
        name = argument.partition("=")[0]
        known = [option for action in self._actions for option in action.option_strings]
        longer = [option for option in known if option.startswith(name)]
        meant = longer or get_close_matches(name, known, n=1)
        return f"there is no option {name}" + (f": did you mean {meant[0]}?" if meant else "")


def parser(only: str | None = None) -> Parser:
    """The whole command line, or that of one command: a small board is slow to load the rest."""
    top = Parser(
        prog="camkeep",
        description="See your cameras, keep what they see.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"camkeep {__version__}")
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name in (only,) if only in COMMANDS else COMMANDS:
        import_module(f"camkeep.cli.{name}").add(commands)
        commands.choices[name].set_defaults(parser=commands.choices[name])
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
        complain(f"camkeep: {error}")
        return error.exit_code
    except KeyboardInterrupt:
        if sys.stderr is not None and sys.stderr.isatty():
            complain("")  # the terminal shows ^C, or a prompt
        return 130
