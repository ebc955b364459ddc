"""The subcommands of ``camkeep archive`` that only look: list, gaps, clips."""

from __future__ import annotations

import argparse

from camkeep.archive.localdays import days_of
from camkeep.archive.view import ArchiveView
from camkeep.archive.words import why
from camkeep.cli.archive_common import (
    add_cameras,
    add_interval,
    cameras_from,
    from_to,
    instant,
    interval_from,
    print_json,
    span,
    table,
    view_from,
)
from camkeep.cli.common import counted, folded, in_bytes, in_time, say
from camkeep.cli.moments import in_local
from camkeep.clock import WallUs
from camkeep.model import CameraId, Clip, Gap, KeptCamera, Segment, SegmentState

_STATES = {
    SegmentState.OPEN: " (grows)",
    SegmentState.CLOSED: "",
    SegmentState.DAMAGED: " (damaged)",
    SegmentState.DELETING: " (is being deleted)",
}


def add_list(parser: argparse.ArgumentParser) -> None:
    """``archive list``."""
    add_cameras(parser)
    add_interval(parser)
    parser.add_argument("--files", action="store_true", help="each file, not only days")
    parser.set_defaults(run=run_list)


def run_list(args: argparse.Namespace) -> int:
    """What is kept, by camera and day, or file by file."""
    start, end = interval_from(args)
    with view_from(args) as view:
        cameras = cameras_from(args, view)
        found = {c.id: view.segments(c.name, start, end) for c in cameras}
        if args.json:
            print_json([_segment_json(c, s) for c in cameras for s in found[c.id]])
            return 0
        if not any(found.values()):
            say("Nothing is kept of that time.")
        for camera in cameras:
            if segments := found[camera.id]:
                say(camera.name)
                rows = _files(segments) if args.files else _days(view, camera, segments, start, end)
                say(table(rows))
    return 0


def _files(segments: list[Segment]) -> list[tuple[str, ...]]:
    return [
        (
            from_to(segment.start, segment.end),
            in_bytes(segment.size),
            counted(segment.frames, "frame"),
            segment.path + _STATES[segment.state],
        )
        for segment in segments
    ]


def _days(
    view: ArchiveView, camera: KeptCamera, segments: list[Segment], start: WallUs, end: WallUs
) -> list[tuple[str, ...]]:
    first = max(start, min(segment.start for segment in segments))
    last = min(end, max(segment.end for segment in segments) + 1)
    rows: list[tuple[str, ...]] = []
    for day in days_of(first, WallUs(max(last, first + 1)), None):
        own = [s for s in segments if day.start <= s.start < day.end]
        if not own:
            continue
        covered = view.coverage(camera.name, max(start, day.start), min(end, day.end))
        share = covered.share
        rows.append(
            (
                f"{day.day:%Y-%m-%d}",
                in_time(covered.recorded_us / 1e6),
                "" if share is None else f"{100 * share:.2f} %",
                in_bytes(sum(segment.size for segment in own)),
                counted(len(own), "file"),
            )
        )
    return rows


def _segment_json(camera: KeptCamera, segment: Segment) -> dict[str, object]:
    return {
        "camera": camera.name,
        "sequence": segment.sequence,
        "run": segment.run,
        "start": instant(segment.start),
        "end": instant(segment.end),
        "path": segment.path,
        "bytes": segment.size,
        "frames": segment.frames,
        "codec": segment.codec,
        "width": segment.width,
        "height": segment.height,
        "audio": segment.audio or None,
        "state": segment.state.value,
        "chain": segment.chain.hex() or None,
    }


def add_gaps(parser: argparse.ArgumentParser) -> None:
    """``archive gaps``."""
    add_cameras(parser)
    add_interval(parser)
    parser.set_defaults(run=run_gaps)


def run_gaps(args: argparse.Namespace) -> int:
    """When cameras were not recorded, and why."""
    start, end = interval_from(args)
    with view_from(args) as view:
        cameras = cameras_from(args, view)
        found = [(c, gap) for c in cameras for gap in view.gaps(c.name, start, end)]
    found.sort(key=lambda pair: (pair[1].start, pair[0].name))
    if args.json:
        print_json([_gap_json(camera, gap) for camera, gap in found])
    elif not found:
        kept = any(camera.since < end for camera in cameras)
        told = "everything that should have been recorded is kept"
        say(f"No gap: {told if kept else 'nothing was to be recorded yet'}.")
    for camera, gap in () if args.json else found:
        told = f"{camera.name}: {why(gap)}"
        lasts = " so far" if gap.lasting else ""
        head = f"{from_to(gap.start, gap.end)}  {span(gap.start, gap.end)}{lasts}  "
        say("\n".join(folded(head + told, "", "    ")))
    return 0


def _gap_json(camera: KeptCamera, gap: Gap) -> dict[str, object]:
    return {
        "camera": camera.name,
        "start": instant(gap.start),
        "end": None if gap.lasting else instant(gap.end),
        "seconds": gap.seconds,
        "cause": gap.cause.value,
        "detail": gap.detail,
    }


def add_clips(parser: argparse.ArgumentParser) -> None:
    """``archive clips``."""
    parser.set_defaults(run=run_clips)


def run_clips(args: argparse.Namespace) -> int:
    """The clips that people made."""
    with view_from(args) as view:
        names = {camera.id: camera.name for camera in view.cameras()}
        clips = view.clips()
    if args.json:
        print_json([_clip_json(clip, names) for clip in clips])
    elif not clips:
        say("No clip yet: press Record, or see camkeep archive clip --help.")
    else:
        for clip in clips:
            say("\n".join((clip.name, *folded(_clip_told(clip, names), "  ", "    "))))
    return 0


def _clip_told(clip: Clip, names: dict[CameraId, str]) -> str:
    if clip.end is not None:
        when = f"{from_to(clip.start, clip.end)}  {span(clip.start, clip.end)}"
    else:
        when = f"{in_local(clip.start, None)} - now  being recorded"
    cameras = ", ".join(names.get(camera, camera) for camera in clip.cameras)
    return f"{clip.id}  {when}  {cameras}{'' if clip.held else '  (not held)'}"


def _clip_json(clip: Clip, names: dict[CameraId, str]) -> dict[str, object]:
    return {
        "id": clip.id,
        "name": clip.name,
        "cameras": [names.get(camera, camera) for camera in clip.cameras],
        "start": instant(clip.start),
        "end": instant(clip.end),
        "held": clip.held,
        "created": instant(clip.created),
    }
