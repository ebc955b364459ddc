"""A service with cameras in simulated time: seconds pass in no time, and every frame has a number.

    def story(world):
        garage = Filming(world.clock)
        camera = await world.add("garage", garage)
        await world.passes(10)
    after = lived(tmp_path / "cams", story)
    assert after.numbers("garage") == garage.sent

Threads do their real work on real files (`simulated.py`); nothing but the time is made up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, NoReturn

from camkeep.archive.files import Files, SystemFiles
from camkeep.archive.retention import Policy
from camkeep.archive.root import make_root
from camkeep.archive.store import Archive
from camkeep.cameras.address import Address
from camkeep.cameras.source import Notes, Sink
from camkeep.clock import MonoNs, WallUs
from camkeep.engine.events import Event, Kind
from camkeep.engine.service import Service
from camkeep.engine.supervisor import Supervisor
from camkeep.engine.wanted import Wanted
from camkeep.errors import CameraError, NotSupported
from camkeep.model import Cause, KeptCamera, Sample, VideoParams
from support.aftermath import Aftermath
from support.simulated import SimulatedClock, SimulatedLoop
from support.staged import PICTURES, WALL0, picture

FPS = 10


class Filming:
    """A camera that sends pictures whenever it is connected, each with the number of its moment
    since the world began. Each session begins with a key frame."""

    def __init__(
        self,
        clock: SimulatedClock,
        *,
        gop: int = 5,
        place: str = "testcard",
        params: VideoParams = PICTURES,
    ) -> None:
        self.address = Address(place)
        self.sent: list[int] = []
        """Numbers that were handed to whoever is connected."""
        self.sessions = 0
        self.connected = False
        self.params = params
        self.fails: CameraError | Exception | None = None
        """What each session ends with, at its next frame."""
        self._clock = clock
        self._gop = gop

    async def run(self, sink: Sink, notes: Notes) -> NoReturn:
        self.sessions += 1
        self.connected = True
        notes.video = self.params
        try:
            first = True
            while True:
                number = int(self._clock.seconds * FPS + 1e-6) + 1
                await asyncio.sleep(number / FPS - self._clock.seconds)
                if self.fails is not None:
                    raise self.fails
                sink(self._sample(number, first or number % self._gop == 0))
                self.sent.append(number)
                first = False
        finally:
            self.connected = False

    def _sample(self, number: int, key: bool) -> Sample:
        at_us = number * 1_000_000 // FPS
        return Sample(
            self.params,
            picture(number),
            round(number / FPS * self.params.timescale),
            MonoNs(at_us * 1000),
            WallUs(WALL0 + at_us),
            key,
            0,
        )

    async def snapshot(self, notes: Notes) -> bytes:
        raise NotSupported("it only films")


def number_of(data: bytes) -> int:
    """The number of a picture of `Filming`."""
    return int.from_bytes(data[2:10])


class World:
    """What a story may do."""

    def __init__(self, service: Service, clock: SimulatedClock) -> None:
        self.service = service
        self.clock = clock
        self.told: list[Event] = []
        """All events, in their order."""

    async def add(self, name: str, source: Filming, **wanted: Any) -> Supervisor:
        """Watch another camera."""
        return await self.service.add(Wanted(name, source, **wanted))

    async def passes(self, seconds: float) -> None:
        """Let time pass."""
        await asyncio.sleep(seconds)

    async def at(self, seconds: float) -> None:
        """Wait for a moment after the beginning of the world, just behind the frame of then."""
        await asyncio.sleep(seconds + 0.01 - self.clock.seconds)

    def events(self, kind: Kind, camera: Supervisor | None = None) -> list[Event]:
        """Those of a kind, of one camera or of all."""
        return [
            event
            for event in self.told
            if event.kind is kind and (camera is None or event.camera == camera.camera.id)
        ]

    async def listen(self) -> None:
        listener = self.service.bus.listen()
        while True:
            self.told += await listener.take()


class After:
    """What is there when the service has ended."""

    def __init__(self, folder: Path, end: WallUs) -> None:
        self.archive = Aftermath(folder)
        self._end = end

    def camera(self, name: str) -> KeptCamera:
        found = self.archive.camera(name)
        assert found is not None, f"there is no {name}"
        return found

    def numbers(self, name: str) -> list[int]:
        """Of the pictures that were kept, in order of recording."""
        return self.archive.numbers(self.camera(name), number_of)

    def gaps(self, name: str) -> list[tuple[float, float, Cause]]:
        """From when to when, s after the beginning of the world; one that lasts has no end."""
        return [
            (
                round((gap.start - WALL0) / 1e6, 3),
                float("inf") if gap.lasting else round((gap.end - WALL0) / 1e6, 3),
                gap.cause,
            )
            for gap in self.archive.gaps(self.camera(name))
            if gap.lasting or gap.end > gap.start
        ]

    def complaints(self) -> list[str]:
        """What must never be, of cameras that were watched to the end."""
        return self.archive.complaints() + self.archive.unexplained(self._end)


def lived(
    folder: Path,
    story: Callable[[World], Awaitable[object]],
    *,
    files: Files | None = None,
    policy: Policy | None = None,
    begin_s: float = 0.0,
) -> After:
    """Run a service over the archive in `folder`, made where there is none, as long as the
    `story` lasts; then stop it."""
    with asyncio.Runner(loop_factory=SimulatedLoop) as runner:
        loop = runner.get_loop()
        assert isinstance(loop, SimulatedLoop)
        clock = SimulatedClock(loop, WALL0, begin_s)
        archive = Archive.open(make_root(folder, files=files or SystemFiles()), clock)
        loop.threads = [
            lambda: archive.volume.submit(lambda: None),
            lambda: archive.index.submit(lambda index: None),
        ]
        try:
            runner.run(_live(archive, policy or Policy(), clock, story))
        finally:
            loop.threads = []
            archive.close()
        return After(folder, clock.wall())


async def _live(
    archive: Archive,
    policy: Policy,
    clock: SimulatedClock,
    story: Callable[[World], Awaitable[object]],
) -> None:
    async with Service(archive, policy, clock) as service:
        world = World(service, clock)
        listening = asyncio.create_task(world.listen())
        try:
            await service.begin([])
            await story(world)
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
