"""Clips: files that anybody may write, and the index that follows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from camkeep.archive.clips import ClipShelf, clip_path, delete_clip, read_clips, write_clip
from camkeep.archive.files import SystemFiles
from camkeep.archive.layout import new_clip_id
from camkeep.archive.root import make_root
from camkeep.clock import WallUs
from camkeep.errors import NotWritable
from camkeep.model import CameraId, Clip

FILES = SystemFiles()


def clip(start: int, *, held: bool = True, end: int | None = None) -> Clip:
    until = WallUs(start + 10) if end is None else WallUs(end)
    return Clip(
        new_clip_id(),
        'a "fox"\n',
        (CameraId("a"), CameraId("b")),
        WallUs(start),
        until,
        held,
        WallUs(1),
    )


class Told:
    """An index that remembers."""

    def __init__(self) -> None:
        self.clips: dict[str, Clip] = {}

    def __call__(self, job: Callable[[Any], object]) -> None:
        job(self)

    def save_clip(self, clip: Clip) -> None:
        self.clips[clip.id] = clip

    def remove_clip(self, clip_id: str) -> None:
        self.clips.pop(clip_id, None)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return make_root(tmp_path / "cams").path


def test_what_is_written_is_read(root: Path) -> None:
    clips = [clip(20), clip(10, held=False)]
    for each in clips:
        write_clip(root, FILES, each)
    assert read_clips(root) == (clips[::-1], [])
    delete_clip(root, FILES, clips[0].id)
    delete_clip(root, FILES, clips[0].id)  # gone already: no fault
    assert read_clips(root) == (clips[1:], [])


def test_files_that_are_no_clips_are_passed_over_and_told(root: Path) -> None:
    good = clip(1)
    write_clip(root, FILES, good)
    (root / "clips" / "abc.json").write_text("{")
    (root / "clips" / "copied.json").write_bytes(clip_path(root, good.id).read_bytes())
    (root / "clips" / ".abc.json.part").write_text("{")
    clips, problems = read_clips(root)
    assert clips == [good]
    assert len(problems) == 2
    assert all("cannot be read" in problem for problem in problems)


def test_an_id_leads_nowhere_else(root: Path) -> None:
    for wrong in ("../x", "a/b", "", "a.b", "ä"):
        with pytest.raises(ValueError, match="letters and digits"):
            clip_path(root, wrong)


def test_the_index_follows_the_files_whoever_writes_them(root: Path) -> None:
    told = Told()
    shelf = ClipShelf(root, FILES, told)
    assert shelf.look() == []
    own, foreign = clip(1), clip(2)
    shelf.save(own)
    write_clip(root, FILES, foreign)
    assert sorted(shelf.look(), key=lambda each: each.start) == [own, foreign]
    assert told.clips == {own.id: own, foreign.id: foreign}
    delete_clip(root, FILES, foreign.id)
    assert shelf.look() == [own]
    shelf.remove(own.id)
    assert shelf.look() == []
    assert told.clips == {}


def test_a_folder_that_is_gone_is_told(root: Path) -> None:
    shelf = ClipShelf(root, FILES, Told())
    (root / "clips").rmdir()
    with pytest.raises(NotWritable):
        shelf.look()
