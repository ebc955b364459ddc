"""A USB webcam made of software, for the kernel's own USB and webcam drivers.

It speaks USB/IP to the kernel's vhci-hcd (Documentation/usb/usbip_protocol.rst) and is a USB Video
Class 1.1 device with one bulk endpoint, so that `uvcvideo` drives it as it drives real webcams:
plugging in and out, damaged frames and a stalled camera are real. Needs root and vhci-hcd.
"""

from __future__ import annotations

import select
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

VHCI = Path("/sys/devices/platform/vhci_hcd.0")
HIGH_SPEED = 3
DEVICE = 1 << 16 | 2  # bus 1, device 2
CMD_SUBMIT, CMD_UNLINK, RET_SUBMIT, RET_UNLINK = 1, 2, 3, 4
HEADER = struct.Struct(">5I28s")
STALL, GONE = -32, -104  # EPIPE, ECONNRESET
PAYLOAD = 16 * 1024
FRAME_ID, END, ERROR, END_OF_HEADER = 0x01, 0x02, 0x40, 0x80
SET_CUR, GET_CUR, GET_MIN, GET_MAX, GET_RES, GET_LEN, GET_INFO, GET_DEF = (
    0x01, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87,
)  # fmt: skip
PROBE = struct.Struct("<H2BI5H3I4B")
BRIGHTNESS = {GET_MIN: 0, GET_MAX: 255, GET_RES: 1, GET_DEF: 128}
H264_GUID = bytes.fromhex("48323634000010008000 00aa00389b71")
STRINGS = ("", "camkeep", "Software Webcam", "0001")


@dataclass(frozen=True)
class Stream:
    """One format of the webcam: its frames, sent over and over."""

    kind: str
    """mjpg or h264"""
    frames: Sequence[bytes]
    sizes: Sequence[tuple[int, int]] = ((640, 480),)
    rates: Sequence[int] = (30, 15)

    def descriptors(self, index: int) -> bytes:
        default = 10_000_000 // self.rates[0]
        intervals = struct.pack(f"<{len(self.rates)}I", *(10_000_000 // r for r in self.rates))
        parts = []
        for number, (width, height) in enumerate(self.sizes, 1):
            bits = width * height * 16
            common = struct.pack("<2B2H2I", number, 0, width, height, bits, bits * 30)
            if self.kind == "mjpg":
                rest = struct.pack("<2IB", width * height * 2, default, len(self.rates))
                parts.append(_descriptor(0x24, 0x07, common + rest + intervals))
            else:
                rest = struct.pack("<IBI", default, len(self.rates), 0)
                parts.append(_descriptor(0x24, 0x11, common + rest + intervals))
        if self.kind == "mjpg":
            head = bytes([index, len(self.sizes), 1, 1, 0, 0, 0, 0])
            return _descriptor(0x24, 0x06, head) + b"".join(parts)
        head = bytes([index, len(self.sizes)]) + H264_GUID + bytes([16, 1, 0, 0, 0, 0, 1])
        return _descriptor(0x24, 0x10, head) + b"".join(parts)


@dataclass
class Webcam:
    """Use it with `with`: plugged in while inside."""

    streams: Sequence[Stream]
    fps: float | None = None
    """What it really does; None: what it was set to."""
    port: int = 0
    damaged: set[int] = field(default_factory=set)
    """Numbers of frames to mark as damaged."""
    sent: list[bytes] = field(default_factory=list)
    """Every whole frame that was sent undamaged."""
    brightness: int = 128
    paused: bool = False
    stubborn: bool = False
    """Whether it grants its first size, whichever is asked for."""

    def __enter__(self) -> Self:
        self.plug()
        return self

    def __exit__(self, *_: object) -> None:
        self.unplug()

    def plug(self) -> None:
        """Plug it in, and wait until it has a node: `path`."""
        self._ours, theirs = socket.socketpair()
        self._waiting: deque[tuple[int, int]] = deque()
        self._probe = self._negotiate(1, 1, 0)
        self._number = 0
        self._pieces: deque[bytes] = deque()
        self._due = 0.0
        attach = f"{self.port} {theirs.fileno()} {DEVICE} {HIGH_SPEED}"
        (VHCI / "attach").write_text(attach)
        theirs.close()
        self._thread = threading.Thread(target=self._serve, name="usb webcam", daemon=True)
        self._thread.start()
        _wait_for(lambda: self._find_node() is not None)
        self.path = f"/dev/{self._find_node()}"

    def unplug(self) -> None:
        """Pull the plug, and wait until its node is gone. May be called twice."""
        if not self._thread.is_alive():
            return
        self._ours.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._ours.close()
        _wait_for(lambda: self._find_node() is None)
        free = f"hs  {self.port:04d} 004"
        _wait_for(lambda: free in (VHCI / "status").read_text())

    @staticmethod
    def _find_node() -> str | None:
        """The node that gives pictures; the one for metadata has index 1."""
        for node in Path("/sys/class/video4linux").iterdir():
            try:
                name, index = (node / "name").read_text(), (node / "index").read_text()
            except OSError:
                continue  # it went while we looked
            if (name, index) == (f"{STRINGS[2]}\n", "0\n"):
                return node.name
        return None

    # the USB side

    def _serve(self) -> None:
        buffer = b""
        while True:
            wait = None
            if self._waiting:
                wait = 0.0 if self._pieces else max(0.0, self._due - time.monotonic())
            if self.paused:
                wait = 0.05 if wait is not None else None
            readable, _, _ = select.select([self._ours], [], [], wait)
            if readable:
                try:
                    data = self._ours.recv(65536)
                except ConnectionError:
                    return
                if not data:
                    return
                buffer = self._requests(buffer + data)
            elif not self.paused:
                self._answer_stream()

    def _requests(self, buffer: bytes) -> bytes:
        """Handle the whole requests in `buffer`; what remains."""
        while len(buffer) >= HEADER.size:
            command, number, _, inwards, endpoint, rest = HEADER.unpack_from(buffer)
            end = HEADER.size
            if command == CMD_UNLINK:
                self._unlink(number, struct.unpack(">I", rest[:4])[0])
                buffer = buffer[end:]
                continue
            length = struct.unpack(">I", rest[4:8])[0]
            if not inwards:
                end += length
            if len(buffer) < end:
                break
            data, buffer = buffer[HEADER.size : end], buffer[end:]
            if endpoint:
                self._waiting.append((number, length))
                continue
            answer = self._control(rest[20:28], data)
            if answer is None:
                self._reply(number, STALL)
            else:
                done = answer[:length] if inwards else data
                self._reply(number, 0, done if inwards else b"", len(done))
        return buffer

    def _reply(
        self, number: int, status: int, data: bytes = b"", length: int | None = None
    ) -> None:
        count = len(data) if length is None else length
        rest = struct.pack(">2i2Ii8x", status, count, 0, 0xFFFFFFFF, 0)
        self._ours.sendall(HEADER.pack(RET_SUBMIT, number, 0, 0, 0, rest) + data)

    def _unlink(self, number: int, other: int) -> None:
        known = [entry for entry in self._waiting if entry[0] == other]
        for entry in known:
            self._waiting.remove(entry)
        rest = struct.pack(">i24x", GONE if known else 0)
        self._ours.sendall(HEADER.pack(RET_UNLINK, number, 0, 0, 0, rest))

    def _answer_stream(self) -> None:
        """Give the longest waiting transfer the next piece of a frame."""
        if not self._pieces:
            self._next_frame()
        number, length = self._waiting.popleft()
        piece = self._pieces.popleft()
        assert len(piece) <= length
        self._reply(number, 0, piece)

    def _next_frame(self) -> None:
        stream = self.streams[self._probe[1] - 1]
        frame = stream.frames[self._number % len(stream.frames)]
        flags = END_OF_HEADER | (self._number & FRAME_ID)
        if self._number in self.damaged:
            flags |= ERROR
        else:
            self.sent.append(frame)
        for pos in range(0, len(frame), PAYLOAD - 2):
            last = END if pos + PAYLOAD - 2 >= len(frame) else 0
            self._pieces.append(bytes([2, flags | last]) + frame[pos : pos + PAYLOAD - 2])
        self._number += 1
        fps = self.fps or 10_000_000 / self._probe[3]
        self._due = max(self._due + 1 / fps, time.monotonic())

    # what is asked of it

    def _control(self, setup: bytes, data: bytes) -> bytes | None:
        """The answer to a control request (USB 2.0 §9.3), None to refuse it."""
        kind, request, value, index, _ = struct.unpack("<2B3H", setup)
        if kind & 0x60 == 0x20:
            return self._class_request(request, value, index, data)
        if kind == 0x80 and request == 6:
            return self._get_descriptor(value >> 8, value & 0xFF)
        if kind & 0x80 == 0:
            return b""  # SET_CONFIGURATION, SET_INTERFACE, CLEAR_FEATURE
        return bytes(2) if request == 0 else None

    def _get_descriptor(self, kind: int, index: int) -> bytes | None:
        if kind == 1:
            body = struct.pack("<H4B3H4B", 0x200, 0xEF, 2, 1, 64, 0x1209, 1, 0x100, 1, 2, 3, 1)
            return bytes([18, 1]) + body
        if kind == 2:
            return self._configuration()
        if kind == 3 and index == 0:
            return struct.pack("<2BH", 4, 3, 0x0409)
        if kind == 3 and index < len(STRINGS):
            text = STRINGS[index].encode("utf-16-le")
            return bytes([2 + len(text), 3]) + text
        return None

    def _configuration(self) -> bytes:
        """A control interface with camera, processing unit and output; a streaming interface."""
        units = (
            _descriptor(0x24, 0x02, bytes([1, 0x01, 0x02, *bytes(8), 3, 0, 0, 0]))
            + _descriptor(0x24, 0x05, bytes([2, 1, 0, 0, 2, 1, 0, 0, 0]))
            + _descriptor(0x24, 0x03, bytes([3, 0x01, 0x01, 0, 2, 0]))
        )
        head = struct.pack("<2HI2B", 0x110, 13 + len(units), 48_000_000, 1, 1)
        control = _descriptor(0x04, 0, bytes([0, 0, 14, 1, 0, 0])) + _descriptor(0x24, 1, head)
        formats = b"".join(s.descriptors(n) for n, s in enumerate(self.streams, 1))
        count = len(self.streams)
        total = 13 + count + len(formats)
        link = struct.pack("<BH7B", count, total, 0x81, 0, 3, 0, 0, 0, 1) + bytes(count)
        streaming = _descriptor(0x04, 1, bytes([0, 1, 14, 2, 0, 0])) + _descriptor(0x24, 1, link)
        endpoint = struct.pack("<4BHB", 7, 5, 0x81, 2, 512, 0)
        together = bytes([8, 11, 0, 2, 14, 3, 0, 0])
        body = together + control + units + streaming + formats + endpoint
        return struct.pack("<2BH5B", 9, 2, 9 + len(body), 2, 1, 0, 0x80, 250) + body

    def _class_request(self, request: int, value: int, index: int, data: bytes) -> bytes | None:
        if index == 1 and value >> 8 in (1, 2):
            return self._probe_request(request, data)
        if index == 2 << 8 and value >> 8 == 2:
            if request == SET_CUR:
                self.brightness = struct.unpack("<h", data)[0]
                return b""
            if request == GET_INFO:
                return b"\3"
            if request == GET_LEN:
                return b"\2\0"
            return struct.pack("<h", BRIGHTNESS.get(request, self.brightness))
        return None

    def _probe_request(self, request: int, data: bytes) -> bytes:
        """Negotiation (UVC 1.1 §4.3.1.1)."""
        if request == SET_CUR:
            asked = PROBE.unpack(data.ljust(PROBE.size, b"\0")[: PROBE.size])
            self._probe = self._negotiate(asked[1], asked[2], asked[3])
            return b""
        if request == GET_LEN:
            return struct.pack("<H", PROBE.size)
        if request == GET_INFO:
            return b"\3"
        return PROBE.pack(0, *self._probe[1:4], 0, 0, 0, 0, 0, *self._probe[4:], 0, 0, 0, 0)

    def _negotiate(self, form: int, frame: int, interval: int) -> tuple[int, ...]:
        form = min(max(1, form), len(self.streams))
        stream = self.streams[form - 1]
        frame = 1 if self.stubborn else min(max(1, frame), len(stream.sizes))
        has = [10_000_000 // rate for rate in stream.rates]
        interval = min(has, key=lambda value: abs(value - interval)) if interval else has[0]
        width, height = stream.sizes[frame - 1]
        return 0, form, frame, interval, width * height * 2, PAYLOAD, 48_000_000


def _descriptor(kind: int, subtype: int, body: bytes) -> bytes:
    return bytes([3 + len(body), kind, subtype]) + body


def _wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end, "the kernel did not follow in time"
        time.sleep(0.02)  # sysfs and devtmpfs announce nothing that could be waited for
