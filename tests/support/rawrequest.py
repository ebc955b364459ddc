"""Requests byte by byte, as no client library would send them."""

from __future__ import annotations

import asyncio
import contextlib
import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Answer:
    """What came back until the server hung up."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


async def exchange(port: int, data: bytes) -> bytes:
    """All that the server sends after `data`, until it hangs up or has opened a WebSocket."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(data)
        received = bytearray()
        with contextlib.suppress(ConnectionError):
            while part := await reader.read(65536):
                received += part
                if received.startswith(b"HTTP/1.1 101") and b"\r\n\r\n" in received:
                    break  # a WebSocket: nobody hangs up
        return bytes(received)
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def ask(
    port: int, method: str, target: str, *headers: str, body: bytes = b"", host: str | None = None
) -> Answer:
    """Send a request whose target is taken as it stands."""
    lines = [
        f"{method} {target} HTTP/1.1",
        f"Host: {host or f'127.0.0.1:{port}'}",
        "Connection: close",
        *headers,
    ]
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    head = ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8", "surrogatepass")
    return answer_of(await exchange(port, head + body))


async def knock(port: int, target: str, *headers: str, host: str | None = None) -> Answer:
    """Ask for a WebSocket; what a server answers that refuses it."""
    lines = [
        f"GET {target} HTTP/1.1",
        f"Host: {host or f'127.0.0.1:{port}'}",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        *headers,
    ]
    return answer_of(await exchange(port, ("\r\n".join(lines) + "\r\n\r\n").encode()))


def answer_of(data: bytes) -> Answer:
    """The first answer in `data`."""
    head, _, body = data.partition(b"\r\n\r\n")
    first, *rest = head.decode("latin-1").split("\r\n")
    headers = {}
    for line in rest:
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    status = int(first.split()[1]) if first else 0
    return Answer(status, headers, body)
