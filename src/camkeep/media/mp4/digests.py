"""What the bytes of a segment come to: the two digests of its seal, the check of each fragment.

Every byte of a segment counts as one of two things:

- *Samples*. The digest of one, its leaf, is SHA-256(track, time, key, data): the number of its
  track (32 bits), when it is shown (64 bits, ticks of its track since the start of the movie),
  whether decoding can begin at it (8 bits), and its bytes. Decoding times are not in it: they
  follow from the order and the times shown, and the tables of a closed movie begin with another
  one than those of a growing movie where frames come out of an order that nobody announced. So
  a leaf is the same while the sample is written, from the growing file, from the closed one, and
  wherever a copy of the sample is exported to.
- *Structure*: all else, the tables that place the samples included.

A growing file may be torn, and after a power cut hold pages that were never written, or that are
another file's. So each `moof` box ends with a `uuid` box of 32 bytes, the check: SHA-256 over the
check before it (the SHA-256 of the opening `moov`, where it is the first), what was written from
there up to this check, and the leaves of the fragment's samples. A fragment is whole if it agrees
with its check. In a closed file, too, checks tell which fragment was changed, where the digest of
all samples only says that one was.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Iterator
from typing import NamedTuple
from uuid import UUID

from camkeep.errors import MediaError
from camkeep.media.mp4.read_boxes import ReadAt

CHECK_UUID = UUID("b5a6f0c3-2f0e-4d57-8d0a-63616d6b6565").bytes
CHECK_SIZE = 8 + 16 + 32
LEAF_SIZE = 32
BLOCK = 1 << 20
"""Bytes of a file that are in memory at a time."""

_LEAF = struct.Struct(">IqB")
_CHECK_HEAD = struct.pack(">I4s", CHECK_SIZE, b"uuid") + CHECK_UUID

Buffer = bytes | bytearray | memoryview


class Placed(NamedTuple):
    """Where a sample lies in its file, and what its leaf needs beside its bytes."""

    offset: int
    size: int
    track_id: int
    time: int
    key: bool


def leaf(track_id: int, time: int, key: bool, pieces: Iterable[Buffer]) -> bytes:
    """The digest of one sample, whose bytes may come in pieces."""
    try:
        digest = hashlib.sha256(_LEAF.pack(track_id, time, key))
    except struct.error as error:
        raise MediaError("a sample of the movie lies too far in time") from error
    for piece in pieces:
        digest.update(piece)
    return digest.digest()


def check_of(before: bytes, lead: Iterable[Buffer], leaves: Buffer) -> bytes:
    """The check of a fragment: `lead` is what was written of it up to its check, `before` the
    check of the fragment before. That of the movie's beginning has only its `moov` as `lead`."""
    digest = hashlib.sha256(before)
    for piece in lead:
        digest.update(piece)
    digest.update(leaves)
    return digest.digest()


def check_box(check: bytes) -> bytes:
    """The box that holds a check, the last in `moof`."""
    return _CHECK_HEAD + check


def check_in(moof: bytes) -> bytes | None:
    """The check at the end of the payload of a `moof` box."""
    return moof[-32:] if moof[-CHECK_SIZE:-32] == _CHECK_HEAD else None


class Blocks:
    """A file that is read from its beginning to its end, a block at a time."""

    def __init__(self, source: ReadAt) -> None:
        self._source = source
        self._start = 0
        self._block = memoryview(b"")

    def pieces(self, begin: int, end: int) -> Iterator[memoryview]:
        """The bytes from `begin` to `end`. Raises MediaError where the file ends before."""
        while begin < end:
            at = begin - self._start
            if not 0 <= at < len(self._block):
                self._start, at = begin, 0
                self._block = memoryview(self._source.read_at(begin, BLOCK))
                if not self._block:
                    raise MediaError("the file became shorter while it was read")
            piece = self._block[at : at + end - begin]
            yield piece
            begin += len(piece)


class Digests:
    """The two digests of a segment, taken as its bytes go by."""

    def __init__(self) -> None:
        self._samples = hashlib.sha256()
        self._structure = hashlib.sha256()
        self.mark()

    def add(self, structure: bytes, leaves: Buffer = b"") -> None:
        """Take in what comes next in the file."""
        self._structure.update(structure)
        self._samples.update(leaves)

    def scan(self, blocks: Blocks, begin: int, end: int, samples: Iterable[Placed]) -> bytearray:
        """Take in the file from `begin` to `end`, in which `samples` lie in this order; their
        leaves. Raises MediaError where that is not so."""
        structure = self._structure
        leaves = bytearray()
        for offset, size, track_id, time, key in samples:
            if not begin <= offset <= offset + size <= end:
                raise MediaError("samples of the movie lie one over the other")
            for piece in blocks.pieces(begin, offset):
                structure.update(piece)
            begin = offset + size
            leaves += leaf(track_id, time, key, blocks.pieces(offset, begin))
        for piece in blocks.pieces(begin, end):
            structure.update(piece)
        self._samples.update(leaves)
        return leaves

    def mark(self) -> None:
        """Remember what was taken in so far."""
        self._mark = self._samples.copy(), self._structure.copy()

    def go_back(self) -> None:
        """Forget what was taken in since `mark`."""
        samples, structure = self._mark
        self._samples, self._structure = samples.copy(), structure.copy()

    def finish(self, tail: bytes, head: bytes) -> tuple[bytes, bytes]:
        """Of samples and structure, where `tail` comes last in the file, and the header of the
        closed file is `head`; more may be taken in afterwards."""
        structure = self._structure.copy()
        structure.update(tail)
        structure.update(head)
        return self._samples.digest(), structure.digest()
