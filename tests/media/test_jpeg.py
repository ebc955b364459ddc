"""JPEG: size, start and end, in good pictures and in what cameras make of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from camkeep.errors import MediaError
from camkeep.media.jpeg import examine, find_end, jpeg_params
from camkeep.model import Codec
from support.pictures import jpeg, scene

PLAIN = jpeg()


def with_thumbnail() -> bytes:
    """A picture with a whole JPEG, end marker and all, inside its EXIF segment."""
    exif = Image.Exif()
    ifd = exif.get_ifd(0x8769)
    ifd[0x927C] = jpeg(64, 48)  # MakerNote
    return jpeg(exif=exif)


THUMBNAIL = with_thumbnail()
PROGRESSIVE = jpeg(progressive=True)


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_a_good_picture(kind: type) -> None:
    found = examine(kind(PLAIN))
    assert (found.width, found.height, found.components) == (320, 240, 3)
    assert (found.start, found.end, found.complete) == (0, len(PLAIN), True)
    assert (found.nulls_before_end, found.progressive) == (0, False)


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_junk_around(kind: type) -> None:
    found = examine(kind(b"\r\njunk\xff\xd8junk" + PLAIN + b"\0\0\r\n--boundary"))
    assert (found.start, found.end) == (12, 12 + len(PLAIN))
    assert found.complete


def test_a_doubled_start_is_junk() -> None:
    good = jpeg()
    seen = examine(b"\xff\xd8" * 3 + good)
    assert (seen.start, seen.end, seen.complete) == (6, 6 + len(good), True)


def test_other_kinds() -> None:
    assert examine(PROGRESSIVE).progressive
    assert examine(jpeg(mode="L")).components == 1
    assert examine(jpeg(mode="CMYK")).components == 4
    assert (examine(jpeg(17, 5)).width, examine(jpeg(17, 5)).height) == (17, 5)


@pytest.mark.parametrize("nulls", [1, 2, 50])
def test_nulls_before_the_end(nulls: int) -> None:
    found = examine(PLAIN[:-2] + bytes(nulls) + PLAIN[-2:])
    own = len(PLAIN[:-2]) - len(PLAIN[:-2].rstrip(b"\0"))
    assert found.nulls_before_end == nulls + own
    assert found.complete


def test_a_stuffed_null_belongs_to_the_data() -> None:
    assert examine(PLAIN[:-2] + b"\xff\0\xff\xd9").nulls_before_end == 0
    assert examine(PLAIN[:-2] + b"\xff\0\0\0\xff\xd9").nulls_before_end == 2


def test_a_thumbnail_confuses_nobody() -> None:
    assert THUMBNAIL.count(b"\xff\xd9") == 2
    found = examine(b"junk" + THUMBNAIL + b"junk")
    assert (found.width, found.start, found.end) == (320, 4, 4 + len(THUMBNAIL))
    assert find_end(THUMBNAIL, 0) == len(THUMBNAIL)
    cut = THUMBNAIL[: len(THUMBNAIL) // 2]
    assert b"\xff\xd9" in cut
    found = examine(cut)
    assert (found.complete, found.end) == (False, len(cut))
    assert find_end(cut, 0) == -1


def test_fill_bytes_and_junk_between_segments() -> None:
    odd = PLAIN[:2] + b"\xff\xff\xff" + PLAIN[2:20] + b"\0\0" + PLAIN[20:]
    assert PLAIN[20:21] == b"\xff"
    assert examine(odd).width == 320
    assert find_end(odd, 0) == len(odd)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "no JPEG"),
        (b"GIF89a", "no JPEG"),
        (b"\xff\xd8\xff\xd9", "does not say its size"),
        (PLAIN[:100], "does not say its size"),
        (b"\xff\xd8\xff\xe0\0\1", "impossible length"),
        (b"\xff\xd8\xff\xc0\0\5abc", "cut short"),
        (b"\xff\xd8\xff\xc0\0\x0b\x08\0\0\0\x10\1\1\x11\0", "does not say its size"),
        (b"\xff\xd8\xff\xe0\0\2" + bytes(10_000), "something else"),
        (b"\xff\xd8" + b"\xff\xe0\0\2" * 2000, "too many segments"),
    ],
)
def test_what_is_no_picture(data: bytes, words: str) -> None:
    with pytest.raises(MediaError, match=words):
        examine(data)


@pytest.mark.parametrize("picture", [PLAIN, THUMBNAIL, PROGRESSIVE], ids=["1", "2", "3"])
@given(data=st.data())
def test_the_end_is_found_however_the_data_come(picture: bytes, data: st.DataObject) -> None:
    junk = data.draw(st.binary(max_size=20))
    whole = junk + picture + b"more"
    cuts = sorted(data.draw(st.lists(st.integers(len(junk), len(whole)), max_size=8)))
    end, seen = -1, 0
    for cut in [*cuts, len(whole)]:
        end = find_end(memoryview(whole)[:cut], len(junk), seen)
        seen = cut
        assert (end == -1) == (cut < len(junk) + len(picture))
        if end != -1:
            break
    assert end == len(junk) + len(picture)


def test_of_two_pictures_the_first_end_is_found() -> None:
    assert find_end(PLAIN + THUMBNAIL, 0) == len(PLAIN)
    assert find_end(PLAIN + THUMBNAIL, len(PLAIN)) == len(PLAIN) + len(THUMBNAIL)
    assert find_end(b"\xff\xd8\xff\xd9", 0) == 4


def test_no_end_where_no_picture_begins() -> None:
    with pytest.raises(MediaError, match="begins here"):
        find_end(b"junk", 0)
    assert find_end(b"\xff", 0) == -1
    assert find_end(b"", 0) == -1


@given(
    st.lists(st.tuples(st.integers(0, 700), st.integers(0, 255)), max_size=8),
    st.integers(0, len(PLAIN)),
)
def test_damaged_pictures_raise_nothing_else(at: list[tuple[int, int]], cut: int) -> None:
    damaged = bytearray(PLAIN)
    for position, value in at:
        damaged[position] = value
    view = memoryview(damaged)[: cut or len(damaged)]
    try:
        found = examine(view)
    except MediaError:
        return
    assert 0 <= found.start < found.end <= len(view)
    assert 0 < found.width < 65_536


@given(st.binary(max_size=60), st.integers(0, 60))
def test_any_bytes_raise_nothing_else(tail: bytes, resume: int) -> None:
    for data in (tail, b"\xff\xd8" + tail, b"\xff\xd8\xff\xda\0\2" + tail):
        for call in (lambda d: examine(d), lambda d: find_end(d, 0, resume)):
            try:
                call(data)
            except MediaError:
                pass


def test_params() -> None:
    params = jpeg_params(*scene().size)
    assert (params.codec, params.width, params.height) == (Codec.JPEG, 320, 240)
    assert (params.codec_string, params.timescale, params.reorder) == ("mp4v.6C", 1_000_000, 0)
