"""F14: many viewers of one camera, of whom some never read. The recording loses nothing, what
waits for each is bounded, and the others see as soon as before."""

from __future__ import annotations

import asyncio
import base64
import os
import socket
import time
from contextlib import AsyncExitStack
from pathlib import Path

from camkeep.model import VideoParams
from camkeep.server.live.viewers import Viewer
from support.handfed import HandFed
from support.livesocket import FRAGMENT, Page, watching
from support.server import Site, serving

READING, IDLE = 15, 5
FRAME = 60_000
FPS = 25
ALONE, TOGETHER = 75, 300
"""Frames before and after those who never read have come."""
MOST = 8_000_000


def deaf(site: Site) -> socket.socket:
    """Someone who asks for a stream and then never reads."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.connect(("127.0.0.1", site.port))
    key = base64.b64encode(os.urandom(16)).decode()
    client.sendall(
        f"GET /api/v1/cameras/{site.cameras[0]}/live HTTP/1.1\r\n"
        f"Host: 127.0.0.1:{site.port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
    )
    return client


async def read(page: Page, delays: list[tuple[int, float]]) -> None:
    """Note how long each frame took."""
    number = 0
    while number < ALONE + TOGETHER - 1:
        found = await page.binary(FRAGMENT)
        number = int.from_bytes(found.data[-12:-8], "big")
        sent = int.from_bytes(found.data[-8:], "big")
        delays.append((number, (time.perf_counter_ns() - sent) / 1e6))


def median(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]


async def test_those_who_never_read_cost_nobody_anything(tmp_path: Path) -> None:
    source = HandFed()
    async with AsyncExitStack() as stack:
        site = await stack.enter_async_context(serving(tmp_path / "a", source))
        await source.connected.wait()
        keeper = site.desk.service.cameras[site.cameras[0]].keeper
        params = source.film("h264")[0].params
        assert isinstance(params, VideoParams)
        delays: list[tuple[int, float]] = []
        pages = [await stack.enter_async_context(watching(site)) for _ in range(READING)]
        readers = [asyncio.create_task(read(page, delays)) for page in pages]
        async with asyncio.timeout(10):
            while len(site.desk.live.viewers) < READING:
                await asyncio.sleep(0.01)
        before = set(site.desk.live.viewers)
        begun = time.monotonic()
        most = 0
        for number in range(ALONE + TOGETHER):
            if number == ALONE:
                for _ in range(IDLE):
                    stack.enter_context(await asyncio.to_thread(deaf, site))
            await asyncio.sleep(max(0.0, begun + number / FPS - time.monotonic()))
            mark = number.to_bytes(4, "big") + time.perf_counter_ns().to_bytes(8, "big")
            data = bytes(FRAME - 12) + mark
            source.give([source.shot(params, data, number * 40_000, key=number % 25 == 0)])
            most = max([most, *(viewer.waiting_bytes for viewer in site.desk.live.viewers)])
        await asyncio.wait_for(asyncio.gather(*readers), 20)
        idle: list[Viewer] = [v for v in site.desk.live.viewers if v not in before]
        assert len(idle) == IDLE
        assert all(viewer.skipped > 0 for viewer in idle)
        assert most < MOST
        assert len(delays) == READING * (ALONE + TOGETHER)
        alone = median([delay for number, delay in delays if number < ALONE])
        together = median([delay for number, delay in delays if number >= ALONE])
        assert together - alone < 100
        async with asyncio.timeout(10):
            while keeper.waiting_bytes:
                await asyncio.sleep(0.05)
        assert keeper.drops == 0
        assert keeper.frames == ALONE + TOGETHER
        print(f"delay p50 {alone:.1f} ms alone, {together:.1f} ms with them; {most} bytes waited")
