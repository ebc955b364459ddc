"""JPEG out of RTP payloads (RFC 2435). Pure.

The payload carries no JPEG headers, only what is needed to make them: `media/jpeg_rtp.py` does.
"""

from __future__ import annotations

from dataclasses import replace

from camkeep.errors import MediaError
from camkeep.media.jpeg import jpeg_params
from camkeep.media.jpeg_rtp import headers
from camkeep.media.nal import AccessUnit
from camkeep.model import VideoParams

MAX_FRAME = 16 * 1024 * 1024
"""Bytes of a picture, with `_PIECE` for the bookkeeping of each packet."""
_PIECE = 64
_HEADER = 8
_END = b"\xff\xd9"


class JpegPackets:
    """Collects the fragments of one picture."""

    def __init__(self, clock_rate: int) -> None:
        self._clock_rate = clock_rate
        self._params: VideoParams | None = None
        self._tables: dict[int, bytes] = {}  # quantization tables that stay, by Q (§4.2)
        self._head = b""
        self._parts: list[bytes] = []
        self._size = 0

    def push(self, data: bytes, start: int, stop: int) -> None:
        """Take the payload data[start:stop]. Raises MediaError where it is malformed."""
        if stop - start < _HEADER:
            raise MediaError("a JPEG fragment shorter than its header")
        offset = int.from_bytes(data[start + 1 : start + 4])
        type_, q, width, height = data[start + 4 : start + 8]
        pos = start + _HEADER
        interval = 0
        if 64 <= type_ <= 127:  # restart markers, §3.1.7
            if pos + 4 > stop:
                raise MediaError("a JPEG restart header longer than its packet")
            interval = data[pos] << 8 | data[pos + 1]
            pos += 4
        if offset == 0:
            self.reset()
            tables = b""
            if q >= 128:
                tables, pos = self._read_tables(data, pos, stop, q)
            self._head = headers(type_, q, width * 8, height * 8, interval, tables)
            if (
                self._params is None
                or self._params.width != width * 8
                or self._params.height != height * 8
            ):
                made = jpeg_params(width * 8, height * 8)
                self._params = replace(made, timescale=self._clock_rate)
        elif offset != self._size:
            raise MediaError("a JPEG fragment that does not follow the one before")
        self._parts.append(data[pos:stop])
        self._size += stop - pos
        if pos == stop or self._size + _PIECE * len(self._parts) > MAX_FRAME:
            raise MediaError("a JPEG fragment that is empty or beyond 16 MB")

    def _read_tables(self, data: bytes, pos: int, stop: int, q: int) -> tuple[bytes, int]:
        """The tables in band (§3.1.8), or those that came with the same Q before."""
        if pos + 4 > stop:
            raise MediaError("a JPEG table header longer than its packet")
        precision, size = data[pos + 1], data[pos + 2] << 8 | data[pos + 3]
        pos += 4
        if pos + size > stop:
            raise MediaError("JPEG tables longer than their packet")
        if size == 0:
            if q not in self._tables:
                raise MediaError("a JPEG without quantization tables")
            return self._tables[q], pos
        if precision:
            raise MediaError("JPEG tables of 16 bits, which camkeep does not read")
        tables = data[pos : pos + size]
        if q != 255:  # 255: good for this picture only
            self._tables[q] = tables
        return tables, pos + size

    def begins(self, data: bytes, start: int, stop: int) -> bool:
        """Whether the payload is the first fragment of a picture."""
        return stop - start >= _HEADER and data[start + 1 : start + 4] == b"\0\0\0"

    def finish(self) -> AccessUnit | None:
        """The picture that was pushed, with headers and end marker; None where there is none."""
        parts, params = self._parts, self._params
        if not parts or params is None:
            return None
        end = b"" if parts[-1].endswith(_END) else _END
        picture = b"".join([self._head, *parts, end])
        self.reset()
        return AccessUnit(params, picture, key=True, leading=False)

    def reset(self) -> None:
        """Forget the picture that was begun."""
        self._parts = []
        self._size = 0
