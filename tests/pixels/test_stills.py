"""Pictures of compressed frames, made by a real child process."""

from __future__ import annotations

import asyncio
import io
import os
import signal
import subprocess
import sys
from dataclasses import replace

import pytest
from PIL import Image

from camkeep.errors import MediaError
from camkeep.model import VideoParams
from camkeep.pixels import stillworker
from camkeep.pixels.stillworker import StillWorker, can_decode
from support.movies import stream


def params_of(name: str) -> VideoParams:
    params = stream(name).params
    assert isinstance(params, VideoParams)
    return params


def size_of(jpeg: bytes | None) -> tuple[int, int]:
    assert jpeg is not None
    with Image.open(io.BytesIO(jpeg)) as image:
        image.load()
        assert image.format == "JPEG"
        return image.size


@pytest.mark.parametrize("name", ["h264", "h264-b", "h265-b"])
async def test_key_frames_alone(name: str) -> None:
    worker = StillWorker()
    try:
        keys = [s for s in stream(name).samples if s.key]
        assert len(keys) > 2
        for each in keys:
            jpeg = await worker.picture(params_of(name), each.data, alone=True)
            assert size_of(jpeg) == (320, 240)
    finally:
        await worker.close()


@pytest.mark.parametrize("name", ["h264", "h264-b"])
async def test_every_frame(name: str) -> None:
    worker = StillWorker()
    try:
        made = [
            await worker.picture(params_of(name), each.data, alone=False)
            for each in stream(name).samples
        ]
        assert sum(jpeg is not None for jpeg in made) >= 45
        assert len({jpeg for jpeg in made if jpeg}) >= 40
    finally:
        await worker.close()


async def test_another_size_without_another_child() -> None:
    worker = StillWorker()
    try:
        first = stream("h264").samples[0].data
        large = stream("h264-large").samples[0].data
        assert size_of(await worker.picture(params_of("h264"), first, alone=True)) == (320, 240)
        pid = worker.pid
        jpeg = await worker.picture(params_of("h264-large"), large, alone=True)
        assert size_of(jpeg) == (640, 480)
        assert worker.pid == pid
    finally:
        await worker.close()


async def test_garbage_is_no_picture_and_the_next_one_is() -> None:
    worker = StillWorker()
    try:
        data = stream("h264").samples[0].data
        assert await worker.picture(params_of("h264"), os.urandom(5000), alone=True) is None
        assert await worker.picture(params_of("h264"), b"", alone=True) is None
        assert size_of(await worker.picture(params_of("h264"), data, alone=True)) == (320, 240)
    finally:
        await worker.close()


@pytest.mark.parametrize("how", [signal.SIGSEGV, signal.SIGKILL])
async def test_a_child_that_crashes_is_replaced(how: signal.Signals) -> None:
    worker = StillWorker()
    data = stream("h264").samples[0].data
    try:
        await worker.picture(params_of("h264"), data, alone=True)
        assert worker.pid is not None
        os.kill(worker.pid, how)
        with pytest.raises(MediaError):
            await worker.picture(params_of("h264"), data, alone=True)
        assert size_of(await worker.picture(params_of("h264"), data, alone=True)) == (320, 240)
    finally:
        await worker.close()


async def test_a_child_that_hangs_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    worker = StillWorker()
    data = stream("h264").samples[0].data
    try:
        await worker.picture(params_of("h264"), data, alone=True)
        monkeypatch.setattr(stillworker, "ANSWER_S", 0.3)
        assert worker.pid is not None
        os.kill(worker.pid, signal.SIGSTOP)
        with pytest.raises(MediaError):
            await worker.picture(params_of("h264"), data, alone=True)
        assert worker.pid is None
    finally:
        await worker.close()


async def test_a_request_that_is_given_up_leaves_no_answer_behind() -> None:
    worker = StillWorker()
    first, large = stream("h264").samples[0].data, stream("h264-large").samples[0].data
    try:
        asking = asyncio.create_task(worker.picture(params_of("h264-large"), large, alone=True))
        await asyncio.sleep(0.05)
        asking.cancel()
        await asyncio.wait([asking])
        jpeg = await worker.picture(params_of("h264"), first, alone=True)
        assert size_of(jpeg) == (320, 240)
    finally:
        await worker.close()


async def test_too_many_pixels_are_refused_before_anything_is_decoded() -> None:
    worker = StillWorker()
    bomb = replace(params_of("h264"), width=15_500, height=15_500)
    with pytest.raises(MediaError, match="too large"):
        await worker.picture(bomb, b"x", alone=True)
    assert worker.pid is None
    assert can_decode()


def test_the_childs_memory_is_capped() -> None:
    """A8: whatever a picture makes of itself, the machine does not run out of memory."""
    program = (
        "from camkeep.pixels.stills import MEMORY, limit\n"
        "limit()\n"
        "try:\n"
        "    bytearray(MEMORY)\n"
        "except MemoryError:\n"
        "    print('refused')\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "refused\n"
