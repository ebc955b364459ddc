"""One V4L2 device node: a thin layer over the ioctls that ask and set; `streaming` has the rest.

Nothing here waits for pictures (the node is opened non-blocking), but opening and setting a
format talk to the hardware and take what that takes, as a rule a few milliseconds.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
from collections.abc import Iterator
from fractions import Fraction
from struct import Struct
from typing import NamedTuple

from camkeep.cameras.v4l2 import abi
from camkeep.cameras.v4l2.refusal import system_supported, translate
from camkeep.errors import (
    NotFound,
    NotSupported,
    UsageError,
    WrongProtocol,
)

if sys.platform != "win32":
    import fcntl


class Capability(NamedTuple):
    """What the node says of itself."""

    driver: str
    card: str
    bus: str
    captures: bool
    """Whether it gives pictures as a stream: False for metadata and output nodes."""


class Granted(NamedTuple):
    """The format that the driver set."""

    code: str
    width: int
    height: int


class Device:
    """An open node. Every method raises CameraError. Close it, or use it with `with`."""

    def __init__(self, path: str) -> None:
        """Open the node at `path`.

        Raises NotFound or WrongProtocol where it is no webcam, NotSupported where this system
        or user has no webcams, Unreachable where it is not there or in use.
        """
        if (reason := system_supported()) is not None:
            raise NotSupported(reason)
        self.path = path
        self._fd = -1
        try:
            kind = os.stat(path)  # noqa: PTH116 - as with all here, the system call is meant
            if not stat.S_ISCHR(kind.st_mode) or os.major(kind.st_rdev) != abi.MAJOR:
                raise WrongProtocol(f"{path} is not a webcam")
            self._fd = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
            self.capability = self._query_capability()
        except (OSError, ValueError) as error:
            self.close()
            if isinstance(error, ValueError):
                raise NotFound("a device's path holds no null characters") from None
            if error.errno == errno.ENODEV:
                raise translate(FileNotFoundError(errno.ENOENT, ""), path) from None
            raise translate(error, path) from None

    def __enter__(self) -> Device:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def fileno(self) -> int:
        """For the event loop: readable when a buffer is filled or the webcam is gone."""
        return self._fd

    def close(self) -> None:
        """Give it back. May be called twice."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    # formats

    def set_format(self, code: str, width: int, height: int) -> Granted:
        """Ask for a pixel format and size; what the driver made of it."""
        data = _pack_format(width, height, abi.fourcc(code))
        self._ioctl(abi.VIDIOC_S_FMT, data)
        return _granted(data)

    def get_format(self) -> Granted:
        """The format that is set."""
        data = _pack_format(0, 0, 0)
        self._ioctl(abi.VIDIOC_G_FMT, data)
        return _granted(data)

    def set_fps(self, fps: Fraction) -> None:
        """Ask for a frame rate, which drivers may change or pass over: see `get_fps`."""
        data = _pack(
            abi.STREAMPARM, abi.BUF_TYPE_VIDEO_CAPTURE, 0, 0, fps.denominator, fps.numerator
        )
        self._try(abi.VIDIOC_S_PARM, data)

    def get_fps(self) -> Fraction | None:
        """The frame rate that is set, None where the driver does not say."""
        data = _pack(abi.STREAMPARM, abi.BUF_TYPE_VIDEO_CAPTURE)
        if not self._try(abi.VIDIOC_G_PARM, data):
            return None
        _, capability, _, numerator, denominator, _, _ = abi.STREAMPARM.unpack(data)
        if not capability & abi.CAP_TIMEPERFRAME or not numerator or not denominator:
            return None
        return Fraction(denominator, numerator)

    def entries(self, request: int, layout: Struct, *head: int, limit: int) -> Iterator[bytes]:
        """The answers to one of the requests that count an index up, `head` behind the index."""
        for index in range(limit):
            data = _pack(layout, index, *head)
            if not self._try(request, data):
                return
            yield bytes(data)

    # controls

    def control_after(self, number: int) -> bytes | None:
        """The `v4l2_queryctrl` of the first control whose id is above `number`."""
        data = _pack(abi.QUERYCTRL, number | abi.CTRL_FLAG_NEXT_CTRL)
        return bytes(data) if self._try(abi.VIDIOC_QUERYCTRL, data) else None

    def menu_item(self, number: int, index: int) -> bytes | None:
        """The 32 bytes that a menu says for one of its items, None where it has a hole."""
        data = _pack(abi.QUERYMENU, number, index)
        if not self._try(abi.VIDIOC_QUERYMENU, data):
            return None
        text: bytes = abi.QUERYMENU.unpack(data)[2]
        return text

    def get_control(self, number: int) -> int | None:
        """The value of a control, None where it cannot be read now."""
        data = _pack(abi.CONTROL, number)
        if not self._try(abi.VIDIOC_G_CTRL, data):
            return None
        value: int = abi.CONTROL.unpack(data)[1]
        return value

    def set_control(self, number: int, value: int) -> None:
        """Set a control. Raises UsageError where the driver refuses it."""
        if value > 0x7FFFFFFF:
            value -= 1 << 32  # a bit mask's highest bit
        try:
            fcntl.ioctl(self._fd, abi.VIDIOC_S_CTRL, abi.CONTROL.pack(number, value))
        except OSError as error:
            refused = (errno.EINVAL, errno.ERANGE, errno.EACCES, errno.EBUSY)
            if error.errno in refused:
                raise UsageError(f"the webcam refused the value: {error.strerror}") from None
            raise translate(error, self.path) from None

    # requests

    def _query_capability(self) -> Capability:
        data = bytearray(abi.CAPABILITY.size)
        fcntl.ioctl(self._fd, abi.VIDIOC_QUERYCAP, data)
        driver, card, bus, _, all_nodes, this_node = abi.CAPABILITY.unpack(data)
        able = this_node if all_nodes & abi.CAP_DEVICE_CAPS else all_nodes
        needed = abi.CAP_VIDEO_CAPTURE | abi.CAP_STREAMING
        return Capability(text(driver), text(card), text(bus), able & needed == needed)

    def _ioctl(self, request: int, data: bytearray) -> None:
        try:
            fcntl.ioctl(self._fd, request, data)
        except OSError as error:
            raise translate(error, self.path) from None

    def _try(self, request: int, data: bytearray) -> bool:
        """A request that the driver may not know or may deny; only a lost webcam is an error."""
        try:
            fcntl.ioctl(self._fd, request, data)
        except OSError as error:
            if error.errno == errno.ENODEV:
                raise translate(error, self.path) from None
            return False
        return True


def text(raw: bytes) -> str:
    """A name in a fixed field, fit to be shown."""
    shown = raw.split(b"\0")[0].decode("utf-8", "replace")
    return "".join(char if char.isprintable() else "?" for char in shown).strip()


def _pack(layout: Struct, *values: int) -> bytearray:
    """`layout` with its first fields set to 32-bit `values` and the rest to zero."""
    data = bytearray(layout.size)
    for index, value in enumerate(values):
        data[4 * index : 4 * index + 4] = value.to_bytes(4, sys.byteorder)
    return data


def _pack_format(width: int, height: int, number: int) -> bytearray:
    pixels = (width, height, number, abi.FIELD_ANY)
    return bytearray(abi.FORMAT.pack(abi.BUF_TYPE_VIDEO_CAPTURE, *pixels, *bytes(8)))


def _granted(data: bytearray) -> Granted:
    _, width, height, number, *_ = abi.FORMAT.unpack(data)
    return Granted(abi.fourcc_text(number), width, height)
