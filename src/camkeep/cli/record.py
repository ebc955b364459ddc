"""``camkeep record CAMERA FILE``."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
import time
from pathlib import Path

from camkeep.cli.common import add_camera, camera_from, in_bytes, in_rate, in_time, seconds
from camkeep.clock import as_datetime
from camkeep.engine.plan import Plan, Progress, Summary
from camkeep.engine.record import Recording
from camkeep.engine.sources import make_source

PLAIN_S = 10.0
"""Seconds between progress lines where there is no terminal."""


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
    parser.add_argument("file", type=Path, help="the movie to make (.mp4)")
    parser.add_argument("--duration", metavar="TIME", type=seconds, help="stop after 90s, 10m, 1h")
    parser.add_argument("--frames", metavar="N", type=int, help="stop after so many frames")
    parser.add_argument(
        "--fps",
        metavar="RATE",
        type=float,
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
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Record, show progress, and print the summary."""
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
    recording = Recording(make_source(address, options), plan, options.clock)
    show = None if args.quiet else _Meter()
    summary = asyncio.run(_until_signal(recording, show))
    if show is not None:
        show.end()
    return _conclude(summary)


async def _until_signal(recording: Recording, show: _Meter | None) -> Summary:
    """Run `recording`; the first SIGINT, SIGTERM or SIGHUP stops it in good order."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup and shells mean it
            loop.add_signal_handler(number, _stop, recording, number)
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
        print(describe(summary))
    if summary.error is not None:
        if summary.stopped and not summary.movies:
            print("camkeep: stopped before the first frame; nothing was kept", file=sys.stderr)
            return 130
        print(f"camkeep: {summary.error}", file=sys.stderr)
        return summary.error.exit_code
    return 0


def describe(summary: Summary) -> str:
    """The summary for a person, one fact a line."""
    lines = [
        f"{movie.path}  {in_time(movie.seconds)}  {movie.frames} frames  {in_bytes(movie.bytes)}"
        for movie in summary.movies
    ]
    if summary.measured_fps is not None:
        promised = ""
        if summary.promised_fps:
            promised = f" (the camera promises {summary.promised_fps:g})"
        lines.append(f"  rate     {summary.measured_fps:.2f} frames a second measured{promised}")
    if summary.thinned:
        lines.append(f"  thinned  {summary.thinned} frames left out, as asked")
    if summary.reconnects:
        times = "once" if summary.reconnects == 1 else f"{summary.reconnects} times"
        lines.append(f"  reconnected {times}")
    for gap in summary.gaps:
        start, end = as_datetime(gap.start).astimezone(), as_datetime(gap.end).astimezone()
        lines.append(
            f"  gap      {start:%H:%M:%S} to {end:%H:%M:%S} ({in_time(gap.seconds)}): {gap.cause}"
        )
    if summary.drops:
        lines.append(
            f"  dropped  {summary.drops} frames: the disk was too slow, or they were undecodable"
        )
    for trouble, count in summary.trouble.most_common():
        if count:
            lines.append(f"  noticed  {count} {trouble.what}. {trouble.advice}")
    return "\n".join(lines)


class _Meter:
    """Shows progress: one line that changes on a terminal, a plain line now and then without."""

    def __init__(self) -> None:
        self._live = sys.stderr.isatty()
        self._last: Progress | None = None
        self._last_at = 0.0
        self._rates: list[tuple[float, int, int]] = []
        self._printed_at = time.monotonic()
        self._state = ""

    def __call__(self, progress: Progress) -> None:
        """Show `progress`."""
        now = time.monotonic()
        self._rates = [r for r in self._rates if now - r[0] <= 5.0]
        self._rates.append((now, progress.frames, progress.bytes))
        if self._live:
            sys.stderr.write(f"\r\x1b[K{self._line(progress)}")
            sys.stderr.flush()
        elif progress.state != self._state or now - self._printed_at >= PLAIN_S:
            self._state, self._printed_at = progress.state, now
            print(self._line(progress), file=sys.stderr, flush=True)

    def _line(self, progress: Progress) -> str:
        if progress.state != "live" and not progress.frames:
            return progress.state
        (then, frames, size), (now, frames_now, size_now) = self._rates[0], self._rates[-1]
        parts = [in_time(progress.seconds), f"{progress.frames} frames"]
        if now > then:
            parts.append(f"{(frames_now - frames) / (now - then):.1f} a second")
            parts.append(in_rate((size_now - size) * 8 / (now - then)))
        parts.append(in_bytes(progress.bytes))
        if progress.drops:
            parts.append(f"{progress.drops} dropped")
        if progress.files > 1:
            parts.append(f"file {progress.files}")
        if progress.state != "live":
            parts.append(progress.state)
        return "  ".join(parts)

    def end(self) -> None:
        """Leave the terminal clean for the summary."""
        if self._live:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
