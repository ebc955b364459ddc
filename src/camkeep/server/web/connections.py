"""Connections that are bounded: in number, in what a request's head may be, in how long it may
take. uvicorn's own protocols, with that added; they run on the event loop.

Where there are as many as may be, a new one takes the place of one that keeps us waiting: of the
address with most such connections, that which does so for longest. So whoever keeps connections
open without asking for anything keeps nobody else out.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from dataclasses import dataclass
from typing import Any

from starlette.types import Receive, Scope, Send
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState

from camkeep.server.accounts.throttle import place_of

CLOSING_S = 30.0
"""How long the last bytes of a connection that is being closed may take."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a connection may be."""

    connections: int = 1000
    head_s: float = 10.0
    """For the whole head of a request, from its first byte, or from the beginning."""
    idle_s: float = 30.0
    """Between two requests."""
    body_s: float = 30.0
    """For which a body may stand still."""
    whole_body_s: float = 60.0
    head_bytes: int = 128 * 1024
    url_bytes: int = 60_000
    headers: int = 100
    pipelined: int = 16
    """Requests that may be sent before the answer to the first."""
    stuck_s: float = 30.0
    """Without taking anything of an answer, before it may have to make room."""
    gone_s: float = 5.0
    """For a handler of a WebSocket to notice that the client is gone."""


class Shared(ServerState):
    """What the connections of a server share."""

    def __init__(self, bounds: Bounds) -> None:
        super().__init__()
        self.bounds = bounds
        self.refused = 0
        """Connections for which there was no room."""
        self.gone = asyncio.Event()
        """Set whenever one has ended."""


def _hung_up(app: Any, connection: HttpConnection | WebSocketConnection) -> Any:
    """`app`, whose being cancelled is no error when the client is gone."""

    async def run(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await app(scope, receive, send)
        except asyncio.CancelledError:
            if not connection.transport.is_closing():
                raise

    return run


class HttpConnection(HttpToolsProtocol):
    """One connection."""

    server_state: Shared

    def __init__(self, config: Config, server_state: Shared, app_state: dict[str, Any]) -> None:
        super().__init__(config, server_state, app_state)
        self.app = _hung_up(self.app, self)
        self._bounds = server_state.bounds
        self._since = self.loop.time()  # of the state it is in
        self._heard = self._since
        self._head_bytes = 0
        self._in_head = True  # of a request that has begun; at first one is owed
        self._in_body = False
        self._stuck: float | None = None  # since when it takes no more
        self._closing: float | None = None
        self.place = ""
        """Whose it is: an address, or a network that one client has all of."""

    @property
    def idle(self) -> bool:
        """Whether nothing is being answered."""
        return self.cycle is None or self.cycle.response_complete

    @property
    def waits(self) -> bool:
        """Whether nothing is being answered, or the client neither sends nor takes what it is
        to: then it may have to make room for another."""
        stuck_s = self.loop.time() - self._stuck if self._stuck is not None else 0.0
        return self.idle or self._in_body or stuck_s > self._bounds.stuck_s

    @property
    def since(self) -> float:
        """When it last had something to do, on the loop's clock."""
        return self._since

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        if len(self.connections) >= self._bounds.connections and not self._make_room():
            self.server_state.refused += 1
            transport.write(_answer(503, "Busy", "too many connections are open: try again"))
            transport.close()
            self.transport = transport
            return
        super().connection_made(transport)
        self.place = place_of(self.client[0]) if self.client else ""

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self.server_state.gone.set()

    def pause_writing(self) -> None:
        self._stuck = self.loop.time()
        super().pause_writing()

    def resume_writing(self) -> None:
        self._stuck = None
        super().resume_writing()

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        now = self._heard = self.loop.time()
        if self.idle and not self._in_head and not self._in_body:
            self._in_head, self._since, self._head_bytes = True, now, 0
        if self._in_head:
            self._head_bytes += len(data)
        super().data_received(data)
        if self._in_head and self._head_bytes > self._bounds.head_bytes:
            self._refuse(431, "the head of the request is too large")

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head, self._in_body = True, False

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        if len(self.url) > self._bounds.url_bytes:
            self._refuse(414, "the address is too long")

    def on_header(self, name: bytes, value: bytes) -> None:
        super().on_header(name, value)
        if len(self.headers) > self._bounds.headers:
            self._refuse(431, "the request has too many headers")

    def on_headers_complete(self) -> None:
        if self.transport.is_closing():
            return  # it was refused
        self._in_head, self._in_body, self._head_bytes = False, True, 0
        self._since = self.loop.time()
        super().on_headers_complete()
        if len(self.pipeline) > self._bounds.pipelined:
            self.transport.close()

    def on_body(self, body: bytes) -> None:
        if not self.transport.is_closing():
            super().on_body(body)

    def on_message_complete(self) -> None:
        self._in_body = False
        if not self.transport.is_closing():
            super().on_message_complete()

    def on_response_complete(self) -> None:
        self._since = self.loop.time()
        super().on_response_complete()

    def handle_websocket_upgrade(self) -> None:
        self._in_head = self._in_body = False
        if not self.transport.is_closing():
            super().handle_websocket_upgrade()

    def send_400_response(self, msg: str) -> None:
        self._refuse(400, "the request is no HTTP that can be understood")

    def sweep(self, now: float) -> None:
        """Close it if it has taken too long."""
        if self.transport is None:
            return
        if self.transport.is_closing():
            self._closing = hang_up(self.transport, self._closing, now)
            return
        if self._in_head:
            late = now - self._since > self._bounds.head_s
        elif self._in_body:
            still = not self.flow.read_paused and now - self._heard > self._bounds.body_s
            late = still or now - self._since > self._bounds.whole_body_s
        else:
            late = self.idle and now - self._since > self._bounds.idle_s
        if late and self.idle and self._in_head and self._head_bytes:
            self._refuse(408, "the request did not come in time")
        elif late:
            self.transport.close()

    def _make_room(self) -> bool:
        """Close one that keeps us waiting; whether there was one."""
        mine = (each for each in self.connections if isinstance(each, HttpConnection))
        waiting = [each for each in mine if each.waits]
        if not waiting:
            return False
        ((most, _),) = Counter(each.place for each in waiting).most_common(1)
        oldest = min((each for each in waiting if each.place == most), key=lambda e: e.since)
        self.connections.discard(oldest)
        oldest.transport.abort()
        return True

    def _refuse(self, status: int, why: str) -> None:
        """Answer, where no other answer is under way, and hang up."""
        if self.transport.is_closing():
            return
        if self.idle:
            self.transport.write(_answer(status, "Not understood", why))
        self.transport.close()


class WebSocketConnection(WebSocketsSansIOProtocol):
    """One that was upgraded."""

    def __init__(self, config: Config, server_state: Shared, app_state: dict[str, Any]) -> None:
        super().__init__(config, server_state, app_state)
        self.app = _hung_up(self.app, self)
        self._shared = server_state
        self._task: asyncio.Task[Any] | None = None
        self._since = self.loop.time()
        self._closing: float | None = None

    def connection_lost(self, exc: Exception | None) -> None:
        self.connections.add(self)  # the one above removes it, and it may have been removed
        super().connection_lost(exc)
        if self._task is not None and not self._task.done():
            ending = self.loop.call_later(self._shared.bounds.gone_s, self._task.cancel)
            self._task.add_done_callback(lambda _: ending.cancel())
        self._shared.gone.set()

    async def run_asgi(self) -> None:
        self._task = asyncio.current_task()
        await super().run_asgi()

    async def send(self, message: Any) -> None:
        await super().send(message)
        if message["type"] == "websocket.http.response.body" and not message.get("more_body"):
            self.handshake_complete = True  # refused is answered, too: no error to be logged

    def sweep(self, now: float) -> None:
        """Close it if nobody has answered its handshake."""
        if self.transport.is_closing():
            self._closing = hang_up(self.transport, self._closing, now)
            return
        late = not self.handshake_complete and now - self._since > self._shared.bounds.head_s
        if late:
            self.transport.close()


def hang_up(transport: asyncio.Transport, since: float | None, now: float) -> float:
    """Break off a connection that is being closed, whose other end does not take what it was
    sent. `since` is what this gave before."""
    if since is None:
        return now
    if now - since > CLOSING_S:
        transport.abort()
    return since


def _answer(status: int, title: str, detail: str) -> bytes:
    """A whole answer, for when there is no application to ask."""
    problem = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    body = json.dumps(problem).encode()
    head = (
        f"HTTP/1.1 {status} {title}\r\ncontent-type: application/problem+json\r\n"
        f"content-length: {len(body)}\r\nconnection: close\r\ncache-control: no-store\r\n\r\n"
    )
    return head.encode() + body
