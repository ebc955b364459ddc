"""Moments and days as people type and read them. Pure: what time it is, and where, is given.

A zone is a `tzinfo`, or None for that of this machine. Local time has an hour that does not exist
in spring and one that comes twice in autumn: the first is refused, and of the second the earlier
is taken unless an offset says which. What `in_local` prints can be typed again and is the same
moment.
"""

from __future__ import annotations

import argparse
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo

from camkeep.archive.localdays import day_start, instants_of, local_time, turn_over
from camkeep.cli.amounts import seconds
from camkeep.clock import WallUs

_US = timedelta(microseconds=1)
_DAY = timedelta(days=1)

_MOMENT = re.compile(
    r"(?P<day>[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}|today|yesterday)?"
    r"(?:(?:^|[ T]+)(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})"
    r"(?::(?P<second>[0-9]{2})(?:[.,](?P<part>[0-9]{1,6}))?)?"
    r" *(?P<zone>Z|UTC|[+-][0-9]{2}(?::?[0-9]{2}(?::?[0-9]{2})?)?)?)?",
    re.IGNORECASE,
)
_AGO = re.compile(r"- *(?P<minus>[0-9].*)|(?P<length>.*\S) *ago", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Moment:
    """What somebody typed."""

    wall: WallUs
    remark: str = ""
    """What they should know about how it was understood; mostly empty."""


def moment(text: str, *, now: WallUs, zone: tzinfo | None, end_of_day: bool = False) -> Moment:
    """``2026-11-21 14:03``, ``2026-11-21T14:03:07Z``, ``14:03``, ``yesterday 18:00``, ``10m ago``,
    ``-10m``, ``now``, ``2026-11-21``. A day alone is its beginning, or with `end_of_day` its end.

    Raises ArgumentTypeError.
    """
    try:
        found = _moment(" ".join(text.split()), now, zone, end_of_day)
    except (ValueError, OverflowError):
        raise _no_moment(text) from None
    if found.wall < 0:
        raise argparse.ArgumentTypeError(f"{text!r} is before 1970, when no camera was kept")
    return found


def _no_moment(text: str) -> argparse.ArgumentTypeError:
    return argparse.ArgumentTypeError(
        f'{text!r} is no moment: write "2026-11-21 14:03", 14:03, "yesterday 18:00", "10m ago" or '
        "now"
    )


def _moment(text: str, now: WallUs, zone: tzinfo | None, end_of_day: bool) -> Moment:
    if text.lower() == "now":
        return Moment(now)
    ago = _AGO.fullmatch(text)
    if ago is not None:
        return Moment(WallUs(now - round(seconds(ago["minus"] or ago["length"]) * 1e6)))
    found = _MOMENT.fullmatch(text)
    if not text or found is None:
        raise ValueError
    given = found["zone"] is not None
    if given:
        zone = _offset(found["zone"])
    day = _day(found["day"], local_time(now, zone).date())
    if found["hour"] is None:
        return Moment(day_start(day + _DAY if end_of_day else day, zone))
    micro = int((found["part"] or "").ljust(6, "0"))
    clock = time(int(found["hour"]), int(found["minute"]), int(found["second"] or 0), micro)
    return _placed(datetime.combine(day, clock), zone)


def _day(text: str | None, today: date) -> date:
    match (text or "today").lower():
        case "today":
            return today
        case "yesterday":
            return today - _DAY
        case written:
            year, month, day = written.split("-")
            return date(int(year), int(month), int(day))


def _offset(text: str) -> timezone:
    if text[0] not in "+-":
        return UTC
    digits = text[1:].replace(":", "").ljust(6, "0")
    length = timedelta(hours=int(digits[:2]), minutes=int(digits[2:4]), seconds=int(digits[4:]))
    return timezone(-length if text[0] == "-" else length)


def _placed(local: datetime, zone: tzinfo | None) -> Moment:
    """The moment at which clocks in `zone` show `local`."""
    found = instants_of(local, zone)
    shown = local.isoformat(" ")
    if not local.second and not local.microsecond:
        shown = shown.removesuffix(":00")
    if not found:
        turn = turn_over(local, zone)
        before = local_time(WallUs(turn - 1), zone) + _US
        raise argparse.ArgumentTypeError(
            f"{shown} does not exist: clocks went from {before:%H:%M} to "
            f"{local_time(turn, zone):%H:%M} then"
        )
    if len(found) == 1:
        return Moment(found[0])
    first, second = (_offset_of(local_time(wall, zone)) for wall in found)
    return Moment(
        found[0],
        f"{shown} comes twice, and the first is taken ({first}); the second is {shown}{second}",
    )


def in_local(wall: WallUs, zone: tzinfo | None, *, digits: int = 0) -> str:
    """`wall` for a person: ``2026-11-21 14:03:07``, with as many `digits` of the second, cut off;
    with its offset where that local time comes twice."""
    local = local_time(WallUs(wall - wall % 10 ** (6 - digits)), zone)
    shown = f"{local:%Y-%m-%d %H:%M:%S.%f}"[: 20 + digits if digits else 19]
    twice = len(instants_of(local.replace(tzinfo=None), zone)) > 1
    return shown + _offset_of(local) if twice else shown


def _offset_of(local: datetime) -> str:
    return local.isoformat(timespec="seconds")[19:]
