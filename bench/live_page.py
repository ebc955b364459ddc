"""The page in a real browser: how soon there is a live picture, how old it is, and whether the
browser's memory stays flat.

    python bench/live_page.py                   some two minutes
    python bench/live_page.py --minutes 60      and memory, sampled each half minute of an hour

One camera sends H.264 over RTSP whose frames carry their number, encoded while it goes on; others
send the test card as JPEG. Service, cameras and browser (software decoding, no GPU) share the
machine. The delay is from the instant a frame is handed to the camera's encoder to the animation
frame of the browser in which its number can be read off the screen.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import httpx
from playwright.async_api import Browser, Page, async_playwright
from processes import machine, pss_mb
from rtsp import SYSTEM_PYTHON
from serve import quantile, serving

HERE = Path(__file__).resolve().parent
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run "
    "--disable-background-networking --disable-component-update --disable-sync "
    "--autoplay-policy=no-user-gesture-required"
)
BITS = 16
OPENINGS = 10
SAMPLE_S = 30.0

FIRST = """
const look = () => {
  const tiles = [...document.querySelectorAll("camkeep-live")];
  if (tiles.length && tiles.every((tile) => tile.shownAt !== null)) {
    globalThis.firstPicture = performance.now();
  } else requestAnimationFrame(look);
};
requestAnimationFrame(look);
"""
"""When all tiles have a picture, in ms since the address was entered."""

NUMBERS = """(seconds) => new Promise((done) => {
  const video = document.querySelector("camkeep-live video");
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [16, 1];
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const seen = new Map();
  const end = performance.now() + seconds * 1000;
  const look = () => {
    const at = performance.timeOrigin + performance.now();
    context.drawImage(video, 0, 0, video.videoWidth, video.videoHeight / 8, 0, 0, 16, 1);
    const { data } = context.getImageData(0, 0, 16, 1);
    let number = 0;
    for (let bit = 0; bit < 16; bit++) number |= (data[4 * bit] > 127 ? 1 : 0) << bit;
    if (!seen.has(number)) seen.set(number, at);
    if (performance.now() < end) requestAnimationFrame(look);
    else done([...seen]);
  };
  look();
})"""
"""Numbers as they come onto the screen, each with when: ms since 1970."""


class Numbered:
    """bench/numbered_camera.py."""

    def __init__(self, width: int, height: int) -> None:
        command = [SYSTEM_PYTHON, str(HERE / "numbered_camera.py"), str(width), str(height)]
        self.child = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.port = int(self._line())

    def taken(self) -> dict[int, float]:
        """When its last frames were taken, ms since 1970."""
        assert self.child.stdin is not None
        self.child.stdin.write("\n")
        self.child.stdin.flush()
        return dict(json.loads(self._line()))

    def _line(self) -> str:
        assert self.child.stdout is not None
        return self.child.stdout.readline()


@contextmanager
def numbered(width: int, height: int) -> Any:
    """The camera, until the end of the block."""
    camera = Numbered(width, height)
    try:
        yield camera
    finally:
        camera.child.terminate()
        camera.child.wait()


def add(client: httpx.Client, name: str, address: str) -> None:
    answer = client.post("/api/v1/cameras", json={"name": name, "address": address})
    answer.raise_for_status()


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=FLAGS.split()
        )
        yield browser
        await browser.close()


async def opening(browser: Browser, url: str) -> list[float]:
    """ms from the address to a picture of every camera; a new browser window each time."""
    took = []
    for _ in range(OPENINGS):
        context = await browser.new_context(viewport={"width": 1280, "height": 800})
        page = await context.new_page()
        await page.add_init_script(FIRST)
        await page.goto(url)
        took.append(await until(page, "globalThis.firstPicture ?? 0"))
        await context.close()
    return sorted(took)


async def until(page: Page, expression: str) -> float:
    """Its value, as soon as that is not 0."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if found := await page.evaluate(expression):
            return float(found)
        await asyncio.sleep(0.05)
    raise RuntimeError(f"it never came: {expression}")


async def delay(browser: Browser, url: str, camera: Numbered, seconds: float) -> list[float]:
    """ms from a frame taken to the same frame on the screen, of all that were seen."""
    context = await browser.new_context(viewport={"width": 1280, "height": 800})
    page = await context.new_page()
    await page.goto(url)
    await until(page, "document.querySelector('camkeep-live[playing]')?.shownAt ?? 0")
    await asyncio.sleep(3)
    seen = await page.evaluate(NUMBERS, seconds)
    taken = camera.taken()
    await context.close()
    delays = [at - taken[number] for number, at in seen[1:] if number in taken]
    if len(delays) < seconds * 10:
        raise RuntimeError(f"{len(delays)} of {len(seen)} numbers on the screen were sent")
    return sorted(delays)


async def memory(browser: Browser, url: str, minutes: float) -> list[tuple[float, float, float]]:
    """(minutes, MB of the page's process, MB of its JavaScript) while the wall is seen."""
    context = await browser.new_context(viewport={"width": 1280, "height": 800})
    page = await context.new_page()
    await page.goto(url)
    await until(page, "document.querySelector('camkeep-live')?.shownAt ?? 0")
    session = await context.new_cdp_session(page)
    await session.send("HeapProfiler.enable")
    samples = []
    begun = time.monotonic()
    while (now := (time.monotonic() - begun) / 60) < minutes:
        await asyncio.sleep(SAMPLE_S)
        await session.send("HeapProfiler.collectGarbage")
        heap = await session.send("Runtime.getHeapUsage")
        samples.append((now, max(map(pss_mb, renderers())), heap["usedSize"] / 1e6))
        print(
            f"  {now:5.1f} min: {samples[-1][1]:.1f} MB, scripts {samples[-1][2]:.2f} MB",
            flush=True,
        )
    await context.close()
    return samples


def renderers() -> list[int]:
    """Processes of our own browser that draw pages."""
    listed = subprocess.run(
        ["ps", "-eo", "pid=,ppid=,args="], capture_output=True, text=True, check=True
    )
    lines = [line.split(maxsplit=2) for line in listed.stdout.splitlines()]
    ours = {os.getpid()}
    found = ours
    while found:
        found = {int(pid) for pid, parent, _ in lines if int(parent) in ours} - ours
        ours |= found
    return [int(pid) for pid, _, line in lines if int(pid) in ours and "--type=renderer" in line]


def slope(samples: list[tuple[float, float]]) -> float:
    """Of the line through them (least squares), MB an hour."""
    xs, ys = [x for x, _ in samples], [y for _, y in samples]
    return statistics.linear_regression(xs, ys).slope * 60


async def run(options: argparse.Namespace, url: str, camera: Numbered) -> None:
    async with chromium() as browser:
        took = await opening(browser, url)
        print(
            f"from the address to a live picture of each of {options.cards + 1} cameras: median "
            f"{statistics.median(took):.0f} ms, longest {took[-1]:.0f} ms"
        )
        delays = await delay(browser, url, camera, options.seconds)
        print(
            f"from a frame taken to its number on the screen, {len(delays)} frames: median "
            f"{statistics.median(delays):.0f} ms, p95 {quantile(delays, 0.95):.0f} ms, longest "
            f"{delays[-1]:.0f} ms"
        )
    if options.minutes:
        async with chromium() as browser:
            samples = await memory(browser, url, options.minutes)
        settled = [each for each in samples if each[0] >= options.minutes / 6]
        process = slope([(at, megabytes) for at, megabytes, _ in settled])
        scripts = slope([(at, megabytes) for at, _, megabytes in settled])
        print(
            f"memory over {options.minutes:g} min live: {settled[0][1]:.1f} MB at first, "
            f"{settled[-1][1]:.1f} MB in the end, {process:+.2f} MB an hour; scripts "
            f"{settled[0][2]:.2f}, {settled[-1][2]:.2f} MB, {scripts:+.3f} MB an hour"
        )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=30, help="of the delay")
    parser.add_argument("--minutes", type=float, default=0, help="of memory")
    parser.add_argument("--cards", type=int, default=3, help="cameras that send JPEG")
    options = parser.parse_args()
    print(machine())
    with (
        tempfile.TemporaryDirectory(prefix="camkeep-bench-") as scratch,
        numbered(640, 352) as camera,
    ):
        folder, config = Path(scratch, "archive"), Path(scratch, "camkeep.toml")
        config.write_text('[server]\nlisten = "127.0.0.1:0"\nallow_loopback_cameras = true\n')
        with serving(folder, config) as service:
            add(service.client, "numbered", f"rtsp://127.0.0.1:{camera.port}/")
            for n in range(options.cards):
                add(service.client, f"card {n}", "testcard:?size=640x360&fps=10")
            asyncio.run(run(options, service.url, camera))


if __name__ == "__main__":
    main()
