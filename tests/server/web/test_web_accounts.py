"""Accounts over HTTP: logging in and out, the first account, users, sessions, tokens (A3, A12,
A13)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import APIRouter, WebSocket
from starlette.responses import StreamingResponse
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from camkeep.clock import FakeClock
from camkeep.server.access import Role
from camkeep.server.accounts.passwords import Passwords
from camkeep.server.desk import DeskOf
from camkeep.server.lasting import LastingResponse
from camkeep.server.web.guard import Looker, MediaLooker
from support.accounts import PASSWORD
from support.rawrequest import ask
from support.server import API, Site, serving
from support.staged import Staged, stream

OTHER = "another horse battery"

router = APIRouter()


@router.websocket("/test/socket")
async def socket(websocket: WebSocket, who: Looker, desk: DeskOf) -> None:
    await websocket.accept()
    over = asyncio.Event()
    with desk.closers.open(who, over.set):
        await websocket.send_text(who.name)
        await over.wait()
    await websocket.close(1008)


@router.get("/test/movie")
async def movie(who: MediaLooker, desk: DeskOf) -> StreamingResponse:
    async def parts() -> AsyncIterator[bytes]:
        yield b"begun"
        await asyncio.Event().wait()

    return LastingResponse(parts(), 200, {}, closers=desk.closers, who=who)


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with serving(tmp_path, more=[("", router)]) as site:
        await site.user("anna", Role.ADMIN)
        yield site


async def login(client: httpx.AsyncClient, name: str, password: str = PASSWORD) -> httpx.Response:
    return await client.post(f"{API}/login", json={"name": name, "password": password})


def opened(site: Site, **headers: str) -> connect:
    url = f"ws://127.0.0.1:{site.port}/test/socket"
    return connect(url, proxy=None, additional_headers=headers)


async def closed(viewer: ClientConnection) -> float:
    """How long it takes until a socket is closed."""
    began = time.monotonic()
    with pytest.raises(ConnectionClosed):
        async with asyncio.timeout(20):
            await viewer.recv()
    return time.monotonic() - began


async def actions(site: Site) -> list[str]:
    return [entry.action for entry in reversed(await site.accounts.audit.page())]


# in and out


async def test_logging_in_and_out(site: Site) -> None:
    async with site.fresh() as client:
        assert (await client.get(f"{API}/me")).json() == {
            "user": None,
            "accounts": True,
            "code_wanted": False,
        }
        answer = await login(client, "ANNA")
        assert answer.status_code == 200
        assert answer.json()["user"]["name"] == "anna"
        cookie = answer.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "samesite=strict" in cookie.lower()
        assert "Path=/" in cookie
        assert "Domain" not in cookie
        assert "Secure" not in cookie  # it is plain HTTP here
        assert answer.headers["cache-control"] == "no-store"
        me = (await client.get(f"{API}/me")).json()["user"]
        assert (me["role"], me["cameras"], me["how"]) == ("admin", None, "session")
        secret = client.cookies["camkeep"]
        assert secret not in (await client.get(f"{API}/sessions")).text
        assert (await client.post(f"{API}/logout")).status_code == 204
        assert "camkeep" not in client.cookies
        again = await client.get(f"{API}/users", headers={"cookie": f"camkeep={secret}"})
        assert again.status_code == 401
        assert (await client.post(f"{API}/logout")).status_code == 204
    assert await actions(site) == ["login", "logout"]


async def test_a_wrong_login_says_not_which_half_was_wrong(site: Site) -> None:
    wrong, absent = await login(site.client, "anna", OTHER), await login(site.client, "bert")
    assert (wrong.status_code, absent.status_code) == (401, 401)
    assert wrong.json() == absent.json()
    assert "set-cookie" not in wrong.headers
    assert await actions(site) == ["login.refused", "login.refused"]


@pytest.mark.parametrize(
    "body",
    [{}, {"name": "anna"}, {"name": 1, "password": PASSWORD}, {"name": "anna", "password": None},
     {"name": "anna", "password": "x" * 2000}, {"name": "a" * 1000, "password": PASSWORD}, [],
     {"name": "anna", "password": PASSWORD, "role": "admin"}],
)  # fmt: skip
async def test_what_is_no_login_is_told(site: Site, body: object) -> None:
    answer = await site.client.post(f"{API}/login", json=body)
    assert answer.status_code == 422
    assert PASSWORD not in answer.text
    assert "xxxxx" not in answer.text


# A3


async def test_guessing_is_slow_and_locks_nobody_out(tmp_path: Path) -> None:
    clock = FakeClock()
    async with serving(tmp_path, clock=clock) as site:
        await site.user("anna")
        for _ in range(5):
            assert (await login(site.client, "anna", OTHER)).status_code == 401
        answer = await login(site.client, "anna")
        assert answer.status_code == 429
        assert 0 < int(answer.headers["retry-after"]) <= 60
        assert answer.headers["content-type"] == "application/problem+json"
        clock.advance(61)
        assert (await login(site.client, "anna")).status_code == 200
        for number in range(30):
            answer = await login(site.client, f"user{number}", OTHER)
        assert answer.status_code == 429
        clock.advance(3601)
        assert (await login(site.client, "anna")).status_code == 200


async def test_an_address_is_no_word_of_the_client(site: Site) -> None:
    for number in range(6):
        said = f"X-Forwarded-For: 198.51.100.{number}"
        body = b'{"name":"anna","password":"wrong horse"}'
        answer = await ask(site.port, "POST", f"{API}/login", said, body=body)
    assert answer.status == 429


async def test_hashing_does_not_hold_up_the_loop(tmp_path: Path) -> None:
    async with serving(tmp_path, passwords=Passwords()) as site:
        await site.user("anna")
        pauses: list[float] = []

        async def beat() -> None:
            while True:
                began = time.monotonic()
                await asyncio.sleep(0.01)
                pauses.append(time.monotonic() - began)

        beating = asyncio.create_task(beat())
        answers = await asyncio.gather(
            *(login(site.client, f"user{number}", OTHER) for number in range(20))
        )
        beating.cancel()
        assert {answer.status_code for answer in answers} <= {401, 429, 503}
        print(f"longest pause of the loop under 20 logins: {max(pauses) * 1000:.0f} ms")
        assert max(pauses) < 5


# A12


async def test_another_role_ends_sessions_sockets_and_downloads(site: Site) -> None:
    bert = await site.user("bert", Role.ADMIN)
    async with await site.login("anna") as anna, await site.login("bert") as client:
        cookie = f"camkeep={client.cookies['camkeep']}"
        token = await site.token("bert")
        async with (
            opened(site, Cookie=cookie) as viewer,
            opened(site, Authorization=f"Bearer {token}") as program,
            opened(site, Cookie=f"camkeep={anna.cookies['camkeep']}") as other,
            client.stream("GET", f"/test/movie?token={token}") as download,
        ):
            assert [await each.recv() for each in (viewer, program, other)] == [
                "bert",
                "bert (token test)",
                "anna",
            ]
            parts = download.aiter_raw()
            assert await anext(parts) == b"begun"
            answer = await anna.patch(f"{API}/users/{bert}", json={"role": "viewer"})
            assert answer.json()["role"] == "viewer"
            assert await closed(viewer) < 5
            assert await closed(program) < 5
            with pytest.raises((StopAsyncIteration, httpx.RemoteProtocolError)):
                await asyncio.wait_for(anext(parts), 5)
            assert len(site.desk.closers) == 1
            await other.ping()
        assert (await client.get(f"{API}/sessions")).status_code == 401
    async with site.fresh(token=token) as program_again:  # the token is worth what bert is
        assert (await program_again.get(f"{API}/me")).json()["user"]["role"] == "viewer"
        assert (await program_again.get(f"{API}/users")).status_code == 403


async def test_another_password_ends_all_other_sessions(site: Site) -> None:
    async with await site.login("anna") as here, await site.login("anna") as there:
        async with opened(site, Cookie=f"camkeep={there.cookies['camkeep']}") as viewer:
            await viewer.recv()
            wrong = await here.put(f"{API}/me/password", json={"old": OTHER, "new": OTHER})
            assert wrong.status_code == 403
            weak = await here.put(f"{API}/me/password", json={"old": PASSWORD, "new": "anna"})
            assert weak.status_code == 422
            right = await here.put(f"{API}/me/password", json={"old": PASSWORD, "new": OTHER})
            assert right.status_code == 204
            assert await closed(viewer) < 5
        assert (await here.get(f"{API}/users")).status_code == 200
        assert (await there.get(f"{API}/users")).status_code == 401
    assert (await login(site.client, "anna")).status_code == 401
    assert (await login(site.client, "anna", OTHER)).status_code == 200


@pytest.mark.parametrize("how", ["logout", "end", "remove", "disable", "grants", "elsewhere"])
async def test_whatever_ends_a_login_ends_what_it_has_open(site: Site, how: str) -> None:
    bert = await site.user("bert", Role.OPERATOR)
    async with await site.login("anna") as anna, await site.login("bert") as client:
        login_id = (await client.get(f"{API}/me")).json()["user"]["login"]
        async with opened(site, Cookie=f"camkeep={client.cookies['camkeep']}") as viewer:
            await viewer.recv()
            match how:
                case "logout":
                    answer = await client.post(f"{API}/logout")
                case "end":
                    answer = await anna.delete(f"{API}/sessions/{login_id}")
                case "remove":
                    answer = await anna.delete(f"{API}/users/{bert}")
                case "disable":
                    answer = await anna.patch(f"{API}/users/{bert}", json={"disabled": True})
                case "grants":
                    answer = await anna.patch(f"{API}/users/{bert}", json={"cameras": []})
                case _:
                    async with await site.login("bert") as another:
                        answer = await another.delete(f"{API}/sessions")
            assert answer.status_code in (200, 204)
            assert await closed(viewer) < 5
        after = await client.get(f"{API}/sessions")
        assert after.status_code == (200 if how == "grants" else 401)


# A13


async def test_the_first_account_is_made_on_this_machine(tmp_path: Path) -> None:
    async with serving(tmp_path, more=[("", router)]) as site:
        me = (await site.client.get(f"{API}/me")).json()
        assert me["user"]["how"] == "loopback"
        assert (me["accounts"], me["code_wanted"]) == (False, False)
        for body in ({"name": "", "password": PASSWORD}, {"name": "anna", "password": "short"}):
            assert (await site.client.post(f"{API}/setup", json=body)).status_code == 422
        async with opened(site) as viewer:
            assert await viewer.recv() == "this machine"
            body = {"name": "anna", "password": PASSWORD}
            made = await site.client.post(f"{API}/setup", json=body)
            assert made.status_code == 201
            assert made.json()["user"]["role"] == "admin"
            assert await closed(viewer) < 5  # this machine is nobody any more
        assert (await site.client.get(f"{API}/users")).status_code == 200
        async with site.fresh() as stranger:
            assert (await stranger.get(f"{API}/users")).status_code == 401
            assert (await stranger.post(f"{API}/setup", json=body)).status_code == 409
        assert await actions(site) == ["setup"]


async def test_two_first_accounts_at_once_are_one(tmp_path: Path) -> None:
    async with serving(tmp_path) as site:
        answers = await asyncio.gather(
            *(
                site.client.post(f"{API}/setup", json={"name": f"u{n}", "password": PASSWORD})
                for n in range(5)
            )
        )
        assert sorted(answer.status_code for answer in answers)[0] == 201
        assert len(site.accounts.users.all()) == 1


async def test_from_elsewhere_the_first_account_needs_the_code(tmp_path: Path) -> None:
    clock = FakeClock()
    async with serving(tmp_path, clock=clock) as site:
        elsewhere = {"host": "192.0.2.1"}  # as a client on the network calls it

        async def setup(**more: str) -> httpx.Response:
            body = {"name": "anna", "password": PASSWORD, **more}
            return await site.client.post(f"{API}/setup", json=body, headers=elsewhere)

        me = (await site.client.get(f"{API}/me", headers=elsewhere)).json()
        assert me == {"user": None, "accounts": False, "code_wanted": True}
        assert (await site.client.get(f"{API}/users", headers=elsewhere)).status_code == 401
        assert (await setup()).status_code == 403  # nobody has shown a code
        shown: list[str] = []
        site.desk.first_account.offer(shown.append)
        assert (await setup(code="")).status_code == 403
        for _ in range(10):
            refused = await setup(code="AAAA-BBBB-CCCC")
            assert refused.status_code == 403
            assert shown[0] not in refused.text
        assert len(shown) == 1
        assert (await setup(code=shown[0])).status_code == 403  # its tries are used up
        clock.advance(61)
        await setup(code="AAAA-BBBB-CCCC")
        assert len(shown) == 2
        made = await setup(code=shown[1].lower())
        assert made.status_code == 201
        assert made.json()["user"]["name"] == "anna"
        assert (await setup(code=shown[1])).status_code == 409


# users


async def test_users_are_made_changed_and_removed(site: Site) -> None:
    async with await site.login("anna") as anna:
        body: dict[str, Any] = {"name": "bert", "password": PASSWORD, "cameras": ["abc"]}
        made = await anna.post(f"{API}/users", json=body)
        assert made.status_code == 201
        bert = made.json()
        assert (bert["role"], bert["cameras"], bert["disabled"]) == ("viewer", ["abc"], False)
        assert PASSWORD not in made.text
        for wrong in (body, {**body, "name": "nina", "cameras": [""]}):
            assert (await anna.post(f"{API}/users", json=wrong)).status_code == 422
        path = f"{API}/users/{bert['id']}"
        assert (await anna.get(path)).json() == bert
        assert [u["name"] for u in (await anna.get(f"{API}/users")).json()["users"]] == [
            "anna",
            "bert",
        ]
        changed = (await anna.patch(path, json={"name": "<b>Bert</b>", "cameras": None})).json()
        assert (changed["name"], changed["cameras"]) == ("<b>Bert</b>", None)
        assert (await anna.patch(path, json={"password": OTHER})).status_code == 200
        assert (await login(site.client, "<b>bert</b>", OTHER)).status_code == 200
        assert (await anna.patch(path, json={"password": "x"})).status_code == 422
        assert (await anna.patch(path, json={"owner": True})).status_code == 422
        assert (await anna.delete(path)).status_code == 204
        assert (await anna.get(path)).status_code == 404
        assert (await anna.delete(path)).status_code == 404
    noted = await site.accounts.audit.page()
    assert [each.action for each in reversed(noted)] == [
        "user.add",
        "user.change",
        "user.password",
        "login",
        "user.remove",
    ]
    assert all(PASSWORD not in str(each) and OTHER not in str(each) for each in noted)


async def test_there_is_always_an_administrator(site: Site) -> None:
    async with await site.login("anna") as anna:
        me = (await anna.get(f"{API}/me")).json()["user"]["id"]
        for body in ({"role": "viewer"}, {"disabled": True}):
            assert (await anna.patch(f"{API}/users/{me}", json=body)).status_code == 422
        assert (await anna.delete(f"{API}/users/{me}")).status_code == 422
        own = await anna.patch(f"{API}/users/{me}", json={"password": OTHER})
        assert own.status_code == 409  # whoever found the browser open does not know the old one
        assert (await anna.patch(f"{API}/users/{me}", json={"name": "Anna"})).status_code == 200
        assert (await anna.get(f"{API}/users")).status_code == 200


# sessions and tokens


async def test_sessions_are_seen_and_ended_by_their_owner_and_administrators(site: Site) -> None:
    await site.user("bert", Role.VIEWER)
    async with await site.login("anna") as anna, await site.login("bert") as bert:
        own = (await bert.get(f"{API}/sessions")).json()["sessions"]
        assert [(each["user_name"], each["current"]) for each in own] == [("bert", True)]
        assert (await bert.get(f"{API}/sessions?everyone=true")).status_code == 403
        every = (await anna.get(f"{API}/sessions?everyone=true")).json()["sessions"]
        assert [each["user_name"] for each in every] == ["anna", "bert"]
        theirs = every[0]["id"]
        assert (await bert.delete(f"{API}/sessions/{theirs}")).status_code == 404
        assert (await bert.delete(f"{API}/sessions/{own[0]['id']}")).status_code == 204
        assert (await bert.get(f"{API}/sessions")).status_code == 401


async def test_tokens_are_shown_once_and_revoked(site: Site) -> None:
    await site.user("bert", Role.OPERATOR, cameras=[])
    async with await site.login("anna") as anna, await site.login("bert") as bert:
        made = await bert.post(f"{API}/tokens", json={"name": "backup", "role": "viewer"})
        assert made.status_code == 201
        secret, token_id = made.json()["token"], made.json()["id"]
        assert secret.startswith("ck_")
        assert secret not in (await bert.get(f"{API}/tokens")).text
        for body in (
            {"name": "more", "role": "admin"},
            {"name": "backup"},
            {"name": "late", "expires": "2001-01-01T00:00:00Z"},
            {"name": "others", "cameras": ["abc"]},
        ):
            assert (await bert.post(f"{API}/tokens", json=body)).status_code == 422, body
        async with site.fresh(token=secret) as program:
            me = (await program.get(f"{API}/me")).json()["user"]
            assert (me["name"], me["role"], me["how"]) == ("bert (token backup)", "viewer", "token")
            assert (await program.get(f"{API}/clips")).status_code == 200
            for path in ("/tokens", "/sessions"):
                assert (await program.get(f"{API}{path}")).status_code == 403
            assert (await program.post(f"{API}/tokens", json={"name": "x"})).status_code == 403
            password = {"old": PASSWORD, "new": OTHER}
            assert (await program.put(f"{API}/me/password", json=password)).status_code == 403
            everyone = (await anna.get(f"{API}/tokens?everyone=true")).json()["tokens"]
            assert [each["user_name"] for each in everyone] == ["bert"]
            async with opened(site, Authorization=f"Bearer {secret}") as viewer:
                await viewer.recv()
                assert (await bert.delete(f"{API}/tokens/{token_id}")).status_code == 204
                assert await closed(viewer) < 5
            assert (await program.get(f"{API}/me")).status_code == 401
        assert (await anna.delete(f"{API}/tokens/{token_id}")).status_code == 404


async def test_a_token_ends(tmp_path: Path) -> None:
    clock = FakeClock()
    async with serving(tmp_path, clock=clock, more=[("", router)]) as site:
        await site.user("anna")
        async with await site.login("anna") as anna:
            body = {"name": "day", "expires": clock.wall() + 86_400_000_000}
            secret = (await anna.post(f"{API}/tokens", json=body)).json()["token"]
        async with (
            site.fresh(token=secret) as program,
            opened(site, Authorization=f"Bearer {secret}") as viewer,
        ):
            await viewer.recv()
            assert (await program.get(f"{API}/clips")).status_code == 200
            clock.advance(86_401)
            assert (await program.get(f"{API}/clips")).status_code == 401
            assert await closed(viewer) < 5


async def test_a_token_of_an_administrator_makes_no_users(site: Site) -> None:
    async with site.fresh(token=await site.token("anna")) as program:
        assert (await program.get(f"{API}/users")).status_code == 200
        body = {"name": "eve", "password": PASSWORD, "role": "admin", "cameras": None}
        assert (await program.post(f"{API}/users", json=body)).status_code == 403
        anna = site.accounts.users.all()[0].id
        assert (await program.patch(f"{API}/users/{anna}", json={})).status_code == 403
        assert (await program.delete(f"{API}/users/{anna}")).status_code == 403


async def test_a_token_in_the_address_opens_media_and_is_not_logged(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    token = await site.token("anna")
    caplog.set_level(0)
    async with site.client.stream("GET", f"/test/movie?token={token}") as answer:
        assert answer.status_code == 200
    assert (await site.client.get(f"{API}/clips?token={token}")).status_code == 401
    assert (await site.client.get("/test/movie?token=ck_wrong")).status_code == 401
    ours = [r for r in caplog.records if not r.name.startswith(("httpx", "httpcore"))]
    assert all(token not in record.getMessage() for record in ours)


# links


async def test_links_are_made_listed_and_taken_back(tmp_path: Path) -> None:
    async with serving(tmp_path, Staged(stream(20)), Staged(stream(20))) as site:
        one, two = site.cameras
        await site.user("anna")
        await site.user("bert", Role.OPERATOR, [one])
        await site.user("carl", Role.OPERATOR, [two])
        await site.user("dora", Role.VIEWER)
        now = site.desk.clock.wall()
        async with (
            await site.login("anna") as anna,
            await site.login("bert") as bert,
            await site.login("carl") as carl,
        ):
            end = now - 1_000_000
            wanted = {"cameras": [one], "from": end - 1_000_000, "to": end}
            clip = (await bert.post(f"{API}/clips", json=wanted)).json()["id"]
            wanted["cameras"] = [one, two]
            both = (await anna.post(f"{API}/clips", json=wanted)).json()["id"]
            body = {"clip": clip, "name": "police", "expires": now + 3_600_000_000}
            made = await bert.post(f"{API}/shares", json=body)
            assert made.status_code == 201
            secret, share = made.json()["secret"], made.json()["id"]
            assert (made.json()["user_name"], made.json()["over"]) == ("bert", False)
            assert (await carl.post(f"{API}/shares", json=body)).status_code == 404
            assert (
                await bert.post(f"{API}/shares", json={**body, "clip": both})
            ).status_code == 403
            late = {**body, "expires": now + 10**15}
            assert (await bert.post(f"{API}/shares", json=late)).status_code == 422
            assert secret not in (await bert.get(f"{API}/shares")).text
            assert len((await bert.get(f"{API}/shares")).json()["shares"]) == 1
            assert len((await anna.get(f"{API}/shares?clip={clip}")).json()["shares"]) == 1
            assert (await carl.get(f"{API}/shares")).json()["shares"] == []
            assert (await carl.get(f"{API}/shares?clip={clip}")).status_code == 404
            assert (await carl.delete(f"{API}/shares/{share}")).status_code == 404
            assert (await bert.delete(f"{API}/shares/{share}")).status_code == 204
            assert (await anna.get(f"{API}/shares")).json()["shares"][0]["revoked"] is True
            assert site.accounts.shares.find(secret) is None
        async with await site.login("dora") as dora:
            assert (await dora.get(f"{API}/shares")).status_code == 403
            assert (await dora.post(f"{API}/shares", json=body)).status_code == 403


# the log of what was done


async def test_the_audit_log_is_paged_and_for_administrators(site: Site) -> None:
    await site.user("bert", Role.OPERATOR)
    for _ in range(3):
        await login(site.client, "bert", OTHER)
    async with await site.login("anna") as anna, await site.login("bert") as bert:
        assert (await bert.get(f"{API}/audit")).status_code == 403
        first = (await anna.get(f"{API}/audit?limit=2")).json()["entries"]
        rest = (await anna.get(f"{API}/audit?before={first[-1]['id']}")).json()["entries"]
        assert [each["action"] for each in first + rest] == ["login.refused"] * 3
        assert first[0]["address"] == "127.0.0.1"
        assert (await anna.get(f"{API}/audit?limit=100000")).status_code == 422


async def test_the_description_is_whole(site: Site) -> None:
    async with await site.login("anna") as anna:
        described = (await anna.get(f"{API}/openapi.json")).json()
    assert described["openapi"].startswith("3.")
    login_ = described["paths"][f"{API}/login"]["post"]
    assert login_["x-right"] == "public"
    assert "security" not in login_
    users = described["paths"][f"{API}/users"]["get"]
    assert users["security"] == [{"session": []}, {"token": []}]
    assert "application/problem+json" in users["responses"]["default"]["content"]
