"""Where the movies of a recording go: what the reel needs of it, and the shelf of `record`.

All calls come from the writer thread and may block.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from camkeep.archive.movie import MovieFile
from camkeep.media.mp4 import Identity
from camkeep.model import AudioParams, VideoParams


class Shelf(Protocol):
    """Makes movie files, and puts those away that are full."""

    def create(
        self, video: VideoParams, audio: AudioParams | None, identity: Identity
    ) -> MovieFile:
        """A new movie. Raises StorageError."""
        ...

    def close(self, file: MovieFile, end_us: int | None) -> None:
        """`MovieFile.close`, and what goes with it."""
        ...


class NamedFiles:
    """Files of given names, one after the other."""

    def __init__(self, names: Iterator[Path], *, overwrite: bool) -> None:
        self._names = names
        self._overwrite = overwrite

    def create(
        self, video: VideoParams, audio: AudioParams | None, identity: Identity
    ) -> MovieFile:
        path = next(self._names)
        return MovieFile.create(path, video, audio, identity, overwrite=self._overwrite)

    def close(self, file: MovieFile, end_us: int | None) -> None:
        file.close(end_us)
