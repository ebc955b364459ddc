"""The page's end of the live protocol, written from its description."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from websockets.asyncio.client import ClientConnection, connect

from support.server import Site

INIT, FRAGMENT, JPEG = 0, 1, 2


class Message(NamedTuple):
    """A binary message, taken apart."""

    kind: int
    key: bool
    picture: bool
    sound: bool
    header: int
    duration_us: int
    wall: int
    time_us: int
    data: bytes


def taken_apart(message: bytes) -> Message:
    def signed(at: int) -> int:
        return int.from_bytes(message[at : at + 8], "big", signed=True)

    flags = message[1]
    return Message(
        message[0],
        bool(flags & 1),
        bool(flags & 2),
        bool(flags & 4),
        int.from_bytes(message[2:4], "big"),
        int.from_bytes(message[4:8], "big"),
        signed(8),
        signed(16),
        message[24:],
    )


@dataclass
class Page:
    """Who watches."""

    socket: ClientConnection
    told: list[dict[str, Any]] = field(default_factory=list)
    """All text messages so far."""

    async def next(self) -> dict[str, Any] | Message:
        async with asyncio.timeout(20):
            message = await self.socket.recv()
        if isinstance(message, str):
            told: dict[str, Any] = json.loads(message)
            self.told.append(told)
            return told
        return taken_apart(message)

    async def until(self, kind: str, **members: Any) -> dict[str, Any]:
        """The next text message of that kind and with these members."""
        while True:
            found = await self.next()
            if not isinstance(found, dict) or found["type"] != kind:
                continue
            if all(found[name] == value for name, value in members.items()):
                return found

    async def binary(self, *kinds: int) -> Message:
        """The next binary message."""
        while True:
            found = await self.next()
            if isinstance(found, Message) and (not kinds or found.kind in kinds):
                return found

    async def frames(self, count: int) -> list[Message]:
        return [await self.binary(FRAGMENT, JPEG) for _ in range(count)]


@asynccontextmanager
async def watching(
    site: Site, number: int = 0, *, cookie: str | None = None, **asked: Any
) -> AsyncIterator[Page]:
    """Watch one of a site's cameras."""
    query = "&".join(f"{name}={value}" for name, value in asked.items())
    url = f"ws://127.0.0.1:{site.port}/api/v1/cameras/{site.cameras[number]}/live?{query}"
    headers = {"cookie": f"camkeep={cookie}"} if cookie else {}
    async with connect(
        url,
        additional_headers=headers,
        max_size=None,
        compression=None,
        proxy=None,
        close_timeout=1,
    ) as socket:
        yield Page(socket)
