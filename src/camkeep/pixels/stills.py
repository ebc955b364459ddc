"""A program that turns compressed frames into JPEGs: `python -m camkeep.pixels.stills`.

It is the child of `stillworker`, and reads and writes messages on its pipes: one byte of kind, four
of length (big endian), the payload. It may crash, hang or be killed: nothing else is lost by that.
Its memory and its priority are low, and frames of too many pixels are refused before they are
decoded.

| to it | payload | answer |
|-------|---------|--------|
| `C`   | name of the codec, a null, its configuration record (avcC, hvcC) | none |
| `W`   | four bytes: how wide pictures are at most from now on; 0: as they are | none |
| `K`   | a key frame, which is decoded by itself | `J` a JPEG, or `N` nothing |
| `F`   | a frame that follows those before | `J` the newest picture that is ready, or `N` nothing |

It ends when its input does.
"""

from __future__ import annotations

import os
import struct
import sys
from contextlib import suppress
from fractions import Fraction
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    import av

HEAD = struct.Struct(">cI")
MAX_MESSAGE = 16 * 1024 * 1024
MAX_PIXELS = 40_000_000
"""8K, and a little more."""
MEMORY = 1536 * 1024 * 1024
"""Of addresses, the program itself and its libraries included."""
NICE = 10


def limit() -> None:
    """Take little from the rest of the machine, whatever the pictures are."""
    with suppress(OSError):
        os.nice(NICE)
    with suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


class Decoder:
    """One stream's decoder, and an encoder for its pictures."""

    def __init__(self, codec: str, config: bytes) -> None:
        import av

        self._av = av
        coder = av.CodecContext.create({"h265": "hevc"}.get(codec, codec), "r")
        assert isinstance(coder, av.VideoCodecContext)
        self._coder = coder
        self._coder.options = {"max_pixels": str(MAX_PIXELS)}
        self._coder.thread_count = 1
        if config:
            self._coder.extradata = config
        self._encoder: av.VideoCodecContext | None = None
        self.most_width = 0
        """How wide pictures are made at most; 0: as wide as they are."""

    def key(self, data: bytes) -> bytes | None:
        """The picture of a key frame."""
        self._coder.flush_buffers()
        frames = self._decoded(data)
        with suppress(self._av.error.FFmpegError):
            frames += self._coder.decode(None)  # also what waits for frames to follow
        self._coder.flush_buffers()
        return self._jpeg(frames[-1]) if frames else None

    def frame(self, data: bytes) -> bytes | None:
        """The newest picture that is ready."""
        frames = self._decoded(data)
        return self._jpeg(frames[-1]) if frames else None

    def _decoded(self, data: bytes) -> list[av.VideoFrame]:
        try:
            return list(self._coder.decode(self._av.Packet(data)))
        except self._av.error.FFmpegError:
            return []

    def _jpeg(self, frame: av.VideoFrame) -> bytes | None:
        size = self._size(frame)
        if self._encoder is None or (self._encoder.width, self._encoder.height) != size:
            encoder = self._av.CodecContext.create("mjpeg", "w")
            assert isinstance(encoder, self._av.VideoCodecContext)
            encoder.width, encoder.height = size
            encoder.pix_fmt = "yuvj420p"
            encoder.time_base = Fraction(1, 90_000)
            encoder.options = {"qscale": "4", "qmin": "2", "qmax": "6"}
            encoder.thread_count = 1
            self._encoder = encoder
        plain = frame.reformat(*size, format="yuvj420p")
        plain.pts = None
        packets = self._encoder.encode(plain)
        return bytes(packets[0]) if packets else None

    def _size(self, frame: av.VideoFrame) -> tuple[int, int]:
        width, height = frame.width, frame.height
        if not 0 < self.most_width < width:
            return width, height
        return self.most_width, max(2, round(height * self.most_width / width / 2) * 2)


def read(pipe: BinaryIO) -> tuple[bytes, bytes] | None:
    """The next message; None at the end of the input."""
    head = pipe.read(HEAD.size)
    if len(head) < HEAD.size:
        return None
    kind, size = HEAD.unpack(head)
    if size > MAX_MESSAGE:
        return None
    payload = pipe.read(size)
    return (kind, payload) if len(payload) == size else None


def main() -> None:
    """Answer until nobody asks any more."""
    limit()
    import av  # noqa: F401 - before the first frame waits for it

    source, sink = sys.stdin.buffer, sys.stdout.buffer
    decoder: Decoder | None = None
    width = 0
    while (message := read(source)) is not None:
        kind, payload = message
        if kind == b"C":
            codec, _, config = payload.partition(b"\0")
            decoder = Decoder(codec.decode(), config)
            decoder.most_width = width
            continue
        if kind == b"W":
            width = int.from_bytes(payload)
            if decoder is not None:
                decoder.most_width = width
            continue
        jpeg = None
        if decoder is not None:
            jpeg = decoder.key(payload) if kind == b"K" else decoder.frame(payload)
        answer = HEAD.pack(b"N", 0) if jpeg is None else HEAD.pack(b"J", len(jpeg)) + jpeg
        sink.write(answer)
        sink.flush()


if __name__ == "__main__":
    main()
