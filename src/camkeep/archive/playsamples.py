"""The samples of one segment, taken fragment by fragment for a player."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterator, Sequence

from camkeep.archive.clipfiles import OpenFile
from camkeep.media.mp4.moov_boxes import MOVIE_TIMESCALE
from camkeep.media.mp4.read_columns import Columns
from camkeep.media.mp4.replay import Samples

FRAGMENT = MOVIE_TIMESCALE // 2
"""Ticks after which the next frame begins another fragment."""


class Reel:
    """Its frames, those that are played."""

    def __init__(
        self,
        file: OpenFile,
        columns: Columns,
        frames: list[int],
        times: list[int],
        shown: list[int],
    ) -> None:
        self.frames = frames
        """Their numbers."""
        self.times = times
        """When they are decoded, and when the last one ends; ticks of the segment."""
        self._shown = shown
        self._file = file
        self._columns = columns

    def edges(self) -> Iterator[int]:
        """Where fragments begin."""
        begin = None
        for number, time in enumerate(self.times[:-1]):
            if begin is None or time - begin >= FRAGMENT:
                begin = time
                yield number

    def take(self, first: int, stop: int, base: int) -> Samples:
        """A fragment's frames, at times that `base` is added to."""
        frames, times = self.frames[first:stop], self.times[first:stop]
        offsets = (self._shown[n] - time for n, time in zip(frames, times, strict=True))
        keys, sizes = self._columns.keys, self._columns.sizes
        return Samples(
            array("q", [time + base for time in times]),
            array("i", offsets),
            bytearray(keys[n] for n in frames),
            array("I", [sizes[n] for n in frames]),
            max(1, self.times[stop] - times[-1]),
            _bytes_of(self._file, self._columns, frames),
        )


class Sound:
    """Its sound, as far as it was not played yet."""

    def __init__(
        self, file: OpenFile, columns: Columns, scale: int, base: int, first: int, stop: int
    ) -> None:
        self.last = -1
        """When the last piece of it was heard, ticks."""
        self._file = file
        self._columns = columns
        self._scale = scale
        self._base = base
        self._next = first
        self._stop = stop

    def take(self, end: int, *, final: bool) -> Samples | None:
        """What is heard before `end`, ticks of the frames; all that is left at the `final` one."""
        columns, first, stop = self._columns, self._next, self._stop
        if not final:
            until = end * self._scale // MOVIE_TIMESCALE - self._base
            stop = min(stop, bisect_left(columns.dts, until))
        if first >= stop:
            return None
        self._next = stop
        times = array("q", [time + self._base for time in columns.dts[first:stop]])
        self.last = times[-1]
        sizes, last = columns.sizes[first:stop], max(1, columns.durations[stop - 1])
        data = _bytes_of(self._file, columns, range(first, stop))
        return Samples(times, array("i"), bytearray(), sizes, last, data)


def sample_of(fragment: bytes) -> bytes:
    """The sample of a fragment that has only one: what is in its `mdat`, behind its `moof`."""
    begin = int.from_bytes(fragment[:4]) + 8
    return fragment[begin:]


def _bytes_of(file: OpenFile, columns: Columns, numbers: Sequence[int]) -> list[bytes]:
    """The samples' bytes; those that lie one behind the other are read together."""
    runs: list[list[int]] = []
    for number in numbers:
        position, size = columns.positions[number], columns.sizes[number]
        if runs and runs[-1][1] == position:
            runs[-1][1] += size
        else:
            runs.append([position, position + size])
    return [file.exactly(begin, end - begin) for begin, end in runs]
