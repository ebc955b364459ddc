"""Recordings of staged cameras, and what a reader that is not ours finds in the movies."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import NamedTuple

import av

from camkeep.clock import SystemClock
from camkeep.engine.plan import Plan, Summary
from camkeep.engine.record import Recording
from support.staged import Staged


class Frame(NamedTuple):
    seconds: float
    data: bytes


def frames(path: Path, kind: str = "video") -> list[Frame]:
    """All packets of a track, by a reader that is not ours."""
    with av.open(str(path)) as container:
        (track,) = [s for s in container.streams if s.type == kind]
        return [
            Frame(float(p.pts * p.time_base), bytes(p))
            for p in container.demux(track)
            if p.size and p.pts is not None and p.time_base is not None
        ]


def length(path: Path) -> float:
    with av.open(str(path)) as container:
        assert container.duration is not None
        return container.duration / 1e6


async def record(source: Staged, plan: Plan, seconds: float | None = None) -> Summary:
    """Run a recording until it ends by itself, or until the source has nothing more."""
    recording = Recording(source, plan, SystemClock())
    running = asyncio.create_task(recording.run())
    played = asyncio.create_task(source.played.wait())
    await asyncio.wait((running, played), return_when=asyncio.FIRST_COMPLETED)
    played.cancel()
    if not running.done():
        recording.stop("stopped by the test")
    return await running
