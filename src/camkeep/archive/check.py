"""Whether the index and the files say the same: names and sizes of all, without reading any.

Blocks; run beside the recording, in a thread and with a connection of its own. What a crash left
is put right by `recovery` before a camera is recorded; this finds what people and disks did.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from camkeep.archive.catalog import Catalog
from camkeep.archive.disk import write_error
from camkeep.archive.layout import days_of, is_damaged, segment_path, segments_in
from camkeep.model import KeptCamera, Segment, SegmentState

MOST = 1000
"""Whoever took a disk's place knows after so many."""


@dataclass(frozen=True, slots=True)
class Mismatch:
    """Something that index and files do not agree on."""

    camera: str
    """Its name."""
    path: str
    told: str
    """In a sentence."""


def check(
    root: Path, catalog: Catalog, given_up: Callable[[], bool] = lambda: False
) -> list[Mismatch]:
    """What index and files do not agree on, the first thousand of it. Raises StorageError.

    Both may change meanwhile: what seems wrong is looked at once more before it is told. Once
    nobody waits for the answer any more (`given_up`), it ends soon.
    """
    found: list[Mismatch] = []
    try:
        for camera in catalog.cameras():
            found += islice(_compared(root, camera, catalog, given_up), MOST - len(found))
    except OSError as error:
        raise write_error(error, root) from error
    return found


def _compared(
    root: Path, camera: KeptCamera, catalog: Catalog, given_up: Callable[[], bool]
) -> Iterator[Mismatch]:
    """All that is wrong with one camera. Raises OSError."""
    sizes: dict[str, int] = {}
    for path, length in _sizes(root, camera):
        sizes[path] = length
        if given_up():
            return
    newest = -1
    for row in catalog.every_segment(camera.id):
        if given_up():
            return
        newest = row.sequence
        size = sizes.pop(row.path, None)
        if row.state is SegmentState.CLOSED and size != row.size:
            told = _told(root, row)
            if told and catalog.segment(row.camera, row.sequence) == row:
                yield Mismatch(camera.name, row.path, told)
    for row in catalog.every_segment(camera.id, after=newest) if sizes else ():
        sizes.pop(row.path, None)
    for path in sizes:
        if (root / path).exists() and not is_damaged(path):
            yield Mismatch(camera.name, path, f"{path} is not in the index")


def _sizes(root: Path, camera: KeptCamera) -> Iterator[tuple[str, int]]:
    for day in days_of(root, camera.folder):
        for entry in segments_in(day):
            with suppress(FileNotFoundError):  # it was deleted meanwhile
                yield segment_path(camera.folder, day.day, entry.name), entry.stat().st_size


def _told(root: Path, row: Segment) -> str:
    """What is wrong with the file of a row; empty where nothing is."""
    try:
        size = (root / row.path).stat().st_size
    except FileNotFoundError:
        return f"{row.path} is missing"
    return f"{row.path} has {size} bytes instead of {row.size}" if size != row.size else ""
