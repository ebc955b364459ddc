"""The disk that loses power, itself: it keeps what was flushed, and grants nothing else."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from support.crashfs import CrashFS, Image, Luck, put


@pytest.fixture
def top(tmp_path: Path) -> Path:
    folder = tmp_path / "disk"
    folder.mkdir()
    return folder


def images(files: CrashFS, luck: Luck = Luck.ANY, count: int = 200) -> list[Image]:
    return [files.image(luck, random.Random(n)) for n in range(count)]


def write(files: CrashFS, path: Path, data: bytes, *, sync: bool) -> int:
    fd = files.create(path)
    files.writev(fd, [data])
    if sync:
        files.sync(fd)
    return fd


def test_everything_is_done_in_the_real_folder(top: Path) -> None:
    files = CrashFS(top)
    files.make_folder(top / "day")
    fd = write(files, top / "day" / "a", b"abcdef", sync=False)
    files.pwrite(fd, b"X", 2)
    files.truncate(fd, 4)
    files.writev(fd, [b"yz"])
    files.close(fd)
    files.rename(top / "day" / "a", top / "day" / "b")
    assert (top / "day" / "b").read_bytes() == b"abXdyz"
    assert files.image(Luck.ALL, random.Random(1)) == {"day": None, "day/b": b"abXdyz"}
    assert files.image(Luck.NONE, random.Random(1)) == {}


def test_what_was_flushed_is_there_whatever_happens(top: Path) -> None:
    files = CrashFS(top)
    fd = write(files, top / "a", b"flushed", sync=True)
    files.sync_folder(top)
    files.writev(fd, [b"more" * 1000])
    for luck in Luck:
        for image in images(files, luck):
            data = image["a"]
            assert data is not None
            assert data.startswith(b"flushed")


def test_what_was_not_flushed_may_be_there_in_parts(top: Path) -> None:
    files = CrashFS(top)
    write(files, top / "a", b"x" * 5000, sync=False)
    files.sync_folder(top)
    found = {image["a"] for image in images(files)}
    lengths = {len(data) for data in found if data is not None}
    assert lengths == {0, 5000}
    holes = [data for data in found if data and b"x" in data and b"\0" in data]
    assert any(data.index(b"\0") % 512 == 0 for data in holes)
    assert any(data.startswith(b"\0") for data in holes)  # what was written first is lost first


def test_a_flushed_file_is_lost_with_its_name(top: Path) -> None:
    files = CrashFS(top)
    write(files, top / "a", b"flushed", sync=True)
    assert {"a" in image for image in images(files)} == {True, False}


def test_a_renamed_file_has_the_one_name_or_the_other(top: Path) -> None:
    files = CrashFS(top)
    write(files, top / "old", b"old", sync=True)
    write(files, top / "new", b"new", sync=True)
    files.sync_folder(top)
    files.rename(top / "new", top / "old")
    found = images(files)
    assert all(image in ({"old": b"old", "new": b"new"}, {"old": b"new"}) for image in found)
    assert {b"old", b"new"} == {image["old"] for image in found}


def test_a_folder_that_was_not_flushed_is_lost_with_all_in_it(top: Path) -> None:
    files = CrashFS(top)
    files.make_folder(top / "day")
    write(files, top / "day" / "a", b"flushed", sync=True)
    files.sync_folder(top / "day")
    assert {"day/a" in image for image in images(files)} == {True, False}
    files.sync_folder(top)
    assert all("day/a" in image for image in images(files))


def test_a_removed_file_may_come_back(top: Path) -> None:
    files = CrashFS(top)
    write(files, top / "a", b"flushed", sync=True)
    files.sync_folder(top)
    files.unlink(top / "a")
    assert {"a" in image for image in images(files)} == {True, False}
    files.sync_folder(top)
    assert not any("a" in image for image in images(files))


def test_an_image_is_a_disk_again(top: Path, tmp_path: Path) -> None:
    files = CrashFS(top)
    files.make_folder(top / "day")
    write(files, top / "day" / "a", b"data", sync=True)
    put(files.image(Luck.ALL, random.Random(1)), tmp_path / "copy")
    again = CrashFS(tmp_path / "copy")
    assert again.image(Luck.NONE, random.Random(1)) == {"day": None, "day/a": b"data"}
