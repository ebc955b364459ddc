"""A disk that is full to its last byte: row F3 of what must be survived."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from camkeep.archive.root import open_root
from camkeep.archive.store import Archive
from camkeep.cameras.simulate import Simulator, SimulatorOptions
from camkeep.cameras.testcard import read_number
from camkeep.clock import FakeClock, SystemClock
from camkeep.engine.keeper import KeepOptions
from camkeep.model import Cause, Clip, Segment
from support.aftermath import Aftermath
from support.keeping import at, keep
from support.keepprocess import keeping, until
from support.smalldisk import Ballast, small_disk
from support.staged import Staged, stream

CAMERA = SimulatorOptions(width=320, height=240, fps=10)
OPTIONS = ("--segment", "5s", "--keep-free", "1MB")
ALARM_S = 5.0
FREED_S = 10.0
RESUMED_S = 10.0
HELD = (at(60), at(80))


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk") as place:
        yield place


async def old_footage(folder: Path) -> list[Segment]:
    """Twenty segments of a camera that is no longer there, each of a megabyte, and a clip that
    holds some of them."""
    big = (sample._replace(data=sample.data + bytes(100_000)) for sample in stream(200, fps=1))
    found = await keep(folder, Staged(big), options=KeepOptions(segment_s=10))
    archive = Archive.open(open_root(folder), FakeClock(at(300)))
    try:
        clip = Clip("heldheldheldheld", "held", (found.camera.id,), *HELD, True, at(200))
        await archive.save_clip(clip)
    finally:
        archive.close()
    return found.segments


def is_held(segment: Segment) -> bool:
    return segment.start < HELD[1] and segment.end > HELD[0]


async def test_the_oldest_makes_room_and_what_is_held_stays(disk: Path) -> None:
    folder = disk / "cams"
    old = await old_footage(folder)
    oldest = folder / old[0].path
    other = Ballast(disk / "other")
    async with (
        Simulator("easyn", CAMERA) as camera,
        keeping(folder, {"garage": camera.url}, *OPTIONS) as recorder,
    ):
        await recorder.says("garage: recording")
        await asyncio.sleep(1)

        other.grow()
        full_s = time.monotonic()
        alarm = await recorder.says("no space is left", ALARM_S)
        freed_s = await until(lambda: not oldest.exists(), FREED_S)
        back = await recorder.says("garage: recording", RESUMED_S, recorder.told.index(alarm))
        assert back.mono_s - freed_s <= RESUMED_S
        print(
            f"alarm after {alarm.mono_s - full_s:.1f} s, the oldest gone after "
            f"{freed_s - full_s:.1f} s, recording after {back.mono_s - full_s:.1f} s"
        )

        await asyncio.sleep(1.5)
        seen = len(recorder.told)
        growing = asyncio.create_task(grow_again_and_again(other))
        await recorder.says("no space is left", ALARM_S, seen)
        await asyncio.sleep(4)
        growing.cancel()
        assert recorder.alive
        other.vanish()
        room_s = time.monotonic()
        back = await recorder.says("garage: recording", RESUMED_S, len(recorder.told))
        print(f"recording {back.mono_s - room_s:.1f} s after there was room")
        await asyncio.sleep(1)

    after = Aftermath(folder)
    assert after.complaints() == []
    old_camera, garage = after.cameras
    kept = after.segments(old_camera)
    assert [segment for segment in kept if is_held(segment)] == list(filter(is_held, old))
    assert [segment for segment in kept if not is_held(segment)] == old[len(old) - len(kept) + 2 :]
    assert after.unexplained(SystemClock().wall()) == []
    full = [gap for gap in after.gaps(garage) if gap.cause is Cause.DISK_FULL]
    assert len(full) == 2
    numbers = after.numbers(garage, read_number)  # of which the first had to go, too
    assert len(numbers) > 5


async def grow_again_and_again(other: Ballast) -> None:
    """Another program that takes whatever becomes free."""
    while True:
        other.grow()
        await asyncio.sleep(0.05)
