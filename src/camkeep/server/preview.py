"""The preview of a recording: a page for a browser of this machine while `camkeep record` runs.

Runs on the event loop of the recording. It listens on loopback alone, and whoever does not know
the token in its address gets nothing. The stream is handed on by the recording's feed, as to any
viewer: the recorder has each sample first, and a browser that does not keep up costs itself
pictures and nobody else anything.

`/TOKEN/` is the page. Over the WebSocket `/api/v1/preview/TOKEN` it is told how the recording
stands (`Told`), each half second and once more when it has ended; `{"type":"stop"}` ends it. The
picture comes as the service gives it, from a camera whose id is the token.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import asdict, dataclass, replace
from secrets import token_urlsafe
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from camkeep.clock import Clock
from camkeep.engine.feed import Feed
from camkeep.engine.plan import Progress, Summary
from camkeep.model import CameraId
from camkeep.server.access import How, Principal, Role
from camkeep.server.live.live import Live
from camkeep.server.live.mjpeg import jpegs
from camkeep.server.live.said import said
from camkeep.server.live.socket import show
from camkeep.server.live.viewers import Viewers, Watched, Which
from camkeep.server.problems import not_found
from camkeep.server.web.answers import add_handlers
from camkeep.server.web.closers import Closers
from camkeep.server.web.entrance import Entrance
from camkeep.server.web.listening import bind
from camkeep.server.web.options import WebOptions
from camkeep.server.web.pages import file_answer, page_answer, preview_pages
from camkeep.server.web.server import WebServer

LOOPBACK = "127.0.0.1"
MOST_VIEWERS = 16
FAREWELL_S = 2.0
"""How long pages may take to be told that the recording has ended."""


@dataclass(frozen=True, slots=True)
class Told:
    """How a recording stands."""

    name: str
    """Of the camera."""
    file: str
    """What is written, or all that was."""
    seconds: float = 0.0
    bytes: int = 0
    ended: bool = False
    error: str = ""
    """Why there is nothing, or no more: a sentence."""


class Preview:
    """The page of one recording. `open_preview` puts it up."""

    def __init__(self, feed: Feed, told: Told, clock: Clock, stop: Callable[[], object]) -> None:
        """`stop` is called when somebody presses Stop."""
        self.clock = clock
        self.closers = Closers()
        self.live = Live(Viewers(MOST_VIEWERS))
        self.token = token_urlsafe(24)
        self.url = ""
        self._stop = stop
        self._told = told
        self._changed = asyncio.Event()
        camera = CameraId(self.token)
        self._there = frozenset({camera})
        self._watched = Watched(camera, told.name, Which.MAIN, feed)
        self._who = Principal("preview", Role.OPERATOR, self._there, How.TOKEN)
        self._pages: set[asyncio.Task[None]] = set()

    # what the recording tells

    def progress(self, progress: Progress) -> None:
        """It goes on."""
        self._tell(replace(self._told, seconds=progress.seconds, bytes=progress.bytes))

    def ended(self, summary: Summary) -> None:
        """It is over, and the files are whole."""
        self._tell(
            replace(
                self._told,
                file=", ".join(str(movie.path) for movie in summary.movies),
                seconds=summary.seconds,
                bytes=sum(movie.bytes for movie in summary.movies),
                ended=True,
                error="" if summary.error is None else str(summary.error),
            )
        )

    async def say_farewell(self) -> None:
        """Wait until all pages know how it ended, not for long."""
        if self._pages:
            await asyncio.wait(self._pages, timeout=FAREWELL_S)

    def _tell(self, told: Told) -> None:
        self._told = told
        self._changed.set()
        self._changed = asyncio.Event()

    # what browsers ask for

    def app(self) -> Starlette:
        """The application."""
        api = "/api/v1"
        app = Starlette(
            routes=[
                Route("/ui/{version}/{name}", self._file),
                Route("/{token}/", self._known(self._page)),
                Route(f"{api}/cameras/{{token}}/live.mjpeg", self._known(self._jpegs)),
                WebSocketRoute(f"{api}/cameras/{{token}}/live", self._known(self._live)),
                WebSocketRoute(f"{api}/preview/{{token}}", self._known(self._told_to)),
            ]
        )
        app.router.redirect_slashes = False
        app.add_middleware(Entrance, options=WebOptions())
        add_handlers(app)
        return app

    def _known(self, answer: Callable[[Any], Awaitable[Any]]) -> Callable[[Any], Awaitable[Any]]:
        """`answer`, for who knows the token. Others do not learn what there is."""

        async def checked(connection: Request | WebSocket) -> Any:
            if connection.path_params["token"] != self.token:
                raise not_found("page")
            return await answer(connection)

        return checked

    async def _file(self, request: Request) -> Response:
        place = request.path_params
        return file_answer(request, preview_pages(), place["version"], place["name"])

    async def _page(self, request: Request) -> Response:
        return page_answer(request, preview_pages())

    async def _jpegs(self, request: Request) -> Response:
        return await jpegs(self, self._who, self._watched)

    async def _live(self, websocket: WebSocket) -> None:
        sound = websocket.query_params.get("sound") == "1"
        await show(websocket, self, self._who, self._watched, sound=sound, there=self._there)

    async def _told_to(self, websocket: WebSocket) -> None:
        await websocket.accept()
        telling = asyncio.create_task(self._tell_all(websocket))
        listening = asyncio.create_task(self._listen(websocket))
        self._pages.add(telling)
        try:
            await asyncio.wait((telling, listening), return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._pages.discard(telling)
            for task in (telling, listening):
                task.cancel()
            await asyncio.gather(telling, listening, return_exceptions=True)

    async def _tell_all(self, websocket: WebSocket) -> None:
        with suppress(WebSocketDisconnect):
            while True:
                told, changed = self._told, self._changed
                await websocket.send_json(asdict(told))
                if told.ended:
                    break
                await changed.wait()
            await websocket.close()

    async def _listen(self, websocket: WebSocket) -> None:
        while (message := await websocket.receive())["type"] != "websocket.disconnect":
            if said(message.get("text")) == "stop":
                self._stop()


@asynccontextmanager
async def open_preview(
    feed: Feed, told: Told, clock: Clock, stop: Callable[[], object]
) -> AsyncIterator[Preview]:
    """The page, until the end of the block. Raises UsageError where it cannot listen."""
    preview = Preview(feed, told, clock, stop)
    async with AsyncExitStack() as stack:
        sockets: list[socket.socket] = await asyncio.to_thread(bind, [(LOOPBACK, 0)])
        for each in sockets:
            stack.callback(each.close)
        server = await stack.enter_async_context(WebServer(preview.app(), sockets, preview.closers))
        stack.push_async_callback(preview.say_farewell)
        preview.url = f"{server.urls[0]}{preview.token}/"
        yield preview
