"""Connections that are read together: nothing is lost, and an end is an end."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections import Counter

import pytest

from camkeep.cameras.address import Address
from camkeep.cameras.pacer import pacer
from camkeep.cameras.source import SourceOptions
from camkeep.cameras.wire import Wire, connect
from camkeep.errors import CameraError, StreamBroken


async def serve(payload: bytes, pieces: int) -> asyncio.Server:
    """A server that sends `payload` in `pieces`, and then ends the connection."""

    async def send(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        size = -(-len(payload) // pieces)
        for at in range(0, len(payload), size):
            writer.write(payload[at : at + size])
            await writer.drain()
            await asyncio.sleep(0)
        writer.close()

    return await asyncio.start_server(send, "127.0.0.1", 0)


async def paced(server: asyncio.Server, got: bytearray) -> Wire:
    port = server.sockets[0].getsockname()[1]

    def feed(chunk: memoryview) -> None:
        got.extend(chunk)

    wire = await connect(Address("rtsp", "127.0.0.1", port), feed, SourceOptions(), tls=False)
    wire.pace()
    return wire


@pytest.mark.parametrize("pieces", [1, 300])
async def test_all_bytes_come_in_order_and_then_the_end(pieces: int) -> None:
    payload = bytes(range(256)) * 8000
    async with await serve(payload, pieces) as server:
        wires = []
        for _ in range(5):
            got = bytearray()
            wires.append((await paced(server, got), got))
        for wire, got in wires:
            with pytest.raises(StreamBroken, match="ended the connection"):
                await wire.finished(10)
            assert got == payload
    assert len(pacer()) == 0


async def test_closing_ends_the_reading() -> None:
    async with await serve(bytes(10_000_000), 1000) as server:
        got = bytearray()
        wire = await paced(server, got)
        while not got:
            await asyncio.sleep(0.01)
        wire.close()
        size = len(got)
        await wire.finished(10)
        await asyncio.sleep(0.05)
        assert len(got) == size
        assert len(pacer()) == 0


async def test_what_feed_raises_ends_that_connection_and_no_other() -> None:
    payload = bytes(2_000_000)
    async with await serve(payload, 100) as server:
        port = server.sockets[0].getsockname()[1]

        def fail(chunk: memoryview) -> None:
            raise CameraError("it cannot be read")

        bad = await connect(Address("rtsp", "127.0.0.1", port), fail, SourceOptions(), tls=False)
        bad.pace()
        got = bytearray()
        good = await paced(server, got)
        with pytest.raises(CameraError, match="cannot be read"):
            await bad.finished(10)
        with pytest.raises(StreamBroken):
            await good.finished(10)
        assert got == payload


async def test_a_connection_that_was_reset() -> None:
    async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(1)
        writer.transport.abort()

    async with await asyncio.start_server(reset, "127.0.0.1", 0) as server:
        wire = await paced(server, bytearray())
        wire.write(b"xyz")
        with pytest.raises(StreamBroken):
            await wire.finished(10)


async def test_who_is_in_a_hurry_is_read_more_often_and_nothing_is_lost() -> None:
    calm, hurried = Counter[str](), object()
    found = pacer()
    for number in range(20):
        found.add(number, lambda: calm.update(["calm"]))
    found.add(hurried, lambda: calm.update(["hurried"]))
    found.hurry(hurried, True)
    found.hurry("nobody", True)
    assert len(found) == 21
    async with asyncio.timeout(20):
        while calm["calm"] < 100:  # 5 ticks of the others
            await asyncio.sleep(0.001)
    assert calm["hurried"] > 2 * calm["calm"] / 20
    found.hurry(hurried, False)
    before = calm["hurried"]
    ticks = calm["calm"] // 20
    async with asyncio.timeout(20):
        while calm["calm"] // 20 < ticks + 3:
            await asyncio.sleep(0.001)
    assert calm["hurried"] - before <= calm["calm"] // 20 - ticks + 1
    for key in (*range(20), hurried):
        found.remove(key)
    assert len(found) == 0


async def test_a_stream_is_whole_however_often_it_is_hurried() -> None:
    payload = bytes(range(256)) * 8000
    async with await serve(payload, 300) as server:
        got = bytearray()
        wire = await paced(server, got)
        while not wire.closed:
            wire.hurry(len(got) // 50_000 % 2 == 0)
            await asyncio.sleep(0.002)
        wire.hurry(True)  # of one that has ended: nothing
        assert got == payload
        assert len(pacer()) == 0


def test_nothing_is_left_of_a_loop_that_has_ended() -> None:
    async def read_a_stream() -> weakref.ref[asyncio.AbstractEventLoop]:
        async with await serve(bytes(100_000), 10) as server:
            wire = await paced(server, bytearray())
            with pytest.raises(StreamBroken):
                await wire.finished(10)
        return weakref.ref(asyncio.get_running_loop())

    loop = asyncio.run(read_a_stream())
    gc.collect()
    assert loop() is None
