"""The UDP sockets of a track by themselves."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator

import pytest

from camkeep.cameras.rtsp import udp
from camkeep.cameras.rtsp.rtcp import Report, parse_rtcp
from camkeep.cameras.rtsp.udp import UdpPair
from camkeep.clock import FakeClock
from camkeep.errors import StreamBroken
from support.rtsp_server import rtp


@pytest.fixture
def camera() -> Iterator[socket.socket]:
    """The camera's RTCP socket."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.setblocking(False)
        yield sock


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_the_ports_are_neighbours(host: str) -> None:
    pair = UdpPair(host, host, FakeClock())
    first, second = pair.ports
    assert (first % 2, second) == (0, first + 1)
    pair.close()


async def test_reports_tell_the_camera_that_somebody_listens(
    camera: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(udp, "REPORT_S", 0.01)
    pair = UdpPair("127.0.0.1", "127.0.0.1", FakeClock())
    port = camera.getsockname()[1]
    pair.start(lambda *_: None, lambda *_: None, lambda _: None, port)
    loop = asyncio.get_running_loop()
    for _ in range(2):
        data, sender = await asyncio.wait_for(loop.sock_recvfrom(camera, 1000), 5)
        assert parse_rtcp(data) == Report()
        assert sender[1] == pair.ports[1]
    pair.close()


async def test_an_error_of_the_track_ends_the_session(camera: socket.socket) -> None:
    pair = UdpPair("127.0.0.1", "127.0.0.1", FakeClock())
    ended: asyncio.Future[Exception] = asyncio.get_running_loop().create_future()

    def receive(data: bytes, start: int, stop: int) -> None:
        raise StreamBroken("it ended")

    pair.start(receive, receive, ended.set_result, None)
    camera.sendto(rtp(1, 0, b"x"), ("127.0.0.1", pair.ports[0]))
    assert isinstance(await asyncio.wait_for(ended, 5), StreamBroken)
    pair.close()
