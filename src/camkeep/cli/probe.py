"""``camkeep probe CAMERA``."""

from __future__ import annotations

import argparse
import asyncio
import json
from dataclasses import replace

from camkeep.cli.amounts import seconds
from camkeep.cli.common import (
    CODECS,
    add_camera,
    camera_from,
    folded,
    in_rate,
    in_time,
    rows,
    say,
)
from camkeep.engine.diagnosis import diagnose
from camkeep.engine.probe import Report, probe
from camkeep.engine.report import report_values
from camkeep.engine.sources import make_source
from camkeep.errors import of_camera
from camkeep.model import Codec


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "probe",
        help="what a camera is, what it really delivers, and what is wrong with it",
        description="Watch a camera for a while and tell what it really delivers.",
    )
    add_camera(parser)
    parser.add_argument(
        "--duration", metavar="TIME", type=seconds, default=5.0, help="how long to watch (5s)"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Watch and tell."""
    address, options = camera_from(args)
    with of_camera(str(address)):
        source = make_source(address, replace(options, exact_arrivals=True))
        report = asyncio.run(probe(source, args.duration))
    say(json.dumps(report_values(report), indent=2) if args.json else describe(report))
    return 0


def describe(report: Report) -> str:
    """The report for a person."""
    facts: list[tuple[str, str | None]] = [
        ("camera", report.product),
        ("login", report.login),
        ("transport", report.transport),
        ("video", _video(report)),
        ("rate", _rate(report)),
        ("key frames", _gop(report)),
        ("bit rate", in_rate(report.bits_per_s) if report.bits_per_s else None),
        ("sound", _sound(report)),
        ("clock", _clock(report)),
        ("first frame", f"after {in_time(report.first_frame_s)}"),
    ]
    lines = [report.address, *rows([(name, told) for name, told in facts if told], 12), ""]
    advice = diagnose(report)
    if not advice:
        lines.append("Nothing is wrong with it.")
    for words in advice:
        lines += folded(words, "! ", "  ")
    return "\n".join(lines)


def _video(report: Report) -> str | None:
    video = report.video
    if video is None:
        return None
    shown = f"{CODECS[video.codec]} {video.width}x{video.height}"
    if video.codec is not Codec.JPEG:  # whose codec string tells nobody anything
        shown += f" ({video.codec_string})"
    return f"{shown}, frames out of order (B-frames)" if report.reordered else shown


def _rate(report: Report) -> str | None:
    if report.measured_fps is None:
        return None
    promised = f"{report.promised_fps:g} promised" if report.promised_fps else "none promised"
    jitter = f", jitter {report.jitter_s * 1000:.1f} ms" if report.jitter_s is not None else ""
    return f"{report.measured_fps:.2f} frames a second measured, {promised}{jitter}"


def _gop(report: Report) -> str | None:
    if report.video is None or report.video.codec is Codec.JPEG:
        return None
    if report.gop is None:
        return f"only one in {in_time(report.seconds)}"
    least, most = report.gop
    return f"every {least} frames" if least == most else f"every {least} to {most} frames"


def _sound(report: Report) -> str | None:
    audio = report.audio
    if audio is None:
        return "none"
    channels = {1: "mono", 2: "stereo"}.get(audio.channels, f"{audio.channels} channels")
    silent = "" if report.audio_samples else ", but nothing came"
    return f"{CODECS[audio.codec]} {audio.sample_rate} Hz {channels}{silent}"


def _clock(report: Report) -> str | None:
    if report.clock_offset_s is None:
        return None
    offset = round(report.clock_offset_s, 2)
    if not offset:
        return "as this machine's"
    return f"{abs(offset):.2f} s {'ahead of' if offset > 0 else 'behind'} this machine's"
