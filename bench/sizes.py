"""How large a minute of the same scene is, as JPEG pictures and as H.264.

    python bench/sizes.py

No recorder is measured here: camkeep stores what the camera sends, so its codec decides.
"""

from __future__ import annotations

import clips

JPEG_RATE = 10


def run() -> str:
    """The sizes in Markdown."""
    units = clips.h264_clip().read_bytes()
    frames = units.count(b"\0\0\0\1\x09")
    jpegs = clips.pictures()
    h264 = len(units) / frames * clips.RATE * 60
    jpeg = sum(map(len, jpegs)) / len(jpegs) * JPEG_RATE * 60
    return "\n".join(
        [
            "| stream | bytes a frame | a minute | a day |",
            "|---|---|---|---|",
            _row(f"JPEG 640x480, {JPEG_RATE} fps", jpeg, JPEG_RATE),
            _row(f"H.264 1920x1080, {clips.RATE} fps", h264, clips.RATE),
        ]
    )


def _row(name: str, minute: float, rate: int) -> str:
    return (
        f"| {name} | {minute / 60 / rate:,.0f} | {minute / 1e6:.1f} MB "
        f"| {minute * 1440 / 1e9:.1f} GB |"
    )


if __name__ == "__main__":
    print(run())
