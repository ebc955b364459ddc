"""What a crash left of one camera's recording, made whole before the camera is recorded again.

Blocks; on the writer thread of the volume. The files decide: the index may be behind them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from camkeep.archive.adopt import segment_of_file
from camkeep.archive.beside import read_gaps
from camkeep.archive.catalog import Name
from camkeep.archive.coverage import unexplained
from camkeep.archive.disk import write_error
from camkeep.archive.files import FileBytes
from camkeep.archive.index import Index
from camkeep.archive.intervals import Span
from camkeep.archive.layout import (
    GAPS_FILE,
    RECORDINGS,
    REMOVED_FILE,
    damaged_name,
    days_of,
    is_damaged,
    segment_path,
    segments_in,
)
from camkeep.archive.ledger import append_gap
from camkeep.archive.reaper import first_day, read_removed, remove_segments, seal_of
from camkeep.archive.recover_movie import Empty, recover_movie
from camkeep.archive.root import ArchiveRoot
from camkeep.archive.segments import Tail
from camkeep.clock import WallUs
from camkeep.errors import MediaError
from camkeep.media.mp4.resume import MAX_HEADER, resume_movie
from camkeep.model import CameraId, Cause, Gap, KeptCamera, Removal, Segment, SegmentState

AskIndex = Callable[[Callable[[Any], Any]], Any]
"""Has a job done with the index and waits for what comes of it."""
Rows = dict[str, Segment | Name]
"""By path: what the index knows, of closed segments only their names."""
RECENT_DAYS = 2
"""Whose lines of gaps are read again: a crash may have cost the index its last rows."""


def recover_camera(root: ArchiveRoot, camera: KeptCamera, ask: AskIndex) -> Tail:
    """Make whole what there is of `camera`; where its recording stands. Raises StorageError.

    Steps: deletions that were noted are done; what a crash cost in the midst is noted as a gap;
    open segments are cut to their last whole fragment and sealed, in the order in which they were
    begun; files without a row get one, and rows without a file go; what cannot be read is put
    aside as damaged, and what holds nothing goes. Each may be repeated.
    """
    try:
        return _recover(root, camera, ask)
    except OSError as error:
        raise write_error(error, root.path / RECORDINGS / camera.folder) from error


def _recover(root: ArchiveRoot, camera: KeptCamera, ask: AskIndex) -> Tail:
    removals = read_removed(root.path / RECORDINGS / camera.folder / REMOVED_FILE, camera.id)
    if removals != ask(lambda index: index.removals(camera.id)):
        ask(lambda index: index.replace_removals(camera.id, removals))
    rows: Rows = {row.path: row for row in ask(lambda index: index.names(camera.id))}
    rows |= {row.path: row for row in ask(lambda index: index.not_closed(camera.id))}
    found = list(_found(root, camera, rows))
    _finish_deletions(root, camera, rows, found, removals, ask)
    found.sort(key=lambda segment: segment.sequence)
    _read_gaps_again(root, camera, ask)
    for start, end in _holes(root, camera, found, ask):
        gap = Gap(start, end, Cause.NOT_RUNNING, "a crash came before it was on the disk")
        _note(root, camera, gap, ask)
    for segment in found:
        if isinstance(segment, Name):
            continue
        if segment.state is SegmentState.OPEN:
            _seal(root, segment, ask)
        elif segment.path not in rows:
            _tell(ask, segment)
    last = ask(lambda index: index.tail(camera.id))
    return Tail(
        sequence=ask(lambda index: index.next_sequence(camera.id)) - 1,
        run=last.run if last is not None else 0,
        chain=ask(lambda index: index.chain_end(camera.id)),
        end=last.end if last is not None else None,
    )


def _found(root: ArchiveRoot, camera: KeptCamera, rows: Rows) -> Iterator[Segment | Name]:
    """The segments of `camera` that are there: as their rows have them, or else their files."""
    for day in days_of(root.path, camera.folder):
        for entry in segments_in(day):
            path = segment_path(camera.folder, day.day, entry.name)
            segment = rows.get(path) or _look(root, camera, path)
            if segment is not None:
                yield segment


def _finish_deletions(
    root: ArchiveRoot,
    camera: KeptCamera,
    rows: Rows,
    found: list[Segment | Name],
    removals: Sequence[Removal],
    ask: AskIndex,
) -> None:
    """Delete what was noted as removed and is still in `found`, and the rows of what is gone."""
    there = {segment.path for segment in found}
    gone = [
        (camera.id, row.sequence)
        for path, row in rows.items()
        if path not in there
        and (_state(row) is SegmentState.OPEN or _noted(removals, row.sequence))
    ]
    if gone:
        ask(lambda index: index.forget(gone))
    noted = [  # only what was sealed is ever noted
        segment
        for segment in found
        if _noted(removals, segment.sequence)
        and _state(segment) is not SegmentState.DAMAGED
        and seal_of(root.path / segment.path) is not None
    ]
    if noted:
        whole = [_whole(camera, segment, ask) for segment in noted]
        remove_segments(root, camera, whole, ask, removals[-1].removed)
        found[:] = [segment for segment in found if segment not in noted]


def _state(row: Segment | Name) -> SegmentState:
    return row.state if isinstance(row, Segment) else SegmentState.CLOSED


def _whole(camera: KeptCamera, row: Segment | Name, ask: AskIndex) -> Segment:
    """All that is known of a segment."""
    if isinstance(row, Segment):
        return row
    found: Segment = ask(lambda index: index.segment(camera.id, row.sequence))
    return found


def _noted(removals: Sequence[Removal], sequence: int) -> bool:
    return any(removal.first <= sequence <= removal.last for removal in removals)


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
        if (root.path / path).stat().st_size > MAX_HEADER or is_damaged(path):
            _put_aside(root, path)
        else:
            root.files.unlink(root.path / path)  # created, and its header never flushed
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


def _holes(
    root: ArchiveRoot, camera: KeptCamera, found: Sequence[Segment | Name], ask: AskIndex
) -> Iterator[Span]:
    """What is missing between segments that are there, from where the first open one was begun: a
    disk may lose what was written first and keep what was written later."""
    states = [_state(segment) for segment in found]
    if SegmentState.OPEN not in states[:-1]:
        return
    end: WallUs | None = None
    for segment in found[max(0, states.index(SegmentState.OPEN) - 1) :]:
        known = _whole(camera, segment, ask)
        whole = known if known.state is not SegmentState.OPEN else _as_far(root, known)
        if whole is None:
            continue
        if end is not None:
            gaps = ask(partial(_gaps_between, camera.id, end, whole.start))
            yield from unexplained([], gaps, end, whole.start)
        end = whole.end


def _as_far(root: ArchiveRoot, segment: Segment) -> Segment | None:
    """An open segment up to its last whole fragment; None where it has none."""
    files = root.files
    fd = files.open(root.path / segment.path)
    try:
        resumed = resume_movie(FileBytes(files, fd))
    except MediaError:
        return None
    finally:
        files.close(fd)
    return replace(segment, duration_us=resumed.movie.duration_us) if resumed else None


def _gaps_between(camera: CameraId, start: WallUs, end: WallUs, index: Index) -> list[Gap]:
    return index.gaps(camera, start, end, end)


def _read_gaps_again(root: ArchiveRoot, camera: KeptCamera, ask: AskIndex) -> None:
    """The index may be behind what was written to the newest days, and what was removed of the
    first ones."""
    first = first_day(root, camera)
    if first is not None:
        ask(lambda index: index.drop_gaps(camera.id, first))
    for day in days_of(root.path, camera.folder)[-RECENT_DAYS:]:
        try:
            gaps, _ = read_gaps((day.path / GAPS_FILE).read_bytes())
        except OSError:
            continue
        ask(partial(_save_gaps, camera.id, gaps))


def _note(root: ArchiveRoot, camera: KeptCamera, gap: Gap, ask: AskIndex) -> None:
    append_gap(root.files, root.path / RECORDINGS / camera.folder, gap)
    ask(partial(_save_gaps, camera.id, [gap]))


def _save_gaps(camera: CameraId, gaps: list[Gap], index: Index) -> None:
    index.save_gaps(camera, gaps)
