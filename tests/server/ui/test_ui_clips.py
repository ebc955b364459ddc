"""Clips on the page: made of what is marked, found, renamed, held, downloaded, shared, deleted."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, expect

from camkeep.clock import SystemClock, WallUs
from camkeep.server.access import Role
from support.kept import GARAGE, GATE, clip, footage, recorder
from support.livecams import camera_at
from support.movies import ffprobe
from support.page import Seen, chromium, visiting
from support.segments import SECOND
from support.server import Site, serving

pytestmark = pytest.mark.asyncio(loop_scope="module")
MANY = 66
MARKUP = '<img src=x onerror="document.title=1"><script>document.title=2</script>'


@dataclass
class Kept:
    """A service with footage of 20 s and clips of it."""

    site: Site
    browser: Browser
    begin: int
    """When the footage begins."""
    sessions: dict[str, str]

    def visit(self, place: str, who: str = "anna") -> AbstractAsyncContextManager[Seen]:
        """The page as somebody sees it; as nobody where `who` is empty."""
        cookie = {"name": "camkeep", "value": self.sessions.get(who, ""), "url": self.site.url}
        cookie = {**cookie, "domain": "127.0.0.1", "path": "/"}
        del cookie["url"]
        rest: dict[str, Any] = {"expires": -1, "httpOnly": True, "secure": False}
        state = {
            "cookies": [{**cookie, **rest, "sameSite": "Strict"}] if who else [],
            "origins": [],
        }
        return visiting(
            self.browser,
            f"{self.site.url}/#{place}",
            storage_state=state,
            locale="en-GB",
            reduced_motion="reduce",
        )


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def kept(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Kept]:
    begin = SystemClock().wall() // SECOND * SECOND - 3600 * SECOND
    recorded = recorder(tmp_path_factory.mktemp("clips") / "a")
    recorded.now = WallUs(begin)
    for _ in range(10):
        recorded.record("h264")
    made = footage(recorded)
    end = begin + 6 * SECOND
    names = ["A fox", "Both gates", MARKUP, "Zoë at the door"]
    names += [f"Nothing {n}" for n in range(MANY - len(names))]
    for n, name in enumerate(names):
        cameras = (GARAGE, GATE) if name == "Both gates" else (GARAGE,)
        start = begin + (MANY - n) * 10_000
        made.save_clip(clip(name, cameras, start, end, f"{n:016}", held=name == "A fox"))
    cards = [camera_at("testcard:?size=320x240&fps=5", name) for name in ("Garage", "Gate")]
    wanted = [replace(card, id=of) for card, of in zip(cards, (GARAGE, GATE), strict=True)]
    async with serving(made.root, wanted=wanted) as site, chromium() as browser:
        await site.user("anna")
        await site.user("otto", Role.VIEWER, [GARAGE])
        sessions = {name: await site.session(name) for name in ("anna", "otto")}
        yield Kept(site, browser, begin, sessions)


def card(page: Page, name: str) -> Locator:
    """That of a clip."""
    return page.locator(".clip", has=page.get_by_role("link", name=f"Open {name}", exact=True))


def pressed(page: Page, word: str, name: str) -> Locator:
    """A button of a clip."""
    return page.get_by_role("button", name=f"{word}: {name}", exact=True)


async def saved(page: Page, link: Locator, folder: Path) -> Path:
    """What comes when a link is clicked."""
    async with page.expect_download() as coming:
        await link.click()
    path = folder / "clip.mp4"
    await (await coming.value).save_as(path)
    return path


async def mark(page: Page, begin: int, end: int) -> None:
    """Mark it on the timeline."""
    await page.locator("camkeep-timeline").wait_for(state="attached")
    marks = {"in": begin, "out": end}
    await page.evaluate("(to) => document.querySelector('camkeep-timeline').marks = to", marks)


async def test_what_is_marked_is_kept(kept: Kept, tmp_path: Path) -> None:
    begin, end = kept.begin + 2 * SECOND, kept.begin + 7 * SECOND
    async with kept.visit(f"camera={GARAGE}&at=2026-01-01T00:00:00Z") as seen:
        page = seen.page
        await mark(page, begin, end)
        panel = page.locator("camkeep-mark")
        await expect(panel).to_contain_text("0:05")
        await expect(panel).to_contain_text("kB")
        movie = await saved(page, panel.get_by_role("link", name="Download"), tmp_path)
        length = float(ffprobe(movie, "-show_format")["format"]["duration"])
        assert 4.9 < length < 7.1
        await panel.get_by_role("button", name="Cancel").click()
        await expect(panel).to_be_hidden()
        await mark(page, begin, end)
        await panel.get_by_label("Name of the clip").fill("A badger")
        await page.keyboard.press("Enter")
        await expect(panel).to_be_hidden()
        await page.get_by_role("status").get_by_role("button", name="Open").click()
        await expect(card(page, "A badger")).to_be_visible()
        await expect(page.locator(".clip")).to_have_count(1)
        await page.get_by_role("link", name="Open A badger").click()
        await seen.until("location.hash.includes('at=')")
        async with await kept.site.login("anna") as anna:
            (found,) = [
                each
                for each in (await anna.get("/api/v1/clips?limit=500")).json()["clips"]
                if each["name"] == "A badger"
            ]
            await anna.delete(f"/api/v1/clips/{found['id']}")
    assert (found["start_us"], found["end_us"], found["cameras"]) == (begin, end, [GARAGE])
    assert found["held"]


async def test_a_clip_is_renamed_held_and_downloaded(kept: Kept, tmp_path: Path) -> None:
    async with kept.visit("clips") as seen:
        page = seen.page
        await expect(card(page, "A fox")).to_contain_text("Garage")
        await expect(card(page, "A fox")).to_contain_text("kB")
        await seen.until("document.querySelector('.clip img').naturalWidth > 0")
        field = card(page, "A fox").get_by_label("Name of the clip")
        await field.fill("not this")
        await page.keyboard.press("Escape")
        await expect(field).to_have_value("A fox")
        await field.fill("Two foxes")
        await page.keyboard.press("Enter")
        await expect(pressed(page, "Held", "Two foxes")).to_have_attribute("aria-pressed", "true")
        await pressed(page, "Held", "Two foxes").click()
        await expect(pressed(page, "Hold", "Two foxes")).to_have_attribute("aria-pressed", "false")
        await page.get_by_role("button", name="Undo").click()
        await expect(pressed(page, "Held", "Two foxes")).to_be_visible()
        link = page.get_by_role("link", name="Download: Two foxes", exact=True)
        movie = await saved(page, link, tmp_path)
        (stream,) = ffprobe(movie, "-show_streams")["streams"]
        assert (stream["codec_name"], float(stream["duration"]) > 5) == ("h264", True)
        await page.reload()
        await card(page, "Two foxes").get_by_label("Name of the clip").fill("A fox")
        await page.keyboard.press("Enter")
        await expect(card(page, "A fox")).to_be_visible()


async def test_a_link_shows_a_clip_until_it_is_taken_back(kept: Kept, tmp_path: Path) -> None:
    async with kept.visit("clips") as seen:
        page = seen.page
        await pressed(page, "Share", "A fox").click()
        await expect(page.get_by_text("Nobody has a link to it.")).to_be_visible()
        await page.get_by_label("For whom").fill("Eva")
        await page.get_by_label("Holds for").select_option("1 hour")
        await page.get_by_role("button", name="Make a link").click()
        link = await page.get_by_label("Link", exact=True).input_value()
        base, _, place = link.partition("#")
        assert base == f"{kept.site.url}/"
        async with kept.visit(place, "") as fresh:
            there = fresh.page
            await expect(there.get_by_role("heading", name="A fox")).to_be_visible()
            await expect(there.get_by_text("This link holds until")).to_be_visible()
            await fresh.until("document.querySelector('video').readyState > 1")
            movie = await saved(there, there.get_by_role("link", name="Download"), tmp_path)
            assert ffprobe(movie, "-show_streams")["streams"][0]["codec_name"] == "h264"
            await expect(there.get_by_role("navigation")).to_be_hidden()
            await page.get_by_role("button", name="Revoke: Eva").click()
            await expect(page.get_by_text("Nobody has a link to it.")).to_be_visible()
            fresh.refused = True
            await there.reload()
            await expect(there.get_by_text("This link has ended or was taken")).to_be_visible()


async def test_what_no_browser_plays_is_said_and_can_be_downloaded(kept: Kept) -> None:
    """Of cameras that send JPEG."""
    site = kept.site
    async with await site.login("anna") as anna, kept.visit("clips") as seen:
        path = f"/api/v1/cameras/{GATE}/recording"
        made = (await anna.post(path, json={"record": True})).json()["clip"]["id"]
        going = seen.page.locator(".clip.going")
        await expect(going).to_have_count(1)
        await expect(going.locator(".picture .time")).to_have_text("0:02")
        await expect(going.get_by_role("button", name="Delete")).to_be_hidden()
        await anna.post(path, json={"record": False})
        await expect(going).to_have_count(0)
        until = site.desk.clock.wall() + 3600 * SECOND
        shared = await anna.post("/api/v1/shares", json={"clip": made, "expires": until})
        async with kept.visit(f"shared={shared.json()['secret']}", "") as fresh:
            told = fresh.page.get_by_text("This browser cannot play the clip.")
            await expect(told).to_be_visible()
            await expect(fresh.page.get_by_role("link", name="Download")).to_be_visible()
        await anna.delete(f"/api/v1/clips/{made}")


async def test_deleted_clips_come_back_and_several_cameras_are_files(kept: Kept) -> None:
    async with kept.visit("clips") as seen:
        page = seen.page
        await pressed(page, "Delete", "A fox").click()
        await expect(card(page, "A fox")).to_have_count(0)
        await expect(page.locator(".clip a:focus")).to_have_count(1)
        await page.get_by_role("button", name="Undo").click()
        await expect(card(page, "A fox")).to_be_visible()
        await expect(page.get_by_text(f"{MANY} clips")).to_be_visible()
        await page.get_by_role("link", name="Download: Both gates").click()
        dialog = page.get_by_role("dialog")
        await expect(dialog.get_by_role("link")).to_have_count(1)  # nothing is kept of the gate
        await expect(dialog.get_by_role("link")).to_contain_text("Garage · ")
        await page.keyboard.press("Escape")
        await expect(dialog).to_have_count(0)


async def test_clips_are_found_and_shown_some_at_a_time(kept: Kept) -> None:
    async with kept.visit("clips") as seen:
        page = seen.page
        clips = page.locator(".clip")
        await expect(clips).to_have_count(60)
        await page.get_by_role("button", name="Show more").click()
        await expect(clips).to_have_count(MANY)
        search = page.get_by_role("searchbox")
        await search.fill("zoe")
        await expect(clips).to_have_count(1)
        await expect(page.get_by_text("1 clip", exact=True)).to_be_visible()
        await search.fill("gate today")
        await expect(clips).to_have_count(1)
        await search.fill("fox yesterday")
        await expect(page.get_by_text("No clip is like that.")).to_be_visible()
        await search.fill("")
        await expect(clips).to_have_count(60)
        await page.goto(f"{kept.site.url}/#clips=abcdefghijkmnpqr")
        await expect(page.get_by_text("This clip is not there, or not any more.")).to_be_visible()
        await page.get_by_role("link", name="All clips").click()
        await expect(clips).to_have_count(60)


async def test_a_viewer_sees_what_was_granted_and_changes_nothing(kept: Kept) -> None:
    async with kept.visit("clips", "otto") as seen:
        page = seen.page
        both = card(page, "Both gates")
        await expect(both).to_contain_text("Garage")
        await expect(both).not_to_contain_text("Garage, ")
        await expect(both.get_by_role("link", name="Download")).to_be_visible()
        await expect(page.locator(".clip button, .clip input")).to_have_count(0)
        await page.goto(f"{kept.site.url}/#camera={GARAGE}")
        await mark(page, kept.begin, kept.begin + SECOND)
        panel = page.locator("camkeep-mark")
        await expect(panel.get_by_role("link", name="Download")).to_be_visible()
        await expect(panel.get_by_role("button", name="Keep as clip")).to_be_hidden()


async def test_a_name_is_never_markup(kept: Kept) -> None:
    async with kept.visit("clips") as seen:
        page = seen.page
        await pressed(page, "Share", MARKUP).click()
        await expect(page.get_by_role("heading", name=f"Share {MARKUP}")).to_be_visible()
        await page.get_by_role("button", name="Make a link").click()
        link = await page.get_by_label("Link", exact=True).input_value()
        assert await page.title() == "camkeep"
        async with kept.visit(link.partition("#")[2], "") as fresh:
            await expect(fresh.page.get_by_role("heading", name=MARKUP)).to_be_visible()
            assert await fresh.page.title() == "camkeep"
