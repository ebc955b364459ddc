"""HTTP answers in pieces of any size, and anything at all in their place."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from camkeep.cameras.http import AnswerReader, Body, Head
from camkeep.errors import MediaError

tokens = st.one_of(
    st.sampled_from([b"HTTP/1.1 200 OK\r\n", b"HTTP/1.0 100 x\r\n\r\n", b"\r\n", b"\n", b" "]),
    st.sampled_from([b"Content-Length: 7\r\n", b"Transfer-Encoding: chunked\r\n", b"5\r\nhello"]),
    st.sampled_from([b"0\r\n", b"A: b\r\n", b"\r\n\r\n", b"ffffffff\r\n", b";x"]),
    st.binary(max_size=20),
)
streams = st.builds(
    lambda begin, rest: begin + b"".join(rest),
    st.sampled_from([b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 404 No\n\n"]),
    st.lists(tokens, max_size=12),
)


def read(stream: bytes, step: int) -> tuple[list[Head], bytes, bool, bool]:
    """Heads, body, whether it is done, and whether it was refused."""
    heads: list[Head] = []
    body = bytearray()

    def on_head(head: Head) -> Body:
        heads.append(head)
        return lambda data: body.extend(data)

    reader = AnswerReader(on_head)
    view = memoryview(stream)
    try:
        for begin in range(0, len(stream), step):
            reader.feed(view[begin : begin + step])
    except MediaError:
        return heads, bytes(body), reader.done, True
    return heads, bytes(body), reader.done, False


@given(streams, st.integers(1, 30))
def test_pieces_make_no_difference(stream: bytes, step: int) -> None:
    whole = read(stream, max(1, len(stream)))
    assert read(stream, step) == whole
    assert len(whole[0]) <= 1
    assert len(whole[1]) <= len(stream)


@given(st.lists(st.binary(min_size=1, max_size=40), max_size=8), st.integers(1, 30))
def test_chunks_come_back_whole(chunks: list[bytes], step: int) -> None:
    body = b"".join(b"%x;n=1\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"
    stream = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n" + body + b"HTTP/1.1 junk"
    heads, got, done, refused = read(stream, step)
    assert heads[0].status == 200
    assert (got, done, refused) == (b"".join(chunks), True, False)


@pytest.mark.parametrize(
    "front", [b"", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na"]
)
@pytest.mark.parametrize("blank", [b"\n", b"\r\n"])
def test_blank_lines_cost_no_more_than_their_length(front: bytes, blank: bytes) -> None:
    """A copy of what is left for each of them would take minutes."""
    heads, *_, refused = read(front + blank * 300_000, 256 * 1024)
    assert (len(heads), refused) == (bool(front), False)


def test_heads() -> None:
    stream = (
        b"HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=x\r\nwww-authenticate: Digest\r\n"
        b"Content-Type: Multipart/X-Mixed-Replace;\r\n boundary=b\r\nno header\r\n\r\n"
    )
    (head,), *_ = read(stream, 5)
    assert head.status == 401
    assert head.all("www-authenticate") == ["Basic realm=x", "Digest"]
    assert head.media_type == "multipart/x-mixed-replace"
    assert head.get("content-type").endswith("; boundary=b")
    assert head.content_length is None
