"""How long the event loop lets others wait: measured all the time, at next to no cost.

A timer asks to be called a tenth of a second from now; how much later it is called is what a
frame would have waited, too. The longest pause of the last minute is for people, the histogram
for monitors.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from collections import deque

PERIOD_S = 0.1
SLOTS = 12
SLOT_S = 5.0
"""The last minute, in slots."""
BOUNDS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
"""Upper bounds of the histogram; one more counts what is above."""


class LoopLag:
    """The meter. `start` it on the loop that it measures, `stop` it there."""

    def __init__(self, period_s: float = PERIOD_S) -> None:
        """A shorter period sees more of short pauses, and costs more."""
        self.counts = [0] * (len(BOUNDS_S) + 1)
        """Measurements by BOUNDS_S."""
        self.sum_s = 0.0
        self.longest_ever_s = 0.0
        self._period_s = period_s
        self._slots: deque[float] = deque([0.0], maxlen=SLOTS)
        self._slot = 0
        self._timer: asyncio.TimerHandle | None = None
        self._due_s = 0.0

    @property
    def count(self) -> int:
        """How often it was measured."""
        return sum(self.counts)

    @property
    def longest_s(self) -> float:
        """The longest pause of the last minute."""
        return max(self._slots)

    def start(self) -> None:
        """Measure from now on."""
        self._next(asyncio.get_running_loop())

    def stop(self) -> None:
        """Measure no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _next(self, loop: asyncio.AbstractEventLoop) -> None:
        self._due_s = loop.time() + self._period_s
        self._timer = loop.call_at(self._due_s, self._tick, loop)

    def _tick(self, loop: asyncio.AbstractEventLoop) -> None:
        now_s = loop.time()
        self.note(now_s, max(0.0, now_s - self._due_s))
        self._next(loop)

    def note(self, now_s: float, lag_s: float) -> None:
        """A pause was measured."""
        self.counts[bisect_left(BOUNDS_S, lag_s)] += 1
        self.sum_s += lag_s
        self.longest_ever_s = max(self.longest_ever_s, lag_s)
        slot = int(now_s // SLOT_S)
        self._slots.extend([0.0] * min(slot - self._slot, SLOTS))
        self._slot = slot
        self._slots[-1] = max(self._slots[-1], lag_s)
