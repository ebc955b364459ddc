"""An archive of many cameras beside one ffmpeg per camera: 1080p30 H.264 at 4 Mbit/s over TCP.

    python bench/keep.py --cameras 32 --seconds 30 --repeats 3

As bench/rtsp.py, but camkeep keeps an archive: everything is hashed and sealed, flushed every
5 s, and told to the index.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import clips
import rtsp
from compare import Row, Times, compare, table
from options import parse
from processes import Server, machine


def camkeep(folder: Path, urls: Sequence[str]) -> list[list[str]]:
    """One process for all."""
    named = [f"{number:02d}={url}" for number, url in enumerate(urls)]
    keep = [sys.executable, "-m", "camkeep", "keep", *named, "--data", str(folder / "archive")]
    return [[*keep, "--keep-free", "0", "--quiet"]]


def run(cameras: Sequence[int], times: Times, scratch: Path | None) -> list[Row]:
    """Measure at each number of cameras."""
    clip = str(clips.h264_clip())
    rows = []
    for count in cameras:
        command = [rtsp.SYSTEM_PYTHON, str(rtsp.HERE / "rtsp_server.py"), clip, str(clips.RATE)]
        with Server(command) as server:
            urls = [f"rtsp://127.0.0.1:{server.port}/{number}" for number in range(count)]
            rows.append(compare(server, urls, rtsp.ffmpeg, camkeep, clips.RATE, times, scratch))
    return rows


if __name__ == "__main__":
    options = parse(__doc__, cameras=[1, 8, 32])
    print(machine())
    print(table("ffmpeg", run(options.cameras, options.times, options.scratch)))
