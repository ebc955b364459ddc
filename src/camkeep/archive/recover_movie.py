"""One segment that a crash left open: cut back to its last whole fragment, closed and sealed.

Blocking calls, for the writer thread. Which files were open, and what an index makes of the
outcome, is decided elsewhere.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from camkeep.archive.disk import flush_error, read_error, write_error
from camkeep.archive.files import FileBytes, Files, write_all
from camkeep.errors import MediaError
from camkeep.media.mp4.read import read_movie
from camkeep.media.mp4.resume import Resumed, resume_movie
from camkeep.media.mp4.seal import SEAL_READ, Seal, read_seal

MAX_TORN = 16 * 1024 * 1024
"""Most that a crash can leave behind the last whole fragment: what was written between two
flushes. Where more than that does not read, the file is damaged, and nothing is cut away."""


@dataclass(frozen=True, slots=True)
class Recovered:
    """An ordinary movie, sealed, and on the disk to its last byte."""

    seal: Seal
    size: int
    """Of the file."""


@dataclass(frozen=True, slots=True)
class Empty:
    """Not one fragment of the file is whole: it can go."""


def recover_movie(files: Files, path: Path, previous: bytes) -> Recovered | Empty:
    """Close the segment at `path`; `previous` is the chain of the one before.

    A segment that was closed already is left as it is, with the seal that it has. May be called
    again after whatever interrupted it. Raises MediaError where the file is not a segment or is
    damaged in its middle, and has changed nothing then; DiskFull where there is no room for the
    tables, and the movie is a fragmented one up to its last whole fragment then; WriteFailed.
    """
    try:
        fd = files.open(path)
    except OSError as error:
        raise read_error(error, path) from error
    try:
        return _recover(files, fd, path, previous)
    finally:
        with suppress(OSError):  # all was flushed
            files.close(fd)


def _recover(files: Files, fd: int, path: Path, previous: bytes) -> Recovered | Empty:
    try:
        source = FileBytes(files, fd)
        seal = _seal_of(source)
        resumed = resume_movie(source) if seal is None else None
    except OSError as error:
        raise read_error(error, path) from error
    if seal is not None:
        try:
            files.sync(fd)  # the crash may have come before the last flush
        except OSError as error:
            raise flush_error(error, path) from error
        return Recovered(seal, source.size)
    if source.size - (resumed.end if resumed is not None else 0) > MAX_TORN:
        raise MediaError(f"{path} is damaged in its middle")
    return Empty() if resumed is None else _close(files, fd, path, resumed, previous)


def _close(files: Files, fd: int, path: Path, resumed: Resumed, previous: bytes) -> Recovered:
    """Steps: cut off what the crash tore; append tables and seal; flush; turn the header; flush.
    After a crash in between, the same begins anew."""
    closing = resumed.movie.finish(previous=previous)
    assert closing.seal is not None
    try:
        files.truncate(fd, resumed.end)
        files.sync(fd)
        try:
            write_all(files, fd, [closing.tail])
        except OSError as error:
            with suppress(OSError):
                files.truncate(fd, resumed.end)
            raise write_error(error, path) from error
        files.sync(fd)  # the tables are on the disk before anything needs them
        files.pwrite(fd, closing.patch, closing.patch_offset)
        files.sync(fd)
    except OSError as error:
        raise flush_error(error, path) from error
    files.forget(fd)
    return Recovered(closing.seal, resumed.end + len(closing.tail))


def _seal_of(source: FileBytes) -> Seal | None:
    """The seal of a movie that was closed, though the index may not know it."""
    try:
        seal = read_seal(source.read_at(max(0, source.size - SEAL_READ), SEAL_READ))
        return seal if seal is not None and read_movie(source).whole else None
    except MediaError:
        return None
