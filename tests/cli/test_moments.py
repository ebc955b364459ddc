"""Moments as people type and read them, over years of summer and winter time."""

from __future__ import annotations

import argparse
import time as clock
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, tzinfo
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from camkeep.archive.localdays import day_start, days_of
from camkeep.cli.moments import in_local, moment
from camkeep.clock import WallUs

SECOND = 1_000_000
HOUR = 3600 * SECOND

BERLIN = ZoneInfo("Europe/Berlin")
NEW_YORK = ZoneInfo("America/New_York")
LORD_HOWE = ZoneInfo("Australia/Lord_Howe")  # half an hour of summer time
KATHMANDU = ZoneInfo("Asia/Kathmandu")  # 5:45 ahead, none
ST_JOHNS = ZoneInfo("America/St_Johns")  # changed its clocks a minute after midnight until 2011
APIA = ZoneInfo("Pacific/Apia")  # left out the 30th of December 2011
SAO_PAULO = ZoneInfo("America/Sao_Paulo")  # left out midnights until 2018
ZONES = [BERLIN, NEW_YORK, LORD_HOWE, KATHMANDU, ST_JOHNS, APIA, SAO_PAULO]


def utc(text: str) -> WallUs:
    """Microseconds of an ISO time in UTC."""
    return WallUs(round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1e6))


NOW = utc("2026-11-21 14:00:00.5")


def at(text: str, zone: tzinfo | None = BERLIN, *, end_of_day: bool = False) -> WallUs:
    found = moment(text, now=NOW, zone=zone, end_of_day=end_of_day)
    assert not found.remark
    return found.wall


def refusal(text: str, zone: tzinfo | None = BERLIN) -> str:
    with pytest.raises(argparse.ArgumentTypeError) as refused:
        moment(text, now=NOW, zone=zone)
    return str(refused.value)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("2026-11-21 14:03", "2026-11-21 13:03"),
        ("2026-7-1 14:03", "2026-07-01 12:03"),
        ("2026-11-21T14:03:07Z", "2026-11-21 14:03:07"),
        ("2026-11-21t14:03:07.25z", "2026-11-21 14:03:07.25"),
        ("2026-11-21 14:03:07,000001 UTC", "2026-11-21 14:03:07.000001"),
        ("2026-11-21 14:03+02:00", "2026-11-21 12:03"),
        ("2026-11-21 14:03 -0530", "2026-11-21 19:33"),
        ("2026-11-21 14:03+05", "2026-11-21 09:03"),
        ("14:03", "2026-11-21 13:03"),
        ("9:03:30", "2026-11-21 08:03:30"),
        ("14:03Z", "2026-11-21 14:03"),
        ("00:30+14:00", "2026-11-21 10:30"),
        ("today 8:00", "2026-11-21 07:00"),
        ("Yesterday 18:00", "2026-11-20 17:00"),
        ("  yesterday   18:00 ", "2026-11-20 17:00"),
        ("2026-11-21", "2026-11-20 23:00"),
        ("yesterday", "2026-11-19 23:00"),
        ("now", "2026-11-21 14:00:00.5"),
        ("10m ago", "2026-11-21 13:50:00.5"),
        ("-10m", "2026-11-21 13:50:00.5"),
        ("- 1h30m", "2026-11-21 12:30:00.5"),
        ("2d AGO", "2026-11-19 14:00:00.5"),
    ],
)
def test_what_people_type(text: str, meant: str) -> None:
    assert at(text) == utc(meant)


def test_a_day_alone_is_its_beginning_or_its_end() -> None:
    assert at("2026-10-25", end_of_day=True) - at("2026-10-25") == 25 * HOUR
    assert at("2026-03-29", end_of_day=True) - at("2026-03-29") == 23 * HOUR
    assert at("today", end_of_day=True) == utc("2026-11-21 23:00")
    assert at("10:00", end_of_day=True) == at("10:00")


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "noon", "14", "1:5", "24:00", "14:60", "14:03:60", "2026-02-30", "2026-13-01"),
        *(
            "tomorrow 10:00",
            "2026-11-2114:03",
            "2026-11-21Z",
            "14:03+25:00",
            "14:03+02:0",
            "14:03 x",
        ),
        *("ago", "10 ago of", "0001-01-01", "9999-12-31 23:59-14:00", "١٤:٠٣", "14:03 x"),
    ],
)
def test_what_is_no_moment_is_told_with_an_example(text: str) -> None:
    assert "write" in refusal(text)


@pytest.mark.parametrize("text", ["10 ago", "-5", "-x", "10x ago", "m ago", "9" * 400 + "d ago"])
def test_lengths_of_time_that_are_none(text: str) -> None:
    try:
        moment(text, now=NOW, zone=BERLIN)
    except argparse.ArgumentTypeError:
        pass


def test_no_camera_was_kept_before_1970() -> None:
    assert "before 1970" in refusal("1969-12-31 12:00")
    assert "before 1970" in refusal("90000d ago")


def test_the_hour_that_does_not_exist_is_refused() -> None:
    assert refusal("2026-03-29 02:30") == (
        "2026-03-29 02:30 does not exist: clocks went from 02:00 to 03:00 then"
    )
    assert "from 02:00 to 02:30" in refusal("2026-10-04 02:10:07", LORD_HOWE)
    assert at("2026-03-29 03:00") == utc("2026-03-29 01:00")
    assert at("2026-03-29 02:30Z") == utc("2026-03-29 02:30")
    assert "from 00:00 to 00:00 then" in refusal("2011-12-30 10:00", APIA)


def test_of_the_hour_that_comes_twice_the_first_is_taken_and_that_is_said() -> None:
    found = moment("2026-10-25 02:30", now=NOW, zone=BERLIN)
    assert found.wall == utc("2026-10-25 00:30")
    assert found.remark == (
        "2026-10-25 02:30 comes twice, and the first is taken (+02:00); "
        "the second is 2026-10-25 02:30+01:00"
    )
    assert at("2026-10-25 02:30+01:00") == utc("2026-10-25 01:30")
    assert at("2026-10-25 02:30+02:00") == found.wall
    found = moment("2026-04-05 01:45:10.5", now=NOW, zone=LORD_HOWE)
    assert "(+11:00); the second is 2026-04-05 01:45:10.500000+10:30" in found.remark


def test_what_people_read() -> None:
    wall = utc("2026-11-21 13:03:07.256789")
    assert in_local(wall, BERLIN) == "2026-11-21 14:03:07"
    assert in_local(wall, BERLIN, digits=3) == "2026-11-21 14:03:07.256"
    assert in_local(wall, KATHMANDU, digits=6) == "2026-11-21 18:48:07.256789"
    assert in_local(utc("2026-10-25 00:30"), BERLIN) == "2026-10-25 02:30:00+02:00"
    assert in_local(utc("2026-10-25 01:30"), BERLIN, digits=1) == "2026-10-25 02:30:00.0+01:00"
    assert in_local(utc("2026-10-25 02:30"), BERLIN) == "2026-10-25 03:30:00"


walls = st.integers(utc("2005-01-01"), utc("2035-01-01")).map(WallUs)
zones = st.sampled_from(ZONES)


def near_changes(zone: tzinfo) -> Iterator[int]:
    """Moments in which clocks of `zone` are changed, from 2008 to 2030."""
    offset = None
    for hour in range(utc("2008-01-01") // HOUR, utc("2030-01-01") // HOUR):
        new = datetime.fromtimestamp(hour * 3600, UTC).astimezone(zone).utcoffset()
        if offset is not None and new != offset:
            yield hour * HOUR
        offset = new


CHANGES = {zone: list(near_changes(zone)) for zone in ZONES}


@st.composite
def places(draw: st.DrawFn) -> tuple[WallUs, ZoneInfo]:
    """A moment and a zone; often when clocks are changed there."""
    zone = draw(zones)
    if not CHANGES[zone] or draw(st.booleans()):
        return draw(walls), zone
    return WallUs(
        draw(st.sampled_from(CHANGES[zone])) + draw(st.integers(-HOUR * 3, HOUR * 3))
    ), zone


@settings(max_examples=500)
@given(places(), st.integers(0, 6))
def test_what_is_read_can_be_typed_and_is_the_same_moment(
    place: tuple[WallUs, ZoneInfo], digits: int
) -> None:
    wall, zone = place
    shown = in_local(wall, zone, digits=digits)
    typed = moment(shown, now=NOW, zone=zone)
    assert typed.wall == wall - wall % 10 ** (6 - digits)
    assert not typed.remark


@settings(max_examples=500)
@given(places())
def test_local_time_typed_is_the_moment_the_first_time_it_is_shown_or_refused(
    place: tuple[WallUs, ZoneInfo],
) -> None:
    wall, zone = place
    local = (datetime(1970, 1, 1) + timedelta(microseconds=wall)).replace(microsecond=0)
    text = local.isoformat(" ")
    shown_at = [  # by looking at what the clocks show at every offset there is
        WallUs(wall - wall % SECOND - offset * 15 * 60 * SECOND)
        for offset in range(14 * 4, -14 * 4, -1)
        if (local.replace(tzinfo=UTC) - timedelta(minutes=15 * offset))
        .astimezone(zone)
        .replace(tzinfo=None)
        == local
    ]
    if not shown_at:
        assert "does not exist" in refusal(text, zone)
        return
    found = moment(text, now=NOW, zone=zone)
    assert found.wall == min(shown_at)
    assert bool(found.remark) == (len(shown_at) == 2)


@settings(max_examples=100)
@given(places(), st.integers(0, 40 * 24 * HOUR))
@example((utc("2011-12-28 10:00"), APIA), 72 * HOUR)
@example((utc("2010-11-07 02:31:30"), ST_JOHNS), 1)  # a minute of the next day, then
@example((utc("2010-11-07 03:00"), ST_JOHNS), HOUR)  # an hour of the last one again
def test_days_follow_each_other_and_have_the_length_of_the_calendar(
    place: tuple[WallUs, ZoneInfo], length: int
) -> None:
    (start, zone), end = place, WallUs(place[0] + length)
    days = days_of(start, end, zone)
    if not length:
        assert days == []
        return
    assert days[0].start <= start < days[0].end
    assert days[-1].start < end <= days[-1].end
    assert all(one.end == other.start for one, other in pairwise(days))
    assert all(22.5 * HOUR <= day.end - day.start <= 25.5 * HOUR for day in days)
    assert all(one.day < other.day for one, other in pairwise(days))
    for day in days:
        middle = datetime.fromtimestamp((day.start + day.end) / 2e6, UTC).astimezone(zone)
        assert middle.date() == day.day


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        (BERLIN, date(2026, 3, 29), 23),
        (BERLIN, date(2026, 10, 25), 25),
        (BERLIN, date(2026, 11, 21), 24),
        (LORD_HOWE, date(2026, 10, 4), 23.5),
        (LORD_HOWE, date(2026, 4, 5), 24.5),
        (SAO_PAULO, date(2018, 11, 4), 23),
        (APIA, date(2011, 12, 30), 0),
        (APIA, date(2011, 12, 31), 24),
    ],
)
def test_lengths_of_days(zone: ZoneInfo, day: date, hours: float) -> None:
    assert day_start(day + timedelta(days=1), zone) - day_start(day, zone) == hours * HOUR


def test_a_year_has_all_its_days() -> None:
    for zone in (BERLIN, NEW_YORK, LORD_HOWE, KATHMANDU):
        start, end = day_start(date(2028, 1, 1), zone), day_start(date(2029, 1, 1), zone)
        days = days_of(start, end, zone)
        assert len(days) == 366
        assert (days[0].start, days[-1].end) == (start, end)


@settings(max_examples=200)
@given(places())
@example((utc("2026-10-25 01:30"), BERLIN))
@example((utc("2026-03-29 01:00"), BERLIN))
@example((utc("2010-09-26 11:00"), APIA))
def test_the_zone_of_this_machine_is_as_good_as_a_named_one(place: tuple[WallUs, ZoneInfo]) -> None:
    wall, zone = place
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", zone.key)
        clock.tzset()
        try:
            shown = in_local(wall, None, digits=6)
            assert shown == in_local(wall, zone, digits=6)
            assert moment(shown, now=NOW, zone=None).wall == wall
            assert days_of(wall, WallUs(wall + HOUR), None) == days_of(
                wall, WallUs(wall + HOUR), zone
            )
        finally:
            patch.undo()
            clock.tzset()


@given(st.text(max_size=25) | st.text("0123456789:-+ Ztodayagonwm.", max_size=25), zones)
def test_any_text_is_a_moment_or_a_clear_refusal(text: str, zone: ZoneInfo) -> None:
    try:
        assert moment(text, now=NOW, zone=zone).wall >= 0
    except argparse.ArgumentTypeError:
        pass
