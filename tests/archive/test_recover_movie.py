"""A segment that a crash left open, made whole on a real file system."""

from __future__ import annotations

import errno
import os
import random
from functools import cache
from pathlib import Path

import pytest

from camkeep.archive.evidence import examine_file
from camkeep.archive.files import SystemFiles
from camkeep.archive.movie import MovieFile
from camkeep.archive.recover_movie import MAX_TORN, Empty, Recovered, recover_movie
from camkeep.errors import DiskFull, MediaError, StorageError, WriteFailed
from camkeep.media.audio import g711_params
from camkeep.media.jpeg import jpeg_params
from camkeep.media.mp4 import TimedSample
from camkeep.media.mp4.seal import NOTHING_BEFORE
from camkeep.model import Codec, VideoParams
from support.disks import DyingFiles, FailingFiles, Killed, QuickFiles, fill
from support.encoded import ffmpeg
from support.files import movie_of
from support.movies import IDENTITY, SealedMovie, Stream, md5, probed, sealed, stream

PREVIOUS = b"\x05" * 32


@cache
def tiny() -> SealedMovie:
    """A movie of some 3 KB with sound."""
    video, audio = jpeg_params(64, 48), g711_params(Codec.PCMA, 8000, 1)
    rng = random.Random(4)
    pictures = [TimedSample(video, rng.randbytes(30), 40_000 * n, True) for n in range(9)]
    sound = [TimedSample(audio, rng.randbytes(160), 20_000 * n, True) for n in range(18)]
    pair = Stream(video, pictures), Stream(audio, sound)
    return sealed(*pair, size=9, previous=PREVIOUS)


def again(path: Path, files: SystemFiles | None = None) -> Recovered:
    found = recover_movie(files or QuickFiles(), path, PREVIOUS)
    assert isinstance(found, Recovered)
    assert found.size == path.stat().st_size
    return found


def test_a_crash_at_any_byte(tmp_path: Path) -> None:
    movie, path = tiny(), tmp_path / "segment.mp4"
    wanted: dict[int, bytes] = {}
    for cut in range(len(movie.growing) + 1):
        path.write_bytes(movie.growing[:cut])
        whole = max(end for end, _ in movie.steps if end <= cut or end == movie.steps[0][0])
        if whole == movie.steps[0][0]:
            assert recover_movie(QuickFiles(), path, PREVIOUS) == Empty()
            assert path.read_bytes() == movie.growing[:cut]
            continue
        found = again(path)
        assert path.read_bytes() == wanted.setdefault(whole, path.read_bytes())
        if cut == whole:
            evidence = examine_file(path)
            assert evidence.intact
            assert evidence.seal == found.seal
            assert found.seal.previous == PREVIOUS
    assert wanted[len(movie.growing)] == movie.closed


def test_every_step_of_closing(tmp_path: Path) -> None:
    movie, path = tiny(), tmp_path / "segment.mp4"
    tail = movie.closed[len(movie.growing) :]
    for cut in range(len(tail) + 1):  # tables and seal written, whole or in part
        path.write_bytes(movie.growing + tail[:cut])
        assert again(path).seal == movie.seal
        assert path.read_bytes() == movie.closed


def test_a_closed_segment_is_left_as_it_is(tmp_path: Path) -> None:
    path, files = tmp_path / "segment.mp4", QuickFiles()
    path.write_bytes(tiny().closed)
    before = path.stat().st_mtime_ns
    found = recover_movie(files, path, b"\x09" * 32)
    assert found == Recovered(tiny().seal, len(tiny().closed))
    assert files.calls == ["sync"]  # the crash may have come before the last flush
    assert path.stat().st_mtime_ns == before
    assert path.read_bytes() == tiny().closed


def test_a_segment_that_was_closed_and_then_cut(tmp_path: Path) -> None:
    movie, path = tiny(), tmp_path / "segment.mp4"
    for cut in range(movie.steps[1][0], len(movie.closed), 7):
        path.write_bytes(movie.closed[:cut])
        found = again(path)
        assert examine_file(path).intact
        if cut >= len(movie.growing):
            assert found.seal == movie.seal


@pytest.mark.parametrize("torn", [0, 5])
def test_recovery_may_be_interrupted_anywhere(tmp_path: Path, torn: int) -> None:
    movie, path = tiny(), tmp_path / "segment.mp4"
    begin = movie.growing[: len(movie.growing) - torn] + b"junk"
    path.write_bytes(begin)
    files = QuickFiles()
    seal, wanted = again(path, files).seal, path.read_bytes()
    assert files.calls == ["truncate", "sync", "writev", "sync", "pwrite", "sync"]
    for last in range(len(files.calls)):
        for part in (0, 1, 8, 300, 900):
            path.write_bytes(begin)
            with pytest.raises(Killed):
                recover_movie(DyingFiles(last, part), path, PREVIOUS)
            assert again(path).seal == seal
            assert path.read_bytes() == wanted


@pytest.mark.parametrize(
    ("name", "sound"), [("h264", "aac"), ("h264-b", "opus"), ("h264-open", None), ("jpeg", "pcma")]
)
def test_players_find_every_frame_that_was_written(
    tmp_path: Path, name: str, sound: str | None
) -> None:
    path = tmp_path / "segment.mp4"
    source, audio = stream(name), stream(sound) if sound else None
    params = source.params
    assert isinstance(params, VideoParams)
    file = MovieFile.create(path, params, audio and audio.params, IDENTITY, sealed=True)  # type: ignore[arg-type]
    for number in range(0, 50, 10):
        file.append(source.samples[number : number + 10])
        if audio is not None:
            file.append(audio.samples[number // 2 : number // 2 + 5])
    file.abandon()
    kept = file.frames
    with path.open("ab") as torn:
        torn.write(path.read_bytes()[-3000:])
    found = again(path, SystemFiles())
    assert kept == found.seal.frames >= 46
    assert movie_of(path).whole
    assert [packet.md5 for packet in probed(path)] == [md5(s.data) for s in source.samples[:kept]]
    if audio is not None:
        heard = [md5(s.data) for n in range(0, 25, 5) for s in audio.samples[n : n + 5]]
        assert [packet.md5 for packet in probed(path, "a:0")] == heard
    assert examine_file(path).intact


def test_the_same_samples_give_the_same_digest_as_an_undisturbed_close(tmp_path: Path) -> None:
    path, source = tmp_path / "segment.mp4", stream("h264")
    seals = []
    for crash in (False, True):
        path.unlink(missing_ok=True)
        assert isinstance(source.params, VideoParams)
        file = MovieFile.create(path, source.params, None, IDENTITY, sealed=True)
        file.append(source.samples)
        if crash:
            file.abandon()
            seals.append(again(path).seal)
        else:
            seals.append(file.close(5_000_000, PREVIOUS))
    undisturbed, recovered = seals
    assert undisturbed is not None
    assert recovered is not None
    assert recovered.samples == undisturbed.samples
    assert (undisturbed.duration_us, recovered.duration_us) == (5_000_000, 2_000_000)


@pytest.mark.parametrize("data", [bytes(4000), random.Random(1).randbytes(4000)])
def test_what_is_no_segment_is_not_touched(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "segment.mp4"
    path.write_bytes(data)
    with pytest.raises(MediaError):
        recover_movie(QuickFiles(), path, PREVIOUS)
    assert path.read_bytes() == data


def test_a_file_of_nothing_is_empty(tmp_path: Path) -> None:
    path = tmp_path / "segment.mp4"
    path.write_bytes(b"")
    assert recover_movie(QuickFiles(), path, PREVIOUS) == Empty()


@pytest.mark.parametrize("fragment", [1, 2])
def test_much_that_does_not_read_is_damage_and_stays(tmp_path: Path, fragment: int) -> None:
    """A crash tears the end of a file; it does not spoil what was flushed long before."""
    movie, path = tiny(), tmp_path / "segment.mp4"
    place = movie.steps[fragment][0] - 1
    spoilt = bytearray(movie.growing)
    spoilt[place] ^= 1
    path.write_bytes(spoilt)
    os.truncate(path, len(spoilt) + MAX_TORN)
    with pytest.raises(MediaError, match="damaged in its middle"):
        recover_movie(QuickFiles(), path, PREVIOUS)
    assert path.stat().st_size == len(spoilt) + MAX_TORN
    os.truncate(path, len(spoilt))
    assert isinstance(
        recover_movie(QuickFiles(), path, PREVIOUS), Recovered if fragment > 1 else Empty
    )


def test_no_room_for_the_tables(small_disk: Path) -> None:
    path, other = small_disk / "segment.mp4", small_disk / "other"
    params = jpeg_params(32, 32)
    still = "-f lavfi -i testsrc2=s=32x32 -frames:v 1 -f mjpeg pipe:1"
    picture = ffmpeg(*still.split())
    file = MovieFile.create(path, params, None, IDENTITY, sealed=True)
    file.append([TimedSample(params, picture, n * 40_000, True) for n in range(1200)])
    fill(other)  # what is left is the rest of the movie's last page, less than its tables
    assert file.close(None, PREVIOUS) is None
    assert file.error is None
    grown = path.read_bytes()
    with pytest.raises(DiskFull):
        recover_movie(SystemFiles(), path, PREVIOUS)
    assert path.read_bytes() == grown
    assert len(probed(path)) == 1200
    os.truncate(other, 4096)
    assert again(path, SystemFiles()).seal.frames == 1200
    assert examine_file(path).intact
    assert len(probed(path)) == 1200


@pytest.mark.parametrize(
    ("files", "error"),
    [
        (FailingFiles("open", errno.ENOENT), StorageError),
        (FailingFiles("pread"), StorageError),
        (FailingFiles("writev"), WriteFailed),
        (FailingFiles("writev", errno.ENOSPC), DiskFull),
        (FailingFiles("sync", which=[0]), WriteFailed),
        (FailingFiles("sync", which=[1]), WriteFailed),
        (FailingFiles("sync", which=[2]), WriteFailed),
        (FailingFiles("sync", errno.ENOSPC, which=[2]), WriteFailed),
        (FailingFiles("pwrite"), WriteFailed),
    ],
)
def test_errors_of_the_disk_are_told(
    tmp_path: Path, files: FailingFiles, error: type[Exception]
) -> None:
    path = tmp_path / "segment.mp4"
    path.write_bytes(tiny().growing)
    with pytest.raises(error, match=str(path)):
        recover_movie(files, path, PREVIOUS)
    assert again(path).seal == tiny().seal


def test_a_closed_segment_that_cannot_be_flushed(tmp_path: Path) -> None:
    path = tmp_path / "segment.mp4"
    path.write_bytes(tiny().closed)
    with pytest.raises(WriteFailed):
        recover_movie(FailingFiles("sync"), path, NOTHING_BEFORE)
