"""A movie of a recording while it is being written."""

from __future__ import annotations

from pathlib import Path

from camkeep.archive.movie import MovieFile
from camkeep.engine.plan import Movie
from camkeep.media.mp4 import Identity, TimedSample
from camkeep.model import AudioParams, Sample, VideoParams


class OpenMovie:
    """A movie that is being written. Gathers on the loop; create, append, sync and close run
    on the writer thread, in this order."""

    def __init__(
        self,
        path: Path,
        video: VideoParams,
        audio: AudioParams | None,
        identity: Identity,
        start_us: int,
    ) -> None:
        self.video = video
        self.start_us = start_us
        self.end_us: int | None = None
        self.pending: list[TimedSample] = []
        self.pending_bytes = 0
        self._path = path
        self._audio = audio
        self._identity = identity
        self._file: MovieFile | None = None

    def add(self, sample: Sample, elapsed_us: int) -> None:
        """Gather a sample."""
        timed = TimedSample(sample.params, sample.data, elapsed_us - self.start_us, sample.key)
        self.pending.append(timed)
        self.pending_bytes += len(sample.data)

    def create(self, overwrite: bool) -> None:
        """Make the file."""
        self._file = MovieFile.create(
            self._path, self.video, self._audio, self._identity, overwrite=overwrite
        )

    def append(self, samples: list[TimedSample]) -> None:
        """Write a fragment."""
        assert self._file is not None
        self._file.append(samples)

    def sync(self) -> None:
        """Flush it through to the disk."""
        assert self._file is not None
        self._file.sync()

    def close(self) -> None:
        """Make the file whole, where there is one."""
        if self._file is not None:
            self._file.close(self.end_us)

    def made(self) -> Movie | None:
        """What it came to; None where nothing was in it, and so no file is left."""
        file = self._file
        if file is None or not file.frames:
            return None
        return Movie(
            self._path,
            self._identity.start,
            file.duration_us / 1e6,
            file.frames,
            file.bytes_written,
        )
