"""Errors of the file system as ours, in one sentence: the only place that translates them."""

from __future__ import annotations

import errno
import os

from camkeep.errors import DiskFull, NotWritable, StorageError, WriteFailed


def storage_error(error: OSError, path: str | os.PathLike[str]) -> StorageError:
    """What `error` means for whoever wants to write `path`."""
    name = os.fspath(path)
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT:
            return DiskFull(f"no space is left for {name}: free some, or choose another disk")
        case errno.EEXIST:
            return NotWritable(f"{name} exists already: choose another name or say --overwrite")
        case errno.ENOENT | errno.ENOTDIR:
            return NotWritable(f"there is no folder for {name}: create it first")
        case errno.EACCES | errno.EPERM:
            return NotWritable(f"no permission to write {name}")
        case errno.EROFS:
            return NotWritable(f"the disk of {name} is mounted read-only")
        case errno.EISDIR:
            return NotWritable(f"{name} is a folder: name a file in it")
        case errno.ENAMETOOLONG:
            return NotWritable("the file's name is too long for this file system")
        case _:
            return WriteFailed(f"writing {name} failed: {error.strerror or error}")
