"""What several commands share: the arguments that say which camera, and how values are shown."""

from __future__ import annotations

import argparse
import getpass
import os
import re
import sys
from dataclasses import replace
from pathlib import Path

from camkeep.cameras.address import Address, Credentials, parse_address
from camkeep.cameras.source import SourceOptions, parse_trust
from camkeep.errors import UsageError

_UNITS = {"": 1.0, "ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}


def add_camera(parser: argparse.ArgumentParser) -> None:
    """The camera's address and all that belongs to reaching it."""
    parser.add_argument(
        "camera",
        help="its URL (easyn:, http:, https:, rtsp:, rtsps:, testcard:), or 0 for the first webcam",
    )
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
        default=10.0,
        help="give up when nothing comes for so long (10s)",
    )


def camera_from(args: argparse.Namespace, *, audio: bool = True) -> tuple[Address, SourceOptions]:
    """The address and options that `args` ask for."""
    address, credentials = parse_address(args.camera)
    options = SourceOptions(
        credentials=_credentials(args, credentials),
        trust=parse_trust(args.trust),
        transport=args.transport,
        audio=audio,
        connect_timeout_s=args.timeout,
        stall_s=args.timeout,
    )
    return address, options


def _credentials(args: argparse.Namespace, of_url: Credentials | None) -> Credentials | None:
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
    if sys.stdin.isatty():
        return replace(who, password=getpass.getpass(f"Password of {who.user}: "))
    return who


def first_line(path: Path) -> str:
    """The password in a file. Raises UsageError."""
    try:
        with path.open(encoding="utf-8") as file:
            return file.readline(4096).rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        raise UsageError(f"cannot read the password from {path}: {reason}") from None


def seconds(text: str) -> float:
    """``90``, ``90s``, ``1.5m``, ``10min``, ``2h``, ``1h30m`` in seconds."""
    parts = re.findall(r"(\d+(?:\.\d+)?)\s*([a-z]*)", text.strip().lower())
    joined = "".join(number + unit for number, unit in parts)
    known = all(unit in _UNITS for _, unit in parts)
    if not parts or not known or joined != re.sub(r"\s", "", text.lower()):
        raise argparse.ArgumentTypeError(f"{text!r} is no length of time: write 90s, 10m or 1h30m")
    total = sum(float(number) * _UNITS[unit] for number, unit in parts)
    if not total > 0:
        raise argparse.ArgumentTypeError("a length of time is more than 0")
    return total


def in_bytes(count: float) -> str:
    """A size for a person: 4.1 MB."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000 or unit == "GB":
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
