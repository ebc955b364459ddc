"""The small files beside the segments: exact, and damaged ones told from whole ones."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from camkeep.archive.beside import (
    FOREVER,
    camera_json,
    clip_json,
    gap_line,
    read_camera,
    read_clip,
    read_gaps,
    read_removals,
    removals_json,
    with_removed,
)
from camkeep.clock import WallUs
from camkeep.model import CameraId, Cause, Clip, Gap, KeptCamera, Removal

WALLS = st.integers(0, 253_402_300_799_999_999).map(WallUs)
TEXTS = st.text()
NAMES = st.text(min_size=1).filter(str.isprintable)
WORDS = st.text("abc789", min_size=1)
IDS = WORDS.map(CameraId)
NUMBERS = st.integers(0, (1 << 62) - 1)
CAMERAS = st.builds(KeptCamera, IDS, NAMES, st.just("folder"), TEXTS, WALLS)
CLIPS = st.builds(
    Clip,
    WORDS,
    TEXTS,
    st.lists(IDS).map(tuple),
    WALLS,
    st.none() | WALLS,
    st.booleans(),
    WALLS,
)


@st.composite
def gaps(draw: st.DrawFn) -> Gap:
    start, end = sorted((draw(WALLS), draw(WALLS)))
    lasting = draw(st.booleans())
    cause, detail = draw(st.sampled_from(Cause)), draw(TEXTS)
    return Gap(start, FOREVER if lasting else end, cause, detail, lasting)


@st.composite
def removals(draw: st.DrawFn) -> list[Removal]:
    firsts = sorted(draw(st.sets(NUMBERS, max_size=5)))
    chains = st.binary(min_size=32, max_size=32)
    return [
        Removal(
            CameraId("a"),
            first,
            first + draw(st.integers(0, 9)) if first < 1 << 61 else first,
            draw(NUMBERS),
            draw(WALLS),
            draw(WALLS),
            draw(chains),
            draw(chains),
            draw(WALLS),
        )
        for first in firsts
    ]


@given(CAMERAS)
def test_a_camera_comes_back(camera: KeptCamera) -> None:
    assert read_camera(camera_json(camera), "folder") == camera


@given(CLIPS)
def test_a_clip_comes_back(clip: Clip) -> None:
    assert read_clip(clip_json(clip)) == clip


@given(removals())
def test_removals_come_back(rows: list[Removal]) -> None:
    assert read_removals(removals_json(rows), CameraId("a")) == rows


@given(st.lists(gaps(), max_size=8))
def test_gaps_come_back_and_the_last_line_of_a_start_counts(found: list[Gap]) -> None:
    data = b"".join(map(gap_line, found))
    assert data.count(b"\n") == len(found)
    assert read_gaps(data) == (list({gap.start: gap for gap in found}.values()), 0)


@given(st.lists(gaps(), min_size=1, max_size=4), st.data())
def test_a_torn_last_line_costs_only_itself(found: list[Gap], data: st.DataObject) -> None:
    lines = [gap_line(gap) for gap in found]
    cut = data.draw(st.integers(0, len(lines[-1]) - 2))
    read, bad = read_gaps(b"".join(lines[:-1]) + lines[-1][:cut])
    assert bad == 0
    assert read == list({gap.start: gap for gap in found[:-1]}.values())


def test_a_damaged_line_in_the_midst_is_counted() -> None:
    gap = Gap(WallUs(1), WallUs(2), Cause.BROKEN)
    assert read_gaps(b"{\n" + gap_line(gap) + b"\xff\n[]\n\n" + gap_line(gap)) == ([gap], 3)


READERS: list[Callable[[bytes], Any]] = [
    lambda data: read_camera(data, "folder"),
    read_clip,
    lambda data: read_removals(data, CameraId("a")),
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@pytest.mark.parametrize("read", READERS)
@given(data=st.binary() | JSON.map(lambda value: json.dumps(value).encode()))
def test_bytes_of_any_kind_are_a_value_error(read: Callable[[bytes], Any], data: bytes) -> None:
    read_gaps(data)  # never raises
    try:
        read(data)
    except ValueError:
        return
    assert data.strip() == b"[]"  # no removals


@pytest.mark.parametrize("read", READERS)
def test_nesting_without_end_is_a_value_error(read: Callable[[bytes], Any]) -> None:
    with pytest.raises(ValueError, match="malformed"):
        read(b"[" * 100_000)


@given(CLIPS, st.data())
def test_each_field_has_to_be_of_its_kind(clip: Clip, data: st.DataObject) -> None:
    fields = json.loads(clip_json(clip))
    name = data.draw(st.sampled_from(sorted(fields)))
    fields[name] = data.draw(JSON.filter(lambda value: type(value) is not type(fields[name])))
    if name == "end" and fields[name] is None:
        return
    with pytest.raises(ValueError):  # noqa: PT011 - any
        read_clip(json.dumps(fields).encode())


def test_what_the_index_could_not_hold_is_no_removal() -> None:
    row = Removal(CameraId("a"), 5, 4, 1, WallUs(0), WallUs(1), bytes(32), bytes(32), WallUs(2))
    with pytest.raises(ValueError, match="sequences"):
        read_removals(removals_json([row]), CameraId("a"))
    with pytest.raises(ValueError, match="sequences"):
        read_removals(removals_json([_removal(1), _removal(1)]), CameraId("a"))


@given(st.permutations(range(1, 12)), st.integers(0, 11))
def test_removals_join_where_their_chains_do(order: list[int], missing: int) -> None:
    rows: list[Removal] = []
    for number in order:
        if number != missing:
            rows = with_removed(rows, _removal(number))
    assert sum(row.count for row in rows) == len([n for n in order if n != missing])
    first = [n for n in range(1, 12) if n < missing]
    rest = [n for n in range(1, 12) if n > missing]
    spans = [(part[0], part[-1]) for part in (first, rest) if part]
    assert [(row.first, row.last) for row in rows] == spans
    for row in rows:
        assert row.previous == _chain(row.first - 1)
        assert row.chain == _chain(row.last)
        assert (row.start, row.end) == (row.first * 10, row.last * 10 + 10)
        assert row.removed == max(n for n in order if row.first <= n <= row.last) + 100


def _removal(number: int) -> Removal:
    start, end = WallUs(number * 10), WallUs(number * 10 + 10)
    previous, chain = _chain(number - 1), _chain(number)
    camera = CameraId("a")
    return Removal(camera, number, number, 1, start, end, previous, chain, WallUs(number + 100))


def _chain(number: int) -> bytes:
    return number.to_bytes(32)


def without(data: bytes, name: str) -> bytes:
    fields = json.loads(data)
    del fields[name]
    return json.dumps(fields).encode()


CAMERA = camera_json(KeptCamera(CameraId("abc"), "Garage", "garage", "rtsp://x/", WallUs(7)))
CLIP = clip_json(Clip("abc", "fox", (CameraId("abc"),), WallUs(7), WallUs(9), True, WallUs(9)))


@pytest.mark.parametrize("name", ["id", "name", "address", "since"])
def test_a_camera_needs_all_its_fields(name: str) -> None:
    with pytest.raises(ValueError, match=name):
        read_camera(without(CAMERA, name), "garage")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        CAMERA[:-4],
        CAMERA.replace(b'"abc"', b'""'),
        CAMERA.replace(b'"abc"', b'"../abc"'),
        CAMERA.replace(b'"abc"', b'"ab c"'),
        CAMERA.replace(b'"abc"', b"12"),
        CAMERA.replace(b'"Garage"', b'"Gar\\u0000age"'),
        CAMERA.replace(b'"Garage"', b'""'),
    ],
)
def test_what_is_no_camera(data: bytes) -> None:
    with pytest.raises(ValueError, match=r".*"):
        read_camera(data, "garage")


@pytest.mark.parametrize("name", ["id", "name", "cameras", "start", "end", "held", "created"])
def test_a_clip_needs_all_its_fields(name: str) -> None:
    with pytest.raises(ValueError, match=name):
        read_clip(without(CLIP, name))


@pytest.mark.parametrize(
    "data",
    [
        CLIP.replace(b'"id": "abc"', b'"id": ""'),
        CLIP.replace(b'"id": "abc"', b'"id": "../abc"'),
        CLIP.replace(b"true", b"1"),
        CLIP.replace(b'[\n  "abc"\n ]', b'"abc"'),
        CLIP.replace(b'[\n  "abc"\n ]', b"[7]"),
        CLIP.replace(b'[\n  "abc"\n ]', b'["\\ud800"]'),
    ],
)
def test_what_is_no_clip(data: bytes) -> None:
    assert data != CLIP
    with pytest.raises(ValueError, match=r".*"):
        read_clip(data)


REMOVED = removals_json([_removal(3)])


@pytest.mark.parametrize(
    "data",
    [
        b"{}",
        b"[[]]",
        REMOVED.replace(b'"last": 3', b'"last": 2'),
        REMOVED.replace(b'"first": 3', b'"first": -3'),
        REMOVED.replace(b'"count": 1', b'"count": 1.0'),
        REMOVED.replace(b'"count": 1', b'"count": true'),
        REMOVED.replace(b'02"', b'"'),
        REMOVED.replace(b'03"', b'0g"'),
        REMOVED.replace(b"0" * 63 + b"3", b""),
        REMOVED.strip()[:-1] + b"," + REMOVED.strip()[1:],
    ],
)
def test_what_are_no_removals(data: bytes) -> None:
    assert data != REMOVED
    with pytest.raises(ValueError, match=r".*"):
        read_removals(data, CameraId("abc"))
