"""``camkeep snapshot CAMERA FILE``."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

from camkeep.cli.common import add_camera, camera_from, hang_up, in_bytes, say
from camkeep.engine.camera import AsyncCamera
from camkeep.engine.plan import SUFFIXES
from camkeep.errors import WriteFailed
from camkeep.media.jpeg import examine


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "snapshot",
        help="take one picture",
        description="Take one picture, byte for byte as the camera made it. Of a camera that "
        "sends H.264 or H.265, name the file .mp4: it gets one key frame.",
    )
    add_camera(parser)
    parser.add_argument(
        "file", metavar="FILE", help="where to put it (.jpg or .mp4), or - for standard output"
    )
    parser.add_argument(
        "--repair",
        action="store_true",
        help="cut off junk and null bytes that strict programs stumble over; no pixel changes",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace a file that exists")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Take it and say what it is."""
    address, options = camera_from(args, audio=False)
    camera = AsyncCamera(address, options)
    if args.file == "-":
        picture = asyncio.run(camera.snapshot(repair=args.repair))
        _write_out(picture)
        return 0
    path = Path(args.file)
    taken = asyncio.run(camera.snapshot(path, repair=args.repair, overwrite=args.overwrite))
    if path.suffix.lower() in SUFFIXES:
        say(f"{path}  one key frame  {in_bytes(len(taken))}")
    else:
        picture_info = examine(taken)
        say(f"{path}  {picture_info.width}x{picture_info.height}  {in_bytes(len(taken))}")
    return 0


def _write_out(picture: bytes) -> None:
    try:
        sys.stdout.buffer.write(picture)
        sys.stdout.flush()
    except OSError as error:
        hang_up()
        raise WriteFailed(f"writing the picture failed: {error.strerror or error}") from None
