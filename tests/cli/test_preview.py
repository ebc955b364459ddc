"""`camkeep record --preview`: the picture in the browser while a terminal records it."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from camkeep.cameras.simulate import Simulator, SimulatorOptions
from support.command import run
from support.files import movie_of
from support.page import PATIENCE_MS, chromium, visiting
from support.rawrequest import ask
from support.terminal import Terminal

SMALL = SimulatorOptions(width=320, height=240, fps=20)
PICTURE = """() => {
  const canvas = document.querySelector("camkeep-live > canvas");
  const copy = document.createElement("canvas");
  [copy.width, copy.height] = [32, 24];
  const context = copy.getContext("2d");
  context.drawImage(canvas, 0, 0, 32, 24);
  return [...context.getImageData(0, 0, 32, 24).data].join();
}"""


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as found:
        yield found


@asynccontextmanager
async def recording(path: Path, *more: object) -> AsyncIterator[tuple[Terminal, str]]:
    """A recording of a simulated camera in a terminal, and the address of its preview."""
    async with Simulator("mjpeg", SMALL) as camera:
        words = ("-m", "camkeep", "record", camera.url, path, "--preview", "--no-open", *more)
        with Terminal(*words, columns=200) as terminal:
            await asyncio.to_thread(terminal.says, "q ends the recording")
            found = re.search(r"http://127\.0\.0\.1:\d+/[\w-]{32}/", terminal.shown)
            assert found, terminal.shown
            yield terminal, found[0]


async def test_the_picture_is_in_the_browser_and_q_ends_the_recording(
    browser: Browser, tmp_path: Path
) -> None:
    path = tmp_path / "birds.mp4"
    async with recording(path) as (terminal, url), visiting(browser, url) as seen:
        before = terminal.modes
        live = seen.page.locator("camkeep-preview:not([old], [ended])")
        await expect(live).to_be_visible(timeout=PATIENCE_MS)
        await expect(seen.page.locator(".state")).to_contain_text(
            re.compile(r"\d:\d\d[\d.]+ [kM]B")
        )
        first = await seen.page.evaluate(PICTURE)
        while await seen.page.evaluate(PICTURE) == first:
            await seen.page.wait_for_timeout(40)
        terminal.press("q")
        assert await asyncio.to_thread(terminal.done) == 0
        assert terminal.modes != before  # as it was set for keys
        await expect(seen.page.locator(".saying")).to_have_text(f"Saved: {path}")
        await expect(seen.page.get_by_role("button")).to_be_hidden()
        assert "birds.mp4" in terminal.words
    assert movie_of(path).whole


async def test_stop_on_the_page_ends_the_recording(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "birds.mp4"
    async with recording(path) as (terminal, url), visiting(browser, url) as seen:
        await expect(seen.page.locator("camkeep-preview:not([old])")).to_be_visible()
        await seen.page.get_by_role("button", name="Stop").click()
        assert await asyncio.to_thread(terminal.done) == 0
        await expect(seen.page.locator(".saying")).to_have_text(f"Saved: {path}")
    assert movie_of(path).whole


async def test_a_process_that_is_killed_is_missed(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "birds.mp4"
    async with recording(path) as (terminal, url), visiting(browser, url) as seen:
        await expect(seen.page.locator("camkeep-preview:not([old])")).to_be_visible()
        terminal.process.kill()
        await expect(seen.page.locator(".saying")).to_contain_text("has ended")
        await expect(seen.page.locator(".saying")).to_contain_text(str(path))


async def test_who_does_not_know_the_address_gets_nothing(tmp_path: Path) -> None:
    async with recording(tmp_path / "birds.mp4") as (terminal, url):
        _, _, place, token, _ = url.split("/")
        port = int(place.partition(":")[2])
        for path in ("/", "/x/", "/api/v1/cameras/x/live.mjpeg", f"/{token}"):
            assert (await ask(port, "GET", path)).status == 404
        page = await ask(port, "GET", f"/{token}/")
        assert page.status == 200
        assert "script-src 'self'" in page.headers["content-security-policy"]
        assert (await ask(port, "GET", f"/{token}/", host="evil.example")).status == 421
        for camera in ("x", token[:-1]):
            with pytest.raises(InvalidStatus):
                await connect(f"ws://{place}/api/v1/preview/{camera}")
        with pytest.raises(InvalidStatus, match="403"):
            await connect(f"ws://{place}/api/v1/preview/{token}", origin="http://evil.example")
        async with connect(f"ws://{place}/api/v1/preview/{token}") as told:
            while not (found := json.loads(await told.recv()))["bytes"]:
                pass
            assert found["file"] == str(tmp_path / "birds.mp4")
        terminal.press("q")
        assert await asyncio.to_thread(terminal.done) == 0


async def test_who_takes_nothing_harms_no_recording(tmp_path: Path) -> None:
    path = tmp_path / "birds.mp4"
    async with recording(path, "--frames", 60) as (terminal, url):
        _, _, place, token, _ = url.split("/")
        address = f"ws://{place}/api/v1/cameras/{token}/live"
        async with connect(address, max_queue=1, close_timeout=0.5):  # nobody reads
            assert await asyncio.to_thread(terminal.done) == 0
    assert "60 frames" in terminal.words
    assert "dropped" not in terminal.words


async def test_the_browser_is_opened_where_there_is_a_screen(tmp_path: Path) -> None:
    browser = tmp_path / "browser"
    browser.write_text(
        f'#!/bin/sh\necho "$1" > {tmp_path}/asked.part\nmv {tmp_path}/asked.part {tmp_path}/asked\n'
    )
    browser.chmod(0o755)
    for screen in (":0", ""):
        path = tmp_path / f"birds{screen[1:]}.mp4"
        async with Simulator("mjpeg", SMALL) as camera:
            done = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "camkeep", "record", camera.url, path),
                *("--frames", "10", "--preview"),
                env={**os.environ, "DISPLAY": screen, "WAYLAND_DISPLAY": "", "BROWSER": browser},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
            out, err = await done.communicate()
        assert done.returncode == 0, err.decode()
        asked = tmp_path / "asked"
        assert asked.exists() == bool(screen)
        if screen:
            assert asked.read_text().strip() in out.decode()
            asked.unlink()
        assert b"q ends" not in out  # there is no terminal
        assert movie_of(path).whole


async def test_without_the_extra_it_says_what_to_install(tmp_path: Path) -> None:
    done = await run("record", "testcard:", "birds.mp4", "--preview", cwd=tmp_path)
    assert done.code == 2
    assert "camkeep[server]" in done.err
    assert not (tmp_path / "birds.mp4").exists()
