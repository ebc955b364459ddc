"""``camkeep archive usage``: how much is kept, and for how long there is room."""

from __future__ import annotations

import argparse
from collections import Counter

from camkeep.archive.forecast import Forecast, forecast, in_words, measured_rate
from camkeep.archive.holds import Holds
from camkeep.archive.policyfile import read_policy
from camkeep.archive.retention import CameraUsage, Usage
from camkeep.archive.root import is_locked, open_root
from camkeep.archive.view import ArchiveView
from camkeep.cli.archive_common import from_to, instant, print_json, span, view_from
from camkeep.cli.common import data_from, folded, in_bytes, say
from camkeep.clock import SystemClock, WallUs
from camkeep.model import CameraId

_DAY_US = 86_400_000_000


def add_usage(parser: argparse.ArgumentParser) -> None:
    """``archive usage``."""
    parser.set_defaults(run=run_usage)


def run_usage(args: argparse.Namespace) -> int:
    """How much is kept, and for how long there is room."""
    root = open_root(data_from(args))
    room, policy = root.room(), read_policy(root.path)
    with view_from(args) as view:
        cameras, usage = view.cameras(), _usage(view, room.free)
        ahead = forecast(usage, policy, _rates(view))
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


def _usage(view: ArchiveView, free: int) -> Usage:
    clips = view.clips()
    holds, held = Holds.of_clips(clips), Counter[CameraId]()
    seen: set[tuple[CameraId, int]] = set()
    for clip in clips:
        for camera in clip.cameras if clip.held else ():
            end = clip.end if clip.end is not None else SystemClock().wall()
            until = WallUs(max(end, clip.start + 1))
            for segment in view.catalog.segments(camera, clip.start, until):
                key = (camera, segment.sequence)
                if key not in seen and holds.cover(segment):
                    seen.add(key)
                    held[camera] += segment.size
    return Usage(
        {
            camera: CameraUsage(total.bytes, held_bytes=held[camera])
            for camera, total in view.catalog.totals().items()
        },
        free,
    )


def _rates(view: ArchiveView) -> dict[CameraId, float | None]:
    now = SystemClock().wall()
    return {
        camera.id: measured_rate(
            (
                (segment.start, segment.end, segment.size)
                for segment in view.catalog.segments(camera.id, WallUs(now - _DAY_US), now)
            ),
            now,
            since=camera.since,
        )
        for camera in view.cameras()
    }


def _forecast_json(ahead: Forecast, camera: CameraId | None) -> dict[str, object]:
    lasting = ahead.overall if camera is None else ahead.cameras[camera]
    return {
        "bytes_per_second": lasting.rate,
        "full_in_seconds": lasting.full_s,
        "kept_seconds": lasting.kept_s,
        "bound": lasting.bound.value if lasting.bound is not None else None,
        "told": in_words(lasting),
    }
