"""One camera's worst day: whatever it does, every other camera keeps every frame."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from camkeep.archive.retention import Policy
from camkeep.archive.root import make_root
from camkeep.archive.store import Archive
from camkeep.cameras.address import parse_address
from camkeep.cameras.simulate import Simulator, SimulatorOptions
from camkeep.cameras.source import SourceOptions
from camkeep.cameras.testcard import read_number
from camkeep.clock import SystemClock
from camkeep.engine import sessions
from camkeep.engine.events import Kind
from camkeep.engine.keeper import KeepOptions
from camkeep.engine.service import Service
from camkeep.engine.sources import make_source
from camkeep.engine.wanted import Wanted
from support.aftermath import Aftermath
from support.badcamera import MOODS, bad_camera
from support.keepprocess import sent_by

SMALL = SimulatorOptions(width=320, height=240, fps=20)
DAY_S = 12.0
ON_THE_WAY_S = 0.25


def wanted(name: str, url: str, stall_s: float = 8.0) -> Wanted:
    address, login = parse_address(url)
    options = SourceOptions(credentials=login, connect_timeout_s=stall_s, stall_s=stall_s)
    return Wanted(name, make_source(address, options), KeepOptions(segment_s=5))


async def test_one_cameras_worst_day(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    # a day in some seconds: it is tried again at once, whatever happened
    for name in ("FIRST_WAIT_S", "LONGEST_WAIT_S", "KNOCK_S", "PERSON_WAIT_S"):
        monkeypatch.setattr(sessions, name, 0.05)
    folder, clock = tmp_path / "cams", SystemClock()
    async with AsyncExitStack() as stack:
        good = [await stack.enter_async_context(Simulator("mjpeg", SMALL)) for _ in range(4)]
        bad = [await stack.enter_async_context(bad_camera(seed)) for seed in range(2)]
        archive = Archive.open(make_root(folder), clock)
        stack.callback(archive.close)
        service = await stack.enter_async_context(Service(archive, Policy(), clock))
        events = service.bus.listen()
        await service.begin([wanted(f"good{n}", each.url) for n, each in enumerate(good)])
        worst = await service.add(wanted("worst", bad[0].url, stall_s=0.5))
        await service.add(wanted("rtsp", bad[1].rtsp_url, stall_s=0.5))
        viewer = worst.main.watch()
        shown = 0
        until_s = time.monotonic() + DAY_S
        while time.monotonic() < until_s or min(bad[0].met[m.__name__] for m in MOODS) < 2:
            shown += len(await asyncio.wait_for(viewer.take(), 30))
        viewer.close()
        end_s = time.monotonic()
        told = events.take_now()
        health = worst.health()
    assert all(bad[0].met[mood.__name__] >= 2 for mood in MOODS), bad[0].met
    assert sum(bad[1].met.values()) > len(MOODS)
    assert shown > 100  # what could be seen of it was shown
    assert health.reconnects > 5
    assert "unforeseen" not in caplog.text
    states = [e for e in told if e.kind is Kind.STATE and e.camera == worst.camera.id]
    assert all(event.told for event in states)
    after = Aftermath(folder)
    for number, camera in enumerate(good):
        known = after.camera(f"good{number}")
        assert known is not None
        assert {sent.viewer for sent in camera.sent} == {1}
        sent = sent_by(camera)
        owed = sent.between(0, end_s - ON_THE_WAY_S)
        kept = after.numbers(known, read_number)
        assert kept[: len(owed)] == owed, sorted(set(owed) - set(kept))
        assert kept == list(range(kept[0], kept[-1] + 1))
    assert after.complaints() + after.unexplained(clock.wall()) == []
