"""The options that say how a camera is reached and recorded, for `camkeep camera add` and `set`."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from camkeep.cameras.address import parse_address
from camkeep.cli.amounts import age, between, size
from camkeep.cli.common import credentials_from, first_line
from camkeep.errors import UsageError

NONE = "none"
"""What takes a limit, a certificate or the small stream away."""


def add_values(parser: argparse.ArgumentParser) -> None:
    """All there is to set. What is not said is None."""
    login = parser.add_argument_group(
        "login",
        "The password comes from the URL, --password-file, the environment variable "
        "CAMKEEP_PASSWORD, or a prompt.",
    )
    login.add_argument("--user", metavar="NAME", help="who logs in; '' for nobody")
    login.add_argument(
        "--password-file", metavar="FILE", type=Path, help="its first line is the password"
    )
    reach = parser.add_argument_group("connection")
    reach.add_argument(
        "--sub", metavar="ADDRESS", help="its small stream, for those who only watch; or none"
    )
    reach.add_argument(
        "--trust",
        metavar="WHAT",
        help="a certificate to trust: sha256:FINGERPRINT, or a PEM file; or none",
    )
    reach.add_argument("--transport", choices=("tcp", "udp"), help="how RTSP sends (tcp)")
    reach.add_argument(
        "--timeout",
        metavar="TIME",
        type=between(1, 300),
        help="give up when nothing comes for so long (8s)",
    )
    _add_recording(parser)


def _add_recording(parser: argparse.ArgumentParser) -> None:
    how = parser.add_argument_group("when and how it is recorded")
    how.add_argument(
        "--mode",
        choices=("always", "schedule", "asked", "off"),
        help="day and night, within --schedule, while Record is pressed, or not at all (always)",
    )
    how.add_argument(
        "--schedule",
        metavar="SPAN",
        action="append",
        help='an interval of the week: "mon-fri 08:00-18:00", "daily 22:00-06:00"; may be repeated',
    )
    how.add_argument(
        "--zone", metavar="ZONE", help="of the schedule: Europe/Vienna (this machine's)"
    )
    how.add_argument(
        "--pre-roll",
        metavar="TIME",
        type=between(0, 300),
        help="what a clip has of the time before Record was pressed (5s)",
    )
    how.add_argument(
        "--audio", action=argparse.BooleanOptionalAction, default=None, help="keep the sound, too"
    )
    how.add_argument(
        "--segment", metavar="TIME", type=between(5, 600), help="length of a file (60s)"
    )
    how.add_argument(
        "--flush",
        metavar="TIME",
        type=between(1, 60),
        help="how often to flush to the disk: what a power cut can cost (5s)",
    )
    how.add_argument(
        "--max-size", metavar="SIZE", type=_or_none(size), help="keep at most 50GB of it; or none"
    )
    how.add_argument(
        "--max-age", metavar="TIME", type=_or_none(age), help="keep it for 30d, 12h; or none"
    )


def _or_none(read: Callable[[str], Any]) -> Callable[[str], Any]:
    """What `read` makes of it, or the word none."""

    def parse(text: str) -> Any:
        return NONE if text.strip().lower() == NONE else read(text)

    return parse


def values_from(args: argparse.Namespace, *, new: bool) -> dict[str, object]:
    """What `args` say, as `camerasettings.changed` takes it. Raises UsageError."""
    said = {
        "name": None if new else args.rename,
        "sub_address": args.sub,
        "trust": args.trust,
        "transport": args.transport,
        "timeout_s": args.timeout,
        "mode": args.mode or ("schedule" if args.schedule else None),
        "schedule": args.schedule,
        "zone": args.zone,
        "pre_roll_s": args.pre_roll,
        "audio": args.audio,
        "segment_s": args.segment,
        "flush_s": args.flush,
        "max_bytes": args.max_size,
        "max_age_s": args.max_age,
    }
    values: dict[str, object] = {
        key: None if value == NONE and key in _REMOVABLE else value
        for key, value in said.items()
        if value is not None
    }
    return values | (_login_of_new(args) if new else _login_of_known(args))


_REMOVABLE = ("sub_address", "trust", "max_bytes", "max_age_s")


def _login_of_new(args: argparse.Namespace) -> dict[str, object]:
    address, of_url = parse_address(args.address)
    values: dict[str, object] = {"address": args.address}
    if args.user == "" and of_url is None:
        return values
    login = credentials_from(args, of_url, address.host)
    if login is not None:
        values |= {"user": login.user, "password": login.password}
    return values


def _login_of_known(args: argparse.Namespace) -> dict[str, object]:
    """Only what was said: the rest is known. The variable counts where a user is named."""
    values: dict[str, object] = {}
    if args.address is not None:
        parse_address(args.address)
        values["address"] = args.address
    if args.user is not None:
        values["user"] = args.user
    if args.password_file is not None:
        values["password"] = first_line(args.password_file)
    elif args.user and "CAMKEEP_PASSWORD" in os.environ:
        values["password"] = os.environ["CAMKEEP_PASSWORD"]
    if values.get("user") == "" and values.get("password"):
        raise UsageError("a password needs a user")
    return values
