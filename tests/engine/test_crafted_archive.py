"""Streams whose clocks wrap, jump and stand still, and whose parameters change, into an archive;
and a disk that does not keep up. The rows F7, F9 and F10 of what must be survived."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest

from camkeep.archive import writer
from camkeep.archive.files import SystemFiles
from camkeep.archive.view import ArchiveView
from camkeep.clock import FakeClock
from camkeep.engine.keeper import KeepOptions
from camkeep.model import Cause, SegmentState
from engine.test_crafted_streams import (
    CLOCKS,
    COUNT,
    FPS,
    UNITS,
    Crafted,
    decoded,
    slices_of,
    steady,
)
from engine.test_keeper import Slow
from support.clips import slices
from support.files import pictures_of
from support.keeping import Found, clock_at, keep, kept
from support.rtsp_server import access_units
from support.staged import WALL0

TEN = KeepOptions(segment_s=10)


def crafted_clock() -> FakeClock:
    """One that agrees with the arrivals of crafted packets."""
    return FakeClock(wall=WALL0, mono=1000 * 10**9)


@pytest.mark.parametrize("name", CLOCKS)
async def test_nothing_is_lost_whatever_the_stamps_say(tmp_path: Path, name: str) -> None:
    units = [UNITS[n % len(UNITS)] for n in range(COUNT)]
    source = Crafted(units, CLOCKS[name], 65_000)
    found = await keep(tmp_path / "cams", source, options=TEN, clock=crafted_clock())
    pictures = [
        shown.data
        for segment in found.segments
        for shown in pictures_of(tmp_path / "cams" / segment.path)
    ]
    assert [slices(data) for data in pictures] == [slices_of(unit) for unit in units]
    missing = [gap for gap in found.gaps if gap.cause is not Cause.NOT_RUNNING]
    assert sum(gap.seconds for gap in missing if gap.cause is not Cause.STARTING) <= 1.0
    assert max(segment.duration_us for segment in found.segments) <= 20_000_000
    times = found.times
    assert all(a < b for a, b in pairwise(times))
    assert times[-1] - times[0] == pytest.approx((COUNT - 1) / FPS, rel=0.001)
    assert found.verified.intact


async def test_a_clip_spans_another_size(tmp_path: Path) -> None:
    folder, big = tmp_path / "cams", access_units("h264-big")
    source = Crafted([*UNITS, *big], steady)
    found = await keep(folder, source, options=TEN, clock=crafted_clock())
    assert [segment.frames for segment in found.segments] == [len(UNITS), len(big)]
    assert [segment.width for segment in found.segments] == [320, 640]
    assert [gap.cause for gap in found.gaps if gap.cause is not Cause.STARTING] == [
        Cause.NOT_RUNNING
    ]
    with ArchiveView(folder) as view:
        start, end = found.segments[0].start, found.segments[1].end
        view.export("cam0", start, end, tmp_path / "clip.mp4")
    sizes = decoded(tmp_path / "clip.mp4")
    assert sizes == [(320, 240)] * len(UNITS) + [(640, 480)] * len(big)


class Stalled(SystemFiles):
    """A disk whose writes wait while `stalled` is set."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.go.set()

    def writev(self, fd: int, buffers: Sequence[bytes | memoryview]) -> int:
        assert self.go.wait(60)
        return super().writev(fd, buffers)


@pytest.mark.parametrize("fits", [True, False])
async def test_a_disk_that_stalls(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fits: bool
) -> None:
    """Nothing is lost while what waits fits into memory; then there is one gap, and no more is
    held than the bound and what came in one go."""
    second = 25 * 40  # bytes of staged pictures, about
    monkeypatch.setattr(writer, "BACKLOG_BYTES", 100 * second if fits else 5 * second)
    folder, source, clock, files = tmp_path / "cams", Slow(), clock_at(), Stalled()
    async with kept(folder, source, clock=clock, files=files) as (camera,):
        await source.play(4)
        clock.advance(4)
        files.go.clear()
        for _ in range(30):
            await source.play(1)
            clock.advance(1)
            await asyncio.sleep(0.05)  # the reel writes every so often
            camera.keeper._reel.flush()
        files.go.set()
        async with asyncio.timeout(30):
            while camera.keeper.waiting_bytes:
                await asyncio.sleep(0.01)
        await source.play(3)
        clock.advance(3)
    found = Found(folder)
    slow = [gap for gap in found.gaps if gap.cause is Cause.DISK_SLOW]
    assert all(segment.state is SegmentState.CLOSED for segment in found.segments)
    assert found.verified.intact
    if fits:
        assert found.numbers == list(range(25 * 37))
        assert slow == []
        assert camera.keeper.drops == 0
    else:
        assert len(slow) == 1
        assert len(found.numbers) + camera.keeper.drops == 25 * 37
        assert slow[0].seconds == pytest.approx(camera.keeper.drops / FPS, abs=0.001)
        assert 15 < slow[0].seconds < 30
