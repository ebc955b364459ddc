"""Archives to measure with: many segments of 32 cameras, in the index and on the disk."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from camkeep.archive.adopt import segment_of_seal
from camkeep.archive.beside import camera_json, gap_line
from camkeep.archive.index import Index
from camkeep.archive.layout import (
    CAMERA_FILE,
    GAPS_FILE,
    RECORDINGS,
    day_name,
    segment_name,
    segment_path,
)
from camkeep.archive.movie import MovieFile
from camkeep.clock import WallUs
from camkeep.media.jpeg import jpeg_params
from camkeep.media.mp4 import Identity, TimedSample
from camkeep.media.mp4.seal import NOTHING_BEFORE, Seal, seal_box
from camkeep.model import CameraId, Cause, Gap, KeptCamera, Segment

CAMERAS = 32
START = WallUs(1_795_219_200_000_000)  # midnight, UTC
MINUTE_US = 60_000_000
BATCH = 1000


class Mould:
    """One tiny sealed movie, and others that differ from it only in what their seal says."""

    def __init__(self, folder: Path) -> None:
        path = folder / "mould.mp4"
        params = jpeg_params(64, 48)
        identity = Identity("mould", 1, 1, START, "mould")
        file = MovieFile.create(path, params, None, identity, sealed=True)
        file.append([TimedSample(params, b"\xff\xd8\xff\xd9", 0, True)])
        seal = file.close(MINUTE_US, NOTHING_BEFORE)
        assert seal is not None
        self._seal: Seal = seal
        data = path.read_bytes()
        self._body = data[: -len(seal_box(seal))]
        path.unlink()

    def cast(self, camera: KeptCamera, number: int, previous: bytes) -> tuple[Segment, bytes]:
        """Segment `number` of a camera, a minute after the one before, and its bytes."""
        start = WallUs(START + number * MINUTE_US)
        identity = Identity(camera.name, 1, number + 1, start, camera.id)
        seal = replace(self._seal, identity=identity, previous=previous)
        data = self._body + seal_box(seal)
        path = segment_path(camera.folder, day_name(start), segment_name(start))
        return segment_of_seal(seal, path, len(data)), data


def cameras() -> list[KeptCamera]:
    return [
        KeptCamera(CameraId(f"camera{n:06}"), f"camera {n}", f"camera-{n}", "testcard:", START)
        for n in range(CAMERAS)
    ]


def gaps(segments: int) -> list[Gap]:
    """One of each hour."""
    hours = range(segments // 60)
    starts = [WallUs(START + hour * 60 * MINUTE_US + MINUTE_US // 2) for hour in hours]
    return [Gap(start, WallUs(start + 5_000_000), Cause.STALLED, "it stalled") for start in starts]


def fill(root: Path, index: Index, segments: int, *, files: bool) -> None:
    """So many segments, a like number of each camera: rows, and files where wanted."""
    mould = Mould(root)
    each = segments // CAMERAS
    for camera in cameras():
        index.save_camera(camera)
        index.save_gaps(camera.id, gaps(each))
        for batch in _batches(_made(root, mould, camera, each, files)):
            index.save_segments(batch)
        if files:
            _small_files(root, camera, each)


def _made(
    root: Path, mould: Mould, camera: KeptCamera, count: int, files: bool
) -> Iterator[Segment]:
    chain = NOTHING_BEFORE
    for number in range(count):
        segment, data = mould.cast(camera, number, chain)
        chain = segment.chain
        if files:
            path = root / segment.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        yield segment


def _small_files(root: Path, camera: KeptCamera, segments: int) -> None:
    base = root / RECORDINGS / camera.folder
    (base / CAMERA_FILE).write_bytes(camera_json(camera))
    for gap in gaps(segments):
        with (base / day_name(gap.start) / GAPS_FILE).open("ab") as file:
            file.write(gap_line(gap))


def _batches(segments: Iterable[Segment]) -> Iterator[list[Segment]]:
    batch: list[Segment] = []
    for segment in segments:
        batch.append(segment)
        if len(batch) == BATCH:
            yield batch
            batch = []
    yield batch
