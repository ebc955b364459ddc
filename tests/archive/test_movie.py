"""The movie file on real disks: created, grown, full, damaged, closed."""

import os
import re
import signal
from pathlib import Path

import pytest

from camkeep.archive.movie import MovieFile
from camkeep.errors import DiskFull, MediaError, NotWritable, WriteFailed
from camkeep.media.jpeg import jpeg_params
from camkeep.media.mp4 import Movie, TimedSample, read_movie
from camkeep.model import VideoParams
from support.disks import fill
from support.encoded import ffmpeg
from support.movies import IDENTITY, ffprobe, md5, probed, stream
from support.traced import traced


class OnDisk:
    """A file, to be read from."""

    def __init__(self, path: Path) -> None:
        self.data = path.read_bytes()
        self.size = len(self.data)

    def read_at(self, offset: int, length: int) -> bytes:
        return self.data[offset : offset + length]


def read(path: Path) -> Movie:
    return read_movie(OnDisk(path))


def video(name: str = "h264") -> tuple[VideoParams, list[TimedSample]]:
    params, samples = stream(name)
    assert isinstance(params, VideoParams)
    return params, samples


def create(path: Path, name: str = "h264", *, overwrite: bool = False) -> MovieFile:
    return MovieFile.create(path, video(name)[0], None, IDENTITY, overwrite=overwrite)


@pytest.mark.parametrize("name", ["h264", "h264-b", "jpeg"])
def test_a_movie_grows_and_closes_in_place(tmp_path: Path, name: str) -> None:
    path = tmp_path / "movie.mp4"
    _, samples = video(name)
    with create(path, name) as file:
        inode = path.stat().st_ino
        for start in range(0, 50, 10):
            file.append(samples[start : start + 10])
            assert read(path).valid_end == path.stat().st_size == file.bytes_written
        file.sync()
        grown = path.read_bytes()
    closed = path.read_bytes()
    assert (path.stat().st_ino, path.stat().st_size) == (inode, file.bytes_written)
    assert closed[len(grown) :] != b""
    assert sum(a != b for a, b in zip(grown, closed, strict=False)) <= 16  # only the header
    assert (file.frames, file.duration_us) == (50, 2_000_000)
    assert read(path).whole
    assert [packet.md5 for packet in probed(path)] == [md5(sample.data) for sample in samples]


def test_the_end_of_the_last_frame_can_be_told(tmp_path: Path) -> None:
    path = tmp_path / "movie.mp4"
    file = create(path)
    file.append(video()[1])
    file.close(end_us=3_500_000)
    assert file.duration_us == 3_500_000
    assert float(ffprobe(path, "-show_format")["format"]["duration"]) == pytest.approx(3.5)
    file.close()  # nothing more happens


def test_a_movie_without_a_sample_is_removed(tmp_path: Path) -> None:
    with create(tmp_path / "movie.mp4"):
        assert (tmp_path / "movie.mp4").stat().st_size > 0
    assert not list(tmp_path.iterdir())


def test_an_abandoned_movie_is_what_a_crash_leaves(tmp_path: Path) -> None:
    path = tmp_path / "movie.mp4"
    file = create(path, "h264-b")
    file.append(video("h264-b")[1][:20])
    file.abandon()
    movie = read(path)
    assert (movie.whole, len(movie.tracks[0].samples), movie.identity) == (False, 18, IDENTITY)
    with pytest.raises(WriteFailed, match="closed already"):
        file.append(video("h264-b")[1][20:])


def test_names_that_cannot_be_written(tmp_path: Path) -> None:
    there = tmp_path / "there.mp4"
    there.write_bytes(b"precious")
    for path, why in [
        (there, "exists already"),
        (tmp_path / "no" / "movie.mp4", "there is no folder"),
        (there / "movie.mp4", "cannot be created"),
        (Path("/proc/movie.mp4"), "/proc"),
        (tmp_path / ("x" * 300 + ".mp4"), "too long"),
    ]:
        with pytest.raises(NotWritable, match=why):
            create(path)
    for path in (tmp_path, Path("/dev/null")):
        with pytest.raises(NotWritable, match="not an ordinary file"):
            create(path, overwrite=True)
    assert there.read_bytes() == b"precious"
    with create(there, overwrite=True) as file:
        file.append(video()[1])
    assert len(read(there).tracks[0].samples) == 50


def test_what_mp4_cannot_hold_harms_nothing(tmp_path: Path) -> None:
    path = tmp_path / "movie.mp4"
    _, samples = video()
    with create(path) as file:
        file.append(samples[:10])
        with pytest.raises(MediaError, match="parameters changed"):
            file.append(video("jpeg")[1][:1])
        file.append(samples[10:20])
    assert len(read(path).tracks[0].samples) == 20


def test_more_buffers_than_one_call_takes(tmp_path: Path) -> None:
    path = tmp_path / "movie.mp4"
    params, _ = video("jpeg")
    samples = [TimedSample(params, bytes([n % 251]) * 9, n * 1000, True) for n in range(3000)]
    with create(path, "jpeg") as file:
        file.append(samples)
    data = path.read_bytes()
    found = [data[s.offset : s.offset + s.size] for s in read(path).tracks[0].samples]
    assert found == [sample.data for sample in samples]


@pytest.mark.parametrize("name", ["h264-b", "jpeg"])
def test_a_full_disk_costs_the_fragment_in_flight(small_disk: Path, name: str) -> None:
    path = small_disk / "movie.mp4"
    (small_disk / "other").write_bytes(bytes(2_040_000))
    _, samples = video(name)
    file = create(path, name)
    whole = 0
    with pytest.raises(DiskFull, match=re.escape(str(path))):  # noqa: PT012
        for start in range(0, 50, 5):
            file.append(samples[start : start + 5])
            whole = file.frames
    assert 0 < whole < 50
    assert path.stat().st_size == file.bytes_written == read(path).valid_end
    with pytest.raises(DiskFull):
        file.append(samples[:5])
    with pytest.raises(DiskFull):
        file.sync()
    file.close()
    movie = read(path)
    assert len(movie.tracks[0].samples) == file.frames == whole
    wanted = [md5(sample.data) for sample in samples[:whole]]
    assert [packet.md5 for packet in probed(path)] == wanted


@pytest.mark.parametrize("room", [False, True])
def test_no_room_for_the_index_leaves_the_fragments(small_disk: Path, room: bool) -> None:
    path, other = small_disk / "movie.mp4", small_disk / "other"
    still = "-f lavfi -i testsrc2=s=32x32 -frames:v 1 -f mjpeg pipe:1"
    tiny = ffmpeg(*still.split())
    params = jpeg_params(32, 32)
    file = MovieFile.create(path, params, None, IDENTITY)
    file.append([TimedSample(params, tiny, n * 40_000, True) for n in range(1200)])
    fill(other)  # what is left is the rest of the movie's last page, less than its index
    if room:
        os.truncate(other, 4096)
    file.close()
    movie = read(path)
    assert (movie.whole, len(movie.tracks[0].samples)) == (room, 1200)
    assert movie.valid_end == path.stat().st_size == file.bytes_written
    assert len(probed(path)) == file.frames == 1200


def test_no_room_for_a_new_movie_leaves_nothing(small_disk: Path) -> None:
    fill(small_disk / "other")
    with pytest.raises(DiskFull):
        create(small_disk / "movie.mp4")
    assert [path.name for path in small_disk.iterdir()] == ["other"]


def test_a_failed_flush_marks_the_file_damaged(tmp_path: Path) -> None:
    path = tmp_path / "movie.mp4"
    log = tmp_path / "log"
    done = traced(
        path, "-o", str(log), "-e", "trace=fdatasync", "-e", "inject=fdatasync:error=EIO:when=2"
    )
    assert done.stdout.startswith("WriteFailed")
    assert str(path) in done.stdout
    assert log.read_text().count("fdatasync(") == 2  # never tried again
    movie = read(path)
    assert (movie.whole, len(movie.tracks[0].samples)) == (False, 20)


@pytest.mark.parametrize("sealed", [False, True])
def test_the_order_of_writes_is_the_one_that_survives(tmp_path: Path, sealed: bool) -> None:
    path = tmp_path / "movie.mp4"
    log = tmp_path / "log"
    calls = "trace=fdatasync,fsync,writev,pwrite64"
    assert traced(path, "-o", str(log), "-e", calls, sealed=sealed).stdout == ""
    made = [line.split()[1].partition("(")[0] for line in log.read_text().splitlines()]
    made = [call for call in made if call in ("fdatasync", "fsync", "writev", "pwrite64")]
    fragments = ["writev", "fdatasync"] * 5
    closing = ["writev", "fdatasync", "pwrite64"] + ["fdatasync"] * sealed
    assert made == ["writev", "fsync", *fragments, *closing]


@pytest.mark.parametrize("call", ["fdatasync:error=EIO:when=6", "pwrite64:error=EIO:when=1"])
def test_an_error_while_closing_leaves_the_fragments(tmp_path: Path, call: str) -> None:
    path = tmp_path / "movie.mp4"
    done = traced(path, "-o", "/dev/null", "-e", f"inject={call}")
    assert done.stdout.startswith("close WriteFailed")
    movie = read(path)
    assert (movie.whole, len(movie.tracks[0].samples)) == (False, 50)
    assert len(probed(path)) == 50


@pytest.mark.parametrize("call", ["writev:signal=KILL:when=4", "pwrite64:signal=KILL"])
def test_a_killed_recorder_leaves_a_movie(tmp_path: Path, call: str) -> None:
    path = tmp_path / "movie.mp4"
    done = traced(path, "-o", "/dev/null", "-e", f"inject={call}")
    assert done.returncode == -signal.SIGKILL
    frames = len(read(path).tracks[0].samples)
    assert frames >= 20
    assert len(probed(path, said="duplicated MOOV")) == frames
