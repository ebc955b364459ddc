"""``camkeep record CAMERA FILE``."""

from __future__ import annotations

import argparse
import asyncio
import signal
from collections.abc import Iterator
from pathlib import Path

from camkeep.cli.amounts import seconds
from camkeep.cli.common import (
    add_camera,
    camera_from,
    complain,
    counted,
    frames_a_second,
    in_bytes,
    in_time,
    rows,
    say,
    whole_number,
)
from camkeep.cli.meter import Meter
from camkeep.cli.preview import previewed
from camkeep.cli.settings import need_server
from camkeep.clock import as_datetime
from camkeep.engine.feed import Feed
from camkeep.engine.plan import Plan, Summary
from camkeep.engine.record import Recording
from camkeep.engine.sources import make_source


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "record",
        help="record a camera to a movie",
        description="Record a camera to an MP4 that plays everywhere. Nothing is decoded or "
        "re-encoded: what the camera sends is kept, with the true time of every frame. Ctrl-C "
        "ends the recording, and the file is whole.",
    )
    add_camera(parser)
    parser.add_argument("file", metavar="FILE", type=Path, help="the movie to make (.mp4)")
    parser.add_argument("--duration", metavar="TIME", type=seconds, help="stop after 90s, 10m, 1h")
    parser.add_argument(
        "--frames", metavar="N", type=whole_number, help="stop after so many frames"
    )
    parser.add_argument(
        "--fps",
        metavar="RATE",
        type=frames_a_second,
        help="keep only so many frames a second (of H.264 and H.265: key frames); none is "
        "invented or re-timed",
    )
    parser.add_argument(
        "--segment", metavar="TIME", type=seconds, help="begin a new file after so long"
    )
    parser.add_argument(
        "--audio", action=argparse.BooleanOptionalAction, default=True, help="keep the sound, too"
    )
    parser.add_argument("--wait", action="store_true", help="wait until the camera answers")
    parser.add_argument("--overwrite", action="store_true", help="replace a file that exists")
    parser.add_argument("--quiet", action="store_true", help="show no progress")
    parser.add_argument(
        "--preview",
        action="store_true",
        help="show the picture in the browser meanwhile; the key q or Stop there ends it "
        "(needs camkeep[server])",
    )
    parser.add_argument(
        "--no-open",
        action="store_true",
        help="with --preview: only print the address, do not open the browser",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Record, show progress, and print the summary."""
    if args.preview:
        need_server()
    address, options = camera_from(args, audio=args.audio)
    plan = Plan(
        path=args.file,
        duration_s=args.duration,
        frames=args.frames,
        fps=args.fps,
        segment_s=args.segment,
        audio=args.audio,
        wait=args.wait,
        overwrite=args.overwrite,
    )
    source = make_source(address, options)
    feed = Feed(source, options.clock) if args.preview else None
    recording = Recording(source, plan, options.clock, feed=feed)
    show = None if args.quiet else Meter()
    summary = asyncio.run(_until_signal(recording, show, feed, opens=not args.no_open))
    if show is not None:
        show.end()
    return _conclude(summary)


async def _until_signal(
    recording: Recording, show: Meter | None, feed: Feed | None, *, opens: bool
) -> Summary:
    """Run `recording`; the first SIGINT, SIGTERM or SIGHUP stops it in good order."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup and shells mean it
            loop.add_signal_handler(number, _stop, recording, number)
    if feed is not None:
        return await previewed(recording, feed, show, opens=opens)
    return await recording.run(show)


def _stop(recording: Recording, number: signal.Signals) -> None:
    asyncio.get_running_loop().remove_signal_handler(number)
    signal.signal(number, signal.SIG_DFL)  # a second one ends the process at once
    recording.stop(
        "stopped by a person" if number == signal.SIGINT else f"stopped by {number.name}"
    )


def _conclude(summary: Summary) -> int:
    """Print what came of it; returns the exit code."""
    if summary.movies:
        say(describe(summary))
    if summary.error is not None:
        if summary.stopped and not summary.movies:
            complain("camkeep: stopped before the first frame; nothing was kept")
            return 130
        complain(f"camkeep: {summary.error}")
        return summary.error.exit_code
    return 0


def describe(summary: Summary) -> str:
    """The summary for a person, one fact a line."""
    lines = [
        f"{movie.path}  {in_time(movie.seconds)}  {counted(movie.frames, 'frame')}  "
        f"{in_bytes(movie.bytes)}{f'  ({movie.because})' if movie.because else ''}"
        for movie in summary.movies
    ]
    return "\n".join([*lines, *rows(_facts(summary), 9)])


def _facts(summary: Summary) -> Iterator[tuple[str, str]]:
    if summary.measured_fps is not None:
        promised = ""
        if summary.promised_fps:
            promised = f" (the camera promises {summary.promised_fps:g})"
        yield "rate", f"{summary.measured_fps:.2f} frames a second measured{promised}"
    if summary.thinned:
        yield "thinned", f"{counted(summary.thinned, 'frame')} left out, as asked"
    if summary.reconnects:
        times = "once" if summary.reconnects == 1 else f"{summary.reconnects} times"
        yield "camera", f"reconnected {times}"
    for gap in summary.gaps:
        start, end = as_datetime(gap.start).astimezone(), as_datetime(gap.end).astimezone()
        span = f"{start:%H:%M:%S} to {end:%H:%M:%S} ({in_time(gap.seconds)})"
        yield "gap", f"{span}: {gap.detail}"
    if summary.drops:
        frames = counted(summary.drops, "frame")
        yield "dropped", f"{frames}: the disk was too slow, or nobody could have decoded them"
    for trouble, count in summary.trouble.most_common():
        if count:
            yield "noticed", f"{trouble.counted(count)}. {trouble.advice}"
