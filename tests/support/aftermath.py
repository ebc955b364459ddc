"""What must hold of any archive whatever happened to it, once a recorder has started on it and
stopped: read by the archive's own readers, and compared with its files."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

from camkeep.archive import coverage
from camkeep.archive.beside import FOREVER
from camkeep.archive.catalog import Catalog
from camkeep.archive.check import check
from camkeep.archive.intervals import Span, joined, length_us, shared
from camkeep.archive.layout import INDEX, is_damaged
from camkeep.archive.reindex import rebuild
from camkeep.archive.verify import verify_camera
from camkeep.clock import WallUs
from camkeep.model import Cause, Clip, Gap, KeptCamera, Removal, Segment, SegmentState
from support.files import pictures_of

EVER = (WallUs(0), FOREVER)
TORN = "gaps.jsonl has 1 lines that cannot be read"
"""What a power cut leaves of a line: reported, and no fault."""
TWICE_US = 10_000
"""Most of what is recorded that a gap may cover, too."""


class Aftermath:
    """What is in an archive."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with Catalog.open(folder / INDEX) as catalog:
            self.cameras = catalog.cameras()
            self.clips: list[Clip] = catalog.clips()
            self._read = {camera.id: _Rows(catalog, camera) for camera in self.cameras}
            self._mismatches = check(folder, catalog)

    def camera(self, name: str) -> KeptCamera | None:
        return next((camera for camera in self.cameras if camera.name == name), None)

    def segments(self, camera: KeptCamera) -> list[Segment]:
        """In order of recording."""
        return self._read[camera.id].segments

    def gaps(self, camera: KeptCamera) -> list[Gap]:
        return self._read[camera.id].gaps

    def removals(self, camera: KeptCamera) -> list[Removal]:
        return self._read[camera.id].removals

    def was_removed(self, camera: KeptCamera, sequence: int) -> bool:
        return any(row.first <= sequence <= row.last for row in self.removals(camera))

    def pictures(self, camera: KeptCamera) -> list[tuple[WallUs, bytes]]:
        """All that was recorded, and when it was taken, in order of recording."""
        return [
            (WallUs(segment.start + round(shown.seconds * 1e6)), shown.data)
            for segment in self.segments(camera)
            if (self.folder / segment.path).exists()
            for shown in pictures_of(self.folder / segment.path)
        ]

    def numbers(self, camera: KeptCamera, number_of: Callable[[bytes], int]) -> list[int]:
        """The numbers of all pictures, in order of recording."""
        return [number_of(data) for _, data in self.pictures(camera)]

    def recorded(self, camera: KeptCamera) -> list[Span]:
        return joined((segment.start, segment.end) for segment in self.segments(camera))

    def complaints(self, *, damaged: bool = False) -> list[str]:
        """What is not as it must be. `damaged` segments are no fault where the disk failed."""
        found = [mismatch.told for mismatch in self._mismatches]
        with sqlite3.connect(self.folder / INDEX) as database:
            (integrity,) = database.execute("PRAGMA integrity_check").fetchone()
        if integrity != "ok":
            found.append(f"the index: {integrity}")
        for camera in self.cameras:
            found += self._of_rows(camera, damaged)
            rows = {segment.path: segment for segment in self.segments(camera)}
            verified = verify_camera(self.folder, camera, rows)
            found += [finding.told for finding in verified.findings]
            if verified.open:
                found.append(f"{camera.name} has {verified.open} segments without a seal")
        return found + self._of_rebuilt()

    def unexplained(self, now: WallUs) -> list[str]:
        """Where the ledger does not tell what was not recorded, up to `now`, or tells too much."""
        found = []
        for camera in self.cameras:
            gaps = self.gaps(camera)
            spans = [(segment.start, segment.end) for segment in self.segments(camera)]
            removals = self.removals(camera)
            since = camera.since
            if removals:  # with the first footage, the gaps before it are gone
                since = min(spans)[0] if spans else max(row.end for row in removals)
            holes = coverage.unexplained(spans, gaps, since, now, removals=removals)
            found += [f"{camera.name}: nothing explains {_told(hole)}" for hole in holes]
            told = joined((gap.start, min(gap.end, now)) for gap in gaps)
            for both in shared(self.recorded(camera), told):
                if length_us([both]) > TWICE_US:
                    found.append(f"{camera.name}: recorded, and a gap: {_told(both)}")
            lasting = [gap for gap in gaps if gap.lasting]
            causes = {Cause.NOT_RUNNING}
            if lasting and lasting[0].start == camera.since:
                causes.add(Cause.STARTING)
            if len(lasting) != 1 or lasting[0].cause not in causes:
                found.append(f"{camera.name}: what lasts is {lasting}")
        return found

    def _of_rows(self, camera: KeptCamera, damaged: bool) -> list[str]:
        found = []
        for row in self.segments(camera):
            path = self.folder / row.path
            if not path.exists():
                found.append(f"a row without a file: {row.path} ({row.state})")
            elif row.size > path.stat().st_size:
                found.append(f"a row longer than its file: {row.path}")
            if row.state is SegmentState.DAMAGED and damaged and is_damaged(row.path):
                continue
            if row.state is not SegmentState.CLOSED:
                found.append(f"{row.path} is {row.state}")
        rows = {row.path for row in self.segments(camera)}
        files = (self.folder / "recordings" / camera.folder).rglob("*.mp4")
        found += [
            f"a file without a row: {path.name}"
            for path in files
            if str(path.relative_to(self.folder)) not in rows
        ]
        return found

    def _of_rebuilt(self) -> list[str]:
        """Whether an index that is made anew from the files is the same."""
        path = self.folder.with_name(f"{self.folder.name}.rebuilt")
        rebuilt = rebuild(self.folder, path)
        found = [problem for problem in rebuilt.problems if not problem.endswith(TORN)]
        with Catalog.open(path) as catalog:
            if catalog.cameras() != self.cameras or catalog.clips() != self.clips:
                found.append("an index that is made anew has other cameras or clips")
            for camera in self.cameras:
                found += self._read[camera.id].differences(_Rows(catalog, camera))
        for leftover in path.parent.glob(f"{path.name}*"):
            leftover.unlink()
        return found


class _Rows:
    """What the index has of a camera."""

    def __init__(self, catalog: Catalog, camera: KeptCamera) -> None:
        self.name = camera.name
        self.segments: list[Segment] = list(catalog.every_segment(camera.id))
        self.gaps: list[Gap] = catalog.gaps(camera.id, *EVER, FOREVER)
        self.removals: list[Removal] = catalog.removals(camera.id)

    def differences(self, other: _Rows) -> list[str]:
        found = []
        for what in ("segments", "gaps", "removals"):
            mine, its = getattr(self, what), getattr(other, what)
            if mine != its:
                only = [row for row in mine if row not in its]
                news = [row for row in its if row not in mine]
                found.append(f"{self.name}: {what} made anew differ: {only} became {news}")
        return found


def _told(span: Span) -> str:
    return f"{span.start} to {span.end}, {length_us([span]) / 1e6:.6f} s"
