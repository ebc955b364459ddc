"""What the archive asks of a file system: the seam at which tests put a disk that fails.

All calls block, for the writer thread. They raise OSError; `disk.py` translates it.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, Protocol

_flush_data = getattr(os, "fdatasync", os.fsync)  # macOS has only fsync
_advise = getattr(os, "posix_fadvise", None)  # nor has it this


class Room(NamedTuple):
    """Bytes of a disk."""

    free: int
    """For this user."""
    total: int


class Files(Protocol):
    """A file system that is written to."""

    def create(self, path: Path, *, overwrite: bool = False) -> int:
        """A descriptor, to write and to read, of a new and empty file. Exclusive, unless what is
        there may be overwritten."""
        ...

    def open(self, path: Path) -> int:
        """A descriptor, to write and to read, of a file that is there."""
        ...

    def writev(self, fd: int, buffers: Sequence[bytes | memoryview]) -> int:
        """Write at the descriptor's position; how many bytes were taken, perhaps not all."""
        ...

    def pwrite(self, fd: int, data: bytes, offset: int) -> int:
        """Write at `offset`."""
        ...

    def pread(self, fd: int, length: int, offset: int) -> bytes:
        """Up to `length` bytes from `offset` on."""
        ...

    def size(self, fd: int) -> int:
        """Length of the file."""
        ...

    def truncate(self, fd: int, size: int) -> None:
        """Cut the file to `size`, and write on from there."""
        ...

    def sync(self, fd: int) -> None:
        """Flush the data, and the length, through to the disk."""
        ...

    def forget(self, fd: int) -> None:
        """Let the system's cache drop what was flushed: video is written all the time and seldom
        read, and would push out everything else. Never fails."""
        ...

    def close(self, fd: int) -> None:
        """Let go of the descriptor."""
        ...

    def unlink(self, path: Path) -> None:
        """Remove a name. `sync_folder` makes it last."""
        ...

    def rename(self, path: Path, to: Path) -> None:
        """Give a file another name, replacing what is there. `sync_folder` makes it last."""
        ...

    def make_folder(self, path: Path) -> None:
        """Make a folder in one that is there; nothing where it is there already."""
        ...

    def remove_folder(self, path: Path) -> None:
        """Remove an empty folder."""
        ...

    def sync_folder(self, path: Path) -> None:
        """Flush the names in a folder through to the disk."""
        ...

    def room(self, path: Path) -> Room:
        """How large the disk of `path` is, and how much of it is free."""
        ...


class SystemFiles:
    """The file system of this machine."""

    __slots__ = ()

    def create(self, path: Path, *, overwrite: bool = False) -> int:
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        return os.open(path, flags | (os.O_TRUNC if overwrite else os.O_EXCL), 0o666)

    def open(self, path: Path) -> int:
        return os.open(path, os.O_RDWR | os.O_CLOEXEC)

    def writev(self, fd: int, buffers: Sequence[bytes | memoryview]) -> int:
        return os.writev(fd, buffers)

    def pwrite(self, fd: int, data: bytes, offset: int) -> int:
        return os.pwrite(fd, data, offset)

    def pread(self, fd: int, length: int, offset: int) -> bytes:
        return os.pread(fd, length, offset)

    def size(self, fd: int) -> int:
        return os.fstat(fd).st_size

    def truncate(self, fd: int, size: int) -> None:
        os.ftruncate(fd, size)
        os.lseek(fd, size, os.SEEK_SET)

    def sync(self, fd: int) -> None:
        _flush_data(fd)

    def forget(self, fd: int) -> None:
        if _advise is not None:
            with suppress(OSError):  # some file systems take no advice
                _advise(fd, 0, 0, os.POSIX_FADV_DONTNEED)

    def close(self, fd: int) -> None:
        os.close(fd)

    def unlink(self, path: Path) -> None:
        path.unlink()

    def rename(self, path: Path, to: Path) -> None:
        path.replace(to)

    def make_folder(self, path: Path) -> None:
        path.mkdir(exist_ok=True)

    def remove_folder(self, path: Path) -> None:
        path.rmdir()

    def sync_folder(self, path: Path) -> None:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        except OSError as error:
            if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # some file systems cannot
                raise
        finally:
            os.close(descriptor)

    def room(self, path: Path) -> Room:
        found = os.statvfs(path)
        return Room(found.f_bavail * found.f_frsize, found.f_blocks * found.f_frsize)


class FileBytes:
    """An open file as the readers of media want it (`media.mp4.ReadAt`). Calls raise OSError."""

    __slots__ = ("_fd", "_files", "size")

    def __init__(self, files: Files, fd: int) -> None:
        """The file is to be as long as it is now."""
        self._files = files
        self._fd = fd
        self.size = files.size(fd)

    def read_at(self, offset: int, length: int, /) -> bytes:
        """The bytes from `offset` on, fewer than `length` only at the end."""
        return self._files.pread(self._fd, length, offset)


def write_all(files: Files, fd: int, buffers: Sequence[bytes]) -> int:
    """Write all of `buffers`, in one call where the system takes them in one; their size."""
    size = 0
    rest: list[bytes | memoryview] = list(buffers)
    while rest:
        count = files.writev(fd, rest[:MOST_BUFFERS])
        size += count
        done = 0
        while done < len(rest) and count >= len(rest[done]):
            count -= len(rest[done])
            done += 1
        del rest[:done]
        if count:
            rest[0] = memoryview(rest[0])[count:]
    return size


def replace_file(files: Files, path: Path, data: bytes) -> None:
    """Put `data` in place of a small file, whole or not at all, whatever happens.

    Steps: write a draft beside it; flush it; rename it over the old one; flush the folder.
    """
    draft = path.with_name(f".{path.name}.part")
    fd = files.create(draft, overwrite=True)
    try:
        write_all(files, fd, [data])
        files.sync(fd)
    finally:
        files.close(fd)
    files.rename(draft, path)
    files.sync_folder(path.parent)


MOST_BUFFERS = 1024
"""IOV_MAX of Linux and macOS."""
