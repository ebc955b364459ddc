"""Errors of the file system as ours, in one sentence: the only place that translates them."""

from __future__ import annotations

import errno
import os

from camkeep.errors import DiskFull, NotWritable, StorageError, WriteFailed

FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
"""What the system says when there is no room."""

StrPath = str | os.PathLike[str]


def create_error(error: OSError, path: StrPath) -> StorageError:
    """What `error` means for whoever wants to create `path`."""
    name = os.fspath(path)
    match error.errno:
        case number if number in FULL:
            return write_error(error, path)
        case errno.EEXIST:
            return NotWritable(f"{name} exists already: choose another name or say --overwrite")
        case errno.ENOENT:
            folder = os.path.dirname(name) or "."  # noqa: PTH120 - only for a sentence
            if not os.path.isdir(folder):  # noqa: PTH112 - of os.path: those of pathlib may raise
                return NotWritable(f"there is no folder {folder}: create it first")
            return NotWritable(f"{name} cannot be created: look at the folder {folder}")
        case errno.EACCES | errno.EPERM:
            return NotWritable(f"no permission to create {name}")
        case errno.EROFS:
            return NotWritable(f"the disk of {name} is mounted read-only")
        case errno.EISDIR:
            return NotWritable(f"{name} is a folder: name a file in it")
        case _:
            return NotWritable(f"{name} cannot be created: {error.strerror or error}")


def read_error(error: OSError, path: StrPath) -> StorageError:
    """What `error` means for whoever wants to read `path`."""
    return StorageError(f"{os.fspath(path)} cannot be read: {error.strerror or error}")


def write_error(error: OSError, path: StrPath) -> StorageError:
    """What `error` means for whoever writes to `path`."""
    name = os.fspath(path)
    if error.errno in FULL:
        return DiskFull(f"no space is left for {name}: free some, or choose another disk")
    return flush_error(error, path)


def flush_error(error: OSError, path: StrPath) -> WriteFailed:
    """A flush never means a full disk: by then nobody knows what the disk holds."""
    return WriteFailed(
        f"writing {os.fspath(path)} failed: {error.strerror or error}; check the disk"
    )
