"""The samples that one track of a segment gives to a clip, as rows of tables.

All of a closed segment's are taken as the bytes that its own tables are, so that an hour is
joined in milliseconds; of a segment that is cut, or still grows, rows are made of its columns.
What the tables say is checked as far as anything depends on it.
"""

from __future__ import annotations

import struct
import sys
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from operator import add, mul, sub

from camkeep.errors import MediaError
from camkeep.media.mp4.moov_boxes import big_endian, chunk_rows, run_rows
from camkeep.media.mp4.read_boxes import children, fields, rows
from camkeep.media.mp4.read_columns import MAX_SAMPLES, MAX_TICKS, Columns


@dataclass(frozen=True, slots=True)
class Rows:
    """Samples of one track. Times are ticks of the track since the start of the segment."""

    count: int
    begin: int
    """Decoding time of the first sample."""
    last: int
    """Decoding time of the last one."""
    ends: int
    """When the last one ends."""
    durations: bytes
    """Rows of `stts` for all but the last one."""
    offsets: bytes
    """Rows of `ctts`, version 1; empty where every frame is shown when it is decoded."""
    sizes: bytes
    """Rows of `stsz`."""
    keys: array[int] | None
    """Numbers, from 1, of those at which decoding can begin; None: all."""
    positions: array[int]
    """Of chunks, in the segment's file."""
    chunks: array[int]
    """Two numbers for each row of `stsc`: the chunk from which on, the samples in each."""


def whole_rows(stbl: memoryview, shift: int, space: tuple[int, int]) -> Rows | None:
    """All samples of a closed segment's track, which `shift` moves; None where it has none.

    They must lie in `space` of the file, from its first number to its second. Raises MediaError.
    """
    boxes = dict(children(stbl))
    sizes = _sizes(_need(boxes, b"stsz"))
    count = len(sizes) // 4
    if not count:
        return None
    durations, last, length = _durations(_need(boxes, b"stts"), count)
    positions, chunks = _chunks(boxes, count)
    values = column("I", sizes)
    if not all(values) or not _inside(positions, chunks, values, space):
        raise MediaError("a sample of the movie lies outside of its file")
    return Rows(
        count,
        shift,
        shift + length - last,
        shift + length,
        durations,
        _offsets(boxes.get(b"ctts"), count),
        sizes,
        _keys(boxes.get(b"stss"), count),
        positions,
        chunks,
    )


def cut_rows(columns: Columns, shift: int, first: int, stop: int, offsets: array[int]) -> Rows:
    """The samples from `first` up to `stop`, at least one, with other composition `offsets`.

    Raises MediaError where decoding times do not rise.
    """
    times = columns.dts[first:stop]
    durations = list(map(sub, times[1:], times))
    if durations and not 0 < min(durations) <= max(durations) < 1 << 31:
        raise MediaError("the movie's times do not rise")
    keys = array("I", (n for n, key in enumerate(columns.keys[first:stop], 1) if key))
    sizes = columns.sizes[first:stop]
    if not all(sizes):
        raise MediaError("a sample of the movie is empty")
    positions, counts = _runs(columns.positions[first:stop], sizes)
    chunks = chunk_rows(counts)
    del chunks[2::3]
    return Rows(
        len(times),
        times[0] + shift,
        times[-1] + shift,
        times[-1] + max(1, columns.durations[stop - 1]) + shift,
        run_rows("II", durations),
        run_rows("Ii", offsets) if any(offsets) else b"",
        big_endian(sizes),
        keys if len(keys) < len(times) else None,
        positions,
        array("I", chunks),
    )


def _runs(positions: array[int], sizes: array[int]) -> tuple[array[int], list[int]]:
    """Samples that lie one behind the other, as chunks: where each begins, how many are in it."""
    starts, counts, end = array("Q"), list[int](), -1
    for position, size in zip(positions, sizes, strict=True):
        if position != end:
            starts.append(position)
            counts.append(0)
        counts[-1] += 1
        end = position + size
    return starts, counts


def _need(boxes: dict[bytes, memoryview], kind: bytes) -> memoryview:
    found = boxes.get(kind)
    if found is None:
        raise MediaError(f"the movie has no {kind.decode('latin-1')} box where one belongs")
    return found


def column(kind: str, packed: bytes | memoryview) -> array[int]:
    """The numbers of a table, which MP4 has in its own byte order."""
    values = array(kind)
    values.frombytes(packed)
    if sys.byteorder == "little":
        values.byteswap()
    return values


def _sizes(stsz: memoryview) -> bytes:
    size, count = fields(">4xII", stsz)
    if count > MAX_SAMPLES:
        raise MediaError(f"{count} samples are more than this movie can hold")
    return struct.pack(">I", size) * count if size else bytes(rows(stsz, 4, 8)[1])


def _durations(stts: memoryview, count: int) -> tuple[bytes, int, int]:
    """Rows of all but the last sample, its duration, and the sum of all."""
    _, packed = rows(stts, 8)
    numbers = column("I", packed)
    times, values = numbers[0::2], numbers[1::2]
    if sum(times) != count or not times[-1]:
        raise _disagree()
    length = sum(map(mul, times, values))
    if not 0 < length <= MAX_TICKS:
        raise MediaError("the movie's times do not rise")
    rest = struct.pack(">II", times[-1] - 1, values[-1]) if times[-1] > 1 else b""
    return bytes(packed[:-8]) + rest, values[-1], length


def _offsets(ctts: memoryview | None, count: int) -> bytes:
    if ctts is None:
        return b""
    _, packed = rows(ctts, 8)
    numbers = column("I", packed)
    if sum(numbers[0::2]) != count:
        raise _disagree()
    return bytes(packed) if any(numbers[1::2]) else b""


def _keys(stss: memoryview | None, count: int) -> array[int] | None:
    if stss is None:
        return None
    keys = column("I", rows(stss, 4)[1])
    if not keys or keys[0] < 1 or keys[-1] > count or any(a >= b for a, b in pairwise(keys)):
        raise MediaError("the movie names a key frame that it has not got")
    return keys


def _chunks(boxes: dict[bytes, memoryview], count: int) -> tuple[array[int], array[int]]:
    long = boxes.get(b"co64")
    if long is not None:
        positions = column("Q", rows(long, 8)[1])
    else:
        positions = array("Q", column("I", rows(_need(boxes, b"stco"), 4)[1]))
    numbers = column("I", rows(_need(boxes, b"stsc"), 12)[1])
    firsts, each = numbers[0::3], numbers[1::3]
    if not firsts or firsts[0] != 1 or not all(each):
        raise MediaError("the movie's table of chunks is malformed")
    if _samples_in(firsts, each, len(positions)) != count:
        raise _disagree()
    chunks = numbers[:]
    del chunks[2::3]
    return positions, chunks


def _samples_in(firsts: Sequence[int], each: Sequence[int], chunks: int) -> int:
    nexts = [*firsts[1:], chunks + 1]
    lengths = list(map(sub, nexts, firsts))
    if min(lengths) < 1:
        raise MediaError("the movie's table of chunks is malformed")
    return sum(map(mul, lengths, each))


def _inside(
    positions: array[int], chunks: array[int], sizes: array[int], space: tuple[int, int]
) -> bool:
    """Whether each chunk lies in `space`, from its first byte to its last."""
    counts: list[int] = []
    nexts = [*chunks[2::2], len(positions) + 1]
    for first, each, after in zip(chunks[0::2], chunks[1::2], nexts, strict=True):
        counts += [each] * (after - first)
    before = list(accumulate(sizes, initial=0))  # bytes before each sample, all in one
    edges = [before[number] for number in accumulate(counts, initial=0)]
    ends = map(add, positions, map(sub, edges[1:], edges))
    return space[0] <= min(positions) and max(ends) <= space[1]


def _disagree() -> MediaError:
    return MediaError("the movie's tables disagree on how many samples there are")
