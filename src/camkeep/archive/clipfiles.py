"""The files that a clip is read from: opened once, and kept open while anybody reads the clip."""

from __future__ import annotations

import errno
import os
import resource
from contextlib import suppress
from pathlib import Path

from camkeep.archive.disk import read_error
from camkeep.errors import CamkeepError, StorageError, UsageError

_SPARE = 64
"""Descriptors that others may need meanwhile."""


class OpenFile:
    """A file that is read from; whoever deletes it meanwhile does no harm."""

    __slots__ = ("fd", "path", "size")

    def __init__(self, path: Path) -> None:
        """Raises OSError, and UsageError where the system has no descriptor left."""
        try:
            self.fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            if error.errno in (errno.EMFILE, errno.ENFILE):
                raise too_many_files() from error
            raise
        self.path = path
        self.size = os.fstat(self.fd).st_size

    def read_at(self, offset: int, length: int, /) -> bytes:
        """The bytes from `offset` on, fewer than `length` only at the end. Raises OSError."""
        data = os.pread(self.fd, length, offset)
        if len(data) == length or not data:
            return data
        parts = [data]
        while data and (length := length - len(data)):
            offset += len(data)
            data = os.pread(self.fd, length, offset)
            parts.append(data)
        return b"".join(parts)

    def exactly(self, offset: int, length: int) -> bytes:
        """The same; StorageError where the file fails or has become too short for it."""
        try:
            data = self.read_at(offset, length)
        except OSError as error:
            raise read_error(error, self.path) from error
        if len(data) < length:
            raise StorageError(f"{self.path} became shorter while it was read")
        return data

    def close(self) -> None:
        """Let go of it."""
        if self.fd >= 0:
            fd, self.fd = self.fd, -1
            with suppress(OSError):
                os.close(fd)


def make_room_for(files: int) -> None:
    """See to it that so many more files can be open. Raises UsageError beyond the system's
    limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return
    needed = sum(1 for _ in Path("/dev/fd").iterdir()) + files + _SPARE
    if needed <= soft:
        return
    if hard != resource.RLIM_INFINITY and needed > hard:
        raise too_many_files()
    with suppress(ValueError, OSError):  # macOS has another, lower limit that it does not tell
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))


def too_many_files() -> UsageError:
    """The clip is made of more files than the system lets us open."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return UsageError(
        f"the clip is too long: it needs more files open at once than this system allows ({hard}); "
        "ask for shorter ones, one after the other, or raise the limit (ulimit -n)"
    )


def reason_of(error: OSError | CamkeepError) -> str:
    """Why a segment is not there, in words for a person."""
    if isinstance(error, FileNotFoundError):
        return "its file is gone"
    if isinstance(error, OSError):
        return f"its file cannot be read: {error.strerror or error}"
    return str(error)
