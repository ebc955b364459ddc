"""A growing movie taken up again: the same closing as if nothing had happened, from any torso."""

from __future__ import annotations

import random
from dataclasses import replace
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from camkeep.errors import MediaError
from camkeep.media.audio import g711_params
from camkeep.media.jpeg import jpeg_params
from camkeep.media.mp4 import Closing, TimedSample
from camkeep.media.mp4.resume import Resumed, resume_movie
from camkeep.media.mp4.seal import NOTHING_BEFORE
from camkeep.model import AudioParams, Codec, VideoParams
from support.files import MemoryFile
from support.movies import (
    IDENTITY,
    SealedMovie,
    Stream,
    made,
    sealed,
    stream,
    turned,
    undeclared,
)

PREVIOUS = b"\x07" * 32
VIDEO = jpeg_params(64, 48)
AUDIO = g711_params(Codec.PCMA, 8000, 1)


def resumed(data: bytes) -> Resumed:
    found = resume_movie(MemoryFile(data))
    assert found is not None
    return found


def closed_again(data: bytes, previous: bytes = NOTHING_BEFORE) -> tuple[bytes, Closing]:
    """What is left of a torso, closed."""
    found = resumed(data)
    closing = found.movie.finish(previous=previous)
    return turned(data[: found.end], closing), closing


@cache
def tiny(frames: int = 9) -> SealedMovie:
    """A movie of some 3 KB, in fragments of three frames and some sound."""
    rng = random.Random(5)
    pictures = [
        TimedSample(VIDEO, rng.randbytes(20 + n), 40_000 * n + rng.randint(0, 9000), True)
        for n in range(frames)
    ]
    sound = [TimedSample(AUDIO, rng.randbytes(160), 20_000 * n, True) for n in range(2 * frames)]
    identity = replace(IDENTITY, camera_id="abcdefghijkm")
    return sealed(Stream(VIDEO, pictures), Stream(AUDIO, sound), size=9, identity=identity)


@pytest.mark.parametrize("announced", [True, False])
@pytest.mark.parametrize("sound", [None, "aac", "opus", "pcma"])
@pytest.mark.parametrize("name", ["h264", "h264-b", "h264-open", "h265-b", "jpeg"])
def test_the_closed_file_is_the_same_to_the_byte(
    name: str, sound: str | None, announced: bool
) -> None:
    source = stream(name) if announced else undeclared(stream(name))
    audio = stream(sound) if sound else None
    wanted = sealed(source, audio, size=7, previous=PREVIOUS)
    again, closing = closed_again(wanted.growing, PREVIOUS)
    assert closing.seal == wanted.seal
    assert again == wanted.closed


def test_sound_alone() -> None:
    wanted = sealed(None, stream("aac"))
    assert closed_again(wanted.growing)[0] == wanted.closed


times = st.lists(st.integers(0, 400_000), min_size=1, max_size=30)


@given(times, times, st.integers(0, 2_000_000), st.integers(1, 17), st.booleans())
def test_any_times_are_found_again(
    steps: list[int], sounds: list[int], begin_us: int, size: int, shuffled: bool
) -> None:
    rng = random.Random(len(steps))
    streams = []
    params: VideoParams | AudioParams
    for params, lengths, begin in ((VIDEO, steps, begin_us), (AUDIO, sounds, 0)):
        samples, time_us = [], begin
        for number, step in enumerate(lengths):
            time_us += step
            data = rng.randbytes(number % 50 + 1)
            samples.append(TimedSample(params, data, time_us, number % 3 == 0))
        streams.append(Stream(params, samples))
    if shuffled:  # frames out of an order that nobody announced
        rng.shuffle(streams[0].samples)
    wanted = sealed(undeclared(streams[0]), streams[1], size)
    again, closing = closed_again(wanted.growing)
    assert closing.seal == wanted.seal
    assert again == wanted.closed


def test_a_file_torn_anywhere_is_taken_up_at_its_last_whole_fragment() -> None:
    movie = tiny()
    first, *ends = (end for end, _ in movie.steps)
    assert len(ends) == 3
    wanted = {end: closed_again(movie.growing[:end])[0] for end in ends}
    assert wanted[ends[-1]] == movie.closed
    for cut in range(len(movie.growing) + 1):
        torso = movie.growing[:cut]
        if cut < ends[0]:
            assert resume_movie(MemoryFile(torso)) is None
            continue
        end = max(end for end in ends if end <= cut)
        assert resumed(torso).end == end
        if cut - end in (0, 1, 30) or cut % 50 == 0:
            assert closed_again(torso)[0] == wanted[end]
    assert first < ends[0]


def test_what_was_held_back_for_its_order_is_all_that_is_missing() -> None:
    source = stream("h264-b")
    movie = sealed(source, size=7)
    before = sealed(source, size=7, flush=False)
    assert before.steps[-1][1] == 48
    cut = len(movie.growing) - 10  # in the last fragment, which has the other two
    assert closed_again(movie.growing[:cut])[0] == before.closed


def test_every_step_of_closing_is_taken_up() -> None:
    movie = tiny()
    header = movie.closed[: len(movie.growing)]
    for cut in range(len(movie.growing), len(movie.closed) + 1):
        for begin in (movie.growing, header):  # not turned yet, or turned and cut by somebody
            torso = begin + movie.closed[len(movie.growing) : cut]
            assert resumed(torso).end == len(movie.growing)
    for torso in (movie.growing + movie.closed[len(movie.growing) :], movie.closed, header):
        assert closed_again(torso)[0] == movie.closed
    for half in range(16):  # and what a disk makes of 16 bytes that it was to write at once
        place = int.from_bytes(movie.closed[:4], "big") + half
        assert closed_again(movie.closed[:place] + movie.growing[place:])[0] == movie.closed


@pytest.mark.parametrize("fill", [b"\0", b"\xff", b"m"])
def test_bytes_that_never_reached_the_disk_end_the_movie(fill: bytes) -> None:
    """A power cut may leave the file as long as it was, with holes in it."""
    movie = tiny()
    ends = [end for end, _ in movie.steps]
    for place in range(ends[0], len(movie.growing) - 16, 7):
        torso = movie.growing[:place] + fill * 16 + movie.growing[place + 16 :]
        if torso == movie.growing:
            continue
        before = [end for end in ends if end <= place][-1]
        found = resume_movie(MemoryFile(torso))
        assert (found.end if found else ends[0]) == before


def test_other_bytes_behind_the_movie_are_no_part_of_it() -> None:
    movie = tiny()
    rng = random.Random(2)
    for junk in (bytes(5000), b"\xff" * 5000, rng.randbytes(5000), movie.growing, movie.closed):
        assert closed_again(movie.growing + junk)[0] == movie.closed
    last = movie.growing[movie.steps[-2][0] :]
    assert last
    assert closed_again(movie.growing + last)[0] == movie.closed  # it says where it belongs


def test_a_file_that_ends_in_its_header_has_nothing_in_it() -> None:
    movie = tiny()
    for cut in range(movie.steps[0][0] + 1):
        assert resume_movie(MemoryFile(movie.growing[:cut])) is None


def test_what_is_not_ours_is_refused() -> None:
    growing, closed = made(stream("h264"))
    rng = random.Random(3)
    movie = tiny()
    moov = movie.growing.index(b"moov")
    strangers = {
        "zeros": bytes(5000),
        "noise": rng.randbytes(5000),
        "a movie of the record command": growing,
        "the same, closed": closed,
        "nothing but a box": b"\0\0\0\x10ftypisom\0\0\0\0" + bytes(40),
        "another box where the header goes on": movie.growing.replace(b"moov", b"moof", 1),
        "a header of absurd length": movie.growing[: moov - 4]
        + b"\0\x02"
        + movie.growing[moov - 2 :],
        "no identity": movie.growing.replace(b'{"camera"', b'{"kamera"', 1),
        "an ordinary movie": movie.growing.replace(b"mvex", b"free", 1),
    }
    for what, data in strangers.items():
        try:
            assert resume_movie(MemoryFile(data)) is not None, what
        except MediaError:
            continue
        pytest.fail(what)


def test_memory_is_bounded_by_a_block(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("camkeep.media.mp4.digests.BLOCK", 1 << 12)
    movie = sealed(stream("jpeg"), size=25)
    source = MemoryFile(movie.growing)
    assert resume_movie(source) is not None
    assert source.longest_read < 1 << 13 < max(len(s.data) for s in stream("jpeg").samples)
