"""A12: whatever ends somebody's rights ends all that they have open, within 5 s: each operation
that lasts, each WebSocket (both as the routes have them), and a download that nobody reads."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from camkeep.server.access import Role
from support.kept import GARAGE, footage, recorder
from support.livecams import card_camera
from support.routes import described, path_of
from support.segments import NOON, SECOND
from support.server import API, Site, serving

WITHIN_S = 5.0
SEGMENTS = 120
MOVIE = f"{API}/cameras/{GARAGE}/video.mp4?from={NOON}&to={NOON + 2 * SEGMENTS * SECOND}"
TOKENS = ("password", "role", "grants", "disabled", "removed", "token revoked")
SESSIONS = ("password", "role", "grants", "disabled", "removed", "session ended", "logged out")


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    """A live camera, and one of which more is kept than fits between a service and its client."""
    recorded = recorder(tmp_path / "archive")
    for _ in range(SEGMENTS):
        recorded.record("h264-large")
    footage(recorded)
    async with serving(tmp_path / "archive", wanted=[card_camera()]) as site:
        await site.user("anna")
        yield site


async def changed(site: Site, user_id: str, how: str, cookie: str) -> None:
    """Have their rights end."""
    users, accounts = site.accounts.users, site.accounts
    ben = users.by_id(user_id)
    assert ben is not None
    match how:
        case "password":
            await users.set_password(ben.id, "quite another password")
        case "role":
            await users.change(replace(ben, role=Role.VIEWER))
        case "grants":
            await users.change(replace(ben, cameras=frozenset({GARAGE})))
        case "disabled":
            await users.change(replace(ben, disabled=True))
        case "removed":
            await users.remove(ben.id)
        case "token revoked":
            (token,) = accounts.tokens.all(ben.id)
            await accounts.tokens.revoke(token.id)
        case "session ended":
            (session,) = accounts.sessions.all(ben.id)
            await accounts.sessions.end(session.id)
        case _:
            async with site.fresh(cookies={"camkeep": cookie}) as client:
                assert (await client.post(f"{API}/logout")).status_code == 204


async def begun(stack: AsyncExitStack, site: Site, login: dict[str, str]) -> dict[str, object]:
    """All that lasts, opened, each with its first bytes; by path. What is a task reads on until
    the end."""
    ids = {"camera_id": site.cameras[0]}
    opened: dict[str, object] = {}
    client = await stack.enter_async_context(
        httpx.AsyncClient(base_url=site.url, headers=login, timeout=30, trust_env=False)
    )
    for each in described(site.app):
        if not (each.route.websocket or (each.lasting and each.method == "GET")):
            continue
        path = path_of(each.route, ids)
        if each.route.websocket:
            url = f"ws://127.0.0.1:{site.port}{path}"
            socket = await stack.enter_async_context(
                connect(url, proxy=None, additional_headers=login, max_size=None)
            )
            await socket.recv()
            opened[path] = asyncio.create_task(_received(socket))
        else:
            answer = await stack.enter_async_context(client.stream("GET", path))
            assert answer.status_code == 200, path
            chunks = answer.aiter_raw()
            await anext(chunks)
            opened[path] = asyncio.create_task(_read(chunks))
    answer = await stack.enter_async_context(client.stream("GET", MOVIE))
    assert answer.status_code == 200
    opened["movie"] = answer
    return opened


async def _received(socket: object) -> None:
    with suppress(ConnectionClosed):
        while True:
            await socket.recv()  # type: ignore[attr-defined]


async def _read(chunks: AsyncIterator[bytes]) -> int:
    """How much came until the end, however that came."""
    count = 0
    with suppress(httpx.RemoteProtocolError, httpx.ReadError):
        async for chunk in chunks:
            count += len(chunk)
    return count


@pytest.mark.parametrize(
    ("kind", "how"),
    [*(("token", how) for how in TOKENS), *(("session", how) for how in SESSIONS)],
)
async def test_all_that_somebody_has_open_ends_with_their_rights(
    site: Site, kind: str, how: str
) -> None:
    ben = await site.user("ben", Role.OPERATOR)
    secret = await (site.token("ben") if kind == "token" else site.session("ben"))
    shown = ("authorization", "Bearer ") if kind == "token" else ("cookie", "camkeep=")
    login = {shown[0]: shown[1] + secret}
    async with AsyncExitStack() as stack:
        opened = await begun(stack, site, login)
        movie = opened.pop("movie")
        assert isinstance(movie, httpx.Response)
        tasks = [task for task in opened.values() if isinstance(task, asyncio.Task)]
        assert len(tasks) >= 3, opened
        assert not any(task.done() for task in tasks)
        await changed(site, ben, how, secret)
        async with asyncio.timeout(WITHIN_S):
            await asyncio.gather(*tasks)
            got = await _read(movie.aiter_raw())
            while len(site.desk.closers):  # each lets go a moment after its client saw the end
                await asyncio.sleep(0.01)
        assert got < int(movie.headers["content-length"])
