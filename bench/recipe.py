"""The usual recipe for a JPEG camera: read the multipart stream, decode, encode again.

    python bench/recipe.py URL FILE.mp4 RATE

Pillow decodes, NumPy and OpenCV turn the picture, OpenCV's VideoWriter encodes it as mp4v. The
reading itself is done well here, by Content-Length; most scripts search byte by byte.
"""

from __future__ import annotations

import io
import signal
import sys
import urllib.request
from typing import IO

import cv2
import numpy as np
from PIL import Image


def next_picture(stream: IO[bytes]) -> bytes:
    length = 0
    while True:
        line = stream.readline().lower()
        if not line:
            raise EOFError("the camera ended the stream")
        if line.startswith(b"content-length:"):
            length = int(line.split(b":")[1])
        elif not line.strip() and length:
            return stream.read(length)


def main(url: str, path: str, rate: float) -> None:
    stopped = False

    def stop(*_: object) -> None:
        nonlocal stopped
        stopped = True

    signal.signal(signal.SIGINT, stop)
    stream = urllib.request.urlopen(url, timeout=10)
    movie: cv2.VideoWriter | None = None
    while not stopped:
        image = Image.open(io.BytesIO(next_picture(stream)))
        frame = cv2.cvtColor(np.asarray(image), cv2.COLOR_RGB2BGR)
        if movie is None:
            size = (frame.shape[1], frame.shape[0])
            movie = cv2.VideoWriter(path, cv2.VideoWriter_fourcc(*"mp4v"), rate, size)
        movie.write(frame)
    if movie is not None:
        movie.release()


main(sys.argv[1], sys.argv[2], float(sys.argv[3]))
