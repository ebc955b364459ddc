"""``camkeep serve`` as a process of its own: cameras that reboot, freeze and are half open (rows
F11 and F12), its end (F18), and what is there after the next start."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import time
from contextlib import AsyncExitStack, ExitStack
from itertools import pairwise
from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from camkeep.cameras.simulate import Simulator, SimulatorOptions
from camkeep.cameras.testcard import read_number
from camkeep.clock import SystemClock
from camkeep.model import Cause
from support.aftermath import Aftermath
from support.keepprocess import sent_by
from support.proxy import proxy
from support.serveprocess import Served, serving, setup, simulating, start_serving

SMALL = SimulatorOptions(width=320, height=240, fps=20)
LARGE = SimulatorOptions(width=960, height=544, fps=20)
AWAY_S = 7.0
BACK_WITHIN_S = 3.0
NOTICED_WITHIN_S = 10.0
ENDS_WITHIN_S = 5.0
ON_THE_WAY_S = 0.25
"""A picture that was sent so long ago has arrived, also on a machine that is busy."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "cams"


def kept_of(after: Aftermath, name: str) -> list[int]:
    known = after.camera(name)
    assert known is not None, name
    return after.numbers(known, read_number)


def assert_nothing_lost(after: Aftermath, name: str, camera: Simulator, until_s: float) -> None:
    """From the first picture that it sent up to `until_s`, every one is kept."""
    sent = sent_by(camera)
    first = min(sent.at)
    owed = sent.between(sent.at[first], until_s - ON_THE_WAY_S)
    kept = kept_of(after, name)
    assert kept[: len(owed)] == owed, f"{name} lost {sorted(set(owed) - set(kept))}"
    assert kept == list(range(kept[0], kept[-1] + 1))


async def test_a_camera_that_reboots(folder: Path) -> None:
    """F11."""
    async with AsyncExitStack() as stack:
        other = await stack.enter_async_context(Simulator("mjpeg", SMALL))
        async with Simulator("mjpeg", SMALL) as camera:
            port = camera.port
            setup(folder, {"reboots": camera.url, "other": other.url})
            served = await stack.enter_async_context(serving(folder))
            await served.until_recording("reboots", "other")
            await asyncio.sleep(1)
        await served.until("reboots", "waiting")
        await asyncio.sleep(AWAY_S)
        again = await stack.enter_async_context(Simulator("mjpeg", SMALL, port=port))
        answers_s = time.monotonic()
        await served.until_recording("reboots")
        await asyncio.sleep(1)
        end_s = time.monotonic()
        await served.stop()
        complaints = served.complaints()
    assert complaints == []
    after = Aftermath(folder)
    kept = kept_of(after, "reboots")
    reset = next(n for n, (one, next_) in enumerate(pairwise(kept)) if next_ < one) + 1
    back = kept[reset:]
    assert sent_by(again).at[back[0]] - answers_s <= BACK_WITHIN_S
    assert back == list(range(back[0], back[-1] + 1))
    assert_nothing_lost(after, "other", other, end_s)
    assert after.complaints() + after.unexplained(SystemClock().wall()) == []


async def test_a_camera_that_is_half_open_and_one_that_froze(folder: Path) -> None:
    """F12."""
    async with AsyncExitStack() as stack:
        behind = await stack.enter_async_context(Simulator("mjpeg", SMALL))
        between = await stack.enter_async_context(proxy(behind.port))
        frozen, frozen_url = await stack.enter_async_context(simulating())
        other = await stack.enter_async_context(Simulator("easyn", SMALL))
        half_open = behind.url.replace(str(behind.port), str(between.port))
        setup(folder, {"half": half_open, "frozen": frozen_url, "other": other.url})
        served = await stack.enter_async_context(serving(folder))
        await served.until_recording("half", "frozen", "other")
        await asyncio.sleep(1)
        between.stall()
        frozen.send_signal(signal.SIGSTOP)
        since_s = time.monotonic()
        noticed_s = await asyncio.gather(
            served.until("half", "waiting"), served.until("frozen", "waiting")
        )
        assert max(noticed_s) - since_s <= NOTICED_WITHIN_S
        between.resume()
        frozen.send_signal(signal.SIGCONT)
        await served.until_recording("half", "frozen")
        end_s = time.monotonic()
        await served.stop()
        assert served.complaints() == []
    after = Aftermath(folder)
    for name in ("half", "frozen"):
        known = after.camera(name)
        assert known is not None
        causes = [gap.cause for gap in after.gaps(known) if gap.end > gap.start]
        assert Cause.STALLED in causes
    assert_nothing_lost(after, "other", other, end_s)
    assert after.complaints() + after.unexplained(SystemClock().wall()) == []


async def make_clip(served: Served, name: str, seconds: float) -> str:
    """Record a clip by the API; its id."""
    camera = (await served.cameras())[name]["id"]
    path = f"/api/v1/cameras/{camera}/recording"
    clip: str = (await served.post(path, {"record": True, "name": "a fox"}))["clip"]["id"]
    await asyncio.sleep(seconds)
    await served.post(path, {"record": False})
    return clip


class Guests:
    """Those who look on while the service ends: none of them is in a hurry."""

    def __init__(self, served: Served) -> None:
        self._served = served
        self._stack = AsyncExitStack()
        self._sockets = self._stack.enter_context(ExitStack())
        self._watching: list[asyncio.Task[bool]] = []

    async def __aenter__(self) -> Guests:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def socket(self, camera: str) -> None:
        """One who watches, and reads everything."""
        url = f"{self._served.url.replace('http', 'ws')}/api/v1/cameras/{camera}/live"
        opened = await self._stack.enter_async_context(connect(url, max_size=None))
        assert await opened.recv()

        async def watch() -> bool:
            try:
                async for _ in opened:
                    pass
            except ConnectionClosed:
                return False
            return True

        self._watching.append(asyncio.create_task(watch()))

    def paused(self, path: str) -> None:
        """One who asks, reads a little, and then nothing more."""
        peer = socket.socket()
        self._sockets.callback(peer.close)
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        peer.settimeout(10)
        peer.connect(("127.0.0.1", self._served.port))
        peer.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{self._served.port}\r\n\r\n".encode())
        assert b" 200 " in peer.recv(1024)

    async def told(self) -> list[bool]:
        """Whether those who watched were let go in order."""
        return await asyncio.wait_for(asyncio.gather(*self._watching), 10)


async def invite(served: Served, guests: Guests, clip: str) -> None:
    camera = (await served.cameras())["large"]["id"]
    for _ in range(3):
        await guests.socket(camera)
    guests.paused(f"/api/v1/clips/{clip}/video.mp4")
    guests.paused("/api/v1/events/stream")
    paths = (await served.get("/api/v1/openapi.json"))["paths"]
    for kind in ("live.mp4", "live.mjpeg"):
        if f"/api/v1/cameras/{{camera_id}}/{kind}" in paths:
            guests.paused(f"/api/v1/cameras/{camera}/{kind}")


async def test_sigterm_ends_it_in_seconds_with_viewers_and_loses_nothing(folder: Path) -> None:
    """F18."""
    async with Simulator("mjpeg", LARGE) as large, Simulator("mjpeg", SMALL) as small:
        setup(folder, {"large": large.url, "small": small.url}, segment_s=5)
        ends: list[float] = []
        for life_s in (1.0, 0.3, 2.2):
            served = await start_serving(folder)
            await served.until_recording("large", "small")
            clip = await make_clip(served, "large", 2)
            async with Guests(served) as guests:
                await invite(served, guests, clip)
                await asyncio.sleep(life_s)
                ends.append(time.monotonic())
                took_s = await served.stop()
                assert took_s <= ENDS_WITHIN_S
                assert await guests.told() == [True] * 3
            assert served.complaints() == []
    after = Aftermath(folder)
    for name, camera in (("large", large), ("small", small)):
        kept = kept_of(after, name)
        assert kept == sorted(set(kept))
        by_viewer: dict[int, list[tuple[int, float]]] = {}
        for sent in camera.sent:
            by_viewer.setdefault(sent.viewer, []).append((sent.number, sent.mono_ns / 1e9))
        assert len(by_viewer) == len(ends)  # one connection in each life
        for (_, frames), end_s in zip(sorted(by_viewer.items()), ends, strict=True):
            owed = {number for number, at in frames if at <= end_s - ON_THE_WAY_S}
            assert owed <= set(kept), f"{name} lost {sorted(owed - set(kept))}"
    assert after.complaints() + after.unexplained(SystemClock().wall()) == []


async def test_a_second_sigterm_ends_it_at_once(folder: Path) -> None:
    """F18. What a person who is in a hurry costs is no more than what a crash does."""
    async with Simulator("mjpeg", LARGE) as large:
        setup(folder, {"large": large.url}, segment_s=5)
        served = await start_serving(folder)
        await served.until_recording("large")
        clip = await make_clip(served, "large", 2)
        async with Guests(served) as guests:
            for _ in range(4):  # they keep it from ending for a moment
                guests.paused(f"/api/v1/clips/{clip}/video.mp4")
            os.kill(served.pid, signal.SIGSTOP)  # both are waiting for it when it goes on
            served.send(signal.SIGTERM)
            os.kill(served.pid, signal.SIGCONT)
            while not any('"ending"' in line for line in served.log):
                await asyncio.sleep(0.01)
            at = served.send(signal.SIGTERM)
            code = await served.ended()
            assert code in (-signal.SIGTERM, 0)
            assert time.monotonic() - at <= 1
        async with serving(folder) as served:
            await served.until_recording("large")
            assert [each["id"] for each in (await served.get("/api/v1/clips"))["clips"]] == [clip]
    after = Aftermath(folder)
    assert after.complaints() + after.unexplained(SystemClock().wall()) == []


async def test_everything_is_there_after_the_next_start(folder: Path) -> None:
    async with Simulator("mjpeg", SMALL) as camera:
        setup(folder, {"garage": camera.url})
        async with serving(folder) as served:
            await served.until_recording("garage")
            garage = (await served.cameras())["garage"]
            clip = await make_clip(served, "garage", 1)
            added = await served.post(
                "/api/v1/cameras",
                {"name": "yard", "address": "testcard:?size=160x128&fps=5", "mode": "asked"},
            )
            changed = await served.client.patch(
                f"{served.url}/api/v1/cameras/{garage['id']}", json={"name": "barn"}
            )
            assert changed.status_code == 200
            before = {name: each["settings"] for name, each in (await served.cameras()).items()}
            clips = await served.get("/api/v1/clips")
            events = await served.get("/api/v1/events")
        assert list(before) == ["barn", "yard"]
        assert [each["id"] for each in clips["clips"]] == [clip]
        async with serving(folder) as served:
            again = {name: each["settings"] for name, each in (await served.cameras()).items()}
            assert again == before
            assert again["yard"]["id"] == added["id"]
            await served.until_recording("barn")
            assert (await served.cameras())["yard"]["mode"] == "asked"
            assert await served.get("/api/v1/clips") == clips
            later = {event["id"] for event in (await served.get("/api/v1/events"))["events"]}
            assert {event["id"] for event in events["events"]} <= later
            movie = await served.client.get(f"{served.url}/api/v1/clips/{clip}/video.mp4")
            assert movie.status_code == 200
            assert movie.content[4:8] == b"ftyp"
    after = Aftermath(folder)
    assert kept_of(after, "barn") == sorted(kept_of(after, "barn"))
    assert after.complaints() == []
