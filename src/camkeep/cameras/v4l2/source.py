"""A webcam as a source of samples: what the kernel's buffers hold, with the kernel's time.

The event loop says when a buffer is filled; there is no thread. Which format is asked for is
decided in `offer`; uncompressed pictures are not for this module.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import NoReturn

from camkeep.cameras.address import Address
from camkeep.cameras.source import Notes, Sink, SourceOptions
from camkeep.cameras.v4l2.device import Device
from camkeep.cameras.v4l2.intake import H264Reader, Intake, JpegReader
from camkeep.cameras.v4l2.listing import read_controls, read_formats
from camkeep.cameras.v4l2.offer import (
    H264,
    MJPG,
    Choice,
    Control,
    Wanted,
    choose,
    parse_options,
    size_refused,
)
from camkeep.cameras.v4l2.streaming import Frame, Streaming
from camkeep.errors import (
    NotSupported,
    Stalled,
    StreamBroken,
    UsageError,
    WrongProtocol,
)
from camkeep.model import Sample

_SETTLE_FRAMES = 2
"""Pictures that a snapshot passes over while the webcam finds its exposure."""
_MOST_IDLE = 1000
"""Wake-ups in a row without a buffer before a driver counts as broken."""

Take = Callable[[Frame], bool]
"""Takes each buffer; says whether it was of use."""


class V4l2Source:
    """A webcam of this machine. Its address may ask: ``?size=1280x720&fps=30&format=mjpg``, and
    for controls by name, ``&brightness=120``."""

    def __init__(self, address: Address, options: SourceOptions) -> None:
        """Raises UsageError where the address asks for what makes no sense."""
        self._address = address
        self._options = options
        self._wanted = parse_options(address.options)

    @property
    def address(self) -> Address:
        return self._address

    async def run(self, sink: Sink, notes: Notes) -> NoReturn:
        """Open the webcam and hand on what it sends.

        Beside CameraError, raises UsageError where the address names a control or value that
        the webcam has not.
        """
        await self._session(self._wanted, sink, notes)

    async def _session(self, wanted: Wanted, sink: Sink, notes: Notes) -> NoReturn:
        with Device(self._address.path) as device:
            choice = configure(device, wanted)
            notes.product = device.capability.card
            notes.transport = "V4L2"
            fps = device.get_fps()
            notes.promised_fps = float(fps) if fps else None
            reader = H264Reader if choice.format.kind == H264 else JpegReader
            intake = Intake(reader(), self._options.clock, sink, notes)
            await pump(device, intake.take, self._options.stall_s)

    async def snapshot(self, notes: Notes) -> bytes:
        """One JPEG, after the first few, while which the webcam finds its exposure."""
        if self._wanted.kind == H264:
            raise NotSupported("H.264 has no JPEG: leave out format=h264 for a snapshot")
        wanted = replace(self._wanted, kind=MJPG)
        picture: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        left = _SETTLE_FRAMES

        def take(sample: Sample) -> None:
            nonlocal left
            if left == 0 and not picture.done():
                picture.set_result(sample.data)
            left = max(0, left - 1)

        session = asyncio.ensure_future(self._session(wanted, take, notes))
        try:
            await asyncio.wait((session, picture), return_when=asyncio.FIRST_COMPLETED)
            return picture.result() if picture.done() else session.result()
        finally:
            session.cancel()
            await asyncio.gather(session, return_exceptions=True)

    async def controls(self) -> list[Control]:
        """Its settings, such as brightness, with their ranges and present values."""
        with Device(self._address.path) as device:
            return list(read_controls(device))

    async def set_control(self, name: str, value: int | str) -> None:
        """Set one, by its name; also while it streams.

        Raises UsageError with what there is where the name or value is wrong.
        """
        with Device(self._address.path) as device:
            set_controls(device, {name: value})


def configure(device: Device, wanted: Wanted) -> Choice:
    """Set pixel format, then size, then rate, then controls, and read back what was granted.

    Raises NotSupported where the webcam has not got or does not grant what is wanted,
    UsageError for controls.
    """
    if not device.capability.captures:
        raise WrongProtocol(f"{device.path} gives no pictures: it is another node of a webcam")
    choice = choose(read_formats(device), wanted)
    granted = device.set_format(choice.format.code, choice.width, choice.height)
    if granted.code != choice.format.code:
        raise NotSupported(
            f"the webcam was asked for {choice.format.code} and set {granted.code}: "
            "try another format or size"
        )
    if wanted.size is not None and (granted.width, granted.height) != wanted.size:
        raise size_refused(wanted.size, choice.format)
    if choice.fps is not None:
        device.set_fps(choice.fps)
    set_controls(device, wanted.controls)
    return choice


def set_controls(device: Device, values: Mapping[str, int | str]) -> None:
    """Set controls by name. Nothing is set where one of the names or values is wrong."""
    if not values:
        return
    known = {control.name: control for control in read_controls(device)}
    numbers = []
    for name, value in values.items():
        control = known.get(name.lower())
        if control is None:
            have = ", ".join(known) or "none"
            raise UsageError(
                f"the webcam has no setting {name!r}: there are size, fps, format, and its "
                f"controls: {have}"
            )
        if not control.writable:
            raise UsageError(f"{control.name} can only be read")
        numbers.append((control.id, control.parse(value)))
    for number, value in numbers:
        device.set_control(number, value)


async def pump(device: Device, take: Take, stall_s: float) -> NoReturn:
    """Start `device` and hand each buffer to `take` until cancelled.

    Raises Stalled where none was of use for `stall_s` seconds, or what ended the stream.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[NoReturn] = loop.create_future()
    last_use = loop.time()
    idle = 0

    def drain() -> int:
        """Take what is there, but no more than there are buffers: others want the loop, too."""
        nonlocal last_use
        for count in range(len(stream)):
            frame = stream.take()
            if frame is None:
                return count
            if take(frame):
                last_use = loop.time()
        return len(stream)

    def readable() -> None:
        nonlocal idle
        try:
            idle = 0 if drain() else idle + 1
            if idle > _MOST_IDLE:
                raise StreamBroken("the webcam's driver announces pictures and has none")
        except Exception as error:  # noqa: BLE001 - it comes out of pump()
            loop.remove_reader(device.fileno())
            done.set_exception(error)
            done.exception()  # seen: pump() may be cancelled before it looks

    with Streaming(device) as stream:
        try:
            loop.add_reader(device.fileno(), readable)
            for _ in range(len(stream)):
                # v4l2loopback 0.12 never wakes who began to wait while a picture was there
                if not drain():
                    break
                loop.remove_reader(device.fileno())
                loop.add_reader(device.fileno(), readable)
            while True:
                left = last_use + stall_s - loop.time()
                if left <= 0:
                    raise Stalled(f"the webcam has sent no picture for {stall_s:g} s")
                await asyncio.wait((done,), timeout=left)
                if done.done():
                    done.result()
        finally:
            loop.remove_reader(device.fileno())
            done.cancel()
