"""Footage as a stream of messages, read as a page reads it; what comes is decoded by ffmpeg."""

from __future__ import annotations

import asyncio
import io
import json
import struct
from collections.abc import AsyncIterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
from PIL import Image

from camkeep.clock import FakeClock
from camkeep.server.access import Role
from support.kept import GARAGE, GATE, Footage, footage, gap, recorder
from support.movies import probed, stream
from support.segments import NOON, SECOND
from support.server import API, serving

PLAY = f"{API}/cameras/{GARAGE}/play"
PICTURE = f"{API}/cameras/{GARAGE}/picture.jpg"


class Message(NamedTuple):
    told: dict[str, Any]
    payload: bytes

    @property
    def kind(self) -> str:
        return str(self.told["type"])


def clock() -> FakeClock:
    return FakeClock(wall=NOON + 60 * SECOND)


async def messages(answer: httpx.Response) -> AsyncIterator[Message]:
    """The messages of a body, as they come."""
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/x-camkeep-play"
    data = b""
    async for piece in answer.aiter_bytes():
        data += piece
        while len(data) >= 8:
            told, payload = struct.unpack(">II", data[:8])
            if len(data) < 8 + told + payload:
                break
            yield Message(json.loads(data[8 : 8 + told]), data[8 + told : 8 + told + payload])
            data = data[8 + told + payload :]
    assert not data


async def played(client: httpx.AsyncClient, **asked: Any) -> list[Message]:
    """All that is played."""
    if "since" in asked:
        asked["from"] = asked.pop("since")
    async with client.stream("GET", PLAY, params=asked) as answer:
        return [message async for message in messages(answer)]


def movie_of(found: list[Message], path: Path) -> Path:
    """What a player would have in its buffer."""
    path.write_bytes(b"".join(m.payload for m in found if m.kind in ("header", "fragment")))
    return path


def until_next_header(found: list[Message]) -> list[Message]:
    """What belongs to the first header."""
    stop = (n for n, m in enumerate(found) if n and m.kind == "header")
    return found[: next(stop, len(found))]


@pytest.fixture
def kept(tmp_path: Path) -> Footage:
    """4 s with sound, a gap of 10 s, 2 s."""
    recorded = recorder(tmp_path / "archive")
    recorded.record("h264", "aac")
    recorded.record("h264", "aac")
    recorded.wait(10 * SECOND)
    recorded.record("h264", "aac")
    return footage(recorded, (gap(NOON + 4 * SECOND, 10),))


async def test_all_is_played_and_goes_on_over_a_gap(kept: Footage, tmp_path: Path) -> None:
    async with serving(kept.root, clock=clock()) as site:
        found = await played(site.client, since=NOON)
    headers = [m for m in found if m.kind == "header"]
    assert [h.told["why"] for h in headers] == ["start", "gap"]
    assert [h.told["wall_us"] for h in headers] == [NOON, NOON + 14 * SECOND]
    assert headers[0].told["codecs"].split(",")[0].startswith("avc1.")
    assert headers[0].told["codecs"].endswith("mp4a.40.2")
    assert found[-1].told == {
        "type": "end",
        "wall_us": NOON + 16 * SECOND,
        "next_us": None,
        "live": False,
    }
    first = until_next_header(found)
    assert len(probed(movie_of(first, tmp_path / "a.mp4"))) == 100
    fragments = [m for m in first if m.kind == "fragment"]
    for before, after in pairwise(fragments):
        assert after.told["at_us"] == before.told["at_us"] + before.told["duration_us"]
        assert after.told["wall_us"] == NOON + after.told["at_us"]


async def test_an_interval_ends_and_tells_what_comes_next(kept: Footage) -> None:
    async with serving(kept.root, clock=clock()) as site:
        found = await played(site.client, since=NOON + 3 * SECOND, to=NOON + 5 * SECOND)
        first = next(m for m in found if m.kind == "fragment")
        assert NOON + 2 * SECOND <= first.told["wall_us"] <= NOON + 3 * SECOND
        assert found[-1].told["next_us"] == NOON + 14 * SECOND
        silent = await played(site.client, since=NOON, to=NOON + SECOND, sound=False)
        assert "mp4a" not in silent[0].told["codecs"]
        assert silent[-1].told["next_us"] == NOON + SECOND


async def test_key_frames_alone_forward_and_back(kept: Footage, tmp_path: Path) -> None:
    async with serving(kept.root, clock=clock()) as site:
        on = await played(site.client, since=NOON, density="key")
        back = await played(
            site.client, since=NOON, to=NOON + 16 * SECOND, density="key", direction="back"
        )
        thin = await played(site.client, since=NOON, density="key", every=1.5)
        walls = [m.told["wall_us"] for m in back if m.kind == "fragment"]
        assert walls == sorted(walls, reverse=True)
        assert len(walls) == 15  # a key frame at frames 0, 12, 24, 36, 48 of each 2 s
        assert walls[0] == NOON + 14 * SECOND + 1_920_000
        assert [m.told["why"] for m in back if m.kind == "header"] == ["start", "gap", "gap"]
        assert back[-1].told == {
            "type": "end",
            "wall_us": NOON,
            "next_us": None,
            "live": False,
        }
        part = await played(
            site.client,
            since=NOON + 2 * SECOND,
            to=NOON + 14 * SECOND,
            density="key",
            direction="back",
        )
        assert part[-1].told["next_us"] == NOON + 2 * SECOND
    assert len([m for m in on if m.kind == "fragment"]) == 9  # each half a second or more
    assert len(probed(movie_of(until_next_header(on), tmp_path / "on.mp4"))) == 10
    assert len([m for m in thin if m.kind == "fragment"]) == 6
    for n in (0, 6, 12):  # each segment has a header, and a fragment is one picture
        assert [m.kind for m in back[n : n + 2]] == ["header", "fragment"]
        assert len(probed(movie_of(back[n : n + 2], tmp_path / f"{n}.mp4"))) == 1


async def test_jpeg_comes_as_pictures(tmp_path: Path) -> None:
    recorded = recorder(tmp_path / "archive")
    recorded.record("jpeg", "aac")
    made = footage(recorded)
    jpegs = [sample.data for sample in stream("jpeg").samples]
    async with serving(made.root, clock=clock()) as site:
        found = await played(site.client, since=NOON)
        assert [m.kind for m in found] == ["header", *["picture"] * 50, "end"]
        assert found[0].payload == b""
        assert [m.payload for m in found[1:-1]] == jpegs
        assert [m.told["wall_us"] - NOON for m in found[1:-1]] == [n * 40_000 for n in range(50)]
        back = await played(
            site.client, since=NOON, to=NOON + SECOND, density="key", direction="back", every=0.2
        )
        assert [m.payload for m in back[1:-1]] == jpegs[20::-5]
        answer = await site.client.get(PICTURE, params={"at": NOON + 55_000})
        assert answer.content == jpegs[1]
        assert answer.headers["content-type"] == "image/jpeg"
        assert answer.headers["x-camkeep-wall-us"] == str(NOON + 40_000)
        nothing = await site.client.get(PICTURE, params={"at": NOON + 9 * SECOND})
        assert nothing.status_code == 404


async def test_a_still_of_video_is_its_key_frame(kept: Footage) -> None:
    async with serving(kept.root, clock=clock()) as site:
        answer = await site.client.get(PICTURE, params={"at": NOON + 1_500_000})
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "image/jpeg"
        assert answer.headers["cache-control"].startswith("private")
        key = int(answer.headers["x-camkeep-wall-us"])
        assert NOON <= key <= NOON + 1_500_000
        with Image.open(io.BytesIO(answer.content)) as image:
            width, height = image.size
        small = await site.client.get(PICTURE, params={"at": NOON + 1_500_000, "width": 100})
        with Image.open(io.BytesIO(small.content)) as image:
            assert image.size == (100, round(height * 100 / width / 2) * 2)
        wide = await site.client.get(PICTURE, params={"at": NOON, "width": 4000})
        with Image.open(io.BytesIO(wide.content)) as image:
            assert image.size == (width, height)
        nothing = await site.client.get(PICTURE, params={"at": NOON + 3600 * SECOND})
        assert nothing.status_code == 404
        assert site.desk.live.pictures.workers == 0


async def test_what_grows_is_played_to_its_end_and_then_live(tmp_path: Path) -> None:
    recorded = recorder(tmp_path / "archive")
    recorded.record("h264", closed=False)
    made = footage(recorded)
    async with serving(made.root, clock=clock()) as site:
        found = await played(site.client, since=NOON)
    assert found[-1].told["live"]
    assert found[-1].told["next_us"] is None
    assert sum(m.told["duration_us"] for m in found if m.kind == "fragment") > 1.5 * SECOND


async def test_footage_that_cannot_be_read_is_told(kept: Footage) -> None:
    (kept.root / kept.segments[1].path).unlink()
    async with serving(kept.root, clock=clock()) as site:
        found = await played(site.client, since=NOON)
    (skipped,) = [m.told for m in found if m.kind == "skipped"]
    assert skipped["start_us"] == NOON + 2 * SECOND
    assert "gone" in skipped["reason"]
    assert str(kept.root) not in json.dumps(skipped)


async def test_nothing_is_played_of_what_was_not_granted(kept: Footage) -> None:
    async with serving(kept.root, clock=clock()) as site:
        await site.user("boss")
        await site.user("anna", Role.VIEWER, [GATE])
        async with await site.login("anna") as anna:
            assert (await anna.get(PLAY, params={"from": NOON})).status_code == 404
            assert (await anna.get(PICTURE, params={"at": NOON})).status_code == 404


async def test_a_long_stream_waits_for_its_reader_and_ends_with_it(tmp_path: Path) -> None:
    recorded = recorder(tmp_path / "archive")
    for _ in range(120):
        recorded.record("h264-large")
    made = footage(recorded)
    async with serving(made.root, clock=FakeClock(wall=NOON + 999 * SECOND)) as site:
        async with site.client.stream("GET", PLAY, params={"from": NOON}) as answer:
            coming = messages(answer)
            first = await anext(coming)
            assert first.kind == "header"
            assert len(site.desk.closers) == 1  # far from its end: nobody reads
            await coming.aclose()
        async with asyncio.timeout(5):
            while len(site.desk.closers):
                await asyncio.sleep(0.01)


async def test_it_ends_when_the_person_may_not_see_it_any_more(tmp_path: Path) -> None:
    recorded = recorder(tmp_path / "archive")
    for _ in range(120):
        recorded.record("h264-large")
    made = footage(recorded)
    async with serving(made.root, clock=FakeClock(wall=NOON + 999 * SECOND)) as site:
        await site.user("boss")
        anna = await site.user("anna", Role.VIEWER, [GARAGE])
        async with (
            await site.login("anna") as client,
            client.stream("GET", PLAY, params={"from": NOON}) as answer,
        ):
            assert answer.status_code == 200
            user = site.accounts.users.by_id(anna)
            assert user is not None
            await site.accounts.users.change(replace(user, cameras=frozenset()))
            with pytest.raises(httpx.RemoteProtocolError):
                await asyncio.wait_for(answer.aread(), 10)


@pytest.mark.parametrize(
    "query",
    ["", "from=x", f"from={NOON}&density=some", f"from={NOON}&direction=back",
     f"from={NOON}&direction=up", f"from={NOON}&every=-1", f"from={NOON}&to={NOON}"],
)  # fmt: skip
async def test_what_makes_no_sense_is_told(kept: Footage, query: str) -> None:
    async with serving(kept.root, clock=clock()) as site:
        assert (await site.client.get(f"{PLAY}?{query}")).status_code == 422
