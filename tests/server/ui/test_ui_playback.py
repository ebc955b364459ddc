"""The past on the page: the right frame of one camera and of several, at any rate and either way.
The numbers are read off what is on the screen."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from camkeep.clock import SystemClock, WallUs
from camkeep.model import CameraId
from support.framenumber import FRAME, RATE, READ, Numbered, fill
from support.page import Seen, chromium, visiting
from support.segments import SECOND
from support.serveprocess import serving

GATE = Numbered("gate", CameraId("gategategate"))
HALL = Numbered("hall", CameraId("hallhallhall"), "h264-b")
YARD = Numbered("yard", CameraId("yardyardyard"), "jpeg")
ROOF = Numbered("roof", CameraId("roofroofroof"), holes=((20, 40),))
ALL = ("gate", "hall", "yard", "roof")
PATIENCE_S = 20


@dataclass
class Kept:
    """A service with footage of four cameras."""

    url: str
    begin: int

    def at(self, frame: float) -> int:
        """When a frame was taken; between two of them with a half."""
        return self.begin + round(frame * FRAME)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def kept(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Kept]:
    folder = tmp_path_factory.mktemp("numbered") / "a"
    begin = WallUs((SystemClock().wall() // SECOND - 600) * SECOND)
    await asyncio.to_thread(fill, folder, begin, GATE, HALL, YARD, ROOF)
    async with serving(folder) as served:
        yield Kept(served.url, begin)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as browser:
        yield browser


pytestmark = pytest.mark.asyncio(loop_scope="module")


@asynccontextmanager
async def at(
    browser: Browser, kept: Kept, frame: float, camera: Numbered | None = None
) -> AsyncIterator[Seen]:
    """The page, paused there."""
    when = datetime.fromtimestamp(kept.at(frame) / 1e6, UTC).isoformat().replace("+00:00", "Z")
    where = f"camera={camera.id}&at={when}" if camera else f"at={when}"
    async with visiting(browser, f"{kept.url}/#{where}") as seen:
        yield seen


async def numbers(seen: Seen, *names: str) -> list[int | None]:
    found: list[int | None] = await seen.page.evaluate(READ, list(names))
    return found


async def shows(seen: Seen, frame: int, *names: str) -> None:
    """Wait until all of them show that frame."""
    found: list[int | None] = []
    try:
        async with asyncio.timeout(PATIENCE_S):
            while (found := await numbers(seen, *names)) != [frame] * len(names):
                await seen.page.wait_for_timeout(30)
    except TimeoutError:
        raise AssertionError(f"{names} show {found}, and not {frame}") from None


async def go(seen: Seen, at: int) -> None:
    await seen.page.evaluate(
        """async (at) => {
          const base = document.querySelector("script[type=module]").src.replace("app.js", "");
          (await import(`${base}cursor.js`)).cursor.seek(at);
        }""",
        at,
    )


async def cursor(seen: Seen, of: str) -> Any:
    return await seen.page.evaluate(
        """async (of) => {
          const base = document.querySelector("script[type=module]").src.replace("app.js", "");
          return (await import(`${base}cursor.js`)).cursor[of];
        }""",
        of,
    )


@pytest.mark.parametrize("camera", [GATE, HALL, YARD], ids=lambda each: each.codec)
async def test_the_right_frame_of_one_camera(
    browser: Browser, kept: Kept, camera: Numbered
) -> None:
    async with at(browser, kept, 100.5, camera) as seen:
        await shows(seen, 100, camera.name)
        for frame in (101, 700, 26, 1333, 1334, 1300, 24, 25, 0):
            await go(seen, kept.at(frame + 0.5))
            await shows(seen, frame, camera.name)
        await go(seen, kept.at(250))  # at its very first instant, where a segment begins
        await shows(seen, 250, camera.name)


async def test_the_right_frame_of_four_cameras_at_once(browser: Browser, kept: Kept) -> None:
    async with at(browser, kept, 77.5) as seen:
        await shows(seen, 77, *ALL)
        for frame in (1200, 301, 43):
            await go(seen, kept.at(frame + 0.5))
            await shows(seen, frame, *ALL)


async def test_frame_by_frame_both_ways(browser: Browser, kept: Kept) -> None:
    for camera in (HALL, YARD):
        async with at(browser, kept, 252.5, camera) as seen:
            await shows(seen, 252, camera.name)
            for frame in (251, 250, 249, 248):  # into the group, and the segment, before
                await seen.page.keyboard.press("Shift+ArrowLeft")
                await shows(seen, frame, camera.name)
            for frame in (249, 250, 251):
                await seen.page.get_by_role("button", name="A frame on").click()
                await shows(seen, frame, camera.name)


async def test_four_cameras_play_in_step(browser: Browser, kept: Kept) -> None:
    async with at(browser, kept, 10.5) as seen:
        await shows(seen, 10, *ALL)
        await seen.page.keyboard.press("l")
        await seen.until(_beyond("gate", 60))
        apart = []
        for _ in range(25):
            found = [each for each in await numbers(seen, *ALL) if each is not None]
            assert len(found) == 4
            apart.append(max(found) - min(found))
            await seen.page.wait_for_timeout(40)
        assert sorted(apart)[len(apart) // 2] <= RATE / 3, apart  # bench/page.py measures it
        await seen.page.keyboard.press("k")
        shown = int(((await cursor(seen, "at")) - kept.begin) // FRAME)
        await shows(seen, shown, *ALL)


def _beyond(name: str, frame: int, sign: str = ">") -> str:
    return f"(({READ})(['{name}'])[0] ?? -1) {sign} {frame}"


async def test_faster_and_backward(browser: Browser, kept: Kept) -> None:
    for camera in (GATE, YARD):
        async with at(browser, kept, 30.5, camera) as seen:
            await shows(seen, 30, camera.name)
            rate = seen.page.get_by_label("Speed")
            await rate.select_option("16")
            await seen.until(_beyond(camera.name, 700))
            await rate.select_option("-8")
            await seen.until(_beyond(camera.name, 600, "<"))
            await rate.select_option("-1")
            first = (await numbers(seen, camera.name))[0]
            assert first is not None
            await seen.until(_beyond(camera.name, first - 10, "<"))
            await rate.select_option("0.5")
            back = (await numbers(seen, camera.name))[0]
            assert back is not None
            await seen.until(_beyond(camera.name, back + 10))
            await seen.page.keyboard.press("Space")
            shown = int(((await cursor(seen, "at")) - kept.begin) // FRAME)
            await shows(seen, shown, camera.name)


async def test_a_gap_is_jumped_and_said(browser: Browser, kept: Kept) -> None:
    async with at(browser, kept, 19 * RATE, ROOF) as seen:
        await shows(seen, 19 * RATE, "roof")
        await seen.page.keyboard.press("l")
        await seen.until(_beyond("roof", 40 * RATE - 1))
        await expect(seen.page.locator("camkeep-transport .said")).to_contain_text("Not recorded")
        await seen.page.get_by_label("Speed").select_option("-4")
        await seen.until(_beyond("roof", 20 * RATE, "<"))


async def test_a_gap_of_one_camera_is_told_while_others_play(browser: Browser, kept: Kept) -> None:
    async with at(browser, kept, 25 * RATE) as seen:
        await shows(seen, 25 * RATE, "gate", "hall", "yard")
        tile = seen.page.locator("camkeep-tile", has_text="roof")
        await expect(tile).to_have_attribute("state", "gap")
        await expect(tile.locator(".told")).to_contain_text("stopped sending")
        await seen.page.keyboard.press("l")
        await seen.until(_beyond("gate", 26 * RATE))
        await expect(tile).to_have_attribute("state", "gap")
        await tile.get_by_role("button", name="Go to the next picture").click()
        await expect(tile).to_have_attribute("state", "playing")
        await seen.until(_beyond("roof", 40 * RATE - 1))


async def test_what_comes_after_the_last_footage_is_live(browser: Browser, kept: Kept) -> None:
    async with at(browser, kept, 58 * RATE, GATE) as seen:
        await shows(seen, 58 * RATE, "gate")
        await seen.page.keyboard.press("l")
        live = seen.page.get_by_role("button", name="Live", exact=True)
        await expect(live).to_be_visible()
        await expect(seen.page.locator("camkeep-tile:visible")).to_have_attribute("state", "off")


async def test_dragging_the_timeline_moves_every_camera(browser: Browser, kept: Kept) -> None:
    async with at(browser, kept, 750.5) as seen:
        await shows(seen, 750, *ALL[:3])
        box = await seen.page.locator(".playhead").bounding_box()
        assert box is not None
        x, y = box["x"] + 1, box["y"] + box["height"] - 20
        await seen.page.mouse.move(x, y)
        await seen.page.mouse.down()
        for step in range(1, 6):
            await seen.page.mouse.move(x - step, y)
        shown = int(((await cursor(seen, "at")) - kept.begin) // FRAME)
        assert 0 <= shown < 700
        await shows(seen, shown, *ALL[:3])
        await seen.page.mouse.up()
        assert not await cursor(seen, "playing")
        await shows(seen, shown, *ALL[:3])
