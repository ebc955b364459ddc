"""What other programs find in our movies: ffprobe, libav and OpenCV, in both states."""

import random
from itertools import accumulate
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from support.movies import (
    Probed,
    Stream,
    ffprobe,
    grown,
    made,
    md5,
    probed,
    retimed,
    shown,
    stream,
    undeclared,
)

VIDEO = ["h264", "h264-b", "h264-open", "h265-b", "jpeg"]
STATES = ["growing", "closed"]


def jittered(name: str, begin_us: int = 0) -> Stream:
    """The stream at a frame rate that never is the same, with 30 s missing after a key frame."""
    source = stream(name)
    rng = random.Random(name)
    steps = [rng.randint(8_000, 180_000) for _ in source.samples[1:]]
    keys = [sample.time_us for sample in source.samples if sample.key]
    times = sorted(sample.time_us for sample in source.samples)
    steps[times.index(keys[len(keys) // 2])] = 30_000_000
    return retimed(source, list(accumulate(steps, initial=begin_us)))


def ticks(time_us: int, timescale: int = 90_000) -> int:
    return (2 * time_us * timescale + 1_000_000) // 2_000_000


def written(folder: Path, state: str, video: Stream | None, audio: Stream | None = None) -> Path:
    path = folder / f"{state}.mp4"
    path.write_bytes(made(video, audio)[STATES.index(state)])
    return path


def essence(packets: list[Probed]) -> list[tuple[str, int, bool]]:
    return [(packet.md5, packet.pts, packet.key) for packet in packets]


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("begin_us", [0, 700_000])
@pytest.mark.parametrize("name", VIDEO)
def test_ffprobe_finds_every_sample_at_its_time(
    tmp_path: Path, name: str, begin_us: int, state: str
) -> None:
    source = jittered(name, begin_us)
    path = written(tmp_path, state, source)
    expected = [(md5(s.data), ticks(s.time_us), s.key) for s in source.samples]
    packets = probed(path)
    assert essence(packets) == expected
    decoding = [packet.dts for packet in packets]
    assert decoding == sorted(set(decoding))
    assert shown(path) == sorted(time for _, time, _ in expected)


@pytest.mark.parametrize("name", ["h264-b", "h264-open", "h265-b"])
def test_b_frames_nobody_announced_are_shown_at_their_times(tmp_path: Path, name: str) -> None:
    source = undeclared(jittered(name))
    path = written(tmp_path, "closed", source)
    with av.open(str(path)) as container:
        found = [frame.pts for frame in container.decode(video=0)]
    assert found == sorted(ticks(s.time_us) for s in source.samples)


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("name", ["aac", "opus", "pcma"])
def test_sound_beside_pictures(tmp_path: Path, name: str, state: str) -> None:
    video, sound = stream("h264"), stream(name)
    late = [sample.time_us + 80_000 for sample in sound.samples]
    audio = retimed(sound, late)
    path = written(tmp_path, state, video, audio)
    rate = audio.params.sample_rate  # type: ignore[union-attr]
    packets = probed(path, "a:0")
    assert [packet.md5 for packet in packets] == [md5(s.data) for s in audio.samples]
    for packet, sample in zip(packets, audio.samples, strict=True):
        assert abs(packet.pts / rate - sample.time_us / 1e6) < 0.002
    assert len(probed(path)) == len(video.samples)
    with av.open(str(path)) as container:
        heard = sum(frame.samples for frame in container.decode(audio=0))
    assert heard >= 1.9 * rate


@pytest.mark.parametrize("state", STATES)
def test_sound_alone(tmp_path: Path, state: str) -> None:
    audio = stream("aac")
    path = written(tmp_path, state, None, audio)
    assert len(probed(path, "a:0")) == len(audio.samples)


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("name", VIDEO)
def test_libav_reads_the_same_bytes(tmp_path: Path, name: str, state: str) -> None:
    source = stream(name)
    path = written(tmp_path, state, source)
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
        assert [bytes(packet) for packet in packets] == [s.data for s in source.samples]
        assert container.streams.video[0].codec_context.width == 320


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("name", VIDEO)
def test_opencv_reads_and_seeks(tmp_path: Path, name: str, state: str) -> None:
    source = stream(name)
    capture = cv2.VideoCapture(str(written(tmp_path, state, source)))
    pictures = []
    while (read := capture.read())[0]:
        pictures.append(read[1])
    assert len(pictures) == len(source.samples)
    for number in (31, 3, 0, 49, 24):
        capture.set(cv2.CAP_PROP_POS_FRAMES, number)
        good, picture = capture.read()
        assert good
        assert np.array_equal(picture, pictures[number])
    capture.release()


def test_the_length_and_the_start_are_told(tmp_path: Path) -> None:
    path = written(tmp_path, "closed", stream("h264"))
    found = ffprobe(path, "-show_format")["format"]
    assert float(found["duration"]) == pytest.approx(2.0, abs=1e-4)
    assert found["tags"]["creation_time"] == "2026-11-21T08:30:47.000000Z"


def torn(growing: bytes, end: int) -> list[int]:
    """Places to tear the fragment that begins at `end`: not in the samples of its moof."""
    moof = growing.index(b"moof", end) - 4
    mdat = moof + int.from_bytes(growing[moof : moof + 4]) + 8
    behind = mdat - 8 + int.from_bytes(growing[mdat - 8 : mdat - 4])
    rng = random.Random(end)
    return [end, end + 1, moof, moof + 8, moof + 30, mdat - 8, mdat - 3, mdat, mdat + 1] + [
        rng.randrange(mdat, behind) for _ in range(4)
    ]


@pytest.mark.parametrize("sealed", [False, True])
@pytest.mark.parametrize("name", ["h264-b", "jpeg"])
def test_libav_reads_a_torn_file_up_to_its_last_whole_fragment(
    tmp_path: Path, name: str, sealed: bool
) -> None:
    source = stream(name)
    growing, steps = grown(source, 7, sealed=sealed)
    pages = range(steps[1][0] // 4096 * 4096 + 4096, len(growing), 4096)  # where crashes tear
    cuts = [cut for end, _ in steps[1:-2] for cut in torn(growing, end)]
    for cut in [*cuts, *pages]:
        path = tmp_path / f"{cut}.mp4"
        path.write_bytes(growing[:cut])
        frames = max(frames for end, frames in steps if end <= cut)
        with av.open(str(path)) as container:
            found = [bytes(packet) for packet in container.demux(video=0) if packet.size]
        assert found[:frames] == [sample.data for sample in source.samples[:frames]]
