"""A1, A5 and who may do what, over every route that there is: the lists below are made from the
application, so that a new route is swept without anybody remembering."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from fastapi import APIRouter, FastAPI, WebSocket

from camkeep.server.access import Right, Role
from camkeep.server.desk import DeskOf
from camkeep.server.problems import not_found
from camkeep.server.web.guard import Guarded, Looker, routes_of
from support.rawrequest import Answer, ask, knock
from support.server import Site, serving
from support.staged import Staged, stream

CANARY = b"a secret that lies beside the archive"
PUBLIC = {
    "/",
    "/ui/{version}/{name}",
    "/api/v1/login",
    "/api/v1/logout",
    "/api/v1/me",
    "/api/v1/setup",
    "/healthz",
    "/api/v1/shared/{secret}",
    "/api/v1/shared/{secret}/video.mp4",
}
"""All that may be had without a login. What is added here, everybody on the network gets."""
HAS = {
    Right.LOOK: (Role.VIEWER, Role.OPERATOR, Role.ADMIN),
    Right.OPERATE: (Role.OPERATOR, Role.ADMIN),
    Right.ADMIN: (Role.ADMIN,),
}
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY")

sockets = APIRouter()


@sockets.websocket("/test/socket/{name}")
async def socket(websocket: WebSocket, name: str, who: Looker, desk: DeskOf) -> None:
    if name != "x":
        raise not_found("thing")
    await websocket.accept()
    await websocket.close()


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    for place in (tmp_path, tmp_path / "data"):
        place.mkdir(exist_ok=True)
    (tmp_path / "canary.txt").write_bytes(CANARY)
    (tmp_path / "canary.mp4").write_bytes(CANARY)
    async with serving(tmp_path / "data", Staged(stream(20)), more=[("", sockets)]) as site:
        (tmp_path / "data" / "link.mp4").symlink_to(tmp_path / "canary.mp4")
        await site.user("anna", Role.ADMIN)
        yield site


def filled(route: Guarded, value: str, *, at: str = "") -> str:
    """The path of a route with `value` for its parameter `at` (all of them where that is empty)."""
    path = route.path
    for name in route.parameters:
        for written in (f"{{{name}}}", f"{{{name}:path}}"):
            path = path.replace(written, value if at in ("", name) else "x")
    return path


def guarded(app: FastAPI) -> list[Guarded]:
    return [route for route in routes_of(app) if not route.mount]


async def sent(site: Site, method: str, target: str, *headers: str) -> Answer:
    body = b"{}" if method in ("POST", "PUT", "PATCH") else b""
    return await ask(site.port, method, target, *headers, body=body)


async def test_nothing_is_to_be_had_without_a_login(site: Site) -> None:
    open_to_all = set()
    for route in guarded(site.app):
        if route.right is Right.PUBLIC:
            open_to_all.add(route.path)
            continue
        target = filled(route, "x")
        if route.websocket:
            answer = await knock(site.port, target)
            assert answer.status == 401, route
            assert answer.json()["status"] == 401
        for method in METHODS:
            answer = await sent(site, method, target)
            refused = (401,) if method in route.methods else (401, 404, 405)
            assert answer.status in refused, route
            if method != "HEAD":
                assert answer.headers["content-type"] == "application/problem+json"
            assert "set-cookie" not in answer.headers
    assert open_to_all <= PUBLIC


async def test_a_made_up_login_is_none(site: Site) -> None:
    wrong = [
        "Cookie: camkeep=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "Cookie: __Host-camkeep=x; camkeep=",
        "Authorization: Bearer ck_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "Authorization: Bearer",
        "Authorization: Basic YW5uYTpjb3JyZWN0IGhvcnNlIGJhdHRlcnk=",
        f"Authorization: Bearer ck_{'x' * 50_000}",
        "X-Forwarded-For: 127.0.0.1",
        "X-Forwarded-User: anna",
    ]
    for header in wrong:
        answer = await ask(site.port, "GET", "/api/v1/users", header)
        assert answer.status == 401, header


async def test_a_token_in_the_address_is_taken_only_for_media(site: Site) -> None:
    token = await site.token("anna")
    assert (await ask(site.port, "GET", f"/api/v1/users?token={token}")).status == 401
    assert (await ask(site.port, "GET", f"/api/v1/openapi.json?token={token}")).status == 401
    assert (await ask(site.port, "DELETE", f"/api/v1/sessions?token={token}")).status == 401


async def test_each_role_may_do_what_its_routes_say_and_no_more(site: Site) -> None:
    tokens = {}
    for role in Role:
        await site.user(f"the {role}", role)
        tokens[role] = await site.token(f"the {role}")
    for route in guarded(site.app):
        allowed = HAS.get(route.right, tuple(Role))
        for role in set(Role) - set(allowed):
            header = f"Authorization: Bearer {tokens[role]}"
            for method in route.methods:
                answer = await sent(site, method, filled(route, "x"), header)
                assert answer.status == 403, (route, role)
            if route.websocket:
                assert (await knock(site.port, filled(route, "x"), header)).status == 403


TRAVERSALS = [
    "..",
    "../..",
    "../../canary.txt",
    "..%2f..%2fcanary.txt",
    "%2e%2e%2f%2e%2e%2fcanary.mp4",
    "%2e%2e",
    "..%5c..%5ccanary.txt",
    "%252e%252e%252fcanary.txt",
    "..%c0%af..%c0%afcanary.txt",
    "/etc/passwd",
    "%2fetc%2fpasswd",
    "//etc/passwd",
    "file:%2f%2f%2fetc%2fpasswd",
    "C:%5cWindows%5cwin.ini",
    "link.mp4",
    "x%00",
    "%00",
    "canary.mp4%00.json",
    "%0d%0aX-Injected:%20yes",
    "%ff%fe",
    "%ed%a0%80",
    "~root",
    "$(id)",
    "'%20OR%201=1--",
    "%f0%9f%93%b7" * 5_000,
    "a" * 70_000,
]


async def test_no_path_leads_out_of_the_archive(site: Site) -> None:
    header = f"Authorization: Bearer {await site.token('anna')}"

    async def look(route: Guarded, parameter: str, value: str) -> int:
        target = filled(route, value, at=parameter)
        for method in route.methods:
            answer = await sent(site, method, target, header)
            assert 400 <= answer.status < 500, (method, target[:200], answer)
            assert CANARY not in answer.body
            assert b"root:" not in answer.body
            assert "x-injected" not in answer.headers
        if route.websocket:
            assert (await knock(site.port, target, header)).status in (400, 403, 404, 414, 431)
        return 1

    swept = 0
    for route in guarded(site.app):
        for parameter in route.parameters:
            looks = [look(route, parameter, value) for value in TRAVERSALS]
            swept += sum(await asyncio.gather(*looks))
    assert swept > 5 * len(TRAVERSALS)
