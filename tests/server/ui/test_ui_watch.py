"""Watching and recording on the page: a real browser, a real service, cameras of several kinds."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from camkeep.cameras.simulate import Simulator, SimulatorOptions
from camkeep.cameras.testcard.card import picture
from camkeep.clock import SystemClock
from camkeep.engine.schedule import Mode
from camkeep.engine.wanted import Wanted
from camkeep.errors import LoginRefused, Unreachable
from camkeep.media.jpeg import jpeg_params
from camkeep.model import Sample
from camkeep.server.access import Role
from support.gst import gst_server
from support.handfed import HandFed
from support.livecams import LIVE_H264_AAC, camera_at, card_camera
from support.page import chromium, log_in, visiting
from support.server import Site, serving

SMALL = SimulatorOptions(width=320, height=240, fps=20)
NO_MEDIA = "MediaSource.isTypeSupported = () => false"


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as browser:
        yield browser


def button(page: Page, name: str) -> Locator:
    return page.get_by_role("button", name=name, exact=True)


async def until(site: Site, viewers: int) -> None:
    """So many streams are fetched."""
    async with asyncio.timeout(20):
        while len(site.desk.live.viewers) != viewers:
            await asyncio.sleep(0.02)


async def test_a_camera_that_sends_jpeg_is_seen(tmp_path: Path, browser: Browser) -> None:
    async with (
        serving(tmp_path / "a", wanted=[card_camera("garage")]) as site,
        visiting(browser, site.url) as seen,
    ):
        assert await seen.live("garage") == "canvas"
        assert await seen.page.title() == "camkeep"


async def test_video_is_seen_recorded_and_downloaded(tmp_path: Path, browser: Browser) -> None:
    with gst_server({"/live": LIVE_H264_AAC}) as gst:
        async with (
            serving(tmp_path / "a", wanted=[camera_at(gst.url(), "yard")]) as site,
            visiting(browser, site.url) as seen,
        ):
            page = seen.page
            assert await seen.live("yard") == "video"
            await button(page, "Record yard").click()
            await expect(page.locator(".rec")).to_contain_text("0:0")
            await expect(page.locator(".rec .time")).to_have_text("0:02")
            await button(page, "Stop recording yard").click()
            link = page.get_by_role("link", name="Download yard")
            await expect(link).to_be_focused()
            await expect(page.locator(".rec")).to_be_hidden()
            async with page.expect_download() as downloading:
                await link.click()
            movie = await (await downloading.value).path()
            assert (await downloading.value).suggested_filename.startswith("yard ")
            assert movie.read_bytes()[4:8] == b"ftyp"
            shown = await page.evaluate(PLAY, await link.get_attribute("href"))
            assert shown["width"] == 320
            assert shown["duration"] > 1
            assert await seen.live("yard") == "video", "the live picture goes on"


PLAY = """async (address) => {
  const video = document.createElement("video");
  video.muted = true;
  video.src = address;
  document.body.append(video);
  await new Promise((good, bad) => {
    video.onplaying = good;
    video.onerror = () => bad(video.error.message);
    video.play();
  });
  const {videoWidth: width, duration} = video;
  video.remove();
  return {width, duration};
}"""


async def test_sound_is_fetched_when_somebody_wants_to_hear_it(
    tmp_path: Path, browser: Browser
) -> None:
    with gst_server({"/live": LIVE_H264_AAC}) as gst:
        async with (
            serving(tmp_path / "a", wanted=[camera_at(gst.url(), "yard")]) as site,
            visiting(browser, site.url) as seen,
        ):
            page = seen.page
            await seen.live("yard")
            await expect(button(page, "Sound")).to_be_hidden()
            await button(page, "Show yard alone").click()
            await button(page, "Sound").click()
            heard = "document.querySelector('camkeep-live video')"
            await seen.until(f"{heard}.webkitAudioDecodedByteCount > 0")
            assert await page.evaluate(f"{heard}.muted") is False
            await page.keyboard.press("Escape")
            await seen.until(f"{heard}.muted === true")


async def test_a_browser_that_cannot_play_it_gets_pictures(
    tmp_path: Path, browser: Browser
) -> None:
    with gst_server({"/live": LIVE_H264_AAC}) as gst:
        async with (
            serving(tmp_path / "a", wanted=[camera_at(gst.url(), "yard")]) as site,
            visiting(browser, site.url) as seen,
        ):
            await seen.page.add_init_script(NO_MEDIA)
            await seen.page.reload()
            assert await seen.live("yard") == "img"
            await seen.page.goto(f"{site.url}/#account")
            await until(site, 0)


async def test_one_alone_by_keyboard_and_back(tmp_path: Path, browser: Browser) -> None:
    cameras = [card_camera("garage"), card_camera("hall")]
    async with (
        serving(tmp_path / "a", wanted=cameras) as site,
        visiting(browser, site.url) as seen,
    ):
        page = seen.page
        await seen.live("hall")
        await until(site, 2)
        await button(page, "Show hall alone").focus()
        await page.keyboard.press("Enter")
        await expect(page.locator("camkeep-tile:visible")).to_have_count(1)
        await until(site, 1)
        await seen.live("hall")
        await page.keyboard.press("r")
        await expect(button(page, "Stop recording hall")).to_be_visible()
        await expect(page.locator(".rec .time:visible")).to_have_text("0:01")
        await page.keyboard.press("r")
        await expect(page.get_by_role("link", name="Download hall")).to_be_visible()
        await page.reload()
        await seen.live("hall")
        await expect(page.locator("camkeep-tile:visible")).to_have_count(1)
        await page.keyboard.press("Escape")
        await expect(button(page, "Show hall alone")).to_be_focused()
        await until(site, 2)
        await page.keyboard.press("1")
        await expect(page.locator("camkeep-tile:visible")).to_have_count(1)
        await expect(page.locator("camkeep-tile:visible h2")).to_have_text("garage")
        await page.go_back()
        await expect(page.locator("camkeep-tile:visible")).to_have_count(2)


async def test_nothing_is_fetched_for_what_nobody_sees(tmp_path: Path, browser: Browser) -> None:
    cameras = [card_camera(f"cam{n}", fps=5) for n in range(8)]
    async with (
        serving(tmp_path / "a", wanted=cameras) as site,
        visiting(browser, site.url, viewport={"width": 360, "height": 600}) as seen,
    ):
        await seen.live("cam0")
        assert len(site.desk.live.viewers) < 5
        await seen.page.evaluate("document.querySelector('camkeep-wall').scrollTo(0, 1e6)")
        await seen.live("cam7")
        assert len(site.desk.live.viewers) < 5
        await seen.page.evaluate(HIDE, True)
        await until(site, 0)
        await seen.page.evaluate(HIDE, False)
        await seen.live("cam7")
        await seen.page.goto(f"{site.url}/#account")
        await until(site, 0)


HIDE = """(hidden) => {
  Object.defineProperty(document, "hidden", {value: hidden, configurable: true});
  document.dispatchEvent(new Event("visibilitychange"));
}"""


async def test_what_is_wrong_stands_on_the_picture(tmp_path: Path, browser: Browser) -> None:
    gate = HandFed()
    gate.refuses = LoginRefused("the camera refused the user or password")
    cameras = [card_camera("garage"), camera_of(gate)]
    async with (
        serving(tmp_path / "a", wanted=cameras) as site,
        visiting(browser, site.url) as seen,
    ):
        tile = seen.page.locator("camkeep-tile", has_text="gate")
        await expect(tile).to_have_attribute("state", "refused")
        await expect(tile.locator(".notice")).to_contain_text("Refused")
        told = "The camera refused the user or password."
        await expect(tile.locator(".told")).to_have_text(told)
        await seen.live("garage")


async def test_the_last_picture_stays_and_says_its_age(tmp_path: Path, browser: Browser) -> None:
    gate = HandFed()
    async with (
        serving(tmp_path / "a", wanted=[camera_of(gate)]) as site,
        visiting(browser, site.url) as seen,
    ):
        tile = seen.page.locator("camkeep-tile")
        await gate.connected.wait()
        await until(site, 1)
        await expect(tile).to_have_attribute("state", "connecting")
        gate.give(jpeg_samples())
        await expect(tile).to_have_attribute("state", "live")
        gate.refuses = Unreachable("the camera does not answer")
        gate.fail(Unreachable("the camera does not answer"))
        await expect(tile).to_have_attribute("state", "waiting")
        await expect(tile.locator(".told")).to_have_text("The camera does not answer.")
        await expect(tile.locator(".age")).to_contain_text("s ago")
        shown = await seen.picture("gate")
        assert shown["kind"] == "canvas"
        assert len(set(shown["data"])) > 2


async def test_a_camera_is_unplugged_and_comes_back(tmp_path: Path, browser: Browser) -> None:
    """The page says so, keeps the last picture, goes on by itself, and the timeline tells why."""
    async with AsyncExitStack() as plug, AsyncExitStack() as stack:
        camera = await plug.enter_async_context(Simulator("easyn", SMALL))
        port = camera.port
        wanted = camera_at(f"easyn://{camera.host}:{port}/", "yard", Mode.ALWAYS)
        site = await stack.enter_async_context(serving(tmp_path / "a", wanted=[wanted]))
        seen = await stack.enter_async_context(visiting(browser, site.url))
        tile = seen.page.locator("camkeep-tile")
        await seen.live("yard")
        await plug.aclose()
        await expect(tile).to_have_attribute("state", "waiting")
        await expect(tile.locator(".age")).to_contain_text("s ago")
        await stack.enter_async_context(Simulator("easyn", SMALL, port=port))
        await seen.live("yard")
        await seen.page.get_by_role("slider", name="Timeline").focus()
        said = seen.page.locator("camkeep-timeline > .sr")
        async with asyncio.timeout(20):  # the timeline asks again every while
            while "Not recorded" not in await said.inner_text():
                await seen.page.keyboard.press("PageUp")
                await seen.page.wait_for_timeout(200)


def camera_of(source: HandFed) -> Wanted:
    return Wanted("gate", source, mode=Mode.ASKED)


def jpeg_samples() -> list[Sample]:
    clock, data = SystemClock(), picture(7, 320, 240)
    return [Sample(jpeg_params(320, 240), data, 0, clock.mono(), clock.wall(), True, 1)]


async def test_who_may_only_look_has_no_button(tmp_path: Path, browser: Browser) -> None:
    async with serving(tmp_path / "a", wanted=[card_camera("garage"), card_camera("hall")]) as site:
        await site.user("anna")
        await site.user("otto", Role.VIEWER, site.cameras[1:])
        async with visiting(browser, site.url) as seen:
            await log_in(seen, site, "otto")
            await seen.live("hall")
            await expect(seen.page.get_by_role("heading", name="garage")).to_have_count(0)
            await expect(button(seen.page, "Record hall")).to_be_hidden()
            await expect(seen.page.get_by_role("link", name="Add")).to_have_count(0)
            await seen.page.keyboard.press("r")
            await seen.page.goto(f"{site.url}/#add")
            await expect(seen.page.locator("camkeep-wall")).to_be_visible()


async def test_what_others_do_is_seen_at_once(tmp_path: Path, browser: Browser) -> None:
    async with (
        serving(tmp_path / "a", wanted=[card_camera("garage")]) as site,
        visiting(browser, site.url) as seen,
    ):
        await seen.live("garage")
        path = f"/api/v1/cameras/{site.cameras[0]}/recording"
        await site.client.post(path, json={"record": True})
        await expect(button(seen.page, "Stop recording garage")).to_be_visible()
        await expect(seen.page.locator(".rec .time")).to_have_text("0:02")
        await site.client.post(path, json={"record": False})
        await expect(button(seen.page, "Record garage")).to_be_visible()


@pytest.mark.parametrize("width", [360, 768, 1280, 3840])
async def test_it_fits_every_window(tmp_path: Path, browser: Browser, width: int) -> None:
    name = "a camera with a name that is far too long for its place on the wall"
    cameras = [card_camera(name, fps=5), card_camera("b", fps=5), card_camera("c", fps=5)]
    size = {"width": width, "height": round(width * 0.6) if width > 400 else 740}
    async with (
        serving(tmp_path / "a", wanted=cameras) as site,
        visiting(browser, site.url, viewport=size) as seen,
    ):
        await seen.live("b")
        for place in ("", "#add", "#account", f"#camera={site.cameras[0]}"):
            await seen.page.goto(f"{site.url}/{place}")
            await expect(seen.page.locator("main > *")).to_be_visible()
            assert await seen.page.evaluate(OVERFLOW) == []


OVERFLOW = """() => [...document.querySelectorAll("body *")].filter((each) => {
  const box = each.getBoundingClientRect();
  return each.checkVisibility() && box.width > 0 && (box.right > innerWidth + 1 || box.left < -1)
    && !each.closest(".sr");
}).map((each) => each.outerHTML.slice(0, 200))"""
