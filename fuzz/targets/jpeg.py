"""Pictures looked at: offsets lie within them, and the end is found however they come."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

from camkeep.errors import MediaError
from camkeep.media.jpeg import examine, find_end, segments
from fuzz import samples
from fuzz.reading import chunked, chunks, long


def one_input(data: bytes) -> None:
    pieces = chunks(data)
    whole = b"".join(pieces)
    with suppress(MediaError):
        at = 0
        for code, begin, end in segments(whole, 0):
            assert at < begin <= end <= len(whole)
            mark = begin - (2 if code == 0xD9 else 4)
            assert whole[mark : mark + 2] == bytes([0xFF, code])
            at = end
    with suppress(MediaError):
        seen = examine(whole)
        assert 0 <= seen.start < seen.end <= len(whole)
        assert 0 < seen.width <= 65_535
        assert 0 < seen.height <= 65_535
        assert whole[seen.start : seen.start + 2] == b"\xff\xd8"
        assert not seen.complete or whole[: seen.end].endswith(b"\xff\xd9")
        assert 0 <= seen.nulls_before_end < seen.end
        assert examine(memoryview(whole)) == seen
    if _end(pieces[:1]) != -1 or len(pieces) > 1:
        _grows(pieces)


def _end(pieces: list[bytes]) -> int:
    with suppress(MediaError):
        return find_end(b"".join(pieces), 0)
    return -1


def _grows(pieces: list[bytes]) -> None:
    """Found in a growing buffer as in the whole, and never changed by what comes behind."""
    data = bytearray()
    known = 0
    for piece in pieces:
        data += piece
        try:
            end = find_end(data, 0, known)
        except MediaError:
            return
        known = len(data)
        if end >= 0:
            assert data[:end].endswith(b"\xff\xd9")
            assert find_end(bytes(data), 0) == end
            return


def seeds() -> Iterable[bytes]:
    for picture in samples.jpegs():
        yield chunked(picture, 10, 300, 640, 700)
    small = samples.jpeg(16, 16, quality=5)
    yield chunked(b"junk" + small[:-2] + b"\0\0" + small[-2:] + b"junk")
    yield long(b"\xff\xd8", b"\xff\xfe\0\2")
    yield long(b"\xff\xd8", b"\xff")
    yield long(small[:-2], b"\0", small[-2:])
    yield long(b"", b"\xff\xd8")
