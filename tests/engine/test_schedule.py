"""Schedules: what a clock on the wall shows decides, also on the two odd nights of the year."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from camkeep.clock import WallUs
from camkeep.engine.schedule import (
    DAYS,
    MOST_SPANS,
    Schedule,
    Span,
    parse_span,
    span_text,
    zone_of,
)
from camkeep.errors import UsageError

ZONES = (
    "UTC",
    "Europe/Vienna",
    "America/New_York",
    "Australia/Lord_Howe",  # half an hour of summer time
    "Asia/Kathmandu",
    "America/Sao_Paulo",  # changed at midnight
    "Pacific/Apia",  # left out a whole day
    "Africa/Casablanca",
    "America/Scoresbysund",
)
TIMES = st.times(max_value=time(23, 59)).map(lambda t: t.replace(second=0, microsecond=0))
SPANS = st.builds(Span, st.frozensets(st.integers(0, 6), min_size=1), TIMES, TIMES)


def wall(moment: datetime) -> WallUs:
    return WallUs(round(moment.timestamp() * 1e6))


def local(text: str, zone: str, fold: int = 0) -> WallUs:
    """A moment as a clock on the wall shows it."""
    return wall(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold))


def shown_within(span: Span, shown: datetime) -> bool:
    """Whether a clock on the wall that shows that is within the interval, found by a way of its
    own: the minute of the week."""
    minute = shown.weekday() * 1440 + shown.hour * 60 + shown.minute
    length = (span.end.hour * 60 + span.end.minute) - (span.start.hour * 60 + span.start.minute)
    length = length if length > 0 else length + 1440
    return any(
        (minute - day * 1440 - span.start.hour * 60 - span.start.minute) % 10080 < length
        for day in span.days
    )


def changes_near(moment: datetime, zone: ZoneInfo) -> bool:
    """Whether the zone's offset changes within two days."""
    hours = (moment + timedelta(hours=n) for n in range(-48, 49))
    return len({hour.astimezone(zone).utcoffset() for hour in hours}) > 1


@settings(max_examples=500)
@given(
    spans=st.lists(SPANS, min_size=1, max_size=4),
    zone=st.sampled_from(ZONES),
    moment=st.datetimes(datetime(2005, 1, 1), datetime(2037, 1, 1), timezones=st.just(UTC)),
)
def test_the_clock_on_the_wall_decides(spans: list[Span], zone: str, moment: datetime) -> None:
    schedule = Schedule(tuple(spans), zone)
    shown = moment.astimezone(ZoneInfo(zone))
    expected = any(shown_within(span, shown) for span in spans)
    if changes_near(moment, ZoneInfo(zone)):
        assert schedule.covers(wall(moment)) or not expected  # never less than it says
    else:
        assert schedule.covers(wall(moment)) is expected


@settings(max_examples=300)
@given(
    span=SPANS,
    night=st.sampled_from(
        [
            ("Europe/Vienna", datetime(2026, 3, 29, 1, tzinfo=UTC)),
            ("Europe/Vienna", datetime(2026, 10, 25, 1, tzinfo=UTC)),
            ("America/New_York", datetime(2026, 3, 8, 7, tzinfo=UTC)),
            ("America/New_York", datetime(2026, 11, 1, 6, tzinfo=UTC)),
            ("Australia/Lord_Howe", datetime(2026, 4, 4, 15, tzinfo=UTC)),
            ("America/Sao_Paulo", datetime(2018, 11, 4, 3, tzinfo=UTC)),
        ]
    ),
    minutes=st.integers(-1500, 1500),
)
def test_on_the_odd_nights_it_is_never_less_than_a_clock_shows_and_hardly_more(
    span: Span, night: tuple[str, datetime], minutes: int
) -> None:
    zone, change = night
    moment = change + timedelta(minutes=minutes)
    schedule = Schedule((span,), zone)
    within = shown_within(span, moment.astimezone(ZoneInfo(zone)))
    covered = schedule.covers(wall(moment))
    assert covered or not within
    if covered and not within:  # between the two ends of an hour that comes twice
        offsets = [
            (change + timedelta(hours=h)).astimezone(ZoneInfo(zone)).utcoffset() for h in (-1, 1)
        ]
        assert offsets[1] is not None
        assert offsets[0] is not None
        assert offsets[1] < offsets[0]
        assert abs(minutes) <= 60


@pytest.mark.parametrize(
    ("span", "moment", "fold", "covered"),
    [
        # the hour from two to three is skipped
        ("sun 01:00-02:30", "2026-03-29T01:59:59", 0, True),
        ("sun 01:00-02:30", "2026-03-29T03:00:00", 0, False),
        ("sun 02:30-04:00", "2026-03-29T01:59:59", 0, False),
        ("sun 02:30-04:00", "2026-03-29T03:00:00", 0, True),
        ("sun 02:15-02:45", "2026-03-29T03:00:00", 0, False),
        ("sun 02:15-02:45", "2026-03-29T01:59:59", 0, False),
        # and comes twice
        ("sun 02:30-03:00", "2026-10-25T02:29:59", 0, False),
        ("sun 02:30-03:00", "2026-10-25T02:30:00", 0, True),
        ("sun 02:30-03:00", "2026-10-25T02:10:00", 1, True),
        ("sun 02:30-03:00", "2026-10-25T02:59:59", 1, True),
        ("sun 02:30-03:00", "2026-10-25T03:00:00", 0, False),
        ("sun 01:00-02:30", "2026-10-25T02:45:00", 0, True),
        ("sun 01:00-02:30", "2026-10-25T02:29:59", 1, True),
        ("sun 01:00-02:30", "2026-10-25T02:30:00", 1, False),
        # over midnight, and over the end of the week
        ("sun 22:00-06:00", "2026-11-22T21:59:59", 0, False),
        ("sun 22:00-06:00", "2026-11-22T22:00:00", 0, True),
        ("sun 22:00-06:00", "2026-11-23T05:59:59", 0, True),
        ("sun 22:00-06:00", "2026-11-23T06:00:00", 0, False),
        ("sun 22:00-06:00", "2026-11-23T22:30:00", 0, False),
        ("mon 00:00-00:00", "2026-11-22T23:59:59", 0, False),
        ("mon 00:00-00:00", "2026-11-23T00:00:00", 0, True),
        ("mon 00:00-24:00", "2026-11-23T23:59:59", 0, True),
        ("mon 00:00-00:00", "2026-11-24T00:00:00", 0, False),
        ("daily 08:00-08:00", "2026-11-24T07:59:59", 0, True),
    ],
)
def test_nights(span: str, moment: str, fold: int, covered: bool) -> None:
    schedule = Schedule((parse_span(span),), "Europe/Vienna")
    assert schedule.covers(local(moment, "Europe/Vienna", fold)) is covered


def test_nothing_is_covered_by_no_interval() -> None:
    assert not Schedule().covers(WallUs(0))


@given(SPANS)
def test_what_is_written_is_read_as_it_was(span: Span) -> None:
    assert parse_span(span_text(span)) == span


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("daily 1:00-2:00", "mon tue wed thu fri sat sun"),
        ("MON-Fri 01:00-02:00", "mon tue wed thu fri"),
        ("sat-mon 01:00-02:00", "sat sun mon"),
        ("mon,wed,fri-sat  01:00-02:00", "mon wed fri sat"),
        ("tue-tue 01:00-02:00", "tue"),
    ],
)
def test_days(text: str, days: str) -> None:
    expected = frozenset(DAYS.index(day) for day in days.split())
    assert parse_span(text) == Span(expected, time(1), time(2))


@pytest.mark.parametrize(
    "text",
    [
        *("", "mon", "08:00-18:00", "mon 08:00", "mon 8-18", "mon 08:00-18:00 x", "mo 1:00-2:00"),
        *(
            "mon- 1:00-2:00",
            ",mon 1:00-2:00",
            "mon 24:00-06:00",
            "mon 25:00-06:00",
            "mon 1:60-2:00",
        ),
        *("mon 1:0-2:00", "mon 01:00-02:00-03:00", "mon -1:00-2:00", "mon 1:٣٤-2:00"),
        *("mon 001:00-2:00", "mon 1:²²-2:00", "mon\x0001:00-02:00", "daily,mon 1:00-2:00"),
    ],
)
def test_what_is_no_interval_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UsageError, match="mon-fri 08:00-18:00"):
        parse_span(text)


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        span = parse_span(text)
    except UsageError:
        return
    assert parse_span(span_text(span)) == span


@pytest.mark.parametrize("zone", ["", "Mars/Olympus", "../../etc/passwd", "/etc/passwd", "a\0b"])
def test_a_zone_that_is_none_is_refused(zone: str) -> None:
    with pytest.raises(UsageError, match="Europe/Vienna"):
        zone_of(zone)
    with pytest.raises(UsageError):
        Schedule((), zone)


def test_there_is_an_end_to_it() -> None:
    span = parse_span("daily 01:00-02:00")
    Schedule((span,) * MOST_SPANS)
    with pytest.raises(UsageError, match="at most 100"):
        Schedule((span,) * (MOST_SPANS + 1))
