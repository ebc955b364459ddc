"""A camera that is kept: segments, gaps and clips, in a real archive."""

from __future__ import annotations

import asyncio
import errno
import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from camkeep.archive.files import Room, SystemFiles
from camkeep.archive.growing import at_this_moment
from camkeep.engine.keeper import KeepOptions
from camkeep.engine.schedule import Mode
from camkeep.engine.supervisor import Supervisor
from camkeep.errors import LoginRefused, StreamBroken, Unreachable
from camkeep.media.audio import g711_params
from camkeep.media.jpeg import jpeg_params
from camkeep.model import Cause, Codec, SegmentState
from support.keeping import Found, at, clock_at, keep, kept
from support.staged import Staged, stream

TEN = KeepOptions(segment_s=10)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "cams"


async def test_segments_follow_each_other_to_the_microsecond(folder: Path) -> None:
    found = await keep(folder, Staged(stream(1000)), options=TEN)
    assert [segment.state for segment in found.segments] == [SegmentState.CLOSED] * 4
    assert [segment.duration_us for segment in found.segments] == [10_000_000] * 4
    for one, other in pairwise(found.segments):
        assert one.end == other.start
        assert one.run == other.run
    assert found.numbers == list(range(1000))
    assert found.times == pytest.approx([n / 25 for n in range(1000)], abs=2e-5)
    assert found.causes() == [(40.0, math.inf, Cause.NOT_RUNNING)]
    assert found.verified.intact
    assert found.verified.segments == 4


async def test_segments_begin_with_key_frames(folder: Path) -> None:
    found = await keep(folder, Staged(stream(1000, gop=75)), options=TEN)
    assert [s.frames for s in found.segments] == [300, 225, 225, 250]
    assert found.numbers == list(range(1000))


async def test_a_camera_that_was_away_is_a_gap_with_its_cause(folder: Path) -> None:
    source = Staged(
        [*stream(50), StreamBroken("the camera ended the stream")],
        stream(50, start_s=5, first=50),
    )
    found = await keep(folder, source)
    assert found.causes() == [
        (2.0, 5.0, Cause.BROKEN),
        (7.0, math.inf, Cause.NOT_RUNNING),
    ]
    assert found.gaps[0].detail == "the camera ended the stream"
    assert [s.run for s in found.segments] == [1, 2]
    assert found.numbers == list(range(100))


async def test_a_gap_whose_cause_changes_is_two(folder: Path) -> None:
    source = Staged(
        [*stream(25), StreamBroken("gone")],
        [LoginRefused("the camera refused the password")],
    )
    clock = clock_at()
    async with kept(folder, source, clock=clock) as (camera,):
        while camera.keeper.lasting is None or camera.keeper.lasting.cause is not Cause.BROKEN:
            await asyncio.sleep(0.01)
        clock.advance(8)
        while camera.keeper.lasting is None or camera.keeper.lasting.cause is not Cause.REFUSED:
            await asyncio.sleep(0.01)
        clock.advance(60)
    found = Found(folder)
    assert found.causes() == [
        (1.0, 8.0, Cause.BROKEN),
        (8.0, 68.0, Cause.REFUSED),
        (68.0, math.inf, Cause.NOT_RUNNING),
    ]


async def test_what_is_kept_ahead_of_the_clock_is_no_gap(folder: Path) -> None:
    source = Staged(
        [*stream(25), StreamBroken("gone")],
        [LoginRefused("the camera refused the password")],
    )
    clock = clock_at()
    async with kept(folder, source, clock=clock) as (camera,):
        while camera.keeper.lasting is None or camera.keeper.lasting.cause is not Cause.BROKEN:
            await asyncio.sleep(0.01)
        clock.advance(0.9)  # the last frame ends at 1.0
        while camera.keeper.lasting is None or camera.keeper.lasting.cause is not Cause.REFUSED:
            await asyncio.sleep(0.01)
        clock.advance(60)
    assert [start for start, _, _ in Found(folder).causes()] == [1.0, 60.9]


async def test_a_camera_that_never_answered_is_one_gap(folder: Path) -> None:
    source = Staged([Unreachable("nobody answers")])
    clock = clock_at()
    async with kept(folder, source, clock=clock):
        await asyncio.sleep(0.05)
        clock.advance(30)
    assert Found(folder).causes() == [
        (0.0, 30.0, Cause.UNREACHABLE),
        (30.0, math.inf, Cause.NOT_RUNNING),
    ]


async def test_a_clock_set_forward_is_a_gap_of_exactly_that(folder: Path) -> None:
    clock = clock_at()
    hours = 7200.0

    class Stepped(Staged):
        async def run(self, sink, notes):  # type: ignore[no-untyped-def]
            for sample in stream(50):
                sink(sample)
            await asyncio.sleep(0.6)  # until the first have settled
            clock.advance(2)
            clock.step(hours)
            for sample in stream(50, start_s=2, first=50, run=1, wall_shift_s=hours):
                sink(sample)
            self.played.set()
            await asyncio.Event().wait()

    found = await keep(folder, Stepped(), clock=clock)
    assert found.causes() == [
        (2.0, 2.0 + hours, Cause.CLOCK),
        (4.0 + hours, math.inf, Cause.NOT_RUNNING),
    ]
    assert found.numbers == list(range(100))


async def test_a_clock_set_back_loses_and_overwrites_nothing(folder: Path) -> None:
    clock = clock_at()

    class Stepped(Staged):
        async def run(self, sink, notes):  # type: ignore[no-untyped-def]
            for sample in stream(50):
                sink(sample)
            await asyncio.sleep(0.6)
            clock.advance(2)
            clock.step(-2)
            for sample in stream(50, start_s=2, first=50, run=1, wall_shift_s=-2):
                sink(sample)
            self.played.set()
            await asyncio.Event().wait()

    found = await keep(folder, Stepped(), clock=clock)
    assert found.numbers == list(range(100))
    assert [segment.start for segment in found.segments] == [at(0), at(0)]
    names = [segment.path.rpartition("/")[2] for segment in found.segments]
    assert names[1] == names[0].replace("Z.mp4", "-2Z.mp4")
    assert found.verified.intact


async def test_another_picture_size_begins_a_segment_and_is_no_gap(folder: Path) -> None:
    big = jpeg_params(128, 96)
    source = Staged([*stream(50), *stream(50, start_s=2, first=50, params=big)])
    found = await keep(folder, source)
    assert [(s.width, s.frames) for s in found.segments] == [(64, 50), (128, 50)]
    assert found.segments[0].end == found.segments[1].start
    assert found.causes() == [(4.0, math.inf, Cause.NOT_RUNNING)]


async def test_sound_is_kept_with_the_picture(folder: Path) -> None:
    sound = g711_params(Codec.PCMA, 8000, 1)
    pieces = [sample._replace(data=bytes(320)) for sample in stream(500, params=sound)]
    both = sorted([*stream(500), *pieces], key=lambda sample: sample.arrival)
    found = await keep(folder, Staged(both), options=TEN)
    assert [s.audio for s in found.segments] == ["alaw", "alaw"]
    assert found.verified.intact
    silent = await keep(folder.with_name("silent"), Staged(both), options=KeepOptions(audio=False))
    assert [s.audio for s in silent.segments] == [""]


async def test_started_again_it_goes_on(folder: Path) -> None:
    await keep(folder, Staged(stream(50)), clock=clock_at())
    source = Staged(stream(50, start_s=10, first=50))
    found = await keep(folder, source, clock=clock_at(9.0))
    assert found.causes() == [
        (2.0, 10.0, Cause.NOT_RUNNING),
        (12.0, math.inf, Cause.NOT_RUNNING),
    ]
    assert found.numbers == list(range(100))
    assert [s.sequence for s in found.segments] == [1, 2]
    assert [s.run for s in found.segments] == [1, 2]
    assert found.verified.intact


async def test_a_new_camera_that_has_no_picture_yet_is_starting(folder: Path) -> None:
    found = await keep(folder, Staged(stream(50, start_s=3)))
    assert found.causes() == [(0.0, 3.0, Cause.STARTING), (5.0, math.inf, Cause.NOT_RUNNING)]


# Record


async def test_record_makes_a_clip_and_copies_nothing(folder: Path) -> None:
    source = Staged(stream(250))
    clock = clock_at(10)
    options = KeepOptions(pre_roll_s=4)
    async with kept(folder, source, clock=clock, options=options) as (camera,):
        await source.played.wait()
        clip = await camera.record("a fox")
        assert await camera.record() == clip
        clock.advance(20)
        ended = await camera.stop()
        assert await camera.stop() is None
    found = Found(folder)
    assert found.clips == [ended]
    assert (found.clips[0].start, found.clips[0].end) == (at(6), at(30))
    assert found.clips[0].held
    assert found.clips[0].name == "a fox"
    assert len(found.segments) == 1


class Slow(Staged):
    """Sends a second of pictures each time it is asked to."""

    def __init__(self, gop: int = 5) -> None:
        super().__init__()
        self.more = asyncio.Semaphore(0)
        self.sent = 0
        self._gop = gop

    async def run(self, sink, notes):  # type: ignore[no-untyped-def]
        for second in range(1000):
            await self.more.acquire()
            for sample in stream(25, start_s=second, first=25 * second, gop=self._gop):
                sink(sample)
            self.sent += 1

    async def play(self, seconds: int) -> None:
        """Send so much, and wait until it has settled."""
        until = self.sent + seconds
        for _ in range(seconds):
            self.more.release()
        while self.sent < until:
            await asyncio.sleep(0)
        await asyncio.sleep(0.6 if until == seconds else 0)


async def test_only_when_asked_with_its_pre_roll(folder: Path) -> None:
    source, clock = Slow(gop=10), clock_at()
    options = KeepOptions(pre_roll_s=2)
    async with kept(folder, source, clock=clock, options=options, mode=Mode.ASKED) as (camera,):
        await source.play(10)
        clock.advance(10)
        clip = await camera.record()
        await source.play(5)
        clock.advance(5)
        await camera.stop()
        await source.play(5)
    found = Found(folder)
    assert found.numbers == list(range(195, 375))  # from the key frame before the last two seconds
    assert clip.start == at(7.8)
    assert (found.clips[0].start, found.clips[0].end) == (at(7.8), at(15))
    assert found.causes() == [
        (0.0, 7.8, Cause.NOT_WANTED),
        (15.0, math.inf, Cause.NOT_WANTED),
    ]
    assert found.verified.intact


async def test_switched_off_by_a_person_is_a_gap(folder: Path) -> None:
    source, clock = Slow(), clock_at()
    async with kept(folder, source, clock=clock) as (camera,):
        await source.play(4)
        clock.advance(4)
        camera.keeper.stop(Cause.SWITCHED_OFF)
        await source.play(4)
        clock.advance(4)
        camera.keeper.start()
        await source.play(2)
    found = Found(folder)
    assert found.causes() == [
        (4.0, 8.0, Cause.SWITCHED_OFF),
        (10.0, math.inf, Cause.NOT_RUNNING),
    ]
    assert found.numbers == [*range(100), *range(200, 250)]


# disks


class Full(SystemFiles):
    """A disk that is full while `full` is set, and fails to flush while `broken` is."""

    def __init__(self) -> None:
        self.full = self.broken = False

    def writev(self, fd: int, buffers: Sequence[bytes | memoryview]) -> int:
        if self.full:
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().writev(fd, buffers)

    def room(self, path: Path) -> Room:
        return super().room(path)._replace(free=0) if self.full else super().room(path)

    def sync(self, fd: int) -> None:
        if self.broken:
            self.broken = False
            raise OSError(errno.EIO, "Input/output error")
        super().sync(fd)


async def test_a_full_disk_is_a_gap_and_recording_goes_on(folder: Path) -> None:
    source, clock, files = Slow(), clock_at(), Full()
    async with kept(folder, source, clock=clock, files=files) as (camera,):
        await source.play(4)
        clock.advance(4)
        files.full = True
        await source.play(2)
        clock.advance(2)
        while camera.trouble is None:
            await asyncio.sleep(0.01)
        assert "no space is left" in str(camera.trouble)
        await source.play(2)
        clock.advance(2)
        files.full = False
        while camera.trouble is not None:
            await asyncio.sleep(0.01)
        await source.play(3)
        clock.advance(3)
    found = Found(folder)
    begin, end, cause = found.causes()[0]
    assert cause is Cause.DISK_FULL
    kept_before = [time for time in found.times if time < begin]
    assert begin == pytest.approx(kept_before[-1] + 0.04, abs=0.001)
    assert end == 8.0
    assert 3.9 < begin < 6.1
    assert [s.state for s in found.segments] == [SegmentState.CLOSED] * 2
    assert found.verified.intact


async def test_a_flush_that_fails_damages_one_segment_and_no_more(folder: Path) -> None:
    source, clock, files = Slow(), clock_at(), Full()
    options = KeepOptions(sync_s=0)
    failed, mended = asyncio.Event(), asyncio.Event()

    def changed(camera: Supervisor) -> None:
        if camera.trouble is not None:
            failed.set()
        elif failed.is_set():
            mended.set()

    async with kept(folder, source, clock=clock, files=files, options=options, on_change=changed):
        await source.play(4)
        clock.advance(4)
        files.broken = True
        await source.play(1)
        await mended.wait()
        await source.play(5)
        clock.advance(6)
    found = Found(folder)
    assert [s.state for s in found.segments] == [SegmentState.DAMAGED, SegmentState.CLOSED]
    assert found.segments[0].path.endswith(".damaged.mp4")
    assert (folder / found.segments[0].path).exists()
    assert found.segments[0].chain == b""
    failed_gaps = [row for row in found.causes() if row[2] is Cause.DISK_FAILED]
    end = (found.segments[0].end - at(0)) / 1e6  # what it holds can be seen
    assert failed_gaps == ([(round(end, 3), 5.0, Cause.DISK_FAILED)] if end < 5 else [])
    assert found.segments[1].start == at(5)
    assert found.verified.intact
    assert found.verified.damaged == 1


async def test_what_grows_is_as_long_as_what_the_file_holds(folder: Path) -> None:
    """Whoever asks this process need not have the file read."""
    source, clock = Slow(), clock_at()
    async with kept(folder, source, clock=clock) as (camera,):
        await source.play(4)
        await camera.keeper.written()
        (known,) = camera.shelf._open.values()
        while known[1].frames < 100:
            await asyncio.sleep(0.01)
        seen = camera.shelf.at_this_moment(known[0])
        assert seen is not None
        read = at_this_moment(folder, known[0])
        assert (seen.frames, seen.size, seen.duration_us) == (
            read.frames,
            read.size,
            read.duration_us,
        )
        assert camera.shelf.at_this_moment(replace(known[0], sequence=99)) is None
