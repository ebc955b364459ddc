"""Clips: what people marked, each in a small file of its own, and in the index.

The files are the truth. Other processes may write them while a recorder runs (`camkeep archive
clip`): it looks at the folder before it deletes anything.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from camkeep.archive.beside import clip_json, read_clip
from camkeep.archive.disk import create_error
from camkeep.archive.files import Files, replace_file
from camkeep.archive.layout import CLIPS
from camkeep.model import Clip


def clip_path(root: Path, clip_id: str) -> Path:
    """The file of a clip. Raises ValueError for what is no id."""
    if not (clip_id.isascii() and clip_id.isalnum()):
        raise ValueError("a clip's id is letters and digits")
    return root / CLIPS / f"{clip_id}.json"


def write_clip(root: Path, files: Files, clip: Clip) -> None:
    """Write a clip's file, whole or not at all. Blocks; raises StorageError."""
    path = clip_path(root, clip.id)
    try:
        replace_file(files, path, clip_json(clip))
    except OSError as error:
        raise create_error(error, path) from error


def delete_clip(root: Path, files: Files, clip_id: str) -> None:
    """Remove a clip's file; the pictures stay as long as the quotas let them. Blocks; raises
    StorageError."""
    path = clip_path(root, clip_id)
    try:
        files.unlink(path)
        files.sync_folder(path.parent)
    except FileNotFoundError:
        pass
    except OSError as error:
        raise create_error(error, path) from error


def read_clips(root: Path) -> tuple[list[Clip], list[str]]:
    """All clips, by when they start, and what is wrong with the files that do not read. Blocks;
    raises StorageError where the folder cannot be read."""
    clips: list[Clip] = []
    problems: list[str] = []
    folder = root / CLIPS
    try:
        names = sorted(path.name for path in folder.iterdir() if path.suffix == ".json")
    except FileNotFoundError:
        return [], []
    except OSError as error:
        raise create_error(error, folder) from error
    for name in names:
        if name.startswith("."):
            continue  # a draft
        try:
            clip = read_clip((folder / name).read_bytes())
            if f"{clip.id}.json" != name:
                raise ValueError("id")
            clips.append(clip)
        except FileNotFoundError:
            pass  # removed meanwhile
        except (OSError, ValueError):
            problems.append(f"{CLIPS}/{name} cannot be read: the clip in it is not shown")
    return sorted(clips, key=lambda clip: (clip.start, clip.id)), problems


class ClipShelf:
    """The clips of the archive that this process records into. Use from one thread; blocks."""

    def __init__(self, root: Path, files: Files, tell_index: Callable[[Any], object]) -> None:
        """`tell_index` runs a job with the index."""
        self._root = root
        self._files = files
        self._tell_index = tell_index
        self._clips: dict[str, Clip] = {}
        self._seen = 0  # when the folder last changed
        self.problems: list[str] = []

    def look(self) -> list[Clip]:
        """All clips, those included that other processes wrote. Raises StorageError."""
        try:
            changed = (self._root / CLIPS).stat().st_mtime_ns
        except OSError as error:
            raise create_error(error, self._root / CLIPS) from error
        if changed != self._seen:
            clips, self.problems = read_clips(self._root)
            before, self._clips = self._clips, {clip.id: clip for clip in clips}
            for clip in clips:
                if before.get(clip.id) != clip:
                    self._tell_index(lambda index, clip=clip: index.save_clip(clip))
            for gone in before.keys() - self._clips.keys():
                self._tell_index(lambda index, gone=gone: index.remove_clip(gone))
            self._seen = changed
        return list(self._clips.values())

    def save(self, clip: Clip) -> None:
        """Write a new clip, or one that changed. Raises StorageError."""
        write_clip(self._root, self._files, clip)
        self._clips[clip.id] = clip
        self._tell_index(lambda index: index.save_clip(clip))

    def remove(self, clip_id: str) -> None:
        """Forget a clip. Raises StorageError."""
        delete_clip(self._root, self._files, clip_id)
        self._clips.pop(clip_id, None)
        self._tell_index(lambda index: index.remove_clip(clip_id))
