"""The scale of the page's timeline, in a real browser's engine, in zones that set their clocks."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import pytest_asyncio

from camkeep.server.web.pages import pages
from support.page import chromium, visiting
from support.server import serving

SECOND = 1_000_000
HOUR = 3600 * SECOND
DAY = 24 * HOUR
BERLIN, LORD_HOWE, BEIRUT = "Europe/Berlin", "Australia/Lord_Howe", "Asia/Beirut"
ZONES = (BERLIN, LORD_HOWE, BEIRUT, "UTC")
PLACE_PX, LETTER_PX = 4, 7
"""From a tick to its label, and how wide each letter is taken to be."""
EACH = """async ([path, name, every]) => {
  const call = (await import(path))[name];
  return every.map((given) => call(...given));
}"""

Ask = Callable[..., Awaitable[Any]]


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def zones(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[dict[str, Ask]]:
    """Of each zone a way to call a function of the scale with many arguments at once."""
    async with AsyncExitStack() as stack:
        folder = tmp_path_factory.mktemp("scale") / "a"
        site = await stack.enter_async_context(serving(folder))
        browser = await stack.enter_async_context(chromium())
        asks = {}
        for zone in ZONES:
            seen = await stack.enter_async_context(
                visiting(browser, site.url, locale="en-GB", timezone_id=zone)
            )
            path = f"/ui/{pages().version}/timescale.js"

            async def ask(
                name: str, *every: list[Any], page: Any = seen.page, path: str = path
            ) -> Any:
                return await page.evaluate(EACH, [path, name, list(every)])

            asks[zone] = ask
        yield asks


def us(zone: str, *parts: int, fold: int = 0) -> int:
    """The instant that a clock in that zone shows."""
    moment = datetime(*parts, tzinfo=ZoneInfo(zone), fold=fold)
    return round(moment.timestamp()) * SECOND


def local(at: int, zone: str) -> datetime:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at)).astimezone(
        ZoneInfo(zone)
    )


def windows(count: int = 250) -> list[tuple[dict[str, float], int]]:
    """All lengths, anywhere, and around the nights in which clocks are set; and widths."""
    chance = random.Random(5)
    nights = [
        us("UTC", 2026, 3, 29),
        us("UTC", 2026, 10, 25),
        us("UTC", 2026, 4, 4, 15),
        us("UTC", 2026, 10, 3, 15),
    ]
    found = []
    for n in range(count):
        span = 10 * SECOND * (30 * DAY / (10 * SECOND)) ** (n % 25 / 24)
        middle = chance.choice([*nights, us("UTC", 2026, 1, 1) + chance.random() * 365 * DAY])
        start = middle - span * chance.random()
        width = chance.choice([320, 390, 720, 1208, 1848, 3768])
        found.append(({"from": start, "to": start + span}, width))
    return found


async def test_ticks_rise_and_labels_never_touch(zones: dict[str, Ask]) -> None:
    for zone, ask in zones.items():
        asked = windows()
        scales = await ask("scale", *([window, width, "en-GB"] for window, width in asked))
        for (window, width), scale in zip(asked, scales, strict=True):
            check_scale(zone, window, width, scale)


def check_scale(zone: str, window: dict[str, float], width: int, scale: Any) -> None:
    told = (zone, window, width)
    for instants in ([tick["at"] for tick in scale["ticks"]], scale["minor"]):
        assert all(one < two for one, two in pairwise(instants)), told
        assert all(window["from"] <= at < window["to"] + SECOND for at in instants), told
    assert scale["labels"], told
    right = -12.0
    for label in scale["labels"]:
        assert label["x"] >= right + 12, told
        right = label["x"] + LETTER_PX * len(label["text"])
        assert right <= width, told
        share = (label["at"] - window["from"]) / (window["to"] - window["from"])
        assert label["x"] == pytest.approx(share * width + PLACE_PX, abs=0.01), told
        check_text(zone, label, told)


def check_text(zone: str, label: Any, told: object) -> None:
    """A time is that of the clock there; it names its zone in an hour that comes twice only."""
    at = local(int(label["at"]), zone)
    day = f"{at.day} {at:%b}".replace("Sep", "Sept")
    if ":" not in label["text"]:
        assert label["text"] in (day, f"{at:%a} {day}"), told
        return
    time, _, name = label["text"].partition(" ")
    assert time == (at.strftime("%H:%M:%S") if time.count(":") == 2 else at.strftime("%H:%M"))
    twice = at.replace(fold=0).utcoffset() > at.replace(fold=1).utcoffset()
    assert bool(name) == twice, (told, label)


async def test_days_of_23_and_25_hours(zones: dict[str, Ask]) -> None:
    async def texts(zone: str, start: int, end: int, width: int = 2600) -> list[str]:
        (scale,) = await zones[zone]("scale", [{"from": start, "to": end}, width, "en-GB"])
        return [label["text"] for label in scale["labels"]]

    autumn = us(BERLIN, 2026, 10, 25), us(BERLIN, 2026, 10, 26)
    assert autumn[1] - autumn[0] == 25 * HOUR
    (scale,) = await zones[BERLIN]("scale", [{"from": autumn[0], "to": autumn[1]}, 1600])
    assert len(scale["ticks"]) == 25
    found = await texts(BERLIN, *autumn)
    assert found[0] == "Sun 25 Oct"
    assert [text for text in found if text.startswith("02")] == ["02:00 CEST", "02:00 CET"]
    assert "03:00" in found
    spring = await texts(BERLIN, us(BERLIN, 2026, 3, 29), us(BERLIN, 2026, 3, 30))
    assert "01:00" in spring
    assert not [text for text in spring if text.startswith("02")]
    assert "03:00" in spring
    half = us(LORD_HOWE, 2026, 4, 5)
    found = await texts(LORD_HOWE, half, half + 4 * HOUR)
    assert [text for text in found if text.startswith("01:30")] == [
        "01:30 GMT+11",
        "01:30 GMT+10:30",
    ]
    assert "02:00" in found


async def test_a_day_that_begins_at_one_begins(zones: dict[str, Ask]) -> None:
    start = us(BEIRUT, 2026, 3, 28, 12)
    begins = us(BEIRUT, 2026, 3, 29, 1)
    for span in (DAY, 3 * HOUR + 12 * HOUR, 30 * DAY):
        (scale,) = await zones[BEIRUT]("scale", [{"from": start, "to": start + span}, 3000])
        assert begins in [tick["at"] for tick in scale["ticks"]], span
        (label,) = [each for each in scale["labels"] if each["at"] == begins]
        assert "29" in label["text"]
    assert local(begins - 1, BEIRUT).day == 28


async def test_what_is_under_the_pointer_stays_there(zones: dict[str, Ask]) -> None:
    chance = random.Random(6)
    asked = []
    for window, _ in windows():
        share = chance.random()
        at = window["from"] + share * (window["to"] - window["from"])
        asked.append((window, 4 ** chance.uniform(-2, 2), at, share))
    found = await zones["UTC"]("zoomed", *([window, by, at] for window, by, at, _ in asked))
    for (window, by, at, share), new in zip(asked, found, strict=True):
        span = new["to"] - new["from"]
        assert (at - new["from"]) / span == pytest.approx(share, abs=1e-6)
        wanted = (window["to"] - window["from"]) * by
        assert span == pytest.approx(min(30 * DAY, max(10 * SECOND, wanted)), rel=1e-6)


async def test_the_window_follows_what_leaves_it(zones: dict[str, Ask]) -> None:
    ask = zones["UTC"]
    window = {"from": 0, "to": 1000}
    within, right, left = await ask(
        "followed", [window, 500, 0.1, 0.9], [window, 950, 0.1, 0.9], [window, -300, 0.1, 0.9]
    )
    assert within == window
    assert right == {"from": 50, "to": 1050}
    assert left == {"from": -400, "to": 600}


async def test_instants_in_words(zones: dict[str, Ask]) -> None:
    noon = us(BERLIN, 2026, 11, 25, 12)
    first, again = us(BERLIN, 2026, 10, 25, 2, 30), us(BERLIN, 2026, 10, 25, 2, 30, fold=1)
    assert again - first == HOUR
    ask = zones[BERLIN]
    assert await ask(
        "clock", [noon, False], [noon], [first, True, "en-GB"], [again, True, "de"]
    ) == [
        "12:00",
        "12:00:00",
        "02:30:00 CEST",
        "02:30:00 MEZ",
    ]
    assert await ask(
        "moment", [noon, noon + HOUR, "en-GB"], [noon, noon + DAY, "en-GB", False]
    ) == [
        "12:00:00",
        "Wed 25 Nov, 12:00",
    ]
