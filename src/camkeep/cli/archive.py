"""``camkeep archive ...``: what is in an archive, and what can be done with it.

One function for each subcommand, in the modules named `archive_...` beside this one.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

from camkeep.cli import archive_export, archive_look, archive_reindex, archive_usage, archive_verify
from camkeep.cli.common import add_data

Add = Callable[[argparse.ArgumentParser], None]

_COMMANDS: tuple[tuple[str, str, Add], ...] = (
    ("list", "what is kept, by camera and day", archive_look.add_list),
    ("gaps", "when cameras were not recorded, and why", archive_look.add_gaps),
    ("clips", "the clips that people made", archive_look.add_clips),
    ("usage", "how much is kept, and for how long there is room", archive_usage.add_usage),
    ("export", "write a clip, or any interval of a camera, to an MP4", archive_export.add_export),
    ("clip", "make a clip, which no quota deletes", archive_export.add_clip),
    ("unclip", "forget a clip", archive_export.add_unclip),
    ("verify", "whether all is as it was", archive_verify.add_verify),
    ("reindex", "make the index anew from the files", archive_reindex.add_reindex),
)


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the command and its subcommands."""
    parser = commands.add_parser(
        "archive",
        help="look at what is kept, export it, verify it",
        description="What is in an archive that `camkeep keep` made. All but reindex may be used "
        "while it is being recorded into.",
    )
    subcommands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name, told, add_arguments in _COMMANDS:
        sub = subcommands.add_parser(name, help=told, description=told[0].upper() + told[1:] + ".")
        add_arguments(sub)
        add_data(sub)
        sub.add_argument("--json", action="store_true", help="for programs")
        sub.set_defaults(parser=sub)
