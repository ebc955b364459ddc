"""File systems that fail, at the archive's own seam; they write to the real one."""

from __future__ import annotations

import errno
from collections.abc import Sequence
from pathlib import Path

import pytest

from camkeep.archive.files import SystemFiles


class QuickFiles(SystemFiles):
    """Does not wait for the disk, and counts what was asked of it."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def sync(self, fd: int) -> None:
        self.calls.append("sync")

    def truncate(self, fd: int, size: int) -> None:
        self.calls.append("truncate")
        super().truncate(fd, size)

    def writev(self, fd: int, buffers: Sequence[bytes | memoryview]) -> int:
        self.calls.append("writev")
        return super().writev(fd, buffers)

    def pwrite(self, fd: int, data: bytes, offset: int) -> int:
        self.calls.append("pwrite")
        return super().pwrite(fd, data, offset)


class Killed(BaseException):
    """The process is gone: nothing that it would do next is done."""


class DyingFiles(QuickFiles):
    """A process that is killed at call number `last`, of which `part` bytes were written; nothing
    is done after it."""

    def __init__(self, last: int, part: int = 0) -> None:
        super().__init__()
        self._last = last
        self._part = part

    def sync(self, fd: int) -> None:
        self._count()
        super().sync(fd)

    def truncate(self, fd: int, size: int) -> None:
        self._count()
        super().truncate(fd, size)

    def writev(self, fd: int, buffers: Sequence[bytes | memoryview]) -> int:
        if len(self.calls) == self._last:
            super().writev(fd, [b"".join(buffers)[: self._part]])
        self._count()
        return super().writev(fd, buffers)

    def pwrite(self, fd: int, data: bytes, offset: int) -> int:
        if len(self.calls) == self._last:
            super().pwrite(fd, data[: self._part], offset)
        self._count()
        return super().pwrite(fd, data, offset)

    def _count(self) -> None:
        if len(self.calls) >= self._last:
            raise Killed


class FailingFiles(QuickFiles):
    """Fails with `number` at the calls of kind `kind` that are in `which`, counted from 0."""

    def __init__(self, kind: str, number: int = errno.EIO, which: Sequence[int] = (0,)) -> None:
        super().__init__()
        self._kind = kind
        self._number = number
        self._which = which
        self._seen = 0

    def sync(self, fd: int) -> None:
        self._perhaps("sync")
        super().sync(fd)

    def writev(self, fd: int, buffers: Sequence[bytes | memoryview]) -> int:
        self._perhaps("writev")
        return super().writev(fd, buffers)

    def pwrite(self, fd: int, data: bytes, offset: int) -> int:
        self._perhaps("pwrite")
        return super().pwrite(fd, data, offset)

    def pread(self, fd: int, length: int, offset: int) -> bytes:
        self._perhaps("pread")
        return super().pread(fd, length, offset)

    def open(self, path: Path) -> int:
        self._perhaps("open")
        return super().open(path)

    def _perhaps(self, kind: str) -> None:
        if kind == self._kind:
            self._seen += 1
            if self._seen - 1 in self._which:
                raise OSError(self._number, "the disk says no")


def fill(path: Path) -> None:
    """Write to `path` until nothing more fits on the disk."""
    with path.open("ab", buffering=0) as file, pytest.raises(OSError, match="No space"):  # noqa: PT012
        while True:
            file.write(bytes(4096))
