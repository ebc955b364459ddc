"""The calendar of a camera: how much of each day is kept."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from datetime import UTC, date, tzinfo
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from camkeep.archive.coverage import Coverage, coverage
from camkeep.archive.intervals import Span
from camkeep.archive.localdays import days_of
from camkeep.archive.schema import LONG_GAP_US
from camkeep.archive.timecatalog import TimeCatalog
from camkeep.archive.timeline import recorded_spans
from camkeep.clock import WallUs
from camkeep.model import Gap, KeptCamera, Removal
from camkeep.server.api.instants import FromOrFirst, To, read_zone
from camkeep.server.desk import DeskOf
from camkeep.server.shelf import Shelf, ShelfOf
from camkeep.server.web.guard import Looker, seen

router = APIRouter(tags=["timeline"])

MOST_DAYS = 400
_DAY_US = 86_400_000_000


class DayTold(BaseModel):
    """A day of the calendar."""

    day: date
    start_us: int = Field(description="Its first instant")
    end_us: int = Field(description="The first instant of the next; 23 or 25 hours may lie between")
    recorded_us: int
    share: float | None = Field(description="As in a timeline")
    missing_us: dict[str, int] = Field(description="By cause")
    removed_us: int


class Days(BaseModel):
    """A calendar, the oldest day first; days of which there is nothing are left out."""

    camera: str
    zone: str
    days: list[DayTold]


@router.get("/cameras/{camera_id}/days")
def days(
    camera_id: str,
    who: Looker,
    desk: DeskOf,
    shelf: ShelfOf,
    start: FromOrFirst = None,
    end: To = None,
    zone: Annotated[str, Query(max_length=64, description="An IANA time zone")] = "UTC",
) -> Days:
    """How much of each day is kept, at most 400 days: without `from` the newest."""
    camera = seen(desk, who, camera_id)
    now = desk.clock.wall()
    where = UTC if zone == "UTC" else read_zone(zone)
    until = now if end is None else end
    with shelf.catalog() as catalog:
        reach = catalog.reach(camera.id)
        first = camera.since if reach is None else min(camera.since, reach[0])
        earliest = until - (MOST_DAYS - 1) * _DAY_US
        begin = WallUs(max(first, earliest if start is None else start))
        found = [] if begin >= until else _days(shelf, catalog, camera, begin, until, where, now)
    return Days(camera=camera.id, zone=zone, days=found)


def _days(
    shelf: Shelf,
    catalog: TimeCatalog,
    camera: KeptCamera,
    start: WallUs,
    end: WallUs,
    zone: tzinfo,
    now: WallUs,
) -> list[DayTold]:
    calendar = days_of(start, end, zone)[:MOST_DAYS]
    if not calendar:
        return []
    first, last = calendar[0].start, calendar[-1].end
    spans = recorded_spans(shelf.growing, catalog, shelf.recorded, camera.id, first, last)
    gaps = _Gaps(catalog.gaps(camera.id, first, last, now))
    removals = catalog.removals(camera.id)
    found = []
    for day in calendar:
        of_day = _of_day(spans, gaps, removals, day.start, day.end, camera, now)
        if of_day.outside_us + of_day.unexplained_us < day.end - day.start:
            found.append(
                DayTold(
                    day=day.day,
                    start_us=day.start,
                    end_us=day.end,
                    recorded_us=of_day.recorded_us,
                    share=of_day.share,
                    missing_us={cause.value: us for cause, us in of_day.missing_us.items()},
                    removed_us=of_day.removed_us,
                )
            )
    return found


def _of_day(
    spans: Sequence[Span],
    gaps: _Gaps,
    removals: Sequence[Removal],
    start: WallUs,
    end: WallUs,
    camera: KeptCamera,
    now: WallUs,
) -> Coverage:
    """Of spans, which are tidy, only those that touch the day."""
    first = bisect_right(spans, start, key=lambda span: span.end)
    last = bisect_left(spans, end, key=lambda span: span.start)
    own = gaps.near(start, end)
    return coverage(spans[first:last], own, removals, start, end, since=camera.since, now=now)


class _Gaps:
    """Gaps in which those of a day are found without looking at all of them."""

    def __init__(self, gaps: Sequence[Gap]) -> None:
        """`gaps` by their beginning."""
        self._long = [gap for gap in gaps if gap.end - gap.start > LONG_GAP_US]
        self._short = [gap for gap in gaps if gap.end - gap.start <= LONG_GAP_US]

    def near(self, start: WallUs, end: WallUs) -> list[Gap]:
        """All that touch the interval, and a few more."""
        first = bisect_left(self._short, start - LONG_GAP_US, key=lambda gap: gap.start)
        last = bisect_left(self._short, end, key=lambda gap: gap.start)
        return [*self._long, *self._short[first:last]]
