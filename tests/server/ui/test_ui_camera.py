"""One camera alone: zoom, saved pictures, a recording with its size, controls, and what is said of
a stream that the browser cannot play."""

from __future__ import annotations

import asyncio
import itertools
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.async_api import Browser, Locator, Page, expect

from camkeep.cameras.address import parse_address
from camkeep.cameras.simulate import Simulator, SimulatorOptions
from camkeep.cameras.source import SourceOptions
from camkeep.cameras.testcard import read_number
from camkeep.engine.keeper import KeepOptions
from camkeep.engine.schedule import Mode
from camkeep.engine.sources import make_source
from camkeep.engine.wanted import Wanted
from camkeep.server.access import Role
from camkeep.server.web.pages import pages
from support.gst import gst_server
from support.handfed import HandFed
from support.livecams import LIVE_H264, camera_at, card_camera
from support.page import PATIENCE_MS, Seen, chromium, log_in, visiting
from support.server import Site, serving

CALL = "async ([path, name, given]) => (await import(path))[name](...given)"
SMALL = SimulatorOptions(width=320, height=240, fps=20)


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as found:
        yield found


@asynccontextmanager
async def alone(
    folder: Path, browser: Browser, *wanted: Wanted, **context: Any
) -> AsyncIterator[tuple[Site, Seen]]:
    """The page of a service, with the first of its cameras alone."""
    async with serving(folder / "a", wanted=[*wanted]) as site:
        camera = next(iter(site.desk.service.cameras))
        url = f"{site.url}/#camera={camera}"
        async with visiting(browser, url, **{"locale": "en-GB", **context}) as seen:
            await expect(seen.page.locator("camkeep-tile[large]")).to_be_visible()
            yield site, seen


def button(page: Page, name: str) -> Locator:
    return page.get_by_role("button", name=name, exact=True)


# zoom


async def test_a_picture_that_is_enlarged_never_leaves_its_frame(
    tmp_path: Path, browser: Browser
) -> None:
    async with serving(tmp_path / "a") as site, visiting(browser, site.url) as seen:

        async def ask(name: str, *given: object) -> Any:
            path = f"/ui/{pages().version}/lens.js"
            return await seen.page.evaluate(CALL, [path, name, list(given)])

        whole = {"scale": 1, "x": 0, "y": 0}
        for frame in (
            {"width": 800, "height": 600, "shape": 4 / 3},
            {"width": 800, "height": 300, "shape": 4 / 3},
            {"width": 300, "height": 800, "shape": 16 / 9},
        ):
            wide = min(frame["width"], frame["height"] * frame["shape"])
            sizes = {"x": (frame["width"], wide), "y": (frame["height"], wide / frame["shape"])}
            at = {"x": 40, "y": 50}
            view = await ask("closer", whole, 2, at, frame)
            assert view["scale"] == 2
            for far in (0, 1e5, -1e5):
                view = await ask("moved", view, far, far, frame)
                for axis, (room, size) in sizes.items():
                    begin = view[axis] + 2 * (room - size) / 2
                    if 2 * size >= room:  # it fills the frame: no edge is seen
                        assert begin <= 0.01
                        assert begin + 2 * size >= room - 0.01
                    else:  # it stands in the middle
                        assert begin == pytest.approx((room - 2 * size) / 2)
            assert await ask("closer", view, 0.1, at, frame) == whole
            assert (await ask("closer", view, 100, at, frame))["scale"] == 8
        frame = {"width": 800, "height": 600, "shape": 4 / 3}
        view = await ask("closer", whole, 3, {"x": 400, "y": 200}, frame)
        assert view == {"scale": 3, "x": -800, "y": -400}, "what is pointed at stays there"


async def test_zoom_by_wheel_drag_double_click_and_keys(tmp_path: Path, browser: Browser) -> None:
    async with alone(tmp_path, browser, card_camera("garage")) as (_, seen):
        page = seen.page
        await seen.live("garage")
        box = await page.locator("camkeep-tile .open").bounding_box()
        assert box is not None
        middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        place = "(() => {const r = document.querySelector('camkeep-live').getBoundingClientRect();"
        place += "return [r.x, r.width];})()"
        whole = await page.evaluate(place)
        await page.mouse.move(*middle)
        await page.mouse.wheel(0, -400)
        sign = page.get_by_role("button", name="Show the whole picture")
        await expect(sign).to_contain_text("2.2×")
        _, wide = await page.evaluate(place)
        assert wide == pytest.approx(whole[1] * 2.2255, rel=0.01)
        before = (await page.evaluate(place))[0]
        await page.mouse.down()
        await page.mouse.move(middle[0] + 50, middle[1])
        await page.mouse.up()
        assert (await page.evaluate(place))[0] == pytest.approx(before + 50, abs=1)
        await page.mouse.dblclick(*middle)
        await expect(sign).to_be_hidden()
        await page.mouse.dblclick(*middle)
        await expect(sign).to_contain_text("2.5×")
        await sign.click()
        await page.keyboard.press("+")
        await expect(sign).to_contain_text("1.5×")
        await page.keyboard.press("-")
        await expect(sign).to_be_hidden()
        await page.keyboard.press("+")
        await page.keyboard.press("0")
        assert await page.evaluate(place) == whole


async def test_two_fingers_zoom_and_look_around(tmp_path: Path, browser: Browser) -> None:
    phone = {"has_touch": True, "viewport": {"width": 390, "height": 844}}
    async with alone(tmp_path, browser, card_camera("garage"), **phone) as (_, seen):
        await seen.live("garage")
        touch = await seen.page.context.new_cdp_session(seen.page)

        async def fingers(kind: str, *at: tuple[int, int]) -> None:
            points = [{"x": x, "y": y, "id": n} for n, (x, y) in enumerate(at)]
            await touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

        await fingers("touchStart", (150, 300))
        await fingers("touchStart", (150, 300), (250, 300))
        for apart in (60, 70, 80, 100):
            await fingers("touchMove", (200 - apart, 300), (200 + apart, 300))
        await fingers("touchEnd")
        sign = seen.page.get_by_role("button", name="Show the whole picture")
        await expect(sign).to_contain_text("2.0×")
        await sign.tap()
        await expect(sign).to_be_hidden()


# save, record


async def test_the_picture_is_saved(tmp_path: Path, browser: Browser) -> None:
    async with alone(tmp_path, browser, card_camera("front door")) as (_, seen):
        page = seen.page
        await seen.live("front door")
        async with page.expect_download() as downloading:
            await page.keyboard.press("s")
        saved = await downloading.value
        name = saved.suggested_filename
        assert re.fullmatch(r"front-door-\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d\.jpg", name)
        data = (await saved.path()).read_bytes()
        assert read_number(data) > 0, "as the camera made it"
        await expect(page.get_by_role("status").filter(has_text=name)).to_be_visible()


async def test_of_video_the_frame_that_is_seen_is_saved(tmp_path: Path, browser: Browser) -> None:
    with gst_server({"/live": LIVE_H264}) as gst:
        async with alone(tmp_path, browser, camera_at(gst.url(), "yard")) as (_, seen):
            assert await seen.live("yard") == "video"
            async with seen.page.expect_download() as downloading:
                await button(seen.page, "Save picture").click()
            path = await (await downloading.value).path()
            picture = Image.open(BytesIO(path.read_bytes()))
            assert (picture.format, picture.size) == ("JPEG", (320, 240))


async def test_a_recording_says_its_time_and_size_and_what_was_before(
    tmp_path: Path, browser: Browser
) -> None:
    camera = replace(card_camera("garage"), options=KeepOptions(pre_roll_s=5))
    async with alone(tmp_path, browser, camera) as (site, seen):
        page = seen.page
        await seen.live("garage")
        record = button(page, "Record garage")
        await expect(record).to_have_attribute("data-before", "from 5 s ago")
        await record.click()
        sign = page.locator(".rec")
        await expect(sign.locator(".size")).to_have_text(re.compile(r"[\d.]+ [kM]B"))
        await expect(sign.locator(".size")).to_be_visible()
        first = await sign.locator(".size").text_content()
        await expect(sign.locator(".size")).not_to_have_text(first or "")
        await button(page, "Stop recording garage").click()
        saved = page.locator(".saved")
        await expect(saved).to_contain_text(re.compile(r"Clip \d:\d\d [\d.]+ [kM]B"))
        link = page.get_by_role("link", name="Download garage")
        answer = await site.client.get(await link.get_attribute("href") or "")
        assert answer.content[4:8] == b"ftyp"


async def test_a_picture_has_a_window_of_its_own_and_goes_on_there(
    tmp_path: Path, browser: Browser
) -> None:
    async with alone(tmp_path, browser, card_camera("garage")) as (_, seen):
        page = seen.page
        await seen.live("garage")
        await button(page, "Own window").click()
        await seen.until("document.pictureInPictureElement !== null")
        shown = "document.pictureInPictureElement.getVideoPlaybackQuality().totalVideoFrames"
        before = await page.evaluate(shown)
        await seen.until(f"{shown} > {before}")
        await button(page, "Own window").click()
        await seen.until("document.pictureInPictureElement === null")
        live = page.locator("camkeep-live:not([floating])")
        await expect(live).to_have_count(1)


# controls


async def test_a_camera_moves_as_long_as_a_button_is_pressed(
    tmp_path: Path, browser: Browser
) -> None:
    async with (
        Simulator("easyn", SMALL) as camera,
        alone(tmp_path, browser, camera_at(camera.url, "gate"), card_camera("hall")) as (_, seen),
    ):
        page = seen.page
        await seen.live("gate")
        await button(page, "Controls").click()
        await button(page, "Left").hover()
        await page.mouse.down()
        await sent(camera, "command=4")
        assert not asked(camera, "command=1")
        await page.mouse.up()
        await sent(camera, "command=1")
        pad = page.get_by_role("group", name="Move with the arrow keys")
        await pad.focus()
        await page.keyboard.down("ArrowUp")
        await sent(camera, "command=0")
        await page.evaluate("document.activeElement.blur()")
        await sent(camera, "command=1", times=2)
        await page.keyboard.up("ArrowUp")
        await button(page, "Set").click()
        await button(page, "Place 3").click()
        await expect(page.get_by_role("status").filter(has_text="Place 3")).to_be_visible()
        await page.get_by_label("Brightness").fill("200")
        await sent(camera, "value=200")
        await pad.focus()
        await page.keyboard.press("Escape")
        await expect(pad).to_be_hidden()
        await expect(button(page, "Controls")).to_be_focused()
        await page.keyboard.press("Enter")
        await button(page, "Right").hover()
        await page.mouse.down()
        await sent(camera, "command=6")
        await page.keyboard.press("2")  # another camera: what was pressed is not there any more
        await sent(camera, "command=1", times=3)
        await page.mouse.up()
        await expect(button(page, "Controls")).to_be_hidden()


def asked(camera: Simulator, words: str) -> int:
    return sum(bool(re.search(rf"[?&]{words}(&|$)", each)) for each in camera.requests)


async def sent(camera: Simulator, words: str, times: int = 1) -> None:
    async with asyncio.timeout(20):
        while asked(camera, words) < times:
            await asyncio.sleep(0.02)


async def test_who_may_only_look_has_no_controls(tmp_path: Path, browser: Browser) -> None:
    async with Simulator("easyn", SMALL) as camera:
        gate = camera_at(camera.url, "gate")
        async with serving(tmp_path / "a", wanted=[gate]) as site:
            await site.user("root")
            await site.user("vera", Role.VIEWER, list(site.desk.service.cameras))
            shown = f"{site.url}/#camera={next(iter(site.desk.service.cameras))}"
            async with visiting(browser, shown, locale="en-GB") as seen:
                await log_in(seen, site, "vera")
                await seen.live("gate")
                await expect(button(seen.page, "Save picture")).to_be_visible()
                await expect(button(seen.page, "Controls")).to_be_hidden()
                await expect(button(seen.page, "Record gate")).to_be_hidden()


async def test_how_the_picture_comes_is_told(tmp_path: Path, browser: Browser) -> None:
    with gst_server({"/live": LIVE_H264}) as gst:
        async with alone(tmp_path, browser, camera_at(gst.url(), "yard")) as (_, seen):
            page = seen.page
            await seen.live("yard")
            details = page.locator(".details")
            await expect(details).to_be_hidden()
            await button(page, "Details").click()
            for told in (
                r"Picture320 × 240FormatH\.264",
                r"second[1-9]\d?\.\d",
                r"Data[\d.]+ [kM]?B/s",
                r"Delay\d+ ms",
                r"Left out0",
            ):
                await expect(details).to_contain_text(re.compile(told))


# what cannot be played


async def test_h265_that_a_browser_cannot_play_is_said_and_the_small_stream_shown(
    tmp_path: Path, browser: Browser
) -> None:
    address, _ = parse_address("testcard:?size=320x240&fps=10")
    large = HandFed()
    camera = Wanted("gate", large, sub=make_source(address, SourceOptions()), mode=Mode.ASKED)
    async with alone(tmp_path, browser, camera) as (_, seen), filmed(large):
        await seen.page.add_init_script(NO_H265)
        await seen.page.reload()
        note = seen.page.locator(".instead")
        await expect(note).to_contain_text("This browser cannot play H.265. The small stream")
        assert await seen.live("gate") == "canvas"


async def test_without_a_small_stream_single_pictures_are_shown(
    tmp_path: Path, browser: Browser
) -> None:
    large = HandFed()
    camera = Wanted("gate", large, mode=Mode.ASKED)
    async with alone(tmp_path, browser, camera) as (_, seen), filmed(large):
        await seen.page.add_init_script(NO_H265)
        await seen.page.reload()
        note = seen.page.locator(".instead")
        words = "This browser cannot play H.265. Single pictures"
        await expect(note).to_contain_text(words, timeout=PATIENCE_MS)
        shown = await seen.picture("gate")
        assert shown["kind"] == "img"
        assert len(set(shown["data"])) > 2


@asynccontextmanager
async def filmed(camera: HandFed) -> AsyncIterator[None]:
    """It sends H.265, the same film again and again, as long as somebody is connected."""

    async def film() -> None:
        for run in itertools.count():
            await camera.connected.wait()
            camera.give(camera.film("h265-b", run=run))
            await asyncio.sleep(0.3)

    sending = asyncio.create_task(film())
    yield
    sending.cancel()
    await asyncio.wait([sending])


NO_H265 = """
const can = MediaSource.isTypeSupported;
MediaSource.isTypeSupported = (mime) => !/hvc1|hev1/.test(mime) && can.call(MediaSource, mime);
"""
