"""Timelines and calendars over HTTP, of a real archive."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from camkeep.archive.index import Index
from camkeep.archive.layout import INDEX
from camkeep.clock import FakeClock, WallUs
from camkeep.model import Cause, Removal
from camkeep.server.access import Role
from support.indexdamage import flip, nonsense
from support.kept import GARAGE, GATE, Footage, clip, footage, gap, recorder
from support.segments import NOON, SECOND
from support.server import API, serving

HOUR = 3600 * SECOND
TIMELINE = f"{API}/cameras/{GARAGE}/timeline"


@pytest.fixture
def kept(tmp_path: Path) -> Footage:
    """The garage: 4 s, a gap of 30 s, 2 s; a clip of the first 3 s."""
    recorded = recorder(tmp_path)
    recorded.record("h264")
    recorded.record("h264")
    recorded.wait(30 * SECOND)
    recorded.record("h264")
    gaps = (gap(NOON + 4 * SECOND, 30, detail="it sent nothing for 8 s"),)
    made = footage(recorded, gaps)
    made.save_clip(clip())
    return made


def clock() -> FakeClock:
    """A minute after noon."""
    return FakeClock(wall=NOON + 60 * SECOND)


async def test_what_is_kept_what_is_missing_and_why(kept: Footage) -> None:
    async with serving(kept.root, clock=clock()) as site:
        asked = {"from": NOON, "to": NOON + 36 * SECOND}
        found = (await site.client.get(TIMELINE, params=asked)).json()
    (told,) = found["cameras"]
    assert found["start_us"] == NOON
    assert found["resolution_us"] == 18_000
    assert told["camera"] == GARAGE
    assert told["spans"] == [
        [NOON, NOON + 4 * SECOND],
        [NOON + 34 * SECOND, NOON + 36 * SECOND],
    ]
    (missing,) = told["gaps"]
    assert missing["cause"] == "stalled"
    assert missing["told"] == "it sent nothing for 8 s"
    assert not missing["lasting"]
    assert told["share"] == pytest.approx(6 / 36)
    (mark,) = told["clips"]
    assert mark["name"] == "a cat"


async def test_a_coarse_timeline_closes_short_holes(kept: Footage) -> None:
    async with serving(kept.root, clock=clock()) as site:
        asked = {"from": NOON, "to": NOON + 36 * SECOND, "resolution": 31}
        found = (await site.client.get(TIMELINE, params=asked)).json()
    (told,) = found["cameras"]
    assert told["spans"] == [[NOON, NOON + 36 * SECOND]]
    assert told["gaps"] == []
    assert told["share"] == pytest.approx(6 / 36)


async def test_instants_as_people_write_them(kept: Footage) -> None:
    async with serving(kept.root, clock=clock()) as site:
        for text in ("2026-11-21T12:00:00.123457Z", "2026-11-21T13:00:00.123457+01:00"):
            found = await site.client.get(TIMELINE, params={"from": text})
            assert found.json()["start_us"] == NOON
        plain = f"{TIMELINE}?from=2026-11-21T13:00:00.123457+01:00"  # a plus sign that is a space
        assert (await site.client.get(plain)).json()["start_us"] == NOON


@pytest.mark.parametrize(
    "query",
    ["", "from=noon", "from=-1", "from=2026-11-21T12:00:00", f"from={NOON}&to={NOON}",
     f"from={NOON}&resolution=-1", f"from={NOON}&resolution=nan", "from=99999999999999999999",
     "from=2026-13-01T00:00:00Z", "from=0001-01-01T00:00:00%2B14:00"],
)  # fmt: skip
async def test_what_makes_no_sense_is_told(kept: Footage, query: str) -> None:
    async with serving(kept.root, clock=clock()) as site:
        answer = await site.client.get(f"{TIMELINE}?{query}")
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


async def test_the_wall_shows_what_was_granted(kept: Footage) -> None:
    async with serving(kept.root, clock=clock()) as site:
        await site.user("boss")
        await site.user("anna", Role.VIEWER, [GATE])
        async with await site.login("boss") as boss, await site.login("anna") as anna:
            every = (await boss.get(f"{API}/timeline", params={"from": NOON})).json()
            assert [told["name"] for told in every["cameras"]] == ["Garage", "Gate"]
            hers = (await anna.get(f"{API}/timeline", params={"from": NOON})).json()
            assert [told["name"] for told in hers["cameras"]] == ["Gate"]
            asked = {"from": NOON, "cameras": f"{GATE},{GARAGE}"}
            assert (await anna.get(f"{API}/timeline", params=asked)).status_code == 404
            assert (await anna.get(TIMELINE, params={"from": NOON})).status_code == 404


async def test_a_segment_that_grows_is_as_long_as_it_is(tmp_path: Path) -> None:
    recorded = recorder(tmp_path)
    recorded.record("h264", closed=False)
    made = footage(recorded)
    async with serving(made.root, clock=clock()) as site:
        found = (await site.client.get(TIMELINE, params={"from": NOON - SECOND})).json()
    ((start, end),) = found["cameras"][0]["spans"]
    assert start == NOON
    assert 1.5 * SECOND < end - start <= 2 * SECOND


async def test_gaps_that_lasted_a_moment_only_are_told_together(kept: Footage) -> None:
    with Index.open(kept.root / INDEX) as index:
        for n in range(5):  # connecting, refused, connecting ...
            cause = Cause.STARTING if n % 2 else Cause.UNREACHABLE
            index.save_gap(GARAGE, gap(NOON + 40 * SECOND + n * SECOND, 1, cause))
    async with serving(kept.root, clock=clock()) as site:
        asked = {"from": NOON + 36 * SECOND, "to": NOON + 60 * SECOND, "resolution": 3}
        found = (await site.client.get(TIMELINE, params=asked)).json()
    (missing,) = found["cameras"][0]["gaps"]
    assert missing["cause"] == "unreachable"
    assert missing["end_us"] - missing["start_us"] == 5 * SECOND


async def test_days_of_a_calendar(kept: Footage) -> None:
    async with serving(kept.root, clock=FakeClock(wall=NOON + 30 * HOUR)) as site:
        days = f"{API}/cameras/{GARAGE}/days"
        (day,) = (await site.client.get(days)).json()["days"]
        assert day["day"] == "2026-11-21"
        assert day["end_us"] - day["start_us"] == 24 * HOUR
        assert day["recorded_us"] == 6 * SECOND
        assert day["missing_us"] == {"stalled": 30 * SECOND}
        elsewhere = (await site.client.get(days, params={"zone": "Pacific/Kiritimati"})).json()
        assert [day["day"] for day in elsewhere["days"]] == ["2026-11-22"]
        for zone in ("Nowhere/Land", "../../etc/passwd", "/etc/localtime", "x" * 64, "a\0b"):
            assert (await site.client.get(days, params={"zone": zone})).status_code == 422


async def test_footage_that_comes_and_goes_while_it_is_looked_at(kept: Footage) -> None:
    async with serving(kept.root, clock=clock()) as site:

        async def spans() -> list[list[int]]:
            found = await site.client.get(TIMELINE, params={"from": NOON, "to": NOON + HOUR})
            spans: list[list[int]] = found.json()["cameras"][0]["spans"]
            return spans

        before = await spans()
        assert len(before) == 2
        archive = site.desk.archive
        await archive.remove(GARAGE, kept.segments)  # a clip holds the first two
        assert await spans() == before[:1]
        archive.ask(lambda index: index.save_segments(kept.segments[2:]))
        assert await spans() == before


async def test_an_index_that_was_made_anew_is_read(kept: Footage) -> None:
    async with serving(kept.root, clock=clock()) as site:
        asked = {"from": NOON, "to": NOON + HOUR}
        before = (await site.client.get(TIMELINE, params=asked)).json()
        site.desk.archive.index.rebuild().result()
        assert (await site.client.get(TIMELINE, params=asked)).json() == before


@pytest.mark.parametrize("damage", [flip, nonsense])
async def test_an_index_that_a_reader_finds_damaged_is_made_anew(
    kept: Footage, damage: Callable[[Path], None]
) -> None:
    now = clock()
    async with serving(kept.root, clock=now) as site:
        asked = {"from": NOON, "to": NOON + HOUR}
        before = (await site.client.get(TIMELINE, params=asked)).json()
        damage(kept.root / INDEX)
        site.app.state.shelf.close()  # what SQLite has in memory is still right
        async with asyncio.timeout(20):
            while True:
                now.advance(61)
                answer = await site.client.get(TIMELINE, params=asked)
                if answer.status_code == 200:
                    break
                assert answer.status_code == 503
                assert answer.json()["type"] in ("urn:camkeep:index-damaged", "urn:camkeep:storage")
        found = answer.json()
    assert found["cameras"][0]["spans"] == before["cameras"][0]["spans"]
    assert found["cameras"][0]["gaps"] == before["cameras"][0]["gaps"]


NEXT = f"{API}/timeline/next"


async def test_where_footage_goes_on(kept: Footage) -> None:
    async with serving(kept.root, clock=clock()) as site:

        async def asked(at: int, **more: str) -> tuple[int | None, str | None]:
            found = (await site.client.get(NEXT, params={"at": at, **more})).json()
            return found["at_us"], found["gap"] and found["gap"]["cause"]

        begins, ends = NOON + 34 * SECOND, NOON + 4 * SECOND
        for within in (NOON, NOON + SECOND, ends, ends + SECOND, begins - 1):
            assert await asked(within) == (begins, "stalled")
        assert await asked(NOON - 400 * 24 * HOUR) == (NOON, None)
        assert await asked(begins) == (None, None)
        for within in (begins + 2 * SECOND, begins, ends + 1):
            assert await asked(within, direction="back") == (ends, "stalled")
        assert await asked(NOON + 400 * 24 * HOUR, direction="back") == (begins + 2 * SECOND, None)
        assert await asked(ends, direction="back") == (None, None)
        assert await asked(NOON, cameras=GATE) == (None, None)
        assert await asked(NOON, cameras=f"{GATE},{GARAGE}") == (begins, "stalled")
        assert (await site.client.get(NEXT)).status_code == 422
        assert (await site.client.get(NEXT, params={"at": 1, "cameras": "x"})).status_code == 404


async def test_where_footage_goes_on_after_days_of_it(tmp_path: Path) -> None:
    """Hours without a break, then a hole, then others; as long ago, the other way round."""
    recorded = recorder(tmp_path)
    part = recorded.record("h264").segment
    recorded.made.clear()
    made = footage(recorded)
    lengths = [(start * HOUR, HOUR) for start in range(100)]
    lengths += [(100 * HOUR + 7, HOUR), (3000 * HOUR, HOUR), (3001 * HOUR, HOUR)]
    with Index.open(made.root / INDEX) as index:
        index.save_segments(
            [
                replace(
                    part,
                    sequence=n,
                    start=WallUs(NOON + at),
                    duration_us=us,
                    path=f"recordings/garage/2026-11-21/{n}.mp4",
                )
                for n, (at, us) in enumerate(lengths, 1)
            ]
        )
    later = NOON + 5000 * HOUR
    async with serving(made.root, clock=FakeClock(wall=WallUs(later))) as site:

        async def asked(at: int, direction: str) -> int | None:
            query = {"at": at, "direction": direction, "cameras": GARAGE}
            found: int | None = (await site.client.get(NEXT, params=query)).json()["at_us"]
            return found

        begins = [NOON, NOON + 3000 * HOUR]  # a hole of 7 us is only a rounding
        ends = [NOON + 101 * HOUR + 7, NOON + 3002 * HOUR]
        for at, found in [(0, 0), (begins[0], 1), (NOON + 7 * HOUR, 1), (ends[0], 1)]:
            assert await asked(at, "forward") == begins[found]
        assert await asked(begins[1], "forward") is None
        for at, found in [(later, 1), (ends[1], 0), (NOON + 3001 * HOUR, 0), (begins[1], 0)]:
            assert await asked(at, "back") == ends[found]
        assert await asked(ends[0], "back") is None


async def test_where_footage_goes_on_is_told_of_cameras_that_were_granted(kept: Footage) -> None:
    async with serving(kept.root, clock=clock()) as site:
        await site.user("boss")
        await site.user("anna", Role.VIEWER, [GATE])
        async with await site.login("anna") as anna:
            query = {"at": NOON}
            assert (await anna.get(NEXT, params=query)).json()["at_us"] is None
            answer = await anna.get(NEXT, params={**query, "cameras": GARAGE})
            assert answer.status_code == 404


async def test_what_was_deleted_in_between_is_told(kept: Footage) -> None:
    with Index.open(kept.root / INDEX) as index:
        start, end = WallUs(NOON + 10 * SECOND), WallUs(NOON + 20 * SECOND)
        removal = Removal(GARAGE, 7, 7, 1, start, end, bytes(32), bytes(32), end)
        index.replace_removals(GARAGE, [removal])
    async with serving(kept.root, clock=clock()) as site:
        found = (await site.client.get(NEXT, params={"at": NOON})).json()
        assert found["removed"]
        assert found["gap"]["told"] == "it sent nothing for 8 s"
