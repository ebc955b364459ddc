"""A TCP proxy with faults, between a client under test and a real server.

    async with proxy(port) as between:      # connect to between.port
        between.stall()                     # nothing passes any more, connections stay open
        between.resume()
        between.reset()                     # RST to both sides of every connection
        between.delay_s = 0.1               # everything comes later
        between.flip = 0.0001               # share of the server's bytes with one bit flipped
        between.black_hole()                # new connections are accepted and never served

Faults change at any time and hold for connections there are and for new ones.
"""

from __future__ import annotations

import asyncio
import random
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress


class Proxy:
    """What stands between; made by `proxy`."""

    def __init__(self, target_port: int, target_host: str, seed: int) -> None:
        self.port = 0
        self.delay_s = 0.0
        self.flip = 0.0
        self.connections = 0
        """How many were ever accepted."""
        self.passed = 0
        """Bytes that went from the server to the client."""
        self._target = (target_host, target_port)
        self._random = random.Random(seed)
        self._open = asyncio.Event()
        self._open.set()
        self._swallow = False
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def stall(self) -> None:
        """Pass nothing more, in either direction, without closing anything: half-open."""
        self._open.clear()

    def resume(self) -> None:
        """Pass what was held back, and everything that follows."""
        self._open.set()
        self._swallow = False

    def black_hole(self) -> None:
        """Accept connections and do nothing with them."""
        self._swallow = True

    def reset(self) -> None:
        """Break every connection off, as a rebooting camera does."""
        for writer in list(self._writers):
            sock = writer.get_extra_info("socket")
            with suppress(OSError):
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection of a client."""
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._writers.add(writer)
        upstream: asyncio.StreamWriter | None = None
        try:
            if self._swallow:
                await reader.read()
                return
            behind, upstream = await asyncio.open_connection(*self._target)
            self._writers.add(upstream)
            await asyncio.gather(
                self._pump(reader, upstream, from_server=False),
                self._pump(behind, writer, from_server=True),
            )
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            for end in (writer, upstream):
                if end is not None:
                    self._writers.discard(end)
                    end.transport.abort()
            self._tasks.discard(task)

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, from_server: bool
    ) -> None:
        while data := await reader.read(65_536):
            if self.delay_s:
                await asyncio.sleep(self.delay_s)
            await self._open.wait()
            if from_server:
                self.passed += len(data)
                data = self._flipped(data) if self.flip else data
            writer.write(data)
            await writer.drain()
        with suppress(OSError, RuntimeError):
            writer.write_eof()

    def _flipped(self, data: bytes) -> bytes:
        changed = bytearray(data)
        for at in range(len(changed)):
            if self._random.random() < self.flip:
                changed[at] ^= 1 << self._random.randrange(8)
        return bytes(changed)

    async def end(self) -> None:
        """Close everything."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@asynccontextmanager
async def proxy(
    target_port: int, target_host: str = "127.0.0.1", *, seed: int = 1
) -> AsyncIterator[Proxy]:
    """A proxy on a free port of 127.0.0.1 to `target_port`."""
    between = Proxy(target_port, target_host, seed)
    server = await asyncio.start_server(between.serve, "127.0.0.1", 0)
    between.port = server.sockets[0].getsockname()[1]
    try:
        yield between
    finally:
        server.close()
        await between.end()
        await server.wait_closed()
