"""``camkeep cameras``: the webcams of this machine, and with --network EasyN cameras nearby."""

from __future__ import annotations

import argparse
import asyncio
import json

from camkeep.cameras.easyn.discovery import Found, discover
from camkeep.cameras.v4l2 import Webcam, list_devices
from camkeep.cameras.v4l2.offer import Format, Rates
from camkeep.cli.amounts import seconds
from camkeep.cli.common import folded, say
from camkeep.engine.offered import found_values, webcam_values
from camkeep.errors import NotSupported


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "cameras",
        help="list the webcams of this machine",
        description="List the webcams of this machine, what they offer, and what to type for "
        "them. With --network, ask the local network for EasyN and Foscam cameras, too.",
    )
    parser.add_argument("--network", action="store_true", help="search the local network, too")
    parser.add_argument(
        "--timeout",
        metavar="TIME",
        type=seconds,
        default=3.0,
        help="how long to search the network (3s)",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """List them. Finding none is no error."""
    webcams, unsupported = _webcams()
    found = asyncio.run(discover(args.timeout)) if args.network else []
    if args.json:
        say(as_json(webcams, found if args.network else None))
        return 0
    if unsupported is not None:
        say(f"No webcams: {unsupported}.")
    elif not webcams:
        say("No webcam is plugged into this machine.")
    for webcam in webcams:
        say("\n".join(describe(webcam)))
    if args.network:
        say("\n".join(describe_found(found)))
    return 0


def _webcams() -> tuple[list[Webcam], str | None]:
    """The webcams, or why this system has none for us."""
    try:
        return list_devices(), None
    except NotSupported as error:
        return [], error.message


def describe(webcam: Webcam) -> list[str]:
    """Lines for a person: what it is, what it offers, what to type."""
    name = webcam.path if webcam.number is None else str(webcam.number)
    lines = [f"{name}  {webcam.card}  ({', '.join(filter(None, (webcam.path, webcam.bus)))})"]
    if webcam.trouble is not None:
        return lines + folded(webcam.trouble, "   ", "   ")
    usable = [entry for entry in webcam.formats if entry.kind]
    for entry in usable:
        lines += describe_format(entry)
    raw = [entry.code for entry in webcam.formats if not entry.kind]
    if raw:
        more = ", ..." if len(raw) > 8 else ""
        uncompressed = f"not recorded, because uncompressed: {', '.join(raw[:8])}{more}"
        lines += folded(uncompressed, "   ", "      ")
    controls = [control.name for control in webcam.controls if control.writable]
    if controls:
        lines += folded(f"controls: {', '.join(controls)}", "   ", "      ")
    if usable:
        lines.append(f"   camkeep record {name} movie.mp4")
    return lines


def describe_format(entry: Format) -> list[str]:
    """One line for each set of rates: the sizes that have them."""
    lines = []
    by_rates: dict[Rates, list[str]] = {}
    for size in entry.sizes:
        by_rates.setdefault(size.rates, []).append(str(size))
    label = (entry.kind or entry.code).ljust(5)
    for rates, sizes in by_rates.items():
        at = f" at {rates} fps" if rates.fps else ""
        lines += folded(f"{', '.join(sizes)}{at}", f"   {label} ", " " * (4 + len(label)))
        label = " " * len(label)
    return lines or [f"   {label}"]


def describe_found(found: list[Found]) -> list[str]:
    """Lines for a person on the cameras of the network."""
    if not found:
        return ["No EasyN or Foscam camera answered in this network."]
    lines = []
    for camera in found:
        lines.append(f"{camera.name or camera.id}  ({camera.id}, {camera.ip})")
        lines.append(f"   camkeep record {camera.url} movie.mp4 --user admin")
    return lines


def as_json(webcams: list[Webcam], found: list[Found] | None) -> str:
    """Everything, for programs; "network" only where it was searched."""
    shown: dict[str, object] = {"webcams": [webcam_values(webcam) for webcam in webcams]}
    if found is not None:
        shown["network"] = [found_values(camera) for camera in found]
    return json.dumps(shown, indent=2)
