"""The samples of a track that is read: columns of machine integers, 29 bytes a sample."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import NamedTuple, overload

from camkeep.errors import MediaError

MAX_SAMPLES = 1 << 24
"""Most samples of a movie that is read; two days of pictures and sound."""
MAX_TICKS = 1 << 62


class MovieSample(NamedTuple):
    """Where one sample lies, in the file and in time."""

    offset: int
    """In the file, bytes."""
    size: int
    time: int
    """When it is shown, ticks of the track since the start of the movie."""
    time_us: int
    """The same in µs."""
    dts: int
    """When it is decoded, ticks; may be negative."""
    duration: int
    """Until the next one is decoded, ticks."""
    key: bool


@dataclass(slots=True)
class Columns:
    """What tables and fragments fill in; dts without any edit."""

    positions: array[int] = field(default_factory=lambda: array("Q"))
    sizes: array[int] = field(default_factory=lambda: array("I"))
    dts: array[int] = field(default_factory=lambda: array("q"))
    durations: array[int] = field(default_factory=lambda: array("I"))
    offsets: array[int] = field(default_factory=lambda: array("i"))
    keys: bytearray = field(default_factory=bytearray)

    def add_chunk(self, position: int, sizes: array[int], file_size: int) -> int:
        """Samples that lie one behind the other from `position` on; where they end."""
        if not 0 <= position <= position + sum(sizes) <= file_size:
            raise MediaError("a sample of the movie lies outside of its file")
        ends = array("Q", accumulate(sizes, initial=position))
        end = ends.pop()
        self.positions.extend(ends)
        self.sizes.extend(sizes)
        return end

    def add_times(self, begin: int, durations: array[int]) -> int:
        """Decoding times of samples that follow each other from `begin` on; when they end."""
        if not 0 <= begin <= begin + sum(durations) <= MAX_TICKS:
            raise MediaError("a sample of the movie lies too far in time")
        times = array("q", accumulate(durations, initial=begin))
        end = times.pop()
        self.dts.extend(times)
        self.durations.extend(durations)
        return end

    @property
    def end(self) -> int:
        """When the last sample ends; 0 without samples."""
        return self.dts[-1] + self.durations[-1] if self.dts else 0

    def cut(self, length: int) -> None:
        """Back to the first `length` samples."""
        for column in (self.positions, self.sizes, self.dts, self.durations, self.offsets):
            del column[length:]
        del self.keys[length:]


class Samples(Sequence[MovieSample]):
    """The samples of one track in decoding order, made when they are asked for."""

    __slots__ = ("_columns", "_shift", "_timescale")

    def __init__(self, columns: Columns, timescale: int, shift: int) -> None:
        self._columns = columns
        self._timescale = timescale
        self._shift = shift  # of the edit list, ticks

    def __len__(self) -> int:
        return len(self._columns.sizes)

    @overload
    def __getitem__(self, index: int) -> MovieSample: ...
    @overload
    def __getitem__(self, index: slice) -> list[MovieSample]: ...
    def __getitem__(self, index: int | slice) -> MovieSample | list[MovieSample]:
        if isinstance(index, slice):
            return [self[number] for number in range(*index.indices(len(self)))]
        columns = self._columns
        dts = columns.dts[index] + self._shift
        time = dts + columns.offsets[index]
        return MovieSample(
            columns.positions[index],
            columns.sizes[index],
            time,
            (2 * time * 1_000_000 + self._timescale) // (2 * self._timescale),
            dts,
            columns.durations[index],
            bool(columns.keys[index]),
        )

    def __iter__(self) -> Iterator[MovieSample]:
        return map(self.__getitem__, range(len(self)))
