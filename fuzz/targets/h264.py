"""H.264 parameter sets and access units, whole and in an avcC."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from fractions import Fraction

from camkeep.errors import MediaError
from camkeep.media.h264 import H264Stream, parse_sps
from camkeep.media.nal import split_annexb
from camkeep.model import VideoParams
from fuzz import checks, samples


def one_input(data: bytes) -> None:
    with suppress(MediaError):
        sps = parse_sps(data)
        assert 0 < sps.width <= 65_535
        assert 0 < sps.height <= 65_535
        assert 8 <= sps.bit_depth <= 16
        assert 8 <= sps.bit_depth_chroma <= 16
        assert sps.fps is None or sps.fps > 0
        assert sps.pixel_aspect > Fraction(0)
    pictures = [split_annexb(unit) for unit in data.split(b"\0\0\1\x09")]
    stream = H264Stream(90_000, pictures[0])
    before: VideoParams | None = None
    for nals in pictures:
        assert all(nals)
        with suppress(MediaError):
            unit = stream.assemble(nals)
            if unit is not None:
                checks.access_unit(unit)
                assert before is None or unit.params is before or unit.params != before
                before = unit.params


def seeds() -> Iterable[bytes]:
    for stream in samples.h264():
        yield b"".join(
            b"\0\0\1\x09\xf0" + b"".join(b"\0\0\0\1" + nal for nal in nals) for nals in stream
        )
        yield from (nal for nal in stream[0] if nal[0] & 31 == 7)
