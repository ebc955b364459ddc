"""`kill -9` at a random moment: the file opens, and next to nothing is missing."""

from __future__ import annotations

import asyncio
import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from camkeep.cameras.simulate import Simulator, SimulatorOptions
from camkeep.cameras.testcard import picture, read_number
from support.files import movie_of, pictures_of

KILLS = 50
AT_ONCE = 5
MOST_LOST_S = 0.6


async def killed(url: str, path: Path, after_s: float) -> int:
    """Record until some time after the file has grown, and kill; when, on the monotonic clock."""
    recorder = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "camkeep", "record", url, str(path), "--quiet"),
        stdout=subprocess.DEVNULL,
    )
    header = 0
    while not path.exists() or path.stat().st_size <= header:  # no event tells of another
        await asyncio.sleep(0.01)  # process's file
        if path.exists() and not header:
            header = path.stat().st_size
    await asyncio.sleep(after_s)
    at = time.monotonic_ns()
    recorder.send_signal(signal.SIGKILL)
    await recorder.wait()
    return at


def opened(path: Path) -> int:
    """Frames that a foreign player decodes."""
    shown = subprocess.run(
        ["ffprobe", "-v", "quiet", "-count_frames", "-show_streams", "-of", "json", str(path)],
        check=True,
        capture_output=True,
    )
    return int(json.loads(shown.stdout)["streams"][0]["nb_read_frames"])


@pytest.mark.timeout(300)
async def test_kill_at_a_random_moment(tmp_path: Path) -> None:
    moments = random.Random(20261121)
    lost = []
    async with Simulator("easyn", SimulatorOptions(width=320, height=240)) as camera:
        for begin in range(0, KILLS, AT_ONCE):
            paths = [tmp_path / f"{begin + n}.mp4" for n in range(AT_ONCE)]
            ends = await asyncio.gather(
                *(killed(camera.url, path, moments.uniform(0, 1.5)) for path in paths)
            )
            for path, end in zip(paths, ends, strict=True):
                lost.append(missing_s(camera, path, end))
    print(f"lost at most {max(lost):.2f} s, median {sorted(lost)[KILLS // 2]:.2f} s")
    assert max(lost) <= MOST_LOST_S


def missing_s(camera: Simulator, path: Path, end: int) -> float:
    """Time between the last frame sent before the kill and the last one in the file."""
    assert not movie_of(path).whole
    kept = pictures_of(path)
    numbers = [read_number(shown.data) for shown in kept]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert all(shown.data == picture(n, 320, 240) for shown, n in zip(kept, numbers, strict=True))
    assert opened(path) == len(kept)
    sent = {s.number: s.mono_ns for s in camera.sent if s.mono_ns <= end}
    return (sent[max(sent)] - sent[numbers[-1]]) / 1e9
