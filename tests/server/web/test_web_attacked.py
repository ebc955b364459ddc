"""A9: while somebody attacks, those who are served are served in time, and recording loses
nothing."""

from __future__ import annotations

import asyncio
import contextlib
import time
from pathlib import Path
from typing import NoReturn

from camkeep.cameras.address import Address
from camkeep.cameras.source import Notes, Sink
from camkeep.clock import SystemClock
from camkeep.errors import NotSupported
from camkeep.model import Sample
from camkeep.server.web.connections import Bounds
from support.files import pictures_of
from support.keepprocess import movies
from support.rawrequest import ask, exchange
from support.server import API, Site, serving
from support.staged import PICTURES, picture

FPS = 25
SECONDS = 6.0
BOUNDS = Bounds(connections=100, head_s=2.0)


class Steady:
    """A camera that sends 25 numbered pictures a second until it has sent all."""

    def __init__(self, count: int) -> None:
        self.address = Address("testcard")
        self.sent = asyncio.Event()
        self._count = count

    async def run(self, sink: Sink, notes: Notes) -> NoReturn:
        clock, began = SystemClock(), time.monotonic()
        for n in range(self._count):
            await asyncio.sleep(max(0.0, began + n / FPS - time.monotonic()))
            ticks = round(n / FPS * PICTURES.timescale)
            sink(Sample(PICTURES, picture(n), ticks, clock.mono(), clock.wall(), True, 0))
        self.sent.set()
        await asyncio.Event().wait()
        raise AssertionError

    async def snapshot(self, notes: Notes) -> bytes:
        raise NotSupported("a staged camera has no pictures")


async def drip(port: int, start: bytes) -> None:
    """Open a connection and send a byte now and then; again and again."""
    while True:
        with contextlib.suppress(OSError):
            reader, writer = await asyncio.open_connection(
                "127.0.0.1", port, local_addr=("127.0.0.2", 0)
            )
            writer.write(start)
            try:
                while not reader.at_eof() and not writer.is_closing():
                    writer.write(b"a")
                    await asyncio.sleep(0.5)
            finally:
                writer.close()
        await asyncio.sleep(0.05)


async def pour(port: int) -> None:
    """Send what is too much, again and again."""
    ranges = ",".join(f"{n}-{n}" for n in range(0, 20_000, 2))
    host = f"Host: 127.0.0.1:{port}\r\n"
    json = "Content-Type: application/json\r\n"
    floods = [
        f"GET {API}/clips HTTP/1.1\r\n{host}Range: bytes={ranges}\r\nConnection: close\r\n\r\n",
        f"POST {API}/login HTTP/1.1\r\n{host}{json}Content-Length: 9000000\r\n\r\n" + "[" * 500_000,
        f"POST {API}/login HTTP/1.1\r\n{host}{json}Transfer-Encoding: chunked\r\n\r\n"
        + "fa00\r\n" + "[" * 64_000 + "\r\n",
        f"GET {API}/me HTTP/1.1\r\n{host}\r\n" * 2000,
        f"GET /{'a' * 100_000} HTTP/1.1\r\n{host}\r\n",
    ]  # fmt: skip
    while True:
        for flood in floods:
            with contextlib.suppress(OSError, TimeoutError):
                async with asyncio.timeout(5):
                    await exchange(port, flood.encode())


async def asked(site: Site) -> list[float]:
    """How long each of many requests for a timeline took, seconds."""
    header = f"Authorization: Bearer {await site.token('anna')}"
    since = site.desk.clock.wall()
    took = []
    until = time.monotonic() + SECONDS - 1
    while time.monotonic() < until:
        began = time.monotonic()
        answer = await ask(site.port, "GET", f"{API}/timeline?from={since}", header)
        took.append(time.monotonic() - began)
        assert answer.status == 200
        await asyncio.sleep(0.02)
    return took


def numbers_of(folder: Path, name: str) -> list[int]:
    """The numbers of all pictures that are kept of a camera, in their order."""
    return [
        int.from_bytes(shown.data[2:10])
        for path in movies(folder, name)
        for shown in pictures_of(path)
    ]


async def test_under_attack_all_are_served_and_nothing_is_lost(tmp_path: Path) -> None:
    cameras = [Steady(round(FPS * SECONDS)) for _ in range(2)]
    async with serving(tmp_path, *cameras, bounds=BOUNDS) as site:
        await site.user("anna")
        starts = [b"", b"GET / HTTP/1.1\r\nX-A: ", b"POST / HTTP/1.1\r\nContent-Length: 99\r\n"]
        attacks = [
            asyncio.create_task(drip(site.port, starts[number % len(starts)]))
            for number in range(500)
        ]
        attacks += [asyncio.create_task(pour(site.port)) for _ in range(2)]
        try:
            took = sorted(await asked(site))
            for camera in cameras:
                await camera.sent.wait()
        finally:
            for attack in attacks:
                attack.cancel()
            await asyncio.gather(*attacks, return_exceptions=True)
        assert site.server.connections <= BOUNDS.connections
    print(
        f"{len(took)} requests under attack: p50 {took[len(took) // 2] * 1000:.0f} ms,"
        f" p95 {took[len(took) * 95 // 100] * 1000:.0f} ms"
    )
    assert took[len(took) * 95 // 100] < 0.5
    for name in ("cam0", "cam1"):
        assert numbers_of(tmp_path, name) == list(range(round(FPS * SECONDS)))
