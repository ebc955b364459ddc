"""An index that is damaged or deleted while it is in use: row F6 of what must be survived."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from pathlib import Path

from camkeep.archive.layout import INDEX
from camkeep.cameras.simulate import Simulator, SimulatorOptions
from camkeep.cameras.testcard import read_number
from camkeep.clock import SystemClock
from support.aftermath import Aftermath
from support.indexdamage import cut, delete, flip
from support.keepprocess import keeping, movies, until

CAMERA = SimulatorOptions(width=320, height=240, fps=10)
OPTIONS = ("--segment", "5s")


async def test_recording_goes_on_whatever_happens_to_the_index(tmp_path: Path) -> None:
    folder = tmp_path / "cams"
    index = folder / INDEX
    async with Simulator("easyn", CAMERA) as camera:
        cameras = {"garage": camera.url}
        async with keeping(folder, cameras, *OPTIONS) as keep:
            await keep.says("garage: recording")
            for number, damage in enumerate((flip, delete, cut), 1):
                await until(lambda number=number: len(movies(folder, "garage")) > number)
                damage(index)
            await asyncio.sleep(1)
        async with keeping(folder, cameras, *OPTIONS) as keep:
            await keep.says("garage: recording")
    after = Aftermath(folder)
    (garage,) = after.cameras
    assert after.complaints() == []
    assert after.unexplained(SystemClock().wall()) == []
    numbers = after.numbers(garage, read_number)
    jumps = [b - a for a, b in pairwise(numbers) if b - a != 1]
    assert len(jumps) == 1  # from the one process to the other
    assert len(numbers) > 10 * CAMERA.fps
