"""The movie file: what the muxer makes, kept on the disk so that it is whole at any instant.

Blocking calls, for the writer thread. No reading, and no opinion on when to flush or where files
go.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from camkeep.archive.disk import FULL, create_error, flush_error, write_error
from camkeep.errors import DiskFull, NotWritable, StorageError, WriteFailed
from camkeep.media.mp4 import Identity, Muxer, TimedSample
from camkeep.model import AudioParams, VideoParams

_MOST_BUFFERS = 1024  # IOV_MAX of Linux and macOS
_flush_data = getattr(os, "fdatasync", os.fsync)  # macOS has only fsync
_advise = getattr(os, "posix_fadvise", None)  # nor has it this


class MovieFile:
    """One movie on the disk, from its creation to its close. Use from one thread at a time.

    After an error the file takes no more samples: `append` and `sync` raise the same error
    again, and `close` makes the best of what is there.
    """

    def __init__(self, path: Path, descriptor: int, muxer: Muxer, size: int) -> None:
        """Use `create`."""
        self._path = path
        self._fd = descriptor
        self._muxer = muxer
        self._size = size  # up to the end of the last whole fragment
        self._error: StorageError | None = None
        self._duration_us: int | None = None

    @classmethod
    def create(
        cls,
        path: Path,
        video: VideoParams | None,
        audio: AudioParams | None,
        identity: Identity,
        *,
        overwrite: bool = False,
    ) -> Self:
        """A new movie without a sample; its name is on the disk when this returns.

        Raises NotWritable, DiskFull or WriteFailed, and MediaError where MP4 cannot hold such
        streams; nothing is left behind then.
        """
        muxer = Muxer(video, audio, identity)
        header = muxer.header()
        descriptor = _create(path, overwrite)
        try:
            _write(descriptor, [header])
            _sync_folder(path.parent)
        except OSError as error:
            os.close(descriptor)
            with suppress(OSError):
                path.unlink()
            raise write_error(error, path) from error
        return cls(path, descriptor, muxer, len(header))

    @property
    def path(self) -> Path:
        """Where it is."""
        return self._path

    @property
    def bytes_written(self) -> int:
        """Size of the file."""
        return self._size

    @property
    def frames(self) -> int:
        """Video samples in the file; those of sound where it has no video."""
        return self._muxer.frames

    @property
    def duration_us(self) -> int:
        """From the start of the movie to the end of what is in the file."""
        return self._muxer.duration_us if self._duration_us is None else self._duration_us

    def append(self, samples: Sequence[TimedSample]) -> None:
        """Write a fragment of `samples`, in decoding order, in one write.

        Raises DiskFull or WriteFailed; the movie up to the fragment before is intact then.
        """
        self._check()
        self._write_fragment(self._muxer.fragment(samples))

    def sync(self) -> None:
        """Flush what was written through to the disk, and let the system's cache forget it.

        Video is written all the time and seldom read: cached, it would push out everything else.
        Raises WriteFailed. Then nobody knows what the disk holds, and trying again would only
        hide it: the file takes no more samples.
        """
        self._check()
        try:
            _flush_data(self._fd)
        except OSError as error:
            self._error = flush_error(error, self._path)
            raise self._error from error
        if _advise is not None:
            with suppress(OSError):  # some file systems take no advice
                _advise(self._fd, 0, 0, os.POSIX_FADV_DONTNEED)

    def close(self, end_us: int | None = None) -> None:
        """Make an ordinary movie of the file, or remove it where no sample is in it.

        `end_us` is when the last frame ends, µs since the start of the movie. Where there is no
        room for the index, or the file was damaged, it stays the fragmented movie that it is,
        which plays as well. Raises DiskFull or WriteFailed only where that cost samples, or
        leaves in doubt what the disk holds, and nobody has been told yet.
        """
        if self._fd < 0:
            return
        try:
            if self._error is None:
                self._write_fragment(self._muxer.flush())  # frames held back for their order
        finally:
            try:
                if not self._muxer.samples:
                    self._remove()
                elif self._error is None or isinstance(self._error, DiskFull):
                    self._turn(end_us)
            finally:
                self.abandon()

    def abandon(self) -> None:
        """Let go of the file as it is: a fragmented movie up to its last whole fragment."""
        if self._fd >= 0:
            descriptor, self._fd = self._fd, -1
            with suppress(OSError):  # network file systems report old write errors here
                os.close(descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _turn(self, end_us: int | None) -> None:
        """Fragmented to ordinary, in this order; a crash in between leaves one or the other."""
        closing = self._muxer.finish(end_us)
        try:
            _write(self._fd, [closing.tail])
        except OSError as error:
            self._cut_back()
            if error.errno in FULL:
                return  # no sample is lost by that
            raise write_error(error, self._path) from error
        try:
            _flush_data(self._fd)  # the index is on the disk before anything refers to it
            os.pwrite(self._fd, closing.patch, closing.patch_offset)
        except OSError as error:
            self._cut_back()
            raise flush_error(error, self._path) from error
        self._size += len(closing.tail)
        self._duration_us = closing.duration_us

    def _write_fragment(self, buffers: list[bytes]) -> None:
        if not buffers:
            return
        try:
            self._size += _write(self._fd, buffers)
        except OSError as error:
            self._muxer.drop_fragment()
            self._cut_back()
            self._error = write_error(error, self._path)
            raise self._error from error

    def _cut_back(self) -> None:
        """Back to the last whole fragment. If even that fails, readers pass over the torso."""
        with suppress(OSError):
            os.ftruncate(self._fd, self._size)
            os.lseek(self._fd, self._size, os.SEEK_SET)

    def _remove(self) -> None:
        with suppress(OSError):
            self._path.unlink()
            _sync_folder(self._path.parent)
        self._size = 0

    def _check(self) -> None:
        if self._error is not None:
            raise self._error
        if self._fd < 0:
            raise WriteFailed(f"{self._path} is closed already")


def _create(path: Path, overwrite: bool) -> int:
    """A descriptor of a new, empty file at `path`."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC
    flags |= os.O_TRUNC if overwrite else os.O_EXCL
    try:
        if overwrite and path.exists() and not path.is_file():
            raise NotWritable(f"{path} is not an ordinary file, so it cannot be overwritten")
        return os.open(path, flags, 0o666)
    except OSError as error:
        raise create_error(error, path) from error


def _write(descriptor: int, buffers: Sequence[bytes]) -> int:
    """Write all of `buffers`, in one call where the system takes them in one; their size."""
    size = 0
    rest: list[bytes | memoryview] = list(buffers)
    while rest:
        count = os.writev(descriptor, rest[:_MOST_BUFFERS])
        size += count
        done = 0
        while done < len(rest) and count >= len(rest[done]):
            count -= len(rest[done])
            done += 1
        del rest[:done]
        if count:
            rest[0] = memoryview(rest[0])[count:]
    return size


def _sync_folder(folder: Path) -> None:
    """Flush the names in `folder` through to the disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # some file systems cannot
            raise
    finally:
        os.close(descriptor)
