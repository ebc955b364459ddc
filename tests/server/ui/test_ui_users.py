"""People on the page: users, one's own account, sessions, tokens, who did what."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from camkeep.server.access import Role
from camkeep.server.web.options import WebOptions
from support.accounts import PASSWORD
from support.livecams import card_camera
from support.page import Seen, chromium, log_in, visiting
from support.server import ANYWHERE, API, Site, serving

MARKUP = "<img src=x onerror=alert(1)>"
TAKEN = "window.taken = 0; window.alert = () => { window.taken++; }"
MOUNT = """async () => {
  const script = document.querySelector("script[src*='/app.js']").src;
  await import(script.replace("app.js", "people.js"));
  const sheet = document.createElement("div");
  sheet.className = "sheet";
  sheet.append(document.createElement("camkeep-people"));
  document.querySelector("main").replaceChildren(sheet);
}"""
"""The part alone, whatever else the page shows around it."""


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium("--host-resolver-rules=MAP cam.test 127.0.0.1") as browser:
        yield browser


async def press(page: Page, name: str) -> None:
    await page.get_by_role("button", name=name, exact=True).click()


async def people(seen: Seen) -> Page:
    """The part about people, of whoever is logged in."""
    await expect(seen.page.get_by_role("link", name="Account")).to_be_visible()
    await seen.page.evaluate(MOUNT)
    return seen.page


def section(page: Page, title: str) -> Locator:
    heading = page.get_by_role("heading", name=title, exact=True)
    return page.locator("section", has=heading).last


async def test_without_accounts_this_machine_may_all_until_the_first_is_made(
    tmp_path: Path, browser: Browser
) -> None:
    async with (
        serving(tmp_path / "a", wanted=[card_camera("garage")]) as site,
        visiting(browser, site.url) as seen,
    ):
        page = await people(seen)
        await expect(page.get_by_text("Nobody has an account yet.")).to_be_visible()
        await page.get_by_label("Name").fill("anna")
        await page.get_by_label("Password").fill(PASSWORD)
        await page.keyboard.press("Enter")
        await expect(section(page, "Users")).to_contain_text("anna (you)")
        await expect(section(page, "Who did what")).to_contain_text("First account made: anna")


async def test_a_viewer_sees_one_camera_and_what_changes_shows_at_once(
    tmp_path: Path, browser: Browser
) -> None:
    wanted = [card_camera("garage"), card_camera("yard")]
    async with serving(tmp_path / "a", wanted=wanted) as site:
        await site.user("anna")
        async with visiting(browser, site.url) as seen, visiting(browser, site.url) as other:
            await log_in(seen, site, "anna")
            page = await people(seen)
            await press(page, "Add a user")
            await page.get_by_label("Name").fill("otto")
            await press(page, "Make one up")
            await page.get_by_text("Only some").click()
            await page.get_by_label("garage").check()
            await press(page, "Add")
            password = await page.get_by_label("Password of otto").input_value()
            await press(page, "Copy")
            await expect(page.get_by_text("Copied.")).to_be_visible()

            await other.page.get_by_label("Name").fill("otto")
            await other.page.get_by_label("Password").fill(password)
            await press(other.page, "Log in")
            await other.live("garage")
            await expect(other.page.locator("camkeep-tile")).to_have_count(1)
            await expect(other.page.get_by_role("button", name="Record garage")).to_have_count(0)

            await press(page, "Change: otto")
            await page.get_by_label("yard").check()
            await press(page, "Save")
            await expect(other.page.locator("camkeep-tile")).to_have_count(2)

            other.refused = True
            await press(page, "Change: otto")
            await page.get_by_label("Operator").check()
            await press(page, "Save")
            await expect(other.page.get_by_role("button", name="Log in")).to_be_visible()
            await other.page.get_by_label("Name").fill("otto")
            await other.page.get_by_label("Password").fill(password)
            await press(other.page, "Log in")
            await expect(other.page.get_by_role("button", name="Record garage")).to_be_visible()

            await press(page, "Remove: otto")
            await page.get_by_role("dialog").get_by_role("button", name="Remove").click()
            await expect(section(page, "Users")).not_to_contain_text("otto")
            await expect(other.page.get_by_role("button", name="Log in")).to_be_visible()


async def test_the_last_administrator_stays(tmp_path: Path, browser: Browser) -> None:
    async with serving(tmp_path / "a", wanted=[card_camera("garage")]) as site:
        await site.user("anna")
        async with visiting(browser, site.url) as seen:
            await log_in(seen, site, "anna")
            page = await people(seen)
            seen.refused = True
            await press(page, "Remove: anna")
            await page.get_by_role("dialog").get_by_role("button", name="Remove").click()
            told = page.get_by_text("Anna is the last administrator")
            await expect(told).to_be_visible()
            await press(page, "Change: anna")
            await page.get_by_label("Viewer").check()
            await press(page, "Save")
            await expect(page.get_by_role("alert")).to_contain_text("last administrator")


async def test_a_token_is_shown_once_works_and_is_revoked(tmp_path: Path, browser: Browser) -> None:
    """Over plain http, where browsers give pages no clipboard of their own."""
    web = WebOptions(listen=ANYWHERE, allowed_hosts=("cam.test",))
    async with serving(tmp_path / "a", wanted=[card_camera("garage")], web=web) as site:
        await site.user("anna")
        async with visiting(browser, f"http://cam.test:{site.port}/#account") as seen:
            page = seen.page
            await page.get_by_label("Name").fill("anna")
            await page.get_by_label("Password").fill(PASSWORD)
            await page.keyboard.press("Enter")
            assert not await page.evaluate("isSecureContext")
            await page.get_by_label("What for").fill("backup")
            await page.get_by_label("Role").select_option("operator")
            await press(page, "Make a token")
            secret = await page.get_by_label("The new token").input_value()
            await press(page, "Copy")
            await expect(page.get_by_text("Copied.")).to_be_visible()
            await page.get_by_label("What for").focus()
            await page.keyboard.press("Control+V")
            await expect(page.get_by_label("What for")).to_have_value(secret)
            assert await _role(site, secret) == "operator"
            await expect(section(page, "Tokens for programs")).to_contain_text("Operator")
            await press(page, "Revoke: backup")
            await expect(section(page, "Tokens for programs")).to_contain_text("No token.")
            assert await _role(site, secret) is None
            await page.reload()
            await expect(page.get_by_label("What for")).to_be_visible()
            await expect(page.get_by_label("The new token")).to_have_count(0)


async def _role(site: Site, token: str) -> str | None:
    async with site.fresh(token=token) as client:
        answer = await client.get(f"{API}/me")
        user = answer.json().get("user") if answer.is_success else None
        return None if user is None else str(user["role"])


async def test_ones_own_password_and_other_sessions(tmp_path: Path, browser: Browser) -> None:
    async with serving(tmp_path / "a", wanted=[card_camera("garage")]) as site:
        await site.user("anna")
        async with visiting(browser, f"{site.url}/#account") as seen:
            await log_in(seen, site, "anna")
            page, other = seen.page, await site.login("anna")
            mine = section(page, "Where you are logged in")
            await page.reload()
            await expect(mine.locator(".row")).to_have_count(2)
            await expect(mine).to_contain_text("this one")
            await press(page, "End all others")
            await expect(mine.locator(".row")).to_have_count(1)
            assert (await other.get(f"{API}/users")).status_code == 401
            await other.aclose()
            seen.refused = True
            await page.get_by_label("Password until now").fill("not that one")
            await page.get_by_label("New password").fill("another good password")
            await page.keyboard.press("Enter")
            await expect(page.get_by_role("alert").filter(has_text="password")).to_be_visible()
            await page.get_by_label("Password until now").fill(PASSWORD)
            await page.keyboard.press("Enter")
            await expect(page.get_by_text("The password was changed.")).to_be_visible()
            await asyncio.wait_for(
                site.accounts.login("anna", "another good password", "127.0.0.1", "a test"), 20
            )


async def test_the_language_is_chosen(tmp_path: Path, browser: Browser) -> None:
    async with (
        serving(tmp_path / "a", wanted=[card_camera("garage")]) as site,
        visiting(browser, f"{site.url}/#account") as seen,
    ):
        await seen.page.get_by_label("Deutsch").click()
        await expect(seen.page.get_by_role("heading", name="Sprache")).to_be_visible()
        await seen.page.get_by_label("Die des Browsers").click()
        await expect(seen.page.get_by_role("heading", name="Language")).to_be_visible()


async def test_names_of_people_are_never_markup(tmp_path: Path, browser: Browser) -> None:
    async with serving(tmp_path / "a", wanted=[card_camera(MARKUP)]) as site:
        await site.user("anna")
        await site.user(MARKUP, Role.VIEWER, site.cameras)
        await site.token(MARKUP, of=MARKUP)
        async with visiting(browser, site.url) as seen:
            await seen.page.add_init_script(TAKEN)
            await log_in(seen, site, "anna")
            page = await people(seen)
            await press(page, f"Change: {MARKUP}")
            await press(page, "Save")
            await expect(page.get_by_text(f"{MARKUP} was changed.")).to_be_visible()
            await expect(section(page, "Tokens")).to_contain_text(MARKUP)
            await press(page, f"Remove: {MARKUP}")
            await page.get_by_role("dialog").get_by_role("button", name="Remove").click()
            await expect(section(page, "Users")).not_to_contain_text(MARKUP)
            assert await page.evaluate("window.taken") == 0
