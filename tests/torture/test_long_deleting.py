"""A recorder that is killed at every system call of its deleting: row F19 of what must be
survived."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import pytest

from camkeep.cameras.simulate import Simulator, SimulatorOptions
from support.deleting import kill_while_deleting, make_footage, steps_of_deleting

CAMERA = SimulatorOptions(width=320, height=240, fps=10)


@pytest.mark.timeout(900)
async def test_every_step_of_deleting(tmp_path: Path) -> None:
    footage, folder = tmp_path / "footage", tmp_path / "cams"
    await make_footage(footage)
    seen: Counter[int] = Counter()
    async with Simulator("easyn", CAMERA) as camera:
        cameras = {"garage": camera.url}
        steps = sorted(set(await steps_of_deleting(footage, tmp_path / "all", cameras)))
        for kill in steps:
            found, deleted = await kill_while_deleting(footage, folder, cameras, kill)
            assert found == [], kill
            seen[deleted] += 1
            shutil.rmtree(folder)
    print(f"\nkilled at {len(steps)} steps; so many were deleted then: {sorted(seen)}")
    assert len(seen) > 3
