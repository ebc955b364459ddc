"""EasyN cameras: probing, stream, controls and discovery, on simulated ones over real HTTP."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from camkeep.cameras.address import Credentials, parse_address
from camkeep.cameras.easyn import EasynControl, EasynSource, discover
from camkeep.cameras.easyn.discovery import REQUEST
from camkeep.cameras.simulate import Fault, Kind, Simulator, SimulatorOptions
from camkeep.cameras.source import Notes, SourceOptions
from camkeep.cameras.testcard import read_number
from camkeep.errors import (
    CameraError,
    LoginRefused,
    NotSupported,
    Unreachable,
    UsageError,
    WrongProtocol,
)
from support.http_server import Request, serving
from support.watch import watch

SECRET = "hunter2&ü"
SMALL = {"width": 320, "height": 240}
WAYS = {
    "A by query": ({"dialect": "A", "login": "query"}, "A", "query"),
    "A by Basic": ({"dialect": "A", "login": "basic"}, "A", "Basic"),
    "B by query": ({"dialect": "B", "login": "query"}, "B", "query"),
}


def simulator(**more) -> Simulator:
    return Simulator("easyn", SimulatorOptions(**{"fps": 50.0, **SMALL, **more}))


def locked(**more) -> Simulator:
    return simulator(user="admin", password=SECRET, **more)


def control(camera: Simulator, password: str = SECRET, **more) -> EasynControl:
    options = SourceOptions(connect_timeout_s=2, stall_s=5)
    return EasynControl("127.0.0.1", camera.port, "admin", password, options=options, **more)


def source(camera: Simulator, query: str = "", password: str | None = SECRET) -> EasynSource:
    who = None if password is None else Credentials("admin", password)
    options = SourceOptions(credentials=who, connect_timeout_s=2, stall_s=5)
    return EasynSource(parse_address(camera.url + query)[0], options)


@pytest.mark.parametrize("way", WAYS)
async def test_dialect_and_login_are_found(way: str) -> None:
    options, dialect, login = WAYS[way]
    async with locked(**options) as camera:
        found = await control(camera).probe()
        assert (found.dialect.name, found.login) == (dialect, login)
        notes = Notes()
        samples = await watch(source(camera, "?resolution=320x240&rate=20"), 5, notes)
        numbers = [read_number(s.data) for s in samples]
        assert numbers == list(range(numbers[0], numbers[0] + 5))
        assert (notes.login, notes.promised_fps, notes.trouble) == (login, 20, {})
        assert (notes.product, notes.transport) == ("Netwave IP Camera", "MJPEG over HTTP")
        assert (notes.video.width, notes.video.height) == (320, 240)
        assert read_number(await source(camera).snapshot(Notes())) >= numbers[0]


async def test_a_camera_without_a_login() -> None:
    async with simulator() as camera:
        notes = Notes()
        samples = await watch(source(camera, password=None), 3, notes)
        assert len(samples) == 3
        assert notes.login == "none"
        assert notes.promised_fps is None


async def test_a_camera_set_to_few_pictures_is_given_the_time_for_them() -> None:
    async with simulator(deliver=0.5) as camera:
        address, _ = parse_address(f"{camera.url}?rate=5")
        impatient = EasynSource(address, SourceOptions(stall_s=0.25))
        assert len(await watch(impatient, 4)) == 4


async def test_single_pictures_are_polled_where_that_is_asked_for() -> None:
    async with simulator() as camera:
        notes = Notes()
        await watch(source(camera, "?stream=snapshots&rate=20", None), 3, notes)
        assert notes.transport == "JPEG polling over HTTP"
        assert notes.promised_fps == pytest.approx(20)


@pytest.mark.parametrize("dialect", ["A", "B"])
async def test_a_wrong_password_is_refused_and_shown_nowhere(
    dialect: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with locked(dialect=dialect) as camera:
        for attempt in (
            control(camera, "wr0ng").status(),
            watch(source(camera, password="wr0ng"), 1),
            source(camera, password="wr0ng").snapshot(Notes()),
        ):
            with pytest.raises(LoginRefused) as caught:
                await attempt
            assert "wr0ng" not in str(caught.value)
        with pytest.raises(LoginRefused, match="wants a login"):
            await watch(source(camera, password=None), 1)
    ours = control(camera, "wr0ng")
    stream = source(camera, password="wr0ng")
    assert "wr0ng" not in repr(ours) + repr(stream) + str(vars(ours)) + str(vars(stream))
    assert "wr0ng" not in caplog.text


@pytest.mark.parametrize("kind", [Kind.UNAUTHORIZED, Kind.FORBIDDEN, Kind.LOGIN_BODY])
async def test_every_way_of_refusing_a_login(kind: Kind) -> None:
    async with locked(faults=frozenset({Fault(kind)})) as camera:
        with pytest.raises(LoginRefused):
            await control(camera).params()


async def test_dialect_b_is_asked_once_more_when_its_login_expired() -> None:
    async with locked(dialect="B") as camera:
        ours = control(camera)
        await ours.status()
        camera.fail_next(Fault(Kind.UNAUTHORIZED))
        assert (await ours.status())["alias"]
        stream = source(camera)
        await watch(stream, 2)
        camera.fail_next(Fault(Kind.UNAUTHORIZED))
        assert len(await watch(stream, 2)) == 2
    async with locked(dialect="A") as camera:
        ours = control(camera)
        await ours.status()
        camera.fail_next(Fault(Kind.UNAUTHORIZED))
        with pytest.raises(LoginRefused):
            await ours.center()


@pytest.mark.parametrize("dialect", ["A", "B"])
async def test_settings(dialect: str) -> None:
    async with locked(dialect=dialect) as camera:
        ours = control(camera)
        contrast = 6 if dialect == "A" else 200
        await ours.brightness(200)
        await ours.contrast(contrast)
        await ours.mode("outdoor")
        await ours.flip("mirror")
        await ours.resolution("320x240")
        await ours.infrared(True)
        params = await ours.params()
        assert (params["brightness"], params["contrast"]) == ("200", str(contrast))
        assert (params["mode"], params["flip"]) == ("2", "2")
        with pytest.raises(NotSupported, match="goes from 0 to 255"):
            await ours.brightness(256)
        with pytest.raises(NotSupported, match="contrast"):
            await ours.contrast(256)
        with pytest.raises(UsageError, match="outdoor"):
            await ours.mode("night")
        with pytest.raises(UsageError, match="mirror"):
            await ours.flip("over")
        assert not any("get_params" in request for request in camera.requests)


async def test_what_the_camera_refuses_with_status_200_is_an_error() -> None:
    async with locked() as camera:
        with pytest.raises(NotSupported, match="refuses contrast 200"):
            await control(camera).session.get(
                "/camera_control.cgi", "contrast 200", {"param": 2, "value": 200}
            )


async def test_name_time_and_restart() -> None:
    async with locked(reboot_s=0.3) as camera:
        ours = control(camera)
        await ours.set_alias("Bob's & Ann's")
        await ours.set_datetime(1_750_000_000_000_000, tz_s=-3600, ntp_server="")
        status = await ours.status()
        assert status["alias"] == "Bob's & Ann's"
        assert abs(int(status["now"]) - 1_750_000_000) < 60
        assert status["tz"] == "-3600"
        for wrong in ("", "x" * 21, "a\nb"):
            with pytest.raises(UsageError):
                await ours.set_alias(wrong)
        await ours.reboot()
        gone = False
        async with asyncio.timeout(20):
            while True:
                try:
                    assert (await ours.status())["alias"] == "Bob's & Ann's"
                except CameraError:
                    gone = True
                else:
                    if gone:
                        break
                await asyncio.sleep(0.05)


async def test_moving() -> None:
    async with simulator() as camera:
        ours = control(camera)
        await ours.move("left", seconds=0.2)
        x, y = camera.aim
        assert x < 0
        assert y == 0
        assert camera.aim == (x, y)  # it stands still
        await control(camera, inverted=["horizontal"]).move("left", steps=2)
        assert camera.aim[0] > x
        await ours.set_preset(16)
        there = camera.aim
        await ours.move("up-right")
        await asyncio.sleep(0.05)
        await ours.stop()
        assert camera.aim != there
        await ours.go_to_preset(16)
        await ours.patrol("vertical")
        await ours.patrol("vertical", on=False)
        await ours.zoom("in", seconds=0.01)
        await ours.output(True)
        await ours.center()
        commands = [r for r in camera.requests if "decoder_control" in r]
        wanted = [4, 1, 6, 6, 60, 91, 1, 61, 26, 27, 16, 17, 94, 25]
        assert [_command(r) for r in commands] == wanted
        assert sum("onestep=1" in r for r in commands) == 2
        for wrong in (ours.move("left", seconds=0), ours.move("left", seconds=1, steps=1)):
            with pytest.raises(UsageError):
                await wrong
        with pytest.raises(UsageError):
            await ours.move("left", steps=0)


async def test_a_cancelled_movement_is_stopped() -> None:
    async with simulator() as camera:
        ours = control(camera)
        moving = asyncio.create_task(ours.move("right", seconds=30))
        await _asked_for(camera, "command=6")
        moving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await moving
        assert _command(camera.requests[-1]) == 1
        there = camera.aim
        assert camera.aim == there  # it stands still


async def test_a_movement_is_stopped_also_where_the_first_stop_fails() -> None:
    async with simulator() as camera:
        ours = control(camera)
        moving = asyncio.create_task(ours.move("right", seconds=0.2))
        await _asked_for(camera, "command=6")
        camera.fail_next(Fault(Kind.SERVER_ERROR))
        await moving
        assert [_command(r) for r in list(camera.requests)[-2:]] == [1, 1]


async def test_what_is_no_easyn_camera() -> None:
    async def page(request: Request) -> None:
        await request.answer(b"<html>a router</html>", "text/html")

    for handler in (page, lambda request: request.answer(status=404)):
        async with serving(handler) as server:
            ours = EasynControl("127.0.0.1", server.port, "admin", SECRET)
            with pytest.raises(WrongProtocol, match="no EasyN or Foscam camera"):
                await ours.status()


@pytest.mark.parametrize(
    "query",
    ["?resolution=1x1", "?rate=fast", "?stream=x", "?dialect=C", "?inverted=left", "?x=1", "a/b"],
)
def test_addresses_that_make_no_sense(query: str) -> None:
    address, _ = parse_address(f"easyn://127.0.0.1/{query}")
    with pytest.raises(UsageError):
        EasynSource(address, SourceOptions())


@asynccontextmanager
async def responder(reply: bytes) -> AsyncIterator[tuple[str, int]]:
    """A camera's side of the search: echoes each request, as broadcasts do, and answers it."""
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
        link.setblocking(False)
        link.bind(("127.0.0.1", 0))

        def answer() -> None:
            data, who = link.recvfrom(2048)
            assert data == REQUEST
            link.sendto(data, who)
            link.sendto(reply, who)

        loop.add_reader(link, answer)
        try:
            yield link.getsockname()
        finally:
            loop.remove_reader(link)


async def test_cameras_are_found_by_broadcast() -> None:
    head, address = b"MO_I\1".ljust(23, b"\0"), bytes((127, 0, 0, 1))
    names = b"00606E8A1B2C\0" + b"Garage".ljust(21, b"\0")
    reply = head + names + address * 4 + bytes(4) + bytes((11, 37, 2, 54, 2, 0, 10, 10))
    async with responder(reply + (8081).to_bytes(2, "big") + b"\0") as target:
        found = await discover(0.3, targets=[target], port=0, host="127.0.0.1")
        assert [(f.name, f.url) for f in found] == [("Garage", "easyn://127.0.0.1:8081/")]
        assert found[0].system_version == "11.37.2.54"
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
            taken.bind(("127.0.0.1", 0))
            port = taken.getsockname()[1]
            assert await discover(0.3, targets=[target], port=port, host="127.0.0.1") == found
        with pytest.raises(UsageError):
            await discover(0)
        with pytest.raises(Unreachable):
            await discover(0.1, targets=[target], port=0, host="192.0.2.1")
    assert await discover(0.1, targets=[target], port=0, host="127.0.0.1") == []


async def _asked_for(camera: Simulator, what: str) -> None:
    async with asyncio.timeout(10):
        while not any(what in r for r in camera.requests):  # there is no event
            await asyncio.sleep(0.01)


def _command(request: str) -> int:
    return int(request.partition("command=")[2].partition("&")[0].split()[0])
