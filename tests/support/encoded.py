"""Real streams made by ffmpeg, and what ffmpeg itself makes of them."""

from __future__ import annotations

import io
import subprocess
import tempfile
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import av

from camkeep.media.nal import split_annexb


class Muxed(NamedTuple):
    """A stream as ffmpeg's MP4 muxer writes it, read back by libav."""

    config: bytes
    width: int
    height: int
    reorder: int
    pixel_aspect: Fraction


def ffmpeg(*arguments: str, stdin: bytes = b"") -> bytes:
    """Run ffmpeg, and give what it writes to `pipe:1`. What it says is an AssertionError."""
    command = ["ffmpeg", "-v", "error", "-nostdin", *arguments]
    if stdin:
        command.remove("-nostdin")
    done = subprocess.run(command, input=stdin, capture_output=True, check=False)
    said = done.stderr.decode()
    assert (done.returncode, said) == (0, ""), said
    return done.stdout


@lru_cache(maxsize=64)
def annexb(form: str, size: str, frames: int, *arguments: str) -> bytes:
    """An encoded byte stream of `form` ("h264" or "hevc"): a moving test picture."""
    source = f"testsrc2=s={size}:r=25"
    picture = ("-f", "lavfi", "-i", source, "-frames:v", str(frames))
    return ffmpeg(*picture, *arguments, "-f", form, "pipe:1")


def access_units(form: str, stream: bytes) -> list[list[bytes]]:
    """The NAL units of each picture, cut by libav's parser."""
    with av.open(io.BytesIO(stream), format=form) as container:
        return [split_annexb(bytes(packet)) for packet in container.demux() if packet.size]


def byte_streams(form: str, stream: bytes) -> list[bytes]:
    """`access_units`, each as a byte stream again."""
    return [b"\0\0\0\1" + b"\0\0\0\1".join(nals) for nals in access_units(form, stream)]


def muxed(form: str, stream: bytes) -> Muxed:
    """What ffmpeg's own MP4 muxer says of the stream."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "muxed.mp4"
        tag = "avc1" if form == "h264" else "hvc1"
        raw = ("-fflags", "+genpts", "-r", "25", "-f", form, "-i", "pipe:0", "-c", "copy")
        quiet = ("-bsf:v", "setts=ts=N")  # raw B-frames have no times; none are wanted here
        ffmpeg(*raw, *quiet, "-tag:v", tag, str(path), stdin=stream)
        entry = ("-select_streams", "v", "-show_entries", "stream=has_b_frames", "-of", "csv=p=0")
        reorder = subprocess.check_output(["ffprobe", "-v", "error", *entry, str(path)])
        with av.open(str(path)) as container:
            video = container.streams.video[0]
            coder = video.codec_context
            return Muxed(
                bytes(coder.extradata or b""),
                coder.width,
                coder.height,
                int(reorder),
                Fraction(video.sample_aspect_ratio or 1),
            )


def decode(form: str, config: bytes | None, samples: list[bytes]) -> list[bytes]:
    """Every decoded picture, in output order; a sample that libav refuses is its error."""
    coder: Any = av.CodecContext.create(form, "r")
    if config is not None:
        coder.extradata = config
    coder.options = {"err_detect": "explode"}
    frames = [frame for data in samples for frame in coder.decode(av.Packet(data))]
    frames += coder.decode(None)
    return [b"".join(bytes(plane) for plane in frame.planes) for frame in frames]
