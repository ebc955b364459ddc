"""A small scripted HTTP server on 127.0.0.1: each request goes to a function of the test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from urllib.parse import parse_qsl, urlsplit


class Request:
    """What was asked, and how to answer."""

    def __init__(self, head: bytes, writer: asyncio.StreamWriter) -> None:
        lines = head.decode("latin-1").split("\r\n")
        self.target = lines[0].split(" ")[1]
        self.path = urlsplit(self.target).path
        self.query = dict(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))
        self.headers = {
            name.lower(): value.strip()
            for name, _, value in (line.partition(":") for line in lines[1:])
        }
        self.writer = writer

    async def send(self, data: bytes) -> None:
        """Raw bytes."""
        self.writer.write(data)
        await self.writer.drain()

    async def answer(
        self, body: bytes = b"", kind: str = "text/plain", status: int = 200, **headers: str
    ) -> None:
        """A whole answer with Content-Length."""
        head = [f"HTTP/1.1 {status} x", f"Content-Type: {kind}", f"Content-Length: {len(body)}"]
        head += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        await self.send("\r\n".join([*head, "", ""]).encode() + body)

    async def forever(self) -> None:
        """Keep the connection open until the test ends it."""
        await asyncio.Event().wait()


Handler = Callable[[Request], Awaitable[None]]


class Server:
    """Its port, and what was asked of it."""

    def __init__(self) -> None:
        self.port = 0
        self.requests: list[Request] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[Server]:
    """Serve until the block ends; then every connection is dropped."""
    server = Server()
    tasks: set[asyncio.Task[None]] = set()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            request = Request(await reader.readuntil(b"\r\n\r\n"), writer)
            server.requests.append(request)
            await handler(request)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            tasks.discard(task)
            writer.close()

    listener = await asyncio.start_server(talk, "127.0.0.1", 0)
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listener.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await listener.wait_closed()
