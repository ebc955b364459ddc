"""The pictures of README and docs: the page with simulated cameras, so that all in them is our own.

    .venv/bin/python tools/pictures.py [docs/pictures]

It takes two minutes, for there has to be something to look back at.
"""

from __future__ import annotations

import asyncio
import io
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from PIL import Image
from playwright.async_api import Browser, Page

from support.page import chromium, visiting
from support.serveprocess import Served, serving, setup

CAMERAS = {
    "Front door": "testcard:?size=1280x720&fps=12",
    "Street": "testcard:?size=1280x720&fps=15",
    "Garden": "testcard:?size=1280x720&fps=8",
    "Garage": "testcard:?size=1280x720&fps=10",
}
PAST_S = 75
CLIP_S = 15


async def live_through(served: Served) -> None:
    """A minute or so, with a gap and a clip."""
    await served.until_recording(*CAMERAS)
    ids = {name: each["id"] for name, each in (await served.cameras()).items()}
    path = f"/api/v1/cameras/{ids['Street']}/recording"
    await asyncio.sleep(PAST_S - CLIP_S)
    await served.post(path, {"record": True, "name": "A parcel"})
    await asyncio.sleep(CLIP_S)
    await served.post(path, {"record": False})


async def look(browser: Browser, url: str, folder: Path) -> None:
    """At the wall, large and on a phone, and at a camera a while ago."""

    async def near(page: Page) -> None:
        await page.locator("camkeep-tile[state=live]").first.wait_for()
        for _ in range(6):
            await page.keyboard.press("ArrowUp")
        await page.wait_for_timeout(1500)

    for name, width, height, scheme in (
        ("watch", 1280, 800, "dark"),
        ("phone", 390, 780, "dark"),
        ("past", 1280, 800, "light"),
    ):
        window = {"width": width, "height": height}
        context = {"viewport": window, "color_scheme": scheme, "locale": "en-GB"}
        async with visiting(browser, url, **context) as seen:
            await near(seen.page)
            if name == "past":
                await seen.page.keyboard.press("2")
                for key in ("ArrowLeft", "ArrowLeft", "k", "i", "ArrowRight", "o"):
                    await seen.page.keyboard.press(key)
                await seen.page.locator("camkeep-then[shown]").first.wait_for()
                await seen.page.wait_for_timeout(1500)
            await seen.page.evaluate("document.activeElement?.blur()")
            taken = Image.open(io.BytesIO(await seen.page.screenshot()))
            taken.convert("RGB").quantize(256).save(folder / f"{name}.png", optimize=True)


async def main() -> None:
    """Take them."""
    root = Path(__file__).resolve().parents[1]
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else root / "docs" / "pictures"
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="pictures-") as scratch:
        data = Path(scratch, "data")
        setup(data, CAMERAS)
        async with serving(data) as served, chromium() as browser:
            await live_through(served)
            await look(browser, f"http://127.0.0.1:{served.port}", folder)


if __name__ == "__main__":
    asyncio.run(main())
