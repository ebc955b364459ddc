"""Single pictures on disk."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

from camkeep.archive.disk import create_error
from camkeep.errors import NotWritable


def check_still(path: Path, *, overwrite: bool) -> None:
    """Raise NotWritable where `path` is plainly not to be written, before a picture is taken."""
    # of os.path, because those of pathlib raise what they cannot look at
    if os.path.isdir(path):  # noqa: PTH112
        raise NotWritable(f"{path} is a folder: name a file in it")
    if not os.path.isdir(path.parent):  # noqa: PTH112
        raise NotWritable(f"there is no folder {path.parent}: create it first")
    if os.path.lexists(path) and not overwrite:
        raise NotWritable(f"{path} exists already: choose another name or say --overwrite")


def write_still(path: Path, picture: bytes, *, overwrite: bool) -> None:
    """Write `picture` to `path`, whole or not at all. Blocks.

    Raises NotWritable, DiskFull or WriteFailed; a file that was there before is then still
    there as it was.
    """
    check_still(path, overwrite=overwrite)
    part: Path | None = None
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".camkeep-", suffix=".part")
        part = Path(name)
        with os.fdopen(handle, "wb") as file:
            file.write(picture)
            file.flush()
            os.fsync(file.fileno())
        part.chmod(0o666 & ~_umask())
        part.replace(path)
    except OSError as error:
        if part is not None:
            with contextlib.suppress(OSError):
                part.unlink()
        raise create_error(error, path) from None


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
