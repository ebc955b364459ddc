"""What happens, told to all who want to know: the state of cameras, recordings, the disk.

Events are for people and for programs that react; nothing of camkeep itself hangs on them. The
bus never waits for a listener: one that does not keep up misses some, and is told how many.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from camkeep.clock import Clock, WallUs
from camkeep.model import CameraId

LISTENER_EVENTS = 1000
"""What waits for one listener at most."""


class Kind(StrEnum):
    """What an event is about."""

    STATE = "state"
    """A camera came, went, or refused."""
    RECORDING = "recording"
    """Recording began or ended; a clip was opened or closed."""
    STORAGE = "storage"
    """The disk is full, failing, away, or well again."""
    SETTINGS = "settings"
    """A camera was added, changed or removed."""


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened."""

    id: int
    """Rises by one with each; goes on over restarts."""
    wall: WallUs
    kind: Kind
    told: str
    """One sentence for a person, without the camera's name."""
    camera: CameraId | None = None
    """None where it concerns all."""
    detail: Mapping[str, str | int | float | bool | None] = field(default_factory=dict)
    """The same for programs: {"state": "live"}, {"clip": "..."}."""


class Listener:
    """One who listens. `take` what happened; `close` it."""

    def __init__(self, leave: Callable[[Listener], object]) -> None:
        self.missed = 0
        """Events that were not taken in time."""
        self._leave = leave
        self._events: deque[Event] = deque()
        self._ready = asyncio.Event()

    async def take(self) -> list[Event]:
        """What happened since, at least one event."""
        await self._ready.wait()
        return self.take_now()

    def take_now(self) -> list[Event]:
        """What happened since, if anything."""
        self._ready.clear()
        events = list(self._events)
        self._events.clear()
        return events

    def close(self) -> None:
        """Hear no more."""
        self._leave(self)

    def put(self, event: Event) -> None:
        """For the bus."""
        if len(self._events) >= LISTENER_EVENTS:
            self._events.popleft()
            self.missed += 1
        self._events.append(event)
        self._ready.set()


class Bus:
    """Tells everybody. On the event loop only."""

    def __init__(self, clock: Clock, last_id: int = 0) -> None:
        """`last_id` is that of the newest event of processes before this one."""
        self.last_id = last_id
        self._clock = clock
        self._listeners: set[Listener] = set()

    def tell(
        self,
        kind: Kind,
        told: str,
        camera: CameraId | None = None,
        **detail: str | int | float | bool | None,
    ) -> Event:
        """Something happened."""
        self.last_id += 1
        event = Event(self.last_id, self._clock.wall(), kind, told, camera, detail)
        for listener in self._listeners:
            listener.put(event)
        return event

    def listen(self) -> Listener:
        """Hear all from now on."""
        listener = Listener(self._listeners.discard)
        self._listeners.add(listener)
        return listener
