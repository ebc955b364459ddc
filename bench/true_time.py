"""How true the times in a movie are: a camera that jitters, and one that halves its rate.

The camera is simulated in a process of its own and notes when it sent each frame, on the
machine's monotonic clock; the command records it as anybody would. Compared are the length of
the movie with that of the world, and each frame's place in the movie with the moment at which
it was sent.

    .venv/bin/python bench/true_time.py --seconds 60
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from camkeep.cameras.simulate import Simulator, SimulatorOptions
from camkeep.cameras.testcard import read_number
from camkeep.media.mp4 import read_movie

CAMERAS = {
    "jitters between 3 and 30 fps": SimulatorOptions(fps=15, jitter=(3, 30)),
    "is set to 20 fps and delivers 10": SimulatorOptions(fps=20, deliver=0.5),
}
THIS = str(Path(__file__).resolve())


class Frame(NamedTuple):
    """A frame in the movie and in the world; seconds since the first one."""

    kept: float
    sent: float


class Bytes:
    """A file to read a movie from."""

    def __init__(self, path: Path) -> None:
        self._data = path.read_bytes()
        self.size = len(self._data)

    def read_at(self, offset: int, length: int, /) -> bytes:
        return self._data[offset : offset + length]


async def serve(name: str) -> None:
    """Be the camera; print its address, and on a line of input what was sent when."""
    async with Simulator("mjpeg", CAMERAS[name]) as camera:
        print(camera.url, flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        print(json.dumps([(s.number, s.mono_ns) for s in camera.sent]), flush=True)


def frames(name: str, seconds: float) -> list[Frame]:
    """Record the camera for `seconds`."""
    with (
        tempfile.TemporaryDirectory() as folder,
        subprocess.Popen(
            [sys.executable, THIS, "--serve", name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as camera,
    ):
        assert camera.stdin is not None
        assert camera.stdout is not None
        url, path = camera.stdout.readline().strip(), Path(folder, "movie.mp4")
        command = [sys.executable, "-m", "camkeep", "record", url, str(path), "--quiet"]
        subprocess.run([*command, "--duration", f"{seconds}s"], check=True, capture_output=True)
        sent: dict[int, int] = dict(json.loads(camera.communicate("\n")[0]))
        source = Bytes(path)
        video = read_movie(source).video
        assert video is not None
        kept = [
            (s.time_us / 1e6, read_number(source.read_at(s.offset, s.size))) for s in video.samples
        ]
    first = sent[kept[0][1]]
    return [Frame(time, (sent[number] - first) / 1e9) for time, number in kept]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--serve", choices=CAMERAS, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.serve:
        asyncio.run(serve(args.serve))
        return
    print("| a camera that | frames | length wrong by | frame times wrong by, p50 | p99 | most |")
    print("|---|---|---|---|---|---|")
    for name in CAMERAS:
        got = frames(name, args.seconds)
        errors = sorted(abs(f.kept - f.sent) for f in got)
        length = got[-1].kept / got[-1].sent - 1
        p50, p99 = errors[len(errors) // 2], errors[int(len(errors) * 0.99)]
        print(
            f"| {name} | {len(got)} | {abs(length):.4%} | {p50 * 1e3:.2f} ms | "
            f"{p99 * 1e3:.2f} ms | {errors[-1] * 1e3:.2f} ms |"
        )


if __name__ == "__main__":
    main()
