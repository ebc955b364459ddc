"""RTSP cameras, 1080p30 H.264 at 4 Mbit/s over TCP: camkeep beside one ffmpeg per camera.

    python bench/rtsp.py --cameras 1 8 32 --seconds 30 --repeats 3

Both copy the stream to MP4 files of a minute each; nobody decodes.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import clips
from compare import Row, Times, compare, table
from options import parse
from processes import Server, machine

HERE = Path(__file__).resolve().parent
SYSTEM_PYTHON = "/usr/bin/python3"
"""Debian's own, for which GStreamer's bindings are packaged."""


def ffmpeg(folder: Path, urls: Sequence[str]) -> list[list[str]]:
    """One process per camera."""
    start = ["ffmpeg", "-v", "error", "-nostdin", "-rtsp_transport", "tcp", "-i"]
    copy = ["-c", "copy", "-f", "segment", "-segment_time", "60", "-reset_timestamps", "1"]
    return [
        [*start, url, *copy, str(folder / f"{number:02d}-%03d.mp4")]
        for number, url in enumerate(urls)
    ]


def camkeep(folder: Path, urls: Sequence[str]) -> list[list[str]]:
    """One process for all."""
    return [[sys.executable, str(HERE / "record_many.py"), str(folder), *urls]]


def run(cameras: Sequence[int], times: Times, scratch: Path | None) -> list[Row]:
    """Measure at each number of cameras."""
    clip = str(clips.h264_clip())
    rows = []
    for count in cameras:
        command = [SYSTEM_PYTHON, str(HERE / "rtsp_server.py"), clip, str(clips.RATE)]
        with Server(command) as server:
            urls = [f"rtsp://127.0.0.1:{server.port}/{number}" for number in range(count)]
            rows.append(compare(server, urls, ffmpeg, camkeep, clips.RATE, times, scratch))
    return rows


if __name__ == "__main__":
    options = parse(__doc__, cameras=[1, 8, 32])
    print(machine())
    print(table("ffmpeg", run(options.cameras, options.times, options.scratch)))
