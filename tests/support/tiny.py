"""Archives of many tiny segments: real files that differ only in what their seals say."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from camkeep.archive.adopt import segment_of_seal
from camkeep.archive.beside import camera_json, clip_json, gap_line, removals_json
from camkeep.archive.index import Index
from camkeep.archive.layout import (
    CAMERA_FILE,
    CLIPS,
    GAPS_FILE,
    INDEX,
    RECORDINGS,
    REMOVED_FILE,
    day_name,
    segment_name,
    segment_path,
)
from camkeep.archive.movie import MovieFile
from camkeep.archive.root import make_root
from camkeep.clock import WallUs
from camkeep.media.jpeg import jpeg_params
from camkeep.media.mp4 import Identity, TimedSample
from camkeep.media.mp4.seal import NOTHING_BEFORE, Seal, seal_box
from camkeep.model import CameraId, Cause, Clip, Gap, KeptCamera, Removal, Segment
from support.disks import QuickFiles

NOON = WallUs(1_795_262_400_000_000)  # 2026-11-21 12:00 UTC
MINUTE = 60_000_000
HOUR = 60 * MINUTE


@cache
def _mould() -> tuple[bytes, Seal]:
    """A movie without its seal, and the seal."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "mould.mp4"
        params = jpeg_params(64, 48)
        identity = Identity("garage", 1, 1, NOON, "abcdefghijkm")
        file = MovieFile.create(path, params, None, identity, sealed=True, files=QuickFiles())
        file.append([TimedSample(params, b"\xff\xd8\xff\xd9", 0, True)])
        seal = file.close(MINUTE, NOTHING_BEFORE)
        assert seal is not None
        return path.read_bytes()[: -len(seal_box(seal))], seal


def camera(number: int = 1) -> KeptCamera:
    return KeptCamera(
        CameraId(f"abcdefghij{number:02}"), f"Cam {number}", f"Cam-{number}", "testcard:", NOON
    )


def sealed(seal: Seal) -> bytes:
    """A movie with that seal."""
    return _mould()[0] + seal_box(seal)


class Recording:
    """Segments of a camera, one after the other, as files."""

    def __init__(self, root: Path, of: KeptCamera) -> None:
        self.root = root
        self.camera = of
        self.base = root / RECORDINGS / of.folder
        self.segments: list[Segment] = []
        self.gaps: list[Gap] = []
        self.removals: list[Removal] = []
        self.base.mkdir(parents=True, exist_ok=True)
        (self.base / CAMERA_FILE).write_bytes(camera_json(of))
        self._chain = NOTHING_BEFORE
        self._sequence = 0

    def seal(self, start: WallUs, duration_us: int = MINUTE) -> Seal:
        """Of the next segment."""
        identity = Identity(self.camera.name, 1, self._sequence + 1, start, self.camera.id)
        return replace(
            _mould()[1], identity=identity, previous=self._chain, duration_us=duration_us
        )

    def record(self, start: WallUs, duration_us: int = MINUTE) -> Segment:
        seal = self.seal(start, duration_us)
        self._chain = seal.chain
        self._sequence += 1
        attempt = 1
        while True:
            path = segment_path(self.camera.folder, day_name(start), segment_name(start, attempt))
            if not (self.root / path).exists():
                break
            attempt += 1
        data = sealed(seal)
        self.write(path, data)
        self.segments.append(segment_of_seal(seal, path, len(data)))
        return self.segments[-1]

    def write(self, path: str, data: bytes) -> None:
        """Any file of the archive."""
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_bytes(data)

    def gap(self, start: WallUs, seconds: float | None = 30, cause: Cause = Cause.STALLED) -> Gap:
        """A gap; one that lasts where `seconds` is None."""
        end = WallUs(start + round((seconds or 0) * 1e6))
        gap = Gap(start, end, cause, "it stalled", lasting=seconds is None)
        day = self.base / day_name(start)
        day.mkdir(exist_ok=True)
        with (day / GAPS_FILE).open("ab") as file:
            file.write(gap_line(gap))
        self.gaps.append(gap)
        return gap

    def remove_first(self, count: int) -> Removal:
        """The first segments are removed on purpose."""
        gone, self.segments = self.segments[:count], self.segments[count:]
        for segment in gone:
            (self.root / segment.path).unlink()
        removal = Removal(
            self.camera.id,
            gone[0].sequence,
            gone[-1].sequence,
            count,
            gone[0].start,
            gone[-1].end,
            NOTHING_BEFORE,
            gone[-1].chain,
            WallUs(NOON + 100 * HOUR),
        )
        self.removals.append(removal)
        (self.base / REMOVED_FILE).write_bytes(removals_json(self.removals))
        return removal

    def tell(self, index: Index) -> None:
        """All that is there."""
        index.save_camera(self.camera)
        index.save_segments(self.segments)
        index.save_gaps(self.camera.id, self.gaps)
        index.replace_removals(self.camera.id, self.removals)


def clip(number: int, *cameras: KeptCamera, end: WallUs | None = None) -> Clip:
    ids = tuple(each.id for each in cameras)
    return Clip(f"clip{number:012}", f"fox {number}", ids, NOON, end, number % 2 == 0, NOON)


def write_clips(root: Path, clips: Iterable[Clip]) -> None:
    for each in clips:
        (root / CLIPS / f"{each.id}.json").write_bytes(clip_json(each))


def small_archive(root: Path, cameras: int = 2, segments: int = 6) -> list[Recording]:
    """An archive with some of everything, in its files and in its index."""
    make_root(root, new=True, files=QuickFiles())
    recordings = [Recording(root, camera(1 + number)) for number in range(cameras)]
    for recording in recordings:
        for number in range(segments):
            recording.record(WallUs(NOON + number * MINUTE + number))
        recording.gap(WallUs(NOON - HOUR))
        recording.gap(WallUs(NOON + 20 * HOUR), 3 * 86_400)
        recording.gap(WallUs(NOON + 200 * HOUR), None)
        recording.remove_first(2)
    clips = [clip(1, recordings[0].camera), clip(2, *(r.camera for r in recordings), end=NOON)]
    write_clips(root, clips)
    with Index.open(root / INDEX) as index:
        for recording in recordings:
            recording.tell(index)
        for each in clips:
            index.save_clip(each)
    return recordings
