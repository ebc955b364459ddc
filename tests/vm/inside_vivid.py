"""The V4L2 layer on vivid, the kernel's virtual camera: raw formats, every kind of control, and
faults that it injects on request."""

from __future__ import annotations

import asyncio
import time

import pytest
from capture import PATIENCE_S, collect, webcam
from drivers import load, unload

from camkeep.cameras.v4l2 import list_devices
from camkeep.cameras.v4l2.device import Device
from camkeep.cameras.v4l2.offer import ControlKind, Size
from camkeep.cameras.v4l2.source import pump, set_controls
from camkeep.cameras.v4l2.streaming import Frame, Streaming
from camkeep.errors import CameraError, NotSupported, StreamBroken, Unreachable, UsageError


async def frames(device: Device, count: int) -> list[Frame]:
    """The first `count` buffers of a raw stream."""
    device.set_format("YUYV", 320, 180)
    found: list[Frame] = []
    enough = asyncio.Event()

    def take(frame: Frame) -> bool:
        found.append(frame)
        if len(found) >= count:
            enough.set()
        return True

    session = asyncio.ensure_future(pump(device, take, 5.0))
    waiting = asyncio.ensure_future(enough.wait())
    try:
        async with asyncio.timeout(PATIENCE_S):
            await asyncio.wait((session, waiting), return_when=asyncio.FIRST_COMPLETED)
        if session.done():
            session.result()
    finally:
        session.cancel()
        waiting.cancel()
        await asyncio.gather(session, waiting, return_exceptions=True)
    return found[:count]


def test_lists_formats_sizes_and_rates(vivid: str) -> None:
    (found,) = list_devices()
    assert (found.path, found.driver, found.number) == (vivid, "vivid", 40)
    assert found.trouble is None
    yuyv = next(entry for entry in found.formats if entry.code == "YUYV")
    assert yuyv.kind is None
    assert "320x180" in [str(size) for size in yuyv.sizes]
    assert all(isinstance(size, Size) and size.rates.fps for size in yuyv.sizes)


def test_lists_every_kind_of_control(vivid: str) -> None:
    (found,) = list_devices()
    controls = {control.name: control for control in found.controls}
    assert {control.kind for control in found.controls} == set(ControlKind)
    assert (controls["brightness"].minimum, controls["brightness"].maximum) == (0, 255)
    assert controls["menu"].menu[3] == "Menu Item 3"
    assert set(controls["integer_menu"].menu.values()) >= {"2", "42"}
    assert not controls["read_only_integer_32_bits"].writable
    assert controls["button"].value is None


async def test_sets_every_kind_of_control(vivid: str) -> None:
    source = webcam(vivid)
    wanted = {
        "brightness": "17", "boolean": "off", "menu": "Menu Item 4", "integer_menu": "42",
        "bitmask": "0x80002000",
    }  # fmt: skip
    for name, value in wanted.items():
        await source.set_control(name, value)
    await source.set_control("button", 1)
    now = {control.name: control for control in await source.controls()}
    assert now["brightness"].value == 17
    assert now["boolean"].value == 0
    assert now["menu"].value == 4
    assert now["integer_menu"].menu[now["integer_menu"].value or 0] == "42"
    assert (now["bitmask"].value or 0) & 0xFFFFFFFF == 0x80002000
    with pytest.raises(UsageError, match="menu cannot be 2: it takes one of"):
        await source.set_control("menu", 2)
    with pytest.raises(UsageError, match="integer_menu cannot be 7: it takes one of 2, 3, 5, 8"):
        await source.set_control("integer_menu", 7)
    with pytest.raises(UsageError, match="can only be read"):
        await source.set_control("read_only_integer_32_bits", 2)


async def test_a_webcam_with_raw_pictures_only_is_refused_with_the_reason(vivid: str) -> None:
    with pytest.raises(NotSupported, match=r"only uncompressed pictures .*does not compress"):
        await collect(webcam(vivid), 1)


def test_reads_back_what_was_granted(vivid: str) -> None:
    with Device(vivid) as device:
        granted = device.set_format("YUYV", 641, 479)
        assert granted == device.get_format()
        assert (granted.width, granted.height) != (641, 479)
        fps = device.get_fps()
        assert fps is not None
        device.set_fps(fps / 2)
        assert device.get_fps() != fps


async def test_pictures_carry_monotonic_time_and_sequence(vivid: str) -> None:
    with Device(vivid) as device:
        before = time.monotonic_ns()
        found = await frames(device, 6)
    assert [len(frame.data) for frame in found] == [320 * 180 * 2] * 6
    stamps = [frame.stamp for frame in found]
    assert None not in stamps
    assert stamps == sorted(set(stamps), key=lambda stamp: stamp or 0)
    assert before < (stamps[0] or 0) < time.monotonic_ns()


async def test_injected_buffer_errors_are_seen(vivid: str) -> None:
    with Device(vivid) as device:
        device.set_format("YUYV", 320, 180)
        hurt = asyncio.Event()
        good = asyncio.Event()

        def take(frame: Frame) -> bool:
            if frame.damaged:
                assert frame.data == b""
                hurt.set()
            elif hurt.is_set():
                good.set()
            else:
                set_controls(device, {"inject_v4l2_buf_flag_error": 1})
            return True

        session = asyncio.ensure_future(pump(device, take, 5.0))
        async with asyncio.timeout(PATIENCE_S):
            await good.wait()
        session.cancel()
        await asyncio.gather(session, return_exceptions=True)


async def test_dropped_buffers_leave_holes_in_the_sequence(vivid: str) -> None:
    with Device(vivid) as device:
        set_controls(device, {"percentage_of_dropped_buffers": 50})
        numbers = [frame.sequence for frame in await frames(device, 12)]
    assert numbers == sorted(set(numbers))
    assert numbers[-1] - numbers[0] > 11


@pytest.mark.parametrize("call", ["vidioc_reqbufs", "vidioc_streamon"])
async def test_a_driver_that_fails_to_start_is_one_sentence(vivid: str, call: str) -> None:
    with Device(vivid) as device:
        set_controls(device, {f"inject_{call}_error": 1})
        with pytest.raises(CameraError):
            await frames(device, 1)
        assert len(await frames(device, 2)) == 2, "and the next attempt is a new one"


async def test_disconnected_while_it_streams_and_loaded_again(vivid: str) -> None:
    with Device(vivid) as device:
        device.set_format("YUYV", 320, 180)

        def take(frame: Frame) -> bool:
            with Device(vivid) as other:
                set_controls(other, {"disconnect": 1})
            return True

        with pytest.raises(StreamBroken, match="unplugged"):
            await pump(device, take, 5.0)
    unload("vivid")
    with pytest.raises(Unreachable, match="is it plugged in"):
        Device(vivid)
    load("vivid", "n_devs=1", "node_types=0x1", "vid_cap_nr=40")
    with Device(vivid) as device:
        assert len(await frames(device, 2)) == 2


def test_a_stream_in_use_is_busy(vivid: str) -> None:
    with Device(vivid) as first, Device(vivid) as second:
        first.set_format("YUYV", 320, 180)
        with (
            Streaming(first),
            pytest.raises(Unreachable, match="is busy"),
            Streaming(second),
        ):
            pass
