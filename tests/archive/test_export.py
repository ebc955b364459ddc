"""Clips written to files: whole under their names, or not there."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from camkeep.archive.export import export_clip
from camkeep.archive.virtual import VirtualClip, open_clip
from camkeep.clock import WallUs
from camkeep.errors import DiskFull, NotWritable, StorageError, UsageError, WriteFailed
from support.files import movie_of
from support.movies import stream
from support.segments import NOON, SECOND, Camera


@pytest.fixture
def clip(tmp_path: Path) -> Iterator[VirtualClip]:
    """An interval of two movies, in a folder of its own."""
    camera = Camera(tmp_path / "archive")
    camera.record("h264", "aac")
    camera.record("h264-large", "aac")
    camera.record("h265-b", "aac")
    start = WallUs(NOON + 700_000)
    with open_clip(camera.root, camera.segments, start, WallUs(NOON + 9 * SECOND)) as clip:
        yield clip


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_movies_are_written_as_they_are_read(clip: VirtualClip, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    path = tmp_path / "the clip.mp4"
    done = export_clip(clip, path, progress=lambda done, total: told.append((done, total)))
    assert [each.path.name for each in done] == ["the clip.mp4", "the clip-2.mp4"]
    for each, movie in zip(done, clip, strict=True):
        assert each.path.read_bytes() == movie.read(0, movie.size)
        assert movie_of(each.path).whole
    total = sum(movie.size for movie in clip)
    assert told[0] == (0, total)
    assert told[-1] == (total, total)
    assert told == sorted(told)
    assert names(tmp_path) == ["archive", "the clip-2.mp4", "the clip.mp4"]


def test_names_that_are_taken_stay(clip: VirtualClip, tmp_path: Path) -> None:
    second = tmp_path / "clip-2.mp4"
    second.write_bytes(b"precious")
    with pytest.raises(NotWritable, match="exists already"):
        export_clip(clip, tmp_path / "clip.mp4")
    assert names(tmp_path) == ["archive", "clip-2.mp4"]
    assert second.read_bytes() == b"precious"
    export_clip(clip, tmp_path / "clip.mp4", overwrite=True)
    assert second.stat().st_size == clip[1].size
    with pytest.raises(NotWritable, match="not an ordinary file"):
        export_clip(clip, tmp_path / "archive", overwrite=True)
    with pytest.raises(NotWritable, match="there is no folder"):
        export_clip(clip, tmp_path / "no" / "clip.mp4")
    with pytest.raises(UsageError, match="nothing was recorded"):
        export_clip([], tmp_path / "none.mp4")


def test_a_name_that_is_taken_meanwhile_stays_theirs(clip: VirtualClip, tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"

    def take(done: int, total: int) -> None:
        path.write_bytes(b"precious")

    with pytest.raises(NotWritable, match="exists already"):
        export_clip(clip, path, progress=take)
    assert path.read_bytes() == b"precious"
    assert names(tmp_path) == ["archive", "clip.mp4"]


@pytest.mark.parametrize("after", [0, 1, 3])
def test_whatever_ends_it_leaves_nothing(clip: VirtualClip, tmp_path: Path, after: int) -> None:
    calls = 0

    def stop(done: int, total: int) -> None:
        nonlocal calls
        calls += 1
        if calls > after:
            raise KeyboardInterrupt

    old = tmp_path / "clip.mp4"
    old.write_bytes(b"the old one")
    with pytest.raises(KeyboardInterrupt):
        export_clip(clip, old, overwrite=True, progress=stop)
    assert names(tmp_path) == ["archive", "clip.mp4"]
    assert old.read_bytes() == b"the old one"


def test_a_draft_of_an_export_that_was_killed_is_taken_over(
    clip: VirtualClip, tmp_path: Path
) -> None:
    draft = tmp_path / "clip.mp4.part"
    draft.write_bytes(bytes(10_000_000))
    export_clip(clip, tmp_path / "clip.mp4")
    assert not draft.exists()
    assert (tmp_path / "clip.mp4").stat().st_size == clip[0].size


def test_two_exports_to_one_name(clip: VirtualClip, tmp_path: Path) -> None:
    with (tmp_path / "clip.mp4.part").open("wb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(NotWritable, match="another export"):
            export_clip(clip, tmp_path / "clip.mp4")
        assert (tmp_path / "clip.mp4.part").exists()


def test_no_room_is_told_before_anything_is_written(clip: VirtualClip, tmp_path: Path) -> None:
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(folder)], check=True)
    try:
        with pytest.raises(DiskFull, match="0 MB left"):
            export_clip(clip, folder / "clip.mp4")
        assert names(folder) == []
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_to_another_disk(clip: VirtualClip, tmp_path: Path) -> None:
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(folder)], check=True)
    try:
        for each in export_clip(clip, folder / "clip.mp4"):
            assert each.path.read_bytes() == each.movie.read(0, each.movie.size)
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_a_segment_that_shrinks_meanwhile(tmp_path: Path) -> None:
    camera = Camera(tmp_path)
    path = tmp_path / camera.record().segment.path
    with open_clip(tmp_path, camera.segments, NOON, WallUs(NOON + 9 * SECOND)) as clip:
        os.truncate(path, 50_000)
        with pytest.raises(StorageError, match="shorter"):
            export_clip(clip, tmp_path / "clip.mp4")
    assert names(tmp_path) == ["recordings"]


EXPORT = """
import sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from camkeep.archive.export import export_clip
from camkeep.archive.virtual import open_clip
from camkeep.errors import CamkeepError
from support.segments import *
root = Path(sys.argv[1])
camera = Camera(root)
for _ in range(3):
    camera.record("h264", "aac")
with open_clip(root, camera.segments, NOON, WallUs(NOON + 9 * SECOND)) as clip:
    try:
        export_clip(clip, root / "clip.mp4")
    except CamkeepError as error:
        print(type(error).__name__, error)
    else:
        print((root / "clip.mp4").read_bytes() == clip[0].read(0, clip[0].size))
"""


def traced(root: Path, *spoils: str) -> str:
    """Export in a process whose system calls fail so."""
    stream("h264")
    stream("aac")  # they are encoded here, not there
    script = EXPORT.format(tests=str(Path(__file__).parents[1]))
    injected = [word for spoil in spoils for word in ("-e", f"inject={spoil}")]
    traced_calls = "trace=" + ",".join(spoil.partition(":")[0] for spoil in spoils)
    command = ["strace", "-f", "-o", "/dev/null", "-e", traced_calls, *injected]
    done = subprocess.run(
        [*command, sys.executable, "-c", script, str(root)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    return done.stdout


@pytest.mark.parametrize(
    "spoils",
    [
        ["copy_file_range:error=EXDEV"],
        ["copy_file_range:error=ENOSYS", "sendfile:error=EINVAL"],
        ["copy_file_range:retval=0"],
        ["link:error=EPERM"],
    ],
)
def test_a_system_that_cannot_copy_so(tmp_path: Path, spoils: list[str]) -> None:
    assert traced(tmp_path, *spoils) == "True\n"


@pytest.mark.parametrize(
    ("spoil", "error"),
    [
        ("copy_file_range:error=ENOSPC:when=3", DiskFull),
        ("copy_file_range:error=EIO:when=2", WriteFailed),
        ("ftruncate:error=EIO", NotWritable),
    ],
)
def test_a_disk_that_fails_meanwhile(tmp_path: Path, spoil: str, error: type[StorageError]) -> None:
    said = traced(tmp_path, spoil)
    assert said.startswith(f"{error.__name__} ")
    assert str(tmp_path / "clip.mp4") in said
    assert names(tmp_path) == ["recordings"]
