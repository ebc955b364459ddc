"""The page can be put among the apps of a phone or a desk: asked of a real browser."""

from __future__ import annotations

import json
import re
from pathlib import Path
from struct import unpack

from playwright.async_api import async_playwright

from camkeep.server.web.pages import pages
from support.browser import FLAGS
from support.server import serving


async def test_a_browser_would_install_it(tmp_path: Path) -> None:
    async with serving(tmp_path / "a") as site, async_playwright() as playwright:
        # A window that keeps nothing installs nothing: this one has a profile.
        window = await playwright.chromium.launch_persistent_context(
            tmp_path / "profile", executable_path="/usr/bin/chromium", args=FLAGS.split()
        )
        page = window.pages[0]
        await page.goto(site.url)
        asked = await window.new_cdp_session(page)
        told = await asked.send("Page.getAppManifest")
        against = await asked.send("Page.getInstallabilityErrors")
        await window.close()
    assert told["errors"] == []
    assert told["url"] == f"{site.url}/ui/{pages().version}/manifest.webmanifest"
    manifest = told["manifest"]
    assert (manifest["startUrl"], manifest["scope"]) == (f"{site.url}/", f"{site.url}/")
    assert against["installabilityErrors"] == []


async def test_what_it_names_is_there_without_a_login(tmp_path: Path) -> None:
    async with serving(tmp_path / "a") as site:
        await site.user("anna")
        async with site.fresh() as nobody:
            page = (await nobody.get("/")).text
            named = re.search(r'rel="manifest" href="(/ui/\w+/)([\w.]+)"', page)
            assert named
            answer = await nobody.get(named[1] + named[2])
            assert answer.headers["content-type"] == "application/manifest+json"
            for icon in json.loads(answer.content)["icons"]:
                drawing = await nobody.get(named[1] + icon["src"])
                assert drawing.status_code == 200
                assert drawing.headers["content-type"] == icon["type"]


def test_the_marks_are_one() -> None:
    """Phones cut the full one to their own shape: nothing of it may be near the edge. The picture
    is for those that draw no SVG."""
    files = pages().files
    full = files["mark-full.svg"].decode()
    assert files["mark.svg"].decode().replace(' rx="8"', "") == full
    r, width = re.findall(r'<circle[^>]* r="([\d.]+)"[^>]* stroke-width="([\d.]+)"', full)[0]
    assert float(r) + float(width) / 2 <= 32 * 0.4
    picture = files["mark-full.png"]
    assert picture[:8] == b"\x89PNG\r\n\x1a\n"
    assert unpack(">II", picture[16:24]) == (180, 180)
