"""One viewer of a simulated camera: a multipart stream (RFC 2046 §5.1), right or wrong.

Frames are pushed by the frame clock. A viewer that does not read loses frames; nothing queues
here beyond what the connection holds.
"""

from __future__ import annotations

import asyncio
import random
import socket
import struct
import time
from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

from camkeep.cameras.simulate.faults import Faults, Kind
from camkeep.cameras.simulate.messages import head
from camkeep.cameras.simulate.options import Sent
from camkeep.cameras.simulate.spoil import junk, spoilt

MAX_WAITING = 256 * 1024
"""Bytes that wait for a viewer; with more, frames are dropped for it."""
_LENGTHS: dict[Kind, Callable[[int], int]] = {
    Kind.LENGTH_SMALL: lambda length: length // 2,
    Kind.LENGTH_LARGE: lambda length: length + 1000,
    Kind.LENGTH_HUGE: lambda length: 4 << 30,
    Kind.LENGTH_NEGATIVE: lambda length: -1,
}


class Style(NamedTuple):
    """How a kind of camera writes its stream."""

    server: str
    boundary: str
    trailing: bool
    """Whether the boundary follows a part at once, or comes with the next part."""


class Taken(NamedTuple):
    """A picture for one viewer."""

    number: int
    jpeg: bytes


Take = Callable[[int, bool], bytes]
"""Makes picture `number`, in the other size if so told."""


class Viewer:
    """A connection that gets the stream. `faults` may be changed while it runs."""

    def __init__(
        self,
        number: int,
        writer: asyncio.StreamWriter,
        style: Style,
        take: Take,
        faults: Faults,
        seed: int,
        max_frames: int | None,
        inflicted: Counter[Kind],
    ) -> None:
        self.number = number
        self.faults = faults
        self.frames = 0
        self.dropped = 0
        self.over = asyncio.Event()
        self._writer, self._style, self._take = writer, style, take
        self._random = random.Random(seed * 1000 + number)
        self._max_frames, self._inflicted = max_frames, inflicted
        self._kinds: frozenset[Kind] = frozenset(fault.kind for fault in faults)
        self._whole = self._kinds  # those of the whole stream are settled when it begins
        self._frozen: int | None = None
        self._held: list[Taken] = []
        self._stalled = False
        self._limit_buffers()

    def begin(self) -> None:
        """Send the head of the answer, and the first boundary where it comes early."""
        boundary, bare = self._style.boundary, Kind.BARE in self._whole
        declared = f"--{boundary}" if Kind.BOUNDARY_DASHES in self._whole else boundary
        declared = f'"{declared}"' if Kind.BOUNDARY_QUOTED in self._whole else declared
        content_type = f"multipart/x-mixed-replace;boundary={declared}"
        if bare or Kind.DECLARED_JPEG in self._whole:
            content_type = "image/jpeg"
        headers = [("Content-Type", content_type), ("Cache-Control", "no-store")]
        chunked = Kind.CHUNKED in self._whole
        headers.append(("Transfer-Encoding", "chunked") if chunked else ("Connection", "close"))
        line_end = "\n" if Kind.LINE_FEEDS in self._whole else "\r\n"
        self._writer.write(head(self._style.server, 200, headers, line_end))
        self._inflict(self._whole & _OF_STREAM)
        if self._style.trailing and not bare and Kind.NO_FIRST_BOUNDARY not in self._whole:
            self._write(self._line_ends(self._boundary_line()))

    def offer(self, number: int) -> list[Sent]:
        """Send picture `number`, or drop it; what was sent with it."""
        if self.over.is_set() or self._writer.transport.is_closing():
            return []
        if self._writer.transport.get_write_buffer_size() > MAX_WAITING:
            self.dropped += 1
            return []
        index = self.frames
        hitting = {fault.kind for fault in self.faults if fault.hits(index)}
        if Kind.STALL in hitting:
            if not self._stalled:
                self._inflict({Kind.STALL})
            self._stalled = True
            return []
        if Kind.RESET in hitting:
            self._inflict({Kind.RESET})
            self.reset()
            return []
        if Kind.END in hitting or index == self._max_frames:
            self._inflict(hitting & {Kind.END})
            return self._end()
        self.frames += 1
        pictures = [*self._held, self._spoilt(number, hitting)]
        if Kind.SEVERAL in hitting and not self._held:
            self._held = pictures
            return []
        self._held = []
        return self._send(index, pictures, hitting)

    async def wait(self, reader: asyncio.StreamReader) -> None:
        """Until the stream is over on either side."""
        reading = asyncio.create_task(_drained(reader))
        over = asyncio.create_task(self.over.wait())
        try:
            await asyncio.wait((reading, over), return_when=asyncio.FIRST_COMPLETED)
        finally:
            reading.cancel()
            over.cancel()
            await asyncio.gather(reading, over, return_exceptions=True)

    def reset(self) -> None:
        """Break the connection off: RST instead of FIN."""
        raw = self._writer.transport.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()
        self.over.set()

    def _end(self) -> list[Sent]:
        """Send what was held back, and close."""
        held, self._held = self._held, []
        sent = self._send(self.frames, held, set()) if held else []
        if Kind.CHUNKED in self._whole:
            self._writer.write(b"0\r\n\r\n")
        self._writer.close()
        self.over.set()
        return sent

    def _spoilt(self, number: int, hitting: set[Kind]) -> Taken:
        """The picture after all that is done to it alone."""
        if Kind.FROZEN in hitting:
            if self._frozen is None:
                self._frozen = number
            number = self._frozen
            self._inflict({Kind.FROZEN})
        jpeg = self._take(number, Kind.SIZE_CHANGE in hitting)
        self._inflict(hitting & {Kind.SIZE_CHANGE})
        jpeg, done = spoilt(jpeg, hitting, self._random)
        self._inflict(done)
        return Taken(number, jpeg)

    def _send(self, index: int, pictures: list[Taken], hitting: set[Kind]) -> list[Sent]:
        """Send one part."""
        body = b"".join(taken.jpeg for taken in pictures)
        if len(pictures) > 1:
            self._inflict({Kind.SEVERAL})
        self._write(body if Kind.BARE in self._whole else self._part(index, body, hitting))
        now = time.monotonic_ns()
        return [Sent(taken.number, now, len(taken.jpeg), self.number) for taken in pictures]

    def _part(self, index: int, body: bytes, hitting: set[Kind]) -> bytes:
        """A part with its boundary, before or behind it."""
        boundary = self._between(index, hitting)
        headers = self._headers(len(body), hitting)
        empty = b""
        if Kind.EMPTY_PART in hitting:
            self._inflict({Kind.EMPTY_PART})
            empty = self._headers(0, set()) + b"\r\n" + self._boundary_line()
        ahead, behind = (b"", boundary) if self._style.trailing else (boundary, b"")
        return b"".join(
            (
                self._line_ends(ahead),
                self._line_ends(empty + headers),
                body,
                self._line_ends(b"\r\n"),
                self._line_ends(behind),
            )
        )

    def _between(self, index: int, hitting: set[Kind]) -> bytes:
        """What stands between two parts."""
        first = index == 0 and not self._style.trailing
        if first and Kind.NO_FIRST_BOUNDARY in self._whole:
            return b""
        between = b""
        if Kind.JUNK_BETWEEN in hitting:
            self._inflict({Kind.JUNK_BETWEEN})
            between = junk(self._random, 20, 400) + b"\r\n"
        if Kind.BOUNDARY_MISSING in hitting:
            self._inflict({Kind.BOUNDARY_MISSING})
            return between
        if Kind.BOUNDARY_DOUBLED in hitting:
            self._inflict({Kind.BOUNDARY_DOUBLED})
            between += self._boundary_line()
        return between + self._boundary_line()

    def _headers(self, length: int, hitting: set[Kind]) -> bytes:
        names = ["Content-Type", "Content-Length"]
        if Kind.HEADER_CASE in hitting:
            self._inflict({Kind.HEADER_CASE})
            names = ["content-TYPE", "cONTENT-lENGTH"]
        text = f"{names[0]}: image/jpeg\r\n"
        if Kind.NO_LENGTH in hitting:
            self._inflict({Kind.NO_LENGTH})
            return f"{text}\r\n".encode()
        for kind, lie in _LENGTHS.items():
            if kind in hitting:
                self._inflict({kind})
                length = lie(length)
        return f"{text}{names[1]}: {length}\r\n\r\n".encode()

    def _boundary_line(self) -> bytes:
        return f"--{self._style.boundary}\r\n".encode()

    def _line_ends(self, text: bytes) -> bytes:
        return text.replace(b"\r\n", b"\n") if Kind.LINE_FEEDS in self._whole else text

    def _write(self, data: bytes) -> None:
        if Kind.CHUNKED not in self._whole:
            self._writer.write(data)
            return
        at, pieces = 0, []
        while at < len(data):
            piece = data[at : at + self._random.randint(1, 16384)]
            pieces.append(b"%x\r\n%b\r\n" % (len(piece), piece))
            at += len(piece)
        self._writer.write(b"".join(pieces))

    def _inflict(self, kinds: set[Kind] | frozenset[Kind]) -> None:
        self._inflicted.update(kinds)

    def _limit_buffers(self) -> None:
        """Keep little in the kernel, so that a viewer who falls behind is noticed soon."""
        raw = self._writer.transport.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, MAX_WAITING)


_OF_STREAM = frozenset(
    (
        Kind.NO_FIRST_BOUNDARY,
        Kind.BOUNDARY_DASHES,
        Kind.BOUNDARY_QUOTED,
        Kind.LINE_FEEDS,
        Kind.DECLARED_JPEG,
        Kind.BARE,
        Kind.CHUNKED,
    )
)


async def _drained(reader: asyncio.StreamReader) -> None:
    """Until the client closes; what it sends meanwhile is of no interest."""
    while await reader.read(4096):
        pass
