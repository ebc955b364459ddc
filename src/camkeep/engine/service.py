"""All cameras of an archive, watched until somebody says stop.

Up: a heartbeat, each camera, then those who look after them; down in reverse. Cameras come, go
and change while the others go on. What runs beside them: the janitor, a heartbeat that says until
when this process was alive, a look whether the archive's disk is still there, and a clock tick for
schedules and rates.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import replace
from typing import Self

from camkeep.archive.check import Mismatch
from camkeep.archive.retention import Limits, Policy
from camkeep.archive.store import Archive
from camkeep.clock import Clock
from camkeep.engine.events import Bus, Kind
from camkeep.engine.janitor import Janitor
from camkeep.engine.supervisor import Supervisor
from camkeep.engine.tidings import Tidings
from camkeep.engine.wanted import Wanted
from camkeep.errors import CamkeepError, DiskAway, UsageError
from camkeep.model import CameraId

BEAT_S = 1.0
"""How exactly it is known when a process that was killed was last alive."""
GOLDEN = 0.618
"""Where in each turn the next camera ends its segments: never many at one time."""

log = logging.getLogger(__name__)


class Service:
    """Watches cameras. `async with` begins and ends it; `until_stopped` waits."""

    def __init__(
        self,
        archive: Archive,
        policy: Policy,
        clock: Clock,
        bus: Bus | None = None,
        on_change: Callable[[Supervisor], object] = lambda _: None,
        on_news: Callable[[str], object] = lambda _: None,
    ) -> None:
        """`policy` is that of all together; each camera may have limits of its own. `on_change`
        is called when something about a camera has changed, `on_news` is told what is wrong with
        the archive."""
        self.archive = archive
        self.bus = bus or Bus(clock)
        self.cameras: dict[CameraId, Supervisor] = {}
        self.mismatches: list[Mismatch] = []
        """What the check at the start found."""
        self.janitor = Janitor(archive, policy, clock, self._growing)
        self._policy = policy
        self._clock = clock
        self._on_change = on_change
        self._on_news = on_news
        self._tidings = Tidings(self.bus)
        self._tasks: list[asyncio.Task[None]] = []
        self._stopped = asyncio.Event()
        self._changing = asyncio.Lock()
        self._turn = 0
        self._others: dict[CameraId, Limits] = {}
        self._stack = AsyncExitStack()

    # its life

    async def __aenter__(self) -> Self:
        self._stack.push_async_callback(self._end_tasks)
        self._stack.push_async_callback(self.janitor.save)
        self._stack.push_async_callback(self._close_cameras)
        self._start(self._beat())
        self._start(self._watch_disk())
        self._start(self._check())
        self._start(self._tick())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._stopped.set()
        await self._stack.aclose()

    def stop(self) -> None:
        """End it: `until_stopped` returns."""
        self._stopped.set()

    async def until_stopped(self) -> None:
        """Wait until `stop`, or until a task fails that must not: then raises what it raised."""
        stopped = asyncio.create_task(self._stopped.wait())
        try:
            while not stopped.done():
                waiting = [stopped, *self._tasks]
                await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                for task in [task for task in self._tasks if task.done()]:
                    self._tasks.remove(task)
                    task.result()
        finally:
            stopped.cancel()

    def _start(self, work: Coroutine[None, None, None]) -> None:
        self._tasks.append(asyncio.create_task(work))

    async def _end_tasks(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _close_cameras(self) -> None:
        async with self._changing:
            closing = [camera.close() for camera in self.cameras.values()]
            for failure in await asyncio.gather(*closing, return_exceptions=True):
                if isinstance(failure, BaseException):
                    log.error("a camera could not be closed in order", exc_info=failure)

    # cameras

    async def begin(self, wanted: Sequence[Wanted]) -> None:
        """Watch the first cameras, and from then on delete what has to go. Raises UsageError or
        StorageError where one of them cannot be kept at all."""
        for each in wanted:
            await self.add(each)
        await self._apply_policy()
        self._start(self.janitor.run())

    async def add(self, wanted: Wanted) -> Supervisor:
        """Watch another camera. Raises UsageError or StorageError."""
        async with self._changing:
            if self._stopped.is_set():
                raise UsageError("camkeep is being stopped")
            opened = await self.archive.keep(
                wanted.name,
                str(wanted.source.address),
                camera_id=wanted.id,
                idle=wanted.at_rest(self._clock.wall()),
            )
            phase_s = wanted.options.segment_s * (self._turn * GOLDEN % 1)
            self._turn += 1
            wanted = replace(wanted, options=replace(wanted.options, phase_s=phase_s))
            camera = Supervisor(
                self.archive, opened, wanted, self._clock, self.janitor, self._changed
            )
            self.cameras[camera.camera.id] = camera
            camera.begin()
        await self._apply_policy()
        return camera

    async def change(self, camera_id: CameraId, wanted: Wanted) -> Supervisor:
        """Watch a camera in another way. Raises UsageError where it is not watched, or its name
        is taken; StorageError."""
        async with self._changing:
            camera = self.watched(camera_id)
            await camera.change(wanted)
        await self._apply_policy()
        return camera

    async def remove(self, camera_id: CameraId) -> None:
        """Watch it no more. What was recorded stays, within what is to be kept of all. Raises
        UsageError where it is not watched."""
        async with self._changing:
            camera = self.watched(camera_id)
            del self.cameras[camera_id]
            try:
                await camera.give_up()
            finally:
                await self.archive.let_go(camera_id)
                self._tidings.forget(camera_id)
        await self._apply_policy()

    def watched(self, camera_id: CameraId) -> Supervisor:
        """The camera of that id. Raises UsageError."""
        camera = self.cameras.get(camera_id)
        if camera is None:
            raise UsageError("there is no such camera")
        return camera

    @property
    def policy(self) -> Policy:
        """How much is kept of all cameras together."""
        return self._policy

    async def keep_within(self, policy: Policy) -> None:
        """Keep so much from now on."""
        self._policy = policy
        await self._apply_policy()

    async def limit(self, camera_id: CameraId, limits: Limits | None) -> None:
        """How much is kept of a camera that is not watched; None for nothing of its own."""
        if limits is not None:
            self._others[camera_id] = limits
        elif self._others.pop(camera_id, None) is None:
            return
        await self._apply_policy()

    async def _apply_policy(self) -> None:
        limits = {camera.camera.id: camera.wanted.limits for camera in self.cameras.values()}
        policy = replace(self._policy, cameras={**self._others, **limits})
        if policy != self.janitor.policy:
            self.janitor.policy = policy
            await self.archive.save_policy(policy)

    def _changed(self, camera: Supervisor) -> None:
        """Tell of it. Nothing hangs on that: not the recording of the camera, either."""
        try:
            self._tidings.of(camera)
            self._on_change(camera)
        except Exception:
            log.exception("a change of %s could not be told", camera.camera.name)

    def _growing(self) -> dict[CameraId, int]:
        return {camera.camera.id: camera.shelf.open_bytes for camera in self.cameras.values()}

    # beside the cameras

    def news(self, text: str) -> None:
        """Something is wrong with the archive, or well again."""
        self.bus.tell(Kind.STORAGE, text)
        self._on_news(text)

    async def _check(self) -> None:
        """Compare index and files, while recording goes on."""
        with suppress(CamkeepError, OSError):  # of the disk: the keepers tell of it
            self.mismatches = await self.archive.check()
        if self.mismatches:
            more = f", and {len(self.mismatches) - 1} more" if len(self.mismatches) > 1 else ""
            told = f"index and files do not agree: {self.mismatches[0].told}{more}"
            self.news(f"{told}; camkeep archive verify tells all")

    async def _tick(self) -> None:
        in_vain = False
        while True:
            await asyncio.sleep(1)
            for camera in list(self.cameras.values()):
                try:
                    camera.tick()
                except Exception:
                    log.exception("a fault of camkeep's own, of %s alone", camera.camera.name)
            if self.janitor.in_vain is not in_vain:
                in_vain = self.janitor.in_vain
                self.news(
                    "the disk stays full whatever is deleted: something else holds its space"
                    if in_vain
                    else "there is room on the disk again"
                )

    async def _beat(self) -> None:
        while True:
            await self.archive.beat()
            await asyncio.sleep(BEAT_S)

    async def _watch_disk(self) -> None:
        """Notice that the disk is gone also while files are open on it."""
        while True:
            await asyncio.sleep(2 * BEAT_S)
            try:
                await asyncio.wrap_future(self.archive.on_disk(lambda: None))
            except DiskAway as error:
                for camera in self.cameras.values():
                    camera.keeper.disk_away(error)
            except CamkeepError:
                pass
