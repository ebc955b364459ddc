"""What a crash left of one camera's recording, made whole before the camera is recorded again.

Blocks; on the writer thread of the volume. The files decide: the index may be behind them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from camkeep.archive.adopt import segment_of_file
from camkeep.archive.beside import read_gaps
from camkeep.archive.disk import write_error
from camkeep.archive.index import Index
from camkeep.archive.layout import (
    GAPS_FILE,
    damaged_name,
    days_of,
    segment_path,
    segments_in,
)
from camkeep.archive.recover_movie import Empty, recover_movie
from camkeep.archive.root import ArchiveRoot
from camkeep.archive.segments import Tail
from camkeep.errors import MediaError
from camkeep.model import CameraId, Gap, KeptCamera, Segment, SegmentState

AskIndex = Callable[[Callable[[Any], Any]], Any]
"""Has a job done with the index and waits for what comes of it."""
RECENT_DAYS = 2
"""Whose lines of gaps are read again: a crash may have cost the index its last rows."""


def recover_camera(root: ArchiveRoot, camera: KeptCamera, ask: AskIndex) -> Tail:
    """Make whole what there is of `camera`; where its recording stands. Raises StorageError.

    Steps: files without a row get one; rows without a file go; open segments are cut to their
    last whole fragment and sealed, in the order in which they were begun; what cannot be read is
    put aside as damaged, and what holds nothing goes. Each may be repeated.
    """
    open_ones = list(_open_segments(root, camera, ask))
    for segment in sorted(open_ones, key=lambda segment: segment.sequence):
        _seal(root, segment, ask)
    _read_gaps_again(root, camera, ask)
    last = ask(lambda index: index.tail(camera.id))
    return Tail(
        sequence=ask(lambda index: index.next_sequence(camera.id)) - 1,
        run=last.run if last is not None else 0,
        chain=ask(lambda index: index.chain_end(camera.id)),
        end=last.end if last is not None else None,
    )


def _open_segments(root: ArchiveRoot, camera: KeptCamera, ask: AskIndex) -> Iterator[Segment]:
    """The segments of `camera` without a seal. Sealed files that the index does not know are
    told to it on the way."""
    rows = {row.path: row for row in ask(lambda index: list(index.every_segment(camera.id)))}
    for day in days_of(root.path, camera.folder):
        for entry in segments_in(day):
            path = segment_path(camera.folder, day.day, entry.name)
            row = rows.pop(path, None)
            if row is not None and row.state is not SegmentState.OPEN:
                continue
            found = row
            if row is None and (found := _look(root, camera, path)) is None:
                continue
            if found.state is SegmentState.OPEN:
                yield found
            else:
                _tell(ask, found)
    gone = [(row.camera, row.sequence) for row in rows.values() if row.state is SegmentState.OPEN]
    if gone:
        ask(lambda index: index.forget(gone))


def _tell(ask: AskIndex, segment: Segment) -> None:
    """Give a segment that needs no recovery its row."""
    if segment.state is SegmentState.DAMAGED:
        ask(lambda index: index.segment_damaged(segment))
    else:
        ask(lambda index: index.segment_closed(segment))


def _look(root: ArchiveRoot, camera: KeptCamera, path: str) -> Segment | None:
    """What a file is that the index does not know; None where it is put aside."""
    try:
        return segment_of_file(root.path, path, camera.id)
    except MediaError:
        if (root.path / path).stat().st_size:
            _put_aside(root, path)
        else:
            root.files.unlink(root.path / path)  # created, and nothing written
        return None


def _seal(root: ArchiveRoot, segment: Segment, ask: AskIndex) -> None:
    """Close a segment that a crash left open."""
    path = root.path / segment.path
    key = (segment.camera, segment.sequence)
    try:
        found = recover_movie(root.files, path, ask(lambda index: index.chain_end(segment.camera)))
    except MediaError:
        aside = _put_aside(root, segment.path)
        damaged = replace(segment, path=aside, state=SegmentState.DAMAGED)
        ask(lambda index: index.segment_damaged(damaged))
        return
    except OSError as error:
        raise write_error(error, path) from error
    if isinstance(found, Empty):
        root.files.unlink(path)
        root.files.sync_folder(path.parent)
        ask(lambda index: index.forget([key]))
        return
    seal = found.seal
    closed = replace(
        segment,
        run=seal.identity.run,
        start=seal.identity.start,
        duration_us=seal.duration_us,
        size=found.size,
        frames=seal.frames,
        state=SegmentState.CLOSED,
        chain=seal.chain,
    )
    ask(lambda index: index.segment_closed(closed))


def _put_aside(root: ArchiveRoot, path: str) -> str:
    """Say in its name that a file cannot be read; what it is called then."""
    where = Path(path)
    aside = where.with_name(damaged_name(where.name))
    root.files.rename(root.path / where, root.path / aside)
    root.files.sync_folder((root.path / aside).parent)
    return aside.as_posix()


def _read_gaps_again(root: ArchiveRoot, camera: KeptCamera, ask: AskIndex) -> None:
    for day in days_of(root.path, camera.folder)[-RECENT_DAYS:]:
        try:
            gaps, _ = read_gaps((day.path / GAPS_FILE).read_bytes())
        except OSError:
            continue
        ask(partial(_save_gaps, camera.id, gaps))


def _save_gaps(camera: CameraId, gaps: list[Gap], index: Index) -> None:
    index.save_gaps(camera, gaps)
