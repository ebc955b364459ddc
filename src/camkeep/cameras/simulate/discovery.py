"""The answer of EasyN cameras to the broadcast with which they are looked for."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable
from typing import cast

from camkeep.cameras.simulate.easyn import APPLICATION, DEVICE_ID, SYSTEM, EasynCamera
from camkeep.cameras.simulate.server import reason
from camkeep.errors import UsageError

REQUEST = bytes.fromhex("4d4f5f49" + 11 * "00" + "0400000004" + 6 * "00" + "01")
_REPLY = struct.Struct(">23s13s21s4I4b4b4bH?")
_HEAD = b"MO_I\x01\x00" + bytes(9) + b"\x41\x00\x00\x00\x41\x00\x00\x00"


class Discovery(asyncio.DatagramProtocol):
    """Answers each request with 88 bytes; anything else with nothing."""

    def __init__(self, name: Callable[[], str], port: Callable[[], int]) -> None:
        self._name, self._port = name, port
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if data == REQUEST and self._transport is not None:
            self._transport.sendto(self._reply(), addr)

    def _reply(self) -> bytes:
        loopback, mask = 0x7F000001, 0xFF000000
        return _REPLY.pack(
            _HEAD,
            DEVICE_ID.encode(),
            self._name().encode()[:20],
            loopback,
            mask,
            loopback,
            loopback,
            *(0, 0, 0, 0),
            *SYSTEM,
            *APPLICATION,
            self._port(),
            False,
        )


async def open_discovery(
    host: str, wanted: int, camera: EasynCamera, port: Callable[[], int]
) -> asyncio.DatagramTransport:
    """Answer for `camera` on UDP port `wanted` (0: any). Raises UsageError."""
    try:
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: Discovery(lambda: camera.alias, port), local_addr=(host, wanted)
        )
    except OSError as error:
        raise UsageError(f"cannot listen on UDP port {wanted}: {reason(error)}") from None
    return transport
