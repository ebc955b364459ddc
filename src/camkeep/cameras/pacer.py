"""Looking at many connections at one time, instead of waking for each arrival.

A camera sends each frame in several pieces. Waking for every piece of every camera costs more
than all that is done with it: the event loop's own work, and caches that have gone cold
meanwhile. So connections that carry a stream with a clock of its own are read together, one
after the other, at every tick; the more there are, the longer is the tick and the more it saves.
What that adds to the arrival of a frame is about a tick at most, and its time is not touched:
the timeline follows the least-delayed arrivals. Ticks are uneven on purpose: an even one could
keep step with a camera, and each of its frames would wait as long.
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


class Pacer:
    """Calls some functions at every tick, in one go; costs nothing while there are none, and
    then holds nothing of the loop, which may end."""

    def __init__(self) -> None:
        self._reads: dict[object, Callable[[], None]] = {}
        self._timer: asyncio.TimerHandle | None = None

    def add(self, key: object, read: Callable[[], None]) -> None:
        """Call `read` from the next tick on. It must not raise."""
        self._reads[key] = read
        if self._timer is None:
            self._wait()

    def remove(self, key: object) -> None:
        """Call it no more."""
        self._reads.pop(key, None)
        if not self._reads and self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _wait(self) -> None:
        tick_s = min(LONGEST_TICK_S, TICK_S + TICK_MORE_S * (len(self._reads) - 1))
        tick_s *= random.uniform(0.75, 1.25)
        self._timer = asyncio.get_running_loop().call_later(tick_s, self._tick)

    def _tick(self) -> None:
        self._wait()
        for key, read in list(self._reads.items()):
            if key in self._reads:  # one may have ended another
                read()


_pacers: WeakKeyDictionary[asyncio.AbstractEventLoop, Pacer] = WeakKeyDictionary()


def pacer() -> Pacer:
    """The pacer of the running loop."""
    loop = asyncio.get_running_loop()
    found = _pacers.get(loop)
    if found is None:
        found = _pacers[loop] = Pacer()
    return found
