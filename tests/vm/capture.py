"""What the tests inside the virtual machine share: sessions with webcams."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from camkeep.cameras.address import parse_address
from camkeep.cameras.source import Notes, SourceOptions
from camkeep.cameras.v4l2 import V4l2Source
from camkeep.model import Sample

PATIENCE_S = 30


def webcam(path: str, query: str = "", stall_s: float = 10.0) -> V4l2Source:
    """A source as a person would name it."""
    address, _ = parse_address(f"{path}?{query}" if query else path)
    return V4l2Source(address, SourceOptions(stall_s=stall_s))


async def collect(
    source: V4l2Source,
    count: int,
    notes: Notes | None = None,
    each: Callable[[Sample], None] = lambda sample: None,
) -> list[Sample]:
    """The first `count` samples of one session, or the error that ended it."""
    samples: list[Sample] = []
    enough = asyncio.Event()

    def sink(sample: Sample) -> None:
        if len(samples) < count:
            samples.append(sample)
            each(sample)
        if len(samples) == count:
            enough.set()

    session = asyncio.ensure_future(source.run(sink, notes or Notes()))
    waiting = asyncio.ensure_future(enough.wait())
    try:
        async with asyncio.timeout(PATIENCE_S):
            await asyncio.wait((session, waiting), return_when=asyncio.FIRST_COMPLETED)
        if session.done():
            session.result()
        return samples
    finally:
        session.cancel()
        waiting.cancel()
        await asyncio.gather(session, waiting, return_exceptions=True)
