"""Whether the index and the files say the same: names and sizes of all, without reading any.

Blocks; run beside the recording, in a thread and with a connection of its own. What a crash left
is put right by `recovery` before a camera is recorded; this finds what people and disks did.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from camkeep.archive.catalog import Catalog
from camkeep.archive.layout import days_of, is_damaged, segment_path, segments_in
from camkeep.model import KeptCamera, Segment, SegmentState


@dataclass(frozen=True, slots=True)
class Mismatch:
    """Something that index and files do not agree on."""

    camera: str
    """Its name."""
    path: str
    told: str
    """In a sentence."""


def check(root: Path, catalog: Catalog) -> list[Mismatch]:
    """All that index and files do not agree on. Raises StorageError.

    Both may change meanwhile: what seems wrong is looked at once more before it is told.
    """
    found: list[Mismatch] = []
    for camera in catalog.cameras():
        sizes = _sizes(root, camera)
        for row in catalog.every_segment(camera.id):
            size = sizes.pop(row.path, None)
            if row.state is SegmentState.CLOSED and size != row.size:
                told = _compared(root, row)
                if told:
                    found.append(Mismatch(camera.name, row.path, told))
        found += [
            Mismatch(camera.name, path, f"{path} is not in the index")
            for path in sizes
            if (root / path).exists() and not is_damaged(path)
        ]
    return found


def _sizes(root: Path, camera: KeptCamera) -> dict[str, int]:
    return {
        segment_path(camera.folder, day.day, entry.name): entry.stat().st_size
        for day in days_of(root, camera.folder)
        for entry in segments_in(day)
    }


def _compared(root: Path, row: Segment) -> str:
    """What is wrong with the file of a row; empty where nothing is."""
    try:
        size = (root / row.path).stat().st_size
    except OSError:
        return f"{row.path} is missing"
    return f"{row.path} has {size} bytes instead of {row.size}" if size != row.size else ""
