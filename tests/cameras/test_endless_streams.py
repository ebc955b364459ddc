"""Streams that never end and never make sense: what is kept of them stays within bounds."""

from __future__ import annotations

import struct
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import repeat

import pytest

from camkeep.cameras.http.message import MAX_HEAD, AnswerReader, Head
from camkeep.cameras.multipart import MAX_HEADERS, MAX_PICTURE, MultipartParser
from camkeep.cameras.rtsp import messages
from camkeep.cameras.rtsp.depacketize_audio import MAX_SAMPLE, audio_packets
from camkeep.cameras.rtsp.depacketize_jpeg import JpegPackets
from camkeep.cameras.rtsp.depacketize_nal import MAX_FRAME, H264Packets, H265Packets
from camkeep.cameras.rtsp.framing import Deframer
from camkeep.cameras.rtsp.rtp import Datagram, Reorder
from camkeep.cameras.rtsp.sdp import Media
from camkeep.clock import MonoNs, WallUs
from camkeep.errors import MediaError, StreamBroken
from camkeep.media.h264 import H264Stream
from camkeep.media.h265 import H265Stream
from camkeep.media.nal import split_annexb
from support.bitwriter import BitWriter
from support.encoded import annexb
from support.mjpeg import part, picture

KB, MB = 1 << 10, 1 << 20


@contextmanager
def at_most(most: int) -> Iterator[None]:
    """What is allocated within, and not given back, is at no moment more than `most` bytes."""
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] <= most
    finally:
        tracemalloc.stop()


# MJPEG over HTTP

PICTURE = picture(1)
ENDLESS = {
    "junk": (b"", bytes(64 * KB), 2 * MB),
    "nothing but picture data": (PICTURE[:-2], bytes(64 * KB), 3 * MAX_PICTURE),
    "segment data without a scan": (PICTURE[:2], b"\xff\xfe\0\2" * 16 * KB, 3 * MAX_PICTURE),
    "headers without end": (b"--b\r\n", b"A: b\r\n" * 10 * KB, 2 * MB),
    "boundaries": (b"", b"--b\r\n" * 13 * KB, 2 * MB),
    "beginnings": (b"", b"\xff\xd8\xff\xe0" * 16 * KB, 2 * MB),
    "good pictures": (b"", part(PICTURE), 2 * MB),
}


@pytest.mark.parametrize("kind", ENDLESS)
def test_mjpeg(kind: str) -> None:
    front, chunk, most = ENDLESS[kind]
    parser = MultipartParser("b", lambda *_: None, Counter())
    with at_most(most):
        parser.feed(memoryview(front), MonoNs(0), WallUs(0))
        for number in range(40 * MB // len(chunk) if "data" in kind else 20):
            parser.feed(memoryview(chunk), MonoNs(number), WallUs(number))


@pytest.mark.parametrize("front", [b"", b"--b\r\n", PICTURE[:-2], b"\xff\xd8\xff\xfe\xff\xff"])
def test_mjpeg_byte_by_byte(front: bytes) -> None:
    """What is noted of each chunk does not add up."""
    parser = MultipartParser("b", lambda *_: None, Counter())
    parser.feed(memoryview(front), MonoNs(0), WallUs(0))
    zero = memoryview(b"\0")
    with at_most(20 * MAX_HEADERS + 200 * 64 * KB):
        for number in range(70_000):
            parser.feed(zero, MonoNs(number), WallUs(number))


# HTTP answers


@pytest.mark.parametrize(
    "front",
    [
        b"",
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
    ],
)
@pytest.mark.parametrize("more", [b"HTTP/1.1 100 x\r\n\r\n" * 100, b"A: b\r\n" * 100, b"0" * KB])
def test_http(front: bytes, more: bytes) -> None:
    def on_head(head: Head) -> Callable[[memoryview], None]:
        return lambda piece: None

    reader = AnswerReader(on_head)
    with at_most(20 * MAX_HEAD), suppress(MediaError):
        reader.feed(memoryview(front))
        for _ in range(1000):
            reader.feed(memoryview(more))


# RTSP and RTP


@pytest.mark.parametrize(
    "more",
    [
        b"$\7\xff\xff" + bytes(64 * KB - 1),  # a channel that nobody asked for
        b"$\0\xff\xff" + bytes(30 * KB),  # packets that overlap
        b"$\7\0\0" * 16 * KB,
        b"A: b\r\n" * 10 * KB,
        b"RTSP/1.0 200 OK\r\nContent-Length: 200000\r\n" + b"A: b\r\n" * KB + b"\r\n",
        bytes(64 * KB),
    ],
)
@pytest.mark.parametrize("front", [b"", b"RTSP/1.0 200 OK\r\n"])
def test_framing(front: bytes, more: bytes) -> None:
    deframer = Deframer(lambda message: None, lambda: None, lambda: None)
    deframer.receivers[0] = lambda data, start, stop: None
    answer = b"RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n"
    most = messages.MAX_HEAD + messages.MAX_BODY + 64 * KB
    with at_most(20 * most), suppress(StreamBroken):
        deframer.feed(answer + front)
        for _ in range(20):
            deframer.feed(more)


def overflow(push: Callable[[bytes, int, int], None], payloads: Iterable[bytes]) -> None:
    """Push until the frame is refused for its size."""
    with pytest.raises(MediaError, match="16 MB"):  # noqa: PT012 - one of many pushes raises
        for data in payloads:
            push(data, 0, len(data))


def h264_packet(kind: str) -> bytes:
    return {
        "whole": b"\x61" + bytes(100),
        "tiny": b"\x61\x80",
        "aggregated": b"\x78" + b"\0\2\x61\x80" * 300,
        "start codes": b"\6" + b"\0\0\1\x61" * 300,
        "fragments": b"\x7c\1" + bytes(100),
        "tiny fragments": b"\x7c\1\0",
    }[kind]


@pytest.mark.parametrize(
    "kind", ["whole", "tiny", "aggregated", "start codes", "fragments", "tiny fragments"]
)
def test_an_access_unit_without_end(kind: str) -> None:
    packets = H264Packets(H264Stream(90_000))
    with at_most(2 * MAX_FRAME):
        packets.push(b"\x7c\x81\0", 0, 3)
        overflow(packets.push, repeat(h264_packet(kind), 300_000))


def test_an_h265_access_unit_without_end() -> None:
    packets = H265Packets(H265Stream(90_000))
    data = b"\x60\1" + b"\0\3\2\1\x80" * 250
    with at_most(2 * MAX_FRAME):
        overflow(packets.push, repeat(data, 300_000))


def test_a_picture_without_end() -> None:
    packets = JpegPackets(90_000)
    starts = range(0, MAX_FRAME, 2)
    with at_most(2 * MAX_FRAME):
        overflow(packets.push, (struct.pack(">IBBBB", at, 1, 50, 8, 6) + b"ab" for at in starts))


def test_tables_for_every_quality() -> None:
    packets = JpegPackets(90_000)
    with at_most(10 * MB):
        for number in range(1000):
            quality = 128 + number % 128
            data = struct.pack(">IBBBBBBH", 0, 1, quality, 8, 6, 0, 0, 60 * KB) + bytes(61 * KB)
            with pytest.raises(MediaError, match="tables"):
                packets.push(data, 0, len(data))


def test_a_frame_of_sound_without_end() -> None:
    fmtp = {"sizelength": "30", "indexlength": "2", "indexdeltalength": "2", "config": "1190"}
    packets = audio_packets(Media("audio", 97, "MPEG4-GENERIC", 48_000, 2, fmtp=fmtp))
    assert packets is not None
    with at_most(4 * MAX_SAMPLE):
        for number in range(5000):
            size = MAX_SAMPLE - number % 2 * (number // 1000)
            data = struct.pack(">HI", 32, size << 2) + bytes(1000)
            with suppress(MediaError):
                packets.push(data, 0, len(data))


def test_ever_new_parameter_sets() -> None:
    sps, pps = (nal for nal in split_annexb(annexb("h264", "64x64", 1))[:2])
    stream = H264Stream(90_000, [sps, pps])
    units = []
    with at_most(4 * MB):
        for number in range(20_000):
            more = b"\x68" + BitWriter().ue(number % 256, 0).rbsp() + number.to_bytes(4) * 500
            with suppress(MediaError):
                units.append(stream.assemble([more + b"\1", b"\x65\x88\x80"]))
    assert 10 < len(units) < 100
    assert all(unit is not None and len(unit.params.config) < 70_000 for unit in units)


def test_packets_whose_turn_never_comes() -> None:
    reorder = Reorder()
    with at_most(Reorder.WINDOW * 2 * KB + 64 * KB):
        for number in range(50_000):
            header = struct.pack(">HH", 0, number * 2 & 0xFFFF)
            reorder.push(Datagram(header + bytes(KB), MonoNs(number), WallUs(0)))
