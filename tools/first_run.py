"""What `make run` does: ten seconds of a simulated camera, and what was kept of them."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from camkeep.cameras.simulate import Simulator, SimulatorOptions
from camkeep.cli.record import describe
from camkeep.engine.opening import aopen

SECONDS = 10


async def main(folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    path = folder / "first-run.mp4"
    async with Simulator("easyn", SimulatorOptions(fps=15)) as simulator:
        print(f"A simulated EasyN camera is at {simulator.url}")
        print(f"Recording it for {SECONDS} s ...")
        camera = aopen(simulator.url)
        summary = await camera.record(path, seconds=SECONDS, overwrite=True)
    print(describe(summary))
    print(f"Open {path} in any player. Next: .venv/bin/camkeep --help")


asyncio.run(main(Path(sys.argv[1])))
