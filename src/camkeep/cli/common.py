"""What several commands share: the arguments that say which camera, and how values are shown."""

from __future__ import annotations

import argparse
import errno
import getpass
import os
import re
import stat
import sys
import textwrap
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TextIO

from camkeep.archive.layout import MARKER
from camkeep.cameras.address import Address, Credentials, parse_address
from camkeep.cameras.source import TIMEOUT_S, SourceOptions, parse_trust
from camkeep.cli.amounts import seconds
from camkeep.errors import UsageError, WriteFailed
from camkeep.model import Codec

WIDEST = 88
"""Columns of text at most: longer lines are hard to read."""

CODECS = {
    Codec.H264: "H.264",
    Codec.H265: "H.265",
    Codec.JPEG: "JPEG",
    Codec.AAC: "AAC",
    Codec.OPUS: "Opus",
    Codec.PCMA: "G.711 A-law",
    Codec.PCMU: "G.711 µ-law",
}
"""What people call them."""

DATA = "CAMKEEP_DATA"
"""The variable that names the archive where --data does not."""


def add_data(parser: argparse.ArgumentParser) -> None:
    """Where the archive is."""
    parser.add_argument(
        "--data",
        metavar="DIR",
        type=_folder,
        help=f"the folder of the archive; without it, what the variable {DATA} says, or that of "
        "the service (~/.local/share/camkeep)",
    )


def _folder(text: str) -> Path:
    if not text:
        raise argparse.ArgumentTypeError("it is empty: name the folder of the archive")
    return Path(text)


def data_from(args: argparse.Namespace) -> Path:
    """The folder of the archive that `args` ask for. Raises UsageError."""
    if args.data is not None:
        return Path(args.data)
    if os.environ.get(DATA):
        return Path(os.environ[DATA])
    if os.path.lexists(own_folder() / MARKER):
        return own_folder()
    raise UsageError(f"say where the archive is: --data DIR, or the variable {DATA}")


def own_folder() -> Path:
    """Where the data of the service is where nobody named another place."""
    return Path(os.environ.get("XDG_DATA_HOME") or "~/.local/share").expanduser() / "camkeep"


def add_camera(parser: argparse.ArgumentParser) -> None:
    """The camera's address and all that belongs to reaching it."""
    parser.add_argument(
        "camera",
        metavar="CAMERA",
        help="rtsp://HOST/PATH, http://HOST/PATH, easyn://HOST/, testcard:, or 0 for the first "
        "webcam; docs/commands.md has them all",
    )
    add_connection(parser)


def add_connection(parser: argparse.ArgumentParser) -> None:
    """All that belongs to reaching a camera, but its address."""
    login = parser.add_argument_group(
        "login",
        "The password comes from the URL, --password-file, the environment variable "
        "CAMKEEP_PASSWORD, or a prompt.",
    )
    login.add_argument("--user", metavar="NAME", help="who logs in")
    login.add_argument(
        "--password-file", metavar="FILE", type=Path, help="its first line is the password"
    )
    reach = parser.add_argument_group("connection")
    reach.add_argument(
        "--trust",
        metavar="WHAT",
        help="a certificate to trust: sha256:FINGERPRINT, or a PEM file",
    )
    reach.add_argument(
        "--transport", choices=("tcp", "udp"), default="tcp", help="how RTSP sends (tcp)"
    )
    reach.add_argument(
        "--timeout",
        metavar="TIME",
        type=seconds,
        default=TIMEOUT_S,
        help="give up when nothing comes for so long (8s)",
    )


def camera_from(args: argparse.Namespace, *, audio: bool = True) -> tuple[Address, SourceOptions]:
    """The address and options that `args` ask for."""
    address, credentials = parse_address(args.camera)
    options = SourceOptions(
        credentials=credentials_from(args, credentials, address.host),
        trust=parse_trust(args.trust),
        transport=args.transport,
        audio=audio,
        connect_timeout_s=args.timeout,
        stall_s=args.timeout,
    )
    return address, options


def credentials_from(
    args: argparse.Namespace, of_url: Credentials | None, host: str
) -> Credentials | None:
    """The login that `args` ask for, beside that of the URL. Raises UsageError."""
    if args.user is None and of_url is None:
        if args.password_file is not None:
            raise UsageError("--password-file needs a --user")
        return None
    who = of_url or Credentials(args.user)
    if args.user is not None:
        who = replace(who, user=args.user)
    if args.password_file is not None:
        return replace(who, password=first_line(args.password_file))
    if who.password:
        return who
    if "CAMKEEP_PASSWORD" in os.environ:
        return replace(who, password=os.environ["CAMKEEP_PASSWORD"])
    if sys.stdin is not None and sys.stdin.isatty():
        return replace(who, password=_asked(f"{who.user} at {host}" if host else who.user))
    return who


def _asked(whose: str) -> str:
    try:
        return getpass.getpass(f"Password of {printable(whose)}: ")
    except EOFError:
        raise UsageError("no password was given") from None


def first_line(path: Path) -> str:
    """The password in a file. Raises UsageError."""
    try:
        with path.open(encoding="utf-8") as file:
            return file.readline(4096).rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        raise UsageError(f"cannot read the password from {path}: {reason}") from None


def whole_number(text: str) -> int:
    """``250``, as a number of more than 0."""
    if not re.fullmatch(r"[0-9]{1,9}", text) or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number above 0")
    return int(text)


def frames_a_second(text: str) -> float:
    """``0.5``, ``25``: frames a second."""
    if not re.fullmatch(r"[0-9]{0,6}\.?[0-9]{1,6}", text):
        raise argparse.ArgumentTypeError(f"{text!r} is no rate: write 25, or 0.5 for one in 2 s")
    if not float(text):
        raise argparse.ArgumentTypeError("a rate is more than 0")
    return float(text)


def say(text: str) -> None:
    """Print `text` for a person, without what could steer a terminal: cameras choose some of it.

    Whoever read it may have gone (``| head -1``): then nobody is told. Raises WriteFailed where
    it cannot be written for another reason.
    """
    if sys.stdout is None or sys.stdout.closed:
        return
    try:
        print(printable(text), flush=True)
    except BrokenPipeError:
        hang_up()
    except OSError as error:
        closed = error.errno == errno.EIO and stat.S_ISCHR(os.fstat(sys.stdout.fileno()).st_mode)
        hang_up()
        if closed:  # the window of the terminal
            return
        raise WriteFailed(f"writing the output failed: {error.strerror or error}") from None


def complain(text: str) -> None:
    """Print `text` for a person on standard error, if it still leads anywhere."""
    try:
        print(printable(text), file=sys.stderr, flush=True)
    except (OSError, ValueError):  # the terminal has gone; there is nobody to tell
        pass


def hang_up() -> None:
    """Let what is still to be printed go nowhere, so that the end of Python does not fail."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def printable(text: str) -> str:
    """`text` with everything but letters, signs and line breaks replaced."""
    return "".join(char if char.isprintable() or char == "\n" else "?" for char in text)


def columns(stream: object) -> int:
    """How wide the terminal behind `stream` is; WIDEST where it is none."""
    try:
        return os.get_terminal_size(stream.fileno()).columns or 80  # type: ignore[attr-defined]
    except (OSError, ValueError, AttributeError):
        return WIDEST


def folded(text: str, first: str, rest: str, stream: TextIO | None = None) -> list[str]:
    """`text` in lines that fit the terminal behind `stream` (standard output), `first` before the
    first and `rest` before others."""
    width = max(40, min(WIDEST, columns(stream or sys.stdout)))
    return textwrap.wrap(
        text, width, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False
    )


def rows(facts: Iterable[tuple[str, str]], label: int) -> list[str]:
    """Facts under each other: names of `label` columns, and what is told, folded beside them."""
    lines = []
    for name, told in facts:
        lines += folded(told, f"  {name:<{label}}", " " * (2 + label))
    return lines


def counted(count: int, thing: str) -> str:
    """``1 frame``, ``2 frames``."""
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"


def in_bytes(count: float) -> str:
    """A size for a person: 4.1 MB."""
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if count < 1000 or unit == "TB":
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    raise AssertionError


def in_time(length_s: float) -> str:
    """A length of time for a person: 8.2 s, 4:05, 1:02:03."""
    if length_s < 60:
        return f"{length_s:.1f} s"
    whole = int(length_s)
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def in_rate(bits_per_s: float) -> str:
    """A bit rate for a person: 3.9 Mbit/s."""
    if bits_per_s < 1e6:
        return f"{bits_per_s / 1e3:.0f} kbit/s"
    return f"{bits_per_s / 1e6:.1f} Mbit/s"
