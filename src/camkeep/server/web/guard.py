"""Who may come in: each route declares one right, and here alone it is checked.

`allow(right)` is a dependency that gives the `Principal`, or answers 401 (nobody is logged in) or
403 (the role does not suffice). The factory of the application refuses routes without exactly one.
What belongs to a camera is loaded through `seen` or `watched`, which answer 404 where the camera
was not granted: what a person may not see does not exist for them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, FastAPI, routing
from fastapi.dependencies.models import Dependant
from starlette.requests import HTTPConnection
from starlette.routing import Mount
from starlette.types import ASGIApp, Receive, Scope, Send

from camkeep.engine.supervisor import Supervisor
from camkeep.model import CameraId, KeptCamera
from camkeep.server.access import Principal, Right
from camkeep.server.desk import Desk, desk_of
from camkeep.server.problems import Problem, not_found
from camkeep.server.web.identify import identify


@dataclass(frozen=True, slots=True)
class Allow:
    """The dependency that `allow` makes."""

    right: Right
    token_in_url: bool = False

    async def __call__(self, connection: HTTPConnection) -> Principal | None:
        """Who asks; None only where nothing is demanded. Raises Problem."""
        who = await identify(desk_of(connection), connection, self.token_in_url)
        if self.right is Right.PUBLIC:
            return who
        if who is None:
            challenge = {"www-authenticate": 'Bearer realm="camkeep"'}
            raise Problem(401, "Login needed", "log in first, or send a token", headers=challenge)
        if not who.has(self.right):
            told = f"the role {who.role} may not do this: ask an administrator"
            raise Problem(403, "Not allowed", told)
        return who


def allow(right: Right, *, token_in_url: bool = False) -> Allow:
    """What a route declares. With `token_in_url` a token is also taken from ``?token=``, for
    players that cannot send a header: only for routes that give media."""
    return Allow(right, token_in_url)


Anybody = Annotated[Principal | None, Depends(allow(Right.PUBLIC))]
"""Public: None where nobody is logged in."""
Looker = Annotated[Principal, Depends(allow(Right.LOOK))]
MediaLooker = Annotated[Principal, Depends(allow(Right.LOOK, token_in_url=True))]
"""As `Looker`, for media that players open by URL alone."""
Operator = Annotated[Principal, Depends(allow(Right.OPERATE))]
Admin = Annotated[Principal, Depends(allow(Right.ADMIN))]


def seen(desk: Desk, who: Principal, camera_id: str) -> KeptCamera:
    """The camera of that id, also one that is recorded no more. May block: not for the event
    loop. Raises Problem 404 where there is none, or not for that person."""
    camera: KeptCamera | None = None
    if who.may_see(CameraId(camera_id)):
        camera = desk.archive.ask(lambda index: index.camera(CameraId(camera_id)))
    if camera is None:
        raise not_found("camera")
    return camera


def watched(desk: Desk, who: Principal, camera_id: str) -> Supervisor:
    """The camera of that id, as it is watched now. Does not block. Raises Problem 404 where there
    is none, or not for that person."""
    camera = desk.service.cameras.get(CameraId(camera_id))
    if camera is None or not who.may_see(camera.camera.id):
        raise not_found("camera")
    return camera


@dataclass(frozen=True, slots=True)
class Declared:
    """An application below a route of its own (files of the page), whose right is declared."""

    app: ASGIApp
    right: Right = Right.PUBLIC

    def __post_init__(self) -> None:
        if self.right is not Right.PUBLIC:
            raise ValueError("nothing is checked below a mount: it can only be public")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)


@dataclass(frozen=True, slots=True)
class Guarded:
    """A route as it is served, with what it demands."""

    path: str
    """With its parameters in braces: ``/api/v1/cameras/{camera_id}``."""
    methods: tuple[str, ...]
    """Empty for a WebSocket and for what is mounted."""
    right: Right
    websocket: bool = False
    mount: bool = False
    parameters: tuple[str, ...] = ()
    """Names of those in its path."""


def routes_of(app: FastAPI) -> list[Guarded]:
    """All routes that are served. Raises ValueError for one that does not declare one right."""
    every = getattr(routing, "iter_route_contexts", iter)  # newer ones keep what is included apart
    return [_guarded(route) for route in every(app.routes)]


def _guarded(route: Any) -> Guarded:
    plain = getattr(route, "route", route)
    path = getattr(route, "path", None)
    dependant = getattr(route, "dependant", None)
    if isinstance(plain, Mount) and isinstance(plain.app, Declared):
        return Guarded(plain.path, (), plain.app.right, mount=True)
    rights = [rule.right for rule in _rules(dependant)] if dependant is not None else []
    if path is None or len(rights) != 1:
        name = path or repr(plain)
        raise ValueError(f"{name} declares {len(rights)} rights, and must declare one: see allow()")
    methods = tuple(sorted(getattr(route, "methods", None) or ()))
    parameters = tuple(re.findall(r"{(\w+)", path))
    return Guarded(path, methods, rights[0], not methods, False, parameters)


def _rules(dependant: Dependant) -> Iterator[Allow]:
    if isinstance(dependant.call, Allow):
        yield dependant.call
    for below in dependant.dependencies:
        yield from _rules(below)
