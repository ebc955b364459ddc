"""Leaving an RTSP camera that goes on sending meanwhile."""

from __future__ import annotations

import asyncio

from camkeep.cameras.address import parse_address
from camkeep.cameras.rtsp import RtspSource
from camkeep.cameras.source import Notes, SourceOptions
from support.rtsp_server import Asked, Camera, access_units, interleaved, packetize
from support.watch import watch

PACKETS = packetize(access_units())


class Talkative(Camera):
    """Sends the rest of its stream before it answers TEARDOWN."""

    async def answer(self, asked: Asked, writer: asyncio.StreamWriter) -> bool:
        if asked.method == "TEARDOWN":
            writer.writelines(interleaved(packet) for packet in PACKETS[len(self.packets) :])
        return await super().answer(asked, writer)


async def test_what_comes_after_the_goodbye_is_no_trouble() -> None:
    camera, notes = Talkative(PACKETS[:40], ends=False), Notes()
    async with camera.serving() as url:
        source = RtspSource(parse_address(url)[0], SourceOptions())
        samples = await watch(source, 5, notes)
        await asyncio.wait_for(camera.left.wait(), 10)
    assert len(samples) == 5
    assert not notes.trouble
