"""An archive with footage of several cameras, made before it is served."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from camkeep.archive.beside import camera_json, clip_json, gap_line
from camkeep.archive.index import Index
from camkeep.archive.layout import CAMERA_FILE, CLIPS, GAPS_FILE, INDEX, RECORDINGS, day_name
from camkeep.archive.root import make_root
from camkeep.clock import WallUs
from camkeep.model import CameraId, Cause, Clip, Gap, KeptCamera, Segment
from support.segments import NOON, SECOND, Camera

GARAGE = CameraId("abcdefghijkm")
"""The id that all segments of `Camera` carry."""
GATE = CameraId("gategategate")


@dataclass
class Footage:
    """What is in the archive."""

    root: Path
    cameras: dict[CameraId, KeptCamera]
    segments: list[Segment]
    """Of the garage."""

    def save_clip(self, clip: Clip) -> Clip:
        """A clip more."""
        (self.root / CLIPS / f"{clip.id}.json").write_bytes(clip_json(clip))
        with Index.open(self.root / INDEX) as index:
            index.save_clip(clip)
        return clip


def clip(
    name: str = "a cat",
    cameras: tuple[CameraId, ...] = (GARAGE,),
    start: int = NOON,
    end: int | None = NOON + 3 * SECOND,
    clip_id: str = "abcdefghijkmnpqr",
    held: bool = True,
) -> Clip:
    """A clip."""
    until = None if end is None else WallUs(end)
    return Clip(clip_id, name, cameras, WallUs(start), until, held, WallUs(start))


def recorder(folder: Path) -> Camera:
    """The garage, to be recorded into a new archive."""
    return Camera(make_root(folder, new=True).path)


def footage(recorded: Camera, gaps: tuple[Gap, ...] = ()) -> Footage:
    """The archive of what `recorded` holds, as the camera called Garage; and one called Gate, of
    which nothing is kept."""
    folder = recorded.root
    since = WallUs(min((s.start for s in recorded.segments), default=NOON))
    cameras = {
        GARAGE: KeptCamera(GARAGE, "Garage", "garage", "testcard:", since),
        GATE: KeptCamera(GATE, "Gate", "gate", "testcard:", since),
    }
    with Index.open(folder / INDEX) as index:
        for camera in cameras.values():
            base = folder / RECORDINGS / camera.folder
            base.mkdir(parents=True, exist_ok=True)
            (base / CAMERA_FILE).write_bytes(camera_json(camera))
            index.save_camera(camera)
        index.save_segments(recorded.segments)
        index.save_gaps(GARAGE, gaps)
    for gap in gaps:
        day = folder / RECORDINGS / "garage" / day_name(gap.start)
        day.mkdir(exist_ok=True)
        with (day / GAPS_FILE).open("ab") as file:
            file.write(gap_line(gap))
    return Footage(folder, cameras, recorded.segments)


def gap(start: int, seconds: float, cause: Cause = Cause.STALLED, detail: str = "") -> Gap:
    """A gap."""
    return Gap(WallUs(start), WallUs(start + round(seconds * SECOND)), cause, detail)
