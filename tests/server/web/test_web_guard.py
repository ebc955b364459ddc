"""Routes that declare no right are not served; errors tell nothing that is not for the client."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated

import pytest
from fastapi import APIRouter, Depends, WebSocket
from pydantic import BaseModel
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Mount, Route

from camkeep.errors import DiskFull, NotSupported, Unreachable
from camkeep.server.access import Right
from camkeep.server.problems import Problem
from camkeep.server.web.guard import Admin, Anybody, Declared, Looker, allow
from support.rawrequest import ask, exchange
from support.server import serving

SECRET = "hunter2-and-more"


async def refused(tmp_path: Path, part: APIRouter | Mount) -> str:
    with pytest.raises(ValueError, match="declare one") as error:
        async with serving(tmp_path, more=[("", part)]):
            pass
    return str(error.value)


async def test_a_route_without_a_right_is_refused(tmp_path: Path) -> None:
    router = APIRouter()

    @router.get("/open")
    def handler() -> str:
        return "all"

    assert "/open declares 0 rights" in await refused(tmp_path, router)


async def test_a_route_with_two_rights_is_refused(tmp_path: Path) -> None:
    router = APIRouter()

    @router.get("/both")
    def handler(who: Looker, other: Admin) -> str:
        return "which?"

    assert "/both declares 2 rights" in await refused(tmp_path, router)


async def test_a_socket_without_a_right_is_refused(tmp_path: Path) -> None:
    router = APIRouter()

    @router.websocket("/socket")
    async def handler(websocket: WebSocket) -> None:
        await websocket.accept()

    assert "/socket declares 0 rights" in await refused(tmp_path, router)


async def test_a_mount_without_a_right_is_refused(tmp_path: Path) -> None:
    await refused(tmp_path, Mount("/files", Starlette()))


async def test_a_route_beside_the_framework_is_refused(tmp_path: Path) -> None:
    router = APIRouter()
    router.routes.append(Route("/plain", lambda _: PlainTextResponse("x")))
    await refused(tmp_path, router)


def test_a_mount_can_only_be_public() -> None:
    with pytest.raises(ValueError, match="public"):
        Declared(Starlette(), Right.LOOK)


async def test_a_mount_that_is_declared_is_served(tmp_path: Path) -> None:
    page = Starlette(routes=[Route("/page.js", lambda _: PlainTextResponse("x"))])
    async with serving(tmp_path, more=[("", Mount("/ui", Declared(page)))]) as site:
        await site.user("anna")
        answer = await site.client.get("/ui/page.js")
        assert answer.status_code == 200
        assert "script-src 'self'" in answer.headers["content-security-policy"]
        assert (await site.client.get("/ui/absent.js")).status_code == 404


class Body(BaseModel):
    number: int
    password: int


failing = APIRouter()


@failing.get("/fail/{kind}")
async def fail(kind: str, who: Anybody) -> str:
    raise {
        "problem": Problem(418, "Teapot", "short and stout", kind="urn:camkeep:tea"),
        "full": DiskFull("no space is left on the disk"),
        "away": Unreachable("nobody answers", camera="garage"),
        "never": NotSupported("no such codec"),
        "bug": RuntimeError(f"password={SECRET}"),
    }[kind]


@failing.post("/body")
def body(wanted: Body, who: Anybody) -> str:
    return "good"


@failing.get("/half")
async def half(who: Anybody) -> StreamingResponse:
    async def parts() -> AsyncIterator[bytes]:
        yield b"the beginning"
        raise RuntimeError(SECRET)

    return StreamingResponse(parts())


@failing.get("/slot")
async def slot(
    who: Annotated[object, Depends(allow(Right.PUBLIC))], request: Request
) -> dict[str, str]:
    return {"address": request.state.visit.address}


@pytest.mark.parametrize(
    ("kind", "status", "name"),
    [
        ("problem", 418, "urn:camkeep:tea"),
        ("full", 507, "urn:camkeep:disk-full"),
        ("away", 504, "urn:camkeep:unreachable"),
        ("never", 409, "urn:camkeep:not-supported"),
    ],
)
async def test_errors_are_problem_details(
    tmp_path: Path, kind: str, status: int, name: str
) -> None:
    async with serving(tmp_path, more=[("", failing)]) as site:
        answer = await site.client.get(f"/fail/{kind}")
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/problem+json"
        told = answer.json()
        assert (told["type"], told["status"]) == (name, status)
        assert told["detail"]


async def test_an_error_that_nobody_foresaw_is_in_the_log_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving(tmp_path, more=[("", failing)]) as site:
        with caplog.at_level(logging.ERROR):
            answer = await site.client.get(f"/fail/bug?token={SECRET}-in-url")
        assert answer.status_code == 500
        assert answer.headers["content-type"] == "application/problem+json"
        assert SECRET not in answer.text
        assert "Traceback" not in answer.text
        assert "GET /fail/{kind} failed" in caplog.text
        assert "in-url" not in caplog.text
        assert (await site.client.get("/slot")).status_code == 200


async def test_an_answer_that_breaks_off_is_not_taken_for_complete(tmp_path: Path) -> None:
    async with serving(tmp_path, more=[("", failing)]) as site:
        request = f"GET /half HTTP/1.1\r\nHost: 127.0.0.1:{site.port}\r\n\r\n".encode()
        received = await exchange(site.port, request)
        assert b"the beginning" in received
        assert not received.endswith(b"0\r\n\r\n")


async def test_what_was_sent_is_not_repeated(tmp_path: Path) -> None:
    async with serving(tmp_path, more=[("", failing)]) as site:
        answer = await site.client.post("/body", json={"number": "x", "password": SECRET})
        assert answer.status_code == 422
        assert SECRET not in answer.text
        assert {fault["where"] for fault in answer.json()["errors"]} == {"number", "password"}
        answer = await site.client.post(
            "/body", content=b"{" + SECRET.encode(), headers={"content-type": "application/json"}
        )
        assert answer.status_code == 422
        assert SECRET not in answer.text


async def test_bodies_are_json_and_bounded(tmp_path: Path) -> None:
    async with serving(tmp_path, more=[("", failing)]) as site:
        client = site.client
        form = await client.post("/body", data={"number": "1"})
        assert form.status_code == 415
        text = await client.post(
            "/body", content=b'{"number":1,"password":2}', headers={"content-type": "text/plain"}
        )
        assert text.status_code == 415
        good = await client.post("/body", json={"number": 1, "password": 2})
        assert good.status_code == 200
        too_large = ["Content-Type: application/json", "Content-Length: 4000000000"]
        assert (await ask(site.port, "POST", "/body", *too_large)).status == 413

        async def parts() -> AsyncIterator[bytes]:
            for _ in range(100):
                yield b" " * 10_000
            yield b" "

        json_type = {"content-type": "application/json"}
        chunked = await client.post("/body", content=parts(), headers=json_type)
        assert chunked.status_code == 413


async def test_a_deep_body_is_an_error_of_the_client(tmp_path: Path) -> None:
    async with serving(tmp_path, more=[("", failing)]) as site:
        deep = b"[" * 400_000 + b"]" * 400_000
        json_type = {"content-type": "application/json"}
        answer = await site.client.post("/body", content=deep, headers=json_type)
        assert answer.status_code == 400
