"""The clocks of this machine, behind one seam so that tests can move time.

Three kinds of time never mix (docs/time.md): monotonic (`MonoNs`, timeouts and arrivals),
media (ticks of a stream, plain `int` beside its timescale) and wall (`WallUs`, UTC).
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import NewType, Protocol

MonoNs = NewType("MonoNs", int)
"""Nanoseconds of the monotonic clock; only differences mean anything."""

WallUs = NewType("WallUs", int)
"""Microseconds since 1970-01-01T00:00:00Z, without leap seconds."""


class Clock(Protocol):
    """What the rest of camkeep knows of time."""

    def mono(self) -> MonoNs:
        """Now, on the monotonic clock. Never steps, not even when a person sets the time."""
        ...

    def wall(self) -> WallUs:
        """Now, UTC. May step at any moment, either way."""
        ...


class SystemClock:
    """The clocks of the operating system."""

    __slots__ = ()

    def mono(self) -> MonoNs:
        return MonoNs(time.monotonic_ns())

    def wall(self) -> WallUs:
        return WallUs(time.time_ns() // 1000)


class FakeClock:
    """A clock that a test moves by hand: `advance` moves both clocks, `step` only the wall."""

    __slots__ = ("_mono", "_wall")

    def __init__(self, wall: int = 1_750_000_000_000_000, mono: int = 1_000_000_000) -> None:
        self._wall = wall
        self._mono = mono

    def mono(self) -> MonoNs:
        return MonoNs(self._mono)

    def wall(self) -> WallUs:
        return WallUs(self._wall)

    def advance(self, seconds: float) -> None:
        """Let time pass on both clocks."""
        self._mono += round(seconds * 1e9)
        self._wall += round(seconds * 1e6)

    def step(self, seconds: float) -> None:
        """Set the wall clock forward or back, as a person or NTP would."""
        self._wall += round(seconds * 1e6)


def as_datetime(wall: WallUs) -> datetime:
    """`wall` as an aware datetime in UTC."""
    return datetime.fromtimestamp(wall / 1e6, UTC)
