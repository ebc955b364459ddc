"""Recordings played as fragments: nothing lost, everything when it was, in bounded memory."""

from __future__ import annotations

import base64
import subprocess
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import pytest
from playwright.sync_api import Page

from camkeep.archive.playback import Density, Fragment, Header, Played, Skipped, Why, play
from camkeep.clock import WallUs
from camkeep.media.mp4 import read_movie
from camkeep.model import Segment
from support.browser import FEED, browsing
from support.movies import ffprobe, md5
from support.segments import LENGTH_US, NOON, SECOND, Camera

TICK_US = 12


class Bytes:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.size = len(data)

    def read_at(self, offset: int, length: int, /) -> bytes:
        return self.data[offset : offset + length]


class Shown(NamedTuple):
    wall: int
    picture: str


@pytest.fixture
def camera(tmp_path: Path) -> Camera:
    return Camera(tmp_path)


def streams(played: list[Played]) -> list[tuple[Header, list[Fragment]]]:
    """Each header with its fragments."""
    found: list[tuple[Header, list[Fragment]]] = []
    for each in played:
        if isinstance(each, Header):
            found.append((each, []))
        elif isinstance(each, Fragment):
            found[-1][1].append(each)
    return found


def samples(header: Header, fragments: list[Fragment], *, sound: bool = False) -> list[Shown]:
    """What a player finds in a stream, by the wall clock, in the order of presentation."""
    source = Bytes(header.data + b"".join(fragment.data for fragment in fragments))
    movie = read_movie(source)
    assert movie.valid_end == source.size
    track = movie.audio if sound else movie.video
    if track is None:
        return []
    found = [
        Shown(header.wall + s.time_us, md5(source.read_at(s.offset, s.size))) for s in track.samples
    ]
    return sorted(found)


def recorded(camera: Camera, *, sound: bool = False, keys: bool = False) -> list[Shown]:
    """What was put into the segments."""
    return [
        Shown(segment.start + sample.time_us, md5(sample.data))
        for segment, frames, sounds in camera.made
        for sample in sorted(sounds if sound else frames, key=lambda each: each.time_us)
        if sample.key or not keys
    ]


def same(found: list[Shown], wanted: list[Shown], slack_us: int = TICK_US) -> None:
    assert [each.picture for each in found] == [each.picture for each in wanted]
    for one, other in zip(found, wanted, strict=True):
        assert abs(one.wall - other.wall) <= slack_us


@pytest.mark.parametrize("name", ["h264", "h264-b", "h264-open", "h265-b", "jpeg"])
def test_all_of_it_is_played_when_it_was(camera: Camera, name: str) -> None:
    for number in range(3):
        camera.record(name, "aac", closed=number < 2)
    ((header, fragments),) = streams(list(play(camera.root, camera.segments, NOON)))
    assert (header.why, header.wall) == (Why.START, NOON)
    same(samples(header, fragments), recorded(camera))
    # the sound of a segment ends 26.7 ms after its pictures, and pushes the next one's back
    sounds = samples(header, fragments, sound=True)
    assert len(sounds) >= 270
    same(sounds, recorded(camera, sound=True)[: len(sounds)], 48_100)
    for before, after in pairwise(fragments):
        assert before.at_us + before.duration_us == pytest.approx(after.at_us, abs=1)
        assert before.wall - before.at_us == header.wall
    assert all(fragment.duration_us <= 1_000_000 for fragment in fragments)


@pytest.mark.parametrize("name", ["h264", "h264-b", "h264-open"])
def test_from_any_instant_on(camera: Camera, name: str) -> None:
    for _ in range(3):
        camera.record(name, "aac")
    for since_us in (0, 479_999, 480_001, 1_990_000, 2_500_000, 5_999_000):
        since = WallUs(NOON + since_us)
        ((header, fragments),) = streams(list(play(camera.root, camera.segments, since)))
        wanted = recorded(camera)
        keys = [each.wall for each in recorded(camera, keys=True) if each.wall <= since + TICK_US]
        assert abs(fragments[0].wall - keys[-1]) <= (40_012 * 3 if name == "h264-open" else TICK_US)
        same(samples(header, fragments), [each for each in wanted if each.wall >= keys[-1]])
        assert all(each.wall >= header.wall for each in samples(header, fragments, sound=True))
    assert list(play(camera.root, camera.segments, WallUs(NOON + 6 * SECOND))) == []


def test_up_to_an_instant(camera: Camera) -> None:
    for _ in range(3):
        camera.record("h264-b", "aac")
    until = WallUs(NOON + 3_000_000)
    played = list(play(camera.root, camera.segments, NOON, until))
    ((header, fragments),) = streams(played)
    found = samples(header, fragments)
    wanted = [each for each in recorded(camera) if each.wall < until]
    assert set(wanted_names(wanted)) <= set(wanted_names(found))
    assert len(found) <= len(wanted) + 2  # frames that others need
    assert max(each.wall for each in samples(header, fragments, sound=True)) < until


def wanted_names(shown: list[Shown]) -> list[str]:
    return [each.picture for each in shown]


@pytest.mark.parametrize("name", ["h264", "h264-b", "h264-open"])
def test_key_frames_only(camera: Camera, name: str) -> None:
    for _ in range(3):
        camera.record(name, "aac")
    played = list(play(camera.root, camera.segments, NOON, density=Density.KEY))
    ((header, fragments),) = streams(played)
    assert "mp4a" not in header.codecs
    found = samples(header, fragments)
    same(found, recorded(camera, keys=True))
    assert samples(header, fragments, sound=True) == []
    source = Bytes(header.data + b"".join(fragment.data for fragment in fragments))
    video = read_movie(source).video
    assert video is not None
    for before, after in pairwise(video.samples):
        assert before.dts + before.duration == after.dts  # nothing to wait for in between
    assert video.samples[-1].dts + video.samples[-1].duration == 6 * 90_000


def test_changes_and_gaps_begin_with_a_header(camera: Camera) -> None:
    camera.record("h264", "aac")
    camera.record("h264-large", "aac")
    camera.record("h264-large")
    camera.wait(SECOND)
    camera.record("h264-large")
    camera.wait(-SECOND)  # the clock was set back
    camera.record("h264-large")
    camera.record("h264-large")
    found = streams(list(play(camera.root, camera.segments, NOON)))
    whys = [header.why for header, _ in found]
    assert whys == [Why.START, Why.PARAMS, Why.PARAMS, Why.GAP, Why.GAP]
    starts = [segment.start for segment in camera.segments]
    assert [header.wall for header, _ in found] == [NOON, NOON, NOON, starts[3], starts[4]]
    assert [header.codecs for header, _ in found][:3] == [
        "avc1.64000D,mp4a.40.2",
        "avc1.64001E,mp4a.40.2",
        "avc1.64001E",
    ]
    same([each for stream in found for each in samples(*stream)], recorded(camera))
    assert [fragments[0].at_us for _, fragments in found] == [0, 2_000_000, 4_000_000, 0, 0]


def test_segments_that_cannot_be_read_are_skipped(camera: Camera) -> None:
    for _ in range(4):
        camera.record("h264")
    (camera.root / camera.segments[1].path).unlink()
    (camera.root / camera.segments[3].path).write_bytes(b"nothing")
    played = list(play(camera.root, camera.segments, NOON))
    skipped = [each for each in played if isinstance(each, Skipped)]
    assert [each.segment.sequence for each in skipped] == [2, 4]
    assert skipped[0].reason == "its file is gone"
    assert [header.why for header, _ in streams(played)] == [Why.START, Why.GAP]


def test_a_small_step_between_segments_is_no_gap(camera: Camera) -> None:
    for _ in range(3):
        camera.record("h264")
        camera.now = WallUs(camera.now + 7_000)
    shifted = [camera.segments[0], *camera.segments[1:]]
    assert len(streams(list(play(camera.root, shifted, NOON)))) == 1
    early = [replace(s, start=WallUs(s.start - 20_000 * n)) for n, s in enumerate(camera.segments)]
    ((header, fragments),) = streams(list(play(camera.root, early, NOON)))
    assert len(samples(header, fragments)) == 150


def test_only_a_fragment_and_a_segments_tables_are_in_memory(camera: Camera) -> None:
    for _ in range(3):
        camera.record("h264-large", "aac")
    asked = 0

    def endless() -> Iterator[Segment]:
        nonlocal asked
        for turn in range(40):
            for segment in camera.segments:
                asked += 1
                later = WallUs(segment.start + turn * 3 * LENGTH_US)
                yield replace(segment, start=later, sequence=asked)

    def run(fragments: int) -> int:
        """The most memory that it took."""
        stream = play(camera.root, endless(), NOON)
        tracemalloc.reset_peak()
        for _ in range(fragments):
            next(stream)
        return tracemalloc.get_traced_memory()[1]

    tracemalloc.start()
    try:
        few = run(12)
        assert asked <= 4  # segments are asked for when they are needed
        many = run(400)
    finally:
        tracemalloc.stop()
    assert many < few + 100_000


@pytest.mark.parametrize("density", Density)
@pytest.mark.parametrize("name", ["h264", "h264-b", "h265-b", "jpeg"])
def test_ffmpeg_plays_the_stream(camera: Camera, name: str, density: Density) -> None:
    for _ in range(2):
        camera.record(name, "aac")
    since = WallUs(NOON + 500_000)
    played = play(camera.root, camera.segments, since, density=density)
    path = camera.root / "stream.mp4"
    path.write_bytes(b"".join(each.data for each in played if not isinstance(each, Skipped)))
    # the key frames of this H.265 follow in time on frames that they lead in the stream
    late = 0.12 if name == "h265-b" and density is Density.ALL else 0
    for stream in ffprobe(path, "-show_streams")["streams"]:
        slack = 0.001 if stream["codec_type"] == "video" else 0.022 + late
        begin = late if stream["codec_type"] == "video" else 0
        assert float(stream["start_time"]) == pytest.approx(begin, abs=slack)
    command = ["ffmpeg", "-nostdin", "-v", "error", "-i", str(path), "-f", "null", "-"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with browsing() as page:
        yield page


@pytest.mark.parametrize("density", Density)
@pytest.mark.parametrize("name", ["h264", "h264-b"])
def test_chromium_takes_the_stream_as_media_source(
    page: Page, camera: Camera, name: str, density: Density
) -> None:
    for _ in range(3):
        camera.record(name, "aac")
    since = WallUs(NOON + 500_000)
    played = list(play(camera.root, camera.segments, since, density=density))
    ((header, fragments),) = streams(played)
    parts = [header.data, *(fragment.data for fragment in fragments)]
    encoded = [base64.b64encode(part).decode() for part in parts]
    found = page.evaluate(FEED, [f'video/mp4; codecs="{header.codecs}"', encoded])
    assert found["width"] == 320
    (only,) = found["ranges"]
    assert only == pytest.approx([0.0, 5.52], abs=0.05)


def test_chromium_takes_another_size_in_mid_stream(page: Page, camera: Camera) -> None:
    for name in ("h264", "h264-large", "h264"):
        camera.record(name, "aac")
    played = list(play(camera.root, camera.segments, NOON))
    (first, _), *_ = streams(played)
    encoded = [
        base64.b64encode(each.data).decode() for each in played if not isinstance(each, Skipped)
    ]
    found = page.evaluate(FEED, [f'video/mp4; codecs="{first.codecs}"', encoded])
    (only,) = found["ranges"]
    assert only == pytest.approx([0.0, 6.0], abs=0.05)
