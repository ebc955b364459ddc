"""Pictures from an open V4L2 node: buffers of the driver, mapped into this process."""

from __future__ import annotations

import mmap
import sys
from contextlib import suppress
from dataclasses import dataclass
from typing import NamedTuple

from camkeep.cameras.v4l2 import abi
from camkeep.cameras.v4l2.device import Device
from camkeep.cameras.v4l2.refusal import translate
from camkeep.clock import MonoNs
from camkeep.errors import CameraError, StreamBroken

if sys.platform != "win32":
    import fcntl

BUFFERS = 6
"""Asked of the driver, which may give another number: room for a fifth of a second at 30 fps."""
MOST_BUFFERS = 32
MOST_BYTES = 128 * 1024 * 1024
"""Most memory of one buffer; an uncompressed 8K picture has 66 MB."""


class Frame(NamedTuple):
    """One filled buffer."""

    data: bytes
    """Empty where it is damaged."""
    sequence: int
    """Counts every frame of the webcam, those that the driver dropped included."""
    stamp: MonoNs | None
    """When the driver had its first byte, None where it uses no monotonic clock."""
    damaged: bool


@dataclass(frozen=True, slots=True)
class _Buffer:
    view: mmap.mmap
    length: int


class Streaming:
    """The stream of one device, running from construction to `close`.

    Use it with `with`. Every method raises CameraError.
    """

    def __init__(self, device: Device) -> None:
        """Map the buffers, hand them to the driver and start."""
        self._fd = device.fileno()
        self._path = device.path
        self._request = bytearray(abi.BUFFER.size)
        self._buffers: list[_Buffer] = []
        try:
            for index in range(self._ask_for_buffers()):
                self._map(index)
                self._queue(index)
            fcntl.ioctl(self._fd, abi.VIDIOC_STREAMON, _CAPTURE)
        except OSError as error:
            self.close()
            raise translate(error, self._path) from None
        except CameraError:
            self.close()
            raise

    def __enter__(self) -> Streaming:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __len__(self) -> int:
        """How many buffers there are."""
        return len(self._buffers)

    def take(self) -> Frame | None:
        """The next filled buffer, copied, its memory already handed back. None where there is
        none yet."""
        data = self._request
        _pack_buffer(data, 0)
        try:
            fcntl.ioctl(self._fd, abi.VIDIOC_DQBUF, data)
        except BlockingIOError:
            return None
        except OSError as error:
            raise translate(error, self._path) from None
        index, _, used, flags, _, seconds, micros, _, sequence, *_ = abi.BUFFER.unpack(data)
        if index >= len(self._buffers):
            raise StreamBroken("the webcam's driver named a buffer that there is not")
        buffer = self._buffers[index]
        damaged = flags & abi.BUF_FLAG_ERROR != 0
        filled = b"" if damaged else buffer.view[: min(used, buffer.length)]
        try:
            self._queue(index)
        except OSError as error:
            raise translate(error, self._path) from None
        clock = flags & abi.BUF_FLAG_TIMESTAMP_MASK
        monotonic = clock == abi.BUF_FLAG_TIMESTAMP_MONOTONIC
        stamp = MonoNs((seconds * 1_000_000 + micros) * 1000) if monotonic else None
        return Frame(filled, sequence, stamp, damaged)

    def close(self) -> None:
        """Stop and unmap, whatever state the webcam is in. May be called twice."""
        with suppress(OSError):  # the webcam may be gone; its memory is freed in any case
            fcntl.ioctl(self._fd, abi.VIDIOC_STREAMOFF, _CAPTURE)
        for buffer in self._buffers:
            buffer.view.close()
        self._buffers = []
        with suppress(OSError):
            fcntl.ioctl(self._fd, abi.VIDIOC_REQBUFS, _pack_request(0))

    def _ask_for_buffers(self) -> int:
        data = _pack_request(BUFFERS)
        fcntl.ioctl(self._fd, abi.VIDIOC_REQBUFS, data)
        given: int = abi.REQUESTBUFFERS.unpack(data)[0]
        if given < 1:
            raise StreamBroken("the webcam's driver has no memory for pictures")
        return min(given, MOST_BUFFERS)

    def _map(self, index: int) -> None:
        data = bytearray(abi.BUFFER.size)
        _pack_buffer(data, index)
        fcntl.ioctl(self._fd, abi.VIDIOC_QUERYBUF, data)
        *_, offset, length, _, _ = abi.BUFFER.unpack(data)
        if not 0 < length <= MOST_BYTES:
            raise StreamBroken(f"the webcam's driver asks for pictures of {length} bytes")
        readable = mmap.PROT_READ | mmap.PROT_WRITE  # some drivers insist on both
        view = mmap.mmap(self._fd, length, mmap.MAP_SHARED, readable, offset=offset)
        self._buffers.append(_Buffer(view, length))

    def _queue(self, index: int) -> None:
        data = self._request
        _pack_buffer(data, index)
        fcntl.ioctl(self._fd, abi.VIDIOC_QBUF, data)


_CAPTURE = abi.INT.pack(abi.BUF_TYPE_VIDEO_CAPTURE)


def _pack_request(count: int) -> bytearray:
    kind, memory = abi.BUF_TYPE_VIDEO_CAPTURE, abi.MEMORY_MMAP
    return bytearray(abi.REQUESTBUFFERS.pack(count, kind, memory, 0, 0))


def _pack_buffer(data: bytearray, index: int) -> None:
    """A `v4l2_buffer` that names a buffer and leaves the rest to the driver."""
    kind = abi.BUF_TYPE_VIDEO_CAPTURE
    abi.BUFFER.pack_into(data, 0, index, kind, 0, 0, 0, 0, 0, b"", 0, abi.MEMORY_MMAP, 0, 0, 0, 0)
