"""RFC 2435's headers, against Pillow's own tables and packets that ffmpeg sends."""

from __future__ import annotations

import io
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from camkeep.errors import MediaError
from camkeep.media.jpeg import examine, segments
from camkeep.media.jpeg_rtp import headers
from support.encoded import ffmpeg
from support.pictures import jpeg, pixels


def scan_of(picture: bytes) -> bytes:
    *_, (_, _, end) = segments(picture, 2)
    return picture[end:]


@pytest.mark.parametrize("q", [1, 5, 25, 49, 50, 51, 75, 90, 99])
@pytest.mark.parametrize(("type_", "subsampling"), [(0, 1), (1, 2)])
def test_rebuilt_pictures_are_pixel_equal(type_: int, subsampling: int, q: int) -> None:
    """libjpeg scales the same tables by the same rule, and has the same Huffman tables."""
    original = jpeg(quality=q, subsampling=subsampling)
    rebuilt = headers(type_, q, 320, 240, 0, b"") + scan_of(original)
    assert pixels(rebuilt) == pixels(original)


@pytest.mark.parametrize(("type_", "subsampling"), [(64, 1), (65, 2)])
def test_restart_intervals(type_: int, subsampling: int) -> None:
    original = jpeg(quality=60, subsampling=subsampling, restart_marker_blocks=5)
    rebuilt = headers(type_, 60, 320, 240, 5, b"") + scan_of(original)
    assert pixels(rebuilt) == pixels(original)


@pytest.mark.parametrize("q", [128, 200, 255])
def test_tables_in_band(q: int) -> None:
    original = jpeg(quality=33)
    with Image.open(io.BytesIO(original)) as picture:
        tables = [bytes(table) for table in picture.quantization.values()]
    body = next(begin for code, begin, _ in segments(original, 2) if code == 0xDB)
    luma = original[body + 1 : body + 65]
    assert sorted(luma) == sorted(tables[0])
    chroma = original[original.index(b"\xff\xdb\0\x43\1") + 5 :][:64]
    rebuilt = headers(1, q, 320, 240, 0, luma + chroma) + scan_of(original)
    assert pixels(rebuilt) == pixels(original)
    assert headers(1, q, 320, 240, 0, luma) == headers(1, q, 320, 240, 0, luma + luma)


def test_what_ffmpeg_sends() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.setblocking(False)
        port = receiver.getsockname()[1]
        picture = ("-f", "lavfi", "-i", "testsrc2=s=160x120:r=25", "-frames:v", "1")
        coder = ("-c:v", "mjpeg", "-huffman", "default", "-pix_fmt", "yuvj420p", "-bitexact")
        original = ffmpeg(*picture, *coder, "-f", "mjpeg", "pipe:1")
        target = f"rtp://127.0.0.1:{port}?rtcpport={port}"
        ffmpeg(*picture, *coder, "-f", "rtp", target)
        packets = []
        while True:
            try:
                packets.append(receiver.recv(65_536))
            except BlockingIOError:
                break
    payloads = [packet[12:] for packet in packets if packet[1] & 0x7F == 26]
    assert payloads
    rebuilt = b""
    for payload in payloads:
        type_, q, width, height = payload[4:8]
        begin = 8
        if payload[1:4] == b"\0\0\0":
            begin = 12 + int.from_bytes(payload[10:12])
            rebuilt = headers(type_, q, 8 * width, 8 * height, 0, payload[12:begin])
        rebuilt += payload[begin:]
    rebuilt += b"" if rebuilt.endswith(b"\xff\xd9") else b"\xff\xd9"
    assert pixels(rebuilt) == pixels(original)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((2, 50, 320, 240, 0, b""), "type 2 is not defined"),
        ((128, 50, 320, 240, 0, b""), "type 128 is not defined"),
        ((1, 0, 320, 240, 0, b""), "Q 0 is not defined"),
        ((1, 100, 320, 240, 0, b""), "Q 100 is not defined"),
        ((1, 255, 320, 240, 0, b""), "tables of 0 bytes"),
        ((1, 50, 0, 240, 0, b""), "0x240 pixels"),
    ],
)
def test_what_is_not_defined(arguments: tuple[int, int, int, int, int, bytes], words: str) -> None:
    with pytest.raises(MediaError, match=words):
        headers(*arguments)


BYTE = st.integers(0, 255)


@given(BYTE, BYTE, BYTE, BYTE, st.integers(0, 65_535), st.binary(max_size=130))
def test_any_fields_raise_nothing_else(
    type_: int, q: int, width: int, height: int, dri: int, qtables: bytes
) -> None:
    try:
        made = headers(type_, q, 8 * width, 8 * height, dri, qtables)
    except MediaError:
        return
    found = examine(made)
    assert (found.width, found.height, found.complete) == (8 * width, 8 * height, False)
