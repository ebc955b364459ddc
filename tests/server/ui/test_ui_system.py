"""System on the page: how it is, what is kept, what happened, the log, the backup."""

from __future__ import annotations

import asyncio
import logging
import re
from calendar import SUNDAY, monthcalendar
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, Route, expect

from camkeep.archive.root import make_root
from camkeep.clock import SystemClock, WallUs
from camkeep.engine.events import Kind
from camkeep.engine.schedule import Mode
from camkeep.model import Cause
from camkeep.server.access import Role
from camkeep.server.backup import read_backup
from camkeep.server.logs import LogForm, Logging
from camkeep.server.web.options import WebOptions
from camkeep.server.web.pages import pages
from support.accounts import PASSWORD
from support.kept import GARAGE, footage, gap
from support.livecams import camera_at, card_camera
from support.page import PATIENCE_MS, chromium, log_in, visiting
from support.segments import SECOND, Camera
from support.server import ANYWHERE, Site, serving

pytestmark = pytest.mark.asyncio(loop_scope="module")

HOUR = 3600 * SECOND
BERLIN = "Europe/Berlin"
MARKUP = "<b onclick=alert(1)>Garage</b>"
CALL = "async ([path, name, given]) => (await import(path))[name](...given)"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    expect.set_options(timeout=PATIENCE_MS)
    async with chromium("--host-resolver-rules=MAP cam.test 127.0.0.1") as browser:
        yield browser
    expect.set_options(timeout=5000)  # as it is by itself


def named(page: Page, name: str) -> Locator:
    return page.get_by_role("button", name=name, exact=True)


def sections(page: Page) -> Locator:
    return page.get_by_role("navigation", name="System").get_by_role("link")


async def until_live(site: Site) -> None:
    """A camera sends pictures."""
    while not any(each.health().word == "live" for each in site.desk.service.cameras.values()):
        await asyncio.sleep(0.02)


# who sees what


async def test_a_viewer_sees_one_camera_and_no_section_that_is_not_theirs(
    tmp_path: Path, browser: Browser
) -> None:
    wanted = [card_camera("garage"), card_camera("Zyxwyard")]
    async with serving(tmp_path / "a", wanted=wanted) as site:
        await site.user("anna")
        await site.user("vera", Role.VIEWER, site.cameras[:1])
        bus = site.desk.service.bus
        bus.tell(Kind.STORAGE, "Zyxwyard fills the disk")
        bus.tell(Kind.SETTINGS, "its name was changed", site.cameras[0])
        async with visiting(browser, f"{site.url}/#system=log") as seen:
            await log_in(seen, site, "vera")
            page = seen.page
            names = ["Health", "Storage", "Coverage", "Events"]
            await expect(sections(page)).to_have_text(names)
            for name in names:
                await sections(page).get_by_text(name).click()
                await expect(page.get_by_role("heading", level=1)).to_have_text(name)
                await expect(page.locator(".body").get_by_text("garage").first).to_be_visible()
                assert "Zyxw" not in await page.locator("main").inner_text()
            assert "its name was changed" in (await page.locator("main").inner_text()).lower()
            await sections(page).get_by_text("Storage").click()
            await expect(page.locator("camkeep-storage table")).to_be_visible()
            await expect(page.locator(".disk, camkeep-storage form")).to_have_count(0)


async def test_an_administrator_sees_all_sections(tmp_path: Path, browser: Browser) -> None:
    async with (
        serving(tmp_path / "a", wanted=[card_camera("garage")]) as site,
        visiting(browser, f"{site.url}/#system") as seen,
    ):
        every = ["Health", "Storage", "Coverage", "Events", "People", "Log", "Backup"]
        await expect(sections(seen.page)).to_have_text(every)
        await expect(sections(seen.page).first).to_have_attribute("aria-current", "page")
        await seen.page.goto(f"{site.url}/#system=people")
        await expect(seen.page.get_by_text("Nobody has an account yet.")).to_be_visible()


# health


async def test_trouble_comes_first_and_all_is_well_is_one_line(
    tmp_path: Path, browser: Browser
) -> None:
    wanted = [
        replace(card_camera("garage"), mode=Mode.ALWAYS),
        replace(camera_at("rtsp://127.0.0.1:9/x", MARKUP), mode=Mode.ALWAYS),
        card_camera("yard"),
    ]
    async with serving(tmp_path / "a", wanted=wanted) as site:
        await until_live(site)
        async with visiting(browser, f"{site.url}/#system=health") as seen:
            page = seen.page
            await expect(page.get_by_text("1 of 3 cameras needs attention.")).to_be_visible()
            rows = page.locator("tbody tr")
            await expect(rows.first.get_by_role("link")).to_have_text(MARKUP)
            await expect(rows.first).to_contain_text("No picture since")
            await expect(rows.first).to_contain_text("refused the connection")
            await expect(rows.nth(1)).to_contain_text("Live, recording since")
            await expect(rows.nth(1).locator("td").first).to_have_text(re.compile("^2[0-9]$"))
            await expect(rows.last).to_contain_text("Fetched when somebody watches")
            await expect(page.locator(".values")).to_contain_text("Running for")
            link = rows.first.get_by_role("link")
            await link.focus()
            gone = site.cameras[1]
            await site.desk.service.remove(gone)
            site.desk.service.bus.tell(Kind.SETTINGS, "it is not watched any more", gone)
            await expect(page.get_by_text("All is well.")).to_be_visible()
            await expect(rows).to_have_count(2)


async def test_what_cannot_be_had_is_said_and_asked_for_again(
    tmp_path: Path, browser: Browser
) -> None:
    async with (
        serving(tmp_path / "a", wanted=[card_camera("garage")]) as site,
        visiting(browser, site.url) as seen,
    ):

        async def fail(route: Route) -> None:
            problem = {"title": "Busy", "detail": "the archive is being looked at", "status": 429}
            await route.fulfill(status=429, json=problem)

        page, seen.refused = seen.page, True
        await page.route("**/api/v1/storage", fail)
        await page.goto(f"{site.url}/#system=storage")
        await expect(page.get_by_text("The archive is being looked at.")).to_be_visible()
        async with page.expect_response("**/api/v1/storage"):
            await named(page, "Try now").click()
        await page.unroute("**/api/v1/storage", fail)
        # it asks again by itself, too: then the button is gone
        await page.evaluate("document.querySelector('camkeep-storage .buttons button')?.click()")
        await expect(page.locator("camkeep-storage table")).to_be_visible()
        await expect(page.get_by_text("The archive is being looked at.")).to_have_count(0)


# storage


async def test_limits_are_set_with_a_way_back_and_asked_about_before_anything_goes(
    tmp_path: Path, browser: Browser
) -> None:
    recorded = Camera(make_root(tmp_path / "a", new=True).path, hours_ago(72))
    recorded.record(length_us=HOUR)
    recorded.wait(65 * HOUR)
    recorded.record(length_us=HOUR)
    kept = footage(recorded)
    wanted = [replace(card_camera("Garage"), id=GARAGE)]
    async with (
        serving(kept.root, wanted=wanted) as site,
        visiting(browser, f"{site.url}/#system=storage", locale="en-GB") as seen,
    ):
        page = seen.page
        days, spare = page.get_by_label("At most so many days"), page.get_by_label("GB to keep")
        await days.fill("30")
        await spare.fill("0.5")
        await named(page, "Save").click()
        await expect(page.get_by_text("Saved.")).to_be_visible()
        wished = {"max_bytes": None, "max_age_s": 30 * 86_400, "keep_free_bytes": 500_000_000}
        assert await policy(site) == wished
        await expect(page.locator(".legend")).to_contain_text("Kept free")
        await named(page, "Undo").click()
        await expect(days).to_have_value("")
        assert (await policy(site))["max_age_s"] is None

        await days.fill("1")
        await named(page, "Save").click()
        dialog = page.get_by_role("dialog")
        await expect(dialog).to_contain_text("All from before")
        await dialog.get_by_role("button", name="Cancel").click()
        assert (await policy(site))["max_age_s"] is None
        await named(page, "Save").click()
        await dialog.get_by_role("button", name="Delete").click()
        await expect(page.get_by_text("Saved.")).to_be_visible()
        await site.desk.service.janitor.look()
        camera, _ = (await site.client.get("/api/v1/storage")).json()["cameras"]
        assert camera["segments"] == 1


async def test_a_disk_that_stays_full_is_said(tmp_path: Path, browser: Browser) -> None:
    async with (
        serving(tmp_path / "a", wanted=[card_camera("garage")]) as site,
        visiting(browser, site.url) as seen,
    ):

        async def fill(route: Route) -> None:
            answer = await route.fetch()
            await route.fulfill(json={**await answer.json(), "full_in_vain": True})

        await seen.page.route("**/api/v1/storage", fill)
        await seen.page.goto(f"{site.url}/#system=storage")
        await expect(seen.page.get_by_text("nothing new is recorded")).to_be_visible()


async def policy(site: Site) -> Any:
    return (await site.client.get("/api/v1/storage")).json()["policy"]


def hours_ago(hours: int) -> WallUs:
    return WallUs(SystemClock().wall() - hours * HOUR)


# coverage


def long_day() -> datetime:
    """Midnight of the last day of 25 hours in Berlin that is over."""
    now = datetime.now(ZoneInfo(BERLIN))
    for year in (now.year, now.year - 1):
        day = max(week[SUNDAY] for week in monthcalendar(year, 10))
        found = datetime(year, 10, day, tzinfo=ZoneInfo(BERLIN))
        if found + timedelta(days=2) < now:
            return found
    raise AssertionError


async def test_days_tell_what_is_missing_and_lead_to_what_is_there(
    tmp_path: Path, browser: Browser
) -> None:
    """Of a day that had 25 hours, and the one before; by mouse and by keys."""
    midnight = long_day()
    sunday = WallUs(round(midnight.timestamp()) * SECOND)
    recorded = Camera(make_root(tmp_path / "a", new=True).path, WallUs(sunday - 24 * HOUR))
    for _ in range(4):
        recorded.record(length_us=6 * HOUR)
    holes = (gap(recorded.now, 3 * 3600, Cause.UNREACHABLE), gap(sunday + 23 * HOUR, 7200))
    recorded.wait(3 * HOUR)
    for _ in range(4):
        recorded.record(length_us=5 * HOUR)
    recorded.wait(2 * HOUR)
    recorded.record(length_us=HOUR)
    kept = footage(recorded, holes)
    wanted = [replace(card_camera(MARKUP), id=GARAGE)]
    where = {"locale": "en-GB", "timezone_id": BERLIN}
    async with (
        serving(kept.root, wanted=wanted) as site,
        visiting(browser, f"{site.url}/#system=coverage", **where) as seen,
    ):
        page = seen.page
        calendar = page.get_by_role("table", name=MARKUP)
        await expect(calendar.locator("th").first).to_have_text("Mon")
        month = page.get_by_role("heading", level=2)
        while await month.inner_text() != f"October {midnight.year}":
            await named(page, "Earlier month").click()
        await expect(named(page, "Earlier month")).to_be_disabled()
        day = calendar.get_by_role("link", name=f"{midnight.day} October")
        told = await day.get_attribute("aria-label") or ""
        assert "20 h of 25 h recorded (80%)" in told
        assert "3 h: the camera did not answer" in told
        assert "2 h: the camera stopped sending" in told
        bubble = page.locator(".tip")
        await expect(bubble).to_be_hidden()
        await day.hover()
        await expect(bubble).to_contain_text("20 h of 25 h recorded")
        await day.focus()
        await page.keyboard.press("ArrowLeft")
        before = calendar.get_by_role("link", name=f"{midnight.day - 1} October")
        await expect(before).to_be_focused()
        await expect(bubble).to_contain_text("24 h of 24 h recorded")
        await expect(before).not_to_have_class("lacks")
        await page.keyboard.press("ArrowRight")
        await page.keyboard.press("Enter")
        await seen.until("location.hash.includes('camera=')")
        first = datetime.fromtimestamp(sunday / SECOND + 3 * 3600, UTC)
        assert f"camera={GARAGE}&at={first:%Y-%m-%dT%H:%M:%S.}" in page.url


async def test_weeks_begin_where_people_begin_them(tmp_path: Path, browser: Browser) -> None:
    wanted = [card_camera("garage")]
    async with serving(tmp_path / "a", wanted=wanted) as site:
        for locale, first in {"en-US": "Sun", "de-DE": "Mo"}.items():
            address = f"{site.url}/#system=coverage"
            async with visiting(browser, address, locale=locale) as seen:
                await expect(seen.page.locator(".calendar th").first).to_have_text(first)


# events


async def test_events_come_by_themselves_are_chosen_and_lead_to_their_instant(
    tmp_path: Path, browser: Browser
) -> None:
    wanted = [replace(card_camera("garage"), mode=Mode.ALWAYS)]
    async with serving(tmp_path / "a", wanted=wanted) as site:
        await until_live(site)
        bus, (camera,) = site.desk.service.bus, site.cameras
        for number in range(60):
            bus.tell(Kind.SETTINGS, f"change {number}", camera)
        async with visiting(browser, f"{site.url}/#system=events") as seen:
            page = seen.page
            lines = page.locator(".events li")
            await expect(lines).to_have_count(50)
            await expect(lines.first).to_contain_text("Change 59.")
            await named(page, "Show more").click()
            await expect(page.get_by_text("Change 0.")).to_be_visible()
            await expect(named(page, "Show more")).to_be_hidden()

            bus.tell(Kind.STATE, f"nobody answered {MARKUP}", camera, state="waiting")
            await expect(lines.first).to_contain_text(f"No picture. Nobody answered {MARKUP}.")
            await expect(lines.first.locator("svg")).to_have_count(1)

            await page.get_by_label("What").select_option("Camera")
            await expect(page.get_by_text("Change 59.")).to_have_count(0)
            await expect(lines.first).to_contain_text(MARKUP)
            bus.tell(Kind.SETTINGS, "not now", camera)
            bus.tell(Kind.STATE, "it is there", camera, state="live")
            await expect(lines.first).to_contain_text("Live")
            assert "Not now" not in await page.locator("main").inner_text()
            link = lines.first.get_by_role("link")
            assert f"#camera={camera}&at=20" in (await link.get_attribute("href") or "")
            await link.click()
            await seen.until(f"location.hash.startsWith('#camera={camera}')")


# log and backup


async def test_the_log_follows_and_is_copied(tmp_path: Path, browser: Browser) -> None:
    """Over plain http, where browsers give pages no clipboard of their own."""
    web = WebOptions(listen=ANYWHERE, allowed_hosts=("cam.test",))
    with Logging(LogForm.TEXT, "info") as logs:
        async with serving(tmp_path / "a", wanted=[card_camera("garage")], web=web) as site:
            site.desk.monitor.log = logs.ring
            await site.user("anna")
            log = logging.getLogger("camkeep.test")
            log.info("all is quiet")
            async with visiting(browser, f"http://cam.test:{site.port}/#system=log") as seen:
                page = seen.page
                await page.get_by_label("Name").fill("anna")
                await page.get_by_label("Password").fill(PASSWORD)
                await page.keyboard.press("Enter")
                lines = page.get_by_role("log")
                await expect(lines).to_contain_text("all is quiet")
                for number in range(100):
                    log.warning("%s is loud %d", MARKUP, number)
                await expect(lines.locator("p").last).to_contain_text(f"{MARKUP} is loud 99")
                await expect(lines.locator("p").last).to_be_in_viewport()
                await page.get_by_label("At least").select_option("Warnings")
                await expect(lines.locator("p").first).to_contain_text("is loud 0")
                assert not await page.evaluate("isSecureContext")
                await page.get_by_role("button", name="Copy: Log").click()
                await expect(page.get_by_text("Copied.")).to_be_visible()
                await page.evaluate("document.body.append(document.createElement('textarea'))")
                await page.locator("body > textarea").focus()
                await page.keyboard.press("ControlOrMeta+v")
                pasted = await page.locator("body > textarea").input_value()
                assert pasted.count(f"{MARKUP} is loud") == 100
                assert "all is quiet" not in pasted


async def test_a_backup_is_taken_and_how_it_comes_back_is_told(
    tmp_path: Path, browser: Browser
) -> None:
    async with serving(tmp_path / "it's here", wanted=[card_camera("garage")]) as site:
        await site.user("anna")
        async with visiting(browser, f"{site.url}/#system=backup") as seen:
            await log_in(seen, site, "anna")
            page = seen.page
            async with page.expect_download() as coming:
                await named(page, "Download a backup").click()
            taken = await coming.value
            file = tmp_path / taken.suggested_filename
            await taken.save_as(file)
            assert set(read_backup(file)) == {"camkeep.db"}
            await expect(page.get_by_text(f"Saved: {file.name}")).to_be_visible()
            told = await page.get_by_label("Make a backup by a command").input_value()
            folder = str(tmp_path / "it's here").replace("'", "'\\''")
            assert told == f"camkeep backup settings.tar --data '{folder}'"


# what is worked out


async def test_figures(tmp_path: Path, browser: Browser) -> None:
    async with (
        serving(tmp_path / "a") as site,
        visiting(browser, site.url, locale="en-GB", timezone_id=BERLIN) as seen,
    ):

        async def ask(module: str, name: str, *given: Any) -> Any:
            path = f"/ui/{pages().version}/{module}.js"
            return await seen.page.evaluate(CALL, [path, name, list(given)])

        for us, told in [
            *((400, "1 s"), (48e6, "48 s"), (248e6, "4 min 8 s"), (599.9e6, "10 min")),
            *((3.6e9, "1 h"), (76_320e6, "21 h 12 min"), (25 * 3.6e9, "25 h")),
        ]:
            assert await ask("amounts", "lasted", us) == told
        for share, told in [(1, "100%"), (0.99999, "99.9%"), (0, "0%"), (0.5, "50%")]:
            assert await ask("amounts", "percent", share) == told
        for days, told in [(1000, "2.7 years"), (12.4, "12 days"), (1, "1 day"),
                           (0.25, "6 hours"), (0.0001, "1 minute")]:  # fmt: skip
            assert await ask("amounts", "roughly", days) == told

        weeks = await ask("month", "weeksOf", {"year": 2026, "month": 1}, 1)
        assert weeks[0] == [0, 0, 0, 0, 0, 0, 1]
        assert weeks[4] == [23, 24, 25, 26, 27, 28, 0]
        assert (await ask("month", "weeksOf", {"year": 2026, "month": 1}, 7))[0][0] == 1
        assert len(weeks) == 6
        begins = [await ask("month", "begins", {"year": 2026, "month": n}) for n in (9, 10)]
        assert begins[1] - begins[0] == (31 * 24 + 1) * HOUR
        assert await ask("month", "moved", {"year": 2026, "month": 0}, -1) == {
            "year": 2025, "month": 11,
        }  # fmt: skip
        assert [await ask("month", "firstDay", each) for each in ("de", "en-US")] == [1, 7]

        old = {"max_bytes": None, "max_age_s": None, "keep_free_bytes": 0}
        storage = {"bytes": 500, "disk": {"free_bytes": 100}, "policy": old,
                   "cameras": [{"start_us": 0}]}  # fmt: skip
        for change, bytes_, before in [
            ({}, 0, None),
            ({"max_bytes": 200}, 300, None),
            ({"max_bytes": 900}, 0, None),
            ({"keep_free_bytes": 150}, 50, None),
            ({"max_age_s": 2}, 0, 8_000_000),
            ({"max_age_s": 20}, 0, None),
        ]:
            lost = await ask("policy", "losses", storage, {**old, **change}, 10_000_000)
            assert lost == {"bytes": bytes_, "before": before}, change
