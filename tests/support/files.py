"""Movies on disk, read by our own reader."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from camkeep.media.mp4.read import Movie, read_movie


class FileBytes:
    """A file as `read_movie` wants it."""

    def __init__(self, path: Path) -> None:
        self._data = path.read_bytes()
        self.size = len(self._data)

    def read_at(self, offset: int, length: int, /) -> bytes:
        return self._data[offset : offset + length]


class MemoryFile:
    """A file that is in memory, and notes how much of it was asked for at a time."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.size = len(data)
        self.longest_read = 0

    def read_at(self, offset: int, length: int, /) -> bytes:
        assert offset >= 0
        assert length >= 0
        self.longest_read = max(self.longest_read, length)
        return self._data[offset : offset + length]


class Shown(NamedTuple):
    """A video sample of a movie."""

    seconds: float
    data: bytes


def movie_of(path: Path) -> Movie:
    return read_movie(FileBytes(path))


def pictures_of(path: Path) -> list[Shown]:
    """All video samples, in the order in which they are decoded."""
    source = FileBytes(path)
    video = read_movie(source).video
    assert video is not None
    return [Shown(s.time_us / 1e6, source.read_at(s.offset, s.size)) for s in video.samples]
