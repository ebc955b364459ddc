"""Small encoded clips for real servers to play, made once by ffmpeg and kept in pytest's cache.

`clip("h264")` is the path of one; `CLIPS` says what there is.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import NamedTuple

import av

_CACHE = Path(__file__).parents[2] / ".pytest_cache" / "d" / "clips"

_PICTURE = "-f lavfi -i testsrc2=size=320x240:rate=25:duration=2"
_SOUND = "-f lavfi -i sine=frequency=440:sample_rate=48000:duration=2"
_HUM = _SOUND.replace("duration=2", "duration=80")
_X264 = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p -g 10"
_DATA = "/usr/share/doc/opencv-doc/examples/data"
_VTEST = f"{_DATA}/vtest.avi"
_FILM = "-c:v libx264 -preset veryfast -tune zerolatency -pix_fmt yuv420p -crf 30 -g 20 -r 10"


def _still(name: str, size: str) -> str:
    """A picture that stands, with the noise of a camera."""
    noise = f"scale={size}:force_original_aspect_ratio=increase,crop={size},noise=alls=4:allf=t"
    return f"-loop 1 -t 60 -i {_DATA}/{name} -vf {noise} {_FILM} -an"


CLIPS = {
    "h264": (f"{_PICTURE} {_X264} -tune zerolatency", "mp4"),
    "h264-b": (f"{_PICTURE} {_X264} -bf 2 -b_strategy 0", "mp4"),
    "h264-big": (f"{_PICTURE} {_X264} -tune zerolatency -vf scale=640:480", "mp4"),
    "h264-aac": (f"{_PICTURE} {_SOUND} {_X264} -tune zerolatency -c:a aac -ac 2", "mp4"),
    "h264-opus": (f"{_PICTURE} {_SOUND} {_X264} -tune zerolatency -c:a libopus", "mkv"),
    "h265-b": (
        f"{_PICTURE} -c:v libx265 -preset ultrafast -pix_fmt yuv420p "
        "-x265-params log-level=none:keyint=10:min-keyint=10:bframes=2 -tag:v hvc1",
        "mp4",
    ),
    "jpeg": (f"{_PICTURE} -c:v mjpeg -pix_fmt yuvj420p -huffman default -q:v 5", "mov"),
    "load": (  # what the promise of speed is measured with: 1080p30 at 4 Mbit/s, a real scene
        f"-t 20 -i {_VTEST} -vf scale=1920:1080,fps=30 -c:v libx264 -preset veryfast "
        "-tune zerolatency -b:v 4M -maxrate 4M -bufsize 4M -g 60 -an",
        "mp4",
    ),
    # What looks like a house's cameras, for those who look at the page (`support.house`).
    "street": (f"-i {_VTEST} -vf crop=768:432,scale=640:360 {_FILM} -an", "mp4"),
    "door": (
        f"-i {_VTEST} {_HUM} -vf crop=324:576:230:0,scale=360:640 {_FILM} -c:a aac -shortest",
        "mp4",
    ),
    "night": (f"-i {_VTEST} -vf hflip,crop=576:432,hue=s=0,eq=brightness=-0.2 {_FILM} -an", "mp4"),
    "garden": (_still("home.jpg", "640:480"), "mp4"),
    "hall": (_still("building.jpg", "640:360"), "mp4"),
    "plants": (_still("aloeL.jpg", "640:480"), "mp4"),
}


def clip(name: str) -> Path:
    """The clip called `name`, encoded where it is not there yet."""
    arguments, suffix = CLIPS[name]
    path = _CACHE / f"{name}.{suffix}"
    if not path.exists():
        _CACHE.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f"{name}.{os.getpid()}.{suffix}")
        command = ["ffmpeg", "-v", "error", "-nostdin", "-y", *arguments.split(), str(draft)]
        subprocess.run(command, check=True)
        draft.rename(path)
    return path


class Packet(NamedTuple):
    """One access unit as the clip's file holds it."""

    data: bytes
    pts: float
    """Seconds."""
    key: bool


def packets(path: Path, kind: str = "video") -> list[Packet]:
    """The access units of the clip's picture or sound, in decoding order."""
    with av.open(str(path)) as container:
        stream = next(s for s in container.streams if s.type == kind)
        return [
            Packet(bytes(packet), float(packet.pts * packet.time_base), packet.is_keyframe)
            for packet in container.demux(stream)
            if packet.size
        ]


def nals(data: bytes) -> list[bytes]:
    """The NAL units of a sample, each behind its length in 4 bytes."""
    found, pos = [], 0
    while pos < len(data):
        size = int.from_bytes(data[pos : pos + 4])
        found.append(data[pos + 4 : pos + 4 + size])
        pos += 4 + size
    assert pos == len(data)
    return found


def slices(data: bytes, *, h265: bool = False) -> list[bytes]:
    """The NAL units of a sample that hold picture data."""
    if h265:
        return [nal for nal in nals(data) if nal[0] >> 1 & 0x3F < 32]
    return [nal for nal in nals(data) if nal[0] & 0x1F in (1, 5)]
