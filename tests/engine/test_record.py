"""What `record` makes of what a camera sends: files, times, gaps, and why it ended."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from heapq import merge
from pathlib import Path

import av
import pytest

from camkeep.clock import SystemClock
from camkeep.engine.plan import Plan, Progress
from camkeep.engine.record import Recording
from camkeep.errors import (
    CamkeepError,
    DiskFull,
    LoginRefused,
    NotWritable,
    StreamBroken,
    Unreachable,
    UsageError,
)
from camkeep.media.audio import g711_params
from camkeep.media.jpeg import jpeg_params
from camkeep.model import Cause, Codec
from support.recording import frames, length, record
from support.staged import PICTURES, Staged, picture, stream

SOUND = g711_params(Codec.PCMA, 8000, 1)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "birds.mp4"


async def test_every_frame_is_kept_byte_for_byte_with_its_time(path: Path) -> None:
    summary = await record(Staged(stream(100), promised_fps=30), Plan(path))
    assert summary.error is None
    assert summary.ended == "stopped by the test"
    assert (summary.frames, summary.promised_fps) == (100, 30)
    assert summary.measured_fps == pytest.approx(25)
    kept = frames(path)
    assert [f.data for f in kept] == [picture(n) for n in range(100)]
    assert [f.seconds for f in kept] == pytest.approx([n / 25 for n in range(100)], abs=1e-4)
    assert path.stat().st_size == summary.movies[0].bytes


async def test_a_number_of_frames(path: Path) -> None:
    summary = await record(Staged(stream(100)), Plan(path, frames=7))
    assert summary.ended == "all frames asked for are kept"
    assert len(frames(path)) == 7


async def test_a_duration_is_that_of_the_movie(path: Path) -> None:
    summary = await record(Staged(stream(100, fps=10)), Plan(path, duration_s=2.55))
    assert summary.ended == "the time asked for is over"
    assert len(frames(path)) == 26
    assert length(path) == pytest.approx(2.55, abs=0.01)


async def test_a_duration_ends_while_the_camera_is_away(path: Path) -> None:
    staged = Staged([*stream(10), StreamBroken("gone")])
    recording = Recording(staged, Plan(path, duration_s=0.5), SystemClock())
    summary = await asyncio.wait_for(recording.run(), 20)
    assert summary.ended == "the time asked for is over"
    assert summary.frames == 10


async def test_thinning_leaves_out_and_moves_nothing(path: Path) -> None:
    summary = await record(Staged(stream(100)), Plan(path, fps=5))
    kept = frames(path)
    assert [f.data for f in kept] == [picture(n) for n in range(0, 100, 5)]
    assert [f.seconds for f in kept] == pytest.approx([n / 5 for n in range(20)], abs=1e-4)
    assert summary.thinned == 80
    assert summary.measured_fps == pytest.approx(25)


async def test_segments_begin_at_key_frames_and_lose_nothing(path: Path) -> None:
    summary = await record(Staged(stream(100, gop=10)), Plan(path, segment_s=1))
    names = ["birds-001.mp4", "birds-002.mp4", "birds-003.mp4", "birds-004.mp4"]
    assert [m.path.name for m in summary.movies] == names
    kept = [frames(m.path) for m in summary.movies]
    assert [len(k) for k in kept] == [30, 30, 30, 10]  # the first key frame after a second
    assert [f.data for k in kept for f in k] == [picture(n) for n in range(100)]
    assert [length(m.path) for m in summary.movies[:3]] == pytest.approx([1.2] * 3, abs=0.01)
    assert summary.movies[1].start - summary.movies[0].start == 1_200_000


async def test_sound_goes_to_the_movie_it_belongs_to(path: Path) -> None:
    pictures = stream(100, gop=25)
    sound = stream(500, fps=50, params=SOUND)
    late = [s._replace(arrival=s.arrival + 300_000_000) for s in sound]  # behind the pictures
    both = list(merge(pictures, late, key=lambda s: s.arrival))
    summary = await record(Staged(both), Plan(path, segment_s=2))
    first, second = (frames(m.path, "audio") for m in summary.movies)
    assert len(first) == 100
    assert [f.data for f in (*first, *second)][: 2 * 93] == [picture(n) for n in range(2 * 93)]


async def test_without_sound(path: Path) -> None:
    both = merge(stream(50), stream(100, fps=50, params=SOUND), key=lambda s: s.arrival)
    summary = await record(Staged(list(both)), Plan(path, audio=False))
    assert summary.frames == 50
    with av.open(str(path)) as container:
        assert [s.type for s in container.streams] == ["video"]


async def test_sound_that_is_announced_and_never_comes_leaves_no_track(path: Path) -> None:
    one = list(stream(50))
    summary = await record(Staged([*one, *stream(1, params=SOUND, start_s=-5)]), Plan(path))
    assert summary.frames == 50
    with av.open(str(path)) as container:
        assert [s.type for s in container.streams] == ["video"]


async def test_another_size_goes_on_in_a_second_file(path: Path) -> None:
    other = jpeg_params(128, 96)
    both = [*stream(50), *stream(50, params=other, start_s=2, first=50)]
    summary = await record(Staged(both), Plan(path))
    assert [m.path.name for m in summary.movies] == ["birds.mp4", "birds-2.mp4"]
    assert [m.frames for m in summary.movies] == [50, 50]
    with av.open(str(summary.movies[1].path)) as container:
        assert container.streams.video[0].width == 128


async def test_other_parameters_wait_for_a_key_frame(path: Path) -> None:
    other = replace(PICTURES, width=128)
    mixed = [s._replace(params=other) if n >= 25 else s for n, s in enumerate(stream(60, gop=20))]
    summary = await record(Staged(mixed), Plan(path))
    assert [m.frames for m in summary.movies] == [25, 20]
    assert summary.drops == 15


async def test_a_camera_that_comes_back_goes_on_in_the_same_file_with_a_named_gap(
    path: Path,
) -> None:
    source = Staged([*stream(50), StreamBroken("gone")], stream(50, start_s=5, first=50))
    summary = await record(source, Plan(path))
    (movie,) = summary.movies
    kept = frames(movie.path)
    assert [f.data for f in kept] == [picture(n) for n in range(100)]
    times = [n / 25 for n in range(50)] + [5 + n / 25 for n in range(50)]
    assert [f.seconds for f in kept] == pytest.approx(times, abs=1e-4)
    (gap,) = summary.gaps
    assert gap.seconds == pytest.approx(5 - 49 / 25)
    assert (gap.cause, gap.detail) == (Cause.BROKEN, "gone")
    assert summary.reconnects == 1


async def test_a_camera_that_stays_away_is_a_gap_up_to_the_end(path: Path) -> None:
    source = Staged([*stream(50), StreamBroken("gone")])
    summary = await record(source, Plan(path))
    assert summary.frames == 50
    assert [gap.detail for gap in summary.gaps] == ["gone"]


@pytest.mark.parametrize("step_s", [7200, -3600])
async def test_a_step_of_the_wall_clock_does_not_bend_the_movie(path: Path, step_s: float) -> None:
    both = [
        *stream(50),
        *stream(50, start_s=2, first=50, run=1, wall_shift_s=step_s),
    ]
    summary = await record(Staged(both), Plan(path))
    assert summary.gaps == ()
    kept = frames(path)
    assert [f.seconds for f in kept] == pytest.approx([n / 25 for n in range(100)], abs=1e-3)


@pytest.mark.parametrize("error", [Unreachable("off"), LoginRefused("no")])
async def test_a_camera_that_cannot_be_had_is_an_error_at_once(
    path: Path, error: CamkeepError
) -> None:
    assert isinstance(error, Unreachable | LoginRefused)
    summary = await record(Staged([error]), Plan(path))
    assert summary.error is error
    assert str(error).startswith("testcard:/: ")
    assert not path.exists()


async def test_waiting_for_a_camera(path: Path) -> None:
    source = Staged([Unreachable("off")], stream(10))
    summary = await record(source, Plan(path, wait=True))
    assert summary.error is None
    assert summary.frames == 10
    assert summary.gaps == ()


async def test_a_login_that_is_refused_is_not_waited_for(path: Path) -> None:
    summary = await record(Staged([LoginRefused("no")]), Plan(path, wait=True))
    assert isinstance(summary.error, LoginRefused)


async def test_nothing_recorded_leaves_no_file(path: Path) -> None:
    summary = await record(Staged([s._replace(key=False) for s in stream(20)]), Plan(path))
    assert isinstance(summary.error, CamkeepError)
    assert list(path.parent.iterdir()) == []


async def test_cancelling_closes_the_movie(path: Path) -> None:
    source = Staged(stream(50))
    running = asyncio.create_task(Recording(source, Plan(path), SystemClock()).run())
    await source.played.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert len(frames(path)) == 50


async def test_progress_is_told(path: Path) -> None:
    seen: list[Progress] = []
    source = Staged(stream(50))
    recording = Recording(source, Plan(path), SystemClock())
    told = asyncio.Event()

    def tell(progress: Progress) -> None:
        seen.append(progress)
        if progress.frames == 50:
            told.set()

    running = asyncio.create_task(recording.run(tell))
    await asyncio.wait_for(told.wait(), 10)
    recording.stop()
    await running
    assert seen[-1].state == "live"
    assert seen[-1].seconds == pytest.approx(49 / 25)


def test_what_cannot_be_written_is_said_before_the_camera_is_opened(tmp_path: Path) -> None:
    (tmp_path / "there.mp4").write_bytes(b"mine")
    (tmp_path / "folder.mp4").mkdir()
    for name, words in (
        ("there.mp4", "exists already"),
        ("folder.mp4", "is a folder"),
        ("no/such/birds.mp4", "there is no folder"),
    ):
        with pytest.raises(NotWritable, match=words):
            Plan(tmp_path / name).check_writable()
    assert (tmp_path / "there.mp4").read_bytes() == b"mine"
    Plan(tmp_path / "there.mp4", overwrite=True).check_writable()


@pytest.mark.parametrize(
    "wrong",
    [
        {"path": Path("birds.avi")},
        {"duration_s": 0},
        {"frames": -1},
        {"fps": 0.0},
        {"segment_s": float("nan")},
    ],
)
def test_plans_that_make_no_sense(wrong: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        Plan(**{"path": Path("birds.mp4"), **wrong})  # type: ignore[arg-type]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte."""
    if os.getuid() != 0:
        pytest.skip("needs root to mount a small disk")
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)], check=True)
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


async def test_a_full_disk_ends_the_recording_and_leaves_the_movie(small_disk: Path) -> None:
    path = small_disk / "birds.mp4"

    class Slow(Staged):
        """Sends in portions, so that fragments are written in between."""

        async def run(self, sink, notes):  # type: ignore[no-untyped-def]
            for sample in stream(2000):
                sink(sample._replace(data=sample.data.ljust(4000, b"\0")))
                if sample.ticks % 2_000_000 == 0:
                    await asyncio.sleep(0.5)
            await asyncio.Event().wait()

    summary = await asyncio.wait_for(Recording(Slow(), Plan(path), SystemClock()).run(), 30)
    assert isinstance(summary.error, DiskFull)
    kept = frames(path)
    assert len(kept) >= 100
    assert [f.data[:10] for f in kept] == [picture(n)[:10] for n in range(len(kept))]
