"""The folder of an archive: where one is made, and where nothing is touched."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from camkeep.archive.root import MARKER, Lock, is_locked, make_root, open_root
from camkeep.clock import WallUs
from camkeep.errors import DiskAway, NotWritable, UsageError


def test_one_is_made_where_nothing_is(tmp_path: Path) -> None:
    root = make_root(tmp_path / "cams")
    assert open_root(tmp_path / "cams").id == root.id == make_root(tmp_path / "cams").id
    assert "MP4" in (root.path / "README.txt").read_text()
    assert sorted(path.name for path in root.path.iterdir()) == [
        "README.txt",
        MARKER,
        "clips",
        "recordings",
    ]


def test_an_empty_folder_may_be_the_place_of_a_disk(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="mount it; to begin an archive in it, say --new"):
        make_root(tmp_path)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "lost+found").mkdir()
    make_root(tmp_path, new=True)


def test_a_new_folder_below_a_disk_that_is_not_mounted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fstab = tmp_path / "fstab"
    fstab.write_text(f"# disks\nUUID=1 / ext4 rw 0 1\nUUID=2 {tmp_path / 'disk'} ext4 rw 0 2\n")
    monkeypatch.setattr("camkeep.archive.root.FSTAB", fstab)
    (tmp_path / "disk").mkdir()
    with pytest.raises(UsageError, match="is not mounted"):
        make_root(tmp_path / "disk" / "cams")
    assert list((tmp_path / "disk").iterdir()) == []
    make_root(tmp_path / "elsewhere")
    make_root(tmp_path / "disk" / "cams", new=True)
    assert open_root(tmp_path / "disk" / "cams").id


def test_nothing_is_made_among_other_things(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").touch()
    with pytest.raises(UsageError, match="holds other things"):
        make_root(tmp_path, new=True)
    with pytest.raises(NotWritable, match="there is no folder"):
        make_root(tmp_path / "no" / "such")
    with pytest.raises(NotWritable, match="not a folder"):
        make_root(tmp_path / "letter.txt")
    with pytest.raises(UsageError, match="there is no archive"):
        open_root(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


@pytest.mark.parametrize("marker", ["", "{", "[]", '{"archive": 3, "version": 1}'])
def test_a_damaged_marker_is_told(tmp_path: Path, marker: str) -> None:
    (tmp_path / MARKER).write_text(marker)
    with pytest.raises(UsageError):
        open_root(tmp_path)


def test_another_version_is_told(tmp_path: Path) -> None:
    (tmp_path / MARKER).write_text('{"archive": "abc", "version": 2}')
    with pytest.raises(UsageError, match="newer camkeep"):
        open_root(tmp_path)


def test_a_disk_that_is_gone_or_another_is_noticed(tmp_path: Path) -> None:
    root = make_root(tmp_path / "cams")
    other = make_root(tmp_path / "other")
    root.check()
    root.path.rename(tmp_path / "away")
    with pytest.raises(DiskAway, match="was its disk unmounted"):
        root.check()
    root.path.mkdir()  # a bare mount point
    with pytest.raises(DiskAway):
        root.check()
    root.path.rmdir()
    other.path.rename(root.path)
    with pytest.raises(DiskAway):
        root.check()
    root.path.rename(other.path)
    (tmp_path / "away").rename(root.path)
    root.check()


def test_one_process_at_a_time(tmp_path: Path) -> None:
    root = make_root(tmp_path / "cams")
    assert not is_locked(root)
    lock = Lock(root)
    assert lock.last_alive is None
    assert is_locked(root)
    program = (
        "import sys; from pathlib import Path\n"
        "from camkeep.archive.root import Lock, open_root\n"
        "Lock(open_root(Path(sys.argv[1])))"
    )
    second = subprocess.run(
        [sys.executable, "-c", program, root.path], capture_output=True, text=True, check=False
    )
    assert f"another camkeep (process {os.getpid()}) works on" in second.stderr
    lock.beat(WallUs(1_795_262_400_123_456))
    lock.release()
    assert not is_locked(root)
    lock = Lock(root)
    assert lock.last_alive == 1_795_262_400_123_456
    lock.release()
