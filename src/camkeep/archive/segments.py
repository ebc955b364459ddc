"""The segments of one camera as they are made: created, sealed, and told to the index.

Called on the writer thread, but for `identity`. What must hold:

1. A file is in the index before its first frame is on the disk, unless the index is behind; then
   start-up finds it. Its header is on the disk before that: what is in the index can be read.
2. A segment is sealed after all that were begun before it, so that each seal can name the one
   before. What a full disk left without a seal is sealed before another segment begins.
3. A row says "closed" only of a file that is on the disk to its last byte.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

from camkeep.archive.disk import create_error
from camkeep.archive.layout import RECORDINGS, damaged_name, day_name, segment_name, segment_path
from camkeep.archive.movie import MovieFile
from camkeep.archive.recover_movie import Empty, recover_movie
from camkeep.archive.root import ArchiveRoot
from camkeep.clock import WallUs
from camkeep.errors import MediaError, WriteFailed
from camkeep.media.mp4 import Identity
from camkeep.media.mp4.seal import NOTHING_BEFORE, Seal
from camkeep.model import AudioParams, KeptCamera, Segment, SegmentState, VideoParams


class Tail(NamedTuple):
    """Where a camera's recording stands."""

    sequence: int = 0
    """Of its newest segment; 0 where there is none."""
    run: int = 0
    chain: bytes = NOTHING_BEFORE
    """Of its newest sealed segment."""
    end: WallUs | None = None
    """When its newest frame ended."""


class SegmentShelf:
    """Makes the segments of one camera, one after the other (`engine.shelf.Shelf`)."""

    def __init__(
        self,
        root: ArchiveRoot,
        camera: KeptCamera,
        tail: Tail,
        tell_index: Callable[[Callable[[Any], object]], object],
    ) -> None:
        """`tell_index` has a job done with the index, later."""
        self.camera = camera
        self.run = tail.run
        """The run of the newest segment that was there before."""
        self.end = tail.end
        """When the newest frame that is kept ended."""
        self._root = root
        self._files = root.files
        self._tell_index = tell_index
        self._folder = root.path / RECORDINGS / camera.folder
        self._sequence = tail.sequence
        self._chain = tail.chain
        self._unsealed: list[Segment] = []
        self._open: dict[Path, tuple[Segment, MovieFile]] = {}

    def resume(self, tail: Tail) -> None:
        """The camera's files were looked at anew: go on behind them."""
        self.end = tail.end
        self._sequence = max(self._sequence, tail.sequence)
        self._chain = tail.chain
        self._unsealed.clear()

    def identity(self, run: int, start: WallUs) -> Identity:
        """Of the next segment, which starts then. On the loop."""
        self._sequence += 1
        camera = self.camera
        return Identity(camera.name, run, self._sequence, start, camera.id)

    def at_this_moment(self, segment: Segment) -> Segment | None:
        """`segment` with its length so far, where it grows here. Any thread."""
        for known, file in list(self._open.values()):
            if known.sequence == segment.sequence:
                with suppress(IndexError):  # its last fragment is being taken back
                    return replace(
                        segment,
                        duration_us=file.duration_us,
                        size=file.bytes_written,
                        frames=file.frames,
                    )
        return None

    @property
    def open_bytes(self) -> int:
        """Size of what is not in the totals of the index yet."""
        return sum(file.bytes_written for _, file in list(self._open.values()))

    def create(
        self, video: VideoParams, audio: AudioParams | None, identity: Identity
    ) -> MovieFile:
        """A new segment. Raises StorageError; DiskAway where the archive is not there."""
        self._root.check()
        self._seal_rest()
        day = self._day(identity.start)
        for attempt in count(1):
            path = day / segment_name(identity.start, attempt)
            if not os.path.lexists(path) and not os.path.lexists(day / damaged_name(path.name)):
                break
        file = MovieFile.create(path, video, audio, identity, files=self._files, sealed=True)
        try:
            file.sync()
        except WriteFailed:
            file.close()  # nothing is in it: it goes
            raise
        segment = Segment(
            camera=self.camera.id,
            sequence=identity.sequence,
            run=identity.run,
            path=segment_path(self.camera.folder, day.name, path.name),
            start=identity.start,
            duration_us=0,
            size=file.bytes_written,
            frames=0,
            codec=video.codec_string,
            width=video.width,
            height=video.height,
            audio=audio.codec_string if audio is not None else "",
            state=SegmentState.OPEN,
        )
        self._open[path] = segment, file
        self._tell_index(lambda index: index.segment_opened(segment))
        return file

    def close(self, file: MovieFile, end_us: int | None) -> None:
        """Seal `file`, or put it aside where the disk failed. Raises StorageError."""
        segment, _ = self._open.pop(file.path)
        error: WriteFailed | None = None
        seal: Seal | None = None
        try:
            seal = file.close(end_us, self._chain)
        except WriteFailed as failed:
            error = failed
        if error is None and isinstance(file.error, WriteFailed):
            error = file.error
        segment = replace(
            segment, size=file.bytes_written, duration_us=file.duration_us, frames=file.frames
        )
        if error is not None:
            self._damaged(segment)
            if segment.frames:
                self.end = segment.end
            raise error
        if seal is not None:
            self._sealed(segment, seal)
        elif segment.frames:
            self._unsealed.append(segment)
            self.end = segment.end
        else:
            self._forget(segment)

    def _seal_rest(self) -> None:
        """Seal what a full disk left unsealed, in order. Raises StorageError."""
        while self._unsealed:
            segment = self._unsealed[0]
            path = self._root.path / segment.path
            try:
                found = recover_movie(self._files, path, self._chain)
            except MediaError:
                self._damaged(segment)
            else:
                if isinstance(found, Empty):
                    self._forget(segment)
                else:
                    self._sealed(replace(segment, size=found.size), found.seal)
            del self._unsealed[0]

    def _sealed(self, segment: Segment, seal: Seal) -> None:
        self._chain = seal.chain
        closed = replace(
            segment,
            duration_us=seal.duration_us,
            frames=seal.frames,
            state=SegmentState.CLOSED,
            chain=seal.chain,
        )
        self.end = closed.end
        self._tell_index(lambda index: index.segment_closed(closed))

    def _forget(self, segment: Segment) -> None:
        """Nothing was in it, and so no file is left."""
        key = (segment.camera, segment.sequence)
        self._tell_index(lambda index: index.forget([key]))

    def _damaged(self, segment: Segment) -> None:
        """Nobody knows what the disk holds: say so in the file's name."""
        path = self._root.path / segment.path
        aside = path.with_name(damaged_name(path.name))
        try:
            self._files.rename(path, aside)
            self._files.sync_folder(aside.parent)
        except OSError:  # then the index alone says it
            aside = path
        where = segment.path.rpartition("/")[0] + "/" + aside.name
        damaged = replace(segment, path=where, state=SegmentState.DAMAGED)
        self._tell_index(lambda index: index.segment_damaged(damaged))

    def _day(self, start: WallUs) -> Path:
        """The folder of a day, made where it is not there yet."""
        day = self._folder / day_name(start)
        if not day.is_dir():
            try:
                self._files.make_folder(day)
                self._files.sync_folder(self._folder)
            except OSError as error:
                raise create_error(error, day) from error
        return day
