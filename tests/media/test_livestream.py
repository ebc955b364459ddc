"""Live streams: what is made of samples as they come, read by our reader and by ffmpeg."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from camkeep.clock import MonoNs, WallUs
from camkeep.errors import MediaError
from camkeep.media.mp4 import read_movie
from camkeep.media.mp4.livestream import Beginning, LiveStream, Piece, fragment
from camkeep.media.mp4.livetimes import Frame, LiveTimes, Sound
from camkeep.model import AudioParams, Codec, Sample, VideoParams
from support.live import WALL, Bytes, played, samples
from support.movies import md5, probed, stream

SOUND = {"aac": ("h264", "aac"), "opus": ("h264", "opus"), "pcma": ("h264", "pcma")}


def whole(beginnings: list[Beginning], pieces: list[Piece]) -> bytes:
    assert len(beginnings) == 1
    return beginnings[0].data + b"".join(piece.data for piece in pieces)


@pytest.mark.parametrize("name", ["h264", "h264-b", "h264-open", "h265-b", "jpeg"])
def test_each_frame_is_a_fragment_with_its_time(name: str, tmp_path: Path) -> None:
    given_samples = samples(name)
    beginnings, pieces = played(LiveStream("garage"), given_samples)
    data = whole(beginnings, pieces)
    movie = read_movie(Bytes(data))
    assert movie.valid_end == len(data)
    assert movie.video is not None
    found = list(movie.video.samples)
    wanted = given_samples[: len(found)]  # those with B-frames hold some back
    assert len(given_samples) - len(found) <= 4
    assert [s.time_us for s in found] == pytest.approx([s.wall - WALL for s in wanted], abs=12)
    assert [data[s.offset : s.offset + s.size] for s in found] == [s.data for s in wanted]
    assert [s.key for s in found] == [s.key for s in wanted]
    assert all(b.dts > a.dts for a, b in pairwise(found))
    assert [p.time_us for p in pieces] == pytest.approx([s.wall - WALL for s in wanted], abs=12)
    assert [p.wall for p in pieces] == [s.wall for s in wanted]
    path = tmp_path / "live.mp4"
    path.write_bytes(data)
    packets = probed(path)
    assert [p.md5 for p in packets] == [md5(s.data) for s in wanted]
    assert all(b.dts > a.dts for a, b in pairwise(packets))
    first = packets[0].pts
    assert [(p.pts - first) * 100 // 9 for p in packets] == pytest.approx(
        [s.wall - wanted[0].wall for s in wanted], abs=24
    )


@pytest.mark.parametrize("codec", SOUND)
def test_sound_goes_with_the_frames(codec: str, tmp_path: Path) -> None:
    given_samples = samples(*SOUND[codec])
    announced = stream(codec).params
    assert isinstance(announced, AudioParams)
    beginnings, pieces = played(LiveStream("garage", announced), given_samples)
    data = whole(beginnings, pieces)
    movie = read_movie(Bytes(data))
    assert movie.video is not None
    assert movie.audio is not None
    frames = [s for s in given_samples if s.is_video]
    assert len(movie.video.samples) == len(frames)
    sounds = [s for s in given_samples if not s.is_video][1:]  # one comes before the key frame
    found = list(movie.audio.samples)
    assert len(sounds) - len(found) < 8
    assert [s.time_us for s in found] == pytest.approx(
        [s.wall - WALL for s in sounds[: len(found)]], abs=21_000
    )
    assert all(a.dts + a.duration == b.dts for a, b in pairwise(found))
    path = tmp_path / "live.mp4"
    path.write_bytes(data)
    assert [p.md5 for p in probed(path, "a:0")] == [md5(s.data) for s in sounds[: len(found)]]
    assert any(p.picture and p.sound for p in pieces)


def test_sound_that_is_not_announced_begins_at_the_next_key_frame() -> None:
    late = [s for s in samples("h264", "aac") if s.is_video or s.wall - WALL > 100_000]
    beginnings, pieces = played(LiveStream("garage"), late)
    assert [each.audio is not None for each in beginnings] == [False, True]
    assert sum(piece.picture for piece in pieces) == 50


def test_pictures_do_not_wait_long_for_sound_that_does_not_come() -> None:
    announced = stream("aac").params
    assert isinstance(announced, AudioParams)
    beginnings, pieces = played(LiveStream("garage", announced), samples("h264"))
    assert [each.audio for each in beginnings] == [None]
    assert len(pieces) == 50


def test_sound_that_ends_is_let_go_at_a_key_frame() -> None:
    live = LiveStream("garage", sounds=frozenset({Codec.AAC}))
    silent = [sample for n in range(1, 4) for sample in samples("h264", shift_us=n * 2_000_000)]
    beginnings, pieces = played(live, [*samples("h264", "aac"), *silent])
    assert [each.audio is not None for each in beginnings] == [True, False]
    assert sum(piece.picture for piece in pieces) == 200


def test_sound_of_a_codec_that_is_not_wanted_is_left_out() -> None:
    live = LiveStream("garage", sounds=frozenset({Codec.AAC}))
    beginnings, pieces = played(live, samples("h264", "pcma"))
    assert [each.audio for each in beginnings] == [None]
    assert not any(piece.sound for piece in pieces)


@pytest.mark.parametrize("name", ["h264", "h264-b", "jpeg"])
def test_a_gap_is_a_gap_in_time_and_goes_on_with_a_key_frame(name: str) -> None:
    before = samples(name)[:20]
    after = samples(name, run=1, shift_us=60_000_000)
    first = next(n for n, s in enumerate(after) if n and s.key)  # not with a key frame
    broken = after[1 if not after[1].key else 0 :]
    live = LiveStream("garage")
    beginnings, pieces = played(live, [*before, *broken])
    assert len(beginnings) == 1
    movie = read_movie(Bytes(whole(beginnings, pieces)))
    assert movie.video is not None
    times = [s.time_us for s in movie.video.samples]
    wanted = [s.wall - WALL for s in [*before, *(broken if name == "jpeg" else after[first:])]]
    assert times == pytest.approx(wanted[: len(times)], abs=12)
    assert live.left_out == (0 if name == "jpeg" else first - 1)


def test_another_size_is_another_beginning_and_times_go_on() -> None:
    other = samples("h264-large", run=1, shift_us=2_000_000)
    beginnings, pieces = played(LiveStream("garage"), [*samples("h264"), *other])
    assert [each.video.width for each in beginnings] == [320, 640]
    walls = [s.wall - WALL for s in [*samples("h264"), *other]]
    assert [piece.time_us for piece in pieces] == pytest.approx(walls, abs=12)


def test_frames_that_are_held_back_come_before_another_beginning() -> None:
    live = LiveStream("garage")
    made = [
        each
        for sample in [*samples("h264-b"), *samples("h264", run=1, shift_us=2_000_000)]
        for each in live.add(sample)
    ]
    second = next(n for n, each in enumerate(made) if n and isinstance(each, Beginning))
    assert second == 51
    assert isinstance(made[second + 1], Piece)
    assert made[second + 1].key


@pytest.mark.parametrize("shift_s", [-3600, -1, 24 * 3600])
def test_a_clock_that_was_set_goes_on_at_once(shift_s: int) -> None:
    other = samples("h264", run=1, shift_us=2_000_000 + shift_s * 1_000_000)
    live = LiveStream("garage")
    _, pieces = played(live, [*samples("h264"), *other])
    assert [b.time_us - a.time_us for a, b in pairwise(pieces)] == pytest.approx(
        [40_000] * 99, abs=12
    )
    assert pieces[-1].wall == other[-1].wall


def test_a_viewer_that_lost_frames_goes_on_with_the_next_key_frame() -> None:
    live = LiveStream("garage")
    played(live, samples("h264")[:5])
    live.lose()
    _, pieces = played(live, samples("h264")[6:])
    assert pieces[0].key
    assert pieces[0].time_us == pytest.approx(12 * 40_000, abs=12)


def test_guesses_are_long_enough_for_a_rate_that_halves() -> None:
    live = LiveStream("garage")
    times = [*range(0, 1_000_000, 40_000), *range(1_000_000, 3_000_000, 200_000)]
    origin = samples("h264")
    made = [s._replace(wall=WallUs(WALL + t)) for s, t in zip(origin, times, strict=False)]
    _, pieces = played(live, made)
    for before, after in pairwise(pieces):
        assert after.time_us - before.time_us <= 2 * before.duration_us + 12


def test_several_frames_in_one_fragment_have_their_exact_times() -> None:
    times = LiveTimes(next(s.params for s in samples("h264", "aac") if not s.is_video))  # type: ignore[arg-type]
    placed = [p for s in samples("h264", "aac") for p in times.add(s)]
    frames = [p for p in placed if isinstance(p, Frame)]
    sounds = [p for p in placed if isinstance(p, Sound)]
    beginnings, _ = played(
        LiveStream("garage", stream("aac").params),  # type: ignore[arg-type]
        samples("h264", "aac"),
    )
    data = beginnings[0].data + fragment(1, frames, frames[-1].dts + 3600, 0, sounds)
    movie = read_movie(Bytes(data))
    assert movie.video is not None
    assert movie.audio is not None
    assert [s.duration for s in movie.video.samples] == [3600] * 50
    assert len(movie.audio.samples) == len(sounds)


H264 = stream("h264").params
assert isinstance(H264, VideoParams)
OTHER = replace(H264, reorder=None)
HUGE = VideoParams(Codec.H264, 0, 99_999, 90_000, "avc1.42001e", b"\x01")
AAC = stream("aac").params
STRANGE = AudioParams(Codec.OPUS, 0, 0, 48_000, "opus")
WALLS = st.one_of(
    st.integers(0, 3_000_000), st.integers(-(2**62), 2**62), st.integers(-60_000_000, 60_000_000)
)


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.tuples(
            st.sampled_from([H264, H264, H264, OTHER, HUGE, AAC, AAC, STRANGE]),
            st.binary(max_size=8),
            WALLS,
            st.booleans(),
            st.integers(0, 2),
        ),
        max_size=60,
    ),
    st.sampled_from([None, AAC, STRANGE]),
)
def test_whatever_comes_is_a_stream_or_a_media_error(
    rows: list[tuple[VideoParams | AudioParams, bytes, int, bool, int]],
    announced: AudioParams | None,
) -> None:
    live = LiveStream("garage", announced, stamped=True)
    parts: list[list[bytes]] = []
    for params, data, wall, key, run in rows:
        given_sample = Sample(
            params, data, wall, MonoNs(abs(wall) % 2**50 * 1000), WallUs(WALL + wall), key, run
        )
        try:
            for made in live.add(given_sample):
                if isinstance(made, Beginning):
                    parts.append([made.data])
                else:
                    parts[-1].append(made.data)
        except MediaError:
            return
    for each in parts:
        movie = read_movie(Bytes(b"".join(each)))
        assert movie.valid_end == len(b"".join(each))
        for track in movie.tracks:
            assert all(b.dts > a.dts for a, b in pairwise(track.samples))
