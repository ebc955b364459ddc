"""Good bytes to begin with, made by PyAV, Pillow and camkeep itself. Nothing of it is kept."""

from __future__ import annotations

import io
import struct
from fractions import Fraction
from functools import lru_cache
from typing import Any

import av
import numpy as np
from PIL import Image

from camkeep.clock import WallUs
from camkeep.media.audio import aac_params, g711_params, opus_params
from camkeep.media.h264 import H264Stream
from camkeep.media.h265 import H265Stream
from camkeep.media.jpeg import jpeg_params
from camkeep.media.mp4 import Identity, Muxer, TimedSample
from camkeep.media.mp4.seal import NOTHING_BEFORE
from camkeep.media.nal import NalStream, split_annexb
from camkeep.model import AudioParams, Codec, VideoParams

AAC_CONFIG = bytes.fromhex("1190")
"""LC, 48 kHz, stereo."""
LONGEST = 120
"""Bytes of a NAL unit that are kept: nobody reads further, and small inputs are tried faster."""


@lru_cache
def pixels(width: int = 64, height: int = 48, shift: int = 0) -> np.ndarray[Any, Any]:
    """A small picture with edges."""
    y, x = np.mgrid[0:height, 0:width]
    planes = [(4 * x + 5 * y + shift) % 256, x * y % 256, np.where((x // 8 + y // 8) % 2, 230, 20)]
    return np.stack(planes, axis=2).astype(np.uint8)


@lru_cache
def jpeg(width: int = 64, height: int = 48, mode: str = "RGB", **options: Any) -> bytes:
    """A picture; `options` are those of Pillow's JPEG writer."""
    out = io.BytesIO()
    Image.fromarray(pixels(width, height)).convert(mode).save(out, "JPEG", **options)
    return out.getvalue()


@lru_cache
def jpegs() -> tuple[bytes, ...]:
    """Pictures of different kinds."""
    return (
        jpeg(),
        jpeg(16, 16, quality=30),
        jpeg(mode="L", optimize=True),
        jpeg(progressive=True),
        jpeg(subsampling=0, restart_marker_blocks=3),
        jpeg(subsampling=2, comment=b"a comment"),
    )


@lru_cache
def access_units(codec: str, options: str = "", frames: int = 3) -> tuple[tuple[bytes, ...], ...]:
    """The NAL units of each picture of a tiny stream; `codec` is libx264 or libx265."""
    coder: Any = av.CodecContext.create(codec, "w")
    coder.width, coder.height, coder.pix_fmt = 64, 48, "yuv420p"
    coder.time_base = Fraction(1, 25)
    name = "x264-params" if codec == "libx264" else "x265-params"
    quiet = "" if codec == "libx264" else "log-level=none:"
    coder.options = {"preset": "ultrafast", "tune": "zerolatency", name: quiet + options}
    packets = []
    for number in range(frames):
        frame = av.VideoFrame.from_ndarray(pixels(shift=20 * number), format="rgb24")
        frame.pts = number
        packets += coder.encode(frame.reformat(format="yuv420p"))
    packets += coder.encode(None)
    return tuple(tuple(nal[:LONGEST] for nal in split_annexb(bytes(packet))) for packet in packets)


@lru_cache
def h264() -> tuple[tuple[tuple[bytes, ...], ...], ...]:
    """H.264 streams, each a tuple of access units."""
    return (
        access_units("libx264", "keyint=2"),
        access_units("libx264", "keyint=3:cabac=1:intra-refresh=1:slices=2:aud=1"),
        access_units("libx264", "nal-hrd=vbr:vbv-maxrate=900:vbv-bufsize=900:cqm=jvt:8x8dct=1"),
    )


@lru_cache
def h265() -> tuple[tuple[tuple[bytes, ...], ...], ...]:
    """H.265 streams, each a tuple of access units."""
    return (
        access_units("libx265", "keyint=2:min-keyint=2"),
        access_units("libx265", "hrd=1:vbv-maxrate=900:vbv-bufsize=900:aud=1:scaling-list=default"),
    )


@lru_cache
def movies() -> tuple[bytes, ...]:
    """Our movies, open and closed, and those of libav's muxer."""
    libavs = (_libavs(flags) for flags in ("negative_cts_offsets", "frag_keyframe+empty_moov"))
    return (*_all_of_ours(sealed=False), *libavs)


@lru_cache
def segments() -> tuple[bytes, ...]:
    """Our movies with checks, open, and closed with a seal."""
    return tuple(_all_of_ours(sealed=True))


def _all_of_ours(sealed: bool) -> list[bytes]:
    found = []
    for video, data in (
        (_params(H264Stream(90_000), h264()[0]), h264()[0]),
        (_params(H265Stream(90_000), h265()[0]), h265()[0]),
        (jpeg_params(64, 48), [[picture] for picture in jpegs()[:2]]),
        (None, ()),
    ):
        for audio in (aac_params(AAC_CONFIG), opus_params(1), g711_params(Codec.PCMA, 8000, 1)):
            found += _ours(video, [b"".join(units) for units in data], audio, sealed)
    return found


def _params(stream: NalStream, units: tuple[tuple[bytes, ...], ...]) -> VideoParams:
    made = [stream.assemble(nals) for nals in units]
    assert made[0] is not None
    return made[0].params


def _ours(
    video: VideoParams | None, frames: list[bytes], audio: AudioParams, sealed: bool
) -> list[bytes]:
    identity = Identity("garage", 1, 2, WallUs(1_790_000_000_000_000))
    muxer = Muxer(video, audio, identity, sealed=sealed)
    data = muxer.header()
    for number in range(3):
        at = 40_000 * number
        samples = [TimedSample(audio, bytes(9), at, True)]
        if video is not None and number < len(frames):
            samples.append(TimedSample(video, frames[number], at, number == 0))
        data += b"".join(muxer.fragment(samples))
    data += b"".join(muxer.flush())
    closing = muxer.finish(previous=NOTHING_BEFORE if sealed else None)
    end = closing.patch_offset + len(closing.patch)
    closed = data[: closing.patch_offset] + closing.patch + data[end:] + closing.tail
    return [data, closed]


def _libavs(flags: str) -> bytes:
    out = io.BytesIO()
    with av.open(out, "w", format="mp4", options={"movflags": flags}) as movie:
        video: Any = movie.add_stream("libx264", rate=25)
        video.width, video.height, video.pix_fmt = 16, 16, "yuv420p"
        sound: Any = movie.add_stream("aac", rate=48_000)
        sound.layout = "mono"
        for number in range(3):
            frame = av.VideoFrame.from_ndarray(pixels(16, 16, number), format="rgb24")
            movie.mux(video.encode(frame))
            silence = np.zeros((1, 1024), np.float32)
            tone = av.AudioFrame.from_ndarray(silence, format="fltp", layout="mono")
            tone.rate = 48_000
            movie.mux(sound.encode(tone))
        movie.mux(video.encode(None))
        movie.mux(sound.encode(None))
    return out.getvalue()


def rtp(number: int, stamp: int, payload: bytes, *, marker: bool = False, kind: int = 96) -> bytes:
    """An RTP packet (RFC 3550 §5.1)."""
    second = kind | (0x80 if marker else 0)
    return struct.pack(">BBHII", 0x80, second, number & 0xFFFF, stamp & 0xFFFF_FFFF, 7) + payload


def sender_report(stamp: int, *, goodbye: bool = False) -> bytes:
    """RTCP (RFC 3550 §6.4.1), the camera's clock at 2026."""
    report = struct.pack(">BBHIIIIII", 0x80, 200, 6, 7, 3_998_000_000, 1 << 31, stamp, 3, 900)
    return report + (struct.pack(">BBHI", 0x81, 203, 1, 7) if goodbye else b"")
