"""A disk that reports errors: row F5 of what must be survived.

strace lets a system call on the file that is being recorded fail, and counts those that follow.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path

import pytest

from camkeep.archive.reaper import seal_of
from camkeep.cameras.simulate import Simulator, SimulatorOptions
from camkeep.cameras.testcard import read_number
from camkeep.model import Cause, SegmentState
from support.aftermath import Aftermath
from support.keepprocess import Keep, keeping, movies, numbers_in, until

CAMERA = SimulatorOptions(width=320, height=240, fps=10)
NEW_FILE_S = 2.0


@asynccontextmanager
async def failing(
    keep: Keep, path: Path, call: str, log: Path, error: str = "EIO"
) -> AsyncIterator[None]:
    """Every `call` on `path` fails; `log` gets all of them."""
    strace = await asyncio.create_subprocess_exec(
        *("strace", "-f", "-qq", "-o", str(log), "-P", str(path)),
        *("-e", f"trace={call}", "-e", f"inject={call}:error={error}", "-p", str(keep.pid)),
    )
    try:
        yield
    finally:
        if strace.returncode is None:
            strace.send_signal(signal.SIGTERM)
        await strace.wait()


@pytest.mark.parametrize(
    ("call", "segment", "which"),
    [("fdatasync", "60s", 0), ("writev", "60s", 0), ("pwrite64", "5s", 1)],
    ids=["flush", "append", "close"],
)
async def test_a_file_that_fails_is_put_aside_and_another_begun(
    tmp_path: Path, call: str, segment: str, which: int
) -> None:
    """The file of number `which`: one that has just begun, and does not end before it fails."""
    folder, log = tmp_path / "cams", tmp_path / "calls"
    options = ("--segment", segment, "--flush", "1s")
    async with (
        Simulator("easyn", CAMERA) as camera,
        keeping(folder, {"garage": camera.url}, *options) as keep,
    ):
        await until(lambda: len(movies(folder, "garage")) > which)
        path = movies(folder, "garage")[which]
        aside = path.with_name(path.name.replace("Z.mp4", "Z.damaged.mp4"))
        async with failing(keep, path, call, log):
            await until(aside.exists)
            await keep.says("failed: Input/output error; check the disk", 5)
            await until(lambda: len(movies(folder, "garage")) > which + 1)
        await asyncio.sleep(1)
    assert log.read_text().count(f"{call}(") == 1  # it is never tried again

    after = Aftermath(folder)
    (known,) = after.cameras
    others = list(after.segments(known))
    damaged = others.pop(which)
    assert damaged.state is SegmentState.DAMAGED
    assert (folder / damaged.path) == aside
    assert seal_of(aside) is None
    assert [segment.state for segment in others] == [SegmentState.CLOSED] * len(others)
    (gap,) = [gap for gap in after.gaps(known) if gap.cause is Cause.DISK_FAILED]
    assert gap.seconds <= NEW_FILE_S
    assert gap.start in {segment.end for segment in after.segments(known)}
    assert gap.end in {segment.start for segment in others}
    assert after.complaints(damaged=True) == []

    numbers = after.numbers(known, read_number)
    assert set(numbers_in(aside)) < set(numbers)  # what it holds can be seen
    jumps = [b - a for a, b in pairwise(numbers) if b - a != 1]
    assert len(jumps) <= 1
    assert sum(jumps) <= NEW_FILE_S * CAMERA.fps


async def test_an_index_that_cannot_be_written_costs_no_picture(tmp_path: Path) -> None:
    folder, log = tmp_path / "cams", tmp_path / "calls"
    async with Simulator("easyn", CAMERA) as camera:
        cameras = {"garage": camera.url}
        async with keeping(folder, cameras, "--segment", "5s") as keep:
            await until(lambda: movies(folder, "garage"))
            async with failing(keep, folder / "index.db-wal", "pwrite64", log, "ENOSPC"):
                await until(lambda: log.exists() and "ENOSPC " in log.read_text())
                await until(lambda: len(movies(folder, "garage")) >= 2)
        async with keeping(folder, cameras, "--segment", "5s") as keep:
            await keep.says("garage: recording")
    assert "ENOSPC " in log.read_text()

    after = Aftermath(folder)
    (known,) = after.cameras
    assert after.complaints() == []
    numbers = after.numbers(known, read_number)
    jumps = [b - a for a, b in pairwise(numbers) if b - a != 1]
    assert len(jumps) <= 1  # from the one process to the other
    assert len(numbers) >= CAMERA.fps  # the first file lasts a quarter of its length at least
