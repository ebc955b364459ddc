"""Our V4L2 structures against those of the kernel's header, as gcc lays them out."""

from __future__ import annotations

import subprocess
from pathlib import Path
from struct import Struct

import pytest

from camkeep.cameras.v4l2 import abi

STRUCTS = {
    "v4l2_capability": (
        abi.CAPABILITY,
        "driver card bus_info version capabilities device_caps",
    ),
    "v4l2_fmtdesc": (abi.FMTDESC, "index type flags description pixelformat mbus_code"),
    "v4l2_frmsizeenum": (
        abi.FRMSIZEENUM,
        "index pixel_format type stepwise.min_width stepwise.max_width stepwise.step_width "
        "stepwise.min_height stepwise.max_height stepwise.step_height",
    ),
    "v4l2_frmivalenum": (
        abi.FRMIVALENUM,
        "index pixel_format width height type stepwise.min.numerator stepwise.min.denominator "
        "stepwise.max.numerator stepwise.max.denominator stepwise.step.numerator "
        "stepwise.step.denominator",
    ),
    "v4l2_format": (
        abi.FORMAT,
        "type fmt.pix.width fmt.pix.height fmt.pix.pixelformat fmt.pix.field "
        "fmt.pix.bytesperline fmt.pix.sizeimage fmt.pix.colorspace fmt.pix.priv fmt.pix.flags "
        "fmt.pix.ycbcr_enc fmt.pix.quantization fmt.pix.xfer_func",
    ),
    "v4l2_streamparm": (
        abi.STREAMPARM,
        "type parm.capture.capability parm.capture.capturemode "
        "parm.capture.timeperframe.numerator parm.capture.timeperframe.denominator "
        "parm.capture.extendedmode parm.capture.readbuffers",
    ),
    "v4l2_requestbuffers": (abi.REQUESTBUFFERS, "count type memory capabilities flags"),
    "v4l2_buffer": (
        abi.BUFFER,
        "index type bytesused flags field timestamp.tv_sec timestamp.tv_usec timecode sequence "
        "memory m.offset length reserved2 request_fd",
    ),
    "v4l2_queryctrl": (
        abi.QUERYCTRL,
        "id type name minimum maximum step default_value flags",
    ),
    "v4l2_querymenu": (abi.QUERYMENU, "id index name reserved"),
    "v4l2_control": (abi.CONTROL, "id value"),
}
REQUESTS = [name for name in dir(abi) if name.startswith("VIDIOC_")]
CONSTANTS = {
    "BUF_TYPE_VIDEO_CAPTURE": "V4L2_BUF_TYPE_VIDEO_CAPTURE",
    "MEMORY_MMAP": "V4L2_MEMORY_MMAP",
    "FIELD_ANY": "V4L2_FIELD_ANY",
    "CAP_VIDEO_CAPTURE": "V4L2_CAP_VIDEO_CAPTURE",
    "CAP_STREAMING": "V4L2_CAP_STREAMING",
    "CAP_DEVICE_CAPS": "V4L2_CAP_DEVICE_CAPS",
    "CAP_TIMEPERFRAME": "V4L2_CAP_TIMEPERFRAME",
    "BUF_FLAG_ERROR": "V4L2_BUF_FLAG_ERROR",
    "BUF_FLAG_TIMESTAMP_MASK": "V4L2_BUF_FLAG_TIMESTAMP_MASK",
    "BUF_FLAG_TIMESTAMP_MONOTONIC": "V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC",
    "SIZE_DISCRETE": "V4L2_FRMSIZE_TYPE_DISCRETE",
    "INTERVAL_DISCRETE": "V4L2_FRMIVAL_TYPE_DISCRETE",
    "CTRL_INTEGER": "V4L2_CTRL_TYPE_INTEGER",
    "CTRL_BOOLEAN": "V4L2_CTRL_TYPE_BOOLEAN",
    "CTRL_MENU": "V4L2_CTRL_TYPE_MENU",
    "CTRL_BUTTON": "V4L2_CTRL_TYPE_BUTTON",
    "CTRL_BITMASK": "V4L2_CTRL_TYPE_BITMASK",
    "CTRL_INTEGER_MENU": "V4L2_CTRL_TYPE_INTEGER_MENU",
    "CTRL_FLAG_DISABLED": "V4L2_CTRL_FLAG_DISABLED",
    "CTRL_FLAG_READ_ONLY": "V4L2_CTRL_FLAG_READ_ONLY",
    "CTRL_FLAG_INACTIVE": "V4L2_CTRL_FLAG_INACTIVE",
    "CTRL_FLAG_WRITE_ONLY": "V4L2_CTRL_FLAG_WRITE_ONLY",
    "CTRL_FLAG_NEXT_CTRL": "V4L2_CTRL_FLAG_NEXT_CTRL",
}
FOURCC = {"MJPG": "MJPEG", "JPEG": "JPEG", "H264": "H264", "YUYV": "YUYV", "Y16": "Y16"}


@pytest.fixture(scope="module")
def header(tmp_path_factory: pytest.TempPathFactory) -> dict[str, int]:
    """Sizes, offsets and numbers, by what the C program calls them."""
    lines = []
    for name, (_, fields) in STRUCTS.items():
        lines.append(f'P("{name}", sizeof(struct {name}))')
        lines += [f'P("{name} {f}", offsetof(struct {name}, {f}))' for f in fields.split()]
    lines += [f'P("{name}", {name})' for name in (*REQUESTS, *CONSTANTS.values())]
    lines += [f'P("{name}", V4L2_PIX_FMT_{name})' for name in FOURCC.values()]
    source = (
        "#include <stddef.h>\n#include <stdio.h>\n#include <linux/videodev2.h>\n"
        '#define P(name, value) printf("%s=%lu\\n", name, (unsigned long)(value));\n'
        "int main(void) {\n" + "\n".join(lines) + "\nreturn 0; }\n"
    )
    folder = tmp_path_factory.mktemp("abi")
    path = folder / "abi.c"
    path.write_text(source)
    program = folder / "abi"
    subprocess.run(["gcc", "-w", "-o", str(program), str(path)], check=True)
    printed = subprocess.run([str(program)], check=True, capture_output=True, text=True).stdout
    pairs = (line.split("=") for line in printed.splitlines())
    return {name: int(value) for name, value in pairs}


def offsets(layout: Struct) -> list[int]:
    """Where each field of `layout` begins."""
    blank = layout.unpack(bytes(layout.size))
    found = []
    for index, value in enumerate(blank):
        marked = [*blank]
        marked[index] = b"\x01" if isinstance(value, bytes) else 1
        found.append(layout.pack(*marked).find(b"\x01"))
    return found


@pytest.mark.parametrize("name", STRUCTS)
def test_layout_is_the_compilers(name: str, header: dict[str, int]) -> None:
    layout, fields = STRUCTS[name]
    assert layout.size == header[name]
    expected = [header[f"{name} {field}"] for field in fields.split()]
    assert offsets(layout) == expected


@pytest.mark.parametrize("name", REQUESTS)
def test_request_number_is_the_headers(name: str, header: dict[str, int]) -> None:
    assert getattr(abi, name) == header[name]


@pytest.mark.parametrize("ours", CONSTANTS)
def test_constant_is_the_headers(ours: str, header: dict[str, int]) -> None:
    assert getattr(abi, ours) == header[CONSTANTS[ours]] & 0xFFFFFFFF


@pytest.mark.parametrize("code", FOURCC)
def test_fourcc_is_the_headers(code: str, header: dict[str, int]) -> None:
    number = abi.fourcc(code.ljust(4))
    assert number == header[FOURCC[code]]
    assert abi.fourcc_text(number) == code
    assert abi.fourcc_text(number | 1 << 31) == code


def test_unprintable_fourcc_is_shown_with_question_marks() -> None:
    assert abi.fourcc_text(0x00010A41) == "A???"


def test_the_video4linux_major_is_the_kernels() -> None:
    listed = Path("/proc/devices").read_text()
    known = [line.split()[0] for line in listed.splitlines() if line.endswith(" video4linux")]
    assert known in ([], [str(abi.MAJOR)])
