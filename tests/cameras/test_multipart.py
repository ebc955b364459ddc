"""Every broken form of MJPEG: which pictures come out, and what was counted."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from camkeep.cameras.multipart import MAX_PICTURE, MultipartParser
from camkeep.cameras.trouble import Trouble
from support.mjpeg import part, picture

A, B, C = picture(1), picture(2), picture(3)
PARTS = [part(A), part(B), part(C)]
T = Trouble


def cut(stream: bytes, boundary: str | None = "ipcamera", step: int = 0, finish: bool = False):
    """Pictures and troubles of `stream`, fed in pieces of `step` bytes."""
    got: list[bytes] = []
    trouble: Counter[Trouble] = Counter()
    parser = MultipartParser(boundary, lambda data, *_: got.append(data), trouble)
    view = memoryview(stream)
    step = step or max(1, len(view))
    for begin in range(0, len(view), step):
        parser.feed(view[begin : begin + step], begin, begin)
    if finish:
        parser.finish()
    return got, dict(trouble)


def headless(data: bytes) -> bytes:
    """A part without its boundary line."""
    return data.partition(b"\r\n")[2]


FORMS = {
    "good": (b"".join(PARTS), {}),
    "no line break before a boundary": (
        b"".join(p[:-2] for p in PARTS) + b"\r\n",
        {},
    ),
    "LF for CRLF": (b"".join(part(p, line=b"\n") for p in (A, B, C)), {}),
    "header in capitals": (b"".join(part(p, name=b"CONTENT-LENGTH") for p in (A, B, C)), {}),
    "header in small letters": (b"".join(part(p, name=b"content-length") for p in (A, B, C)), {}),
    "more dashes": (b"".join(part(p, boundary=b"----ipcamera") for p in (A, B, C)), {}),
    "closing boundaries": (part(A) + part(B) + part(C) + b"--ipcamera--\r\n", {}),
    "no first boundary": (
        headless(part(A)) + part(B) + part(C),
        {T.BOUNDARY_MISSING: 1},
    ),
    "begins with a picture": (A + b"\r\n" + part(B) + part(C), {T.BOUNDARY_MISSING: 1}),
    "headers without boundaries": (
        b"".join(headless(p) for p in PARTS),
        {T.BOUNDARY_MISSING: 3},
    ),
    "doubled boundary": (
        part(A) + b"--ipcamera\r\n" + part(B) + b"--ipcamera\r\n\r\n" + part(C),
        {T.BOUNDARY_DOUBLED: 2},
    ),
    "no length": (b"".join(part(p, None) for p in (A, B, C)), {T.PART_LENGTH_MISSING: 3}),
    "no headers": (
        b"".join(b"--ipcamera\r\n" + p + b"\r\n" for p in (A, B, C)),
        {T.PART_LENGTH_MISSING: 3},
    ),
    "length too small": (part(A) + part(B, 100) + part(C), {T.PART_LENGTH_WRONG: 1}),
    "length too large": (part(A) + part(B, len(B) + 40) + part(C), {T.PART_LENGTH_WRONG: 1}),
    "length 0": (part(A) + part(B, 0) + part(C), {T.PART_LENGTH_WRONG: 1}),
    "length negative": (part(A) + part(B, -1) + part(C), {T.PART_LENGTH_WRONG: 1}),
    "length of 4 GB": (part(A) + part(B, 2**32 - 1) + part(C), {T.PART_LENGTH_WRONG: 1}),
    "length no number": (part(A) + part(B, "many") + part(C), {T.PART_LENGTH_WRONG: 1}),
    "length of 1000 digits": (part(A) + part(B, "9" * 1000) + part(C), {T.PART_LENGTH_WRONG: 1}),
    "several pictures in one part": (part(A + B + C), {T.PART_SEVERAL_PICTURES: 1}),
    "several, without length": (
        part(A + b"\r\n" + B, None) + part(C),
        {T.PART_SEVERAL_PICTURES: 1, T.PART_LENGTH_MISSING: 1},
    ),
    "junk before a picture": (part(A) + part(b"junk" + B) + part(C), {T.JPEG_JUNK_BEFORE: 1}),
    "junk behind a picture": (part(A) + part(B + b"\0junk") + part(C), {T.JPEG_JUNK_AFTER: 1}),
    "junk between parts": (part(A) + b"junk\r\n" + part(B) + part(C), {T.PART_JUNK: 1}),
    "a preamble": (b"This is a stream.\r\n" + b"".join(PARTS), {T.PART_JUNK: 1}),
    "long junk": (part(A) + b"x" * 50_000 + b"\r\n" + part(B) + part(C), {T.PART_JUNK: 1}),
    "empty parts": (part(A) + part(b"") + part(b"") + part(B) + part(C), {T.JPEG_EMPTY: 2}),
    "cut short, length right": (part(A) + part(B[:-40]) + part(C), {T.JPEG_NO_END: 1}),
    "cut short, length of the whole": (
        part(A) + part(B[:-40], len(B)) + part(C),
        {T.JPEG_NO_END: 1},
    ),
    "cut short in its segments": (part(A) + part(B[:60]) + part(C), {T.JPEG_NO_END: 1}),
    "cut short in its first bytes": (part(A) + part(B[:2]) + part(C), {T.JPEG_NO_END: 1}),
    "no JPEG at all": (part(A) + part(b"GIF89a, really") + part(C), {T.JPEG_UNREADABLE: 1}),
    "JPEG without a size": (
        part(A) + part(b"\xff\xd8\xff\xda\x00\x02abc\xff\xd9") + part(C),
        {T.JPEG_UNREADABLE: 1},
    ),
    "endless headers": (
        part(A) + b"--ipcamera\r\n" + b"X: y\r\n" * 1400 + b"\r\n" + B + b"\r\n" + part(C),
        {T.TOO_LARGE: 1, T.PART_LENGTH_MISSING: 1},
    ),
}
WITHOUT_B = ("cut short", "no JPEG", "JPEG without")


@pytest.mark.parametrize("step", [0, 1, 7, 64], ids=lambda s: f"by {s}" if s else "whole")
@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_read_and_counted(form: str, step: int) -> None:
    stream, expected = FORMS[form]
    wanted = [A, C] if form.startswith(WITHOUT_B) else [A, B, C]
    got, trouble = cut(stream + part(A), step=step)
    assert got == [*wanted, A]
    if form.startswith("closing"):
        trouble.pop(T.BOUNDARY_DOUBLED)
    assert trouble == expected


@pytest.mark.parametrize("declared", ["ipcamera", "--ipcamera", '"ipcamera"', '"--ipcamera"', None])
def test_the_boundary_may_be_declared_in_any_spelling(declared: str | None) -> None:
    for step in (0, 1, 50):
        assert cut(b"".join(PARTS), declared, step) == ([A, B, C], {})


def test_a_boundary_other_than_the_declared_one_is_learned() -> None:
    assert cut(b"".join(PARTS), "another") == ([A, B, C], {T.BOUNDARY_MISSING: 1})


def test_bare_pictures() -> None:
    for step in (0, 1, 50):
        assert cut(A + B + C, None, step) == ([A, B, C], {})
        assert cut(A + B[:-9] + C + b"junk" + A, None, step) == (
            [A, C, A],
            {T.JPEG_NO_END: 1, T.PART_JUNK: 1},
        )


@pytest.mark.parametrize(
    ("single", "unit"),
    [
        (b"", b"x\n--ipcamera\r\n\r\n"),
        (b"", b"--ipcamera "),
        (b"", b"\xff\xd8"),
        (b"", b"\xff\xd8\xff"),
        (b"", b"\xff\xd8\xff\xd9"),
        (b"", b"\xff\xd8\xff\xfe\0\2"),
        (b"", b"\xff\xd8\xff\xe0"),
        (b"", b"\xff\xd8\xff\xe1\x40\0"),
        (b"\xff\xd8", b"\xff\xd0"),
        (b"", b"\r\n"),
        (b"", b"-"),
        (A[:-2], b"\xff"),
    ],
)
def test_a_hostile_stream_costs_no_more_than_its_length(single: bytes, unit: bytes) -> None:
    """Work that grows with the square of a chunk's length would take minutes."""
    half = 500_000
    stream = single + unit * (half // len(unit)) + b"\xff" * half + part(B) + part(C)
    got, _ = cut(stream, step=256 * 1024)
    assert got[-1] == C


def test_a_doubled_start_is_cut_off() -> None:
    got, trouble = cut(part(A) + part(b"\xff\xd8" + B) + part(C))
    assert got == [A, B, C]
    assert trouble == {T.JPEG_UNREADABLE: 1}


def test_nulls_before_the_end_are_counted_and_kept() -> None:
    odd = picture(4, nulls=3)
    assert cut(part(A) + part(odd) + part(B)) == ([A, odd, B], {T.JPEG_NULLS_BEFORE_END: 1})


def test_a_thumbnail_is_no_picture() -> None:
    thumbnail = b"Exif\0\0" + picture(9, 60)
    segment = b"\xff\xe1" + (len(thumbnail) + 2).to_bytes(2, "big") + thumbnail
    odd = A[:2] + segment + A[2:]
    for step in (0, 1, 50):
        assert cut(part(odd) + part(B) + odd, step=step)[0] == [odd, B, odd]


def test_sizes_and_arrivals() -> None:
    seen: list[tuple[int, int, int, int]] = []
    parser = MultipartParser("ipcamera", lambda _, *rest: seen.append(rest), Counter())
    small, large = part(picture(1, width=320, height=240)), part(picture(2))
    head = small.index(b"\xff\xd8")
    parser.feed(memoryview(small[:head]), 1, 11)
    parser.feed(memoryview(small[head : head + 1]), 2, 12)
    parser.feed(memoryview(small[head + 1 : 300]), 3, 13)
    parser.feed(memoryview(small[300:] + large[:-200]), 4, 14)
    parser.feed(memoryview(large[-200:]), 5, 15)
    assert seen == [(320, 240, 2, 12), (64, 48, 4, 14)]


def test_what_the_end_leaves_unfinished() -> None:
    assert cut(part(A) + part(B)[:-50], finish=True) == ([A], {T.JPEG_NO_END: 1})
    assert cut(part(A) + part(B, 9999), finish=True) == ([A, B], {T.PART_LENGTH_WRONG: 1})
    assert cut(part(A) + part(B), finish=True) == ([A, B], {})
    assert cut(part(A) + part(B) + b"--ipca", finish=True) == ([A, B], {})
    assert cut(part(A + b"\0junk"), finish=True) == ([A], {T.JPEG_JUNK_AFTER: 1})


def test_a_picture_without_end_is_given_up_at_16_mb_and_the_next_one_kept() -> None:
    got: list[bytes] = []
    trouble: Counter[Trouble] = Counter()
    parser = MultipartParser("ipcamera", lambda data, *_: got.append(data), trouble)
    parser.feed(memoryview(part(A) + part(B, 10**9)[:-4]), 1, 1)
    block = bytes(range(1, 200)) * 1000
    for _ in range(MAX_PICTURE // len(block) + 2):
        parser.feed(memoryview(block), 1, 1)
    parser.feed(memoryview(b"\r\n" + part(C) + part(A)), 2, 2)
    assert got == [A, C, A]
    assert trouble == {T.PART_LENGTH_WRONG: 1, T.TOO_LARGE: 1}


tokens = st.one_of(
    st.sampled_from([A, B, part(A), part(B, 7), part(A, None), A[:100], b"--ipcamera\r\n"]),
    st.sampled_from([b"\xff", b"\xd8", b"\xd9", b"\xff\xd8\xff", b"\xff\xda\x00\x04", b"\n"]),
    st.sampled_from([b"Content-Length: 9\r\n", b"X:y\r\n\r\n", b"--", b"\r\n"]),
    st.binary(max_size=40),
)


@given(st.lists(tokens, max_size=30).map(b"".join), st.integers(1, 100), st.booleans())
def test_anything_is_survived_whatever_the_chunks(stream: bytes, step: int, bare: bool) -> None:
    boundary = None if bare else "ipcamera"
    whole = cut(stream, boundary, finish=True)
    assert cut(stream, boundary, step, finish=True) == whole
    for data in whole[0]:
        assert data in stream
        assert data.startswith(b"\xff\xd8\xff")
        assert data.endswith(b"\xff\xd9")


@given(st.lists(st.integers(0, 50), min_size=1, max_size=8), st.data())
def test_junk_never_costs_a_good_picture(numbers: list[int], data: st.DataObject) -> None:
    pictures = [picture(n, 50 + n) for n in numbers]
    junk = st.binary(max_size=60).map(lambda b: b.replace(b"\xff", b"f").replace(b"-", b"."))
    stream = b"".join(
        part(p, data.draw(st.sampled_from(["right", None, 3, -5, 10**12])))
        + data.draw(junk)
        + b"\r\n"
        for p in pictures
    )
    assert cut(stream)[0] == pictures
