"""An archive to look at: by a program, by commands, while another process records into it.

Nothing is written, but for the movies that are exported. Times are aware datetimes, or
microseconds since 1970 in UTC (`WallUs`) as all values here have them. All calls block.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

from camkeep.archive.clips import read_clips
from camkeep.archive.coverage import Coverage, coverage
from camkeep.archive.export import Exported, export_clip
from camkeep.archive.growing import at_this_moment
from camkeep.archive.layout import INDEX
from camkeep.archive.root import open_root
from camkeep.archive.timecatalog import TimeCatalog
from camkeep.archive.virtual import VirtualClip, open_clip
from camkeep.clock import Clock, SystemClock, WallUs
from camkeep.errors import UsageError
from camkeep.media.mp4.splice import Gaps
from camkeep.model import Clip, Gap, KeptCamera, Segment, SegmentState

Instant = datetime | int
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def as_wall(instant: Instant) -> WallUs:
    """Microseconds since 1970, UTC. Raises UsageError for a datetime without its zone."""
    if not isinstance(instant, datetime):
        return WallUs(instant)
    if instant.tzinfo is None:
        raise UsageError("a moment needs its time zone: datetime(..., tzinfo=UTC) for one")
    return WallUs((instant - _EPOCH) // timedelta(microseconds=1))


def there_are(names: Sequence[str]) -> str:
    """What there is to choose from, in words."""
    if len(names) > 1:
        return f"there are {', '.join(names)}"
    return f"there is only {names[0]}" if names else "there is none yet"


class ArchiveView:
    """What is kept in the folder of an archive: ``with camkeep.Archive("cams") as archive``."""

    def __init__(self, path: str | os.PathLike[str], clock: Clock | None = None) -> None:
        """Raises UsageError where there is no archive, IndexDamaged where it needs reindexing."""
        self._root = open_root(Path(path))
        self._clock = clock or SystemClock()
        self.catalog = TimeCatalog.open(self._root.path / INDEX)
        """All questions that can be asked of the index."""

    @property
    def path(self) -> Path:
        """Its folder."""
        return self._root.path

    def close(self) -> None:
        """Let go of the index."""
        self.catalog.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def cameras(self) -> list[KeptCamera]:
        """All cameras that are or were kept, by name."""
        return self.catalog.cameras()

    def camera(self, name: str) -> KeptCamera:
        """The camera of that name, in whatever case. Raises UsageError, which tells the others."""
        found = self.catalog.camera_named(name)
        if found is None:
            known = there_are([camera.name for camera in self.cameras()])
            raise UsageError(f"no camera of the archive is called {name}: {known}")
        return found

    def segments(self, camera: str, start: Instant, end: Instant) -> list[Segment]:
        """The files with pictures from `start` up to `end`, in the order of recording; one that
        grows as it is at this moment."""
        begin, until = as_wall(start), as_wall(end)
        found = self.catalog.segments(self.camera(camera).id, begin, until)
        seen = (at_this_moment(self.path, segment) for segment in found)
        return [s for s in seen if s.end > begin or s.start >= begin]

    def gaps(self, camera: str, start: Instant, end: Instant) -> list[Gap]:
        """When the camera should have been recorded between the two and was not, and why."""
        now = self._clock.wall()
        return self.catalog.gaps(self.camera(camera).id, as_wall(start), as_wall(end), now)

    def coverage(self, camera: str, start: Instant, end: Instant) -> Coverage:
        """How much of the time between the two is recorded, and what became of the rest."""
        of, begin, until = self.camera(camera), as_wall(start), as_wall(end)
        now = self._clock.wall()
        segments = [
            (segment.start, now if segment.state is SegmentState.OPEN else segment.end)
            for segment in self.catalog.segments(of.id, begin, until)
        ]
        return coverage(
            segments,
            self.catalog.gaps(of.id, begin, until, now),
            self.catalog.removals(of.id),
            begin,
            until,
            since=of.since,
            now=now,
        )

    def clips(self) -> list[Clip]:
        """All clips, by when they start."""
        return read_clips(self.path)[0]

    def clip(self, clip_id: str) -> Clip | None:
        """The clip of that id."""
        return next((clip for clip in self.clips() if clip.id == clip_id), None)

    def open(
        self,
        camera: str,
        start: Instant,
        end: Instant,
        *,
        cut_gaps: bool = False,
        evidence: bool = False,
    ) -> VirtualClip:
        """What was recorded between the two, as movies that can be read at any offset without
        being written anywhere: mostly one, more where a movie cannot hold what changed. Raises
        UsageError where nothing was recorded."""
        of = self.camera(camera)
        segments = self.catalog.segments(of.id, as_wall(start), as_wall(end))
        gaps = Gaps.CUT if cut_gaps else Gaps.KEEP
        opened = open_clip(
            self.path, segments, as_wall(start), as_wall(end), gaps=gaps, evidence=evidence
        )
        if not opened:
            opened.close()
            raise UsageError(f"{of.name} was not recorded then: camkeep archive gaps tells why")
        return opened

    def export(
        self,
        camera: str,
        start: Instant,
        end: Instant,
        path: str | os.PathLike[str],
        *,
        cut_gaps: bool = False,
        evidence: bool = True,
        overwrite: bool = False,
        progress: Callable[[int, int], object] = lambda done, total: None,
    ) -> list[Exported]:
        """Write what was recorded between the two to `path`: mostly one movie, see `open`.

        With `evidence` it can be verified away from the archive. `progress` is told bytes, done
        and in all. Raises UsageError or StorageError.
        """
        opened = self.open(camera, start, end, cut_gaps=cut_gaps, evidence=evidence)
        with opened:
            return export_clip(opened, Path(path), overwrite=overwrite, progress=progress)


Archive = ArchiveView
"""What programs call it: `camkeep.Archive`."""
