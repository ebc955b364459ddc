"""A camera's segments on disk, made by the writer itself, and what was put into them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from camkeep.archive.layout import day_name, segment_name, segment_path
from camkeep.archive.movie import MovieFile
from camkeep.clock import WallUs
from camkeep.media.mp4 import Identity, TimedSample
from camkeep.media.mp4.seal import NOTHING_BEFORE
from camkeep.model import AudioParams, CameraId, Segment, SegmentState, VideoParams
from support.movies import Stream, interleaved, stream

NOON = WallUs(1_795_262_400_123_457)
"""A little after noon of a day in 2026, at no round microsecond."""
SECOND = 1_000_000
LENGTH_US = 2 * SECOND
"""Of the streams, and so of most segments."""


class Made(NamedTuple):
    """A segment, and the samples in it with times since its start."""

    segment: Segment
    frames: list[TimedSample]
    sound: list[TimedSample]


GARAGE_ID = CameraId("abcdefghijkm")


@dataclass
class Camera:
    """A camera that is being recorded: each segment follows the one before."""

    root: Path
    now: WallUs = NOON
    """When the next segment starts."""
    run: int = 1
    made: list[Made] = field(default_factory=list)
    chain: bytes = NOTHING_BEFORE
    folder: str = "garage"
    id: CameraId = GARAGE_ID

    @property
    def segments(self) -> list[Segment]:
        return [made.segment for made in self.made]

    def wait(self, microseconds: int) -> None:
        """Let time go by without a recording, or back: the clock is set."""
        self.now = WallUs(self.now + microseconds)
        self.run += 1

    def record(
        self,
        video: Stream | str = "h264",
        audio: Stream | str | None = None,
        *,
        length_us: int | None = LENGTH_US,
        fragment: int = 10,
        closed: bool = True,
        sealed: bool = True,
    ) -> Made:
        """One segment. `length_us` is when its last frame ends, where that is known."""
        pictures = stream(video) if isinstance(video, str) else video
        sounds = stream(audio) if isinstance(audio, str) else audio
        assert isinstance(pictures.params, VideoParams)
        assert sounds is None or isinstance(sounds.params, AudioParams)
        sequence = 1 + len(self.made)
        identity = Identity(self.folder, self.run, sequence, self.now, self.id)
        where = segment_path(self.folder, day_name(self.now), segment_name(self.now))
        attempt = 1
        while (self.root / where).exists():
            attempt += 1
            where = segment_path(self.folder, day_name(self.now), segment_name(self.now, attempt))
        path = self.root / where
        path.parent.mkdir(parents=True, exist_ok=True)
        samples = interleaved(pictures.samples, sounds.samples if sounds is not None else [])
        params = sounds.params if sounds is not None else None
        file = MovieFile.create(path, pictures.params, params, identity, sealed=sealed)
        for first in range(0, len(samples), fragment):
            file.append(samples[first : first + fragment])
        seal = None
        if closed:
            seal = file.close(length_us, self.chain if sealed else None)
        else:
            file.abandon()
        segment = Segment(
            self.id,
            sequence,
            self.run,
            where,
            self.now,
            file.duration_us,
            path.stat().st_size,
            file.frames,
            pictures.params.codec_string,
            pictures.params.width,
            pictures.params.height,
            params.codec_string if params is not None else "",
            SegmentState.CLOSED if closed else SegmentState.OPEN,
            seal.chain if seal is not None else b"",
        )
        self.chain = seal.chain if seal is not None else self.chain
        self.now = WallUs(self.now + (length_us or segment.duration_us))
        sound = sounds.samples if sounds is not None else []
        self.made.append(Made(segment, pictures.samples[: file.frames], sound))
        return self.made[-1]
