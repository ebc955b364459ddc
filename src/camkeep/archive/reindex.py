"""The index, made anew from the files: a new database beside the old one, then in its place.

Reads the last bytes of each segment, where its seal says what it is, and the small files beside
them. What cannot be read is reported and passed over: one file never stands in the way of others.
Blocks; some 10 s for 100,000 segments.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from camkeep.archive.adopt import segment_of_file
from camkeep.archive.beside import read_camera, read_gaps
from camkeep.archive.clips import read_clips
from camkeep.archive.disk import write_error
from camkeep.archive.index import Index
from camkeep.archive.layout import (
    CAMERA_FILE,
    GAPS_FILE,
    RECORDINGS,
    REMOVED_FILE,
    DayFolder,
    camera_folders,
    days_of,
    segment_path,
    segments_in,
    starts_as_named,
)
from camkeep.archive.reaper import read_removed, seal_of
from camkeep.errors import MediaError
from camkeep.model import CameraId, KeptCamera, Removal, Segment, SegmentState


@dataclass(slots=True)
class Rebuilt:
    """What an index was made of."""

    cameras: int = 0
    segments: int = 0
    gaps: int = 0
    clips: int = 0
    problems: list[str] = field(default_factory=list)
    """What could not be read, or was mended, a sentence each."""


def rebuild(root: Path, path: Path, progress: Callable[[int], object] = lambda _: None) -> Rebuilt:
    """Make the index at `path` from the files of the archive at `root`.

    `progress` is told how many segments were read. Steps: make a database beside; fill it; close
    it, which leaves one whole file; put it in place of the old one. Raises StorageError.
    """
    draft = path.with_name(f"{path.name}.new")
    _remove(draft)
    rebuilt = Rebuilt()
    try:
        with Index.open(draft) as index:
            for folder in camera_folders(root):
                _Camera(root, folder, index, rebuilt, progress).read()
            clips, problems = read_clips(root)
            for clip in clips:
                index.save_clip(clip)
        _remove(path)
        draft.replace(path)
    except OSError as error:
        raise write_error(error, path) from error
    finally:
        with suppress(OSError):
            _remove(draft)
    rebuilt.clips = len(clips)
    rebuilt.problems += problems
    return rebuilt


def _remove(path: Path) -> None:
    """A database, and what SQLite keeps beside it."""
    for name in (path.name, f"{path.name}-wal", f"{path.name}-shm"):
        with suppress(FileNotFoundError):
            path.with_name(name).unlink()


class _Camera:
    """One folder under recordings/."""

    def __init__(
        self,
        root: Path,
        folder: str,
        index: Index,
        rebuilt: Rebuilt,
        progress: Callable[[int], object],
    ) -> None:
        self._root = root
        self._folder = folder
        self._base = root / RECORDINGS / folder
        self._index = index
        self._rebuilt = rebuilt
        self._progress = progress
        self._found: dict[int, Segment] = {}

    def read(self) -> None:
        """All that is in it."""
        if not _is_text(self._folder):
            self._tell("is left out: its name is no text")
            return
        days = days_of(self._root, self._folder)
        camera = self._camera(days)
        if camera is None:
            return
        known = self._index.camera(camera.id)
        if known is not None:
            self._tell(f"is left out: it is of the same camera as {RECORDINGS}/{known.folder}")
            return
        self._index.save_camera(camera)
        self._rebuilt.cameras += 1
        for day in days:
            self._segments(camera, day)
            self._gaps(camera, day)
        removals = read_removed(self._base / REMOVED_FILE, camera.id)
        self._index.replace_removals(camera.id, removals)
        self._index.save_segments([_marked(s, removals) for s in self._found.values()])

    def _camera(self, days: list[DayFolder]) -> KeptCamera | None:
        """The camera as its file says, or where that is lost, as its segments do."""
        try:
            return read_camera((self._base / CAMERA_FILE).read_bytes(), self._folder)
        except (OSError, ValueError):
            pass
        for day in days:
            for entry in sorted(segments_in(day), key=lambda entry: entry.name):
                seal = seal_of(Path(entry.path))
                if seal is not None and seal.identity.camera_id:
                    self._tell(f"{CAMERA_FILE} cannot be read: the camera is named by its files")
                    identity = seal.identity
                    camera_id = CameraId(identity.camera_id)
                    return KeptCamera(camera_id, identity.camera, self._folder, "", identity.start)
        if days:
            self._tell(f"{CAMERA_FILE} cannot be read, and no segment says whose they are")
        return None

    def _segments(self, camera: KeptCamera, day: DayFolder) -> None:
        for entry in segments_in(day):
            path = segment_path(self._folder, day.day, entry.name)
            try:
                segment = segment_of_file(self._root, path, camera.id)
            except (OSError, MediaError) as error:
                self._tell(f"{day.day}/{entry.name} is left out: {error}")
                continue
            self._rebuilt.segments += 1
            self._progress(self._rebuilt.segments)
            twin = self._found.get(segment.sequence)
            if twin is not None:
                segment, copy = _original(twin, segment)
                where = "/".join(copy.path.split("/")[-2:])
                self._tell(f"{where} is a copy of {segment.path}, and left out")
                self._rebuilt.segments -= 1
            self._found[segment.sequence] = segment

    def _gaps(self, camera: KeptCamera, day: DayFolder) -> None:
        try:
            gaps, bad = read_gaps((day.path / GAPS_FILE).read_bytes())
        except FileNotFoundError:
            return
        except OSError as error:
            self._tell(f"{day.day}/{GAPS_FILE} cannot be read: {error.strerror}")
            return
        if bad:
            self._tell(f"{day.day}/{GAPS_FILE} has {bad} lines that cannot be read")
        self._index.save_gaps(camera.id, gaps)
        self._rebuilt.gaps += len(gaps)

    def _tell(self, problem: str) -> None:
        folder = self._folder.encode("utf-8", "replace").decode()
        self._rebuilt.problems.append(f"{RECORDINGS}/{folder}: {problem}")


def _is_text(name: str) -> bool:
    return name.encode("utf-8", "replace").decode() == name


def _original(one: Segment, other: Segment) -> tuple[Segment, Segment]:
    """Of two files that are the same segment: the one that has the name it was given, and the
    other."""
    day, name = other.path.split("/")[-2:]
    return (other, one) if starts_as_named(day, name, other.start) else (one, other)


def _marked(segment: Segment, removals: list[Removal]) -> Segment:
    """A segment whose removal was noted is to be deleted, though a crash came before. Only what
    was sealed is ever noted: others between two that were removed may be held."""
    noted = segment.state is SegmentState.CLOSED and any(
        row.first <= segment.sequence <= row.last for row in removals
    )
    return replace(segment, state=SegmentState.DELETING) if noted else segment
