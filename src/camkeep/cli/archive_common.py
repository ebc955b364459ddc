"""What the subcommands of ``camkeep archive`` share."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterable
from datetime import timedelta

from camkeep.archive.layout import write_instant
from camkeep.archive.view import ArchiveView
from camkeep.cli.common import columns, complain, data_from, in_bytes, in_time, say
from camkeep.cli.moments import in_local, moment
from camkeep.clock import SystemClock, WallUs
from camkeep.errors import UsageError
from camkeep.model import KeptCamera

LONG_AGO = WallUs(0)
SHOW_S = 0.2


def add_interval(parser: argparse.ArgumentParser, *, required: bool = False) -> None:
    """From when to when."""
    parser.add_argument(
        "--from",
        dest="start",
        metavar="WHEN",
        required=required,
        help='"2026-11-21 14:03", "yesterday 18:00", 14:03, "10m ago"; local time unless it says '
        "otherwise",
    )
    parser.add_argument("--to", dest="end", metavar="WHEN", help="likewise (now)")


def interval_from(args: argparse.Namespace) -> tuple[WallUs, WallUs]:
    """The interval that `args` ask for: by default all up to now. Raises UsageError."""
    now = SystemClock().wall()
    start = _moment(args.start, now, end_of_day=False) if args.start else LONG_AGO
    end = _moment(args.end, now, end_of_day=True) if args.end else now
    if end <= start and not args.end:
        raise UsageError("--from lies in the future: nothing is kept of that yet")
    if end <= start:
        raise UsageError("--to is not after --from: nothing lies between them")
    return start, end


def _moment(text: str, now: WallUs, *, end_of_day: bool) -> WallUs:
    try:
        found = moment(text, now=now, zone=None, end_of_day=end_of_day)
    except argparse.ArgumentTypeError as error:
        raise UsageError(str(error)) from None
    if found.remark:
        complain(f"camkeep: {found.remark}")
    return found.wall


def add_cameras(parser: argparse.ArgumentParser) -> None:
    """Of which cameras."""
    parser.add_argument(
        "--camera", metavar="NAME", action="append", default=[], help="only of that one (of all)"
    )


def view_from(args: argparse.Namespace) -> ArchiveView:
    """The archive that `args` ask for."""
    return ArchiveView(data_from(args))


def cameras_from(args: argparse.Namespace, view: ArchiveView) -> list[KeptCamera]:
    """The cameras that `args` ask for, or all. Raises UsageError."""
    return [view.camera(name) for name in args.camera] if args.camera else view.cameras()


def print_json(value: object) -> None:
    """`value` for programs."""
    say(json.dumps(value, indent=1, ensure_ascii=False))


def instant(wall: WallUs | None) -> str | None:
    """An instant for programs: UTC, ISO 8601, to the microsecond."""
    return None if wall is None else write_instant(wall)


def from_to(start: WallUs, end: WallUs) -> str:
    """An interval for a person: its second date only where it is another."""
    begin, until = in_local(start, None), in_local(end, None)
    return f"{begin} - {until[11:] if until[:10] == begin[:10] else until}"


def span(start: WallUs, end: WallUs) -> str:
    """How long an interval is, for a person; days where it is so long."""
    length_s = (end - start) / 1e6
    if length_s >= 48 * 3600:
        return f"{timedelta(microseconds=end - start) / timedelta(days=1):.1f} days"
    return in_time(length_s)


def table(rows: Iterable[tuple[str, ...]], indent: str = "  ") -> str:
    """Rows under each other, their columns as wide as need be; the last one is not padded."""
    lines = list(rows)
    widths = [max(len(row[n]) for row in lines) for n in range(len(lines[0]))] if lines else []
    return "\n".join(
        (
            indent + "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True))
        ).rstrip()
        for row in lines
    )


class ProgressLine:
    """How far long work is, on a terminal; nothing where there is none, or for programs."""

    def __init__(self, what: str, *, quiet: bool) -> None:
        self._what = what
        self._shows = not quiet and sys.stderr is not None and sys.stderr.isatty()
        self._shown = 0.0

    def bytes(self, done: int, total: int) -> None:
        """So many bytes of all."""
        share = f"{100 * done / total:.0f} %  " if total else ""
        self.tell(f"{share}{in_bytes(done)} of {in_bytes(total)}")

    def tell(self, text: str) -> None:
        """Where it stands."""
        now = time.monotonic()
        if self._shows and now - self._shown >= SHOW_S:
            self._shown = now
            line = f"{self._what}  {text}"[: columns(sys.stderr) - 1]
            sys.stderr.write(f"\r\x1b[K{line}")
            sys.stderr.flush()

    def end(self) -> None:
        """Leave the terminal clean."""
        if self._shows and self._shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
