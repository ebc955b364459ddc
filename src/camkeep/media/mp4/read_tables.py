"""The sample tables of an ordinary movie (ISO 14496-12 §8.6, §8.7)."""

from __future__ import annotations

import struct
import sys
from array import array

from camkeep.errors import MediaError
from camkeep.media.mp4.read_boxes import child, fields, path, rows
from camkeep.media.mp4.read_columns import Columns


def read_tables(stbl: memoryview, file_size: int, limit: int) -> Columns:
    """All samples of a track; at most `limit`. Raises MediaError."""
    sizes = _sizes(path(stbl, b"stsz"), limit)
    count = len(sizes)
    columns = Columns()
    _chunks(columns, stbl, sizes, file_size)
    columns.add_times(0, _runs(path(stbl, b"stts"), "I", count))
    ctts = child(stbl, b"ctts")
    # files of version 0 may hold negative offsets as well, and none is 2^31 ticks long
    columns.offsets = array("i", bytes(4 * count)) if ctts is None else _runs(ctts, "i", count)
    stss = child(stbl, b"stss")
    if stss is None:
        columns.keys = bytearray(b"\1") * count
    else:
        columns.keys = bytearray(count)
        for number in _column(stss, "I", 4):
            if not 0 < number <= count:
                raise MediaError("the movie names a key frame that it has not got")
            columns.keys[number - 1] = 1
    return columns


def _sizes(stsz: memoryview, limit: int) -> array[int]:
    size, count = fields(">4xII", stsz)
    if count > limit:
        raise MediaError(f"{count} samples are more than this movie can hold")
    return array("I", [size]) * count if size else _column(stsz, "I", 8)


def _chunks(columns: Columns, stbl: memoryview, sizes: array[int], file_size: int) -> None:
    """Where each sample lies (§8.7.4, §8.7.5)."""
    long = child(stbl, b"co64")
    positions = _column(long, "Q", 4) if long is not None else _column(path(stbl, b"stco"), "I", 4)
    _, packed = rows(path(stbl, b"stsc"), 12)
    steps = list(struct.iter_unpack(">III", packed))
    done = 0
    for number, (first, per_chunk, _) in enumerate(steps):
        last = steps[number + 1][0] if number + 1 < len(steps) else len(positions) + 1
        if not 0 < first < last <= len(positions) + 1 or not per_chunk:
            raise MediaError("the movie's table of chunks is malformed")
        for position in positions[first - 1 : last - 1]:
            columns.add_chunk(position, sizes[done : done + per_chunk], file_size)
            done += per_chunk
    if done != len(sizes):
        raise MediaError("the movie's tables disagree on how many samples there are")


def _runs(table: memoryview, kind: str, count: int) -> array[int]:
    """The values of a table of (count, value) rows, which must be `count` in all."""
    values = array(kind)
    _, packed = rows(table, 8)
    for times, value in struct.iter_unpack(">I" + kind, packed):
        if times > count - len(values):
            break
        values.extend(array(kind, [value]) * times)
    if len(values) != count:
        raise MediaError("the movie's tables disagree on how many samples there are")
    return values


def _column(table: memoryview, kind: str, offset: int) -> array[int]:
    values = array(kind)
    _, packed = rows(table, values.itemsize, offset)
    values.frombytes(packed)
    if sys.byteorder == "little":
        values.byteswap()
    return values
