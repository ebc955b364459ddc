"""Every place and state of the page, and how to get there: for those who look at it, and for the
tests that look at all of it.

A new view or state is a line of `SCENES`. Who it is seen as is one of `support.house.PEOPLE`; an
empty name is nobody. `go` does what an address cannot, and waits until it has happened.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from playwright.async_api import Browser, Page, Route, expect

from camkeep.archive.root import make_root
from support.house import House, house
from support.page import PATIENCE_MS, Seen, visiting
from support.segments import SECOND
from support.serveprocess import serving

Going = Callable[[Page, House], Awaitable[object]]


class Scene(NamedTuple):
    """What is looked at."""

    name: str
    who: str = "anna"
    """Whose session; empty for nobody."""
    where: str = ""
    """What its address has after "#", with {NAME} for a camera's id, {clip} for that of a clip,
    {shared} for the secret of a link, {60} for so many seconds before the house was entered."""
    go: Going | None = None
    language: str = "en"
    empty: bool = False
    """Whether it is a recorder without cameras and accounts, instead of the house."""
    refused: bool = False
    """Whether something is not allowed there, or not found."""
    away: bool = False
    """Whether the recorder does not answer there."""


# how to get where no address leads


async def _press(page: Page, *keys: str) -> None:
    for key in keys:
        await page.keyboard.press(key)


async def _sheet(page: Page, _: House) -> None:
    await page.keyboard.press("?")
    await expect(page.get_by_role("dialog")).to_be_visible()


async def _paused(page: Page, _: House) -> None:
    await page.keyboard.press("k")


async def _marked(page: Page, _: House) -> None:
    await _press(page, "i")
    await page.keyboard.press("ArrowRight")
    await _press(page, "o")


async def _share(page: Page, _: House) -> None:
    await page.get_by_role("button", name="Share: A parcel for next door").click()
    await page.get_by_role("button", name="Make a link").click()
    await expect(page.locator(".once input")).to_be_focused(timeout=PATIENCE_MS)
    await expect(page.locator(".pane .row").nth(1)).to_be_visible(timeout=PATIENCE_MS)


async def _files(page: Page, _: House) -> None:
    await page.get_by_role("link", name="Download: Where it was interrupted").click()
    await expect(page.get_by_role("dialog")).to_be_visible(timeout=PATIENCE_MS)


async def _nothing_found(page: Page, _: House) -> None:
    await page.get_by_role("searchbox").fill("no such thing")
    await expect(page.get_by_text("No clip is like that.")).to_be_visible()


async def _away(page: Page, _: House) -> None:
    async def cut(route: Route) -> None:
        await route.abort("connectionrefused")

    await page.route("**/api/**", cut)
    await page.evaluate("dispatchEvent(new Event('online'))")
    await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    await expect(page.locator(".away")).to_be_visible(timeout=PATIENCE_MS)


async def _no_account_yet(page: Page, _: House) -> None:
    """As somebody sees it who comes from another machine before there is any account."""

    async def tell(route: Route) -> None:
        await route.fulfill(json={"user": None, "accounts": False, "code_wanted": True})

    await page.route("**/api/v1/me", tell)
    await page.reload()
    await expect(page.locator("camkeep-setup")).to_be_visible()


async def _wrong_login(page: Page, _: House) -> None:
    await page.locator("input").first.fill("anna")
    await page.locator("input[type=password]").fill("not this one")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert").first).to_be_visible()


SCENES = (
    Scene("wall-1", "ina"),
    Scene("wall-2", "tom"),
    Scene("wall-4", "ben"),
    Scene("wall-9"),
    Scene("wall-then", "ben", "at={40}"),
    Scene("camera", where="camera={Street}"),
    Scene("camera-portrait", where="camera={Front door}"),
    Scene("camera-recording", where="camera={Garden}"),
    Scene("camera-viewer", "ina", "camera={Street}"),
    Scene("camera-away", where="camera={Stable}"),
    Scene("camera-refused", where="camera={Workshop}"),
    Scene("camera-refused-viewer", "ben", "camera={Workshop}"),
    Scene("camera-off", where="camera={Attic}"),
    Scene("then", where="camera={Street}&at={120}"),
    Scene("then-paused", where="camera={Street}&at={120}", go=_paused),
    Scene("then-marked", where="camera={Street}&at={120}", go=_marked),
    Scene("then-gap", where="camera={Garden}&at={80}"),
    Scene("then-nothing", where="camera={Hall}&at={3600}"),
    Scene("clips", where="clips"),
    Scene("clips-viewer", "ina", "clips"),
    Scene("clips-none", "nora", "clips"),
    Scene("clips-empty", "", "clips", empty=True),
    Scene("clips-nothing", where="clips", go=_nothing_found),
    Scene("clips-share", where="clips", go=_share),
    Scene("clips-files", where="clips", go=_files),
    Scene("clip", where="clips={clip}"),
    Scene("clip-unknown", where="clips=abcdefghijkmnpqr", refused=True),
    Scene("shared", "", "shared={shared}"),
    Scene("shared-over", "", "shared=abcdefghijkmnpqrstuvwxyz", refused=True),
    Scene("cameras", where="cameras"),
    Scene("camera-edit", where="cameras={Street}"),
    Scene("camera-add", where="cameras=new"),
    Scene("system", where="system"),
    *(
        Scene(f"system-{section}", where=f"system={section}")
        for section in ("storage", "coverage", "health", "events", "people", "log", "backup")
    ),
    Scene("system-viewer", "ina", "system"),
    Scene("account", "ben", "account"),
    Scene("login", ""),
    Scene("login-refused", "", go=_wrong_login, refused=True),
    Scene("setup", "", go=_no_account_yet),
    Scene("first-run", "", empty=True),
    Scene("no-camera", "nora"),
    Scene("server-away", "ben", go=_away, away=True),
    Scene("keys", go=_sheet),
    Scene("german-wall", "ben", language="de"),
    Scene("german-camera", where="camera={Stable}", language="de"),
    Scene("german-clips", where="clips", language="de"),
    Scene("german-shared", "", "shared={shared}", language="de"),
    Scene("german-cameras", where="cameras={Street}", language="de"),
    Scene("german-system", where="system", language="de"),
    Scene("german-people", where="system=people", language="de"),
    Scene("german-account", where="account", language="de"),
    Scene("german-login", "", language="de"),
    Scene("german-keys", go=_sheet, language="de"),
)

STILL = """() => new Promise((done) => {
  // Nothing has changed for a while, but for times and pictures.
  let timer = setTimeout(done, 250);
  const look = new MutationObserver(() => {
    clearTimeout(timer);
    timer = setTimeout(done, 250);
  });
  look.observe(document.body, {childList: true, subtree: true, attributes: true,
    attributeFilter: ["hidden", "state", "class", "src"]});
  setTimeout(done, 4000);
})"""
READY = """() => {
  const seen = document.querySelector("camkeep-app")?.getAttribute("seen");
  const tiles = [...document.querySelectorAll("camkeep-tile")].filter((tile) => !tile.hidden);
  const waits = ["idle", "connecting", "loading", null, ""];
  const images = [...document.images].filter((image) => image.offsetWidth && !image.complete);
  return Boolean(seen && seen !== "nothing" && document.querySelector("main > *")
    && tiles.every((tile) => !waits.includes(tile.getAttribute("state"))) && !images.length);
}"""
READY_S = 8.0


@dataclass
class Stage:
    """Where scenes are played."""

    browser: Browser
    house: House
    empty: str
    """The address of a recorder that has nothing yet."""

    @asynccontextmanager
    async def scene(self, scene: Scene, **context: Any) -> AsyncIterator[Seen]:
        """A scene, in a window of its own."""
        base = self.empty if scene.empty else self.house.url
        context = self.context(scene, **context)
        async with visiting(self.browser, "about:blank", **context) as seen:
            seen.refused, seen.away = scene.refused or not scene.who, scene.away
            await seen.page.goto(f"{base}/#{self.address(scene.where)}")
            await self.settle(seen.page)
            if scene.go is not None:
                await scene.go(seen.page, self.house)
                await self.settle(seen.page)
            yield seen

    def context(self, scene: Scene, **context: Any) -> dict[str, Any]:
        """What a browser's window needs to be that of who sees the scene."""
        context.setdefault("locale", {"en": "en-GB", "de": "de-DE"}[scene.language])
        if scene.who:
            secret = {"value": self.house.sessions[scene.who]}
            context["storage_state"] = {"cookies": [{**COOKIE, **secret}], "origins": []}
        return context

    async def settle(self, page: Page) -> None:
        """Until pictures are there, and nothing moves any more; not for ever."""
        try:
            async with asyncio.timeout(READY_S):
                while not await page.evaluate(READY):
                    await page.wait_for_timeout(50)
        except TimeoutError:
            pass  # it is looked at as it is
        await page.evaluate(STILL)

    def address(self, where: str) -> str:
        """Of a scene, with what is in braces filled in."""
        found = where.replace("{clip}", self.house.clips[0])
        found = found.replace("{shared}", self.house.shared)
        for name, camera in self.house.ids.items():
            found = found.replace(f"{{{name}}}", camera)
        before, brace, rest = found.partition("{")
        if brace:
            seconds, _, rest = rest.partition("}")
            at = self.house.now - int(seconds) * SECOND
            found = f"{before}{datetime.fromtimestamp(at / SECOND, UTC):%Y-%m-%dT%H:%M:%SZ}{rest}"
        return found


COOKIE = {
    "name": "camkeep",
    "domain": "127.0.0.1",
    "path": "/",
    "expires": -1,
    "httpOnly": True,
    "secure": False,
    "sameSite": "Strict",
}


@asynccontextmanager
async def staged(browser: Browser, folder: Path, **footage: int) -> AsyncIterator[Stage]:
    """The house (`support.house` tells how much `footage` there may be), and a recorder without
    anything."""
    async with AsyncExitStack() as stack:
        folder.mkdir(exist_ok=True)
        lived = await stack.enter_async_context(house(folder / "house", **footage))
        make_root(folder / "empty", new=True)
        served = await stack.enter_async_context(serving(folder / "empty"))
        yield Stage(browser, lived, served.url)
