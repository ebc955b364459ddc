"""The first samples of a session, held back until their times have settled.

The anchor of a run moves most in its first moments (`media/timeline.py`): samples that were
placed before it moved would stand too late and too close.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from camkeep.engine.reel import FLUSH_S
from camkeep.media.timeline import settled
from camkeep.model import Sample

SETTLE_S = FLUSH_S
"""How long the first samples of a session wait for their times to settle."""


class Settling:
    """Hands samples on; those of a session's first moments together, with the times that are
    known by the last of them."""

    def __init__(
        self,
        take: Callable[[Sample, int], None],
        released: Callable[[], None],
        most: int | None = None,
    ) -> None:
        """`take` gets each sample and by how many µs later it was first thought to be taken;
        `released` is called when those that waited have been handed on. `most` may wait."""
        self._take = take
        self._released = released
        self._most = most
        self._held: list[Sample] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._handed_on = asyncio.Event()

    def session_began(self) -> None:
        """The next sample is of another session."""
        self._held = []

    def add(self, sample: Sample) -> None:
        """Hand `sample` on, now or soon."""
        if self._held is None:
            self._take(sample, 0)
            return
        self._held.append(sample)
        self._handed_on.clear()
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(SETTLE_S, self.release)
        if self._most is not None and len(self._held) >= self._most:
            self.release()

    def release(self) -> None:
        """Hand on what was held, with the times that are known by now."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        held, self._held = self._held or [], None
        for came, sample in zip(held, settled(held), strict=True):
            self._take(sample, came.wall - sample.wall)
        self._handed_on.set()
        if held:
            self._released()

    async def wait(self) -> None:
        """Until what is held has been handed on."""
        if self._held:
            await self._handed_on.wait()
