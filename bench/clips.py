"""What the cameras of the bench show: a real scene, encoded once and kept under .cache/.

The scene is OpenCV's vtest.avi (Debian: opencv-doc), pedestrians before a fixed camera.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

SCENE = Path("/usr/share/doc/opencv-doc/examples/data/vtest.avi")
CACHE = Path(__file__).resolve().parent.parent / ".cache" / "bench"

RATE = 30
"""Frames a second of the H.264 cameras."""


def h264_clip() -> Path:
    """1080p30 at 4 Mbit/s, Annex B, every access unit behind a delimiter, a key frame every 2 s."""
    return _made(
        "1080p30-4M.h264",
        # the scene has 10 frames a second; at 30 every frame is still a new one
        ["-r", str(RATE), "-i", str(SCENE), "-vf", "scale=1920:1080", "-an"],
        ["-c:v", "libx264", "-preset", "veryfast", "-tune", "zerolatency", "-pix_fmt", "yuv420p"],
        ["-b:v", "4M", "-maxrate", "4M", "-bufsize", "4M", "-g", "60"],
        ["-x264-params", "aud=1:sliced-threads=0:scenecut=0", "-f", "h264"],
    )


def jpeg_clip() -> Path:
    """640x480 JPEG pictures of about 35 KB, one after the other, all with the Huffman tables of
    the standard, as cameras have them."""
    return _made(
        "640x480.mjpeg",
        ["-i", str(SCENE), "-vf", "scale=640:480", "-an", "-frames:v", "200"],
        ["-c:v", "mjpeg", "-q:v", "6", "-huffman", "default", "-pix_fmt", "yuvj420p"],
        ["-f", "mjpeg"],
    )


def _made(name: str, *arguments: list[str]) -> Path:
    path = CACHE / name
    if not path.exists():
        if not SCENE.exists():
            raise SystemExit(f"there is no {SCENE}: install Debian's opencv-doc")
        CACHE.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        flat = [word for group in arguments for word in group]
        subprocess.run(["ffmpeg", "-v", "error", "-y", *flat, str(part)], check=True)
        part.replace(path)
    return path


def pictures() -> list[bytes]:
    """The pictures of `jpeg_clip`."""
    data = jpeg_clip().read_bytes()
    return [b"\xff\xd8\xff" + part for part in data.split(b"\xff\xd8\xff")[1:]]
