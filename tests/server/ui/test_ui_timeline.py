"""The timeline of the page: a real browser, a real service, an archive with gaps."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, Route, expect

from camkeep.archive.index import Index
from camkeep.archive.layout import INDEX
from camkeep.cameras.testcard.card import picture
from camkeep.clock import SystemClock, WallUs
from camkeep.model import Cause
from camkeep.server.web.pages import pages
from support.kept import GARAGE, GATE, clip, footage, gap, recorder
from support.page import PATIENCE_MS, Seen, chromium, visiting
from support.segments import SECOND
from support.server import Site, serving

MINUTE, HOUR = 60 * SECOND, 3600 * SECOND
EDGE_PX = 48
"""So far from the right end is live."""
pytestmark = pytest.mark.asyncio(loop_scope="module")


@dataclass
class Kept:
    """A service, and what is in its archive."""

    site: Site
    browser: Browser
    begins: int
    """The garage's first footage, five hours ago."""
    gaps: list[tuple[int, int]]
    """Of the garage: it stalled for 20 minutes, the disk was full for 30."""
    now: int


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def kept(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Kept]:
    now = SystemClock().wall() // SECOND * SECOND
    recorded = recorder(tmp_path_factory.mktemp("timeline") / "a")
    part = recorded.record("h264").segment
    recorded.made.clear()
    begins = now - 5 * HOUR
    gaps = [
        (now - 3 * HOUR, now - 3 * HOUR + 20 * MINUTE),
        (now - 2 * HOUR, now - 2 * HOUR + 30 * MINUTE),
    ]
    causes = [Cause.STALLED, Cause.DISK_FULL]
    made = footage(
        recorded,
        tuple(
            gap(start, (end - start) / SECOND, cause)
            for (start, end), cause in zip(gaps, causes, strict=True)
        ),
    )
    spans = [(begins, gaps[0][0]), (gaps[0][1], gaps[1][0]), (gaps[1][1], now)]
    with Index.open(made.root / INDEX) as index:
        index.save_segments(
            [
                replace(
                    part,
                    sequence=n,
                    start=WallUs(start),
                    duration_us=end - start,
                    path=f"recordings/garage/2026-11-21/{n}.mp4",
                )
                for n, (start, end) in enumerate(spans, 1)
            ]
        )
    made.save_clip(clip("a fox", start=now - HOUR, end=now - HOUR + 20 * MINUTE))
    async with serving(made.root) as site, chromium() as browser:
        yield Kept(site, browser, begins, gaps, now)


HOLD = """async ([base, ids, span]) => {
  sessionStorage.setItem("camkeep.timeline", span);
  const {cursor} = await import(base + "cursor.js");
  await import(base + "timeline.js");
  const style = document.createElement("link");
  Object.assign(style, {rel: "stylesheet", href: base + "timeline.css"});
  const loaded = new Promise((good) => style.onload = good);
  document.head.append(style);
  await loaded;
  Object.defineProperty(cursor, "playing", {get: () => false, set() {}});
  cursor.cameras = ids;
  window.timeline = document.createElement("camkeep-timeline");
  window.cursor = cursor;
  const main = document.querySelector("main");
  main.style.display = "flex";
  main.style.flexDirection = "column-reverse";
  main.replaceChildren(window.timeline);
}"""
"""A timeline of its own, so that the wall's cameras are of no matter; time stands."""


@dataclass
class Line:
    """A timeline on a page."""

    seen: Seen
    span: int
    x: float
    y: float
    width: float

    @property
    def page(self) -> Page:
        return self.seen.page

    async def where(self, at: int) -> float:
        """Where an instant is on the screen, while the page is live."""
        now = await self.page.evaluate("cursor.at")
        return self.x + self.width - EDGE_PX - (now - at) / self.span * self.width

    async def length(self) -> float:
        """How long the window is, in seconds."""
        kept: float = await self.page.evaluate("Number(sessionStorage['camkeep.timeline'])")
        return kept / SECOND

    async def at(self) -> float:
        """Of the cursor."""
        at: float = await self.page.evaluate("cursor.at")
        return at

    async def known(self) -> None:
        """Until the recorder has told what there is."""
        await self.seen.until(
            "(async () => (await import(document.querySelector('script').src"
            ".replace('app.js', 'footage.js'))).footage.of(cursor.cameras[0]) !== null)()"
        )


@asynccontextmanager
async def line(
    kept: Kept, ids: tuple[str, ...] = (GARAGE,), span: int = 4 * HOUR, **context: Any
) -> AsyncIterator[Line]:
    more: dict[str, Any] = {
        "locale": "en-GB",
        "timezone_id": "UTC",
        "viewport": {"width": 1280, "height": 500},
        **context,
    }
    async with visiting(kept.browser, kept.site.url, **more) as seen:
        await seen.until("document.querySelector('main')?.childElementCount > 0")
        await seen.page.route("**/picture.jpg*", shown_picture)
        base = f"/ui/{pages().version}/"
        await seen.page.evaluate(HOLD, [base, list(ids), span])
        box = await seen.page.locator("camkeep-timeline").bounding_box()
        assert box
        found = Line(seen, span, box["x"], box["y"], box["width"])
        await found.known()
        yield found


async def shown_picture(route: Route) -> None:
    """There are no files in the archive to take one from."""
    await route.fulfill(body=picture(7, 320, 240), content_type="image/jpeg")


async def spoken(page: Page) -> str:
    return await page.locator("camkeep-timeline > .sr").inner_text()


def time_of(at: int) -> str:
    minutes = at // MINUTE % (24 * 60)
    return f"{minutes // 60:02}:{minutes % 60:02}"


async def test_a_gap_tells_its_cause_to_the_pointer_and_to_keys(kept: Kept) -> None:
    (first, second) = (
        f"Not recorded {time_of(start)} – {time_of(end)}: {why}."
        for (start, end), why in zip(
            kept.gaps, ("the camera stopped sending", "the disk was full"), strict=True
        )
    )
    async with line(kept) as found:
        page = found.page
        bubble = page.locator(".bubble")
        for (start, end), told in zip(kept.gaps, (first, second), strict=True):
            await page.mouse.move(await found.where((start + end) // 2), found.y + 40)
            await expect(bubble.locator(".told")).to_contain_text(told[-20:])
            assert without_days(await bubble.locator(".told").inner_text()) == told
        await page.mouse.move(await found.where(kept.now - 50 * MINUTE), found.y + 40)
        await expect(bubble.locator(".told")).to_have_text("Clip: a fox (held)")
        await page.mouse.move(found.x + 300, 20)
        await expect(bubble).to_be_hidden()
        slider = page.get_by_role("slider", name="Timeline")
        await slider.focus()
        await expect(slider).to_have_attribute("aria-valuetext", "Live")
        for key, told in [("PageUp", second), ("PageUp", first), ("PageDown", second)]:
            await page.keyboard.press(key)
            await expect(page.locator("camkeep-timeline > .sr")).to_contain_text(told[-20:])
            assert without_days(await spoken(page)) == told
            await expect(bubble.locator(".told")).to_contain_text(told[-20:])
        await page.keyboard.press("PageDown")
        assert await spoken(page) == "No other gap in sight."
        await page.keyboard.press("Enter")
        assert await found.at() == kept.gaps[1][1]
        await expect(slider).to_have_attribute("aria-valuetext", re.compile("recorded$"))


def without_days(text: str) -> str:
    """A test at night has gaps of yesterday."""
    return re.sub(r"\w{3} \d+ \w{3}, ", "", text)


async def test_it_speaks_german(kept: Kept) -> None:
    async with line(kept, locale="de-DE") as found:
        await found.page.get_by_role("slider", name="Zeitleiste").focus()
        await found.page.keyboard.press("PageUp")
        assert (await spoken(found.page)).endswith(": der Datenträger war voll.")


async def test_several_cameras_are_told_apart(kept: Kept) -> None:
    async with line(kept, (GARAGE, GATE)) as found:
        start, end = kept.gaps[0]
        await found.page.mouse.move(await found.where((start + end) // 2), found.y + 40)
        told = found.page.locator(".bubble > .told")
        await expect(told).to_contain_text("the camera stopped sending.\n")
        assert (await told.inner_text()).endswith(": Nothing recorded.")


async def test_the_wheel_goes_from_seconds_to_a_month_and_labels_never_touch(kept: Kept) -> None:
    for width in (360, 1280):
        async with line(kept, viewport={"width": width, "height": 500}) as found:
            page = found.page
            await page.mouse.move(found.x + found.width / 2, found.y + 40)
            for direction, end in ((-1, 10), (1, 30 * 86_400)):
                while await found.length() != end:
                    await page.mouse.wheel(0, direction * 400)
                    await drawn(page)
                    assert await touching(page) == []


async def drawn(page: Page) -> None:
    """Until what came was drawn."""
    await page.evaluate("new Promise((good) => requestAnimationFrame(() => "
                        "requestAnimationFrame(good)))")  # fmt: skip


async def touching(page: Page) -> Any:
    """Words on the ruler that touch each other or the playhead's time; at least one is there."""
    return await page.evaluate("""() => {
      const all = [...document.querySelectorAll(".labels > span, .flag")].filter((e) => !e.hidden);
      const boxes = all.map((e) => [e.getBoundingClientRect(), e.textContent]);
      boxes.sort((one, two) => one[0].left - two[0].left);
      if (!boxes.length) return ["nothing"];
      return boxes.flatMap(([box, text], n) =>
        n && boxes[n - 1][0].right > box.left - 2 ? [[boxes[n - 1][1], text]] : []);
    }""")


async def test_keys_zoom_go_to_the_oldest_and_mark(kept: Kept) -> None:
    async with line(kept) as found:
        page = found.page
        await page.keyboard.press("ArrowUp")
        nearer = await found.length()
        assert nearer < 4 * 3600
        await page.keyboard.press("ArrowDown")
        assert await found.length() == pytest.approx(4 * 3600)
        await page.evaluate(
            "timeline.addEventListener('marks', ({detail}) => window.told = detail)"
        )
        await page.keyboard.press("Home")
        await found.seen.until(f"cursor.at === {kept.begins}")
        await page.keyboard.press("i")
        await page.evaluate(f"cursor.seek({kept.begins + HOUR})")
        await page.keyboard.press("o")
        assert await page.evaluate("told") == {"in": kept.begins, "out": kept.begins + HOUR}
        end = page.get_by_role("slider", name="End of the clip")
        await end.focus()
        await page.keyboard.press("ArrowLeft")
        assert await page.evaluate("timeline.marks.out") == kept.begins + HOUR - SECOND
        box = await end.bounding_box()
        assert box
        await page.mouse.move(box["x"] + 6, box["y"] + 20)
        await page.mouse.down()
        await page.mouse.move(box["x"] + 66, box["y"] + 20)
        await page.mouse.up()
        moved = 60 / found.width * 4 * HOUR
        out = await page.evaluate("timeline.marks.out")
        assert out - kept.begins - HOUR + SECOND == pytest.approx(moved, rel=0.1)
        await end.focus()
        await page.keyboard.press("Delete")
        assert await page.evaluate("told") == {"in": kept.begins, "out": None}
        await expect(end).to_be_hidden()
        await page.evaluate("timeline.marks = {in: null, out: null}")
        await expect(page.get_by_role("slider", name="Beginning of the clip")).to_be_hidden()


async def test_dragging_moves_time_with_the_finger(kept: Kept) -> None:
    async with line(kept) as found:
        page = found.page
        x = [await found.where(kept.now - minutes * MINUTE) for minutes in (150, 60)]
        await page.mouse.move(x[0], found.y + 40)
        await page.mouse.down()
        pixel = found.span / found.width
        assert await found.at() == pytest.approx(kept.now - 150 * MINUTE, abs=3 * pixel)
        assert not await page.evaluate("cursor.live")
        await page.mouse.move(x[1], found.y - 100, steps=5)
        assert await found.at() == pytest.approx(kept.now - HOUR, abs=3 * pixel)
        await page.mouse.move(found.x + found.width - 4, found.y + 40)
        await page.mouse.up()
        await found.seen.until("cursor.live")


async def test_who_looks_elsewhere_sees_where_the_playhead_is_and_comes_back(kept: Kept) -> None:
    async with line(kept) as found:
        page = found.page
        flag, head = page.locator(".flag"), page.locator(".playhead")
        await expect(flag).to_have_text(re.compile(r"^\d\d:\d\d:\d\d$"))
        await page.mouse.move(found.x + 400, found.y + 40)
        await page.mouse.wheel(-2 * found.width, 0)
        await expect(head).to_be_hidden()
        await expect(flag).to_have_text(re.compile(r"^\d\d:\d\d:\d\d ›$"))
        await page.keyboard.press("End")
        await expect(head).to_be_visible()
        await expect(flag).to_have_text(re.compile(r"^\d\d:\d\d:\d\d$"))


async def test_two_fingers_bring_it_nearer(kept: Kept) -> None:
    async with line(kept, has_touch=True, viewport={"width": 390, "height": 700}) as found:
        session = await found.page.context.new_cdp_session(found.page)

        async def touch(kind: str, *x: float) -> None:
            points = [{"x": each, "y": found.y + 40, "id": n} for n, each in enumerate(x)]
            await session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

        await touch("touchStart", 150)
        await touch("touchStart", 150, 190)
        for apart in (20, 40, 60, 80):
            await touch("touchMove", 150 - apart, 190 + apart)
        await touch("touchEnd")
        await drawn(found.page)
        assert await found.length() == pytest.approx(4 * 3600 / 5, rel=0.05)
        await touch("touchStart", 100)
        before = await found.at()
        await touch("touchMove", 200)
        await touch("touchEnd")
        moved = await found.at() - before
        assert moved == pytest.approx(100 / 390 * 4 * HOUR / 5, rel=0.1)


async def test_an_hour_that_comes_twice_is_told_apart(kept: Kept) -> None:
    async with line(kept, span=10 * HOUR, timezone_id="Europe/Berlin") as found:
        await found.page.evaluate("cursor.seek(Date.UTC(2025, 9, 26, 0, 30) * 1000)")
        labels = found.page.locator(".labels")
        await expect(labels).to_contain_text("02:00 CEST")
        await expect(labels).to_contain_text("Sun 26 Oct")
        await expect(found.page.locator(".flag")).to_have_text("02:30:00 CEST")
        assert await touching(found.page) == []
        await found.page.evaluate("cursor.seek(Date.UTC(2025, 9, 26, 1, 30) * 1000)")
        await expect(found.page.locator(".flag")).to_have_text("02:30:00 CET")


async def test_a_picture_follows_the_pointer_one_at_a_time(kept: Kept) -> None:
    async with line(kept) as found:
        page = found.page
        asked: list[str] = []
        under_way, most = 0, 0

        async def answer(route: Route) -> None:
            nonlocal under_way, most
            asked.append(route.request.url)
            under_way += 1
            most = max(most, under_way)
            await asyncio.sleep(0.05)
            under_way -= 1
            await shown_picture(route)

        await page.route("**/picture.jpg*", answer)
        start = await found.where(kept.now - 80 * MINUTE)
        for step in range(80):
            await page.mouse.move(start + step, found.y + 40)
        shown = page.locator(".bubble > canvas")
        await expect(shown).to_be_visible()
        await expect(shown).not_to_have_attribute("old", "", timeout=PATIENCE_MS)
        assert most == 1
        assert len(asked) < 60
        assert f"cameras/{GARAGE}/picture.jpg" in asked[-1]
        at = int(asked[-1].partition("at=")[2])
        there = kept.now - 80 * MINUTE + 79 / found.width * found.span
        assert at == pytest.approx(there, abs=5 * found.span / found.width)
        asked.clear()
        start_us, end_us = kept.gaps[1]
        await page.mouse.move(await found.where((start_us + end_us) // 2), found.y + 40)
        await expect(page.locator(".bubble > .told")).to_contain_text("disk was full")
        await expect(shown).to_be_hidden()
        places = [int(each.partition("at=")[2]) for each in asked]
        assert not any(start_us <= each < end_us for each in places), "of a gap"


async def test_what_the_recorder_does_not_tell_is_said_and_asked_again(kept: Kept) -> None:
    async with line(kept) as found:
        page, found.seen.refused = found.page, True
        problem = '{"detail": "the index is being made anew: try again in a moment"}'

        async def refuse(route: Route) -> None:
            await route.fulfill(status=409, body=problem, content_type="application/problem+json")

        await page.route("**/api/v1/timeline*", refuse)
        await page.mouse.move(found.x + 400, found.y + 40)
        await page.mouse.wheel(-3000, 0)
        lost = page.locator("camkeep-timeline > .lost")
        await expect(lost).to_have_text("The index is being made anew: try again in a moment.")
        await page.unroute("**/api/v1/timeline*")
        await expect(lost).to_be_hidden()


ASKED = """async ([module, id, at]) => {
  const {footage} = await import(module);
  return [footage.kept(id, at), await footage.next([id], at, 1), await footage.next([id], at, -1)];
}"""


async def test_what_is_known_of_footage(kept: Kept) -> None:
    async with line(kept) as found:
        module = f"/ui/{pages().version}/footage.js"
        start, end = kept.gaps[0]
        inside = start + MINUTE
        known, later, before = await found.page.evaluate(ASKED, [module, GARAGE, inside])
        assert known is False
        assert later["at"] == end
        assert later["gap"]["cause"] == "stalled"
        assert before["at"] == start
        known, _, before = await found.page.evaluate(ASKED, [module, GARAGE, start - MINUTE])
        assert known is True
        assert before is None
        known, later, _ = await found.page.evaluate(ASKED, [module, GARAGE, kept.now + HOUR])
        assert known is None
        assert later is None
