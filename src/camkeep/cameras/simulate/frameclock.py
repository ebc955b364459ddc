"""The one frame clock of a simulated camera: which picture is taken when."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from typing import NoReturn

from camkeep.cameras.simulate.options import SimulatorOptions

BEHIND_NS = 2_000_000_000
"""After a longer pause of the whole process the clock starts afresh, without a burst."""


class FrameClock:
    """Calls `tick` for each frame: frame n at its time, without drift.

    `number` is the last frame's. Numbers go up by one, whoever looks on.
    """

    def __init__(self, options: SimulatorOptions, tick: Callable[[int], None]) -> None:
        self._options = options
        self._tick = tick
        self._random = random.Random(options.seed)
        self._wander = self._random.random()
        self._changed = asyncio.Event()
        self.promised = options.fps
        self.number = -1

    def promise(self, fps: float) -> None:
        """Another rate, from the next frame on."""
        if fps != self.promised:
            self.promised = fps
            self._changed.set()

    async def run(self) -> NoReturn:
        """Tick until cancelled."""
        due = float(time.monotonic_ns())
        while True:
            self.number += 1
            self._tick(self.number)
            taken = due
            self._changed.clear()
            due = taken + self._interval_ns()
            if time.monotonic_ns() - due > BEHIND_NS:
                due = float(time.monotonic_ns())
            while await self._changed_before(due):
                self._changed.clear()
                due = taken + self._interval_ns()

    async def _changed_before(self, due: float) -> bool:
        wait_s = (due - time.monotonic_ns()) / 1e9
        if wait_s <= 0:
            await asyncio.sleep(0)
            return False
        try:
            async with asyncio.timeout(wait_s):
                await self._changed.wait()
        except TimeoutError:
            return False
        return True

    def _interval_ns(self) -> float:
        jitter = self._options.jitter
        if jitter is None:
            return 1e9 / (self.promised * self._options.deliver)
        low, high = jitter
        self._wander += self._random.uniform(-0.25, 0.25)
        self._wander = abs(self._wander) if self._wander < 1 else 2 - self._wander
        return 1e9 / (low + (high - low) * self._wander)
