"""What people set up is what is watched: also after changes of other processes, and beside cameras
that cannot be watched."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from camkeep.archive.layout import CLIPS
from camkeep.archive.retention import Limits, Policy
from camkeep.archive.root import make_root
from camkeep.archive.store import Archive
from camkeep.cameras.simulate import Simulator, SimulatorOptions
from camkeep.cameras.testcard import read_number
from camkeep.clock import SystemClock
from camkeep.engine.events import Kind, Listener
from camkeep.engine.schedule import Mode
from camkeep.engine.service import Service
from camkeep.engine.supervisor import Supervisor
from camkeep.model import CameraId
from camkeep.server import caretaker as caretakers
from camkeep.server.camerabook import CameraBook
from camkeep.server.caretaker import Caretaker
from camkeep.server.database import Database
from camkeep.server.keeppolicy import write_policy
from camkeep.server.urlpolicy import UrlPolicy
from support.accounts import opened
from support.aftermath import Aftermath

CARD = "testcard:?size=160x128&fps=10"
SMALL = SimulatorOptions(width=160, height=128, fps=10)
ANYWHERE = UrlPolicy(loopback=True)
WITHIN_S = 5.0
"""A change is applied within a second or two; a machine that is busy may take a bit longer."""


@dataclass
class Site:
    """A service whose cameras are those of the settings, and another process's view of these."""

    folder: Path
    service: Service
    caretaker: Caretaker
    mine: CameraBook
    theirs: CameraBook
    """Over a connection of its own, as that of another process is."""
    events: Listener

    def watched(self) -> dict[str, Supervisor]:
        return {camera.camera.name: camera for camera in self.service.cameras.values()}

    async def until(self, condition: Callable[[], object], timeout_s: float = WITHIN_S) -> float:
        """Wait until it holds; how long that took."""
        began = time.monotonic()
        async with asyncio.timeout(timeout_s):
            while not condition():
                await asyncio.sleep(0.02)
        return time.monotonic() - began


@asynccontextmanager
async def running(
    folder: Path, policy: UrlPolicy = ANYWHERE, *, looking: bool = True
) -> AsyncIterator[Site]:
    """A service with a caretaker; `looking` at what others change."""
    clock = SystemClock()
    archive = Archive.open(make_root(folder), clock)
    database, other = opened(folder), opened(folder)
    try:
        async with Service(archive, Policy(), clock) as service:
            book = CameraBook(database, clock, policy)
            caretaker = Caretaker(service, book, database)
            theirs = CameraBook(other, clock, ANYWHERE)
            events = service.bus.listen()
            await caretaker.sync()
            await service.begin([])
            task = asyncio.create_task(caretaker.run() if looking else asyncio.sleep(3600))
            try:
                yield Site(folder, service, caretaker, book, theirs, events)
                assert not task.done()
            finally:
                task.cancel()
                await asyncio.wait([task])
    finally:
        database.close()
        other.close()
        archive.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "cams"


def values(name: str, **more: object) -> dict[str, object]:
    return {"name": name, "address": CARD, **more}


async def test_what_another_process_changes_is_applied_in_a_moment(folder: Path) -> None:
    async with running(folder) as site:
        added = await site.theirs.add(values("garage", mode="asked", pre_roll_s=0))
        await site.until(lambda: "garage" in site.watched())
        camera = site.watched()["garage"]
        assert camera.wanted.mode is Mode.ASKED
        assert not camera.keeper.recording
        await site.theirs.change(added.id, {"name": "barn", "mode": "always", "segment_s": 7})
        await site.until(lambda: "barn" in site.watched())
        assert site.watched()["barn"] is camera
        assert camera.wanted.options.segment_s == 7
        await site.until(lambda: camera.recording)
        await site.theirs.remove(added.id)
        await site.until(lambda: not site.watched())
        told: list[str] = []
        while len(told) < 3:
            told += [e.told for e in await site.events.take() if e.kind is Kind.SETTINGS]
        assert told == ["it is watched", "its settings were changed", "it is not watched any more"]


async def test_a_command_in_another_process_is_heard(folder: Path) -> None:
    async with running(folder) as site:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "camkeep", "camera", "add", "garage", CARD),
            *("--data", str(folder)),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await process.communicate()
        assert process.returncode == 0, said.decode()
        await site.until(lambda: "garage" in site.watched())
        await site.until(lambda: site.watched()["garage"].recording)


async def test_a_name_or_a_schedule_costs_no_frame_and_no_connection(folder: Path) -> None:
    async with Simulator("mjpeg", SMALL) as camera, running(folder) as site:
        added = await site.theirs.add(values("garage", address=camera.url, segment_s=5))
        await site.until(lambda: camera.sent)
        heard: list[str] = []

        def changes() -> int:
            heard.extend(e.told for e in site.events.take_now() if e.kind is Kind.SETTINGS)
            return heard.count("its settings were changed")

        for number, change in enumerate(
            (
                {"name": "barn"},
                {"schedule": ["daily 00:00-00:00"], "mode": "schedule"},
                {"max_age_s": 86400.0},
                {"flush_s": 2, "pre_roll_s": 3},
            )
        ):
            await site.theirs.change(added.id, change)
            await site.until(lambda number=number: changes() == number + 1)
            sent = len(camera.sent)
            await site.until(lambda sent=sent: len(camera.sent) > sent + 5)
        assert {sent.viewer for sent in camera.sent} == {1}  # one connection, all the time
        sent_numbers = [sent.number for sent in camera.sent]
    after = Aftermath(folder)
    known = after.camera("barn")
    assert known is not None
    kept = after.numbers(known, read_number)
    assert kept == list(range(kept[0], kept[-1] + 1))
    assert kept[0] == sent_numbers[0]
    assert after.complaints() == []


async def test_cameras_may_take_each_others_names(folder: Path) -> None:
    async with running(folder, looking=False) as site:
        cameras = [await site.theirs.add(values(name)) for name in ("left", "right", "middle")]
        await site.caretaker.sync()
        before = {camera.camera.id: camera for camera in site.watched().values()}
        for camera, name in zip(cameras, ("x", "y", "z"), strict=True):
            await site.theirs.change(camera.id, {"name": name})
        for camera, name in zip(cameras, ("RIGHT", "middle", "left"), strict=True):
            await site.theirs.change(camera.id, {"name": name})
        await site.caretaker.sync()
        assert not site.caretaker.failed
        names = {camera.id: site.service.cameras[camera.id].camera.name for camera in cameras}
        assert list(names.values()) == ["RIGHT", "middle", "left"]
        assert before == dict(site.service.cameras)


async def test_a_camera_of_the_name_of_a_removed_one(folder: Path) -> None:
    async with running(folder, looking=False) as site:
        first = await site.theirs.add(values("garage"))
        await site.caretaker.sync()
        await site.theirs.remove(first.id)
        second = await site.theirs.add(values("garage"))
        await site.caretaker.sync()
        assert list(site.service.cameras) == [second.id]
        assert not site.caretaker.failed


async def test_one_that_cannot_be_watched_holds_up_no_other(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may not be where it is: the operator took that back."""
    monkeypatch.setattr(caretakers, "AGAIN_LOOKS", 2)
    make_root(folder)
    database = opened(folder)
    book = CameraBook(database, SystemClock(), ANYWHERE)
    forbidden = book.now.add(values("a forbidden", address="rtsp://127.0.0.1/x", max_age_s=3600.0))
    allowed = book.now.add(values("b allowed"))
    database.close()
    async with running(folder, UrlPolicy()) as site:
        assert list(site.service.cameras) == [allowed.id]
        assert "allow_loopback_cameras" in site.caretaker.failed[forbidden.id]
        await site.until(lambda: site.watched()["b allowed"].recording)
        limits = site.service.janitor.policy.cameras
        assert limits[forbidden.id] == Limits(None, 3600.0)  # what it recorded stays as long
        told = [event for event in site.events.take_now() if event.camera == forbidden.id]
        assert [event.kind for event in told] == [Kind.SETTINGS]
        await asyncio.sleep(3 * caretakers.LOOK_S)  # it is tried again, and not told of again
        assert not [e for e in site.events.take_now() if e.camera == forbidden.id]
        site.mine.policy = ANYWHERE  # as if the operator had allowed it
        await site.until(lambda: forbidden.id in site.service.cameras)
        assert not site.caretaker.failed
        assert site.service.janitor.policy.cameras[forbidden.id] == Limits(None, 3600.0)


async def test_what_was_refused_and_taken_back_is_no_failure_any_more(folder: Path) -> None:
    async with running(folder, UrlPolicy(), looking=False) as site:
        camera = await site.theirs.add(values("garage"))
        await site.caretaker.sync()
        await site.theirs.change(camera.id, {"address": "rtsp://127.0.0.1/x"})
        await site.caretaker.sync()
        assert camera.id in site.caretaker.failed
        assert camera.id in site.service.cameras  # it goes on as before
        await site.theirs.change(camera.id, {"address": CARD})
        await site.caretaker.sync()
        assert not site.caretaker.failed
        await site.theirs.change(camera.id, {"address": "rtsp://127.0.0.1/x"})
        await site.caretaker.sync()
        await site.theirs.remove(camera.id)
        await site.caretaker.sync()
        assert not site.caretaker.failed
        assert not site.service.cameras


async def test_a_fault_of_ours_costs_one_camera(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    real = caretakers.applied

    def failing(settings, *rest):  # type: ignore[no-untyped-def]
        if settings.name == "a":
            raise ZeroDivisionError
        return real(settings, *rest)

    monkeypatch.setattr(caretakers, "applied", failing)
    async with running(folder, looking=False) as site:
        broken = await site.theirs.add(values("a"))
        other = await site.theirs.add(values("b"))
        await site.caretaker.sync()
        assert list(site.service.cameras) == [other.id]
        assert "ZeroDivisionError" in site.caretaker.failed[broken.id]
    assert "unforeseen" in caplog.text


async def test_limits_are_kept_through_all_of_it(folder: Path) -> None:
    async with running(folder, looking=False) as site:
        policies = site.service.janitor

        def limits_of(camera: CameraId) -> Limits | None:
            return policies.policy.cameras.get(camera)

        camera = await site.theirs.add(values("garage", max_bytes=10_000_000))
        await site.caretaker.sync()
        assert limits_of(camera.id) == Limits(10_000_000, None)
        await site.theirs.change(camera.id, {"max_bytes": None, "max_age_s": 7200.0})
        await site.caretaker.sync()
        assert limits_of(camera.id) == Limits(None, 7200.0)
        await site.theirs.remove(camera.id)
        await site.caretaker.sync()
        assert limits_of(camera.id) is None


async def test_settings_that_cannot_be_read_for_a_while_stop_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process may hold them for longer than is waited for."""
    async with running(folder) as site:
        await site.theirs.add(values("garage"))
        await site.until(lambda: "garage" in site.watched())
        real, failures = Database.run, 0

        async def failing(self: Database, job: object, *, reads: bool = False) -> object:
            nonlocal failures
            if failures < 2:
                failures += 1
                raise caretakers.CamkeepError("the settings are busy")
            return await real(self, job, reads=reads)  # type: ignore[arg-type]

        monkeypatch.setattr(Database, "run", failing)
        await site.until(lambda: failures == 2)
        await site.theirs.add(values("barn"))
        await site.until(lambda: "barn" in site.watched())


async def test_how_much_is_kept_is_what_was_set_last_and_else_what_the_file_says(
    folder: Path,
) -> None:
    async with running(folder) as site:
        usual, wanted = site.service.policy, Policy(Limits(10**12), 10**9)
        other = opened(folder)
        await other.run(lambda connection: write_policy(connection, wanted))
        await site.until(lambda: site.service.policy == wanted)
        await other.run(lambda connection: write_policy(connection, None))
        await site.until(lambda: site.service.policy == usual)
        assert site.service.janitor.policy == usual
        other.close()


async def test_a_clip_that_cannot_be_ended_holds_up_nothing_else(folder: Path) -> None:
    """One camera is removed while its clip cannot be written; others are set up all the same."""
    async with running(folder, looking=False) as site:
        first = await site.theirs.add(values("a", mode="asked"))
        await site.caretaker.sync()
        await site.watched()["a"].record("a fox")
        (folder / CLIPS).rename(folder / "elsewhere")
        (folder / CLIPS).touch()  # nothing can be written there, not by root either
        await site.theirs.remove(first.id)
        second = await site.theirs.add(values("b"))
        await site.caretaker.sync()
        assert list(site.service.cameras) == [second.id]
        (folder / CLIPS).unlink()
        (folder / "elsewhere").rename(folder / CLIPS)


async def test_what_was_done_in_part_is_taken_back(folder: Path) -> None:
    """Switched off on a disk that takes no end of its clip, and on again before it is mended."""
    async with running(folder, looking=False) as site:
        camera = await site.theirs.add(values("a", mode="always"))
        await site.caretaker.sync()
        await site.watched()["a"].record("a fox")
        (folder / CLIPS).rename(folder / "elsewhere")
        (folder / CLIPS).touch()
        await site.theirs.change(camera.id, {"mode": "off"})
        await site.caretaker.sync()
        assert camera.id in site.caretaker.failed
        await site.theirs.change(camera.id, {"mode": "always"})
        await site.caretaker.sync()
        assert not site.caretaker.failed
        assert site.watched()["a"].wanted.mode is Mode.ALWAYS
        await site.until(lambda: site.watched()["a"].recording)
        (folder / CLIPS).unlink()
        (folder / "elsewhere").rename(folder / CLIPS)


async def test_a_change_that_was_cut_short_is_done_later(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A fault that nobody foresaw, or whoever asked for it going away, costs a second."""
    async with running(folder) as site:
        real, failures = Service.keep_within, 0

        async def failing(self: Service, policy: Policy) -> None:
            nonlocal failures
            if failures < 2:
                failures += 1
                raise ZeroDivisionError
            await real(self, policy)

        monkeypatch.setattr(Service, "keep_within", failing)
        await site.mine.add(values("garage"))
        with pytest.raises(ZeroDivisionError):
            await site.caretaker.sync()
        await site.until(lambda: "garage" in site.watched())
        assert failures == 2
    assert "unforeseen" in caplog.text
