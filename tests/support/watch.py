"""Watching a source until it has shown enough."""

from __future__ import annotations

import asyncio

from camkeep.cameras.source import Notes, Source
from camkeep.model import Sample


async def watch(source: Source, frames: int, notes: Notes | None = None) -> list[Sample]:
    """The first `frames` samples of one session; raises what ends it earlier."""
    samples: list[Sample] = []
    enough = asyncio.Event()

    def sink(sample: Sample) -> None:
        samples.append(sample)
        if len(samples) >= frames:
            enough.set()

    session = asyncio.ensure_future(source.run(sink, notes or Notes()))
    waiter = asyncio.ensure_future(enough.wait())
    try:
        await asyncio.wait((session, waiter), return_when=asyncio.FIRST_COMPLETED)
        if session.done() and not enough.is_set():
            session.result()
    finally:
        for task in (session, waiter):
            task.cancel()
        await asyncio.gather(session, waiter, return_exceptions=True)
    return samples[:frames]
