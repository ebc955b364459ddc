"""A camera that sends what a test hands it, when the test does."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import NoReturn

from camkeep.cameras.address import Address
from camkeep.cameras.source import Notes, Sink
from camkeep.clock import MonoNs, SystemClock, WallUs
from camkeep.errors import CameraError, NotSupported
from camkeep.model import AudioParams, Sample, VideoParams
from support.movies import stream


class HandFed:
    """Samples go to whoever is connected; `fail` ends the session."""

    def __init__(self, host: str = "camera") -> None:
        self.sessions = 0
        self.connected = asyncio.Event()
        self.audio: AudioParams | None = None
        """What it announces."""
        self.refuses: CameraError | None = None
        """With what each session ends at once."""
        self._address = Address("rtsp", host, 554)
        self._sink: Sink | None = None
        self._end: asyncio.Future[NoReturn] | None = None
        self._clock = SystemClock()
        self._begun: int | None = None

    @property
    def address(self) -> Address:
        return self._address

    async def run(self, sink: Sink, notes: Notes) -> NoReturn:
        if self.refuses is not None:
            raise self.refuses
        self.sessions += 1
        notes.audio = self.audio
        self._sink, self._end = sink, asyncio.get_running_loop().create_future()
        self.connected.set()
        try:
            return await self._end
        finally:
            self._sink = None
            self.connected.clear()

    async def snapshot(self, notes: Notes) -> bytes:
        raise NotSupported("it has no snapshots")

    def fail(self, error: CameraError) -> None:
        """End the session."""
        assert self._end is not None
        self._end.set_exception(error)

    def give(self, samples: Iterable[Sample]) -> None:
        """Send them now, whatever their times."""
        assert self._sink is not None, "nobody is connected"
        for sample in samples:
            self._sink(sample)

    def shot(
        self, params: VideoParams, data: bytes, at_us: int, *, key: bool = True, run: int = 0
    ) -> Sample:
        """A frame that was taken `at_us` after the first."""
        if self._begun is None:
            self._begun = self._clock.wall()
        return Sample(
            params,
            data,
            at_us,
            MonoNs(self._clock.mono()),
            WallUs(self._begun + at_us),
            key,
            run,
        )

    def film(self, name: str, *, run: int = 0, after_us: int = 0) -> list[Sample]:
        """A stream of `support.movies`, as if it were taken now."""
        made = []
        for params, data, time_us, key in stream(name).samples:
            assert isinstance(params, VideoParams)
            made.append(self.shot(params, data, after_us + time_us, key=key, run=run))
        return made
