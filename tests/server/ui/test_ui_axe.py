"""Everybody can use the page: axe-core finds nothing on any page in both themes. And nothing of it
jumps or is fetched in vain while it comes. The scenes are those of `support/scenes.py`."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Error, Page

from support.page import chromium, visiting
from support.scenes import SCENES, Scene, Stage, staged

pytestmark = pytest.mark.timeout(300)
AXE = Path(__file__).parents[3] / "tools" / "page" / "node_modules" / "axe-core" / "axe.min.js"
"""`make check` installs it."""
AT_ONCE = 3
THEMES = ("dark", "light")
SKIPPED = ("german-", "wall-1", "wall-2", "camera-portrait", "camera-viewer", "then-marked")
"""Scenes that have nothing for axe which another has not."""

LOOK = """async (theme) => {
  const {violations} = await axe.run(document, {
    resultTypes: ["violations"],
    rules: {"target-size": {enabled: true}},
    // The second theme has other colours, and nothing else.
    ...(theme === "light" && {runOnly: ["color-contrast"], rules: {}}),
  });
  return violations.flatMap(({id, nodes}) => nodes.map((node) =>
    `${id}: ${node.target.join(" ")}: ${node.any.concat(node.all, node.none)
      .map((check) => check.message).join("; ")}`));
}"""
"""What axe has to say, a line for each place."""

SHIFTS = """
window.shifts = [];
new PerformanceObserver((list) => {
  for (const shift of list.getEntries()) {
    const named = (node) => node?.localName + (node?.className ? `.${node.className}` : "");
    window.shifts.push([shift.value, shift.sources.map((each) => named(each.node))]);
  }
}).observe({type: "layout-shift", buffered: true});
"""


async def complaints(stage: Stage, scene: Scene, source: str) -> list[str]:
    """What axe finds in a scene, in both themes."""
    found = []
    window = {"width": 1280, "height": 800}
    async with stage.scene(scene, viewport=window, reduced_motion="reduce") as seen:
        await seen.page.evaluate(source)
        for theme in THEMES:
            await seen.page.emulate_media(color_scheme=theme)
            said = await seen.page.evaluate(LOOK, theme)
            found += [f"{scene.name}, {theme}: {each}" for each in said]
    return found


async def test_axe_finds_nothing(tmp_path: Path) -> None:
    source = AXE.read_text()
    turns = asyncio.Semaphore(AT_ONCE)

    async def look(stage: Stage, scene: Scene) -> list[str]:
        async with turns:
            try:
                return await complaints(stage, scene, source)
            except (AssertionError, Error) as error:  # and what axe says of the others
                return [f"{scene.name}: {error}"]

    async with chromium() as browser, staged(browser, tmp_path) as stage:
        scenes = [scene for scene in SCENES if not scene.name.startswith(SKIPPED)]
        found = await asyncio.gather(*(look(stage, scene) for scene in scenes))
    said = [each for several in found for each in several]
    assert said == [], "\n".join(said)


async def test_axe_finds_what_it_is_for(tmp_path: Path) -> None:
    """A field without a name, grey on grey: else it might not run at all."""
    async with chromium() as browser:
        page = await browser.new_page()
        await page.set_content('<body style="color:#888;background:#999"><input>words')
        await page.evaluate(AXE.read_text())
        said = {each.partition(":")[0] for each in await page.evaluate(LOOK, "dark")}
    assert {"label", "color-contrast"} <= said


async def test_nothing_jumps_while_it_comes(tmp_path: Path) -> None:
    """Layout shift, as browsers count it, is 0."""
    wanted = ("wall-4", "wall-9", "camera", "then", "clips", "system", "cameras")
    async with chromium() as browser, staged(browser, tmp_path) as stage:
        for scene in [each for each in SCENES if each.name in wanted]:
            for width, height in ((1280, 800), (390, 844)):
                address = f"{stage.house.url}/#{stage.address(scene.where)}"
                context = stage.context(scene, viewport={"width": width, "height": height})
                async with visiting(browser, "about:blank", **context) as seen:
                    await seen.page.add_init_script(SHIFTS)
                    await seen.page.goto(address)
                    await stage.settle(seen.page)
                    shifts = await seen.page.evaluate("shifts")
                assert sum(value for value, _ in shifts) < 0.001, (scene.name, width, shifts)


async def test_little_is_fetched_before_the_first_picture(tmp_path: Path) -> None:
    """All of the page that is needed is named by the page itself, so that nothing is found late;
    nothing is fetched twice; and the recorder is asked few things before pictures come."""
    async with chromium() as browser, staged(browser, tmp_path) as stage:
        (scene,) = [each for each in SCENES if each.name == "wall-4"]
        async with visiting(browser, "about:blank", **stage.context(scene)) as seen:
            asked = await fetched(seen.page, stage.house.url)
            named = await seen.page.evaluate(
                "[...document.querySelectorAll('link[href], script[src]')]"
                ".map((each) => new URL(each.href ?? each.src).pathname)"
            )
    assert max(Counter(asked).values()) == 1, Counter(asked).most_common(3)
    files = {path for path in asked if path.startswith("/ui/")}
    drawn = {path for path in files if path.endswith(("icons.svg", "mark.svg"))}
    assert files - set(named) - drawn == set(), "found late"
    api = [path for path in asked if re.match(r"/api/v1/(?!cameras/\w+/|clips/|events)", path)]
    timeline = {path for path in api if path.startswith("/api/v1/timeline?")}
    assert sorted({*api} - timeline) == ["/api/v1/cameras", "/api/v1/me"]
    assert len(timeline) == 1


async def fetched(page: Page, url: str) -> list[str]:
    """The paths that are asked for until there is a picture."""
    asked: list[Any] = []
    page.on("request", lambda request: asked.append(request.url))
    await page.goto(url)
    await page.locator("camkeep-tile[state=live]").first.wait_for()
    return [each.removeprefix(url) for each in asked if not each.startswith(("blob:", "data:"))]
