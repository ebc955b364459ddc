"""Power cuts: an archive that is being recorded, states of its disk, and what must be in them.

A `Run` is a life of the whole recorder over a `CrashFS`, in simulated time: it takes states of
the disk at random operations, as a power cut would leave them. What must be in them is looked at
in `afterpower`.
"""

from __future__ import annotations

import asyncio
import random
import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from camkeep.archive.layout import INDEX, is_segment
from camkeep.archive.retention import Limits, Policy
from camkeep.archive.root import open_root
from camkeep.archive.store import Archive
from camkeep.cameras.address import Address
from camkeep.cameras.source import Notes, Sink
from camkeep.clock import WallUs
from camkeep.engine.keeper import KeepOptions
from camkeep.engine.service import Service
from camkeep.engine.wanted import Wanted
from camkeep.errors import MediaError, NotSupported, StreamBroken, Unreachable
from camkeep.media.jpeg import jpeg_params
from camkeep.media.mp4.read import read_movie
from camkeep.model import Clip, Sample
from support.crashfs import CrashFS, Image, Luck
from support.files import MemoryFile
from support.simulated import SimulatedClock, SimulatedLoop

WALL0 = 1_790_035_100_000_000
"""100 s before midnight, UTC."""
FPS = 10
NAMES = ("garage", "garden")
MAX_BYTES = 400_000
PICTURES = jpeg_params(64, 48)
SEGMENT_S = 8


def picture(number: int) -> bytes:
    """Bytes that nothing here decodes, as many as a few sectors, different for each number."""
    noise = random.Random(number)
    body = noise.randbytes(noise.randint(100, 6000)).replace(b"\xff", b"\x7f")
    return b"\xff\xd8" + number.to_bytes(8, "big") + body + b"\xff\xd9"


def number_of(data: bytes) -> int:
    return int.from_bytes(data[2:10], "big")


def wall_of(number: int) -> WallUs:
    """When a picture is taken: its number tells."""
    return WallUs(WALL0 + number * 1_000_000 // FPS)


class Numbered:
    """A camera whose pictures' numbers go by the clock, and that breaks off now and then."""

    def __init__(self, name: str, clock: SimulatedClock, gop: int, chance: random.Random) -> None:
        self.address = Address("testcard", path=name)
        self.sent: list[int] = []
        self._clock = clock
        self._gop = gop
        self._chance = chance

    async def run(self, sink: Sink, notes: Notes) -> NoReturn:
        if self._chance.random() < 0.2:
            raise Unreachable("nobody answers")
        left = round(FPS * self._chance.choice((2, 7, 30, 300)))
        first = int(self._clock.seconds * FPS) + 1
        for sent in range(left):
            number = first + sent
            await asyncio.sleep(max(0.0, number / FPS - self._clock.seconds))
            wall, key = wall_of(number), sent % self._gop == 0
            self.sent.append(number)
            ticks = number * PICTURES.timescale // FPS
            sink(Sample(PICTURES, picture(number), ticks, self._clock.mono(), wall, key, 0))
        raise StreamBroken("the camera ended the stream")

    async def snapshot(self, notes: Notes) -> bytes:
        raise NotSupported("a staged camera has no pictures")


@dataclass
class Cut:
    """A moment at which the power was cut."""

    operation: int
    what: str
    """The operation that was under way."""
    luck: Luck
    now_s: float
    """Since WALL0."""
    disk: Image
    index: bytes | None
    flushed: Image
    """What no power cut can take."""
    owed: dict[str, set[int]]
    """What no power cut may have taken: the pictures of each camera in `flushed`. What the cut
    before left unflushed does not count: it may be half a fragment."""
    sent: dict[str, list[int]]
    """What each camera sent since the process began, up to now."""
    clips: list[Clip]
    """Clips that were written down."""


@dataclass
class Run:
    """One life of the recorder, over a disk that was there before."""

    folder: Path
    begin_s: float
    lasts_s: float
    chance: random.Random
    flush_s: float
    every: float
    """How many operations lie between two cuts on average."""
    before: dict[str, set[int]] = field(default_factory=dict)
    """What was owed when it began."""
    cuts: list[Cut] = field(default_factory=list)
    clips: list[Clip] = field(default_factory=list)
    _sources: dict[str, Numbered] = field(default_factory=dict)
    _states: list[bytes | None] = field(default_factory=list)
    _next: float = 0.0

    def record(self) -> list[Cut]:
        """Record, and return the cuts."""
        self._next = self.chance.expovariate(1 / self.every)
        self._states.append(_bytes_of(self.folder / INDEX))
        files = CrashFS(self.folder, self._before)
        self._files = files
        with asyncio.Runner(loop_factory=SimulatedLoop) as runner:
            loop = runner.get_loop()
            assert isinstance(loop, SimulatedLoop)
            self._clock = SimulatedClock(loop, WALL0, self.begin_s)
            archive = Archive.open(open_root(self.folder, files), self._clock)
            loop.threads = [
                lambda: archive.volume.submit(lambda: None),
                lambda: archive.index.submit(lambda index: None),
            ]
            try:
                runner.run(self._keep(archive))
            finally:
                loop.threads = []
                archive.close()
        if not self.cuts:
            self._cut("the end", Luck.NONE)
        return self.cuts

    async def _keep(self, archive: Archive) -> None:
        for number, name in enumerate(NAMES):
            seed = random.Random(self.chance.random())
            self._sources[name] = Numbered(name, self._clock, (1, 12)[number % 2], seed)
        options = KeepOptions(segment_s=SEGMENT_S, sync_s=self.flush_s)
        wanted = [Wanted(name, source, options) for name, source in self._sources.items()]
        policy = Policy(Limits(max_bytes=MAX_BYTES))
        async with Service(archive, policy, self._clock) as service:
            await service.begin(wanted)
            running = asyncio.create_task(service.until_stopped())
            pressing = asyncio.create_task(self._press(service))
            await asyncio.wait([running], timeout=self.lasts_s)
            pressing.cancel()
            service.stop()
            await running

    async def _press(self, service: Service) -> None:
        """Mark a clip now and then."""
        while True:
            await asyncio.sleep(self.chance.uniform(5, 30))
            camera = self.chance.choice(list(service.cameras.values()))
            await camera.record()
            await asyncio.sleep(self.chance.uniform(0.5, 3))
            clip = await camera.stop()
            if clip is not None and len(self.clips) < 2:
                self.clips.append(clip)

    def _before(self, what: str) -> None:
        """An operation has begun."""
        operation = self._files.operations
        if operation % 20 == 0:
            self._states.append(_state_of(self.folder / INDEX))
        if operation >= self._next:
            self._next = operation + self.chance.expovariate(1 / self.every)
            self._cut(what, self.chance.choice(list(Luck)))

    def _cut(self, what: str, luck: Luck) -> None:
        latest = _state_of(self.folder / INDEX)
        index = self.chance.choice([*self._states[:1], *self._states[-4:], latest, latest, None])
        disk, flushed = (self._files.image(each, self.chance) for each in (luck, Luck.NONE))
        sent = {name: list(source.sent) for name, source in self._sources.items()}
        now_s, owed = self._clock.seconds, self._owed(flushed, sent)
        operation, clips = self._files.operations, list(self.clips)
        self.cuts.append(Cut(operation, what, luck, now_s, disk, index, flushed, owed, sent, clips))

    def _owed(self, flushed: Image, sent: dict[str, list[int]]) -> dict[str, set[int]]:
        return {
            name: {number for _, numbers in segments_on(flushed, name) for number in numbers}
            & (self.before.get(name, set()) | set(sent.get(name, [])))
            for name in NAMES
        }


def _bytes_of(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None


def _state_of(path: Path) -> bytes | None:
    """The index as it is committed at this moment; None where there is none."""
    copy = path.parent.with_name("index.copy")
    try:
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
            database.execute("VACUUM INTO ?", (str(copy),))
        return copy.read_bytes()
    except sqlite3.Error:
        return None
    finally:
        copy.unlink(missing_ok=True)


def segments_on(disk: Image, name: str) -> Iterator[tuple[int, list[int]]]:
    """Each segment of a camera on a disk: its sequence and the numbers of its pictures."""
    for path, data in disk.items():
        if data and is_segment(path.rpartition("/")[2]) and path.startswith(f"recordings/{name}/"):
            source = MemoryFile(data)
            with suppress(MediaError):
                movie = read_movie(source)
                if movie.identity is not None and movie.video is not None:
                    samples = movie.video.samples
                    numbers = [number_of(source.read_at(s.offset, s.size)) for s in samples]
                    yield movie.identity.sequence, numbers
