"""V4l2Source on the kernel's driver for USB webcams, which drives a webcam made of software."""

from __future__ import annotations

import asyncio
import json
import os
import time
from fractions import Fraction
from pathlib import Path

import pytest
from capture import collect, webcam

from camkeep.cameras.source import Notes
from camkeep.cameras.trouble import Trouble
from camkeep.cameras.v4l2 import list_devices
from camkeep.cameras.v4l2.offer import Size
from camkeep.cli.main import main
from camkeep.errors import (
    NotSupported,
    Stalled,
    StreamBroken,
    Unreachable,
    UsageError,
    WrongProtocol,
)
from camkeep.media.nal import split_annexb
from camkeep.model import Codec, Sample
from support.usbcam import Stream, Webcam

SIZES = ((640, 480), (1280, 720))
NODROP = Path("/sys/module/uvcvideo/parameters/nodrop")


def mjpg(pictures: list[bytes], **more: object) -> Webcam:
    return Webcam([Stream("mjpg", pictures, SIZES)], **more)  # type: ignore[arg-type]


def open_files() -> list[str]:
    return sorted(os.listdir("/proc/self/fd"))  # noqa: PTH208 - the names are all it is about


def test_lists_what_a_webcam_offers(pictures: list[bytes], units: list[bytes]) -> None:
    with Webcam([Stream("mjpg", pictures, SIZES), Stream("h264", units, rates=(25,))]) as plugged:
        (found,) = list_devices()
    assert (found.path, found.card, found.driver) == (plugged.path, "Software Webcam", "uvcvideo")
    assert found.number == int(plugged.path.removeprefix("/dev/video"))
    assert [entry.code for entry in found.formats] == ["MJPG", "H264"]
    assert [str(size) for size in found.formats[0].sizes] == ["640x480", "1280x720"]
    (size,) = found.formats[1].sizes
    assert isinstance(size, Size)
    assert size.rates.fps == (Fraction(25),)
    (control,) = found.controls
    assert (control.name, control.minimum, control.maximum, control.value) == (
        "brightness", 0, 255, 128,
    )  # fmt: skip


def test_no_webcams_are_an_empty_list() -> None:
    assert list_devices() == []


async def test_every_picture_is_kept_byte_for_byte(pictures: list[bytes]) -> None:
    with mjpg(pictures, fps=20) as plugged:
        notes = Notes()
        samples = await collect(webcam(plugged.path), 30, notes)
        assert [sample.data for sample in samples] == plugged.sent[:30]
    assert not notes.trouble
    assert {sample.run for sample in samples} == {0}
    assert all(sample.key for sample in samples)
    assert samples[0].params.codec is Codec.JPEG
    assert (notes.product, notes.transport) == ("Software Webcam", "V4L2")


async def test_padding_behind_the_end_is_cut_off(pictures: list[bytes]) -> None:
    padded = [picture + bytes(500) for picture in pictures]
    with mjpg(padded) as plugged:
        notes = Notes()
        samples = await collect(webcam(plugged.path), 3, notes)
    assert [sample.data for sample in samples] == pictures[:3]
    assert not notes.trouble


async def test_bad_pictures_are_counted_and_dropped(pictures: list[bytes]) -> None:
    frames = [pictures[0], b"no picture at all", pictures[1][:-900], pictures[2]]
    with mjpg(frames) as plugged:
        notes = Notes()
        samples = await collect(webcam(plugged.path), 3, notes)
    assert [sample.data for sample in samples] == [pictures[0], pictures[2], pictures[0]]
    assert notes.trouble == {Trouble.JPEG_UNREADABLE: 1, Trouble.JPEG_NO_END: 1}


async def test_the_kernels_time_is_the_time_of_arrival(pictures: list[bytes]) -> None:
    seen: list[tuple[int, int]] = []

    def each(sample: Sample) -> None:
        seen.append((time.monotonic_ns(), time.time_ns() // 1000))

    with mjpg(pictures, fps=20) as plugged:
        before = time.monotonic_ns()
        samples = await collect(webcam(plugged.path), 20, each=each)
    arrivals = [sample.arrival for sample in samples]
    assert arrivals == sorted(arrivals)
    assert all(arrival % 1000 == 0 for arrival in arrivals), "microseconds: the kernel's"
    for sample, (mono, wall) in zip(samples, seen, strict=True):
        assert before < sample.arrival < mono
        assert sample.wall < wall
    assert [s.ticks for s in samples] == [arrival // 1000 for arrival in arrivals]


async def test_h264_arrives_unit_for_unit(pictures: list[bytes], units: list[bytes]) -> None:
    with Webcam([Stream("mjpg", pictures), Stream("h264", units)]) as plugged:
        notes = Notes()
        samples = await collect(webcam(plugged.path, "format=h264"), 25, notes)
        sent = plugged.sent[:25]
    assert not notes.trouble
    for sample, unit in zip(samples, sent, strict=True):
        nals = [nal for nal in split_annexb(unit) if nal[0] & 31 in (1, 5, 6)]
        assert sample.data == b"".join(len(nal).to_bytes(4, "big") + nal for nal in nals)
    assert [sample.key for sample in samples] == [n % 10 == 0 for n in range(25)]
    assert len({id(sample.params) for sample in samples}) == 1
    assert notes.video is not None
    assert (notes.video.codec, notes.video.width) == (Codec.H264, 320)
    assert notes.video.config[:1] == b"\1"


async def test_h264_is_taken_where_there_is_nothing_else(units: list[bytes]) -> None:
    with Webcam([Stream("h264", units)]) as plugged:
        (sample,) = await collect(webcam(plugged.path), 1)
    assert sample.params.codec is Codec.H264


async def test_h264_goes_on_at_a_key_frame_after_a_loss(units: list[bytes]) -> None:
    with Webcam([Stream("h264", units)], damaged={13}) as plugged:
        notes = Notes()
        samples = await collect(webcam(plugged.path), 20, notes)
    assert [(sample.run, sample.key) for sample in samples[12:15]] == [
        (0, False), (1, True), (1, False),
    ]  # fmt: skip
    assert notes.trouble[Trouble.FRAME_BEFORE_KEY] == 6
    assert notes.trouble[Trouble.BUFFER_LOST] == 1


async def test_size_and_rate_are_granted_as_asked(pictures: list[bytes]) -> None:
    with mjpg(pictures) as plugged:
        notes = Notes()
        await collect(webcam(plugged.path, "size=1280x720&fps=15"), 1, notes)
        assert notes.promised_fps == 15
        await collect(webcam(plugged.path, "fps=28"), 1, notes)
        assert notes.promised_fps == 30, "the nearest that it has"


async def test_a_size_that_it_has_not_is_refused_with_those_it_has(pictures: list[bytes]) -> None:
    with mjpg(pictures) as plugged:
        with pytest.raises(NotSupported, match=r"no size 800x600 .* has 640x480, 1280x720"):
            await collect(webcam(plugged.path, "size=800x600"), 1)
        with pytest.raises(NotSupported, match=r"no H264: it has MJPG"):
            await collect(webcam(plugged.path, "format=h264"), 1)


async def test_a_driver_that_silently_grants_another_size_refuses(pictures: list[bytes]) -> None:
    with mjpg(pictures, stubborn=True) as plugged:
        with pytest.raises(NotSupported, match=r"no size 1280x720"):
            await collect(webcam(plugged.path, "size=1280x720"), 1)
        assert len(await collect(webcam(plugged.path), 1)) == 1, "unasked, any size will do"


async def test_unplugged_while_it_streams_and_plugged_in_again(pictures: list[bytes]) -> None:
    plugged = mjpg(pictures)
    loop = asyncio.get_running_loop()
    with plugged:
        source = webcam(plugged.path)
        first = asyncio.Event()
        session = asyncio.ensure_future(source.run(lambda sample: first.set(), Notes()))
        await first.wait()
        await loop.run_in_executor(None, plugged.unplug)
        with pytest.raises(StreamBroken, match="the webcam was unplugged"):
            await session
        with pytest.raises(Unreachable, match="no webcam at /dev/video"):
            await collect(source, 1)
        plugged.plug()
        assert len(await collect(source, 3)) == 3


async def test_a_webcam_that_falls_silent_has_stalled(pictures: list[bytes]) -> None:
    with mjpg(pictures) as plugged:

        def each(sample: Sample) -> None:
            plugged.paused = True

        with pytest.raises(Stalled, match="no picture for 1 s"):
            await collect(webcam(plugged.path, stall_s=1), 1000, each=each)
        plugged.paused = False


async def test_two_sessions_cannot_share_a_webcam(pictures: list[bytes]) -> None:
    with mjpg(pictures) as plugged:
        first = asyncio.Event()
        session = asyncio.ensure_future(webcam(plugged.path).run(lambda _: first.set(), Notes()))
        await first.wait()
        with pytest.raises(Unreachable, match="is busy: another program uses it"):
            await collect(webcam(plugged.path), 1)
        (listed,) = list_devices()
        assert listed.formats, "listing disturbs nobody"
        assert not session.done()
        session.cancel()
        await asyncio.gather(session, return_exceptions=True)
        assert len(await collect(webcam(plugged.path), 1)) == 1


async def test_damaged_frames_are_counted(pictures: list[bytes]) -> None:
    NODROP.write_text("1")
    try:
        with mjpg(pictures, damaged={2, 5, 6}) as plugged:
            notes = Notes()
            samples = await collect(webcam(plugged.path), 8, notes)
            assert [sample.data for sample in samples] == plugged.sent[:8]
        assert notes.trouble == {Trouble.BUFFER_ERROR: 3}
    finally:
        NODROP.write_text("0")


async def test_frames_that_the_driver_drops_are_counted(pictures: list[bytes]) -> None:
    with mjpg(pictures, damaged={2, 5, 6}) as plugged:
        notes = Notes()
        samples = await collect(webcam(plugged.path), 8, notes)
        assert [sample.data for sample in samples] == plugged.sent[:8]
    assert notes.trouble == {Trouble.BUFFER_LOST: 3}
    assert {sample.run for sample in samples} == {0}, "a JPEG depends on no other"


async def test_controls_by_name_while_it_streams(pictures: list[bytes]) -> None:
    with mjpg(pictures) as plugged:
        source = webcam(plugged.path, "brightness=7")
        first = asyncio.Event()
        session = asyncio.ensure_future(source.run(lambda sample: first.set(), Notes()))
        await first.wait()
        assert plugged.brightness == 7
        await source.set_control("brightness", 200)
        assert plugged.brightness == 200
        (control,) = await source.controls()
        assert control.value == 200
        with pytest.raises(UsageError, match="brightness cannot be 300: it takes 0 to 255"):
            await source.set_control("brightness", 300)
        with pytest.raises(UsageError, match=r"no setting 'zoom'.*controls: brightness"):
            await source.set_control("zoom", 1)
        assert not session.done()
        session.cancel()
        await asyncio.gather(session, return_exceptions=True)
        with pytest.raises(UsageError, match=r"no setting 'bright'"):
            await collect(webcam(plugged.path, "bright=7"), 1)


async def test_a_snapshot_is_a_picture_that_was_sent(
    pictures: list[bytes], units: list[bytes]
) -> None:
    with Webcam([Stream("mjpg", pictures), Stream("h264", units)]) as plugged:
        assert await webcam(plugged.path).snapshot(Notes()) == pictures[2]
        with pytest.raises(NotSupported, match=r"H\.264 has no JPEG"):
            await webcam(plugged.path, "format=h264").snapshot(Notes())


async def test_a_node_that_is_not_for_this_user(pictures: list[bytes]) -> None:
    with mjpg(pictures) as plugged:
        os.seteuid(65534)
        try:
            with pytest.raises(NotSupported, match="add the user to the group `video`"):
                await collect(webcam(plugged.path), 1)
            listed = list_devices()
        finally:
            os.seteuid(0)
    assert all(entry.trouble and "`video`" in entry.trouble for entry in listed)
    assert plugged.path in [entry.path for entry in listed]


async def test_nodes_that_are_no_webcams(pictures: list[bytes]) -> None:
    with mjpg(pictures) as plugged:
        metadata = f"/dev/video{int(plugged.path.removeprefix('/dev/video')) + 1}"
        assert Path(metadata).exists()
        with pytest.raises(WrongProtocol, match="gives no pictures"):
            await collect(webcam(metadata), 1)
    with pytest.raises(WrongProtocol, match="not a webcam"):
        await collect(webcam("/dev/null"), 1)


async def test_nothing_stays_open_behind_a_session(pictures: list[bytes]) -> None:
    with mjpg(pictures) as plugged:
        before = open_files()
        for _ in range(3):
            await collect(webcam(plugged.path), 2)
        assert open_files() == before
        assert plugged.path not in Path("/proc/self/maps").read_text()


def test_the_command_lists_it(
    pictures: list[bytes], units: list[bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    with Webcam([Stream("mjpg", pictures, SIZES), Stream("h264", units, rates=(25,))]) as plugged:
        assert main(["cameras"]) == 0
        shown = capsys.readouterr().out
        assert main(["cameras", "--json"]) == 0
        (listed,) = json.loads(capsys.readouterr().out)["webcams"]
    number = plugged.path.removeprefix("/dev/video")
    assert shown.splitlines() == [
        f"{number}  Software Webcam  ({plugged.path}, usb-vhci_hcd.0-1)",
        "   mjpg  640x480, 1280x720 at 15, 30 fps",
        "   h264  640x480 at 25 fps",
        "   controls: brightness",
        f"   camkeep record {number} movie.mp4",
    ]
    assert (listed["number"], listed["name"]) == (int(number), "Software Webcam")
    assert listed["formats"][1]["sizes"] == [
        {"size": "640x480", "fps": [25.0], "any_between": False}
    ]


def test_the_command_records_it(pictures: list[bytes], tmp_path: Path) -> None:
    movie = tmp_path / "desk.mp4"
    with mjpg(pictures) as plugged:
        number = plugged.path.removeprefix("/dev/video")
        assert main(["record", f"/dev/video{number}", str(movie), "--frames", "20"]) == 0
        sent = plugged.sent[:20]
    data = movie.read_bytes()
    places = [data.index(picture) for picture in sent[:12]]
    assert places == sorted(places), "as they came, in order"
