"""The first camera, logins, hostile names, and a server that goes away, on the page."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from camkeep.server.access import Role
from camkeep.server.web.options import WebOptions
from support.accounts import PASSWORD
from support.livecams import card_camera
from support.page import Seen, chromium, log_in, visiting
from support.server import ANYWHERE, serving

MARKUP = [
    "<img src=x onerror=alert(1)>",
    '"><script>document.title = "taken"</script>',
    "<svg/onload=alert(1)>",
    "javascript:alert(1)//${alert(1)}",
]
TAKEN = "window.taken = 0; window.alert = () => { window.taken++; }"


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium("--host-resolver-rules=MAP cam.test 127.0.0.1") as browser:
        yield browser


async def press(page: Page, name: str) -> None:
    await page.get_by_role("button", name=name, exact=True).click()


async def test_an_address_that_may_not_be_watched_says_why(
    tmp_path: Path, browser: Browser
) -> None:
    async with serving(tmp_path / "a") as site, visiting(browser, site.url) as seen:
        page, seen.refused = seen.page, True
        for address, told in [("rtsp://localhost/x", "allow_loopback_cameras"), ("nonsense:", "")]:
            await page.get_by_label("Address", exact=True).fill(address)
            await press(page, "Test")
            await expect(page.locator(".result, .wrong").filter(has_text=told)).not_to_have_count(0)


async def test_names_are_never_markup(tmp_path: Path, browser: Browser) -> None:
    cameras = [card_camera(name, fps=5) for name in MARKUP]
    async with serving(tmp_path / "a", wanted=cameras) as site:
        await site.user(MARKUP[0])
        async with visiting(browser, site.url) as seen:
            page = seen.page
            await page.add_init_script(TAKEN)
            await log_in(seen, site, MARKUP[0])
            for name in MARKUP:
                await seen.live(name)
                await expect(page.get_by_role("heading", name=name, exact=True)).to_be_visible()
            await press(page, f"Record {MARKUP[1]}")
            await expect(page.locator(".rec .time:visible")).to_have_text("0:01")
            await press(page, f"Stop recording {MARKUP[1]}")
            await expect(page.get_by_role("link", name=f"Download {MARKUP[1]}")).to_be_visible()
            await press(page, f"Show {MARKUP[2]} alone")
            await expect(page.locator("camkeep-tile:visible")).to_have_count(1)
            await page.goto(f"{site.url}/#account")
            await expect(page.get_by_role("heading", name=MARKUP[0], exact=True)).to_be_visible()
            assert await page.evaluate("window.taken") == 0
            assert await page.title() == "camkeep"


async def test_log_in_and_out(tmp_path: Path, browser: Browser) -> None:
    async with serving(tmp_path / "a", wanted=[card_camera("garage")]) as site:
        await site.user("anna")
        async with visiting(browser, site.url) as seen:
            page = seen.page
            await expect(page.get_by_label("Name")).to_be_focused()
            await page.keyboard.type("anna")
            seen.refused = True
            await page.get_by_label("Password").fill("not that one")
            await page.keyboard.press("Enter")
            await expect(page.get_by_role("alert")).not_to_be_empty()
            assert len(site.desk.live.viewers) == 0
            await page.get_by_label("Password").fill(PASSWORD)
            await press(page, "Log in")
            await seen.live("garage")
            await page.get_by_role("link", name="Account").click()
            await press(page, "Log out")
            await expect(page.get_by_role("button", name="Log in")).to_be_visible()
            await expect(page.locator("camkeep-tile")).to_have_count(0)


async def test_a_session_that_ends_elsewhere_ends_the_pictures(
    tmp_path: Path, browser: Browser
) -> None:
    async with serving(tmp_path / "a", wanted=[card_camera("garage")]) as site:
        await site.user("anna")
        otto = await site.user("otto", Role.VIEWER)
        async with visiting(browser, site.url) as seen:
            await log_in(seen, site, "otto")
            await seen.live("garage")
            seen.refused = True
            await site.accounts.users.set_password(otto, "another good password of otto")
            await expect(seen.page.get_by_role("button", name="Log in")).to_be_visible()
            await expect(seen.page.locator("camkeep-tile")).to_have_count(0)


async def test_the_first_account_from_elsewhere_needs_the_code(
    tmp_path: Path, browser: Browser
) -> None:
    web = WebOptions(listen=ANYWHERE, allowed_hosts=("cam.test",))
    async with serving(tmp_path / "a", wanted=[card_camera("garage")], web=web) as site:
        codes: list[str] = []
        site.desk.first_account.offer(codes.append)
        async with visiting(browser, f"http://cam.test:{site.port}/") as seen:
            page = seen.page
            await expect(page.get_by_role("heading", name="The first account")).to_be_visible()
            seen.refused = True
            await page.get_by_label("Code").fill("AAAA-AAAA-AAAA")
            await page.get_by_label("Name").fill("anna")
            await page.get_by_label("Password").fill(PASSWORD)
            await press(page, "Make the account")
            await expect(page.get_by_role("alert")).to_contain_text("code")
            await page.get_by_label("Code").fill(codes[-1])
            await press(page, "Make the account")
            await seen.live("garage")


async def test_on_this_machine_the_account_page_makes_the_first_account(
    tmp_path: Path, browser: Browser
) -> None:
    async with (
        serving(tmp_path / "a", wanted=[card_camera("garage")]) as site,
        visiting(browser, f"{site.url}/#account") as seen,
    ):
        page = seen.page
        await expect(page.get_by_role("heading", name="This machine")).to_be_visible()
        await page.get_by_label("Name").fill("anna")
        await page.get_by_label("Password").fill(PASSWORD)
        await press(page, "Make the account")
        await expect(page.get_by_role("heading", name="anna")).to_be_visible()
        await expect(page.get_by_role("button", name="Log out")).to_be_visible()


async def test_it_comes_back_when_the_recorder_does(tmp_path: Path, browser: Browser) -> None:
    async with chromium() as browser:
        async with serving(tmp_path / "a", wanted=[card_camera("garage")]) as site:
            web = WebOptions(listen=(("127.0.0.1", site.port),))
            seeing = visiting(browser, site.url)
            seen: Seen = await seeing.__aenter__()
            await seen.live("garage")
            seen.away = True
        away = seen.page.get_by_text("The recorder does not answer.")
        await expect(away).to_be_visible()
        await expect(seen.page.locator("camkeep-tile")).to_have_attribute("state", "away")
        await expect(seen.page.locator(".age")).to_contain_text("ago")
        shown = await seen.picture("garage")
        assert len(set(shown["data"])) > 2, "the last picture stays"
        async with serving(tmp_path / "a", wanted=[card_camera("garage")], web=web):
            await seen.live("garage")
            await expect(away).to_be_hidden()
            await seeing.__aexit__(None, None, None)
