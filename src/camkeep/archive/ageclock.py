"""What time it is, as far as footage may be deleted by it. Pure: clocks are read by the caller.

A wall clock that jumps ahead makes all footage old at once, and a limit of age would then delete
the archive. So there is a second opinion: the *believed* time, which goes on by the monotonic
clock alone. While the wall clock agrees with it, it is followed. When it is suddenly ahead, age
is counted by the believed time until the wall clock has kept to its new time for 24 hours of the
monotonic clock, or has come back. When it is behind, it is simply used: that deletes nothing.

So a step forward delays the limit of age by its length for a day, and never deletes anything.
Quotas know nothing of all this: they go by the order of recording.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from camkeep.clock import MonoNs, WallUs

STEP_US = 60_000_000
"""Disagreement that is a step; less may be a clock that somebody corrects."""
AWAY_US = 86_400_000_000
"""How long camkeep can have been away without the clock being doubted at the start."""
DOUBT_US = 86_400_000_000
"""How long a new time is doubted."""
FOLLOW = 1000
"""The believed time follows the wall clock by a thousandth of the time that passes, so that many
small steps are found out as well as one large."""
NEVER_SET = WallUs(int(datetime(2020, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000)
"""A wall clock before this one was never set: boards without a battery begin in 1970."""


class Reckoning(NamedTuple):
    """What time it is."""

    now: WallUs
    """Up to which age is counted: never later than the wall clock."""
    latest: WallUs
    """What claims to be from after this instant was stamped by a wrong clock."""
    doubted: bool
    """Whether the wall clock is ahead of what is believed, and age therefore counted without it."""


@dataclass(frozen=True, slots=True)
class AgeState:
    """What a restart must not forget: else it would take the new time of a doubted clock."""

    believed: WallUs
    wall: WallUs
    doubted_us: int
    """For how long the two have disagreed by the same amount; 0 where they do not."""


class AgeClock:
    """The second opinion. Feed it once a minute or so.

    At the start it takes what was saved, or else the end of the newest footage, and believes a
    wall clock that is less than a day past it: nobody knows for how long camkeep was away. So a
    clock that was set ahead meanwhile can make footage go earlier, by that day at most.
    """

    __slots__ = ("_anchored", "_apart", "_believed", "_doubted_us", "_mono", "_saved", "_wall")

    def __init__(self, newest: WallUs | None = None, saved: AgeState | None = None) -> None:
        self._believed = saved.believed if saved else newest
        self._saved = saved
        self._anchored = False  # until wall clock and believed time have once agreed
        self._apart = 0  # by how much the wall clock has been ahead for `_doubted_us`
        self._doubted_us = 0
        self._mono: MonoNs | None = None
        self._wall = WallUs(0)

    @property
    def state(self) -> AgeState:
        """To be saved now and then. Only after a first `read`."""
        if self._believed is None or self._mono is None:
            raise ValueError("the clocks were not read yet")
        return AgeState(self._believed, self._wall, self._doubted_us)

    def read(self, mono: MonoNs, wall: WallUs) -> Reckoning:
        """The clocks stand at `mono` and `wall`: what time it is."""
        if self._mono is None or self._believed is None:
            believed, elapsed = self._begin(wall), 0
        else:
            elapsed = max(0, (mono - self._mono) // 1000)
            believed = self._believed + elapsed
        apart = wall - believed
        if -STEP_US <= apart <= (STEP_US if self._anchored else AWAY_US):
            most = elapsed // FOLLOW
            believed += max(-most, min(most, apart)) if self._anchored else apart
            self._anchored = True
            self._doubted_us = 0
        elif wall < NEVER_SET:
            self._doubted_us = 0
        elif abs(apart - self._apart) > STEP_US:
            self._apart, self._doubted_us = apart, 0
        else:
            self._doubted_us += elapsed
            if self._doubted_us >= DOUBT_US:
                believed = wall
                self._anchored, self._doubted_us = True, 0
        self._mono, self._wall, self._believed = mono, wall, WallUs(believed)
        ahead = wall - believed > STEP_US
        now = WallUs(believed) if ahead else wall
        return Reckoning(now, WallUs(max(wall, believed)), ahead)

    def _begin(self, wall: WallUs) -> int:
        """The believed time at the first look at the clocks."""
        if self._believed is None:
            return wall
        if self._saved is None:
            return self._believed
        apart = self._saved.wall - self._saved.believed
        away = wall - self._saved.wall
        if abs(apart) > STEP_US and 0 <= away <= AWAY_US:  # the same doubt as before
            self._anchored, self._apart = True, apart
            self._doubted_us = self._saved.doubted_us
            return wall - apart
        return self._believed
