"""``camkeep cameras``: what a person and a program get to see."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from fractions import Fraction
from functools import partial

import pytest

from camkeep.cameras.easyn.discovery import discover
from camkeep.cameras.simulate import Simulator, SimulatorOptions
from camkeep.cameras.v4l2 import Control, Webcam
from camkeep.cameras.v4l2.offer import ControlKind, Format, Rates, Size, SizeRange
from camkeep.cli import cameras
from camkeep.cli.main import main
from camkeep.errors import NotSupported

FAST = Rates((Fraction(15), Fraction(30)))
SLOW = Rates((Fraction(15, 2),))
DESK = Webcam(
    "/dev/video2",
    "Desk cam",
    "uvcvideo",
    "usb-0000:00:14.0-3",
    (
        Format("MJPG", "Motion-JPEG", (
            Size(640, 480, FAST), Size(1280, 720, FAST), Size(1920, 1080, SLOW),
        )),
        Format("H264", "H.264", (
            SizeRange((160, 90), (1920, 1080), (2, 2), Rates((Fraction(1), Fraction(30)), True)),
        )),
        Format("YUYV", "YUYV 4:2:2", (Size(640, 480, FAST),)),
    ),
    (Control(1, "gain", "Gain", ControlKind.INTEGER, 0, 9, 1, 4, 5),),
)  # fmt: skip
TAKEN = Webcam("/dev/video4", "Other cam", "", "", trouble="the webcam is busy")


def pretend(monkeypatch: pytest.MonkeyPatch, *webcams: Webcam) -> None:
    monkeypatch.setattr(cameras, "list_devices", lambda: list(webcams))


def test_webcams_are_listed_for_a_person(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pretend(monkeypatch, DESK, TAKEN)
    assert main(["cameras"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "2  Desk cam  (/dev/video2, usb-0000:00:14.0-3)",
        "   mjpg  640x480, 1280x720 at 15, 30 fps",
        "         1920x1080 at 7.5 fps",
        "   h264  160x90 to 1920x1080 at 1-30 fps",
        "   not recorded, because uncompressed: YUYV",
        "   controls: gain",
        "   camkeep record 2 movie.mp4",
        "4  Other cam  (/dev/video4)",
        "   the webcam is busy",
    ]


def test_webcams_are_listed_for_a_program(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pretend(monkeypatch, DESK, TAKEN)
    assert main(["cameras", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert set(shown) == {"webcams"}
    desk, taken = shown["webcams"]
    assert (desk["number"], desk["path"], desk["name"]) == (2, "/dev/video2", "Desk cam")
    assert desk["formats"][0]["kind"] == "mjpg"
    assert desk["formats"][1]["sizes"] == [
        {"size": "160x90 to 1920x1080", "fps": [1.0, 30.0], "any_between": True}
    ]
    assert desk["controls"][0]["takes"] == "0 to 9"
    assert taken["trouble"] == "the webcam is busy"


def test_no_webcam_is_a_friendly_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pretend(monkeypatch)
    assert main(["cameras"]) == 0
    assert capsys.readouterr().out == "No webcam is plugged into this machine.\n"


def test_a_system_without_webcams_for_us_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse() -> list[Webcam]:
        raise NotSupported("camkeep reads webcams by itself only on Linux")

    monkeypatch.setattr(cameras, "list_devices", refuse)
    assert main(["cameras"]) == 0
    assert "No webcams: camkeep reads webcams by itself only on Linux." in capsys.readouterr().out


@pytest.fixture
def nearby() -> Iterator[tuple[int, int]]:
    """A simulated camera that answers searches; the ports of the search and of the camera."""
    ports: list[tuple[int, int]] = []
    ready = threading.Event()
    loop = asyncio.new_event_loop()
    done = asyncio.Event()

    async def serve() -> None:
        async with Simulator("easyn", SimulatorOptions(160, 128, discovery_port=0)) as camera:
            assert camera.discovery_port is not None
            ports.append((camera.discovery_port, camera.port))
            ready.set()
            await done.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    ready.wait()
    yield ports[0]
    loop.call_soon_threadsafe(done.set)
    thread.join()
    loop.close()


def test_cameras_of_the_network_are_listed(
    nearby: tuple[int, int],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    pretend(monkeypatch)
    search, port = nearby
    only_here = partial(discover, targets=[("127.0.0.1", search)], port=0, host="127.0.0.1")
    monkeypatch.setattr(cameras, "discover", only_here)
    assert main(["cameras", "--network", "--timeout", "300ms"]) == 0
    shown = capsys.readouterr().out
    assert "camkeep simulator" in shown
    assert f"camkeep record easyn://127.0.0.1:{port}/ movie.mp4 --user admin" in shown
    assert main(["cameras", "--network", "--timeout", "300ms", "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)["network"]
    assert found["url"] == f"easyn://127.0.0.1:{port}/"


def test_a_silent_network_is_a_friendly_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pretend(monkeypatch)
    nobody = partial(discover, targets=[("127.0.0.1", 9)], port=0, host="127.0.0.1")
    monkeypatch.setattr(cameras, "discover", nobody)
    assert main(["cameras", "--network", "--timeout", "100ms"]) == 0
    assert "No EasyN or Foscam camera answered" in capsys.readouterr().out
