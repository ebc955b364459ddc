"""A9, and the server's end: slow and endless requests over real sockets, many connections, TLS,
sockets that cannot be bound."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import ssl
import time
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from fastapi import APIRouter, Request, WebSocket
from starlette.responses import Response, StreamingResponse
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from camkeep.errors import UsageError
from camkeep.server.desk import DeskOf
from camkeep.server.web.connections import Bounds
from camkeep.server.web.guard import Anybody, Looker
from camkeep.server.web.listening import bind, tls_context
from camkeep.server.web.options import Certificate, WebOptions
from camkeep.server.web.ranges import asked_pieces
from support.certificates import make_certificate
from support.rawrequest import answer_of, ask, exchange, knock
from support.server import ANYWHERE, Site, serving

QUICK = Bounds(head_s=0.4, idle_s=0.8, body_s=0.4, whole_body_s=1.5)

router = APIRouter()


@router.get("/quick")
async def quick(who: Anybody) -> str:
    return "here"


@router.post("/body")
async def body(request: Request, who: Anybody) -> int:
    return len(await request.body())


@router.post("/unread")
async def unread(who: Anybody) -> str:
    return "not looked at"


@router.get("/ranges")
async def ranges(request: Request, who: Anybody) -> int:
    return len(asked_pieces(request.headers, 1_000_000) or ())


@router.get("/endless")
async def endless(who: Anybody) -> Response:
    """Never looks whether it is to end."""

    async def parts() -> AsyncIterator[bytes]:
        while True:
            yield bytes(100_000)
            await asyncio.sleep(0.01)

    return StreamingResponse(parts())


@router.websocket("/socket")
async def socket_(websocket: WebSocket, who: Looker, desk: DeskOf) -> None:
    await websocket.accept()
    over = asyncio.Event()
    with desk.closers.open(who, over.set):
        await websocket.send_text("here")
        await over.wait()
    await websocket.close(1001)


@contextlib.asynccontextmanager
async def served(folder: Path, bounds: Bounds = QUICK) -> AsyncIterator[Site]:
    async with serving(folder, more=[("", router)], bounds=bounds) as site:
        yield site


async def dripped(port: int, start: bytes, drop: bytes, every_s: float) -> tuple[bytes, float]:
    """Send `start`, then `drop` again and again until the server hangs up: what it said, and after
    how many seconds."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    began = time.monotonic()

    async def drip() -> None:
        with contextlib.suppress(ConnectionError):
            while True:
                writer.write(drop)
                await asyncio.sleep(every_s)

    writer.write(start)
    dripping = asyncio.create_task(drip())
    received = bytearray()
    with contextlib.suppress(ConnectionError):  # hung up on while there was more to read
        async with asyncio.timeout(30):
            while part := await reader.read(65536):
                received += part
    dripping.cancel()
    writer.close()
    return bytes(received), time.monotonic() - began


def head(port: int, first: str, *headers: str) -> bytes:
    return "\r\n".join([first, f"Host: 127.0.0.1:{port}", *headers, "", ""]).encode()


# slowloris


@pytest.mark.parametrize(
    ("start", "drop"),
    [
        (b"", b""),
        (b"G", b""),
        (b"GET /quick HTTP/1.1\r\nHost: localhost\r\n", b"X-A: b\r\n"),
        (b"GET /quick HTTP/1.1\r\nHost: localhost\r\nX-A: ", b"b"),
        (b"GET /", b"a"),
        (b"", b"\r\n"),
    ],
)
async def test_a_head_that_does_not_end_is_not_waited_for(
    tmp_path: Path, start: bytes, drop: bytes
) -> None:
    async with served(tmp_path) as site:
        received, _ = await dripped(site.port, start, drop, 0.05)
        assert answer_of(received).status in (0, 408)


async def test_a_second_request_is_not_waited_for_either(tmp_path: Path) -> None:
    async with served(tmp_path) as site:
        received, _ = await dripped(
            site.port, head(site.port, "GET /quick HTTP/1.1") + b"GET /quick", b"k", 0.05
        )
        assert received.startswith(b"HTTP/1.1 200")
        assert received.count(b"HTTP/1.1 200") == 1


async def test_an_idle_connection_is_closed(tmp_path: Path) -> None:
    async with served(tmp_path) as site:
        received, _ = await dripped(site.port, head(site.port, "GET /quick HTTP/1.1"), b"", 1)
        assert answer_of(received).status == 200


@pytest.mark.parametrize("path", ["/body", "/unread", "/nowhere"])
@pytest.mark.parametrize("drop", [b"", b"["])
async def test_a_body_that_does_not_come_is_not_waited_for(
    tmp_path: Path, path: str, drop: bytes
) -> None:
    async with served(tmp_path) as site:
        kind = ("Content-Type: application/json", "Content-Length: 100000")
        start = head(site.port, f"POST {path} HTTP/1.1", *kind)
        _, after_s = await dripped(site.port, start, drop, 0.05)
        assert after_s < 15
        assert (await site.client.get("/quick")).status_code == 200


async def test_slow_connections_keep_nobody_out(tmp_path: Path) -> None:
    bounds = Bounds(connections=20, head_s=60, idle_s=60, body_s=60, whole_body_s=60)
    async with served(tmp_path, bounds) as site:
        slow = []
        for number in range(60):
            reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
            kind = ("Content-Type: application/json", "Content-Length: 100000")
            begun = head(site.port, "POST /body HTTP/1.1", *kind) if number % 2 else b"GET /q"
            writer.write(begun)
            slow.append((reader, writer))
        for _ in range(5):
            assert (await ask(site.port, "GET", "/quick")).status == 200
        assert site.server.connections <= 20
        for _, writer in slow:
            writer.close()


async def test_where_all_are_busy_a_new_one_is_told_so(tmp_path: Path) -> None:
    async with served(tmp_path, Bounds(connections=3)) as site:
        writers = []
        for _ in range(3):
            reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
            writer.write(head(site.port, "GET /endless HTTP/1.1"))
            await reader.readexactly(1000)
            writers.append(writer)
        received = await exchange(site.port, b"")
        assert answer_of(received).status == 503
        assert answer_of(received).json()["status"] == 503
        writers.pop().close()
        async with asyncio.timeout(10):
            while (await exchange(site.port, head(site.port, "GET /quick HTTP/1.0")))[
                9:12
            ] != b"200":
                await asyncio.sleep(0.01)
        for writer in writers:
            writer.close()


async def test_who_takes_nothing_of_an_answer_makes_room(tmp_path: Path) -> None:
    async with served(tmp_path, Bounds(connections=3, stuck_s=0.2)) as site:
        writers = []
        for _ in range(3):
            reader, writer = await asyncio.open_connection("127.0.0.1", site.port, limit=1000)
            writer.write(head(site.port, "GET /endless HTTP/1.1"))
            await reader.readexactly(1000)  # and no more
            writers.append(writer)
        async with asyncio.timeout(20):
            while (await ask(site.port, "GET", "/quick")).status != 200:
                await asyncio.sleep(0.05)
        for writer in writers:
            writer.close()


# too much


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"GET /quick HTTP/1.1\r\n" + b"X-A: " + b"a" * 200_000, 431),
        (b"GET /quick HTTP/1.1\r\n" + b"X-A: b\r\n" * 101 + b"\r\n", 431),
        (b"GET /" + b"a" * 61_000 + b" HTTP/1.1\r\n\r\n", 414),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
        (b"rubbish\r\n\r\n", 400),
        (b"GET /quick HTTP/1.1\r\nHost: localhost\r\nContent-Length: x\r\n\r\n", 400),
        (b"GET /quick HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n"
         b"Transfer-Encoding: chunked\r\n\r\n", 400),
    ],
)  # fmt: skip
async def test_what_is_no_request_is_told_and_closed(
    tmp_path: Path, data: bytes, status: int
) -> None:
    async with served(tmp_path) as site:
        answer = answer_of(await exchange(site.port, data))
        assert answer.status in (0, status)  # 0: the client was still sending
        assert (await site.client.get("/quick")).status_code == 200


async def test_a_flood_of_requests_in_one_go_is_cut_off(tmp_path: Path) -> None:
    async with served(tmp_path) as site:
        received = await exchange(site.port, head(site.port, "GET /quick HTTP/1.1") * 5000)
        assert received.count(b"HTTP/1.1 200") <= 20
        few = head(site.port, "GET /quick HTTP/1.1") * 9
        last = head(site.port, "GET /quick HTTP/1.1", "Connection: close")
        assert (await exchange(site.port, few + last)).count(b"HTTP/1.1 200") == 10


async def test_ten_thousand_ranges_are_refused(tmp_path: Path) -> None:
    async with served(tmp_path) as site:
        many = "bytes=" + ",".join(f"{n}-{n}" for n in range(0, 20_000, 2))
        answer = await ask(site.port, "GET", "/ranges", f"Range: {many}")
        assert answer.status == 416
        assert answer.headers["content-range"] == "bytes */1000000"


# the end


async def test_it_ends_though_viewers_stay(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with served(tmp_path, Bounds()) as site:
        reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
        writer.write(head(site.port, "GET /endless HTTP/1.1"))
        await reader.readexactly(1000)  # and never again
        idle_reader, idle_writer = await asyncio.open_connection("127.0.0.1", site.port)
        async with connect(f"ws://127.0.0.1:{site.port}/socket", proxy=None) as viewer:
            assert await viewer.recv() == "here"
            began = time.monotonic()
            await site.server.stop(0.3)
            assert time.monotonic() - began < 3
            with pytest.raises(ConnectionClosed) as closed:
                await viewer.recv()
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1001
        assert await idle_reader.read() == b""
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", site.port)
        assert site.server.connections == 0
        writer.close()
        idle_writer.close()
    assert [each for each in caplog.records if each.levelname in ("ERROR", "CRITICAL")] == []


async def test_a_handler_that_does_not_look_ends_when_its_client_is_gone(tmp_path: Path) -> None:
    async with served(tmp_path, Bounds(gone_s=0.1)) as site:
        await asyncio.sleep(0)
        before = len(asyncio.all_tasks())
        for _ in range(20):
            answers = await asyncio.gather(*(knock(site.port, "/socket") for _ in range(10)))
            assert {answer.status for answer in answers} == {101}
        async with asyncio.timeout(20):
            while len(asyncio.all_tasks()) > before:
                await asyncio.sleep(0.01)
        assert len(site.desk.closers) == 0


async def test_it_ends_at_once_where_nobody_is_there(tmp_path: Path) -> None:
    async with served(tmp_path) as site:
        await site.client.get("/quick")
        began = time.monotonic()
        await site.server.stop(30)
        assert time.monotonic() - began < 5


async def test_its_port_is_free_again(tmp_path: Path) -> None:
    async with served(tmp_path / "a") as site:
        port = site.port
        await site.client.get("/quick")
    web = WebOptions(listen=(("127.0.0.1", port),))
    async with serving(tmp_path / "b", more=[("", router)], web=web) as site:
        assert (await site.client.get("/quick")).status_code == 200


async def test_sockets_are_for_those_who_log_in_and_messages_are_small(tmp_path: Path) -> None:
    async with served(tmp_path, Bounds()) as site:
        await site.user("anna")
        url = f"ws://127.0.0.1:{site.port}/socket"
        with pytest.raises(InvalidStatus) as refused:
            await connect(url, proxy=None)
        assert refused.value.response.status_code == 401
        cookie = {"Cookie": f"camkeep={await site.session('anna')}"}
        async with connect(url, proxy=None, additional_headers=cookie) as viewer:
            assert "permessage-deflate" not in str(viewer.response.headers)  # type: ignore[union-attr]
            await viewer.recv()
            await viewer.send(b"x" * 100_000)
            with pytest.raises(ConnectionClosed) as closed:
                await viewer.recv()
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1009


# where it listens


def test_a_port_that_is_taken_is_told() -> None:
    (first,) = bind([("127.0.0.1", 0)])
    port = first.getsockname()[1]
    try:
        with pytest.raises(UsageError, match=f"port {port} of 127.0.0.1 is taken"):
            bind([("127.0.0.1", 0), ("127.0.0.1", port)])
    finally:
        first.close()


@pytest.mark.parametrize("host", ["203.0.113.1", "no.such.name.invalid", "2001:db8::1", "a" * 300])
def test_an_address_that_is_not_ours_is_told(host: str) -> None:
    with pytest.raises(UsageError, match=host[:50]):
        bind([(host, 0)])


def test_nothing_to_listen_on_is_told() -> None:
    with pytest.raises(UsageError, match="name one"):
        bind([])


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may use all ports")
def test_a_low_port_is_told() -> None:
    with pytest.raises(UsageError, match="may not be used"):
        bind([("127.0.0.1", 1)])


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


async def test_several_addresses_are_served(tmp_path: Path) -> None:
    listen = (("127.0.0.1", 0), ("127.0.0.1", 0), *((("::1", 0),) if has_ipv6() else ()))
    async with serving(tmp_path, more=[("", router)], web=WebOptions(listen=listen)) as site:
        assert len(site.server.urls) == len(listen)
        for url in site.server.urls:
            assert (await site.client.get(f"{url}quick")).status_code == 200


def test_a_name_is_bound_with_one_port() -> None:
    sockets = bind([("localhost", 0)])
    assert len({each.getsockname()[1] for each in sockets}) == 1
    for each in sockets:
        each.close()


# TLS


async def test_over_tls(tmp_path: Path) -> None:
    certificate = make_certificate(tmp_path / "tls")
    web = WebOptions(listen=ANYWHERE, certificate=certificate)
    async with serving(tmp_path / "data", more=[("", router)], web=web) as site:
        assert site.url.startswith("https://")
        trust = ssl.create_default_context(cafile=str(certificate.chain))
        async with httpx.AsyncClient(base_url=site.url, verify=trust, trust_env=False) as client:
            answer = await client.get("/quick")
            assert answer.status_code == 200
            assert "max-age" in answer.headers["strict-transport-security"]
            made = await client.post(
                "/api/v1/setup", json={"name": "anna", "password": "correct horse battery"}
            )
            assert made.status_code == 201
            cookie = made.headers["set-cookie"]
            assert cookie.startswith("__Host-camkeep=")
            assert "Secure" in cookie
            assert "HttpOnly" in cookie
            assert (await client.get("/api/v1/me")).json()["user"]["name"] == "anna"
        old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        old.load_verify_locations(certificate.chain)
        old.maximum_version = ssl.TLSVersion.TLSv1_2
        old.minimum_version = ssl.TLSVersion.TLSv1_2
        async with httpx.AsyncClient(base_url=site.url, verify=old, trust_env=False) as client:
            assert (await client.get("/quick")).status_code == 200
        plain = await exchange(site.port, head(site.port, "GET /quick HTTP/1.1"))
        assert b"200" not in plain


async def test_a_new_certificate_is_used_without_a_restart(tmp_path: Path) -> None:
    folder = tmp_path / "tls"
    web = WebOptions(listen=ANYWHERE, certificate=make_certificate(folder, "one"))
    async with serving(tmp_path / "data", more=[("", router)], web=web) as site:

        async def served_as() -> bytes:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            _, writer = await asyncio.open_connection("127.0.0.1", site.port, ssl=context)
            found: bytes = writer.get_extra_info("ssl_object").getpeercert(True)
            writer.close()
            return found

        before = await served_as()
        other = make_certificate(tmp_path / "other", "two")
        (folder / "chain.pem").write_bytes(other.chain.read_bytes())
        await site.server.renew_certificate()  # half replaced: the old one stays
        assert await served_as() == before
        (folder / "key.pem").write_bytes(other.key.read_bytes())
        await site.server.renew_certificate()
        assert await served_as() != before


def test_certificates_that_are_none(tmp_path: Path) -> None:
    good, other = make_certificate(tmp_path / "a"), make_certificate(tmp_path / "b")
    locked = make_certificate(tmp_path / "c", passphrase=b"secret")
    absent, text = tmp_path / "absent.pem", tmp_path / "text.pem"
    text.write_text("no certificate")
    broken = tmp_path / "broken.pem"
    broken.write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    for chain, key, told in [
        (good.chain, other.key, "is not the key of"),
        (locked.chain, locked.key, "locked by a passphrase"),
        (absent, good.key, "cannot be read"),
        (good.chain, absent, "cannot be read"),
        (text, good.key, "no PEM file"),
        (broken, good.key, "are not a certificate and its key"),
        (tmp_path, good.key, "cannot be read"),
    ]:
        with pytest.raises(UsageError, match=told):
            tls_context(Certificate(chain, key))
