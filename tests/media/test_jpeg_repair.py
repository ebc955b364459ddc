"""Repair: the picture before it was damaged comes back, byte for byte and pixel for pixel."""

from __future__ import annotations

import io
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from camkeep.errors import MediaError
from camkeep.media.jpeg_repair import repair
from support.pictures import jpeg, pixels

KINDS = {
    "4:2:0": jpeg(),
    "4:2:2": jpeg(subsampling=1),
    "4:4:4": jpeg(subsampling=0, quality=95),
    "grey": jpeg(mode="L"),
    "odd size": jpeg(133, 77),
    "tiny": jpeg(1, 1),
    "own tables": jpeg(optimize=True, quality=30),
    "restarts by row": jpeg(restart_marker_rows=1),
    "restarts by block": jpeg(restart_marker_blocks=7),
    "four components": jpeg(mode="CMYK"),
}
EXTRA = [b"\0", bytes(9), b"\x12\x34", b"\xff\0", b"\0\xff\0\0"]


@pytest.mark.parametrize("good", KINDS.values(), ids=KINDS.keys())
def test_a_good_picture_comes_back_byte_for_byte(good: bytes) -> None:
    assert repair(good) == good


def test_fill_bytes_before_the_end_are_legal() -> None:
    good = KINDS["4:2:0"]
    assert repair(good[:-2] + b"\xff\xff\xff\xd9") == good[:-2] + b"\xff\xff\xff\xd9"


@pytest.mark.parametrize("extra", EXTRA)
@pytest.mark.parametrize("good", KINDS.values(), ids=KINDS.keys())
def test_extra_bytes_before_the_end_go(good: bytes, extra: bytes) -> None:
    bad = b"junk" + good[:-2] + extra + b"\xff\xd9junk"
    mended = repair(bad)
    assert mended == good
    assert pixels(mended) == pixels(bad[4:-4])


def flat(blocks: int, quality: int) -> bytes:
    """A black strip whose blocks take two bits each, both 0."""
    out = io.BytesIO()
    Image.new("L", (8 * blocks, 8)).save(out, "JPEG", optimize=True, quality=quality)
    return out.getvalue()


def test_a_null_that_is_picture_data_stays() -> None:
    strips = [flat(blocks, quality) for blocks in range(1, 9) for quality in (1, 20, 50, 90)]
    needed = [picture for picture in strips if picture[-3] == 0]
    assert needed
    for picture in needed:
        assert repair(picture) == picture
        assert repair(picture[:-2] + b"\0\0\xff\xd9") == picture
        assert repair(picture[:-3] + b"\xff\xd9") == picture[:-3] + b"\xff\xd9"


def test_extra_bytes_before_a_restart_marker_go() -> None:
    good = KINDS["restarts by row"]
    at = good.index(b"\xff\xd3")
    mended = repair(good[:at] + b"\0" + good[at:])
    assert mended == good


@pytest.mark.parametrize("junk", [b"", b"\r\n--boundary", b"\0\0\0", b"\xff", b"\xff\x41\0\0"])
@pytest.mark.parametrize("good", KINDS.values(), ids=KINDS.keys())
def test_a_missing_end_is_added_behind_complete_data(good: bytes, junk: bytes) -> None:
    assert repair(good[:-2] + junk) == good


def test_a_picture_cut_short_is_left_so() -> None:
    for good in KINDS.values():
        for cut in (len(good) - 12, len(good) - 40, len(good) // 2 + 300):
            short = good[: min(cut, len(good) - 12)]
            if len(short) > 620:  # behind the headers
                assert repair(b"junk" + short) == short


def test_progressive_pictures_are_only_trimmed() -> None:
    good = jpeg(progressive=True)
    assert repair(b"junk" + good + b"\0\0junk") == good
    assert repair(good[:-2]) == good[:-2]


def test_scans_of_one_component_each() -> None:
    """Two grey pictures make one of two scans, which Pillow does not write."""
    good = two_scans()
    assert repair(good) == good
    assert repair(good[:-2] + b"\0\0\xff\xd9junk") == good
    assert repair(good[:-2]) == good
    second = good.rindex(b"\xff\xda")
    assert repair(good[:second] + b"\0" + good[second:]) == good
    assert repair(good[:second]) == good[:second]


def two_scans() -> bytes:
    grey = jpeg(40, 24, mode="L")
    frame, scan = grey.index(b"\xff\xc0"), grey.index(b"\xff\xda")
    head, coded = grey[scan : scan + 10], grey[scan + 10 : -2]
    parts = [grey[:frame], b"\xff\xc0\0\x11", grey[frame + 4 : frame + 9], b"\x03"]
    parts += [b"\1\x11\0\2\x11\0\3\x11\0", grey[frame + 13 : scan]]
    for component in (1, 2, 3):
        parts += [head[:5], bytes([component]), head[6:], coded]
    return b"".join([*parts, b"\xff\xd9"])


def test_a_long_run_of_fill_bytes_costs_no_more_than_its_length() -> None:
    """Work that grows with the square of the length would take hours."""
    bad = SMALL[:-2] + b"\xff" * 1_000_000 + b"\0\xff\xd9"
    assert repair(bad)[:-2] == SMALL[:-2]


def test_tables_that_nobody_uses_take_no_memory() -> None:
    tables = b"".join(bytes([number, 1]) + bytes(16) for number in range(256))
    bad = SMALL[:2] + b"\xff\xc4" + (2 + len(tables)).to_bytes(2) + tables + SMALL[2:]
    tracemalloc.start()
    try:
        assert repair(bad) == bad
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()


def test_what_is_no_picture() -> None:
    with pytest.raises(MediaError, match="no JPEG"):
        repair(b"junk")


SMALL = jpeg(40, 24)


@given(
    st.lists(
        st.tuples(st.integers(0, len(SMALL) - 1), st.integers(0, 255)), min_size=1, max_size=5
    ),
    st.integers(0, len(SMALL)),
)
def test_damaged_pictures_raise_nothing_else(at: list[tuple[int, int]], cut: int) -> None:
    damaged = bytearray(SMALL)
    for position, value in at:
        damaged[position] = value
    data = bytes(damaged[: cut or len(damaged)])
    try:
        mended = repair(data)
    except MediaError:
        return
    assert repair(mended) == mended
    assert len(mended) <= len(data) + 2


CODES = st.sampled_from([0xC0, 0xC1, 0xC2, 0xC4, 0xDA, 0xDB, 0xDD, 0xD9, 0xFE])
SMALL_BYTES = st.lists(st.sampled_from([0, 0, 1, 2, 3, 0x11, 0x22, 0xFF]), max_size=24).map(bytes)


@given(st.lists(st.tuples(CODES, SMALL_BYTES, SMALL_BYTES), max_size=8), st.booleans())
def test_odd_segments_raise_nothing_else(parts: list[tuple[int, bytes, bytes]], real: bool) -> None:
    """Frames without components or size, tables without symbols, scans of nothing."""
    data = SMALL[: SMALL.index(b"\xff\xda")] if real else b"\xff\xd8"
    for code, body, behind in parts:
        data += bytes([0xFF, code]) + (len(body) + 2).to_bytes(2) + body + behind
    try:
        mended = repair(data)
    except MediaError:
        return
    assert len(mended) <= len(data) + 2
