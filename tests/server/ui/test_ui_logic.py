"""What the page decides without a page: its pure modules, in a real browser's engine."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from itertools import pairwise, product
from pathlib import Path
from typing import Any

import pytest

from camkeep.server.live.socket import FRAGMENT, HEADER, JPEG
from camkeep.server.web.pages import pages
from support.page import chromium, visiting
from support.server import serving

Ask = Callable[..., Awaitable[Any]]
CALL = """async ([path, name, given]) => {
  const made = given.map((each) => each?.bytes ? Uint8Array.from(each.bytes).buffer : each);
  const result = (await import(path))[name](...made);
  return result?.data instanceof Uint8Array ? {...result, data: [...result.data]} : result;
}"""


@pytest.fixture
async def ask(tmp_path: Path) -> AsyncIterator[Ask]:
    """Call a function of a module: `ask("words", "running", 7000)`."""
    async with (
        serving(tmp_path / "a") as site,
        chromium() as browser,
        visiting(browser, site.url, locale="en-GB", timezone_id="Europe/Berlin") as seen,
    ):

        async def call(module: str, name: str, *given: Any) -> Any:
            path = f"/ui/{pages().version}/{module}.js"
            return await seen.page.evaluate(CALL, [path, name, list(given)])

        yield call


async def test_words(ask: Ask) -> None:
    for ms, told in [(-5, "0:00"), (7_900, "0:07"), (723_000, "12:03"), (3_723_000, "1:02:03")]:
        assert await ask("words", "running", ms) == told
    for ms, told in [
        (900, "now"),
        (3_000, "3 s ago"),
        (119_000, "1 min ago"),
        (7_200_000, "2 h ago"),
        (200_000_000, "2 days ago"),
    ]:
        assert await ask("words", "ago", ms) == told
    noon_ms = 1_790_000_000_000
    assert await ask("words", "moment", noon_ms * 1000, noon_ms) == "16:13:20"
    assert await ask("words", "moment", noon_ms * 1000, noon_ms, "UTC") == "14:13:20"
    tomorrow = noon_ms + 86_400_000
    assert await ask("words", "moment", noon_ms * 1000, tomorrow) == "2026-09-21 16:13:20"
    assert await ask("words", "sentence", " the camera is gone ") == "The camera is gone."
    assert await ask("words", "sentence", "is it on?") == "Is it on?"
    assert await ask("words", "sentence", "") == ""


async def test_states_in_words(ask: Ask) -> None:
    refused = await ask("words", "saying", "refused", "the password is wrong")
    told = {"word": "Refused", "told": "The password is wrong.", "tone": "trouble"}
    assert refused == told
    for state in ("connecting", "live", "waiting", "refused", "idle", "off", "failed", "away"):
        said = await ask("words", "saying", state)
        assert said["word"]
        assert (said["tone"] == "trouble") == (state in ("waiting", "refused", "failed"))
    assert (await ask("words", "saying", "constructor"))["word"] == "Connecting"


async def test_names_and_what_a_camera_sends(ask: Ask) -> None:
    for address, name in [
        ("rtsp://admin:x@192.168.1.20:554/a", "192.168.1.20"),
        ("http://[fe80::1]/x", "fe80::1"),
        ("easyn://garage.local/", "garage.local"),
        ("0", "webcam"),
        ("/dev/video2", "webcam"),
        ("testcard:", "test card"),
        ("  ", ""),
        ("what", ""),
    ]:
        assert await ask("words", "nameOf", address) == name
    video = {"codec": "h264", "width": 1920, "height": 1080}
    report = {"video": video, "audio": None, "measured_fps": 24.97}
    assert await ask("words", "sends", report) == (
        "H.264, 1920 × 1080, 25 pictures a second, without sound"
    )
    assert await ask("words", "sends", None) == ""


WINDOWS = [(1208, 800), (1848, 1080), (3768, 2160), (360, 684)]
COUNTS = [1, 2, 3, 4, 5, 7, 9, 12, 16, 32]


async def test_a_wall_keeps_shapes_and_order_and_overlaps_nowhere(ask: Ask) -> None:
    for (width, height), count in product(WINDOWS, COUNTS):
        await check_wall(ask, count, width, height)


async def check_wall(ask: Ask, count: int, width: int, height: int) -> None:
    shapes = [(16 / 9, 4 / 3, 9 / 16)[n % 3] if count > 4 else 16 / 9 for n in range(count)]
    wall = await ask("fit", "fit", shapes, width, height)
    boxes = wall["boxes"]
    assert len(boxes) == count
    fits = wall["height"] == height
    for shape, box in zip(shapes, boxes, strict=True):
        assert box["width"] > 0
        assert box["x"] >= -0.01
        assert box["x"] + box["width"] <= width + 0.01
        assert box["y"] >= -0.01
        assert box["y"] + box["height"] <= wall["height"] + 0.01
        assert not fits or count == 1 or box["height"] >= 136
        if width >= 600 and fits:
            assert box["width"] / box["height"] == pytest.approx(shape, rel=0.01)
    for one, two in pairwise(boxes):
        beside = two["x"] >= one["x"] + one["width"] + 1.99
        below = two["y"] >= one["y"] + one["height"] + 1.99
        assert beside or below
    covered = sum(box["width"] * box["height"] for box in boxes)
    if fits and width >= 600:
        assert covered > 0.45 * width * height


async def test_on_a_phone_a_picture_is_no_higher_than_the_window(ask: Ask) -> None:
    wall = await ask("fit", "fit", [9 / 16, 16 / 9], 390, 600)
    assert [box["height"] for box in wall["boxes"]] == pytest.approx([600, 390 * 9 / 16])


async def test_some_are_larger_and_still_nothing_overlaps(ask: Ask) -> None:
    for (width, height), count in product(WINDOWS, [2, 3, 5, 20, 40]):
        for large, tall in ((1, 16 / 9), (2, 16 / 9), (1, 9 / 16)):
            shapes = [tall if n % 3 == 1 else 16 / 9 for n in range(count)]
            wall = await ask("fit", "fit", shapes, width, height, 2, large)
            boxes = wall["boxes"]
            assert len(boxes) == count
            for n, box in enumerate(boxes):
                assert -0.01 <= box["x"] <= width - box["width"] + 0.01
                assert -0.01 <= box["y"] <= wall["height"] - box["height"] + 0.01
                for other in boxes[n + 1 :]:
                    apart = abs(box["x"] - other["x"]) + 0.01
                    below = abs(box["y"] - other["y"]) + 0.01
                    left = box if box["x"] < other["x"] else other
                    upper = box if box["y"] < other["y"] else other
                    assert apart >= left["width"] or below >= upper["height"], (count, width)
            areas = [box["width"] * box["height"] for box in boxes]
            if width >= 1280 and count < 20:
                assert sum(areas) > 0.3 * width * wall["height"], (count, large, width)
            if width >= 640 and count > large and tall > 1:
                assert min(areas[:large]) > 1.4 * max(areas[large:]), (count, large, width)


async def test_the_wall_of_a_device(ask: Ask) -> None:
    cameras = [{"id": each} for each in "abcd"]
    for order, large, wanted in [
        ("", "", "abcd"),
        ("dxb", "", "dbca"),
        ("dcba", "a", "adcb"),
        ("", "cd", "cdab"),
    ]:
        layout = {"order": list(order), "large": list(large)}
        found = await ask("layout", "ordered", cameras, layout)
        assert sorted(each["id"] for each in found) == list("abcd")
        if order != "dxb":
            assert "".join(each["id"] for each in found) == wanted
    assert await ask("layout", "moved", ["a", "b", "c"], "a", 2) == ["b", "c", "a"]
    nothing = {"order": [], "large": []}
    assert await ask("layout", "resized", nothing, "a") == {"order": [], "large": ["a"]}
    assert await ask("layout", "resized", {"order": [], "large": ["a"]}, "a") == nothing
    for text in (None, "", "{", "[]", '{"order": 1}', '{"order": [1], "large": [{}]}'):
        assert await ask("layout", "read", text) == nothing
    boxes = [{"x": x, "y": y, "width": 100, "height": 60} for y in (0, 62) for x in (0, 102)]
    for start, key, end in [(0, "Right", 1), (1, "Down", 3), (3, "Up", 1), (0, "Up", -1)]:
        assert await ask("layout", "beside", boxes, start, f"Arrow{key}") == end


async def test_hours_of_the_week(ask: Ask) -> None:
    for text, shown in [
        ("mon,tue,wed,thu,fri 08:00-18:00", "mon-fri 08:00-18:00"),
        ("sat,sun 22:00-06:00", "sat,sun 22:00-06:00"),
        ("fri-mon 7:00-24:00", "mon,fri-sun 07:00-00:00"),
        ("daily 00:00-00:00", "daily 00:00-00:00"),
    ]:
        assert await ask("week", "text", await ask("week", "parse", text)) == shown
    night = await ask("week", "parse", "sun 18:00-06:00")
    week = await ask("week", "covered", [night])
    assert (week[6], week[0], week[1]) == ([[0.75, 1]], [[0, 0.25]], [])


async def test_an_address_is_taken_apart(ask: Ask) -> None:
    assert await ask("camera-values", "apart", "rtsp://me:p%40ss@10.0.0.7/x") == {
        "address": "rtsp://10.0.0.7/x",
        "user": "me",
        "password": "p@ss",
    }
    assert (await ask("camera-values", "apart", "rtsp://me:a@b%zz@h/x"))["password"] == "a@b%zz"
    for plain in ("rtsp://10.0.0.7/x", "0", "http://h/a@b", ""):
        assert await ask("camera-values", "apart", plain) is None


async def test_how_it_keeps_close_to_what_is_live(ask: Ask) -> None:
    aim = await ask("pace", "goal", 0.1)
    assert 0.1 < aim < 0.2
    assert await ask("pace", "goal", 1.0) > 1.0, "slow cameras are not chased"
    assert await ask("pace", "pace", aim, aim, 1) == {"leap": False, "rate": 1}
    hurries = (await ask("pace", "pace", aim + 0.4, aim, 1))["rate"]
    assert hurries > 1
    assert (await ask("pace", "pace", aim + 0.1, aim, hurries))["rate"] == hurries
    assert (await ask("pace", "pace", aim, aim, hurries))["rate"] == 1
    assert (await ask("pace", "pace", aim + 0.05, aim, 1))["rate"] > 1, "a frame late is late"
    assert (await ask("pace", "pace", aim + 30, aim, 1))["leap"] is True
    assert (await ask("pace", "pace", aim + 0.5, aim, 1, True))["leap"], "it begins at the newest"
    assert not (await ask("pace", "pace", aim + 0.2, aim, 1, True))["leap"]
    assert await ask("pace", "spared", 0.5, 20, False) == pytest.approx(0.4), "forgiven with time"
    assert await ask("pace", "spared", 0.5, 0, True) == pytest.approx(0.6)
    assert await ask("pace", "spared", 1.0, 0, True) == 1.0, "not for ever more"
    assert await ask("pace", "goal", 0.04, 0.3) == pytest.approx(0.368)
    assert await ask("pace", "spread", 0.04, 0.2) == 0.2, "it waits as long at once"
    assert 0.1 < await ask("pace", "spread", 0.2, 0.04) < 0.2, "and less only with time"
    ranges = [[0, 5], [7, 9]]
    assert await ask("pace", "outOfGap", ranges, 3) is None
    assert await ask("pace", "outOfGap", ranges, 4.99) == 7
    assert await ask("pace", "outOfGap", ranges, 8.99) is None, "it waits at the end"
    assert await ask("pace", "outOfGap", ranges, 30) == 7
    assert await ask("pace", "outOfGap", [], 3) is None


async def test_messages_of_the_socket(ask: Ask) -> None:
    wall, time = 1_790_000_000_123_456, -40_000
    head = HEADER.pack(FRAGMENT, 3, 65_535, 100_000, wall, time)
    frame = await ask("wire", "frameOf", {"bytes": [*head, 7, 8]})
    assert frame["kind"] == "fragment"
    assert frame["picture"] is True
    assert (frame["header"], frame["duration"]) == (65_535, 100_000)
    assert (frame["wall"], frame["time"], frame["data"]) == (wall, time, [7, 8])
    picture = HEADER.pack(JPEG, 3, 0, 0, 0, 0)
    assert (await ask("wire", "frameOf", {"bytes": [*picture]}))["kind"] == "picture"
    assert await ask("wire", "frameOf", {"bytes": [9, *head[1:]]}) is None
    assert await ask("wire", "frameOf", {"bytes": [*head[:23]]}) is None
    told = json.dumps({"type": "state", "state": "waiting", "told": "", "retry_s": 2})
    assert (await ask("wire", "saidBy", told))["state"] == "waiting"
    assert await ask("wire", "saidBy", json.dumps({"type": "news"})) is None
