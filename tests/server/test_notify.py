"""What systemd is told, on a real socket such as systemd listens on."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from camkeep.server.notify import Notifier, feed_watchdog


@pytest.fixture(params=["path", "abstract"])
def systemd(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        name = f"\0camkeep-test-{os.getpid()}-{id(listening)}"
        listening.bind(str(tmp_path / "notify") if request.param == "path" else name)
        listening.settimeout(10)
        yield listening


def address(listening: socket.socket) -> str:
    name = listening.getsockname()
    return name if isinstance(name, str) else "@" + name[1:].decode()


def told(listening: socket.socket) -> list[str]:
    return listening.recv(4096).decode().split("\n")


def test_what_is_told(systemd: socket.socket) -> None:
    notifier = Notifier(address(systemd))
    assert notifier.ready("3 cameras,\nhttp://127.0.0.1:8000")
    assert told(systemd) == ["READY=1", "STATUS=3 cameras, http://127.0.0.1:8000"]
    assert notifier.status("2 of 3 cameras are live")
    assert told(systemd) == ["STATUS=2 of 3 cameras are live"]
    notifier.status("2 of 3 cameras are live")  # is no news
    notifier.alive()
    assert told(systemd) == ["WATCHDOG=1"]
    notifier.extend(2.5)
    assert told(systemd) == ["EXTEND_TIMEOUT_USEC=2500000"]
    notifier.stopping()
    assert told(systemd) == ["STOPPING=1"]
    notifier.status("x\udc80" * 5000)
    assert len(systemd.recv(9000)) == 4096


def test_where_nobody_listens_nothing_happens(tmp_path: Path) -> None:
    assert not Notifier(None).ready()
    assert not Notifier(str(tmp_path / "nowhere")).ready()
    assert not Notifier("x" * 5000).ready()
    assert not Notifier("a\0b").ready()


def test_a_systemd_that_does_not_read_holds_up_nobody(systemd: socket.socket) -> None:
    notifier = Notifier(address(systemd))
    for _ in range(100_000):
        if not notifier.alive():
            break
    else:
        pytest.fail("the socket never filled up")


def test_from_the_environment() -> None:
    environ = {"NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}
    notifier = Notifier.from_environment(environ)
    assert notifier.watchdog_s == 30
    assert not environ
    other = {"NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}
    assert Notifier.from_environment(other).watchdog_s is None
    assert Notifier.from_environment({"WATCHDOG_USEC": "30000000"}).watchdog_s is None
    assert (
        Notifier.from_environment({"NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "x"}).watchdog_s is None
    )
    assert Notifier.from_environment({}).watchdog_s is None


async def test_the_watchdog_is_fed_only_while_all_is_well(systemd: socket.socket) -> None:
    systemd.setblocking(False)
    loop = asyncio.get_running_loop()
    found: list[str] = []
    feeding = asyncio.create_task(feed_watchdog(Notifier(address(systemd), 0.03), lambda: found))
    for _ in range(3):
        assert await loop.sock_recv(systemd, 99) == b"WATCHDOG=1"
    found.append("the disk does not answer")
    while (word := await loop.sock_recv(systemd, 99)) == b"WATCHDOG=1":
        pass
    assert word == b"STATUS=the disk does not answer: systemd will start it anew"
    found.clear()
    assert await loop.sock_recv(systemd, 99) == b"WATCHDOG=1"
    feeding.cancel()
    await asyncio.gather(feeding, return_exceptions=True)
