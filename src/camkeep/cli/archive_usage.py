"""``camkeep archive usage``: how much is kept, and for how long there is room."""

from __future__ import annotations

import argparse

from camkeep.archive.forecast import Forecast, forecast, in_words
from camkeep.archive.policyfile import read_policy
from camkeep.archive.retention import CameraUsage
from camkeep.archive.root import is_locked, open_root
from camkeep.archive.usage import rates_of, usage_of
from camkeep.cli.archive_common import from_to, instant, print_json, span, view_from
from camkeep.cli.common import data_from, folded, in_bytes, say
from camkeep.clock import SystemClock, WallUs
from camkeep.model import CameraId


def add_usage(parser: argparse.ArgumentParser) -> None:
    """``archive usage``."""
    parser.set_defaults(run=run_usage)


def run_usage(args: argparse.Namespace) -> int:
    """How much is kept, and for how long there is room."""
    root = open_root(data_from(args))
    room, policy = root.room(), read_policy(root.path)
    with view_from(args) as view:
        now = SystemClock().wall()
        cameras, usage = view.cameras(), usage_of(view.catalog, view.clips(), room.free, now)
        ahead = forecast(usage, policy, rates_of(view.catalog, now))
        totals = view.catalog.totals()
    if args.json:
        print_json(
            {
                "disk": {"free": room.free, "total": room.total},
                "recording": is_locked(root),
                "forecast": _forecast_json(ahead, None),
                "cameras": [
                    {
                        "camera": camera.name,
                        "bytes": usage.cameras[camera.id].total_bytes,
                        "held": usage.cameras[camera.id].held_bytes,
                        "segments": totals[camera.id].segments,
                        "start": instant(totals[camera.id].start),
                        "end": instant(totals[camera.id].end),
                        "forecast": _forecast_json(ahead, camera.id),
                    }
                    for camera in cameras
                ],
            }
        )
        return 0
    for camera in cameras:
        say(camera.name)
        say(_camera_usage(usage.cameras[camera.id], totals[camera.id].start, totals[camera.id].end))
        told = in_words(ahead.cameras[camera.id])
        if totals[camera.id].segments and told != in_words(ahead.overall):
            say("\n".join(folded(told, "  ", "  ")))
    say(f"{in_bytes(usage.total_bytes)} kept; {in_bytes(room.free)} of the disk are free.")
    say("\n".join(folded(in_words(ahead.overall), "", "")))
    return 0


def _camera_usage(used: CameraUsage, start: WallUs | None, end: WallUs | None) -> str:
    if start is None or end is None:
        return "  nothing is kept"
    held = f", {in_bytes(used.held_bytes)} of it held by clips" if used.held_bytes else ""
    return f"  {in_bytes(used.total_bytes)}{held}, {from_to(start, end)} ({span(start, end)})"


def _forecast_json(ahead: Forecast, camera: CameraId | None) -> dict[str, object]:
    lasting = ahead.overall if camera is None else ahead.cameras[camera]
    return {
        "bytes_per_second": lasting.rate,
        "full_in_seconds": lasting.full_s,
        "kept_seconds": lasting.kept_s,
        "bound": lasting.bound.value if lasting.bound is not None else None,
        "told": in_words(lasting),
    }
