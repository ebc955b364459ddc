"""``camkeep serve``: the recorder service, with its page."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from camkeep.archive.root import make_root
from camkeep.archive.store import Archive
from camkeep.cli.common import in_time, say
from camkeep.cli.configured import add_place, place_for
from camkeep.cli.settings import need_server
from camkeep.clock import SystemClock

if TYPE_CHECKING:
    from camkeep.server.options import ServeOptions
    from camkeep.server.serve import Told


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "serve",
        help="watch and record cameras for months, with a page in the browser",
        description="Watch cameras, keep what they see, and show it in the browser. Cameras are "
        "added on the page, or with `camkeep camera add`. Ctrl-C ends it, and all files are whole.",
        epilog="Where it listens and where its data is can stand in camkeep.toml: "
        "docs/serving.md has all of it.",
    )
    add_place(parser)
    parser.add_argument(
        "--new", action="store_true", help="begin an archive in a folder that is there and empty"
    )
    parser.add_argument(
        "--listen",
        metavar="ADDRESS",
        action="append",
        help="where to listen: 127.0.0.1:8090, or 0.0.0.0:8090 for all of the network; may be "
        "repeated",
    )
    parser.add_argument("--demo", action="store_true", help="add a simulated camera")
    parser.add_argument("--log-format", choices=("text", "json"), help="of the log on stderr")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Serve until Ctrl-C."""
    need_server()
    from camkeep.server.database import DATABASE, KEY, Database
    from camkeep.server.gates import check_versions
    from camkeep.server.logs import LogForm, Logging
    from camkeep.server.notify import Notifier
    from camkeep.server.serve import serve

    check_versions()
    options = _options(args)
    notifier = Notifier.from_environment()
    clock = SystemClock()
    with ExitStack() as stack:
        form = LogForm(args.log_format or options.log_format)
        logging = stack.enter_context(Logging(form, options.log_level))
        root = make_root(place_for(args, options), new=args.new)
        archive = Archive.open(root, clock, _log_news)
        stack.callback(archive.close)
        database = Database.open(root.path / DATABASE, root.path / KEY)
        stack.callback(database.close)
        asyncio.run(
            serve(
                archive,
                database,
                options,
                clock,
                logging.ring,
                demo=args.demo,
                notifier=notifier,
                ready=_ready(root.path),
                show_code=_show_code,
            )
        )
    return 0


def _options(args: argparse.Namespace) -> ServeOptions:
    """What camkeep.toml says, and the options that go before it."""
    from camkeep.server.options import find_options, parse_listen

    options = find_options(args.config)
    if args.listen:
        listen = tuple(parse_listen(text) for text in args.listen)
        options = replace(options, web=replace(options.web, listen=listen))
    return options


def _log_news(text: str) -> None:
    import logging

    logging.getLogger("camkeep.archive").warning("%s", text)


def _ready(data: Path) -> Callable[[Told], None]:
    """Tells a person where it is."""

    def tell(told: Told) -> None:
        lines = [f"camkeep is at {url}" for url in told.urls]
        lines.append(f"recordings are in {data}")
        if not told.cameras:
            lines.append("no camera is set up yet: the page helps, or `camkeep camera add`")
        say("\n".join(lines))
        sys.stdout.flush()

    return tell


def _show_code(code: str) -> None:
    from camkeep.server.accounts.onetime import VALID_S

    say(f"to make the first account on the page, within {in_time(VALID_S)}: {code}")
    sys.stdout.flush()
