"""Days as a calendar has them, and local time. Pure.

A zone is a `tzinfo`, or None for that of this machine. Local time has an hour that does not exist
in spring and one that comes twice in autumn.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import NamedTuple

from camkeep.clock import WallUs

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_US = timedelta(microseconds=1)
_DAY = timedelta(days=1)


class LocalDay(NamedTuple):
    """A day as the calendar has it: mostly 24 hours, 23 or 25 where clocks are changed."""

    day: date
    start: WallUs
    end: WallUs


def days_of(start: WallUs, end: WallUs, zone: tzinfo | None) -> list[LocalDay]:
    """The local days, whole, that the interval has a part of. They follow each other without a
    hole; a day that a zone left out is none."""
    if end <= start:
        return []
    found = []
    day = local_time(start, zone).date()
    begin = day_start(day, zone)
    while begin < end:
        day_end = day_start(day + _DAY, zone)
        if day_end > max(start, begin):
            found.append(LocalDay(day, begin, day_end))
        day, begin = day + _DAY, day_end
    return found


def day_start(day: date, zone: tzinfo | None) -> WallUs:
    """The first moment of a local day: midnight, or where clocks leave that out what comes next."""
    midnight = datetime.combine(day, time())
    found = instants_of(midnight, zone)
    return found[0] if found else turn_over(midnight, zone)


def local_time(wall: WallUs, zone: tzinfo | None) -> datetime:
    """`wall` as clocks in `zone` show it."""
    return (_EPOCH + wall * _US).astimezone(zone)


def _instant(local: datetime, zone: tzinfo | None, fold: int) -> WallUs:
    aware = local.replace(tzinfo=zone, fold=fold)  # without a zone it is that of the machine
    return WallUs((aware.astimezone(UTC) - _EPOCH) // _US)


def instants_of(local: datetime, zone: tzinfo | None) -> list[WallUs]:
    """When clocks in `zone` show `local`, which has no zone itself: never, once or twice."""
    both = sorted({_instant(local, zone, fold) for fold in (0, 1)})
    return [wall for wall in both if local_time(wall, zone).replace(tzinfo=None) == local]


def turn_over(local: datetime, zone: tzinfo | None) -> WallUs:
    """When clocks jumped over `local`, which does not exist."""
    low, high = sorted(_instant(local, zone, fold) for fold in (0, 1))  # before and behind it
    while high - low > 1:
        middle = WallUs((low + high) // 2)
        if local_time(middle, zone).replace(tzinfo=None) < local:
            low = middle
        else:
            high = middle
    return high
