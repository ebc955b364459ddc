"""A recorder that is killed while it deletes: row F19 of what must be survived, in short.
`tests/torture` does it at every step."""

from __future__ import annotations

from pathlib import Path

import pytest

from camkeep.cameras.simulate import Simulator, SimulatorOptions
from support.deleting import SEGMENTS, kill_while_deleting, make_footage, steps_of_deleting

CAMERA = SimulatorOptions(width=320, height=240, fps=10)


@pytest.mark.timeout(180)
async def test_a_deletion_that_was_interrupted_is_finished(tmp_path: Path) -> None:
    footage = tmp_path / "footage"
    await make_footage(footage)
    async with Simulator("easyn", CAMERA) as camera:
        cameras = {"garage": camera.url}
        steps = await steps_of_deleting(footage, tmp_path / "all", cameras)
        for call in ("unlink", "rename", "pwrite64"):
            of_call = [step for step in steps if step.call == call]
            kill = of_call[len(of_call) // 2]
            found, deleted = await kill_while_deleting(footage, tmp_path / call, cameras, kill)
            print(f"{kill}: {deleted} of {SEGMENTS} were deleted when it was killed")
            assert found == []
