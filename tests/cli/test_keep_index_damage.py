"""A recorder that starts without a sound index: row F6 of what must be survived. What happens to
an index while it is in use is done to it in `tests/torture`."""

from __future__ import annotations

import asyncio
from pathlib import Path

from camkeep.archive.layout import INDEX
from camkeep.cameras.simulate import Simulator, SimulatorOptions
from camkeep.clock import SystemClock
from support.aftermath import Aftermath
from support.indexdamage import cut, delete, flip, nonsense
from support.keepprocess import keeping

CAMERA = SimulatorOptions(width=320, height=240, fps=10)
OPTIONS = ("--segment", "5s")


async def test_a_start_without_a_sound_index(tmp_path: Path) -> None:
    folder = tmp_path / "cams"
    async with Simulator("easyn", CAMERA) as camera:
        cameras = {"garage": camera.url}
        async with keeping(folder, cameras, *OPTIONS) as keep:
            await keep.says("garage: recording")
            await asyncio.sleep(1)
        before = Aftermath(folder)
        for damage in (delete, flip, cut, nonsense):
            damage(folder / INDEX)
            async with keeping(folder, cameras, *OPTIONS) as keep:
                await keep.says("garage: recording", 5)
            after = Aftermath(folder)
            assert after.complaints() == [], damage
            (garage,) = after.cameras
            earlier = before.segments(garage)
            assert after.segments(garage)[: len(earlier)] == earlier
            before = after
    assert after.unexplained(SystemClock().wall()) == []
