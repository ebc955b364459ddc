"""The movie file: what the muxer makes, kept on the disk so that it is whole at any instant.

Blocking calls, for the writer thread. No reading, and no opinion on when to flush or where files
go.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from camkeep.archive.disk import FULL, create_error, flush_error, write_error
from camkeep.archive.files import Files, SystemFiles, write_all
from camkeep.errors import DiskFull, NotWritable, StorageError, WriteFailed
from camkeep.media.mp4 import Identity, Muxer, TimedSample
from camkeep.media.mp4.seal import Seal
from camkeep.model import AudioParams, VideoParams

_SYSTEM = SystemFiles()


class MovieFile:
    """One movie on the disk, from its creation to its close. Use from one thread at a time.

    After an error the file takes no more samples: `append` and `sync` raise the same error
    again, and `close` makes the best of what is there.
    """

    def __init__(self, files: Files, path: Path, descriptor: int, muxer: Muxer, size: int) -> None:
        """Use `create`."""
        self._files = files
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
        sealed: bool = False,
        files: Files = _SYSTEM,
    ) -> Self:
        """A new movie without a sample; its name is on the disk when this returns.

        One that is to be `sealed` when it closes is hashed as it is written. Raises NotWritable,
        DiskFull or WriteFailed, and MediaError where MP4 cannot hold such streams; nothing is
        left behind then.
        """
        muxer = Muxer(video, audio, identity, sealed=sealed)
        header = muxer.header()
        descriptor = _create(files, path, overwrite)
        try:
            write_all(files, descriptor, [header])
            files.sync_folder(path.parent)
        except OSError as error:
            files.close(descriptor)
            with suppress(OSError):
                files.unlink(path)
            raise write_error(error, path) from error
        return cls(files, path, descriptor, muxer, len(header))

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

    @property
    def error(self) -> StorageError | None:
        """What went wrong with the disk first. After a WriteFailed nobody knows what it holds."""
        return self._error

    def append(self, samples: Sequence[TimedSample]) -> None:
        """Write a fragment of `samples`, in decoding order, in one write.

        Raises DiskFull or WriteFailed; the movie up to the fragment before is intact then.
        """
        self._check()
        self._write_fragment(self._muxer.fragment(samples))

    def sync(self) -> None:
        """Flush what was written through to the disk, and let the system's cache forget it.

        Raises WriteFailed. Then nobody knows what the disk holds, and trying again would only
        hide it: the file takes no more samples.
        """
        self._check()
        self._flush()

    def close(self, end_us: int | None = None, previous: bytes | None = None) -> Seal | None:
        """Make an ordinary movie of the file, or remove it where no sample is in it.

        `end_us` is when the last frame ends, µs since the start of the movie. With `previous`,
        the chain of the segment before, the movie is sealed; its seal is returned where the file
        is on the disk to its last byte.

        Where there is no room for the tables, or the file was damaged, it stays the fragmented
        movie that it is, which plays as well. Raises DiskFull or WriteFailed only where that
        cost samples, or leaves in doubt what the disk holds, and nobody has been told yet; where
        the movie was to be sealed, `error` alone tells of a full disk.
        """
        if self._fd < 0:
            return None
        seal: Seal | None = None
        try:
            if self._error is None:
                self._write_fragment(self._muxer.flush())  # frames held back for their order
        except DiskFull:
            if previous is None:
                raise
        finally:
            try:
                if not self._muxer.samples:
                    self._remove()
                elif self._error is None or isinstance(self._error, DiskFull):
                    seal = self._turn(end_us, previous)
            finally:
                self.abandon()
        return seal

    def abandon(self) -> None:
        """Let go of the file as it is: a fragmented movie up to its last whole fragment."""
        if self._fd >= 0:
            descriptor, self._fd = self._fd, -1
            with suppress(OSError):  # network file systems report old write errors here
                self._files.close(descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _turn(self, end_us: int | None, previous: bytes | None) -> Seal | None:
        """Fragmented to ordinary, in this order; a crash in between leaves one or the other."""
        closing = self._muxer.finish(end_us, previous)
        try:
            write_all(self._files, self._fd, [closing.tail])
        except OSError as error:
            self._cut_back()
            if error.errno in FULL:
                return None  # no sample is lost by that
            self._error = write_error(error, self._path)
            raise self._error from error
        try:
            self._files.sync(self._fd)  # the tables are on the disk before anything needs them
            self._files.pwrite(self._fd, closing.patch, closing.patch_offset)
        except OSError as error:
            self._cut_back()
            self._error = flush_error(error, self._path)
            raise self._error from error
        self._size += len(closing.tail)
        self._duration_us = closing.duration_us
        if closing.seal is not None:
            self._flush()  # nothing is cut back: with or without those 16 bytes it is a movie
        return closing.seal

    def _flush(self) -> None:
        try:
            self._files.sync(self._fd)
        except OSError as error:
            self._error = flush_error(error, self._path)
            raise self._error from error
        self._files.forget(self._fd)

    def _write_fragment(self, buffers: list[bytes]) -> None:
        if not buffers:
            return
        try:
            self._size += write_all(self._files, self._fd, buffers)
        except OSError as error:
            self._muxer.drop_fragment()
            self._cut_back()
            self._error = write_error(error, self._path)
            raise self._error from error

    def _cut_back(self) -> None:
        """Back to the last whole fragment. If even that fails, readers pass over the torso."""
        with suppress(OSError):
            self._files.truncate(self._fd, self._size)

    def _remove(self) -> None:
        with suppress(OSError):
            self._files.unlink(self._path)
            self._files.sync_folder(self._path.parent)
        self._size = 0

    def _check(self) -> None:
        if self._error is not None:
            raise self._error
        if self._fd < 0:
            raise WriteFailed(f"{self._path} is closed already")


def _create(files: Files, path: Path, overwrite: bool) -> int:
    """A descriptor of a new, empty file at `path`."""
    try:
        if overwrite and path.exists() and not path.is_file():
            raise NotWritable(f"{path} is not an ordinary file, so it cannot be overwritten")
        return files.create(path, overwrite=overwrite)
    except OSError as error:
        raise create_error(error, path) from error
