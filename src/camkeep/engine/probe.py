"""`probe`: what a camera is, what it really delivers, and what is wrong with it.

`Measure` is a sink that only counts; `report` turns the counts into values; `diagnose` (in
`diagnosis.py`) turns the values into advice.
"""

from __future__ import annotations

import asyncio
import statistics
from dataclasses import dataclass, field
from itertools import pairwise

from camkeep.cameras.source import Notes, Source
from camkeep.errors import CameraError, Stalled
from camkeep.model import AudioParams, Sample, VideoParams


@dataclass(frozen=True, slots=True)
class Report:
    """What was seen of a camera in `seconds`. Rates per second, times in seconds."""

    address: str
    seconds: float
    product: str | None
    login: str | None
    transport: str | None
    video: VideoParams | None
    audio: AudioParams | None
    frames: int
    promised_fps: float | None
    measured_fps: float | None
    jitter_s: float | None
    """How unevenly frames come: standard deviation of the time between two arrivals."""
    longest_wait_s: float | None
    """The longest time between the arrivals of two frames."""
    gop: tuple[int, int] | None
    """Least and most frames from one key frame to the next; None before the second one."""
    bits_per_s: float | None
    reordered: bool
    """Whether frames come in another order than they are shown (B-frames)."""
    audio_samples: int
    first_frame_s: float
    """From the beginning of the connection to the first frame."""
    clock_offset_s: float | None
    breaks: int
    """Runs beyond the first: losses and jumps."""
    trouble: dict[str, int] = field(default_factory=dict)
    """Malformations by their code."""


class Measure:
    """A sink that counts; bounded by the length of a probe."""

    def __init__(self) -> None:
        self.arrivals: list[int] = []
        self.walls: list[int] = []
        self.keys: list[int] = []
        self.bytes = 0
        self.audio_samples = 0
        self.reordered = False
        self.runs: set[int] = set()

    def __call__(self, sample: Sample) -> None:
        """Count a sample."""
        if not sample.is_video:
            self.audio_samples += 1
            return
        if self.walls and sample.wall < self.walls[-1] and sample.run in self.runs:
            self.reordered = True
        if sample.key:
            self.keys.append(len(self.arrivals))
        self.runs.add(sample.run)
        self.arrivals.append(sample.arrival)
        self.walls.append(sample.wall)
        self.bytes += len(sample.data)


async def probe(source: Source, seconds: float) -> Report:
    """Watch a camera for `seconds` from its first frame on.

    Raises CameraError where no frame came. A camera that breaks off later is reported with
    what was seen until then.
    """
    notes, measure = Notes(), Measure()
    loop = asyncio.get_running_loop()
    began = loop.time()
    first: asyncio.Future[float] = loop.create_future()

    def sink(sample: Sample) -> None:
        if not first.done() and sample.is_video:
            first.set_result(loop.time() - began)
        measure(sample)

    session = asyncio.create_task(source.run(sink, notes))
    try:
        await asyncio.wait((session, first), return_when=asyncio.FIRST_COMPLETED)
        if first.done():
            await asyncio.wait((session,), timeout=seconds)
    finally:
        session.cancel()
        (ended,) = await asyncio.gather(session, return_exceptions=True)
    if not measure.arrivals:
        if isinstance(ended, CameraError):
            raise ended
        raise Stalled("no frame came")
    if isinstance(ended, Exception) and not isinstance(ended, CameraError):
        raise ended
    return report(str(source.address), notes, measure, first.result())


def report(address: str, notes: Notes, measure: Measure, first_frame_s: float) -> Report:
    """The counts as values. Pure."""
    arrivals, keys = measure.arrivals, measure.keys
    waits = [(b - a) / 1e9 for a, b in pairwise(arrivals)]
    span = (arrivals[-1] - arrivals[0]) / 1e9
    gops = [b - a for a, b in pairwise(keys)]
    return Report(
        address=address,
        seconds=span,
        product=notes.product,
        login=notes.login,
        transport=notes.transport,
        video=notes.video,
        audio=notes.audio,
        frames=len(arrivals),
        promised_fps=notes.promised_fps,
        measured_fps=len(waits) / span if span else None,
        jitter_s=statistics.pstdev(waits) if len(waits) > 1 else None,
        longest_wait_s=max(waits) if waits else None,
        gop=(min(gops), max(gops)) if gops else None,
        bits_per_s=measure.bytes * 8 / span if span else None,
        reordered=measure.reordered,
        audio_samples=measure.audio_samples,
        first_frame_s=first_frame_s,
        clock_offset_s=notes.clock_offset_s,
        breaks=max(0, len(measure.runs) - 1),
        trouble={
            trouble.code: count
            for trouble, count in sorted(notes.trouble.items(), key=lambda item: -item[1])
            if count
        },
    )
