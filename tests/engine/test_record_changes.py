"""What changes while a recording goes on: the sound, the session, the disk, the one who asks."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from heapq import merge
from itertools import pairwise
from pathlib import Path

import av
import pytest

from camkeep.clock import MonoNs, SystemClock, WallUs
from camkeep.engine import reel
from camkeep.engine.plan import Plan
from camkeep.engine.record import Recording
from camkeep.errors import MediaError, StreamBroken
from camkeep.media.audio import g711_params
from camkeep.media.jpeg import jpeg_params
from camkeep.model import AudioParams, Codec, Sample
from support.files import movie_of
from support.recording import frames, record
from support.staged import Staged, picture, stream

ALAW = g711_params(Codec.PCMA, 8000, 1)
MULAW = g711_params(Codec.PCMU, 8000, 1)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "birds.mp4"


def with_sound(sound: AudioParams, start_s: float, first: int) -> Iterator[Sample]:
    pictures = stream(50, start_s=start_s, first=first)
    heard = stream(100, fps=50, start_s=start_s, params=sound)
    return merge(pictures, heard, key=lambda sample: sample.arrival)


def sounds(path: Path) -> list[str]:
    with av.open(str(path)) as container:
        return [s.codec_context.name for s in container.streams if s.type == "audio"]


@pytest.mark.parametrize("before", [None, MULAW])
async def test_other_sound_goes_on_in_a_second_file(path: Path, before: AudioParams | None) -> None:
    first = stream(50) if before is None else with_sound(before, 0, 0)
    source = Staged([*first, StreamBroken("gone")], with_sound(ALAW, 5, 50))
    summary = await record(source, Plan(path))
    assert summary.error is None
    assert [m.frames for m in summary.movies] == [50, 50]
    assert [m.because for m in summary.movies] == ["", "the sound is now alaw, 8000 Hz"]
    assert [sounds(m.path) for m in summary.movies] == [
        ["pcm_mulaw"] if before else [],
        ["pcm_alaw"],
    ]
    assert len(frames(summary.movies[1].path, "audio")) == 100


async def test_sound_that_nobody_wants_changes_nothing(path: Path) -> None:
    source = Staged([*stream(50), StreamBroken("gone")], with_sound(ALAW, 5, 50))
    summary = await record(source, Plan(path, audio=False))
    assert [m.frames for m in summary.movies] == [100]


async def test_sound_that_is_gone_leaves_the_movie_as_it_is(path: Path) -> None:
    source = Staged(
        [*with_sound(ALAW, 0, 0), StreamBroken("gone")], stream(50, start_s=5, first=50)
    )
    summary = await record(source, Plan(path))
    assert [m.frames for m in summary.movies] == [100]


async def test_a_file_that_an_older_recording_left_is_passed_over(path: Path) -> None:
    for taken in ("birds-2.mp4", "birds-3.mp4"):
        path.with_name(taken).write_bytes(b"mine")
    other = jpeg_params(128, 96)
    source = Staged([*stream(50), *stream(50, params=other, start_s=2, first=50)])
    summary = await record(source, Plan(path))
    assert summary.error is None
    assert [m.path.name for m in summary.movies] == ["birds.mp4", "birds-4.mp4"]
    assert summary.movies[1].because.startswith("the picture is now 128x96")
    assert path.with_name("birds-2.mp4").read_bytes() == b"mine"


async def test_thinning_makes_no_gaps(path: Path) -> None:
    both = [*stream(100), *stream(100, start_s=4, first=100, run=1)]
    summary = await record(Staged(both), Plan(path, fps=0.5))
    assert summary.gaps == ()
    assert len(frames(path)) == 4


async def test_what_was_held_to_settle_goes_to_the_disk_at_once(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reel, "FLUSH_S", 1e9)
    source = Staged(stream(50))
    running = asyncio.create_task(Recording(source, Plan(path), SystemClock()).run())
    while not (kept := grown(path)):
        await asyncio.sleep(0.05)  # no event tells of a file
    assert kept == 50
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


def grown(path: Path) -> int:
    """Frames of a movie that may have no beginning yet."""
    with suppress(FileNotFoundError, MediaError):
        video = movie_of(path).video
        return len(video.samples) if video is not None else 0
    return 0


def burst(count: int, start_s: float, first: int, late_s: float) -> list[Sample]:
    """`count` pictures from `start_s` on; those of the first `late_s` come all at once, and get
    their times as a timeline gives them: the first by its arrival, and the last its true one."""
    sent = []
    begin = start_s + late_s
    for sample in stream(count, start_s=start_s, first=first):
        came = max(sample.arrival, MonoNs(round(begin * 1e9)))
        guess = WallUs(sample.wall + round(late_s * 1e6)) if sample.ticks < begin * 1e6 else None
        sent.append(sample._replace(arrival=came, wall=guess or sample.wall))
    return sent


@pytest.mark.parametrize("late", [(0.0, 1.6), (1.6, 0.0), (1.6, 1.6)])
async def test_a_burst_of_old_pictures_bends_no_time(path: Path, late: tuple[float, float]) -> None:
    source = Staged(
        [*burst(100, 0, 0, late[0]), StreamBroken("gone")], burst(100, 10, 100, late[1])
    )
    summary = await record(source, Plan(path))
    true = [n / 25 for n in range(100)] + [10 + n / 25 for n in range(100)]
    kept = frames(path)
    assert [f.data for f in kept] == [picture(n) for n in range(200)]
    assert [f.seconds for f in kept] == pytest.approx(true, abs=1e-3)
    assert [gap.seconds for gap in summary.gaps] == pytest.approx([6.04])


async def test_what_is_sent_again_is_caught_up_with(path: Path) -> None:
    source = Staged([*stream(50), StreamBroken("gone")], stream(100, start_s=1, first=50))
    await record(source, Plan(path))
    times = [f.seconds for f in frames(path)]
    assert len(times) == 150
    assert all(a < b for a, b in pairwise(times))
    assert times[:50] == pytest.approx([n / 25 for n in range(50)], abs=1e-4)
    assert times[-60:] == pytest.approx([1 + n / 25 for n in range(40, 100)], abs=1e-4)


async def test_a_movie_is_closed_though_every_thread_of_the_loop_waits(path: Path) -> None:
    """As where the names of many cameras are being looked up in a network that is down."""
    loop = asyncio.get_running_loop()
    answered = threading.Event()
    with ThreadPoolExecutor(max_workers=1) as names:
        loop.set_default_executor(names)
        looking_up = asyncio.create_task(asyncio.to_thread(answered.wait))
        try:
            summary = await asyncio.wait_for(record(Staged(stream(50)), Plan(path)), 20)
        finally:
            answered.set()
        await looking_up
    assert summary.frames == 50
    assert movie_of(path).whole


async def test_impatience_does_not_cost_the_movie(path: Path) -> None:
    leaving = asyncio.Event()

    class Slow(Staged):
        """Takes its time to say goodbye."""

        async def run(self, sink, notes):  # type: ignore[no-untyped-def]
            try:
                await super().run(sink, notes)
            finally:
                leaving.set()
                await asyncio.Event().wait()

    source = Slow(stream(50))
    running = asyncio.create_task(Recording(source, Plan(path), SystemClock()).run())
    await source.played.wait()
    running.cancel()
    await leaving.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert movie_of(path).whole
    assert len(frames(path)) == 50
