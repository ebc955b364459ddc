"""Frozen cameras and flipped bits while `camkeep record` runs: rows F12 and F13."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path

import av
import pytest

from camkeep.cameras.address import parse_address
from camkeep.cameras.simulate import Simulator, SimulatorOptions
from camkeep.cameras.source import TIMEOUT_S, SourceOptions
from camkeep.cameras.testcard import picture, read_number
from camkeep.clock import SystemClock
from camkeep.engine.plan import Plan, Progress
from camkeep.engine.record import Recording
from camkeep.engine.sources import make_source
from camkeep.errors import MediaError
from support.command import start
from support.files import pictures_of
from support.gst import gst_server
from support.proxy import proxy

SMALL = SimulatorOptions(width=320, height=240, fps=20)
NOTICED_S = 10.0
LIVE = (
    "( videotestsrc is-live=true pattern=snow ! video/x-raw,width=160,height=120,framerate=25/1"
    " ! x264enc tune=zerolatency key-int-max=10 ! rtph264pay name=pay0 )"
)


@asynccontextmanager
async def simulated() -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    """A camera in a process of its own, and its address."""
    arguments = "-m camkeep simulate mjpeg --port 0 --size 320x240 --fps 20"
    camera = await asyncio.create_subprocess_exec(
        sys.executable, *arguments.split(), stdout=asyncio.subprocess.PIPE
    )
    assert camera.stdout is not None
    try:
        while b"stream" not in (line := await camera.stdout.readline()):
            assert line, "it did not start"
        yield camera, line.split()[-1].decode()
    finally:
        camera.kill()
        await camera.communicate()


class Watched:
    """A recording, and what it told."""

    def __init__(self, url: str, path: Path, timeout_s: float = TIMEOUT_S) -> None:
        options = SourceOptions(connect_timeout_s=timeout_s, stall_s=timeout_s)
        source = make_source(parse_address(url)[0], options)
        self.recording = Recording(source, Plan(path), SystemClock())
        self.told: list[Progress] = []
        self._news = asyncio.Event()
        self.running = asyncio.create_task(self.recording.run(self._tell))

    def _tell(self, progress: Progress) -> None:
        self.told.append(progress)
        self._news.set()

    async def until(self, state: str, frames: int = 0) -> None:
        """Wait for a state, with so many frames more than now."""
        least = frames and self.told[-1].frames + frames if self.told else frames
        while not self.told or self.told[-1].state != state or self.told[-1].frames < least:
            self._news.clear()
            await asyncio.wait_for(self._news.wait(), 30)


async def test_a_frozen_camera_is_noticed_and_no_other_loses_anything(tmp_path: Path) -> None:
    loop = asyncio.get_running_loop()
    async with simulated() as (process, url), Simulator("mjpeg", SMALL) as other:
        one = Watched(url, tmp_path / "one.mp4")
        two = Watched(other.url, tmp_path / "two.mp4")
        await one.until("live", 20)
        process.send_signal(signal.SIGSTOP)
        frozen_at = loop.time()
        await one.until("waiting")
        assert loop.time() - frozen_at < NOTICED_S
        process.send_signal(signal.SIGCONT)
        await one.until("live", 20)
        for watched in (one, two):
            watched.recording.stop()
        thawed, whole = await asyncio.gather(one.running, two.running)
    (gap,) = thawed.gaps
    assert "nothing of use" in gap.detail
    assert (thawed.reconnects, whole.reconnects, whole.drops, whole.gaps) == (1, 0, 0, ())
    numbers = [read_number(shown.data) for shown in pictures_of(tmp_path / "two.mp4")]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


async def test_flipped_bits_of_an_mjpeg_camera(tmp_path: Path) -> None:
    async with Simulator("mjpeg", SMALL) as camera, proxy(camera.port) as between:
        url = camera.stream_url.replace(f":{camera.port}/", f":{between.port}/")
        command = await start("record", url, "birds.mp4", "--timeout", "2s", cwd=tmp_path)
        await command.told("recording")
        between.flip = 0.001
        await sent(camera, 30)
        between.flip = 0.0
        await sent(camera, 30)
        command.send(signal.SIGINT)
        done = await command.done()
    assert done.code == 0, done.err
    assert "Traceback" not in done.err
    assert "noticed" in done.out or "the picture is now" in done.out  # of another size, that is
    movies = sorted(tmp_path.glob("birds*.mp4"), key=lambda movie: (len(movie.name), movie.name))
    kept = [shown.data for movie in movies for shown in pictures_of(movie)]
    last = read_number(kept[-1])
    assert kept[-20:] == [picture(n, 320, 240) for n in range(last - 19, last + 1)]
    assert not all(map(intact, kept))  # bits were flipped, where nobody sees that but a decoder


def intact(data: bytes) -> bool:
    try:
        return data == picture(read_number(data), 320, 240)
    except MediaError:
        return False


@pytest.mark.parametrize("share", [0.001, 0.02])
async def test_flipped_bits_of_an_rtsp_camera(tmp_path: Path, share: float) -> None:
    with gst_server({"/live": LIVE}) as server:
        async with proxy(server.port) as between:
            path = tmp_path / "birds.mp4"
            one = Watched(f"rtsp://127.0.0.1:{between.port}/live", path, timeout_s=2)
            await one.until("live", 20)
            between.flip = share
            await asyncio.sleep(2)
            between.flip = 0.0
            await one.until("live", 40)
            one.recording.stop()
            summary = await one.running
    assert summary.error is None
    assert summary.trouble
    last = summary.movies[-1].path
    times = [shown.seconds for shown in pictures_of(last)]
    assert all(0 < b - a < 0.2 for a, b in pairwise(times[-20:]))
    with av.open(str(last)) as container:
        container.seek(round(times[-20] * 1_000_000))
        assert sum(1 for _ in container.decode(video=0)) >= 20


async def sent(camera: Simulator, pictures: int) -> None:
    """Wait until so many more were sent."""
    last = camera.number + pictures
    while camera.number < last:
        await asyncio.sleep(0.02)
