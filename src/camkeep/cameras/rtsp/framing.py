"""Takes a connection's bytes apart: interleaved packets (RFC 2326 §10.12) and messages. Pure.

The loop of `Deframer.feed` runs once for each packet of each camera, which is why it works on
plain local names and hands packets on as offsets into one bytes object.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from camkeep.cameras.rtsp.messages import Message, parse_message
from camkeep.errors import MediaError, StreamBroken, WrongProtocol

Receive = Callable[[bytes, int, int], None]
"""Takes the packet data[start:stop]. The bytes live as long as somebody holds them."""

ReceiveRun = Callable[[bytes, int, int, int, int], None]
"""Takes `count` packets of one length: data[start:stop], and each of the others `stride` behind
the one before it."""

MAX_JUNK = 1024 * 1024
"""Bytes of junk in a row after which the stream counts as broken."""

_DOLLAR = 0x24
_RESTART = re.compile(rb"RTSP/1\.[0-9] [0-9]|\$(?=...[\x80-\xbf])", re.DOTALL)
"""An answer, or a packet whose payload has the version of RTP and RTCP."""


class Deframer:
    """Feeds on chunks of any size and calls `receivers[channel]` and `on_message`.

    A large frame comes as packets of one length: those that follow a packet of the same length
    go to `runs[channel]` all at once, where there is one.
    Packets on channels without a receiver go to `on_unknown()`; each stretch of bytes that are
    neither packet nor message is skipped, with one call of `on_junk()`.
    """

    def __init__(
        self,
        on_message: Callable[[Message], None],
        on_unknown: Callable[[], None],
        on_junk: Callable[[], None],
    ) -> None:
        self.receivers: dict[int, Receive] = {}
        self.runs: dict[int, ReceiveRun] = {}
        self._on_message = on_message
        self._on_unknown = on_unknown
        self._on_junk = on_junk
        self._carry = bytearray()  # an incomplete packet or message
        self._need = 0  # how long the carry must be at least before it is worth a look
        self._junk = 0  # bytes of junk in a row
        self._answered = False  # whether this has proved to be RTSP

    def feed(self, chunk: memoryview | bytes) -> None:
        """Take the next bytes of the connection.

        Raises WrongProtocol where the other end does not speak RTSP, and StreamBroken where
        what it sends cannot be followed any further.
        """
        carry = self._carry
        if carry:
            carry += chunk
            if len(carry) < self._need:
                return
            data = bytes(carry)
            carry.clear()
        else:
            data = bytes(chunk)
        receivers = self.receivers
        pos, end = 0, len(data)
        while pos < end:
            if data[pos] != _DOLLAR or self._junk:
                self._need = 0
                stop = self._message_or_junk(data, pos)
                if stop is None:
                    break
                pos = stop
                continue
            if end - pos < 4:
                self._need = 4
                break
            stop = pos + 4 + (data[pos + 2] << 8 | data[pos + 3])
            if stop > end:
                self._need = stop - pos
                break
            head = data[pos : pos + 4]
            receive = receivers.get(head[1])
            if receive is None:
                self._on_unknown()
            else:
                receive(data, pos + 4, stop)
                if data.startswith(head, stop):
                    stop = self._run(data, head, stop, stop - pos)
            pos = stop
        if pos < end:
            carry += data[pos:] if pos else data

    def _run(self, data: bytes, head: bytes, pos: int, stride: int) -> int:
        """Hand on the packets from `pos` on that have the same head; where they end."""
        receive_run = self.runs.get(head[1])
        if receive_run is None:
            return pos
        stop = pos
        while data.startswith(head, stop) and stop + stride <= len(data):
            stop += stride
        if stop > pos:
            receive_run(data, pos + 4, pos + stride, stride, (stop - pos) // stride)
        return stop

    def _message_or_junk(self, data: bytes, pos: int) -> int | None:
        """Where to go on behind what begins at `pos`, None where more bytes are needed.

        After an incomplete head every chunk is looked at anew, which costs at most 64 KB of
        search a chunk; a body is waited for by its length.
        """
        if self._junk:
            return self._skip_junk(data, pos)
        head = data[pos : pos + 5]
        if b"RTSP/".startswith(head):
            return self._message(data, pos) if len(head) == 5 else None
        if not self._answered and head[0] not in b"\r\n":
            raise WrongProtocol(_not_rtsp(head))
        if data[pos : pos + 1].isupper():
            line = data.find(b"\n", pos, pos + 1024)
            if line < 0 and data[pos : pos + 3].isupper() and len(data) - pos < 1024:
                return None
            if b" RTSP/1." in data[pos : max(line, pos)]:
                return self._message(data, pos)
        return self._skip_junk(data, pos)

    def _message(self, data: bytes, pos: int) -> int | None:
        try:
            message, stop = parse_message(data, pos)
        except MediaError as error:
            raise StreamBroken(f"the camera's answer cannot be read: {error}") from None
        if message is None:
            self._need = stop - pos
            return None
        self._answered = True
        self._on_message(message)
        return stop

    def _skip_junk(self, data: bytes, pos: int) -> int | None:
        """Skip up to what looks like a packet on a known channel, or like an answer.

        The last bytes of the chunk stay, because one may begin in them.
        """
        if not self._junk:
            self._on_junk()
        for match in _RESTART.finditer(data, pos):
            at = match.start()
            if data[at] != _DOLLAR or data[at + 1] in self.receivers:
                self._junk = 0
                return at
        stop = max(pos, len(data) - 9)
        self._junk += max(1, stop - pos)
        if self._junk > MAX_JUNK:
            raise StreamBroken("the camera sends something that is neither RTP nor RTSP")
        return stop if stop > pos else None


def _not_rtsp(head: bytes) -> str:
    if head.startswith(b"HTTP"):
        return "a web server answers there, not RTSP: is the port right?"
    if head.startswith(b"\x15"):
        return "it speaks TLS there: write rtsps:// in the address"
    return "what answers there does not speak RTSP: is the port right?"
