"""Clips written to files of their own. Blocking; the system copies from file to file.

What must hold: a file under its name is whole, and on the disk. So each movie is written to a
draft beside it, which gets its name when all of them are complete:

1. write the drafts, `clip.mp4.part`, and flush them;
2. give each its name, and flush the folder.

Whatever ends it before, a full disk or Ctrl-C, takes the drafts away.
"""

from __future__ import annotations

import errno
import fcntl
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from camkeep.archive.disk import create_error, write_error
from camkeep.archive.files import SystemFiles
from camkeep.archive.virtual import FilePiece, VirtualMovie
from camkeep.errors import DiskFull, NotWritable, StorageError, UsageError

CHUNK = 8 << 20
"""Bytes between two looks at whether to go on."""

_files = SystemFiles()
_copy_file_range = getattr(os, "copy_file_range", None)  # Linux alone has it
_sendfile = getattr(os, "sendfile", None) if sys.platform == "linux" else None  # to a file
_OTHER_WAY = frozenset({errno.EXDEV, errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP, errno.EPERM})
"""What the system says where it cannot copy so; another way then may do."""


@dataclass(frozen=True, slots=True)
class Exported:
    """A movie that was written."""

    path: Path
    movie: VirtualMovie


@dataclass(frozen=True, slots=True)
class _Draft:
    fd: int
    path: Path
    target: Path


def part_paths(path: Path, count: int) -> list[Path]:
    """`clip.mp4`, `clip-2.mp4` ... for as many movies."""
    return [path, *(path.with_stem(f"{path.stem}-{n}") for n in range(2, count + 1))]


def export_clip(
    movies: Sequence[VirtualMovie],
    path: Path,
    *,
    overwrite: bool = False,
    progress: Callable[[int, int], object] = lambda done, total: None,
) -> list[Exported]:
    """Write the movies of a clip to `path`, and to paths beside it where there are several.

    `progress` is told the bytes that are written and those that will be; what it raises ends the
    export. Raises NotWritable, DiskFull, WriteFailed, StorageError where a segment cannot be
    read, UsageError where there is nothing to write. Nothing is left behind then.
    """
    if not movies:
        raise UsageError("nothing was recorded in that interval: there is no clip to write")
    targets = part_paths(path, len(movies))
    total = sum(movie.size for movie in movies)
    for target in targets:
        _check_target(target, overwrite)
    _check_room(path, total)
    with ExitStack() as undo:
        drafts = [_draft(target, undo) for target in targets]
        done = 0
        for draft, movie in zip(drafts, movies, strict=True):
            _write(draft, movie, partial(_tell, progress, done, total))
            done += movie.size
        for draft in drafts:
            _name(draft, overwrite)
        with suppress(OSError):  # the files are whole; only their names may not last
            _files.sync_folder(path.parent)
    return [Exported(*pair) for pair in zip(targets, movies, strict=True)]


def _tell(progress: Callable[[int, int], object], before: int, total: int, count: int) -> None:
    progress(before + count, total)


def _check_target(target: Path, overwrite: bool) -> None:
    try:
        there = target.exists() or target.is_symlink()
        if there and not overwrite:
            raise create_error(FileExistsError(errno.EEXIST, ""), target)
        if there and not target.is_file():
            raise NotWritable(f"{target} is not an ordinary file, so it cannot be overwritten")
    except OSError as error:
        raise create_error(error, target) from error


def _check_room(path: Path, needed: int) -> None:
    """Before anything is written. A file that is overwritten goes only when the new one is
    complete."""
    try:
        disk = os.statvfs(path.parent)
    except OSError:
        return  # whoever creates the file says it better
    free = disk.f_bavail * disk.f_frsize
    if free < needed:
        raise DiskFull(
            f"{path} needs {needed / 1e6:.0f} MB, and the disk has {free / 1e6:.0f} MB left: "
            "free some, or choose another disk"
        )


def _draft(target: Path, undo: ExitStack) -> _Draft:
    """A new file beside `target`, which goes unless it gets its name."""
    path = target.with_name(f"{target.name}.part")
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
        undo.callback(_let_go, fd)
        _lock(fd, target)
        undo.callback(_remove, path)
        os.ftruncate(fd, 0)  # an export may have been killed here
    except OSError as error:
        raise create_error(error, path) from error
    return _Draft(fd, path, target)


def _lock(fd: int, target: Path) -> None:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise NotWritable(f"{target} is being written by another export") from error
    except OSError:
        return  # not every file system can; then nobody is kept out


def _let_go(fd: int) -> None:
    with suppress(OSError):
        os.close(fd)


def _remove(path: Path) -> None:
    with suppress(OSError):
        path.unlink()


def _write(draft: _Draft, movie: VirtualMovie, progress: Callable[[int], object]) -> None:
    try:
        for offset in range(0, movie.size, CHUNK):
            progress(offset)
            for piece in movie.pieces(offset, CHUNK):
                if isinstance(piece, FilePiece):
                    _copy(draft.fd, piece)
                else:
                    _write_all(draft.fd, piece)
        progress(movie.size)
        _files.sync(draft.fd)
        if os.fstat(draft.fd).st_size != movie.size:
            raise StorageError(f"{draft.target} came out at another length than it should have")
    except OSError as error:
        raise write_error(error, draft.target) from error


def _copy(out: int, piece: FilePiece) -> None:
    """To the end of `out`. In the kernel where that can do it."""
    source, offset, left = piece
    while left:
        count = _copied(out, source, offset, left)
        if not count:
            raise StorageError("a file of the archive became shorter while it was read")
        offset += count
        left -= count


def _copied(out: int, source: int, offset: int, length: int) -> int:
    """How many bytes were copied in one step."""
    if _copy_file_range is not None:
        try:
            if count := _copy_file_range(source, out, length, offset):
                return int(count)
        except OSError as error:
            if error.errno not in _OTHER_WAY:
                raise
    if _sendfile is not None:
        try:
            if count := _sendfile(out, source, offset, length):
                return int(count)
        except OSError as error:
            if error.errno not in _OTHER_WAY:
                raise
    data = os.pread(source, min(length, 1 << 20), offset)
    _write_all(out, data)
    return len(data)


def _write_all(out: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(out, rest) :]


def _name(draft: _Draft, overwrite: bool) -> None:
    """Give the draft its name. Where nothing may be overwritten, a name that somebody took
    meanwhile stays theirs."""
    try:
        if not overwrite:
            try:
                os.link(draft.path, draft.target)
                draft.path.unlink()
                return
            except FileExistsError:
                raise
            except OSError:  # a file system without a second name for a file
                if draft.target.exists():
                    raise FileExistsError(errno.EEXIST, "") from None
        draft.path.replace(draft.target)
    except OSError as error:
        raise create_error(error, draft.target) from error
