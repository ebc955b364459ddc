"""Viewers of ``camkeep serve`` that know as little as they can: cheap enough to be thousands."""

from __future__ import annotations

import asyncio
import base64
import os
import random
import socket
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

SOCKET = "live"
KINDS = (SOCKET, "live.mjpeg", "live.mp4", "snapshot.jpg")


def request(kind: str, camera: str, port: int) -> bytes:
    """What one of that kind asks for."""
    lines = [f"GET /api/v1/cameras/{camera}/{kind} HTTP/1.1", f"Host: 127.0.0.1:{port}"]
    if kind == SOCKET:
        key = base64.b64encode(os.urandom(16)).decode()
        lines += ["Upgrade: websocket", "Connection: Upgrade"]
        lines += [f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Version: 13"]
    else:
        lines.append("Connection: close")
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


async def visit(kind: str, camera: str, port: int, enough: int) -> str:
    """Come, read so many bytes, and go without a word; the status."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(request(kind, camera, port))
        head = await reader.readuntil(b"\r\n\r\n")
        status = head.split(b" ")[1].decode()
        while status in ("101", "200") and enough > 0:
            data = await reader.read(enough)
            if not data:
                break
            enough -= len(data)
        return status
    finally:
        writer.transport.abort()


async def visits(
    port: int,
    camera: str,
    count: int,
    kinds: Sequence[str] = KINDS,
    at_once: int = 8,
    seed: int = 1,
) -> Counter[str]:
    """So many, some at once; how often each status came."""
    chance = random.Random(seed)
    statuses: Counter[str] = Counter()
    left = count

    async def keep_coming() -> None:
        nonlocal left
        while left > 0:
            left -= 1
            kind = chance.choice(kinds)
            status = await asyncio.wait_for(
                visit(kind, camera, port, chance.choice((1, 2000, 30_000))), 30
            )
            statuses[status] += 1

    await asyncio.gather(*(keep_coming() for _ in range(at_once)))
    return statuses


async def sleeper(kind: str, camera: str, port: int) -> socket.socket:
    """One who asks and reads nothing, ever. Close it."""
    peer = socket.socket()
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    peer.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(peer, ("127.0.0.1", port))
    await loop.sock_sendall(peer, request(kind, camera, port))
    return peer


def memory_of(pid: int) -> int:
    """Bytes in memory of a process."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise AssertionError("it has no memory")


def descriptors_of(pid: int) -> int:
    """What a process holds open."""
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))
