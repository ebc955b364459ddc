"""Setting cameras up on the page: the first, another one, a changed one, their order."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, Request, expect

from camkeep.cameras.simulate import Simulator, SimulatorOptions
from camkeep.server.camerabook import CameraBook
from camkeep.server.caretaker import Caretaker
from camkeep.server.urlpolicy import UrlPolicy
from support.movies import ffprobe
from support.page import chromium, visiting
from support.server import API, Site, serving

MARKUP = "<img src=x onerror=alert(1)>"
CARD = "testcard:/?size=160x128&fps=10"


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as browser:
        yield browser


@asynccontextmanager
async def looked_after(folder: Path, *names: str) -> AsyncIterator[Site]:
    """A service with those cameras, and whose cameras may be on this machine."""
    async with serving(folder) as site:
        desk = site.desk
        desk.cameras = CameraBook(desk.database, desk.clock, UrlPolicy(loopback=True))
        caretaker = Caretaker(desk.service, desk.cameras, desk.database)
        desk.sync, desk.failed = caretaker.sync, caretaker.failed
        for name in names:
            await made(site, name=name)
        yield site


async def made(site: Site, **values: Any) -> str:
    answer = await site.client.post(f"{API}/cameras", json={"address": CARD, **values})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def cameras(site: Site) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await site.client.get(f"{API}/cameras")).json()["cameras"]
    return found


async def press(page: Page, name: str) -> None:
    await page.get_by_role("button", name=name, exact=True).click()


async def names(page: Page, *wanted: str) -> None:
    await expect(page.locator(".cams b")).to_have_text(list(wanted))


async def test_from_nothing_to_a_downloaded_movie_in_four_clicks(
    tmp_path: Path, browser: Browser
) -> None:
    async with looked_after(tmp_path / "a") as site, visiting(browser, site.url) as seen:
        page = seen.page
        heading = page.get_by_role("heading", name="Which camera shall be watched?")
        await expect(heading).to_be_visible()
        await page.get_by_role("button", name="A simulated camera").click()
        await seen.live("demo")
        (camera,) = await cameras(site)
        assert camera["mode"] == "always"
        assert camera["recording"]
        await press(page, "Record demo")
        # 5 s of pre-roll are its own from the start
        await expect(page.locator(".rec .time")).to_have_text(re.compile("0:(0[7-9]|1)"))
        await press(page, "Stop recording demo")
        await expect(page.locator(".saved .size")).to_be_visible()
        async with page.expect_download() as downloading:
            await page.get_by_role("link", name="Download demo").click()
        (clip,) = (await site.client.get(f"{API}/clips")).json()["clips"]
        path = await (await downloading.value).path()
        (video,) = ffprobe(path, "-count_packets", "-show_streams")["streams"]
        length_s = (clip["end_us"] - clip["start_us"]) / 1e6
        assert 0.5 < float(video["duration"]) < length_s + 0.1, "from its first picture on"
        assert int(video["nb_read_packets"]) > 5


async def test_an_address_with_a_wrong_password_and_then_the_right_one(
    tmp_path: Path, browser: Browser
) -> None:
    options = SimulatorOptions(user="admin", password="right one")
    async with (
        Simulator("easyn", options) as camera,
        looked_after(tmp_path / "a", "other") as site,
        visiting(browser, f"{site.url}/#cameras") as seen,
    ):
        page = seen.page
        await page.get_by_role("link", name="Add a camera").click()
        address = page.get_by_label("Address", exact=True)
        host = f"127.0.0.1:{camera.port}/"
        await address.fill(f"easyn://admin:wrong%20one@{host}")
        await address.blur()
        await expect(address).to_have_value(f"easyn://{host}")
        await expect(page.get_by_label("User of the camera")).to_have_value("admin")
        password = page.get_by_label("Password", exact=True)
        await expect(password).to_have_value("wrong one")
        await press(page, "Test")
        await expect(password).to_have_attribute("aria-invalid", "true")
        await expect(password).to_be_focused()
        await expect(page.locator(".wrong")).to_contain_text("password")
        await password.fill("right one")
        await press(page, "Test")
        await expect(page.get_by_alt_text("What the camera sees")).to_be_visible()
        await expect(page.locator(".result")).to_contain_text("JPEG pictures, 640 × 480")
        seen.refused = True
        await page.get_by_label("Name").fill("other")
        await press(page, "Add")
        await expect(page.locator(".wrong")).to_contain_text("Another camera is called other")
        await page.get_by_label("Name").fill(MARKUP)
        await press(page, "Add")
        await seen.live(MARKUP)
        assert [each["name"] for each in await cameras(site)] == ["other", MARKUP]


async def test_only_what_was_changed_is_sent_and_can_be_undone(
    tmp_path: Path, browser: Browser
) -> None:
    async with looked_after(tmp_path / "a", MARKUP, "yard") as site:
        first, _ = await cameras(site)
        async with visiting(browser, f"{site.url}/#cameras={first['id']}") as seen:
            page = seen.page
            save = page.get_by_role("button", name="Save")
            await expect(page.get_by_role("heading", name=MARKUP)).to_be_visible()
            await expect(save).to_be_disabled()
            sent: list[Any] = []

            def note(request: Request) -> None:
                if request.method == "PATCH":
                    sent.append(request.post_data_json)

            page.on("request", note)
            await page.get_by_label("Name").fill("yard")
            await page.get_by_text("Records by schedule").click()
            await page.get_by_label("Saturday").check(force=True)
            await page.get_by_label("From", exact=True).fill("07:30")
            await expect(page.get_by_text("mon-sat 07:30-18:00")).to_be_visible()
            seen.refused = True
            await save.click()
            await expect(page.locator(".wrong")).to_contain_text("choose another name")
            await page.get_by_label("Name").fill("gate")
            await page.get_by_label("Time zone").fill("Europe/Vienna")
            await save.click()
            await names(page, "gate", "yard")
            wish = {"name": "gate", "mode": "schedule", "schedule": ["mon-sat 07:30-18:00"]}
            assert sent[1:] == [{**wish, "zone": "Europe/Vienna"}]
            await press(page, "Undo")
            await names(page, MARKUP, "yard")
            assert (await cameras(site))[0]["settings"] == first["settings"]


async def test_cameras_are_ordered_by_keys_and_by_hand_switched_and_removed(
    tmp_path: Path, browser: Browser
) -> None:
    async with (
        looked_after(tmp_path / "a", "one", "two", "three") as site,
        visiting(browser, f"{site.url}/#cameras") as seen,
    ):
        page = seen.page
        grip = page.get_by_role("button", name="Move one: drag, or arrow keys")
        async with page.expect_response("**/cameras/order"):
            await grip.press("ArrowDown")
        await expect(grip).to_be_focused()
        await names(page, "two", "one", "three")
        box = await grip.bounding_box()
        assert box is not None
        await grip.hover()
        await page.mouse.down()
        await page.mouse.move(box["x"] + 20, box["y"] + 90, steps=4)
        await page.mouse.move(box["x"] + 20, box["y"] + 140, steps=4)
        async with page.expect_response("**/cameras/order"):
            await page.mouse.up()
        await names(page, "two", "three", "one")
        assert [each["name"] for each in await cameras(site)] == ["two", "three", "one"]

        switch = page.get_by_role("switch", name="three on")
        async with page.expect_response("**/cameras/*"):
            await switch.click()
        await expect(page.get_by_text("three is off.")).to_be_visible()
        await expect(switch).not_to_be_checked()
        assert (await cameras(site))[1]["mode"] == "off"
        async with page.expect_response("**/cameras/*"):
            await switch.click()
        await expect(page.get_by_text("three is on.")).to_be_visible()
        assert (await cameras(site))[1]["mode"] == "always"

        await press(page, "Remove two")
        await expect(page.get_by_role("dialog")).to_contain_text("What was recorded stays")
        await page.get_by_role("dialog").get_by_role("button", name="Remove").click()
        await names(page, "three", "one")
        assert [each["name"] for each in await cameras(site)] == ["three", "one"]


async def test_the_wall_is_arranged_on_this_device_and_stays_so(
    tmp_path: Path, browser: Browser
) -> None:
    async with (
        looked_after(tmp_path / "a", "one", "two", "three", "four") as site,
        visiting(browser, site.url, viewport={"width": 1280, "height": 720}) as seen,
    ):
        page = seen.page
        tiles = page.locator("camkeep-tile h2")
        one = page.get_by_role("button", name="one alone")
        await seen.live("one")
        await one.focus()
        await page.keyboard.press("Shift+ArrowRight")
        await expect(tiles).to_have_text(["two", "one", "three", "four"])
        await expect(one).to_be_focused()
        await page.keyboard.press("Shift+ArrowDown")
        await expect(tiles).to_have_text(["two", "three", "four", "one"])
        await press(page, "Undo")
        await expect(tiles).to_have_text(["two", "one", "three", "four"])

        target = await page.get_by_role("button", name="two alone").bounding_box()
        assert target is not None
        await page.get_by_role("button", name="four alone").hover()
        await page.mouse.down()
        middle = target["x"] + target["width"] / 2, target["y"] + target["height"] / 2
        await page.mouse.move(*middle, steps=5)
        await page.mouse.up()
        await expect(tiles).to_have_text(["four", "two", "one", "three"])
        assert "camera=" not in page.url

        larger = page.get_by_role("button", name="two larger")
        await larger.click()
        await expect(larger).to_have_attribute("aria-pressed", "true")
        for _ in range(2):
            await seen.until(LARGER)
            await expect(tiles).to_have_text(["two", "four", "one", "three"])
            await page.reload()
        assert [each["name"] for each in await cameras(site)] == ["one", "two", "three", "four"]


LARGER = """(() => {
  const areas = [...document.querySelectorAll("camkeep-tile")].map((tile) => {
    const {width, height} = tile.getBoundingClientRect();
    return [tile.querySelector("h2").textContent, width * height];
  });
  const of = Object.fromEntries(areas);
  return of.two > 1.5 * Math.max(of.one, of.three, of.four);
})()"""
"""Whether the second is much larger than every other one."""
