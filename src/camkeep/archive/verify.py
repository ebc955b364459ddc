"""Whether the archive is what it was: the chain of seals of each camera, and the bytes behind it.

Each seal names the one before it, so a segment that was changed, is missing or was put in between
stands out. What was deleted on purpose is written down as links of the same chain (`removed.json`)
and leaves no hole. What this proves, and what it does not, is told in docs/evidence.md.

Blocks, for as long as it takes to read all that is kept; memory grows by some 300 bytes a segment.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from camkeep.archive.adopt import segment_of_file
from camkeep.archive.chain import Hole, Kind, Link, covers, holes, is_told, link_of
from camkeep.archive.evidence import examine_file
from camkeep.archive.layout import (
    RECORDINGS,
    REMOVED_FILE,
    days_of,
    is_damaged,
    moment,
    segment_path,
    segments_in,
    starts_as_named,
)
from camkeep.archive.reaper import read_removed, read_seal_of
from camkeep.clock import WallUs
from camkeep.errors import MediaError, StorageError
from camkeep.media.mp4.seal import NOTHING_BEFORE, Seal
from camkeep.model import KeptCamera, Removal, Segment, SegmentState


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it was, and where."""

    kind: Kind
    camera: str
    """Its name."""
    start: WallUs | None
    end: WallUs | None
    path: str
    """Of the file, in the archive; empty where it is missing."""
    told: str
    """What it is, in a sentence."""


@dataclass(frozen=True, slots=True)
class Verified:
    """What came of one camera."""

    camera: KeptCamera
    segments: int
    """Sealed ones that were looked at."""
    start: WallUs | None
    end: WallUs | None
    open: int
    """Segments that still grow, or grew until a crash: they have no seal yet."""
    damaged: int
    """Segments whose disk failed while they were written: they never had one."""
    removed: int
    """Segments that were deleted on purpose."""
    head: bytes
    """The chain at its newest segment. Noted elsewhere, it proves later that all up to it is as
    it was."""
    heads_found: frozenset[bytes]
    """Those of the heads asked for that are part of the chain."""
    findings: tuple[Finding, ...]

    @property
    def intact(self) -> bool:
        """Whether all is as it was, as far as that can be told."""
        return not self.findings


def verify_camera(
    root: Path,
    camera: KeptCamera,
    rows: Mapping[str, Segment] | None,
    *,
    heads: Collection[bytes] = (),
    contents: bool = True,
    progress: Callable[[int], object] = lambda _: None,
) -> Verified:
    """Look at all that is kept of `camera`.

    `rows` are the index's rows by path, or None where there is no index to compare with. Without
    `contents` only seals and their order are looked at, not the bytes of the movies. `progress`
    is told how many bytes were looked at.
    """
    look = _Look(root, camera, rows, contents, progress)
    for day in days_of(root, camera.folder):
        for entry in segments_in(day):
            look.at(segment_path(camera.folder, day.day, entry.name), entry.stat().st_size)
    look.at_unsealed_again()
    removals = read_removed(root / RECORDINGS / camera.folder / REMOVED_FILE, camera.id)
    look.at_names()
    look.for_missing(removals)
    left = [link for link in look.links if not covers(removals, link.sequence)]
    links = sorted([*left, *map(link_of, removals)], key=lambda link: link.sequence)
    lasts = {removal.chain: removal.last for removal in removals}
    for hole in holes(links):
        if not is_told(hole, lasts, look.told):
            look.findings.append(_finding(camera, hole))
    return Verified(
        camera,
        len(look.links),
        min((link.start for link in look.links), default=None),
        max((link.end for link in look.links), default=None),
        look.open,
        look.damaged,
        sum(removal.count for removal in removals),
        links[-1].chain if links else NOTHING_BEFORE,
        frozenset(heads) & {link.chain for link in links},
        tuple(sorted(look.findings, key=lambda finding: finding.start or 0)),
    )


class _Look:
    """One pass over the files of a camera."""

    def __init__(
        self,
        root: Path,
        camera: KeptCamera,
        rows: Mapping[str, Segment] | None,
        contents: bool,
        progress: Callable[[int], object],
    ) -> None:
        self.findings: list[Finding] = []
        self.told: set[int] = set()
        """Sequences of those that are no links, with a finding that says why."""
        self.open = self.damaged = 0
        self._root = root
        self._camera = camera
        self._rows = dict(rows) if rows is not None else {}
        self._names = {row.chain: row.path for row in self._rows.values() if row.chain}
        self._contents = contents
        self._progress = progress
        self._links: dict[bytes, Link] = {}
        self._unsealed: dict[str, Segment | None] = {}

    @property
    def links(self) -> Collection[Link]:
        """All sealed segments, in no order."""
        return self._links.values()

    def at(self, path: str, size: int) -> None:
        """Look at one file."""
        row = self._rows.pop(path, None)
        self._progress(size)
        if is_damaged(path):
            self.damaged += 1
        elif not self._is_sealed(path, row):
            self._unsealed[path] = row

    def at_unsealed_again(self) -> None:
        """Segments are sealed in the order in which they were begun: of those without a seal,
        only the newest may still grow, or have grown until a crash."""
        for path, row in self._unsealed.items():
            if self._is_sealed(path, row):  # meanwhile
                continue
            newest = max((link.sequence for link in self.links), default=-1)
            try:
                found = row or segment_of_file(self._root, path, self._camera.id)
            except FileNotFoundError:
                continue  # deleted meanwhile, or damaged
            except (MediaError, OSError) as error:
                self._find(Kind.UNREADABLE, path, None, f"{path} cannot be read: {error}")
                continue
            if found.state is SegmentState.CLOSED or found.sequence < newest:
                told = f"{path} was closed, and its seal is gone or was changed"
                self._find(Kind.CHANGED, path, found, told)
            else:
                self.open += 1

    def at_names(self) -> None:
        """Whether files have the names that they were given."""
        for link in self.links:
            known = self._names.get(link.chain, link.path)
            if known != link.path:
                told = f"{link.path} is the file that was called {known}"
            elif not _is_named_right(link.path, link.start):
                began = f"{moment(link.start):%Y-%m-%d %H:%M:%S} UTC"
                told = f"{link.path} was renamed: what is in it began at {began}"
            else:
                continue
            self._note(Kind.MOVED, link.start, link.end, link.path, told)

    def for_missing(self, removals: Collection[Removal]) -> None:
        """What the index knows and nobody found or removed."""
        for path, row in self._rows.items():
            gone = row.state is SegmentState.CLOSED and row.chain not in self._links
            if gone and not covers(removals, row.sequence) and not (self._root / path).exists():
                self._find(Kind.MISSING, "", row, f"{path} is missing: the index knows it")

    def _is_sealed(self, path: str, row: Segment | None) -> bool:
        """Look at a file. Whether that is all that can be told of it: it may have no seal yet."""
        try:
            seal = read_seal_of(self._root / path)
            if seal is None:
                return False
            self._sealed(path, seal, row)
            if self._contents:
                self._compare(path, seal)
        except FileNotFoundError:
            pass  # deleted meanwhile: the removal tells
        except (MediaError, OSError, StorageError) as error:
            self._find(Kind.UNREADABLE, path, row, f"{path} cannot be read: {error}")
        return True

    def _sealed(self, path: str, seal: Seal, row: Segment | None) -> None:
        start, end, chain = _start(seal), _end(seal), seal.chain
        if seal.identity.camera_id != self._camera.id:
            self._note(Kind.INSERTED, start, end, path, f"{path} is of another camera")
            return
        copy, twin = path, self._links.get(chain)
        if twin is None or not self._is_original(twin):
            link = Link(seal.identity.sequence, seal.previous, chain, start, end, path)
            self._links[chain] = link
            copy = twin.path if twin is not None else ""
        if copy:
            told = f"{copy} is a copy of {self._links[chain].path}"
            self._note(Kind.INSERTED, start, end, copy, told)
        elif row is not None and row.chain and row.chain != chain and chain not in self._names:
            told = f"{path} was sealed anew: the index knows another seal"
            self._note(Kind.CHANGED, start, end, path, told)

    def _is_original(self, link: Link) -> bool:
        """Whether a file has the name that it was given."""
        known = self._names.get(link.chain)
        return link.path == known if known else _is_named_right(link.path, link.start)

    def _compare(self, path: str, seal: Seal) -> None:
        found = examine_file(self._root / path)
        if not found.structure:
            told = f"{path} was changed: its tables or times are not what was sealed"
            self._note(Kind.CHANGED, _start(seal), _end(seal), path, told)
        for start, end in found.changed:
            told = f"{path} was changed: its pictures or sound are not what was sealed"
            self._note(Kind.CHANGED, start, end, path, told)

    def _find(self, kind: Kind, path: str, row: Segment | None, told: str) -> None:
        """Note what became of a segment that is no link."""
        if row is not None:
            self.told.add(row.sequence)
        start, end = (row.start, row.end) if row is not None else (None, None)
        self._note(kind, start, end, path, told)

    def _note(
        self, kind: Kind, start: WallUs | None, end: WallUs | None, path: str, told: str
    ) -> None:
        self.findings.append(Finding(kind, self._camera.name, start, end, path, told))


def _start(seal: Seal) -> WallUs:
    return seal.identity.start


def _end(seal: Seal) -> WallUs:
    return WallUs(seal.identity.start + seal.duration_us)


def _is_named_right(path: str, start: WallUs) -> bool:
    day, name = path.split("/")[-2:]
    return starts_as_named(day, name, start)


def _finding(camera: KeptCamera, hole: Hole) -> Finding:
    link, before = hole.after, hole.before
    what = link.path or "what was deleted on purpose"
    if hole.kind is Kind.INSERTED:
        told = f"{what} does not belong there: the chain goes on without it"
        return Finding(Kind.INSERTED, camera.name, link.start, link.end, link.path, told)
    told = f"before {what}, something is missing that was there when it was sealed"
    start = before.end if before is not None else None
    return Finding(Kind.MISSING, camera.name, start, link.start, "", told)
