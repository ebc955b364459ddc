"""What the webcams of this machine are and offer."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from camkeep.cameras.v4l2 import abi
from camkeep.cameras.v4l2.device import Device, text
from camkeep.cameras.v4l2.offer import Control, ControlKind, Format, Rates, Size, SizeRange
from camkeep.cameras.v4l2.refusal import system_supported
from camkeep.errors import CameraError, NotSupported

_MOST_FORMATS = 128
_MOST_SIZES = 128
_MOST_RATES = 64
_MOST_CONTROLS = 256
_MOST_MENU = 256

_KINDS = {
    abi.CTRL_INTEGER: ControlKind.INTEGER,
    abi.CTRL_BOOLEAN: ControlKind.BOOLEAN,
    abi.CTRL_MENU: ControlKind.MENU,
    abi.CTRL_INTEGER_MENU: ControlKind.MENU,
    abi.CTRL_BUTTON: ControlKind.BUTTON,
    abi.CTRL_BITMASK: ControlKind.BITMASK,
}
"""64-bit, string and compound controls are left out: no webcam has them."""


@dataclass(frozen=True, slots=True)
class Webcam:
    """One webcam of this machine."""

    path: str
    """/dev/video0 ..."""
    card: str
    """What it calls itself."""
    driver: str
    bus: str
    """Where it is plugged in: the same after a restart, as long as nobody moves it."""
    formats: tuple[Format, ...] = ()
    controls: tuple[Control, ...] = ()
    trouble: str | None = None
    """Why nothing is known of its formats: it is in use, or not for this user."""

    @property
    def number(self) -> int | None:
        """What to type for it, None where its path does not end in one."""
        match = re.fullmatch(r"/dev/video([0-9]{1,5})", self.path)
        return int(match[1]) if match else None


def list_devices() -> list[Webcam]:
    """The webcams of this machine by their number. Empty where there are none.

    Nodes that give no pictures (metadata, output) are left out; a node that cannot be opened is
    listed with the reason. Raises NotSupported on a system whose webcams camkeep cannot read.
    """
    if (reason := system_supported()) is not None:
        raise NotSupported(reason)
    found = []
    for path in sorted(Path("/dev").glob("video[0-9]*"), key=lambda p: (len(p.name), p.name)):
        try:
            with Device(str(path)) as device:
                if device.capability.captures:
                    found.append(_describe(device))
        except CameraError as error:
            found.append(Webcam(str(path), _sysfs_name(path.name), "", "", trouble=error.message))
    return found


def _describe(device: Device) -> Webcam:
    driver, card, bus, _ = device.capability
    return Webcam(
        device.path, card, driver, bus, read_formats(device), tuple(read_controls(device))
    )


def _sysfs_name(node: str) -> str:
    try:
        return text(Path("/sys/class/video4linux", node, "name").read_bytes()[:64].strip())
    except OSError:
        return "unknown"


def read_formats(device: Device) -> tuple[Format, ...]:
    """Every pixel format, with its sizes and their rates."""
    found = []
    for entry in device.entries(
        abi.VIDIOC_ENUM_FMT, abi.FMTDESC, abi.BUF_TYPE_VIDEO_CAPTURE, limit=_MOST_FORMATS
    ):
        _, _, _, description, number, _ = abi.FMTDESC.unpack(entry)
        sizes = tuple(_read_sizes(device, number))
        found.append(Format(abi.fourcc_text(number), text(description), sizes))
    return tuple(found)


def _read_sizes(device: Device, number: int) -> Iterator[Size | SizeRange]:
    for entry in device.entries(
        abi.VIDIOC_ENUM_FRAMESIZES, abi.FRMSIZEENUM, number, limit=_MOST_SIZES
    ):
        _, _, kind, *fields = abi.FRMSIZEENUM.unpack(entry)
        if kind == abi.SIZE_DISCRETE:
            width, height = fields[:2]
            yield Size(width, height, _read_rates(device, number, width, height))
            continue
        low_w, high_w, step_w, low_h, high_h, step_h = fields
        rates = _read_rates(device, number, high_w, high_h)
        steps = max(1, step_w), max(1, step_h)
        yield SizeRange((low_w, low_h), (high_w, high_h), steps, rates)
        return


def _read_rates(device: Device, number: int, width: int, height: int) -> Rates:
    """The inverse of the frame intervals that the driver lists, slowest first."""
    fps = set()
    for entry in device.entries(
        abi.VIDIOC_ENUM_FRAMEINTERVALS, abi.FRMIVALENUM, number, width, height, limit=_MOST_RATES
    ):
        _, _, _, _, kind, *fields = abi.FRMIVALENUM.unpack(entry)
        shortest, longest = fields[0:2], fields[2:4]
        discrete = kind == abi.INTERVAL_DISCRETE
        for numerator, denominator in (shortest,) if discrete else (shortest, longest):
            if numerator and denominator:
                fps.add(Fraction(denominator, numerator))
        if not discrete:
            return Rates(tuple(sorted(fps)), between=len(fps) > 1)
    return Rates(tuple(sorted(fps)))


def read_controls(device: Device) -> Iterator[Control]:
    """Every control that a person can set or read, with its present value."""
    number = 0
    names: set[str] = set()
    for _ in range(_MOST_CONTROLS):
        entry = device.control_after(number)
        if entry is None:
            return
        following, kind, label, low, high, step, default, flags = abi.QUERYCTRL.unpack(entry)
        if following <= number:
            return
        number = following
        if kind not in _KINDS or flags & abi.CTRL_FLAG_DISABLED:
            continue
        name = _type_name(text(label)) or f"control_{number:x}"
        if name in names:
            name = f"{name}_{number:x}"
        names.add(name)
        readable = _KINDS[kind] is not ControlKind.BUTTON and not flags & abi.CTRL_FLAG_WRITE_ONLY
        yield Control(
            id=number,
            name=name,
            label=text(label),
            kind=_KINDS[kind],
            minimum=low,
            maximum=high,
            step=step,
            default=default,
            value=device.get_control(number) if readable else None,
            menu=_read_menu(device, number, kind, low, high),
            writable=not flags & abi.CTRL_FLAG_READ_ONLY,
            active=not flags & abi.CTRL_FLAG_INACTIVE,
        )


def _read_menu(device: Device, number: int, kind: int, low: int, high: int) -> dict[int, str]:
    menu: dict[int, str] = {}
    if _KINDS[kind] is not ControlKind.MENU:
        return menu
    for index in range(max(0, low), min(high, low + _MOST_MENU) + 1):
        item = device.menu_item(number, index)
        if item is None:
            continue
        if kind == abi.CTRL_INTEGER_MENU:
            menu[index] = str(int.from_bytes(item[:8], sys.byteorder, signed=True))
        else:
            menu[index] = text(item)
    return menu


def _type_name(label: str) -> str:
    """A driver's words as a person types them: ``White Balance, Auto`` is white_balance_auto."""
    return re.sub(r"[^a-z0-9]+", "_", label.lower()).strip("_")
