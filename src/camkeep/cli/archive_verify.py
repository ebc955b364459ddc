"""``camkeep archive verify`` and ``reindex``."""

from __future__ import annotations

import argparse
import os
import re
from pathlib import Path

from camkeep.archive.catalog import Catalog
from camkeep.archive.disk import read_error
from camkeep.archive.files import FileBytes, SystemFiles
from camkeep.archive.layout import INDEX
from camkeep.archive.reindex import Rebuilt, rebuild
from camkeep.archive.root import Lock, open_root
from camkeep.archive.verify import Verified, verify_camera
from camkeep.cli.archive_common import (
    ProgressLine,
    add_cameras,
    cameras_from,
    from_to,
    instant,
    print_json,
    view_from,
)
from camkeep.cli.common import counted, data_from, folded, in_bytes, say
from camkeep.errors import IndexDamaged, UsageError
from camkeep.media.mp4.clip_verify import ClipEvidence, Verdict, verify_clip

NOT_INTACT = 8
"""The exit code where something is not as it was."""
_HEAD = re.compile("[0-9a-f]{64}", re.IGNORECASE)


def add_verify(parser: argparse.ArgumentParser) -> None:
    """``archive verify``."""
    parser.add_argument(
        "clip",
        metavar="CLIP.mp4",
        nargs="?",
        type=Path,
        help="an exported clip, which needs no archive; without it, the archive",
    )
    add_cameras(parser)
    parser.add_argument(
        "--quick", action="store_true", help="only the seals and their order, not the pictures"
    )
    parser.add_argument(
        "--head",
        metavar="HASH",
        action="append",
        default=[],
        help="what an earlier verify said was the head of a camera: is it still part of the chain?",
    )
    parser.set_defaults(run=run_verify)


def run_verify(args: argparse.Namespace) -> int:
    """Whether all is as it was; NOT_INTACT where it is not."""
    heads = [_head(text) for text in args.head]
    if args.clip is not None:
        return _verify_clip(args, heads)
    with view_from(args) as view:
        cameras = cameras_from(args, view)
        total = sum(view.catalog.totals()[camera.id].bytes for camera in cameras)
        line = ProgressLine("verifying", quiet=args.json)
        seen = 0

        def progress(count: int) -> None:
            nonlocal seen
            seen += count
            line.bytes(seen, max(total, seen))

        found = [
            verify_camera(
                view.path,
                camera,
                {row.path: row for row in view.catalog.every_segment(camera.id)},
                heads=heads,
                contents=not args.quick,
                progress=progress,
            )
            for camera in cameras
        ]
        line.end()
    lost = [head for head in heads if not any(head in each.heads_found for each in found)]
    if args.json:
        print_json(
            {
                "intact": not lost and all(each.intact for each in found),
                "heads_missing": [head.hex() for head in lost],
                "cameras": [_json(each) for each in found],
            }
        )
    else:
        for each in found:
            _tell(each)
        for head in lost:
            say(f"{head.hex()} is not part of any chain here: what it stood for is not there")
    return 0 if not lost and all(each.intact for each in found) else NOT_INTACT


def _head(text: str) -> bytes:
    if not _HEAD.fullmatch(text):
        raise UsageError("a head is 64 hexadecimal digits, as an earlier verify told them")
    return bytes.fromhex(text)


def _tell(found: Verified) -> None:
    when = ""
    if found.start is not None and found.end is not None:
        when = f", {from_to(found.start, found.end)}"
    verdict = "intact" if found.intact else counted(len(found.findings), "finding")
    say(f"{found.camera.name}: {counted(found.segments, 'segment')}{when}: {verdict}")
    for finding in found.findings:
        at = ""
        if finding.start is not None and finding.end is not None:
            at = f"{from_to(finding.start, finding.end)}  "
        say("\n".join(folded(f"{at}{finding.told}", f"  {finding.kind.value}  ", "    ")))
    if found.removed:
        say(f"  {counted(found.removed, 'segment')} deleted on purpose, as written down")
    if found.damaged:
        say(f"  {counted(found.damaged, 'segment')} damaged by the disk, never sealed")
    if found.open:
        say(f"  {counted(found.open, 'segment')} still open, not sealed yet")
    say(f"  head {found.head.hex()}")


def _json(found: Verified) -> dict[str, object]:
    return {
        "camera": found.camera.name,
        "intact": found.intact,
        "segments": found.segments,
        "start": instant(found.start),
        "end": instant(found.end),
        "open": found.open,
        "damaged": found.damaged,
        "removed": found.removed,
        "head": found.head.hex(),
        "findings": [
            {
                "kind": finding.kind.value,
                "path": finding.path or None,
                "start": instant(finding.start),
                "end": instant(finding.end),
                "told": finding.told,
            }
            for finding in found.findings
        ],
    }


def _verify_clip(args: argparse.Namespace, heads: list[bytes]) -> int:
    try:
        fd = os.open(args.clip, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise read_error(error, args.clip) from error
    try:
        found = verify_clip(FileBytes(SystemFiles(), fd))
    finally:
        os.close(fd)
    chains = {segment.seal.chain for segment in found.segments if segment.seal is not None}
    fine = found.intact and all(head in chains for head in heads)
    if args.json:
        print_json(_clip_json(found, fine))
        return 0 if fine else NOT_INTACT
    for segment in found.segments:
        told = {
            Verdict.INTACT: "as the camera sent it",
            Verdict.CHANGED: "changed after it was sealed",
            Verdict.UNSEALED: "not sealed yet when the clip was made: nothing is known",
        }[segment.verdict]
        gap = "" if segment.linked else "  (something is missing before it)"
        when = from_to(segment.start, segment.end)
        say(f"{when}  {counted(segment.frames, 'frame')}  {told}{gap}")
    for problem in found.problems:
        say(problem)
    say(f"head {found.chain.hex()}: camkeep archive verify --head tells whether an archive has it")
    return 0 if fine else NOT_INTACT


def _clip_json(found: ClipEvidence, fine: bool) -> dict[str, object]:
    return {
        "intact": fine,
        "unbroken": found.unbroken,
        "camera_id": found.camera_id,
        "problems": list(found.problems),
        "head": found.chain.hex() or None,
        "segments": [
            {
                "sequence": segment.sequence,
                "start": instant(segment.start),
                "end": instant(segment.end),
                "frames": segment.frames,
                "verdict": segment.verdict.value,
                "linked": segment.linked,
            }
            for segment in found.segments
        ],
    }


def add_reindex(parser: argparse.ArgumentParser) -> None:
    """``archive reindex``."""
    parser.set_defaults(run=run_reindex)


def run_reindex(args: argparse.Namespace) -> int:
    """Make the index anew. No recorder may run meanwhile: it does that by itself where need be."""
    root = open_root(data_from(args))
    lock = Lock(root)
    try:
        line = ProgressLine("reindexing", quiet=args.json)
        rebuilt = rebuild(
            root.path, root.path / INDEX, lambda count: line.tell(counted(count, "segment"))
        )
        line.end()
        size = _kept_bytes(root.path)
    finally:
        lock.leave()
    if args.json:
        print_json(_rebuilt_json(rebuilt, size))
        return 0
    say(
        f"{counted(rebuilt.cameras, 'camera')}, {counted(rebuilt.segments, 'segment')} "
        f"({in_bytes(size)}), {counted(rebuilt.gaps, 'gap')}, {counted(rebuilt.clips, 'clip')}"
    )
    for problem in rebuilt.problems:
        say("\n".join(folded(problem, "  ", "    ")))
    return 0


def _kept_bytes(root: Path) -> int:
    try:
        with Catalog.open(root / INDEX) as catalog:
            return sum(total.bytes for total in catalog.totals().values())
    except IndexDamaged:
        return 0


def _rebuilt_json(rebuilt: Rebuilt, size: int) -> dict[str, object]:
    return {
        "cameras": rebuilt.cameras,
        "segments": rebuilt.segments,
        "bytes": size,
        "gaps": rebuilt.gaps,
        "clips": rebuilt.clips,
        "problems": rebuilt.problems,
    }
