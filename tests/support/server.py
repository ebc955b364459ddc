"""The real service, served on a real port: archive, settings, accounts, cameras, application.

async with serving(tmp_path, Staged(...)) as site:
    await site.user("anna", Role.ADMIN)
    async with await site.login("anna") as anna:
        answer = await anna.get("/api/v1/me")
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from fastapi import APIRouter, FastAPI
from starlette.routing import Mount

from camkeep.archive.layout import new_camera_id
from camkeep.archive.retention import Policy
from camkeep.archive.root import make_root
from camkeep.archive.store import Archive
from camkeep.cameras.source import Source
from camkeep.clock import Clock, SystemClock
from camkeep.engine.events import Bus
from camkeep.engine.service import Service
from camkeep.engine.wanted import Wanted
from camkeep.model import CameraId
from camkeep.server.access import How, Principal, Role
from camkeep.server.accounts.accounts import Accounts
from camkeep.server.accounts.passwords import Passwords
from camkeep.server.camerabook import CameraBook
from camkeep.server.desk import Desk
from camkeep.server.journal import Journal, last_event_id
from camkeep.server.shelf import close_shelf
from camkeep.server.web.app import make_app
from camkeep.server.web.connections import Bounds
from camkeep.server.web.listening import bind
from camkeep.server.web.options import WebOptions
from camkeep.server.web.server import WebServer
from support.accounts import PASSWORD, QUICK, opened

ANYWHERE = (("127.0.0.1", 0),)
API = "/api/v1"


@dataclass(slots=True)
class Site:
    """A service that is reached at `url`."""

    url: str
    """Without a slash at its end."""
    port: int
    desk: Desk
    app: FastAPI
    server: WebServer
    client: httpx.AsyncClient
    """One that is logged in to nothing. On loopback it may all until there is an account."""

    @property
    def accounts(self) -> Accounts:
        return self.desk.accounts

    @property
    def cameras(self) -> list[CameraId]:
        """Of the cameras that were given, in their order."""
        return list(self.desk.service.cameras)

    async def user(
        self, name: str, role: Role = Role.ADMIN, cameras: Iterable[CameraId] | None = None
    ) -> str:
        """Make an account with the password `PASSWORD`; its id. The first is an administrator,
        whatever is asked for: make that one first."""
        granted = None if cameras is None else frozenset(cameras)
        return (await self.accounts.users.create(name, PASSWORD, role, granted)).id

    async def token(self, name: str, *, of: str = "test") -> str:
        """A token of the user called `name`, with all their rights."""
        user = self.accounts.users.by_name(name)
        assert user is not None
        secret, _ = await self.accounts.tokens.make(user.id, of, user.role)
        return secret

    async def session(self, name: str) -> str:
        """The secret of a new session of the user called `name`, past all limits of logins."""
        user = self.accounts.users.by_name(name)
        assert user is not None
        made = await self.accounts.sessions.open(user.id, "127.0.0.1", "a test")
        assert made is not None
        return made[0]

    async def principal(self, name: str) -> Principal:
        """Who that user is, logged in."""
        found = await self.accounts.by_session(await self.session(name))
        assert found is not None
        assert found.how is How.SESSION
        return found

    async def login(self, name: str) -> httpx.AsyncClient:
        """A client with a session of the user called `name`. Close it."""
        return self.fresh(cookies={"camkeep": await self.session(name)})

    def fresh(
        self, cookies: dict[str, str] | None = None, token: str | None = None
    ) -> httpx.AsyncClient:
        """Another client. Close it."""
        headers = {} if token is None else {"authorization": f"Bearer {token}"}
        return httpx.AsyncClient(
            base_url=self.url, cookies=cookies, headers=headers, timeout=20, trust_env=False
        )


@asynccontextmanager
async def serving(
    folder: Path,
    *sources: Source,
    wanted: Sequence[Wanted] = (),
    clock: Clock | None = None,
    web: WebOptions | None = None,
    bounds: Bounds | None = None,
    more: Sequence[tuple[str, APIRouter | Mount]] = (),
    passwords: Passwords | None = None,
    policy: Policy | None = None,
) -> AsyncIterator[Site]:
    """Serve what is in `folder` (an archive and settings, made where there are none): cameras
    called cam0, cam1 ... of the sources, and those of `wanted`. `more` are routes for the test."""
    clock = clock or SystemClock()
    web = web or WebOptions(listen=ANYWHERE)
    async with AsyncExitStack() as stack:
        archive = Archive.open(make_root(folder, new=True), clock)
        stack.callback(archive.close)
        database = opened(folder)
        stack.callback(database.close)
        accounts = await Accounts.open(database, clock, passwords or Passwords(QUICK))
        stack.callback(accounts.close)
        bus = Bus(clock, last_event_id(database))
        journal = Journal(database, bus)
        stack.push_async_callback(journal.close)
        service = Service(archive, policy or Policy(), clock, bus)
        await stack.enter_async_context(service)
        stack.push_async_callback(_ended, asyncio.create_task(journal.run()))
        stack.push_async_callback(_ended, asyncio.create_task(accounts.run()))
        book = CameraBook(database, clock)
        desk = Desk(service, archive, database, accounts, book, journal, clock, web)
        numbered = [
            Wanted(f"cam{number}", source, id=new_camera_id())
            for number, source in enumerate(sources)
        ]
        await service.begin([*numbered, *wanted])
        app = make_app(desk, more)
        stack.callback(close_shelf, app)
        sockets = bind(web.listen)
        server = WebServer(app, sockets, desk.closers, certificate=web.certificate, bounds=bounds)
        await stack.enter_async_context(server)
        url = server.urls[0].rstrip("/")
        client = httpx.AsyncClient(base_url=url, timeout=20, trust_env=False, verify=False)
        await stack.enter_async_context(client)
        yield Site(url, server.addresses[0][1], desk, app, server, client)


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait([task])
