"""What the handlers of requests work with: all that the service consists of, in one place."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Protocol, cast

from fastapi import Depends
from starlette.requests import HTTPConnection

from camkeep.archive.store import Archive
from camkeep.clock import Clock
from camkeep.server.access import Principal
from camkeep.server.web.closers import Closers
from camkeep.server.web.options import WebOptions


class Accounts(Protocol):
    """What is asked of the accounts for each request."""

    async def exist(self) -> bool:
        """Whether there is any user yet."""
        ...

    async def by_session(self, secret: str) -> Principal | None:
        """Whose session it is."""
        ...

    async def by_token(self, token: str) -> Principal | None:
        """Whose token it is."""
        ...


@dataclass(slots=True)
class Desk:
    """What a handler may use. Handlers get it as `desk: DeskOf`."""

    archive: Archive
    accounts: Accounts
    clock: Clock
    web: WebOptions = field(default_factory=WebOptions)
    closers: Closers = field(default_factory=Closers)
    """Long answers register here, so that they end when the service does."""


def desk_of(connection: HTTPConnection) -> Desk:
    """That of the application which got the request."""
    return cast(Desk, connection.app.state.desk)


DeskOf = Annotated[Desk, Depends(desk_of)]
