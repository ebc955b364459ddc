"""Many viewers, and such that do not read: rows F14 and F17. tests/torture has all of F17."""

from __future__ import annotations

import asyncio
import statistics
import time
from contextlib import AsyncExitStack
from pathlib import Path

from websockets.asyncio.client import ClientConnection, connect

from camkeep.cameras.simulate import Simulator, SimulatorOptions
from camkeep.cameras.testcard import read_number
from camkeep.server.live.socket import HEADER, PICTURE
from support.aftermath import Aftermath
from support.guests import SOCKET, descriptors_of, memory_of, sleeper, visits
from support.keepprocess import sent_by
from support.serveprocess import serving, setup

LARGE = SimulatorOptions(width=1280, height=720, fps=20)
SMALL = SimulatorOptions(width=160, height=128, fps=20)
READERS, SLEEPERS = 15, 5
FULL_S = 8
"""Until all that may wait for a sleeper is there: 1 MB a second comes."""
MOST_EACH = 8 * 1024 * 1024
MOST_LATER_S = 0.1
SESSIONS = 1200
ON_THE_WAY_S = 0.25


class Reader:
    """One who reads everything, and notes how late it is."""

    def __init__(self) -> None:
        self.delays: list[float] = []
        self.skipped = 0

    async def watch(self, socket: ClientConnection) -> None:
        async for message in socket:
            if isinstance(message, str):
                self.skipped += '"skipped"' in message
                continue
            _, flags, _, _, wall_us, _ = HEADER.unpack_from(message)
            if flags & PICTURE:
                self.delays.append(time.time() - wall_us / 1e6)


async def test_viewers_that_do_not_read_cost_nobody_else_anything(tmp_path: Path) -> None:
    """F14."""
    folder = tmp_path / "cams"
    async with AsyncExitStack() as stack:
        camera = await stack.enter_async_context(Simulator("mjpeg", LARGE))
        setup(folder, {"garage": camera.url})
        served = await stack.enter_async_context(serving(folder))
        await served.until_recording("garage")
        garage = (await served.cameras())["garage"]["id"]
        url = f"{served.url.replace('http', 'ws')}/api/v1/cameras/{garage}/live"
        readers = [Reader() for _ in range(READERS)]
        tasks = []
        for reader in readers:
            socket = await stack.enter_async_context(connect(url, compression=None, max_size=None))
            tasks.append(asyncio.create_task(reader.watch(socket)))
        await asyncio.sleep(3)
        for reader in readers:
            reader.delays.clear()  # of their beginning
        await asyncio.sleep(3)
        before_s = statistics.median(delay for reader in readers for delay in reader.delays)
        memory = memory_of(served.pid)
        for kind in (*[SOCKET] * 3, *["live.mjpeg"] * 2):
            stack.enter_context(await sleeper(kind, garage, served.port))
        await asyncio.sleep(FULL_S)
        for reader in readers:
            reader.delays.clear()
        await asyncio.sleep(3)
        after_s = statistics.median(delay for reader in readers for delay in reader.delays)
        grown = memory_of(served.pid) - memory
        assert (await served.get("/api/v1/health"))["cameras"][0]["viewers"] == READERS + SLEEPERS
        assert (await served.cameras())["garage"]["recording"]
        assert after_s - before_s <= MOST_LATER_S
        assert grown <= SLEEPERS * MOST_EACH
        assert sum(reader.skipped for reader in readers) == 0
        end_s = time.monotonic()
        await served.stop()
        await asyncio.gather(*tasks, return_exceptions=True)
    after = Aftermath(folder)
    known = after.camera("garage")
    assert known is not None
    owed = sent_by(camera).between(0, end_s - ON_THE_WAY_S)
    kept = after.numbers(known, read_number)
    assert kept[: len(owed)] == owed, sorted(set(owed) - set(kept))


async def test_many_who_come_and_go_leave_nothing_behind(tmp_path: Path) -> None:
    """F17, on a small scale."""
    folder = tmp_path / "cams"
    async with Simulator("mjpeg", SMALL) as camera:
        setup(folder, {"garage": camera.url})
        async with serving(folder) as served:
            await served.until_recording("garage")
            garage = (await served.cameras())["garage"]["id"]
            await visits(served.port, garage, SESSIONS // 3)  # what is made once
            memory, descriptors = memory_of(served.pid), descriptors_of(served.pid)
            statuses = await visits(served.port, garage, SESSIONS, seed=2)
            assert set(statuses) == {"101", "200"}, statuses
            async with asyncio.timeout(20):
                while descriptors_of(served.pid) > descriptors + 2:
                    await asyncio.sleep(0.1)
            assert memory_of(served.pid) - memory < 6 * 1024 * 1024
            viewers = (await served.get("/api/v1/health"))["cameras"][0]["viewers"]
            assert viewers == 0
            assert served.complaints() == []
