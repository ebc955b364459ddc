"""Segments on real disks: sealed as they close, whatever the disk does meanwhile."""

from __future__ import annotations

import errno
import signal
from pathlib import Path

import pytest

from camkeep.archive.evidence import examine_file
from camkeep.archive.files import SystemFiles
from camkeep.archive.movie import MovieFile
from camkeep.archive.recover_movie import Recovered, recover_movie
from camkeep.errors import DiskFull, WriteFailed
from camkeep.media.mp4 import TimedSample
from camkeep.media.mp4.seal import SEAL_READ, read_seal
from camkeep.model import VideoParams
from support.disks import FailingFiles
from support.files import movie_of
from support.movies import IDENTITY, md5, probed, stream
from support.traced import traced


def video(name: str = "h264") -> tuple[VideoParams, list[TimedSample]]:
    params, samples = stream(name)
    assert isinstance(params, VideoParams)
    return params, samples


@pytest.mark.parametrize("name", ["h264", "h264-b", "jpeg"])
def test_a_sealed_movie_says_what_it_is(tmp_path: Path, name: str) -> None:
    path = tmp_path / "movie.mp4"
    params, samples = video(name)
    file = MovieFile.create(path, params, None, IDENTITY, sealed=True)
    for start in range(0, 50, 10):
        file.append(samples[start : start + 10])
    seal = file.close(3_000_000, b"\x01" * 32)
    assert seal is not None
    assert seal == read_seal(path.read_bytes()[-SEAL_READ:])
    assert (seal.identity, seal.frames, seal.duration_us) == (IDENTITY, 50, 3_000_000)
    assert (seal.codec, seal.width, seal.height) == (params.codec_string, 320, 240)
    assert seal.previous == b"\x01" * 32
    assert file.bytes_written == path.stat().st_size
    assert examine_file(path).intact
    assert [packet.md5 for packet in probed(path)] == [md5(sample.data) for sample in samples]
    assert file.close(3_000_000, b"\x01" * 32) is None  # nothing more happens


def test_without_a_segment_before_it_a_movie_is_closed_and_not_sealed(tmp_path: Path) -> None:
    path = tmp_path / "movie.mp4"
    params, samples = video()
    with MovieFile.create(path, params, None, IDENTITY, sealed=True) as file:
        file.append(samples)
    assert movie_of(path).whole
    assert read_seal(path.read_bytes()[-SEAL_READ:]) is None


def test_a_sealed_movie_without_a_sample_is_removed(tmp_path: Path) -> None:
    file = MovieFile.create(tmp_path / "movie.mp4", video()[0], None, IDENTITY, sealed=True)
    assert file.close(None, bytes(32)) is None
    assert (file.error, file.frames, list(tmp_path.iterdir())) == (None, 0, [])


@pytest.mark.parametrize("name", ["h264-b", "jpeg"])
def test_what_a_full_disk_cost_is_not_in_the_seal(small_disk: Path, name: str) -> None:
    path = small_disk / "movie.mp4"
    (small_disk / "other").write_bytes(bytes(2_040_000))
    params, samples = video(name)
    file = MovieFile.create(path, params, None, IDENTITY, sealed=True)
    with pytest.raises(DiskFull):  # noqa: PT012
        for start in range(0, 50, 5):
            file.append(samples[start : start + 5])
    (small_disk / "other").unlink()
    seal = file.close(None, bytes(32))
    assert seal is not None
    assert 0 < seal.frames == file.frames < 50
    assert isinstance(file.error, DiskFull)
    assert examine_file(path).intact
    assert len(probed(path)) == seal.frames


def test_frames_held_back_on_a_full_disk_cost_no_seal(tmp_path: Path) -> None:
    path = tmp_path / "movie.mp4"
    params, samples = video("h264-b")
    full = FailingFiles("writev", errno.ENOSPC, which=[2])  # header, frames, those held back
    file = MovieFile.create(path, params, None, IDENTITY, sealed=True, files=full)
    file.append(samples)
    seal = file.close(None, bytes(32))
    assert seal is not None
    assert seal.frames == 48
    assert isinstance(file.error, DiskFull)
    assert examine_file(path).intact


@pytest.mark.parametrize("which", [0, 1, 2])
def test_a_movie_that_cannot_be_flushed_has_no_seal(tmp_path: Path, which: int) -> None:
    path = tmp_path / "movie.mp4"
    params, samples = video()
    failing = FailingFiles("sync", which=[which])  # of the samples, of the tables, of the header
    file = MovieFile.create(path, params, None, IDENTITY, sealed=True, files=failing)
    file.append(samples)
    seal = None
    with pytest.raises(WriteFailed):  # noqa: PT012
        file.sync()
        file.close(None, bytes(32))
    seal = file.close(None, bytes(32))
    assert seal is None
    assert isinstance(file.error, WriteFailed)
    assert failing.calls.count("sync") == which  # and none of them again
    assert len(probed(path)) == 50  # whatever the disk holds, what we see of it plays


@pytest.mark.parametrize("call", ["writev:signal=KILL:when=7", "pwrite64:signal=KILL"])
def test_a_recorder_killed_while_it_seals(tmp_path: Path, call: str) -> None:
    path = tmp_path / "movie.mp4"
    done = traced(path, "-o", "/dev/null", "-e", f"inject={call}", sealed=True)
    assert done.returncode == -signal.SIGKILL
    found = recover_movie(SystemFiles(), path, bytes(32))
    assert isinstance(found, Recovered)
    assert found.seal.frames == 50
    assert examine_file(path).intact
    assert len(probed(path)) == 50
