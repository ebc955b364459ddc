"""Interleaved packets and messages: nothing is made up, and pieces make no difference."""

from __future__ import annotations

from collections.abc import Iterable

from camkeep.cameras.rtsp.framing import Deframer
from camkeep.cameras.rtsp.messages import Message
from camkeep.errors import StreamBroken, WrongProtocol
from fuzz.reading import chunked, chunks, long

_Seen = list[tuple[int, bytes] | Message]


def one_input(data: bytes) -> None:
    pieces = chunks(data)
    seen, refused, junk = _read(pieces)
    whole = sum(map(len, pieces))
    assert sum(len(item[1]) for item in seen if isinstance(item, tuple)) <= whole
    if len(pieces) > 1 and not junk:
        # in junk, a chunk's end decides where to look for the next packet
        assert _read([b"".join(pieces)])[:2] == (seen, refused)


def _read(pieces: list[bytes]) -> tuple[_Seen, bool, int]:
    seen: _Seen = []
    junk = 0

    def receiver(channel: int) -> None:
        def receive(data: bytes, start: int, stop: int) -> None:
            assert 0 <= start - 4 <= stop <= len(data)
            assert data[start - 4 : start - 2] == bytes((0x24, channel))
            assert int.from_bytes(data[start - 2 : start]) == stop - start
            seen.append((channel, data[start:stop]))

        deframer.receivers[channel] = receive

    def on_junk() -> None:
        nonlocal junk
        junk += 1

    deframer = Deframer(seen.append, lambda: None, on_junk)
    for channel in (0, 1, 0x52):
        receiver(channel)
    try:
        for piece in pieces:
            deframer.feed(memoryview(piece))
    except (StreamBroken, WrongProtocol):
        return seen, True, junk
    return seen, False, junk


def seeds() -> Iterable[bytes]:
    answer = b"RTSP/1.0 200 OK\r\nCSeq: 1\r\nContent-Length: 3\r\n\r\nv=0"
    packet = b"$\0\0\x0e\x80\x60" + bytes(12) + b"$\1\0\4\x80\xc8\0\1"
    yield chunked(answer + packet * 3, 10, 60, 70)
    yield chunked(answer + packet + b"OPTIONS * RTSP/1.0\r\nCSeq: 9\r\n\r\n" + packet, 80, 90)
    yield chunked(answer + b"junk in between" + packet + b"$\7\0\2ab" + answer, 70)
    yield chunked(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    yield chunked(b"\r\n\r\n" + answer)
    for unit in (b"$\7\0\0", b"A$", b"$\0\1", b"RTSP/", b"A" * 40, b"\r\n", packet, answer):
        yield long(answer, unit, packet)
    yield long(b"RTSP/1.0 200 OK\n", b" a\n", b"\n")
