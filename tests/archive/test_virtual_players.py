"""Virtual movies as other programs see them: ffprobe, ffmpeg, ffplay and OpenCV."""

from __future__ import annotations

import os
import subprocess
from itertools import pairwise
from pathlib import Path

import cv2
import pytest

from camkeep.archive.virtual import open_clip
from camkeep.clock import WallUs
from camkeep.media.mp4 import read_movie
from camkeep.media.mp4.splice import Gaps
from support.files import FileBytes
from support.movies import ffprobe, md5, probed, shown
from support.segments import NOON, SECOND, Camera

KINDS = {
    "plain": [("h264", None)] * 3,
    "sound": [("h264", "aac")] * 3,
    "b": [("h264-b", "aac")] * 3,
    "open-gop": [("h264-open", "opus")] * 3,
    "h265": [("h265-b", "aac")] * 3,
    "jpeg": [("jpeg", "aac")] * 3,
    "two sizes": [("h264", "aac"), ("h264-large", "aac"), ("h264", "aac")],
    "growing": [("h264-b", "aac")] * 3,
}
BEGIN_US, END_US = 700_000, 5_100_000
OPEN_GOP = "mmco: unref short failure"
"""What ffmpeg says of the pictures that lead into a GOP, and follow from the one before, wherever
it begins with them. None of them is shown."""


def made(
    root: Path,
    kind: str,
    *,
    begin_us: int = BEGIN_US,
    end_us: int = END_US,
    pause_us: int = 0,
    gaps: Gaps = Gaps.KEEP,
) -> Path:
    """A clip of three segments, mostly from within the first to within the last."""
    camera = Camera(root)
    for number, (video, audio) in enumerate(KINDS[kind]):
        if number == 2 and pause_us:
            camera.wait(pause_us)
        camera.record(video, audio, closed=kind != "growing" or number < 2)
    start = WallUs(NOON + begin_us)
    end = WallUs(NOON + end_us + pause_us)
    path = root / "clip.mp4"
    with open_clip(root, camera.segments, start, end, gaps=gaps) as clip:
        (movie,) = clip
        path.write_bytes(movie.read(0, movie.size))
    return path


@pytest.mark.parametrize("kind", KINDS)
def test_ffprobe_finds_what_we_find(tmp_path: Path, kind: str) -> None:
    path = made(tmp_path, kind)
    source = FileBytes(path)
    movie = read_movie(source)
    for track in movie.tracks:
        name = "v:0" if track is movie.video else "a:0"
        found = probed(path, name)
        data = [source.read_at(sample.offset, sample.size) for sample in track.samples]
        assert [packet.md5 for packet in found] == [md5(each) for each in data]
        assert [packet.key for packet in found] == [sample.key for sample in track.samples]
        if track is movie.video:  # of sound it moves the first one to where it is heard
            assert [packet.pts for packet in found] == [sample.time for sample in track.samples]


@pytest.mark.parametrize("kind", KINDS)
def test_ffmpeg_decodes_to_the_end_without_a_complaint(tmp_path: Path, kind: str) -> None:
    path = made(tmp_path, kind)
    command = ["ffmpeg", "-nostdin", "-v", "error", "-i", str(path), "-f", "null", "-"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    said = [line for line in done.stderr.splitlines() if OPEN_GOP not in line]
    assert (done.returncode, said) == (0, [])
    assert kind == "open-gop" or not done.stderr
    streams = ffprobe(path, "-show_streams")["streams"]
    for stream in streams:
        assert float(stream["start_time"]) == pytest.approx(0, abs=0.0001)
        assert float(stream["duration"]) == pytest.approx(4.4, abs=0.0001)


@pytest.mark.parametrize("kind", KINDS)
def test_the_first_frame_is_on_show_at_once_and_the_last_before_the_end(
    tmp_path: Path, kind: str
) -> None:
    times = shown(made(tmp_path, kind), said=OPEN_GOP if kind == "open-gop" else "")
    assert times == sorted(times)
    assert times[0] == 0  # that of 40 ms before, of which 20 ms were left
    wanted = [n * 3600 for n in range(1 + len(range(BEGIN_US + 20_000, END_US, 40_000)))]
    assert times[1:] == [time - 1800 for time in wanted[1:]]


@pytest.mark.parametrize("kind", ["plain", "b", "two sizes", "jpeg"])
def test_opencv_reads_all_frames_and_seeks(tmp_path: Path, kind: str) -> None:
    path = made(tmp_path, kind)
    capture = cv2.VideoCapture(str(path))
    count = 0
    while capture.read()[0]:
        count += 1
    assert count == 111
    assert abs(capture.get(cv2.CAP_PROP_FRAME_COUNT) - count) <= 18  # those before the start
    decoded = frames(path)
    for wanted_ms in (3000, 500, 4300, 1700):
        capture.set(cv2.CAP_PROP_POS_MSEC, wanted_ms)
        found, picture = capture.read()
        assert found
        at_ms = capture.get(cv2.CAP_PROP_POS_MSEC)
        assert abs(at_ms - wanted_ms) <= 60
        assert any(abs(picture.mean() - mean) < 0.5 for mean in decoded)


def frames(path: Path) -> list[float]:
    """The mean of each decoded picture."""
    capture = cv2.VideoCapture(str(path))
    means = []
    while True:
        found, picture = capture.read()
        if not found:
            return means
        means.append(float(picture.mean()))


@pytest.mark.parametrize("kind", ["two sizes", "h265 of two sizes"])
def test_both_sizes_decode_wherever_one_seeks(tmp_path: Path, kind: str) -> None:
    camera = Camera(tmp_path)
    names = ["h264", "h264-large"] if kind == "two sizes" else ["h265-b", "h265-large"]
    for name in [*names, names[0]]:
        camera.record(name)
    path = tmp_path / "clip.mp4"
    with open_clip(tmp_path, camera.segments, NOON, WallUs(NOON + 6 * SECOND)) as clip:
        path.write_bytes(clip[0].read(0, clip[0].size))
    for seconds, segment, size in ((0.5, 0, 320), (2.5, 1, 640), (4.5, 2, 320)):
        at = ["-ss", str(seconds), "-i", str(path), "-frames:v", "1"]
        found = decoded(*at)
        own = ["-ss", "0.5", "-i", str(tmp_path / camera.segments[segment].path), "-frames:v", "1"]
        assert found == decoded(*own)
        assert len(found) == size * size * 3 // 4 * 3 // 2


def decoded(*arguments: str) -> bytes:
    command = ["ffmpeg", "-nostdin", "-v", "error", *arguments, "-f", "rawvideo", "-"]
    done = subprocess.run(command, capture_output=True, check=True)
    assert done.stderr == b""
    return done.stdout


@pytest.mark.parametrize("gaps", Gaps)
@pytest.mark.parametrize("kind", ["b", "sound"])
def test_a_gap_is_kept_or_cut(tmp_path: Path, kind: str, gaps: Gaps) -> None:
    path = made(tmp_path, kind, pause_us=3 * SECOND, gaps=gaps)
    times = shown(path)
    longest = max(after - before for before, after in pairwise(times))
    more = 3 * 90_000 if gaps is Gaps.KEEP else 0
    assert longest == 3600 + more
    sound = [packet.pts for packet in probed(path, "a:0")]
    steps = [after - before for before, after in pairwise(sound)]
    assert max(steps) < 1100 + more * 48 // 90
    assert max(steps) > more * 48 // 90 - 2000
    command = ["ffmpeg", "-nostdin", "-v", "error", "-i", str(path), "-f", "null", "-"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    length = float(ffprobe(path, "-show_format")["format"]["duration"])
    assert length == pytest.approx(4.4 + (3 if gaps is Gaps.KEEP else 0), abs=0.001)


@pytest.mark.parametrize("kind", ["b", "two sizes"])
def test_ffplay_plays_to_the_end(tmp_path: Path, kind: str) -> None:
    path = made(tmp_path, kind, begin_us=1_500_000, end_us=2_600_000)
    silent = {**os.environ, "SDL_VIDEODRIVER": "dummy", "SDL_AUDIODRIVER": "dummy"}
    command = ["ffplay", "-nostats", "-v", "error", "-autoexit", "-i", str(path)]
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, env=silent, check=False
    )
    said = [line for line in done.stderr.splitlines() if "hardware accelerated" not in line]
    assert (done.returncode, said) == (0, [])
