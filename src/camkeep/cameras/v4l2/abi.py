"""The kernel's V4L2 interface as numbers and struct layouts. Pure: nothing here is called.

From linux/videodev2.h, whose layouts are frozen. Native alignment (`@`) gives the layout that
the C compiler would give, so 32-bit systems get the 64-bit-time variants of Linux 5.6 and later.
"""

from __future__ import annotations

from struct import Struct

BUF_TYPE_VIDEO_CAPTURE = 1
MEMORY_MMAP = 1
FIELD_ANY = 0
MAJOR = 81
"""Device number of every video4linux node."""

CAP_VIDEO_CAPTURE = 0x00000001
CAP_STREAMING = 0x04000000
CAP_DEVICE_CAPS = 0x80000000
CAP_TIMEPERFRAME = 0x1000

BUF_FLAG_ERROR = 0x00000040
BUF_FLAG_TIMESTAMP_MASK = 0x0000E000
BUF_FLAG_TIMESTAMP_MONOTONIC = 0x00002000

SIZE_DISCRETE = 1
INTERVAL_DISCRETE = 1

CTRL_INTEGER = 1
CTRL_BOOLEAN = 2
CTRL_MENU = 3
CTRL_BUTTON = 4
CTRL_CLASS = 6
CTRL_BITMASK = 8
CTRL_INTEGER_MENU = 9

CTRL_FLAG_DISABLED = 0x0001
CTRL_FLAG_READ_ONLY = 0x0004
CTRL_FLAG_INACTIVE = 0x0010
CTRL_FLAG_WRITE_ONLY = 0x0040
CTRL_FLAG_NEXT_CTRL = 0x80000000

CAPABILITY = Struct("@16s32s32s3I12x")
"""driver, card, bus_info, version, capabilities, device_caps"""
FMTDESC = Struct("@3I32s2I12x")
"""index, type, flags, description, pixelformat, mbus_code"""
FRMSIZEENUM = Struct("@9I8x")
"""index, pixel_format, type, then width, height or min, max, step of width and of height"""
FRMIVALENUM = Struct("@11I8x")
"""index, pixel_format, width, height, type, then numerator and denominator of min, max, step"""
FORMAT = Struct("@I0P12I152x")
"""type, then v4l2_pix_format: width, height, pixelformat, field, bytesperline, sizeimage,
colorspace, priv, flags, ycbcr_enc, quantization, xfer_func"""
STREAMPARM = Struct("@7I176x")
"""type, then v4l2_captureparm: capability, capturemode, numerator, denominator of the time per
frame, extendedmode, readbuffers"""
REQUESTBUFFERS = Struct("@4IB3x")
"""count, type, memory, capabilities, flags"""
BUFFER = Struct("@5I2q16s2IL3I0q")
"""index, type, bytesused, flags, field, seconds, microseconds, timecode, sequence, memory,
offset, length, reserved2, request_fd"""
QUERYCTRL = Struct("@2I32s4iI8x")
"""id, type, name, minimum, maximum, step, default, flags"""
QUERYMENU = Struct("@2I32sI")
"""id, index, name (or a 64-bit value in its first bytes), reserved"""
CONTROL = Struct("@Ii")
"""id, value"""
INT = Struct("@i")


def _ioc(direction: int, number: int, layout: Struct) -> int:
    """asm-generic/ioctl.h, as all but a few architectures have it: see `USUAL_MACHINES`."""
    return direction << 30 | layout.size << 16 | ord("V") << 8 | number


_W, _R, _WR = 1, 2, 3

VIDIOC_QUERYCAP = _ioc(_R, 0, CAPABILITY)
VIDIOC_ENUM_FMT = _ioc(_WR, 2, FMTDESC)
VIDIOC_G_FMT = _ioc(_WR, 4, FORMAT)
VIDIOC_S_FMT = _ioc(_WR, 5, FORMAT)
VIDIOC_REQBUFS = _ioc(_WR, 8, REQUESTBUFFERS)
VIDIOC_QUERYBUF = _ioc(_WR, 9, BUFFER)
VIDIOC_QBUF = _ioc(_WR, 15, BUFFER)
VIDIOC_DQBUF = _ioc(_WR, 17, BUFFER)
VIDIOC_STREAMON = _ioc(_W, 18, INT)
VIDIOC_STREAMOFF = _ioc(_W, 19, INT)
VIDIOC_G_PARM = _ioc(_WR, 21, STREAMPARM)
VIDIOC_S_PARM = _ioc(_WR, 22, STREAMPARM)
VIDIOC_G_CTRL = _ioc(_WR, 27, CONTROL)
VIDIOC_S_CTRL = _ioc(_WR, 28, CONTROL)
VIDIOC_QUERYCTRL = _ioc(_WR, 36, QUERYCTRL)
VIDIOC_QUERYMENU = _ioc(_WR, 37, QUERYMENU)
VIDIOC_ENUM_FRAMESIZES = _ioc(_WR, 74, FRMSIZEENUM)
VIDIOC_ENUM_FRAMEINTERVALS = _ioc(_WR, 75, FRMIVALENUM)

USUAL_MACHINES = (
    "x86_64", "i386", "i486", "i586", "i686", "aarch64", "arm", "riscv", "loongarch", "s390x",
)  # fmt: skip
"""How `platform.machine()` begins where ioctl numbers are built as above; not on MIPS, PowerPC,
SPARC, Alpha and PA-RISC."""


def fourcc(code: str) -> int:
    """A pixel format's number, from its four characters."""
    return int.from_bytes(code.encode("ascii"), "little")


def fourcc_text(number: int) -> str:
    """A pixel format's characters; anything unprintable becomes a question mark."""
    raw = (number & 0x7FFFFFFF).to_bytes(4, "little")  # bit 31 marks big-endian variants
    return "".join(chr(byte) if 32 <= byte < 127 else "?" for byte in raw).rstrip()
