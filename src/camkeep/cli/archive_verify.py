"""``camkeep archive verify``."""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Iterator
from pathlib import Path

from camkeep.archive.disk import read_error
from camkeep.archive.files import FileBytes, SystemFiles
from camkeep.archive.reaper import seal_of
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
from camkeep.cli.common import counted, folded, say
from camkeep.cli.moments import in_local
from camkeep.errors import MediaError, UsageError
from camkeep.media.mp4.clip_verify import ClipEvidence, Verdict, verify_clip
from camkeep.media.mp4.seal import NOTHING_BEFORE

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
    if found.segments or found.findings:
        say(f"{found.camera.name}: {counted(found.segments, 'segment')}{when}: {verdict}")
    else:
        say(f"{found.camera.name}: nothing is sealed yet")
    for finding in found.findings:
        at = ""
        if finding.start is not None and finding.end is not None:
            at = f"{from_to(finding.start, finding.end)}  "
        _say_finding(finding.kind.value, f"{at}{finding.told}")
    if found.removed:
        say(f"  {counted(found.removed, 'segment')} deleted on purpose, as written down")
    if found.damaged:
        say(f"  {counted(found.damaged, 'segment')} damaged by the disk, never sealed")
    if found.open:
        say(f"  {counted(found.open, 'segment')} still open, not sealed yet")
    if found.head != NOTHING_BEFORE:
        say(f"  head {found.head.hex()}")


def _say_finding(kind: str, told: str) -> None:
    say("\n".join(folded(told, f"  {kind}  ", "    ")))


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
        "head": found.head.hex() if found.head != NOTHING_BEFORE else None,
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
    found = _examined(args.clip)
    chains = {segment.seal.chain for segment in found.segments if segment.seal is not None}
    lost = [head for head in heads if head not in chains]
    findings = list(_clip_findings(found))
    fine = found.intact and not findings and not lost
    if args.json:
        print_json(_clip_json(found, fine, lost))
    else:
        _tell_clip(args.clip, found, findings)
        for head in lost:
            say(f"{head.hex()} is not part of this clip")
    return 0 if fine else NOT_INTACT


def _examined(clip: Path) -> ClipEvidence:
    """What a clip proves. Raises UsageError, StorageError or MediaError."""
    try:
        fd = os.open(clip, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        raise UsageError(
            f"there is no file {clip}: name an exported clip, or with --camera a camera of the "
            "archive"
        ) from None
    except OSError as error:
        raise read_error(error, clip) from error
    try:
        return verify_clip(FileBytes(SystemFiles(), fd))
    except OSError as error:
        raise read_error(error, clip) from error
    except MediaError:
        if seal_of(clip) is None:
            raise
        raise UsageError(
            f"{clip} is no clip but a segment of an archive: camkeep archive verify --data DIR "
            "looks at all of them"
        ) from None
    finally:
        os.close(fd)


def _tell_clip(clip: Path, found: ClipEvidence, findings: list[tuple[str, str]]) -> None:
    verdict = counted(len(findings), "finding") if findings else "intact"
    when = ""
    if found.segments:
        when = f", {from_to(found.segments[0].start, found.segments[-1].end)}"
    say(f"{clip}: {counted(len(found.segments), 'segment')}{when}: {verdict}")
    for kind, told in findings:
        _say_finding(kind, told)
    for hole in found.holes:
        told = f"{from_to(hole.start, hole.end)}  was missing when the clip was made: {hole.reason}"
        say("\n".join(folded(told, "  ", "    ")))
    if found.chain:
        say(f"  head {found.chain.hex()}")
        told = "camkeep archive verify --head tells whether an archive has it"
        say("\n".join(folded(told, "  ", "  ")))


def _clip_findings(found: ClipEvidence) -> Iterator[tuple[str, str]]:
    """What is not as the camera sent it, or not known to be."""
    sealed = True  # the segment before
    for segment in found.segments:
        what = f"{from_to(segment.start, segment.end)}  {counted(segment.frames, 'frame')}"
        if segment.verdict is Verdict.CHANGED:
            yield "changed", f"{what}: not what was sealed"
        if segment.verdict is Verdict.UNSEALED:
            yield "unsealed", f"{what}: not sealed yet when the clip was made; nothing is known"
        elif not segment.linked and sealed:
            yield "missing", f"something is missing before {in_local(segment.start, None)}"
        sealed = segment.verdict is not Verdict.UNSEALED
    for problem in found.problems:
        yield "inserted", problem


def _clip_json(found: ClipEvidence, fine: bool, lost: list[bytes]) -> dict[str, object]:
    return {
        "intact": fine,
        "heads_missing": [head.hex() for head in lost],
        "unbroken": found.unbroken,
        "camera_id": found.camera_id,
        "problems": list(found.problems),
        "head": found.chain.hex() or None,
        "missing": [
            {
                "sequence": hole.sequence,
                "start": instant(hole.start),
                "end": instant(hole.end),
                "reason": hole.reason,
            }
            for hole in found.holes
        ],
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
