"""A client that knows as little of HTTP as it can: what a server sends is what tests see."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Raw:
    """An answer as it came."""

    status: int
    headers: dict[str, str]
    body: bytes


@contextlib.asynccontextmanager
async def asked(
    port: int, target: str, *headers: str
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection on which `target` was asked for."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    lines = [f"GET {target} HTTP/1.1", "Host: camera", "Connection: close", *headers]
    writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
    try:
        yield reader, writer
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


def parse(data: bytes) -> Raw:
    """Head and body; LF alone counts as an end of line, too."""
    separator = b"\r\n\r\n" if b"\r\n\r\n" in data.partition(b"\xff\xd8")[0] else b"\n\n"
    head, _, body = data.partition(separator)
    first, *rest = head.decode("latin-1").splitlines()
    headers = {name.lower(): value.strip() for name, _, value in (x.partition(":") for x in rest)}
    return Raw(int(first.split()[1]), headers, body)


async def get(port: int, target: str, *headers: str) -> Raw:
    """A whole answer, up to the end of the connection."""
    async with asked(port, target, *headers) as (reader, _):
        return parse(await reader.read(-1))


async def read_until(reader: asyncio.StreamReader, enough: Callable[[bytes], bool]) -> bytes:
    """What comes until it is `enough`, or the end."""
    data = bytearray()
    while not enough(data):
        chunk = await reader.read(65536)
        if not chunk:
            break
        data += chunk
    return bytes(data)
