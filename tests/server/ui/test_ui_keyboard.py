"""The page by keyboard alone: all that can be pressed is reached, and one sees where one is."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Error, Page, expect

from support.accounts import PASSWORD
from support.page import PATIENCE_MS, Seen, chromium
from support.scenes import SCENES, Scene, Stage, staged

pytestmark = pytest.mark.timeout(300)
EVERYWHERE = (
    *("login", "first-run", "wall-4", "camera", "then-gap", "clips", "clip", "cameras", "keys"),
    *("camera-edit", "camera-add", "system", "system-people", "account"),
)
MOST_TABS = 150

REMEMBER = """() => {
  window.reached = new Set();
  addEventListener("focusin", (event) => window.reached.add(event.target), true);
  window.reached.add(document.activeElement);
}"""
WHERE = """() => {
  const at = document.activeElement;
  const {outlineStyle, outlineWidth, boxShadow} = getComputedStyle(at);
  const box = at.getBoundingClientRect();
  return {
    body: at === document.body,
    name: `${at.localName}.${at.className}: ${at.ariaLabel ?? at.textContent.slice(0, 40)}`,
    marked: (outlineStyle !== "none" && parseFloat(outlineWidth) >= 1) || boxShadow !== "none",
    seen: box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth,
  };
}"""
MISSED = """() => {
  const reached = [...window.reached].filter((each) => each?.isConnected);
  const top = document.querySelector("dialog[open]") ?? document;
  const pressed = "a[href], button, input, select, textarea, summary, [tabindex='0']";
  return [...top.querySelectorAll(pressed)]
    .filter((each) => each.checkVisibility({visibilityProperty: true})
      && !each.disabled && !each.closest("[inert]") && each.tabIndex >= 0)
    .filter((each) => !reached.includes(each)
      && !(each.type === "radio" && reached.some((other) => other.name === each.name)))
    .map((each) => `${each.localName}.${each.className}: ${each.ariaLabel ?? each.textContent}`);
}"""


async def walked(seen: Seen, scene: Scene) -> list[str]:
    """What is wrong when somebody goes through a scene with Tab."""
    page = seen.page
    found = []
    await page.evaluate(REMEMBER)
    rounds = 0
    for _ in range(MOST_TABS):
        await page.keyboard.press("Tab")
        at = await page.evaluate(WHERE)
        if at["body"]:  # all through, and from the beginning again: one began in the middle
            rounds += 1
            if rounds == 2:
                break
            continue
        if not at["marked"]:
            found.append(f"{scene.name}: one does not see the focus on {at['name']}")
        if not at["seen"]:
            found.append(f"{scene.name}: out of sight with the focus: {at['name']}")
        if scene.name == "keys":
            break  # a dialog keeps the focus
    else:
        found.append(f"{scene.name}: no end of it at {at['name']}")
    missed = await page.evaluate(MISSED)
    return found + [f"{scene.name}: not reached: {each}" for each in missed]


async def test_all_that_can_be_pressed_is_reached(tmp_path: Path) -> None:
    found = []
    async with chromium() as browser, staged(browser, tmp_path) as stage:
        for scene in [each for each in SCENES if each.name in EVERYWHERE]:
            window = {"width": 1280, "height": 800}
            try:
                async with stage.scene(scene, viewport=window, reduced_motion="reduce") as seen:
                    found += await walked(seen, scene)
            except (AssertionError, Error) as error:  # and what is wrong with the others
                found.append(f"{scene.name}: {error}")
    assert found == [], "\n".join(dict.fromkeys(found))


async def test_a_day_without_a_mouse(tmp_path: Path) -> None:
    """Log in, look at a camera, record, stop, go back, read the keys, go elsewhere."""
    async with (
        chromium() as browser,
        staged(browser, tmp_path) as stage,
        stage.scene(_named("login")) as seen,
    ):
        await _day(seen.page, stage)


def _named(name: str) -> Scene:
    (scene,) = [each for each in SCENES if each.name == name]
    return scene


async def _day(page: Page, stage: Stage) -> None:
    await page.keyboard.type("ben")
    await page.keyboard.press("Tab")
    await page.keyboard.type(PASSWORD)
    await page.keyboard.press("Enter")
    await expect(page.locator("camkeep-tile")).to_have_count(4, timeout=PATIENCE_MS)
    await _tab_to(page, "Show Street alone")
    await page.keyboard.press("Enter")
    tile = page.locator("camkeep-tile[large]")
    await expect(tile).to_have_attribute("state", "live", timeout=PATIENCE_MS)
    await page.keyboard.press("r")
    await expect(tile).to_have_attribute("recording", "")
    await page.keyboard.press("r")
    await expect(tile).not_to_have_attribute("recording", "")
    await page.keyboard.press("Escape")
    await expect(tile).to_have_count(0)
    await page.keyboard.press("3")
    await expect(tile.get_by_role("heading")).to_have_text("Garden")
    await page.keyboard.press("Escape")
    await page.keyboard.press("?")
    await expect(page.get_by_role("dialog")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await _tab_to(page, "Clips")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Clips")
    served = stage.house.served
    clips = (await served.get("/api/v1/clips"))["clips"]
    assert [each["end_us"] is None for each in clips if "Street" in each["name"]] == [False]


async def _tab_to(page: Page, name: str) -> None:
    """Until the focus is on what is called so."""
    for _ in range(MOST_TABS):
        await page.keyboard.press("Tab")
        at = await page.evaluate(
            "[document.activeElement.ariaLabel, document.activeElement.textContent.trim()]"
        )
        if name in at:
            return
    raise AssertionError(f"{name} is not reached")
