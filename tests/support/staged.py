"""A camera whose sessions are written down beforehand: a source for tests of what comes after."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from typing import NoReturn

from camkeep.cameras.address import Address
from camkeep.cameras.source import Notes, Sink
from camkeep.clock import MonoNs, WallUs
from camkeep.errors import CameraError, NotSupported
from camkeep.media.jpeg import jpeg_params
from camkeep.model import AudioParams, Params, Sample

WALL0 = 1_790_000_000_000_000
PICTURES = jpeg_params(64, 48)

Session = Iterable[Sample | CameraError]


def picture(number: int) -> bytes:
    """Bytes that nothing here decodes, different for each number."""
    return b"\xff\xd8" + number.to_bytes(8, "big") + bytes(number % 50) + b"\xff\xd9"


def stream(
    count: int,
    *,
    fps: float = 25.0,
    start_s: float = 0.0,
    first: int = 0,
    params: Params = PICTURES,
    run: int = 0,
    gop: int = 1,
    wall_shift_s: float = 0.0,
) -> Iterator[Sample]:
    """`count` samples from `start_s` on, numbered from `first`; key frames every `gop`."""
    for n in range(count):
        at = start_s + n / fps
        yield Sample(
            params,
            picture(first + n),
            round(at * params.timescale),
            MonoNs(round(at * 1e9)),
            WallUs(WALL0 + round((at + wall_shift_s) * 1e6)),
            n % gop == 0,
            run,
        )


class Staged:
    """A source that plays `sessions` one after the other, as fast as it can, and then waits."""

    def __init__(self, *sessions: Session, promised_fps: float | None = None) -> None:
        self.address = Address("testcard")
        self.played = asyncio.Event()
        """All sessions are over."""
        self._sessions = list(sessions)
        self._promised_fps = promised_fps

    async def run(self, sink: Sink, notes: Notes) -> NoReturn:
        notes.promised_fps = self._promised_fps
        if self._sessions:
            steps = list(self._sessions.pop(0))
            for step in steps:
                if isinstance(step, Sample) and isinstance(step.params, AudioParams):
                    notes.audio = step.params
            for step in steps:
                if isinstance(step, CameraError):
                    raise step
                sink(step)
        self.played.set()
        await asyncio.Event().wait()
        raise AssertionError

    async def snapshot(self, notes: Notes) -> bytes:
        raise NotSupported("a staged camera has no pictures")
