"""JPEG cameras over HTTP, 640x480: camkeep beside the recipe of Pillow and OpenCV.

    python bench/jpeg.py --cameras 1 8 --rate 10 --seconds 30 --repeats 3

camkeep keeps the pictures as they came; the recipe (bench/recipe.py) decodes and encodes each.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import clips
from compare import Row, Times, compare, table
from options import parse
from processes import Server, machine
from rtsp import camkeep

HERE = Path(__file__).resolve().parent


def run(cameras: Sequence[int], rate: float, times: Times, scratch: Path | None) -> list[Row]:
    """Measure at each number of cameras."""
    clips.jpeg_clip()

    def recipe(folder: Path, urls: Sequence[str]) -> list[list[str]]:
        script = str(HERE / "recipe.py")
        return [
            [sys.executable, script, url, str(folder / f"{number:02d}.mp4"), str(rate)]
            for number, url in enumerate(urls)
        ]

    rows = []
    for count in cameras:
        with Server([sys.executable, str(HERE / "mjpeg_server.py"), str(rate)]) as server:
            urls = [f"http://127.0.0.1:{server.port}/{number}" for number in range(count)]
            rows.append(compare(server, urls, recipe, camkeep, rate, times, scratch))
    return rows


if __name__ == "__main__":
    options = parse(__doc__, cameras=[1, 8], rate=10.0)
    print(machine())
    rows = run(options.cameras, options.rate, options.times, options.scratch)
    print(table("recipe", rows))
