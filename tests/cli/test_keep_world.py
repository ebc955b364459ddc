"""A recorder whose world changes under it: its disk goes away, its clock is set."""

from __future__ import annotations

import asyncio
import json
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from camkeep.cameras.simulate import Simulator, SimulatorOptions
from camkeep.model import Cause
from support.aftermath import Aftermath
from support.fakedclock import Faked
from support.keeping import Found
from support.keepprocess import keeping

QUICK = ("--segment", "5s", "--flush", "1s", "--keep-free", "0")


@pytest.fixture
async def camera() -> AsyncIterator[Simulator]:
    options = SimulatorOptions(width=320, height=240, fps=10)
    async with Simulator("easyn", options) as simulator:
        yield simulator


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[Path]:
    """A place where a disk is mounted: a folder that is bound to it."""
    place, disk = tmp_path / "place", tmp_path / "disk"
    place.mkdir()
    disk.mkdir()
    subprocess.run(["mount", "--bind", disk, place], check=True)
    yield place
    subprocess.run(["umount", "--lazy", place], check=False, stderr=subprocess.DEVNULL)


async def grows(folder: Path, after: int = 0, timeout_s: float = 20) -> int:
    """Wait until there are more bytes of movies than `after`; how many."""
    async with asyncio.timeout(timeout_s):
        while True:
            # no event tells of another process's files
            size = sum(p.stat().st_size for p in folder.rglob("*.mp4") if p.exists())
            if size > after:
                return size
            await asyncio.sleep(0.1)


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


async def test_nothing_is_written_where_the_disk_is_not(
    camera: Simulator, mounted: Path, tmp_path: Path
) -> None:
    cameras = {"yard": camera.url}
    async with keeping(mounted, cameras, *QUICK, "--new") as keep:
        await grows(mounted, 100_000)
        subprocess.run(["umount", "--lazy", mounted], check=True)
        gone_s = time.monotonic()
        told = await keep.says("was its disk unmounted?", timeout_s=10)
        assert told.mono_s - gone_s < 5
        await asyncio.sleep(2)  # in which it would write, if it did
        assert list(mounted.iterdir()) == []
        before = await grows(tmp_path / "disk")
        subprocess.run(["mount", "--bind", tmp_path / "disk", mounted], check=True)
        told = await keep.says("recording", timeout_s=10, after=len(keep.told))
        await grows(mounted, before + 100_000)
    assert Aftermath(mounted).complaints() == []
    found = Found(mounted)
    (away,) = [gap for gap in found.gaps if gap.cause is Cause.DISK_AWAY]
    assert 2 < away.seconds < 12
    assert found.verified.intact


async def test_nothing_is_written_into_another_archive(camera: Simulator, tmp_path: Path) -> None:
    folder, other = tmp_path / "cams", tmp_path / "other"
    for path in (other, folder):
        async with keeping(path, {"yard": camera.url}, *QUICK):
            await grows(path, 50_000)
    stranger = contents(other)
    async with keeping(folder, {"yard": camera.url}, *QUICK) as keep:
        before = await grows(folder, await grows(folder))
        folder.rename(tmp_path / "aside")
        other.rename(folder)
        await keep.says("is not at", timeout_s=10)
        await asyncio.sleep(1)
        assert contents(folder) == stranger
        folder.rename(other)
        (tmp_path / "aside").rename(folder)
        await keep.says("recording", timeout_s=10, after=len(keep.told))
        await grows(folder, before + 100_000)
    assert contents(other) == stranger
    assert Aftermath(folder).complaints() == []
    found = Found(folder)
    assert [gap.cause for gap in found.gaps].count(Cause.DISK_AWAY) == 1
    assert found.verified.intact


@pytest.mark.parametrize("step_h", [2, -1])
async def test_a_clock_that_is_set_while_it_records(
    camera: Simulator, tmp_path: Path, step_h: int
) -> None:
    folder, clock = tmp_path / "cams", Faked(tmp_path / "clock")
    options = (*QUICK, "--max-age", "1h")
    async with keeping(folder, {"yard": camera.url}, *options, environment=clock.environment):
        before = await grows(folder, 150_000)
        files = {path.name for path in folder.rglob("*Z.mp4")}
        clock.set(step_h * 3600)
        stepped_s = clock.now_s()
        await grows(folder, before + 400_000)
        ended_s = clock.now_s()
    found = Found(folder)
    there = {path.name for path in folder.rglob("*Z.mp4")}
    assert files <= there  # nothing was deleted or overwritten
    assert found.verified.intact
    late = [s for s in found.segments if s.run == found.segments[-1].run]
    assert abs(late[0].start / 1e6 - stepped_s) < 1.5
    assert abs(late[-1].end / 1e6 - ended_s) < 1.5
    numbers = [json.dumps(s.sequence) for s in found.segments]
    assert len(set(numbers)) == len(numbers)
    steps = [gap.seconds for gap in found.gaps if gap.cause is Cause.CLOCK]
    if step_h > 0:
        assert steps == pytest.approx([step_h * 3600], abs=1.0)
    else:
        assert steps == []
    stopped = [g for g in found.gaps if g.cause not in (Cause.CLOCK, Cause.STARTING)]
    assert [gap.cause for gap in stopped] == [Cause.NOT_RUNNING]  # no other gap: nothing was lost
