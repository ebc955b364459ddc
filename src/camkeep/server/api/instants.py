"""Instants as requests write them: microseconds since 1970 in UTC, or RFC 3339 with its zone.

Answers have microseconds alone, in fields that end in ``_us``. Pure.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import Query
from pydantic import BeforeValidator, WithJsonSchema

from camkeep.clock import WallUs
from camkeep.errors import UsageError

LATEST = WallUs(253_402_300_799_999_999)
"""The end of the year 9999."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_RFC_3339 = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?([Zz]|[+ -]\d\d:\d\d)", re.ASCII
)
_ZONE = re.compile(r"[A-Za-z0-9_+-]{1,32}(?:/[A-Za-z0-9_+-]{1,32}){0,2}", re.ASCII)


def read_instant(value: Any) -> int:
    """``1795269787123456`` or ``2026-11-21T14:03:07.123456Z``. Raises ValueError."""
    if isinstance(value, int) and not isinstance(value, bool):
        wall = value
    elif isinstance(value, str) and re.fullmatch(r"\d{1,18}", value, re.ASCII):
        wall = int(value)
    elif isinstance(value, str):
        wall = _rfc_3339(value)
    else:
        raise ValueError(_HOW)
    if not 0 <= wall <= LATEST:
        raise ValueError("an instant lies between 1970 and 9999")
    return wall


def _rfc_3339(text: str) -> int:
    found = _RFC_3339.fullmatch(text)
    if found is None:
        raise ValueError(_HOW)
    day, time, part, zone = found.groups()
    zone = zone.upper().replace(" ", "+")  # a plus sign in a URL that was not written as %2B
    try:
        moment = datetime.fromisoformat(f"{day}T{time}{zone}")
        whole_us = (moment - _EPOCH) // timedelta(microseconds=1)
    except (ValueError, OverflowError):
        raise ValueError(_HOW) from None
    return whole_us + int((part or "")[:6].ljust(6, "0"))


_HOW = "write 2026-11-21T14:03:07Z, or microseconds since 1970 in UTC"
_SCHEMA = {
    "anyOf": [
        {"type": "integer", "minimum": 0, "maximum": LATEST},
        {"type": "string", "format": "date-time"},
    ]
}

Instant = Annotated[WallUs, BeforeValidator(read_instant), WithJsonSchema(_SCHEMA)]
"""In bodies."""
From = Annotated[
    Instant,
    Query(alias="from", description="Where it begins: RFC 3339, or µs since 1970 in UTC"),
]
To = Annotated[
    Instant | None,
    Query(alias="to", description="Where it ends, likewise; by default now"),
]
FromOrFirst = Annotated[
    Instant | None,
    Query(alias="from", description="RFC 3339, or µs since 1970; by default the first footage"),
]


def interval(start: WallUs, end: WallUs) -> tuple[WallUs, WallUs]:
    """Both, in order. Raises UsageError."""
    if start >= end:
        raise UsageError("`from` is not before `to`: nothing lies between them")
    return start, end


def read_zone(name: str) -> ZoneInfo:
    """The time zone of that IANA name: ``Europe/Berlin``. Blocks. Raises UsageError."""
    try:
        if _ZONE.fullmatch(name):
            return ZoneInfo(name)
    except (ValueError, OSError, KeyError):  # no such zone, or none that can be read
        pass
    raise UsageError("there is no such time zone: write Europe/Berlin, or leave it away for UTC")
