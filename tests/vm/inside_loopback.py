"""V4l2Source on v4l2loopback: pictures that another program writes."""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from capture import collect, webcam

from camkeep.cameras.source import Notes
from camkeep.cameras.trouble import Trouble
from camkeep.cameras.v4l2 import abi, list_devices
from camkeep.errors import Unreachable
from camkeep.media.nal import split_annexb

OUTPUT = 2


@asynccontextmanager
async def producer(path: str, code: str, frames: list[bytes]) -> AsyncIterator[list[bytes]]:
    """Writes `frames` over and over; yields the list of what was written."""
    written: list[bytes] = []
    fd = os.open(path, os.O_RDWR)
    size = max(map(len, frames))
    fmt = abi.FORMAT.pack(OUTPUT, 640, 480, abi.fourcc(code), 1, 0, size, *bytes(6))
    fcntl.ioctl(fd, abi.VIDIOC_S_FMT, fmt)

    def write_next() -> None:
        written.append(frames[len(written) % len(frames)])
        os.write(fd, written[-1])

    async def write() -> None:
        while True:
            await asyncio.sleep(0.04)
            write_next()

    write_next()
    writing = asyncio.ensure_future(write())
    try:
        yield written
    finally:
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)
        os.close(fd)


def holes(got: list[bytes], sent: list[bytes]) -> int:
    """How many of `sent` are missing between those that were `got`, in the same order."""
    places = [sent.index(got[0])]
    for data in got[1:]:
        places.append(sent.index(data, places[-1] + 1))
    return places[-1] - places[0] + 1 - len(got)


async def test_mjpg_byte_for_byte(loopback: str, pictures: list[bytes]) -> None:
    async with producer(loopback, "MJPG", pictures) as written:
        (found,) = list_devices()
        assert [entry.code for entry in found.formats] == ["MJPG"]
        notes = Notes()
        samples = await collect(webcam(loopback), 20, notes)
    assert holes([sample.data for sample in samples], written) == notes.trouble.total()
    assert notes.product == "Loopback"


async def test_h264_from_the_next_key_frame_on(loopback: str, units: list[bytes]) -> None:
    async with producer(loopback, "H264", units) as written:
        notes = Notes()
        samples = await collect(webcam(loopback), 20, notes)
        del notes.trouble[Trouble.FRAME_BEFORE_KEY]
    coded = [
        b"".join(
            len(nal).to_bytes(4, "big") + nal
            for nal in split_annexb(unit)
            if nal[0] & 31 in (1, 5, 6)
        )
        for unit in written
    ]
    assert samples[0].key
    assert holes([sample.data for sample in samples], coded) == notes.trouble.total()


async def test_without_a_producer_there_is_nothing_to_see_yet(
    loopback: str, pictures: list[bytes]
) -> None:
    with pytest.raises(Unreachable, match="start that program first"):
        await collect(webcam(loopback), 1)
    async with producer(loopback, "MJPG", pictures):
        await collect(webcam(loopback), 1)
