"""``camkeep keep`` as a process of its own, to be killed, starved and misled; and what it wrote, by
the numbers of the pictures."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

from camkeep.cameras.simulate import Simulator
from camkeep.cameras.testcard import read_number
from camkeep.errors import MediaError
from camkeep.media.mp4.read import read_movie
from support.files import FileBytes

STOPS_WITHIN_S = 20.0


class Told(NamedTuple):
    """A line of standard error, and when it came on the monotonic clock."""

    line: str
    mono_s: float


class Keep:
    """A recorder that runs."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        """Use `keeping`."""
        self.began_s = time.monotonic()
        self.told: list[Told] = []
        self._process = process
        self._more = asyncio.Event()
        self._reading = asyncio.create_task(self._read())

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.returncode is None

    @property
    def lines(self) -> str:
        """All of standard error so far."""
        return "".join(told.line for told in self.told)

    async def says(self, words: str, timeout_s: float = 30.0, after: int = 0) -> Told:
        """The first line with `words` in it, from line number `after` on."""
        async with asyncio.timeout(timeout_s):
            while True:
                for told in self.told[after:]:
                    if words in told.line:
                        return told
                assert not self._reading.done(), f"it never said {words!r}: {self.lines}"
                self._more.clear()
                await self._more.wait()

    async def kill(self) -> float:
        """End it at once; when that was."""
        at = time.monotonic()
        os.killpg(self._process.pid, signal.SIGKILL)
        await self._process.wait()
        await self._reading
        return at

    async def ended(self, timeout_s: float = 30.0) -> int:
        """Wait until something else has ended it; its exit code."""
        try:
            code = await asyncio.wait_for(self._process.wait(), timeout_s)
        except TimeoutError:
            await self.kill()
            raise
        await self._reading
        return code

    async def stop(self) -> str:
        """Ctrl-C; all that it said."""
        if self.alive:
            os.killpg(self._process.pid, signal.SIGINT)
        try:
            code = await asyncio.wait_for(self._process.wait(), STOPS_WITHIN_S)
        except TimeoutError:
            await self.kill()
            raise
        await self._reading
        assert code == 0, (code, self.lines)
        return self.lines

    async def _read(self) -> None:
        assert self._process.stderr is not None
        async for line in self._process.stderr:
            self.told.append(Told(line.decode(), time.monotonic()))
            self._more.set()
        self._more.set()


async def start_keeping(
    folder: Path,
    cameras: Mapping[str, str],
    *options: object,
    environment: Mapping[str, str] | None = None,
    under: Sequence[str] = (),
    quiet: bool = False,
) -> Keep:
    """Run ``camkeep keep`` on the archive `folder`; `under` is a command that runs it."""
    said = ["--quiet"] if quiet else []
    process = await asyncio.create_subprocess_exec(
        *(*under, sys.executable, "-m", "camkeep", "keep"),
        *(f"{name}={url}" for name, url in cameras.items()),
        *("--data", str(folder), *map(str, options), *said),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, **(environment or {})},
        start_new_session=True,
    )
    return Keep(process)


@asynccontextmanager
async def keeping(
    folder: Path,
    cameras: Mapping[str, str],
    *options: object,
    environment: Mapping[str, str] | None = None,
    under: Sequence[str] = (),
) -> AsyncIterator[Keep]:
    """The same, stopped by Ctrl-C at the end of the block if it still runs."""
    keep = await start_keeping(folder, cameras, *options, environment=environment, under=under)
    try:
        yield keep
    except BaseException:
        if keep.alive:
            await keep.kill()
        print(keep.lines)
        raise
    if keep.alive:
        await keep.stop()


def movies(folder: Path, name: str) -> list[Path]:
    """All files of a camera, by name."""
    return sorted((folder / "recordings" / name).rglob("*.mp4"))


def numbers_in(path: Path) -> list[int]:
    """The numbers of the pictures of a movie, in whatever state it is."""
    source = FileBytes(path)
    video = read_movie(source).video
    assert video is not None
    return [read_number(source.read_at(s.offset, s.size)) for s in video.samples]


def numbers_on_disk(folder: Path, name: str, since_s: float = 0.0) -> set[int]:
    """What is on the disk at this moment, in files that were changed since then. A file without
    a whole header holds nothing."""
    found: set[int] = set()
    for path in movies(folder, name):
        if path.stat().st_mtime < since_s:
            continue
        try:
            found.update(numbers_in(path))
        except MediaError:
            assert path.stat().st_size < 4096, f"{path} cannot be read"
    return found


async def until(condition: Callable[[], object], timeout_s: float = 30.0) -> float:
    """Wait until a condition holds that no event tells of: files of another process. When."""
    async with asyncio.timeout(timeout_s):
        while not condition():
            await asyncio.sleep(0.05)
    return time.monotonic()


class Sent(NamedTuple):
    """When pictures were sent first, s on the monotonic clock, by their numbers."""

    at: dict[int, float]

    def between(self, first_s: float, last_s: float) -> list[int]:
        return [number for number, at in self.at.items() if first_s <= at <= last_s]


def sent_by(camera: Simulator) -> Sent:
    at: dict[int, float] = {}
    for sent in camera.sent:
        at.setdefault(sent.number, sent.mono_ns / 1e9)
    return Sent(at)
