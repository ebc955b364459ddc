"""What a person asked `record` for, and what came of it. Values and file names, no I/O but a
look whether the file can be written at all."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from camkeep.cameras.trouble import Trouble
from camkeep.clock import WallUs
from camkeep.errors import CamkeepError, NotWritable, UsageError
from camkeep.model import Gap

SUFFIXES = (".mp4", ".m4v", ".mov")


@dataclass(frozen=True, slots=True)
class Plan:
    """A recording to make. Times in seconds; None means no limit."""

    path: Path
    duration_s: float | None = None
    frames: int | None = None
    fps: float | None = None
    """Keep only as many frames a second: frames are left out, never invented or re-timed."""
    segment_s: float | None = None
    """Begin a new file at the first key frame after so long."""
    audio: bool = True
    wait: bool = False
    """Wait for a camera that does not answer yet."""
    overwrite: bool = False

    def __post_init__(self) -> None:
        if self.path.suffix.lower() not in SUFFIXES:
            raise UsageError(f"camkeep writes MP4: call the file {self.path.stem or 'movie'}.mp4")
        limits = (
            ("duration", self.duration_s),
            ("frames", self.frames),
            ("fps", self.fps),
            ("segment", self.segment_s),
        )
        for name, value in limits:
            if value is not None and not value > 0:
                raise UsageError(f"{name} must be more than 0")

    def file(self, number: int) -> Path:
        """The name of the movie `number`, counted from 1."""
        if self.segment_s is not None:
            return self.path.with_stem(f"{self.path.stem}-{number:03d}")
        return self.path if number == 1 else self.path.with_stem(f"{self.path.stem}-{number}")

    def names(self) -> Iterator[Path]:
        """The names of the movies, in order. All but the first pass over files that are there,
        unless those may be replaced: no recording ends because of what an older one left."""
        yield self.file(1)
        for number in count(2):
            path = self.file(number)
            if self.overwrite or not os.path.lexists(path):
                yield path

    def check_writable(self) -> None:
        """Raise NotWritable now rather than after the camera was opened."""
        first, folder = self.file(1), self.path.parent
        # of os.path, because those of pathlib raise what they cannot look at
        if not os.path.isdir(folder):  # noqa: PTH112
            raise NotWritable(f"there is no folder {folder}: create it first")
        if os.path.isdir(first):  # noqa: PTH112
            raise NotWritable(f"{first} is a folder: name a file in it")
        there = os.path.lexists(first)
        if there and not self.overwrite:
            raise NotWritable(f"{first} exists already: choose another name or say --overwrite")
        if not os.access(folder, os.W_OK | os.X_OK) and not there:
            raise NotWritable(f"no permission to write in the folder {folder}")
        if os.path.exists(first) and not os.access(first, os.W_OK):  # noqa: PTH110
            raise NotWritable(f"no permission to replace {first}")


@dataclass(frozen=True, slots=True)
class Movie:
    """One file that was made."""

    path: Path
    start: WallUs
    seconds: float
    frames: int
    bytes: int
    because: str = ""
    """Why it was begun where the one before it had to end, in words: "the picture is now ..."."""


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a recording stands."""

    state: str
    """"connecting", "live", or "waiting" after an attempt that failed."""
    why: str
    """What happened, in words, while it waits; else empty."""
    retry_s: float
    """How long it waits before the next attempt; 0 while it does not."""
    seconds: float
    frames: int
    bytes: int
    drops: int
    files: int


@dataclass(frozen=True, slots=True)
class Summary:
    """What a recording came to."""

    movies: tuple[Movie, ...]
    gaps: tuple[Gap, ...]
    reconnects: int
    drops: int
    """Frames that could not be kept: the disk did not keep up, or nobody could decode them."""
    thinned: int
    """Frames left out because a lower rate was asked for."""
    measured_fps: float | None
    """As the camera delivered, before thinning."""
    promised_fps: float | None
    ended: str
    """Why it ended, in words."""
    stopped: bool = False
    """Whether somebody ended it."""
    error: CamkeepError | None = None
    """What ended it too early, if so. The movies are whole all the same."""
    trouble: Counter[Trouble] = field(default_factory=Counter)

    @property
    def frames(self) -> int:
        """Frames in all movies."""
        return sum(movie.frames for movie in self.movies)

    @property
    def seconds(self) -> float:
        """Length of all movies."""
        return sum(movie.seconds for movie in self.movies)
