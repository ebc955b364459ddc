"""A movie of a recording while it is being written."""

from __future__ import annotations

from camkeep.archive.movie import MovieFile
from camkeep.engine.plan import Movie
from camkeep.engine.shelf import Shelf
from camkeep.media.mp4 import Identity, TimedSample
from camkeep.model import AudioParams, Sample, VideoParams


class OpenMovie:
    """A movie that is being written. Gathers on the loop; create, append, sync and close run
    on the writer thread, in this order."""

    def __init__(
        self,
        video: VideoParams,
        audio: AudioParams | None,
        identity: Identity,
        start_us: int,
        because: str,
    ) -> None:
        self.identity = identity
        self.video = video
        self.audio = audio
        self.start_us = start_us
        self.newest_us = start_us
        """Time of its newest sample."""
        self.end_us: int | None = None
        self.pending: list[TimedSample] = []
        self.pending_bytes = 0
        self._because = because
        self._file: MovieFile | None = None

    def add(self, sample: Sample, elapsed_us: int) -> None:
        """Gather a sample."""
        timed = TimedSample(sample.params, sample.data, elapsed_us - self.start_us, sample.key)
        self.newest_us = max(self.newest_us, elapsed_us)
        self.pending.append(timed)
        self.pending_bytes += len(sample.data)

    def create(self, shelf: Shelf) -> None:
        """Make the file."""
        self._file = shelf.create(self.video, self.audio, self.identity)

    def append(self, samples: list[TimedSample]) -> None:
        """Write a fragment."""
        assert self._file is not None
        self._file.append(samples)

    def sync(self) -> None:
        """Flush it through to the disk."""
        assert self._file is not None
        self._file.sync()

    def close(self, shelf: Shelf) -> None:
        """Make the file whole, where there is one."""
        if self._file is not None:
            shelf.close(self._file, self.end_us)

    def made(self) -> Movie | None:
        """What it came to; None where nothing was in it, and so no file is left."""
        file = self._file
        if file is None or not file.frames:
            return None
        return Movie(
            file.path,
            self.identity.start,
            file.duration_us / 1e6,
            file.frames,
            file.bytes_written,
            self._because,
        )
