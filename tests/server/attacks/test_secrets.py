"""A10: secrets are planted in a real process, and everything that it says, writes and shows is
searched for them: answers, errors, both outputs, files, arguments, exports and backups."""

from __future__ import annotations

import asyncio
import gc
import io
import json
import tarfile
import traceback
from base64 import b64encode
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from camkeep.errors import CamkeepError
from camkeep.server.access import Role
from camkeep.server.cameraurl import LONGEST_LOGIN
from camkeep.server.web.guard import routes_of
from support.attacked import Serve, commanded, served
from support.routes import JSON, path_of
from support.server import serving
from support.staged import Staged, stream
from support.two import two_cameras

API = "/api/v1"
SETTINGS = '[server]\nallow_loopback_cameras = true\nlog_level = "debug"\n'
CAMERA = "Sq7/pl@um-camera+pw"
"""As awkward as a password may be in a URL."""
PLANTED = {
    "camera": CAMERA,
    "small stream": "Sq7small-stream-pw",
    "query": "Sq7query-of-camera",
    "path": "Sq7path-of-camera",
    "user": "Sq7 user password",
    "other user": "Sq7 other password",
    "tried": "Sq7-tried-and-wrong",
    "typed": "Sq7-typed-as-rubbish",
}
STREAMS = ("text/event-stream", "multipart/", "x-camkeep-play", "video/mp4")


def spellings(secret: str) -> set[str]:
    """How it might be written."""
    encoded = {b64encode(f"{name}:{secret}".encode()).decode() for name in ("viewer", "anna")}
    plain = b64encode(secret.encode()).decode().rstrip("=")
    return encoded | {secret, quote(secret, safe=""), quote(secret), quote_plus(secret), plain}


class Search:
    """Looks for secrets in whatever it is given."""

    def __init__(self, secrets: Mapping[str, str]) -> None:
        self.secrets = dict(secrets)
        self.bytes = 0

    def __call__(self, where: str, text: str | bytes) -> None:
        """There is none in it."""
        data = text.encode() if isinstance(text, str) else text
        self.bytes += len(data)
        for kind, secret in self.secrets.items():
            for spelled in spellings(secret):
                at = data.find(spelled.encode())
                near = data[max(0, at - 150) : at + 50]
                assert at < 0, f"the secret of {kind} is in {where}: {near!r}"


@asynccontextmanager
async def echoing() -> AsyncIterator[int]:
    """The port of a camera that refuses everything, and repeats all that it was sent: in the
    status, in headers, in the body."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                lines = head.split("\r\n")
                said = " ".join(lines).strip()[:900]
                protocol = "RTSP/1.0" if "RTSP/" in lines[0] else "HTTP/1.1"
                cseq = next((line for line in lines if line.lower().startswith("cseq")), "X-N: 1")
                wants = "authorization" not in head.lower()
                status = "401" if wants else "400"
                body = f"<h1>you said {said}</h1>".encode()
                told = [
                    f"{protocol} {status} {said}",
                    cseq,
                    f'WWW-Authenticate: Basic realm="{said}"',
                    f"Server: {said}",
                    "Content-Type: text/html",
                    f"Content-Length: {len(body)}",
                ]
                writer.write("\r\n".join([*told, "", ""]).encode("latin-1") + body)
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def furnished(client: httpx.AsyncClient, port: int) -> dict[str, str]:
    """Plant all; what the service made itself: session, token, link."""
    secrets = {}
    body = {"name": "anna", "password": PLANTED["user"]}
    assert (await client.post(f"{API}/setup", json=body)).status_code == 201
    secrets["session"] = client.cookies["camkeep"]
    user = {"name": "vera", "password": PLANTED["other user"], "role": "viewer", "cameras": []}
    assert (await client.post(f"{API}/users", json=user)).status_code == 201
    login = quote(CAMERA, safe="")
    path = f"user=viewer_password={PLANTED['path']}_channel=1"
    small = f"http://other:{PLANTED['small stream']}@127.0.0.1:{port}/small"
    cameras = [
        {
            "name": "front",
            "address": f"http://viewer:{login}@127.0.0.1:{port}/v?token={PLANTED['query']}",
            "sub_address": small,
        },
        {"name": "back", "address": f"rtsp://viewer:{login}@127.0.0.1:{port}/{path}"},
        {"name": "side", "address": f"easyn://127.0.0.1:{port}/", "user": "viewer",
         "password": CAMERA},
    ]  # fmt: skip
    for camera in cameras:
        answer = await client.post(f"{API}/cameras", json=camera)
        assert answer.status_code == 201, answer.text
    assert (await client.post(f"{API}/demo")).status_code == 201
    made = await client.post(f"{API}/tokens", json={"name": "backup", "role": "admin"})
    secrets["token"] = made.json()["token"]
    return secrets


async def shared(client: httpx.AsyncClient) -> str:
    """The secret of a link to a clip of the simulated camera, as soon as there is one."""
    cameras = (await client.get(f"{API}/cameras")).json()["cameras"]
    demo = next(each["id"] for each in cameras if each["name"].lower() == "demo")
    pressed = await client.post(f"{API}/cameras/{demo}/recording", json={"record": True})
    assert pressed.status_code == 200, pressed.text
    clip = pressed.json()["clip"]["id"]
    stopped = await client.post(f"{API}/cameras/{demo}/recording", json={"record": False})
    assert stopped.status_code == 200
    link = {"clip": clip, "expires": (await client.get(f"{API}/clips/{clip}")).json()["start_us"]}
    link["expires"] += 3_600_000_000
    made = await client.post(f"{API}/shares", json=link)
    assert made.status_code == 201, made.text
    return str(made.json()["secret"])


async def refused(client: httpx.AsyncClient) -> None:
    """Wait until each of the cameras that repeat everything was met, and turned away."""
    async with asyncio.timeout(60):
        while True:
            told = (await client.get(f"{API}/health")).json()["cameras"]
            states = {each["name"]: each["state"] for each in told}
            if all(
                states.get(name) in ("waiting", "refused") for name in ("front", "back", "side")
            ):
                return
            await asyncio.sleep(0.1)


@pytest.mark.parametrize("form", ["text", "json"])
async def test_planted_secrets_are_nowhere(tmp_path: Path, form: str) -> None:
    data = tmp_path / "data"
    async with (
        echoing() as port,
        served(data, "--log-format", form, settings=SETTINGS) as serve,
        await serve.client() as client,
    ):
        search = Search(PLANTED)
        search.secrets |= await furnished(client, port)
        search.secrets["link"] = await shared(client)
        await refused(client)
        await wrong_input(client, search, await _schema(client))
        await wrong_logins(serve, client, search)
        await every_answer(client, search, await _schema(client))
        taken = await client.post(f"{API}/backup")
        assert taken.status_code == 200, taken.text
        search("POST backup", taken.content)
        for command in ("export", "backup", "camera list", "camera list --json", "user list"):
            search(command, await _written(command, data, tmp_path))
        search("arguments and environment", serve.processes())
    for path, content in serve.files().items():
        search(str(path), content)
    search("standard output and the log", serve.said)
    assert "debug" in serve.said
    assert "front" in serve.said
    assert search.bytes > 100_000


async def _schema(client: httpx.AsyncClient) -> dict[str, Any]:
    schema: dict[str, Any] = (await client.get(f"{API}/openapi.json")).json()
    return schema


async def _written(command: str, data: Path, folder: Path) -> str | bytes:
    """What a command tells or writes."""
    if command == "export":
        return await commanded("config", "export", "--data", data)
    if command == "backup":
        file = folder / "backup.tar"
        told = await commanded("backup", file, "--data", data)
        with tarfile.open(fileobj=io.BytesIO(file.read_bytes())) as archive:
            assert archive.getnames()
        return told.encode() + file.read_bytes()
    return await commanded(*command.split(), "--data", data)


async def every_answer(client: httpx.AsyncClient, search: Search, schema: Any) -> None:
    """All that can be had by GET, with the ids of what there is."""
    ids = await known_ids(client)
    now = (await client.get(f"{API}/timeline?from=0")).json()["now_us"]
    asked = {"from": now - 60_000_000, "at": now, "everyone": "true", "limit": 1000}
    targets = []
    for path, operations in schema["paths"].items():
        operation = operations.get("get")
        if operation is not None and not operation.get("x-lasting"):
            names = {each["name"] for each in operation.get("parameters", ())}
            query = {name: value for name, value in asked.items() if name in names}
            targets += [(target, query) for target in _filled(path, ids)]
    limit = asyncio.Semaphore(12)

    async def look(target: str, query: Mapping[str, Any]) -> None:
        async with limit:
            try:
                answer = await client.get(target, params=query)
            except httpx.TimeoutException:
                told = f"GET {target} does not end: if it never does, mark it with x-lasting"
                raise AssertionError(told) from None
        search(f"GET {target}", answer.content + str(answer.headers).encode())

    await asyncio.gather(*(look(*each) for each in targets))
    search("GET openapi.json", json.dumps(schema))
    assert len(targets) > 30


async def known_ids(client: httpx.AsyncClient) -> dict[str, list[str]]:
    """Ids by the name of the parameter that takes them."""
    lists = {"camera_id": "cameras", "clip_id": "clips", "user_id": "users", "share_id": "shares"}
    found = {}
    for name, kind in lists.items():
        found[name] = [each["id"] for each in (await client.get(f"{API}/{kind}")).json()[kind]]
        assert found[name], kind
    return found


def _filled(path: str, ids: Mapping[str, list[str]]) -> list[str]:
    """The path with each of the ids."""
    for name, values in ids.items():
        if f"{{{name}}}" in path:
            return [path.replace(f"{{{name}}}", value) for value in values]
    return [path]


ADDRESSES = (
    "ftp://viewer:{}@127.0.0.1/",
    "file://viewer:{}@127.0.0.1/etc/passwd",
    "rtsp://viewer:{}@127.0.0.1:99999/",
    "rtsp://viewer:{}@[::1/",
    "http://viewer:{}@/",
    "http://viewer:{}@a b/",
    "http://viewer:{}@169.254.169.254/?token={}",
    "rtsp://viewer:{}@127.0.0.1:1/?password={}&password={}",
    "rtsp:/viewer:{}@127.0.0.1",
    "viewer:{}@127.0.0.1",
)


async def wrong_input(client: httpx.AsyncClient, search: Search, schema: Any) -> None:
    """Every operation that takes a body or a query gets what it cannot take, with a secret in it:
    the answer does not repeat it."""
    typed = PLANTED["typed"]
    rubbish: list[Any] = [typed, [typed], {"a": typed}, [[typed]]]
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            target = _filled(path, await known_ids(client))[-1].replace("{", "").replace("}", "")
            body = operation.get("requestBody", {}).get("content", {}).get(JSON)
            if body is not None:
                fields = _fields(body["schema"], schema)
                bodies = [*rubbish, *({name: wrong} for name in fields for wrong in rubbish[2:])]
                bodies += [{name: wrong for name in fields} for wrong in rubbish[2:]]  # noqa: C420
                for sent in bodies:
                    answer = await client.request(method, target, json=sent)
                    assert answer.status_code in range(400, 500), (method, target, sent)
                    search(f"the error of {method} {target}", answer.text)
                broken = json.dumps(dict.fromkeys(fields, typed))[:-1]
                answer = await client.request(
                    method, target, content=broken, headers={"content-type": JSON}
                )
                search(f"the error of {method} {target}", answer.text)
            numbers = _numbers(operation)
            if method == "get" and numbers:
                answer = await client.get(target, params=dict.fromkeys(numbers, typed))
                assert answer.status_code == 422, (target, numbers)
                search(f"the error of {method} {target}", answer.text)
    for address in ADDRESSES:
        told = {"name": "new", "address": address.format(*[typed] * 4)}
        for where in ("cameras", "cameras/test"):
            answer = await client.post(f"{API}/{where}", json=told)
            assert answer.status_code in (200, 201, 422), (address, answer.text)
            search(f"what is told of {address}", answer.text)
    long = {"name": "new", "address": "rtsp://127.0.0.1/", "user": "a"}
    answer = await client.post(
        f"{API}/cameras", json={**long, "password": typed + "x" * LONGEST_LOGIN}
    )
    search("the error of a long password", answer.text)


def _fields(model: Mapping[str, Any], schema: Any) -> list[str]:
    found = schema["components"]["schemas"][model["$ref"].rpartition("/")[2]]
    return list(found["properties"])


def _numbers(operation: Mapping[str, Any]) -> list[str]:
    """Parameters of the query that are no text."""
    return [
        each["name"]
        for each in operation.get("parameters", ())
        if each["in"] == "query" and '"integer"' in json.dumps(each["schema"])
    ]


async def wrong_logins(serve: Serve, client: httpx.AsyncClient, search: Search) -> None:
    """Secrets that are none, wherever one may be shown; and real ones in the wrong place."""
    tried, url = PLANTED["tried"], await serve.url()
    token, session = search.secrets["token"], search.secrets["session"]
    for name in ("anna", tried):
        body = {"name": name, "password": tried}
        search("a login", (await client.post(f"{API}/login", json=body)).text)
    body = {"old": tried, "new": PLANTED["user"]}
    search("a change", (await client.put(f"{API}/me/password", json=body)).text)
    async with httpx.AsyncClient(base_url=url, trust_env=False) as stranger:
        cookie = {"cookie": f"camkeep={tried}; camkeep={session}"}
        for headers in (
            {"authorization": f"Bearer ck_{tried}"},
            {"authorization": f"Basic {tried}"},
            {"authorization": f"{tried}"},
            {"authorization": f"bearer  {token} x"},
            cookie,
        ):
            for target in (f"{API}/users", f"{API}/{tried}", f"{API}/shared/{tried}-and-longer"):
                answer = await stranger.get(target, headers=headers)
                search("an error", answer.text)
        for given in (tried, f"ck_{tried}", token, session):
            for target in (f"{API}/users", f"{API}/cameras/x/video.mp4", f"{API}/me", "/healthz"):
                search("an error", (await stranger.get(target, params={"token": given})).text)
        for link in (tried, search.secrets["link"] + "x"):
            search("an error", (await stranger.get(f"{API}/shared/{link}")).text)
        search("a link", (await stranger.get(f"{API}/shared/{search.secrets['link']}")).text)
    for given in (tried, token):
        with suppress(WebSocketException):
            ws = f"{url.replace('http', 'ws')}{API}/cameras/x/live?token={given}"
            async with connect(ws, proxy=None):
                pass


async def test_nothing_in_the_process_shows_a_secret_when_it_is_printed(tmp_path: Path) -> None:
    """Whatever of ours is printed into a log or a traceback: every object there is, every task."""
    async with two_cameras(tmp_path) as two:
        site = two.site
        login = quote(CAMERA, safe="")
        values = {"name": "x", "address": f"rtsp://viewer:{login}@192.0.2.9/?token=Sq7query-x"}
        settings = await site.desk.cameras.add(values)
        session = await site.session("boss")
        search = Search(
            {"camera": CAMERA, "query": "Sq7query-x", "session": session, "token": two.boss}
        )
        who = await site.accounts.by_token(two.boss)
        kept = [settings, who, await site.accounts.by_session(session), *site.cameras]
        for task in asyncio.all_tasks():
            search("a task", f"{task.get_name()} {task!r} {task.get_coro()!r}")
        shown = 0
        for each in gc.get_objects():
            if str(type(each).__module__).startswith("camkeep."):
                with suppress(CamkeepError):
                    search(f"the repr of {type(each).__name__}", repr(each))
                    shown += 1
        assert shown > 100
        assert kept
        for wrong in ("rtsp://viewer:{}@[::1/", "ftp://viewer:{}@a/", "rtsp://viewer:{}@a:x/"):
            try:
                await site.desk.cameras.add({"name": "y", "address": wrong.format(login)})
            except CamkeepError as error:
                search("a traceback", "".join(traceback.format_exception(error)))


async def test_secrets_of_others_are_not_in_the_answers_to_them(tmp_path: Path) -> None:
    """A token and a link are shown once, to whoever made them."""
    async with serving(tmp_path, Staged(stream(5))) as site:
        await site.user("anna")
        await site.user("vera", Role.VIEWER)
        secret = await site.token("anna")
        async with await site.login("anna") as anna:
            for route in routes_of(site.app):
                if "GET" in route.methods and not route.parameters and "stream" not in route.path:
                    answer = await anna.get(path_of(route, {}), params={"everyone": 1, "from": 0})
                    assert secret not in answer.text
                    assert anna.cookies["camkeep"] not in answer.text
                    assert "argon2" not in answer.text
