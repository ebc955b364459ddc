"""A13: a service that nobody has set up yet, as a process of its own, asked from this machine and
by another of its addresses as if from elsewhere."""

from __future__ import annotations

import re
import socket
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from camkeep.server.access import Right
from camkeep.server.web.guard import routes_of
from support.attacked import Serve, commanded, served
from support.rawrequest import ask, knock
from support.server import serving

CODE = r"to make the first account .*: (\S+)"
SETUP = "/api/v1/setup"
ANNA = {"name": "anna", "password": "correct horse battery"}
PROXY = '[server]\ntrusted_proxies = ["127.0.0.1"]\nallowed_hosts = ["camkeep.example"]\n'
ELSEWHERE = {"x-forwarded-for": "198.51.100.7", "x-forwarded-proto": "http"}


async def test_without_a_word_it_is_on_loopback_alone(tmp_path: Path) -> None:
    async with served(tmp_path / "data", listen=None) as serve:
        url = urlsplit(await serve.url())
        assert url.hostname == "127.0.0.1"
        listening = _listening(serve.pid)
        assert listening
        assert all(address in ("0100007F", "00000000000000000000000001000000")
                   for address, _ in listening), listening  # fmt: skip
        assert "account" not in serve.said


def _listening(pid: int) -> set[tuple[str, int]]:
    """Addresses, as the kernel writes them, and ports on which a process listens."""
    inodes = set()
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        found = re.fullmatch(r"socket:\[(\d+)\]", str(entry.readlink()))
        if found:
            inodes.add(found[1])
    rows = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            _, local, _, state, *rest = line.split()
            if state == "0A" and rest[5] in inodes:
                address, _, port = local.partition(":")
                rows.add((address, int(port, 16)))
    return rows


async def _routes(tmp_path: Path) -> list[tuple[str, str, Right, bool]]:
    """All that is served: method, path with x for each parameter, right, whether a socket."""
    async with serving(tmp_path / "another") as site:
        return [
            (method, re.sub(r"{[^}]+}", "x", route.path), route.right, route.websocket)
            for route in routes_of(site.app)
            if not route.mount
            for method in route.methods or ("GET",)
        ]


def _own_address() -> str | None:
    """An address of this machine that others could reach. Nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return None
        address: str = probe.getsockname()[0]
    return None if address.startswith("127.") else address


async def _from_elsewhere(
    serve: Serve, host: str, port: int, method: str, path: str, sockets: bool
) -> int:
    """The status of a request that does not come from this machine, as far as it can know."""
    through = [f"{name}: {value}" for name, value in ELSEWHERE.items()]
    called = "camkeep.example"
    if sockets:
        return (await knock(port, path, *through, host=called)).status
    body = b"{}" if method in ("POST", "PUT", "PATCH") else b""
    return (await ask(port, method, path, *through, host=called, body=body)).status


async def test_from_elsewhere_nothing_is_to_be_had_before_there_is_an_account(
    tmp_path: Path,
) -> None:
    """Through a proxy that is believed, and where this machine has an address, by that one."""
    routes = await _routes(tmp_path)
    async with served(tmp_path / "data", settings=PROXY, listen="0.0.0.0:0") as serve:
        port = urlsplit(await serve.url()).port
        assert port is not None
        code = (await serve.says(CODE))[1]
        for method, path, right, sockets in routes:
            status = await _from_elsewhere(serve, "127.0.0.1", port, method, path, sockets)
            if right is not Right.PUBLIC:
                assert status == 401, (method, path)
            assert not (
                method not in ("GET", "HEAD") and status < 300 and path != "/api/v1/logout"
            ), path
        own = _own_address()
        if own is not None:
            async with httpx.AsyncClient(base_url=f"http://{own}:{port}", trust_env=False) as near:
                for method, path, right, sockets in routes:
                    if right is not Right.PUBLIC and not sockets:
                        answer = await near.request(method, path)
                        assert answer.status_code == 401, (method, path, own)
                assert (await near.get("/api/v1/me")).json()["code_wanted"] is True
                assert (await near.post(SETUP, json=ANNA)).status_code == 403
        assert code not in "".join(serve.log)
        assert "password" not in serve.said.lower()


async def test_the_code_on_the_console_works_once_and_is_in_no_log(tmp_path: Path) -> None:
    settings = PROXY + 'log_level = "debug"\n'
    async with served(tmp_path / "data", settings=settings, listen="0.0.0.0:0") as serve:
        code = (await serve.says(CODE))[1]
        async with await serve.client(headers={**ELSEWHERE, "host": "camkeep.example"}) as client:
            wrong = await client.post(SETUP, json={**ANNA, "code": "AAAA-BBBB-CCCC"})
            assert wrong.status_code == 403
            assert wrong.json()["type"] == "urn:camkeep:code"
            assert code not in wrong.text
            weak = await client.post(SETUP, json={**ANNA, "password": "anna", "code": code})
            assert weak.status_code == 422
            made = await client.post(SETUP, json={**ANNA, "code": code.lower()})
            assert made.status_code == 201
            assert (await client.get("/api/v1/users")).status_code == 200
        async with await serve.client() as another:
            assert (await another.post(SETUP, json={**ANNA, "code": code})).status_code == 409
            assert (await another.get("/api/v1/users")).status_code == 401  # here, too, from now on
        assert code not in "".join(serve.log)
        assert len(re.findall(CODE, "".join(serve.out))) == 1
        cmdline = Path(f"/proc/{serve.pid}/cmdline").read_bytes()
        environ = Path(f"/proc/{serve.pid}/environ").read_bytes()
        assert code.encode() not in cmdline + environ
        held = b"".join(p.read_bytes() for p in (tmp_path / "data").rglob("*") if p.is_file())
        assert code.encode() not in held
        assert ANNA["password"].encode() not in held


async def test_codes_cannot_be_guessed(tmp_path: Path) -> None:
    """Also from many addresses at once: what is wrong too often makes the code void, and another
    comes only after a minute."""
    async with served(tmp_path / "data", settings=PROXY, listen="0.0.0.0:0") as serve:
        code = (await serve.says(CODE))[1]
        headers = {"host": "camkeep.example"}
        async with await serve.client(headers=headers) as client:

            async def guess(number: int) -> int:
                body = {**ANNA, "code": f"AAAA-{number:04d}-BBBB"}
                source = {"x-forwarded-for": f"198.51.100.{number % 250}"}
                return (await client.post(SETUP, json=body, headers=source)).status_code

            statuses = {await guess(number) for number in range(40)}
            assert statuses <= {403, 429}
            right = await client.post(SETUP, json={**ANNA, "code": code}, headers=ELSEWHERE)
            assert right.status_code in (403, 429)
        assert len(re.findall(CODE, "".join(serve.out))) <= 2


async def test_an_account_of_the_command_line_is_enough(tmp_path: Path) -> None:
    """Then there is no code at all."""
    data = tmp_path / "data"
    async with served(data) as serve:
        await serve.url()
    out = await commanded(
        "user", "add", "anna", "--data", data, sent=ANNA["password"].encode() + b"\n"
    )
    assert ANNA["password"] not in out
    async with served(data, listen="0.0.0.0:0") as serve:
        async with await serve.client() as client:
            assert (await client.get("/api/v1/users")).status_code == 401
            assert (await client.post("/api/v1/login", json=ANNA)).status_code == 200
            assert (await client.get("/api/v1/users")).status_code == 200
        assert not re.search(CODE, serve.said)


async def test_no_password_is_there_by_default(tmp_path: Path) -> None:
    async with serving(tmp_path / "data") as site:
        assert site.accounts.users.all() == []
        for name in ("admin", "root", "camkeep"):
            for password in ("", "admin", "camkeep", "password"):
                body = {"name": name, "password": password}
                answer = await site.client.post("/api/v1/login", json=body)
                assert answer.status_code == 401
