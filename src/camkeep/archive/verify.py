"""Whether the archive is what it was: the chain of seals of each camera, and the bytes behind it.

Each seal names the one before it, so a segment that was changed, is missing or was put in between
stands out. What was deleted on purpose is written down as links of the same chain (`removed.json`)
and leaves no hole. What this proves, and what it does not, is told in docs/evidence.md.

Blocks, for as long as it takes to read all that is kept; memory grows by some 300 bytes a segment.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from camkeep.archive.evidence import examine_file
from camkeep.archive.layout import (
    RECORDINGS,
    REMOVED_FILE,
    days_of,
    is_damaged,
    segment_path,
    segments_in,
)
from camkeep.archive.reaper import read_removed, read_seal_of
from camkeep.clock import WallUs
from camkeep.errors import MediaError, StorageError
from camkeep.media.mp4.seal import NOTHING_BEFORE, Seal
from camkeep.model import KeptCamera, Removal, Segment, SegmentState


class Kind(StrEnum):
    """What is not as it was."""

    CHANGED = "changed"
    MISSING = "missing"
    INSERTED = "inserted"
    UNREADABLE = "unreadable"


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


class Link(NamedTuple):
    """A segment, or some that were removed, as a part of the chain."""

    sequence: int
    previous: bytes
    chain: bytes
    start: WallUs
    end: WallUs
    path: str
    """Empty for what was removed."""


class Hole(NamedTuple):
    """What is wrong with the order of links."""

    kind: Kind
    before: Link | None
    """The link before which something is missing, or that does not belong there."""
    after: Link | None


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
    removals = read_removed(root / RECORDINGS / camera.folder / REMOVED_FILE, camera.id)
    look.for_missing(removals)
    left = [link for link in look.links if not _covers(removals, link.sequence)]
    links = sorted([*left, *map(_link_of, removals)], key=lambda link: link.sequence)
    for hole in holes(links):
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
        self.links: list[Link] = []
        self.findings: list[Finding] = []
        self.open = self.damaged = 0
        self._root = root
        self._camera = camera
        self._rows = dict(rows) if rows is not None else None
        self._contents = contents
        self._progress = progress
        self._seen: dict[bytes, str] = {}

    def at(self, path: str, size: int) -> None:
        """Look at one file."""
        row = self._rows.pop(path, None) if self._rows is not None else None
        self._progress(size)
        if is_damaged(path):
            self.damaged += 1
            return
        try:
            seal = read_seal_of(self._root / path)
            if seal is None:
                self._unsealed(path, row)
                return
            self._sealed(path, seal, row)
            if self._contents:
                self._compare(path, seal)
        except FileNotFoundError:
            pass  # deleted meanwhile: the removal tells
        except (MediaError, OSError, StorageError) as error:
            self._find(Kind.UNREADABLE, path, row, f"{path} cannot be read: {error}")

    def for_missing(self, removals: Collection[Removal]) -> None:
        """What the index knows and nobody found or removed."""
        for path, row in (self._rows or {}).items():
            gone = row.state is SegmentState.CLOSED and not (self._root / path).exists()
            if gone and not _covers(removals, row.sequence):
                self._find(Kind.MISSING, "", row, f"{path} is missing: the index knows it")

    def _unsealed(self, path: str, row: Segment | None) -> None:
        if row is not None and row.state is SegmentState.CLOSED:
            told = f"{path} was closed, and its seal is gone or was changed"
            self._find(Kind.CHANGED, path, row, told)
        else:
            self.open += 1

    def _sealed(self, path: str, seal: Seal, row: Segment | None) -> None:
        start = seal.identity.start
        end = WallUs(start + seal.duration_us)
        chain = seal.chain
        if seal.identity.camera_id != self._camera.id:
            self._note(Kind.INSERTED, start, end, path, f"{path} is of another camera")
            return
        if chain in self._seen:
            told = f"{path} is a copy of {self._seen[chain]}"
            self._note(Kind.INSERTED, start, end, path, told)
            return
        if row is not None and row.chain and row.chain != chain:
            told = f"{path} was sealed anew: the index knows another seal"
            self._note(Kind.CHANGED, start, end, path, told)
        self._seen[chain] = path
        self.links.append(Link(seal.identity.sequence, seal.previous, chain, start, end, path))

    def _compare(self, path: str, seal: Seal) -> None:
        found = examine_file(self._root / path)
        if not found.structure:
            end = WallUs(seal.identity.start + seal.duration_us)
            told = f"{path} was changed: its tables or times are not what was sealed"
            self._note(Kind.CHANGED, seal.identity.start, end, path, told)
        for start, end in found.changed:
            told = f"{path} was changed: its pictures or sound are not what was sealed"
            self._note(Kind.CHANGED, start, end, path, told)

    def _find(self, kind: Kind, path: str, row: Segment | None, told: str) -> None:
        start, end = (row.start, row.end) if row is not None else (None, None)
        self._note(kind, start, end, path, told)

    def _note(
        self, kind: Kind, start: WallUs | None, end: WallUs | None, path: str, told: str
    ) -> None:
        self.findings.append(Finding(kind, self._camera.name, start, end, path, told))


def holes(links: Iterable[Link]) -> Iterator[Hole]:
    """Where links, in order of sequence, do not follow each other. Pure.

    A link that does not name the one before it was either put in between, where a later one goes
    on from there, or something before it is missing.
    """
    rows = list(links)
    last_use = {row.previous: number for number, row in enumerate(rows)}
    at, before = NOTHING_BEFORE, None
    for number, row in enumerate(rows):
        if row.previous == at:
            at, before = row.chain, row
        elif last_use.get(at, -1) > number:
            yield Hole(Kind.INSERTED, before, row)
        else:
            yield Hole(Kind.MISSING, before, row)
            at, before = row.chain, row


def _covers(removals: Collection[Removal], sequence: int) -> bool:
    return any(removal.first <= sequence <= removal.last for removal in removals)


def _link_of(removal: Removal) -> Link:
    return Link(removal.first, removal.previous, removal.chain, removal.start, removal.end, "")


def _finding(camera: KeptCamera, hole: Hole) -> Finding:
    link, before = hole.after, hole.before
    assert link is not None
    what = link.path or "what was deleted on purpose"
    if hole.kind is Kind.INSERTED:
        told = f"{what} does not belong there: the chain goes on without it"
        return Finding(Kind.INSERTED, camera.name, link.start, link.end, link.path, told)
    told = f"before {what}, something is missing that was there when it was sealed"
    start = before.end if before is not None else None
    return Finding(Kind.MISSING, camera.name, start, link.start, "", told)
