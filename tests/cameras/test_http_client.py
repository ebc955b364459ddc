"""Logins, redirects, bodies and every wrong answer, over real connections."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re

import pytest

from camkeep.cameras.address import Credentials, parse_address
from camkeep.cameras.http import HttpClient, fetch
from camkeep.cameras.source import SourceOptions
from camkeep.errors import (
    Forbidden,
    LoginRefused,
    NotFound,
    RetrySoon,
    Stalled,
    StreamBroken,
    Unreachable,
    WrongProtocol,
)
from support.http_server import Request, Server, serving

SECRET = "hunter2&x"
OPTIONS = SourceOptions(connect_timeout_s=2, stall_s=5)
WITH_LOGIN = SourceOptions(Credentials("admin", SECRET), connect_timeout_s=2, stall_s=5)


async def get(server: Server, path: str = "/x", options: SourceOptions = OPTIONS, **limits):
    return await fetch(parse_address(server.url + path)[0], options, **limits)


async def raw(answer: bytes, options: SourceOptions = OPTIONS, **limits):
    """What `fetch` makes of these very bytes, the connection closed behind them."""

    async def handler(request: Request) -> None:
        await request.send(answer)

    async with serving(handler) as server:
        return await get(server, "/x?pwd=hunter2", options, **limits)


OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
GOOD = {
    "Content-Length": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello and more",
    "until close": b"HTTP/1.0 200 OK\r\nServer: x\r\n\r\nhello",
    "LF": b"HTTP/1.1 200 OK\nContent-Length: 5\n\nhello",
    "chunked": CHUNKED + b"2;a=b\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
    "trailers": CHUNKED + b"5\r\nhello\r\n0\r\nA: b\r\n\r\n",
    "100 first": b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    "negative length": b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello",
    "blank lines first": b"\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
}


@pytest.mark.parametrize("form", GOOD)
async def test_bodies(form: str) -> None:
    response = await raw(GOOD[form])
    assert response.body == b"hello"
    assert response.complete


async def test_a_body_cut_short_says_so() -> None:
    response = await raw(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello")
    assert (response.body, response.complete) == (b"hello", False)


WRONG = {
    "nothing": (b"", StreamBroken, "ended the connection"),
    "RTSP": (b"RTSP/1.0 400 Bad Request\r\n\r\n", WrongProtocol, "speaks RTSP, not HTTP"),
    "SSH": (b"SSH-2.0-OpenSSH_9.2\r\n", WrongProtocol, "speaks SSH"),
    "TLS": (b"\x15\x03\x01\x00\x02\x02\x16", WrongProtocol, "try https"),
    "bytes": (b"\0\1\2\3\4\5\6\7", WrongProtocol, "not HTTP"),
    "no status": (b"HTTP/1.1 OK\r\n\r\n", WrongProtocol, "not HTTP"),
    "403": (b"HTTP/1.1 403 No\r\n\r\n", LoginRefused, "403 Forbidden"),
    "404": (b"HTTP/1.1 404 No\r\n\r\n", NotFound, "404 Not Found"),
    "503": (b"HTTP/1.1 503 hunter2\r\n\r\n", RetrySoon, "503 Service Unavailable"),
    "400": (b"HTTP/1.1 400 No\r\n\r\n", WrongProtocol, "400 Bad Request"),
    "401": (b"HTTP/1.1 401 No\r\nWWW-Authenticate: Basic\r\n\r\n", LoginRefused, "wants a login"),
    "head without end": (b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 20000, WrongProtocol, "not end"),
    "bad chunk": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        StreamBroken,
        "no length",
    ),
    "large": (b"HTTP/1.1 200 OK\r\n\r\n" + bytes(2000), WrongProtocol, "larger than 1 kB"),
    "4 GB": (
        b"HTTP/1.1 200 OK\r\nContent-Length: 4294967295\r\n\r\nx",
        WrongProtocol,
        "larger than 1 kB",
    ),
    "elsewhere": (
        b"HTTP/1.1 302 x\r\nLocation: http://example.org/?pwd=hunter2\r\n\r\n",
        Forbidden,
        r"another host \(example.org\)",
    ),
    "file": (b"HTTP/1.1 302 x\r\nLocation: file:///etc/passwd\r\n\r\n", Forbidden, "no HTTP"),
    "circle": (b"HTTP/1.1 302 x\r\nLocation: /x\r\n\r\n", Forbidden, "circle"),
}


@pytest.mark.parametrize("form", WRONG)
async def test_wrong_answers(form: str) -> None:
    answer, kind, words = WRONG[form]
    with pytest.raises(kind, match=words) as caught:
        await raw(answer, limit=1000)
    assert "hunter2" not in str(caught.value)


async def test_nobody_there() -> None:
    async with serving(lambda request: request.answer()) as server:
        pass
    with pytest.raises(Unreachable, match="refused the connection"):
        await get(server)


async def test_a_nonce_that_is_stale_for_ever_ends() -> None:
    async def never_content(request: Request) -> None:
        nonce = f"n{len(server.requests)}"
        digest = f'Digest realm="r", nonce="{nonce}", qop="auth", stale=true'
        await request.answer(status=401, WWW_Authenticate=digest)

    async with serving(never_content) as server:
        with pytest.raises(LoginRefused, match="goes on asking"):
            await get(server, options=WITH_LOGIN)
        assert len(server.requests) == 4


@pytest.mark.parametrize("host", ["no..where", ".nowhere", f"{'n' * 64}.invalid", "none.invalid"])
async def test_names_that_no_host_can_have(host: str) -> None:
    for scheme in ("http", "https"):
        address, _ = parse_address(f"{scheme}://{host}/")
        with pytest.raises(Unreachable, match="no such host"):
            await HttpClient(SourceOptions()).fetch(address)


async def test_silence_and_dripping_end_in_time() -> None:
    async def drip(request: Request) -> None:
        for byte in b"HTTP/1.1 200 OK\r\nA: " + b"b" * 1000:
            await request.send(bytes([byte]))
            await asyncio.sleep(0.02)

    for handler in (Request.forever, drip):
        async with serving(handler) as server:
            with pytest.raises(Stalled):
                await get(server, timeout_s=0.3)
            with pytest.raises(Stalled):
                await get(server, options=SourceOptions(stall_s=0.3), timeout_s=30)


async def test_redirects_within_the_host_are_followed() -> None:
    async def handler(request: Request) -> None:
        if request.path == "/x":
            await request.answer(status=301, Location="/y/z?a=1")
        else:
            await request.answer(request.target.encode())

    async with serving(handler) as server:
        assert (await get(server)).body == b"/y/z?a=1"


async def test_basic_login_is_asked_for_once_and_then_sent_at_once() -> None:
    async def handler(request: Request) -> None:
        pair = base64.b64encode(f"admin:{SECRET}".encode()).decode()
        if request.headers.get("authorization") == f"Basic {pair}":
            return await request.answer(b"in")
        return await request.answer(b"out", status=401, WWW_Authenticate='Basic realm="a, b"')

    async with serving(handler) as server:
        client = HttpClient(WITH_LOGIN)
        address, _ = parse_address(server.url)
        for _ in range(3):
            assert (await client.fetch(address)).body == b"in"
        assert len(server.requests) == 4
        assert client.login.scheme == "Basic"
        wrong = SourceOptions(Credentials("admin", "other"))
        with pytest.raises(LoginRefused, match="refused the user or password"):
            await get(server, options=wrong)
        assert len(server.requests) == 6


async def test_digest_login() -> None:
    def right(request: Request) -> bool:
        given = dict(re.findall(r'(\w+)="?([^",]*)"?', request.headers.get("authorization", "")))

        def digest(*parts: str) -> str:
            return hashlib.md5(":".join(parts).encode()).hexdigest()

        if given.get("nonce") != "n1" or given.get("uri") != request.target:
            return False
        secret = digest("admin", "cam", SECRET)
        middle = ("n1", given["nc"], given["cnonce"], "auth")
        return given["response"] == digest(secret, *middle, digest("GET", request.target))

    async def handler(request: Request) -> None:
        if right(request):
            return await request.answer(b"in")
        challenge = 'Digest realm="cam", qop="auth", nonce="n1"'
        return await request.answer(status=401, WWW_Authenticate=challenge)

    async with serving(handler) as server:
        assert (await get(server, "/a%20b?c=ü", WITH_LOGIN)).body == b"in"


async def test_targets_are_escaped() -> None:
    async def handler(request: Request) -> None:
        await request.answer(request.target.encode())

    async with serving(handler) as server:
        address = parse_address(server.url)[0].with_target("/ü\r\nX: y", "a=%20 b")
        body = (await fetch(address, OPTIONS)).body
        assert body == b"/%C3%BC%0D%0AX:%20y?a=%20%20b"
