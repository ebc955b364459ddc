"""When a camera is to be recorded, by the local time of a zone. Pure.

A schedule is a list of intervals of the week, in the wall time that people read. An interval
lasts from the first moment at which a clock on the wall shows its start, or more, to the last at
which it shows less than its end: where summer time begins or ends, one that begins or ends in the
hour that is skipped does so at that moment, and one over the hour that comes twice lasts through
both.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from camkeep.clock import WallUs
from camkeep.errors import UsageError

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MOST_SPANS = 100


class Mode(StrEnum):
    """When a camera is recorded."""

    ALWAYS = "always"
    SCHEDULE = "schedule"
    """Within the intervals of its schedule."""
    ASKED = "asked"
    """Only while somebody has pressed Record, with what was before it (pre-roll)."""
    OFF = "off"
    """Not at all, and nobody can watch it: it is left alone."""


@dataclass(frozen=True, slots=True)
class Span:
    """An interval of the days named, from `start` up to `end` in local time; where `end` is not
    later than `start`, up to `end` of the day after. ``00:00`` to ``00:00`` is a whole day."""

    days: frozenset[int]
    """0 for Monday to 6 for Sunday: the days on which it begins."""
    start: time
    end: time


@dataclass(frozen=True, slots=True)
class Schedule:
    """Intervals of the week in the time of a zone."""

    spans: tuple[Span, ...] = ()
    zone: str = "UTC"
    """As the IANA time zone database calls it: ``Europe/Vienna``."""

    def __post_init__(self) -> None:
        if len(self.spans) > MOST_SPANS:
            raise UsageError(f"a schedule has at most {MOST_SPANS} intervals")
        zone_of(self.zone)

    def covers(self, now: WallUs) -> bool:
        """Whether to record at that moment."""
        zone = zone_of(self.zone)
        moment = datetime.fromtimestamp(now / 1e6, UTC)
        shown = moment.astimezone(zone).replace(tzinfo=None)
        today = shown.date()
        for span in self.spans:
            for day in (today - timedelta(days=1), today):
                if day.weekday() not in span.days:
                    continue
                last = day if span.end > span.start else day + timedelta(days=1)
                start, end = datetime.combine(day, span.start), datetime.combine(last, span.end)
                if start <= shown < end or _first(start, zone) <= moment < _last(end, zone):
                    return True
        return False


def _first(shown: datetime, zone: ZoneInfo) -> datetime:
    """When a clock on the wall shows that for the first time."""
    return shown.replace(tzinfo=zone, fold=0).astimezone(UTC)


def _last(shown: datetime, zone: ZoneInfo) -> datetime:
    """When it does for the last time."""
    return shown.replace(tzinfo=zone, fold=1).astimezone(UTC)


def zone_of(name: str) -> ZoneInfo:
    """The time zone of that name. Raises UsageError."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise UsageError(f"there is no time zone {name!r}: Europe/Vienna would be one") from None


def parse_span(text: str) -> Span:
    """``mon-fri 08:00-18:00``, ``sat,sun 22:00-06:00``, ``daily 07:00-09:30``. Raises
    UsageError."""
    try:
        days, times = text.lower().split()
        begin, _, until = times.partition("-")
        if begin == "24:00":  # of which day that would be is anybody's guess
            raise ValueError(text)
        return Span(_days(days), _time(begin), _time(until))
    except ValueError:
        raise UsageError(
            f"{text!r} is no interval of the week: write mon-fri 08:00-18:00, or daily 22:00-06:00"
        ) from None


def span_text(span: Span) -> str:
    """What `parse_span` reads."""
    daily = len(span.days) == len(DAYS)
    days = "daily" if daily else ",".join(DAYS[day] for day in sorted(span.days))
    return f"{days} {span.start:%H:%M}-{span.end:%H:%M}"


def _days(text: str) -> frozenset[int]:
    if text == "daily":
        return frozenset(range(7))
    found: set[int] = set()
    for part in text.split(","):
        first, dash, last = part.partition("-")
        start = DAYS.index(first)
        length = (DAYS.index(last) - start) % 7 if dash else 0
        found |= {(start + n) % 7 for n in range(length + 1)}
    return frozenset(found)


def _time(text: str) -> time:
    if text == "24:00":
        return time(0)
    hour, _, minute = text.partition(":")
    digits = text.isascii() and hour.isdigit() and minute.isdigit()
    if not (digits and len(hour) <= 2 and len(minute) == 2):
        raise ValueError(text)
    return time(int(hour), int(minute))
