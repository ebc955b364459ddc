"""Behind a real reverse proxy: nginx with TLS, set up as docs/serving.md has it, word for word."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from camkeep.cameras.simulate import Simulator, SimulatorOptions
from camkeep.cameras.testcard import read_number
from camkeep.clock import FakeClock
from camkeep.server.access import Role
from support.accounts import PASSWORD, accounts_in
from support.attacked import Serve, served
from support.certificates import make_certificate
from support.livesocket import Message, Page
from support.nginx import needs_nginx, nginx
from support.serveprocess import setup

pytestmark = needs_nginx

PAGE = Path(__file__).parents[3].joinpath("docs", "serving.md").read_text()
BEHIND = PAGE.partition("**Behind a proxy**")[2]
NAME = "cams.example.com"
PUBLIC = f"https://{NAME}"
CLIENT = "127.0.0.2"
"""Where clients connect from: another address than the proxy's."""
CODE = r"to make the first account .*: (\S+)"
ANNA = {"name": "anna", "password": PASSWORD}
SLOW = SimulatorOptions(width=160, height=128, fps=4)
"""A camera that needs a long while to fill any buffer."""


def block(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", BEHIND, re.DOTALL)
    assert found, f"docs/serving.md shows no {language} behind a proxy"
    return found[1]


class ToNginx(httpx.AsyncHTTPTransport):
    """Goes to nginx, whatever the name of the site resolves to."""

    def __init__(self, port: int, tls: ssl.SSLContext) -> None:
        super().__init__(verify=tls, local_address=CLIENT)
        self._port = port

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        request.extensions["sni_hostname"] = request.url.host
        request.url = request.url.copy_with(host="127.0.0.1", port=self._port)
        return await super().handle_async_request(request)


@dataclass
class Proxied:
    """The service, as it is seen through nginx."""

    serve: Serve
    port: int
    """Of nginx."""
    tls: ssl.SSLContext
    client: httpx.AsyncClient

    async def log_in(self) -> httpx.Response:
        answer = await self.client.post("/api/v1/login", json=ANNA)
        assert answer.status_code == 200, answer.text
        self.client.headers["cookie"] = answer.headers["set-cookie"].partition(";")[0]
        return answer

    async def camera(self) -> str:
        """The id of the first camera, once it is live."""
        async with asyncio.timeout(20):
            while True:
                found = (await self.client.get("/api/v1/cameras")).json()["cameras"]
                if found and found[0]["recording"]:
                    camera: str = found[0]["id"]
                    return camera
                await asyncio.sleep(0.05)

    @asynccontextmanager
    async def socket(self, camera: str, origin: str) -> AsyncIterator[Page]:
        async with connect(
            f"wss://{NAME}/api/v1/cameras/{camera}/live",
            additional_headers={"cookie": self.client.headers["cookie"], "origin": origin},
            **{"host": "127.0.0.1", "port": self.port, "local_addr": (CLIENT, 0)},
            ssl=self.tls,
            proxy=None,
            max_size=None,
        ) as opened:
            yield Page(opened)


@asynccontextmanager
async def proxied(folder: Path) -> AsyncIterator[Proxied]:
    """camkeep on plain HTTP on loopback, and nginx before it, each as the page says."""
    settings = block("toml") + "allow_loopback_cameras = true\n"
    certificate = make_certificate(folder / "tls", NAME)
    tls = ssl.create_default_context(cafile=str(certificate.chain))
    async with AsyncExitStack() as stack:
        serve = await stack.enter_async_context(served(folder / "data", settings=settings))
        location, count = re.subn(
            r"127\.0\.0\.1:8090", urlsplit(await serve.url()).netloc, block("nginx")
        )
        assert count == 1
        port = await stack.enter_async_context(nginx(folder / "nginx", NAME, certificate, location))
        client = httpx.AsyncClient(base_url=PUBLIC, transport=ToNginx(port, tls), timeout=20)
        await stack.enter_async_context(client)
        yield Proxied(serve, port, tls, client)


@asynccontextmanager
async def watched(folder: Path) -> AsyncIterator[tuple[Proxied, Simulator]]:
    """The same with an account and a camera; `client` is logged in."""
    async with Simulator("mjpeg", SLOW) as camera:
        setup(folder / "data", {"yard": camera.url})
        async with accounts_in(folder / "data", FakeClock()) as accounts:
            await accounts.users.create("anna", PASSWORD, Role.ADMIN, None)
        async with proxied(folder) as site:
            await site.log_in()
            yield site, camera


async def test_the_first_account_through_a_proxy_needs_the_code(tmp_path: Path) -> None:
    """Also where the proxy and whoever asks are on this machine."""
    async with proxied(tmp_path) as site:
        code = (await site.serve.says(CODE))[1]
        assert (await site.client.get("/api/v1/cameras")).status_code == 401
        for forged in ({"x-forwarded-for": "127.0.0.1"}, {"forwarded": "for=127.0.0.1"}):
            answer = await site.client.get("/api/v1/cameras", headers=forged)
            assert answer.status_code == 401, answer.text
        me = (await site.client.get("/api/v1/me")).json()
        assert me == {"user": None, "accounts": False, "code_wanted": True}
        assert (await site.client.post("/api/v1/setup", json=ANNA)).status_code == 403
        made = await site.client.post("/api/v1/setup", json={**ANNA, "code": code})
        assert made.status_code == 201, made.text
        assert made.headers["set-cookie"].startswith("__Host-camkeep=")


async def test_who_logs_in_and_from_where(tmp_path: Path) -> None:
    async with watched(tmp_path) as (site, _):
        site.client.headers.pop("cookie")
        forged = {"x-forwarded-for": "198.51.100.4", "x-real-ip": "198.51.100.4"}
        refused = await site.client.post(
            "/api/v1/login", json={**ANNA, "password": "a wrong one"}, headers=forged
        )
        assert refused.status_code == 401
        answer = await site.log_in()
        cookie = answer.headers["set-cookie"].lower()
        assert cookie.startswith("__host-camkeep=")
        assert {"secure", "httponly", "samesite=strict"} <= set(cookie.split("; "))
        assert "strict-transport-security" in answer.headers
        entries = (await site.client.get("/api/v1/audit")).json()["entries"]
        found = {
            entry["action"]: entry["address"] for entry in entries if "login" in entry["action"]
        }
        assert found == {"login": CLIENT, "login.refused": CLIENT}


async def test_only_the_public_origin_changes_something(tmp_path: Path) -> None:
    async with watched(tmp_path) as (site, _):
        camera = await site.camera()
        path = f"/api/v1/cameras/{camera}/recording"
        near = f"http://127.0.0.1:{site.port}"
        for origin, status in ((PUBLIC, 200), ("https://evil.example", 403), (near, 403)):
            answer = await site.client.post(
                path, json={"record": False}, headers={"origin": origin}
            )
            assert answer.status_code == status, (origin, answer.text)
        with pytest.raises(InvalidStatus, match="403"):
            async with site.socket(camera, "https://evil.example"):
                pass
        answer = await site.client.get("/api/v1/me", headers={"x-forwarded-host": "evil.example"})
        assert answer.status_code == 421


async def test_live_pictures_pass_without_waiting_for_more(tmp_path: Path) -> None:
    """None of them is held back in a buffer until the next ones fill it."""
    async with watched(tmp_path) as (site, camera), asyncio.timeout(60):
        camera_id = await site.camera()
        async with site.socket(camera_id, PUBLIC) as page:
            found = [await page.binary() for _ in range(6)]
            assert isinstance(found[-1], Message)
            assert_fresh(camera, found[-1].data)
        url = f"/api/v1/cameras/{camera_id}/live.mjpeg"
        async with site.client.stream("GET", url) as answer:
            assert answer.status_code == 200
            got, pictures = b"", 0
            async for piece in answer.aiter_raw():
                got += piece
                while found_one := re.search(rb"\xff\xd8.*?\xff\xd9", got, re.DOTALL):
                    assert_fresh(camera, found_one[0])
                    got, pictures = got[found_one.end() :], pictures + 1
                if pictures >= 4:
                    break


def assert_fresh(camera: Simulator, jpeg: bytes) -> None:
    """It is one of the newest that the camera sent."""
    assert camera.sent[-1].number - read_number(jpeg) <= 2


async def test_events_pass_as_they_happen(tmp_path: Path) -> None:
    async with watched(tmp_path) as (site, _), asyncio.timeout(40):
        camera = await site.camera()
        async with site.client.stream("GET", "/api/v1/events/stream") as answer:
            lines = answer.aiter_lines()
            while await anext(lines) != "event: hello":
                pass
            # A sign of life comes after 15 s: what comes before it was not pushed on by it.
            async with asyncio.timeout(10):
                body = {"record": True, "name": "a fox"}
                await site.client.post(f"/api/v1/cameras/{camera}/recording", json=body)
                while "a fox" not in await anext(lines):
                    pass


async def test_a_movie_in_ranges(tmp_path: Path) -> None:
    async with watched(tmp_path) as (site, _):
        camera = await site.camera()
        recording = f"/api/v1/cameras/{camera}/recording"
        begun = await site.client.post(recording, json={"record": True})
        await asyncio.sleep(2)
        await site.client.post(recording, json={"record": False})
        url = f"/api/v1/clips/{begun.json()['clip']['id']}/video.mp4"
        whole = await site.client.get(url)
        assert whole.status_code == 200
        size = len(whole.content)
        assert whole.content[4:8] == b"ftyp"
        again = {"if-range": whole.headers["etag"]}
        for asked, start, end in ((f"{size // 2}-", size // 2, size), ("0-99", 0, 100)):
            part = await site.client.get(url, headers={"range": f"bytes={asked}", **again})
            assert part.status_code == 206
            assert part.headers["content-range"] == f"bytes {start}-{end - 1}/{size}"
            assert part.content == whole.content[start:end]
