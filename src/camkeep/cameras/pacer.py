"""Looking at many connections at one time, instead of waking for each arrival.

A camera sends each frame in several pieces. Waking for every piece of every camera costs more
than all that is done with it: the event loop's own work, and caches that have gone cold
meanwhile. So connections that carry a stream with a clock of its own are read together, one
after the other, at every tick; the more there are, the longer is the tick and the more it saves.
What that adds to the arrival of a frame is about a tick at most, and its time is not touched:
the timeline follows the least-delayed arrivals. Ticks are uneven on purpose: an even one could
keep step with a camera, and each of its frames would wait as long. Connections that somebody
watches at this moment are read at short ticks of their own (`hurry`).
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from weakref import WeakKeyDictionary

TICK_S = 0.02
"""The tick of one connection, on average; each is up to a quarter shorter or longer."""
TICK_MORE_S = 0.0026
"""What each further connection adds to it."""
LONGEST_TICK_S = 0.1
HURRIED_TICK_S = 0.01
"""The tick of connections whose frames somebody waits for."""
HURRIED_MORE_S = 0.0005
LONGEST_HURRIED_TICK_S = 0.016
UNEVEN = 0.25

Read = Callable[[], None]


class _Round:
    """Connections that are read at the same ticks."""

    def __init__(self, first_s: float, more_s: float, longest_s: float) -> None:
        self.reads: dict[object, Read] = {}
        self._first_s = first_s
        self._more_s = more_s
        self._longest_s = longest_s
        self._timer: asyncio.TimerHandle | None = None

    def add(self, key: object, read: Read) -> None:
        self.reads[key] = read
        if self._timer is None:
            self._wait()

    def remove(self, key: object) -> Read | None:
        read = self.reads.pop(key, None)
        if not self.reads and self._timer is not None:
            self._timer.cancel()
            self._timer = None
        return read

    def _wait(self) -> None:
        tick_s = min(self._longest_s, self._first_s + self._more_s * (len(self.reads) - 1))
        tick_s *= random.uniform(1 - UNEVEN, 1 + UNEVEN)
        self._timer = asyncio.get_running_loop().call_later(tick_s, self._tick)

    def _tick(self) -> None:
        self._wait()
        for key, read in list(self.reads.items()):
            if key in self.reads:  # one may have ended another
                read()


class Pacer:
    """Calls some functions at every tick, in one go; costs nothing while there are none, and
    then holds nothing of the loop, which may end."""

    def __init__(self) -> None:
        self._calm = _Round(TICK_S, TICK_MORE_S, LONGEST_TICK_S)
        self._hurried = _Round(HURRIED_TICK_S, HURRIED_MORE_S, LONGEST_HURRIED_TICK_S)

    def __len__(self) -> int:
        return len(self._calm.reads) + len(self._hurried.reads)

    def add(self, key: object, read: Read) -> None:
        """Call `read` from the next tick on. It must not raise."""
        self._calm.add(key, read)

    def remove(self, key: object) -> None:
        """Call it no more."""
        self._calm.remove(key)
        self._hurried.remove(key)

    def hurry(self, key: object, wanted: bool) -> None:
        """Call it at short ticks, 20 ms at most, or as the others again; nothing happens where it
        is not called at all."""
        here, there = self._calm, self._hurried
        if not wanted:
            here, there = there, here
        read = here.remove(key)
        if read is not None:
            there.add(key, read)


_pacers: WeakKeyDictionary[asyncio.AbstractEventLoop, Pacer] = WeakKeyDictionary()


def pacer() -> Pacer:
    """The pacer of the running loop."""
    loop = asyncio.get_running_loop()
    found = _pacers.get(loop)
    if found is None:
        found = _pacers[loop] = Pacer()
    return found
