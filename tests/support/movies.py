"""Real streams as a camera would hand them over, and what other programs find in a movie."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import av

from camkeep.clock import WallUs
from camkeep.media.audio import aac_params, g711_params, opus_params
from camkeep.media.jpeg import jpeg_params
from camkeep.media.mp4 import Closing, Identity, Muxer, TimedSample
from camkeep.media.mp4.seal import NOTHING_BEFORE, Seal
from camkeep.model import AudioParams, Codec, Params, VideoParams

IDENTITY = Identity("garage", 3, 14, WallUs(1_795_249_847_123_457))

_PICTURE = "-f lavfi -i testsrc2=size=320x240:rate=25:duration=2"
_SOUND = "-f lavfi -i sine=frequency=440:sample_rate=48000:duration=2"
_X264 = "-c:v libx264 -preset veryfast -pix_fmt yuv420p"
_CODECS = {
    "h264": f"{_PICTURE} {_X264} -tune zerolatency -g 12",
    "h264-b": f"{_PICTURE} {_X264} -g 12 -bf 3 -b_strategy 0",
    "h264-large": f"{_PICTURE} -vf scale=640:480 {_X264} -tune zerolatency -g 12",
    "h264-open": f"{_PICTURE} {_X264} -bf 3 -b_strategy 0 -x264-params keyint=12:open-gop=1",
    "h265-b": (
        f"{_PICTURE} -c:v libx265 -preset ultrafast -pix_fmt yuv420p -tag:v hvc1 "
        "-x265-params log-level=none:keyint=12:min-keyint=12:bframes=3"
    ),
    "h265-large": (
        f"{_PICTURE} -vf scale=640:480 -c:v libx265 -preset ultrafast -pix_fmt yuv420p "
        "-tag:v hvc1 -x265-params log-level=none:keyint=12:min-keyint=12:bframes=3"
    ),
    "jpeg": f"{_PICTURE} -c:v mjpeg -pix_fmt yuvj420p -huffman default -q:v 5",
    "aac": f"{_SOUND} -c:a aac",
    "opus": f"{_SOUND} -c:a libopus",
    "pcma": f"{_SOUND} -ar 8000 -c:a pcm_alaw",
}


class Stream(NamedTuple):
    """The samples of one track in decoding order."""

    params: Params
    samples: list[TimedSample]


@cache
def stream(name: str) -> Stream:
    """One of the streams, encoded by ffmpeg and taken apart by libav."""
    muxer = {"jpeg": "mov", "opus": "matroska", "pcma": "mov"}.get(name, "mp4")
    cache_folder = Path(__file__).parents[2] / ".pytest_cache" / "d" / "streams"
    path = cache_folder / f"{name}.{muxer}"
    if not path.exists():
        cache_folder.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(f".{os.getpid()}")
        command = ["ffmpeg", "-v", "error", "-nostdin", "-y", *_CODECS[name].split()]
        subprocess.run([*command, "-f", muxer, str(draft)], check=True)
        draft.rename(path)
    with av.open(str(path)) as container:
        source = container.streams[0]
        params = _params(name, source, _reorder(path))
        packets = [packet for packet in container.demux(source) if packet.size]
        first = min(packet.pts for packet in packets)
        samples = [
            TimedSample(
                params,
                bytes(packet),
                round((packet.pts - first) * packet.time_base * 1_000_000),
                packet.is_keyframe,
            )
            for packet in packets
        ]
    return Stream(params, samples)


def _reorder(path: Path) -> int:
    """How many frames ffmpeg says that the stream reorders; PyAV only says whether it does."""
    return int(ffprobe(path, "-show_streams")["streams"][0].get("has_b_frames", 0))


def _params(name: str, source: Any, reorder: int) -> Params:
    coder = source.codec_context
    config = bytes(coder.extradata or b"")
    match name.partition("-")[0]:
        case "h264":
            return VideoParams(
                Codec.H264, coder.width, coder.height, 90_000, "avc1.64000D", config, reorder
            )
        case "h265":
            return VideoParams(
                Codec.H265, coder.width, coder.height, 90_000, "hvc1.1.6.L60.90", config, reorder
            )
        case "jpeg":
            return jpeg_params(coder.width, coder.height)
        case "aac":
            return aac_params(config)
        case "opus":
            return opus_params(1)
        case _:
            return g711_params(Codec.PCMA, 8000, 1)


def made(video: Stream | None, audio: Stream | None = None, size: int = 13) -> tuple[bytes, bytes]:
    """A movie of the streams in fragments of `size` frames: as it grows, and closed."""
    muxer = Muxer(
        video.params if video and isinstance(video.params, VideoParams) else None,
        audio.params if audio and isinstance(audio.params, AudioParams) else None,
        IDENTITY,
    )
    samples = (video.samples if video else []) + (audio.samples if audio else [])
    if video and audio:  # as they would arrive: sound among the frames, frames in their order
        samples = interleaved(video.samples, audio.samples)
    out = bytearray(muxer.header())
    for start in range(0, len(samples), size):
        out += b"".join(muxer.fragment(samples[start : start + size]))
    out += b"".join(muxer.flush())
    growing = bytes(out)
    return growing, turned(growing, muxer.finish())


def turned(growing: bytes, closing: Closing) -> bytes:
    """The closed movie of a growing one."""
    end = closing.patch_offset + len(closing.patch)
    return growing[: closing.patch_offset] + closing.patch + growing[end:] + closing.tail


class SealedMovie(NamedTuple):
    """A movie that is sealed, in both of its states."""

    growing: bytes
    closed: bytes
    seal: Seal
    steps: list[tuple[int, int]]
    """After the header and each fragment: the length of the growing file, its samples."""


def sealed(
    video: Stream | None,
    audio: Stream | None = None,
    size: int = 13,
    *,
    previous: bytes = NOTHING_BEFORE,
    identity: Identity = IDENTITY,
    flush: bool = True,
) -> SealedMovie:
    """A sealed movie of the streams in fragments of `size` frames; without `flush`, as if a crash
    had taken the frames that are held back for their order."""
    muxer = Muxer(
        video.params if video and isinstance(video.params, VideoParams) else None,
        audio.params if audio and isinstance(audio.params, AudioParams) else None,
        identity,
        sealed=True,
    )
    samples = interleaved(video.samples if video else [], audio.samples if audio else [])
    out, steps = muxer.header(), list[tuple[int, int]]()
    steps.append((len(out), 0))
    for start in range(0, len(samples), size):
        out += b"".join(muxer.fragment(samples[start : start + size]))
        steps.append((len(out), muxer.samples))
    if flush and (held := muxer.flush()):
        out += b"".join(held)
        steps.append((len(out), muxer.samples))
    closing = muxer.finish(previous=previous)
    assert closing.seal is not None
    return SealedMovie(out, turned(out, closing), closing.seal, steps)


def grown(
    video: Stream, size: int = 13, *, sealed: bool = False
) -> tuple[bytes, list[tuple[int, int]]]:
    """A growing movie, and after its header and each fragment: its length, its frames."""
    assert isinstance(video.params, VideoParams)
    muxer = Muxer(video.params, None, IDENTITY, sealed=sealed)
    out = bytearray(muxer.header())
    steps = [(len(out), 0)]
    for start in range(0, len(video.samples), size):
        out += b"".join(muxer.fragment(video.samples[start : start + size]))
        steps.append((len(out), muxer.frames))
    out += b"".join(muxer.flush())
    return bytes(out), [*steps, (len(out), muxer.frames)]


def interleaved(video: Sequence[TimedSample], audio: Sequence[TimedSample]) -> list[TimedSample]:
    """Frames and sound in the order in which a camera sends them."""
    result: list[TimedSample] = []
    sound = iter(audio)
    pending = next(sound, None)
    for sample in video:
        while pending is not None and pending.time_us <= sample.time_us:
            result.append(pending)
            pending = next(sound, None)
        result.append(sample)
    return result + ([pending] if pending else []) + list(sound)


def retimed(source: Stream, times_us: Sequence[int]) -> Stream:
    """The stream with other presentation times, given in the order of presentation."""
    order = sorted(range(len(source.samples)), key=lambda n: source.samples[n].time_us)
    samples = list(source.samples)
    for number, time_us in zip(order, times_us, strict=True):
        samples[number] = samples[number]._replace(time_us=time_us)
    return Stream(source.params, samples)


def undeclared(source: Stream) -> Stream:
    """The stream without a word on how many frames it reorders."""
    assert isinstance(source.params, VideoParams)
    params = replace(source.params, reorder=None)
    return Stream(params, [sample._replace(params=params) for sample in source.samples])


class Probed(NamedTuple):
    """A packet as ffprobe sees it."""

    md5: str
    pts: int
    dts: int
    key: bool


def md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def ffprobe(path: Path, *arguments: str, said: str = "") -> Any:
    """What ffprobe says, as JSON. A complaint that has not `said` in it is an AssertionError."""
    command = ["ffprobe", "-v", "warning", "-of", "json", *arguments, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    complaints = [line for line in done.stderr.splitlines() if not said or said not in line]
    assert (done.returncode, complaints) == (0, []), complaints
    return json.loads(done.stdout)


def probed(path: Path, track: str = "v:0", *, said: str = "") -> list[Probed]:
    """The packets of a track in decoding order, times in its ticks."""
    arguments = ("-select_streams", track, "-show_packets", "-show_data_hash", "md5")
    return [
        Probed(p["data_hash"].partition(":")[2], p["pts"], p["dts"], p["flags"].startswith("K"))
        for p in ffprobe(path, *arguments, said=said)["packets"]
    ]


def shown(path: Path, *, said: str = "") -> list[int]:
    """When the decoded frames are shown, ticks, in the order in which a decoder gives them."""
    found = ffprobe(path, "-select_streams", "v:0", "-show_frames", said=said)
    return [frame["pts"] for frame in found["frames"]]
