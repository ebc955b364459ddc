"""What a webcam offers and what is taken of it; buffers to samples; what errors say."""

from __future__ import annotations

import errno
import os
import sys
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from camkeep.cameras.address import parse_address
from camkeep.cameras.source import Notes, SourceOptions
from camkeep.cameras.trouble import Trouble
from camkeep.cameras.v4l2 import V4l2Source, listing
from camkeep.cameras.v4l2.device import Device
from camkeep.cameras.v4l2.intake import H264Reader, Intake, JpegReader
from camkeep.cameras.v4l2.offer import (
    Control,
    ControlKind,
    Format,
    Rates,
    Size,
    SizeRange,
    Wanted,
    choose,
    parse_options,
)
from camkeep.cameras.v4l2.refusal import translate
from camkeep.cameras.v4l2.streaming import Frame
from camkeep.clock import FakeClock, MonoNs
from camkeep.errors import (
    CameraError,
    NotSupported,
    StreamBroken,
    Unreachable,
    UsageError,
    WrongProtocol,
)
from camkeep.model import Sample

FAST = Rates((Fraction(5), Fraction(15), Fraction(30)))
SLOW = Rates((Fraction(5),))


def mjpg(*sizes: Size | SizeRange) -> Format:
    return Format("MJPG", "Motion-JPEG", sizes)


def test_the_largest_usual_smooth_size_is_taken_unasked() -> None:
    offer = mjpg(
        Size(640, 480, FAST), Size(1280, 720, FAST), Size(1920, 1080, SLOW), Size(3840, 2160, FAST)
    )
    choice = choose((offer,), Wanted())
    assert (choice.width, choice.height, choice.fps) == (1280, 720, 30)


def test_where_nothing_is_usual_the_smallest_is_taken() -> None:
    offer = mjpg(Size(3840, 2160), Size(2560, 1440))
    choice = choose((offer,), Wanted())
    assert (choice.width, choice.height, choice.fps) == (2560, 1440, None)


def test_a_range_of_sizes_gives_what_is_within_it_and_on_its_steps() -> None:
    offer = mjpg(SizeRange((32, 32), (4096, 4096), (16, 8)))
    choice = choose((offer,), Wanted())
    assert (choice.width, choice.height) == (1920, 1080)
    assert choose((offer,), Wanted(size=(656, 488))).width == 656
    with pytest.raises(NotSupported, match="no size 650x480 in MJPG: it has 32x32 to 4096x4096"):
        choose((offer,), Wanted(size=(650, 480)))


@pytest.mark.parametrize(
    ("wanted", "granted"), [("7.5", 5), ("12", 15), ("30", 30), ("1000", 30), ("10", 15)]
)
def test_the_nearest_rate_is_taken(wanted: str, granted: int) -> None:
    choice = choose((mjpg(Size(640, 480, FAST)),), parse_options({"fps": wanted}))
    assert choice.fps == granted


def test_a_range_of_rates_gives_the_one_asked_for() -> None:
    between = Rates((Fraction(1), Fraction(60)), between=True)
    offer = (mjpg(Size(640, 480, between)),)
    assert choose(offer, parse_options({"fps": "30000/1001"})).fps == Fraction(30000, 1001)
    assert choose(offer, parse_options({"fps": "0.5"})).fps == 1
    assert str(between) == "1-60"


def test_mjpg_comes_before_h264_unless_asked_otherwise() -> None:
    offers = (Format("YUYV", ""), Format("H264", "", (Size(640, 480),)), mjpg(Size(640, 480)))
    assert choose(offers, Wanted()).format.code == "MJPG"
    assert choose(offers, Wanted(kind="h264")).format.code == "H264"
    assert choose(offers[:2], Wanted()).format.code == "H264"
    with pytest.raises(NotSupported, match="sends only uncompressed pictures"):
        choose(offers[:1], Wanted())
    with pytest.raises(Unreachable):
        choose((), Wanted())


def test_options_are_read() -> None:
    options = {"size": "1280x720", "fps": "29.97", "format": "H264", "Brightness": "12"}
    wanted = parse_options(options)
    assert wanted == Wanted("h264", (1280, 720), Fraction("29.97"), {"brightness": "12"})


@pytest.mark.parametrize(
    "options",
    [{"size": "big"}, {"size": "0x10"}, {"fps": "0"}, {"fps": "-3"}, {"fps": "1/0"},
     {"fps": "nan"}, {"fps": "9999"}, {"format": "yuyv"}],
)  # fmt: skip
def test_options_that_make_no_sense_are_refused(options: dict[str, str]) -> None:
    with pytest.raises(UsageError, match="a webcam's"):
        parse_options(options)


@given(st.dictionaries(st.sampled_from(["size", "fps", "format", "zoom"]), st.text(max_size=20)))
def test_any_options_are_read_or_refused(options: dict[str, str]) -> None:
    try:
        parse_options(options)
    except UsageError:
        pass


def control(kind: ControlKind, menu: dict[int, str] | None = None) -> Control:
    return Control(1, "gain", "Gain", kind, -10, 100, 5, 0, 0, menu or {})


@pytest.mark.parametrize(
    ("kind", "menu", "text", "number"),
    [
        (ControlKind.INTEGER, {}, "-10", -10),
        (ControlKind.INTEGER, {}, "0x10", 16),
        (ControlKind.MENU, {1: "Manual", 3: "Auto"}, "auto", 3),
        (ControlKind.MENU, {1: "Manual", 3: "Auto"}, "1", 1),
        (ControlKind.MENU, {0: "50", 1: "60"}, "60", 1),
        (ControlKind.BUTTON, {}, "1", 1),
    ],
)
def test_a_value_is_understood(
    kind: ControlKind, menu: dict[int, str], text: str, number: int
) -> None:
    assert control(kind, menu).parse(text) == number


@pytest.mark.parametrize(
    ("kind", "menu", "text", "says"),
    [
        (ControlKind.INTEGER, {}, "101", "-10 to 100 in steps of 5"),
        (ControlKind.INTEGER, {}, "loud", "-10 to 100"),
        (ControlKind.MENU, {1: "Manual", 3: "Auto"}, "2", r"one of 1 \(Manual\), 3 \(Auto\)"),
        (ControlKind.MENU, {0: "50", 1: "60"}, "1", "one of 50, 60"),
        (ControlKind.BUTTON, {}, "0", "1 presses it"),
        (ControlKind.BITMASK, {}, "0x80", "bits within 0x64"),
    ],
)
def test_a_value_that_it_cannot_take_is_refused_with_the_range(
    kind: ControlKind, menu: dict[int, str], text: str, says: str
) -> None:
    with pytest.raises(UsageError, match=f"gain cannot be .*{says}"):
        control(kind, menu).parse(text)


@given(st.sampled_from(ControlKind), st.text(max_size=12))
def test_any_value_is_understood_or_refused(kind: ControlKind, text: str) -> None:
    try:
        control(kind, {0: "off", 1: "on"} if kind is ControlKind.MENU else {}).parse(text)
    except UsageError:
        pass


@given(
    st.lists(
        st.tuples(
            st.binary(max_size=64), st.integers(0, 2**32 - 1), st.booleans(),
            st.none() | st.integers(0, 2**62),
        ),
        max_size=12,
    ),
    st.booleans(),
)  # fmt: skip
def test_any_buffer_is_kept_or_counted(
    buffers: list[tuple[bytes, int, bool, int | None]], jpeg: bool
) -> None:
    notes = Notes()
    samples: list[Sample] = []
    reader = JpegReader() if jpeg else H264Reader()
    intake = Intake(reader, FakeClock(), samples.append, notes)
    for data, sequence, damaged, stamp in buffers:
        framed = (b"\xff\xd8\xff" if jpeg else b"\0\0\1\x65") + data
        frame = Frame(framed, sequence, None if stamp is None else MonoNs(stamp), damaged)
        assert intake.take(frame) in (True, False)
    assert len(samples) <= len(buffers)


def test_a_stamp_that_cannot_be_true_is_not_believed() -> None:
    clock = FakeClock()
    clock.advance(1000)
    picture = (
        b"\xff\xd8\xff\xc0\0\x0b\x08\0\x10\0\x10\1\1\x11\0\xff\xda\0\x08\1\1\0\0\x3f\0\x55\xff\xd9"
    )
    samples: list[Sample] = []
    notes = Notes()
    intake = Intake(JpegReader(), clock, samples.append, notes)
    taken = MonoNs(clock.mono() - 20_000_000)
    for stamp in (taken, MonoNs(5), MonoNs(clock.mono() + 10**12), None):
        assert intake.take(Frame(picture, 1 + len(samples), stamp, False))
        clock.advance(0.1)
    assert samples[0].arrival == taken
    assert [s.arrival - samples[0].arrival for s in samples[1:]] == [
        120_000_000, 220_000_000, 320_000_000,
    ]  # fmt: skip
    assert [s.wall - samples[0].wall for s in samples[1:]] == [120_000, 220_000, 320_000]
    assert not notes.trouble


def test_a_sequence_that_begins_anew_is_no_loss() -> None:
    notes = Notes()
    intake = Intake(JpegReader(), FakeClock(), lambda sample: None, notes)
    for sequence in (7, 8, 11, 0, 1, 2**32 - 1):
        intake.take(Frame(b"", sequence, None, True))
    assert notes.trouble[Trouble.BUFFER_ERROR] == 6
    assert notes.trouble[Trouble.BUFFER_LOST] == 2


@pytest.mark.parametrize(
    ("number", "kind", "says"),
    [
        (errno.ENOENT, Unreachable, "is it plugged in"),
        (errno.ENODEV, StreamBroken, "unplugged"),
        (errno.EACCES, NotSupported, "group `video`"),
        (errno.EBUSY, Unreachable, "busy: another program"),
        (errno.ENOSPC, NotSupported, "USB bandwidth.*lower size"),
        (errno.EIO, StreamBroken, "another port or cable"),
        (errno.ENOTTY, WrongProtocol, "not a webcam"),
        (errno.EINVAL, StreamBroken, "refused a request: Invalid argument"),
    ],
)
def test_an_error_of_the_system_is_one_sentence(
    number: int, kind: type[CameraError], says: str
) -> None:
    with pytest.raises(kind, match=says):
        raise translate(OSError(number, os.strerror(number)), "/dev/video0")


@pytest.mark.parametrize("path", ["/dev/null", "/dev", "/etc/passwd", "/dev/video9999", "/dev/\0"])
def test_what_is_no_webcam_is_refused(path: str) -> None:
    with pytest.raises(CameraError):
        Device(path)


def test_an_address_that_makes_no_sense_is_refused_before_anything_is_opened() -> None:
    address, _ = parse_address("v4l2:/dev/video0?size=huge")
    with pytest.raises(UsageError, match="WIDTHxHEIGHT"):
        V4l2Source(address, SourceOptions())


@pytest.mark.parametrize(
    ("system", "machine", "says"),
    [("darwin", "arm64", "only on Linux"), ("linux", "mips64", "mips64")],
)
def test_other_systems_say_so(
    system: str, machine: str, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr("platform.machine", lambda: machine)
    with pytest.raises(NotSupported, match=says):
        Device("/dev/video0")
    with pytest.raises(NotSupported, match=says):
        listing.list_devices()
