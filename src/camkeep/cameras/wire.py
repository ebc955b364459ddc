"""One TCP (or TLS) connection to a camera, and the only place where its errors are translated.

Data is pushed: a `Wire` reads in large chunks into one buffer that all connections of a thread
share (the loop fills and empties it without a break in between), and hands each chunk as a
memoryview to `feed`. The view is valid only during that call. Nothing is queued here, so
nothing can grow; a source that falls behind slows its camera down by TCP's own flow control.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from camkeep.cameras.address import Address
from camkeep.cameras.pacer import pacer
from camkeep.cameras.reach import open_connection
from camkeep.cameras.source import SourceOptions, Trust
from camkeep.clock import Clock, MonoNs, WallUs
from camkeep.errors import (
    CameraError,
    NotTrusted,
    Stalled,
    StreamBroken,
    Unreachable,
    UsageError,
    WrongProtocol,
)

T = TypeVar("T")

CHUNK = 256 * 1024
"""Bytes of the shared read buffer."""

MOST_CHUNKS = 16
"""Chunks of one connection that are read at a tick: 40 MB/s, and others get their turn."""

Feed = Callable[[memoryview], None]
"""Takes what was read. What it raises ends the connection and comes out of `Wire.finished`."""

_shared = threading.local()


def _chunk() -> memoryview:
    """This thread's read buffer: one for all its connections."""
    if not hasattr(_shared, "chunk"):
        _shared.chunk = memoryview(bytearray(CHUNK))
    view: memoryview = _shared.chunk
    return view


class Wire(asyncio.BufferedProtocol):
    """A connection whose incoming bytes go to `feed`.

    `arrival` and `arrival_wall` are when the chunk being fed was read. `progress()` is called by
    the source for each thing of use, because bytes alone prove nothing: see `finished`.
    """

    def __init__(self, feed: Feed, clock: Clock) -> None:
        self._feed = feed
        self._clock = clock
        self._buffer = _chunk()
        self._loop = asyncio.get_running_loop()
        self._done: asyncio.Future[None] = self._loop.create_future()
        self._transport: asyncio.Transport | None = None
        self._writable = asyncio.Event()
        self._writable.set()
        self._last_progress = self._loop.time()
        self.arrival: MonoNs = clock.mono()
        self.arrival_wall: WallUs = clock.wall()

    # asyncio calls these

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        if self._done.done():
            return
        self.arrival = self._clock.mono()
        self.arrival_wall = self._clock.wall()
        try:
            self._feed(self._buffer[:nbytes])
        except Exception as error:  # noqa: BLE001 - it comes out of finished()
            self._end(error)

    def eof_received(self) -> bool:
        self._end(StreamBroken("the camera ended the connection"))
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        if exc is None:
            self._end(StreamBroken("the camera ended the connection"))
        else:
            self._end(translate(exc))

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    # sources call these

    def write(self, data: bytes) -> None:
        """Send; small requests only, nothing here waits."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def pace(self) -> None:
        """From now on, read together with other connections every few milliseconds, for a
        stream whose arrival need not be known more exactly (`pacer.py`).

        TLS goes on as it was: its reading is asyncio's own.
        """
        assert self._transport is not None
        plain = self._transport.get_extra_info("sslcontext") is None
        if plain and not self.closed and hasattr(os, "readv"):
            self._transport.pause_reading()
            self._descriptor = self._transport.get_extra_info("socket").fileno()
            pacer().add(self, self._read)

    def hurry(self, wanted: bool) -> None:
        """Read a stream that is read together with others sooner, at a higher cost, or as before
        again."""
        pacer().hurry(self, wanted)

    def _read(self) -> None:
        for _ in range(MOST_CHUNKS):
            try:
                nbytes = os.readv(self._descriptor, (self._buffer,))
            except (BlockingIOError, InterruptedError):
                return
            except OSError as error:
                self._end(translate(error))
                return
            if nbytes:
                self.buffer_updated(nbytes)
            else:
                self.eof_received()
            if nbytes < CHUNK or self.closed:  # most often: that was all there is
                return

    def progress(self) -> None:
        """Something of use has come."""
        self._last_progress = self._loop.time()

    @property
    def closed(self) -> bool:
        """Whether the connection is over."""
        return self._done.done()

    async def finished(self, stall_s: float) -> None:
        """Wait for the end of the connection, and raise why it ended.

        Raises Stalled when `progress()` was not called for `stall_s` seconds, what `feed`
        raised, or StreamBroken. Returns normally only after `close()`.
        """
        while True:
            left = self._last_progress + stall_s - self._loop.time()
            if left <= 0:
                raise Stalled(f"the camera has sent nothing of use for {stall_s:g} s")
            done, _ = await asyncio.wait((self._done,), timeout=left)
            if done:
                return self._done.result()

    async def wait_for(self, answer: asyncio.Future[T], timeout_s: float, what: str) -> T:
        """Wait for `answer`, which `feed` will set, but no longer than the connection lives.

        Raises Stalled with `what` ("the camera did not answer DESCRIBE"), or why it ended.
        """
        done, _ = await asyncio.wait(
            (answer, self._done), timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED
        )
        if answer in done:
            return answer.result()
        answer.cancel()
        if self._done in done:
            self._done.result()
            raise StreamBroken("the connection was closed")
        raise Stalled(f"{what} within {timeout_s:g} s")

    def close(self) -> None:
        """Drop the connection at once; what was written before is still sent if it fits."""
        self._end(None)

    @property
    def peer(self) -> str:
        """The address at the other end, for UDP beside this connection."""
        assert self._transport is not None
        return str(self._transport.get_extra_info("peername")[0])

    @property
    def local(self) -> str:
        """The address at this end, for UDP beside this connection."""
        assert self._transport is not None
        return str(self._transport.get_extra_info("sockname")[0])

    def fail(self, error: CameraError) -> None:
        """End the connection, with `error` for whoever waits in `finished` or `wait_for`."""
        self._end(error)

    def _end(self, error: Exception | None) -> None:
        if not self._done.done():
            if error is None:
                self._done.set_result(None)
            else:
                self._done.set_exception(error)
                self._done.exception()  # seen: finished() may never be called
        if self._transport is not None:
            pacer().remove(self)  # before its descriptor can become another's
            self._transport.close()


async def connect(address: Address, feed: Feed, options: SourceOptions, *, tls: bool) -> Wire:
    """Open a connection to `address`.

    Raises Unreachable, NotTrusted, Forbidden where `options.may_reach` does, or WrongProtocol
    where TLS was wanted and is not spoken.
    """
    context = _tls_context(options.trust) if tls else None
    try:
        async with asyncio.timeout(options.connect_timeout_s):
            transport, wire = await open_connection(
                lambda: Wire(feed, options.clock),
                address.host,
                address.port,
                context,
                options.connect_timeout_s,
                options.may_reach,
            )
    except TimeoutError:
        raise Unreachable(
            f"no answer from {address.host} port {address.port} within "
            f"{options.connect_timeout_s:g} s: is it switched on, and in this network?"
        ) from None
    except ssl.SSLCertVerificationError as error:
        raise await _not_trusted(address, options, error.verify_message) from None
    except (OSError, ssl.SSLError) as error:
        raise translate(error, address) from None
    except UnicodeError:  # IDNA: a part of the name is empty or too long
        raise Unreachable(f"no such host: {address.host[:80]}") from None
    raw = transport.get_extra_info("socket")
    if raw is not None and raw.family in (socket.AF_INET, socket.AF_INET6):
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if tls and options.trust.fingerprint is not None:
        shown = _fingerprint(transport.get_extra_info("ssl_object"))
        if shown != options.trust.fingerprint:
            transport.abort()
            raise NotTrusted(f"its certificate is another than the trusted one: sha256:{shown}")
    return wire


async def _not_trusted(address: Address, options: SourceOptions, why: str) -> NotTrusted:
    """The error for a certificate that nobody chose to trust. It names the fingerprint, for a
    person to compare: that takes another connection, over which nothing is sent."""
    shown = "FINGERPRINT"
    with suppress(OSError, CameraError):
        async with asyncio.timeout(options.connect_timeout_s):
            context = _tls_context(Trust(fingerprint=shown))
            transport, _ = await open_connection(
                asyncio.Protocol,
                address.host,
                address.port,
                context,
                options.connect_timeout_s,
                options.may_reach,
            )
        shown = _fingerprint(transport.get_extra_info("ssl_object"))
        transport.abort()
    return NotTrusted(
        f"the certificate of {address.host} port {address.port} is not trusted ({why}); if it is "
        f"the camera's own, compare it with the camera's page and say --trust sha256:{shown}"
    )


def _tls_context(trust: Trust) -> ssl.SSLContext:
    try:  # with a file, nothing but what is in it: names are not compared then
        context = ssl.create_default_context(cafile=trust.ca_file)
    except (OSError, ssl.SSLError) as error:
        reason = getattr(error, "strerror", None) or "no certificate in it"
        raise UsageError(f"cannot read certificates from {trust.ca_file}: {reason}") from None
    if trust.ca_file is not None:
        context.check_hostname = False  # cameras sign for names that nobody uses
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # the camera's own will do
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT  # few cameras make them by the book
    elif trust.fingerprint is not None:  # compared by connect(), before anything is sent
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _fingerprint(connection: ssl.SSLObject) -> str:
    certificate = connection.getpeercert(binary_form=True)
    return hashlib.sha256(certificate or b"").hexdigest()


def translate(error: Exception, address: Address | None = None) -> CameraError:
    """An error of the operating system or of TLS as one of ours, in one sentence."""
    at = f"{address.host} port {address.port}" if address else "the camera"
    if isinstance(error, ssl.SSLError):
        return WrongProtocol(f"{at} does not speak TLS: try the address without the s")
    if isinstance(error, socket.gaierror):
        return Unreachable(f"no such host: {address.host if address else at}")
    if isinstance(error, ConnectionRefusedError):
        return Unreachable(f"{at} refused the connection: is the port right, is it switched on?")
    if isinstance(error, ConnectionResetError | BrokenPipeError):
        return StreamBroken("the camera broke the connection off")
    if isinstance(error, OSError):
        reason = error.strerror or str(error)
        return Unreachable(f"cannot reach {at}: {reason}")
    return StreamBroken(f"the connection failed: {error}")
