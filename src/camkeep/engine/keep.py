"""All cameras of an archive, kept until somebody says stop.

Up: the archive, then each camera, then those who look after them; down in reverse. What runs
beside the cameras: the janitor, a heartbeat that says until when this process was alive, and a
look whether the archive's disk is still there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import replace

from camkeep.archive.check import Mismatch
from camkeep.archive.retention import Policy
from camkeep.archive.store import Archive
from camkeep.clock import Clock
from camkeep.engine.janitor import Janitor
from camkeep.engine.kept import Kept, Wanted
from camkeep.errors import CamkeepError, DiskAway
from camkeep.model import CameraId

BEAT_S = 1.0
"""How exactly it is known when a process that was killed was last alive."""


class Keeping:
    """Keeps cameras. `run` it once; `stop` ends it in good order."""

    def __init__(
        self,
        archive: Archive,
        wanted: Sequence[Wanted],
        policy: Policy,
        clock: Clock,
        on_change: Callable[[Kept], object] = lambda _: None,
        on_news: Callable[[str], object] = lambda _: None,
    ) -> None:
        """`policy` is that of all together; each camera may have limits of its own. `on_change`
        is called when something about a camera has changed, `on_news` is told what is wrong with
        the archive."""
        self.cameras: list[Kept] = []
        self.mismatches: list[Mismatch] = []
        """What the check at the start found."""
        self._archive = archive
        self._wanted = wanted
        self._clock = clock
        self._on_change = on_change
        self._on_news = on_news
        self._stopped = asyncio.Event()
        self.janitor = Janitor(archive, policy, clock, self._growing)
        self._policy = policy

    def stop(self) -> None:
        """End it: `run` seals what is open and returns."""
        self._stopped.set()

    async def run(self) -> None:
        """Keep the cameras until `stop`, or until a task fails that must not. Raises UsageError
        or StorageError where a camera cannot be kept at all."""
        async with AsyncExitStack() as stack:
            tasks: list[asyncio.Task[None]] = []
            stack.push_async_callback(self.janitor.save)
            stack.push_async_callback(_cancel, tasks)
            tasks.append(asyncio.create_task(self._beat()))
            for number, wanted in enumerate(self._wanted):
                kept = await self._open(wanted, number)
                self.cameras.append(kept)
                stack.push_async_callback(kept.close)
                session = asyncio.create_task(kept.run())
                stack.push_async_callback(_cancel, [session])
                tasks.append(session)
            limits = {kept.camera.id: kept.limits for kept in self.cameras}
            self.janitor.policy = replace(self._policy, cameras=limits)
            await self._archive.save_policy(self.janitor.policy)
            tasks.append(asyncio.create_task(self.janitor.run()))
            tasks.append(asyncio.create_task(self._watch_disk()))
            tasks.append(asyncio.create_task(self._check()))
            stopped = asyncio.create_task(self._stopped.wait())
            tasks.append(stopped)  # type: ignore[arg-type]
            await _first_to_fail(tasks, stopped)

    async def _open(self, wanted: Wanted, number: int) -> Kept:
        """A camera, ready to be kept. Segments of different cameras end at different times."""
        options = wanted.options
        turn = options.segment_s * number / max(1, len(self._wanted))
        wanted = replace(wanted, options=replace(options, phase_s=turn))
        opened = await self._archive.keep(
            wanted.name, str(wanted.source.address), always=not options.when_asked
        )
        return Kept(self._archive, opened, wanted, self._clock, self.janitor, self._on_change)

    async def _check(self) -> None:
        """Compare index and files, while recording goes on."""
        with suppress(CamkeepError):
            self.mismatches = await self._archive.check()
        if self.mismatches:
            more = f", and {len(self.mismatches) - 1} more" if len(self.mismatches) > 1 else ""
            told = f"index and files do not agree: {self.mismatches[0].told}{more}"
            self._on_news(f"{told}; camkeep archive verify tells all")

    def _growing(self) -> dict[CameraId, int]:
        return {kept.camera.id: kept.shelf.open_bytes for kept in self.cameras}

    async def _beat(self) -> None:
        while True:
            await self._archive.beat()
            await asyncio.sleep(BEAT_S)

    async def _watch_disk(self) -> None:
        """Notice that the disk is gone also while files are open on it."""
        while True:
            await asyncio.sleep(2 * BEAT_S)
            try:
                await asyncio.wrap_future(self._archive.on_disk(lambda: None))
            except DiskAway as error:
                for kept in self.cameras:
                    kept.keeper.disk_away(error)
            except CamkeepError:
                pass


async def _first_to_fail(tasks: list[asyncio.Task[None]], stopped: asyncio.Task[bool]) -> None:
    """Wait until `stopped`, or raise what a task raised."""
    waiting: set[asyncio.Task[None]] = set(tasks)
    while not stopped.done():
        done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()


async def _cancel(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    for task in tasks:
        with suppress(asyncio.CancelledError, Exception):
            await task
