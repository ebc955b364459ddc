"""The past on the page, in a real browser: how long from a seek to the right picture, and how well
four cameras play in step, in an archive of many segments.

    python bench/page.py --segments 1000000 --seeks 60

Frames carry their number, which is read off the screen in each animation frame of the browser.
Service and browser (software decoding, no GPU) share the machine. The page looks at four cameras
with `--minutes` of H.264 each; the other segments are rows of the index.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

import archive_made as made
from live_page import chromium, until
from playwright.async_api import Page
from processes import machine
from serve import quantile, serving

from camkeep.archive.index import Index
from camkeep.archive.layout import INDEX
from camkeep.clock import SystemClock, WallUs
from camkeep.model import CameraId
from support import framenumber

SIZE = (1280, 720)
NAMES = ("gate", "hall", "yard", "roof")
SECOND = 1_000_000

READ = """
const base = document.querySelector("script[type=module]").src.replace("app.js", "");
const { cursor } = await import(`${base}cursor.js`);
const canvas = document.createElement("canvas");
[canvas.width, canvas.height] = [16, 1];
const context = canvas.getContext("2d", { willReadFrequently: true });
const numberOf = (video) => {
  context.drawImage(video, 0, 0, video.videoWidth, video.videoHeight / 8, 0, 0, 16, 1);
  const { data } = context.getImageData(0, 0, 16, 1);
  let number = 0;
  for (let bit = 0; bit < 16; bit++) number |= (data[4 * bit] > 127 ? 1 : 0) << bit;
  return number;
};
const seen = () => [...document.querySelectorAll("camkeep-tile")]
  .filter((tile) => !tile.hidden)
  .map((tile) => numberOf(tile.querySelector("camkeep-then video")));
"""

SEEK = (
    "async ([at, number]) => {"
    + READ
    + """
  const begun = performance.now();
  cursor.seek(at);
  while (seen().some((each) => each !== number)) {
    if (performance.now() - begun > 10000) return null;
    await new Promise(requestAnimationFrame);
  }
  return performance.now() - begun;
}"""
)
"""ms until all cameras that are seen show that frame."""

STEP = (
    "async (seconds) => {"
    + READ
    + """
  const found = [];
  const end = performance.now() + seconds * 1000;
  while (performance.now() < end) {
    const numbers = seen();
    found.push(Math.max(...numbers) - Math.min(...numbers));
    await new Promise(requestAnimationFrame);
  }
  return found;
}"""
)
"""How many frames the cameras are apart, in each animation frame."""

PLAY = "async () => {" + READ + "cursor.play(1); }"


def set_up(folder: Path, segments: int, minutes: int) -> WallUs:
    """The archive; when the footage of the four begins."""
    framenumber.WIDTH, framenumber.HEIGHT = SIZE
    begin = WallUs((SystemClock().wall() // SECOND - 60 * minutes - 600) * SECOND)
    cameras = [
        framenumber.Numbered(name, CameraId((name * 3)[:12]), seconds=60 * minutes, segment=60)
        for name in NAMES
    ]
    framenumber.fill(folder, begin, *cameras)
    rows = segments // made.CAMERAS
    made.START = WallUs(time.time_ns() // 1000 - (rows + 120) * made.MINUTE_US)
    with Index.open(folder / INDEX) as index:
        made.fill(folder, index, segments, files=False)
    return begin


async def ready(page: Page, url: str, begin: WallUs, camera: str) -> None:
    """The page, paused at the beginning."""
    which = f"camera={camera}&" if camera else ""
    when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(begin / 1e6 + 1))
    await page.goto("about:blank")
    await page.goto(f"{url}/#{which}at={when}")
    await until(page, "document.querySelector('camkeep-then[shown][playing]') ? 1 : 0")
    await asyncio.sleep(2)


async def seeks(page: Page, begin: WallUs, count: int, minutes: int) -> list[float]:
    """ms from each seek to the right picture; to instants all over the footage."""
    took = []
    frames = 60 * minutes * framenumber.RATE
    for n in range(count):
        number = (n * 7919 + 311) % (frames - 50)
        at = begin + number * framenumber.FRAME + framenumber.FRAME // 2
        found: Any = await page.evaluate(SEEK, [at, number])
        if found is None:
            raise RuntimeError(f"frame {number} never came")
        took.append(float(found))
        await asyncio.sleep(0.3)
    return sorted(took)


def tell(what: str, took: list[float]) -> None:
    print(
        f"{what}: median {statistics.median(took):.0f} ms, p95 {quantile(took, 0.95):.0f} ms, "
        f"longest {took[-1]:.0f} ms ({len(took)} seeks)",
        flush=True,
    )


async def run(options: argparse.Namespace, url: str, begin: WallUs) -> None:
    async with chromium() as browser:
        context = await browser.new_context(viewport={"width": 1280, "height": 800})
        page = await context.new_page()
        await ready(page, url, begin, "gategategate")
        took = await seeks(page, begin, options.seeks, options.minutes)
        tell("from a seek to the right picture of one camera", took)
        await ready(page, url, begin, "")
        took = await seeks(page, begin, options.seeks // 2, options.minutes)
        tell("of four cameras at once", took)
        await ready(page, url, begin, "")
        await page.evaluate(PLAY)
        await asyncio.sleep(3)
        apart = sorted(await page.evaluate(STEP, options.seconds))
        within = sum(each <= 1 for each in apart) / len(apart)
        print(
            f"four cameras that play: within one frame of each other in {within:.1%} of "
            f"{len(apart)} animation frames, at most {apart[-1]} apart"
        )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--segments", type=int, default=1_000_000)
    parser.add_argument("--minutes", type=int, default=5, help="of footage of each of the four")
    parser.add_argument("--seeks", type=int, default=60)
    parser.add_argument("--seconds", type=float, default=20, help="of playing")
    options = parser.parse_args()
    print(machine())
    with tempfile.TemporaryDirectory(prefix="camkeep-bench-") as scratch:
        folder, config = Path(scratch, "archive"), Path(scratch, "camkeep.toml")
        config.write_text('[server]\nlisten = "127.0.0.1:0"\n[keep]\nkeep_free = 0\n')
        begin = set_up(folder, options.segments, options.minutes)
        with serving(folder, config) as service:
            asyncio.run(run(options, service.url, begin))


if __name__ == "__main__":
    main()
