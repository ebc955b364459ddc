"""A simulated world for the event loop: hours pass in moments, and threads do their real work.

Time stands still while anything is to be done, in the loop or in the threads that it waits for;
then it leaps to the next timer.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from camkeep.clock import MonoNs, WallUs

DEADLOCK_S = 30.0
"""So long in the real world without a timer or an event, and nothing will ever happen."""


class SimulatedLoop(asyncio.SelectorEventLoop):
    """`asyncio.Runner(loop_factory=SimulatedLoop)`."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.threads: list[Callable[[], Future[Any]]] = []
        """Each gives something that is done when a thread has nothing more to do."""
        super().__init__(_Leaping(self))

    def time(self) -> float:
        return self.now_s


class _Leaping(selectors.DefaultSelector):
    """Where a selector would wait, lets time leap."""

    def __init__(self, loop: SimulatedLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> Any:
        if timeout is not None and timeout <= 0:
            return super().select(0)
        for thread in self._loop.threads:
            thread().exception()
        ready = super().select(0)
        if ready:
            return ready
        if timeout is None:  # for a thread that nobody told us of
            ready = super().select(DEADLOCK_S)
            assert ready, "nothing will ever happen"
            return ready
        self._loop.now_s += timeout
        return []


class SimulatedClock:
    """The clocks of a `SimulatedLoop`."""

    def __init__(self, loop: SimulatedLoop, wall: int, begin_s: float = 0.0) -> None:
        """It is `wall` and `begin_s` later where the loop begins."""
        self._loop = loop
        self._wall = wall
        self._begin_s = begin_s

    @property
    def seconds(self) -> float:
        """Since `wall`."""
        return self._begin_s + self._loop.now_s

    def mono(self) -> MonoNs:
        return MonoNs(round(self.seconds * 1e9))

    def wall(self) -> WallUs:
        return WallUs(self._wall + round(self.seconds * 1e6))
