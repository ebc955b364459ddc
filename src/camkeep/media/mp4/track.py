"""One track while it is written: where its samples lie in time and in the file.

The tables are arrays of machine integers, 17 bytes a sample, because a recording may go on for
days. They hold what was written, nothing else.
"""

from __future__ import annotations

import struct
from abc import ABC, abstractmethod
from array import array
from collections.abc import Iterable, Sequence
from itertools import repeat
from operator import add, sub
from typing import NamedTuple

from camkeep.errors import MediaError
from camkeep.media.mp4.digests import leaf
from camkeep.model import Params

MAX_GAP_US = 6 * 3600 * 1_000_000
"""Longest gap within one movie: the tables of MP4 have 32 bits for it."""
MAX_FRAGMENT = 1 << 30

KEY, DELTA = 0x0200_0000, 0x0101_0000
"""Sample flags (ISO 14496-12 §8.8.3.1): depends on no other; depends on others."""

_TFHD_BASE_IS_MOOF, _TFHD_DEFAULT_FLAGS = 0x020000, 0x20
TRUN_OFFSET, TRUN_DURATION, TRUN_SIZE, TRUN_FLAGS, TRUN_CTS = 1, 0x100, 0x200, 0x400, 0x800
_TFHD = _TFHD_BASE_IS_MOOF | _TFHD_DEFAULT_FLAGS

# traf, tfhd, tfdt (version 1), trun up to its data offset: all of fixed size
_TRAF = struct.Struct(">I4s I4sIII I4sIQ I4sIIi")


class TimedSample(NamedTuple):
    """A sample and its place in the movie."""

    params: Params
    data: bytes
    time_us: int
    """Presentation time since the start of the movie, µs, never negative."""
    key: bool


class _Mark(NamedTuple):
    samples: int
    chunks: int


class Track(ABC):
    """What all tracks share. Times are ticks of `timescale`."""

    params: Params
    timescale: int
    row_size: int
    trun_kind: int
    default_flags: int
    delay = 0
    """How much later than it should a fragmented movie shows the track without its edit list."""

    def __init__(self, track_id: int) -> None:
        self.track_id = track_id
        self.sizes = array("I")
        self.dts = array("q")
        self.offsets = array("i")
        """pts - dts; empty for sound, where it is always 0."""
        self.keys = bytearray()
        """1 where decoding can begin; empty for sound."""
        self.chunk_positions = array("Q")
        self.chunk_counts = array("I")
        self._mark = _Mark(0, 0)

    def __len__(self) -> int:
        return len(self.sizes)

    @abstractmethod
    def place(self, samples: Sequence[TimedSample]) -> list[bytes]:
        """Note the samples, which follow those before; the data that is to be written now."""

    def flush(self) -> list[bytes]:
        """The data of all samples that were held back; no sample follows."""
        return []

    @abstractmethod
    def estimate(self) -> int:
        """How long the last sample lasts, as far as the track itself can tell."""

    def begin_fragment(self) -> None:
        """What is placed from here on belongs to the next fragment."""
        self._mark = _Mark(len(self.sizes), len(self.chunk_positions))

    def drop_fragment(self) -> None:
        """Forget what was placed since `begin_fragment`, because it could not be written."""
        samples, chunks = self._mark
        del self.sizes[samples:], self.dts[samples:]
        del self.offsets[samples:], self.keys[samples:]
        del self.chunk_positions[chunks:], self.chunk_counts[chunks:]

    def traf_size(self) -> int:
        """Size of the next fragment's `traf` box."""
        return _TRAF.size + self.row_size * (len(self.sizes) - self._mark.samples)

    def traf(self, data_offset: int) -> bytes:
        """The next fragment's `traf` box (§8.8.6); its data begins `data_offset` bytes behind
        the start of `moof`."""
        first = self._mark.samples
        count = len(self.sizes) - first
        rows = self._rows(first, count)
        head = _TRAF.pack(
            *(_TRAF.size + len(rows), b"traf"),
            *(20, b"tfhd", _TFHD, self.track_id, self.default_flags),
            *(20, b"tfdt", 1 << 24, self.dts[first]),
            *(20 + len(rows), b"trun", self.trun_kind, count, data_offset),
        )
        return head + rows

    def first_dts(self) -> int:
        """Decoding time of the next fragment's first sample."""
        return self.dts[self._mark.samples]

    def note_chunk(self, position: int) -> int:
        """The next fragment's data stands at `position` of the file; the size of it."""
        first = self._mark.samples
        self.chunk_positions.append(position)
        self.chunk_counts.append(len(self.sizes) - first)
        return sum(self.sizes[first:])

    def leaves(self, data: Sequence[bytes]) -> bytes:
        """The digests of the next fragment's samples, whose bytes are `data`."""
        first, track_id = self._mark.samples, self.track_id
        times: Iterable[int] = self.dts[first:]
        keys: Iterable[int] = repeat(1)
        if self.offsets:
            times, keys = map(add, times, self.offsets[first:]), self.keys[first:]
        rows = zip(times, keys, data, strict=False)
        return b"".join(leaf(track_id, time, bool(key), (piece,)) for time, key, piece in rows)

    @abstractmethod
    def _rows(self, first: int, count: int) -> bytes:
        """The rows of trun (§8.8.8)."""

    def _durations(self, first: int) -> list[int]:
        times = self.dts[first:]
        durations = list(map(sub, times[1:], times))
        durations.append(self.estimate())
        return durations

    def durations(self, last: int) -> list[int]:
        """Of all samples; the last one lasts `last`."""
        durations = list(map(sub, self.dts[1:], self.dts))
        durations.append(last)
        return durations


def check(samples: Sequence[TimedSample], newest_us: int) -> int:
    """Raise MediaError where MP4 cannot hold the samples; else the newest time."""
    size = 0
    for _, data, time_us, _ in samples:
        if not data:
            raise MediaError("a sample is empty")
        size += len(data)
        if time_us < 0:
            raise MediaError("a sample lies before the start of its movie")
        if not -MAX_GAP_US <= time_us - newest_us <= MAX_GAP_US:
            raise MediaError("a gap of more than 6 hours does not fit in one movie: begin another")
        newest_us = max(newest_us, time_us)
    if size > MAX_FRAGMENT:
        raise MediaError(f"{size} bytes are too much for one fragment")
    return newest_us
