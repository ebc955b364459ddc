"""Seals, and segments that a crash left: what is taken up again closes as a movie that is intact.

Nothing that is made up gets past a hash, so there is a way around each of them here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from unittest.mock import ANY

from camkeep.archive.evidence import examine
from camkeep.clock import WallUs
from camkeep.errors import MediaError
from camkeep.media.mp4 import Identity, read_movie, resume
from camkeep.media.mp4.digests import check_of
from camkeep.media.mp4.seal import (
    NOTHING_BEFORE,
    SEAL_READ,
    SEAL_UUID,
    Seal,
    read_seal,
    seal_box,
)
from fuzz import samples

_NOTHING = Identity("", 0, 0, WallUs(0))
_ANY_SEAL = seal_box(Seal(_NOTHING, 0, 0, "", 0, 0, "", *[NOTHING_BEFORE] * 3))


class _Bytes:
    """A file in memory."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.size = len(data)

    def read_at(self, offset: int, length: int, /) -> bytes:
        assert offset >= 0
        assert length >= 0
        return self._data[offset : offset + length]


def one_input(data: bytes) -> None:
    _seal(data)
    _seal(_sealed_by_itself(data))
    _examined(data)
    _examined(data + _ANY_SEAL)
    _resumed(data)
    resume.check_of = lambda *_: ANY  # type: ignore[assignment]
    try:
        _resumed(data)
    finally:
        resume.check_of = check_of  # type: ignore[attr-defined]


def _sealed_by_itself(body: bytes) -> bytes:
    size = (60 + len(body)).to_bytes(4)
    return size + b"uuid" + SEAL_UUID + body + hashlib.sha256(body).digest() + size


def _seal(data: bytes) -> None:
    try:
        seal = read_seal(data[-SEAL_READ:])
    except MediaError:
        return
    if seal is not None:
        assert data.endswith(seal_box(seal))
        assert len(seal.previous) == len(seal.chain) == 32


def _examined(data: bytes) -> None:
    try:
        found = examine(_Bytes(data))
    except MediaError:
        return
    assert all(abs(time) < 1 << 65 for interval in found.changed for time in interval)


def _resumed(data: bytes) -> None:
    try:
        found = resume.resume_movie(_Bytes(data))
        if found is None:
            return
        assert 0 < found.end <= len(data)
        assert found.movie.samples > 0
        closing = found.movie.finish(previous=NOTHING_BEFORE)
        place, patch = closing.patch_offset, closing.patch
        closed = data[:place] + patch + data[place + len(patch) : found.end] + closing.tail
        movie = read_movie(_Bytes(closed))
    except MediaError:
        return
    assert movie.whole
    assert sum(len(track.samples) for track in movie.tracks) == found.movie.samples
    evidence = examine(_Bytes(closed))
    assert evidence.intact
    assert evidence.seal == closing.seal


def seeds() -> Iterable[bytes]:
    bodies = (read_seal(segment[-SEAL_READ:]) for segment in samples.segments())
    return [*samples.segments(), *(seal.body() for seal in bodies if seal is not None)]
