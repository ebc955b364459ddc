"""What our reader finds in our movies, in those of ffmpeg, and in hostile bytes."""

import random
import struct
import tracemalloc
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from camkeep.clock import WallUs
from camkeep.errors import MediaError
from camkeep.media.audio import g711_params
from camkeep.media.mp4 import Identity, Movie, Muxer, TimedSample, read_movie
from camkeep.media.mp4.boxes import box
from camkeep.media.mp4.identity import read_identity
from camkeep.model import Codec, Params, VideoParams
from support.encoded import ffmpeg
from support.movies import IDENTITY, Stream, grown, made, probed, stream

NAMES = ["h264", "h264-b", "h264-open", "h265-b", "jpeg", "aac", "opus", "pcma"]


class Bytes:
    """A movie in memory, which notes how much is read of it."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.size = len(data)

    def read_at(self, offset: int, length: int) -> bytes:
        assert offset >= 0
        assert 0 <= length <= self.size + 16
        return self.data[offset : offset + length]


def read(data: bytes) -> Movie:
    return read_movie(Bytes(data))


def contents(movie: Movie, data: bytes, track: int = 0) -> list[bytes]:
    samples = movie.tracks[track].samples
    return [data[s.offset : s.offset + s.size] for s in samples]


@pytest.mark.parametrize("closed", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_what_was_written_is_read(name: str, closed: bool) -> None:
    source = stream(name)
    pair = (source, None) if isinstance(source.params, VideoParams) else (None, source)
    data = made(*pair)[closed]
    movie = read(data)
    assert (movie.identity, movie.whole, movie.valid_end) == (IDENTITY, closed, len(data))
    (track,) = movie.tracks
    assert contents(movie, data) == [sample.data for sample in source.samples]
    assert (track.params.codec, track.params.config) == (source.params.codec, source.params.config)
    for found, sample in zip(track.samples, source.samples, strict=True):
        assert found.key == sample.key
        assert abs(found.time_us - sample.time_us) < (20_000 if movie.video is None else 7)


def test_what_a_decoder_must_know_is_read() -> None:
    for name in ("h264", "h264-b", "h265-b", "aac", "pcma"):
        source = stream(name)
        pair = (source, None) if isinstance(source.params, VideoParams) else (None, source)
        params = read(made(*pair)[1]).tracks[0].params
        if isinstance(params, VideoParams):
            assert isinstance(source.params, VideoParams)
            assert (params.width, params.height, params.reorder) == (
                320,
                240,
                source.params.reorder,
            )
            assert params.codec_string.startswith(("avc1.", "hvc1."))
        else:
            assert params == source.params


@pytest.mark.parametrize("name", ["h264-b", "jpeg"])
def test_a_movie_torn_anywhere_is_read_up_to_its_last_whole_fragment(name: str) -> None:
    source = stream(name)
    growing, steps = grown(source)
    rng = random.Random(3)
    near = [end + delta for end, _ in steps for delta in range(-20, 400)]
    cuts = [cut for cut in near if steps[0][0] <= cut <= len(growing)]
    for cut in cuts + [rng.randrange(steps[0][0], len(growing)) for _ in range(200)]:
        movie = read(growing[:cut])
        end, frames = max(step for step in steps if step[0] <= cut)
        assert (movie.valid_end, len(movie.tracks[0].samples)) == (end, frames)
    for cut in range(steps[0][0]):
        with pytest.raises(MediaError):
            read(growing[:cut])


@pytest.mark.parametrize("tail", [bytes(5000), b"\xff" * 5000, random.Random(1).randbytes(5000)])
def test_what_a_power_cut_leaves_behind_the_movie_is_not_read(tail: bytes) -> None:
    growing, steps = grown(stream("jpeg"))
    movie = read(growing + tail)
    assert (movie.valid_end, len(movie.tracks[0].samples)) == (len(growing), steps[-1][1])


def test_every_step_of_closing_leaves_a_movie() -> None:
    growing, closed = made(stream("h264-b"))
    tail = closed[len(growing) :]
    for cut in range(0, len(tail) + 1, 7):  # the index is appended, the header not yet turned
        movie = read(growing + tail[:cut])
        assert (movie.whole, len(movie.tracks[0].samples)) == (False, 50)
        assert movie.valid_end == len(growing)
    for cut in range(0, len(tail), 7):  # closed, then cut by somebody
        movie = read(closed[: len(growing) + cut])
        assert (movie.whole, len(movie.tracks[0].samples)) == (False, 50)


def test_durations_across_fragments_are_the_true_ones() -> None:
    source = stream("h264")
    samples = read(made(source, size=4)[0]).tracks[0].samples
    for before, after in pairwise(samples):
        assert before.dts + before.duration == after.dts


times = st.lists(st.integers(0, 400_000), min_size=1, max_size=40)


@given(times, times, st.integers(0, 2_000_000), st.integers(1, 17), st.integers(0, 2**52))
def test_round_trip_of_times(
    steps: list[int], sounds: list[int], begin_us: int, size: int, start: int
) -> None:
    params = stream("h264").params
    assert isinstance(params, VideoParams)
    audio = g711_params(Codec.PCMA, 8000, 1)
    identity = Identity("Kamera «Süd» \N{CAMERA}", -1, 2**40, WallUs(start))
    samples = placed(params, steps, begin_us) + placed(audio, sounds, 0)
    samples.sort(key=lambda sample: sample.time_us)
    muxer = Muxer(params, audio, identity)
    data = muxer.header()
    for first in range(0, len(samples), size):
        data += b"".join(muxer.fragment(samples[first : first + size]))
    closing = muxer.finish()
    end = closing.patch_offset + len(closing.patch)
    closed = data[: closing.patch_offset] + closing.patch + data[end:] + closing.tail
    assert len(closing.patch) == 16
    for movie, form in ((read(data), data), (read(closed), closed)):
        assert movie.identity == identity
        video, sound = movie.tracks
        frames = [s for s in samples if s.params is params]
        heard = [s for s in samples if s.params is audio]
        assert contents(movie, form, 0) == [s.data for s in frames]
        assert contents(movie, form, 1) == [s.data for s in heard]
        for found, sample in zip(video.samples, frames, strict=True):
            assert abs(found.time_us - sample.time_us) <= 6
            assert found.key == sample.key
        # sound is never further from its time than the slack, but for ticks that keep it rising
        for found, sample in zip(sound.samples, heard, strict=True):
            assert abs(found.time_us - sample.time_us) <= 20_000 + 125 * (len(heard) + 1)
        for track in movie.tracks:
            assert all(before.dts < after.dts for before, after in pairwise(track.samples))


def placed(params: Params, steps: list[int], begin_us: int) -> list[TimedSample]:
    """A sample after each of the steps."""
    time_us, samples = begin_us, []
    for number, step in enumerate(steps):
        time_us += step
        samples.append(
            TimedSample(params, bytes([number]) * (number % 50 + 1), time_us, number % 3 == 0)
        )
    return samples


FFMPEG = {
    "ordinary": [],
    "faststart": ["-movflags", "+faststart"],
    "fragmented": ["-movflags", "+frag_keyframe+empty_moov"],
    "cmaf": ["-movflags", "+cmaf+frag_keyframe+negative_cts_offsets"],
    "dash": ["-movflags", "+dash+delay_moov", "-frag_duration", "300000"],
    "base offsets": ["-movflags", "+frag_keyframe+omit_tfhd_offset"],
}


@pytest.mark.parametrize("how", FFMPEG)
@pytest.mark.parametrize("codec", ["libx264", "libx265 -x265-params log-level=none -tag:v hvc1"])
def test_movies_of_ffmpeg_are_read(tmp_path: Path, how: str, codec: str) -> None:
    path = tmp_path / "theirs.mp4"
    ffmpeg(
        *["-f", "lavfi", "-i", "testsrc2=s=160x120:r=25:d=1", "-f", "lavfi", "-i", "sine=d=1"],
        *f"-c:v {codec} -bf 2".split(),
        *["-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "10", "-c:a", "aac"],
        *FFMPEG[how],
        str(path),
    )
    data = path.read_bytes()
    movie = read(data)
    assert movie.identity is None
    for number, kind in enumerate(("v:0", "a:0")):
        track, packets = movie.tracks[number], probed(path, kind)
        assert len(track.samples) == len(packets)
        # ffmpeg shows a fragmented movie with negative offsets later by the largest of them
        late = packets[0].pts - track.samples[0].time if how == "cmaf" else 0
        for found, packet in zip(track.samples, packets, strict=True):
            assert (found.time + late, found.key) == (packet.pts, packet.key)


@given(st.binary(max_size=400))
@example(b"\0\0\0\1mdat" + bytes(8))
@example(b"\0\0\0\x08moov")
def test_arbitrary_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(MediaError):
        read(data)


@pytest.fixture(scope="module")
def victims() -> list[bytes]:
    def small(name: str) -> Stream:
        source = stream(name)
        cut = [s._replace(data=s.data[:30]) for s in source.samples[:12]]
        return Stream(source.params, cut)

    pairs = [("h264-b", "aac"), ("h265-b", "opus"), ("jpeg", "pcma")]
    return [movie for v, a in pairs for movie in made(small(v), small(a), size=5)]


@given(st.data())
@settings(max_examples=400)
def test_mutated_movies_are_read_or_refused(victims: list[bytes], data: st.DataObject) -> None:
    movie = bytearray(data.draw(st.sampled_from(victims)))
    for _ in range(data.draw(st.integers(1, 6))):
        place = data.draw(st.integers(0, len(movie) - 9))
        width = data.draw(st.sampled_from([1, 1, 2, 4, 4, 8]))
        value = data.draw(
            st.integers(0, 256**width - 1)
            | st.sampled_from([0, 1, 256**width - 1, 256**width // 2])
        )
        movie[place : place + width] = value.to_bytes(width, "big")
    try:
        found = read(bytes(movie))
    except MediaError:
        return
    assert found.valid_end <= len(movie)
    for track in found.tracks:
        for sample in track.samples:
            assert sample.offset + sample.size <= len(movie)


@pytest.mark.parametrize("kind", ["stsz", "stts", "ctts", "stco", "stsc", "stss", "trun", "elst"])
def test_absurd_counts_are_refused_without_memory_for_them(kind: str) -> None:
    growing, closed = made(stream("h264-b"))
    data = bytearray(growing if kind in ("trun", "elst") else closed)
    place = data.rindex(kind.encode()) + (12 if kind == "stsz" else 8)
    data[place : place + 4] = b"\xff\xff\xff\xff"
    if kind == "trun":
        assert len(read(bytes(data)).tracks[0].samples) < 50
    else:
        with pytest.raises(MediaError):
            read(bytes(data))


@pytest.mark.parametrize("place", [24, 26])
def test_a_picture_without_a_size_is_refused(place: int) -> None:
    _, closed = made(stream("h264-b"))
    data = bytearray(closed)
    entry = data.rindex(b"avc1") + 4
    data[entry + place : entry + place + 2] = b"\0\0"
    with pytest.raises(MediaError, match="picture size"):
        read(bytes(data))


def test_half_a_character_in_a_cameras_name_is_replaced() -> None:
    payload = b'{"camera":"a\\ud800b","run":1,"sequence":2,"start_us":3}'
    assert read_identity(payload).camera == "a?b"


def test_many_samples_of_nothing_take_little_memory() -> None:
    """The worst that a file can claim: a sample for each of its bytes."""
    growing, _ = made(stream("h264-b"))
    head = growing[: growing.index(b"moof") - 4]
    count = 1_000_000
    run = box(b"trun", struct.pack(">II", 0, count))
    track = box(b"traf", box(b"tfhd", struct.pack(">II", 0x020000, 1)), run)
    bad = head + box(b"moof", track) + box(b"mdat") + box(b"mdat", bytes(count))
    tracemalloc.start()
    try:
        assert len(read(bad).tracks[0].samples) == count
        assert tracemalloc.get_traced_memory()[1] < 60 * count
    finally:
        tracemalloc.stop()


def test_what_mp4_cannot_hold_is_refused() -> None:
    params = stream("h264").params
    assert isinstance(params, VideoParams)
    muxer = Muxer(params, None, IDENTITY)
    muxer.fragment([TimedSample(params, b"x", 0, True)])
    other = stream("jpeg").samples[0]
    for bad, why in [
        (TimedSample(params, b"", 1, True), "empty"),
        (TimedSample(params, b"x", -1, True), "before the start"),
        (TimedSample(params, b"x", 7 * 3600 * 1_000_000, True), "gap"),
        (other, "parameters changed"),
    ]:
        with pytest.raises(MediaError, match=why):
            muxer.fragment([TimedSample(params, b"x", 40_000, True), bad])
    assert muxer.frames == 1
    with pytest.raises(MediaError, match="without a sample"):
        Muxer(params, None, IDENTITY).finish()
    with pytest.raises(MediaError, match="pictures or sound"):
        Muxer(None, None, IDENTITY)


def test_a_dropped_fragment_leaves_no_trace() -> None:
    source = stream("h264")
    assert isinstance(source.params, VideoParams)
    muxer = Muxer(source.params, None, IDENTITY)
    data = muxer.header() + b"".join(muxer.fragment(source.samples[:10]))
    muxer.fragment(source.samples[10:20])
    muxer.drop_fragment()
    data += b"".join(muxer.fragment(source.samples[24:]))
    closing = muxer.finish()
    end = closing.patch_offset + len(closing.patch)
    data = data[: closing.patch_offset] + closing.patch + data[end:] + closing.tail
    movie = read(data)
    assert contents(movie, data) == [s.data for s in source.samples[:10] + source.samples[24:]]
    assert movie.tracks[0].samples[9].duration == 15 * 3600


def test_jitter_does_not_reach_the_sound_and_drift_is_absorbed() -> None:
    source = stream("aac")
    rng = random.Random(5)
    n = len(source.samples)
    jittered = [number * 1024 * 1_000_000 // 48_000 + rng.randint(0, 19_000) for number in range(n)]
    drifting = [number * 1024 * 1_010_000 // 48_000 for number in range(n)]  # 1 % slow
    late = [time + (10_000_000 if number > 40 else 0) for number, time in enumerate(jittered)]
    for times, moves in ((jittered, 0), (drifting, 1), (late, 1)):
        samples = [s._replace(time_us=t) for s, t in zip(source.samples, times, strict=True)]
        found = read(made(None, Stream(source.params, samples))[1]).tracks[0].samples
        assert sum(sample.duration != 1024 for sample in found) == moves
        for sample, time in zip(found, times, strict=True):
            assert abs(sample.time_us - time) <= 20_021


class Sparse:
    """A movie of which only the pieces that are not sample data are kept."""

    def __init__(self) -> None:
        self.pieces: dict[int, bytes] = {}
        self.size = 0

    def append(self, buffers: list[bytes]) -> None:
        self.pieces[self.size] = buffers[0]
        self.size += sum(map(len, buffers))

    def read_at(self, offset: int, length: int) -> bytes:
        start = max(place for place in self.pieces if place <= offset)
        return self.pieces[start][offset - start : offset - start + length]


def test_a_movie_of_many_gigabytes_and_hours() -> None:
    source = stream("jpeg")
    frame = bytes(200_000_000)
    assert isinstance(source.params, VideoParams)
    muxer, file = Muxer(source.params, None, IDENTITY), Sparse()
    file.append([muxer.header()])
    for number in range(30):  # half an hour apart
        time_us = number * 1800 * 1_000_000
        file.append(muxer.fragment([TimedSample(source.params, frame, time_us, True)]))
    closing = muxer.finish()
    header = file.pieces[0]
    end = closing.patch_offset + len(closing.patch)
    for closed in (False, True):
        if closed:
            file.pieces[0] = header[: closing.patch_offset] + closing.patch + header[end:]
            file.append([closing.tail])
        movie = read_movie(file)
        assert (movie.whole, movie.valid_end) == (closed, file.size)
        last = movie.tracks[0].samples[-1]
        assert (last.time_us, last.size) == (29 * 1800 * 1_000_000, len(frame))
        assert last.offset > 5_000_000_000
