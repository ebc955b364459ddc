"""Sessions with one camera, one after the other: the loop around `Source.run`.

A source runs one attempt and ends with an error. Here that error becomes a state, and a wait
before the next attempt: short after what time may heal, long after what a person must heal.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn

from camkeep.cameras.source import Notes, Sink, Source
from camkeep.clock import Clock, MonoNs
from camkeep.errors import CameraError, NeedsPerson, Unreachable
from camkeep.model import Sample

FIRST_WAIT_S = 1.0
LONGEST_WAIT_S = 30.0
KNOCK_S = 2.0
"""Longest wait while nobody answers: an attempt is only a connection, and whoever waits for a
camera to come back wants it back at once."""
PERSON_WAIT_S = 300.0
GOOD_SESSION_NS = 10_000_000_000
"""A session that delivered for this long starts the back-off anew."""


@dataclass(frozen=True, slots=True)
class Connecting:
    """An attempt is under way and has brought no sample yet."""


@dataclass(frozen=True, slots=True)
class Live:
    """Samples are coming."""

    since: MonoNs


@dataclass(frozen=True, slots=True)
class Waiting:
    """The last attempt failed in a way that time may heal."""

    error: CameraError
    retry_s: float


@dataclass(frozen=True, slots=True)
class Refused:
    """The last attempt failed in a way that a person must heal."""

    error: CameraError
    retry_s: float


@dataclass(frozen=True, slots=True)
class Idle:
    """Nobody watches or records it, so it is left alone."""


@dataclass(frozen=True, slots=True)
class Off:
    """A person switched it off."""


State = Connecting | Live | Waiting | Refused
"""What sessions go through."""


class GiveUp(Exception):
    """Raised by `on_state` to end the loop; carries the error that ends it."""

    def __init__(self, error: CameraError) -> None:
        super().__init__(str(error))
        self.error = error


async def run_sessions(
    source: Source,
    sink: Sink,
    notes: Notes,
    on_state: Callable[[State], None],
    clock: Clock,
) -> NoReturn:
    """Hold sessions until cancelled, or until `on_state` raises GiveUp for a failure.

    Every state is told to `on_state` as it is entered.
    """
    failures = 0
    while True:
        live = _Watch(sink, on_state, clock)
        on_state(Connecting())
        try:
            await source.run(live, notes)
        except CameraError as error:
            if live.lasted_ns() >= GOOD_SESSION_NS:
                failures = 0
            state = _after(error, failures)
            failures += 1
        try:
            on_state(state)
        except GiveUp as end:
            raise end.error from None
        await asyncio.sleep(state.retry_s)


def _after(error: CameraError, failures: int) -> Waiting | Refused:
    """What follows `error`, the one after `failures` others in a row. Jitter keeps many cameras
    behind one switch from knocking all at once."""
    jitter = random.uniform(0.8, 1.0)
    if isinstance(error, NeedsPerson):
        wait = min(PERSON_WAIT_S, LONGEST_WAIT_S * 2**failures)
        return Refused(error, wait * jitter)
    longest = KNOCK_S if isinstance(error, Unreachable) else LONGEST_WAIT_S
    return Waiting(error, min(longest, FIRST_WAIT_S * 2 ** min(failures, 10)) * jitter)


class _Watch:
    """Passes samples on and notices the first one of a session."""

    __slots__ = ("_clock", "_on_state", "_since", "_sink")

    def __init__(self, sink: Sink, on_state: Callable[[State], None], clock: Clock) -> None:
        self._sink = sink
        self._on_state = on_state
        self._clock = clock
        self._since: MonoNs | None = None

    def __call__(self, sample: Sample) -> None:
        if self._since is None:
            self._since = self._clock.mono()
            self._on_state(Live(self._since))
        self._sink(sample)

    def lasted_ns(self) -> int:
        return 0 if self._since is None else self._clock.mono() - self._since
