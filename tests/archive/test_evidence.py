"""Whatever is changed in a sealed segment is found, and it is said where."""

from __future__ import annotations

import os
import random
from functools import cache
from pathlib import Path

import pytest

from camkeep.archive.evidence import Evidence, examine, examine_file
from camkeep.clock import WallUs
from camkeep.errors import MediaError, StorageError
from camkeep.media.audio import g711_params
from camkeep.media.jpeg import jpeg_params
from camkeep.media.mp4 import TimedSample, read_movie
from camkeep.media.mp4.seal import seal_box
from camkeep.model import Codec
from support.files import MemoryFile
from support.movies import IDENTITY, SealedMovie, Stream, made, sealed, stream

START = IDENTITY.start


@cache
def tiny() -> SealedMovie:
    """A movie of some 3 KB: 9 pictures in three fragments, sound in them and behind."""
    video, audio = jpeg_params(64, 48), g711_params(Codec.PCMA, 8000, 1)
    rng = random.Random(4)
    pictures = [TimedSample(video, rng.randbytes(20), 40_000 * n, n % 2 == 0) for n in range(9)]
    sound = [TimedSample(audio, rng.randbytes(20), 20_000 * n, True) for n in range(18)]
    return sealed(Stream(video, pictures), Stream(audio, sound), size=9)


def look(data: bytes) -> Evidence | None:
    """What is found; None where there is nothing to compare."""
    try:
        return examine(MemoryFile(data))
    except MediaError:
        return None


def changed(data: bytes, place: int, bits: int) -> bytes:
    return data[:place] + bytes([data[place] ^ bits]) + data[place + 1 :]


@pytest.mark.parametrize("name", ["h264", "h264-b", "h264-open", "h265-b", "jpeg"])
def test_what_was_not_changed_is_intact(tmp_path: Path, name: str) -> None:
    movie = sealed(stream(name), stream("aac"))
    path = tmp_path / "segment.mp4"
    path.write_bytes(movie.closed)
    found = examine_file(path)
    assert found == Evidence(movie.seal, True, ())
    assert found.intact


def test_no_byte_can_be_changed(tmp_path: Path) -> None:
    movie = tiny()
    rng = random.Random(7)
    for place in range(len(movie.closed)):
        for bits in {1 << rng.randrange(8), rng.randrange(1, 256)}:
            found = look(changed(movie.closed, place, bits))
            assert found is None or not found.intact, place


def test_no_byte_of_a_large_movie_can_be_changed() -> None:
    movie = sealed(stream("h264-b"), stream("aac"))
    rng = random.Random(8)
    for _ in range(100):
        place = rng.randrange(len(movie.closed))
        found = look(changed(movie.closed, place, rng.randrange(1, 256)))
        assert found is None or not found.intact, place


def test_nothing_can_be_inserted_taken_away_or_put_in_another_order() -> None:
    data = tiny().closed
    rng = random.Random(9)
    for _ in range(400):
        a, b, c = sorted(rng.randrange(len(data) + 1) for _ in range(3))
        for spoilt in (
            data[:a] + data[b:],
            data[:a] + rng.randbytes(b - a + 1) + data[a:],
            data[:a] + data[b:c] + data[a:b] + data[c:],
            data[:a],
            data + data[a:b] + b"\0",
        ):
            found = look(spoilt)
            assert spoilt == data or found is None or not found.intact


def test_a_changed_picture_is_told_from_changed_tables() -> None:
    movie = tiny()
    structure, samples = 0, 0
    inside = {
        place
        for track in read_movie(MemoryFile(movie.closed)).tracks
        for s in track.samples
        for place in range(s.offset, s.offset + s.size)
    }
    for place in range(len(movie.closed) - len(seal_box(movie.seal))):
        found = look(changed(movie.closed, place, 0x10))
        if found is None:
            assert place not in inside
        elif place in inside:
            assert found.structure
            assert found.changed
            samples += 1
        else:
            assert not found.structure
            structure += 1
    assert samples == len(inside) == 27 * 20
    assert structure > 1000


def test_the_fragment_that_was_changed_is_named() -> None:
    movie = sealed(stream("h264"), size=10)
    source = read_movie(MemoryFile(movie.closed)).tracks[0].samples
    for number in (0, 9, 10, 25, 49):
        place = source[number].offset + 5
        found = look(changed(movie.closed, place, 4))
        assert found is not None
        first = number // 10 * 10
        begin, end = (WallUs(START + n * 40_000) for n in (first, first + 9))
        assert (found.structure, found.changed) == (True, ((begin, end),))
    two = changed(changed(movie.closed, source[3].offset, 1), source[44].offset, 1)
    found = look(two)
    assert found is not None
    assert [begin - START for begin, _ in found.changed] == [0, 1_600_000]


def test_pictures_that_no_check_accounts_for_are_the_whole_segment() -> None:
    """A seal over other samples than those of the file, whose fragments agree with themselves."""
    good, other = tiny(), sealed(stream("jpeg"))
    forged = seal_box(other.seal)
    data = good.closed[: -len(seal_box(good.seal))] + forged
    found = look(data)
    assert found is not None
    assert not found.structure
    assert found.changed == ((START, WallUs(START + other.seal.duration_us)),)


@pytest.mark.parametrize("closed", [False, True])
def test_a_movie_without_a_seal_proves_nothing(closed: bool) -> None:
    data = made(stream("h264"))[closed]
    with pytest.raises(MediaError, match="no seal"):
        examine(MemoryFile(data))


def test_a_header_that_was_turned_back_is_named() -> None:
    movie = tiny()
    header = int.from_bytes(movie.closed[:4], "big")
    data = movie.growing[: header + 16] + movie.closed[header + 16 :]
    with pytest.raises(MediaError, match="not closed any more"):
        examine(MemoryFile(data))


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("camkeep.media.mp4.digests.BLOCK", 1 << 12)
    movie = sealed(stream("jpeg"))
    source = MemoryFile(movie.closed)
    assert examine(source).intact
    assert source.longest_read <= 1 << 12 < max(len(s.data) for s in stream("jpeg").samples)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    path = tmp_path / "segment.mp4"
    with pytest.raises(StorageError, match=r"segment\.mp4 cannot be read"):
        examine_file(path)
    path.mkdir()
    with pytest.raises(StorageError, match="cannot be read"):
        examine_file(path)
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - only their number counts
    for _ in range(5):
        with pytest.raises(StorageError):
            examine_file(path)
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208
