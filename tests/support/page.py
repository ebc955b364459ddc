"""The real page of a real service in a real browser.

    async with chromium() as browser, visiting(browser, site.url) as seen:
        await seen.page.get_by_role("button", name="Record garage").click()

Whatever the page complains of on its console, throws, or is kept from by its content policy
makes the test fail at the end.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from playwright.async_api import Browser, ConsoleMessage, Page, async_playwright, expect

from support.browser import FLAGS
from support.server import Site

PATIENCE_MS = 20_000
expect.set_options(timeout=PATIENCE_MS)
VIOLATIONS = """
addEventListener("securitypolicyviolation", (event) => {
  console.error(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`);
});
"""
EXPECTED = ("net::ERR_CONNECTION_REFUSED", "net::ERR_CONNECTION_RESET")
"""What a browser itself says of a server that is away."""

PICTURE = """(name) => {
  const tile = [...document.querySelectorAll("camkeep-tile")]
    .find((each) => each.querySelector("h2").textContent === name);
  const source = ["canvas", "video", "img"]
    .map((tag) => tile.querySelector(`camkeep-live > ${tag}`))
    .findLast((each) => getComputedStyle(each).visibility === "visible");
  const copy = document.createElement("canvas");
  [copy.width, copy.height] = [32, 24];
  const context = copy.getContext("2d");
  context.drawImage(source, 0, 0, 32, 24);
  const data = [...context.getImageData(0, 0, 32, 24).data];
  return {kind: source.localName, data, state: tile.getAttribute("state")};
}"""
"""What is on the screen of the camera of that name, small."""


@dataclass
class Seen:
    """A page that is looked at."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    away: bool = False
    """Whether the server may be away: browsers complain of that."""
    refused: bool = False
    """Whether the server may refuse something: browsers complain of each answer 4xx."""

    async def picture(self, name: str) -> Any:
        """What is shown of a camera: `kind`, `data` (RGBA), `state`."""
        return await self.page.evaluate(PICTURE, name)

    async def until(self, expression: str) -> None:
        """Wait until it holds. (Playwright's own way needs `eval`, which the page forbids.)"""
        async with asyncio.timeout(PATIENCE_MS / 1000):
            while not await self.page.evaluate(expression):
                await self.page.wait_for_timeout(40)

    async def live(self, name: str) -> str:
        """Wait until a camera's picture is there and moves; how it is shown."""
        tile = self.page.locator(
            "camkeep-tile", has=self.page.get_by_role("heading", name=name, exact=True)
        )
        await expect(tile).to_have_attribute("state", "live", timeout=PATIENCE_MS)
        first = await self.picture(name)
        assert len(set(first["data"])) > 2, "the picture is blank"
        while (await self.picture(name))["data"] == first["data"]:
            await self.page.wait_for_timeout(40)
        return str(first["kind"])

    def _console(self, message: ConsoleMessage) -> None:
        kind, text = message.type, message.text
        excused = self.away and any(each in text for each in EXPECTED)
        excused = excused or (self.refused and "responded with a status of 4" in text)
        if kind in ("error", "warning") and not excused:
            self.complaints.append(f"{kind}: {text} ({message.location['url']})")


@asynccontextmanager
async def chromium(*flags: str) -> AsyncIterator[Browser]:
    """A browser."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=[*FLAGS.split(), *flags]
        )
        yield browser
        await browser.close()


@asynccontextmanager
async def visiting(browser: Browser, url: str, **context: Any) -> AsyncIterator[Seen]:
    """Look at the page at `url`, in a browser window of its own."""
    opened = await browser.new_context(**context)
    page = await opened.new_page()
    page.set_default_timeout(PATIENCE_MS)
    seen = Seen(page)
    page.on("console", lambda message: seen._console(message))
    page.on("pageerror", lambda error: seen.complaints.append(f"thrown: {error}"))
    await page.add_init_script(VIOLATIONS)
    await page.goto(url)
    yield seen
    await opened.close()
    assert seen.complaints == [], seen.complaints


async def log_in(seen: Seen, site: Site, name: str) -> None:
    """With the cookie of a new session, and then the page anew."""
    cookie = {"name": "camkeep", "value": await site.session(name), "url": site.url}
    await seen.page.context.add_cookies([cookie])
    await seen.page.reload()
