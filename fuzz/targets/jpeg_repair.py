"""Mended pictures: readable, complete where they can be, and not to be mended again."""

from __future__ import annotations

from collections.abc import Iterable

from camkeep.errors import MediaError
from camkeep.media.jpeg import examine
from camkeep.media.jpeg_repair import repair
from fuzz import samples
from fuzz.reading import chunks, long


def one_input(data: bytes) -> None:
    whole = b"".join(chunks(data))
    try:
        before = examine(whole)
        mended = repair(whole)
    except MediaError:
        return
    after = examine(mended)
    assert (after.width, after.height) == (before.width, before.height)
    assert after.start == 0
    assert after.complete or not before.complete
    assert after.end == len(mended)
    assert len(mended) <= before.end - before.start + 2
    assert repair(mended) == mended


def seeds() -> Iterable[bytes]:
    for picture in samples.jpegs():
        yield b"\0" + picture
        yield b"\0" + picture[:-2] + b"\0\0\0\0" + picture[-2:] + b"behind"
        yield b"\0junk" + picture[:-2]
        yield b"\0" + picture[:-20]
    small = samples.jpeg(16, 16, quality=5)
    yield long(small[:2], small[2:-9], small[-9:])
    yield long(b"\xff\xd8", b"\xff\xc4\0\x13" + bytes(17), b"")
