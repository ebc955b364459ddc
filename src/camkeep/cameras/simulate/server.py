"""Listening, connections, and going away: the server below the simulated camera."""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path

from camkeep.cameras.simulate.messages import MAX_HEAD
from camkeep.errors import UsageError

ServeOne = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[bool]]
"""Answers one request; whether another may follow on the connection."""


class Server:
    """A TCP server that can stop listening and come back on the same port."""

    def __init__(
        self, host: str, port: int, tls: ssl.SSLContext | None, serve_one: ServeOne
    ) -> None:
        self.port = port
        self._host, self._tls, self._serve_one = host, tls, serve_one
        self._listening: asyncio.Server | None = None
        self._connections: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        self._away: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Listen. Raises UsageError where the port is not to be had."""
        try:
            self._listening = await asyncio.start_server(
                self._on_connection, self._host, self.port, limit=MAX_HEAD, ssl=self._tls
            )
        except OSError as error:
            raise UsageError(
                f"cannot listen on {self._host} port {self.port} ({reason(error)}): "
                "choose another port"
            ) from None
        self.port = self._listening.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Stop for good."""
        if self._away is not None:
            self._away.cancel()
            await asyncio.gather(self._away, return_exceptions=True)
        await self._hang_up()

    def go_away(self, seconds: float, delay_s: float = 0.0) -> asyncio.Event:
        """Stop listening and drop all connections, and come back on the same port.

        The event is set when it has gone.
        """
        gone = asyncio.Event()
        if self._away is not None:
            self._away.cancel()
        self._away = asyncio.create_task(self._be_away(seconds, delay_s, gone))
        return gone

    async def _be_away(self, seconds: float, delay_s: float, gone: asyncio.Event) -> None:
        await asyncio.sleep(delay_s)
        await self._hang_up()
        gone.set()
        await asyncio.sleep(seconds)
        await self.open()

    async def _hang_up(self) -> None:
        listening, self._listening = self._listening, None
        if listening is not None:
            listening.close()
        for task, writer in self._connections.items():
            writer.transport.abort()
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        if listening is not None:
            await listening.wait_closed()

    async def _on_connection(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections[task] = writer
        try:
            while await self._serve_one(reader, writer):
                pass
        except (OSError, TimeoutError, asyncio.CancelledError):
            pass  # the client has gone, or we go: nobody is left to be told
        finally:
            del self._connections[task]
            writer.close()


def reason(error: OSError) -> str:
    """What the operating system says, without what asyncio adds to it."""
    return os.strerror(error.errno).lower() if error.errno else str(error)


def tls_context(certificate: Path | None) -> ssl.SSLContext | None:
    """TLS with a PEM file of certificate and key. Raises UsageError."""
    if certificate is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(certificate)
    except ssl.SSLError:
        raise UsageError(
            f"cannot use the certificate {certificate}: it wants a certificate and its key in PEM"
        ) from None
    except OSError as error:
        raise UsageError(f"cannot use the certificate {certificate}: {reason(error)}") from None
    return context
