"""A6, over real connections: names that lead to this machine, that change between two answers,
and cameras that redirect."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest

from camkeep.cameras.address import Credentials, parse_address
from camkeep.cameras.http import fetch
from camkeep.cameras.source import Notes, SourceOptions
from camkeep.engine.sources import make_source
from camkeep.errors import Forbidden, Unreachable
from camkeep.server.urlpolicy import UrlPolicy
from support.http_server import Request, serving

CAREFUL = SourceOptions(may_reach=UrlPolicy().check_ip, connect_timeout_s=5, stall_s=5)
OPEN = SourceOptions(
    Credentials("admin", "swordfish"),
    may_reach=UrlPolicy(loopback=True).check_ip,
    connect_timeout_s=5,
    stall_s=5,
)


async def ok(request: Request) -> None:
    await request.answer(b"in")


async def test_nothing_is_sent_to_this_machine() -> None:
    async with serving(ok) as server:
        for host in ("127.0.0.1", "localhost", "2130706433", "[::ffff:127.0.0.1]"):
            for scheme in ("http", "easyn", "rtsp"):
                address, _ = parse_address(f"{scheme}://{host}:{server.port}/")
                with pytest.raises(Forbidden, match="allow_loopback_cameras"):
                    await make_source(address, CAREFUL).run(lambda _: None, Notes())
        assert server.requests == []


async def test_where_the_operator_turned_it_on() -> None:
    async with serving(ok) as server:
        for host in ("127.0.0.1", "localhost"):
            address, _ = parse_address(f"http://{host}:{server.port}/")
            assert (await fetch(address, OPEN)).body == b"in"


class Rebinding(asyncio.SelectorEventLoop):
    """A resolver that answers something else every time (DNS rebinding)."""

    answers: list[tuple[str, ...]]
    asked: list[object]

    async def getaddrinfo(self, host: Any, port: Any, **_: Any) -> Any:  # type: ignore[override]
        self.asked.append(host)
        addresses = self.answers.pop(0)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in addresses]


def with_answers(*answers: tuple[str, ...]) -> asyncio.Runner:
    def make() -> asyncio.AbstractEventLoop:
        loop = Rebinding()
        loop.answers, loop.asked = list(answers), []
        return loop

    return asyncio.Runner(loop_factory=make)


def test_a_name_is_resolved_once_for_each_connection() -> None:
    async def attempt() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, Rebinding)
        async with serving(ok) as server:
            address, _ = parse_address(f"http://cam.example:{server.port}/")
            careful = SourceOptions(may_reach=UrlPolicy().check_ip, connect_timeout_s=0.2)
            with pytest.raises(Unreachable):  # 192.0.2.1 belongs to nobody
                await fetch(address, careful)
            assert loop.asked == ["cam.example"]
            with pytest.raises(Forbidden):
                await fetch(address, careful)
            assert loop.asked == ["cam.example", "cam.example"]
            assert server.requests == []

    with with_answers(("192.0.2.1",), ("127.0.0.1",)) as runner:
        runner.run(attempt())


def test_a_numeric_address_waits_for_no_resolver() -> None:
    async def attempt() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, Rebinding)
        async with serving(ok) as server:
            address, _ = parse_address(f"{server.url}/x")
            assert (await fetch(address, OPEN)).body == b"in"
            assert loop.asked == []

    with with_answers() as runner:
        runner.run(attempt())


@pytest.mark.parametrize(
    "answers", [("192.0.2.1", "127.0.0.1"), ("127.0.0.1", "192.0.2.1"), ("169.254.169.254",)]
)
def test_one_address_that_is_refused_refuses_the_name(answers: tuple[str, ...]) -> None:
    async def attempt() -> None:
        async with serving(ok) as server:
            address, _ = parse_address(f"http://cam.example:{server.port}/x")
            with pytest.raises(Forbidden):
                await fetch(address, CAREFUL)
            assert server.requests == []

    with with_answers(answers) as runner:
        runner.run(attempt())


def test_the_next_address_is_tried_where_one_does_not_answer() -> None:
    async def attempt() -> None:
        async with serving(ok) as server:
            address, _ = parse_address(f"http://cam.example:{server.port}/x")
            assert (await fetch(address, OPEN)).body == b"in"
            assert server.requests[0].headers["host"] == f"cam.example:{server.port}"
            with pytest.raises(Unreachable, match="refused the connection"):
                await fetch(address, OPEN)
            with pytest.raises(Unreachable, match="no such host"):
                await fetch(address, OPEN)

    with with_answers(("127.0.0.3", "127.0.0.1"), ("127.0.0.3", "127.0.0.4"), ()) as runner:
        runner.run(attempt())


@pytest.mark.parametrize(
    "to",
    [
        "http://localhost:{port}/",
        "http://127.0.0.1:{port}/",
        "//127.0.0.1:{port}/",
        "http://127.0.0.2:{port}/",
        "http://2130706433:{port}/",
        "http://admin@127.0.0.1:{port}/",
        "http://127.0.0.1.:{port}/",
        "http://[::1]:{port}/",
        "http://169.254.169.254/latest/meta-data/",
        "rtsp://127.0.0.1:{port}/",
        "file:///etc/passwd",
        "data:text/plain,x",
        "https://another.example/",
        "\\\\127.0.0.1:{port}\\",
    ],
)
async def test_a_redirect_to_elsewhere_is_not_followed(to: str) -> None:
    async with serving(ok) as inner:
        where = to.format(port=inner.port)

        async def redirect(request: Request) -> None:
            if "authorization" not in request.headers:
                challenge = 'Basic realm="cam"'
                return await request.answer(status=401, WWW_Authenticate=challenge)
            return await request.answer(status=302, Location=where)

        async with serving(redirect) as camera:
            address, _ = parse_address(f"{camera.url}/video")
            with pytest.raises(Forbidden):
                await fetch(address, OPEN)
            with pytest.raises(Forbidden):
                await make_source(address, OPEN).run(lambda _: None, Notes())
        assert inner.requests == []
