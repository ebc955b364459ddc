"""The server, run from our own event loop: uvicorn's protocols without its loop, its signal
handlers and its way of ending, which waits for viewers that never leave.

Down: it stops listening, has the answers that last end themselves, waits for a moment, and hangs
up on whoever is left.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from collections.abc import Sequence
from contextlib import suppress
from email.utils import formatdate
from functools import partial
from typing import Self

from starlette.types import ASGIApp
from uvicorn.config import Config

from camkeep.errors import UsageError
from camkeep.server.web.closers import Closers
from camkeep.server.web.connections import Bounds, HttpConnection, Shared, WebSocketConnection
from camkeep.server.web.listening import BACKLOG, load_certificate, stamps, tls_context
from camkeep.server.web.options import Certificate

STOP_S = 2.0
SWEEP_S = 1.0
CERTIFICATE_S = 60
"""How often it looks whether the certificate's files were replaced, in sweeps."""
MESSAGE_BYTES = 64 * 1024
"""Of a WebSocket message from a client."""

log = logging.getLogger(__name__)


class WebServer:
    """Serves an application on sockets that `bind` gave. `async with` begins and ends it."""

    def __init__(
        self,
        app: ASGIApp,
        sockets: Sequence[socket.socket],
        closers: Closers,
        *,
        certificate: Certificate | None = None,
        bounds: Bounds | None = None,
    ) -> None:
        """Blocks while the certificate is read. Raises UsageError where it is none."""
        self.addresses = [(found[0], found[1]) for found in (s.getsockname() for s in sockets)]
        """Where it listens: literals and ports."""
        self._sockets = list(sockets)
        self._closers = closers
        self._certificate = certificate
        self._tls = None if certificate is None else tls_context(certificate)
        self._stamps = None if certificate is None else stamps(certificate)
        self._bounds = bounds or Bounds()
        self._shared = Shared(self._bounds)
        self._servers: list[asyncio.Server] = []
        self._sweeping: asyncio.Task[None] | None = None
        self._config = Config(
            app,
            http=HttpConnection,
            ws=WebSocketConnection,
            ws_max_size=MESSAGE_BYTES,
            ws_per_message_deflate=False,
            lifespan="off",
            log_config=None,
            log_level="error",  # what it tells below that holds paths and queries, or is noise
            access_log=False,
            proxy_headers=False,  # done by the entrance, which is told whom to believe
            server_header=False,
            timeout_keep_alive=round(self._bounds.idle_s),
        )

    @property
    def urls(self) -> list[str]:
        """Where it is to be found, one for each socket."""
        scheme = "http" if self._tls is None else "https"
        return [
            f"{scheme}://[{host}]:{port}/" if ":" in host else f"{scheme}://{host}:{port}/"
            for host, port in self.addresses
        ]

    @property
    def connections(self) -> int:
        """How many are open."""
        return len(self._shared.connections)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Begin to serve."""
        self._config.load()
        self._date()
        make = partial(HttpConnection, self._config, self._shared, {})
        loop = asyncio.get_running_loop()
        handshake_s, farewell_s = (None, None) if self._tls is None else (self._bounds.head_s, 1.0)
        for each in self._sockets:
            server = await loop.create_server(
                make,
                sock=each,
                ssl=self._tls,
                backlog=BACKLOG,
                ssl_handshake_timeout=handshake_s,
                ssl_shutdown_timeout=farewell_s,
            )
            self._servers.append(server)
        self._sweeping = asyncio.create_task(self._sweep())

    async def stop(self, timeout_s: float = STOP_S) -> None:
        """End: no new connections; answers that last are told to end; whoever is left after
        `timeout_s` is hung up on."""
        for server in self._servers:
            server.close()
        for each in self._sockets:
            each.close()
        self._closers.end_all()
        for connection in list(self._shared.connections):
            if isinstance(connection, HttpConnection):
                connection.shutdown()
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._until_empty()
        await self._hang_up()
        if self._sweeping is not None:
            self._sweeping.cancel()
            with suppress(asyncio.CancelledError):
                await self._sweeping

    async def _until_empty(self) -> None:
        while self._shared.connections or self._shared.tasks:
            self._shared.gone.clear()
            if self._shared.connections:
                await self._shared.gone.wait()
            else:
                await asyncio.wait(list(self._shared.tasks))

    async def _hang_up(self) -> None:
        for connection in list(self._shared.connections):
            connection.transport.abort()
        await asyncio.sleep(0)  # now they know it
        tasks = list(self._shared.tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=1.0)

    async def _sweep(self) -> None:
        """Each second: the date, and those who take too long."""
        turn = 0
        while True:
            await asyncio.sleep(SWEEP_S)
            turn += 1
            self._date()
            now = asyncio.get_running_loop().time()
            for connection in list(self._shared.connections):
                if isinstance(connection, HttpConnection | WebSocketConnection):
                    connection.sweep(now)
            if self._certificate is not None and turn % CERTIFICATE_S == 0:
                await self.renew_certificate()

    def _date(self) -> None:
        date = formatdate(usegmt=True).encode()
        self._shared.default_headers[:] = [(b"date", date)]

    async def renew_certificate(self) -> None:
        """Use the files of the certificate if they were replaced: for connections from now on."""
        if self._certificate is None or self._tls is None:
            return
        try:
            self._stamps = await asyncio.to_thread(
                _renewed, self._tls, self._certificate, self._stamps
            )
        except UsageError as error:
            log.error("the new certificate is not used: %s", error)


def _renewed(
    context: ssl.SSLContext, certificate: Certificate, before: tuple[float, ...] | None
) -> tuple[float, ...] | None:
    try:
        now = stamps(certificate)
    except OSError:
        return before  # they are being replaced
    if now != before:
        tls_context(certificate)  # the one in use would be broken by files that do not match
        load_certificate(context, certificate)
        log.info("a new certificate is in use")
    return now
