"""``camkeep archive export``, ``clip`` and ``unclip``."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from camkeep.archive.clips import delete_clip, write_clip
from camkeep.archive.export import Exported, export_clip
from camkeep.archive.files import SystemFiles
from camkeep.archive.layout import new_clip_id
from camkeep.archive.view import ArchiveView
from camkeep.archive.virtual import VirtualClip
from camkeep.cli.archive_common import (
    ProgressLine,
    add_interval,
    from_to,
    instant,
    interval_from,
    print_json,
    span,
    view_from,
)
from camkeep.cli.common import complain, in_bytes, in_time, say
from camkeep.cli.moments import in_local
from camkeep.clock import SystemClock, WallUs
from camkeep.errors import UsageError
from camkeep.model import Clip, KeptCamera


def add_export(parser: argparse.ArgumentParser) -> None:
    """``archive export``."""
    parser.add_argument("what", metavar="WHAT", help="the id of a clip, or the name of a camera")
    parser.add_argument("file", metavar="FILE", type=Path, help="the movie to write (.mp4)")
    add_interval(parser)
    parser.add_argument(
        "--cut-gaps",
        action="store_true",
        help="leave out the time in which nothing was recorded; else the last picture stays",
    )
    parser.add_argument(
        "--evidence",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="put in what is needed to verify it away from the archive",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace a file that exists")
    parser.set_defaults(run=run_export)


def run_export(args: argparse.Namespace) -> int:
    """Write a clip, or an interval of a camera, to a file for each camera."""
    if args.file.suffix.lower() not in (".mp4", ".m4v", ".mov"):
        raise UsageError(f"clips are MP4: call the file {args.file.stem or 'clip'}.mp4")
    results: list[tuple[KeptCamera, VirtualClip, list[Exported]]] = []
    with view_from(args) as view:
        cameras, start, end = _wanted(args, view)
        line = ProgressLine("exporting", quiet=args.json)
        for camera in cameras:
            path = args.file
            if len(cameras) > 1:
                path = path.with_stem(f"{path.stem}-{camera.folder}")
                if not view.segments(camera.name, start, end):
                    complain(f"camkeep: {camera.name} was not recorded then")
                    continue
            with view.open(
                camera.name, start, end, cut_gaps=args.cut_gaps, evidence=args.evidence
            ) as opened:
                written = export_clip(opened, path, overwrite=args.overwrite, progress=line.bytes)
            results.append((camera, opened, written))
        line.end()
    if not results:
        raise UsageError("nothing of that clip was recorded: camkeep archive gaps tells why")
    if args.json:
        print_json([_json(camera, opened, each) for camera, opened, w in results for each in w])
    else:
        for _, opened, written in results:
            _tell(opened, written)
    return 0


def _wanted(args: argparse.Namespace, view: ArchiveView) -> tuple[list[KeptCamera], WallUs, WallUs]:
    """Cameras and interval."""
    clip = view.clip(args.what)
    if clip is not None:
        if args.start or args.end:
            raise UsageError("a clip has its own interval: leave out --from and --to")
        known = {camera.id: camera for camera in view.cameras()}
        cameras = [known[camera] for camera in clip.cameras if camera in known]
        return cameras, clip.start, clip.end or SystemClock().wall()
    camera = view.camera(args.what)
    if not args.start:
        raise UsageError("say from when: --from 14:03 --to 14:20")
    return [
        camera,
    ], *interval_from(args)


def _tell(opened: VirtualClip, written: list[Exported]) -> None:
    for each in written:
        movie = each.movie
        end = WallUs(movie.spans[-1].wall + movie.spans[-1].length_us)
        say(
            f"{each.path}  {in_time(movie.duration_us / 1e6)}  {in_bytes(movie.size)}  "
            f"{from_to(movie.start, end)}"
        )
    for missing in opened.missing:
        say(f"  without {missing.segment.path}: {missing.reason}")


def _json(camera: KeptCamera, opened: VirtualClip, each: Exported) -> dict[str, object]:
    return {
        "camera": camera.name,
        "path": str(each.path),
        "bytes": each.movie.size,
        "seconds": each.movie.duration_us / 1e6,
        "start": instant(each.movie.start),
        "missing": [{"path": m.segment.path, "reason": m.reason} for m in opened.missing],
    }


def add_clip(parser: argparse.ArgumentParser) -> None:
    """``archive clip``."""
    parser.add_argument("cameras", metavar="CAMERA", nargs="+", help="the name of a camera")
    add_interval(parser, required=True)
    parser.add_argument("--name", metavar="TEXT", default="", help="what it is called")
    parser.add_argument(
        "--hold",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="keep its pictures, whatever the quotas say",
    )
    parser.set_defaults(run=run_clip)


def run_clip(args: argparse.Namespace) -> int:
    """Make a clip. A recorder that runs sees it before it deletes anything more."""
    start, end = interval_from(args)
    with view_from(args) as view:
        cameras = [view.camera(name) for name in args.cameras]
        clip = Clip(
            id=new_clip_id(),
            name=args.name,
            cameras=tuple(dict.fromkeys(camera.id for camera in cameras)),
            start=start,
            end=end,
            held=args.hold,
            created=SystemClock().wall(),
        )
        if not clip.name:
            names = ", ".join(dict.fromkeys(camera.name for camera in cameras))
            clip = replace(clip, name=f"{names} {in_local(start, None)}")
        write_clip(view.path, SystemFiles(), clip)
    if args.json:
        print_json({"id": clip.id, "name": clip.name, "start": instant(start), "end": instant(end)})
    else:
        say(f"{clip.name}\n  {clip.id}  {from_to(start, end)}  {span(start, end)}")
    return 0


def add_unclip(parser: argparse.ArgumentParser) -> None:
    """``archive unclip``."""
    parser.add_argument("clip", metavar="CLIP", help="its id, as camkeep archive clips tells it")
    parser.set_defaults(run=run_unclip)


def run_unclip(args: argparse.Namespace) -> int:
    """Forget a clip. Its pictures stay as long as the quotas let them."""
    with view_from(args) as view:
        clip = view.clip(args.clip)
        if clip is None:
            raise UsageError(f"no clip has the id {args.clip}: camkeep archive clips lists them")
        delete_clip(view.path, SystemFiles(), clip.id)
    if args.json:
        print_json({"id": clip.id})
    else:
        say(f"{clip.name!r} is no clip any more. Its pictures stay as long as there is room.")
    return 0
