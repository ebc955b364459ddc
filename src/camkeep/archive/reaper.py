"""Deletes segments, in an order in which a crash between any two steps costs nothing.

Which ones is decided elsewhere (`retention`). Blocks; on the writer thread of the volume.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from itertools import groupby
from pathlib import Path
from typing import Any

from camkeep.archive.beside import MAX_SMALL_FILE, read_gaps, read_removals, removals_json
from camkeep.archive.beside import with_removed as joined
from camkeep.archive.disk import create_error
from camkeep.archive.files import replace_file
from camkeep.archive.layout import (
    GAPS_FILE,
    RECORDINGS,
    REMOVED_FILE,
    DayFolder,
    day_name,
    days_of,
    is_damaged,
    read_instant,
    segments_in,
)
from camkeep.archive.root import ArchiveRoot
from camkeep.clock import WallUs
from camkeep.errors import DiskFull, MediaError
from camkeep.media.mp4.seal import SEAL_READ, Seal, read_seal
from camkeep.model import CameraId, KeptCamera, Removal, Segment

AskIndex = Callable[[Callable[[Any], Any]], Any]
"""Has a job done with the index and waits for what comes of it."""


Owed = list[tuple[Segment, Seal | None]]
"""What is gone and could not be noted yet."""


def remove_segments(
    root: ArchiveRoot,
    camera: KeptCamera,
    segments: Sequence[Segment],
    ask: AskIndex,
    now: WallUs,
    owed: Owed | None = None,
) -> int:
    """Delete `segments` of `camera`; how many bytes that freed. Raises StorageError.

    Where the disk is so full that a removal cannot be noted even afterwards, it is added to
    `owed`, for `note_owed`.

    Steps: the rows are marked; the removal is noted, so that a hole in the chain is explained;
    the files go; their folders are flushed; the rows go. What a crash leaves is marked, and done
    again from the start: each step may be repeated.
    """
    root.check()
    keys = [(segment.camera, segment.sequence) for segment in segments]
    full = False
    try:
        ask(lambda index: index.mark_deleting(keys))
        removals = note_removals(root, camera, segments, now)
    except DiskFull:  # then the files go first, which makes the room to note it
        full = True
    freed = 0
    seals = [seal_of(root.path / segment.path) for segment in segments] if full else []
    for segment in segments:
        with suppress(FileNotFoundError):
            root.files.unlink(root.path / segment.path)
            freed += segment.size
    for day in sorted({segment.path.rpartition("/")[0] for segment in segments}):
        with suppress(FileNotFoundError):
            root.files.sync_folder(root.path / day)
    if full:
        owed = [] if owed is None else owed
        owed += zip(segments, seals, strict=True)
        note_owed(root, camera, owed, ask, now)
        return freed
    ask(lambda index: index.forget(keys))
    ask(lambda index: index.replace_removals(camera.id, removals))
    return freed


def note_owed(
    root: ArchiveRoot, camera: KeptCamera, owed: Owed, ask: AskIndex, now: WallUs
) -> None:
    """Note what is gone already. Raises DiskFull where there still is no room, and may be tried
    again."""
    if owed:
        gone, seals = [segment for segment, _ in owed], [seal for _, seal in owed]
        removals = note_removals(root, camera, gone, now, seals)
        owed.clear()
        keys = [(segment.camera, segment.sequence) for segment in gone]
        ask(lambda index: index.forget(keys))
        ask(lambda index: index.replace_removals(camera.id, removals))


def note_removals(
    root: ArchiveRoot,
    camera: KeptCamera,
    segments: Sequence[Segment],
    now: WallUs,
    seals: Sequence[Seal | None] | None = None,
) -> list[Removal]:
    """Write down that sealed `segments` are removed on purpose; all removals of the camera.

    A damaged one is no part of the chain, even where its last flush failed behind its seal.
    """
    path = root.path / RECORDINGS / camera.folder / REMOVED_FILE
    before = read_removed(path, camera.id)
    removals = before
    for number, segment in enumerate(segments):
        seal = seals[number] if seals is not None else seal_of(root.path / segment.path)
        known = any(row.first <= segment.sequence <= row.last for row in removals)
        if seal is not None and not known and not is_damaged(segment.path):
            removals = joined(
                removals,
                Removal(
                    camera=camera.id,
                    first=segment.sequence,
                    last=segment.sequence,
                    count=1,
                    start=segment.start,
                    end=segment.end,
                    previous=seal.previous,
                    chain=seal.chain,
                    removed=now,
                ),
            )
    if removals != before:
        try:
            replace_file(root.files, path, removals_json(removals))
        except OSError as error:
            raise create_error(error, path) from error
    return removals


def read_removed(path: Path, camera: CameraId) -> list[Removal]:
    """The removals in a camera's removed.json; none where it is not there or damaged."""
    try:
        with path.open("rb") as file:
            return read_removals(file.read(MAX_SMALL_FILE), camera)
    except (OSError, ValueError):
        return []


def seal_of(path: Path) -> Seal | None:
    """The seal at the end of a file; None where it has none, or is gone."""
    try:
        return read_seal_of(path)
    except (OSError, MediaError):
        return None


def read_seal_of(path: Path) -> Seal | None:
    """The seal at the end of a file; None where it has none. Raises OSError, or MediaError where
    the seal contradicts itself."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - SEAL_READ))
        return read_seal(file.read(SEAL_READ))


def remove_empty_days(root: ArchiveRoot, camera: KeptCamera, oldest: WallUs) -> bool:
    """Remove the first days of a camera, up to that of `oldest`, when the oldest footage that is
    left began, as long as there are only gaps in them, and all of them are over by then. Whether
    any went. Raises OSError."""
    gone = False
    for day in days_of(root.path, camera.folder):
        if (
            day.day >= day_name(oldest)
            or next(segments_in(day), None) is not None
            or not _over(day, oldest)
        ):
            break
        with suppress(FileNotFoundError):
            root.files.unlink(day.path / GAPS_FILE)
        with suppress(OSError):  # a person put something into it
            root.files.remove_folder(day.path)
        gone = True
    if gone:
        root.files.sync_folder(root.path / RECORDINGS / camera.folder)
    return gone


def first_day(root: ArchiveRoot, camera: KeptCamera) -> WallUs | None:
    """When the first day of which anything is there began: of the gaps before it nothing is left.
    Raises OSError."""
    for day in days_of(root.path, camera.folder):
        if any(day.path.iterdir()):  # a crash can come before an empty one goes
            with suppress(ValueError):  # no such day
                return read_instant(f"{day.day}T00:00:00.000000Z")
    return None


def _over(day: DayFolder, oldest: WallUs) -> bool:
    try:
        gaps, _ = read_gaps((day.path / GAPS_FILE).read_bytes())
    except FileNotFoundError:
        return True
    return all(gap.end <= oldest for gap in gaps)


def by_camera(segments: Iterable[Segment]) -> list[tuple[CameraId, list[Segment]]]:
    """Segments of each camera, in order of sequence."""
    rows = sorted(segments, key=lambda segment: (segment.camera, segment.sequence))
    return [(camera, list(group)) for camera, group in groupby(rows, lambda row: row.camera)]
