"""40,000 viewers who come and go: row F17 of what must be survived."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from camkeep.cameras.simulate import Simulator, SimulatorOptions
from support.guests import descriptors_of, memory_of, visits
from support.serveprocess import serving, setup

SESSIONS = 40_000
WARM_UP = 2_000
MOST_GROWN = 20 * 1024 * 1024
STEP = 4_000


@pytest.mark.timeout(3600)
async def test_viewers(tmp_path: Path) -> None:
    folder = tmp_path / "cams"
    async with Simulator("mjpeg", SimulatorOptions(width=160, height=128, fps=20)) as camera:
        setup(folder, {"garage": camera.url})
        async with serving(folder) as served:
            await served.until_recording("garage")
            garage = (await served.cameras())["garage"]["id"]
            await visits(served.port, garage, WARM_UP)
            memory, descriptors = memory_of(served.pid), descriptors_of(served.pid)
            for turn in range(SESSIONS // STEP):
                statuses = await visits(served.port, garage, STEP, seed=turn)
                assert set(statuses) == {"101", "200"}, statuses
                grown = (memory_of(served.pid) - memory) / 1e6
                print(f"\n{(turn + 1) * STEP} sessions: {grown:+.1f} MB", end="")
            await asyncio.sleep(10)
            grown = memory_of(served.pid) - memory
            print(f"\n{SESSIONS} sessions: memory grew by {grown / 1e6:.1f} MB")
            assert grown < MOST_GROWN
            assert descriptors_of(served.pid) <= descriptors + 2
            assert served.complaints() == []
