"""HTTP answers: the same head and body whatever pieces they come in."""

from __future__ import annotations

from collections.abc import Iterable

from camkeep.cameras.http.message import AnswerReader, Body, Head
from camkeep.errors import MediaError
from fuzz.reading import chunked, chunks, long


def one_input(data: bytes) -> None:
    pieces = chunks(data)
    read = _read(pieces)
    if len(pieces) > 1:
        assert _read([b"".join(pieces)]) == read


def _read(pieces: list[bytes]) -> tuple[list[Head], bytes, bool, bool]:
    """The heads and the body; whether it is complete, and whether it was refused."""
    heads: list[Head] = []
    body = bytearray()

    def on_head(head: Head) -> Body:
        assert 100 <= head.status <= 999 or head.status < 100
        assert head.content_length is None or head.content_length >= 0
        assert all(name == name.lower() for name, _ in head.headers)
        heads.append(head)
        return take

    def take(piece: memoryview) -> None:
        assert not reader.done
        body.extend(piece)

    reader = AnswerReader(on_head)
    try:
        for piece in pieces:
            reader.feed(memoryview(piece))
    except MediaError:
        return heads, bytes(body), reader.done, True
    assert len(body) <= sum(map(len, pieces))
    assert len(heads) <= 1
    return heads, bytes(body), reader.done, False


def seeds() -> Iterable[bytes]:
    head = b"HTTP/1.1 200 OK\r\nServer: Netwave\r\n"
    yield chunked(head + b"Content-Type: image/jpeg\r\nContent-Length: 5\r\n\r\nabcdefg", 30, 80)
    yield chunked(head + b"Transfer-Encoding: chunked\r\n\r\n3;x=1\r\nabc\r\n0\r\nA: b\r\n\r\n", 60)
    yield chunked(head + b"Content-Type: multipart/x-mixed-replace; boundary=b\r\n\r\n--b\r\n")
    yield chunked(b"HTTP/1.1 100 Continue\r\n\r\n" + head.replace(b"200", b"204") + b" a\r\n\r\n")
    yield long(b"", b"\r\n")
    yield long(b"", b"HTTP/1.1 100\n\n")
    yield long(b"HTTP/1.1 200\n", b" a\n")
    yield long(b"HTTP/1 200\nTransfer-Encoding: chunked\n\n", b"1\na\n")
    yield long(b"HTTP/1 200\nTransfer-Encoding: chunked\n\n0\n", b"a\n")
