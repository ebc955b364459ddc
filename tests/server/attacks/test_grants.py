"""A2: who may see one camera asks for everything that there is of another one.

All is made from the routes: each is asked with the ids of hidden objects in its path, in its query
and in its body, and every answer that somebody does get is searched for words that stand nowhere
but with what is hidden. What to fill a parameter with stands in the tables below.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from camkeep.server.access import Right
from support.keeping import at
from support.routes import Described, NotInTable, described, path_of
from support.two import HIDDEN, SHOWN, Two, tell, two_cameras

PASSWORD = "another horse, quite correct"
PATHS = {"secret": "x" * 43, "version": "x", "name": "x", "stream": "main"}
"""Parameters of paths besides the ids of `Two.hidden`. A link's secret is all that it needs."""
QUERY: dict[str, str | int] = {"from": at(0), "to": at(3600), "at": at(1)}
"""Parameters of queries that say nothing of cameras, and are sent wherever they can be."""
HARMLESS = {
    *("before", "cut_gaps", "density", "direction", "everyone", "evidence", "every", "kind"),
    *("level", "limit", "after", "network", "part", "resolution", "since", "sound", "stream"),
    *("fps", "width", "zone", "_HLS_msn", "_HLS_part", "_HLS_skip"),
}
"""Others that say nothing of cameras, and may be left away."""
BODY: dict[str, Any] = {
    "name": "taken over",
    "password": PASSWORD,
    "old": PASSWORD,
    "new": PASSWORD,
    "from": at(0),
    "to": at(1),
    "expires": at(3600),
    "address": "testcard:",
    "role": "viewer",
}
"""Fields of bodies that say nothing of cameras."""
LONGEST_S = 20.0


@pytest.fixture
async def two(tmp_path: Path) -> AsyncIterator[Two]:
    async with two_cameras(tmp_path) as two:
        yield two


def naming(two: Two, ids: dict[str, str]) -> dict[str, Any]:
    """Fields of queries and bodies that name objects of a camera."""
    return {
        "camera": ids["camera_id"],
        "cameras": [ids["camera_id"]],
        "clip": ids["clip_id"],
        "id": ids["camera_id"],
    }


def query_of(each: Described, names: dict[str, Any] | None = None) -> str:
    """The query of a request. Raises NotInTable."""
    sent: dict[str, Any] = {}
    for name, needed in each.query().items():
        if name in QUERY:
            sent[name] = QUERY[name]
        elif names is not None and name in names:
            value = names[name]
            sent[name] = ",".join(value) if isinstance(value, list) else value
        elif name not in HARMLESS | {"camera", "cameras", "clip"} or needed:
            raise NotInTable(each.route, f"the parameter {name} of its query")
    return urlencode(sent)


async def asked(two: Two, token: str, each: Described, path: str, names: dict[str, Any]) -> Any:
    """The answer to one request, read to its end."""
    body = each.body({**BODY, **names}) if each.method in ("POST", "PUT", "PATCH") else None
    url = f"{path}?{query_of(each, names)}"
    async with two.site.fresh(token=token) as client, asyncio.timeout(LONGEST_S):
        return await client.request(each.method, url, json=body)


async def knocked(two: Two, token: str, path: str) -> int:
    """With which status a WebSocket is refused; 101 where it is not."""
    url = f"ws://127.0.0.1:{two.site.port}{path}"
    try:
        async with connect(
            url, proxy=None, additional_headers={"authorization": f"Bearer {token}"}
        ):
            return 101
    except InvalidStatus as error:
        refused = error.response
    assert not two.found_in(bytes(refused.body or b"").decode())
    return refused.status_code


def with_ids(two: Two) -> Iterator[Described]:
    """Operations that have something in their path."""
    for each in described(two.site.app):
        if each.route.parameters:
            path_of(each.route, {**PATHS, **two.hidden})
            yield each


async def test_no_path_leads_to_what_is_hidden(two: Two) -> None:
    swept = 0
    for each in list(with_ids(two)):
        path = path_of(each.route, {**PATHS, **two.hidden})
        for who, token in two.tokens.items():
            if each.route.websocket:
                status = await knocked(two, token, path)
            else:
                answer = await asked(two, token, each, path, naming(two, two.shown))
                status = answer.status_code
                assert not two.found_in(answer.text.replace(path, "")), (who, each.method, path)
            assert status in (403, 404), (who, each.method, path, status)
            swept += 1
    assert swept > 50
    async with two.site.fresh(token=two.boss) as boss:  # it is all still there
        for kind, path in (("camera_id", "cameras"), ("clip_id", "clips"), ("user_id", "users")):
            assert (await boss.get(f"/api/v1/{path}/{two.hidden[kind]}")).status_code == 200
        assert (
            len((await boss.get("/api/v1/tokens", params={"everyone": 1})).json()["tokens"])
            == len(two.tokens) + 1
        )


async def test_what_was_deleted_is_hidden_too(two: Two) -> None:
    async with two.site.fresh(token=two.boss) as boss:
        where = f"/api/v1/clips/{two.hidden['clip_id']}"
        assert (await boss.delete(where)).status_code == 200
        for each in list(with_ids(two)):
            if "clip_id" in each.route.parameters:
                path = path_of(each.route, two.hidden)
                for who, token in two.tokens.items():
                    answer = await asked(two, token, each, path, naming(two, two.shown))
                    assert answer.status_code in (403, 404), (who, each.method, path)
                    assert not two.found_in(answer.text)
        assert (await boss.post(f"{where}/restore")).status_code == 200


async def test_a_clip_that_also_shows_it_cannot_be_changed(two: Two) -> None:
    for each in list(with_ids(two)):
        if each.route.parameters == ("clip_id",) and not each.route.websocket:
            path = path_of(each.route, {"clip_id": two.both})
            for who, token in two.tokens.items():
                answer = await asked(two, token, each, path, {})
                if each.method not in ("GET", "HEAD"):
                    assert answer.status_code in (403, 404), (who, each.method, path)
                hidden = {**two.words, "name": "nothing"} if answer.content else two.words
                assert str(HIDDEN) not in answer.text, (who, path, hidden)
                assert not two.found_in(str(answer.headers)), (who, path)


async def test_nothing_that_names_it_in_a_query_or_body_gets_it(two: Two) -> None:
    """With all else as somebody may see it, in each place one by one."""
    swept = set()
    for each in described(two.site.app):
        if each.route.websocket or each.lasting:
            continue
        ids = {**PATHS, **two.shown}
        if {"user_id", "token_id", "session_id", "share_id"} & {*each.route.parameters}:
            continue  # whose own they are may be changed
        for field, value in naming(two, two.hidden).items():
            named = {**naming(two, two.shown), field: value}
            in_body = each.body({**BODY, **named}) or {}
            if field not in each.query() and value != in_body.get(field):
                continue
            swept.add((each.route.path, field))
            for who, token in two.tokens.items():
                answer = await asked(two, token, each, path_of(each.route, ids), named)
                told = (who, each.method, each.route.path, field, answer.text[:300])
                if each.method != "GET":
                    assert answer.status_code in (403, 404), told
                assert not two.found_in(answer.text), told
    assert {("/api/v1/timeline", "cameras"), ("/api/v1/clips", "camera")} <= swept
    assert {("/api/v1/shares", "clip"), ("/api/v1/clips", "cameras")} <= swept


async def test_no_answer_that_somebody_may_have_tells_of_it(two: Two) -> None:
    """Every answer that can be had, searched; and an administrator finds each word somewhere, or
    nothing would be searched."""
    everything = ""
    for each in described(two.site.app):
        if each.method != "GET" or each.lasting:
            continue
        path = path_of(each.route, {**PATHS, **two.shown})
        for everyone in ("", "&everyone=1") if "everyone" in each.query() else ("",):
            for who, token in two.tokens.items():
                async with two.site.fresh(token=token) as client:
                    answer = await client.get(f"{path}?{query_of(each)}{everyone}")
                found = two.found_in(answer.text + str(answer.headers))
                assert not found, (who, path, found)
                allowed = each.route.right in (Right.LOOK, Right.PUBLIC)
                if allowed and not each.route.parameters and who == "vera" and not everyone:
                    assert answer.status_code in (200, 403), (path, answer.text)
            async with two.site.fresh(token=two.boss) as boss:
                everything += (await boss.get(f"{path}?{query_of(each)}{everyone}")).text
    async with two.site.fresh(token=two.boss) as boss:
        everything += (await boss.get(f"/api/v1/cameras/{HIDDEN}")).text
    assert set(two.found_in(everything)) == set(two.words)


async def test_no_stream_of_events_tells_of_it(two: Two) -> None:
    for each in described(two.site.app):
        if "text/event-stream" not in str(each.operation.get("responses", {})):
            continue
        for token in two.tokens.values():
            lines = await _events(two, f"{each.route.path}?since=0", token)
            assert not two.found_in("\n".join(lines))
        assert "ujarevent" in "\n".join(await _events(two, f"{each.route.path}?since=0", two.boss))


async def _events(two: Two, path: str, token: str) -> list[str]:
    """What comes until something new was told of the camera that may be seen."""
    lines: list[str] = []
    async with (
        two.site.fresh(token=token) as client,
        asyncio.timeout(LONGEST_S),
        client.stream("GET", path, headers={"last-event-id": ""}) as answer,
    ):
        assert answer.status_code == 200
        told = 0
        async for line in answer.aiter_lines():
            lines.append(line)
            if line.startswith("event: hello"):
                tell(two.site)
            if "all is well here" in line:
                told += 1
                if told == 2:
                    break
    return lines


async def test_no_socket_tells_of_it(two: Two) -> None:
    """What comes at once on each WebSocket that somebody may open, also when they ask for more."""
    for each in described(two.site.app):
        if not each.route.websocket:
            continue
        url = f"ws://127.0.0.1:{two.site.port}{path_of(each.route, {**PATHS, **two.shown})}"
        for token in two.tokens.values():
            header = {"authorization": f"Bearer {token}"}
            async with connect(url, proxy=None, additional_headers=header) as socket:
                with suppress(ConnectionClosed, TimeoutError):
                    async with asyncio.timeout(0.5):
                        for word in ("subscribe", "watch", "open", "camera", "cameras"):
                            await socket.send(json.dumps({"type": word, word: str(HIDDEN)}))
                        async for message in socket:
                            text = message.encode() if isinstance(message, str) else message
                            assert not two.found_in(text.decode("latin-1")), each.route.path


async def test_a_clip_of_several_cameras_is_not_called_after_one_of_them(two: Two) -> None:
    """Its name is seen by all who may see any of them."""
    async with two.site.fresh(token=two.boss) as boss:
        body = {"cameras": [HIDDEN, SHOWN], "from": at(0), "to": at(1)}
        assert (await boss.post("/api/v1/clips", json=body)).status_code == 201
    async with two.site.fresh(token=two.tokens["vera"]) as vera:
        assert not two.found_in((await vera.get("/api/v1/clips")).text)


async def test_what_the_service_is_asked_for_by_whoever_may_all_is_there(two: Two) -> None:
    """The same requests are no errors for an administrator: else nothing was attacked."""
    for each in list(with_ids(two)):
        if each.method != "GET" or each.lasting or each.route.right is Right.PUBLIC:
            continue
        if "name" in each.route.parameters:  # of a piece, which there is once somebody watches
            continue
        async with two.site.fresh(token=two.boss) as boss:
            path = path_of(each.route, {**PATHS, **two.hidden})
            answer: httpx.Response = await boss.get(f"{path}?{query_of(each)}")
        assert answer.status_code in (200, 409, 502, 504), (path, answer.text)
