"""Range headers: read as RFC 9110 says, whatever they hold."""

from __future__ import annotations

import email
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from camkeep.server.problems import Problem
from camkeep.server.web.ranges import MOST_RANGES, ByteRanges, Piece, asked_pieces

SIZE = 10_000


def asked(text: str, size: int = SIZE) -> list[tuple[int, int]] | None:
    pieces = asked_pieces({"range": text}, size)
    return None if pieces is None else [(piece.start, piece.end) for piece in pieces]


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("bytes=0-499", [(0, 500)]),
        ("bytes=500-999", [(500, 1000)]),
        ("bytes=-500", [(9500, 10_000)]),
        ("bytes=9500-", [(9500, 10_000)]),
        ("bytes=0-0,-1", [(0, 1), (9999, 10_000)]),
        ("bytes= 0-0 , 5-5", [(0, 1), (5, 6)]),
        ("bytes=,0-0,,", [(0, 1)]),
        ("bytes=5-5,0-0", [(5, 6), (0, 1)]),
        ("bytes=0-99,50-149", [(0, 150)]),
        ("bytes=0-,0-,0-", [(0, 10_000)]),
        ("bytes=0-99999999999999999999", [(0, 10_000)]),
        ("bytes=-99999999999999999999", [(0, 10_000)]),
        ("BYTES=1-2", [(1, 3)]),
        ("bytes=20000-,0-0", [(0, 1)]),
    ],
)
def test_what_is_asked_for_in_bytes(text: str, pieces: list[tuple[int, int]]) -> None:
    assert asked(text) == pieces


@pytest.mark.parametrize(
    "text",
    ["", "bytes", "bytes=", "bytes=,", "bytes=x", "bytes=5-1", "bytes=--1", "bytes=1-2-3",
     "lines=1-2", "bytes=1-2;3-4", "bytes=-", f"bytes={'9' * 5000}-",
     "bytes=٣-٤", "bytes=0x1-2", "bytes=1 -2"],
)  # fmt: skip
def test_a_header_that_does_not_read_is_ignored(text: str) -> None:
    assert asked(text) is None


@pytest.mark.parametrize("text", ["bytes=10000-", "bytes=-0", "bytes=10000-20000,-0"])
def test_what_is_not_there_is_refused(text: str) -> None:
    with pytest.raises(Problem) as refused:
        asked(text)
    assert refused.value.status == 416
    assert refused.value.headers["content-range"] == "bytes */10000"


def test_nothing_has_no_parts() -> None:
    with pytest.raises(Problem):
        asked("bytes=0-", 0)


def test_ten_thousand_ranges_are_refused_at_once() -> None:
    text = "bytes=" + ",".join(f"{n}-{n}" for n in range(0, 20_000, 2))
    began = time.process_time()
    for _ in range(100):
        with pytest.raises(Problem, match=f"at most {MOST_RANGES}"):
            asked(text)
    assert time.process_time() - began < 1


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ('"v1"', True),
        ('"v2"', False),
        ('W/"v1"', False),
        ("Sat, 21 Nov 2026 14:03:07 GMT", True),
        ("Sat, 21 Nov 2026 14:03:08 GMT", False),
        ("rubbish", False),
    ],
)
def test_a_part_is_given_only_of_the_same_thing(condition: str, holds: bool) -> None:
    headers = {"range": "bytes=0-0", "if-range": condition}
    pieces = asked_pieces(headers, 5, etag='"v1"', modified="Sat, 21 Nov 2026 14:03:07 GMT")
    assert pieces == ((Piece(0, 1),) if holds else None)


@given(st.text(alphabet="0123456789-, \t=bytesx", max_size=60), st.integers(0, 300))
def test_whatever_the_header_pieces_lie_within_and_apart(text: str, size: int) -> None:
    try:
        pieces = asked_pieces({"range": f"bytes={text}"}, size) or ()
    except Problem:
        pieces = ()
    covered = [byte for piece in pieces for byte in range(piece.start, piece.end)]
    assert all(piece.length > 0 for piece in pieces)
    assert len(covered) == len(set(covered))
    assert set(covered) <= set(range(size))


@given(
    st.lists(st.tuples(st.integers(0, 120), st.integers(0, 120)), min_size=1, max_size=20),
    st.integers(1, 100),
)
def test_pieces_hold_what_a_plain_reading_gives(wanted: list[tuple[int, int]], size: int) -> None:
    spans = [(start, start + more) for start, more in wanted]
    text = "bytes=" + ",".join(f"{start}-{last}" for start, last in spans)
    plain = {byte for start, last in spans for byte in range(start, last + 1) if byte < size}
    try:
        pieces = asked_pieces({"range": text}, size) or ()
    except Problem:
        pieces = ()
    assert {byte for piece in pieces for byte in range(piece.start, piece.end)} == plain


def test_several_pieces_are_written_as_mail_reads_them() -> None:
    content = bytes(range(256)) * 10
    pieces = asked_pieces({"range": "bytes=0-9,100-149,-7"}, len(content))
    assert pieces is not None
    body = ByteRanges(pieces, len(content), "video/mp4", "q8Zr2")
    parts = [body.head(piece) + content[piece.start : piece.end] for piece in pieces]
    whole = b"".join([*parts, body.tail])
    assert len(whole) == body.length
    read = email.message_from_bytes(
        b"Content-Type: " + body.content_type.encode() + b"\r\n" + whole
    )
    found = [part for part in read.walk() if not part.is_multipart()]
    assert [part["content-range"] for part in found] == [
        "bytes 0-9/2560",
        "bytes 100-149/2560",
        "bytes 2553-2559/2560",
    ]
