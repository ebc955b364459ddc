"""A small HTTP client for cameras: GET, login, redirects within the host. No more than that.

Each request has a connection of its own: cameras have few of them, and many forget to close
or to keep them as they say. A login once learned is sent at once with the next request.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from http import HTTPStatus
from urllib.parse import quote, urljoin

from camkeep.cameras.address import Address, parse_address
from camkeep.cameras.http.message import AnswerReader, Body, Head, NotHttp, ignore
from camkeep.cameras.login import Login
from camkeep.cameras.source import SourceOptions
from camkeep.cameras.wire import Wire, connect
from camkeep.errors import (
    CameraError,
    Forbidden,
    LoginRefused,
    MediaError,
    NotFound,
    Stalled,
    StreamBroken,
    UsageError,
    WrongProtocol,
)

MAX_REDIRECTS = 5
MAX_LOGINS = 3
"""Challenges that one request answers: the first, and nonces that went stale meanwhile."""
MAX_BODY = 16_000_000
TLS_SCHEMES = frozenset({"https", "easyns"})
_SAFE = "!#$%&'()*+,/:;=?@[]~"
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_BANNERS = {b"RTSP": "RTSP", b"SSH-": "SSH", b"220 ": "FTP or mail", b"\x15\x03": "TLS"}

Begin = Callable[["Exchange"], Body]
"""Looks at the head of a good answer and gives back who takes the body."""


@dataclass(frozen=True, slots=True)
class Response:
    """A whole answer. `complete` is False where the connection ended before the body did."""

    head: Head
    body: bytes
    complete: bool = True


class Exchange:
    """One request and its answer, while the body is still coming."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self.head: Head
        self.wire: Wire | None = None
        self.complete = True
        """After `finished`: whether the body came to its own end."""
        self._reader: AnswerReader
        self._head_seen: asyncio.Future[Head] = asyncio.get_running_loop().create_future()

    async def start(
        self, options: SourceOptions, request: bytes, begin: Begin, timeout_s: float
    ) -> None:
        """Connect, ask, and return when the head is here. `begin` is called for status 2xx."""

        def on_head(head: Head) -> Body:
            self.head = head
            if not self._head_seen.done():
                self._head_seen.set_result(head)
            return begin(self) if 200 <= head.status < 300 else ignore

        self._reader = AnswerReader(on_head)
        tls = self.address.scheme in TLS_SCHEMES
        wire = await connect(self.address, self._feed, options, tls=tls)
        try:
            self.wire = wire
            wire.write(request)
            await wire.wait_for(self._head_seen, timeout_s, "the camera did not answer")
        except MediaError as error:
            self.close()
            raise _not_http(error, self.address) from None
        except BaseException:
            self.close()
            raise

    def _feed(self, data: memoryview) -> None:
        if self.wire is None:  # it spoke before it was asked
            raise NotHttp(bytes(data[:16]))
        self._reader.feed(data)
        if self._reader.done:
            self.wire.close()

    async def finished(self, stall_s: float) -> None:
        """Wait for the end of the body.

        Raises Stalled where no progress was reported for `stall_s` seconds, or what the taker
        of the body raised. The connection's end is no error here; `complete` tells.
        """
        assert self.wire is not None
        try:
            await self.wire.finished(stall_s)
        except StreamBroken:
            self.complete = self._reader.done or self._reader.until_close
        except MediaError as error:
            raise StreamBroken(f"{error}: the camera's answer cannot be followed") from None

    def close(self) -> None:
        """Drop the connection."""
        if self.wire is not None:
            self.wire.close()


class HttpClient:
    """Asks one camera, and remembers its login between requests."""

    def __init__(self, options: SourceOptions) -> None:
        self._options = options
        self.login = Login(options.credentials)

    async def open(self, address: Address, begin: Begin) -> Exchange:
        """GET `address`, following logins and redirects, until a good answer's head is here.

        The caller closes the exchange. Raises LoginRefused, NotFound, Forbidden,
        WrongProtocol, Unreachable, Stalled or StreamBroken.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._options.stall_s
        redirects = logins = 0
        while True:
            exchange = Exchange(address)
            left = max(1.0, deadline - loop.time())
            await exchange.start(self._options, self._request(address), begin, left)
            head = exchange.head
            if 200 <= head.status < 300:
                self.login.accepted()
                return exchange
            exchange.close()
            if head.status == HTTPStatus.UNAUTHORIZED:
                self.login.challenged(head.all("www-authenticate"))
                logins += 1
                if logins > MAX_LOGINS:
                    raise LoginRefused("the camera goes on asking for the login it was given")
            elif head.status in _REDIRECTS and head.get("location"):
                redirects += 1
                address = _redirected(address, head.get("location"))
                if redirects > MAX_REDIRECTS:
                    raise Forbidden("the camera redirects in a circle: is the address right?")
            else:
                raise _status_error(head.status)

    async def fetch(
        self, address: Address, *, limit: int = MAX_BODY, timeout_s: float | None = None
    ) -> Response:
        """GET `address` and collect the body, at most `limit` bytes within `timeout_s` seconds.

        Raises what `open` raises, WrongProtocol where the body is larger, and Stalled.
        """
        held = bytearray()

        def begin(exchange: Exchange) -> Body:
            if (exchange.head.content_length or 0) > limit:
                raise _too_large(limit)
            return take

        def take(data: memoryview) -> None:
            if len(held) + len(data) > limit:
                raise _too_large(limit)
            held.extend(data)

        timeout_s = self._options.stall_s if timeout_s is None else timeout_s
        exchange: Exchange | None = None
        try:
            async with asyncio.timeout(timeout_s):
                exchange = await self.open(address, begin)
                await exchange.finished(timeout_s)
        except TimeoutError:
            raise Stalled(f"the camera did not finish its answer within {timeout_s:g} s") from None
        finally:
            if exchange is not None:
                exchange.close()
        return Response(exchange.head, bytes(held), exchange.complete)

    def _request(self, address: Address) -> bytes:
        target = quote(address.target, safe=_SAFE)
        lines = [
            f"GET {target} HTTP/1.1",
            f"Host: {address.authority}",
            "User-Agent: camkeep",
            "Accept: */*",
            "Connection: close",
        ]
        authorization = self.login.header("GET", target)
        if authorization is not None:
            lines.append(f"Authorization: {authorization}")
        return "\r\n".join([*lines, "", ""]).encode()


async def fetch(
    address: Address,
    options: SourceOptions,
    *,
    limit: int = MAX_BODY,
    timeout_s: float | None = None,
) -> Response:
    """GET `address` once, with its login. See `HttpClient.fetch`."""
    return await HttpClient(options).fetch(address, limit=limit, timeout_s=timeout_s)


def product(head: Head) -> str | None:
    """What the Server header says the camera is, fit to be shown."""
    shown = "".join(c for c in head.get("server") if c.isprintable()).strip()
    return shown[:80] or None


def _redirected(address: Address, location: str) -> Address:
    """Where a redirect leads. Raises Forbidden for another host or port, or from https to http.

    The login goes along, and what listens at another port may be another device behind the same
    router, or a service of this machine; from http to https it is the camera itself.
    """
    scheme = "https" if address.scheme in TLS_SCHEMES else "http"
    base = str(replace(address, scheme=scheme, query=""))
    target: Address | None = None
    with suppress(UsageError, ValueError):
        target, _ = parse_address(urljoin(base, location))
    if target is None or target.scheme not in ("http", "https"):
        raise Forbidden("the camera redirects to something that is no HTTP address")
    if target.host.lower() != address.host.lower():
        raise Forbidden(
            f"the camera redirects to another host ({target.host[:80]}), where camkeep does not "
            "follow: give that address if it is the right one"
        )
    if scheme == "https" and target.scheme == "http":
        raise Forbidden("the camera redirects from https to http, where camkeep does not follow")
    if target.port != address.port and scheme == target.scheme:
        raise Forbidden(
            f"the camera redirects to another port ({target.port}), where camkeep does not follow: "
            "give that address if it is the right one"
        )
    return target


def _status_error(status: int) -> CameraError:
    try:
        words = f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        words = str(status)
    if status == HTTPStatus.FORBIDDEN:
        return LoginRefused(f"the camera refuses this user or address ({words})")
    if status in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE):
        return NotFound(f"the camera has nothing at this path ({words}): is it spelled right?")
    if status >= 500 or status in (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS):
        return StreamBroken(f"the camera is out of order or too busy ({words})")
    return WrongProtocol(f"the camera does not understand the request ({words})")


def _not_http(error: MediaError, address: Address) -> CameraError:
    if not isinstance(error, NotHttp):
        return WrongProtocol(f"{error}: whatever answers at port {address.port} is no camera")
    known = [name for begin, name in _BANNERS.items() if error.begins.startswith(begin)]
    spoken = known[0] if known else "something else"
    advice = "try https" if spoken == "TLS" else "is it the right port, and the right kind of URL?"
    return WrongProtocol(f"port {address.port} speaks {spoken}, not HTTP: {advice}")


def _too_large(limit: int) -> CameraError:
    return WrongProtocol(
        f"the answer is larger than {limit // 1000:,} kB: is this the right address?"
    )
