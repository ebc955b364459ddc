"""What the handlers of requests work with: all that the service consists of, in one place."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, cast

from fastapi import Depends
from starlette.requests import HTTPConnection

from camkeep.archive.store import Archive
from camkeep.clock import Clock
from camkeep.engine.service import Service
from camkeep.model import CameraId
from camkeep.server.accounts.accounts import Accounts
from camkeep.server.camerabook import CameraBook
from camkeep.server.database import Database
from camkeep.server.firstaccount import FirstAccount
from camkeep.server.journal import Journal
from camkeep.server.live.live import Live
from camkeep.server.monitor import Monitor
from camkeep.server.web.closers import Closers
from camkeep.server.web.options import WebOptions


async def _nothing() -> None:
    """Where nobody applies what is written down."""


@dataclass(slots=True)
class Desk:
    """What a handler may use. Handlers get it as `desk: DeskOf`."""

    service: Service
    archive: Archive
    database: Database
    accounts: Accounts
    cameras: CameraBook
    """What people set up."""
    journal: Journal
    """What happened."""
    clock: Clock
    web: WebOptions = field(default_factory=WebOptions)
    monitor: Monitor = field(default_factory=Monitor)
    """How the service itself is."""
    sync: Callable[[], Awaitable[None]] = _nothing
    """Has the service do what people have set up by now; to be called after each change of it."""
    failed: Mapping[CameraId, str] = field(default_factory=dict)
    """Cameras that are set up and cannot be watched, and why."""
    live: Live = field(default_factory=Live)
    """Who watches, and what is made for them."""
    first_account: FirstAccount = field(init=False)
    """The code with which the first account is made from elsewhere."""
    closers: Closers = field(init=False)
    """Long answers register here, so that they end when the service or somebody's rights do."""

    def __post_init__(self) -> None:
        self.first_account = FirstAccount(self.clock)
        self.closers = Closers(self.accounts.watch)


def desk_of(connection: HTTPConnection) -> Desk:
    """That of the application which got the request."""
    return cast(Desk, connection.app.state.desk)


async def _desk_of(connection: HTTPConnection) -> Desk:
    return desk_of(connection)  # what is no coroutine is run on another thread, for each request


DeskOf = Annotated[Desk, Depends(_desk_of)]
